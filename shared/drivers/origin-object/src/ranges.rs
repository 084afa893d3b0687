//! Ranges of local objects: one range is served, several are not (RFC 9110 §14.2 lets a server
//! ignore Range; the answer is then the whole object).

use crate::{
    answer::Object,
    conditions::{date, seconds},
};
use http::{
    HeaderMap,
    header::{IF_RANGE, RANGE},
};
use std::ops::Range;

/// Which part is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of it.
    Whole,
    /// These bytes, at least one.
    Bytes(Range<u64>),
    /// Bytes that the object does not have: 416.
    None,
}

/// Reads Range and If-Range (RFC 9110 §13.1.5, §14.1.2). Ranges that are not well-formed, not in
/// bytes, or more than one are ignored.
pub(crate) fn read(asked: &HeaderMap, object: &Object) -> Part {
    let mut values = asked.get_all(RANGE).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Part::Whole;
    };
    if !still_the_same(asked, object) {
        return Part::Whole;
    }
    let spec = value.to_str().ok().and_then(spec);
    spec.map_or(Part::Whole, |spec| part(spec, object.length))
}

/// Only a strong tag, or the exact date, speaks for the asker's copy.
fn still_the_same(asked: &HeaderMap, object: &Object) -> bool {
    match asked.get(IF_RANGE) {
        None => true,
        Some(tag) if tag.as_bytes() == object.etag.as_bytes() => true,
        Some(_) => date(asked, &IF_RANGE) == Some(seconds(object.modified)),
    }
}

/// First and last byte as they were written.
type Spec = (Option<u64>, Option<u64>);

fn spec(text: &str) -> Option<Spec> {
    let (unit, span) = text.split_once('=')?;
    let (first, last) = span.trim().split_once('-')?;
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !digits(first) || !digits(last) {
        return None;
    }
    let (first, last) = (number(first), number(last));
    let ordered = match (first, last) {
        (None, None) => false,
        (Some(first), Some(last)) => first <= last,
        _ => true,
    };
    (unit.trim().eq_ignore_ascii_case("bytes") && ordered).then_some((first, last))
}

/// None for no digits; numbers beyond 64 bits are as large as they get.
fn number(digits: &str) -> Option<u64> {
    (!digits.is_empty()).then(|| digits.parse().unwrap_or(u64::MAX))
}

fn part(spec: Spec, length: u64) -> Part {
    let (first, end) = match spec {
        (Some(first), last) => (first, last.map_or(length, |last| last.saturating_add(1))),
        (None, suffix) => (length.saturating_sub(suffix.unwrap_or(0)), length),
    };
    let end = end.min(length);
    if first < end { Part::Bytes(first..end) } else { Part::None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conditions::tests::{at, fields, object};
    use proptest::prelude::*;

    fn of_ten(range: &str) -> Part {
        read(&fields(&[(RANGE, range)]), &object())
    }

    #[test]
    fn one_range_is_read() {
        for (range, expected) in [
            ("bytes=0-0", Part::Bytes(0..1)),
            ("bytes=2-4", Part::Bytes(2..5)),
            ("bytes=2-", Part::Bytes(2..10)),
            ("bytes=-3", Part::Bytes(7..10)),
            ("bytes=-99", Part::Bytes(0..10)),
            ("bytes=9-99999999999999999999999999", Part::Bytes(9..10)),
            ("Bytes= 1-1 ", Part::Bytes(1..2)),
            ("bytes=10-", Part::None),
            ("bytes=-0", Part::None),
        ] {
            assert_eq!(of_ten(range), expected, "{range}");
        }
    }

    #[test]
    fn what_is_not_one_range_is_ignored() {
        for range in [
            "bytes=4-2",
            "bytes=-",
            "bytes=a-b",
            "bytes=0-1,3-4",
            "items=0-1",
            "bytes",
            "bytes=+1-2",
        ] {
            assert_eq!(of_ten(range), Part::Whole, "{range}");
        }
    }

    #[test]
    fn a_range_of_another_state_is_ignored() {
        let read = |if_range: &str| {
            read(&fields(&[(RANGE, "bytes=0-0"), (IF_RANGE, if_range)]), &object())
        };
        assert_eq!(read("\"one\""), Part::Bytes(0..1));
        assert_eq!(read(&at(1000)), Part::Bytes(0..1));
        for other in ["\"two\"", "W/\"one\"", &at(1001), "x"] {
            assert_eq!(read(other), Part::Whole, "{other}");
        }
    }

    proptest! {
        #[test]
        fn a_part_lies_within_the_object(first in any::<Option<u64>>(), last in any::<Option<u64>>(), length in any::<u64>()) {
            if let Part::Bytes(bytes) = part((first, last), length) {
                prop_assert!(bytes.start < bytes.end && bytes.end <= length);
            }
        }
    }
}
