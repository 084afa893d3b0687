//! Cache policies: thin handlers; what they share with their like is in `resource`.

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
    CachePolicy, CachePolicyConfig, CachePolicyList, CachePolicySummary, CachePolicyType, ErrorCode,
};
use planning::{Faults, Quota, Quotas, References, managed};

/// Cache policies as a kind.
pub struct CachePolicies;

impl Kind for CachePolicies {
    type Config = CachePolicyConfig;
    const NAME: &'static str = "cache-policy";
    const MISSING: ErrorCode = ErrorCode::NoSuchCachePolicy;
    const EXISTS: ErrorCode = ErrorCode::CachePolicyAlreadyExists;
    const IN_USE: ErrorCode = ErrorCode::CachePolicyInUse;
    const TOO_MANY: ErrorCode = ErrorCode::TooManyCachePolicies;
    const QUOTA: Quota = Quota::CachePolicies;
    const TOO_MANY_USERS: ErrorCode = ErrorCode::TooManyDistributionsAssociatedToCachePolicy;

    fn known_by(config: &Self::Config) -> Known<'_> {
        Known::Name(&config.name)
    }

    fn check(config: &Self::Config) -> Result<(), Faults> {
        Self::check_with(config, &Quotas::none())
    }

    fn check_with(config: &Self::Config, quotas: &Quotas) -> Result<(), Faults> {
        planning::policy::cache::check(config, quotas)
    }

    fn fill(config: &mut Self::Config) {
        planning::policy::cache::fill(config);
    }

    fn managed() -> Vec<(&'static str, &'static Self::Config)> {
        managed::cache_policies().collect()
    }

    fn bring(references: &mut References, id: &str, config: Self::Config) {
        references.cache_policies.insert(id.to_owned(), config);
    }
}

/// `CreateCachePolicy`.
pub async fn create(control: &Control, call: &Authorised<Call>) -> Answer {
    let record = resource::create::<CachePolicies>(control, call.body()?).await?;
    let path = format!("/cache-policy/{}", record.id);
    Ok(answer(call, record)?.located(call, &path))
}

/// `GetCachePolicy`.
pub async fn get(control: &Control, call: &Authorised<Call>) -> Answer {
    answer(call, resource::find::<CachePolicies>(control, call.param("Id")?).await?)
}

/// `GetCachePolicyConfig`.
pub async fn get_config(control: &Control, call: &Authorised<Call>) -> Answer {
    let record = resource::find::<CachePolicies>(control, call.param("Id")?).await?;
    Ok(Reply::shape(call, &record.config)?.tagged(&record.etag))
}

/// `UpdateCachePolicy`.
pub async fn update(control: &Control, call: &Authorised<Call>) -> Answer {
    let (id, tag) = (call.param("Id")?, call.if_match.as_deref());
    answer(call, resource::update::<CachePolicies>(control, id, tag, call.body()?).await?)
}

/// `DeleteCachePolicy`.
pub async fn delete(control: &Control, call: &Authorised<Call>) -> Answer {
    let (id, tag) = (call.param("Id")?, call.if_match.as_deref());
    resource::delete::<CachePolicies>(control, id, tag).await?;
    Ok(Reply::empty(call))
}

/// `ListCachePolicies`.
pub async fn list(control: &Control, call: &Authorised<Call>) -> Answer {
    let wanted = Wanted::from(&call.query)?;
    let which = Which::from(call.query.get("Type"))?;
    let page = resource::page::<CachePolicies>(control, &wanted, which).await?;
    let shown = CachePolicyList {
        quantity: page.quantity(),
        next_marker: page.next,
        max_items: page.max_items,
        items: page.items.map(|items| items.into_iter().map(summary).collect()),
    };
    Reply::shape(call, &shown)
}

fn shape(record: Record<CachePolicyConfig>) -> CachePolicy {
    CachePolicy {
        last_modified_time: record.modified_iso(),
        id: record.id,
        cache_policy_config: record.config,
    }
}

fn summary((managed, record): (bool, Record<CachePolicyConfig>)) -> CachePolicySummary {
    let (managed_type, custom) = (CachePolicyType::Managed, CachePolicyType::Custom);
    CachePolicySummary {
        r#type: if managed { managed_type } else { custom },
        cache_policy: shape(record),
    }
}

fn answer(call: &Call, record: Record<CachePolicyConfig>) -> Answer {
    let tag = record.etag.clone();
    Ok(Reply::shape(call, &shape(record))?.tagged(&tag))
}
