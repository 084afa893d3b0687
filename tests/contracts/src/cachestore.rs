//! What every cache store promises.
//!
//! For: drivers' own tests. `contracts::cachestore_battery!(stage)` makes a test of each promise;
//! `stage` is an async function that takes a budget in bytes and returns a [`Stage`].
//! Not for: what a driver keeps over a restart, or which entries it gives up first: its own tests.
#![expect(clippy::unwrap_used, reason = "a broken promise ends the test")]
#![expect(clippy::unused_async, reason = "promises are called alike, whether they look or not")]
#![expect(clippy::missing_panics_doc, reason = "every function here panics on a broken promise")]

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use model::units::{Seconds, Timestamp};
use packing::{Content, Entry, Stored};
use ports::cachestore::{CacheKey, CacheStore, Fill, Lookup};
use std::{
    any::Any,
    fmt,
    sync::{Arc, atomic::AtomicU64},
};

/// What every stage is made with: 4 MiB.
pub const BUDGET: u64 = 4 << 20;

/// A fresh, empty store.
pub struct Stage {
    /// The store.
    pub store: Arc<dyn CacheStore>,
    /// What must live as long as the stage: a folder.
    pub kept: Box<dyn Any + Send + Sync>,
}

impl fmt::Debug for Stage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Stage")
    }
}

impl Stage {
    /// A stage of a store, and of what must live as long.
    pub fn of(store: impl CacheStore + 'static, kept: impl Any + Send + Sync) -> Self {
        Self { store: Arc::new(store), kept: Box::new(kept) }
    }

    /// What is held, slower tiers included.
    pub async fn find(&self, number: u64) -> Option<Stored> {
        let entry = match self.store.find(&key(number)) {
            Lookup::Found(entry) => Some(entry),
            Lookup::Absent => None,
            Lookup::Later(later) => later.await,
        };
        entry?.open()
    }

    fn put(&self, number: u64, stored: &Stored) {
        self.store.put(key(number), Entry::pack(stored));
    }
}

macro_rules! battery {
    (($d:tt) $($promise:ident)*) => {
        /// A test of each promise; `stage` is an async function from a budget in bytes to a
        /// [`Stage`](crate::cachestore::Stage).
        #[macro_export]
        macro_rules! cachestore_battery {
            ($d stage:path) => {
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $promise() {
                    let stage = $d stage($d crate::cachestore::BUDGET).await;
                    $d crate::cachestore::$promise(&stage).await;
                })*
            };
        }
    };
}
battery! { ($)
    an_unknown_key_is_absent
    what_was_put_is_found_whole
    an_empty_body_is_kept
    a_later_put_takes_the_place_of_an_earlier_one
    keys_that_differ_in_one_bit_are_two
    a_removed_key_is_absent
    clear_forgets_everything
    a_body_of_the_longest_length_is_kept
    a_longer_body_is_not_kept_and_takes_the_old_one_away
    fill_follows_puts_and_removals
    replacing_does_not_add_up
    many_headers_count_against_the_budget
    the_budget_holds_in_a_flood
    the_budget_holds_when_four_threads_race
}

/// A key of its own for each number.
pub fn key(number: u64) -> CacheKey {
    let mut bytes = [0x5a; 32];
    let (front, _) = bytes.split_at_mut(8);
    front.copy_from_slice(&number.to_be_bytes());
    CacheKey(bytes)
}

/// A response whose body is `length` times this byte, in pieces of at most 64 KiB.
pub fn response(byte: u8, length: u64) -> Stored {
    const PIECE: usize = 64 << 10;
    let whole = Bytes::from(vec![byte; usize::try_from(length).unwrap()]);
    let pieces = whole.chunks(PIECE).map(|piece| whole.slice_ref(piece));
    Stored {
        status: StatusCode::OK,
        headers: HeaderMap::from_iter([(http::header::CONTENT_LENGTH, HeaderValue::from(length))]),
        content: Content::Whole(pieces.collect()),
        length,
        requested_at: Timestamp(1_000),
        received_at: Timestamp(2_000),
        initial_age: Seconds(3),
        fresh_for: Seconds(4),
        bans_checked: AtomicU64::new(5),
        entry: None,
    }
}

fn body(stored: &Stored) -> Vec<u8> {
    stored.pieces().concat()
}

/// Nothing is found where nothing was put.
pub async fn an_unknown_key_is_absent(stage: &Stage) {
    assert!(stage.find(1).await.is_none());
    stage.store.remove(&key(1));
    assert_eq!(stage.store.fill(), Fill::default());
}

/// Status, headers with repetitions, body and every time come back as they were put.
pub async fn what_was_put_is_found_whole(stage: &Stage) {
    let mut put = response(b'x', 100_000);
    put.status = StatusCode::NOT_FOUND;
    put.headers.append("set-cookie", HeaderValue::from_static("a=1"));
    put.headers.append("set-cookie", HeaderValue::from_static("b=2"));
    put.headers.append("x-bytes", HeaderValue::from_bytes(b"\xff\xfe").unwrap());
    let headers = put.headers.clone();
    stage.put(1, &put);
    let found = stage.find(1).await.unwrap();
    assert_eq!((found.status, found.length), (StatusCode::NOT_FOUND, 100_000));
    assert_eq!(found.headers, headers);
    assert_eq!(body(&found), vec![b'x'; 100_000]);
    let times = (found.requested_at, found.received_at);
    assert_eq!(times, (Timestamp(1_000), Timestamp(2_000)));
    let spans = (found.initial_age, found.fresh_for);
    assert_eq!(spans, (Seconds(3), Seconds(4)));
    assert_eq!(found.bans_checked.load(std::sync::atomic::Ordering::Relaxed), 5);
}

/// A response without a body is a response.
pub async fn an_empty_body_is_kept(stage: &Stage) {
    stage.put(1, &response(b'x', 0));
    assert!(body(&stage.find(1).await.unwrap()).is_empty());
    assert!(stage.store.fill().bytes > 0, "its head counts");
}

/// There is one response for a key: the last one.
pub async fn a_later_put_takes_the_place_of_an_earlier_one(stage: &Stage) {
    for byte in [b'a', b'b', b'c'] {
        stage.put(1, &response(byte, 1_000));
        assert_eq!(body(&stage.find(1).await.unwrap()), vec![byte; 1_000]);
    }
    assert_eq!(stage.store.fill().entries, 1);
}

/// Every bit of a key counts.
pub async fn keys_that_differ_in_one_bit_are_two(stage: &Stage) {
    let at = |bit: usize| {
        let mut bytes = [0; 32];
        bytes.iter_mut().skip(bit / 8).take(1).for_each(|byte| *byte = 1 << (bit % 8));
        CacheKey(bytes)
    };
    for bit in 0..256 {
        stage.store.put(at(bit), Entry::pack(&response(b'x', bit as u64)));
    }
    for bit in 0..256 {
        let length = match stage.store.find(&at(bit)) {
            Lookup::Found(entry) => Some(entry.length()),
            Lookup::Absent => None,
            Lookup::Later(later) => later.await.map(|entry| entry.length()),
        };
        assert_eq!(length, Some(bit as u64), "bit {bit}");
    }
}

/// What was removed is gone, and only that.
pub async fn a_removed_key_is_absent(stage: &Stage) {
    stage.put(1, &response(b'a', 10));
    stage.put(2, &response(b'b', 10));
    stage.store.remove(&key(1));
    assert!(stage.find(1).await.is_none());
    assert!(stage.find(2).await.is_some());
}

/// After clearing nothing is held, and the store goes on working.
pub async fn clear_forgets_everything(stage: &Stage) {
    for number in 0..50 {
        stage.put(number, &response(b'x', 1_000));
    }
    stage.store.clear();
    for number in 0..50 {
        assert!(stage.find(number).await.is_none());
    }
    assert_eq!(stage.store.fill(), Fill::default());
    stage.put(1, &response(b'x', 1_000));
    assert!(stage.find(1).await.is_some());
}

/// The length that a store names is one that it keeps, wherever the key falls.
pub async fn a_body_of_the_longest_length_is_kept(stage: &Stage) {
    let longest = stage.store.longest();
    assert!(longest > 0);
    for number in 0..20 {
        stage.put(number, &response(b'x', longest));
        let found = stage.find(number).await;
        assert_eq!(found.map(|found| found.length), Some(longest), "{number}");
    }
}

/// What is too long is passed over, and what it would have replaced is not served any more.
pub async fn a_longer_body_is_not_kept_and_takes_the_old_one_away(stage: &Stage) {
    stage.put(1, &response(b'a', 10));
    stage.put(1, &response(b'b', stage.store.longest() + 1));
    assert!(stage.find(1).await.is_none());
    assert_eq!(stage.store.fill(), Fill::default());
}

/// Fill counts at least what was put, and falls back to nothing.
pub async fn fill_follows_puts_and_removals(stage: &Stage) {
    for number in 0..20 {
        stage.put(number, &response(b'x', 10_000));
        let fill = stage.store.fill();
        assert_eq!(fill.entries, number + 1);
        assert!(fill.bytes >= fill.entries * 10_000, "{fill:?}");
        assert!(fill.bytes < fill.entries * 12_000, "{fill:?}");
    }
    for number in 0..20 {
        stage.store.remove(&key(number));
    }
    assert_eq!(stage.store.fill(), Fill::default());
}

/// A thousand puts for one key weigh as much as one.
pub async fn replacing_does_not_add_up(stage: &Stage) {
    stage.put(1, &response(b'x', 5_000));
    let once = stage.store.fill();
    for length in (0..1_000).rev() {
        stage.put(1, &response(b'x', length));
    }
    stage.put(1, &response(b'x', 5_000));
    assert_eq!(stage.store.fill(), once);
}

/// Heads are not free: responses that are all head do not outgrow the budget.
pub async fn many_headers_count_against_the_budget(stage: &Stage) {
    for number in 0..2_000 {
        let mut stored = response(b'x', 0);
        for line in 0..20 {
            let value = HeaderValue::from_str(&format!("{line:0>400}")).unwrap();
            stored.headers.append("x-line", value);
        }
        stage.put(number, &stored);
    }
    let fill = stage.store.fill();
    assert!(fill.bytes <= BUDGET, "{fill:?}");
    assert!(fill.entries * 20 * 400 <= BUDGET, "{fill:?}");
    assert!(fill.entries > 50, "{fill:?}");
}

/// Twenty times the budget goes in, at no time is more than the budget held, and what is found is
/// what was put.
pub async fn the_budget_holds_in_a_flood(stage: &Stage) {
    for number in 0..20_000 {
        stage.put(number, &response(byte_of(number), (number * 37) % 8_192));
        let fill = stage.store.fill();
        assert!(fill.bytes <= BUDGET, "{fill:?}");
    }
    let mut held = 0;
    for number in 0..20_000 {
        if let Some(found) = stage.find(number).await {
            assert!(body(&found).iter().all(|byte| *byte == byte_of(number)));
            held += found.length;
        }
    }
    assert!(held > BUDGET / 2, "the budget is made use of: {held}");
}

/// Four threads put, find, remove and clear at once: nobody finds another key's response, and the
/// budget holds throughout, but for one entry of each thread that is on its way in.
pub async fn the_budget_holds_when_four_threads_race(stage: &Stage) {
    let work = |seed: u64| {
        let store = stage.store.clone();
        move || race(store.as_ref(), seed)
    };
    let racing: Vec<_> = (1..=4).map(|seed| tokio::task::spawn_blocking(work(seed))).collect();
    for one in racing {
        one.await.unwrap();
    }
    assert!(stage.store.fill().bytes <= BUDGET);
    stage.store.clear();
    assert_eq!(stage.store.fill(), Fill::default());
}

fn race(store: &dyn CacheStore, seed: u64) {
    let mut state = seed;
    for _ in 0..5_000 {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (number, action, length) =
            ((state >> 33) % 500, (state >> 20) % 1_000, (state >> 40) % 40_000);
        match action {
            0 => store.clear(),
            1..100 => store.remove(&key(number)),
            100..550 => store.put(key(number), Entry::pack(&response(byte_of(number), length))),
            _ => {
                if let Lookup::Found(found) = store.find(&key(number)) {
                    assert!(found.body().unwrap().iter().all(|byte| *byte == byte_of(number)));
                }
            }
        }
        let slack = 4 * (40_000 + 2_048);
        assert!(store.fill().bytes <= BUDGET + slack);
    }
}

fn byte_of(number: u64) -> u8 {
    u8::try_from(number % 251).unwrap_or_default()
}
