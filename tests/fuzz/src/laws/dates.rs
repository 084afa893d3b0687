//! HTTP dates.
//!
//! The input is a header's value.

use caching::dates;
use http::HeaderValue;
use model::units::Timestamp;

/// What is read is whole seconds from 1970 to 9999 in Greenwich, letter case does not matter, and
/// writing and reading agree.
///
/// # Panics
/// When that does not hold.
pub fn hold(input: &[u8]) {
    round(input);
    let Ok(value) = HeaderValue::from_bytes(input) else {
        return;
    };
    let read = dates::parse(&value);
    let louder = HeaderValue::from_bytes(&input.to_ascii_uppercase()).expect("as before");
    assert_eq!(dates::parse(&louder), read, "letter case does not matter");
    let Some(read) = read else {
        return;
    };
    let text = input.to_ascii_lowercase();
    let text = text.trim_ascii();
    let zoned = text.ends_with(b"gmt") || text.ends_with(b"utc");
    assert!(zoned != text.last().is_some_and(u8::is_ascii_digit), "a zone, or none at all");
    agree(read);
}

/// The first bytes as a time.
fn round(input: &[u8]) {
    if let Some(bytes) = input.first_chunk::<8>() {
        let seconds = u64::from_le_bytes(*bytes) % 253_402_300_800;
        agree(Timestamp(seconds * 1000));
    }
}

fn agree(at: Timestamp) {
    let text = dates::format(at);
    let value = HeaderValue::from_str(&text).expect("a date is text");
    assert_eq!(dates::parse(&value), Some(at), "{text}");
}
