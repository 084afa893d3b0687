//! Parts of a body whose length is known (RFC 9110 §14).
//!
//! For: what a viewer's `Range` means for a stored body. Not for: fetching parts from origins, nor
//! for several parts in one answer: more than one range is answered with the whole.

use crate::{dates, validate};
use http::{HeaderMap, Method, header};

/// What to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Everything, 200.
    Whole,
    /// A part, 206.
    One(Part),
    /// Nothing of it is there, 416.
    Unsatisfiable,
}

/// Bytes from `start` to `end`, both included and both within the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Offset of the first byte.
    pub start: u64,
    /// Offset of the last byte.
    pub end: u64,
}

impl Part {
    /// Number of bytes, at least 1.
    pub fn length(self) -> u64 {
        self.end.saturating_sub(self.start).saturating_add(1)
    }

    /// `Content-Range` of a 206: `bytes 0-499/1234`.
    pub fn content_range(self, length: u64) -> String {
        format!("bytes {}-{}/{length}", self.start, self.end)
    }
}

/// `Content-Range` of a 416: `bytes */1234`.
pub fn unsatisfied(length: u64) -> String {
    format!("bytes */{length}")
}

/// What a request asks of a body of `length` bytes that is stored with these headers and would be
/// answered with 200.
///
/// Shape:  only GET has ranges; `If-Range` that does not hold means the whole.
/// Errors: none. A range that cannot be read counts as absent (RFC 9110 §14.2).
pub fn asked(method: &Method, request: &HeaderMap, stored: &HeaderMap, length: u64) -> Asked {
    let Some(value) = request.get(header::RANGE) else {
        return Asked::Whole;
    };
    let single = request.get_all(header::RANGE).iter().count() == 1;
    if *method != Method::GET || !single || !if_range(request, stored) {
        return Asked::Whole;
    }
    parse(value.as_bytes(), length)
}

/// Reads a `Range` value against a known length.
pub fn parse(value: &[u8], length: u64) -> Asked {
    read(value, length).unwrap_or(Asked::Whole)
}

fn read(value: &[u8], length: u64) -> Option<Asked> {
    let (unit, set) = value.split_at_checked(value.iter().position(|byte| *byte == b'=')?)?;
    if !unit.trim_ascii().eq_ignore_ascii_case(b"bytes") {
        return None;
    }
    let mut ranges = set.get(1..)?.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    let one = ranges.by_ref().find(|range| !range.is_empty())?;
    if ranges.any(|range| !range.is_empty()) {
        return None;
    }
    let (first, last) = one.split_at_checked(one.iter().position(|byte| *byte == b'-')?)?;
    part(first, last.get(1..)?, length)
}

fn part(first: &[u8], last: &[u8], length: u64) -> Option<Asked> {
    let final_byte = length.checked_sub(1);
    let (start, end) = match (first.is_empty(), last.is_empty()) {
        (true, true) => return None,
        (true, false) => (length.saturating_sub(number(last)?), None),
        (false, true) => (number(first)?, None),
        (false, false) => (number(first)?, Some(number(last)?)),
    };
    if end.is_some_and(|end| end < start) {
        return None;
    }
    Some(match final_byte {
        Some(most) if start <= most => {
            Asked::One(Part { start, end: end.unwrap_or(most).min(most) })
        }
        _ => Asked::Unsatisfiable,
    })
}

/// Digits only; a number too long to be true is the largest.
fn number(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digits = text.iter().map(|digit| u64::from(digit - b'0'));
    Some(digits.fold(0_u64, |sum, digit| sum.saturating_mul(10).saturating_add(digit)))
}

/// Whether `If-Range` is absent or holds: a strong entity tag that is the stored one, or a date
/// that is exactly the stored `Last-Modified`, which must be older than `Date` by a second or more
/// to be strong (RFC 9110 §13.1.5, §8.8.2.2).
pub fn if_range(request: &HeaderMap, stored: &HeaderMap) -> bool {
    let Some(condition) = request.get(header::IF_RANGE) else {
        return true;
    };
    if let Some(since) = dates::parse(condition) {
        let date = dates::header(stored, &header::DATE);
        return dates::header(stored, &header::LAST_MODIFIED) == Some(since)
            && date.is_some_and(|date| date > since);
    }
    let held = stored.get(header::ETAG);
    held.is_some_and(|held| {
        validate::strong_match(condition.as_bytes().trim_ascii(), held.as_bytes())
    })
}
