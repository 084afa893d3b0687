//! How large things may be, given a budget.

use crate::{files, record};

const MIB: u64 = 1 << 20;
/// Usual size of a segment.
const USUAL: u64 = 64 * MIB;
/// Segments that a budget has room for at least, …
const LEAST: u64 = 16;
/// … and at most, so that not too many files are open.
const MOST: u64 = 1024;
/// The largest segment: its offsets fit 31 bits.
const LARGEST: u64 = 1 << 30;
/// Most bytes that wait to be written.
const QUEUE: u64 = 32 * MIB;
/// A record takes this part of a segment at most.
const PARTS: u64 = 2;

/// What a head may take beside a body; an eighth of a record where that is less.
const HEAD: u64 = 64 << 10;

/// Sizes in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// A segment's records.
    pub segment: u64,
    /// What may wait to be written.
    pub queue: u64,
    /// All files.
    pub files: u64,
}

impl Sizes {
    /// For a budget: what waits and what is on disk together stay within it.
    pub fn of(budget: u64) -> Self {
        let segment = (budget / LEAST).clamp(1, USUAL).max(budget / MOST).min(LARGEST);
        let queue = (budget / LEAST).min(QUEUE);
        Self { segment, queue, files: budget - queue }
    }

    /// The largest record.
    pub fn longest_record(&self) -> u64 {
        (self.segment / PARTS).saturating_sub(files::HEADER as u64)
    }

    /// The longest body that fits a record with its head.
    pub fn longest(&self) -> u64 {
        let record = self.longest_record();
        record.saturating_sub(record::HEAD as u64 + HEAD.min(record / 8))
    }

    /// What a full segment's files take: the list of many small records is a quarter of them.
    pub fn whole_segment(&self) -> u64 {
        self.segment + self.segment / 4
    }

    /// Bytes of one segment that are written anew when they were read.
    pub fn second_chance(&self) -> u64 {
        self.segment / 4
    }
}
