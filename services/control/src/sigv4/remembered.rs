//! What was read from the store, remembered for a moment.
//!
//! For: keys and users, which every request asks for. What this process takes away is forgotten at
//! once; what another one takes away, within [`FRESH_FOR`].

use model::units::{Seconds, Timestamp};
use parking_lot::Mutex;
use std::collections::HashMap;

/// How long something is remembered.
const FRESH_FOR: Seconds = Seconds(5);
/// Most that is remembered.
const MOST: usize = 1000;

/// Values by id; safe to share.
pub struct Remembered<T>(Mutex<Inner<T>>);

struct Inner<T> {
    entries: HashMap<String, (T, Timestamp)>,
    /// How often something has been forgotten on purpose.
    turn: u64,
}

/// A moment before something was read; what was read then may be out of date by now.
#[derive(Clone, Copy, Debug)]
pub struct Turn(u64);

impl<T> Default for Remembered<T> {
    fn default() -> Self {
        Self(Mutex::new(Inner { entries: HashMap::new(), turn: 0 }))
    }
}

impl<T: Clone> Remembered<T> {
    /// What is remembered, or else the moment to pass to [`Remembered::keep`].
    pub fn get(&self, id: &str, now: Timestamp) -> Result<T, Turn> {
        let inner = self.0.lock();
        let fresh = |at: Timestamp| at <= now && now.since(at) < FRESH_FOR;
        match inner.entries.get(id) {
            Some((value, at)) if fresh(*at) => Ok(value.clone()),
            _ => Err(Turn(inner.turn)),
        }
    }

    /// Remembers what was read after `turn`, unless something has been forgotten in between.
    pub fn keep(&self, turn: Turn, id: &str, value: T, now: Timestamp) {
        let mut inner = self.0.lock();
        if inner.turn != turn.0 {
            return;
        }
        if inner.entries.len() >= MOST {
            inner.entries.clear();
        }
        inner.entries.insert(id.to_owned(), (value, now));
    }

    /// Forgets what has just been changed, and whatever is being read at this moment.
    pub fn forget(&self, id: &str) {
        let mut inner = self.0.lock();
        inner.entries.remove(id);
        inner.turn += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_forgotten_while_it_is_read_does_not_come_back() {
        let remembered = Remembered::default();
        let now = Timestamp(1_000_000);
        let turn = remembered.get("a", now).unwrap_err();
        remembered.keep(turn, "a", 1, now);
        assert_eq!(remembered.get("a", now).unwrap(), 1);
        remembered.forget("a");
        let turn = remembered.get("a", now).unwrap_err();
        remembered.forget("a");
        remembered.keep(turn, "a", 1, now);
        assert!(remembered.get("a", now).is_err());
    }

    #[test]
    fn nothing_is_remembered_for_long() {
        let remembered = Remembered::default();
        let turn = remembered.get("a", Timestamp(0)).unwrap_err();
        remembered.keep(turn, "a", 1, Timestamp(10_000));
        assert!(remembered.get("a", Timestamp(14_999)).is_ok());
        assert!(remembered.get("a", Timestamp(15_000)).is_err());
        assert!(remembered.get("a", Timestamp(9_999)).is_err());
    }
}
