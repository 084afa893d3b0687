//! The battery that every store passes, and what only two together can do wrong.
#![expect(clippy::unwrap_used, reason = "tests")]
#![expect(clippy::unused_async, reason = "the battery waits for its stage")]

use bytes::Bytes;
use cachestore_disk::{AGAIN_AFTER, DiskStore, Options};
use cachestore_memory::MemoryStore;
use contracts::cachestore::{Stage, key, response};
use model::units::Seconds;
use nearfront_cachestore_tiered::{Tiered, WORTH};
use packing::{Entry, Slice};
use ports::cachestore::{CacheKey, CacheStore, Fill, Lookup};
use std::{path::Path, sync::Arc};

fn disk(folder: &Path) -> Arc<DiskStore> {
    let store = DiskStore::open(Options {
        folder: folder.to_owned(),
        budget: 64 << 20,
        again_after: AGAIN_AFTER,
        tell: Box::new(|_| {}),
    });
    let store = store.unwrap();
    store.release();
    Arc::new(store)
}

/// A disk that keeps up: what it drops when it does not is no matter of the battery.
struct KeepsUp(Arc<DiskStore>);

impl CacheStore for KeepsUp {
    fn find(&self, key: &CacheKey) -> Lookup<'_> {
        CacheStore::find(&*self.0, key)
    }

    fn put(&self, key: CacheKey, entry: Entry) {
        CacheStore::put(&*self.0, key, entry);
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
    let back = Arc::new(KeepsUp(disk(folder.path())));
    Stage::of(Tiered::new(MemoryStore::new(budget), back), folder)
}

contracts::cachestore_battery!(stage);

/// A front that is empty while the back holds `number`.
fn warm(folder: &Path, number: u64) -> Tiered<MemoryStore, DiskStore> {
    let back = disk(folder);
    back.put(key(number), lasting(b'a'));
    back.flush();
    Tiered::new(MemoryStore::new(4 << 20), back)
}

fn lasting(byte: u8) -> Entry {
    let mut stored = response(byte, 1_000);
    stored.fresh_for = WORTH;
    Entry::pack(&stored)
}

fn first(store: &dyn CacheStore, number: u64) -> Option<u8> {
    match store.find(&key(number)) {
        Lookup::Found(entry) => entry.body().and_then(|body| body.first().copied()),
        _ => None,
    }
}

#[tokio::test]
async fn what_the_back_has_comes_to_the_front() {
    let folder = tempfile::tempdir().unwrap();
    let store = warm(folder.path(), 1);
    let Lookup::Later(later) = store.find(&key(1)) else { panic!("the front is empty") };
    assert!(later.await.is_some());
    assert_eq!(first(&store, 1), Some(b'a'));
}

#[tokio::test]
async fn what_comes_from_the_back_does_not_replace_what_was_put_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let store = warm(folder.path(), 1);
    let Lookup::Later(later) = store.find(&key(1)) else { panic!("the front is empty") };
    store.put(key(1), lasting(b'b'));
    later.await;
    assert_eq!(first(&store, 1), Some(b'b'));
}

#[tokio::test]
async fn what_comes_from_the_back_does_not_bring_back_what_was_removed_meanwhile() {
    type Forget = fn(&Tiered<MemoryStore, DiskStore>);
    let ways: [Forget; 2] = [|store| store.remove(&key(1)), Tiered::clear];
    for forget in ways {
        let folder = tempfile::tempdir().unwrap();
        let store = warm(folder.path(), 1);
        let Lookup::Later(later) = store.find(&key(1)) else { panic!("the front is empty") };
        forget(&store);
        later.await;
        assert!(matches!(store.find(&key(1)), Lookup::Absent));
    }
}

#[test]
fn only_what_lasts_goes_to_the_back_and_what_does_not_takes_the_old_one_away() {
    let folder = tempfile::tempdir().unwrap();
    let back = disk(folder.path());
    let store = Tiered::new(MemoryStore::new(4 << 20), back.clone());
    let mut short = response(b'x', 100);
    short.fresh_for = Seconds(WORTH.0 - 1);
    store.put(key(1), Entry::pack(&short));
    assert_eq!(back.fill().entries, 0);
    store.put(key(1), lasting(b'a'));
    store.put(key(2), Entry::of_slice(Slice::of(0, Bytes::from_static(b"slice"))));
    assert_eq!(back.fill().entries, 2);
    store.put(key(1), Entry::pack(&short));
    assert_eq!(back.fill().entries, 1);
    assert_eq!(first(&store, 1), Some(b'x'));
}
