//! What makes two requests the same: the material of the cache key.
//!
//! For: a text of bytes that is equal for two requests if and only if they may share an answer. The
//! caller hashes it with a hash of at least 256 bits, so that viewers cannot make two keys collide.
//! Not for: whether anything is kept at all.
//!
//! Shape: fields, each a tag byte, the length in eight bytes, and the bytes; what is absent has no
//! field, which is not the same as an empty one. So the text reads in one way only.
//!
//! Source: CloudFront developer guide, understand the cache key. Scheme, origin and the viewer's
//! name for the distribution are not in it.

use crate::{
    accept_encoding::{Normalised, normalise},
    cookies::Cookies,
    generated, query,
    viewer::Request,
};
use http::{HeaderMap, HeaderName, Method, header};
use model::plan::{Behaviour, Selection};

/// Feeds the key's material to `sink`, in one or more pieces whose borders mean nothing.
///
/// `domain` is the distribution's assigned name. GET and HEAD share a key, OPTIONS has its own.
pub fn write(
    domain: &str,
    behaviour: &Behaviour,
    request: &Request<'_>,
    sink: &mut impl FnMut(&[u8]),
) {
    field(sink, b'd', domain.as_bytes());
    if *request.method == Method::OPTIONS {
        field(sink, b'm', b"OPTIONS");
    }
    field(sink, b'p', request.path.as_bytes());
    if let Some(query) = query::keyed(request.query, behaviour) {
        field(sink, b'q', query.as_bytes());
    }
    let encoding = normalise(behaviour, request.headers, request.viewer.version);
    headers(behaviour, request, encoding, sink);
    if let Some(coding) = encoding.key_part() {
        field(sink, b'e', coding.as_bytes());
    }
    if behaviour.cache.cookies != Selection::None {
        cookies(behaviour, request.headers, sink);
    }
}

/// Feeds the material that tells apart the answers to one key which differ by `Vary` (RFC 9111
/// §4.1): the values of the named request headers. The order and number of times in which they are
/// named do not matter.
pub fn write_variant<'a>(
    names: impl IntoIterator<Item = &'a HeaderName>,
    headers: &HeaderMap,
    sink: &mut impl FnMut(&[u8]),
) {
    let mut names: Vec<&HeaderName> = names.into_iter().collect();
    names.sort_by_key(|name| name.as_str());
    names.dedup();
    for name in names {
        field(sink, b'y', name.as_str().as_bytes());
        for value in headers.get_all(name) {
            field(sink, b'v', value.as_bytes().trim_ascii());
        }
    }
}

fn headers(
    behaviour: &Behaviour,
    request: &Request<'_>,
    encoding: Normalised,
    sink: &mut impl FnMut(&[u8]),
) {
    for name in &behaviour.cache.headers {
        let normalised = name == header::ACCEPT_ENCODING.as_str() && encoding != Normalised::AsSent;
        if normalised || name == header::COOKIE.as_str() {
            continue;
        }
        if generated::is_generated(name) {
            let value = generated::generate(name, request);
            values(name, value.iter().map(http::HeaderValue::as_bytes), sink);
        } else {
            let sent = request.headers.get_all(name.as_str());
            values(name, sent.iter().map(http::HeaderValue::as_bytes), sink);
        }
    }
}

fn values<'a>(name: &str, values: impl Iterator<Item = &'a [u8]>, sink: &mut impl FnMut(&[u8])) {
    let mut values = values.peekable();
    if values.peek().is_some() {
        field(sink, b'h', name.as_bytes());
    }
    values.for_each(|value| field(sink, b'v', value));
}

fn cookies(behaviour: &Behaviour, headers: &HeaderMap, sink: &mut impl FnMut(&[u8])) {
    for (name, value) in Cookies::parse(headers).keyed(behaviour) {
        field(sink, b'c', name);
        field(sink, b'v', value);
    }
}

fn field(sink: &mut impl FnMut(&[u8]), tag: u8, bytes: &[u8]) {
    sink(&[tag]);
    sink(&(bytes.len() as u64).to_be_bytes());
    sink(bytes);
}
