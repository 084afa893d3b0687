//! Connection groups: how viewers reach distribution tenants. Each has a routing endpoint, a name that
//! the DNS answers with the edges for as long as the group is enabled.
//!
//! Source: CloudFront API reference, `ConnectionGroup`; developer guide, "Create custom connection
//! group".

mod shapes;

use super::{
    resource::{self, Kind, Known, Record, custom, record_key},
    tags, uses,
};
use crate::{
    control::Control,
    ids,
    publish::tenants,
    sigv4::Authorised,
    store::{self, Change, Kept, Otherwise, key},
    wire::{
        call::Call,
        etag,
        fault::Fault,
        reply::{Answer, Reply},
    },
};
use model::{
    api::{
        CreateConnectionGroupRequest, ErrorCode, OperationName as Name,
        UpdateConnectionGroupRequest,
    },
    feed::{ENDPOINTS, Endpoint},
};
use planning::{Faults, Quota};
use ports::metastore::Check;
use serde::{Deserialize, Serialize};

/// As it stands in keys and ARNs.
pub const KIND: &str = "connection-group";
/// Says which group belongs to tenants that name none.
const DEFAULT: &str = "default/connection-group";
/// Kind of names under which groups are found by their endpoints.
const ENDPOINT: &str = "routing-endpoint";

/// Connection groups.
pub struct Groups;

/// What a connection group is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The user's name for it; cannot be changed.
    pub name: String,
    /// The routing endpoint: `d111111abcdef8.nearfront.localhost`.
    pub endpoint: String,
    /// Whether its tenants are reached by IPv6.
    pub ipv6: bool,
    /// Whether its tenants are reached at all.
    pub enabled: bool,
    /// Whether it was made for tenants that name none.
    pub default: bool,
}

impl Kind for Groups {
    type Config = Group;
    const NAME: &'static str = KIND;
    const MISSING: ErrorCode = ErrorCode::EntityNotFound;
    const EXISTS: ErrorCode = ErrorCode::EntityAlreadyExists;
    const IN_USE: ErrorCode = ErrorCode::CannotDeleteEntityWhileInUse;
    const TOO_MANY: ErrorCode = ErrorCode::EntityLimitExceeded;
    const QUOTA: Quota = Quota::ConnectionGroups;
    const TOO_MANY_USERS: ErrorCode = ErrorCode::EntityLimitExceeded;

    fn known_by(group: &Group) -> Known<'_> {
        Known::Name(&group.name)
    }

    fn check(group: &Group) -> Result<(), Faults> {
        let mut faults = Faults::default();
        let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        if !(1..=128).contains(&group.name.len()) || !group.name.bytes().all(fine) {
            let message = "a name has 1 to 128 of letters, digits, -, . and _";
            faults.add("Name", ErrorCode::InvalidArgument, message);
        }
        faults.into_result()
    }

    fn new_id() -> String {
        ids::prefixed("cg")
    }
}

/// Does what the call asks, if it is one of these operations.
pub async fn serve(control: &Control, call: &Authorised<Call>) -> Option<Answer> {
    Some(match call.operation.name {
        Name::CreateConnectionGroup => create(control, call).await,
        Name::GetConnectionGroup => shapes::get(control, call).await,
        Name::GetConnectionGroupByRoutingEndpoint => shapes::by_endpoint(control, call).await,
        Name::ListConnectionGroups => shapes::list(control, call).await,
        Name::UpdateConnectionGroup => update(control, call).await,
        Name::DeleteConnectionGroup => delete(control, call).await,
        _ => return None,
    })
}

/// Id of the group for tenants that name none, made when there is none yet.
///
/// # Errors
/// `EntityLimitExceeded` when the account has too many groups.
pub async fn default_group(control: &Control) -> Result<String, Fault> {
    let known = async || store::get::<String>(control.store(), DEFAULT).await;
    if let Some(kept) = known().await? {
        return Ok(kept.value);
    }
    let name = format!("default-{}", ids::label());
    let made =
        resource::create_with::<Groups>(control, group(control, name, true), |change, new| {
            let taken =
                Fault::new(ErrorCode::EntityAlreadyExists, "there is a default group already");
            let free = Check::Absent(DEFAULT.to_owned());
            change.when_or(free, taken).put(DEFAULT.to_owned(), &new.id)?;
            add(change, new)
        });
    match made.await {
        Ok(record) => Ok(record.id),
        // Somebody else may have made one at the same time.
        Err(fault) => known().await?.map(|kept| kept.value).ok_or(fault),
    }
}

fn group(control: &Control, name: String, default: bool) -> Group {
    let endpoint = format!("{}.{}", ids::label(), control.zone);
    Group { name, endpoint, ipv6: true, enabled: true, default }
}

/// What stands beside the record of a new group.
fn add(change: &mut Change, new: &Record<Group>) -> Result<(), Fault> {
    let place = key::name(ENDPOINT, &new.config.endpoint);
    change.when(Check::Absent(place.clone()), Otherwise::Again).put(place, &new.id)?;
    announce(change, &new.id, &new.config)
}

/// What the DNS learns: the endpoint of a group that is enabled.
fn announce(change: &mut Change, id: &str, group: &Group) -> Result<(), Fault> {
    let place = format!("{ENDPOINTS}{id}");
    if group.enabled {
        let endpoint = Endpoint { domain: group.endpoint.clone(), ipv6: group.ipv6 };
        change.put(place, &endpoint)?;
    } else {
        change.delete(place);
    }
    Ok(())
}

async fn create(control: &Control, call: &Authorised<Call>) -> Answer {
    let body: CreateConnectionGroupRequest = call.body()?;
    no_anycast(control, body.anycast_ip_list_id.as_deref()).await?;
    let mut new = group(control, body.name, false);
    new.ipv6 = body.ipv6_enabled.unwrap_or(true);
    new.enabled = body.enabled.unwrap_or(true);
    let record = resource::create_with::<Groups>(control, new, |change, new| {
        tags::attach(control, change, KIND, &new.id, body.tags.as_ref())?;
        add(change, new)
    })
    .await?;
    shapes::answer(control, call, &find(control, &record.id).await?).await
}

/// Addresses of their own are not given out: a list is known or not, and attached in neither case.
async fn no_anycast(control: &Control, list: Option<&str>) -> Result<(), Fault> {
    let Some(list) = list.filter(|list| !list.is_empty()) else { return Ok(()) };
    anycast_exists(control, list).await?;
    let message = "AnycastIpListId: endpoints are answered with the addresses of the edges; static \
                   addresses are not served yet, so this is refused rather than ignored";
    Err(Fault::new(ErrorCode::UnsupportedOperation, message))
}

async fn anycast_exists(control: &Control, list: &str) -> Result<(), Fault> {
    let known = ids::is_plain(list)
        && control.store().get(&record_key(planning::kind::ANYCAST_IP_LIST, list)).await?.is_some();
    let missing = || {
        let message = format!("AnycastIpListId: there is no list {list}");
        Fault::new(ErrorCode::EntityNotFound, message)
    };
    known.then_some(()).ok_or_else(missing)
}

/// The group of this id.
async fn find(control: &Control, id: &str) -> Result<Kept<Record<Group>>, Fault> {
    custom::<Groups>(control, id).await?.ok_or_else(resource::missing::<Groups>)
}

/// The id of the group with this routing endpoint.
///
/// # Errors
/// `ServiceUnavailable` when the store does not answer.
pub async fn by_endpoint(control: &Control, endpoint: &str) -> Result<Option<String>, Fault> {
    let name = endpoint.trim_end_matches('.').to_ascii_lowercase();
    Ok(store::get::<String>(control.store(), &key::name(ENDPOINT, &name))
        .await?
        .map(|kept| kept.value))
}

/// The group of this id, name or ARN.
async fn identified(control: &Control, text: &str) -> Result<Kept<Record<Group>>, Fault> {
    let text = text.strip_prefix(&control.arn(KIND, "")).unwrap_or(text);
    match custom::<Groups>(control, text).await? {
        Some(kept) => Ok(kept),
        None => {
            resource::named::<Groups>(control, text).await?.ok_or_else(resource::missing::<Groups>)
        }
    }
}

async fn update(control: &Control, call: &Authorised<Call>) -> Answer {
    let body: UpdateConnectionGroupRequest = call.body_or_default()?;
    let id = call.param("Id")?;
    store::settle(|| async {
        let old = find(control, id).await?;
        etag::check(call.if_match.as_deref(), &old.value.etag)?;
        no_anycast(control, body.anycast_ip_list_id.as_deref()).await?;
        let before = old.value.config.clone();
        let config = Group {
            ipv6: body.ipv6_enabled.unwrap_or(before.ipv6),
            enabled: body.enabled.unwrap_or(before.enabled),
            ..before
        };
        let new =
            Record { etag: ids::entity(), modified: control.now(), config, ..old.value.clone() };
        let mut change = Change::default();
        change.when(old.unchanged(), Otherwise::Again).put(old.key.clone(), &new)?;
        announce(&mut change, id, &new.config)?;
        tenants::users_of_group(control, &mut change, id, &new.config).await?;
        change.commit(control.store()).await
    })
    .await?;
    shapes::answer(control, call, &find(control, id).await?).await
}

async fn delete(control: &Control, call: &Authorised<Call>) -> Answer {
    let id = call.param("Id")?;
    store::settle(|| async {
        let old = find(control, id).await?;
        etag::check(call.if_match.as_deref(), &old.value.etag)?;
        if old.value.config.enabled {
            let message = "the connection group is enabled: update it with Enabled false first";
            return Err(Fault::new(ErrorCode::ResourceNotDisabled, message).into());
        }
        let mut change = Change::default();
        let used = uses::in_use::<Groups>(control, id).await?;
        change
            .when(old.unchanged(), Otherwise::Again)
            .when_or(Check::NoneUnder(key::users(KIND, id)), used);
        erase(&mut change, &old);
        change.commit(control.store()).await
    })
    .await?;
    Ok(Reply::empty(call))
}

fn erase(change: &mut Change, old: &Kept<Record<Group>>) {
    let Record { id, config, .. } = &old.value;
    change
        .delete(old.key.clone())
        .delete(key::name(KIND, &config.name))
        .delete(key::name(ENDPOINT, &config.endpoint))
        .delete(key::resource_tags(KIND, id))
        .delete(key::newest_user(KIND, id))
        .delete(format!("{ENDPOINTS}{id}"));
    if config.default {
        change.delete(DEFAULT.to_owned());
    }
}

/// What the group of this id is.
///
/// # Errors
/// `EntityNotFound`.
pub async fn of_id(control: &Control, id: &str) -> Result<Group, Fault> {
    Ok(find(control, id).await?.value.config)
}
