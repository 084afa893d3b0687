//! Parts of a body whose length is known (RFC 9110 §14).
//!
//! For: what a viewer's `Range` means for a stored body. Not for: fetching parts from origins, nor
//! how several parts are written into one answer: see [`crate::multipart`].

use crate::{dates, validate};
use http::{HeaderMap, Method, header};
use model::plan::Law;

/// Most parts of one answer. Each costs a head of a hundred bytes or so, and nobody who reads a
/// document or a film asks for more (RFC 9110 §17.15).
pub const MOST_PARTS: usize = 16;

/// Most ranges of one request that are looked at; more are answered with the whole.
const MOST_RANGES: usize = 64;

/// What to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Everything, 200.
    Whole,
    /// A part, 206.
    One(Part),
    /// Two to [`MOST_PARTS`] parts that do not overlap, in this order, 206.
    Several(Vec<Part>),
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

    /// Whether both have a byte in common.
    const fn overlaps(self, other: Self) -> bool {
        self.start <= other.end && other.start <= self.end
    }

    /// Whether both together are one piece.
    const fn touches(self, other: Self) -> bool {
        self.start <= other.end.saturating_add(1) && other.start <= self.end.saturating_add(1)
    }

    /// Both and what is between them.
    fn with(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
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
/// Shape:  only GET has ranges; `If-Range` that does not hold means the whole. Several ranges of an
///         encoded body too: a viewer would take the coding for that of all parts together.
/// Errors: none. A range that cannot be read counts as absent (RFC 9110 §14.2).
pub fn asked(
    law: Law,
    method: &Method,
    request: &HeaderMap,
    stored: &HeaderMap,
    length: u64,
) -> Asked {
    let Some(value) = request.get(header::RANGE) else {
        return Asked::Whole;
    };
    let single = request.get_all(header::RANGE).iter().count() == 1;
    if *method != Method::GET || !single || !if_range(request, stored) {
        return Asked::Whole;
    }
    match parse(law, value.as_bytes(), length) {
        Asked::Several(_) if stored.contains_key(header::CONTENT_ENCODING) => Asked::Whole,
        asked => asked,
    }
}

/// Reads a `Range` value against a known length.
///
/// Shape:  under [`Law::Http`], ranges that overlap or touch become one, and those beyond the body
///         are left out (RFC 9110 §14.2, §15.3.7.2); under [`Law::CloudFront`] several ranges count
///         only where they ascend, do not overlap and are all there (CloudFront developer guide,
///         range GETs).
/// Errors: none; what counts for nothing is the whole.
pub fn parse(law: Law, value: &[u8], length: u64) -> Asked {
    read(value, length).map_or(Asked::Whole, |wanted| choose(law, &wanted, length))
}

/// The ranges in their order. None when one of them cannot be read, or none is there, or too many.
fn read(value: &[u8], length: u64) -> Option<Vec<Span>> {
    let (unit, set) = value.split_at_checked(value.iter().position(|byte| *byte == b'=')?)?;
    if !unit.trim_ascii().eq_ignore_ascii_case(b"bytes") {
        return None;
    }
    let ranges = set.get(1..)?.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    let ranges = ranges.filter(|range| !range.is_empty()).take(MOST_RANGES + 1);
    let wanted: Vec<_> = ranges.map(|range| one(range, length)).collect::<Option<_>>()?;
    (1..=MOST_RANGES).contains(&wanted.len()).then_some(wanted)
}

/// Reads one range.
fn one(range: &[u8], length: u64) -> Option<Span> {
    let (first, last) = range.split_at_checked(range.iter().position(|byte| *byte == b'-')?)?;
    let last = last.get(1..)?;
    let (start, end) = match (first.is_empty(), last.is_empty()) {
        (true, true) => return None,
        (true, false) => (length.saturating_sub(number(last)?), None),
        (false, true) => (number(first)?, None),
        (false, false) => (number(first)?, Some(number(last)?)),
    };
    end.is_none_or(|end| start <= end).then_some(Span { start, end })
}

/// The first range of a `Range` value as it is written, if all of them can be read.
pub(crate) fn first(value: &[u8]) -> Option<&[u8]> {
    read(value, u64::MAX)?;
    let set = value.get(value.iter().position(|byte| *byte == b'=')? + 1..)?;
    set.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).find(|range| !range.is_empty())
}

/// From an offset to another or to the end, wherever that is.
#[derive(Clone, Copy)]
struct Span {
    start: u64,
    end: Option<u64>,
}

impl Span {
    /// What there is of it; none when it begins beyond the body.
    fn within(self, length: u64) -> Option<Part> {
        let most = length.checked_sub(1).filter(|most| self.start <= *most)?;
        Some(Part { start: self.start, end: self.end.unwrap_or(most).min(most) })
    }
}

fn choose(law: Law, wanted: &[Span], length: u64) -> Asked {
    let parts: Vec<Part> = wanted.iter().filter_map(|span| span.within(length)).collect();
    let (several, all) = (wanted.len() > 1, wanted.len() == parts.len());
    match law {
        Law::CloudFront if several && !(all && ascend(&parts)) => Asked::Whole,
        Law::CloudFront => of_parts(parts),
        Law::Http => of_parts(coalesce(parts)),
    }
}

fn of_parts(parts: Vec<Part>) -> Asked {
    match parts.as_slice() {
        [] => Asked::Unsatisfiable,
        [part] => Asked::One(*part),
        several if several.len() > MOST_PARTS => Asked::Whole,
        _ => Asked::Several(parts),
    }
}

fn ascend(parts: &[Part]) -> bool {
    parts.is_sorted_by(|one, next| one.start < next.start && !one.overlaps(*next))
}

/// Makes one of those that overlap or touch, in the place of the first of them; the others stay in
/// the order that they were asked in (RFC 9110 §15.3.7.2).
fn coalesce(parts: Vec<Part>) -> Vec<Part> {
    let mut kept: Vec<Part> = Vec::with_capacity(parts.len());
    for mut part in parts {
        let mut place = kept.len();
        while let Some(at) = kept.iter().position(|other| other.touches(part)) {
            part = part.with(kept.remove(at));
            place = place.min(at);
        }
        kept.insert(place.min(kept.len()), part);
    }
    kept
}

/// Digits only; a number too long to be true is the largest.
pub(crate) fn number(text: &[u8]) -> Option<u64> {
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
