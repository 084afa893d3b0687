//! RTMP streaming distributions: kept, named and tagged; there is no RTMP service yet, so none may
//! be enabled (`planning::streaming` refuses that).
//!
//! Source: CloudFront API reference, `StreamingDistribution`.

use super::{
    origin_access_identities::OriginAccessIdentities,
    resource::{self, Kind, Known, Record, Use, Which},
    tags,
};
use crate::{
    control::Control,
    ids,
    sigv4::Authorised,
    store::{Change, key},
    wire::{
        call::Call,
        fault::{Code, Fault},
        page::Wanted,
        reply::{Answer, Reply},
    },
};
use model::api::{
    ActiveTrustedSigners, Aliases, ErrorCode, OperationName as Name, PriceClass,
    StreamingDistribution, StreamingDistributionConfig, StreamingDistributionConfigWithTags,
    StreamingDistributionList, StreamingDistributionSummary, Tags,
};
use planning::{Faults, Quota, streaming};
use ports::metastore::Check;
use std::collections::BTreeSet;

/// No edge has anything to learn of one.
const STATUS: &str = "Deployed";

/// Streaming distributions as a kind.
pub struct StreamingDistributions;

impl Kind for StreamingDistributions {
    type Config = StreamingDistributionConfig;
    const NAME: &'static str = "streaming-distribution";
    const MISSING: ErrorCode = ErrorCode::NoSuchStreamingDistribution;
    const EXISTS: ErrorCode = ErrorCode::StreamingDistributionAlreadyExists;
    const IN_USE: ErrorCode = ErrorCode::StreamingDistributionNotDisabled;
    const TOO_MANY: ErrorCode = ErrorCode::TooManyStreamingDistributions;
    const QUOTA: Quota = Quota::StreamingDistributions;
    const TOO_MANY_USERS: ErrorCode = ErrorCode::TooManyStreamingDistributions;

    fn known_by(config: &Self::Config) -> Known<'_> {
        Known::Reference(&config.caller_reference)
    }

    /// What is right depends on the installation: [`checked`] looks before anything is written.
    fn check(_: &Self::Config) -> Result<(), Faults> {
        Ok(())
    }

    fn new_id() -> String {
        ids::entity()
    }

    fn uses(config: &Self::Config) -> Vec<Use> {
        let identity = |id: &str| Use {
            kind: OriginAccessIdentities::NAME,
            id: id.to_owned(),
            missing: Fault::new(
                ErrorCode::InvalidOriginAccessIdentity,
                format!("S3Origin.OriginAccessIdentity: there is no identity {id:?}"),
            ),
        };
        streaming::identity(config).map(identity).into_iter().collect()
    }

    /// Alternate names belong to one distribution of either kind; what is enabled may not go.
    fn beside(
        change: &mut Change,
        new: Option<&Record<Self::Config>>,
        old: Option<&Record<Self::Config>>,
    ) -> Result<(), Fault> {
        if new.is_none() && old.is_some_and(|old| old.config.enabled) {
            let message =
                "the streaming distribution is enabled: update it with Enabled false first";
            return Err(Fault::new(ErrorCode::StreamingDistributionNotDisabled, message));
        }
        let (now, before) = (names(new), names(old));
        for alias in now.difference(&before) {
            let message = format!("the alias {alias} belongs to another distribution");
            let fault = Fault::new(ErrorCode::CNAMEAlreadyExists, message);
            let place = key::alias(alias);
            change.when_or(Check::Absent(place.clone()), fault);
            change.put(place, &new.map(|new| &new.id))?;
        }
        for alias in before.difference(&now) {
            change.delete(key::alias(alias));
        }
        Ok(())
    }
}

fn names(record: Option<&Record<StreamingDistributionConfig>>) -> BTreeSet<&str> {
    let names = record.map(|record| streaming::aliases(&record.config)).unwrap_or_default();
    names.iter().map(String::as_str).collect()
}

/// Does what the call asks, if it is one of these operations.
pub async fn serve(control: &Control, call: &Authorised<Call>) -> Option<Answer> {
    Some(match call.operation.name {
        Name::CreateStreamingDistribution => create(control, call).await,
        Name::CreateStreamingDistributionWithTags => create_with_tags(control, call).await,
        Name::GetStreamingDistribution => get(control, call).await,
        Name::GetStreamingDistributionConfig => get_config(control, call).await,
        Name::UpdateStreamingDistribution => update(control, call).await,
        Name::DeleteStreamingDistribution => delete(control, call).await,
        Name::ListStreamingDistributions => list(control, call).await,
        _ => return None,
    })
}

async fn create(control: &Control, call: &Authorised<Call>) -> Answer {
    make(control, call, call.body()?, None).await
}

async fn create_with_tags(control: &Control, call: &Authorised<Call>) -> Answer {
    let body: StreamingDistributionConfigWithTags = call.body()?;
    make(control, call, body.streaming_distribution_config, Some(body.tags)).await
}

async fn make(
    control: &Control,
    call: &Authorised<Call>,
    config: StreamingDistributionConfig,
    tags: Option<Tags>,
) -> Answer {
    let config = checked(control, config)?;
    let record = resource::create_with::<StreamingDistributions>(control, config, |change, new| {
        tags::attach(control, change, StreamingDistributions::NAME, &new.id, tags.as_ref())
    })
    .await?;
    let path = format!("/streaming-distribution/{}", record.id);
    Ok(answer(control, call, record)?.located(call, &path))
}

async fn get(control: &Control, call: &Authorised<Call>) -> Answer {
    let record = resource::find::<StreamingDistributions>(control, call.param("Id")?).await?;
    answer(control, call, record)
}

async fn get_config(control: &Control, call: &Authorised<Call>) -> Answer {
    let record = resource::find::<StreamingDistributions>(control, call.param("Id")?).await?;
    Ok(Reply::shape(call, &record.config)?.tagged(&record.etag))
}

async fn update(control: &Control, call: &Authorised<Call>) -> Answer {
    let (id, tag) = (call.param("Id")?, call.if_match.as_deref());
    let config = checked(control, call.body()?).map_err(of_update)?;
    let record = resource::update::<StreamingDistributions>(control, id, tag, config).await?;
    answer(control, call, record)
}

async fn delete(control: &Control, call: &Authorised<Call>) -> Answer {
    let (id, tag) = (call.param("Id")?, call.if_match.as_deref());
    resource::delete::<StreamingDistributions>(control, id, tag).await?;
    Ok(Reply::empty(call))
}

async fn list(control: &Control, call: &Authorised<Call>) -> Answer {
    let wanted = Wanted::from(&call.query)?;
    let page = resource::page::<StreamingDistributions>(control, &wanted, Which::Custom).await?;
    let shown = StreamingDistributionList {
        quantity: page.quantity(),
        is_truncated: page.next.is_some(),
        marker: page.marker,
        next_marker: page.next,
        max_items: page.max_items,
        items: page.items.map(|items| {
            items.into_iter().map(|(_, record)| summary(shape(control, record))).collect()
        }),
    };
    Reply::shape(call, &shown)
}

/// With everything filled in that has a default.
fn checked(
    control: &Control,
    mut config: StreamingDistributionConfig,
) -> Result<StreamingDistributionConfig, Fault> {
    streaming::fill(&mut config);
    let stores: Vec<&str> = control.settings.object_stores.keys().map(String::as_str).collect();
    let place =
        streaming::Place { zone: &control.zone, account: &control.account, stores: &stores };
    streaming::check(&config, place)?;
    Ok(config)
}

/// The model lists no `InvalidOrigin` for updates.
fn of_update(fault: Fault) -> Fault {
    if fault.code == Code::Model(ErrorCode::InvalidOrigin) {
        return Fault::new(ErrorCode::InvalidArgument, fault.message);
    }
    fault
}

fn answer(control: &Control, call: &Call, record: Record<StreamingDistributionConfig>) -> Answer {
    let tag = record.etag.clone();
    Ok(Reply::shape(call, &shape(control, record))?.tagged(&tag))
}

fn shape(control: &Control, record: Record<StreamingDistributionConfig>) -> StreamingDistribution {
    StreamingDistribution {
        arn: control.arn(StreamingDistributions::NAME, &record.id),
        status: STATUS.to_owned(),
        last_modified_time: Some(record.modified_iso()),
        domain_name: format!("{}.{}", ids::streaming_label(&record.id), control.zone),
        // No account has key pairs of its own, so none is active.
        active_trusted_signers: ActiveTrustedSigners {
            enabled: record.config.trusted_signers.enabled,
            ..ActiveTrustedSigners::default()
        },
        id: record.id,
        streaming_distribution_config: record.config,
    }
}

fn summary(one: StreamingDistribution) -> StreamingDistributionSummary {
    let config = one.streaming_distribution_config;
    StreamingDistributionSummary {
        id: one.id,
        arn: one.arn,
        status: one.status,
        last_modified_time: one.last_modified_time.unwrap_or_default(),
        domain_name: one.domain_name,
        s3_origin: config.s3_origin,
        aliases: config.aliases.unwrap_or(Aliases { quantity: 0, items: None }),
        trusted_signers: config.trusted_signers,
        comment: config.comment,
        price_class: config.price_class.unwrap_or(PriceClass::PriceClassAll),
        enabled: config.enabled,
    }
}
