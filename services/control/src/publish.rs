//! Plans: what edges execute, written in the same commit as what they follow from.
//!
//! For: making the plan of a distribution from everything that it refers to, with the conditions
//! under which that plan is still right when it is written.
//! Not for: whether a configuration is acceptable (`rules/planning` decides).

pub mod tenants;

use crate::{
    acm,
    api::{
        Kind, Record, cache_policies::CachePolicies, connection_groups::Group, custom,
        origin_access_controls::OriginAccessControls,
        origin_access_identities::OriginAccessIdentities,
        origin_request_policies::OriginRequestPolicies, resource::record_key,
        response_headers_policies::ResponseHeadersPolicies,
    },
    control::Control,
    ids, loops,
    store::{self, Change, Kept, Otherwise, Stopped, key},
    wire::{
        fault::{Code, Fault},
        page,
    },
};
use model::{
    api::{DistributionConfig, ErrorCode},
    ids::DistributionId,
    units::Timestamp,
};
use planning::{
    CertificateFacts, Quota, Quotas, References, Wanted,
    distribution::{Identity, is_template},
    kind,
};
use ports::metastore::Check;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Most distributions that may use one policy, control or certificate: all of their plans are
/// written in one commit when it changes.
pub const MOST_USERS: usize = 1000;

/// A distribution as it is kept: `distribution/ID`. It is put whenever its plan is, so that the
/// revision of the one is the revision of the other.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Distribution {
    /// Its id.
    pub id: String,
    /// Assigned name.
    pub domain: String,
    /// Changes with every change that the user makes to the distribution itself.
    pub etag: String,
    /// When its configuration, or something that it refers to, was last changed.
    pub modified: Timestamp,
    /// What the user wrote, with all defaults.
    pub config: DistributionConfig,
}

/// Everything that plans are made from, brought from the store as it is wanted, and the conditions
/// under which it is still so.
struct Library<'c> {
    control: &'c Control,
    references: References,
    /// Connection groups of tenants, by id.
    groups: BTreeMap<String, Group>,
    brought: BTreeSet<(&'static str, String)>,
    conditions: Vec<Check>,
    /// Certificates must be good at this time.
    good_at: Timestamp,
}

/// When every certificate is still good. A certificate that has expired while it was in use must
/// not stand in the way of other changes, least of all of disabling the distribution.
const LONG_AGO: Timestamp = Timestamp(0);

impl<'c> Library<'c> {
    /// With nothing in it.
    fn new(control: &'c Control) -> Self {
        // Where something else changes, no quota counts: what is there may stay.
        let (zone, quotas) = (control.zone.clone(), Quotas::none());
        let references = References { zone, quotas, ..References::default() };
        Self {
            control,
            references,
            groups: BTreeMap::new(),
            brought: BTreeSet::new(),
            conditions: Vec::new(),
            good_at: LONG_AGO,
        }
    }

    /// With this configuration in place of the one in the store.
    fn holding<K: Kind>(control: &'c Control, id: &str, config: &K::Config) -> Self {
        let mut library = Self::new(control);
        K::bring(&mut library.references, id, config.clone());
        library.references.known.insert((K::NAME, id.to_owned()));
        library.brought.insert((K::NAME, id.to_owned()));
        library
    }

    /// With these facts in place of the certificate in the store.
    fn with_certificate(control: &'c Control, arn: &str, facts: CertificateFacts) -> Self {
        let mut library = Self::new(control);
        library.references.certificates.insert(arn.to_owned(), facts);
        library.brought.insert((acm::KIND, arn.to_owned()));
        library
    }

    async fn bring(&mut self, wanted: &Wanted) -> Result<(), Fault> {
        self.bring_kind::<CachePolicies>(&wanted.cache_policies).await?;
        self.bring_kind::<OriginRequestPolicies>(&wanted.origin_request_policies).await?;
        self.bring_kind::<ResponseHeadersPolicies>(&wanted.response_headers_policies).await?;
        self.bring_kind::<OriginAccessControls>(&wanted.access_controls).await?;
        self.bring_kind::<OriginAccessIdentities>(&wanted.access_identities).await?;
        for arn in &wanted.certificates {
            self.bring_certificate(arn).await?;
        }
        self.bring_others(&wanted.others).await
    }

    /// Only whether there is such a thing is known of these: nothing is planned from them.
    async fn bring_others(
        &mut self,
        wanted: &BTreeSet<(&'static str, String)>,
    ) -> Result<(), Fault> {
        for (kind, id) in wanted.iter().filter(|(_, id)| ids::is_plain(id)) {
            if !self.brought.insert((kind, id.clone())) {
                continue;
            }
            let place = record_key(kind, id);
            if self.control.store().get(&place).await?.is_some() {
                self.conditions.push(Check::Present(place));
                self.references.known.insert((kind, id.clone()));
            }
        }
        Ok(())
    }

    async fn bring_kind<K: Kind>(&mut self, ids: &BTreeSet<String>) -> Result<(), Fault> {
        for id in ids {
            if !self.brought.insert((K::NAME, id.clone())) {
                continue;
            }
            if let Some(kept) = custom::<K>(self.control, id).await? {
                self.conditions.push(kept.unchanged());
                let Record { config, .. } = kept.value;
                K::bring(&mut self.references, id, config);
            }
        }
        Ok(())
    }

    async fn bring_certificate(&mut self, arn: &str) -> Result<(), Fault> {
        if !self.brought.insert((acm::KIND, arn.to_owned())) {
            return Ok(());
        }
        if let Some(kept) = acm::find(self.control, arn).await? {
            self.conditions.push(kept.unchanged());
            let facts = acm::facts(&kept.value);
            self.references.certificates.insert(arn.to_owned(), facts);
        }
        Ok(())
    }

    /// Adds a distribution and its plan to a change; a multi-tenant one has none.
    async fn put(&mut self, change: &mut Change, distribution: &Distribution) -> Result<(), Fault> {
        self.bring(&Wanted::by(&distribution.config)).await?;
        let identity = Identity {
            id: DistributionId(distribution.id.clone()),
            arn: self.control.distribution_arn(&distribution.id),
            domain: distribution.domain.clone(),
        };
        let config = &distribution.config;
        let references = &self.references;
        let plan = planning::distribution::plan(config, &identity, references, self.good_at)?;
        change.put(key::distribution(&distribution.id), distribution)?;
        if config.staging != Some(true) && !is_template(config) {
            // No viewer reaches a staging or multi-tenant distribution by itself: edges need not know
            // of it.
            change.put(key::plan(&distribution.id), &plan)?;
        }
        Ok(())
    }

    /// What was brought must still be so when the change is written.
    fn seal(self, change: &mut Change) {
        for condition in self.conditions {
            change.when(condition, Otherwise::Again);
        }
    }
}

/// What a configuration refers to, as it stands.
///
/// # Errors
/// `ServiceUnavailable` when the store does not answer.
pub async fn references(
    control: &Control,
    config: &DistributionConfig,
) -> Result<References, Fault> {
    let mut library = Library::new(control);
    library.bring(&Wanted::by(config)).await?;
    Ok(library.references)
}

/// Adds a distribution, its plan, and the marks of what it uses to a change.
///
/// # Errors
/// Everything that is wrong with the configuration.
pub async fn distribution(
    control: &Control,
    change: &mut Change,
    new: &Distribution,
    old: Option<&Distribution>,
) -> Result<(), Fault> {
    let mut library = Library::new(control);
    library.references.quotas = control.quotas.clone();
    if let Some(old) = old {
        library.references = library.references.keeping(&old.config);
    }
    let same = |old: &Distribution| old.config.viewer_certificate == new.config.viewer_certificate;
    if !old.is_some_and(same) {
        library.good_at = control.now();
    }
    library.put(change, new).await?;
    if old.is_some() && is_template(&new.config) {
        library.put_tenants_of(change, new).await?;
    }
    library.seal(change);
    loops::check(control, new, old).await?;
    if old.is_none() {
        change.put(key::assigned(&new.domain), &new.id)?;
    }
    let now = uses(&new.config);
    let before = old.map(|old| uses(&old.config)).unwrap_or_default();
    for (kind, id) in now.difference(&before) {
        room(control, change, kind, id).await?;
        if *kind == kind::CONTINUOUS_DEPLOYMENT_POLICY {
            change.when_or(Check::NoneUnder(key::users(kind, id)), policy_in_use());
        }
        change.mark(key::used_by(kind, id, &new.id));
    }
    for (kind, id) in before.difference(&now) {
        change.delete(key::used_by(kind, id, &new.id));
    }
    Ok(())
}

/// Adds to a change the plans of all distributions that use something which is about to change.
///
/// # Errors
/// Whatever the new configuration makes wrong with one of them.
pub async fn users<K: Kind>(
    control: &Control,
    change: &mut Change,
    id: &str,
    config: &K::Config,
) -> Result<(), Stopped> {
    let library = Library::holding::<K>(control, id, config);
    again(control, change, library, K::NAME, id).await.map_err(|stopped| match stopped {
        Stopped::Refused(fault) => Stopped::Refused(of_a_user(fault)),
        Stopped::Again => Stopped::Again,
    })
}

/// What is wrong with a distribution is an argument that is wrong to whoever changes what it uses.
fn of_a_user(fault: Fault) -> Fault {
    match fault.code {
        Code::Model(_) => Fault::new(ErrorCode::InvalidArgument, fault.message),
        _ => fault,
    }
}

/// The same for a certificate.
///
/// # Errors
/// Whatever the new certificate makes wrong with one of them.
pub async fn users_of_certificate(
    control: &Control,
    change: &mut Change,
    id: &str,
    arn: &str,
    facts: CertificateFacts,
) -> Result<(), Stopped> {
    let library = Library::with_certificate(control, arn, facts);
    again(control, change, library, acm::KIND, id).await
}

async fn again(
    control: &Control,
    change: &mut Change,
    mut library: Library<'_>,
    kind: &str,
    id: &str,
) -> Result<(), Stopped> {
    // Looked at before the users are listed: whoever comes later changes it.
    change.when(as_it_stands(control, &key::newest_user(kind, id)).await?, Otherwise::Again);
    let mut tenants: BTreeSet<String> = tenants::all_of(control, kind, id).await?;
    let mut templates = BTreeMap::new();
    for user in users_of(control, kind, id).await? {
        let place = key::distribution(&user);
        let Some(mut kept) = store::get::<Distribution>(control.store(), &place).await? else {
            return Err(Stopped::Again);
        };
        change.when(kept.unchanged(), Otherwise::Again);
        kept.value.modified = control.now();
        library.put(change, &kept.value).await.map_err(|fault| Fault {
            message: format!("the distribution {user}, which uses it: {}", fault.message),
            ..fault
        })?;
        if is_template(&kept.value.config) {
            tenants.extend(library.tenants_of(change, &kept.value).await?);
            templates.insert(user, kept.value);
        }
    }
    library.put_tenants(change, &tenants, &mut templates).await?;
    library.seal(change);
    Ok(())
}

async fn as_it_stands(control: &Control, place: &str) -> Result<Check, Fault> {
    let entry = control.store().get(place).await?;
    Ok(match entry {
        None => Check::Absent(place.to_owned()),
        Some(entry) => Check::At(entry.key, entry.revision),
    })
}

/// Ids of the distributions that use something.
///
/// # Errors
/// `ServiceUnavailable` when the store does not answer.
pub async fn users_of(control: &Control, kind: &str, id: &str) -> Result<Vec<String>, Fault> {
    let prefix = key::users(kind, id);
    let entries = control.store().list(&prefix, None, MOST_USERS + 100).await?;
    let id = |key: &str| key.strip_prefix(&prefix).map(str::to_owned);
    let users = entries.iter().filter_map(|entry| id(&entry.key));
    Ok(users.filter(|user| !user.contains(':')).collect())
}

/// Ids of the distributions that use something, in order, one more than a page holds.
///
/// # Errors
/// `ServiceUnavailable` when the store does not answer.
pub async fn users_on_page(
    control: &Control,
    kind: &str,
    id: &str,
    wanted: &page::Wanted,
) -> Result<Vec<String>, Fault> {
    let prefix = key::users(kind, id);
    let after = (!wanted.marker.is_empty()).then(|| key::used_by(kind, id, &wanted.marker));
    // Distributions' ids begin in upper case, so they stand before all other users.
    let found = control.store().list(&prefix, after.as_deref(), wanted.most + 1).await?;
    let users = found.iter().filter_map(|entry| entry.key.strip_prefix(&prefix));
    Ok(users.filter(|user| !user.contains(':')).map(str::to_owned).collect())
}

/// Up to `most` of whatever uses something: distributions by their ids, others as `KIND:ID`.
///
/// # Errors
/// `ServiceUnavailable` when the store does not answer.
pub async fn all_users_of(
    control: &Control,
    kind: &str,
    id: &str,
    most: usize,
) -> Result<Vec<String>, Fault> {
    let prefix = key::users(kind, id);
    let entries = control.store().list(&prefix, None, most).await?;
    Ok(entries
        .iter()
        .filter_map(|entry| entry.key.strip_prefix(&prefix).map(str::to_owned))
        .collect())
}

/// Whether one more may use it, which its newest user tells everybody.
async fn room(control: &Control, change: &mut Change, kind: &str, id: &str) -> Result<(), Fault> {
    let quota = control.quotas.most(Quota::DistributionsPerResource).min(MOST_USERS as u64);
    let users = key::users(kind, id);
    if control.take_room(change, (&users, key::newest_user(kind, id)), quota).await? {
        return Ok(());
    }
    let message = format!("{quota} distributions use this {kind} already");
    Err(Fault::new(too_many(kind), message))
}

/// A policy belongs to one primary distribution.
fn policy_in_use() -> Fault {
    let message = "another distribution has this continuous deployment policy: make one of its own";
    Fault::new(ErrorCode::ContinuousDeploymentPolicyInUse, message)
}

fn too_many(kind: &str) -> ErrorCode {
    match kind {
        OriginRequestPolicies::NAME => OriginRequestPolicies::TOO_MANY_USERS,
        ResponseHeadersPolicies::NAME => ResponseHeadersPolicies::TOO_MANY_USERS,
        OriginAccessControls::NAME => OriginAccessControls::TOO_MANY_USERS,
        OriginAccessIdentities::NAME => OriginAccessIdentities::TOO_MANY_USERS,
        CachePolicies::NAME => CachePolicies::TOO_MANY_USERS,
        _ => ErrorCode::TooManyCertificates,
    }
}

/// What a configuration uses, by kind and id.
pub fn uses(config: &DistributionConfig) -> BTreeSet<(&'static str, String)> {
    let wanted = Wanted::by(config);
    let of = |kind: &'static str, ids: BTreeSet<String>| ids.into_iter().map(move |id| (kind, id));
    let certificates = wanted.certificates.iter().filter_map(|arn| acm::id_of(arn));
    of(CachePolicies::NAME, wanted.cache_policies)
        .chain(of(OriginRequestPolicies::NAME, wanted.origin_request_policies))
        .chain(of(ResponseHeadersPolicies::NAME, wanted.response_headers_policies))
        .chain(of(OriginAccessControls::NAME, wanted.access_controls))
        .chain(of(OriginAccessIdentities::NAME, wanted.access_identities))
        .chain(of(acm::KIND, certificates.map(str::to_owned).collect()))
        .chain(wanted.others)
        .collect()
}

/// The distribution of this id.
///
/// # Errors
/// `NoSuchDistribution`.
pub async fn find(control: &Control, id: &str) -> Result<Kept<Distribution>, Fault> {
    let known = if ids::is_plain(id) {
        store::get(control.store(), &key::distribution(id)).await?
    } else {
        None
    };
    known.ok_or_else(no_such_distribution)
}

/// There is none.
pub fn no_such_distribution() -> Fault {
    Fault::new(ErrorCode::NoSuchDistribution, "the specified distribution does not exist")
}
