//! HTTP dates (RFC 9110 §5.6.7), to the second.
//!
//! For: reading `Date`, `Expires`, `Last-Modified` and the conditional dates; writing them.
//! Not for: what an unreadable date means; that is said where each is used.

use http::{HeaderMap, HeaderName, HeaderValue};
use model::units::Timestamp;
use std::time::{Duration, UNIX_EPOCH};

/// The longest form: `Wednesday, 06-Nov-94 08:49:37 GMT`.
const LONGEST: usize = 33;

/// Reads a date in any of the three forms; none for anything else, dates before 1970 included.
///
/// Names are read in any case, as RFC 9111 §4.2 asks of caches, and `UTC` stands for `GMT`.
pub fn parse(value: &HeaderValue) -> Option<Timestamp> {
    let text = value.to_str().ok()?.trim();
    let read = httpdate::parse_http_date(text).or_else(|why| match in_usual_case(text) {
        Some(text) => httpdate::parse_http_date(&text),
        None => Err(why),
    });
    let since = read.ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(Timestamp(since.as_secs().saturating_mul(1000)))
}

/// Words with a capital first, the zone in capitals; none for what is too long for a date.
fn in_usual_case(text: &str) -> Option<String> {
    if text.len() > LONGEST {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let (stamp, zone) = match lower.strip_suffix(" gmt").or_else(|| lower.strip_suffix(" utc")) {
        Some(stamp) => (stamp, " GMT"),
        None => (lower.as_str(), ""),
    };
    let mut before = ' ';
    let capital = |letter: char| {
        let first = !before.is_ascii_alphabetic();
        before = letter;
        if first { letter.to_ascii_uppercase() } else { letter }
    };
    Some(stamp.chars().map(capital).chain(zone.chars()).collect())
}

/// The date in this header's first line, if it is there and can be read.
pub fn header(headers: &HeaderMap, name: &HeaderName) -> Option<Timestamp> {
    headers.get(name).and_then(parse)
}

/// Writes a date in the preferred form: `Sun, 06 Nov 1994 08:49:37 GMT`.
///
/// Errors: none. A time beyond the year 9999 becomes the last one that can be written.
pub fn format(at: Timestamp) -> String {
    const LAST: u64 = 253_402_300_799;
    let since = Duration::from_secs(at.seconds().min(LAST));
    httpdate::fmt_http_date(UNIX_EPOCH + since)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<u64> {
        parse(&HeaderValue::from_str(text).unwrap()).map(Timestamp::seconds)
    }

    #[test]
    fn the_three_forms_of_rfc_9110_5_6_7_say_the_same() {
        assert_eq!(read("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(read("Sunday, 06-Nov-94 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(read("Sun Nov  6 08:49:37 1994"), Some(784_111_777));
    }

    #[test]
    fn what_is_not_a_date_is_none() {
        for text in ["", "0", "-1", "tomorrow", "Sun, 06 Nov 1894 08:49:37 GMT", "1994-11-06"] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    /// RFC 9111 §4.2.
    #[test]
    fn names_are_read_in_any_case_and_no_zone_but_gmt() {
        let now = Some(784_111_777);
        for text in ["sun, 06 nov 1994 08:49:37 gmt", "SUNDAY, 06-NOV-94 08:49:37 GMT"] {
            assert_eq!(read(text), now, "{text:?}");
        }
        assert_eq!(read("SUN NOV  6 08:49:37 1994"), now);
        assert_eq!(read("Sun, 06 Nov 1994 08:49:37 UTC"), now);
        for zone in ["", " Z", " PST", " +0000", " GMT+1", " gmtx"] {
            assert_eq!(read(&format!("Sun, 06 Nov 1994 08:49:37{zone}")), None, "{zone:?}");
        }
    }

    #[test]
    fn writing_and_reading_agree() {
        for seconds in [0, 784_111_777, 4_102_444_800] {
            assert_eq!(read(&format(Timestamp(seconds * 1000 + 999))), Some(seconds));
        }
        assert_eq!(format(Timestamp(u64::MAX)), "Fri, 31 Dec 9999 23:59:59 GMT");
    }
}
