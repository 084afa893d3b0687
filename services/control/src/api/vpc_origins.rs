//! VPC origins: thin handlers; what they share with their like is in `resource`.
//!
//! Edges do not connect through them yet: one may be kept, but no distribution may name it
//! (`planning::distribution` refuses that).

use super::{
    resource::{self, Kind, Known, Record},
    tags,
};
use crate::{
    control::Control,
    ids,
    sigv4::Authorised,
    status::Progress,
    store::{Change, Kept, key},
    wire::{
        call::Call,
        fault::Fault,
        page::Wanted,
        reply::{Answer, Reply},
    },
};
use model::api::{
    CreateVpcOriginRequest, ErrorCode, OperationName as Name, VpcOrigin, VpcOriginEndpointConfig,
    VpcOriginList, VpcOriginSummary,
};
use planning::{Faults, Quota, kind, vpc_origin};

/// VPC origins as a kind.
pub struct VpcOrigins;

impl Kind for VpcOrigins {
    type Config = VpcOriginEndpointConfig;
    const NAME: &'static str = kind::VPC_ORIGIN;
    const MISSING: ErrorCode = ErrorCode::EntityNotFound;
    const EXISTS: ErrorCode = ErrorCode::EntityAlreadyExists;
    const IN_USE: ErrorCode = ErrorCode::CannotDeleteEntityWhileInUse;
    const TOO_MANY: ErrorCode = ErrorCode::EntityLimitExceeded;
    const QUOTA: Quota = Quota::VpcOrigins;
    const TOO_MANY_USERS: ErrorCode = ErrorCode::EntityLimitExceeded;

    fn known_by(config: &Self::Config) -> Known<'_> {
        Known::Name(&config.name)
    }

    fn check(config: &Self::Config) -> Result<(), Faults> {
        vpc_origin::check(config)
    }

    fn new_id() -> String {
        ids::prefixed("vo")
    }

    fn beside(
        change: &mut Change,
        new: Option<&Record<Self::Config>>,
        old: Option<&Record<Self::Config>>,
    ) -> Result<(), Fault> {
        if let (None, Some(old)) = (new, old) {
            change.delete(key::resource_policy(Self::NAME, &old.id));
        }
        Ok(())
    }
}

/// Does what the call asks, if it is one of these operations.
pub async fn serve(control: &Control, call: &Authorised<Call>) -> Option<Answer> {
    Some(match call.operation.name {
        Name::CreateVpcOrigin => create(control, call).await,
        Name::GetVpcOrigin => answer(control, call, call.param("Id")).await,
        Name::UpdateVpcOrigin => update(control, call).await,
        Name::DeleteVpcOrigin => delete(control, call).await,
        Name::ListVpcOrigins => list(control, call).await,
        _ => return None,
    })
}

async fn create(control: &Control, call: &Authorised<Call>) -> Answer {
    let CreateVpcOriginRequest { vpc_origin_endpoint_config: mut config, tags } = call.body()?;
    vpc_origin::fill(&mut config);
    let record = resource::create_with::<VpcOrigins>(control, config, |change, record| {
        tags::attach(control, change, VpcOrigins::NAME, &record.id, tags.as_ref())
    })
    .await?;
    let path = format!("/vpc-origin/{}", record.id);
    Ok(answer(control, call, Ok(&record.id)).await?.located(call, &path))
}

async fn update(control: &Control, call: &Authorised<Call>) -> Answer {
    let (id, tag) = (call.param("Id")?, call.if_match.as_deref());
    let mut config = call.body()?;
    vpc_origin::fill(&mut config);
    resource::update::<VpcOrigins>(control, id, tag, config).await?;
    answer(control, call, Ok(id)).await
}

/// The answer shows what has gone.
async fn delete(control: &Control, call: &Authorised<Call>) -> Answer {
    let (id, tag) = (call.param("Id")?, call.if_match.as_deref());
    let record = resource::find::<VpcOrigins>(control, id).await?;
    resource::delete::<VpcOrigins>(control, id, tag).await?;
    let tag = record.etag.clone();
    Ok(Reply::shape(call, &shape(control, record, "Deploying"))?.tagged(&tag))
}

async fn list(control: &Control, call: &Authorised<Call>) -> Answer {
    let wanted = Wanted::from(&call.query)?;
    let page = resource::kept::<VpcOrigins>(control, &wanted).await?;
    let progress = Progress::of(&*control.world.registry).await?;
    let summary = |kept: Kept<Record<VpcOriginEndpointConfig>>| {
        let status = progress.of_resource(kept.revision);
        summary(shape(control, kept.value, status))
    };
    let shown = VpcOriginList {
        quantity: page.quantity(),
        is_truncated: page.next.is_some(),
        marker: page.marker,
        next_marker: page.next,
        max_items: page.max_items,
        items: page.items.map(|items| items.into_iter().map(summary).collect()),
    };
    Reply::shape(call, &shown)
}

async fn answer(control: &Control, call: &Call, id: Result<&str, Fault>) -> Answer {
    let kept = resource::custom::<VpcOrigins>(control, id?).await?;
    let kept = kept.ok_or_else(resource::missing::<VpcOrigins>)?;
    let progress = Progress::of(&*control.world.registry).await?;
    let (tag, status) = (kept.value.etag.clone(), progress.of_resource(kept.revision));
    Ok(Reply::shape(call, &shape(control, kept.value, status))?.tagged(&tag))
}

fn shape(control: &Control, record: Record<VpcOriginEndpointConfig>, status: &str) -> VpcOrigin {
    VpcOrigin {
        arn: control.arn(VpcOrigins::NAME, &record.id),
        account_id: Some(control.account.clone()),
        status: status.to_owned(),
        created_time: record.created_iso(),
        last_modified_time: record.modified_iso(),
        id: record.id,
        vpc_origin_endpoint_config: record.config,
    }
}

fn summary(origin: VpcOrigin) -> VpcOriginSummary {
    let config = origin.vpc_origin_endpoint_config;
    VpcOriginSummary {
        id: origin.id,
        name: config.name,
        status: origin.status,
        created_time: origin.created_time,
        last_modified_time: origin.last_modified_time,
        arn: origin.arn,
        account_id: origin.account_id,
        origin_endpoint_arn: config.arn,
        ip_address_type: config.ip_address_type,
    }
}
