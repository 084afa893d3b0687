//! Keys whose entries went out of the window lately.
//!
//! For: telling a key that comes back soon from one that comes once. Not for: certainty. A key may
//! be forgotten early where its word is crowded, and one in 8,000 is taken for another.
//!
//! A word holds tags of 16 bits of the eight keys that fell to it last, so a lookup touches one
//! cache line. There is a word for each ten to twenty entries: a ghost for one or two of them. More of
//! them keep up better with what changes, fewer hit better where little does.

use super::print::Print;

/// Entries for which there is a word, at most.
const ENTRIES: usize = 20;

/// Fewest words.
const FEWEST: usize = 2;

/// Tags, those that came last first; 0 is none.
type Word = [u16; 8];

/// The keys.
pub(super) struct Ghosts {
    /// As many as a power of two, or none.
    words: Vec<Word>,
}

impl Ghosts {
    pub(super) fn new() -> Self {
        Self { words: Vec::new() }
    }

    /// Whether this key is among them.
    pub(super) fn has(&self, print: Print) -> bool {
        let word = self.words.get(self.at(print));
        word.is_some_and(|word| word.contains(&tag(print)))
    }

    /// The entry of this key went out of the window of a table of so many entries.
    pub(super) fn add(&mut self, print: Print, entries: usize) {
        self.grow(entries);
        let (at, tag) = (self.at(print), tag(print));
        let Some(word) = self.words.get_mut(at) else { return };
        let last = word.iter().position(|one| *one == tag).unwrap_or(word.len() - 1);
        if let Some(line) = word.get_mut(..=last) {
            line.rotate_right(1);
        }
        if let Some(first) = word.first_mut() {
            *first = tag;
        }
    }

    /// The key came back.
    pub(super) fn remove(&mut self, print: Print) {
        let (at, tag) = (self.at(print), tag(print));
        let Some(word) = self.words.get_mut(at) else { return };
        let line = word.iter().position(|one| *one == tag).and_then(|first| word.get_mut(first..));
        if let Some(line) = line {
            line.rotate_left(1);
            if let Some(last) = line.last_mut() {
                *last = 0;
            }
        }
    }

    /// Twice as many words when there are too few: keys are found in either half.
    fn grow(&mut self, entries: usize) {
        if self.words.is_empty() {
            self.words = vec![Word::default(); FEWEST];
        } else if entries > self.words.len() * ENTRIES {
            self.words.reserve_exact(self.words.len());
            self.words.extend_from_within(..);
        }
    }

    fn at(&self, print: Print) -> usize {
        let place = usize::try_from(print.other_bits() & u64::from(u32::MAX)).unwrap_or(0);
        place & self.words.len().wrapping_sub(1)
    }
}

fn tag(print: Print) -> u16 {
    u16::try_from(print.other_bits() >> 48).unwrap_or(0).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::print::Secret;
    use proptest::prelude::*;

    fn print(number: u64) -> Print {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&number.to_be_bytes());
        Secret::from(1).print(&key)
    }

    proptest! {
        #[test]
        fn a_word_has_the_eight_that_came_last_but_those_that_came_back(
            steps in prop::collection::vec((0_u64..200, any::<bool>()), 0..200),
        ) {
            let (mut ghosts, mut model) = (Ghosts::new(), vec![Vec::new(); FEWEST]);
            for (number, gone) in steps {
                let print = print(number);
                if gone {
                    ghosts.add(print, 0);
                }
                let line: &mut Vec<u64> = &mut model[ghosts.at(print) % FEWEST];
                line.retain(|one| *one != number);
                if gone {
                    line.insert(0, number);
                    line.truncate(8);
                } else {
                    ghosts.remove(print);
                }
            }
            for number in 0..200 {
                let known = model.iter().any(|line| line.contains(&number));
                prop_assert_eq!(ghosts.has(print(number)), known);
            }
        }

        #[test]
        fn growing_forgets_nobody(numbers in prop::collection::vec(any::<u64>(), 1..9)) {
            let mut ghosts = Ghosts::new();
            for number in &numbers {
                ghosts.add(print(*number), 0);
            }
            for entries in 0..2_000 {
                ghosts.grow(entries);
            }
            prop_assert!(ghosts.words.len() * ENTRIES >= 1_999);
            prop_assert!(numbers.iter().all(|number| ghosts.has(print(*number))));
        }
    }
}
