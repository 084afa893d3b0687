//! Whether the edge compresses a response, and what that does to its header fields.
//!
//! For: the coding, or the reason why there is none; the fields of what is compressed.
//! Not for: the bytes, nor for skipping work under load, which the edge does by itself.
//!
//! Source: CloudFront developer guide, serve compressed files; RFC 9110 §8.4, §8.8.3, §12.5.5.

use crate::{
    accept_encoding::{Accepted, Normalised, normalise},
    viewer::Request,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use model::{
    plan::{Behaviour, Ttl},
    units::Seconds,
};
use std::ops::RangeInclusive;

/// Bodies that are compressed, in bytes, both ends included.
pub const LENGTHS: RangeInclusive<u64> = 1_000..=10_000_000;

/// Media types that are compressed, in order, without parameters.
const TYPES: [&str; 48] = [
    "application/dash+xml",
    "application/eot",
    "application/font",
    "application/font-sfnt",
    "application/javascript",
    "application/json",
    "application/opentype",
    "application/otf",
    "application/pdf",
    "application/pkcs7-mime",
    "application/protobuf",
    "application/rss+xml",
    "application/truetype",
    "application/ttf",
    "application/vnd.apple.mpegurl",
    "application/vnd.mapbox-vector-tile",
    "application/vnd.ms-fontobject",
    "application/wasm",
    "application/x-font-opentype",
    "application/x-font-truetype",
    "application/x-font-ttf",
    "application/x-httpd-cgi",
    "application/x-javascript",
    "application/x-mpegurl",
    "application/x-opentype",
    "application/x-otf",
    "application/x-perl",
    "application/x-ttf",
    "application/xhtml+xml",
    "application/xml",
    "font/eot",
    "font/opentype",
    "font/otf",
    "font/ttf",
    "image/svg+xml",
    "text/css",
    "text/csv",
    "text/html",
    "text/javascript",
    "text/js",
    "text/plain",
    "text/richtext",
    "text/tab-separated-values",
    "text/x-component",
    "text/x-java-source",
    "text/x-script",
    "text/xml",
    "vnd.apple.mpegurl",
];

/// Fields that are true of the bytes as the origin sent them, and of no others (RFC 1864, RFC 3230,
/// RFC 9530).
const OF_THE_BYTES: [HeaderName; 5] = [
    header::CONTENT_LENGTH,
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
];

/// A coding that the edge applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Coding {
    /// Brotli (RFC 7932).
    Br,
    /// Zstandard (RFC 8878, within the window of RFC 9659).
    Zstd,
    /// gzip (RFC 1952).
    Gzip,
}

impl Coding {
    /// Its name in `Content-Encoding`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Br => "br",
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
        }
    }
}

/// Why a response stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Plain {
    /// The behaviour does not compress.
    Off,
    /// Nothing is cached here: all lifetimes are 0.
    NoCaching,
    /// Key and viewer have no coding in common with us, or the viewer speaks HTTP/1.0.
    NotAccepted,
    /// Only answers to GET have a body that is worth it.
    Method,
    /// Only 200, 403 and 404 are compressed.
    Status,
    /// The origin says `Content-Encoding`, whatever its value.
    Encoded,
    /// The origin says `no-transform` (RFC 9111 §5.2.2.6).
    NoTransform,
    /// `Content-Length` is missing, malformed, or outside [`LENGTHS`].
    Length,
    /// The type is not on the list.
    Type,
}

/// Whether and how an origin's answer is compressed.
///
/// Shape:  `request` is the viewer's; `response` are the origin's header fields as they came.
/// Source: CloudFront developer guide, serve compressed files, conditions for compression; where the
/// viewer accepts both codings it is Brotli. Zstandard, which the guide does not know, comes between.
///
/// # Errors
/// The first reason for which it stays as it is.
pub fn decide(
    behaviour: &Behaviour,
    request: &Request<'_>,
    status: StatusCode,
    response: &HeaderMap,
) -> Result<Coding, Plain> {
    let coding = wanted(behaviour, request)?;
    if !matches!(status, StatusCode::OK | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND) {
        return Err(Plain::Status);
    }
    if response.contains_key(header::CONTENT_ENCODING) {
        return Err(Plain::Encoded);
    }
    if is_not_to_be_transformed(response) {
        return Err(Plain::NoTransform);
    }
    if !length(response).is_some_and(|length| LENGTHS.contains(&length)) {
        return Err(Plain::Length);
    }
    if !is_compressible(response) {
        return Err(Plain::Type);
    }
    Ok(coding)
}

/// What the behaviour and the viewer agree on, whatever the origin says.
fn wanted(behaviour: &Behaviour, request: &Request<'_>) -> Result<Coding, Plain> {
    if !behaviour.compress {
        return Err(Plain::Off);
    }
    if caches_nothing(behaviour.cache.ttl) {
        return Err(Plain::NoCaching);
    }
    if *request.method != Method::GET {
        return Err(Plain::Method);
    }
    match normalise(behaviour, request.headers, request.viewer.version) {
        Normalised::Of(Accepted { br: true, .. }) => Ok(Coding::Br),
        Normalised::Of(Accepted { zstd: true, .. }) => Ok(Coding::Zstd),
        Normalised::Of(_) => Ok(Coding::Gzip),
        Normalised::AsSent | Normalised::Absent | Normalised::Identity => Err(Plain::NotAccepted),
    }
}

fn caches_nothing(ttl: Ttl) -> bool {
    [ttl.min, ttl.default.unwrap_or(ttl.max), ttl.max] == [Seconds::ZERO; 3]
}

/// Looks into quoted text too: at worst, something stays as it is.
fn is_not_to_be_transformed(response: &HeaderMap) -> bool {
    let lines = response.get_all(header::CACHE_CONTROL).iter();
    let mut directives = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    directives.any(|directive| {
        let name = directive.split(|byte| *byte == b'=').next().unwrap_or_default();
        name.trim_ascii().eq_ignore_ascii_case(b"no-transform")
    })
}

/// `Content-Length`, if there is one and it is a number (RFC 9110 §8.6).
fn length(response: &HeaderMap) -> Option<u64> {
    let text = only(response, &header::CONTENT_LENGTH)?.to_str().ok()?;
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn is_compressible(response: &HeaderMap) -> bool {
    let value = only(response, &header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let named = value.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    TYPES.iter().any(|known| named.eq_ignore_ascii_case(known.as_bytes()))
}

/// The value of a field that has exactly one.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

/// Makes the fields of an origin's answer those of its compressed form.
///
/// A strong entity tag becomes weak, a malformed one goes (developer guide, `ETag` header
/// conversion). `Accept-Ranges` stays: parts of what is held are served, counted in its own bytes.
pub fn rewrite(headers: &mut HeaderMap, coding: Coding) {
    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding.as_str()));
    describe(headers);
}

/// Fields of a held response after a 304 has been merged into them: where the response looks like
/// one that was compressed here, what the 304 says of the origin's bytes is taken out again.
///
/// What an origin compressed itself, without a strong tag or a digest, looks the same, and loses
/// nothing but a later digest and the strength of a later tag.
pub fn renew(held: &HeaderMap, merged: &mut HeaderMap) {
    if held.contains_key(header::CONTENT_ENCODING) && is_described(held) {
        describe(merged);
    }
}

fn is_described(headers: &HeaderMap) -> bool {
    let mut described = headers.clone();
    describe(&mut described);
    described == *headers
}

/// Everything in [`rewrite`] that can be done twice without harm.
fn describe(headers: &mut HeaderMap) {
    for name in OF_THE_BYTES {
        headers.remove(name);
    }
    match only(headers, &header::ETAG).and_then(weak) {
        Some(tag) => headers.insert(header::ETAG, tag),
        None => headers.remove(header::ETAG),
    };
    if !varies_by_encoding(headers) {
        headers.append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    }
}

/// A tag in its weak form; none when it is no tag.
fn weak(tag: &HeaderValue) -> Option<HeaderValue> {
    let text = tag.as_bytes();
    if text.starts_with(b"W/") {
        return Some(tag.clone());
    }
    let strong = text.len() > 1 && text.starts_with(b"\"") && text.ends_with(b"\"");
    strong.then(|| HeaderValue::from_bytes(&[b"W/", text].concat()).ok())?
}

fn varies_by_encoding(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(header::VARY).iter();
    let mut names = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    names.any(|name| {
        let name = name.trim_ascii();
        name == b"*" || name.eq_ignore_ascii_case(header::ACCEPT_ENCODING.as_str().as_bytes())
    })
}

#[cfg(test)]
#[path = "compression/tests.rs"]
mod tests;
