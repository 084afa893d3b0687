//! `CDN-Cache-Control` (RFC 9213): directives for content delivery networks only.
//!
//! For: law `Http`, where it goes before `Cache-Control` and `Expires`. Not for: CloudFront's law,
//! which does not know it; there it is a header like any other.
//!
//! Shape: a Structured Fields dictionary (RFC 9651 §3.2): names in lower case, integers bare.
//! Errors: none. An empty field, or one that is no dictionary, counts as absent (RFC 9213 §2.1).

use crate::directives::{Directives, LONGEST};
use http::{HeaderMap, HeaderValue};
use model::units::Seconds;
use std::borrow::Cow;

/// Name of the field.
pub const NAME: &str = "cdn-cache-control";

/// What the field says; none when it is absent, empty or malformed.
pub fn cdn_cache_control(headers: &HeaderMap) -> Option<Directives> {
    let line = joined(headers)?;
    let mut reader = Reader { rest: &line };
    let members = reader.dictionary()?;
    let mut said = Directives::of_targeted();
    for (name, value) in members {
        take(&mut said, name, value);
    }
    Some(said)
}

/// All lines as one, as RFC 9651 §4.2 reads them; none when the field is absent.
fn joined(headers: &HeaderMap) -> Option<Cow<'_, [u8]>> {
    let mut lines = headers.get_all(NAME).iter().map(HeaderValue::as_bytes);
    let first = lines.next()?;
    let rest: Vec<_> = lines.collect();
    Some(match rest.as_slice() {
        [] => Cow::Borrowed(first),
        rest => Cow::Owned([&[first], rest].concat().join(&b", "[..])),
    })
}

/// The names that mean something here. Of members with one name the last counts, even where its
/// value means nothing (RFC 9651 §3.2).
const KNOWN: [&str; 13] = [
    "max-age",
    "s-maxage",
    "stale-while-revalidate",
    "stale-if-error",
    "no-store",
    "no-cache",
    "private",
    "public",
    "must-revalidate",
    "proxy-revalidate",
    "must-understand",
    "no-transform",
    "immutable",
];

enum Value {
    True,
    Integer(i64),
    Text(Vec<u8>),
    Other,
}

fn take(said: &mut Directives, name: &str, value: Value) {
    match (name, value) {
        ("max-age", Value::Integer(count)) => said.max_age = Some(seconds(count)),
        ("s-maxage", Value::Integer(count)) => said.s_maxage = Some(seconds(count)),
        ("stale-while-revalidate", Value::Integer(count)) => {
            said.stale_while_revalidate = Some(seconds(count));
        }
        ("stale-if-error", Value::Integer(count)) => said.stale_if_error = Some(seconds(count)),
        ("no-cache" | "private", Value::Text(list)) => said.withhold(name, &list),
        (name, Value::True) => said.set_named(name),
        _ => {}
    }
}

/// A negative lifetime makes the response stale.
fn seconds(count: i64) -> Seconds {
    Seconds(u64::try_from(count).unwrap_or_default()).min(LONGEST)
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads all of it: the members that are [`KNOWN`]; none when it is empty or malformed.
    fn dictionary(&mut self) -> Option<Vec<(&'a str, Value)>> {
        let mut members: Vec<(&str, Value)> = Vec::new();
        self.skip(b" ");
        (!self.rest.is_empty()).then_some(())?;
        while !self.rest.is_empty() {
            let name = self.key()?;
            let value = self.member()?;
            if KNOWN.contains(&name) {
                members.retain(|(known, _)| *known != name);
                members.push((name, value));
            }
            self.comma()?;
        }
        Some(members)
    }

    /// Between members; a comma after the last one is an error.
    fn comma(&mut self) -> Option<()> {
        self.skip(b" \t");
        if self.rest.is_empty() {
            return Some(());
        }
        self.eat(b',').then_some(())?;
        self.skip(b" \t");
        (!self.rest.is_empty()).then_some(())
    }

    fn member(&mut self) -> Option<Value> {
        let value = match self.eat(b'=') {
            true if self.eat(b'(') => self.inner_list()?,
            true => self.value()?,
            false => Value::True,
        };
        self.parameters()?;
        Some(value)
    }

    fn parameters(&mut self) -> Option<()> {
        while self.eat(b';') {
            self.skip(b" ");
            self.key()?;
            if self.eat(b'=') {
                self.value()?;
            }
        }
        Some(())
    }

    /// Items with spaces between them, up to the closing parenthesis (RFC 9651 §4.2.1.2).
    fn inner_list(&mut self) -> Option<Value> {
        loop {
            self.skip(b" ");
            if self.eat(b')') {
                return Some(Value::Other);
            }
            self.value()?;
            self.parameters()?;
            matches!(*self.rest.first()?, b' ' | b')').then_some(())?;
        }
    }

    fn value(&mut self) -> Option<Value> {
        match *self.rest.first()? {
            b'@' => self.date(),
            b'%' => self.display_string(),
            b'"' => self.string(),
            b'?' => self.boolean(),
            b'-' | b'0'..=b'9' => self.number(),
            b':' => self.binary(),
            byte if byte.is_ascii_alphabetic() || byte == b'*' => {
                self.run(|byte| byte.is_ascii_graphic() && !b"\"(),;<=>?@[\\]{}".contains(&byte));
                Some(Value::Other)
            }
            _ => None,
        }
    }

    fn string(&mut self) -> Option<Value> {
        self.eat(b'"');
        let mut text = Vec::new();
        loop {
            match self.byte()? {
                b'"' => return Some(Value::Text(text)),
                b'\\' => text.push(self.byte().filter(|byte| matches!(byte, b'"' | b'\\'))?),
                byte @ 0x20..=0x7e => text.push(byte),
                _ => return None,
            }
        }
    }

    fn boolean(&mut self) -> Option<Value> {
        self.eat(b'?');
        match self.byte()? {
            b'1' => Some(Value::True),
            b'0' => Some(Value::Other),
            _ => None,
        }
    }

    /// At most 15 digits (RFC 8941 §3.3.1); a decimal is well-formed but no number of seconds.
    fn number(&mut self) -> Option<Value> {
        let negative = self.eat(b'-');
        let digits = self.run(|byte| byte.is_ascii_digit());
        let count = std::str::from_utf8(digits).ok()?.parse::<i64>().ok()?;
        if digits.len() > 15 {
            return None;
        }
        if self.eat(b'.') {
            let fraction = self.run(|byte| byte.is_ascii_digit()).len();
            return (digits.len() <= 12 && (1..=3).contains(&fraction)).then_some(Value::Other);
        }
        Some(Value::Integer(if negative { -count } else { count }))
    }

    /// An integer after `@` (RFC 9651 §4.2.9).
    fn date(&mut self) -> Option<Value> {
        self.eat(b'@');
        match self.number()? {
            Value::Integer(_) => Some(Value::Other),
            _ => None,
        }
    }

    /// Text with bytes beyond ASCII as `%` and two lower-case digits (RFC 9651 §4.2.10).
    fn display_string(&mut self) -> Option<Value> {
        self.eat(b'%');
        self.eat(b'"').then_some(())?;
        let mut text = Vec::new();
        loop {
            match self.byte()? {
                b'"' => return std::str::from_utf8(&text).is_ok().then_some(Value::Other),
                b'%' => text.push(self.hex()? * 16 + self.hex()?),
                byte @ 0x20..=0x7e => text.push(byte),
                _ => return None,
            }
        }
    }

    fn hex(&mut self) -> Option<u8> {
        match self.byte()? {
            digit @ b'0'..=b'9' => Some(digit - b'0'),
            letter @ b'a'..=b'f' => Some(letter - b'a' + 10),
            _ => None,
        }
    }

    /// Base64 between colons, with its padding or less of it (RFC 9651 §4.2.7).
    fn binary(&mut self) -> Option<Value> {
        self.eat(b':');
        let digits = self.run(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte)).len();
        let padding = self.run(|byte| byte == b'=').len();
        let sound = match digits % 4 {
            0 => padding == 0,
            1 => false,
            rest => rest + padding <= 4,
        };
        (sound && self.eat(b':')).then_some(Value::Other)
    }

    fn key(&mut self) -> Option<&'a str> {
        let start = *self.rest.first()?;
        (start.is_ascii_lowercase() || start == b'*').then_some(())?;
        let name = self.run(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-.*".contains(&byte)
        });
        std::str::from_utf8(name).ok()
    }

    fn run(&mut self, belongs: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self.rest.iter().position(|byte| !belongs(*byte)).unwrap_or(self.rest.len());
        let (run, rest) = self.rest.split_at_checked(end).unwrap_or_default();
        self.rest = rest;
        run
    }

    fn skip(&mut self, these: &[u8]) {
        self.run(|byte| these.contains(&byte));
    }

    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*byte)
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.rest.first() == Some(&byte);
        if found {
            self.rest = self.rest.get(1..).unwrap_or_default();
        }
        found
    }
}
