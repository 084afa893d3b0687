//! Whether bytes are a plain request.
//!
//! For: recognising what can be answered without the server library; anything out of the ordinary,
//! be it allowed or not, is somebody else's to read. Not for: refusing.

use http::Method;
use httparse::{Header, Request, Status};
use model::fields::Fields;
use std::mem::MaybeUninit;

/// Most header lines of a plain request.
const MOST_LINES: usize = 48;
/// Longest target of a plain request; CloudFront's limit is the same.
const LONGEST_TARGET: usize = 8192;

/// What stands at the beginning of the bytes.
pub enum Read<'a> {
    /// A plain request.
    Plain(Ask<'a>),
    /// What may become one.
    Part,
    /// Something else.
    Other,
}

/// A plain request: GET or HEAD over HTTP/1.1 for a path of this server, without a body, and with
/// nothing about the connection but that it stays.
pub struct Ask<'a> {
    /// GET or HEAD.
    pub method: Method,
    /// As sent.
    pub path: &'a str,
    /// As sent, if there is one.
    pub query: Option<&'a str>,
    /// As sent.
    pub host: &'a str,
    /// All header lines.
    pub lines: Lines<'a>,
    /// Whether no line asks for more than the whole of what is held.
    pub is_simple: bool,
    /// Whether there is an `Origin`.
    pub has_origin: bool,
    /// Whether there is a `Cache-Control` or `Pragma`.
    pub has_directives: bool,
    /// Bytes that it takes.
    pub length: usize,
}

/// Header lines as they were parsed.
#[derive(Clone, Copy)]
pub struct Lines<'a>(&'a [Header<'a>]);

impl<'a> Lines<'a> {
    /// How many there are.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Names and values, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        self.0.iter().map(|line| (line.name, line.value))
    }
}

impl Fields for Lines<'_> {
    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let lines = self.0.iter().filter(move |line| line.name.eq_ignore_ascii_case(name));
        lines.map(|line| line.value)
    }
}

/// What a header line means here.
enum Line<'a> {
    Host(&'a [u8]),
    Origin,
    Directives,
    /// A condition, a range, or a chain that may be too long.
    Demand,
    Harmless,
    Odd,
}

/// Reads what stands at the beginning of `bytes`, and hands it on.
pub fn read<R>(bytes: &[u8], then: impl FnOnce(Read<'_>) -> R) -> R {
    let mut lines = [const { MaybeUninit::uninit() }; MOST_LINES];
    let mut request = Request::new(&mut []);
    let length = match request.parse_with_uninit_headers(bytes, &mut lines) {
        Ok(Status::Complete(length)) if length <= super::LONGEST_HEAD => length,
        Ok(Status::Partial) if may_become_plain(bytes) => return then(Read::Part),
        Ok(_) | Err(_) => return then(Read::Other),
    };
    then(plain(request, bytes, length).map_or(Read::Other, Read::Plain))
}

fn may_become_plain(bytes: &[u8]) -> bool {
    let starts = |method: &[u8]| {
        let length = method.len().min(bytes.len());
        bytes.get(..length) == method.get(..length)
    };
    bytes.len() < super::LONGEST_HEAD && (starts(b"GET /") || starts(b"HEAD /"))
}

/// Whether every line of the head ends as lines do (RFC 9112 §2.2), and nothing stands before it.
fn is_clean(bytes: &[u8], length: usize) -> bool {
    let head = bytes.get(..length).unwrap_or_default();
    let after_return = |at: usize| at.checked_sub(1).and_then(|at| head.get(at)) == Some(&b'\r');
    // A request line begins with its method, or the parser has skipped empty lines.
    head.first().is_some_and(u8::is_ascii_uppercase)
        && memchr::memchr_iter(b'\n', head).all(after_return)
}

fn plain<'a, 'b: 'a>(request: Request<'a, 'b>, bytes: &[u8], length: usize) -> Option<Ask<'a>> {
    let Request { method, path, version, headers, .. } = request;
    version.filter(|version| *version == 1 && is_clean(bytes, length))?;
    let method = match method? {
        "GET" => Method::GET,
        "HEAD" => Method::HEAD,
        _ => return None,
    };
    let target = path.filter(|target| is_plain_target(target.as_bytes()))?;
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let (mut host, mut is_simple) = (None, true);
    let (mut has_origin, mut has_directives) = (false, false);
    let lines: &'a [Header<'a>] = headers;
    for line in lines {
        match meaning(line) {
            Line::Host(name) if host.is_none() => host = Some(name),
            Line::Origin => has_origin = true,
            Line::Directives => has_directives = true,
            Line::Demand => is_simple = false,
            Line::Harmless => {}
            Line::Host(_) | Line::Odd => return None,
        }
    }
    let host = str::from_utf8(host?).ok()?;
    let lines = Lines(lines);
    Some(Ask { method, path, query, host, lines, is_simple, has_origin, has_directives, length })
}

/// A path and a query of such characters as every reader of URLs takes for what they are.
fn is_plain_target(target: &[u8]) -> bool {
    target.len() <= LONGEST_TARGET
        && target.first() == Some(&b'/')
        && target.iter().all(|byte| PLAIN.get(usize::from(*byte)) == Some(&true))
}

/// The characters of paths and queries (RFC 3986 §3.3, §3.4).
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut at = 0;
    while at < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "it is below 256")]
        #[expect(clippy::indexing_slicing, reason = "it is below 256")]
        {
            plain[at] = matches!(
                at as u8,
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'!' | b'$'
                    | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' | b':' | b'@'
                    | b'/' | b'%' | b'?'
            );
        }
        at += 1;
    }
    plain
};

fn meaning<'a>(line: &Header<'a>) -> Line<'a> {
    let is = |name: &str| line.name.eq_ignore_ascii_case(name);
    let odd = match line.name.len() {
        4 if is("host") => return Line::Host(line.value),
        6 if is("origin") => return Line::Origin,
        6 if is("pragma") => return Line::Directives,
        13 if is("cache-control") => return Line::Directives,
        5 if is("range") => return Line::Demand,
        8 if is("if-match") || is("if-range") || is("cdn-loop") => return Line::Demand,
        13 if is("if-none-match") => return Line::Demand,
        17 if is("if-modified-since") => return Line::Demand,
        19 if is("if-unmodified-since") => return Line::Demand,
        10 if is("connection") => !line.value.eq_ignore_ascii_case(b"keep-alive"),
        2 => is("te"),
        6 => is("expect"),
        7 => is("upgrade") || is("trailer"),
        10 => is("keep-alive"),
        14 => is("content-length"),
        16 => is("proxy-connection"),
        17 => is("transfer-encoding"),
        18 => is("proxy-authenticate"),
        19 => is("proxy-authorization"),
        25 => is("proxy-authentication-info"),
        _ => false,
    };
    if odd { Line::Odd } else { Line::Harmless }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two reads may bring together what is longer than either.
    #[test]
    fn a_head_that_is_too_long_is_not_plain_even_if_it_ends() {
        let head = |length: usize| {
            let (before, after) = ("GET /a HTTP/1.1\r\nHost: d1.test\r\nCookie: ", "\r\n\r\n");
            let cookie = "c".repeat(length - before.len() - after.len());
            [before, &cookie, after].concat()
        };
        let is_plain = |length| {
            let bytes = head(length) + "GET /b HTTP/1.1\r\n";
            read(bytes.as_bytes(), |read| matches!(read, Read::Plain(_)))
        };
        let longest = super::super::LONGEST_HEAD;
        assert!(is_plain(longest));
        assert!(!is_plain(longest + 1));
    }
}
