//! Whether a request's head is heard at all.
//!
//! For: the limits on its size, and the host that it names; these come before anything is looked up.
//! Not for: which distribution has that host (`hosts`), nor which methods it allows (`methods`).
//!
//! Source: CloudFront developer guide, quotas; RFC 9112 §3.2.

use crate::hosts;
use http::{HeaderMap, Method, header};

/// Longest path with its query, in bytes.
pub const LONGEST_URL: usize = 8192;
/// Longest request line with all headers, in bytes.
pub const LONGEST_HEAD: usize = 32_768;

/// What each header line takes beside its name and value: a colon, a space and a line end.
const PER_HEADER: usize = 4;

/// Why a head is not heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unheard {
    /// Path and query are longer than [`LONGEST_URL`].
    UrlTooLong,
    /// All of it is longer than [`LONGEST_HEAD`].
    HeadTooLong,
    /// This is wrong with it: the end of a sentence that begins with "Bad request:".
    Malformed(&'static str),
}

/// Whether a head is within the limits, and its path a path.
///
/// Shape:  `path` and `query` are raw, the question mark in neither.
///
/// # Errors
/// The first limit that it breaks.
pub fn fits(
    method: &Method,
    path: &str,
    query: Option<&str>,
    headers: &HeaderMap,
) -> Result<(), Unheard> {
    let url = path.len() + query.map_or(0, |query| query.len() + 1);
    if url > LONGEST_URL {
        return Err(Unheard::UrlTooLong);
    }
    let lines = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + PER_HEADER);
    let line = method.as_str().len() + url + " HTTP/1.1  \r\n".len();
    if line + lines.sum::<usize>() > LONGEST_HEAD {
        return Err(Unheard::HeadTooLong);
    }
    if !path.starts_with('/') {
        return Err(Unheard::Malformed("its path does not start with a slash"));
    }
    Ok(())
}

/// The host that is asked for, as it was written: the target's authority, else the one `Host`.
///
/// # Errors
/// No host, several lines of it, or what is no host.
pub fn host<'a>(authority: Option<&'a str>, headers: &'a HeaderMap) -> Result<&'a str, Unheard> {
    let mut lines = headers.get_all(header::HOST).iter();
    let (first, second) = (lines.next(), lines.next());
    if second.is_some() {
        return Err(Unheard::Malformed("it has more than one Host"));
    }
    let told = first.and_then(|line| line.to_str().ok());
    let host = authority.or(told).ok_or(Unheard::Malformed("it has no Host"))?;
    if host.contains('@') || hosts::normalise(host).is_none() {
        return Err(Unheard::Malformed("its Host is not a host"));
    }
    Ok(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::headers;

    /// RFC 9112 §3.2, RFC 9110 §7.2.
    #[test]
    fn the_target_s_authority_goes_before_the_one_host() {
        let told = headers(&[("host", "told.example")]);
        let twice = headers(&[("host", "told.example"), ("host", "told.example")]);
        let (none, odd) = (HeaderMap::new(), headers(&[("host", "two names")]));
        let table = [
            (None, &told, Some("told.example")),
            (Some("named.example:81"), &told, Some("named.example:81")),
            (Some("named.example"), &none, Some("named.example")),
            (None, &none, None),
            (None, &twice, None),
            (Some("named.example"), &twice, None),
            (Some("user@named.example"), &none, None),
            (None, &odd, None),
        ];
        for (authority, lines, expected) in table {
            assert_eq!(host(authority, lines).ok(), expected, "{authority:?} {lines:?}");
        }
    }

    /// CloudFront developer guide, quotas: 8192 and 32,768 bytes.
    #[test]
    fn the_longest_head_fits_and_a_byte_more_does_not() {
        let path = "/".repeat(LONGEST_URL - 2);
        assert_eq!(fits(&Method::GET, &path, Some("q"), &HeaderMap::new()), Ok(()));
        let url = fits(&Method::GET, &path, Some("qq"), &HeaderMap::new());
        assert_eq!(url, Err(Unheard::UrlTooLong));
        let line = "GET".len() + "/".len() + " HTTP/1.1  \r\n".len();
        let most = LONGEST_HEAD - line - "x".len() - PER_HEADER;
        for (length, expected) in [(most, Ok(())), (most + 1, Err(Unheard::HeadTooLong))] {
            let value = "x".repeat(length);
            assert_eq!(fits(&Method::GET, "/", None, &headers(&[("x", &value)])), expected);
        }
        let path = fits(&Method::OPTIONS, "*", None, &HeaderMap::new());
        assert!(matches!(path, Err(Unheard::Malformed(_))));
    }
}
