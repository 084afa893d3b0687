//! Conditions both ways (RFC 9110 §8.8.3, §13; RFC 9111 §4.3).

use crate::given::{copy, date, headers};
use http::{HeaderMap, Method, StatusCode};
use nearfront_caching::{
    ResponseView, StoredView,
    validate::{
        Precondition::{self, Failed, NotModified, Proceed},
        Told, Validators, by_head, confirms, drop_conditions, for_not_modified, merge,
        precondition, strong_match, weak_match,
    },
};

fn outcome(method: &Method, request: &str, stored: &str) -> Precondition {
    precondition(method, &headers(request), &copy(&headers(stored), 60))
}

#[test]
fn comparison_of_entity_tags_rfc_9110_8_8_3_2() {
    let table = [
        ("W/\"1\"", "W/\"1\"", false, true),
        ("W/\"1\"", "W/\"2\"", false, false),
        ("W/\"1\"", "\"1\"", false, true),
        ("\"1\"", "\"1\"", true, true),
        ("1", "1", false, false),
        ("w/\"1\"", "\"1\"", false, false),
        ("\"", "\"", false, false),
        ("\"\"", "\"\"", true, true),
    ];
    for (one, other, strong, weak) in table {
        let (one, other) = (one.as_bytes(), other.as_bytes());
        assert_eq!(strong_match(one, other), strong, "{one:?} {other:?}");
        assert_eq!(weak_match(one, other), weak, "{one:?} {other:?}");
        assert_eq!(weak_match(other, one), weak, "{other:?} {one:?}");
    }
}

#[test]
fn if_none_match_compares_weakly_section_13_1_2() {
    let stored = "etag: \"a\"";
    let table = [
        ("if-none-match: \"a\"", NotModified),
        ("if-none-match: W/\"a\"", NotModified),
        ("if-none-match: \"b\", \"a\"", NotModified),
        ("if-none-match: \"b\",W/\"a\"", NotModified),
        ("if-none-match: \"x,y\", \"a\"", NotModified),
        ("if-none-match: \"b\"\nif-none-match: \"a\"", NotModified),
        ("if-none-match: *", NotModified),
        ("if-none-match: \"b\"", Proceed),
        ("if-none-match: a", Proceed),
        ("if-none-match: \"a", Proceed),
        ("if-none-match:", Proceed),
        ("", Proceed),
    ];
    for (request, expected) in table {
        assert_eq!(outcome(&Method::GET, request, stored), expected, "{request:?}");
        assert_eq!(outcome(&Method::HEAD, request, stored), expected, "{request:?}");
    }
    assert_eq!(outcome(&Method::PUT, "if-none-match: \"a\"", stored), Failed);
    assert_eq!(outcome(&Method::GET, "if-none-match: \"a\"", ""), Proceed);
    assert_eq!(outcome(&Method::GET, "if-none-match: *", ""), NotModified);
}

#[test]
fn if_modified_since_section_13_1_3_and_rfc_9111_4_3_2() {
    let since = |after| format!("if-modified-since: {}", date(after));
    let modified = format!("last-modified: {}", date(-100));
    let table = [
        (since(-100), modified.clone(), NotModified),
        (since(-99), modified.clone(), NotModified),
        (since(-101), modified.clone(), Proceed),
        ("if-modified-since: never".to_owned(), modified.clone(), Proceed),
        // Without Last-Modified the Date stands in for it, without that the arrival.
        (since(0), format!("date: {}", date(0)), NotModified),
        (since(-1), format!("date: {}", date(0)), Proceed),
        (since(0), String::new(), NotModified),
        (since(-1), String::new(), Proceed),
        // If-None-Match goes first.
        (
            format!("{}\nif-none-match: \"b\"", since(0)),
            format!("{modified}\netag: \"a\""),
            Proceed,
        ),
        (
            format!("{}\nif-none-match: \"a\"", since(-200)),
            format!("{modified}\netag: \"a\""),
            NotModified,
        ),
    ];
    for (request, stored, expected) in table {
        assert_eq!(outcome(&Method::GET, &request, &stored), expected, "{request:?} {stored:?}");
    }
    assert_eq!(outcome(&Method::PUT, &since(0), &modified), Proceed, "for reading only");
}

#[test]
fn if_match_and_if_unmodified_since_go_first_section_13_2_2() {
    let stored = format!("etag: \"a\"\nlast-modified: {}", date(-100));
    let table = [
        ("if-match: \"a\"".to_owned(), Proceed),
        ("if-match: \"b\", \"a\"".to_owned(), Proceed),
        ("if-match: *".to_owned(), Proceed),
        ("if-match: W/\"a\"".to_owned(), Failed),
        ("if-match: \"b\"".to_owned(), Failed),
        ("if-match: \"b\"\nif-none-match: \"a\"".to_owned(), Failed),
        ("if-match: \"a\"\nif-none-match: \"a\"".to_owned(), NotModified),
        (format!("if-unmodified-since: {}", date(-100)), Proceed),
        (format!("if-unmodified-since: {}", date(-101)), Failed),
        ("if-unmodified-since: never".to_owned(), Proceed),
        (format!("if-match: \"a\"\nif-unmodified-since: {}", date(-101)), Proceed),
    ];
    for (request, expected) in table {
        assert_eq!(outcome(&Method::GET, &request, &stored), expected, "{request:?}");
    }
}

#[test]
fn conditions_count_for_2xx_only_section_13_2_1() {
    let (request, stored) = (headers("if-none-match: \"a\""), headers("etag: \"a\""));
    for (status, expected) in [(200, NotModified), (404, Proceed), (301, Proceed)] {
        let status = StatusCode::from_u16(status).unwrap();
        let copy = StoredView { status, ..copy(&stored, 60) };
        assert_eq!(precondition(&Method::GET, &request, &copy), expected, "{status}");
    }
}

#[test]
fn the_origin_is_asked_with_our_validators_not_the_viewer_s() {
    let stored = headers(&format!("etag: W/\"a\"\nlast-modified: {}", date(-100)));
    let mut request = headers(&format!(
        "accept: */*\nif-match: \"x\"\nif-none-match: \"y\"\nif-modified-since: {0}\n\
         if-unmodified-since: {0}\nif-range: \"z\"\nrange: bytes=0-1",
        date(0)
    ));
    Validators::of(&stored).write(&mut request);
    let expected =
        format!("accept: */*\nif-none-match: W/\"a\"\nif-modified-since: {}", date(-100));
    assert_eq!(request, headers(&expected));
    drop_conditions(&mut request);
    assert_eq!(request, headers("accept: */*"));
}

#[test]
fn validators_that_are_malformed_are_left_out() {
    for stored in ["", "etag: a", "etag: \"a", "etag: w/\"a\"", "last-modified: never"] {
        assert!(Validators::of(&headers(stored)).is_empty(), "{stored:?}");
    }
    assert!(!Validators::of(&headers("etag: \"\"")).is_empty());
}

#[test]
fn a_304_replaces_what_it_names_but_what_describes_the_body_rfc_9111_3_2() {
    let stored = headers(
        "etag: \"a\"\ncontent-length: 100\ncontent-encoding: br\ncontent-type: text/css\n\
         cache-control: max-age=1\nx-old: 1\nx-many: 1\nx-many: 2\nage: 500\ndate: x",
    );
    let fresh = headers(
        "etag: \"a\"\ncontent-length: 0\ncontent-encoding: gzip\ncontent-type: text/plain\n\
         cache-control: max-age=9\nx-many: 3\nx-new: 1\nconnection: close",
    );
    let expected = headers(
        "etag: \"a\"\ncontent-length: 100\ncontent-encoding: br\ncontent-type: text/plain\n\
         cache-control: max-age=9\nx-old: 1\nx-many: 3\nx-new: 1",
    );
    assert_eq!(merge(&stored, &fresh), expected);
}

#[test]
fn a_304_speaks_of_the_copy_with_its_validators_rfc_9111_4_3_4() {
    let table = [
        ("etag: \"a\"", "etag: \"a\"", true),
        ("etag: \"a\"", "etag: W/\"a\"", true),
        ("etag: \"a\"", "etag: \"b\"", false),
        ("etag: \"a\"", "", true),
        ("etag: \"a\"\nlast-modified: x", "etag: \"a\"\nlast-modified: y", true),
        ("etag: \"a\"", "etag: malformed", true),
        ("last-modified: x", "", true),
        ("last-modified: x", "last-modified: x", true),
        ("last-modified: x", "last-modified: y", false),
        ("last-modified: x", "etag: \"a\"\nlast-modified: x", true),
        ("last-modified: x", "etag: \"a\"", false),
    ];
    for (stored, fresh, expected) in table {
        assert_eq!(confirms(&headers(stored), &headers(fresh)), expected, "{stored} | {fresh}");
    }
}

#[test]
fn head_says_whether_a_copy_is_current_rfc_9111_4_3_5() {
    let table = [
        ("etag: \"a\"", 200, "etag: \"a\"", Told::Current),
        ("etag: \"a\"", 200, "etag: \"a\"\ncontent-length: 7", Told::Current),
        ("etag: \"a\"", 200, "etag: \"a\"\ncontent-length: 8", Told::Outdated),
        ("etag: \"a\"", 200, "etag: \"b\"\ncontent-length: 7", Told::Outdated),
        ("etag: \"a\"", 200, "", Told::Outdated),
        ("last-modified: x", 200, "last-modified: y", Told::Outdated),
        ("last-modified: x", 200, "last-modified: x", Told::Current),
        ("", 200, "content-length: 7", Told::Current),
        ("", 200, "content-length: 8", Told::Outdated),
        // Compressed by the edge: another length and a weak tag.
        (
            "etag: W/\"a\"\ncontent-encoding: br",
            200,
            "etag: \"a\"\ncontent-length: 8",
            Told::Current,
        ),
        ("etag: \"a\"", 404, "etag: \"b\"", Told::Nothing),
        ("etag: \"a\"", 500, "", Told::Nothing),
    ];
    for (stored, status, fresh, expected) in table {
        let (held, fresh) = (headers(stored), headers(fresh));
        let status = StatusCode::from_u16(status).unwrap();
        let view = ResponseView { status, headers: &fresh };
        assert_eq!(by_head(&copy(&held, 60), 7, &view), expected, "{stored} | {status} {fresh:?}");
    }
    let none = HeaderMap::new();
    let missing = StoredView { status: StatusCode::NOT_FOUND, ..copy(&none, 60) };
    let found = ResponseView { status: StatusCode::OK, headers: &none };
    assert_eq!(by_head(&missing, 7, &found), Told::Nothing);
}

#[test]
fn a_tag_that_the_edge_weakened_stays_weak() {
    let merged = |stored: &str, fresh: &str| {
        let both = (headers(&format!("etag: {stored}")), headers(&format!("etag: {fresh}")));
        merge(&both.0, &both.1).get("etag").unwrap().clone()
    };
    assert_eq!(merged("W/\"a\"", "\"a\""), "W/\"a\"");
    assert_eq!(merged("\"a\"", "W/\"a\""), "\"a\"");
    assert_eq!(merged("\"a\"", "\"b\""), "\"b\"");
}

#[test]
fn a_304_to_the_viewer_describes_no_body_section_15_4_5() {
    let lines = headers(
        "etag: \"a\"\ncontent-length: 100\ncontent-type: text/css\ncontent-encoding: br\n\
         last-modified: x\ncache-control: max-age=1\nvary: a\nset-cookie: b",
    );
    let expected = headers("etag: \"a\"\ncache-control: max-age=1\nvary: a\nset-cookie: b");
    assert_eq!(for_not_modified(&lines), expected);
    let untagged = headers("last-modified: x\ncontent-type: text/css");
    assert_eq!(for_not_modified(&untagged), headers("last-modified: x"));
}
