//! Hop-by-hop headers, which end here.
//!
//! For: requests before anything else looks at them, and responses before they are kept.
//! Not for: framing, or upgrades, which the server adapters do.
//!
//! Source: RFC 9110 §7.6.1.

use crate::names::KEEP_ALIVE;
use http::{HeaderMap, HeaderName, header};

/// Headers for one connection only, whether `Connection` names them or not.
const HOP_BY_HOP: [HeaderName; 10] = [
    header::CONNECTION,
    KEEP_ALIVE,
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-authentication-info"),
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Headers that `Connection` cannot take away: without them a message is another message.
const KEPT: [HeaderName; 4] =
    [header::HOST, header::CONTENT_LENGTH, header::CONTENT_TYPE, header::CONTENT_ENCODING];

/// Removes hop-by-hop headers and those that `Connection` names.
///
/// This comes before the cache key is made: otherwise a viewer could name a keyed header in
/// `Connection`, and the origin's answer without it would be kept for everybody who sends it.
pub fn strip(headers: &mut HeaderMap) {
    // Most messages have none: looking once is cheaper than removing ten.
    if !headers.keys().any(is_hop_by_hop) {
        return;
    }
    for name in named(headers) {
        headers.remove(name);
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}

fn is_hop_by_hop(name: &HeaderName) -> bool {
    match *name {
        header::CONNECTION
        | header::PROXY_AUTHENTICATE
        | header::PROXY_AUTHORIZATION
        | header::TE
        | header::TRAILER
        | header::TRANSFER_ENCODING
        | header::UPGRADE => true,
        // The others are in no list of standard names, so they are compared as text.
        _ => name.as_str().starts_with(['k', 'p']) && HOP_BY_HOP.contains(name),
    }
}

fn named(headers: &HeaderMap) -> Vec<HeaderName> {
    let lines = headers.get_all(header::CONNECTION).iter();
    let tokens = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    let names = tokens.filter_map(|token| HeaderName::from_bytes(token.trim_ascii()).ok());
    names.filter(|name| !KEPT.contains(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::headers;

    /// RFC 9110 §7.6.1.
    /// What is looked for is what is removed.
    #[test]
    fn each_of_them_is_found_by_itself() {
        for name in HOP_BY_HOP {
            let mut headers = headers(&[(name.as_str(), "a"), ("host", "a")]);
            strip(&mut headers);
            assert_eq!(headers.len(), 1, "{name}");
        }
    }

    #[test]
    fn what_is_for_one_connection_ends_here() {
        let mut headers = headers(&[
            ("host", "a"),
            ("connection", "close, X-Secret"),
            ("connection", "Host, Content-Length, , \"odd\""),
            ("x-secret", "1"),
            ("content-length", "3"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("trailer", "x"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "websocket"),
            ("proxy-authorization", "Basic x"),
            ("proxy-connection", "close"),
            ("accept", "*/*"),
        ]);
        strip(&mut headers);
        let mut left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["accept", "content-length", "host"]);
    }
}
