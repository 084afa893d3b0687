//! Code in two stages: what functions and connection functions have in common.
//!
//! A function is written and tested in the stage DEVELOPMENT; publishing copies it to LIVE, which is
//! what distributions run. Each stage has an entity tag of its own: that of DEVELOPMENT is the
//! record's, changes only with an update, and guards every change.
//!
//! Source: CloudFront developer guide, "Manage functions in CloudFront Functions".

pub mod pages;

use super::{
    key_value_stores::{self, KeyValueStores},
    resource::{self, Kind, Record, Use},
    tags,
};
use crate::{
    control::Control,
    ids, publish,
    store::key,
    wire::{
        etag,
        fault::{Common, Fault},
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use model::{
    api::{ErrorCode, FunctionConfig, FunctionStage, Tags},
    units::Timestamp,
};
use planning::{
    Faults, Quota,
    functions::{self, Runs},
};
use serde::{Deserialize, Serialize};

/// A function in both of its stages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Staged {
    /// What the user calls it; cannot be changed.
    pub name: String,
    /// The stage that is worked on. Its entity tag is the record's.
    pub development: Stage,
    /// The stage that distributions run; none before it was first published.
    pub live: Option<Published>,
}

/// What stands in one stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// As the user wrote it, with all defaults.
    pub config: FunctionConfig,
    /// As the user wrote it.
    pub code: String,
    /// When it was put here.
    pub modified: Timestamp,
}

/// What was published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Published {
    /// Changes whenever it is published.
    pub etag: String,
    /// The copy.
    pub stage: Stage,
}

/// Functions of either sort.
pub trait Coded: Kind<Config = Staged> {
    /// The code is longer than it may be.
    const TOO_LARGE: ErrorCode;
    /// What runs it.
    const RUNS: Runs;
    /// Members of requests that hold the configuration and the code.
    const MEMBERS: [&'static str; 2];
}

/// What a request brings.
pub struct Written {
    /// As the user wrote it.
    pub config: FunctionConfig,
    /// Base64.
    pub code: String,
}

/// One stage as it is shown.
pub struct Shown<'r> {
    /// Which one.
    pub which: FunctionStage,
    /// Its entity tag.
    pub etag: &'r str,
    /// What stands there.
    pub stage: &'r Stage,
    /// When it was put there; never before the function was made.
    pub modified: Timestamp,
}

/// Whether it may be kept.
///
/// # Errors
/// Everything that is wrong with it.
pub fn check<K: Coded>(staged: &Staged) -> Result<(), Faults> {
    let mut faults = Faults::default();
    let [config, code] = K::MEMBERS;
    functions::check_name(&mut faults, &staged.name);
    functions::check_config(&mut faults, config, &staged.development.config, K::RUNS);
    functions::check_code(&mut faults, code, &staged.development.code, K::TOO_LARGE);
    faults.into_result()
}

/// The key value stores that either stage reads.
pub fn uses(staged: &Staged) -> Vec<Use> {
    let both = [Some(&staged.development), staged.live.as_ref().map(|live| &live.stage)];
    let stores = both.into_iter().flatten().filter_map(|stage| functions::store_of(&stage.config));
    stores
        .map(|arn| Use {
            kind: KeyValueStores::NAME,
            id: key_value_stores::id_in(arn).to_owned(),
            missing: key_value_stores::no_such_store(arn),
        })
        .collect()
}

/// Makes one, in DEVELOPMENT only.
///
/// # Errors
/// Those of [`resource::create`]; whatever is wrong with code, key value store or tags.
pub async fn create<K: Coded>(
    control: &Control,
    name: String,
    written: Written,
    tags: Option<&Tags>,
) -> Result<Record<Staged>, Fault> {
    let development = stage::<K>(control, written)?;
    readable(control, &development.config, None).await?;
    let staged = Staged { name, development, live: None };
    let made = resource::create_with::<K>(control, staged, |change, record| {
        tags::attach(control, change, K::NAME, &record.id, tags)
    });
    made.await
}

/// Replaces what stands in DEVELOPMENT.
///
/// # Errors
/// Those of [`resource::change`], of entity tags, and of [`create`].
pub async fn update<K: Coded>(
    control: &Control,
    id: &str,
    if_match: Option<&str>,
    written: Written,
) -> Result<Record<Staged>, Fault> {
    let development = stage::<K>(control, written)?;
    let old = resource::find::<K>(control, id).await?;
    readable(control, &development.config, Some(&old.config)).await?;
    resource::change::<K>(control, id, |mut record| {
        etag::check(if_match, &record.etag)?;
        record.etag = ids::function_tag();
        record.modified = development.modified;
        record.config.development = development.clone();
        Ok(record)
    })
    .await
}

/// Copies DEVELOPMENT to LIVE.
///
/// # Errors
/// Those of [`resource::change`] and of entity tags.
pub async fn publish<K: Coded>(
    control: &Control,
    id: &str,
    if_match: Option<&str>,
) -> Result<Record<Staged>, Fault> {
    resource::change::<K>(control, id, |mut record| {
        etag::check(if_match, &record.etag)?;
        let stage = Stage { modified: control.now(), ..record.config.development.clone() };
        record.modified = stage.modified;
        record.config.live = Some(Published { etag: ids::function_tag(), stage });
        Ok(record)
    })
    .await
}

/// Checks everything about a test but what running it would tell.
///
/// # Errors
/// Always: those of entity tags and stages, of the event, and that nothing here can run code yet.
pub async fn test<K: Coded>(
    control: &Control,
    id: &str,
    if_match: Option<&str>,
    which: Option<FunctionStage>,
    event: (&str, &str),
) -> Result<(), Fault> {
    let record = resource::find::<K>(control, id).await?;
    let shown = shown::<K>(&record, which)?;
    etag::check(if_match, shown.etag).map_err(|fault| {
        // The model has no other error for it with this operation.
        Fault::new(ErrorCode::InvalidIfMatchVersion, fault.message)
    })?;
    check_event(event.0, event.1)?;
    Err(Fault::new(
        ErrorCode::UnsupportedOperation,
        "functions cannot be run on this server yet, so they cannot be tested: the id, the stage, \
         the ETag and the event were checked and are good",
    ))
}

fn check_event(member: &str, event: &str) -> Result<(), Fault> {
    let bytes = blob(member, event)?;
    if bytes.len() > functions::MOST_EVENT {
        let most = functions::MOST_EVENT;
        return Err(invalid(format!("{member}: an event has at most {most} bytes")));
    }
    match serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&bytes) {
        Ok(_) => Ok(()),
        Err(error) => Err(invalid(format!("{member}: an event is a JSON object: {error}"))),
    }
}

/// What stands in a stage; DEVELOPMENT where nothing else is said.
///
/// # Errors
/// [`Kind::MISSING`] when it was never published.
pub fn shown<K: Coded>(
    record: &Record<Staged>,
    which: Option<FunctionStage>,
) -> Result<Shown<'_>, Fault> {
    let which = which.unwrap_or(FunctionStage::DEVELOPMENT);
    stages(record).into_iter().find(|one| one.which == which).ok_or_else(|| {
        let message = "nothing stands in the stage LIVE: the function has not been published";
        Fault::new(K::MISSING, message)
    })
}

/// Its stages, DEVELOPMENT first.
pub fn stages(record: &Record<Staged>) -> Vec<Shown<'_>> {
    let Staged { development, live, .. } = &record.config;
    let row = |which, etag, stage| shown_of(record, which, etag, stage);
    let live = live.as_ref().map(|live| row(FunctionStage::LIVE, &live.etag, &live.stage));
    std::iter::once(row(FunctionStage::DEVELOPMENT, &record.etag, development))
        .chain(live)
        .collect()
}

fn shown_of<'r>(
    record: &'r Record<Staged>,
    which: FunctionStage,
    etag: &'r str,
    stage: &'r Stage,
) -> Shown<'r> {
    let modified = record.created.map_or(stage.modified, |made| made.max(stage.modified));
    Shown { which, etag, stage, modified }
}

/// `Status`: whether it was published as it stands, and whether distributions run it.
///
/// # Errors
/// `ServiceUnavailable` when the store does not answer.
pub async fn status<K: Coded>(
    control: &Control,
    record: &Record<Staged>,
    shown: &Shown<'_>,
) -> Result<&'static str, Fault> {
    let same = |live: &Published| {
        (&live.stage.config, &live.stage.code) == (&shown.stage.config, &shown.stage.code)
    };
    if !record.config.live.as_ref().is_some_and(same) {
        return Ok("UNPUBLISHED");
    }
    let users = publish::all_users_of(control, K::NAME, &record.id, 1).await?;
    Ok(if users.is_empty() { "UNASSOCIATED" } else { "ASSOCIATED" })
}

/// The stage that a query asks for.
///
/// # Errors
/// `InvalidArgument` for other words than the two.
pub fn which(text: Option<&str>) -> Result<Option<FunctionStage>, Fault> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let found = FunctionStage::ALL.into_iter().find(|one| one.as_str() == text);
    found.map(Some).ok_or_else(|| invalid("Stage must be DEVELOPMENT or LIVE"))
}

/// The code as `GetFunction` gives it: as it was written.
pub fn code(stage: &Stage) -> Bytes {
    Bytes::from(stage.code.clone())
}

fn stage<K: Coded>(control: &Control, written: Written) -> Result<Stage, Fault> {
    let member = K::MEMBERS[1];
    let code = String::from_utf8(blob(member, &written.code)?)
        .map_err(|_| invalid(format!("{member}: code must be UTF-8")))?;
    let config = functions::with_defaults(written.config);
    Ok(Stage { config, code, modified: control.now() })
}

/// Bytes that stand as base64 in XML.
fn blob(member: &str, text: &str) -> Result<Vec<u8>, Fault> {
    let text: String = text.split_ascii_whitespace().collect();
    STANDARD.decode(text).map_err(|error| {
        Fault::common(Common::MalformedXml, format!("{member} must be base64: {error}"))
    })
}

/// Whether one more function may read the key value store that a new configuration names. Whether it
/// is there at all is seen when the change is written.
async fn readable(
    control: &Control,
    config: &FunctionConfig,
    old: Option<&Staged>,
) -> Result<(), Fault> {
    let Some(arn) = functions::store_of(config) else { return Ok(()) };
    let id = key_value_stores::own_id(control, arn)?;
    let reads_it = |old: &Staged| uses(old).iter().any(|one| one.id == id);
    if old.is_some_and(reads_it) {
        return Ok(());
    }
    let most = control.quotas.most(Quota::FunctionsPerKeyValueStore);
    if control.has_room(&key::users(KeyValueStores::NAME, id), most).await? {
        return Ok(());
    }
    Err(invalid(format!("{most} functions use the key value store {arn} already")))
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::new(ErrorCode::InvalidArgument, message)
}
