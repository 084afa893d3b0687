//! A metadata store in memory that can be away, and can lose its log.

use async_trait::async_trait;
use bytes::Bytes;
use model::{ids::EdgeId, units::Revision};
use parking_lot::Mutex;
use ports::{
    metastore::{
        Change, Changes, Commit, CommitError, Entry, MetaStore, Snapshot, StoreError, Write,
    },
    registry::{Beat, EdgeRegistry},
};
use std::collections::BTreeMap;
use tokio::sync::Notify;

/// The store and the registry.
#[derive(Default)]
pub struct FakeStore {
    state: Mutex<State>,
    rings: Notify,
    beaten: Notify,
}

#[derive(Default)]
struct State {
    entries: BTreeMap<String, Entry>,
    log: Vec<Change>,
    away: bool,
    lost: bool,
    beats: Vec<Beat>,
    left: bool,
}

impl FakeStore {
    /// Puts entries as one commit.
    pub fn put(&self, entries: &[(&str, Vec<u8>)]) -> Revision {
        let mut state = self.state.lock();
        let revision = Revision(state.log.len() as u64 + 1);
        let mut writes = Vec::new();
        for (key, value) in entries {
            let value = Bytes::from(value.clone());
            let entry = Entry { key: (*key).to_owned(), value: value.clone(), revision };
            state.entries.insert(entry.key.clone(), entry);
            writes.push(Write::Put((*key).to_owned(), value));
        }
        state.log.push(Change { revision, writes });
        drop(state);
        self.rings.notify_waiters();
        revision
    }

    /// Cannot be reached, or can again.
    pub fn is_away(&self, away: bool) {
        self.state.lock().away = away;
        self.rings.notify_waiters();
    }

    /// Has lost what readers have not seen yet; the next look at changes says so.
    pub fn loses_its_log(&self) {
        self.state.lock().lost = true;
        self.rings.notify_waiters();
    }

    /// Returns once some edge has acknowledged this.
    pub async fn acknowledged(&self, revision: Revision) -> Beat {
        loop {
            let beaten = self.beaten.notified();
            let last = self.state.lock().beats.last().cloned();
            if let Some(beat) = last.filter(|beat| beat.acknowledged >= revision) {
                return beat;
            }
            beaten.await;
        }
    }

    /// Whether the edge has said farewell.
    pub fn was_left(&self) -> bool {
        self.state.lock().left
    }

    fn reach(&self) -> Result<parking_lot::MutexGuard<'_, State>, StoreError> {
        let state = self.state.lock();
        if state.away {
            return Err(StoreError::Unreachable("away".into()));
        }
        Ok(state)
    }
}

#[async_trait]
impl MetaStore for FakeStore {
    async fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        Ok(self.reach()?.entries.get(key).cloned())
    }

    async fn list(
        &self,
        _prefix: &str,
        _after: Option<&str>,
        _limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        Ok(Vec::new())
    }

    async fn commit(&self, _commit: Commit) -> Result<Revision, CommitError> {
        Err(CommitError::Store(StoreError::Refused("edges do not write".into())))
    }

    async fn snapshot(&self, prefixes: &[&str]) -> Result<Snapshot, StoreError> {
        let mut state = self.reach()?;
        state.lost = false;
        let entries = state.entries.values();
        let wanted = |entry: &&Entry| prefixes.iter().any(|prefix| entry.key.starts_with(prefix));
        Ok(Snapshot {
            revision: Revision(state.log.len() as u64),
            entries: entries.filter(wanted).cloned().collect(),
        })
    }

    async fn changes(&self, after: Revision, limit: usize) -> Result<Changes, StoreError> {
        let state = self.reach()?;
        if state.lost {
            return Ok(Changes::Lost);
        }
        let later = state.log.iter().filter(|change| change.revision > after);
        Ok(Changes::Next(later.take(limit).cloned().collect()))
    }

    async fn changed(&self, after: Revision) -> Result<(), StoreError> {
        let rings = self.rings.notified();
        {
            let state = self.reach()?;
            if state.lost || state.log.len() as u64 > after.0 {
                return Ok(());
            }
        }
        rings.await;
        Ok(())
    }
}

#[async_trait]
impl EdgeRegistry for FakeStore {
    async fn beat(&self, beat: &Beat) -> Result<(), StoreError> {
        self.reach()?.beats.push(beat.clone());
        self.beaten.notify_waiters();
        Ok(())
    }

    async fn leave(&self, _edge: &EdgeId) -> Result<(), StoreError> {
        self.state.lock().left = true;
        Ok(())
    }

    async fn edges(&self) -> Result<Vec<Beat>, StoreError> {
        Ok(self.state.lock().beats.last().cloned().into_iter().collect())
    }
}
