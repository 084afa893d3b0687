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
use model::{
    fields::Fields,
    plan::{Behaviour, Selection},
};

/// Feeds the key's material to `sink`, in one or more pieces whose borders mean nothing.
///
/// `domain` is the distribution's assigned name. GET and HEAD share a key, OPTIONS has its own.
pub fn write(
    domain: &str,
    behaviour: &Behaviour,
    request: &Request<'_, impl Fields>,
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
    request: &Request<'_, impl Fields>,
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
            values(name, request.headers.all(name), sink);
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

fn cookies(behaviour: &Behaviour, headers: &impl Fields, sink: &mut impl FnMut(&[u8])) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fixtures::{behaviour, except, headers, names, only, viewer},
        viewer::Viewer,
    };
    use http::Version;

    fn material(behaviour: &Behaviour, method: &Method, url: &str, sent: &HeaderMap) -> Vec<u8> {
        let viewer = viewer();
        material_for(behaviour, method, url, sent, &viewer)
    }

    fn material_for(
        behaviour: &Behaviour,
        method: &Method,
        url: &str,
        sent: &HeaderMap,
        viewer: &Viewer<'_>,
    ) -> Vec<u8> {
        let (path, query) = match url.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (url, None),
        };
        let request = Request { method, path, query, headers: sent, viewer };
        let mut bytes = Vec::new();
        write("d1.zone", behaviour, &request, &mut |piece| bytes.extend_from_slice(piece));
        bytes
    }

    fn get(behaviour: &Behaviour, url: &str, sent: &[(&str, &str)]) -> Vec<u8> {
        material(behaviour, &Method::GET, url, &headers(sent))
    }

    /// Developer guide, understand the cache key.
    #[test]
    fn by_default_only_distribution_and_path_count() {
        let b = behaviour();
        let plain = get(&b, "/a", &[]);
        assert_eq!(get(&b, "/a?x=1", &[("accept", "x"), ("cookie", "a=1"), ("host", "h")]), plain);
        assert_eq!(material(&b, &Method::HEAD, "/a", &HeaderMap::new()), plain);
        for other in ["/A", "/a/", "/%61", "//a", "/a/../a"] {
            assert_ne!(get(&b, other, &[]), plain, "{other}");
        }
        assert_ne!(material(&b, &Method::OPTIONS, "/a", &HeaderMap::new()), plain);
        let viewer = Viewer { https: true, version: Version::HTTP_2, ..viewer() };
        assert_eq!(material_for(&b, &Method::GET, "/a", &HeaderMap::new(), &viewer), plain);
    }

    #[test]
    fn distributions_share_nothing() {
        let (b, viewer, none) = (behaviour(), viewer(), HeaderMap::new());
        let request = Request {
            method: &Method::GET,
            path: "/",
            query: None,
            headers: &none,
            viewer: &viewer,
        };
        let [one, two] = ["d1.zone", "d2.zone"].map(|domain| {
            let mut bytes = Vec::new();
            write(domain, &b, &request, &mut |piece| bytes.extend_from_slice(piece));
            bytes
        });
        assert_ne!(one, two);
    }

    #[test]
    fn selected_headers_count_by_value_and_presence_not_by_order() {
        let mut b = behaviour();
        b.cache.headers = names(&["x-a", "x-b"]);
        let both = get(&b, "/", &[("x-a", "1"), ("x-b", "2")]);
        assert_eq!(get(&b, "/", &[("X-B", "2"), ("x-c", "3"), ("X-A", "1")]), both);
        let others: [&[(&str, &str)]; 6] = [
            &[("x-a", "2"), ("x-b", "1")],
            &[("x-a", "1")],
            &[("x-a", "1"), ("x-b", "")],
            &[("x-a", "1"), ("x-a", "1"), ("x-b", "2")],
            &[("x-a", "1x-b2")],
            &[],
        ];
        for other in others {
            assert_ne!(get(&b, "/", other), both, "{other:?}");
        }
        assert_ne!(get(&b, "/", &[]), get(&b, "/", &[("x-a", "")]));
    }

    #[test]
    fn cookies_count_by_name_whatever_their_order() {
        let mut b = behaviour();
        b.cache.cookies = only(&["a", "b"]);
        let both = get(&b, "/", &[("cookie", "a=1; b=2")]);
        assert_eq!(get(&b, "/", &[("cookie", "b=2; z=9; a=1")]), both);
        assert_ne!(get(&b, "/", &[("cookie", "a=2; b=1")]), both);
        assert_ne!(get(&b, "/", &[("cookie", "a=1b=2")]), both);
        b.cache.cookies = Selection::All;
        let signed = [("cookie", "a=1; CloudFront-Policy=x")];
        assert_eq!(get(&b, "/", &signed), get(&b, "/", &[("cookie", "a=1")]));
    }

    #[test]
    fn query_strings_count_in_their_order() {
        let mut b = behaviour();
        b.cache.query = except(&["utm"]);
        assert_eq!(get(&b, "/?a=1&utm=x", &[]), get(&b, "/?a=1", &[]));
        assert_ne!(get(&b, "/?a=1&b=2", &[]), get(&b, "/?b=2&a=1", &[]));
        assert_ne!(get(&b, "/?", &[]), get(&b, "/", &[]));
        assert_eq!(get(&b, "/?utm=x", &[]), get(&b, "/", &[]));
    }

    #[test]
    fn accept_encoding_counts_as_normalised() {
        let mut b = behaviour();
        (b.cache.gzip, b.cache.brotli) = (true, true);
        let both = get(&b, "/", &[("accept-encoding", "br, gzip, zstd")]);
        assert_eq!(get(&b, "/", &[("accept-encoding", "gzip;q=0.5,br")]), both);
        assert_ne!(get(&b, "/", &[("accept-encoding", "gzip")]), both);
        assert_eq!(get(&b, "/", &[("accept-encoding", "zstd")]), get(&b, "/", &[]));
    }

    #[test]
    fn what_the_edge_knows_counts_not_what_the_viewer_says_it_knows() {
        let mut b = behaviour();
        b.cache.headers = names(&["cloudfront-viewer-country"]);
        let mut from_france = viewer();
        from_france.place.country = Some("FR");
        let of = |sent: &[(&str, &str)], viewer| {
            material_for(&b, &Method::GET, "/", &headers(sent), viewer)
        };
        let plain = of(&[], &from_france);
        assert_eq!(of(&[("cloudfront-viewer-country", "DE")], &from_france), plain);
        assert_ne!(of(&[("cloudfront-viewer-country", "FR")], &viewer()), plain);
    }

    /// RFC 9111 §4.1.
    #[test]
    fn variants_differ_by_the_named_headers_only() {
        let of = |names: &[&str], sent: &[(&str, &str)]| {
            let names: Vec<_> =
                names.iter().map(|name| name.parse::<HeaderName>().unwrap()).collect();
            let mut bytes = Vec::new();
            write_variant(&names, &headers(sent), &mut |piece| bytes.extend_from_slice(piece));
            bytes
        };
        let sent = [("accept", "a"), ("x", "1"), ("y", "2")];
        assert_eq!(of(&["x", "accept", "x"], &sent), of(&["accept", "x"], &sent[..2]));
        assert_ne!(of(&["x"], &sent), of(&["x"], &[("x", "2")]));
        assert_ne!(of(&["x"], &[]), of(&["x"], &[("x", "")]));
        assert_ne!(of(&["x", "y"], &[("x", "1")]), of(&["x", "y"], &[("y", "1")]));
    }
}
