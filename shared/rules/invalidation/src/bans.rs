//! What has been invalidated in one distribution, so that no older copy is served.
//!
//! For: edges. Each invalidation has a number; a copy remembers up to which number it was checked
//! (at first: the [latest](Bans::latest) one when its request was sent to the origin), and whoever
//! finds it asks whether a later one has banned it.
//! Not for: removing copies; a banned copy goes when it is found or when the store needs room.
//!
//! Cost: a lookup when nothing new has come since the copy was checked is one comparison; else it
//! takes one pass over the target, whatever the number of bans. A ban is a hash and two numbers,
//! whatever the length of its path. A false match needs two texts with the same 64-bit hash and
//! only makes the edge ask the origin once more than it had to; a ban never misses.
//!
//! Sharing: lookups take `&self` and additions `&mut self`; put one behind a read-write lock for
//! each distribution. Nothing here blocks or allocates during a lookup.

use std::collections::HashMap;

/// Most bans that are held one by one.
pub const MOST: usize = 100_000;

/// The live bans of one distribution.
#[derive(Clone, Debug)]
pub struct Bans {
    /// Every copy that was not checked up to here is banned.
    floor: u64,
    /// The largest number seen.
    latest: u64,
    /// By the hash of the whole target.
    exact: HashMap<u64, u64>,
    /// By length and hash of how the target begins.
    prefixes: HashMap<(u32, u64), u64>,
    /// Lengths that occur in `prefixes`, one bit each.
    lengths: Vec<u64>,
    most: usize,
}

impl Default for Bans {
    fn default() -> Self {
        Self::with_limit(MOST)
    }
}

impl Bans {
    /// No bans, and room for this many; at least 2.
    pub fn with_limit(most: usize) -> Self {
        Self {
            floor: 0,
            latest: 0,
            exact: HashMap::new(),
            prefixes: HashMap::new(),
            lengths: Vec::new(),
            most: most.max(2),
        }
    }

    /// Bans what these paths match: `/a.jpg` itself, `/a*` all that begins so, `/*` all.
    ///
    /// Shape: numbers come in order; a number that comes twice adds to what it bans. Paths are as
    /// [`crate::check_path`] accepts them.
    pub fn add(&mut self, number: u64, paths: impl IntoIterator<Item = impl AsRef<str>>) {
        self.latest = self.latest.max(number);
        for path in paths {
            self.add_path(number, path.as_ref().as_bytes());
        }
        if self.len() > self.most {
            self.forget_older_half();
        }
    }

    /// Bans every copy that was not checked up to this number, for instance when invalidations may
    /// have been missed.
    pub fn ban_all(&mut self, number: u64) {
        self.latest = self.latest.max(number);
        self.floor = self.floor.max(number);
        self.drop_up_to(self.floor);
    }

    /// Whether a ban later than `checked_up_to` matches.
    ///
    /// Shape: `target` is the path as it is in the cache key, with `?query` if there is one in it.
    pub fn banned_since(&self, target: &str, checked_up_to: u64) -> bool {
        if self.latest <= checked_up_to {
            return false;
        }
        checked_up_to < self.floor || self.matches(target.as_bytes(), checked_up_to)
    }

    /// The number up to which a copy is checked whose request is sent now, or that was just found
    /// not to be banned.
    pub fn latest(&self) -> u64 {
        self.latest
    }

    /// Number of bans held one by one.
    pub fn len(&self) -> usize {
        self.exact.len() + self.prefixes.len()
    }

    /// Whether no ban is held one by one.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn add_path(&mut self, number: u64, path: &[u8]) {
        let Some(start) = path.strip_suffix(b"*") else {
            let held = self.exact.entry(hash(path)).or_default();
            *held = number.max(*held);
            return;
        };
        match u32::try_from(start.len()) {
            Ok(length) if length > 1 => {
                self.mark(start.len());
                let held = self.prefixes.entry((length, hash(start))).or_default();
                *held = number.max(*held);
            }
            _ => self.ban_all(number),
        }
    }

    fn mark(&mut self, length: usize) {
        let word = length / 64;
        if self.lengths.len() <= word {
            self.lengths.resize(word + 1, 0);
        }
        if let Some(word) = self.lengths.get_mut(word) {
            *word |= 1 << (length % 64);
        }
    }

    fn has_length(&self, length: usize) -> bool {
        self.lengths.get(length / 64).is_some_and(|word| word & (1 << (length % 64)) != 0)
    }

    /// One pass: the running hash is looked up wherever a wildcard of that length is held.
    fn matches(&self, target: &[u8], checked_up_to: u64) -> bool {
        let newer = |number: Option<&u64>| number.is_some_and(|number| *number > checked_up_to);
        let mut running = SEED;
        for (length, byte) in (1_u32..).zip(target) {
            running = mix(running, *byte);
            if self.has_length(length as usize) && newer(self.prefixes.get(&(length, running))) {
                return true;
            }
        }
        newer(self.exact.get(&running))
    }

    /// Copies that were not checked past the middle of what is held are banned as a whole.
    fn forget_older_half(&mut self) {
        let mut numbers: Vec<u64> =
            self.exact.values().chain(self.prefixes.values()).copied().collect();
        let middle = numbers.len() / 2;
        let (_, middle, _) = numbers.select_nth_unstable(middle);
        let middle = *middle;
        self.ban_all(middle);
    }

    fn drop_up_to(&mut self, number: u64) {
        self.exact.retain(|_, held| *held > number);
        self.prefixes.retain(|_, held| *held > number);
        self.lengths.clear();
        let lengths: Vec<usize> =
            self.prefixes.keys().map(|(length, _)| *length as usize).collect();
        for length in lengths {
            self.mark(length);
        }
    }
}

const SEED: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a: the hash of every prefix falls off on the way.
fn mix(running: u64, byte: u8) -> u64 {
    (running ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
}

fn hash(text: &[u8]) -> u64 {
    text.iter().fold(SEED, |running, byte| mix(running, *byte))
}
