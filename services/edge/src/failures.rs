//! Origins that failed a moment ago are not asked again at once.
//!
//! For: failures without a response to keep, and failures that a stale copy stands in for.
//! Not for: errors that an origin answered with: those are responses, and kept as such.

use crate::pipeline::rescue::Failure;
use model::units::{Seconds, Timestamp};
use parking_lot::Mutex;
use ports::cachestore::CacheKey;
use std::collections::HashMap;

/// Most failures that are remembered; beyond it the oldest knowledge goes.
const MOST: usize = 4096;

/// What failed, and until when it is not asked again.
#[derive(Default)]
pub struct Failures {
    recent: Mutex<HashMap<CacheKey, Remembered>>,
}

#[derive(Clone)]
struct Remembered {
    failure: Failure,
    until: Timestamp,
    /// The number of the last ban when it was asked: a later one makes it worth asking again.
    bans: u64,
}

impl Failures {
    /// Remembers a failure for a while.
    pub fn remember(
        &self,
        key: CacheKey,
        failure: Failure,
        now: Timestamp,
        span: Seconds,
        bans: u64,
    ) {
        if span == Seconds::ZERO {
            return;
        }
        let mut recent = self.recent.lock();
        if recent.len() >= MOST {
            recent.retain(|_, known| known.until > now);
        }
        if recent.len() >= MOST {
            recent.clear();
        }
        let until = now + span;
        recent.insert(key, Remembered { failure, until, bans });
    }

    /// The failure that still stands in for an answer.
    pub fn recent(&self, key: &CacheKey, now: Timestamp, bans: u64) -> Option<Failure> {
        let mut recent = self.recent.lock();
        let known = recent.get(key)?;
        if known.until > now && known.bans == bans {
            return Some(known.failure.clone());
        }
        recent.remove(key);
        None
    }

    /// The origin answers again.
    pub fn forget(&self, key: &CacheKey) {
        self.recent.lock().remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: CacheKey = CacheKey([7; 32]);

    #[test]
    fn a_failure_is_remembered_for_its_time_and_until_the_next_ban() {
        let failures = Failures::default();
        let now = Timestamp(10_000);
        failures.remember(KEY, Failure::Internal, now, Seconds(5), 1);
        assert!(failures.recent(&KEY, now + Seconds(4), 1).is_some());
        assert!(failures.recent(&KEY, now + Seconds(5), 1).is_none());
        failures.remember(KEY, Failure::Internal, now, Seconds(5), 1);
        assert!(failures.recent(&KEY, now, 2).is_none());
    }

    #[test]
    fn however_many_keys_fail_memory_is_bounded() {
        let failures = Failures::default();
        for number in 0..(MOST as u64 * 2) {
            let mut key = KEY;
            key.0[..8].copy_from_slice(&number.to_be_bytes());
            failures.remember(key, Failure::Internal, Timestamp(0), Seconds(9), 0);
        }
        assert!(failures.recent.lock().len() <= MOST);
    }
}
