//! The battery that every store of responses passes.
#![expect(clippy::unwrap_used, reason = "tests")]
#![expect(clippy::unused_async, reason = "the battery waits for its stage")]

use contracts::cachestore::Stage;
use nearfront_cachestore_disk::{AGAIN_AFTER, DiskStore, Options, State};
use packing::Entry;
use ports::cachestore::{CacheKey, CacheStore, Fill, Lookup};

/// A disk that keeps up: the battery is about what is kept, not about what is dropped when a disk
/// is slow. What is found was written and is read back.
struct KeepsUp(DiskStore);

impl CacheStore for KeepsUp {
    fn find(&self, key: &CacheKey) -> Lookup<'_> {
        CacheStore::find(&self.0, key)
    }

    fn put(&self, key: CacheKey, entry: Entry) {
        CacheStore::put(&self.0, key, entry);
        self.0.flush();
    }

    fn remove(&self, key: &CacheKey) {
        self.0.remove(key);
    }

    fn clear(&self) {
        self.0.clear();
    }

    fn longest(&self) -> u64 {
        self.0.longest()
    }

    fn fill(&self) -> Fill {
        self.0.fill()
    }
}

async fn stage(budget: u64) -> Stage {
    let folder = tempfile::tempdir().unwrap();
    let store = DiskStore::open(Options {
        folder: folder.path().to_owned(),
        budget,
        again_after: AGAIN_AFTER,
        tell: Box::new(|state| assert_eq!(*state, State::On)),
    });
    let store = store.unwrap();
    store.release();
    Stage::of(KeepsUp(store), folder)
}

contracts::cachestore_battery!(stage);
