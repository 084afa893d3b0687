//! Fields after a body that may go on to the next hop.
//!
//! For: both directions. Not for: where they are kept: nowhere (RFC 9111 §3.1 leaves that to a
//! cache).

use crate::connection;
use http::{HeaderMap, HeaderName, header};

/// Fields that mean something only before a body: how it is framed, routed, controlled, read or
/// authenticated (RFC 9110 §6.5.1).
const BEFORE: [HeaderName; 16] = [
    header::CONTENT_LENGTH,
    header::HOST,
    header::CACHE_CONTROL,
    header::EXPECT,
    header::MAX_FORWARDS,
    header::PRAGMA,
    header::RANGE,
    header::AUTHORIZATION,
    header::WWW_AUTHENTICATE,
    header::SET_COOKIE,
    header::COOKIE,
    header::AGE,
    header::VARY,
    header::CONTENT_ENCODING,
    header::CONTENT_TYPE,
    header::CONTENT_RANGE,
];

/// What of `fields` goes on; none if nothing does.
pub fn passed_on(fields: &HeaderMap) -> Option<HeaderMap> {
    let mut fields = fields.clone();
    connection::strip(&mut fields);
    for name in BEFORE {
        fields.remove(name);
    }
    (!fields.is_empty()).then_some(fields)
}

/// Whether a request says that trailers are welcome (RFC 9110 §10.1.4). `TE` is for one hop: it has
/// to be asked before hop-by-hop headers are taken away.
pub fn are_welcome(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(header::TE).iter();
    let mut members = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    members.any(|member| member.trim_ascii().eq_ignore_ascii_case(b"trailers"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::headers;

    /// RFC 9110 §6.5.1.
    #[test]
    fn what_means_something_before_a_body_only_does_not_follow_it() {
        let came = headers(&[
            ("grpc-status", "0"),
            ("x-sum", "abc"),
            ("content-length", "9"),
            ("transfer-encoding", "chunked"),
            ("cache-control", "no-store"),
            ("set-cookie", "a=b"),
            ("connection", "x-hop"),
            ("x-hop", "1"),
        ]);
        let passed = passed_on(&came).unwrap();
        assert_eq!(passed, headers(&[("grpc-status", "0"), ("x-sum", "abc")]));
        assert_eq!(passed_on(&headers(&[("trailer", "x"), ("age", "1")])), None);
    }

    /// RFC 9110 §10.1.4.
    #[test]
    fn te_says_whether_they_are_welcome() {
        for (te, welcome) in [
            ("trailers", true),
            ("gzip;q=0.5, Trailers", true),
            ("gzip", false),
            ("trailersx", false),
        ] {
            assert_eq!(are_welcome(&headers(&[("te", te)])), welcome, "{te}");
        }
        assert!(!are_welcome(&headers(&[])));
    }
}
