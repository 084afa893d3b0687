//! Cached responses in a log on disk, which survives a restart.
//!
//! For: the second tier of an edge. Not for: deciding whether what was kept before a restart may
//! still be served; the user [notes](Store::note) how far it has come, is told after a restart how
//! far that [was](Store::recalled), and clears the store or [releases](Store::release) it.
//!
//! Shape: segments of records, written one behind the other by one thread; an index of 20 bytes an
//! entry in memory; a journal of removals beside each segment. `docs/adr/0007` says why.
//!
//! Promises:
//! - what was removed or replaced does not come back, however the process ends;
//! - what is damaged on disk is not found, and counted;
//! - puts are dropped when the disk does not keep up; nothing waits for it but the reader of a record;
//! - a disk that fails turns the store off, which says so, and tries again by itself.

use packing::Entry;
use ports::cachestore::{CacheKey, CacheStore, Lookup};

mod counters;
mod files;
mod journal;
mod loader;
mod log;
mod place;
mod pool;
mod record;
mod shard;
mod sizes;
mod stamp;
mod store;
mod writer;

pub use counters::{Count, Counters};
pub use ports::cachestore::Fill;
pub use stamp::Point;
pub use store::{AGAIN_AFTER, Found, Options, State, Store, Tell};

/// What can be kept on disk.
pub trait Kept: Clone + Send + Sync + 'static {
    /// Bytes that [`write`](Self::write) appends, exactly.
    fn length(&self) -> usize;

    /// Appends it.
    fn write(&self, to: &mut Vec<u8>);

    /// What was written; none when it cannot be read.
    fn read(bytes: &[u8]) -> Option<Self>;
}

/// In front of an entry's own record: how far the bans were checked, which the [`Point`] gives a
/// meaning beyond the process.
const CHECKED: usize = size_of::<u64>();

impl Kept for Entry {
    fn length(&self) -> usize {
        CHECKED + self.record_length()
    }

    fn write(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(&self.bans_checked().to_le_bytes());
        self.record(to);
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (checked, record) = bytes.split_first_chunk()?;
        let entry = Self::from_record(record)?;
        entry.spared_up_to(u64::from_le_bytes(*checked));
        Some(entry)
    }
}

/// A [`CacheStore`] on disk.
pub type DiskStore = Store<Entry>;

impl CacheStore for DiskStore {
    fn find(&self, key: &CacheKey) -> Lookup<'_> {
        match Store::find(self, key) {
            Found::Now(entry) => Lookup::Found(entry),
            Found::Later(entry) => Lookup::Later(entry),
            Found::Absent => Lookup::Absent,
        }
    }

    fn put(&self, key: CacheKey, entry: Entry) {
        if entry.length() > Store::longest(self) && entry.generation().is_none() {
            return Store::remove(self, &key);
        }
        Store::put(self, key, entry);
    }

    fn remove(&self, key: &CacheKey) {
        Store::remove(self, key);
    }

    fn clear(&self) {
        Store::clear(self);
    }

    fn longest(&self) -> u64 {
        Store::longest(self)
    }

    fn fill(&self) -> Fill {
        Store::fill(self)
    }
}
