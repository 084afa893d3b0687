//! One part of the index: where records are, and what waits to be written.
//!
//! For: every decision that must be taken in one moment under one lock.
//! Not for: files, nor for how much is held in all (`log`).

use crate::place::{ByPrint, Place, Print, Spot};
use ports::cachestore::CacheKey;

/// What waits to be written.
#[derive(Debug)]
pub struct Waiting<P> {
    /// Which put it was.
    pub id: u64,
    /// Whose it is.
    pub key: CacheKey,
    /// What is to be kept.
    pub kept: P,
    /// What it counts for.
    pub bytes: u64,
    /// Whether a record of it may be on disk already: it is being written, or written anew.
    pub on_disk: bool,
}

/// One part of the index.
#[derive(Debug)]
pub struct Shard<P> {
    index: ByPrint<Spot>,
    waiting: ByPrint<Waiting<P>>,
    /// What was removed, while segments of an earlier process are being loaded.
    graves: Option<ByPrint<Place>>,
}

/// What is known of a key.
#[derive(Debug)]
pub enum Seen<P> {
    /// It waits to be written.
    Waiting(P),
    /// It is on disk.
    There(Spot),
    /// Nothing.
    Nothing,
}

/// What was taken away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// What it counted for, if there was anything.
    pub held: Option<u64>,
    /// How much of that waited to be written.
    pub queued: u64,
    /// Whether a record on disk must be buried.
    pub bury: bool,
}

impl<P: Clone> Shard<P> {
    /// Empty. `loading`: what an earlier process left is still to come.
    pub fn new(loading: bool) -> Self {
        Self {
            index: ByPrint::default(),
            waiting: ByPrint::default(),
            graves: loading.then(ByPrint::default),
        }
    }

    /// What is known; a record on disk counts as read from now on.
    pub fn find(&mut self, print: Print, key: &CacheKey) -> Seen<P> {
        if let Some(waiting) = self.waiting.get(&print) {
            let same = waiting.key == *key;
            return if same { Seen::Waiting(waiting.kept.clone()) } else { Seen::Nothing };
        }
        self.index.get_mut(&print).map_or(Seen::Nothing, |spot| {
            spot.mark_read();
            Seen::There(*spot)
        })
    }

    /// Takes away what is held, in the index or waiting. `head` is where the next record will begin.
    pub fn take(&mut self, print: Print, head: Place) -> Taken {
        let loading = self.graves.is_some();
        let waited = self.waiting.remove(&print);
        let indexed = self.index.remove(&print);
        if let Some(graves) = &mut self.graves {
            graves.insert(print, head);
        }
        let queued = waited.as_ref().map(|waiting| waiting.bytes);
        Taken {
            held: queued.or(indexed.map(|spot| u64::from(spot.length()))),
            queued: queued.unwrap_or_default(),
            bury: loading || indexed.is_some() || waited.is_some_and(|waiting| waiting.on_disk),
        }
    }

    /// Something is to be written; [`take`](Self::take) was called before, under the same lock.
    pub fn wait(&mut self, print: Print, waiting: Waiting<P>) {
        self.waiting.insert(print, waiting);
    }

    /// What this put brought, if nothing has taken its place.
    pub fn waits(&self, print: Print, id: u64) -> Option<(CacheKey, P)> {
        let waiting = self.waiting.get(&print).filter(|waiting| waiting.id == id)?;
        Some((waiting.key, waiting.kept.clone()))
    }

    /// From now on a record of it may be on disk. False when something has taken its place.
    pub fn begin(&mut self, print: Print, id: u64) -> bool {
        let waiting = self.waiting.get_mut(&print).filter(|waiting| waiting.id == id);
        waiting.map(|waiting| waiting.on_disk = true).is_some()
    }

    /// It is on disk now; returns what it counted for while it waited. None, and nothing done, when
    /// something has taken its place.
    pub fn written(&mut self, print: Print, id: u64, spot: Spot) -> Option<u64> {
        let waited = self.give_up(print, id)?;
        self.index.insert(print, spot);
        Some(waited)
    }

    /// It will not be written; returns what it counted for, if nothing has taken its place.
    pub fn give_up(&mut self, print: Print, id: u64) -> Option<u64> {
        self.waiting.get(&print).filter(|waiting| waiting.id == id)?;
        self.waiting.remove(&print).map(|waiting| waiting.bytes)
    }

    /// Whether this record is the one that counts; then also whether it was read.
    pub fn stands(&self, print: Print, spot: Spot) -> Option<bool> {
        let held = self.index.get(&print).filter(|held| held.is(spot));
        held.map(|held| held.was_read())
    }

    /// Takes a record out of the index, if it is the one that counts.
    pub fn forget(&mut self, print: Print, spot: Spot) -> bool {
        let stands = self.stands(print, spot).is_some();
        if stands {
            self.index.remove(&print);
        }
        stands
    }

    /// Takes all records of a segment out; returns how many there were, and their bytes.
    pub fn forget_segment(&mut self, segment: u32) -> (u64, u64) {
        let (mut entries, mut bytes) = (0, 0);
        self.index.retain(|_, spot| {
            let goes = spot.segment == segment;
            entries += u64::from(goes);
            bytes += u64::from(goes) * u64::from(spot.length());
            !goes
        });
        (entries, bytes)
    }

    /// An earlier process removed what was written before this place.
    pub fn bury(&mut self, print: Print, before: Place) {
        if let Some(graves) = &mut self.graves {
            let known = graves.entry(print).or_default();
            *known = before.max(*known);
        }
    }

    /// An earlier process wrote this. False when something newer is known.
    pub fn load(&mut self, print: Print, spot: Spot) -> bool {
        let buried = self.graves.as_ref().and_then(|graves| graves.get(&print));
        let newer = buried.is_some_and(|before| spot.place() < *before)
            || self.waiting.contains_key(&print)
            || self.index.contains_key(&print);
        if !newer {
            self.index.insert(print, spot);
        }
        !newer
    }

    /// All that an earlier process left is here.
    pub fn loaded(&mut self) {
        self.graves = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: CacheKey = CacheKey([1; 32]);

    fn waiting(id: u64) -> Waiting<&'static str> {
        Waiting { id, key: KEY, kept: "kept", bytes: 10, on_disk: false }
    }

    #[test]
    fn what_was_taken_while_it_waited_is_not_written() {
        let (mut shard, print) = (Shard::new(false), Print::of(&KEY));
        shard.wait(print, waiting(1));
        let taken = shard.take(print, Place(9));
        assert_eq!(taken, Taken { held: Some(10), queued: 10, bury: false });
        shard.wait(print, waiting(2));
        assert!(shard.waits(print, 1).is_none() && !shard.begin(print, 1));
        assert!(shard.begin(print, 2));
        assert!(shard.take(print, Place(9)).bury, "a record of it may be on disk");
        assert!(shard.written(print, 2, Spot::new(1, 32, 64)).is_none());
        assert!(matches!(shard.find(print, &KEY), Seen::Nothing));
    }

    #[test]
    fn what_an_earlier_process_left_never_stands_before_what_is_newer() {
        let (mut shard, print) = (Shard::<&str>::new(true), Print::of(&KEY));
        let (old, new) = (Spot::new(1, 32, 64), Spot::new(1, 96, 64));
        shard.bury(print, Place::at(1, 96));
        assert!(!shard.load(print, old) && shard.load(print, new));
        assert!(shard.take(print, Place::at(2, 32)).bury);
        assert!(!shard.load(print, new), "removed while it was loaded");
        shard.loaded();
        assert!(!shard.take(print, Place::at(2, 32)).bury);
    }
}
