//! How often keys were asked for lately, whether their entries are here or gone.
//!
//! For: choosing between two entries. Not for: exact counts. A key may be forgotten early when its
//! word is crowded, and one key in a thousand takes over the count of another.
//!
//! Words hold four keys each: 12 bits that tell them apart, and a count up to 15. That costs no more
//! than a count-min sketch of the same size and is not blurred by scans, since a key that came once
//! replaces another that came once. Counts halve with time. There are sixteen blocks of words,
//! which grow and age one by one, so that neither takes long however large the table is.

use super::print::Print;

/// Blocks; the lowest bits of a key choose one.
const BLOCKS: usize = 16;

/// Fewest words of a block.
const FEWEST: usize = 4;

/// A block halves its counts after so many arrivals for each entry that falls to it. Measured: more
/// is better for what never changes, fewer for what does (`docs/adr/0006-memory-admission.md`).
const PERIOD: usize = 12;

/// Most that is counted.
const MOST: u16 = 15;

/// Bits of a lane that are the count; the others are the tag.
const COUNT_BITS: u32 = 4;

/// Four keys and their counts, those that came last first. A count of 0 is an empty place.
type Word = [u16; 4];

/// Counts by fingerprint.
pub(super) struct History {
    blocks: [Block; BLOCKS],
}

#[derive(Default)]
struct Block {
    /// As many as a power of two, or none.
    words: Vec<Word>,
    /// Arrivals, halved with the counts.
    arrivals: usize,
}

impl History {
    pub(super) fn new() -> Self {
        Self { blocks: std::array::from_fn(|_| Block::default()) }
    }

    /// Times that this key was asked for: 0 to 15.
    pub(super) fn count(&self, print: Print) -> u8 {
        let mark = Mark::of(print);
        let word = self.blocks.get(mark.block).and_then(|block| block.words.get(block.at(mark)));
        let count =
            word.into_iter().flatten().find(|lane| mark.is(**lane)).map_or(0, |lane| count(*lane));
        u8::try_from(count).unwrap_or(0)
    }

    /// An entry came for this key, to a table of so many.
    pub(super) fn arrived(&mut self, print: Print, entries: usize) {
        let mark = Mark::of(print);
        if let Some(block) = self.blocks.get_mut(mark.block) {
            block.grow(entries / BLOCKS);
            block.add(mark, 1);
            block.age(entries / BLOCKS);
        }
    }

    /// An entry was found so many times.
    pub(super) fn found(&mut self, print: Print, times: u8) {
        let mark = Mark::of(print);
        if let Some(block) = self.blocks.get_mut(mark.block).filter(|_| times > 0) {
            block.add(mark, times.into());
        }
    }
}

impl Block {
    fn at(&self, mark: Mark) -> usize {
        mark.place & self.words.len().wrapping_sub(1)
    }

    /// Twice as many words when there are three entries for two: keys keep their counts.
    fn grow(&mut self, entries: usize) {
        if self.words.is_empty() {
            self.words = vec![Word::default(); FEWEST];
        } else if entries > self.words.len() / 2 * 3 {
            self.words.reserve_exact(self.words.len());
            self.words.extend_from_within(..);
        }
    }

    fn add(&mut self, mark: Mark, times: u16) {
        let at = self.at(mark);
        if let Some(word) = self.words.get_mut(at) {
            raise(word, mark, times);
        }
    }

    fn age(&mut self, entries: usize) {
        self.arrivals += 1;
        if self.arrivals >= PERIOD * entries.max(FEWEST) {
            self.arrivals /= 2;
            self.words.iter_mut().flatten().for_each(|lane| *lane = with(*lane, count(*lane) / 2));
        }
    }
}

/// Where a key is counted.
#[derive(Clone, Copy)]
struct Mark {
    block: usize,
    place: usize,
    tag: u16,
}

impl Mark {
    fn of(print: Print) -> Self {
        let bits = print.other_bits();
        let place = usize::try_from(bits & u64::from(u32::MAX)).unwrap_or(0);
        let tag = u16::try_from(bits >> 48).unwrap_or(0) >> COUNT_BITS;
        Self { block: place % BLOCKS, place: place / BLOCKS, tag }
    }

    fn is(self, lane: u16) -> bool {
        lane >> COUNT_BITS == self.tag && count(lane) > 0
    }
}

fn count(lane: u16) -> u16 {
    lane & MOST
}

fn with(lane: u16, count: u16) -> u16 {
    lane & !MOST | count
}

/// Counts the key; one that is new wears down the lowest count (of equals, the oldest) until it
/// can take its place.
fn raise(word: &mut Word, mark: Mark, times: u16) {
    if let Some(lane) = word.iter_mut().find(|lane| mark.is(**lane)) {
        *lane = with(*lane, (count(*lane) + times).min(MOST));
        return;
    }
    let lowest = word.iter_mut().enumerate().rev().min_by_key(|(_, lane)| count(**lane));
    let Some((at, lane)) = lowest else { return };
    let lasting = count(*lane).saturating_sub(times);
    *lane = with(*lane, lasting);
    if lasting == 0 {
        *lane = mark.tag << COUNT_BITS | times.min(MOST);
        if let Some(line) = word.get_mut(..=at) {
            line.rotate_right(1);
        }
    }
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

    #[test]
    fn a_count_stops_at_fifteen_and_is_forgotten_with_time() {
        let mut history = History::new();
        history.arrived(print(1), 0);
        history.found(print(1), 200);
        assert_eq!(history.count(print(1)), 15);
        for number in 0..(PERIOD * FEWEST * BLOCKS * 5) as u64 {
            history.arrived(print(2 + number % 20), 0);
        }
        assert!(history.count(print(1)) <= 1, "{}", history.count(print(1)));
    }

    #[test]
    fn a_scan_does_not_blur_what_is_popular() {
        let mut history = History::new();
        for number in 0..500 {
            history.arrived(print(number), 1_000);
            history.found(print(number), 5);
        }
        for once in 0..5_000 {
            history.arrived(print(10_000 + once), 1_000);
        }
        let known = (0..500).filter(|number| history.count(print(*number)) > 1).count();
        let wrong = (0..5_000).filter(|once| history.count(print(10_000 + once)) > 1).count();
        assert!(known >= 450 && wrong <= 50, "{known} known, {wrong} wrong");
    }

    proptest! {
        #[test]
        fn growing_loses_no_count(number: u64, times in 1_u8..15, entries in 1_usize..100_000) {
            let mut block = Block::default();
            let mark = Mark::of(print(number));
            block.grow(0);
            block.add(mark, times.into());
            (0..20).for_each(|_| block.grow(entries));
            prop_assert!(block.words.len().is_power_of_two());
            prop_assert!(block.words.len() * 3 / 2 >= entries / 2);
            let lane = block.words[block.at(mark)].into_iter().find(|lane| mark.is(*lane));
            prop_assert_eq!(lane.map(count), Some(times.into()));
        }

        #[test]
        fn the_last_four_that_came_once_are_known(tags in prop::collection::vec(0_u16..4_096, 0..30)) {
            let mut word = Word::default();
            for tag in &tags {
                let mark = Mark { block: 0, place: 0, tag: *tag };
                if !word.iter().any(|lane| mark.is(*lane)) {
                    raise(&mut word, mark, 1);
                }
            }
            let known: Vec<u16> = word.iter().filter(|lane| count(**lane) == 1)
                .map(|lane| lane >> COUNT_BITS).collect();
            let mut last: Vec<u16> = Vec::new();
            for tag in &tags {
                if !last.contains(tag) {
                    last.insert(0, *tag);
                    last.truncate(4);
                }
            }
            prop_assert_eq!(known, last);
        }
    }
}
