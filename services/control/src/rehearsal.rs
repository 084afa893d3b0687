//! A dry run: everything that a call would do, but the writing.
//!
//! For: `X-Nearfront-Dry-Run: true` on any call. It is validated, authorised, held against entity tags
//! and quotas, and answered as the real call would be.
//! Not for: conditions that change meanwhile: what was good for a dry run may be too late a moment
//! after.
//!
//! The store behind a [`Rehearsal`] is held by [`ReadOnly`], which has no way to write.

use crate::{
    history::{SharedLedger, recorder},
    wire::fault::Fault,
};
use async_trait::async_trait;
use bytes::Bytes;
use model::{api::ErrorCode, units::Revision};
use parking_lot::Mutex;
use ports::{
    bounds,
    metastore::{
        Changes, Check, Commit, CommitError, Entry, MetaStore, Snapshot, StoreError, Write,
    },
};
use std::{collections::BTreeMap, sync::Arc};

/// The header that asks for a dry run, and that the answer to one has.
pub const DRY_RUN: &str = "x-nearfront-dry-run";

/// Whether a dry run is asked for.
///
/// # Errors
/// `InvalidArgument` for other words than `true` and `false`, and for several of them: nobody shall
/// write by a slip.
pub fn asked(headers: &[(String, String)]) -> Result<bool, Fault> {
    let given: Vec<_> = headers
        .iter()
        .filter(|(name, _)| name == DRY_RUN)
        .map(|(_, word)| word.trim().to_ascii_lowercase())
        .collect();
    match given.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] | ["false"] => Ok(false),
        ["true"] => Ok(true),
        _ => {
            let message = "X-Nearfront-Dry-Run is true or false, once; nothing was changed";
            Err(Fault::new(ErrorCode::InvalidArgument, message))
        }
    }
}

/// A store that can be read, and nothing else.
struct ReadOnly(Arc<dyn MetaStore>);

impl ReadOnly {
    async fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        self.0.get(key).await
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        self.0.list(prefix, after, limit).await
    }

    async fn snapshot(&self, prefixes: &[&str]) -> Result<Snapshot, StoreError> {
        self.0.snapshot(prefixes).await
    }

    async fn changes(&self, after: Revision, limit: usize) -> Result<Changes, StoreError> {
        self.0.changes(after, limit).await
    }

    async fn changed(&self, after: Revision) -> Result<(), StoreError> {
        self.0.changed(after).await
    }
}

/// What stands in the store, and on top of it what one call would have written.
pub struct Rehearsal {
    below: ReadOnly,
    above: Mutex<Above>,
    ledger: SharedLedger,
}

#[derive(Default)]
struct Above {
    /// By key; none where it would be gone.
    entries: BTreeMap<String, Option<Entry>>,
    commits: u64,
}

impl Rehearsal {
    /// On top of a store.
    pub fn of(store: Arc<dyn MetaStore>, ledger: SharedLedger) -> Self {
        Self { below: ReadOnly(store), above: Mutex::default(), ledger }
    }

    /// How many entries would be put, and how many taken away.
    pub fn counts(&self) -> (usize, usize) {
        let above = self.above.lock();
        let put = above.entries.values().filter(|entry| entry.is_some()).count();
        (put, above.entries.len() - put)
    }

    async fn holds(&self, check: &Check) -> Result<bool, StoreError> {
        Ok(match check {
            Check::Absent(key) => self.get(key).await?.is_none(),
            Check::Present(key) => self.get(key).await?.is_some(),
            Check::At(key, at) => self.get(key).await?.is_some_and(|entry| entry.revision == *at),
            Check::NoneUnder(prefix) => self.list(prefix, None, 1).await?.is_empty(),
        })
    }

    async fn value(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        Ok(self.get(key).await?.map(|entry| entry.value))
    }

    async fn note(&self, commit: &Commit) -> Result<(), StoreError> {
        for resource in recorder::resources(commit) {
            let record = self.value(&resource.record()).await?;
            let tags = self.value(&resource.tags()).await?;
            self.ledger.add(recorder::touched(commit, resource, record, tags));
        }
        Ok(())
    }

    /// What the next commit would be called.
    async fn next(&self) -> Result<Revision, StoreError> {
        let Revision(now) = self.below.snapshot(&[]).await?.revision;
        let mut above = self.above.lock();
        above.commits += 1;
        Ok(Revision(now + above.commits))
    }

    fn put(&self, writes: Vec<Write>, revision: Revision) {
        let mut above = self.above.lock();
        for write in writes {
            match write {
                Write::Put(key, value) => {
                    let entry = Entry { key: key.clone(), value, revision };
                    above.entries.insert(key, Some(entry))
                }
                Write::Delete(key) => above.entries.insert(key, None),
            };
        }
    }

    /// What would be written under a prefix and after a key.
    fn written(&self, prefix: &str, after: Option<&str>) -> BTreeMap<String, Option<Entry>> {
        let above = self.above.lock();
        let fits = |key: &str| key.starts_with(prefix) && after.is_none_or(|after| key > after);
        let fitting = above.entries.iter().filter(|(key, _)| fits(key));
        fitting.map(|(key, entry)| (key.clone(), entry.clone())).collect()
    }
}

#[async_trait]
impl MetaStore for Rehearsal {
    async fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        let written = self.above.lock().entries.get(key).cloned();
        match written {
            Some(entry) => Ok(entry),
            None => self.below.get(key).await,
        }
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        let written = self.written(prefix, after);
        let below = self.below.list(prefix, after, limit.saturating_add(written.len())).await?;
        let below = below.into_iter().map(|entry| (entry.key.clone(), Some(entry)));
        let mut all: BTreeMap<_, _> = below.collect();
        all.extend(written);
        Ok(all.into_values().flatten().take(limit).collect())
    }

    async fn commit(&self, commit: Commit) -> Result<Revision, CommitError> {
        bounds::commit(&commit)?;
        for check in &commit.checks {
            if !self.holds(check).await? {
                return Err(CommitError::Conflict(check.clone()));
            }
        }
        self.note(&commit).await?;
        let revision = self.next().await?;
        self.put(commit.writes, revision);
        Ok(revision)
    }

    async fn snapshot(&self, prefixes: &[&str]) -> Result<Snapshot, StoreError> {
        let mut snapshot = self.below.snapshot(prefixes).await?;
        let mut all: BTreeMap<_, _> =
            snapshot.entries.into_iter().map(|entry| (entry.key.clone(), Some(entry))).collect();
        for prefix in prefixes {
            all.extend(self.written(prefix, None));
        }
        snapshot.entries = all.into_values().flatten().collect();
        Ok(snapshot)
    }

    async fn changes(&self, after: Revision, limit: usize) -> Result<Changes, StoreError> {
        self.below.changes(after, limit).await
    }

    async fn changed(&self, after: Revision) -> Result<(), StoreError> {
        self.below.changed(after).await
    }
}
