//! Staging distributions: a primary's configuration copied, tried, and promoted.
//!
//! For: `CopyDistribution`, `UpdateDistributionWithStagingConfig`, and what a staging distribution
//! has beside what every distribution has.
//! Not for: who is sent to one (`continuous_deployment`). By itself it has no viewers, so edges are
//! not told of it (`publish`).
//!
//! Source: CloudFront API reference, both operations; developer guide, "Use CloudFront continuous
//! deployment to safely test CDN configuration changes".

use super::{
    distributions,
    resource::{Record, record_key},
};
use crate::{
    control::Control,
    ids,
    publish::{self, Distribution},
    sigv4::Authorised,
    store::{self, Change, Kept, Otherwise, Stopped, key},
    wire::{call::Call, etag, fault::Fault, reply::Answer},
};
use model::{
    api::{
        ContinuousDeploymentPolicyConfig, CopyDistributionRequest, DistributionConfig, ErrorCode,
    },
    units::Revision,
};
use planning::{Quota, kind, policy::continuous_deployment::staging_name};
use ports::metastore::Check;

/// Under which kind the marks stand of who uses a staging distribution by its assigned name.
pub(super) const KIND: &str = "staging";

/// The first label of an assigned name.
pub(super) fn label(domain: &str) -> &str {
    domain.split('.').next().unwrap_or_default()
}

fn is_staging(config: &DistributionConfig) -> bool {
    config.staging == Some(true)
}

/// Adds to the change that makes a distribution what a staging one has beside the rest, if the
/// account may have one more.
///
/// # Errors
/// `TooManyDistributions`.
pub(super) async fn enter(
    control: &Control,
    change: &mut Change,
    new: &Distribution,
) -> Result<(), Fault> {
    if !is_staging(&new.config) {
        return Ok(());
    }
    let most = control.quotas.most(Quota::StagingDistributions);
    let census = key::census(key::STAGING);
    if !control.take_room(change, (key::STAGING, census), most).await? {
        let message = format!("the account has {most} staging distributions already, its quota");
        return Err(Fault::new(ErrorCode::TooManyDistributions, message));
    }
    change.put(key::staging(label(&new.domain)), &new.id)?;
    Ok(())
}

/// Adds to the change that deletes a distribution what has to go with a staging one, unless a policy
/// names it.
pub(super) fn leave(change: &mut Change, old: &Distribution) {
    if !is_staging(&old.config) {
        return;
    }
    let place = label(&old.domain);
    let in_use = Fault::new(
        ErrorCode::ResourceInUse,
        "a continuous deployment policy names this staging distribution: delete that first",
    );
    change.when_or(Check::NoneUnder(key::users(KIND, place)), in_use).delete(key::staging(place));
}

/// `CopyDistribution`.
pub(super) async fn copy(control: &Control, call: &Authorised<Call>) -> Answer {
    let request: CopyDistributionRequest = call.body()?;
    let told = call.header("staging").unwrap_or_default();
    if !told.eq_ignore_ascii_case("true") {
        let message = "the header Staging must be True: copies are staging distributions";
        return Err(Fault::new(ErrorCode::InvalidArgument, message));
    }
    let primary = publish::find(control, call.param("PrimaryDistributionId")?).await?;
    etag::check(call.if_match.as_deref(), &primary.value.etag)?;
    must_be_primary(&primary)?;
    let config = DistributionConfig {
        caller_reference: request.caller_reference,
        enabled: request.enabled.unwrap_or(true),
        staging: Some(true),
        aliases: None,
        continuous_deployment_policy_id: None,
        ..primary.value.config.clone()
    };
    distributions::make_from(control, call, config, Vec::new(), Some(&primary)).await
}

fn must_be_primary(kept: &Kept<Distribution>) -> Result<(), Fault> {
    if is_staging(&kept.value.config) {
        let message = "this is a staging distribution itself: name its primary";
        return Err(Fault::new(ErrorCode::InvalidArgument, message));
    }
    Ok(())
}

/// `UpdateDistributionWithStagingConfig`: the primary keeps its names, its policy, and what cannot be
/// changed; all else becomes what the staging distribution has.
pub(super) async fn promote(control: &Control, call: &Authorised<Call>) -> Answer {
    let (new, revision) = store::settle(|| promoted(control, call)).await?;
    distributions::answer(control, call, &new, revision).await
}

async fn promoted(
    control: &Control,
    call: &Authorised<Call>,
) -> Result<(Distribution, Revision), Stopped> {
    let primary = publish::find(control, call.param("Id")?).await?;
    let staging = staging_of(control, call, &primary).await?;
    let (first, second) = both_tags(call.if_match.as_deref())?;
    etag::check(Some(first), &primary.value.etag)?;
    etag::check(Some(second), &staging.value.etag)?;
    let old = &primary.value.config;
    let config = DistributionConfig {
        caller_reference: old.caller_reference.clone(),
        aliases: old.aliases.clone(),
        staging: old.staging,
        continuous_deployment_policy_id: old.continuous_deployment_policy_id.clone(),
        ..staging.value.config.clone()
    };
    planning::distribution::check_update(old, &config)?;
    let new = Distribution {
        etag: ids::entity(),
        modified: control.now(),
        config,
        ..primary.value.clone()
    };
    let mut change = Change::default();
    change.when(primary.unchanged(), Otherwise::Again).when(staging.unchanged(), Otherwise::Again);
    publish::distribution(control, &mut change, &new, Some(&primary.value)).await?;
    let revision = change.commit(control.store()).await?;
    Ok((new, revision))
}

/// `PRIMARY, STAGING`, with or without the space.
fn both_tags(given: Option<&str>) -> Result<(&str, &str), Fault> {
    given.and_then(|tags| tags.split_once(',')).ok_or_else(|| {
        let message = "If-Match must be both ETags: the primary's, a comma, the staging one's";
        Fault::new(ErrorCode::InvalidIfMatchVersion, message)
    })
}

/// The staging distribution that the call names, or that the primary's policy does. Where there is a
/// policy, it must be the one of the policy.
async fn staging_of(
    control: &Control,
    call: &Call,
    primary: &Kept<Distribution>,
) -> Result<Kept<Distribution>, Fault> {
    must_be_primary(primary)?;
    let named = call.query.get("StagingDistributionId").filter(|id| !id.is_empty());
    let corresponding = corresponding(control, &primary.value.config).await?;
    let id = named.or(corresponding.as_deref()).ok_or_else(|| {
        let message = "StagingDistributionId is missing, and the distribution has no continuous \
                       deployment policy that says which it is";
        Fault::new(ErrorCode::InvalidArgument, message)
    })?;
    let staging = publish::find(control, id).await?;
    let fault = |message| Err(Fault::new(ErrorCode::IllegalUpdate, message));
    match corresponding {
        _ if !is_staging(&staging.value.config) => {
            fault("StagingDistributionId: this is no staging distribution")
        }
        Some(other) if other != id => fault(
            "StagingDistributionId: the primary's continuous deployment policy names another \
             staging distribution",
        ),
        _ => Ok(staging),
    }
}

/// The id of the staging distribution that is meant with a primary one: the one that is named, or
/// that of its policy.
///
/// # Errors
/// `ServiceUnavailable` when the store does not answer.
pub async fn meant(
    control: &Control,
    primary: &str,
    named: Option<&str>,
) -> Result<Option<String>, Fault> {
    if let Some(id) = named {
        return Ok(Some(id.to_owned()));
    }
    match publish::find(control, primary).await {
        Ok(primary) => corresponding(control, &primary.value.config).await,
        Err(fault) if fault.status() < 500 => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// The staging distribution that the policy of this configuration names.
async fn corresponding(
    control: &Control,
    config: &DistributionConfig,
) -> Result<Option<String>, Fault> {
    let Some(id) = config.continuous_deployment_policy_id.as_ref().filter(|id| !id.is_empty())
    else {
        return Ok(None);
    };
    let place = record_key(kind::CONTINUOUS_DEPLOYMENT_POLICY, id);
    let policy: Option<Kept<Record<ContinuousDeploymentPolicyConfig>>> =
        store::get(control.store(), &place).await?;
    let Some(policy) = policy else { return Ok(None) };
    let place = key::staging(label(staging_name(&policy.value.config)));
    Ok(store::get::<String>(control.store(), &place).await?.map(|kept| kept.value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_tags_are_parted_by_a_comma() {
        assert_eq!(both_tags(Some("A,B")).unwrap(), ("A", "B"));
        assert_eq!(both_tags(Some("A, B")).unwrap(), ("A", " B"));
        assert!(both_tags(Some("A")).is_err() && both_tags(None).is_err());
    }
}
