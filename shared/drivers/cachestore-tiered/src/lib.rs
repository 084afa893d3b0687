//! Two stores as one: a fast one in front of a large one.
//!
//! For: memory in front of a disk. What is put goes to the front, and to the back when it is worth
//! it; what is found in the back comes to the front. Not for: how either keeps what it has.
//!
//! Worth it: slices; what has no body, which is small; what the front does not take; and whatever is
//! fresh for [`WORTH`] or longer when it is put. What has to be asked for again at once would be
//! written again at once, too.
//!
//! Promise: what comes from the back never takes the place of what was put meanwhile.

use futures::FutureExt as _;
use model::units::Seconds;
use packing::Entry;
use parking_lot::{Mutex, MutexGuard};
use ports::cachestore::{CacheKey, CacheStore, Fill, Lookup};
use std::sync::Arc;

/// Shortest freshness that is worth writing to the back.
pub const WORTH: Seconds = Seconds(10);

/// Keys that are watched together; a neighbour's put costs one move to the front.
const STRIPES: usize = 256;

/// The two stores; both are only to be changed through this.
pub struct Tiered<F, B> {
    front: F,
    back: Arc<B>,
    /// How often keys of a stripe were put or removed.
    stripes: Vec<Mutex<u64>>,
    last: Mutex<u64>,
}

impl<F: CacheStore, B: CacheStore> Tiered<F, B> {
    /// One in front of the other.
    pub fn new(front: F, back: Arc<B>) -> Self {
        let stripes = (1..STRIPES).map(|_| Mutex::default()).collect();
        Self { front, back, stripes, last: Mutex::default() }
    }

    fn stripe(&self, key: &CacheKey) -> MutexGuard<'_, u64> {
        let number = key.0.iter().fold(0, |sum: u8, byte| sum.rotate_left(1) ^ byte);
        self.stripes.get(usize::from(number)).unwrap_or(&self.last).lock()
    }

    /// Moves to the front what was found in the back, unless its key was put or removed since.
    fn promote(&self, key: CacheKey, seen: u64, entry: &Entry) {
        let stripe = self.stripe(&key);
        if *stripe == seen {
            self.front.put(key, entry.clone());
        }
    }
}

impl<F: CacheStore, B: CacheStore> CacheStore for Tiered<F, B> {
    fn find(&self, key: &CacheKey) -> Lookup<'_> {
        match self.front.find(key) {
            Lookup::Absent => {}
            known => return known,
        }
        let (key, seen) = (*key, *self.stripe(key));
        match self.back.find(&key) {
            Lookup::Absent => Lookup::Absent,
            Lookup::Found(entry) => {
                self.promote(key, seen, &entry);
                Lookup::Found(entry)
            }
            Lookup::Later(later) => Lookup::Later(
                later
                    .map(move |found| found.inspect(|entry| self.promote(key, seen, entry)))
                    .boxed(),
            ),
        }
    }

    fn put(&self, key: CacheKey, entry: Entry) {
        let mut stripe = self.stripe(&key);
        *stripe += 1;
        if is_worth(&entry) || entry.length() > self.front.longest() {
            self.back.put(key, entry.clone());
        } else {
            self.back.remove(&key);
        }
        self.front.put(key, entry);
    }

    fn remove(&self, key: &CacheKey) {
        let mut stripe = self.stripe(key);
        *stripe += 1;
        self.back.remove(key);
        self.front.remove(key);
    }

    fn clear(&self) {
        let all = self.stripes.iter().chain([&self.last]);
        let mut all: Vec<_> = all.map(Mutex::lock).collect();
        for stripe in &mut all {
            **stripe += 1;
        }
        self.back.clear();
        self.front.clear();
    }

    /// That of the one that takes longer bodies; the other does without them.
    fn longest(&self) -> u64 {
        self.front.longest().max(self.back.longest())
    }

    /// That of the front; the back is asked by whoever has it.
    fn fill(&self) -> Fill {
        self.front.fill()
    }
}

fn is_worth(entry: &Entry) -> bool {
    entry.slice().is_some() || entry.length() == 0 || entry.fresh_for() >= WORTH
}
