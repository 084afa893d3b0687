//! How long a log of many entries takes to open: `restart FOLDER fill 1000000`, then `restart FOLDER`.
//!
//! Filling ends without closing anything, as a killed process does.
#![expect(clippy::unwrap_used, reason = "a measurement that fails ends")]

use bytes::Bytes;
use contracts::cachestore::{key, response};
use futures::executor::block_on;
use nearfront_cachestore_disk::{AGAIN_AFTER, DiskStore, Found, Options};
use packing::{Content, Entry};
use std::{env, path::PathBuf, time::Instant};

const BODY: usize = 512;

fn main() {
    let words: Vec<String> = env::args().collect();
    let started = Instant::now();
    let store = DiskStore::open(Options {
        folder: PathBuf::from(words.get(1).unwrap()),
        budget: 8 << 30,
        again_after: AGAIN_AFTER,
        tell: Box::new(|state| println!("{state:?}")),
    });
    let store = store.unwrap();
    store.release();
    match words.get(3) {
        Some(count) => fill(&store, count.parse().unwrap()),
        None => open(&store, started),
    }
    std::process::exit(0);
}

fn fill(store: &DiskStore, count: u64) {
    for number in 0..count {
        let mut stored = response(b'x', 0);
        stored.content = Content::Whole(vec![Bytes::from(vec![b'x'; BODY])]);
        stored.length = BODY as u64;
        store.put(key(number), Entry::pack(&stored));
        if number % 10_000 == 9_999 {
            store.flush();
        }
    }
    store.flush();
    println!("{:?}, {} bytes of files", store.fill(), store.on_disk());
}

/// The youngest entries are looked for first, again and again, until one is found.
fn open(store: &DiskStore, started: Instant) {
    let mut number = 0;
    let found = loop {
        number = if number == 0 { 1_000_000 } else { number - 1 };
        if let Found::Later(later) = store.find(&key(number)) {
            break block_on(later).is_some();
        }
    };
    println!("first hit ({found}) after {:?}", started.elapsed());
    while store.is_loading() {
        std::thread::yield_now();
    }
    println!("whole after {:?}: {:?}", started.elapsed(), store.fill());
}
