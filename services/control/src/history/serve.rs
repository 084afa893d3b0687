//! The paths under `/nearfront/` that history answers for, in JSON; signed for the service
//! `cloudfront` as every other call.
//!
//! | call | answers |
//! | --- | --- |
//! | `GET /nearfront/history?Resource=…` | who changed what and when, newest first |
//! | `GET /nearfront/version?Resource=…&Version=N` | one version, whole |
//! | `GET /nearfront/diff?Resource=…&From=N&To=M` | what differs between two of them, by path |
//! | `GET /nearfront/deleted` | what was deleted and can be made anew |
//! | `GET /nearfront/named?Kind=…&Name=…` | what has this name or caller reference |
//! | `POST /nearfront/rollback` | goes back: `{"Resource": "…", "Version": N}` |
//!
//! `Resource` is an ARN, `KIND/ID`, an id, a name or an alternate domain name.

use super::{
    Version,
    resource::{KINDS, Resource},
    rollback,
    versions::{deleted, is_known, newest, older, one},
};
use crate::{
    control::Control,
    ids, names,
    sigv4::Authorised,
    store::{self, key},
    wire::{
        asked::{Asked, Written},
        call::Query,
        fault::{Common, Fault},
    },
    witness::between,
};
use model::api::{ErrorCode, OperationName};
use planning::difference::Difference;
use serde_json::{Value, json};

/// Where going back is asked for.
pub const ROLLBACK: &str = "/nearfront/rollback";
/// Most versions of one page.
const MOST_ITEMS: usize = 100;

/// Does what the request asks.
///
/// # Errors
/// `NoSuchResource` where nothing is kept of a resource; those of going back.
pub async fn serve(control: &Control, asked: Authorised<Asked>) -> Result<Written, Fault> {
    let query = &asked.query;
    let body = match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "/nearfront/history") => history(control, query).await?,
        ("GET", "/nearfront/version") => version(control, query).await?,
        ("GET", "/nearfront/diff") => diff(control, query).await?,
        ("GET", "/nearfront/deleted") => gone(control).await?,
        ("GET", "/nearfront/named") => named(control, query).await?,
        ("POST", ROLLBACK) => return rollback::serve(control, asked).await,
        (method, path) => {
            let message = format!("there is no {method} {path}");
            return Err(Fault::common(Common::UnknownOperation, message));
        }
    };
    Ok(answer(&body))
}

/// The resource that a call is about, and the operation that its change amounts to, where it is one.
/// None where it is about no single resource, and where it is not clear about which: the call itself
/// says what is wrong then.
///
/// # Errors
/// `ServiceUnavailable` when the store does not answer.
pub async fn about(
    control: &Control,
    asked: &Asked,
) -> Result<Option<(Resource, Option<OperationName>)>, Fault> {
    let found = match asked.path.as_str() {
        ROLLBACK => rollback::about(control, &asked.body).await,
        "/nearfront/deleted" => return Ok(None),
        "/nearfront/named" => by_name(control, &asked.query).await.map(|found| (found, None)),
        _ => asked_for(control, &asked.query).await.map(|found| (found, None)),
    };
    match found {
        Err(fault) if fault.status() < 500 => Ok(None),
        found => found.map(Some),
    }
}

/// JSON of success.
pub(super) fn answer(body: &Value) -> Written {
    Written::json(200, "application/json", body)
}

async fn history(control: &Control, query: &Query) -> Result<Value, Fault> {
    let resource = asked_for(control, query).await?;
    let most = number(query, "MaxItems")?.map_or(MOST_ITEMS, |most| {
        usize::try_from(most).unwrap_or(MOST_ITEMS).clamp(1, MOST_ITEMS)
    });
    let mut found = older(control, &resource, number(query, "Marker")?, most + 1).await?;
    let more = found.len() > most;
    found.truncate(most);
    let next = found.last().filter(|_| more).map(|last| last.number.to_string());
    let shown: Vec<_> = found.iter().map(summary).collect();
    let mut body = json!({"Resource": arn(control, &resource), "Versions": shown});
    if let (Some(next), Some(body)) = (next, body.as_object_mut()) {
        body.insert("NextMarker".into(), next.into());
    }
    Ok(body)
}

async fn version(control: &Control, query: &Query) -> Result<Value, Fault> {
    let resource = asked_for(control, query).await?;
    let wanted = number(query, "Version")?;
    let version = kept(control, &resource, wanted).await?;
    let mut body = summary(&version);
    if let Some(body) = body.as_object_mut() {
        body.insert("Resource".into(), arn(control, &resource).into());
        body.insert("State".into(), version.state.unwrap_or_default());
    }
    Ok(body)
}

async fn diff(control: &Control, query: &Query) -> Result<Value, Fault> {
    let resource = asked_for(control, query).await?;
    let (from, to) = (number(query, "From")?, number(query, "To")?);
    let to = kept(control, &resource, to).await?;
    let from = match from {
        None if to.number == 1 => None,
        None => one(control, &resource, to.number - 1).await?,
        Some(from) => Some(kept(control, &resource, Some(from)).await?),
    };
    let (number, before) = from.map_or((0, None), |from| (from.number, from.state));
    let nothing = json!({});
    let differences =
        between(before.as_ref().unwrap_or(&nothing), to.state.as_ref().unwrap_or(&nothing));
    Ok(json!({
        "Resource": arn(control, &resource),
        "From": number,
        "To": to.number,
        "Differences": shown(&differences),
    }))
}

async fn gone(control: &Control) -> Result<Value, Fault> {
    let all = deleted(control).await?;
    let shown = all.into_iter().map(
        |(resource, at)| json!({"Resource": arn(control, &resource), "DeletedAt": ids::iso(at)}),
    );
    Ok(json!({"Resources": shown.collect::<Vec<_>>()}))
}

async fn named(control: &Control, query: &Query) -> Result<Value, Fault> {
    let found = by_name(control, query).await?;
    Ok(json!({"Resource": arn(control, &found), "Id": found.id}))
}

/// What of a kind has this name, or was made with this caller reference.
async fn by_name(control: &Control, query: &Query) -> Result<Resource, Fault> {
    let (kind, name) =
        (query.get("Kind").unwrap_or_default(), query.get("Name").unwrap_or_default());
    let mut found = store::get::<String>(control.store(), &key::name(kind, name)).await?;
    if found.is_none() {
        found = store::get::<String>(control.store(), &key::reference(kind, name)).await?;
    }
    found.and_then(|found| Resource::of(kind, &found.value)).ok_or_else(|| {
        Fault::new(ErrorCode::NoSuchResource, "no resource of this kind has this name")
    })
}

/// Differences as JSON: members that are not there are left out.
pub(super) fn shown(differences: &[Difference]) -> Vec<Value> {
    let shape = |one: &Difference| {
        let mut shape = json!({"Path": one.path});
        if let Some(members) = shape.as_object_mut() {
            members.extend(one.before.clone().map(|value| ("Before".to_owned(), value)));
            members.extend(one.after.clone().map(|value| ("After".to_owned(), value)));
        }
        shape
    };
    differences.iter().map(shape).collect()
}

fn summary(version: &Version) -> Value {
    json!({
        "Version": version.number,
        "At": ids::iso(version.at),
        "By": version.by,
        "Operation": version.operation,
        "RequestId": version.request,
        "What": version.what,
    })
}

/// The resource's ARN.
pub fn arn(control: &Control, resource: &Resource) -> String {
    control.arn(resource.kind, &resource.id)
}

/// The ARN that policies are asked about: what a resource belongs to where it has none of its own.
pub fn owner_arn(control: &Control, resource: &Resource) -> String {
    let (kind, id) = resource.owner();
    control.arn(kind, id)
}

fn number(query: &Query, name: &str) -> Result<Option<u64>, Fault> {
    let Some(text) = query.get(name).filter(|text| !text.is_empty()) else { return Ok(None) };
    let wrong = |_| {
        Fault::new(ErrorCode::InvalidArgument, format!("{name} must be the number of a version"))
    };
    text.parse().map(Some).map_err(wrong)
}

/// This version, or the newest.
pub(super) async fn kept(
    control: &Control,
    resource: &Resource,
    number: Option<u64>,
) -> Result<Version, Fault> {
    let found = match number {
        Some(number) => one(control, resource, number).await?,
        None => newest(control, resource).await?,
    };
    found.ok_or_else(|| {
        let which = number.map_or_else(|| "any version".to_owned(), |n| format!("version {n}"));
        let message = format!("{which} of {resource} is not kept: ask for its history");
        Fault::new(ErrorCode::NoSuchResource, message)
    })
}

async fn asked_for(control: &Control, query: &Query) -> Result<Resource, Fault> {
    find(control, query.get("Resource").unwrap_or_default()).await
}

/// The resource that is meant by an ARN, `KIND/ID`, an id, a name or an alternate domain name.
///
/// # Errors
/// `InvalidArgument` when there is none or it is not clear which one is meant; `NoSuchResource`.
pub(super) async fn find(control: &Control, text: &str) -> Result<Resource, Fault> {
    if text.is_empty() {
        let message = "Resource is missing: an ARN, KIND/ID, an id or a name";
        return Err(Fault::new(ErrorCode::InvalidArgument, message));
    }
    let ours = format!("arn:aws:cloudfront::{}:", control.account);
    let bare = text.strip_prefix(&ours).unwrap_or(text);
    let mut found = match bare.split_once('/') {
        Some((kind, id)) => known(control, Resource::of(kind, id)).await?.into_iter().collect(),
        None => by_word(control, bare).await?,
    };
    match (found.pop(), found.pop()) {
        (Some(one), None) => Ok(one),
        (Some(one), Some(other)) => {
            let message = format!("{text} may be {one} or {other}: ask for KIND/ID");
            Err(Fault::new(ErrorCode::InvalidArgument, message))
        }
        _ => {
            let message = format!("nothing that has versions is called {text}");
            Err(Fault::new(ErrorCode::NoSuchResource, message))
        }
    }
}

async fn known(control: &Control, resource: Option<Resource>) -> Result<Option<Resource>, Fault> {
    match resource {
        Some(resource) if is_known(control, &resource).await? => Ok(Some(resource)),
        _ => Ok(None),
    }
}

/// Whatever has this id, this name or this alternate domain name.
async fn by_word(control: &Control, word: &str) -> Result<Vec<Resource>, Fault> {
    let mut found = Vec::new();
    for kind in KINDS {
        found.extend(known(control, Resource::of(kind, word)).await?);
        let named = store::get::<String>(control.store(), &key::name(kind, word)).await?;
        found.extend(named.and_then(|named| Resource::of(kind, &named.value)));
    }
    if word.contains('.')
        && word.len() <= 253
        && let Some(holder) = names::holder(control, word).await?
    {
        let kind = names::kind_of(control, &holder.value).await?;
        found.extend(Resource::of(kind, &holder.value));
    }
    found.sort();
    found.dedup();
    Ok(found)
}
