//! Distributions: made, read, replaced and deleted as a whole, each with its plan.

use super::{invalidations, staging, tags};
use crate::{
    control::Control,
    ids, names,
    publish::{self, Distribution, no_such_distribution},
    sigv4::Authorised,
    status::Progress,
    store::{self, Change, Kept, Otherwise, key},
    wire::{
        call::Call,
        etag,
        fault::{Code, Fault},
        page::Wanted,
        reply::{Answer, Reply},
    },
};
use model::{
    api::{
        ActiveTrustedKeyGroups, ActiveTrustedSigners, AliasICPRecordal, Aliases,
        Distribution as Shape, DistributionConfig, DistributionConfigWithTags, DistributionList,
        DistributionSummary, ErrorCode, HttpVersion, ICPRecordalStatus, PriceClass, Tag,
    },
    units::Revision,
};
use planning::{Quota, defaults};
use ports::metastore::Check;
use std::collections::BTreeSet;

const REFERENCE: &str = "distribution";

/// `CreateDistribution`.
pub async fn create(control: &Control, call: &Authorised<Call>) -> Answer {
    make(control, call, call.body()?, Vec::new()).await
}

/// `CreateDistributionWithTags`.
pub async fn create_with_tags(control: &Control, call: &Authorised<Call>) -> Answer {
    let body: DistributionConfigWithTags = call.body()?;
    let tags = body.tags.items.map(|tags| tags.0).unwrap_or_default();
    make(control, call, body.distribution_config, tags).await
}

/// `GetDistribution`.
pub async fn get(control: &Control, call: &Authorised<Call>) -> Answer {
    let kept = publish::find(control, call.param("Id")?).await?;
    answer(control, call, &kept.value, kept.revision).await
}

/// `GetDistributionConfig`.
pub async fn get_config(control: &Control, call: &Authorised<Call>) -> Answer {
    let kept = publish::find(control, call.param("Id")?).await?;
    Ok(Reply::shape(call, &kept.value.config)?.tagged(&kept.value.etag))
}

/// `ListDistributions`, ordered by id.
pub async fn list(control: &Control, call: &Authorised<Call>) -> Answer {
    let wanted = Wanted::from(&call.query)?;
    let after = key::distribution(&wanted.marker);
    let after = (!wanted.marker.is_empty()).then_some(after.as_str());
    let found = store::list(control.store(), key::DISTRIBUTIONS, after, wanted.most + 1).await?;
    Reply::shape(call, &listed(control, &wanted, found).await?)
}

/// One page of `found`, of which there may be one more than wanted.
///
/// # Errors
/// `ServiceUnavailable` when the edges' registry does not answer.
pub(super) async fn listed(
    control: &Control,
    wanted: &Wanted,
    found: Vec<Kept<Distribution>>,
) -> Result<DistributionList, Fault> {
    let page = wanted.page(found, |kept: &Kept<Distribution>| kept.value.id.clone());
    let progress = Progress::of(&*control.world.registry).await?;
    Ok(DistributionList {
        quantity: page.quantity(),
        is_truncated: page.next.is_some(),
        marker: page.marker,
        next_marker: page.next,
        max_items: page.max_items,
        items: page
            .items
            .map(|items| items.into_iter().map(|kept| summary(control, kept, progress)).collect()),
    })
}

/// `UpdateDistribution`.
pub async fn update(control: &Control, call: &Authorised<Call>) -> Answer {
    let mut config: DistributionConfig = call.body()?;
    defaults::fill(&mut config);
    let id = call.param("Id")?;
    let changed = store::settle(|| async {
        let old = publish::find(control, id).await?;
        etag::check(call.if_match.as_deref(), &old.value.etag)?;
        planning::distribution::check_update(&old.value.config, &config)?;
        let new = Distribution {
            etag: ids::entity(),
            modified: control.now(),
            config: config.clone(),
            ..old.value.clone()
        };
        let mut change = Change::default();
        change.when(old.unchanged(), Otherwise::Again);
        publish::distribution(control, &mut change, &new, Some(&old.value)).await?;
        name(control, &mut change, &new, Some(&old.value)).await?;
        let revision = change.commit(control.store()).await?;
        Ok((new, revision))
    })
    .await;
    let (new, revision) = changed.map_err(as_of_an_update)?;
    answer(control, call, &new, revision).await
}

/// Two errors of creations that updates have other words for (CloudFront API reference,
/// `UpdateDistribution`, errors).
fn as_of_an_update(fault: Fault) -> Fault {
    let code = match fault.code {
        Code::Model(ErrorCode::InvalidOrigin) => ErrorCode::InvalidArgument,
        Code::Model(ErrorCode::InvalidProtocolSettings) => ErrorCode::InvalidMinimumProtocolVersion,
        _ => return fault,
    };
    Fault { code: Code::Model(code), ..fault }
}

/// `DeleteDistribution`.
pub async fn delete(control: &Control, call: &Authorised<Call>) -> Answer {
    let id = call.param("Id")?;
    store::settle(|| async {
        let old = publish::find(control, id).await?;
        etag::check(call.if_match.as_deref(), &old.value.etag)?;
        gone_from_edges(control, &old).await?;
        let mut change = Change::default();
        change
            .when(old.unchanged(), Otherwise::Again)
            .when_or(Check::NoneUnder(key::users(REFERENCE, id)), in_use(control, id).await?);
        staging::leave(&mut change, &old.value);
        erase(&mut change, &old.value);
        change.commit(control.store()).await
    })
    .await?;
    invalidations::forget(control, id).await;
    Ok(Reply::empty(call))
}

async fn make(
    control: &Control,
    call: &Authorised<Call>,
    config: DistributionConfig,
    tags: Vec<Tag>,
) -> Answer {
    make_from(control, call, config, tags, None).await
}

/// Makes a distribution; if `source` is what it was made from, that must not have changed since.
///
/// # Errors
/// Everything that is wrong with the configuration.
pub(super) async fn make_from(
    control: &Control,
    call: &Authorised<Call>,
    mut config: DistributionConfig,
    tags: Vec<Tag>,
    source: Option<&Kept<Distribution>>,
) -> Answer {
    let tags = tags::merged(control, Vec::new(), tags)?;
    defaults::fill(&mut config);
    let new = Distribution {
        id: ids::entity(),
        domain: format!("{}.{}", ids::label(), control.zone),
        etag: ids::entity(),
        modified: control.now(),
        config,
    };
    let revision = store::settle(|| async {
        let mut change = Change::default();
        refer(&mut change, &new)?;
        room(control, &mut change).await?;
        staging::enter(control, &mut change, &new).await?;
        if let Some(source) = source {
            change.when_or(source.unchanged(), etag::stale());
        }
        publish::distribution(control, &mut change, &new, None).await?;
        name(control, &mut change, &new, None).await?;
        if !tags.is_empty() {
            change.put(key::tags(&new.id), &tags)?;
        }
        change.commit(control.store()).await
    })
    .await?;
    let path = format!("/distribution/{}", new.id);
    Ok(answer(control, call, &new, revision).await?.located(call, &path))
}

/// Whether the account may have one more.
async fn room(control: &Control, change: &mut Change) -> Result<(), Fault> {
    let most = control.quotas.most(Quota::Distributions);
    let made = key::references(REFERENCE);
    if control.take_room(change, (&made, key::census(&made)), most).await? {
        return Ok(());
    }
    let message = format!("the account has {most} distributions already, which is its quota");
    Err(Fault::new(ErrorCode::TooManyDistributions, message))
}

/// A caller reference makes one distribution only, whatever the rest of the body says.
fn refer(change: &mut Change, new: &Distribution) -> Result<(), Fault> {
    let taken = Fault::new(
        ErrorCode::DistributionAlreadyExists,
        "a distribution was made with this caller reference already: send a new one",
    );
    let place = key::reference(REFERENCE, &new.config.caller_reference);
    change
        .when(Check::Absent(key::distribution(&new.id)), Otherwise::Again)
        .when_or(Check::Absent(place.clone()), taken)
        .put(place, &new.id)?;
    Ok(())
}

/// Each alternate name belongs to one distribution or tenant.
async fn name(
    control: &Control,
    change: &mut Change,
    new: &Distribution,
    old: Option<&Distribution>,
) -> Result<(), Fault> {
    let before = old.map(aliases).unwrap_or_default();
    names::take(control, change, &new.id, &aliases(new), &before).await
}

/// Its alternate names, lower case.
pub fn aliases(distribution: &Distribution) -> BTreeSet<String> {
    let list = distribution.config.aliases.as_ref().and_then(|list| list.items.as_ref());
    list.iter().flat_map(|names| names.iter()).map(|name| name.to_ascii_lowercase()).collect()
}

/// Only what is disabled on every edge may go.
async fn gone_from_edges(control: &Control, old: &Kept<Distribution>) -> Result<(), Fault> {
    let progress = Progress::of(&*control.world.registry).await?;
    let why = if old.value.config.enabled {
        "the distribution is enabled: update it with Enabled false, wait until it is Deployed, then \
         delete it"
    } else if !progress.reached(old.revision) {
        "not every edge knows yet that the distribution is disabled: wait until it is Deployed"
    } else {
        return Ok(());
    };
    Err(Fault::new(ErrorCode::DistributionNotDisabled, why))
}

/// Says who uses it: its tenants, for example.
async fn in_use(control: &Control, id: &str) -> Result<Fault, Fault> {
    let users = publish::all_users_of(control, REFERENCE, id, 5).await?.join(", ");
    let message = format!("the distribution is in use: change or delete that first ({users})");
    Ok(Fault::new(ErrorCode::ResourceInUse, message))
}

fn erase(change: &mut Change, old: &Distribution) {
    change
        .delete(key::distribution(&old.id))
        .delete(key::plan(&old.id))
        .delete(key::tags(&old.id))
        .delete(key::assigned(&old.domain))
        .delete(key::newest_user(REFERENCE, &old.id))
        .delete(key::monitoring(&old.id))
        .delete(key::reference(REFERENCE, &old.config.caller_reference));
    names::leave(change, &aliases(old));
    for (kind, id) in publish::uses(&old.config) {
        change.delete(key::used_by(kind, &id, &old.id));
    }
}

/// The distribution as it is, with its entity tag.
///
/// # Errors
/// `ServiceUnavailable` when the edges' registry does not answer.
pub(super) async fn answer(
    control: &Control,
    call: &Call,
    distribution: &Distribution,
    revision: Revision,
) -> Answer {
    let progress = Progress::of(&*control.world.registry).await?;
    let batches = invalidations::in_progress(control, &distribution.id, progress).await?.batches;
    let shown = Shape {
        id: distribution.id.clone(),
        arn: control.distribution_arn(&distribution.id),
        status: progress.of_distribution(revision).to_owned(),
        last_modified_time: ids::iso(distribution.modified),
        in_progress_invalidation_batches: i32::try_from(batches).unwrap_or(i32::MAX),
        domain_name: distribution.domain.clone(),
        active_trusted_signers: Some(ActiveTrustedSigners::default()),
        active_trusted_key_groups: Some(ActiveTrustedKeyGroups::default()),
        distribution_config: distribution.config.clone(),
        alias_icp_recordals: recordals(&distribution.config),
    };
    Ok(Reply::shape(call, &shown)?.tagged(&distribution.etag))
}

/// Every alias counts as approved: the recordal that this tells of exists in one country only.
fn recordals(config: &DistributionConfig) -> Option<model::api::AliasICPRecordals> {
    let names = config.aliases.as_ref()?.items.as_ref()?;
    let approved = |name: &String| AliasICPRecordal {
        cname: Some(name.clone()),
        icp_recordal_status: Some(ICPRecordalStatus::APPROVED),
    };
    Some(names.iter().map(approved).collect())
}

fn summary(control: &Control, kept: Kept<Distribution>, progress: Progress) -> DistributionSummary {
    let Distribution { id, domain, etag, modified, config } = kept.value;
    let alias_icp_recordals = recordals(&config);
    DistributionSummary {
        arn: control.distribution_arn(&id),
        id,
        e_tag: Some(etag),
        status: progress.of_distribution(kept.revision).to_owned(),
        last_modified_time: ids::iso(modified),
        domain_name: domain,
        aliases: config.aliases.unwrap_or(Aliases { quantity: 0, items: None }),
        origins: config.origins,
        origin_groups: config.origin_groups,
        default_cache_behavior: config.default_cache_behavior,
        cache_behaviors: config.cache_behaviors.unwrap_or_default(),
        custom_error_responses: config.custom_error_responses.unwrap_or_default(),
        comment: config.comment,
        price_class: config.price_class.unwrap_or(PriceClass::PriceClassAll),
        enabled: config.enabled,
        viewer_certificate: config.viewer_certificate.unwrap_or_default(),
        restrictions: config.restrictions.unwrap_or_else(unrestricted),
        web_acl_id: config.web_acl_id.unwrap_or_default(),
        http_version: config.http_version.unwrap_or(HttpVersion::Http2),
        is_ipv6_enabled: config.is_ipv6_enabled.unwrap_or(false),
        alias_icp_recordals,
        staging: config.staging.unwrap_or(false),
        connection_mode: config.connection_mode,
        anycast_ip_list_id: config.anycast_ip_list_id,
        viewer_mtls_config: config.viewer_mtls_config,
        connection_function_association: config.connection_function_association,
    }
}

fn unrestricted() -> model::api::Restrictions {
    model::api::Restrictions {
        geo_restriction: model::api::GeoRestriction {
            restriction_type: model::api::GeoRestrictionType::None,
            quantity: 0,
            items: None,
        },
    }
}

/// The distribution must exist when the change is written.
pub fn must_exist(change: &mut Change, id: &str) {
    change.when_or(Check::Present(key::distribution(id)), no_such_distribution());
}
