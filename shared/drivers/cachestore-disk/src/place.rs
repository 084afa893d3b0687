//! Where records are, and how keys are told apart in little memory.
//!
//! A key is known by a 64-bit print. Two keys with the same print drive each other out and nothing
//! worse: every record holds its whole key, which is compared when it is read.

use ports::cachestore::CacheKey;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use xxhash_rust::xxh3::xxh3_64;

/// Parts of the index that are locked one by one.
pub const SHARDS: usize = 64;
/// Set in a spot's length once the record has been read.
const READ: u32 = 1 << 31;

/// What a key is known by. Two halves, so that an entry of the index needs no padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Print(u32, u32);

impl Print {
    /// Of this key.
    pub fn of(key: &CacheKey) -> Self {
        Self::from(xxh3_64(&key.0))
    }

    /// Which part of the index it belongs to.
    pub fn shard(self) -> usize {
        // Neither the lowest nor the highest bits: those choose the place within a part.
        (self.1 as usize >> 8) % SHARDS
    }
}

impl From<u64> for Print {
    #[expect(clippy::cast_possible_truncation, reason = "two halves")]
    fn from(number: u64) -> Self {
        Self(number as u32, (number >> 32) as u32)
    }
}

impl From<Print> for u64 {
    fn from(print: Print) -> Self {
        Self::from(print.1) << 32 | Self::from(print.0)
    }
}

impl Hash for Print {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64((*self).into());
    }
}

/// Prints are hashes already.
#[derive(Clone, Copy, Debug, Default)]
pub struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64(bytes);
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

/// A table by print.
pub type ByPrint<T> = std::collections::HashMap<Print, T, BuildHasherDefault<AsItIs>>;

/// A point in the order of all that is ever written: number of a segment, and offset in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(pub u64);

impl Place {
    /// This byte of this segment.
    pub fn at(segment: u32, offset: u32) -> Self {
        Self(u64::from(segment) << 32 | u64::from(offset))
    }
}

/// Where a whole record lies, and whether anybody has read it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    /// Number of the segment.
    pub segment: u32,
    /// First byte of the record.
    pub offset: u32,
    length: u32,
}

impl Spot {
    /// Not read yet. Lengths are below 2 GiB.
    pub fn new(segment: u32, offset: u32, length: u32) -> Self {
        Self { segment, offset, length: length & !READ }
    }

    /// Bytes of the record, header and padding included.
    pub fn length(self) -> u32 {
        self.length & !READ
    }

    /// In the order of all that is written.
    pub fn place(self) -> Place {
        Place::at(self.segment, self.offset)
    }

    /// Somebody reads it.
    pub fn mark_read(&mut self) {
        self.length |= READ;
    }

    /// Whether somebody did.
    pub fn was_read(self) -> bool {
        self.length & READ != 0
    }

    /// Whether both are the same record, read or not.
    pub fn is(self, other: Self) -> bool {
        self.place() == other.place() && self.length() == other.length()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_of_the_index_takes_twenty_bytes() {
        assert_eq!(size_of::<(Print, Spot)>(), 20);
    }

    #[test]
    fn prints_keep_their_number_and_spots_their_length() {
        let number = 0x0123_4567_89ab_cdef;
        assert_eq!(u64::from(Print::from(number)), number);
        let mut spot = Spot::new(3, 8, 64);
        spot.mark_read();
        assert!(spot.was_read() && spot.length() == 64 && spot.is(Spot::new(3, 8, 64)));
        assert!(Place::at(2, u32::MAX) < spot.place());
    }
}
