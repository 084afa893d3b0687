//! Keys whose answers were of no use to others are not waited for.
//!
//! For: a while after such an answer every request for its key asks the origin at once: waiting for
//! one another they would only find out the same again. Not for: what may be kept or shared
//! (`rules/caching`).

use model::units::{Seconds, Timestamp};
use parking_lot::Mutex;
use ports::cachestore::CacheKey;
use std::{
    collections::HashMap,
    sync::atomic::{AtomicUsize, Ordering},
};

/// Most keys that are remembered; beyond it the oldest knowledge goes.
const MOST: usize = 16_384;
/// For so long after the last such answer.
const SPAN: Seconds = Seconds(120);

/// Keys that are not waited for, and until when.
#[derive(Default)]
pub struct Alone {
    until: Mutex<HashMap<CacheKey, Timestamp>>,
    /// How many there are: none is the usual case, and then nobody takes the lock.
    count: AtomicUsize,
}

impl Alone {
    /// An answer for this key was for the one who asked alone.
    pub fn remember(&self, key: CacheKey, now: Timestamp) {
        let mut known = self.until.lock();
        if known.len() >= MOST {
            known.retain(|_, until| *until > now);
        }
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(key, now + SPAN);
        self.count.store(known.len(), Ordering::Relaxed);
    }

    /// Whether to ask for this key without waiting for anybody.
    pub fn knows(&self, key: &CacheKey, now: Timestamp) -> bool {
        if self.count.load(Ordering::Relaxed) == 0 {
            return false;
        }
        self.until.lock().get(key).is_some_and(|until| *until > now)
    }

    /// An answer for this key was for everybody.
    pub fn forget(&self, key: &CacheKey) {
        if self.count.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut known = self.until.lock();
        known.remove(key);
        self.count.store(known.len(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: CacheKey = CacheKey([7; 32]);

    #[test]
    fn a_key_is_known_for_its_time_or_until_it_is_forgotten() {
        let (alone, now) = (Alone::default(), Timestamp(10_000));
        assert!(!alone.knows(&KEY, now));
        alone.remember(KEY, now);
        assert!(alone.knows(&KEY, now + Seconds(119)));
        assert!(!alone.knows(&CacheKey([8; 32]), now));
        assert!(!alone.knows(&KEY, now + Seconds(120)));
        alone.forget(&KEY);
        assert!(!alone.knows(&KEY, now));
    }

    #[test]
    fn however_many_keys_there_are_memory_is_bounded() {
        let alone = Alone::default();
        for number in 0..(MOST as u64 * 2) {
            let mut key = KEY;
            key.0[..8].copy_from_slice(&number.to_be_bytes());
            alone.remember(key, Timestamp(0));
            assert!(alone.knows(&key, Timestamp(0)));
        }
        assert!(alone.until.lock().len() <= MOST);
    }
}
