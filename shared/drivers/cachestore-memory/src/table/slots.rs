//! The places of a shard: found by fingerprint, lined up in two queues.
//!
//! For: holding entries in as little memory as can be. Not for: deciding who goes (`shard`).
//!
//! Places are numbered without gaps: the last one moves to where one is given up, so memory follows
//! the number of entries both ways. They are found by linear hashing with chains through the
//! places: a table of heads that grows by one bucket at a time, so no request ever waits for a
//! rehash.

use super::{chunks::Chunks, print::Print};
use std::sync::atomic::AtomicU8;

/// No place.
const NONE: u32 = u32::MAX;

/// Where an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Queue {
    /// Just come.
    Window,
    /// Admitted.
    Main,
}

/// An entry in its place. What finding needs comes first, so that it is mostly one cache line.
#[repr(C)]
pub(super) struct Slot<V> {
    pub(super) print: Print,
    /// Next one in the same bucket.
    chain: u32,
    /// Times it was found since it was last looked at for eviction.
    pub(super) hits: AtomicU8,
    queue: Queue,
    pub(super) value: V,
    pub(super) weight: u32,
    newer: u32,
    older: u32,
}

#[derive(Clone, Copy)]
struct Ends {
    oldest: u32,
    newest: u32,
    bytes: u64,
}

/// All places of a shard.
pub(super) struct Slots<V> {
    places: Chunks<Slot<V>>,
    heads: Chunks<u32>,
    window: Ends,
    main: Ends,
}

impl<V> Slots<V> {
    pub(super) fn new() -> Self {
        let ends = Ends { oldest: NONE, newest: NONE, bytes: 0 };
        Self { places: Chunks::new(), heads: Chunks::new(), window: ends, main: ends }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.window.bytes + self.main.bytes
    }

    pub(super) fn bytes_in(&self, queue: Queue) -> u64 {
        self.ends(queue).bytes
    }

    pub(super) fn find(&self, print: Print) -> Option<(u32, &Slot<V>)> {
        let mut at = *self.heads.get(self.bucket(print))?;
        while let Some(slot) = self.places.get(at) {
            if slot.print == print {
                return Some((at, slot));
            }
            at = slot.chain;
        }
        None
    }

    pub(super) fn get(&self, at: u32) -> Option<&Slot<V>> {
        self.places.get(at)
    }

    pub(super) fn oldest(&self, queue: Queue) -> Option<(u32, &Slot<V>)> {
        let at = self.ends(queue).oldest;
        Some((at, self.places.get(at)?))
    }

    /// A new entry at the young end of this queue; its fingerprint must not be here.
    pub(super) fn insert(&mut self, queue: Queue, print: Print, value: V, weight: u32) {
        let at = self.count();
        self.split();
        let bucket = self.bucket(print);
        let chain = self.heads.get_mut(bucket).map_or(NONE, |head| std::mem::replace(head, at));
        let hits = AtomicU8::new(0);
        let slot = Slot { print, value, weight, chain, newer: NONE, older: NONE, hits, queue };
        self.places.push(slot);
        self.enqueue(at, queue);
    }

    /// Another value in the same place; returns the one that was there.
    pub(super) fn replace(&mut self, at: u32, value: V, weight: u32) -> Option<V> {
        let slot = self.places.get_mut(at)?;
        let before = std::mem::replace(&mut slot.weight, weight);
        let (value, queue) = (std::mem::replace(&mut slot.value, value), slot.queue);
        let ends = self.ends_mut(queue);
        ends.bytes = ends.bytes + u64::from(weight) - u64::from(before);
        Some(value)
    }

    /// To the young end of this queue.
    pub(super) fn send(&mut self, at: u32, queue: Queue) {
        self.dequeue(at);
        self.enqueue(at, queue);
    }

    /// Gives the place up.
    pub(super) fn remove(&mut self, at: u32) -> Option<V> {
        let print = self.places.get(at)?.print;
        let next = self.places.get(at)?.chain;
        self.dequeue(at);
        self.point(print, at, next);
        let last = self.places.pop()?;
        let moved = self.count();
        if at == moved {
            return Some(last.value);
        }
        self.point(last.print, moved, at);
        self.rename(&last, at);
        let gone = std::mem::replace(self.places.get_mut(at)?, last);
        Some(gone.value)
    }

    /// Neighbours of a place that moves learn its new number.
    fn rename(&mut self, moved: &Slot<V>, to: u32) {
        match self.places.get_mut(moved.newer) {
            Some(newer) => newer.older = to,
            None => self.ends_mut(moved.queue).newest = to,
        }
        match self.places.get_mut(moved.older) {
            Some(older) => older.newer = to,
            None => self.ends_mut(moved.queue).oldest = to,
        }
    }

    /// Whatever leads to `from` in the bucket of this fingerprint leads to `to` afterwards.
    fn point(&mut self, print: Print, from: u32, to: u32) {
        let bucket = self.bucket(print);
        let Some(head) = self.heads.get_mut(bucket) else { return };
        if *head == from {
            *head = to;
            return;
        }
        let mut at = *head;
        while let Some(slot) = self.places.get_mut(at) {
            if slot.chain == from {
                slot.chain = to;
                return;
            }
            at = slot.chain;
        }
    }

    fn dequeue(&mut self, at: u32) {
        let Some(slot) = self.places.get(at) else { return };
        let (newer, older, queue, weight) = (slot.newer, slot.older, slot.queue, slot.weight);
        match self.places.get_mut(newer) {
            Some(slot) => slot.older = older,
            None => self.ends_mut(queue).newest = older,
        }
        match self.places.get_mut(older) {
            Some(slot) => slot.newer = newer,
            None => self.ends_mut(queue).oldest = newer,
        }
        self.ends_mut(queue).bytes -= u64::from(weight);
    }

    fn enqueue(&mut self, at: u32, queue: Queue) {
        let newest = self.ends(queue).newest;
        let Some(slot) = self.places.get_mut(at) else { return };
        (slot.newer, slot.older, slot.queue) = (NONE, newest, queue);
        let weight = u64::from(slot.weight);
        if let Some(before) = self.places.get_mut(newest) {
            before.newer = at;
        }
        let ends = self.ends_mut(queue);
        ends.newest = at;
        ends.bytes += weight;
        if newest == NONE {
            ends.oldest = at;
        }
    }

    /// One bucket more when there are as many entries; what belongs there comes from one other.
    fn split(&mut self) {
        let new = number(self.heads.len());
        if self.heads.len() > self.places.len() {
            return;
        }
        self.heads.push(NONE);
        // The bucket that covered the new one's keys so far; the first one covers nobody's.
        let Some(half) = new.checked_ilog2() else { return };
        let old = new - (1 << half);
        let mut at = self.heads.get_mut(old).map_or(NONE, |head| std::mem::replace(head, NONE));
        while let Some(slot) = self.places.get(at) {
            let (next, bucket) = (slot.chain, self.bucket(slot.print));
            self.prepend(bucket, at);
            at = next;
        }
    }

    fn prepend(&mut self, bucket: u32, at: u32) {
        let Some(head) = self.heads.get_mut(bucket) else { return };
        let next = std::mem::replace(head, at);
        if let Some(slot) = self.places.get_mut(at) {
            slot.chain = next;
        }
    }

    /// Linear hashing: as many low bits as number all buckets, or one less where that bucket is
    /// not there yet.
    fn bucket(&self, print: Print) -> u32 {
        let count = self.heads.len();
        let mask = count.next_power_of_two() - 1;
        let bits = usize::try_from(print.bits() & u64::from(u32::MAX)).unwrap_or(0);
        let bucket = bits & mask;
        number(if bucket < count { bucket } else { bits & (mask >> 1) })
    }

    /// The number that the next place would have.
    fn count(&self) -> u32 {
        number(self.places.len())
    }

    fn ends(&self, queue: Queue) -> &Ends {
        match queue {
            Queue::Window => &self.window,
            Queue::Main => &self.main,
        }
    }

    fn ends_mut(&mut self, queue: Queue) -> &mut Ends {
        match queue {
            Queue::Window => &mut self.window,
            Queue::Main => &mut self.main,
        }
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(NONE)
}

#[cfg(test)]
#[path = "slots_tests.rs"]
mod tests;
