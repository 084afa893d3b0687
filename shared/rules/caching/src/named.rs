//! What else an unsafe request has changed: the URLs that its answer names (RFC 9111 §4.4).
//!
//! For: `Location` and `Content-Location` of an answer, as paths of the same host. Not for: whether
//! the request takes anything away at all ([`crate::reuse::invalidates`]).

use http::{HeaderMap, header};

/// Paths, with queries, that `Location` and `Content-Location` name, in that order.
///
/// Shape:  `host` as the `Host` header has it, `path` the request's without query; relative
///         references are resolved against them (RFC 3986 §5.2), fragments left out.
/// Errors: none. What cannot be read, and what is of another host, is left out: such an answer must
///         not take away what is not its own.
pub fn by_answer(host: &str, path: &str, response: &HeaderMap) -> Vec<String> {
    let lines = [header::LOCATION, header::CONTENT_LOCATION];
    let values = lines.iter().filter_map(|name| response.get(name)?.to_str().ok());
    values.filter_map(|reference| resolve(host, path, reference.trim())).collect()
}

fn resolve(host: &str, path: &str, reference: &str) -> Option<String> {
    let reference = reference.split('#').next().unwrap_or_default();
    let relative = match absolute(reference) {
        Absolute::Authority(rest) => of_host(host, rest)?,
        Absolute::No => reference,
        Absolute::Other => return None,
    };
    let (target, query) =
        relative.split_at_checked(relative.find('?').unwrap_or(relative.len()))?;
    let folder = path.rfind('/').and_then(|end| path.get(..=end)).unwrap_or("/");
    let target = match target {
        "" => path.to_owned(),
        target if target.starts_with('/') => without_dots(target),
        target => without_dots(&format!("{folder}{target}")),
    };
    Some(target + query)
}

enum Absolute<'a> {
    /// HTTP, and this follows `//`.
    Authority(&'a str),
    /// It is relative.
    No,
    /// It is of another scheme.
    Other,
}

fn absolute(reference: &str) -> Absolute<'_> {
    let colon = reference.find([':', '/', '?']);
    let colon = colon.filter(|at| reference.as_bytes().get(*at) == Some(&b':'));
    let Some((scheme, rest)) = colon.and_then(|at| reference.split_at_checked(at)) else {
        return reference.strip_prefix("//").map_or(Absolute::No, Absolute::Authority);
    };
    let http = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    match rest.strip_prefix("://") {
        Some(rest) if http => Absolute::Authority(rest),
        _ => Absolute::Other,
    }
}

/// The path and query after an authority, if that is this host.
fn of_host<'a>(host: &str, rest: &'a str) -> Option<&'a str> {
    let (authority, target) = rest.split_at_checked(rest.find(['/', '?']).unwrap_or(rest.len()))?;
    let same = plain(authority).eq_ignore_ascii_case(plain(host));
    same.then_some(if target.starts_with('/') { target } else { "/" })
}

fn plain(authority: &str) -> &str {
    let bare = authority.strip_suffix(":80").or_else(|| authority.strip_suffix(":443"));
    bare.unwrap_or(authority)
}

/// RFC 3986 §5.2.4, for a path that begins with a slash.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." => {}
            ".." => {
                kept.pop();
            }
            segment => kept.push(segment),
        }
        if last && matches!(segment, "." | "..") {
            kept.push("");
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn references_are_resolved_against_the_target_rfc_3986_5_4() {
        let table = [
            ("/x", Some("/x")),
            ("/x?a=1#f", Some("/x?a=1")),
            ("x", Some("/b/c/x")),
            ("./x/", Some("/b/c/x/")),
            ("../x", Some("/b/x")),
            ("../../../x", Some("/x")),
            ("..", Some("/b/")),
            (".", Some("/b/c/")),
            ("/a/./b/../c/.", Some("/a/c/")),
            ("?y", Some("/b/c/d?y")),
            ("#f", Some("/b/c/d")),
            ("", Some("/b/c/d")),
            ("a:b", None),
            ("./a:b", Some("/b/c/a:b")),
            ("http://Site.Example/x", Some("/x")),
            ("HTTPS://site.example:443/x?q", Some("/x?q")),
            ("//site.example/x", Some("/x")),
            ("http://site.example", Some("/")),
            ("http://site.example.org/x", None),
            ("http://other.example/x", None),
            ("//other.example/x", None),
            ("http://site.example:8080/x", None),
            ("http:", None),
            ("http:x", None),
            ("mailto:a@site.example", None),
        ];
        for (reference, expected) in table {
            let found = resolve("site.example", "/b/c/d", reference);
            assert_eq!(found.as_deref(), expected, "{reference:?}");
        }
    }

    #[test]
    fn both_headers_count() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_LOCATION, HeaderValue::from_static("b"));
        headers.insert(header::LOCATION, HeaderValue::from_static("/a"));
        assert_eq!(by_answer("h", "/x/y", &headers), ["/a", "/x/b"]);
        assert!(by_answer("h", "/x/y", &HeaderMap::new()).is_empty());
    }
}
