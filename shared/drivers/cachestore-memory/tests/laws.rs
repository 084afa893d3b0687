//! Laws of the memory store: whatever is done to it from four threads, its weights add up.

use contracts::cachestore::{key, response};
use nearfront_cachestore_memory::MemoryStore;
use packing::Entry;
use ports::cachestore::{CacheStore, Fill, Lookup};
use proptest::prelude::*;
use std::thread;

#[derive(Clone, Debug)]
enum Step {
    Put(u64, u64),
    Remove(u64),
    Find(u64),
}

const KEYS: u64 = 64;

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..KEYS, 0_u64..60_000).prop_map(|(number, length)| Step::Put(number, length)),
        1 => (0..KEYS).prop_map(Step::Remove),
        3 => (0..KEYS).prop_map(Step::Find),
    ];
    prop::collection::vec(step, 0..200)
}

fn walk(store: &MemoryStore, steps: Vec<Step>) {
    for step in steps {
        match step {
            Step::Put(number, length) => store.put(key(number), Entry::pack(&response(0, length))),
            Step::Remove(number) => store.remove(&key(number)),
            Step::Find(number) => drop(store.find(&key(number))),
        }
    }
}

/// What a store says when it holds this alone.
fn alone(length: u64) -> Fill {
    let store = MemoryStore::new(64 << 20);
    store.put(key(0), Entry::pack(&response(0, length)));
    store.fill()
}

fn held(store: &MemoryStore) -> Fill {
    let found = (0..KEYS).filter_map(|number| match store.find(&key(number)) {
        Lookup::Found(entry) => Some(alone(entry.length())),
        _ => None,
    });
    found.fold(Fill::default(), |sum, one| Fill {
        entries: sum.entries + one.entries,
        bytes: sum.bytes + one.bytes,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn fill_is_the_sum_of_what_can_be_found_and_within_the_budget(
        budget in 0_u64..3_000_000,
        work in prop::array::uniform4(steps()),
    ) {
        let store = MemoryStore::new(budget);
        thread::scope(|scope| {
            for steps in work {
                scope.spawn(|| walk(&store, steps));
            }
        });
        prop_assert_eq!(store.fill(), held(&store));
        prop_assert!(store.fill().bytes <= budget);
        for number in 0..KEYS {
            store.remove(&key(number));
        }
        prop_assert_eq!(store.fill(), Fill::default());
    }

    #[test]
    fn what_is_not_longer_than_longest_is_found_right_after_its_put(
        budget in 100_000_u64..3_000_000,
        part in 0.0..=1.0_f64,
        before in steps(),
    ) {
        let store = MemoryStore::new(budget);
        walk(&store, before);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss,
                 reason = "small and positive")]
        let length = (store.longest() as f64 * part) as u64;
        store.put(key(1), Entry::pack(&response(7, length)));
        let Lookup::Found(found) = store.find(&key(1)) else { panic!("not kept") };
        prop_assert_eq!(found.length(), length);
    }
}

#[test]
fn a_body_may_take_a_sixteenth_of_the_budget_but_not_more_than_64_mebibytes() {
    assert_eq!(MemoryStore::new(16_000).longest(), 1_000);
    assert_eq!(MemoryStore::new(1 << 40).longest(), 64 << 20);
    assert_eq!(MemoryStore::new(u64::MAX).longest(), 64 << 20);
}

#[test]
fn a_store_without_budget_keeps_nothing() {
    let store = MemoryStore::new(0);
    store.put(key(1), Entry::pack(&response(0, 0)));
    assert!(matches!(store.find(&key(1)), Lookup::Absent));
    assert_eq!(store.fill(), Fill::default());
}

#[test]
fn a_scan_does_not_drive_out_what_is_asked_for_again_and_again() {
    let store = MemoryStore::new(4 << 20);
    let popular = 0..50_u64;
    for number in popular.clone() {
        store.put(key(number), Entry::pack(&response(0, 8_000)));
    }
    for round in 0..20_u64 {
        for number in popular.clone() {
            drop(store.find(&key(number)));
        }
        for once in 0..500 {
            store.put(key(1_000 + round * 500 + once), Entry::pack(&response(0, 8_000)));
        }
    }
    let left = popular.filter(|number| matches!(store.find(&key(*number)), Lookup::Found(_)));
    assert!(left.count() >= 45, "popular responses stay");
}
