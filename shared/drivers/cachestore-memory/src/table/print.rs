//! What stands for a key in the table: 128 bits under a secret.
//!
//! For: half the memory of a key. Not for: anything that outlives the process.
//!
//! A key is read as four words `k1..k4`. Each half of its fingerprint is the upper 64 bits of
//! `s0 + s1*k1 + s2*k2 + s3*k3 + s4*k4` modulo 2^128, with numbers `s` of its own. This family
//! ("multilinear hashing", strongly universal) gives any two different keys the same half for one
//! in 2^64 choices of `s`, so the same fingerprint for one in 2^128, as long as whoever chose the
//! keys does not know `s`. Each table draws its own and shows nothing that depends on it. Keys that
//! are merely cut to 128 bits would be weaker: after 2^64 trials somebody has two with the same
//! fingerprint, and they work in every table. By accident, a lookup among 10 million entries
//! meets a wrong one once in 2^104.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Stands for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Print([u64; 2]);

impl Print {
    /// Bits for choosing places.
    pub(super) fn bits(self) -> u64 {
        let Self([bits, _]) = self;
        bits
    }

    /// Bits that do not depend on [`bits`](Self::bits).
    pub(super) fn other_bits(self) -> u64 {
        let Self([_, bits]) = self;
        bits
    }
}

/// Makes fingerprints: the numbers of either half.
pub(super) struct Secret([[u128; 5]; 2]);

impl Secret {
    /// A new one, from the system's randomness.
    pub(super) fn draw() -> Self {
        Self::from_words(|| RandomState::new().build_hasher().finish())
    }

    fn from_words(mut word: impl FnMut() -> u64) -> Self {
        let mut number = || u128::from(word()) << 64 | u128::from(word());
        Self(std::array::from_fn(|_| std::array::from_fn(|_| number())))
    }

    pub(super) fn print(&self, key: &[u8; 32]) -> Print {
        let (words, _) = key.as_chunks();
        Print(self.0.map(|[start, numbers @ ..]| {
            let terms = words.iter().zip(numbers);
            let sum = terms.fold(start, |sum, (word, number)| {
                sum.wrapping_add(number.wrapping_mul(u64::from_le_bytes(*word).into()))
            });
            u64::try_from(sum >> 64).unwrap_or_default()
        }))
    }
}

#[cfg(test)]
impl From<u64> for Secret {
    /// A secret that a failed test can have again.
    fn from(mut seed: u64) -> Self {
        Self::from_words(|| {
            seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (seed ^ seed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed ^ mixed >> 31
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keys_that_differ_in_one_bit_or_two_have_different_prints() {
        let secret = Secret::draw();
        let with = |bits: [usize; 2]| {
            let mut key = [0; 32];
            for bit in bits {
                key[bit / 8] ^= 1 << (bit % 8);
            }
            secret.print(&key)
        };
        let pairs = (0..256).flat_map(|one| (0..one).map(move |other| [one, other]));
        let mut seen: Vec<_> = pairs.chain([[0, 0]]).map(with).map(|print| print.0).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 256 * 255 / 2 + 1);
    }

    proptest! {
        #[test]
        fn a_table_gives_a_key_one_print_and_tables_differ(key: [u8; 32]) {
            let (one, other) = (Secret::draw(), Secret::draw());
            prop_assert_eq!(one.print(&key), one.print(&key));
            prop_assert_ne!(one.print(&key), other.print(&key));
        }
    }
}
