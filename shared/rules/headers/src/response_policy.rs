//! Response headers policies: what a user has added to and taken from responses.
//!
//! For: hits, misses and the edge's own errors alike, between [`crate::viewer_response::clean`] and
//! [`crate::viewer_response::stamp`], which fills in `Server` and `Date` where they were removed.
//! Not for: whether a policy may say what it says (`rules/planning`).
//!
//! Source: CloudFront developer guide, understand response headers policies.

use crate::{cors, names::value};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method,
    header::{CONTENT_TYPE, PRAGMA},
};
use model::plan::ResponseHeaders;

/// Out of so many requests [`ResponseHeaders::server_timing`] are sampled.
pub const SAMPLE_OF: u32 = 1_000_000;

/// A policy, read once and applied often.
#[derive(Clone, Debug, Default)]
pub struct Prepared {
    remove: Vec<HeaderName>,
    cors: Option<cors::Prepared>,
    set: Vec<(HeaderName, HeaderValue, bool)>,
    server_timing: Option<u32>,
}

impl Prepared {
    /// Reads a policy. What is no header name does not get into a Plan, and is left out here.
    pub fn new(policy: &ResponseHeaders) -> Self {
        let name = |text: &str| HeaderName::try_from(text).ok();
        let set = policy.set.iter();
        Self {
            remove: policy.remove.iter().filter_map(|text| name(text)).collect(),
            cors: policy.cors.as_ref().map(cors::Prepared::new),
            set: set
                .filter_map(|set| Some((name(&set.name)?, value(&set.value), set.replace)))
                .collect(),
            server_timing: policy.server_timing,
        }
    }

    /// Whether it does the same for every GET and HEAD without `Origin`, whoever sends it.
    pub const fn is_plain(&self) -> bool {
        self.server_timing.is_none()
    }

    /// Whether `Origin` makes a difference.
    pub const fn heeds_origin(&self) -> bool {
        self.cors.is_some()
    }

    /// Whether it looks at values of the response, and not only at what is there.
    pub fn reads_values(&self) -> bool {
        self.cors.is_some() || !self.remove.is_empty() || !self.set.is_empty()
    }

    /// Applies it to a response to this method and these request headers: removes first, then adds,
    /// so that a header both removed and added is sent. Of several ranges the `Content-Type` stays:
    /// without its boundary nobody finds the parts (RFC 9110 §14.6).
    pub fn apply(&self, method: &Method, request: &HeaderMap, response: &mut HeaderMap) {
        let parts = response.get(CONTENT_TYPE).filter(|kind| is_multipart(kind)).cloned();
        for name in &self.remove {
            response.remove(name);
        }
        if let Some(cors) = &self.cors {
            cors.apply(method, request, response);
        }
        for (name, value, replace) in &self.set {
            if *replace || !response.contains_key(name) {
                response.insert(name, value.clone());
            }
        }
        if let Some(kind) = parts {
            response.insert(CONTENT_TYPE, kind);
        }
    }

    /// Whether `Server-Timing` is wanted: the draw, below [`SAMPLE_OF`], falls within the sampling
    /// rate, or the viewer says `Pragma: server-timing`. Never where the policy has it off.
    pub fn wants_server_timing(&self, request: &HeaderMap, draw: u32) -> bool {
        self.server_timing.is_some_and(|rate| draw < rate || asks_for_server_timing(request))
    }
}

fn is_multipart(kind: &HeaderValue) -> bool {
    const PARTS: &[u8] = b"multipart/byteranges";
    kind.as_bytes().get(..PARTS.len()).is_some_and(|start| start.eq_ignore_ascii_case(PARTS))
}

fn asks_for_server_timing(request: &HeaderMap) -> bool {
    let lines = request.get_all(PRAGMA).iter();
    let mut directives = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    directives.any(|directive| directive.trim_ascii().eq_ignore_ascii_case(b"server-timing"))
}

/// Reads and applies a policy at once: for tests and one-off use.
pub fn apply(
    policy: &ResponseHeaders,
    method: &Method,
    request: &HeaderMap,
    response: &mut HeaderMap,
) {
    Prepared::new(policy).apply(method, request, response);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{headers, names};
    use model::plan::{Cors, SetHeader};

    fn set(name: &str, value: &str, replace: bool) -> SetHeader {
        SetHeader { name: name.to_owned(), value: value.to_owned(), replace }
    }

    /// Developer guide, understand response headers policies: removes before it adds.
    #[test]
    fn headers_are_removed_then_set() {
        let policy = ResponseHeaders {
            remove: names(&["server", "x-both", "x-none"]),
            set: vec![
                set("x-both", "ours", false),
                set("x-frame-options", "DENY", true),
                set("referrer-policy", "no-referrer", false),
                set("x-empty", "", true),
                set("not a name", "x", true),
            ],
            ..ResponseHeaders::default()
        };
        let mut found = headers(&[
            ("server", "origin"),
            ("x-both", "theirs"),
            ("x-frame-options", "SAMEORIGIN"),
            ("x-frame-options", "twice"),
            ("referrer-policy", "origin"),
        ]);
        apply(&policy, &Method::GET, &HeaderMap::new(), &mut found);
        let expected = headers(&[
            ("x-both", "ours"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "origin"),
            ("x-empty", ""),
        ]);
        assert_eq!(found, expected);
    }

    #[test]
    fn the_boundary_of_several_ranges_is_not_the_policys() {
        let boundary = "Multipart/ByteRanges; boundary=a";
        let replaced =
            ResponseHeaders { set: vec![set("content-type", "a/b", true)], ..Default::default() };
        let removed = ResponseHeaders { remove: names(&["content-type"]), ..Default::default() };
        for (policy, expected) in [(replaced, Some("a/b")), (removed, None)] {
            let kind = |sent| {
                let mut found = headers(&[("content-type", sent)]);
                apply(&policy, &Method::GET, &HeaderMap::new(), &mut found);
                found.get("content-type").map(|kind| kind.to_str().unwrap().to_owned())
            };
            assert_eq!(kind(boundary).as_deref(), Some(boundary));
            assert_eq!(kind("text/css").as_deref(), expected);
        }
    }

    #[test]
    fn what_is_removed_does_not_hold_cors_back() {
        let cors = Cors {
            allow_origins: names(&["*"]),
            allow_headers: vec![],
            allow_methods: vec![],
            expose_headers: vec![],
            allow_credentials: false,
            max_age: None,
            replace: false,
        };
        let remove = names(&["access-control-allow-origin"]);
        let policy = ResponseHeaders { remove, cors: Some(cors), ..ResponseHeaders::default() };
        let mut found = headers(&[("access-control-allow-origin", "https://old.example")]);
        let request = headers(&[("origin", "https://new.example")]);
        apply(&policy, &Method::GET, &request, &mut found);
        assert_eq!(found.get("access-control-allow-origin").unwrap(), "*");
    }

    #[test]
    fn server_timing_is_sampled_or_asked_for() {
        let with = |server_timing| {
            Prepared::new(&ResponseHeaders { server_timing, ..ResponseHeaders::default() })
        };
        let plain = HeaderMap::new();
        let asking = headers(&[("pragma", "no-cache, Server-Timing")]);
        assert!(!with(None).wants_server_timing(&asking, 0));
        assert!(!with(Some(0)).wants_server_timing(&plain, 0));
        assert!(with(Some(0)).wants_server_timing(&asking, SAMPLE_OF - 1));
        assert!(with(Some(500_000)).wants_server_timing(&plain, 499_999));
        assert!(!with(Some(500_000)).wants_server_timing(&plain, 500_000));
        assert!(with(Some(SAMPLE_OF)).wants_server_timing(&plain, SAMPLE_OF - 1));
    }
}
