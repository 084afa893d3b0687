//! What is counted, over all logs of one store.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that grows.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// So many more.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// How many so far.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Since the start of the process.
#[derive(Debug, Default)]
pub struct Counters {
    /// Records that were found and read whole.
    pub read: Count,
    /// Records written, those written anew included.
    pub written: Count,
    /// Records written anew because they were read in their first life.
    pub rewritten: Count,
    /// Puts that were not kept: the queue was full, or they were too long.
    pub dropped: Count,
    /// Records that went to make room.
    pub evicted: Count,
    /// Removals that were written to a journal.
    pub removals: Count,
    /// Records that were damaged, and forgotten.
    pub damaged: Count,
    /// Reads that were not tried because too many waited.
    pub busy: Count,
    /// How often the disk failed.
    pub failures: Count,
}
