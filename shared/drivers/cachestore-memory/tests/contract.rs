//! The memory store keeps every promise of its port.
#![expect(clippy::unused_async, reason = "other stages have to wait")]

use contracts::cachestore::Stage;
use nearfront_cachestore_memory::MemoryStore;

contracts::cachestore_battery!(stage);

async fn stage(budget: u64) -> Stage {
    Stage::of(MemoryStore::new(budget), ())
}
