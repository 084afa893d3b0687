//! The contents of key value stores, in the form that their own API's clients speak.
//!
//! Every pair is an entry of its own, every change one commit with the store's own record, so that
//! edges can follow what a store holds: see `model::feed`.
//! Not for: the stores as resources (`api::key_value_stores`).
//!
//! Source: Amazon CloudFront `KeyValueStore` API reference, 2022-07-26.

mod asked;
pub mod chores;
mod contents;

use crate::{
    control::Control,
    ids,
    objects::Place,
    sigv4::{Authorised, sha256_hex},
    store::{self, Change, Kept},
    wire::{
        asked::{Asked, Written},
        fault::Fault,
    },
};
use asked::Wish;
use chores::Import;
use model::{
    feed::{KEY_VALUE_STORES, KeyValue, KeyValues, KeyValuesStatus},
    units::Timestamp,
};
use planning::key_values::Pair;

/// The operation that a request means, and the ARN of the store that it is about: what policies are
/// asked about is what is done.
///
/// # Errors
/// Those of a path that means nothing.
pub fn about_what(control: &Control, asked: &Asked) -> Result<(&'static str, String), Fault> {
    let wish = Wish::of(control, asked)?;
    Ok((wish.operation.as_str(), wish.arn))
}

/// Does what the request asks.
///
/// # Errors
/// Those of the operation.
pub async fn serve(control: &Control, asked: Authorised<Asked>) -> Result<Written, Fault> {
    let wish = Wish::of(control, &asked)?;
    let answered = contents::serve(control, &wish, &asked).await;
    let status = answered.as_ref().map_or_else(Fault::status, |written| written.status);
    control.counts.answered(wish.operation.as_str(), status);
    answered
}

/// Adds to the change that makes a store what it holds at first: nothing, or what shall be read from
/// a file.
///
/// # Errors
/// Internal ones.
pub fn begin(
    change: &mut Change,
    store: &str,
    source: Option<&Place>,
    now: Timestamp,
) -> Result<(), Fault> {
    let status =
        if source.is_some() { KeyValuesStatus::Provisioning } else { KeyValuesStatus::Ready };
    let etag = ids::contents_tag();
    let about = KeyValues { etag, items: 0, bytes: 0, created: now, modified: now, status };
    change.put(about_key(store), &about)?;
    if let Some(source) = source {
        change.put(chores::import_key(store), &Import::from(source))?;
    }
    Ok(())
}

/// What is known of a store as a whole.
///
/// # Errors
/// `ServiceUnavailable` when the metadata store does not answer.
pub async fn about(control: &Control, store: &str) -> Result<Option<Kept<KeyValues>>, Fault> {
    store::get(control.store(), &about_key(store)).await
}

fn about_key(store: &str) -> String {
    format!("{KEY_VALUE_STORES}{store}")
}

fn entry_key(store: &str, key: &str) -> String {
    model::feed::key_value(store, key, sha256_hex)
}

fn pair(pair: &Pair) -> KeyValue {
    KeyValue { key: pair.key.clone(), value: pair.value.clone() }
}
