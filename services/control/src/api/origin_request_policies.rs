//! Origin request policies: thin handlers; what they share with their like is in `resource`.

use super::resource::{self, Kind, Known, Record, Which};
use crate::{
    control::Control,
    sigv4::Authorised,
    wire::{
        call::Call,
        page::Wanted,
        reply::{Answer, Reply},
    },
};
use model::api::{
    ErrorCode, OriginRequestPolicy, OriginRequestPolicyConfig, OriginRequestPolicyList,
    OriginRequestPolicySummary, OriginRequestPolicyType,
};
use planning::{Faults, Quota, Quotas, References, managed};

/// Origin request policies as a kind.
pub struct OriginRequestPolicies;

impl Kind for OriginRequestPolicies {
    type Config = OriginRequestPolicyConfig;
    const NAME: &'static str = "origin-request-policy";
    const MISSING: ErrorCode = ErrorCode::NoSuchOriginRequestPolicy;
    const EXISTS: ErrorCode = ErrorCode::OriginRequestPolicyAlreadyExists;
    const IN_USE: ErrorCode = ErrorCode::OriginRequestPolicyInUse;
    const TOO_MANY: ErrorCode = ErrorCode::TooManyOriginRequestPolicies;
    const QUOTA: Quota = Quota::OriginRequestPolicies;
    const TOO_MANY_USERS: ErrorCode =
        ErrorCode::TooManyDistributionsAssociatedToOriginRequestPolicy;

    fn known_by(config: &Self::Config) -> Known<'_> {
        Known::Name(&config.name)
    }

    fn check(config: &Self::Config) -> Result<(), Faults> {
        Self::check_with(config, &Quotas::none())
    }

    fn check_with(config: &Self::Config, quotas: &Quotas) -> Result<(), Faults> {
        planning::policy::origin_request::check(config, quotas)
    }

    fn managed() -> Vec<(&'static str, &'static Self::Config)> {
        managed::origin_request_policies().collect()
    }

    fn bring(references: &mut References, id: &str, config: Self::Config) {
        references.origin_request_policies.insert(id.to_owned(), config);
    }
}

/// `CreateOriginRequestPolicy`.
pub async fn create(control: &Control, call: &Authorised<Call>) -> Answer {
    let record = resource::create::<OriginRequestPolicies>(control, call.body()?).await?;
    let path = format!("/origin-request-policy/{}", record.id);
    Ok(answer(call, record)?.located(call, &path))
}

/// `GetOriginRequestPolicy`.
pub async fn get(control: &Control, call: &Authorised<Call>) -> Answer {
    answer(call, resource::find::<OriginRequestPolicies>(control, call.param("Id")?).await?)
}

/// `GetOriginRequestPolicyConfig`.
pub async fn get_config(control: &Control, call: &Authorised<Call>) -> Answer {
    let record = resource::find::<OriginRequestPolicies>(control, call.param("Id")?).await?;
    Ok(Reply::shape(call, &record.config)?.tagged(&record.etag))
}

/// `UpdateOriginRequestPolicy`.
pub async fn update(control: &Control, call: &Authorised<Call>) -> Answer {
    let (id, tag) = (call.param("Id")?, call.if_match.as_deref());
    answer(call, resource::update::<OriginRequestPolicies>(control, id, tag, call.body()?).await?)
}

/// `DeleteOriginRequestPolicy`.
pub async fn delete(control: &Control, call: &Authorised<Call>) -> Answer {
    let (id, tag) = (call.param("Id")?, call.if_match.as_deref());
    resource::delete::<OriginRequestPolicies>(control, id, tag).await?;
    Ok(Reply::empty(call))
}

/// `ListOriginRequestPolicies`.
pub async fn list(control: &Control, call: &Authorised<Call>) -> Answer {
    let wanted = Wanted::from(&call.query)?;
    let which = Which::from(call.query.get("Type"))?;
    let page = resource::page::<OriginRequestPolicies>(control, &wanted, which).await?;
    let shown = OriginRequestPolicyList {
        quantity: page.quantity(),
        next_marker: page.next,
        max_items: page.max_items,
        items: page.items.map(|items| items.into_iter().map(summary).collect()),
    };
    Reply::shape(call, &shown)
}

fn shape(record: Record<OriginRequestPolicyConfig>) -> OriginRequestPolicy {
    OriginRequestPolicy {
        last_modified_time: record.modified_iso(),
        id: record.id,
        origin_request_policy_config: record.config,
    }
}

fn summary(
    (managed, record): (bool, Record<OriginRequestPolicyConfig>),
) -> OriginRequestPolicySummary {
    let (managed_type, custom) =
        (OriginRequestPolicyType::Managed, OriginRequestPolicyType::Custom);
    OriginRequestPolicySummary {
        r#type: if managed { managed_type } else { custom },
        origin_request_policy: shape(record),
    }
}

fn answer(call: &Call, record: Record<OriginRequestPolicyConfig>) -> Answer {
    let tag = record.etag.clone();
    Ok(Reply::shape(call, &shape(record))?.tagged(&tag))
}
