//! Which distributions use a thing.
//!
//! For: the lists by what distributions refer to. Where marks of use are kept (`publish::uses`), they
//! are read; what everybody may use without a mark (managed policies, connection modes, no web ACL)
//! is found by looking at the distributions, page by page.
//! Not for: whether something is in use (`resource` and `store` know that in one commit).

use super::{
    cache_policies::CachePolicies,
    connection_functions::ConnectionFunctions,
    distributions,
    key_groups::KeyGroups,
    origin_request_policies::OriginRequestPolicies,
    realtime_log_configs::RealtimeLogs,
    resource::{Kind, record_key},
    response_headers_policies::ResponseHeadersPolicies,
    trust_stores::TrustStores,
};
use crate::{
    control::Control,
    ids,
    publish::{self, Distribution},
    sigv4::Authorised,
    store::{self, Kept, key},
    wire::{
        call::Call,
        fault::Fault,
        page::Wanted,
        reply::{Answer, Reply},
    },
};
use model::api::{
    CacheBehavior, ConnectionMode, DefaultCacheBehavior, DistributionConfig, DistributionIdList,
    DistributionIdOwner, DistributionIdOwnerList, ErrorCode,
    ListDistributionsByRealtimeLogConfigRequest, OperationName as Name,
};
use planning::kind;

/// Distributions looked at in one go.
const AT_ONCE: usize = 100;
/// What one may share with other accounts, and so ask who uses it (CloudFront developer guide,
/// "Work with shared resources").
pub(super) const SHARED: [&str; 1] = [kind::VPC_ORIGIN];

/// Does what the call asks, if it is one of these operations.
pub async fn serve(control: &Control, call: &Authorised<Call>) -> Option<Answer> {
    Some(match call.operation.name {
        Name::ListDistributionsByCachePolicyId => by_cache_policy(control, call).await,
        Name::ListDistributionsByOriginRequestPolicyId => {
            by_origin_request_policy(control, call).await
        }
        Name::ListDistributionsByResponseHeadersPolicyId => {
            by_response_headers_policy(control, call).await
        }
        Name::ListDistributionsByKeyGroup => {
            ids_of(control, call, KeyGroups::NAME, "KeyGroupId", ErrorCode::NoSuchResource).await
        }
        Name::ListDistributionsByVpcOriginId => {
            let missing = ErrorCode::EntityNotFound;
            ids_of(control, call, kind::VPC_ORIGIN, "VpcOriginId", missing).await
        }
        Name::ListDistributionsByAnycastIpListId => by_anycast_list(control, call).await,
        Name::ListDistributionsByTrustStore => {
            by_identifier(control, call, TrustStores::NAME, "TrustStoreIdentifier").await
        }
        Name::ListDistributionsByConnectionFunction => {
            let member = "ConnectionFunctionIdentifier";
            by_identifier(control, call, ConnectionFunctions::NAME, member).await
        }
        Name::ListDistributionsByRealtimeLogConfig => by_realtime_log(control, call).await,
        Name::ListDistributionsByWebACLId => by_web_acl(control, call).await,
        Name::ListDistributionsByConnectionMode => by_connection_mode(control, call).await,
        Name::ListDistributionsByOwnedResource => by_owned_resource(control, call).await,
        _ => return None,
    })
}

async fn by_cache_policy(control: &Control, call: &Call) -> Answer {
    let default = |one: &DefaultCacheBehavior| one.cache_policy_id.clone();
    let other = |one: &CacheBehavior| one.cache_policy_id.clone();
    by_policy::<CachePolicies>(control, call, "CachePolicyId", default, other).await
}

async fn by_origin_request_policy(control: &Control, call: &Call) -> Answer {
    let default = |one: &DefaultCacheBehavior| one.origin_request_policy_id.clone();
    let other = |one: &CacheBehavior| one.origin_request_policy_id.clone();
    let member = "OriginRequestPolicyId";
    by_policy::<OriginRequestPolicies>(control, call, member, default, other).await
}

async fn by_response_headers_policy(control: &Control, call: &Call) -> Answer {
    let default = |one: &DefaultCacheBehavior| one.response_headers_policy_id.clone();
    let other = |one: &CacheBehavior| one.response_headers_policy_id.clone();
    let member = "ResponseHeadersPolicyId";
    by_policy::<ResponseHeadersPolicies>(control, call, member, default, other).await
}

/// Nobody marks that managed policies are used.
async fn by_policy<K: Kind>(
    control: &Control,
    call: &Call,
    member: &str,
    default: fn(&DefaultCacheBehavior) -> Option<String>,
    other: fn(&CacheBehavior) -> Option<String>,
) -> Answer {
    let id = call.param(member)?;
    if !K::managed().iter().any(|(managed, _)| *managed == id) {
        return ids_of(control, call, K::NAME, member, K::MISSING).await;
    }
    let wanted = Wanted::from(&call.query)?;
    let uses = |config: &DistributionConfig| {
        let others = config.cache_behaviors.iter().flat_map(|list| list.items.iter());
        let mut others = others.flat_map(|list| list.iter());
        default(&config.default_cache_behavior).as_deref() == Some(id)
            || others.any(|one| other(one).as_deref() == Some(id))
    };
    let found = all_that(control, &wanted, uses).await?;
    let found = found.into_iter().map(|kept| kept.value.id).collect();
    Reply::shape(call, &id_list(&wanted, found))
}

/// The ids of those that have a mark of use, as the operation wants them.
async fn ids_of(
    control: &Control,
    call: &Call,
    kind: &str,
    member: &str,
    missing: ErrorCode,
) -> Answer {
    let wanted = Wanted::from(&call.query)?;
    let id = call.param(member)?;
    must_be_there(control, kind, id, missing).await?;
    let found = publish::users_on_page(control, kind, id, &wanted).await?;
    Reply::shape(call, &id_list(&wanted, found))
}

fn id_list(wanted: &Wanted, found: Vec<String>) -> DistributionIdList {
    let page = wanted.page(found, String::clone);
    DistributionIdList {
        quantity: page.quantity(),
        is_truncated: page.next.is_some(),
        marker: page.marker,
        next_marker: page.next,
        max_items: page.max_items,
        items: page.items.map(|items| items.into_iter().collect()),
    }
}

async fn must_be_there(
    control: &Control,
    kind: &str,
    id: &str,
    missing: ErrorCode,
) -> Result<(), Fault> {
    if is_there(control, kind, id).await? {
        return Ok(());
    }
    Err(Fault::new(missing, format!("there is no {} {id:?}", kind.replace('-', " "))))
}

async fn is_there(control: &Control, kind: &str, id: &str) -> Result<bool, Fault> {
    let place = record_key(kind, id);
    Ok(ids::is_plain(id) && control.store().get(&place).await?.is_some())
}

async fn by_anycast_list(control: &Control, call: &Call) -> Answer {
    let (wanted, id) = (Wanted::from(&call.query)?, call.param("AnycastIpListId")?);
    must_be_there(control, kind::ANYCAST_IP_LIST, id, ErrorCode::EntityNotFound).await?;
    summaries(control, call, &wanted, kind::ANYCAST_IP_LIST, id).await
}

/// By id, name or ARN.
async fn by_identifier(control: &Control, call: &Call, kind: &str, member: &str) -> Answer {
    let (wanted, given) = (Wanted::from(&call.query)?, call.required(member)?);
    let bare = given.strip_prefix(&control.arn(kind, "")).unwrap_or(given);
    let named = store::get::<String>(control.store(), &key::name(kind, given)).await?;
    let named = named.map_or_else(|| bare.to_owned(), |kept| kept.value);
    let id = if is_there(control, kind, bare).await? { bare } else { &named };
    must_be_there(control, kind, id, ErrorCode::EntityNotFound).await?;
    summaries(control, call, &wanted, kind, id).await
}

/// The name counts where both are given.
async fn by_realtime_log(control: &Control, call: &Call) -> Answer {
    const KIND: &str = RealtimeLogs::NAME;
    let body: ListDistributionsByRealtimeLogConfigRequest = call.body()?;
    let wanted = Wanted::of(body.marker.as_deref(), body.max_items.as_deref())?;
    let code = ErrorCode::InvalidArgument;
    let arn = body.realtime_log_config_arn.as_deref();
    let own = control.arn(KIND, "");
    let name = body
        .realtime_log_config_name
        .as_deref()
        .or_else(|| arn.map(|arn| arn.strip_prefix(&own).unwrap_or(arn)))
        .ok_or_else(|| Fault::new(code, "needs RealtimeLogConfigName or RealtimeLogConfigArn"))?;
    must_be_there(control, KIND, name, code).await?;
    summaries(control, call, &wanted, KIND, name).await
}

async fn by_web_acl(control: &Control, call: &Call) -> Answer {
    let (wanted, id) = (Wanted::from(&call.query)?, call.param("WebACLId")?);
    if id != "null" && !is_web_acl(id) {
        let message = "WebACLId must be the ARN of a web ACL, the id of a classic one, or null";
        return Err(Fault::new(ErrorCode::InvalidWebACLId, message));
    }
    let asked = if id == "null" { "" } else { id };
    let uses = |one: &DistributionConfig| one.web_acl_id.as_deref().unwrap_or_default() == asked;
    list(control, call, &wanted, uses).await
}

/// `arn:aws:wafv2:us-east-1:ACCOUNT:global/webacl/NAME/ID`, or a UUID.
fn is_web_acl(id: &str) -> bool {
    let arn = id.starts_with("arn:aws:wafv2:us-east-1:") && id.contains(":global/webacl/");
    id.len() <= 512 && (arn || uuid::Uuid::try_parse(id).is_ok())
}

async fn by_connection_mode(control: &Control, call: &Call) -> Answer {
    let wanted = Wanted::from(&call.query)?;
    let mode = match call.param("ConnectionMode")? {
        "direct" => ConnectionMode::Direct,
        "tenant-only" => ConnectionMode::TenantOnly,
        _ => {
            let message = "ConnectionMode must be direct or tenant-only";
            return Err(Fault::new(ErrorCode::InvalidArgument, message));
        }
    };
    let has =
        |one: &DistributionConfig| one.connection_mode.unwrap_or(ConnectionMode::Direct) == mode;
    list(control, call, &wanted, has).await
}

async fn by_owned_resource(control: &Control, call: &Call) -> Answer {
    let (wanted, arn) = (Wanted::from(&call.query)?, call.param("ResourceArn")?);
    let (kind, id) = shared(control, arn).await?;
    let found = publish::users_on_page(control, kind, id, &wanted).await?;
    let page = wanted.page(found, String::clone);
    let owned = |distribution_id| DistributionIdOwner {
        distribution_id,
        owner_account_id: control.account.clone(),
    };
    let shown = DistributionIdOwnerList {
        quantity: page.quantity(),
        is_truncated: page.next.is_some(),
        marker: page.marker,
        next_marker: page.next,
        max_items: page.max_items,
        items: page.items.map(|items| items.into_iter().map(owned).collect()),
    };
    Reply::shape(call, &shown)
}

/// The kind and id of a resource that can be shared, by its ARN.
///
/// # Errors
/// `InvalidArgument` when it is no ARN of the service, `UnsupportedOperation` for kinds that cannot
/// be shared, `EntityNotFound` when there is none.
pub(super) async fn shared<'a>(
    control: &Control,
    arn: &'a str,
) -> Result<(&'static str, &'a str), Fault> {
    let start = format!("arn:aws:cloudfront::{}:", control.account);
    if !arn.starts_with("arn:aws:cloudfront:") || !arn.contains('/') {
        let message =
            format!("ResourceArn must be an ARN: {}", control.arn(kind::VPC_ORIGIN, "ID"));
        return Err(Fault::new(ErrorCode::InvalidArgument, message));
    }
    // To the letter: policies are asked about this text.
    let (kind, id) = arn
        .strip_prefix(&start)
        .and_then(|rest| rest.split_once('/'))
        .ok_or_else(no_such_resource)?;
    let Some(kind) = SHARED.into_iter().find(|one| *one == kind) else {
        let message = format!("a {kind} cannot be shared; of these can: {}", SHARED.join(", "));
        return Err(Fault::new(ErrorCode::UnsupportedOperation, message));
    };
    if !is_there(control, kind, id).await? {
        return Err(no_such_resource());
    }
    Ok((kind, id))
}

/// There is none.
pub(super) fn no_such_resource() -> Fault {
    Fault::new(ErrorCode::EntityNotFound, "no resource has this ARN")
}

/// Those that have a mark of use.
async fn summaries(
    control: &Control,
    call: &Call,
    wanted: &Wanted,
    kind: &str,
    id: &str,
) -> Answer {
    let mut found: Vec<Kept<Distribution>> = Vec::new();
    for user in publish::users_on_page(control, kind, id, wanted).await? {
        // One that has gone since does not use it any more.
        found.extend(store::get(control.store(), &key::distribution(&user)).await?);
    }
    Reply::shape(call, &distributions::listed(control, wanted, found).await?)
}

async fn list(
    control: &Control,
    call: &Call,
    wanted: &Wanted,
    is_meant: impl Fn(&DistributionConfig) -> bool,
) -> Answer {
    let found = all_that(control, wanted, is_meant).await?;
    Reply::shape(call, &distributions::listed(control, wanted, found).await?)
}

/// Distributions after the marker that are meant, one more than a page holds.
async fn all_that(
    control: &Control,
    wanted: &Wanted,
    is_meant: impl Fn(&DistributionConfig) -> bool,
) -> Result<Vec<Kept<Distribution>>, Fault> {
    let mut after = (!wanted.marker.is_empty()).then(|| key::distribution(&wanted.marker));
    let mut found: Vec<Kept<Distribution>> = Vec::new();
    while found.len() <= wanted.most {
        let next = store::list(control.store(), key::DISTRIBUTIONS, after.as_deref(), AT_ONCE);
        let next: Vec<Kept<Distribution>> = next.await?;
        let Some(last) = next.last().map(|kept| kept.key.clone()) else { break };
        after = Some(last);
        found.extend(next.into_iter().filter(|kept| is_meant(&kept.value.config)));
    }
    found.truncate(wanted.most + 1);
    Ok(found)
}
