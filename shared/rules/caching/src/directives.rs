//! `Cache-Control` read into what it says (RFC 9111 §5.2, RFC 5861, RFC 8246).
//!
//! For: requests and responses alike. Not for: what a directive means under which law.
//!
//! Shape: names are compared without case; both `max-age=1` and `max-age="1"` are read; several
//! header lines count as one list; the first of two equal directives with arguments wins.
//! Errors: none. A `max-age` or `s-maxage` that is no number counts as 0, so that the response is
//! stale (RFC 9111 §4.2.1); other malformed or unknown directives are passed over.

use crate::targeted;
use http::{HeaderMap, HeaderName, header};
use model::{plan::Law, units::Seconds};

/// Longest lifetime that is understood: 100 years.
pub const LONGEST: Seconds = Seconds(100 * 365 * 24 * 3600);

/// Most field names that `no-cache="…"` and `private="…"` may list; beyond it they count as if
/// they were written without a list, which only keeps less.
const MOST_FIELDS: usize = 32;

/// Directives without an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Flag {
    /// Nothing may be kept.
    NoStore = 1,
    /// Nothing may be used again unasked (the form without a field list).
    NoCache = 1 << 1,
    /// Not for shared caches (the form without a field list).
    Private = 1 << 2,
    /// For every cache.
    Public = 1 << 3,
    /// Never served stale.
    MustRevalidate = 1 << 4,
    /// Never served stale by shared caches.
    ProxyRevalidate = 1 << 5,
    /// Kept only by caches that know the status.
    MustUnderstand = 1 << 6,
    /// The body may not be changed.
    NoTransform = 1 << 7,
    /// Does not change while fresh.
    Immutable = 1 << 8,
    /// The viewer wants what is stored or nothing.
    OnlyIfCached = 1 << 9,
}

impl Flag {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "no-store" => Self::NoStore,
            "no-cache" => Self::NoCache,
            "private" => Self::Private,
            "public" => Self::Public,
            "must-revalidate" => Self::MustRevalidate,
            "proxy-revalidate" => Self::ProxyRevalidate,
            "must-understand" => Self::MustUnderstand,
            "no-transform" => Self::NoTransform,
            "immutable" => Self::Immutable,
            "only-if-cached" => Self::OnlyIfCached,
            _ => return None,
        })
    }
}

/// What a list of directives says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directives {
    flags: u16,
    /// `max-age`.
    pub max_age: Option<Seconds>,
    /// `s-maxage`.
    pub s_maxage: Option<Seconds>,
    /// `min-fresh`, of requests.
    pub min_fresh: Option<Seconds>,
    /// `max-stale`, of requests; without an argument, as long as can be.
    pub max_stale: Option<Seconds>,
    /// `stale-while-revalidate`.
    pub stale_while_revalidate: Option<Seconds>,
    /// `stale-if-error`.
    pub stale_if_error: Option<Seconds>,
    /// Fields that `no-cache="…"` and `private="…"` name: not kept.
    pub withheld: Vec<HeaderName>,
    /// Whether this is from `CDN-Cache-Control`, so that `Expires` does not count (RFC 9213 §2.2).
    pub targeted: bool,
}

impl Directives {
    /// What `Cache-Control` says.
    pub fn of(headers: &HeaderMap) -> Self {
        let mut said = Self::default();
        for line in headers.get_all(header::CACHE_CONTROL) {
            said.read(line.as_bytes());
        }
        said
    }

    /// What a response says under this law: `CDN-Cache-Control` goes before `Cache-Control` under
    /// [`Law::Http`] (RFC 9213 §2).
    pub fn of_response(law: Law, headers: &HeaderMap) -> Self {
        let targeted = (law == Law::Http).then(|| targeted::cdn_cache_control(headers)).flatten();
        targeted.unwrap_or_else(|| Self::of(headers))
    }

    /// What a request says; `Pragma: no-cache` counts where `Cache-Control` is missing
    /// (RFC 9111 §5.4).
    pub fn of_request(headers: &HeaderMap) -> Self {
        let mut said = Self::of(headers);
        if !headers.contains_key(header::CACHE_CONTROL) && pragma_no_cache(headers) {
            said.set(Flag::NoCache);
        }
        said
    }

    /// Nothing said yet, by a targeted field.
    pub(crate) fn of_targeted() -> Self {
        Self { targeted: true, ..Self::default() }
    }

    /// Whether this directive is there.
    pub fn has(&self, flag: Flag) -> bool {
        self.flags & flag as u16 != 0
    }

    /// Whether one of `no-store`, `no-cache` and `private` is there without a field list.
    pub fn forbids_reuse(&self) -> bool {
        self.has(Flag::NoStore) || self.has(Flag::NoCache) || self.has(Flag::Private)
    }

    pub(crate) fn set(&mut self, flag: Flag) {
        self.flags |= flag as u16;
    }

    fn read(&mut self, line: &[u8]) {
        for member in Members::of(line) {
            let (name, value) = split(member);
            self.take(&name.to_ascii_lowercase(), value);
        }
    }

    fn take(&mut self, name: &str, value: Option<&[u8]>) {
        let number = |value: Option<&[u8]>| delta_seconds(&unquoted(value.unwrap_or_default()));
        match name {
            "no-cache" | "private" if value.is_some() => {
                self.withhold(name, value.unwrap_or_default());
            }
            "max-age" => first(&mut self.max_age, number(value).or(Some(Seconds::ZERO))),
            "s-maxage" => first(&mut self.s_maxage, number(value).or(Some(Seconds::ZERO))),
            "min-fresh" => first(&mut self.min_fresh, number(value)),
            "max-stale" if value.is_none() => first(&mut self.max_stale, Some(LONGEST)),
            "max-stale" => first(&mut self.max_stale, number(value)),
            "stale-while-revalidate" => first(&mut self.stale_while_revalidate, number(value)),
            "stale-if-error" => first(&mut self.stale_if_error, number(value)),
            _ => self.set_named(name),
        }
    }

    pub(crate) fn withhold(&mut self, name: &str, value: &[u8]) {
        let list = unquoted(value);
        let mut names = list.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).peekable();
        let fields: Option<Vec<_>> = names.by_ref().take(MOST_FIELDS).map(field_name).collect();
        match fields {
            Some(fields) if names.peek().is_none() => self.withheld.extend(fields),
            _ => self.set_named(name),
        }
        if self.withheld.len() > MOST_FIELDS {
            self.withheld.truncate(MOST_FIELDS);
            self.set_named(name);
        }
    }

    /// Sets the directive with this name, if there is one.
    pub(crate) fn set_named(&mut self, name: &str) {
        if let Some(flag) = Flag::named(name) {
            self.set(flag);
        }
    }
}

fn field_name(name: &[u8]) -> Option<HeaderName> {
    HeaderName::from_bytes(name).ok()
}

fn first(slot: &mut Option<Seconds>, value: Option<Seconds>) {
    *slot = slot.or(value);
}

fn pragma_no_cache(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(header::PRAGMA).into_iter();
    lines
        .flat_map(|line| Members::of(line.as_bytes()))
        .any(|member| split(member).0.eq_ignore_ascii_case("no-cache"))
}

/// A number of seconds, at most [`LONGEST`]; none for anything but digits (RFC 9111 §1.2.2).
pub fn delta_seconds(text: &[u8]) -> Option<Seconds> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digits = text.iter().map(|digit| u64::from(digit - b'0'));
    let value = digits.fold(0_u64, |sum, digit| sum.saturating_mul(10).saturating_add(digit));
    Some(Seconds(value).min(LONGEST))
}

/// Name and argument. A name that is not text is nobody's, and so is the empty one.
fn split(member: &[u8]) -> (&str, Option<&[u8]>) {
    let mut parts = member.splitn(2, |byte| *byte == b'=');
    let name = parts.next().unwrap_or_default().trim_ascii();
    (std::str::from_utf8(name).unwrap_or_default(), parts.next().map(<[u8]>::trim_ascii))
}

/// A quoted string without quotes and backslashes, anything else as it is.
fn unquoted(value: &[u8]) -> Vec<u8> {
    let Some(inner) = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")) else {
        return value.to_vec();
    };
    let mut plain = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(byte) = bytes.next() {
        plain.extend(if *byte == b'\\' { bytes.next() } else { Some(byte) });
    }
    plain
}

/// The members of a comma-separated list, commas in quoted strings left alone, in linear time.
/// A quote that is never closed is a character like any other, so that it cannot hide what
/// follows it.
struct Members<'a> {
    rest: &'a [u8],
    quotes: bool,
}

impl<'a> Members<'a> {
    fn of(line: &'a [u8]) -> Self {
        Self { rest: line, quotes: true }
    }

    fn end(&mut self) -> usize {
        if self.quotes {
            if let Some(end) = end_outside_quotes(self.rest) {
                return end;
            }
            self.quotes = false;
        }
        self.rest.iter().position(|byte| *byte == b',').unwrap_or(self.rest.len())
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let end = self.end();
        let (member, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest.get(1..).unwrap_or_default();
        Some(member)
    }
}

/// Where the first member ends; none when a quote stays open.
fn end_outside_quotes(list: &[u8]) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in list.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => return Some(at),
            _ => {}
        }
    }
    (!quoted).then_some(list.len())
}
