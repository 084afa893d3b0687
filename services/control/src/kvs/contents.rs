//! The six operations on what a store holds.

use super::{
    about,
    asked::{Operation, Wish, no_such_store},
    entry_key, pair,
};
use crate::{
    control::Control,
    ids,
    store::{self, Change, Kept, Otherwise, Stopped},
    wire::{
        asked::{Asked, Written},
        fault::{Contents, Fault},
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use model::{
    feed::{KEY_VALUES, KeyValue, KeyValues, KeyValuesStatus},
    units::Timestamp,
};
use planning::key_values::{self, Held, Pair, Wrong};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// Most and default pairs on one page.
const MOST_RESULTS: usize = 50;

/// Does what a request wants.
///
/// # Errors
/// Those of the operation.
pub async fn serve(control: &Control, wish: &Wish, asked: &Asked) -> Result<Written, Fault> {
    let key = wish.key.as_deref().unwrap_or_default();
    match wish.operation {
        Operation::DescribeKeyValueStore => describe(control, wish).await,
        Operation::ListKeys => list(control, wish, asked).await,
        Operation::GetKey => get(control, wish, key).await,
        Operation::PutKey => put(control, wish, key, asked).await,
        Operation::DeleteKey => delete(control, wish, key, asked).await,
        Operation::UpdateKeys => update(control, wish, asked).await,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PutKey {
    #[serde(rename = "Value")]
    value: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdateKeys {
    #[serde(rename = "Puts", default)]
    puts: Option<Vec<Put>>,
    #[serde(rename = "Deletes", default)]
    deletes: Option<Vec<Delete>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Put {
    #[serde(rename = "Key")]
    key: String,
    #[serde(rename = "Value")]
    value: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Delete {
    #[serde(rename = "Key")]
    key: String,
}

async fn describe(control: &Control, wish: &Wish) -> Result<Written, Fault> {
    let about = there(control, wish).await?.value;
    let failure = match &about.status {
        KeyValuesStatus::ImportFailed(why) => Some(why.as_str()),
        _ => None,
    };
    let mut body = json!({
        "ItemCount": about.items,
        "TotalSizeInBytes": about.bytes,
        "KvsARN": wish.arn,
        "Created": seconds(about.created),
        "LastModified": seconds(about.modified),
        "Status": crate::api::key_value_stores::status(&about.status),
    });
    if let (Some(why), Some(members)) = (failure, body.as_object_mut()) {
        members.insert("FailureReason".to_owned(), Value::from(why));
    }
    Ok(answer(&body).with("etag", about.etag))
}

async fn get(control: &Control, wish: &Wish, key: &str) -> Result<Written, Fault> {
    key_values::check_key(key).map_err(|_| no_such_key(key))?;
    let about = ready(there(control, wish).await?)?.value;
    let kept: Option<Kept<KeyValue>> =
        store::get(control.store(), &entry_key(&wish.store, key)).await?;
    let found = kept.ok_or_else(|| no_such_key(key))?.value;
    Ok(answer(&json!({
        "Key": found.key,
        "Value": found.value,
        "ItemCount": about.items,
        "TotalSizeInBytes": about.bytes,
    })))
}

async fn list(control: &Control, wish: &Wish, asked: &Asked) -> Result<Written, Fault> {
    let most = most_results(asked.query.get("MaxResults"))?;
    ready(there(control, wish).await?)?;
    let prefix = format!("{KEY_VALUES}{}/", wish.store);
    let after = asked.query.get("NextToken").filter(|token| !token.is_empty());
    let after = after.map(|token| after_token(&prefix, token)).transpose()?;
    let mut found: Vec<Kept<KeyValue>> =
        store::list(control.store(), &prefix, after.as_deref(), most + 1).await?;
    let more = found.len() > most;
    found.truncate(most);
    let token = found.last().filter(|_| more).and_then(|kept| kept.key.strip_prefix(&prefix));
    let token = token.map(|last| URL_SAFE_NO_PAD.encode(last));
    let items =
        found.into_iter().map(|kept| json!({"Key": kept.value.key, "Value": kept.value.value}));
    let mut body = json!({"Items": items.collect::<Vec<_>>()});
    if let (Some(token), Some(members)) = (token, body.as_object_mut()) {
        members.insert("NextToken".to_owned(), Value::from(token));
    }
    Ok(answer(&body))
}

fn most_results(text: Option<&str>) -> Result<usize, Fault> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(MOST_RESULTS) };
    text.parse().ok().filter(|most| (1..=MOST_RESULTS).contains(most)).ok_or_else(|| {
        invalid(format!("MaxResults must be a whole number from 1 to {MOST_RESULTS}"))
    })
}

/// The key after which the next page begins.
fn after_token(prefix: &str, token: &str) -> Result<String, Fault> {
    let text = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.map(|last| format!("{prefix}{last}"))
        .filter(|place| place.len() <= ports::bounds::MOST_KEY)
        .ok_or_else(|| invalid("NextToken must be the one that came with the page before"))
}

async fn put(control: &Control, wish: &Wish, key: &str, asked: &Asked) -> Result<Written, Fault> {
    let body: PutKey = read(asked)?;
    let pair = Pair { key: key.to_owned(), value: body.value };
    pair.check().map_err(refused)?;
    change(control, wish, asked, &[pair], &[]).await
}

async fn delete(
    control: &Control,
    wish: &Wish,
    key: &str,
    asked: &Asked,
) -> Result<Written, Fault> {
    key_values::check_key(key).map_err(refused)?;
    change(control, wish, asked, &[], &[key.to_owned()]).await
}

async fn update(control: &Control, wish: &Wish, asked: &Asked) -> Result<Written, Fault> {
    let body: UpdateKeys = read(asked)?;
    let puts = body.puts.unwrap_or_default().into_iter();
    let puts: Vec<_> = puts.map(|put| Pair { key: put.key, value: put.value }).collect();
    let deletes = body.deletes.unwrap_or_default().into_iter();
    let deletes: Vec<_> = deletes.map(|delete| delete.key).collect();
    key_values::check_change(&puts, &deletes).map_err(refused)?;
    change(control, wish, asked, &puts, &deletes).await
}

/// Puts and takes away, all or nothing.
async fn change(
    control: &Control,
    wish: &Wish,
    asked: &Asked,
    puts: &[Pair],
    deletes: &[String],
) -> Result<Written, Fault> {
    let tag = if_match(asked)?;
    let after = store::settle(|| async {
        let kept = ready(there(control, wish).await?)?;
        if kept.value.etag != tag {
            return Err(Stopped::Refused(stale()));
        }
        changed(control, wish, kept, puts, deletes).await
    })
    .await?;
    let body = json!({"ItemCount": after.items, "TotalSizeInBytes": after.bytes});
    Ok(answer(&body).with("etag", after.etag))
}

async fn changed(
    control: &Control,
    wish: &Wish,
    kept: Kept<KeyValues>,
    puts: &[Pair],
    deletes: &[String],
) -> Result<KeyValues, Stopped> {
    let mut change = Change::default();
    // Whoever changes a pair puts the store's record as well, so this stands for all of them.
    change.when(kept.unchanged(), Otherwise::Again);
    let mut held = Held { items: kept.value.items, bytes: kept.value.bytes };
    for one in puts {
        let place = entry_key(&wish.store, &one.key);
        held = key_values::held_after(held, weight(control, &place).await?, Some(one.weight()));
        change.put(place, &pair(one))?;
    }
    for key in deletes {
        let place = entry_key(&wish.store, key);
        let old = weight(control, &place).await?;
        if old.is_none() {
            return Err(Stopped::Refused(no_such_key(key)));
        }
        held = key_values::held_after(held, old, None);
        change.delete(place);
    }
    key_values::check_held(held).map_err(refused)?;
    let Held { items, bytes } = held;
    let (etag, modified) = (ids::contents_tag(), control.now());
    let after = KeyValues { etag, items, bytes, modified, ..kept.value };
    change.put(kept.key, &after)?;
    change.commit(control.store()).await?;
    Ok(after)
}

/// How many bytes a pair has, if it is there.
async fn weight(control: &Control, place: &str) -> Result<Option<u64>, Fault> {
    let kept: Option<Kept<KeyValue>> = store::get(control.store(), place).await?;
    Ok(kept.map(|kept| key_values::weight(&kept.value.key, &kept.value.value)))
}

async fn there(control: &Control, wish: &Wish) -> Result<Kept<KeyValues>, Fault> {
    about(control, &wish.store).await?.ok_or_else(|| no_such_store(&wish.arn))
}

fn ready(kept: Kept<KeyValues>) -> Result<Kept<KeyValues>, Fault> {
    let why = match &kept.value.status {
        KeyValuesStatus::Ready => return Ok(kept),
        KeyValuesStatus::Provisioning => {
            "the store is being filled from its file: wait until its Status is READY".to_owned()
        }
        KeyValuesStatus::ImportFailed(why) => {
            format!("the store could not be filled: {why}: delete it and make a new one")
        }
    };
    Err(Fault::contents(Contents::Conflict, why))
}

fn if_match(asked: &Asked) -> Result<String, Fault> {
    let tag = asked.header("if-match").unwrap_or_default().trim().trim_matches('"');
    if tag.is_empty() {
        let message =
            "If-Match is missing: send the ETag of DescribeKeyValueStore, as this API has it";
        return Err(invalid(message));
    }
    Ok(tag.to_owned())
}

fn stale() -> Fault {
    let message = "the store has changed since the ETag in If-Match was read, or the ETag is that of \
                   another API: call this API's DescribeKeyValueStore, then retry";
    Fault::contents(Contents::Conflict, message)
}

fn no_such_key(key: &str) -> Fault {
    let shown: String = key.chars().take(64).collect();
    Fault::contents(Contents::NotFound, format!("the store has no key {shown:?}"))
}

fn refused(why: Wrong) -> Fault {
    match why {
        Wrong::Invalid(message) => invalid(message),
        Wrong::TooMuch(message) => Fault::contents(Contents::TooMuch, message),
    }
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::contents(Contents::Validation, message)
}

fn read<T: DeserializeOwned>(asked: &Asked) -> Result<T, Fault> {
    let mut from = serde_json::Deserializer::from_slice(&asked.body);
    let found = serde_path_to_error::deserialize(&mut from).map_err(|error| {
        let place = error.path().to_string();
        let place = if place == "." { "the body".to_owned() } else { place };
        invalid(format!("{place}: {}", error.inner()))
    })?;
    from.end().map_err(|error| invalid(format!("the body: {error}")))?;
    Ok(found)
}

fn answer(body: &Value) -> Written {
    Written::json(200, "application/json", body)
}

/// Seconds since 1970, as JSON has times.
fn seconds(at: Timestamp) -> Value {
    json!(std::time::Duration::from_millis(at.0).as_secs_f64())
}
