//! Parts of a body as origins send them (RFC 9110 §14, §15.3.7; RFC 9111 §3.3, §3.4).
//!
//! For: what a 206 holds and whether it may be kept, which answers continue a body that is held in
//! part, and what makes two parts belong together. Not for: what a viewer's `Range` means for a body
//! whose length is known ([`crate::range`]), nor for fetching or keeping anything.

use crate::{
    RequestView, ResponseView, Terms, Times, dates, range,
    range::Part,
    storing::{self, Keep, Storing},
    validate,
};
use http::{HeaderMap, HeaderValue, StatusCode, header};

/// Where a part belongs: what `Content-Range` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The bytes.
    pub part: Part,
    /// Length of the whole.
    pub total: u64,
}

impl Place {
    /// Of a part with these headers.
    ///
    /// Shape:  one line `bytes 0-499/1234` with a known total, and a `Content-Length`, where there is
    ///         one, that agrees.
    /// Errors: none; whatever else is there counts as nothing (RFC 9110 §14.4).
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut lines = headers.get_all(header::CONTENT_RANGE).iter();
        let line = lines.next().filter(|_| lines.next().is_none())?.to_str().ok()?;
        let (unit, rest) = line.trim().split_once(' ')?;
        let (span, total) = rest.trim_start().split_once('/')?;
        let (start, end) = span.split_once('-')?;
        let number = |text: &str| range::number(text.as_bytes());
        let (start, end, total) = (number(start)?, number(end)?, number(total)?);
        let part = Part { start, end };
        let sound = unit.eq_ignore_ascii_case("bytes") && start <= end && end < total;
        let agrees = length(headers).is_none_or(|length| length == part.length());
        (sound && agrees && total < u64::MAX).then_some(Self { part, total })
    }
}

/// The announced length of a message.
fn length(headers: &HeaderMap) -> Option<u64> {
    range::number(headers.get(header::CONTENT_LENGTH)?.as_bytes())
}

/// A validator that only bodies equal byte for byte share (RFC 9110 §8.8.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Strong {
    /// A strong entity tag.
    Tag(HeaderValue),
    /// A `Last-Modified` that lies before `Date` by a second or more (RFC 9110 §8.8.2.2), where there
    /// is no entity tag at all (RFC 9110 §13.1.5).
    Date(HeaderValue),
}

impl Strong {
    /// Of a response with these headers.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut tags = headers.get_all(header::ETAG).iter();
        match (tags.next(), tags.next()) {
            (Some(tag), None) => {
                let strong = validate::strong_match(tag.as_bytes(), tag.as_bytes());
                strong.then(|| Self::Tag(tag.clone()))
            }
            (Some(_), Some(_)) => None,
            (None, _) => dated(headers).map(|date| Self::Date(date.clone())),
        }
    }

    /// As `If-Range` says it.
    pub fn condition(&self) -> &HeaderValue {
        match self {
            Self::Tag(value) | Self::Date(value) => value,
        }
    }

    /// Whether a response with these headers has the same.
    pub fn is_of(&self, headers: &HeaderMap) -> bool {
        match self {
            Self::Tag(tag) => {
                Self::of(headers).is_some_and(|other| other == Self::Tag(tag.clone()))
            }
            Self::Date(date) => dated(headers).is_some_and(|other| {
                dates::parse(other).is_some() && dates::parse(other) == dates::parse(date)
            }),
        }
    }
}

/// `Last-Modified`, where it is a strong validator.
fn dated(headers: &HeaderMap) -> Option<&HeaderValue> {
    let since = dates::header(headers, &header::LAST_MODIFIED)?;
    let date = dates::header(headers, &header::DATE)?;
    headers.get(header::LAST_MODIFIED).filter(|_| date > since)
}

/// A part that may be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// How the whole is kept, of which it is a part.
    pub keep: Keep,
    /// Which part.
    pub place: Place,
}

/// Whether a 206 may be kept, to be combined with other parts later: as a 200 with these headers, if
/// it says where it belongs and has a strong validator (RFC 9111 §3.3, §3.4).
///
/// Errors: none; what cannot be read is not kept.
pub fn kept(
    terms: &Terms<'_>,
    request: &RequestView<'_>,
    headers: &HeaderMap,
    times: Times,
) -> Option<Kept> {
    let place = Place::of(headers)?;
    Strong::of(headers)?;
    let whole = ResponseView { status: StatusCode::OK, headers };
    match storing::decide(terms, request, &whole, times) {
        Storing::Keep(keep) => Some(Kept { keep, place }),
        Storing::Pass(_) => None,
    }
}

/// What an answer is to someone who asked for the rest of a body with `If-Range`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Continued {
    /// The rest, or some of it: it begins where it should.
    Here(Place),
    /// The same body from its first byte: ranges are not this origin's.
    Whole,
    /// The body is no longer the one that was meant.
    Changed,
    /// Neither.
    Unusable,
}

/// Whether an answer continues, from the byte `from` on, a body with this validator and length.
pub fn continued(
    strong: &Strong,
    total: Option<u64>,
    from: u64,
    answer: &ResponseView<'_>,
) -> Continued {
    let same = strong.is_of(answer.headers);
    let differs = |other: u64| total.is_some_and(|total| total != other);
    match answer.status {
        StatusCode::PARTIAL_CONTENT => match Place::of(answer.headers) {
            Some(place) if !same || differs(place.total) => Continued::Changed,
            Some(place) if place.part.start == from => Continued::Here(place),
            _ => Continued::Unusable,
        },
        StatusCode::OK if !same => Continued::Changed,
        StatusCode::OK if length(answer.headers).is_some_and(differs) => Continued::Changed,
        StatusCode::OK => Continued::Whole,
        StatusCode::NOT_FOUND
        | StatusCode::GONE
        | StatusCode::PRECONDITION_FAILED
        | StatusCode::RANGE_NOT_SATISFIABLE => Continued::Changed,
        _ => Continued::Unusable,
    }
}

/// The range to ask an origin for on behalf of a viewer, when nothing is known of the body: the
/// first of those that it wants, in the viewer's words. None when they cannot be read.
pub fn first_wanted(request: &HeaderMap) -> Option<String> {
    let mut lines = request.get_all(header::RANGE).iter();
    let line = lines.next().filter(|_| lines.next().is_none())?;
    let first = range::first(line.as_bytes())?;
    Some(format!("bytes={}", std::str::from_utf8(first).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn map(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, text) in lines {
            headers.append(*name, HeaderValue::from_str(text).unwrap());
        }
        headers
    }

    const THEN: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const LATER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

    #[test]
    fn a_place_is_read_only_where_it_is_whole_and_sound() {
        let place = |text: &str| Place::of(&map(&[("content-range", text)]));
        let good = Some(Place { part: Part { start: 2, end: 5 }, total: 10 });
        assert_eq!(place("bytes 2-5/10"), good);
        assert_eq!(place("BYTES 2-5/10"), good);
        for bad in [
            "bytes 2-5/*",
            "bytes */10",
            "bytes 5-2/10",
            "bytes 2-10/10",
            "lines 2-5/10",
            "bytes=2-5/10",
            "2-5/10",
            "bytes -5/10",
            "bytes 2-/10",
            "bytes 2-5",
            "",
            "bytes 2-5/10, bytes 7-8/10",
            "bytes +2-5/10",
            "bytes 0-18446744073709551614/18446744073709551615",
        ] {
            assert_eq!(place(bad), None, "{bad}");
        }
        let twice = [("content-range", "bytes 2-5/10"), ("content-range", "bytes 2-5/10")];
        assert_eq!(Place::of(&map(&twice)), None);
        let lies = [("content-range", "bytes 2-5/10"), ("content-length", "5")];
        assert_eq!(Place::of(&map(&lies)), None);
    }

    #[test]
    fn only_strong_tags_and_old_dates_hold_parts_together() {
        let strong = |lines: &[(&'static str, &str)]| Strong::of(&map(lines)).is_some();
        assert!(strong(&[("etag", "\"1\"")]));
        assert!(strong(&[("last-modified", THEN), ("date", LATER)]));
        for weak in [
            &[("etag", "W/\"1\"")][..],
            &[("etag", "1")],
            &[("etag", "\"1\""), ("etag", "\"2\"")],
            &[("last-modified", THEN), ("date", THEN)],
            &[("last-modified", THEN)],
            &[("etag", "W/\"1\""), ("last-modified", THEN), ("date", LATER)],
        ] {
            assert!(!strong(weak), "{weak:?}");
        }
    }

    #[test]
    fn an_answer_continues_only_what_has_its_validator_its_length_and_its_place() {
        let strong = Strong::Tag(HeaderValue::from_static("\"1\""));
        let judged = |status: u16, lines: &[(&'static str, &str)]| {
            let (status, headers) = (StatusCode::from_u16(status).unwrap(), map(lines));
            continued(&strong, Some(10), 4, &ResponseView { status, headers: &headers })
        };
        let (same, other) = (("etag", "\"1\""), ("etag", "\"2\""));
        let place = Place { part: Part { start: 4, end: 9 }, total: 10 };
        let (here, total) = (("content-range", "bytes 4-9/10"), ("content-range", "bytes 4-9/11"));
        assert_eq!(judged(206, &[same, here]), Continued::Here(place));
        assert_eq!(judged(206, &[other, here]), Continued::Changed);
        assert_eq!(judged(206, &[here]), Continued::Changed);
        assert_eq!(judged(206, &[same, total]), Continued::Changed);
        assert_eq!(judged(206, &[same, ("content-range", "bytes 5-9/10")]), Continued::Unusable);
        assert_eq!(judged(206, &[same]), Continued::Unusable);
        assert_eq!(judged(200, &[same]), Continued::Whole);
        assert_eq!(judged(200, &[same, ("content-length", "9")]), Continued::Changed);
        assert_eq!(judged(200, &[other]), Continued::Changed);
        assert_eq!(judged(416, &[]), Continued::Changed);
        assert_eq!(judged(503, &[]), Continued::Unusable);
    }

    #[test]
    fn of_several_ranges_the_first_is_asked_for() {
        let first = |text: &str| first_wanted(&map(&[("range", text)]));
        assert_eq!(first("bytes=2-5, 7-8").as_deref(), Some("bytes=2-5"));
        assert_eq!(first("Bytes=-5").as_deref(), Some("bytes=-5"));
        assert_eq!(first("bytes=,7-").as_deref(), Some("bytes=7-"));
        for bad in ["lines=2-5", "bytes=5-2", "bytes=2-5,a", "bytes=", "bytes", "bytes=-"] {
            assert_eq!(first(bad), None, "{bad}");
        }
    }

    proptest! {
        /// Whatever is kept says where it belongs, and belongs only to parts of the same body.
        #[test]
        fn what_continues_is_of_the_same_body(
            start in 0_u64..20, length in 1_u64..20, total in 1_u64..40, tag in 0_u8..3, held in 0_u8..3, from in 0_u64..20,
        ) {
            let place = format!("bytes {start}-{}/{total}", start + length - 1);
            let headers = map(&[("content-range", &place), ("etag", &format!("\"{tag}\""))]);
            let strong = Strong::Tag(HeaderValue::from_str(&format!("\"{held}\"")).unwrap());
            let answer = ResponseView { status: StatusCode::PARTIAL_CONTENT, headers: &headers };
            let sound = start + length <= total;
            match continued(&strong, Some(30), from, &answer) {
                Continued::Here(place) => {
                    prop_assert!(sound && tag == held && total == 30 && start == from);
                    prop_assert_eq!((place.part.length(), place.total), (length, 30));
                }
                Continued::Changed => prop_assert!(sound && (tag != held || total != 30)),
                Continued::Unusable => prop_assert!(!sound || start != from),
                Continued::Whole => prop_assert!(false),
            }
        }

        #[test]
        fn no_text_makes_reading_a_place_fail(text in "[bytes 0-9/*=,-]{0,40}") {
            if let Some(place) = Place::of(&map(&[("content-range", &text)])) {
                prop_assert!(place.part.start <= place.part.end && place.part.end < place.total);
            }
        }
    }
}
