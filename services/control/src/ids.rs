//! Identifiers: random, in the forms that clients know.
//!
//! Source: CloudFront API reference, the examples of each shape.

use model::units::Timestamp;
use rand::RngExt as _;
use time::{OffsetDateTime, macros::format_description};

const UPPER: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWER: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const SECRET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// `E` and 13 of `[A-Z0-9]`: distributions, origin access controls, entity tags.
pub fn entity() -> String {
    lettered('E')
}

/// A letter and 13 of `[A-Z0-9]`: `K…` for public keys, `C…` and `P…` for field-level encryption.
pub fn lettered(letter: char) -> String {
    format!("{letter}{}", random(UPPER, 13))
}

/// `ETV` and 10 of `[A-Z0-9]`: entity tags of functions.
pub fn function_tag() -> String {
    format!("ETV{}", random(UPPER, 10))
}

/// `KV` and 13 of `[A-Z0-9]`: entity tags of what key value stores hold.
pub fn contents_tag() -> String {
    format!("KV{}", random(UPPER, 13))
}

/// The first label of an assigned name: `d` and 13 of `[a-z0-9]`.
pub fn label() -> String {
    format!("d{}", random(LOWER, 13))
}

/// The first label of a streaming distribution's assigned name: `s` and what its id has after the
/// first letter, so that the one tells the other.
pub fn streaming_label(id: &str) -> String {
    format!("s{}", id.get(1..).unwrap_or_default().to_ascii_lowercase())
}

/// A UUID: policies, certificates, requests.
pub fn uuid() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// `I` and 25 of `[A-Z0-9]`, of which the first nine fall as time goes on: ids in the order of
/// their characters are invalidations from the newest to the oldest.
pub fn invalidation(now: Timestamp) -> String {
    const SPAN: u64 = 36_u64.pow(9);
    let mut falling = (SPAN - 1).saturating_sub(now.0 % SPAN);
    let mut digits = Vec::with_capacity(9);
    for _ in 0..9 {
        digits.push(digit(UPPER, falling % 36));
        falling /= 36;
    }
    let digits: String = digits.iter().rev().collect();
    format!("I{digits}{}", random(UPPER, 16))
}

/// `AKIA` and 16 of `[A-Z2-7]`.
pub fn access_key() -> String {
    format!("AKIA{}", random(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16))
}

/// The id of a server certificate: `ASCA` and 16 of `[A-Z2-7]`.
pub fn server_certificate() -> String {
    format!("ASCA{}", random(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16))
}

/// The id of a user: `AIDA` and 16 of `[A-Z2-7]`.
pub fn user() -> String {
    format!("AIDA{}", random(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16))
}

/// The secret of an access key: 40 characters, 240 random bits.
pub fn secret_key() -> String {
    random(SECRET, 40)
}

/// An entity tag that always belongs to the same bytes: for what never changes.
pub fn fixed_tag(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    let characters =
        digest.as_ref().iter().take(13).map(|byte| digit(UPPER, u64::from(*byte) % 36));
    format!("E{}", characters.collect::<String>())
}

/// ISO 8601 in UTC with milliseconds.
pub fn iso(at: Timestamp) -> String {
    let form =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    let nanoseconds = i128::from(at.0) * 1_000_000;
    OffsetDateTime::from_unix_timestamp_nanos(nanoseconds)
        .ok()
        .and_then(|time| time.format(form).ok())
        .unwrap_or_else(|| "1970-01-01T00:00:00.000Z".to_owned())
}

/// Whether this can be an id that was given out here: 1 to 64 of letters, digits, `-` and `_`.
pub fn is_plain(id: &str) -> bool {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    (1..=64).contains(&id.len()) && id.bytes().all(fine)
}

/// Two letters, `_` and 27 of letters and digits: `dt_…`, `cg_…`, `vo_…`.
pub fn prefixed(prefix: &str) -> String {
    const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    format!("{prefix}_{}", random(LETTERS, 27))
}

fn random(alphabet: &[u8], length: usize) -> String {
    let mut random = rand::rng();
    let most = alphabet.len() as u64;
    (0..length).map(|_| digit(alphabet, random.random_range(0..most))).collect()
}

fn digit(alphabet: &[u8], place: u64) -> char {
    let found = usize::try_from(place).ok().and_then(|place| alphabet.get(place));
    found.copied().map_or('0', char::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_their_forms() {
        let upper = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
        let id = entity();
        assert!(id.len() == 14 && id.starts_with('E') && id.chars().all(upper), "{id}");
        let label = label();
        assert!(label.len() == 14 && label.starts_with('d'), "{label}");
        assert_eq!(access_key().len(), 20);
        assert_eq!(secret_key().len(), 40);
        assert_eq!(invalidation(Timestamp(1)).len(), 26);
        assert_eq!(iso(Timestamp(1_577_836_800_000)), "2020-01-01T00:00:00.000Z");
    }

    #[test]
    fn later_invalidations_come_first_in_order() {
        let ids: Vec<_> = [1, 2, 36, 37, 1_577_836_800_000, 1_777_836_800_001]
            .map(|at| invalidation(Timestamp(at)))
            .into();
        let mut sorted = ids.clone();
        sorted.sort_by(|a, b| b.cmp(a));
        assert_eq!(ids, sorted);
    }
}
