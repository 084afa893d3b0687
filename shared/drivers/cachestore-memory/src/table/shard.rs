//! A part of the table, and who has to go when it is full.
//!
//! For: the admission policy, a variant of W-TinyLFU whose hits move nothing; see
//! `docs/adr/0006-memory-admission.md` for what else was measured. Not for: locks (`table`).
//!
//! What comes enters a window of a tenth of the budget, first in, first out. When it reaches the
//! end it has to have been asked for more often than the entry that the main part would lose for
//! it. There, a hand goes round: what was found since its last visit stays. A hit is a count in
//! the entry's place, so finding needs no exclusive lock; counts go to the history when the hand or
//! the end of the window comes by.

use super::{
    history::History,
    print::Print,
    slots::{Queue, Slot, Slots},
};
use std::sync::atomic::Ordering::Relaxed;

/// The window has this part of the budget.
const WINDOW_PART: u64 = 10;

/// Hits that an entry's place counts.
const MOST_HITS: u8 = 3;

/// Hits in the window that admit without comparison.
const ADMITTING_HITS: u8 = 2;

/// Entries that the hand passes at most for one that goes.
const PASSES: usize = 32;

/// Whether there is room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// Yes.
    Made,
    /// Not yet: go on.
    More,
}

/// A part of the table with a budget of its own, to be locked as a whole.
pub(super) struct Shard<V> {
    slots: Slots<V>,
    history: History,
    budget: u64,
    window: u64,
}

impl<V: Clone> Shard<V> {
    pub(super) fn new(budget: u64) -> Self {
        Self { slots: Slots::new(), history: History::new(), budget, window: budget / WINDOW_PART }
    }

    pub(super) fn entries(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.slots.bytes()
    }

    /// What is here, and it was asked for once more. Two that count at once may count as one.
    pub(super) fn find(&self, print: Print) -> Option<V> {
        let (_, slot) = self.slots.find(print)?;
        let hits = slot.hits.load(Relaxed);
        if hits < MOST_HITS {
            slot.hits.store(hits + 1, Relaxed);
        }
        Some(slot.value.clone())
    }

    pub(super) fn remove(&mut self, print: Print) -> Option<V> {
        let (at, _) = self.slots.find(print)?;
        self.slots.remove(at)
    }

    /// Puts this in the place of what is here for the same key, if there is something and the
    /// budget allows. `Ok` is what was there before; `Err` gives the value back.
    pub(super) fn replace(&mut self, print: Print, value: V, weight: u32) -> Result<Option<V>, V> {
        let Some((at, slot)) = self.slots.find(print) else { return Err(value) };
        let others = self.bytes() - u64::from(slot.weight);
        if others + u64::from(weight) > self.budget {
            return Err(value);
        }
        Ok(self.slots.replace(at, value, weight))
    }

    /// A new entry, for which there must be room; its key must not be here.
    pub(super) fn insert(&mut self, print: Print, value: V, weight: u32) {
        self.slots.insert(print, value, weight);
        self.history.arrived(print, self.slots.len());
    }

    /// One step towards room for so many bytes; what had to go is put into `gone`, to be dropped
    /// when the lock is released.
    pub(super) fn make_room(&mut self, weight: u32, gone: &mut Vec<V>) -> Room {
        let weight = u64::from(weight);
        let crowded = self.slots.bytes_in(Queue::Window) + weight > self.window;
        if let Some((at, _)) = self.slots.oldest(Queue::Window).filter(|_| crowded) {
            gone.extend(self.leave_window(at));
        } else if self.bytes() + weight > self.budget {
            let Some(victim) = self.victim() else { return Room::Made };
            gone.extend(self.evict(victim));
        } else {
            return Room::Made;
        }
        Room::More
    }

    /// The oldest of the window is admitted, or it goes, or what it drives out goes.
    fn leave_window(&mut self, candidate: u32) -> Option<V> {
        let weight = self.slots.get(candidate).map_or(0, |slot| u64::from(slot.weight));
        let room = self.budget - self.window;
        if self.slots.bytes_in(Queue::Main) + weight <= room {
            self.pass(candidate);
            return None;
        }
        match self.victim().filter(|_| weight <= room) {
            Some(victim) if self.beats(candidate, victim) => self.evict(victim),
            _ => self.evict(candidate),
        }
    }

    fn beats(&self, candidate: u32, victim: u32) -> bool {
        let (Some(candidate), Some(victim)) = (self.slots.get(candidate), self.slots.get(victim))
        else {
            return false;
        };
        let hits = candidate.hits.load(Relaxed);
        let (ours, theirs) = (self.worth(candidate), self.worth(victim));
        hits >= ADMITTING_HITS || ours > theirs || (ours == theirs && hits > 0)
    }

    fn worth(&self, slot: &Slot<V>) -> u8 {
        self.history.count(slot.print).saturating_add(slot.hits.load(Relaxed))
    }

    /// The hand passes what was found since its last visit.
    fn victim(&mut self) -> Option<u32> {
        for _ in 0..PASSES {
            let (at, slot) = self.slots.oldest(Queue::Main)?;
            if slot.hits.load(Relaxed) == 0 {
                break;
            }
            self.pass(at);
        }
        self.slots.oldest(Queue::Main).map(|(at, _)| at)
    }

    /// To the young end of the main part, its hits told to the history.
    fn pass(&mut self, at: u32) {
        self.settle(at);
        self.slots.send(at, Queue::Main);
    }

    fn evict(&mut self, at: u32) -> Option<V> {
        self.settle(at);
        self.slots.remove(at)
    }

    fn settle(&mut self, at: u32) {
        if let Some(slot) = self.slots.get(at) {
            let hits = slot.hits.swap(0, Relaxed);
            self.history.found(slot.print, hits);
        }
    }
}
