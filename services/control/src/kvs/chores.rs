//! What takes longer than a request may: filling a store from a file, clearing away what a store
//! held that is gone.
//!
//! An import stands at `kvs-import/STORE` until it is done; what it writes, it writes on the
//! condition that the import is still there and its own, so whoever takes one over stops who had it
//! before. A store that is gone stands at `kvs-gone/STORE` until nothing is left of it. Both are
//! taken up again after a restart, by whichever process comes first.

use super::{about, entry_key, pair};
use crate::{
    control::Control,
    ids,
    objects::{Place, Unread},
    store::{self, Change, Kept, Otherwise, Stopped},
    wire::fault::Fault,
};
use actix_web::web;
use kit::drain::Drain;
use model::{
    feed::{KEY_VALUES, KeyValuesStatus},
    units::{Seconds, Timestamp},
};
use planning::key_values::{self, Held, MOST_FILE, Pair};
use ports::metastore::{Check, Entry};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Prefix of the keys of imports that are not done.
const IMPORTS: &str = "kvs-import/";
/// Prefix of the marks of stores that are gone and not yet cleared away.
const GONE: &str = "kvs-gone/";
/// Most entries in one commit.
const AT_ONCE: usize = 4000;
/// How often is looked after what others left undone.
const LOOK_EVERY: Duration = Duration::from_mins(1);
/// An import that nobody has got on with for so long is taken over.
const LEFT_AFTER: Seconds = Seconds(300);

/// An import that is not done.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Import {
    bucket: String,
    key: String,
    /// When somebody took it up.
    taken: Option<Timestamp>,
}

impl Import {
    pub(super) fn from(place: &Place) -> Self {
        Self { bucket: place.bucket.clone(), key: place.key.clone(), taken: None }
    }

    fn place(&self) -> Place {
        Place { bucket: self.bucket.clone(), key: self.key.clone(), region: None, version: None }
    }
}

/// The key of a store's import.
pub(super) fn import_key(store: &str) -> String {
    format!("{IMPORTS}{store}")
}

/// Adds to the change that takes a store away what must go with it.
pub fn give_up(change: &mut Change, store: &str) {
    change.delete(super::about_key(store)).delete(import_key(store)).mark(format!("{GONE}{store}"));
}

/// Does all that waits to be done, whenever something does, for as long as the service runs.
pub async fn run(control: web::Data<Control>, stopping: Drain) {
    // What a former run of this process had in hand is nobody's now.
    let mut patience = Seconds(0);
    loop {
        if let Err(fault) = everything(&control, &stopping, patience).await {
            tracing::warn!(%fault, "key value stores wait to be filled or cleared; next try soon");
        }
        patience = LEFT_AFTER;
        tokio::select! {
            () = stopping.signalled() => return,
            () = control.chores.notified() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

async fn everything(control: &Control, stopping: &Drain, patience: Seconds) -> Result<(), Fault> {
    let imports: Vec<Kept<Import>> = store::list(control.store(), IMPORTS, None, 1000).await?;
    let now = control.now();
    let left = |import: &Import| import.taken.is_none_or(|taken| now.since(taken) >= patience);
    for kept in imports.into_iter().filter(|kept| left(&kept.value)) {
        import(control, stopping, kept).await?;
    }
    for entry in control.store().list(GONE, None, 1000).await? {
        clear(control, stopping, entry).await?;
    }
    Ok(())
}

/// Fills a store. That somebody else has taken it over, or that the store is gone, is no error.
async fn import(control: &Control, stopping: &Drain, kept: Kept<Import>) -> Result<(), Fault> {
    let Some(store) = kept.key.strip_prefix(IMPORTS).map(str::to_owned) else { return Ok(()) };
    let mine = match take_up(control, &kept).await {
        Ok(mine) => mine,
        Err(stopped) => return passed_on(stopped),
    };
    let place = kept.value.place();
    let read = tokio::select! {
        read = pairs(control, &place) => read,
        () = stopping.signalled() => return Ok(()),
    };
    let filled = match read {
        Ok(Ok(pairs)) => fill(control, stopping, &store, &mine, &pairs).await,
        Ok(Err(why)) => finish(control, &store, &mine, Held::default(), failed(&store, why)).await,
        Err(why) => {
            tracing::warn!(store, %why, "a key value store's file cannot be read; next try soon");
            give_back(control, &kept, &mine).await
        }
    };
    filled.or_else(passed_on)
}

fn failed(store: &str, why: String) -> KeyValuesStatus {
    tracing::warn!(store, why, "a key value store could not be filled");
    KeyValuesStatus::ImportFailed(why)
}

fn passed_on(stopped: Stopped) -> Result<(), Fault> {
    match stopped {
        Stopped::Again => Ok(()),
        Stopped::Refused(fault) => Err(fault),
    }
}

/// From now on the import is this process's.
async fn take_up(control: &Control, kept: &Kept<Import>) -> Result<Check, Stopped> {
    let taken = Import { taken: Some(control.now()), ..kept.value.clone() };
    let mut change = Change::default();
    change.when(kept.unchanged(), Otherwise::Again).put(kept.key.clone(), &taken)?;
    let revision = change.commit(control.store()).await?;
    Ok(Check::At(kept.key.clone(), revision))
}

/// Nobody's again, to be tried later.
async fn give_back(control: &Control, kept: &Kept<Import>, mine: &Check) -> Result<(), Stopped> {
    let mut change = Change::default();
    change.when(mine.clone(), Otherwise::Again).put(kept.key.clone(), &kept.value)?;
    change.commit(control.store()).await?;
    Ok(())
}

/// What the file says; the inner error is for the user, the outer one may pass.
async fn pairs(control: &Control, place: &Place) -> Result<Result<Vec<Pair>, String>, Unread> {
    let bytes = match control.objects.read(place, MOST_FILE).await {
        Ok(bytes) => bytes,
        Err(why @ Unread::Unreachable(_)) => return Err(why),
        Err(why) => return Ok(Err(why.to_string())),
    };
    Ok(key_values::read_file(&bytes).map_err(|why| why.to_string()))
}

async fn fill(
    control: &Control,
    stopping: &Drain,
    store: &str,
    mine: &Check,
    pairs: &[Pair],
) -> Result<(), Stopped> {
    // What an attempt before this one may have left.
    while empty_some(control, store, mine).await? {
        if stopping.is_signalled() {
            return Ok(());
        }
    }
    for some in pairs.chunks(AT_ONCE) {
        if stopping.is_signalled() {
            return Ok(());
        }
        let mut change = Change::default();
        change.when(mine.clone(), Otherwise::Again);
        for one in some {
            change.put(entry_key(store, &one.key), &pair(one))?;
        }
        change.commit(control.store()).await?;
    }
    finish(control, store, mine, key_values::held(pairs), KeyValuesStatus::Ready).await
}

/// Takes some of a store's pairs away and says whether there were any.
async fn empty_some(control: &Control, store: &str, when: &Check) -> Result<bool, Stopped> {
    let found = control.store().list(&format!("{KEY_VALUES}{store}/"), None, AT_ONCE).await?;
    if found.is_empty() {
        return Ok(false);
    }
    let mut change = Change::default();
    change.when(when.clone(), Otherwise::Again);
    for entry in found {
        change.delete(entry.key);
    }
    change.commit(control.store()).await?;
    Ok(true)
}

async fn finish(
    control: &Control,
    store: &str,
    mine: &Check,
    held: Held,
    status: KeyValuesStatus,
) -> Result<(), Stopped> {
    let Some(kept) = about(control, store).await? else { return Ok(()) };
    let (etag, modified) = (ids::contents_tag(), control.now());
    let Held { items, bytes } = held;
    let about =
        model::feed::KeyValues { etag, items, bytes, modified, status, ..kept.value.clone() };
    let mut change = Change::default();
    change
        .when(mine.clone(), Otherwise::Again)
        .when(kept.unchanged(), Otherwise::Again)
        .put(kept.key, &about)?
        .delete(import_key(store));
    change.commit(control.store()).await?;
    Ok(())
}

async fn clear(control: &Control, stopping: &Drain, mark: Entry) -> Result<(), Fault> {
    let Some(store) = mark.key.strip_prefix(GONE) else { return Ok(()) };
    let there = Check::Present(mark.key.clone());
    loop {
        if stopping.is_signalled() {
            return Ok(());
        }
        match empty_some(control, store, &there).await {
            Ok(true) => {}
            Ok(false) => break,
            Err(stopped) => return passed_on(stopped),
        }
    }
    let mut change = Change::default();
    change.delete(mark.key);
    change.commit(control.store()).await.map(|_| ()).or_else(passed_on)
}
