//! Plans of distribution tenants: each is made from its distribution, its connection group and its own
//! customizations, and is written again whenever one of them changes.

use super::{Distribution, LONG_AGO, Library, MOST_USERS, as_it_stands};
use crate::{
    acm,
    api::{
        Record,
        connection_groups::{self, Group},
        custom,
    },
    control::Control,
    names,
    store::{self, Change, Kept, Otherwise, Stopped, key},
    wire::fault::Fault,
};
use model::{
    api::{Customizations, ErrorCode, Parameter},
    ids::DistributionId,
    units::Timestamp,
};
use planning::{
    Faults, Wanted,
    distribution::{self, Identity},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// As it stands in keys and ARNs.
pub const KIND: &str = "distribution-tenant";
/// The kind of what tenants are made from.
const DISTRIBUTION: &str = "distribution";
/// Most tenants whose plans are written in one commit: each is its record, its plan and its history.
const MOST_AT_ONCE: usize = 3 * MOST_USERS;

/// A distribution tenant as it is kept: `distribution-tenant/ID`. It is put whenever its plan is, so
/// that the revision of the one is the revision of the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tenant {
    /// `dt_` and 27 characters.
    pub id: String,
    /// The user's name for it.
    pub name: String,
    /// Id of the multi-tenant distribution.
    pub distribution: String,
    /// Its names, lower case.
    pub domains: Vec<String>,
    /// Those that no certificate covers, which no edge answers for.
    #[serde(default)]
    pub inactive: BTreeSet<String>,
    /// What differs from the distribution.
    #[serde(default)]
    pub customizations: Option<Customizations>,
    /// Values of the distribution's parameters.
    #[serde(default)]
    pub parameters: Vec<Parameter>,
    /// Id of the connection group.
    pub group: String,
    /// Whether it serves.
    pub enabled: bool,
    /// Changes with every change that the user makes to it.
    pub etag: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last changed by the user.
    pub modified: Timestamp,
}

impl Tenant {
    /// ARN of its own certificate.
    pub fn certificate(&self) -> Option<&str> {
        let certificate = self.customizations.as_ref()?.certificate.as_ref()?;
        Some(certificate.arn.as_str())
    }

    /// Its names as a set.
    pub fn names(&self) -> BTreeSet<String> {
        self.domains.iter().cloned().collect()
    }

    /// What it uses, by kind and id.
    pub fn uses(&self) -> BTreeSet<(&'static str, String)> {
        let certificate = self.certificate().and_then(acm::id_of);
        [(DISTRIBUTION, self.distribution.clone()), (connection_groups::KIND, self.group.clone())]
            .into_iter()
            .chain(certificate.map(|id| (acm::KIND, id.to_owned())))
            .collect()
    }

    /// How it stands in the marks of who uses what.
    pub fn user(&self) -> String {
        format!("{KIND}:{}", self.id)
    }
}

/// The key of a tenant's record.
pub fn place(id: &str) -> String {
    format!("{KIND}/{id}")
}

/// Ids of the tenants that use something, in order, up to `most` after the id `after`.
///
/// # Errors
/// `ServiceUnavailable` when the store does not answer.
pub async fn of(
    control: &Control,
    kind: &str,
    id: &str,
    after: &str,
    most: usize,
) -> Result<Vec<String>, Fault> {
    let prefix = format!("{}{KIND}:", key::users(kind, id));
    let after = Some(format!("{prefix}{after}")).filter(|_| !after.is_empty());
    let entries = control.store().list(&prefix, after.as_deref(), most).await?;
    let id = |key: &str| key.strip_prefix(&prefix).map(str::to_owned);
    Ok(entries.iter().filter_map(|entry| id(&entry.key)).collect())
}

/// Ids of the tenants of a distribution.
///
/// # Errors
/// `ServiceUnavailable` when the store does not answer.
pub async fn of_distribution(control: &Control, id: &str) -> Result<BTreeSet<String>, Fault> {
    all_of(control, DISTRIBUTION, id).await
}

pub(super) async fn all_of(
    control: &Control,
    kind: &str,
    id: &str,
) -> Result<BTreeSet<String>, Fault> {
    Ok(of(control, kind, id, "", MOST_USERS + 100).await?.into_iter().collect())
}

/// What is wrong, as operations on tenants name it (API reference, `CreateDistributionTenant`).
fn refused(faults: &Faults) -> Fault {
    let code = match faults.code() {
        code @ (ErrorCode::EntityNotFound | ErrorCode::EntityLimitExceeded) => code,
        _ => ErrorCode::InvalidArgument,
    };
    Fault::new(code, faults.to_string())
}

impl Library<'_> {
    async fn bring_group(&mut self, id: &str) -> Result<Group, Fault> {
        if let Some(group) = self.groups.get(id) {
            return Ok(group.clone());
        }
        let kept = custom::<connection_groups::Groups>(self.control, id).await?;
        let kept = kept.ok_or_else(|| {
            let message = format!("there is no connection group {id}");
            Fault::new(ErrorCode::EntityNotFound, message)
        })?;
        self.conditions.push(kept.unchanged());
        let Record { config, .. } = kept.value;
        self.groups.insert(id.to_owned(), config.clone());
        Ok(config)
    }

    /// Adds a tenant and its plan to a change.
    async fn put_tenant(
        &mut self,
        change: &mut Change,
        tenant: &Tenant,
        template: &Distribution,
    ) -> Result<(), Fault> {
        let mut wanted = Wanted::by(&template.config);
        wanted.certificates.extend(tenant.certificate().map(str::to_owned));
        self.bring(&wanted).await?;
        let group = self.bring_group(&tenant.group).await?;
        let plan = distribution::tenant_plan(
            &template.config,
            &distribution::Tenant {
                domains: &tenant.domains,
                parameters: &tenant.parameters,
                certificate: tenant.certificate(),
                countries: tenant
                    .customizations
                    .as_ref()
                    .and_then(|own| own.geo_restrictions.as_ref()),
                enabled: tenant.enabled && group.enabled,
                ipv6: group.ipv6,
            },
            &self.identity(tenant),
            &self.references,
            self.good_at,
        )
        .map_err(|faults| refused(&faults))?;
        let active = |name: &String| plan.aliases.contains(name);
        let inactive = tenant.domains.iter().filter(|name| !active(name)).cloned().collect();
        change
            .put(place(&tenant.id), &Tenant { inactive, ..tenant.clone() })?
            .put(key::plan(&tenant.id), &plan)?;
        Ok(())
    }

    /// Nobody is told of the assigned name: a plan has one that no other plan has.
    fn identity(&self, tenant: &Tenant) -> Identity {
        Identity {
            id: DistributionId(tenant.id.clone()),
            arn: self.control.arn(KIND, &tenant.id),
            domain: format!("{}.{}", tenant.id.to_ascii_lowercase(), self.control.zone),
        }
    }

    /// Adds the plans of these tenants to a change, those of `templates` as they stand there.
    pub(super) async fn put_tenants(
        &mut self,
        change: &mut Change,
        tenants: &BTreeSet<String>,
        templates: &mut BTreeMap<String, Distribution>,
    ) -> Result<(), Fault> {
        if tenants.len() > MOST_AT_ONCE {
            let message = format!(
                "{} distribution tenants follow from this, of which {MOST_AT_ONCE} can be changed at \
                 once: spread them over resources of their own",
                tenants.len()
            );
            return Err(Fault::new(ErrorCode::EntityLimitExceeded, message));
        }
        for id in tenants {
            // One that is gone by now needs no plan.
            let found = store::get::<Tenant>(self.control.store(), &place(id)).await?;
            let Some(kept) = found else { continue };
            change.when(kept.unchanged(), Otherwise::Again);
            let of = kept.value.distribution.clone();
            if !templates.contains_key(&of) {
                let template = super::find(self.control, &of).await?;
                self.conditions.push(template.unchanged());
                templates.insert(of.clone(), template.value);
            }
            if let Some(template) = templates.get(&of) {
                let put = self.put_tenant(change, &kept.value, template).await;
                put.map_err(|fault| of_tenant(id, &fault))?;
            }
        }
        Ok(())
    }

    /// Adds to a change the plans of all tenants of a distribution which is itself in the change.
    pub(super) async fn put_tenants_of(
        &mut self,
        change: &mut Change,
        template: &Distribution,
    ) -> Result<(), Fault> {
        let tenants = self.tenants_of(change, template).await?;
        let mut templates = BTreeMap::from([(template.id.clone(), template.clone())]);
        self.put_tenants(change, &tenants, &mut templates).await
    }

    /// The tenants of a distribution, and that there is no further one when the change is written.
    pub(super) async fn tenants_of(
        &self,
        change: &mut Change,
        template: &Distribution,
    ) -> Result<BTreeSet<String>, Fault> {
        let newest = key::newest_user(DISTRIBUTION, &template.id);
        change.when(as_it_stands(self.control, &newest).await?, Otherwise::Again);
        all_of(self.control, DISTRIBUTION, &template.id).await
    }
}

fn of_tenant(id: &str, fault: &Fault) -> Fault {
    Fault { code: fault.code, message: format!("distribution tenant {id}: {}", fault.message) }
}

/// Adds a tenant, its plan, its names, and the marks of what it uses to a change.
///
/// # Errors
/// Everything that is wrong with it; `EntityNotFound` and `InvalidAssociation` for what it belongs to.
pub async fn tenant(
    control: &Control,
    change: &mut Change,
    new: &Tenant,
    old: Option<&Tenant>,
) -> Result<(), Fault> {
    let template = template(control, &new.distribution).await?;
    change.when(template.unchanged(), Otherwise::Again);
    let mut library = Library::new(control);
    let same = old.is_some_and(|old| old.certificate() == new.certificate());
    library.good_at = if same { LONG_AGO } else { control.now() };
    library.put_tenant(change, new, &template.value).await?;
    library.seal(change);
    mark(control, change, new, old).await
}

/// The multi-tenant distribution of this id.
async fn template(control: &Control, id: &str) -> Result<Kept<Distribution>, Fault> {
    let found = super::find(control, id).await.map_err(|fault| match fault.status() {
        404 => Fault::new(ErrorCode::EntityNotFound, format!("there is no distribution {id}")),
        _ => fault,
    })?;
    if distribution::is_template(&found.value.config) {
        return Ok(found);
    }
    let message = format!(
        "the distribution {id} is a standard one: tenants belong to distributions whose \
         ConnectionMode is tenant-only"
    );
    Err(Fault::new(ErrorCode::InvalidAssociation, message))
}

async fn mark(
    control: &Control,
    change: &mut Change,
    new: &Tenant,
    old: Option<&Tenant>,
) -> Result<(), Fault> {
    let (now, before) = (new.uses(), old.map(Tenant::uses).unwrap_or_default());
    for (kind, id) in now.difference(&before) {
        let users = (&*key::users(kind, id), key::newest_user(kind, id));
        if !control.take_room(change, users, MOST_USERS as u64).await? {
            let message = format!("{MOST_USERS} distribution tenants use this {kind} already");
            return Err(Fault::new(ErrorCode::EntityLimitExceeded, message));
        }
        change.mark(key::used_by(kind, id, &new.user()));
    }
    for (kind, id) in before.difference(&now) {
        change.delete(key::used_by(kind, id, &new.user()));
    }
    Ok(())
}

/// Adds to a change the names that a tenant takes and leaves.
///
/// # Errors
/// `CNAMEAlreadyExists`.
pub async fn take_names(
    control: &Control,
    change: &mut Change,
    new: &Tenant,
    old: Option<&Tenant>,
) -> Result<(), Fault> {
    let before = old.map(Tenant::names).unwrap_or_default();
    names::take(control, change, &new.id, &new.names(), &before).await
}

/// Adds to a change that a tenant is gone, with all that is its own but its invalidations.
pub fn erase(change: &mut Change, old: &Tenant) {
    change
        .delete(place(&old.id))
        .delete(key::plan(&old.id))
        .delete(key::resource_tags(KIND, &old.id))
        .delete(key::name(KIND, &old.name));
    names::leave(change, &old.names());
    for (kind, id) in old.uses() {
        change.delete(key::used_by(kind, &id, &old.user()));
    }
}

/// Adds to a change the plans of all tenants of a connection group which is about to change.
///
/// # Errors
/// Those of the store: nothing in a group makes a tenant wrong.
pub async fn users_of_group(
    control: &Control,
    change: &mut Change,
    id: &str,
    group: &Group,
) -> Result<(), Stopped> {
    let mut library = Library::new(control);
    library.groups.insert(id.to_owned(), group.clone());
    let newest = key::newest_user(connection_groups::KIND, id);
    change.when(as_it_stands(control, &newest).await?, Otherwise::Again);
    let tenants = all_of(control, connection_groups::KIND, id).await?;
    library.put_tenants(change, &tenants, &mut BTreeMap::new()).await?;
    library.seal(change);
    Ok(())
}
