//! Key value stores as resources: their names, comments and life.
//!
//! Not for: what they hold (`kvs`). A store that shall be filled from a file is made at once and
//! filled behind the caller's back: see `kvs::chores`.

use super::{
    resource::{self, Kind, Known, Record},
    tags,
};
use crate::{
    control::Control,
    ids,
    kvs::{self, chores},
    objects::{Place, Unread},
    sigv4::Authorised,
    store::{self, Kept},
    wire::{
        call::Call,
        etag,
        fault::Fault,
        page::Wanted,
        reply::{Answer, Reply},
    },
};
use model::{
    api::{
        CreateKeyValueStoreRequest, ErrorCode, ImportSource, KeyValueStore, KeyValueStoreList,
        OperationName as Name, UpdateKeyValueStoreRequest,
    },
    feed::{KeyValues, KeyValuesStatus},
};
use planning::{Faults, Quota, functions};
use serde::{Deserialize, Serialize};

/// Longest comment in characters (CloudFront API reference, `CreateKeyValueStore`).
const MOST_COMMENT: usize = 128;
/// How many stores are looked at at once for a page.
const AT_ONCE: usize = 100;

/// What the user writes of a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Described {
    /// Cannot be changed.
    pub name: String,
    /// Up to 128 characters.
    pub comment: String,
}

/// Key value stores as a kind.
pub struct KeyValueStores;

impl Kind for KeyValueStores {
    type Config = Described;
    const NAME: &'static str = "key-value-store";
    const MISSING: ErrorCode = ErrorCode::EntityNotFound;
    const EXISTS: ErrorCode = ErrorCode::EntityAlreadyExists;
    const IN_USE: ErrorCode = ErrorCode::CannotDeleteEntityWhileInUse;
    const TOO_MANY: ErrorCode = ErrorCode::EntityLimitExceeded;
    const QUOTA: Quota = Quota::KeyValueStores;
    const TOO_MANY_USERS: ErrorCode = ErrorCode::EntityLimitExceeded;

    fn known_by(config: &Self::Config) -> Known<'_> {
        Known::Name(&config.name)
    }

    fn check(config: &Self::Config) -> Result<(), Faults> {
        let mut faults = Faults::default();
        functions::check_name(&mut faults, &config.name);
        if config.comment.chars().count() > MOST_COMMENT {
            let rule = format!("a comment has at most {MOST_COMMENT} characters");
            faults.add("Comment", ErrorCode::InvalidArgument, rule);
        }
        faults.into_result()
    }
}

/// Does what the call asks, if it is one of these operations.
pub async fn serve(control: &Control, call: &Authorised<Call>) -> Option<Answer> {
    Some(match call.operation.name {
        Name::CreateKeyValueStore => create(control, call).await,
        Name::DescribeKeyValueStore => describe(control, call).await,
        Name::UpdateKeyValueStore => update(control, call).await,
        Name::DeleteKeyValueStore => delete(control, call).await,
        Name::ListKeyValueStores => list(control, call).await,
        _ => return None,
    })
}

/// The id at the end of a store's ARN; the empty text when there is none.
pub fn id_in(arn: &str) -> &str {
    arn.split_once(":key-value-store/").map_or("", |(_, id)| id)
}

/// The id in the ARN of a store of this account.
///
/// # Errors
/// `InvalidArgument` when it is none.
pub fn own_id<'a>(control: &Control, arn: &'a str) -> Result<&'a str, Fault> {
    let own = control.arn(KeyValueStores::NAME, "");
    let id = arn.strip_prefix(&own).filter(|id| ids::is_plain(id));
    id.ok_or_else(|| no_such_store(arn))
}

/// A function shall read a store that is not there.
pub fn no_such_store(arn: &str) -> Fault {
    let message = format!(
        "KeyValueStoreAssociations: no key value store of this account has the ARN {arn:?}: see \
         list-key-value-stores"
    );
    Fault::new(ErrorCode::InvalidArgument, message)
}

async fn create(control: &Control, call: &Call) -> Answer {
    let asked: CreateKeyValueStoreRequest = call.body()?;
    let source = asked.import_source.as_ref().map(|one| place(control, one)).transpose()?;
    let described = Described { name: asked.name, comment: asked.comment.unwrap_or_default() };
    let now = control.now();
    let made = resource::create_with::<KeyValueStores>(control, described, |change, record| {
        tags::attach(control, change, KeyValueStores::NAME, &record.id, asked.tags.as_ref())?;
        kvs::begin(change, &record.id, source.as_ref(), now)
    });
    let record = made.await?;
    control.chores.notify_one();
    let path = format!("/key-value-store/{}", control.arn(KeyValueStores::NAME, &record.id));
    Ok(answer(control, call, record).await?.located(call, &path))
}

/// Where a store is to be filled from: `arn:aws:s3:::BUCKET/KEY`.
fn place(control: &Control, source: &ImportSource) -> Result<Place, Fault> {
    let wrong = |message: String| {
        Fault::new(ErrorCode::InvalidArgument, format!("ImportSource.SourceARN: {message}"))
    };
    let (bucket, key) = source
        .source_arn
        .strip_prefix("arn:aws:s3:::")
        .and_then(|rest| rest.split_once('/'))
        .filter(|(bucket, key)| !bucket.is_empty() && (1..=1024).contains(&key.len()))
        .ok_or_else(|| wrong("must be arn:aws:s3:::BUCKET/KEY".into()))?;
    let (bucket, key) = (bucket.to_owned(), key.to_owned());
    let place = Place { bucket, key, region: None, version: None };
    control.objects.check(&place).map_err(|why: Unread| wrong(why.to_string()))?;
    Ok(place)
}

async fn find(control: &Control, call: &Call) -> Result<Record<Described>, Fault> {
    let found = resource::named::<KeyValueStores>(control, call.param("Name")?).await?;
    found.map(|kept| kept.value).ok_or_else(resource::missing::<KeyValueStores>)
}

async fn describe(control: &Control, call: &Call) -> Answer {
    let record = find(control, call).await?;
    answer(control, call, record).await
}

async fn update(control: &Control, call: &Call) -> Answer {
    let asked: UpdateKeyValueStoreRequest = call.body()?;
    let (record, tag) = (find(control, call).await?, call.if_match.as_deref());
    let changed = resource::change::<KeyValueStores>(control, &record.id, |mut record| {
        etag::check(tag, &record.etag)?;
        record.etag = ids::entity();
        record.modified = control.now();
        record.config.comment.clone_from(&asked.comment);
        Ok(record)
    });
    answer(control, call, changed.await?).await
}

async fn delete(control: &Control, call: &Call) -> Answer {
    let (record, tag) = (find(control, call).await?, call.if_match.as_deref());
    let gone = |change: &mut store::Change, record: &Record<Described>| {
        chores::give_up(change, &record.id);
        Ok(())
    };
    resource::delete_with::<KeyValueStores>(control, &record.id, tag, gone).await?;
    control.chores.notify_one();
    Ok(Reply::empty(call))
}

async fn list(control: &Control, call: &Call) -> Answer {
    let wanted = Wanted::from(&call.query)?;
    let status = status_asked(call.query.get("Status"))?;
    let prefix = resource::record_key(KeyValueStores::NAME, "");
    let mut after = Some(format!("{prefix}{}", wanted.marker)).filter(|place| *place != prefix);
    let mut found = Vec::new();
    while found.len() <= wanted.most {
        let some: Vec<Kept<Record<Described>>> =
            store::list(control.store(), &prefix, after.as_deref(), AT_ONCE).await?;
        after = some.last().map(|kept| kept.key.clone());
        let last = some.len() < AT_ONCE;
        for kept in some {
            let shown = shape(control, kept.value).await?;
            if status.is_none_or(|status| shown.status.as_deref() == Some(status)) {
                found.push(shown);
            }
        }
        if last {
            break;
        }
    }
    let page = wanted.page(found, |shown| shown.id.clone());
    let (quantity, max_items, next_marker) = (page.quantity(), page.max_items, page.next);
    let items = page.items.map(Into::into);
    Reply::shape(call, &KeyValueStoreList { next_marker, max_items, quantity, items })
}

fn status_asked(text: Option<&str>) -> Result<Option<&'static str>, Fault> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let all = [
        KeyValuesStatus::Provisioning,
        KeyValuesStatus::Ready,
        KeyValuesStatus::ImportFailed(String::new()),
    ];
    let found = all.iter().map(status).find(|one| *one == text);
    found.map(Some).ok_or_else(|| {
        let message = "Status must be PROVISIONING, READY or IMPORT_FAILED";
        Fault::new(ErrorCode::InvalidArgument, message)
    })
}

/// `Status`, as the API has it.
pub fn status(status: &KeyValuesStatus) -> &'static str {
    match status {
        KeyValuesStatus::Provisioning => "PROVISIONING",
        KeyValuesStatus::Ready => "READY",
        KeyValuesStatus::ImportFailed(_) => "IMPORT_FAILED",
    }
}

async fn shape(control: &Control, record: Record<Described>) -> Result<KeyValueStore, Fault> {
    let kept: Option<Kept<KeyValues>> = kvs::about(control, &record.id).await?;
    Ok(KeyValueStore {
        arn: control.arn(KeyValueStores::NAME, &record.id),
        status: kept.map(|kept| status(&kept.value.status).to_owned()),
        last_modified_time: record.modified_iso(),
        name: record.config.name,
        comment: record.config.comment,
        id: record.id,
    })
}

async fn answer(control: &Control, call: &Call, record: Record<Described>) -> Answer {
    let tag = record.etag.clone();
    Ok(Reply::shape(call, &shape(control, record).await?)?.tagged(&tag))
}
