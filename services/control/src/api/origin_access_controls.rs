//! Origin access controls: thin handlers; what they share with their like is in `resource`.

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
    ErrorCode, OriginAccessControl, OriginAccessControlConfig, OriginAccessControlList,
    OriginAccessControlSummary,
};
use planning::{Faults, Quota, References};

/// Origin access controls as a kind.
pub struct OriginAccessControls;

impl Kind for OriginAccessControls {
    type Config = OriginAccessControlConfig;
    const NAME: &'static str = "origin-access-control";
    const MISSING: ErrorCode = ErrorCode::NoSuchOriginAccessControl;
    const EXISTS: ErrorCode = ErrorCode::OriginAccessControlAlreadyExists;
    const IN_USE: ErrorCode = ErrorCode::OriginAccessControlInUse;
    const TOO_MANY: ErrorCode = ErrorCode::TooManyOriginAccessControls;
    const QUOTA: Quota = Quota::OriginAccessControls;
    const TOO_MANY_USERS: ErrorCode =
        ErrorCode::TooManyDistributionsAssociatedToOriginAccessControl;

    fn known_by(config: &Self::Config) -> Known<'_> {
        Known::Name(&config.name)
    }

    fn check(config: &Self::Config) -> Result<(), Faults> {
        planning::policy::access_control::check(config)
    }

    fn new_id() -> String {
        crate::ids::entity()
    }

    fn bring(references: &mut References, id: &str, config: Self::Config) {
        references.access_controls.insert(id.to_owned(), config);
    }
}

/// `CreateOriginAccessControl`.
pub async fn create(control: &Control, call: &Authorised<Call>) -> Answer {
    let record = resource::create::<OriginAccessControls>(control, call.body()?).await?;
    let path = format!("/origin-access-control/{}", record.id);
    Ok(answer(call, record)?.located(call, &path))
}

/// `GetOriginAccessControl`.
pub async fn get(control: &Control, call: &Authorised<Call>) -> Answer {
    answer(call, resource::find::<OriginAccessControls>(control, call.param("Id")?).await?)
}

/// `GetOriginAccessControlConfig`.
pub async fn get_config(control: &Control, call: &Authorised<Call>) -> Answer {
    let record = resource::find::<OriginAccessControls>(control, call.param("Id")?).await?;
    Ok(Reply::shape(call, &record.config)?.tagged(&record.etag))
}

/// `UpdateOriginAccessControl`.
pub async fn update(control: &Control, call: &Authorised<Call>) -> Answer {
    let (id, tag) = (call.param("Id")?, call.if_match.as_deref());
    answer(call, resource::update::<OriginAccessControls>(control, id, tag, call.body()?).await?)
}

/// `DeleteOriginAccessControl`.
pub async fn delete(control: &Control, call: &Authorised<Call>) -> Answer {
    let (id, tag) = (call.param("Id")?, call.if_match.as_deref());
    resource::delete::<OriginAccessControls>(control, id, tag).await?;
    Ok(Reply::empty(call))
}

/// `ListOriginAccessControls`.
pub async fn list(control: &Control, call: &Authorised<Call>) -> Answer {
    let wanted = Wanted::from(&call.query)?;
    let page = resource::page::<OriginAccessControls>(control, &wanted, Which::Custom).await?;
    let shown = OriginAccessControlList {
        quantity: page.quantity(),
        marker: page.marker,
        is_truncated: page.next.is_some(),
        next_marker: page.next,
        max_items: page.max_items,
        items: page.items.map(|items| items.into_iter().map(summary).collect()),
    };
    Reply::shape(call, &shown)
}

fn shape(record: Record<OriginAccessControlConfig>) -> OriginAccessControl {
    OriginAccessControl { id: record.id, origin_access_control_config: Some(record.config) }
}

fn summary((_, record): (bool, Record<OriginAccessControlConfig>)) -> OriginAccessControlSummary {
    OriginAccessControlSummary {
        id: record.id,
        description: record.config.description.unwrap_or_default(),
        name: record.config.name,
        signing_protocol: record.config.signing_protocol,
        signing_behavior: record.config.signing_behavior,
        origin_access_control_origin_type: record.config.origin_access_control_origin_type,
    }
}

fn answer(call: &Call, record: Record<OriginAccessControlConfig>) -> Answer {
    let tag = record.etag.clone();
    Ok(Reply::shape(call, &shape(record))?.tagged(&tag))
}
