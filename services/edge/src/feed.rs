//! Following the feed: whatever control publishes is in force here within moments.
//!
//! For: the first snapshot, every change after it, acknowledging, staying in touch.
//! Not for: what a state looks like (`plans`) or what an invalidation means (`bans`).
//!
//! Promise: a change is put in force whole, in order, before it is acknowledged. When the store is
//! away, what was in force stays in force. When changes were missed, nothing that was cached before
//! is served again.

use crate::{
    bans::Bans,
    disk::{self, Disk, Recalled},
    meters::Meters,
    plans::{Known, Update},
    serve::Current,
};
use cachestore_disk::Point;
use kit::{health::Severity, service::World};
use model::{
    feed::{CERTIFICATES, CHALLENGES, INVALIDATIONS, PLANS},
    units::Revision,
};
use ports::{
    cachestore::CacheStore,
    metastore::{Change, Changes, Snapshot, StoreError, Write},
};
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;

/// All that this edge reads.
const PREFIXES: [&str; 4] = [PLANS, INVALIDATIONS, CERTIFICATES, CHALLENGES];
/// Changes read at a time.
const BATCH: usize = 256;
/// How long to wait before asking a store again that did not answer.
const PATIENCE: Duration = Duration::from_millis(500);

/// The follower of the feed.
pub struct Feed {
    /// The world.
    pub world: World,
    /// What everybody reads, and this replaces.
    pub current: Arc<Current>,
    /// What invalidations forbid.
    pub bans: Arc<Bans>,
    /// What is emptied when changes were missed.
    pub store: Arc<dyn CacheStore>,
    /// What outlives this process.
    pub disk: Option<Arc<Disk>>,
    /// Where the number of distributions is shown.
    pub meters: Arc<Meters>,
    /// How TLS configurations are made.
    pub tls: crate::serve::certificates::Shared,
    /// The last change in force; none until the first snapshot is.
    pub acknowledged: watch::Sender<Option<Revision>>,
}

impl Feed {
    /// Follows until the drain is signalled.
    pub async fn follow(self) {
        let drain = self.world.drain.clone();
        tokio::select! {
            () = drain.signalled() => {}
            () = self.follow_for_ever() => {}
        }
    }

    async fn follow_for_ever(&self) {
        loop {
            match self.follow_from_snapshot().await {
                Ok(()) => tracing::warn!("changes were missed: the cache starts anew"),
                Err(why) => self.out_of_touch(&why).await,
            }
        }
    }

    /// Takes a snapshot if there is none in force, then change after change. Returns when changes
    /// were missed; an error leaves what is in force in force.
    async fn follow_from_snapshot(&self) -> Result<(), StoreError> {
        loop {
            let Some(after) = *self.acknowledged.borrow() else {
                let snapshot = self.world.store.snapshot(&PREFIXES).await?;
                let recalled = self.recall(snapshot.revision).await?;
                self.put_in_force(&snapshot, recalled).await?;
                continue;
            };
            match self.world.store.changes(after, BATCH).await? {
                Changes::Lost => {
                    self.forget_everything(after);
                    let snapshot = self.world.store.snapshot(&PREFIXES).await?;
                    self.put_in_force(&snapshot, None).await?;
                    return Ok(());
                }
                Changes::Next(changes) if changes.is_empty() => {
                    self.in_touch();
                    self.world.store.changed(after).await?;
                }
                Changes::Next(changes) => changes.iter().for_each(|change| self.apply(change)),
            }
        }
    }

    /// What the process knew, and missed since, that has left copies on disk which may still be used.
    async fn recall(&self, revision: Revision) -> Result<Option<Recalled>, StoreError> {
        match &self.disk {
            Some(disk) => disk.recall(&*self.world.store, revision).await,
            None => Ok(None),
        }
    }

    /// Replaces everything by a snapshot. What was cached or is being fetched under an earlier
    /// state may have been invalidated since, so it is forgotten; but for copies on disk that are
    /// `recalled`, for every invalidation since is known.
    async fn put_in_force(
        &self,
        snapshot: &Snapshot,
        recalled: Option<Recalled>,
    ) -> Result<(), StoreError> {
        let revision = snapshot.revision;
        let fingerprint = match &self.disk {
            Some(_) => disk::fingerprint_of(&*self.world.store, revision).await?,
            None => 0,
        };
        let known = self.current.load();
        let entries = snapshot.entries.iter();
        let updates = entries.map(|entry| Update::put(&entry.key, &entry.value));
        let next = Known::replaced(&known, &self.tls, updates);
        self.replace(next);
        match &recalled {
            Some(Recalled { point, since }) => {
                let since = since.iter().map(|(at, key, value)| (*at, &**key, &**value));
                let known = invalidations(snapshot, Revision(point.revision)).chain(since);
                self.bans.recall(point.generation, revision, known);
            }
            None => self.forget_everything(revision),
        }
        self.note(revision, fingerprint);
        if let Some(disk) = &self.disk {
            let (copies, kept) = (disk.store.fill().entries, recalled.is_some());
            tracing::info!(kept, copies, "the disk cache is in use");
            disk.store.release();
        }
        self.acknowledge(revision);
        Ok(())
    }

    fn forget_everything(&self, revision: Revision) {
        self.bans.forget_everything(revision);
        // Without a fingerprint: whatever is kept from here on is not believed after a restart
        // before a state is in force.
        self.note(revision, 0);
        self.store.clear();
    }

    /// Lets the disk know how far this edge has come, before anything is kept that was asked for
    /// from here on.
    fn note(&self, revision: Revision, fingerprint: u64) {
        if let Some(disk) = &self.disk {
            let (generation, revision) = (self.bans.generation(), revision.0);
            disk.store.note(Point { generation, revision, fingerprint });
        }
    }

    fn apply(&self, change: &Change) {
        let updates: Vec<Update<'_>> = change.writes.iter().map(Update::of).collect();
        if updates.iter().any(Update::is_of_known) {
            let known = self.current.load();
            self.replace(Known::changed(&known, &self.tls, &updates));
        }
        self.note(change.revision, disk::fingerprint(change));
        let invalidations = change.writes.iter().filter_map(|write| match write {
            Write::Put(key, value) if key.starts_with(INVALIDATIONS) => Some((&**key, &**value)),
            _ => None,
        });
        self.bans.invalidate(change.revision, invalidations);
        self.acknowledge(change.revision);
    }

    fn replace(&self, next: Known) {
        match next.faults() {
            None => self.world.health.heal("plans"),
            Some(why) => {
                tracing::error!(%why, "not all that was published can be put in force");
                self.world.health.ail("plans", Severity::Degraded, why);
            }
        }
        self.current.store(Arc::new(next));
    }

    fn acknowledge(&self, revision: Revision) {
        self.acknowledged.send_replace(Some(revision));
        self.meters.in_force(self.current.load().distributions(), revision);
    }

    fn in_touch(&self) {
        self.world.health.heal("feed");
    }

    async fn out_of_touch(&self, why: &StoreError) {
        let ready = self.acknowledged.borrow().is_some();
        let (severity, effect) = if ready {
            (Severity::Degraded, "the last known configuration stays in force")
        } else {
            (Severity::Unready, "nothing can be served before it answers; check metadata.url")
        };
        tracing::warn!(%why, effect, "out of touch with the metadata store");
        self.world.health.ail("feed", severity, format!("{why}; {effect}"));
        tokio::time::sleep(PATIENCE).await;
    }
}

/// Every invalidation up to a change that a snapshot still has, with the change that brought it.
fn invalidations(
    snapshot: &Snapshot,
    up_to: Revision,
) -> impl Iterator<Item = (Revision, &str, &[u8])> {
    let entries = snapshot.entries.iter().filter(|entry| entry.key.starts_with(INVALIDATIONS));
    let entries = entries.filter(move |entry| entry.revision <= up_to);
    entries.map(|entry| (entry.revision, &*entry.key, &*entry.value))
}
