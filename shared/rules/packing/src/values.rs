//! The bytes of header values that a response does not share with others.
//!
//! Shape: one after the other, each behind its length; an HTTP date in its usual form takes five
//! bytes. Nothing is lost: what comes out is byte for byte what went in.

use http::HeaderValue;
use std::time::{Duration, UNIX_EPOCH};

/// Up to here a first byte is the length.
const SHORT: u8 = 0xfc;
/// The length follows in four bytes.
const LONG: u8 = 0xfd;
/// The seconds of a date follow in four bytes.
const DATE: u8 = 0xfe;
/// Length of an HTTP date (RFC 9110 §5.6.7, IMF-fixdate).
const DATE_LENGTH: usize = 29;

/// One value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// As it is.
    Text(&'a [u8]),
    /// An HTTP date: seconds since the epoch.
    Date(u32),
}

impl Value<'_> {
    /// The value as text.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Text(text) => out.extend_from_slice(text),
            Self::Date(seconds) => out.extend_from_slice(&fixdate(*seconds)),
        }
    }

    /// The value as a header's.
    pub fn header(&self) -> HeaderValue {
        let made = match self {
            Self::Text(text) => HeaderValue::from_bytes(text),
            Self::Date(seconds) => HeaderValue::from_str(&date(*seconds)),
        };
        // It was a header's value when it was packed.
        made.unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

fn date(seconds: u32) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds.into()))
}

/// The same without formatting machinery: dates are written with every hit.
///
/// Years are counted from March on, so that the leap day is a year's last; 400 of them have always
/// the same number of days.
fn fixdate(seconds: u32) -> [u8; DATE_LENGTH] {
    const DAYS: [&[u8; 3]; 7] = [b"Thu", b"Fri", b"Sat", b"Sun", b"Mon", b"Tue", b"Wed"];
    const MONTHS: [&[u8; 3]; 12] = [
        b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec", b"Jan",
        b"Feb",
    ];
    /// Days from the first of March 1600 to the first of January 1970.
    const BEFORE: u32 = 135_080;
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let since = days + BEFORE;
    let (cycle, day) = (since / 146_097, since % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let of_month = day - (153 * month + 2) / 5 + 1;
    let year = 1600 + 400 * cycle + year + u32::from(month > 9);
    let mut text = *b"Thu, 00 Mar 0000 00:00:00 GMT";
    put(&mut text, 0, name(&DAYS, days % 7));
    put(&mut text, 5, &two(of_month));
    put(&mut text, 8, name(&MONTHS, month));
    put(&mut text, 12, &two(year / 100));
    put(&mut text, 14, &two(year % 100));
    put(&mut text, 17, &two(rest / 3600));
    put(&mut text, 20, &two(rest / 60 % 60));
    put(&mut text, 23, &two(rest % 60));
    text
}

fn name<'a, const N: usize>(names: &[&'a [u8; 3]; N], number: u32) -> &'a [u8] {
    let number = usize::try_from(number).unwrap_or_default();
    names.get(number).map_or(&[], |name| name.as_slice())
}

/// A number below a hundred.
fn two(number: u32) -> [u8; 2] {
    [number / 10, number % 10].map(|digit| b'0' + u8::try_from(digit).unwrap_or_default())
}

fn put(text: &mut [u8; DATE_LENGTH], at: usize, part: &[u8]) {
    for (place, byte) in text.iter_mut().skip(at).zip(part) {
        *place = *byte;
    }
}

/// Appends a value.
pub(crate) fn push(value: &[u8], out: &mut Vec<u8>) {
    if let Some(seconds) = seconds(value) {
        out.push(DATE);
        out.extend_from_slice(&seconds.to_le_bytes());
        return;
    }
    match u8::try_from(value.len()) {
        Ok(length) if length <= SHORT => out.push(length),
        _ => {
            out.push(LONG);
            let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
            out.extend_from_slice(&length.to_le_bytes());
        }
    }
    out.extend_from_slice(value);
}

/// The seconds of a value that is a date in exactly the form that is written.
fn seconds(value: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(value).ok().filter(|text| text.len() == DATE_LENGTH)?;
    let at = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    let seconds = u32::try_from(at.as_secs()).ok()?;
    (date(seconds) == text).then_some(seconds)
}

/// Reads values in the order in which they were packed.
#[derive(Clone, Debug)]
pub struct Values<'a>(pub(crate) &'a [u8]);

impl<'a> Iterator for Values<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        let (first, rest) = self.0.split_first()?;
        let (length, rest) = match *first {
            DATE => {
                let (seconds, rest) = rest.split_first_chunk::<4>()?;
                self.0 = rest;
                return Some(Value::Date(u32::from_le_bytes(*seconds)));
            }
            LONG => {
                let (length, rest) = rest.split_first_chunk::<4>()?;
                (usize::try_from(u32::from_le_bytes(*length)).ok()?, rest)
            }
            length => (usize::from(length), rest),
        };
        let (text, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(Value::Text(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn there_and_back(values: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let mut packed = Vec::new();
        for value in values {
            push(value, &mut packed);
        }
        let text = |value: Value<'_>| {
            let mut text = Vec::new();
            value.write(&mut text);
            text
        };
        Values(&packed).map(text).collect()
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(values in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..600), 0..6), seconds in any::<u32>()) {
            let mut values = values;
            values.push(date(seconds).into_bytes());
            prop_assert_eq!(there_and_back(&values), values);
        }

        #[test]
        fn dates_are_written_as_everybody_writes_them(seconds in any::<u32>()) {
            prop_assert_eq!(fixdate(seconds).to_vec(), date(seconds).into_bytes());
        }

        #[test]
        fn garbage_is_read_without_harm(garbage in prop::collection::vec(any::<u8>(), 0..100)) {
            prop_assert!(Values(&garbage).count() <= garbage.len());
        }
    }

    #[test]
    fn only_dates_in_their_usual_form_are_taken_for_dates() {
        for value in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Mon, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "0",
        ] {
            assert_eq!(there_and_back(&[value.into()]), [value.as_bytes()]);
        }
        assert!(seconds(b"Sun, 06 Nov 1994 08:49:37 GMT").is_some());
        assert!(seconds(b"Mon, 06 Nov 1994 08:49:37 GMT").is_none());
    }
}
