//! Cached responses in memory under a byte budget.
//!
//! For: the first tier of an edge. Not for: surviving a restart, or bodies that are still coming.
//!
//! The budget counts what entries weigh and what bookkeeping costs for each. Who stays when it is
//! spent was chosen by measurement: `docs/adr/0006-memory-admission.md`; `scripts/bench --admission`
//! repeats it.

pub mod table;

use packing::Entry;
use ports::cachestore::{CacheKey, CacheStore, Fill, Lookup};
use table::Table;

/// Longest body that is kept in one entry, whatever the budget: 64 MiB.
pub const LONGEST: u64 = 64 << 20;

/// A body may take this part of the budget, so that one cannot drive out all others.
const PARTS: u64 = 16;

/// Most independently locked parts of the store.
const MOST_SHARDS: u16 = 64;

/// Room that is left for the head of a response when parts are made.
const MOST_HEAD: u64 = 64 << 10;

/// What the table takes for each entry: 48 bytes of place, 4 to 5 of hash table, 1 to 2 of ghosts,
/// and what the allocator rounds up.
const BOOKKEEPING: u64 = 56;

/// A [`CacheStore`] that holds everything in memory.
///
/// Shape: [`fill`](CacheStore::fill) never says more bytes than the budget. Clones are not possible:
/// share it in an `Arc`.
pub struct MemoryStore {
    table: Table<Entry>,
    longest: u64,
}

impl MemoryStore {
    /// An empty store for this many bytes. With a budget too small for any response it keeps none.
    pub fn new(budget_bytes: u64) -> Self {
        let longest = (budget_bytes / PARTS).min(LONGEST);
        Self { table: Table::new(budget_bytes, shards(budget_bytes, longest)), longest }
    }
}

impl CacheStore for MemoryStore {
    fn find(&self, key: &CacheKey) -> Lookup<'_> {
        self.table.find(&key.0).map_or(Lookup::Absent, Lookup::Found)
    }

    fn put(&self, key: CacheKey, entry: Entry) {
        if entry.body().is_some_and(|body| body.len() as u64 > self.longest) {
            return self.table.remove(&key.0);
        }
        let weight = BOOKKEEPING + entry.weight() as u64;
        self.table.put(&key.0, entry, weight);
    }

    fn remove(&self, key: &CacheKey) {
        self.table.remove(&key.0);
    }

    fn clear(&self) {
        self.table.clear();
    }

    fn longest(&self) -> u64 {
        self.longest
    }

    fn fill(&self) -> Fill {
        let table::Filled { entries, bytes } = self.table.fill();
        Fill { entries, bytes }
    }
}

/// As many as there can be while each has room for the longest body and its head.
fn shards(budget: u64, longest: u64) -> u16 {
    let room = longest.saturating_add(MOST_HEAD);
    let halves = std::iter::successors(Some(MOST_SHARDS), |shards| Some(shards / 2));
    let fits = |shards: &u16| budget / u64::from(*shards) >= room;
    halves.take_while(|shards| *shards > 1).find(fits).unwrap_or(1)
}
