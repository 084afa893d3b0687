//! A table of values under a budget of bytes, found by 32-byte keys.
//!
//! For: [`MemoryStore`](crate::MemoryStore), and for measuring its admission policy
//! (`examples/admission`). Not for: keys that are not outputs of a strong hash, nor for values that
//! are not cheap to clone.

mod chunks;
mod ghosts;
mod print;
mod shard;
mod slots;

use parking_lot::RwLock;
use print::{Print, Secret};
use shard::{Room, Shard};

/// Steps of making room between which others have a turn.
const STEPS: usize = 8;

/// Values by key, within a budget.
///
/// Shape: sharded; every shard has an equal share of the budget and never holds more, so the table
/// never does. A lock is held for some microseconds, whatever the size of the table. Finding
/// takes one shared lock and allocates nothing. Values are dropped outside of locks.
pub struct Table<V> {
    /// As many as a power of two.
    shards: Box<[Apart<V>]>,
    secret: Secret,
    share: u64,
}

/// A lock on cache lines of its own.
#[repr(align(128))]
struct Apart<V>(RwLock<Shard<V>>);

/// How full a table is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filled {
    /// Values held.
    pub entries: u64,
    /// Sum of their weights.
    pub bytes: u64,
}

impl<V: Clone> Table<V> {
    /// An empty table for this sum of weights, in as many shards (rounded up to a power of two).
    pub fn new(budget: u64, shards: u16) -> Self {
        let count = u64::from(shards.max(1)).next_power_of_two();
        let share = budget / count;
        let empty = |_| Apart(RwLock::new(Shard::new(share)));
        Self { shards: (0..count).map(empty).collect(), secret: Secret::draw(), share }
    }

    /// Heaviest value that is kept.
    pub fn share(&self) -> u64 {
        self.share
    }

    /// What was put last for this key, unless it had to go.
    pub fn find(&self, key: &[u8; 32]) -> Option<V> {
        let print = self.secret.print(key);
        self.shard(print)?.read().find(print)
    }

    /// Keeps this value instead of what was there. One that is heavier than a
    /// [`share`](Self::share) is not kept, and nothing is, for this key.
    pub fn put(&self, key: &[u8; 32], value: V, weight: u64) {
        let print = self.secret.print(key);
        let Some(shard) = self.shard(print) else { return };
        match u32::try_from(weight).ok().filter(|_| weight <= self.share) {
            Some(weight) => put(shard, print, value, weight),
            None => drop(remove(shard, print)),
        }
    }

    /// Forgets it.
    pub fn remove(&self, key: &[u8; 32]) {
        let print = self.secret.print(key);
        drop(self.shard(print).and_then(|shard| remove(shard, print)));
    }

    /// Forgets everything, shard by shard.
    pub fn clear(&self) {
        for Apart(shard) in &self.shards {
            let full = std::mem::replace(&mut *shard.write(), Shard::new(self.share));
            drop(full);
        }
    }

    /// How full it is.
    pub fn fill(&self) -> Filled {
        self.shards.iter().fold(Filled::default(), |sum, Apart(shard)| {
            let shard = shard.read();
            Filled {
                entries: sum.entries + shard.entries() as u64,
                bytes: sum.bytes + shard.bytes(),
            }
        })
    }

    /// High bits choose the shard, since low ones choose the bucket in it.
    fn shard(&self, print: Print) -> Option<&RwLock<Shard<V>>> {
        let bits = usize::try_from(print.bits() >> 48).unwrap_or(0);
        self.shards.get(bits & (self.shards.len() - 1)).map(|Apart(shard)| shard)
    }
}

fn remove<V: Clone>(shard: &RwLock<Shard<V>>, print: Print) -> Option<V> {
    shard.write().remove(print)
}

fn put<V: Clone>(shard: &RwLock<Shard<V>>, print: Print, value: V, weight: u32) {
    let mut value = Some(value);
    let mut gone = Vec::new();
    while value.is_some() {
        value = step(shard, print, value, weight, &mut gone);
        gone.clear();
    }
}

/// One turn of a put; the value comes back as long as it is not in.
fn step<V: Clone>(
    shard: &RwLock<Shard<V>>,
    print: Print,
    value: Option<V>,
    weight: u32,
    gone: &mut Vec<V>,
) -> Option<V> {
    let mut shard = shard.write();
    let value = match shard.replace(print, value?, weight) {
        Ok(before) => {
            gone.extend(before);
            return None;
        }
        Err(value) => value,
    };
    gone.extend(shard.remove(print));
    let queue = shard.queue_for(print);
    for _ in 0..STEPS {
        if shard.make_room(queue, weight, gone) == Room::Made {
            shard.insert(queue, print, value, weight);
            return None;
        }
    }
    Some(value)
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
