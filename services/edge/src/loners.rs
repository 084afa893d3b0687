//! What is not for all is remembered for a while, so that nobody waits for it in vain.
//!
//! For: keys whose last answer was for one viewer only, or could not be kept. Who asks for them goes
//! to the origin at once. Not for: whether an answer is kept (`rules/caching`).

use model::units::{Seconds, Timestamp};
use parking_lot::Mutex;
use ports::cachestore::CacheKey;
use std::collections::HashMap;

/// Most keys that are remembered; beyond it the oldest knowledge goes.
const MOST: usize = 16_384;
/// For how long. It costs a wait to learn it anew, and as many questions as there are viewers to
/// believe it for too long.
const SPAN: Seconds = Seconds(30);

/// What requests go alone for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Alone {
    /// Whatever of this is asked for.
    All,
    /// Parts of it: they come without what holds parts together.
    Parts,
}

/// Keys of which it is known, until when, and under which ban it was learnt.
#[derive(Default)]
pub struct Loners {
    known: Mutex<HashMap<(CacheKey, Alone), (Timestamp, u64)>>,
}

impl Loners {
    /// Its answer was for one only.
    pub fn remember(&self, key: CacheKey, what: Alone, now: Timestamp, bans: u64) {
        let mut known = self.known.lock();
        if known.len() >= MOST {
            known.retain(|_, (until, _)| *until > now);
        }
        if known.len() >= MOST {
            known.clear();
        }
        known.insert((key, what), (now + SPAN, bans));
    }

    /// An answer came that is for all.
    pub fn forget(&self, key: CacheKey, what: Alone) {
        let mut known = self.known.lock();
        if !known.is_empty() {
            known.remove(&(key, what));
        }
    }

    /// Whether to go alone. A ban makes it worth finding out again.
    pub fn has(&self, key: CacheKey, what: Alone, now: Timestamp, bans: u64) -> bool {
        let known = self.known.lock();
        let known = known.get(&(key, what));
        known.is_some_and(|(until, under)| *until > now && *under == bans)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: CacheKey = CacheKey([7; 32]);

    #[test]
    fn it_is_remembered_for_its_time_until_a_ban_or_a_better_answer() {
        let (loners, now) = (Loners::default(), Timestamp(10_000));
        loners.remember(KEY, Alone::All, now, 1);
        assert!(loners.has(KEY, Alone::All, now + Seconds(29), 1));
        assert!(!loners.has(KEY, Alone::Parts, now, 1));
        assert!(!loners.has(KEY, Alone::All, now + Seconds(30), 1));
        assert!(!loners.has(KEY, Alone::All, now, 2));
        loners.forget(KEY, Alone::All);
        assert!(!loners.has(KEY, Alone::All, now, 1));
    }

    #[test]
    fn however_many_there_are_memory_is_bounded() {
        let loners = Loners::default();
        for number in 0..(MOST as u64 * 2) {
            let mut key = KEY;
            key.0[..8].copy_from_slice(&number.to_be_bytes());
            loners.remember(key, Alone::All, Timestamp(0), 0);
        }
        assert!(loners.known.lock().len() <= MOST);
    }
}
