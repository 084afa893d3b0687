//! Cached responses in memory under a byte budget.
//!
//! For: the first tier of an edge. Not for: surviving a restart, or bodies that are still coming.
//!
//! The budget counts bodies, headers and what bookkeeping costs for each; an entry that does not
//! fit takes others with it: those that were used least and longest ago go first (S3-FIFO).

mod weight;

use packing::Entry;
use ports::cachestore::{CacheKey, CacheStore, Fill, Lookup};
use quick_cache::{
    DefaultHashBuilder, OptionsBuilder, Weighter,
    sync::{Cache, DefaultLifecycle},
};

/// Longest body that is kept, whatever the budget: 64 MiB.
pub const LONGEST: u64 = 64 << 20;

/// A body may take this part of the budget, so that one cannot drive out all others.
const PARTS: u64 = 8;

/// Most independently locked parts of the cache.
const MOST_SHARDS: u64 = 16;

/// Room that is left for the head of a response when parts are made.
const MOST_HEAD: u64 = 64 << 10;

/// What an entry weighs on average, to decide how many evicted keys are remembered.
const USUAL_ENTRY: u64 = 16 << 10;

/// Enough entries for the most shards, so that the cache does not make fewer of them.
const LEAST_ENTRIES: usize = 512;

/// A [`CacheStore`] that holds everything in memory.
///
/// Shape: [`fill`](CacheStore::fill) never says more bytes than the budget; while a put is going on
/// it may hold one entry more. Clones are not possible: share it in an `Arc`.
pub struct MemoryStore {
    cache: Cache<CacheKey, Held, ByWeight>,
    longest: u64,
}

#[derive(Clone)]
struct Held {
    entry: Entry,
    weight: u64,
}

#[derive(Clone)]
struct ByWeight;

impl Weighter<CacheKey, Held> for ByWeight {
    fn weight(&self, _: &CacheKey, held: &Held) -> u64 {
        held.weight
    }
}

impl MemoryStore {
    /// An empty store for this many bytes. With a budget too small for any response it keeps none.
    pub fn new(budget_bytes: u64) -> Self {
        let longest = (budget_bytes / PARTS).min(LONGEST);
        Self { cache: cache(budget_bytes, shards(budget_bytes, longest)), longest }
    }
}

impl CacheStore for MemoryStore {
    fn find(&self, key: &CacheKey) -> Lookup<'_> {
        let held = self.cache.get(key);
        held.map_or(Lookup::Absent, |held| Lookup::Found(held.entry))
    }

    fn put(&self, key: CacheKey, entry: Entry) {
        if entry.body().is_some_and(|body| body.len() as u64 > self.longest) {
            self.remove(&key);
            return;
        }
        let weight = weight::of(&entry);
        self.cache.insert(key, Held { entry, weight });
    }

    fn remove(&self, key: &CacheKey) {
        self.cache.remove(key);
    }

    fn clear(&self) {
        self.cache.clear();
    }

    fn longest(&self) -> u64 {
        self.longest
    }

    fn fill(&self) -> Fill {
        Fill { entries: self.cache.len() as u64, bytes: self.cache.weight() }
    }
}

/// As many parts as there can be while each has room for two of the longest bodies and their heads.
fn shards(budget: u64, longest: u64) -> u64 {
    let room = longest.saturating_mul(2).saturating_add(MOST_HEAD);
    let fits = |shards: &u64| budget / shards >= room;
    std::iter::successors(Some(MOST_SHARDS), |shards| Some(shards / 2))
        .take_while(|shards| *shards > 1)
        .find(fits)
        .unwrap_or(1)
}

fn cache(budget: u64, shards: u64) -> Cache<CacheKey, Held, ByWeight> {
    let usual = usize::try_from(budget / USUAL_ENTRY).unwrap_or(usize::MAX).max(LEAST_ENTRIES);
    // Rounded down, since the cache rounds the share of each shard up.
    let budget = budget / shards * shards;
    let options = OptionsBuilder::new()
        .shards(usize::try_from(shards).unwrap_or(1))
        .estimated_items_capacity(usual)
        .weight_capacity(budget)
        .build();
    debug_assert!(options.is_ok(), "both capacities are set");
    let (hasher, lifecycle) = (DefaultHashBuilder::default(), DefaultLifecycle::default());
    match options {
        Ok(options) => Cache::with_options(options, ByWeight, hasher, lifecycle),
        Err(_) => Cache::with(usual, budget, ByWeight, hasher, lifecycle),
    }
}
