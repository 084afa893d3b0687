//! A part of the table, and who has to go when it is full.
//!
//! For: the admission policy, a variant of S3-FIFO; `docs/adr/0006-memory-admission.md` says what
//! else was measured. Not for: locks (`table`).
//!
//! What comes enters a window of a twentieth of the budget, first in, first out. At its end, what
//! was found meanwhile is admitted to the main part; all else goes and leaves a ghost, unless the
//! main part has room. What comes back while its ghost is there is admitted at once. In the main
//! part a hand goes round: what was found since stays, one round for each hit, up to three. A hit
//! is a count in the entry's place and moves nothing, so finding needs no exclusive lock.

use super::{
    ghosts::Ghosts,
    print::Print,
    slots::{Queue, Slots},
};
use std::sync::atomic::Ordering::Relaxed;

/// The window has this part of the budget.
const WINDOW_PART: u64 = 20;

/// Hits that an entry's place counts.
const MOST_HITS: u8 = 3;

/// Entries that the hand passes at most for one that goes.
const PASSES: usize = 128;

/// Of so many that go at the end of the window, one is admitted instead: what nobody asks for any
/// more must not stay forever because all else comes back just too late for its ghost.
const LUCKY: u32 = 512;

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
    ghosts: Ghosts,
    budget: u64,
    window: u64,
    /// How many went at the end of the window, for one in [`LUCKY`].
    went: u32,
}

impl<V: Clone> Shard<V> {
    pub(super) fn new(budget: u64) -> Self {
        let (slots, ghosts) = (Slots::new(), Ghosts::new());
        Self { slots, ghosts, budget, window: budget / WINDOW_PART, went: 0 }
    }

    pub(super) fn entries(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.slots.bytes()
    }

    /// What is here, and it was found once more. Two that count at once may count as one.
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

    /// Where a new entry for this key goes.
    pub(super) fn queue_for(&self, print: Print) -> Queue {
        if self.ghosts.has(print) { Queue::Main } else { Queue::Window }
    }

    /// A new entry, for which there must be room; its key must not be here.
    pub(super) fn insert(&mut self, queue: Queue, print: Print, value: V, weight: u32) {
        self.ghosts.remove(print);
        self.slots.insert(queue, print, value, weight);
    }

    /// One step towards room for so many bytes in this queue; what had to go is put into `gone`, to
    /// be dropped when the lock is released.
    pub(super) fn make_room(&mut self, queue: Queue, weight: u32, gone: &mut Vec<V>) -> Room {
        let more = |one| if one == queue { u64::from(weight) } else { 0 };
        let window = self.slots.bytes_in(Queue::Window) + more(Queue::Window);
        let main = self.slots.bytes_in(Queue::Main) + more(Queue::Main);
        let leaving = self.slots.oldest(Queue::Window).map(|(at, _)| at);
        match leaving.filter(|_| window > self.window) {
            Some(at) => gone.extend(self.leave_window(at)),
            None if main > self.main_part() || window + main > self.budget => {
                let Some(at) = self.victim().or(leaving) else { return Room::Made };
                gone.extend(self.slots.remove(at));
            }
            None => return Room::Made,
        }
        Room::More
    }

    fn main_part(&self) -> u64 {
        self.budget - self.window
    }

    /// The oldest of the window is admitted, or what it drives out goes, or it goes itself.
    fn leave_window(&mut self, at: u32) -> Option<V> {
        let slot = self.slots.get(at)?;
        let (print, weight) = (slot.print, u64::from(slot.weight));
        let wanted = slot.hits.load(Relaxed) > 0 || self.went >= LUCKY;
        if self.slots.bytes_in(Queue::Main) + weight <= self.main_part() {
            slot.hits.store(0, Relaxed);
            self.slots.send(at, Queue::Main);
            self.went %= LUCKY;
            None
        } else if wanted && weight <= self.main_part() {
            let victim = self.victim()?;
            self.slots.remove(victim)
        } else {
            self.went += 1;
            self.ghosts.add(print, self.slots.len());
            self.slots.remove(at)
        }
    }

    /// The hand passes what was found.
    fn victim(&mut self) -> Option<u32> {
        for _ in 0..PASSES {
            let (at, slot) = self.slots.oldest(Queue::Main)?;
            let hits = slot.hits.load(Relaxed);
            if hits == 0 {
                return Some(at);
            }
            slot.hits.store(hits - 1, Relaxed);
            self.slots.send(at, Queue::Main);
        }
        self.slots.oldest(Queue::Main).map(|(at, _)| at)
    }
}
