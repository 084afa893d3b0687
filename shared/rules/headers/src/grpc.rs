//! gRPC as far as an edge has to know it.
//!
//! For: telling its requests from others, what always reaches their origin, and answers in its words
//! where the edge itself fails. Not for: messages, which pass as they are.
//!
//! Source: gRPC over HTTP/2; gRPC's mapping of HTTP to status codes; CloudFront developer guide,
//! using gRPC with distributions.

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use std::fmt::Write as _;

/// Where a gRPC answer says how it ended.
pub const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
/// What a gRPC request says beside its policies' headers: without them its messages cannot be read.
const ITS_OWN: [HeaderName; 3] = [
    HeaderName::from_static("grpc-timeout"),
    HeaderName::from_static("grpc-encoding"),
    HeaderName::from_static("grpc-accept-encoding"),
];

/// Whether this is a gRPC request.
pub fn asks(method: &Method, version: Version, headers: &HeaderMap) -> bool {
    *method == Method::POST && version == Version::HTTP_2 && is_content(headers)
}

/// Whether the body is one of gRPC's: `application/grpc`, with `+proto` or the like, or parameters.
pub fn is_content(headers: &HeaderMap) -> bool {
    let told = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let Some((kind, rest)) = told.split_at_checked("application/grpc".len()) else {
        return false;
    };
    kind.eq_ignore_ascii_case(b"application/grpc")
        && matches!(rest.first(), None | Some(b'+' | b';' | b' '))
}

/// Copies what always reaches the origin.
pub fn for_origin(viewer: &HeaderMap, origin: &mut HeaderMap) {
    for name in ITS_OWN {
        if let Some(value) = viewer.get(&name) {
            origin.insert(name, value.clone());
        }
    }
}

/// An answer without a message: how the call ended, and why. Its status is 200, whatever happened.
pub fn ended(status: StatusCode, why: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(STATUS, HeaderValue::from(code(status)));
    if let Ok(message) = HeaderValue::from_str(&percent_encoded(why)) {
        headers.insert(MESSAGE, message);
    }
    headers
}

/// gRPC's code for what would have been an HTTP status. 504 is the one that gRPC's own table knows
/// as unavailable: here it always means that time has run out.
const fn code(status: StatusCode) -> u16 {
    const UNKNOWN: u16 = 2;
    const DEADLINE_EXCEEDED: u16 = 4;
    const PERMISSION_DENIED: u16 = 7;
    const UNIMPLEMENTED: u16 = 12;
    const INTERNAL: u16 = 13;
    const UNAVAILABLE: u16 = 14;
    const UNAUTHENTICATED: u16 = 16;
    match status.as_u16() {
        400 | 414 | 494 => INTERNAL,
        401 => UNAUTHENTICATED,
        403 => PERMISSION_DENIED,
        404 => UNIMPLEMENTED,
        504 => DEADLINE_EXCEEDED,
        429 | 502 | 503 => UNAVAILABLE,
        _ => UNKNOWN,
    }
}

/// As `grpc-message` is written: printable ASCII stands, the rest and `%` are encoded.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'%' | 0..=0x1f | 0x7f.. => {
                // Writing to a string cannot fail.
                let _ = write!(encoded, "%{byte:02X}");
            }
            byte => encoded.push(char::from(byte)),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::headers;

    #[test]
    fn content_type_tells_grpc_from_others() {
        let table = [
            ("application/grpc", true),
            ("Application/gRPC+proto", true),
            ("application/grpc; charset=x", true),
            ("application/grpc-web", false),
            ("application/grpcx", false),
            ("application/json", false),
            ("", false),
        ];
        for (told, is_grpc) in table {
            let headers = headers(&[("content-type", told)]);
            assert_eq!(is_content(&headers), is_grpc, "{told}");
            assert_eq!(asks(&Method::POST, Version::HTTP_2, &headers), is_grpc, "{told}");
            assert!(!asks(&Method::POST, Version::HTTP_11, &headers));
            assert!(!asks(&Method::PUT, Version::HTTP_2, &headers));
        }
    }

    #[test]
    fn a_failure_is_said_in_its_words() {
        for (status, code) in
            [(502, "14"), (503, "14"), (504, "4"), (403, "7"), (400, "13"), (404, "12"), (421, "2")]
        {
            let said = ended(StatusCode::from_u16(status).unwrap(), "a%b\u{e9}\n");
            assert_eq!(said[STATUS], code);
            assert_eq!(said[MESSAGE], "a%25b%C3%A9%0A");
        }
    }
}
