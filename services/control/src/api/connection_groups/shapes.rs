//! Connection groups as they are shown.

use super::{Group, Groups, KIND, anycast_exists, find, identified};
use crate::{
    api::{
        resource::{self, Record, record_key},
        tags,
    },
    control::Control,
    sigv4::Authorised,
    status::Progress,
    store::{self, Kept},
    wire::{
        call::Call,
        page::Wanted,
        reply::{Answer, Reply},
    },
};
use model::api::{
    ConnectionGroup, ConnectionGroupSummary, ListConnectionGroupsRequest,
    ListConnectionGroupsResult, Tags,
};

/// `GetConnectionGroup`.
pub(super) async fn get(control: &Control, call: &Authorised<Call>) -> Answer {
    answer(control, call, &identified(control, call.param("Identifier")?).await?).await
}

/// `GetConnectionGroupByRoutingEndpoint`.
pub(super) async fn by_endpoint(control: &Control, call: &Authorised<Call>) -> Answer {
    let id = super::by_endpoint(control, call.required("RoutingEndpoint")?).await?;
    let id = id.ok_or_else(resource::missing::<Groups>)?;
    answer(control, call, &find(control, &id).await?).await
}

/// `ListConnectionGroups`, ordered by id. None has an address list, so with that filter there is none.
pub(super) async fn list(control: &Control, call: &Authorised<Call>) -> Answer {
    let body: ListConnectionGroupsRequest = call.body_or_default()?;
    let most = body.max_items.map(|most| most.to_string());
    let wanted = Wanted::of(body.marker.as_deref(), most.as_deref())?;
    let anycast = body.association_filter.and_then(|filter| filter.anycast_ip_list_id);
    let found = if let Some(list) = anycast.filter(|list| !list.is_empty()) {
        anycast_exists(control, &list).await?;
        Vec::new()
    } else {
        let after = record_key(KIND, &wanted.marker);
        let after = (!wanted.marker.is_empty()).then_some(after.as_str());
        store::list(control.store(), &record_key(KIND, ""), after, wanted.most + 1).await?
    };
    let page = wanted.page(found, |kept: &Kept<Record<Group>>| kept.value.id.clone());
    let progress = Progress::of(&*control.world.registry).await?;
    let items = page.items.unwrap_or_default().into_iter();
    let shown = ListConnectionGroupsResult {
        next_marker: page.next,
        connection_groups: Some(items.map(|kept| summary(control, kept, progress)).collect()),
    };
    Reply::shape(call, &shown)
}

fn summary(
    control: &Control,
    kept: Kept<Record<Group>>,
    progress: Progress,
) -> ConnectionGroupSummary {
    let record = kept.value;
    ConnectionGroupSummary {
        arn: control.arn(KIND, &record.id),
        created_time: record.created_iso(),
        last_modified_time: record.modified_iso(),
        id: record.id,
        name: record.config.name,
        routing_endpoint: record.config.endpoint,
        e_tag: record.etag,
        anycast_ip_list_id: None,
        enabled: Some(record.config.enabled),
        status: Some(progress.of_distribution(kept.revision).to_owned()),
        is_default: Some(record.config.default),
    }
}

/// A group as a whole.
pub(super) async fn answer(control: &Control, call: &Call, kept: &Kept<Record<Group>>) -> Answer {
    let progress = Progress::of(&*control.world.registry).await?;
    let record = &kept.value;
    let arn = control.arn(KIND, &record.id);
    let tags = tags::of(control, &arn).await?;
    let shown = ConnectionGroup {
        id: Some(record.id.clone()),
        name: Some(record.config.name.clone()),
        arn: Some(arn),
        created_time: Some(record.created_iso()),
        last_modified_time: Some(record.modified_iso()),
        tags: Some(Tags { items: Some(tags.into_iter().collect()) }),
        ipv6_enabled: Some(record.config.ipv6),
        routing_endpoint: Some(record.config.endpoint.clone()),
        anycast_ip_list_id: None,
        status: Some(progress.of_distribution(kept.revision).to_owned()),
        enabled: Some(record.config.enabled),
        is_default: Some(record.config.default),
    };
    Ok(Reply::shape(call, &shown)?.tagged(&record.etag))
}
