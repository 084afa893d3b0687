//! Continuous deployment policies: which viewers a staging distribution is to get.
//!
//! Edges cannot split traffic yet, so a policy may be made, attached and read, but not enabled
//! (`planning::policy::continuous_deployment` refuses that).

use super::{
    resource::{self, Kind, Known, Record, Use, Which},
    staging,
};
use crate::{
    control::Control,
    sigv4::Authorised,
    store::{self, key},
    wire::{
        call::Call,
        fault::Fault,
        page::Wanted,
        reply::{Answer, Reply},
    },
};
use model::api::{
    ContinuousDeploymentPolicy, ContinuousDeploymentPolicyConfig, ContinuousDeploymentPolicyList,
    ContinuousDeploymentPolicySummary, ErrorCode, OperationName as Name,
};
use planning::{Faults, Quota, kind, policy::continuous_deployment::staging_name};

/// Continuous deployment policies as a kind. Of two of them, no two have one staging distribution.
pub struct ContinuousDeploymentPolicies;

impl Kind for ContinuousDeploymentPolicies {
    type Config = ContinuousDeploymentPolicyConfig;
    const NAME: &'static str = kind::CONTINUOUS_DEPLOYMENT_POLICY;
    const MISSING: ErrorCode = ErrorCode::NoSuchContinuousDeploymentPolicy;
    const EXISTS: ErrorCode = ErrorCode::StagingDistributionInUse;
    const IN_USE: ErrorCode = ErrorCode::ContinuousDeploymentPolicyInUse;
    const TOO_MANY: ErrorCode = ErrorCode::TooManyContinuousDeploymentPolicies;
    const QUOTA: Quota = Quota::ContinuousDeploymentPolicies;
    const TOO_MANY_USERS: ErrorCode = ErrorCode::ContinuousDeploymentPolicyInUse;

    fn known_by(config: &Self::Config) -> Known<'_> {
        Known::Only("staging distribution", staging_name(config))
    }

    fn check(config: &Self::Config) -> Result<(), Faults> {
        planning::policy::continuous_deployment::check(config)
    }

    fn uses(config: &Self::Config) -> Vec<Use> {
        let name = staging_name(config);
        let id = staging::label(name).to_owned();
        vec![Use { kind: staging::KIND, id, missing: no_staging(name) }]
    }
}

fn no_staging(name: &str) -> Fault {
    let message = format!(
        "StagingDistributionDnsNames.Items[0]: no staging distribution has the assigned name \
         {name:?}: make one with CopyDistribution"
    );
    Fault::new(ErrorCode::InvalidArgument, message)
}

/// Does what the call asks, if it is one of these operations.
pub async fn serve(control: &Control, call: &Authorised<Call>) -> Option<Answer> {
    Some(match call.operation.name {
        Name::CopyDistribution => staging::copy(control, call).await,
        Name::UpdateDistributionWithStagingConfig => staging::promote(control, call).await,
        Name::CreateContinuousDeploymentPolicy => create(control, call).await,
        Name::GetContinuousDeploymentPolicy => get(control, call).await,
        Name::GetContinuousDeploymentPolicyConfig => get_config(control, call).await,
        Name::UpdateContinuousDeploymentPolicy => update(control, call).await,
        Name::DeleteContinuousDeploymentPolicy => delete(control, call).await,
        Name::ListContinuousDeploymentPolicies => list(control, call).await,
        _ => return None,
    })
}

async fn create(control: &Control, call: &Authorised<Call>) -> Answer {
    let config = named(control, call.body()?)?;
    not_the_same(control, &config).await?;
    let record = resource::create::<ContinuousDeploymentPolicies>(control, config).await?;
    let path = format!("/continuous-deployment-policy/{}", record.id);
    Ok(answer(call, record)?.located(call, &path))
}

async fn get(control: &Control, call: &Authorised<Call>) -> Answer {
    let id = call.param("Id")?;
    answer(call, resource::find::<ContinuousDeploymentPolicies>(control, id).await?)
}

async fn get_config(control: &Control, call: &Authorised<Call>) -> Answer {
    let id = call.param("Id")?;
    let record = resource::find::<ContinuousDeploymentPolicies>(control, id).await?;
    Ok(Reply::shape(call, &record.config)?.tagged(&record.etag))
}

async fn update(control: &Control, call: &Authorised<Call>) -> Answer {
    let (id, tag) = (call.param("Id")?, call.if_match.as_deref());
    let config = named(control, call.body()?)?;
    answer(call, resource::update::<ContinuousDeploymentPolicies>(control, id, tag, config).await?)
}

async fn delete(control: &Control, call: &Authorised<Call>) -> Answer {
    let (id, tag) = (call.param("Id")?, call.if_match.as_deref());
    resource::delete::<ContinuousDeploymentPolicies>(control, id, tag).await?;
    Ok(Reply::empty(call))
}

async fn list(control: &Control, call: &Authorised<Call>) -> Answer {
    let wanted = Wanted::from(&call.query)?;
    let page = resource::page::<ContinuousDeploymentPolicies>(control, &wanted, Which::Custom);
    let page = page.await?;
    let shown = ContinuousDeploymentPolicyList {
        quantity: page.quantity(),
        next_marker: page.next,
        max_items: page.max_items,
        items: page.items.map(|items| items.into_iter().map(summary).collect()),
    };
    Reply::shape(call, &shown)
}

/// Names of hosts have no case; one that is no assigned name here is nobody's.
fn named(
    control: &Control,
    mut config: ContinuousDeploymentPolicyConfig,
) -> Result<ContinuousDeploymentPolicyConfig, Fault> {
    let names = config.staging_distribution_dns_names.items.as_mut();
    for name in names.into_iter().flat_map(|list| list.0.iter_mut()) {
        name.make_ascii_lowercase();
        let parted = name.split_once('.');
        if parted.is_none_or(|(_, zone)| zone != control.zone) {
            return Err(no_staging(name));
        }
    }
    Ok(config)
}

/// The same policy once more has an error of its own.
async fn not_the_same(
    control: &Control,
    config: &ContinuousDeploymentPolicyConfig,
) -> Result<(), Fault> {
    let place = key::name(ContinuousDeploymentPolicies::NAME, staging_name(config));
    let Some(id) = store::get::<String>(control.store(), &place).await? else { return Ok(()) };
    let other = resource::custom::<ContinuousDeploymentPolicies>(control, &id.value).await?;
    if other.is_some_and(|other| other.value.config == *config) {
        let message = format!("the policy {} is the same: use that", id.value);
        return Err(Fault::new(ErrorCode::ContinuousDeploymentPolicyAlreadyExists, message));
    }
    Ok(())
}

fn shape(record: Record<ContinuousDeploymentPolicyConfig>) -> ContinuousDeploymentPolicy {
    ContinuousDeploymentPolicy {
        last_modified_time: record.modified_iso(),
        id: record.id,
        continuous_deployment_policy_config: record.config,
    }
}

fn summary(
    (_, record): (bool, Record<ContinuousDeploymentPolicyConfig>),
) -> ContinuousDeploymentPolicySummary {
    ContinuousDeploymentPolicySummary { continuous_deployment_policy: shape(record) }
}

fn answer(call: &Call, record: Record<ContinuousDeploymentPolicyConfig>) -> Answer {
    let tag = record.etag.clone();
    Ok(Reply::shape(call, &shape(record))?.tagged(&tag))
}
