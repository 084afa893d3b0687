//! Hop-by-hop fields, and the framing of requests.

use http::{
    HeaderMap, HeaderName, HeaderValue, Method,
    header::{
        CONNECTION, CONTENT_LENGTH, EXPECT, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER,
        TRANSFER_ENCODING, UPGRADE,
    },
};

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// Makes fields fit for one more hop: takes away those that belong to the hop they came by, and
/// frames the body that `method` has or has not.
///
/// Source: RFC 9110 §7.6.1, §8.6, §10.1.1 (`Expect` is for the next hop, and we do not wait).
pub(crate) fn for_request(fields: &mut HeaderMap, method: &Method, body: bool) {
    strip(fields);
    fields.remove(EXPECT);
    fields.remove(PROXY_AUTHORIZATION);
    if body {
        return;
    }
    fields.remove(CONTENT_LENGTH);
    if matches!(*method, Method::POST | Method::PUT | Method::PATCH) {
        fields.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
}

/// gRPC asks for trailers; some of its servers refuse who does not.
pub(crate) fn for_grpc(fields: &mut HeaderMap) {
    fields.insert(TE, HeaderValue::from_static("trailers"));
}

/// A WebSocket handshake (RFC 6455 §4.1); its own fields are the viewer's.
pub(crate) fn for_websocket(fields: &mut HeaderMap) {
    fields.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    fields.insert(UPGRADE, HeaderValue::from_static("websocket"));
}

/// Whether an answer agrees to that.
pub(crate) fn switches_to_websocket(fields: &HeaderMap) -> bool {
    let told = fields.get(UPGRADE).map(HeaderValue::as_bytes).unwrap_or_default();
    told.trim_ascii().eq_ignore_ascii_case(b"websocket")
}

/// Leaves only end-to-end fields. A length beside a transfer coding says nothing (RFC 9112 §6.3).
pub(crate) fn for_response(fields: &mut HeaderMap) {
    if fields.contains_key(TRANSFER_ENCODING) {
        fields.remove(CONTENT_LENGTH);
    }
    strip(fields);
    fields.remove(PROXY_AUTHENTICATE);
}

fn strip(fields: &mut HeaderMap) {
    // Most messages have none: looking once is cheaper than removing seven.
    if !fields.keys().any(is_hop) {
        return;
    }
    for name in named_by_connection(fields) {
        fields.remove(name);
    }
    for name in [CONNECTION, KEEP_ALIVE, PROXY_CONNECTION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE]
    {
        fields.remove(name);
    }
}

fn is_hop(name: &HeaderName) -> bool {
    matches!(*name, CONNECTION | TE | TRAILER | TRANSFER_ENCODING | UPGRADE)
        || matches!(name.as_str(), "keep-alive" | "proxy-connection")
}

/// Fields that Connection lists; never those that delimit or route the message.
fn named_by_connection(fields: &HeaderMap) -> Vec<HeaderName> {
    fields
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .filter(|name| *name != CONTENT_LENGTH && *name != http::header::HOST)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn what_connection_names_goes_with_it() {
        let mut response = fields(&[
            ("connection", "close, X-Hop ,bad name"),
            ("x-hop", "1"),
            ("keep-alive", "timeout=5"),
            ("x-end", "2"),
        ]);
        for_response(&mut response);
        assert_eq!(response, fields(&[("x-end", "2")]));
    }

    #[test]
    fn connection_cannot_take_the_framing_or_the_host_away() {
        let mut request = fields(&[
            ("connection", "content-length, host"),
            ("content-length", "3"),
            ("host", "a"),
        ]);
        for_request(&mut request, &Method::POST, true);
        assert_eq!(request, fields(&[("content-length", "3"), ("host", "a")]));
    }

    #[test]
    fn a_length_without_a_body_is_not_sent() {
        let mut get = fields(&[("content-length", "3")]);
        for_request(&mut get, &Method::GET, false);
        assert!(get.is_empty());
        let mut post = fields(&[]);
        for_request(&mut post, &Method::POST, false);
        assert_eq!(post, fields(&[("content-length", "0")]));
    }

    #[test]
    fn a_length_beside_a_transfer_coding_is_dropped() {
        let mut response = fields(&[("transfer-encoding", "chunked"), ("content-length", "9")]);
        for_response(&mut response);
        assert!(response.is_empty());
    }
}
