//! Conditional requests, to the origin and from the viewer (RFC 9110 §13, RFC 9111 §4.3).
//!
//! For: validators of a stored copy, the outcome of a viewer's conditions, and what a 304 changes.
//! Not for: `If-Range`, which is in [`crate::range`]; nor for whether the edge may answer a
//! condition itself (with cookies forwarded CloudFront leaves that to the origin).

use crate::{ResponseView, StoredView, dates};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use model::units::Timestamp;

/// What tells whether a stored copy is still the current one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// A well-formed entity tag, weak or strong.
    pub etag: Option<HeaderValue>,
    /// A date that can be read, as the origin wrote it.
    pub last_modified: Option<HeaderValue>,
}

impl Validators {
    /// Those of a stored copy; what is malformed is left out.
    pub fn of(headers: &HeaderMap) -> Self {
        let etag = headers.get(header::ETAG).filter(|tag| opaque(tag.as_bytes()).is_some());
        let modified = headers.get(header::LAST_MODIFIED).filter(|at| dates::parse(at).is_some());
        Self { etag: etag.cloned(), last_modified: modified.cloned() }
    }

    /// Whether there is nothing to ask with.
    pub fn is_empty(&self) -> bool {
        self.etag.is_none() && self.last_modified.is_none()
    }

    /// Makes a request ask whether the copy is still good: the viewer's own conditions and range
    /// are taken out (RFC 9111 §4.3.1).
    pub fn write(&self, request: &mut HeaderMap) {
        drop_conditions(request);
        if let Some(etag) = &self.etag {
            request.insert(header::IF_NONE_MATCH, etag.clone());
        }
        if let Some(modified) = &self.last_modified {
            request.insert(header::IF_MODIFIED_SINCE, modified.clone());
        }
    }
}

/// Takes every condition and the range out of a request, so that a whole response comes.
pub fn drop_conditions(request: &mut HeaderMap) {
    const CONDITIONS: [HeaderName; 6] = [
        header::IF_MATCH,
        header::IF_NONE_MATCH,
        header::IF_MODIFIED_SINCE,
        header::IF_UNMODIFIED_SINCE,
        header::IF_RANGE,
        header::RANGE,
    ];
    for name in CONDITIONS {
        request.remove(name);
    }
}

/// What a viewer's conditions come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// Answer as if there were none.
    Proceed,
    /// Answer 304.
    NotModified,
    /// Answer 412.
    Failed,
}

/// Evaluates a viewer's conditions against the copy that would be served.
///
/// Shape:  for a copy whose status is not 2xx they do not count (RFC 9110 §13.2.1).
/// Errors: none. A date that cannot be read makes its condition not count.
/// Source: RFC 9110 §13.2.2 for the order, RFC 9111 §4.3.2 for what stands in for `Last-Modified`.
pub fn precondition(method: &Method, request: &HeaderMap, stored: &StoredView<'_>) -> Precondition {
    if !stored.status.is_success() {
        return Precondition::Proceed;
    }
    if !still_what_viewer_means(request, stored) {
        return Precondition::Failed;
    }
    let reads = matches!(*method, Method::GET | Method::HEAD);
    match unchanged(request, stored, reads) {
        true if reads => Precondition::NotModified,
        true => Precondition::Failed,
        false => Precondition::Proceed,
    }
}

/// Steps 1 and 2: `If-Match` by strong comparison, else `If-Unmodified-Since`.
fn still_what_viewer_means(request: &HeaderMap, stored: &StoredView<'_>) -> bool {
    if request.contains_key(header::IF_MATCH) {
        return lists(request, &header::IF_MATCH, stored.headers, strong_match);
    }
    match dates::header(request, &header::IF_UNMODIFIED_SINCE) {
        Some(limit) => modified(stored) <= limit,
        None => true,
    }
}

/// Steps 3 and 4: `If-None-Match` by weak comparison, else `If-Modified-Since`.
fn unchanged(request: &HeaderMap, stored: &StoredView<'_>, reads: bool) -> bool {
    if request.contains_key(header::IF_NONE_MATCH) {
        return lists(request, &header::IF_NONE_MATCH, stored.headers, weak_match);
    }
    match dates::header(request, &header::IF_MODIFIED_SINCE) {
        Some(since) if reads => modified(stored) <= since,
        _ => false,
    }
}

/// `Last-Modified`, else `Date`, else the time of arrival; in whole seconds.
fn modified(stored: &StoredView<'_>) -> Timestamp {
    dates::header(stored.headers, &header::LAST_MODIFIED)
        .or_else(|| dates::header(stored.headers, &header::DATE))
        .unwrap_or(Timestamp(stored.received_at.seconds().saturating_mul(1000)))
}

/// Whether a list of entity tags, or `*`, has the stored one.
fn lists(
    request: &HeaderMap,
    name: &HeaderName,
    stored: &HeaderMap,
    same: fn(&[u8], &[u8]) -> bool,
) -> bool {
    let held = stored.get(header::ETAG).map(HeaderValue::as_bytes);
    request.get_all(name).iter().any(|line| {
        let line = line.as_bytes().trim_ascii();
        line == b"*" || held.is_some_and(|held| Tags(line).any(|tag| same(tag, held)))
    })
}

/// Weak comparison (RFC 9110 §8.8.3.2): the same text between the quotes.
pub fn weak_match(one: &[u8], other: &[u8]) -> bool {
    opaque(one).is_some() && opaque(one) == opaque(other)
}

/// Strong comparison (RFC 9110 §8.8.3.2): the same, and neither is weak.
pub fn strong_match(one: &[u8], other: &[u8]) -> bool {
    one == other && one.starts_with(b"\"") && opaque(one).is_some()
}

/// The text of an entity tag with its quotes; none when it is no entity tag.
fn opaque(tag: &[u8]) -> Option<&[u8]> {
    let quoted = tag.strip_prefix(b"W/").unwrap_or(tag);
    let inner = quoted.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    inner.iter().all(|byte| matches!(byte, 0x21 | 0x23..=0x7e | 0x80..)).then_some(quoted)
}

/// Entity tags of a list, whose text may hold commas. Ends at the first thing that is none.
struct Tags<'a>(&'a [u8]);

impl<'a> Iterator for Tags<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let skipped = self.0.iter().position(|byte| !matches!(byte, b',' | b' ' | b'\t'))?;
        let list = self.0.get(skipped..)?;
        let open = if list.starts_with(b"W/\"") { 3 } else { 1 };
        list.get(open - 1).filter(|byte| **byte == b'"')?;
        let length = list.get(open..)?.iter().position(|byte| *byte == b'"')?;
        let (tag, rest) = list.split_at_checked(open + length + 1)?;
        self.0 = rest;
        Some(tag)
    }
}

/// Whether a 304 speaks of this copy: the validators that it has are not those of another one
/// (RFC 9111 §4.3.4). If it does not, the whole has to be asked for.
pub fn confirms(stored: &HeaderMap, fresh: &HeaderMap) -> bool {
    let tag = |headers: &'_ HeaderMap| {
        let value = headers.get(header::ETAG).cloned();
        value.filter(|tag| opaque(tag.as_bytes()).is_some())
    };
    match (tag(stored), tag(fresh)) {
        (Some(held), Some(new)) => weak_match(held.as_bytes(), new.as_bytes()),
        (None, Some(_)) => stored.get(header::LAST_MODIFIED) == fresh.get(header::LAST_MODIFIED),
        (_, None) => is_same_or_absent(&header::LAST_MODIFIED, stored, fresh),
    }
}

fn is_same_or_absent(name: &HeaderName, stored: &HeaderMap, fresh: &HeaderMap) -> bool {
    fresh.get(name).is_none_or(|new| stored.get(name).is_none_or(|held| held == new))
}

/// What an answer to HEAD says of a stored answer to GET.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It is still the current one: its headers are updated as by a 304.
    Current,
    /// It is no longer the current one.
    Outdated,
    /// Nothing.
    Nothing,
}

/// What a HEAD's answer says of a copy whose body is `length` bytes long (RFC 9111 §4.3.5). Lengths
/// count where the codings are the same: the edge itself compresses.
pub fn by_head(stored: &StoredView<'_>, length: u64, fresh: &ResponseView<'_>) -> Told {
    let both_ok = stored.status == StatusCode::OK && fresh.status == StatusCode::OK;
    let announced = fresh.headers.get(header::CONTENT_LENGTH);
    let coding = header::CONTENT_ENCODING;
    let comparable = stored.headers.get(&coding) == fresh.headers.get(&coding);
    let told = announced.filter(|_| comparable);
    let told = told.and_then(|told| told.to_str().ok()?.parse::<u64>().ok());
    let same = |name: &HeaderName| match (stored.headers.get(name), fresh.headers.get(name)) {
        (Some(held), Some(new)) if *name == header::ETAG => {
            weak_match(held.as_bytes(), new.as_bytes())
        }
        (held, new) => held == new,
    };
    match () {
        () if !both_ok => Told::Nothing,
        () if told.is_some_and(|told| told != length) => Told::Outdated,
        () if same(&header::ETAG) && same(&header::LAST_MODIFIED) => Told::Current,
        () => Told::Outdated,
    }
}

/// The stored headers as a 304 leaves them: its fields replace those of the same name
/// (RFC 9111 §3.2), but for those that describe the body that we hold.
///
/// `Age` and `Date` are the 304's alone, since age is counted from it. A weak form of the stored
/// strong tag, or the reverse, leaves the stored one: the edge itself weakens tags.
pub fn merge(stored: &HeaderMap, fresh: &HeaderMap) -> HeaderMap {
    let mut merged = stored.clone();
    merged.remove(header::AGE);
    merged.remove(header::DATE);
    for name in fresh.keys().filter(|name| updates(name, stored, fresh)) {
        merged.remove(name);
        for value in fresh.get_all(name) {
            merged.append(name.clone(), value.clone());
        }
    }
    merged
}

fn updates(name: &HeaderName, stored: &HeaderMap, fresh: &HeaderMap) -> bool {
    const KEPT: [HeaderName; 8] = [
        header::CONTENT_LENGTH,
        header::CONTENT_ENCODING,
        header::CONTENT_RANGE,
        header::TRANSFER_ENCODING,
        header::CONNECTION,
        header::TRAILER,
        header::TE,
        header::UPGRADE,
    ];
    match (stored.get(header::ETAG), fresh.get(header::ETAG)) {
        (Some(held), Some(new)) if *name == header::ETAG => {
            !weak_match(held.as_bytes(), new.as_bytes())
        }
        _ => !KEPT.contains(name),
    }
}

/// The headers of a 304 that answers a viewer's condition: those of the copy without what describes
/// a body (RFC 9110 §15.4.5); `Last-Modified` stays where there is no entity tag.
pub fn for_not_modified(stored: &HeaderMap) -> HeaderMap {
    let mut headers = stored.clone();
    for name in [
        header::CONTENT_LENGTH,
        header::CONTENT_TYPE,
        header::CONTENT_ENCODING,
        header::CONTENT_LANGUAGE,
        header::CONTENT_RANGE,
        header::TRANSFER_ENCODING,
    ] {
        headers.remove(name);
    }
    if headers.contains_key(header::ETAG) {
        headers.remove(header::LAST_MODIFIED);
    }
    headers
}
