//! Origin access identities: thin handlers; what they share with their like is in `resource`.

use super::resource::{self, Kind, Known, Record, Which};
use crate::{
    control::Control,
    ids,
    sigv4::Authorised,
    wire::{
        call::Call,
        page::Wanted,
        reply::{Answer, Reply},
    },
};
use model::api::{
    CloudFrontOriginAccessIdentity, CloudFrontOriginAccessIdentityConfig,
    CloudFrontOriginAccessIdentityList, CloudFrontOriginAccessIdentitySummary, ErrorCode,
    OperationName as Name,
};
use planning::{Faults, Quota, References};

/// Origin access identities as a kind.
pub struct OriginAccessIdentities;

impl Kind for OriginAccessIdentities {
    type Config = CloudFrontOriginAccessIdentityConfig;
    const NAME: &'static str = "origin-access-identity";
    const MISSING: ErrorCode = ErrorCode::NoSuchCloudFrontOriginAccessIdentity;
    const EXISTS: ErrorCode = ErrorCode::CloudFrontOriginAccessIdentityAlreadyExists;
    const IN_USE: ErrorCode = ErrorCode::CloudFrontOriginAccessIdentityInUse;
    const TOO_MANY: ErrorCode = ErrorCode::TooManyCloudFrontOriginAccessIdentities;
    const QUOTA: Quota = Quota::OriginAccessIdentities;
    /// The API has no error of its own for it.
    const TOO_MANY_USERS: ErrorCode = ErrorCode::InvalidOriginAccessIdentity;
    const AGAIN_IS_THE_SAME: bool = true;

    fn known_by(config: &Self::Config) -> Known<'_> {
        Known::Reference(&config.caller_reference)
    }

    fn check(config: &Self::Config) -> Result<(), Faults> {
        planning::resource::access_identity::check(config)
    }

    fn new_id() -> String {
        ids::entity()
    }

    fn bring(references: &mut References, id: &str, _config: Self::Config) {
        references.access_identities.insert(id.to_owned());
    }
}

/// Does what the call asks, if it is one of these operations.
pub async fn serve(control: &Control, call: &Authorised<Call>) -> Option<Answer> {
    Some(match call.operation.name {
        Name::CreateCloudFrontOriginAccessIdentity => create(control, call).await,
        Name::GetCloudFrontOriginAccessIdentity => get(control, call).await,
        Name::GetCloudFrontOriginAccessIdentityConfig => get_config(control, call).await,
        Name::UpdateCloudFrontOriginAccessIdentity => update(control, call).await,
        Name::DeleteCloudFrontOriginAccessIdentity => delete(control, call).await,
        Name::ListCloudFrontOriginAccessIdentities => list(control, call).await,
        _ => return None,
    })
}

async fn create(control: &Control, call: &Authorised<Call>) -> Answer {
    let record = resource::create::<OriginAccessIdentities>(control, call.body()?).await?;
    let path = format!("/origin-access-identity/cloudfront/{}", record.id);
    Ok(answer(call, record)?.located(call, &path))
}

async fn get(control: &Control, call: &Authorised<Call>) -> Answer {
    answer(call, resource::find::<OriginAccessIdentities>(control, call.param("Id")?).await?)
}

async fn get_config(control: &Control, call: &Authorised<Call>) -> Answer {
    let record = resource::find::<OriginAccessIdentities>(control, call.param("Id")?).await?;
    Ok(Reply::shape(call, &record.config)?.tagged(&record.etag))
}

async fn update(control: &Control, call: &Authorised<Call>) -> Answer {
    let (id, tag) = (call.param("Id")?, call.if_match.as_deref());
    let config = call.body()?;
    answer(call, resource::update::<OriginAccessIdentities>(control, id, tag, config).await?)
}

async fn delete(control: &Control, call: &Authorised<Call>) -> Answer {
    let (id, tag) = (call.param("Id")?, call.if_match.as_deref());
    resource::delete::<OriginAccessIdentities>(control, id, tag).await?;
    Ok(Reply::empty(call))
}

async fn list(control: &Control, call: &Authorised<Call>) -> Answer {
    let wanted = Wanted::from(&call.query)?;
    let page = resource::page::<OriginAccessIdentities>(control, &wanted, Which::Custom).await?;
    let shown = CloudFrontOriginAccessIdentityList {
        quantity: page.quantity(),
        marker: page.marker,
        is_truncated: page.next.is_some(),
        next_marker: page.next,
        max_items: page.max_items,
        items: page.items.map(|items| items.into_iter().map(summary).collect()),
    };
    Reply::shape(call, &shown)
}

/// `S3CanonicalUserId`: 96 hexadecimal digits that follow from the id, and so never change.
fn canonical_user(id: &str) -> String {
    let text = format!("origin-access-identity/cloudfront/{id}");
    hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA384, text.as_bytes()))
}

fn summary(
    (_, record): (bool, Record<CloudFrontOriginAccessIdentityConfig>),
) -> CloudFrontOriginAccessIdentitySummary {
    CloudFrontOriginAccessIdentitySummary {
        s3_canonical_user_id: canonical_user(&record.id),
        id: record.id,
        comment: record.config.comment,
    }
}

fn answer(call: &Call, record: Record<CloudFrontOriginAccessIdentityConfig>) -> Answer {
    let tag = record.etag.clone();
    let shown = CloudFrontOriginAccessIdentity {
        s3_canonical_user_id: canonical_user(&record.id),
        id: record.id,
        cloud_front_origin_access_identity_config: Some(record.config),
    };
    Ok(Reply::shape(call, &shown)?.tagged(&tag))
}
