//! A store that adds versions to every commit that changes a resource, so that history is exactly
//! what happened.

use super::{
    Cause, SharedLedger, Touched, Version, What, gone, place, prefix,
    resource::{Resource, state},
    versions::newest_of,
};
use async_trait::async_trait;
use bytes::Bytes;
use model::units::Revision;
use parking_lot::Mutex;
use ports::metastore::{
    Changes, Check, Commit, CommitError, Entry, MetaStore, Snapshot, StoreError, Write,
};
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

/// How often a commit is tried again when others add versions of the same resources.
const ATTEMPTS: u32 = 5;
/// How many old versions one commit takes away.
const FORGOTTEN: usize = 20;

/// Between one call and the store.
pub struct Recorder {
    inner: Arc<dyn MetaStore>,
    cause: Cause,
    /// Most versions of one resource; with 0 none are kept.
    most: u64,
    /// What this call has read: the state before, without asking again.
    seen: Mutex<HashMap<String, Entry>>,
    ledger: SharedLedger,
}

impl Recorder {
    /// In front of a store, for one call.
    pub fn new(inner: Arc<dyn MetaStore>, cause: Cause, most: u64, ledger: SharedLedger) -> Self {
        Self { inner, cause, most, seen: Mutex::default(), ledger }
    }

    /// The record as it is now. What this call has read is good enough where the commit wants it unchanged.
    async fn now(&self, commit: &Commit, place: &str) -> Result<Option<Bytes>, StoreError> {
        let seen = self.seen.lock().get(place).cloned();
        if let Some(seen) = seen {
            let unchanged = Check::At(place.to_owned(), seen.revision);
            if commit.checks.contains(&unchanged) {
                return Ok(Some(seen.value));
            }
        }
        Ok(self.inner.get(place).await?.map(|entry| entry.value))
    }

    async fn touched(&self, commit: &Commit) -> Result<Vec<Touched>, StoreError> {
        let mut all = Vec::new();
        for resource in resources(commit) {
            let record = self.now(commit, &resource.record()).await?;
            let tags = self.now(commit, &resource.tags()).await?;
            all.extend(touched(commit, resource, record, tags));
        }
        Ok(all)
    }

    /// Adds the versions of what is touched.
    async fn with_versions(
        &self,
        commit: &Commit,
        touched: &[Touched],
    ) -> Result<(Commit, Vec<Check>), StoreError> {
        let (mut whole, mut checks) = (commit.clone(), Vec::new());
        for one in touched {
            let known = newest_of(&*self.inner, &one.resource).await?;
            let mut number = known.map_or(0, |version| version.number);
            checks.push(Check::Absent(place(&one.resource, number + 1)));
            if let (0, Some(before)) = (number, &one.before) {
                number += 1;
                whole.writes.push(self.version(
                    &one.resource,
                    number,
                    What::Found,
                    Some(before),
                )?);
            }
            number += 1;
            let (what, after) = (what(one), one.after.as_ref());
            whole.writes.push(self.version(&one.resource, number, what, after)?);
            whole.writes.push(match what {
                What::Deleted => self.mark_gone(&one.resource)?,
                _ => Write::Delete(gone(&one.resource)),
            });
            whole.writes.extend(self.outdated(&one.resource, number).await?);
        }
        whole.checks.extend(checks.iter().cloned());
        Ok((whole, checks))
    }

    fn version(
        &self,
        resource: &Resource,
        number: u64,
        what: What,
        state: Option<&serde_json::Value>,
    ) -> Result<Write, StoreError> {
        let known = what != What::Found;
        let text = |text: &String| if known { text.clone() } else { String::new() };
        let version = Version {
            number,
            at: self.cause.at,
            by: text(&self.cause.by),
            operation: text(&self.cause.operation),
            request: text(&self.cause.request),
            what,
            state: state.cloned(),
        };
        put(place(resource, number), &version)
    }

    fn mark_gone(&self, resource: &Resource) -> Result<Write, StoreError> {
        put(gone(resource), &self.cause.at)
    }

    /// Versions beyond those that are kept.
    async fn outdated(&self, resource: &Resource, number: u64) -> Result<Vec<Write>, StoreError> {
        let Some(oldest) = number.checked_sub(self.most).filter(|oldest| *oldest > 0) else {
            return Ok(Vec::new());
        };
        let after = place(resource, oldest + 1);
        let old = self.inner.list(&prefix(resource), Some(&after), FORGOTTEN).await?;
        Ok(old.into_iter().map(|entry| Write::Delete(entry.key)).collect())
    }
}

fn put<T: serde::Serialize>(place: String, value: &T) -> Result<Write, StoreError> {
    let bytes = serde_json::to_vec(value).map_err(|why| StoreError::Damaged(why.to_string()))?;
    Ok(Write::Put(place, bytes.into()))
}

const fn what(touched: &Touched) -> What {
    match (&touched.before, &touched.after) {
        (_, None) => What::Deleted,
        (None, Some(_)) => What::Created,
        (Some(_), Some(_)) => What::Changed,
    }
}

/// The resources that a commit writes to, in order.
pub fn resources(commit: &Commit) -> BTreeSet<Resource> {
    commit.writes.iter().filter_map(|write| Resource::by_key(write.key())).collect()
}

/// A resource before and after a commit, from its record and tags as they stand; none when the user's
/// part of it stays as it is.
pub fn touched(
    commit: &Commit,
    resource: Resource,
    record: Option<Bytes>,
    tags: Option<Bytes>,
) -> Option<Touched> {
    let part = |record: Option<Bytes>, tags: Option<Bytes>| {
        record.map(|record| state(&record, tags.as_deref()))
    };
    let new = after(commit, &resource.record(), record.as_ref());
    let new_tags = after(commit, &resource.tags(), tags.as_ref());
    let (before, after) = (part(record, tags), part(new, new_tags));
    (before != after).then_some(Touched { resource, before, after })
}

/// What stands at a key after a commit, where this stands now.
fn after(commit: &Commit, place: &str, now: Option<&Bytes>) -> Option<Bytes> {
    match commit.writes.iter().find(|write| write.key() == place) {
        Some(Write::Put(_, value)) => Some(value.clone()),
        Some(Write::Delete(_)) => None,
        None => now.cloned(),
    }
}

#[async_trait]
impl MetaStore for Recorder {
    async fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        let found = self.inner.get(key).await?;
        if let Some(entry) = found.as_ref().filter(|_| Resource::by_key(key).is_some()) {
            self.seen.lock().insert(key.to_owned(), entry.clone());
        }
        Ok(found)
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        self.inner.list(prefix, after, limit).await
    }

    async fn commit(&self, commit: Commit) -> Result<Revision, CommitError> {
        let mut last = None;
        for _ in 0..ATTEMPTS {
            let touched = self.touched(&commit).await?;
            if touched.is_empty() || self.most == 0 {
                let done = self.inner.commit(commit).await?;
                self.ledger.add(touched);
                return Ok(done);
            }
            let (whole, ours) = self.with_versions(&commit, &touched).await?;
            match self.inner.commit(whole).await {
                Ok(done) => {
                    self.ledger.add(touched);
                    return Ok(done);
                }
                Err(CommitError::Conflict(check)) if ours.contains(&check) => {
                    self.seen.lock().clear();
                    last = Some(CommitError::Conflict(check));
                }
                Err(other) => return Err(other),
            }
        }
        Err(last.unwrap_or_else(|| StoreError::Unreachable("no attempt was made".into()).into()))
    }

    async fn snapshot(&self, prefixes: &[&str]) -> Result<Snapshot, StoreError> {
        self.inner.snapshot(prefixes).await
    }

    async fn changes(&self, after: Revision, limit: usize) -> Result<Changes, StoreError> {
        self.inner.changes(after, limit).await
    }

    async fn changed(&self, after: Revision) -> Result<(), StoreError> {
        self.inner.changed(after).await
    }
}
