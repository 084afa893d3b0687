//! The disk tier, as the edge uses it: opened by settings, believed after a restart or not, watched.
//!
//! For: that nothing is served after a restart that was invalidated before it, during it, or while
//! this edge was down. Not for: what is on disk and how (`cachestore-disk`).
//!
//! Every copy on disk says under which change of the feed it was asked for. After a restart the
//! metadata store tells every invalidation with the change that brought it, and the later ones ban
//! the copy. That holds only within one history: so the last change that was in force is noted on
//! disk, with a fingerprint of what it wrote. Where the store cannot show that same change any more,
//! because its log begins later or it is another store or has lost commits, the disk is emptied.
//! What was invalidated since is read from the log: an entry may be gone again by now.

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use cachestore_disk::{AGAIN_AFTER, Counters, DiskStore, Options, Point, State};
use kit::{health::Severity, metrics::Metrics, service::World, settings::Settings};
use model::{feed::INVALIDATIONS, units::Revision};
use ports::metastore::{Change, Changes, MetaStore, StoreError, Write};
use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};
use std::{io, sync::Arc, time::Duration};

/// Name of the tier in `/readyz`.
const PART: &str = "disk";
/// What the folder is called in the data folder.
const FOLDER: &str = "cache";
/// How often numbers are shown anew.
const EVERY: Duration = Duration::from_secs(1);

/// Changes read at a time.
const BATCH: usize = 256;
/// Most batches that are read for what was invalidated meanwhile: who was away for longer than that
/// begins empty rather than late.
const MOST_BATCHES: usize = 64;

/// An invalidation: the change that brought it, key and value.
pub type Told = (Revision, String, Bytes);

/// What an earlier process left.
pub struct Recalled {
    /// How far it had come.
    pub point: Point,
    /// Every invalidation after that, up to the snapshot.
    pub since: Vec<Told>,
}

/// The disk tier.
pub struct Disk {
    /// Where copies are kept.
    pub store: Arc<DiskStore>,
    meters: Meters,
}

impl Disk {
    /// Opens what settings ask for; none when that is nothing. A disk that cannot be used is no
    /// error: health says so, and it is tried again.
    ///
    /// # Errors
    /// When the system has no threads left.
    pub fn open(settings: &Settings, world: &World) -> io::Result<Option<Arc<Self>>> {
        let Some(budget) = kit::size::bytes(&settings.edge.disk) else { return Ok(None) };
        let folder = settings.edge.disk_folder.clone();
        let folder = folder.unwrap_or_else(|| settings.data_dir.join(FOLDER));
        let (health, place) = (world.health.clone(), folder.display().to_string());
        let tell = move |state: &State| match state {
            State::On => health.heal(PART),
            State::Off(why) => {
                let advice = format!(
                    "{why}; make room, set edge.disk smaller or see to the disk of {place}: it is tried again by itself, and begins empty"
                );
                tracing::error!(%why, folder = place, "the disk cache is off: make room, set edge.disk smaller or see to the disk; requests go on, and it is tried again by itself");
                health.ail(PART, Severity::Degraded, advice);
            }
        };
        let options = Options { folder, budget, again_after: AGAIN_AFTER, tell: Box::new(tell) };
        let store = Arc::new(DiskStore::open(options)?);
        Ok(Some(Arc::new(Self { store, meters: Meters::new(&world.metrics) })))
    }

    /// What an earlier process left, if every invalidation since can be known. `revision` is that of
    /// a snapshot.
    ///
    /// # Errors
    /// When the metadata store does not answer.
    pub async fn recall(
        &self,
        metadata: &dyn MetaStore,
        revision: Revision,
    ) -> Result<Option<Recalled>, StoreError> {
        let Some(point) = self.store.recalled() else { return Ok(None) };
        if point.fingerprint == 0 || point.revision > revision.0 {
            return Ok(None);
        }
        let noted = Revision(point.revision);
        if fingerprint_of(metadata, noted).await? != point.fingerprint {
            return Ok(None);
        }
        let since = invalidated(metadata, noted, revision).await?;
        Ok(since.map(|since| Recalled { point, since }))
    }

    /// Shows numbers every second until it is time to stop.
    pub async fn watch(self: Arc<Self>, world: World) {
        loop {
            self.meters.show(&self.store);
            tokio::select! {
                () = world.drain.signalled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    /// Writes what waits and closes the disk. Dropping the call half-way leaves that going on.
    pub async fn close(self: Arc<Self>) {
        let _ = tokio::task::spawn_blocking(move || self.store.close()).await;
    }
}

/// Every invalidation after a change, up to another; none when the log cannot tell, or not soon.
async fn invalidated(
    metadata: &dyn MetaStore,
    after: Revision,
    up_to: Revision,
) -> Result<Option<Vec<Told>>, StoreError> {
    let (mut at, mut told) = (after, Vec::new());
    for _ in 0..MOST_BATCHES {
        if at >= up_to {
            return Ok(Some(told));
        }
        let Changes::Next(changes) = metadata.changes(at, BATCH).await? else { return Ok(None) };
        let Some(last) = changes.last() else { return Ok(None) };
        at = last.revision;
        // What comes after the snapshot is heard as any other change.
        let wanted = changes.into_iter().filter(|change| change.revision <= up_to);
        told.extend(wanted.flat_map(invalidations));
    }
    Ok((at >= up_to).then_some(told))
}

fn invalidations(change: Change) -> impl Iterator<Item = Told> {
    let revision = change.revision;
    change.writes.into_iter().filter_map(move |write| match write {
        Write::Put(key, value) if key.starts_with(INVALIDATIONS) => Some((revision, key, value)),
        _ => None,
    })
}

/// What the change of this revision looks like; 0 when the metadata store cannot show it.
///
/// # Errors
/// When the metadata store does not answer.
pub async fn fingerprint_of(
    metadata: &dyn MetaStore,
    revision: Revision,
) -> Result<u64, StoreError> {
    let Some(before) = revision.0.checked_sub(1) else { return Ok(0) };
    let changes = metadata.changes(Revision(before), 1).await?;
    Ok(match changes {
        Changes::Next(changes) => changes.first().map_or(0, fingerprint),
        Changes::Lost => 0,
    })
}

/// What a change looks like, in 64 bits; never 0.
pub fn fingerprint(change: &Change) -> u64 {
    let bytes = serde_json::to_vec(change).unwrap_or_default();
    let hash = digest(&SHA256, &bytes);
    let first = hash.as_ref().first_chunk().copied().unwrap_or_default();
    u64::from_le_bytes(first).max(1)
}

/// The tier's numbers.
struct Meters {
    on: Gauge,
    loading: Gauge,
    entries: Gauge,
    bytes: Gauge,
    files: Gauge,
    counts: Vec<(Number, Counter)>,
}

/// Where a number is.
type Number = fn(&Counters) -> u64;
/// Name, help, and that.
type Counted = (&'static str, &'static str, Number);

const COUNTED: [Counted; 9] = [
    ("edge_disk_read", "Copies found on disk", |all| all.read.get()),
    ("edge_disk_written", "Records written to disk", |all| all.written.get()),
    ("edge_disk_rewritten", "Records written anew since they were read", |all| all.rewritten.get()),
    ("edge_disk_dropped", "Copies not kept: disk behind", |all| all.dropped.get()),
    ("edge_disk_evicted", "Records that went to make room", |all| all.evicted.get()),
    ("edge_disk_removals", "Removals written to disk", |all| all.removals.get()),
    ("edge_disk_damaged", "Damaged records that were forgotten", |all| all.damaged.get()),
    ("edge_disk_busy", "Reads not tried: disk behind", |all| all.busy.get()),
    ("edge_disk_failures", "How often the disk tier was turned off", |all| all.failures.get()),
];

impl Meters {
    fn new(metrics: &Metrics) -> Self {
        let meters = Self {
            on: Gauge::default(),
            loading: Gauge::default(),
            entries: Gauge::default(),
            bytes: Gauge::default(),
            files: Gauge::default(),
            counts: COUNTED.map(|(_, _, count)| (count, Counter::default())).into(),
        };
        metrics.register(|registry| meters.register(registry));
        meters
    }

    fn register(&self, to: &mut Registry) {
        to.register("edge_disk_on", "1 while the disk tier is on", self.on.clone());
        to.register("edge_disk_loading", "1 while its index loads", self.loading.clone());
        to.register("edge_disk_entries", "Copies on disk", self.entries.clone());
        to.register("edge_disk_bytes", "Bytes of copies on disk", self.bytes.clone());
        to.register("edge_disk_file_bytes", "Bytes of the disk tier's files", self.files.clone());
        for ((name, help, _), (_, counter)) in COUNTED.iter().zip(&self.counts) {
            to.register(*name, *help, counter.clone());
        }
    }

    fn show(&self, store: &DiskStore) {
        let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let fill = store.fill();
        self.loading.set(i64::from(store.is_loading()));
        self.on.set(i64::from(store.is_on()));
        self.entries.set(signed(fill.entries));
        self.bytes.set(signed(fill.bytes));
        self.files.set(signed(store.on_disk()));
        for (count, counter) in &self.counts {
            let now = count(store.counters());
            counter.inner().store(now, std::sync::atomic::Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::metastore::FakeStore;

    #[tokio::test]
    async fn what_the_log_cannot_tell_soon_is_not_known() {
        let store = FakeStore::default();
        let most = BATCH * MOST_BATCHES;
        for _ in 0..=most {
            store.put(&[("invalidation/E1/I1", Vec::new())]);
        }
        let last = Revision(most as u64 + 1);
        let told = async |after, up_to| {
            let told = invalidated(&store, Revision(after), up_to).await.unwrap();
            told.map(|told| told.len())
        };
        assert_eq!(told(0, last).await, None, "too many");
        assert_eq!(told(1, last).await, Some(most));
        assert_eq!(told(1, Revision(9)).await, Some(8), "nothing after the snapshot");
        assert_eq!(told(last.0, last).await, Some(0));
        assert_eq!(told(last.0, Revision(last.0 + 1)).await, None, "less than the snapshot");
        store.loses_its_log();
        assert_eq!(told(1, last).await, None);
    }
}
