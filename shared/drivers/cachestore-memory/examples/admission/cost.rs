//! What a table costs: bytes of resident memory for each entry, and time.
//!
//! For: the table and what it replaced, each in a process of its own. Not for: entries themselves.

use crate::traces::mix;
use nearfront_cachestore_memory::table::Table;
use quick_cache::{Weighter, sync::Cache};
use std::{hint::black_box, process::Command, thread};

/// Entries that fit.
const ENTRIES: u64 = 1_000_000;

/// What is measured.
const KINDS: [&str; 2] = ["Nearfront", "quick_cache"];

type Key = [u8; 32];

/// A cache of handles of 8 bytes that weigh 1 each.
trait Handles: Sync {
    fn find(&self, key: &Key) -> bool;
    fn put(&self, key: Key);
}

impl Handles for Table<u64> {
    fn find(&self, key: &Key) -> bool {
        self.find(key).is_some()
    }

    fn put(&self, key: Key) {
        self.put(&key, 1, 1);
    }
}

/// As it was used before: handle and weight, sixteen shards.
struct Weighed;

impl Weighter<Key, (u64, u64)> for Weighed {
    fn weight(&self, _: &Key, (_, weight): &(u64, u64)) -> u64 {
        *weight
    }
}

impl Clone for Weighed {
    fn clone(&self) -> Self {
        Self
    }
}

impl Handles for Cache<Key, (u64, u64), Weighed> {
    fn find(&self, key: &Key) -> bool {
        self.get(key).is_some()
    }

    fn put(&self, key: Key) {
        self.insert(key, (1, 1));
    }
}

/// Runs itself once for each kind.
pub(crate) fn report() {
    println!("\n{ENTRIES} entries, keys of 32 bytes and handles of 8 included\n");
    println!(
        "| | bytes each, filled | after as many evictions | find | find, two threads \
         | put while growing |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    for kind in KINDS {
        let itself =
            std::env::current_exe().map(|program| Command::new(program).arg(kind).output());
        match itself {
            Ok(Ok(output)) => print!("{}", String::from_utf8_lossy(&output.stdout)),
            failed => println!("| {kind} | not measured: {failed:?} |"),
        }
    }
}

/// Prints the row of one kind.
pub(crate) fn measure(kind: &str) {
    if kind == "quick_cache" {
        row(kind, || Cache::with_weighter(ENTRIES as usize, ENTRIES, Weighed));
    } else {
        row(kind, || Table::<u64>::new(ENTRIES, 64));
    }
}

fn row<H: Handles>(kind: &str, make: impl FnOnce() -> H) {
    let before = resident();
    let cache = make();
    let start = busy();
    (0..ENTRIES).for_each(|number| cache.put(key(number)));
    let put = (busy() - start) / ENTRIES;
    let filled = (resident() - before) / held(&cache, ENTRIES);
    (ENTRIES..2 * ENTRIES).for_each(|number| cache.put(key(number)));
    let turned = (resident() - before) / held(&cache, 2 * ENTRIES);
    let (alone, two) = (finding(&cache, 1), finding(&cache, 2));
    println!("| {kind} | {filled:.1} | {turned:.1} | {alone} ns | {two} ns | {put} ns |");
}

fn held(cache: &impl Handles, numbers: u64) -> f64 {
    (0..numbers).filter(|number| cache.find(&key(*number))).count() as f64
}

/// Nanoseconds of a core for each look-up of what is held or was, in no order: the mean of as many
/// as there are entries, in this many threads at once.
fn finding(cache: &impl Handles, threads: u64) -> u64 {
    let find = |seed: u64| {
        let start = busy();
        let numbers = (0..ENTRIES).map(|at| mix(at + seed * ENTRIES) % ENTRIES);
        black_box(numbers.filter(|number| cache.find(&key(*number))).count());
        (busy() - start) / ENTRIES
    };
    let find = &find;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|seed| scope.spawn(move || find(seed))).collect();
        let count = threads.len() as u64;
        threads.into_iter().filter_map(|one| one.join().ok()).sum::<u64>() / count
    })
}

/// Nanoseconds that this thread has had a core for, whatever else the machine does; of Linux.
fn busy() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split_whitespace().next().and_then(|first| first.parse().ok()).unwrap_or(0)
}

fn key(number: u64) -> Key {
    let mut key = [0; 32];
    for (piece, round) in key.chunks_exact_mut(8).zip(0_u64..) {
        piece.copy_from_slice(&mix(number * 4 + round + 1).to_le_bytes());
    }
    key
}

/// Bytes of resident memory, of Linux.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or(f64::NAN) * 1024.0
}
