//! `Range` against a body.
//!
//! The input is the length of the body, in decimal, and the header's value in a second line.

use caching::range::{self, Asked, MOST_PARTS, Part};
use model::plan::Law;

/// Bodies up to this length are also compared byte by byte.
const SMALL: u64 = 256;

/// Parts lie within the body, are few and have no byte in common; each law's order holds; the bytes
/// are those that were asked for; and parts that are written as ranges are read as the same parts.
///
/// # Panics
/// When that does not hold.
pub fn hold(input: &[u8]) {
    let mut lines = input.splitn(2, |byte| *byte == b'\n');
    let length = lines.next().and_then(|line| std::str::from_utf8(line).ok()?.trim().parse().ok());
    let (Some(length), Some(value)) = (length, lines.next()) else {
        return;
    };
    for law in [Law::Http, Law::CloudFront] {
        let parts = match range::parse(law, value, length) {
            Asked::Whole => continue,
            Asked::Unsatisfiable => vec![],
            Asked::One(part) => vec![part],
            Asked::Several(parts) => {
                assert!((2..=MOST_PARTS).contains(&parts.len()));
                parts
            }
        };
        lie_within(law, &parts, length);
        are_read_again(law, &parts, length);
        if length <= SMALL {
            are_what_was_asked(value, &parts, length);
        }
    }
}

fn lie_within(law: Law, parts: &[Part], length: u64) {
    for (at, part) in parts.iter().enumerate() {
        assert!(part.start <= part.end && part.end < length, "{part:?} of {length}");
        assert!(part.length() >= 1 && part.length() <= length);
        for other in &parts[..at] {
            let apart = other.end < part.start || part.end < other.start;
            assert!(apart, "{other:?} and {part:?} have bytes in common");
        }
    }
    if law == Law::CloudFront {
        assert!(parts.is_sorted_by_key(|part| part.start), "they ascend");
    }
}

fn are_read_again(law: Law, parts: &[Part], length: u64) {
    let ranges: Vec<_> = parts.iter().map(|part| format!("{}-{}", part.start, part.end)).collect();
    let again = range::parse(law, format!("bytes={}", ranges.join(", ")).as_bytes(), length);
    match parts {
        [] => {}
        [part] => assert_eq!(again, Asked::One(*part)),
        several => assert_eq!(again, Asked::Several(several.to_vec())),
    }
}

/// Reads the value a second time, in the plainest way: a mark for each byte that is asked for.
fn are_what_was_asked(value: &[u8], parts: &[Part], length: u64) {
    let text = std::str::from_utf8(value).expect("what was understood is text");
    let (_, set) = text.split_once('=').expect("what was understood has a unit");
    let ranges = set.split(',').map(str::trim).filter(|range| !range.is_empty());
    let wanted: Vec<_> = ranges.map(|range| within(range, length)).collect();
    for byte in 0..length {
        let asked = wanted.iter().any(|(start, end)| (*start..*end).contains(&u128::from(byte)));
        let given = parts.iter().any(|part| (part.start..=part.end).contains(&byte));
        assert_eq!(asked, given, "byte {byte} of {text:?}");
    }
}

/// From the first byte to behind the last.
fn within(range: &str, length: u64) -> (u128, u128) {
    let number = |digits: &str| digits.parse::<u128>().unwrap_or(u128::MAX);
    let length = u128::from(length);
    match range.split_once('-').expect("what was understood has a dash") {
        ("", last) => (length.saturating_sub(number(last)), length),
        (first, "") => (number(first), length),
        (first, last) => (number(first), number(last).saturating_add(1).min(length)),
    }
}
