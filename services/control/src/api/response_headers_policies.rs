//! Response headers policies: thin handlers; what they share with their like is in `resource`.

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
    ErrorCode, ResponseHeadersPolicy, ResponseHeadersPolicyConfig, ResponseHeadersPolicyList,
    ResponseHeadersPolicySummary, ResponseHeadersPolicyType,
};
use planning::{Faults, Quota, Quotas, References, managed};

/// Response headers policies as a kind.
pub struct ResponseHeadersPolicies;

impl Kind for ResponseHeadersPolicies {
    type Config = ResponseHeadersPolicyConfig;
    const NAME: &'static str = "response-headers-policy";
    const MISSING: ErrorCode = ErrorCode::NoSuchResponseHeadersPolicy;
    const EXISTS: ErrorCode = ErrorCode::ResponseHeadersPolicyAlreadyExists;
    const IN_USE: ErrorCode = ErrorCode::ResponseHeadersPolicyInUse;
    const TOO_MANY: ErrorCode = ErrorCode::TooManyResponseHeadersPolicies;
    const QUOTA: Quota = Quota::ResponseHeadersPolicies;
    const TOO_MANY_USERS: ErrorCode =
        ErrorCode::TooManyDistributionsAssociatedToResponseHeadersPolicy;

    fn known_by(config: &Self::Config) -> Known<'_> {
        Known::Name(&config.name)
    }

    fn check(config: &Self::Config) -> Result<(), Faults> {
        Self::check_with(config, &Quotas::none())
    }

    fn check_with(config: &Self::Config, quotas: &Quotas) -> Result<(), Faults> {
        planning::policy::response_headers::check(config, quotas)
    }

    fn managed() -> Vec<(&'static str, &'static Self::Config)> {
        managed::response_headers_policies().collect()
    }

    fn bring(references: &mut References, id: &str, config: Self::Config) {
        references.response_headers_policies.insert(id.to_owned(), config);
    }
}

/// `CreateResponseHeadersPolicy`.
pub async fn create(control: &Control, call: &Authorised<Call>) -> Answer {
    let record = resource::create::<ResponseHeadersPolicies>(control, call.body()?).await?;
    let path = format!("/response-headers-policy/{}", record.id);
    Ok(answer(call, record)?.located(call, &path))
}

/// `GetResponseHeadersPolicy`.
pub async fn get(control: &Control, call: &Authorised<Call>) -> Answer {
    answer(call, resource::find::<ResponseHeadersPolicies>(control, call.param("Id")?).await?)
}

/// `GetResponseHeadersPolicyConfig`.
pub async fn get_config(control: &Control, call: &Authorised<Call>) -> Answer {
    let record = resource::find::<ResponseHeadersPolicies>(control, call.param("Id")?).await?;
    Ok(Reply::shape(call, &record.config)?.tagged(&record.etag))
}

/// `UpdateResponseHeadersPolicy`.
pub async fn update(control: &Control, call: &Authorised<Call>) -> Answer {
    let (id, tag) = (call.param("Id")?, call.if_match.as_deref());
    answer(call, resource::update::<ResponseHeadersPolicies>(control, id, tag, call.body()?).await?)
}

/// `DeleteResponseHeadersPolicy`.
pub async fn delete(control: &Control, call: &Authorised<Call>) -> Answer {
    let (id, tag) = (call.param("Id")?, call.if_match.as_deref());
    resource::delete::<ResponseHeadersPolicies>(control, id, tag).await?;
    Ok(Reply::empty(call))
}

/// `ListResponseHeadersPolicies`.
pub async fn list(control: &Control, call: &Authorised<Call>) -> Answer {
    let wanted = Wanted::from(&call.query)?;
    let which = Which::from(call.query.get("Type"))?;
    let page = resource::page::<ResponseHeadersPolicies>(control, &wanted, which).await?;
    let shown = ResponseHeadersPolicyList {
        quantity: page.quantity(),
        next_marker: page.next,
        max_items: page.max_items,
        items: page.items.map(|items| items.into_iter().map(summary).collect()),
    };
    Reply::shape(call, &shown)
}

fn shape(record: Record<ResponseHeadersPolicyConfig>) -> ResponseHeadersPolicy {
    ResponseHeadersPolicy {
        last_modified_time: record.modified_iso(),
        id: record.id,
        response_headers_policy_config: record.config,
    }
}

fn summary(
    (managed, record): (bool, Record<ResponseHeadersPolicyConfig>),
) -> ResponseHeadersPolicySummary {
    let (managed_type, custom) =
        (ResponseHeadersPolicyType::Managed, ResponseHeadersPolicyType::Custom);
    ResponseHeadersPolicySummary {
        r#type: if managed { managed_type } else { custom },
        response_headers_policy: shape(record),
    }
}

fn answer(call: &Call, record: Record<ResponseHeadersPolicyConfig>) -> Answer {
    let tag = record.etag.clone();
    Ok(Reply::shape(call, &shape(record))?.tagged(&tag))
}
