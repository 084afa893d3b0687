//! One record as it stands in a segment.
//!
//! | bytes | what |
//! | --- | --- |
//! | 4 | `NFr1` |
//! | 4 | length of the payload |
//! | 32 | key |
//! | 8 | checksum of the payload |
//! | 8 | checksum of all that stands before it |
//! | … | payload, filled up with zeros to a multiple of eight |
//!
//! Numbers are little-endian. Both checksums are XXH3 with a seed made of the log's secret number
//! and of the record's place: what was copied elsewhere, or brought along in a body, is no record.

use crate::place::Place;
use ports::cachestore::CacheKey;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Bytes before the payload.
pub const HEAD: usize = 56;
const MAGIC: [u8; 4] = *b"NFr1";
const SUMMED: usize = 48;
const UNIT: usize = 8;

/// What the head of a record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Whose it is.
    pub key: CacheKey,
    /// Bytes of payload.
    pub length: u32,
    sum: u64,
}

impl Head {
    /// Bytes of the whole record.
    pub fn total(&self) -> u64 {
        HEAD as u64 + u64::from(self.length).next_multiple_of(UNIT as u64)
    }
}

/// Bytes that a record with this payload takes.
pub fn total(payload: usize) -> usize {
    HEAD + payload.next_multiple_of(UNIT)
}

/// Appends a record without its head, which [`seal`] fills in; returns the length of the payload.
pub fn append(buffer: &mut Vec<u8>, fill: impl FnOnce(&mut Vec<u8>)) -> usize {
    let start = buffer.len();
    buffer.resize(start + HEAD, 0);
    fill(buffer);
    let payload = buffer.len().saturating_sub(start + HEAD);
    buffer.resize(start + total(payload), 0);
    payload
}

/// Fills in the head of a record. False, and nothing done, when it is no such record.
pub fn seal(record: &mut [u8], key: &CacheKey, payload: usize, secret: u64, place: Place) -> bool {
    let Some((head, rest)) = record.split_at_mut_checked(HEAD) else { return false };
    let (Some(body), Ok(length)) = (rest.get(..payload), u32::try_from(payload)) else {
        return false;
    };
    let seed = secret ^ place.0;
    let mut bytes = Vec::with_capacity(HEAD);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&key.0);
    bytes.extend_from_slice(&xxh3_64_with_seed(body, seed).to_le_bytes());
    bytes.extend_from_slice(&xxh3_64_with_seed(&bytes, seed).to_le_bytes());
    head.copy_from_slice(&bytes);
    true
}

/// The head that stands at this place; none when it is no head, or damaged.
pub fn head(bytes: &[u8], secret: u64, place: Place) -> Option<Head> {
    let (summed, rest) = bytes.split_at_checked(SUMMED)?;
    let sum = u64::from_le_bytes(*rest.first_chunk()?);
    let (magic, rest) = summed.split_first_chunk::<4>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (key, rest) = rest.split_first_chunk::<32>()?;
    let good = *magic == MAGIC && sum == xxh3_64_with_seed(summed, secret ^ place.0);
    good.then_some(Head {
        key: CacheKey(*key),
        length: u32::from_le_bytes(*length),
        sum: u64::from_le_bytes(*rest.first_chunk()?),
    })
}

/// Whether this is the payload that the head was made for.
pub fn holds(head: &Head, payload: &[u8], secret: u64, place: Place) -> bool {
    payload.len() == head.length as usize
        && head.sum == xxh3_64_with_seed(payload, secret ^ place.0)
}

/// Key and payload of a whole record; none when anything in it is damaged.
pub fn open(record: &[u8], secret: u64, place: Place) -> Option<(CacheKey, &[u8])> {
    let head = head(record, secret, place)?;
    let payload = record.get(HEAD..)?.get(..head.length as usize)?;
    holds(&head, payload, secret, place).then_some((head.key, payload))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECRET: u64 = 7;

    fn record(payload: &[u8], place: Place) -> Vec<u8> {
        let mut buffer = Vec::new();
        let length = append(&mut buffer, |buffer| buffer.extend_from_slice(payload));
        assert!(seal(&mut buffer, &CacheKey([9; 32]), length, SECRET, place));
        buffer
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_at_its_place_only(
            payload in proptest::collection::vec(any::<u8>(), 0..300), at: u64, other: u64,
        ) {
            let bytes = record(&payload, Place(at));
            prop_assert_eq!(bytes.len(), total(payload.len()));
            prop_assert_eq!(open(&bytes, SECRET, Place(at)), Some((CacheKey([9; 32]), &payload[..])));
            prop_assume!(at != other);
            prop_assert_eq!(open(&bytes, SECRET, Place(other)), None);
            prop_assert_eq!(open(&bytes, SECRET + 1, Place(at)), None);
        }

        #[test]
        fn no_flipped_bit_goes_unseen_but_in_the_padding(
            payload in proptest::collection::vec(any::<u8>(), 0..100), which: prop::sample::Index,
        ) {
            let mut bytes = record(&payload, Place(1));
            let bit = which.index((HEAD + payload.len()) * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(open(&bytes, SECRET, Place(1)), None);
        }

        #[test]
        fn no_part_of_a_record_is_one(
            payload in proptest::collection::vec(any::<u8>(), 0..100), cut: prop::sample::Index,
        ) {
            let bytes = record(&payload, Place(1));
            let cut = cut.index(HEAD + payload.len());
            prop_assert_eq!(open(&bytes[..cut], SECRET, Place(1)), None);
        }

        #[test]
        fn anything_can_be_read(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(open(&bytes, SECRET, Place(1)), None);
        }
    }
}
