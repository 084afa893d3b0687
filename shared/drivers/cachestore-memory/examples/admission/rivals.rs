//! Policies to choose from.
//!
//! For: their hit ratios. Not for: their speed; all but the last two are written to be read.

use crate::ordered::Ordered;
use crate::traces::mix;
use nearfront_cachestore_memory::table::Table;
use quick_cache::{Weighter, unsync::Cache};
use std::collections::HashMap;

/// A cache that is asked for one object after the other.
pub(crate) trait Policy {
    /// Whether it had the object; if not, it was offered it.
    fn request(&mut self, key: u64, size: u64) -> bool;
}

/// From a budget and a usual size.
pub(crate) type Make = fn(u64, u64) -> Box<dyn Policy>;

/// All of them.
pub(crate) const RIVALS: &[(&str, Make)] = &[
    ("LRU", |budget, _| Box::new(Lru { budget, line: Ordered::default() })),
    ("S3-FIFO", |budget, _| Box::new(S3Fifo { budget, ..S3Fifo::default() })),
    ("W-TinyLFU", |budget, usual| Box::new(TinyLfu::new(budget, usual))),
    ("quick_cache", |budget, usual| {
        let entries = usize::try_from(budget / usual).unwrap_or(0);
        Box::new(Quick(Cache::with_weighter(entries, budget, BySize)))
    }),
    ("Nearfront", |budget, _| Box::new(Ours(Table::new(budget, 8)))),
];

/// Least recently used goes first.
struct Lru {
    budget: u64,
    line: Ordered,
}

impl Policy for Lru {
    fn request(&mut self, key: u64, size: u64) -> bool {
        if self.line.touch(key) {
            return true;
        }
        self.line.push(key, size);
        while self.line.bytes > self.budget {
            self.line.pop();
        }
        false
    }
}

/// A small queue of a tenth, a main queue with second chances, and as many ghosts as it has entries
/// (Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023).
#[derive(Default)]
struct S3Fifo {
    budget: u64,
    small: Ordered,
    main: Ordered,
    ghosts: Ordered,
    hits: HashMap<u64, u8>,
}

impl S3Fifo {
    fn evict(&mut self) {
        if self.small.bytes * 10 < self.budget && self.main.len() > 0 {
            return self.evict_main();
        }
        let Some((key, size)) = self.small.pop() else { return };
        if self.hits.get(&key).is_some_and(|hits| *hits > 1) {
            self.main.push(key, size);
            self.hits.insert(key, 0);
        } else {
            self.hits.remove(&key);
            self.ghosts.push(key, 0);
            while self.ghosts.len() > self.main.len().max(16) {
                self.ghosts.pop();
            }
        }
    }

    fn evict_main(&mut self) {
        while let Some((key, size)) = self.main.pop() {
            if let Some(hits) = self.hits.get_mut(&key).filter(|hits| **hits > 0) {
                *hits -= 1;
                self.main.push(key, size);
            } else {
                self.hits.remove(&key);
                return;
            }
        }
    }
}

impl Policy for S3Fifo {
    fn request(&mut self, key: u64, size: u64) -> bool {
        if let Some(hits) = self.hits.get_mut(&key) {
            *hits = (*hits + 1).min(3);
            return true;
        }
        while self.small.bytes + self.main.bytes + size > self.budget {
            self.evict();
        }
        let known = self.ghosts.remove(key).is_some();
        let queue = if known { &mut self.main } else { &mut self.small };
        queue.push(key, size);
        self.hits.insert(key, 0);
        false
    }
}

/// A window of 1 %, a segmented LRU of the rest, and a sketch that chooses between the two
/// (Einziger et al., "`TinyLFU`: a highly efficient cache admission policy", 2017).
struct TinyLfu {
    room: u64,
    window_room: u64,
    window: Ordered,
    probation: Ordered,
    protected: Ordered,
    sketch: Sketch,
}

impl TinyLfu {
    fn new(budget: u64, usual: u64) -> Self {
        let window_room = budget / 100;
        let line = Ordered::default;
        let sketch = Sketch::new(budget / usual);
        let (window, probation, protected) = (line(), line(), line());
        Self { room: budget - window_room, window_room, window, probation, protected, sketch }
    }

    fn protect(&mut self, key: u64, size: u64) {
        self.protected.push(key, size);
        while self.protected.bytes > self.room / 5 * 4 {
            let Some((key, size)) = self.protected.pop() else { return };
            self.probation.push(key, size);
        }
    }

    /// The candidate enters when it is worth more than each that would have to go.
    fn contest(&mut self, key: u64, size: u64) {
        while self.probation.bytes + self.protected.bytes + size > self.room {
            let segment =
                if self.probation.len() > 0 { &mut self.probation } else { &mut self.protected };
            match segment.oldest() {
                Some((victim, _)) if self.sketch.count(key) > self.sketch.count(victim) => {
                    segment.remove(victim);
                }
                _ => return,
            }
        }
        self.probation.push(key, size);
    }
}

impl Policy for TinyLfu {
    fn request(&mut self, key: u64, size: u64) -> bool {
        self.sketch.add(key);
        if self.window.touch(key) || self.protected.touch(key) {
            return true;
        }
        if let Some(size) = self.probation.remove(key) {
            self.protect(key, size);
            return true;
        }
        self.window.push(key, size);
        while self.window.bytes > self.window_room {
            let Some((key, size)) = self.window.pop() else { break };
            self.contest(key, size);
        }
        false
    }
}

/// Count-min with four rows of counters up to 15, sixteen for each entry, halved after ten requests
/// for each.
struct Sketch {
    rows: [Vec<u8>; 4],
    added: u64,
    period: u64,
}

impl Sketch {
    fn new(entries: u64) -> Self {
        let row = vec![0; entries.max(16).next_power_of_two() as usize * 4];
        Self { rows: std::array::from_fn(|_| row.clone()), added: 0, period: entries.max(16) * 10 }
    }

    fn counters(&self, key: u64) -> impl Iterator<Item = u8> {
        let row = move |(row, seed): (&Vec<u8>, u64)| row.get(at(key, seed, row.len())).copied();
        self.rows.iter().zip(0..).filter_map(row)
    }

    fn count(&self, key: u64) -> u8 {
        self.counters(key).min().unwrap_or(0)
    }

    fn add(&mut self, key: u64) {
        let least = self.count(key);
        for (row, seed) in self.rows.iter_mut().zip(0..) {
            let at = at(key, seed, row.len());
            if let Some(counter) = row.get_mut(at).filter(|counter| **counter == least.min(14)) {
                *counter += 1;
            }
        }
        self.added += 1;
        if self.added == self.period {
            self.added /= 2;
            self.rows.iter_mut().flatten().for_each(|counter| *counter /= 2);
        }
    }
}

fn at(key: u64, seed: u64, length: usize) -> usize {
    mix(key ^ (seed + 1) << 56) as usize % length
}

/// What stood here before: Clock-PRO, close to S3-FIFO.
struct Quick(Cache<u64, u64, BySize>);

#[derive(Clone)]
struct BySize;

impl Weighter<u64, u64> for BySize {
    fn weight(&self, _: &u64, size: &u64) -> u64 {
        *size
    }
}

impl Policy for Quick {
    fn request(&mut self, key: u64, size: u64) -> bool {
        let found = self.0.get(&key).is_some();
        if !found {
            self.0.insert(key, size);
        }
        found
    }
}

/// The table as the store has it, in eight shards.
struct Ours(Table<()>);

impl Policy for Ours {
    fn request(&mut self, key: u64, size: u64) -> bool {
        let mut bytes = [0; 32];
        bytes.iter_mut().zip(key.to_le_bytes()).for_each(|(to, from)| *to = from);
        let found = self.0.find(&bytes).is_some();
        if !found {
            self.0.put(&bytes, (), size);
        }
        found
    }
}
