//! Going back: an earlier version is sent through the resource's own operation, as if its user had
//! written it again.
//!
//! So it is validated, guarded by the entity tag and answered as every other change, and it makes a
//! version of its own. What was deleted is made anew, with an id of its own. Tags stay as they are.

use super::{
    Version,
    resource::Resource,
    serve::{answer, arn, find, kept, shown},
    versions::newest,
    ways::{self, Way},
};
use crate::{
    api,
    control::Control,
    sigv4::Authorised,
    store::{self, key},
    wire::{
        asked::{Asked, Written},
        call::{Call, Query},
        etag,
        fault::{Common, Fault},
        reply::Reply,
    },
    witness::between,
};
use model::api::{Body, ErrorCode, OPERATIONS, OperationName as Name};
use serde::Deserialize;
use serde_json::{Value, json};

/// What is asked for.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Wanted {
    resource: String,
    version: u64,
}

impl Wanted {
    fn read(body: &[u8]) -> Result<Self, Fault> {
        serde_json::from_slice(body).map_err(|why| {
            let message =
                format!("the body must be {{\"Resource\": \"…\", \"Version\": N}}: {why}");
            Fault::new(ErrorCode::InvalidArgument, message)
        })
    }
}

/// The resource that shall go back, and the operation that this amounts to.
///
/// # Errors
/// `InvalidArgument`, `NoSuchResource`; `ServiceUnavailable`.
pub async fn about(control: &Control, body: &[u8]) -> Result<(Resource, Option<Name>), Fault> {
    let resource = find(control, &Wanted::read(body)?.resource).await?;
    let stands = control.store().get(&resource.record()).await?.is_some();
    let way = Way::of(resource.kind);
    let operation = way.map(|way| if stands { way.update } else { way.create });
    Ok((resource, operation))
}

/// `POST /nearfront/rollback`.
///
/// # Errors
/// Those of the resource's own operation.
pub async fn serve(control: &Control, asked: Authorised<Asked>) -> Result<Written, Fault> {
    let wanted = Wanted::read(&asked.body)?;
    let resource = find(control, &wanted.resource).await?;
    let version = kept(control, &resource, Some(wanted.version)).await?;
    let (way, state) = way(&resource, &version)?;
    let standing = record(control, &resource).await?;
    let call = match &standing {
        Some(record) => updating(&asked, way, &resource, state, record)?,
        None => making(&asked, way, state)?,
    };
    let reply = api::serve(control, asked.instead(call)).await?;
    told(control, &resource, &version, standing, reply).await
}

fn way<'v>(resource: &Resource, version: &'v Version) -> Result<(&'static Way, &'v Value), Fault> {
    let refused = |message: String| Fault::new(ErrorCode::InvalidArgument, message);
    let number = version.number;
    let state = version.state.as_ref().ok_or_else(|| {
        refused(format!("version {number} is the deletion of {resource}: choose an earlier one"))
    })?;
    Way::of(resource.kind).map(|way| (way, state)).ok_or_else(|| {
        let kind = resource.kind;
        let message = format!(
            "there is no way back for a {kind}: read the version and send its parts to the \
             operations that change it"
        );
        Fault::new(ErrorCode::UnsupportedOperation, message)
    })
}

async fn record(control: &Control, resource: &Resource) -> Result<Option<Value>, Fault> {
    let entry = control.store().get(&resource.record()).await?;
    entry.map(|entry| serde_json::from_slice(&entry.value).map_err(Fault::internal)).transpose()
}

fn updating(
    asked: &Asked,
    way: &Way,
    resource: &Resource,
    state: &Value,
    record: &Value,
) -> Result<Call, Fault> {
    let tag = record.get("etag").and_then(Value::as_str).unwrap_or_default();
    if let Some(given) = asked.header("if-match") {
        etag::check(Some(given), tag)?;
    }
    let mut call = call(asked, way.update, way, state)?;
    call.params.push((way.id, resource.id.clone()));
    call.if_match = Some(tag.to_owned());
    Ok(call)
}

fn making(asked: &Asked, way: &Way, state: &Value) -> Result<Call, Fault> {
    if asked.header("if-match").is_some() {
        let message = "what is deleted has no entity tag: leave If-Match out to make it anew";
        return Err(Fault::new(ErrorCode::PreconditionFailed, message));
    }
    call(asked, way.create, way, state)
}

fn call(asked: &Asked, name: Name, way: &Way, state: &Value) -> Result<Call, Fault> {
    let operation = OPERATIONS.iter().find(|operation| operation.name == name);
    let operation = operation.ok_or_else(|| Fault::internal("an operation is not known"))?;
    let Body::Xml(root) = operation.request else {
        return Err(Fault::internal("the operation takes no XML"));
    };
    Ok(Call {
        operation,
        params: Vec::new(),
        query: Query::default(),
        if_match: None,
        host: asked.header("host").unwrap_or_default().to_owned(),
        headers: asked.headers.clone(),
        body: (way.body)(name, root, state)?.into(),
    })
}

/// What was made anew: its answer says where it is, or it has the name of what was deleted.
async fn made(
    control: &Control,
    resource: &Resource,
    version: &Version,
    reply: &Reply,
) -> Result<Option<Resource>, Fault> {
    let place = reply.location.as_deref().and_then(|place| place.rsplit('/').next());
    if let Some(id) = place {
        return Ok(Resource::of(resource.kind, id));
    }
    let name = version.state.as_ref().and_then(ways::name);
    let place = key::name(resource.kind, name.unwrap_or_default());
    let named = store::get::<String>(control.store(), &place).await?;
    Ok(named.and_then(|kept| Resource::of(resource.kind, &kept.value)))
}

/// What came of it.
async fn told(
    control: &Control,
    resource: &Resource,
    version: &Version,
    standing: Option<Value>,
    reply: Reply,
) -> Result<Written, Fault> {
    let made =
        if standing.is_none() { made(control, resource, version, &reply).await? } else { None };
    let now = made.as_ref().unwrap_or(resource);
    let anew = standing.is_none();
    let before = standing.map(|record| super::resource::state(record.to_string().as_bytes(), None));
    let after = record(control, now).await?;
    let after = after.map(|record| super::resource::state(record.to_string().as_bytes(), None));
    let nothing = json!({});
    let differences =
        between(before.as_ref().unwrap_or(&nothing), after.as_ref().unwrap_or(&nothing));
    let number = newest(control, now).await?.map(|version| version.number);
    let mut body = json!({
        "Resource": arn(control, now),
        "RolledBackTo": version.number,
        "Version": number,
        "ETag": reply.etag,
        "Differences": shown(&differences),
    });
    if let Some(body) = body.as_object_mut().filter(|_| anew) {
        body.insert("MadeAnew".into(), true.into());
    }
    if body.get("Differences").is_none() {
        return Err(Fault::common(Common::InternalError, "the answer could not be written"));
    }
    Ok(answer(&body))
}
