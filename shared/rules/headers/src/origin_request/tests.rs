//! What origins get, by table.

use super::*;
use crate::{
    fixtures::{behaviour, custom_origin, except, headers as map, names, only, viewer},
    viewer::Viewer,
};
use http::{Method, Version};
use model::plan::{HeaderSelection, Selection};

struct World {
    method: Method,
    sent: HeaderMap,
    viewer: Viewer<'static>,
    behaviour: Behaviour,
    origin: Origin,
    conditions: Conditions,
}

fn world(sent: &[(&str, &str)]) -> World {
    World {
        method: Method::GET,
        sent: map(sent),
        viewer: viewer(),
        behaviour: behaviour(),
        origin: custom_origin(),
        conditions: Conditions::Withheld,
    }
}

impl World {
    fn request(&self) -> Request<'_> {
        let (method, headers, viewer) = (&self.method, &self.sent, &self.viewer);
        Request { method, path: "/a%20b", query: Some("x=1&y=2"), headers, viewer }
    }

    fn headers(&self) -> HeaderMap {
        headers(&Asking {
            request: &self.request(),
            behaviour: &self.behaviour,
            origin: &self.origin,
            names: &Names::default(),
            vias: &Names::default().vias("ab12.zone"),
            id: "id==",
            body: matches!(self.method, Method::POST | Method::PUT),
            conditions: self.conditions,
        })
    }

    /// As lines, sorted.
    fn lines(&self) -> Vec<String> {
        let headers = self.headers();
        let line = |(name, value): (&HeaderName, &HeaderValue)| {
            format!("{name}: {}", value.to_str().unwrap())
        };
        let mut lines: Vec<_> = headers.iter().map(line).collect();
        lines.sort();
        lines
    }
}

const VIEWER: [(&str, &str); 14] = [
    ("host", "www.example.com"),
    ("user-agent", "curl/8"),
    ("accept", "*/*"),
    ("accept-encoding", "gzip"),
    ("accept-language", "fr"),
    ("authorization", "Basic x"),
    ("cookie", "b=2; a=1"),
    ("if-none-match", "\"1\""),
    ("range", "bytes=0-1"),
    ("x-forwarded-for", "198.51.100.1"),
    ("x-forwarded-proto", "gopher"),
    ("x-edge-location", "forged"),
    ("cloudfront-viewer-country", "XX"),
    ("x-own", "1"),
];

/// Developer guide, control origin requests: what is always sent.
#[test]
fn a_policy_sends_the_minimum() {
    let expected = [
        "cdn-loop: nearfront",
        "host: origin.example",
        "user-agent: Nearfront",
        "via: 1.1 ab12.zone (Nearfront)",
        "x-amz-cf-id: id==",
        "x-forwarded-for: 198.51.100.1, 192.0.2.7",
    ];
    assert_eq!(world(&VIEWER).lines(), expected);
}

#[test]
fn legacy_settings_send_what_is_not_listed_as_removed() {
    let mut world = world(&VIEWER);
    world.behaviour.forward.legacy = true;
    let found = world.headers();
    assert_eq!(found.get("x-own").unwrap(), "1");
    for name in ["accept", "accept-language", "authorization", "cookie", "x-forwarded-proto"] {
        assert!(!found.contains_key(name), "{name}");
    }
    assert_eq!(found.get("host").unwrap(), "origin.example");
    world.method = Method::POST;
    assert!(world.headers().contains_key("authorization"));
    world.behaviour.cache.all_headers = true;
    assert_eq!(world.headers().get("host").unwrap(), "www.example.com");
    assert_eq!(world.headers().get("accept-encoding").unwrap(), "gzip");
    assert!(world.headers().contains_key("accept-language"));
}

#[test]
fn all_viewer_headers_are_all_but_forged_ones() {
    let mut world = world(&VIEWER);
    world.behaviour.forward.headers = HeaderSelection::AllViewer;
    world.behaviour.forward.cookies = Selection::All;
    let found = world.headers();
    let table = [
        ("host", Some("www.example.com")),
        ("user-agent", Some("curl/8")),
        ("accept-encoding", Some("gzip")),
        ("authorization", Some("Basic x")),
        ("cookie", Some("a=1; b=2")),
        ("if-none-match", None),
        ("range", None),
        ("x-forwarded-proto", None),
        ("x-edge-location", None),
        ("cloudfront-viewer-country", None),
    ];
    for (name, expected) in table {
        let value = found.get(name).map(|value| value.to_str().unwrap());
        assert_eq!(value, expected, "{name}");
    }
    world.conditions = Conditions::AsSent;
    assert_eq!(world.headers().get("range").unwrap(), "bytes=0-1");
    assert_eq!(world.headers().get("if-none-match").unwrap(), "\"1\"");
}

#[test]
fn named_generated_headers_overwrite_forged_ones() {
    let mut world = world(&VIEWER);
    world.viewer.place.country = Some("FR");
    let country = names(&["cloudfront-viewer-country", "cloudfront-viewer-city"]);
    world.behaviour.forward.headers = HeaderSelection::AllViewerAnd(country);
    let found = world.headers();
    let values: Vec<_> = found.get_all("cloudfront-viewer-country").iter().collect();
    assert_eq!(values, ["FR"]);
    assert!(!found.contains_key("cloudfront-viewer-city"));
}

#[test]
fn the_host_is_the_origins_unless_selected() {
    let mut world = world(&VIEWER);
    world.behaviour.forward.headers = HeaderSelection::AllExcept(names(&["host"]));
    assert_eq!(world.headers().get("host").unwrap(), "origin.example");
    world.behaviour.forward.headers = HeaderSelection::Only(names(&["host"]));
    assert_eq!(world.headers().get("host").unwrap(), "www.example.com");
    world.origin.kind = OriginKind::Bucket { sign: true };
    assert_eq!(world.headers().get("host").unwrap(), "origin.example");
}

#[test]
fn a_port_of_its_own_stands_in_the_host() {
    let mut world = world(&[]);
    let mut kind = |protocol, http_port, https_port, https| {
        let keepalive = model::units::Seconds(5);
        world.origin.kind = OriginKind::Custom { protocol, http_port, https_port, keepalive };
        world.viewer.https = https;
        world.headers().get("host").unwrap().to_str().unwrap().to_owned()
    };
    assert_eq!(kind(OriginProtocol::Http, 8080, 443, true), "origin.example:8080");
    assert_eq!(kind(OriginProtocol::Https, 8080, 443, false), "origin.example");
    assert_eq!(kind(OriginProtocol::MatchViewer, 80, 8443, true), "origin.example:8443");
    assert_eq!(kind(OriginProtocol::MatchViewer, 80, 8443, false), "origin.example");
}

#[test]
fn accept_encoding_goes_out_as_it_stands_in_the_key() {
    let mut world = world(&[("accept-encoding", "zstd, br, gzip")]);
    (world.behaviour.cache.gzip, world.behaviour.cache.brotli) = (true, true);
    assert_eq!(world.headers().get("accept-encoding").unwrap(), "br,gzip");
    world.viewer.version = Version::HTTP_10;
    assert!(!world.headers().contains_key("accept-encoding"));
    assert_eq!(world.headers().get("via").unwrap(), "1.0 ab12.zone (Nearfront)");
}

#[test]
fn chains_are_written_on_and_counted() {
    let sent = [
        ("via", "1.1 first"),
        ("via", "1.0 second"),
        ("cdn-loop", "other; v=1, Nearfront;x"),
        ("cdn-loop", "nearfront"),
    ];
    let world = world(&sent);
    let found = world.headers();
    let via = "1.1 first, 1.0 second, 1.1 ab12.zone (Nearfront)";
    assert_eq!(found.get("via").unwrap(), via);
    assert_eq!(passes(&world.sent, &Names::default()), 2);
    assert_eq!(passes(&found, &Names::default()), 3);
    assert_eq!(passes(&HeaderMap::new(), &Names::default()), 0);
}

#[test]
fn no_connection_header_takes_ours_away() {
    let mut world = world(&[("connection", "x-forwarded-for, x-own, via"), ("x-own", "1")]);
    world.behaviour.forward.headers = HeaderSelection::AllViewer;
    let found = world.headers();
    assert!(found.contains_key("x-forwarded-for") && found.contains_key("via"));
    assert!(!found.contains_key("x-own") && !found.contains_key("connection"));
}

#[test]
fn bodies_keep_what_describes_them() {
    let sent = [("content-length", "3"), ("content-type", "a/b"), ("expect", "100-continue")];
    let mut world = world(&sent);
    assert!(!world.headers().contains_key("content-length"));
    world.method = Method::PUT;
    let found = world.headers();
    assert_eq!(found.get("content-length").unwrap(), "3");
    assert_eq!(found.get("content-type").unwrap(), "a/b");
    assert!(!found.contains_key("expect"));
}

#[test]
fn custom_headers_have_the_last_word() {
    let mut world = world(&VIEWER);
    world.behaviour.forward.headers = HeaderSelection::AllViewer;
    let custom = [("X-Own", "2"), ("user-agent", "mine"), ("not a name", "x")];
    world.origin.headers = custom.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let found = world.headers();
    assert_eq!(found.get("x-own").unwrap(), "2");
    assert_eq!(found.get("user-agent").unwrap(), "mine");
}

#[test]
fn the_target_is_the_origins_path_and_the_viewers_words() {
    let mut world = world(&[]);
    let target = |world: &World| target(&world.request(), &world.behaviour, &world.origin);
    assert_eq!(target(&world), "/base/a%20b");
    world.behaviour.cache.query = only(&["y"]);
    assert_eq!(target(&world), "/base/a%20b?y=2");
    world.behaviour.forward.query = except(&["z"]);
    assert_eq!(target(&world), "/base/a%20b?x=1&y=2");
}

/// RFC 9110 §7.6: what is not known is forwarded.
#[test]
fn the_law_of_rfc_9111_sends_what_answers_may_vary_by() {
    let mut world = world(&VIEWER);
    world.behaviour.cache.law = Law::Http;
    let found = world.headers();
    assert_eq!(found.get("accept-language").unwrap(), "fr");
    assert_eq!(found.get("user-agent").unwrap(), "curl/8");
    assert_eq!(found.get("accept-encoding").unwrap(), "gzip");
    assert_eq!(found.get("host").unwrap(), "origin.example");
    assert!(!found.contains_key("cookie"));
}
