//! Those who may hold a name: standard distributions and tenants.

use super::invalid;
use crate::{
    acm,
    api::{distributions, tenants},
    control::Control,
    ids, names,
    publish::{
        self, Distribution,
        tenants::{self as plans, Tenant},
    },
    store::{Change, Kept, Otherwise, Stopped},
    wire::fault::Fault,
};
use model::api::{AliasList, Aliases, DistributionConfig, DistributionResourceId, ErrorCode};
use planning::{References, distribution};
use std::collections::BTreeSet;

/// One of them, as it stands.
#[derive(Clone, Debug)]
pub(super) enum Party {
    /// A standard distribution.
    Distribution(Box<Kept<Distribution>>),
    /// A tenant.
    Tenant(Box<Kept<Tenant>>),
}

impl Party {
    /// The distribution of this id.
    pub async fn distribution(control: &Control, id: &str) -> Result<Self, Fault> {
        Ok(Self::Distribution(Box::new(publish::find(control, id).await?)))
    }

    /// By the form of the id.
    pub async fn find(control: &Control, id: &str) -> Result<Self, Fault> {
        if names::is_tenant(id) {
            return Ok(Self::Tenant(Box::new(tenants::find(control, id).await?)));
        }
        Self::distribution(control, id).await
    }

    /// As a request names it: exactly one of the two.
    pub async fn named(
        control: &Control,
        path: &str,
        named: &DistributionResourceId,
    ) -> Result<Self, Fault> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        match (given(&named.distribution_id), given(&named.distribution_tenant_id)) {
            (Some(id), None) => Self::distribution(control, &id).await.map_err(|fault| {
                let message = format!("{path}.DistributionId: there is no distribution {id}");
                if fault.status() == 404 {
                    Fault::new(ErrorCode::EntityNotFound, message)
                } else {
                    fault
                }
            }),
            (None, Some(id)) => {
                Ok(Self::Tenant(Box::new(tenants::identified(control, &id).await?)))
            }
            _ => Err(invalid(format!(
                "{path}: exactly one of DistributionId and DistributionTenantId is needed"
            ))),
        }
    }

    pub fn id(&self) -> &str {
        match self {
            Self::Distribution(kept) => &kept.value.id,
            Self::Tenant(kept) => &kept.value.id,
        }
    }

    pub fn etag(&self) -> &str {
        match self {
            Self::Distribution(kept) => &kept.value.etag,
            Self::Tenant(kept) => &kept.value.etag,
        }
    }

    /// The certificate proves that whoever has this may have the name.
    ///
    /// # Errors
    /// `InvalidArgument` when it does not cover the name; `IllegalUpdate` for multi-tenant
    /// distributions, which have no names.
    pub async fn must_cover(&self, control: &Control, name: &str) -> Result<(), Fault> {
        let covering = match self {
            Self::Distribution(kept) => covering(control, &kept.value.config, None).await?,
            Self::Tenant(kept) => {
                let template = publish::find(control, &kept.value.distribution).await?.value;
                covering(control, &template.config, kept.value.certificate()).await?
            }
        };
        if let Self::Distribution(kept) = self
            && distribution::is_template(&kept.value.config)
        {
            let message =
                "a multi-tenant distribution has no names of its own: name one of its tenants";
            return Err(Fault::new(ErrorCode::IllegalUpdate, message));
        }
        if covering.iter().any(|pattern| distribution::covers(pattern, name)) {
            return Ok(());
        }
        Err(invalid(format!(
            "the certificate of {} does not cover {name}: attach one that does first",
            self.id()
        )))
    }

    /// Adds to a change that this has one name more.
    pub async fn with(
        &self,
        control: &Control,
        change: &mut Change,
        name: &str,
    ) -> Result<(), Stopped> {
        let mut names = self.names();
        names.push(name.to_owned());
        self.named_as(control, change, names).await
    }

    /// Adds to a change that this has one name less.
    pub async fn without(
        &self,
        control: &Control,
        change: &mut Change,
        name: &str,
    ) -> Result<(), Stopped> {
        let mut names = self.names();
        names.retain(|one| one != name);
        if names.is_empty() && matches!(self, Self::Tenant(_)) {
            let message = format!(
                "the tenant {} has no other domain than {name}: give it one first, or delete it",
                self.id()
            );
            return Err(Fault::new(ErrorCode::IllegalUpdate, message).into());
        }
        self.named_as(control, change, names).await
    }

    fn names(&self) -> Vec<String> {
        match self {
            Self::Distribution(kept) => {
                let all: BTreeSet<String> = distributions::aliases(&kept.value);
                all.into_iter().collect()
            }
            Self::Tenant(kept) => kept.value.domains.clone(),
        }
    }

    async fn named_as(
        &self,
        control: &Control,
        change: &mut Change,
        names: Vec<String>,
    ) -> Result<(), Stopped> {
        let (etag, modified) = (ids::entity(), control.now());
        match self {
            Self::Distribution(kept) => {
                let quantity = i32::try_from(names.len()).unwrap_or(i32::MAX);
                let items = Some(AliasList(names)).filter(|names| !names.is_empty());
                let mut config = kept.value.config.clone();
                config.aliases = Some(Aliases { quantity, items });
                let new = Distribution { etag, modified, config, ..kept.value.clone() };
                change.when(kept.unchanged(), Otherwise::Again);
                publish::distribution(control, change, &new, Some(&kept.value)).await?;
            }
            Self::Tenant(kept) => {
                let new = Tenant { etag, modified, domains: names, ..kept.value.clone() };
                change.when(kept.unchanged(), Otherwise::Again);
                plans::tenant(control, change, &new, Some(&kept.value)).await?;
            }
        }
        Ok(())
    }
}

/// Names that the certificate covers, the tenant's own in place of the distribution's.
async fn covering(
    control: &Control,
    config: &DistributionConfig,
    own: Option<&str>,
) -> Result<Vec<String>, Fault> {
    let mut references = References { zone: control.zone.clone(), ..References::default() };
    let given = config.viewer_certificate.as_ref();
    let given = own.or(given.and_then(|given| given.acm_certificate_arn.as_deref()));
    if let Some(arn) = given.filter(|arn| !arn.is_empty())
        && let Some(kept) = acm::find(control, arn).await?
    {
        references.certificates.insert(arn.to_owned(), acm::facts(&kept.value));
    }
    let certificate = match own {
        Some(arn) => references.certificates.get(arn).map(|facts| facts.names.clone()),
        None => Some(distribution::covering(config, &references)),
    };
    Ok(certificate.unwrap_or_default())
}
