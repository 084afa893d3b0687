//! Ranges (RFC 9110 §14) and `If-Range` (§13.1.5).

use crate::given::{date, headers};
use http::Method;
use nearfront_caching::range::{Asked, Part, asked, if_range, parse, unsatisfied};

fn one(start: u64, end: u64) -> Asked {
    Asked::One(Part { start, end })
}

#[test]
fn a_range_against_a_body_of_1000_bytes_section_14_1_2() {
    let table = [
        ("bytes=0-499", one(0, 499)),
        ("bytes=500-999", one(500, 999)),
        ("bytes=500-", one(500, 999)),
        ("bytes=-500", one(500, 999)),
        ("bytes=-5000", one(0, 999)),
        ("bytes=0-0", one(0, 0)),
        ("bytes=999-", one(999, 999)),
        ("bytes=990-2000", one(990, 999)),
        ("bytes=0-18446744073709551615", one(0, 999)),
        ("bytes=0-99999999999999999999999", one(0, 999)),
        ("Bytes = 0-499", one(0, 499)),
        ("bytes= 0-499 ,", one(0, 499)),
        ("bytes=1000-", Asked::Unsatisfiable),
        ("bytes=1000-2000", Asked::Unsatisfiable),
        ("bytes=99999999999999999999999-", Asked::Unsatisfiable),
        ("bytes=-0", Asked::Unsatisfiable),
        ("bytes=0-1,5-6", Asked::Whole),
        ("bytes=500-499", Asked::Whole),
        ("bytes=a-b", Asked::Whole),
        ("bytes=0 - 4", Asked::Whole),
        ("bytes=+0-4", Asked::Whole),
        ("bytes=-", Asked::Whole),
        ("bytes=5", Asked::Whole),
        ("bytes=", Asked::Whole),
        ("bytes", Asked::Whole),
        ("lines=0-4", Asked::Whole),
        ("", Asked::Whole),
    ];
    for (value, expected) in table {
        assert_eq!(parse(value.as_bytes(), 1000), expected, "{value:?}");
    }
}

#[test]
fn nothing_of_an_empty_body_can_be_had() {
    for value in ["bytes=0-", "bytes=0-0", "bytes=-1"] {
        assert_eq!(parse(value.as_bytes(), 0), Asked::Unsatisfiable, "{value:?}");
    }
}

#[test]
fn what_the_headers_of_206_and_416_say_section_14_4() {
    let part = Part { start: 42, end: 1233 };
    assert_eq!(part.content_range(1234), "bytes 42-1233/1234");
    assert_eq!(part.length(), 1192);
    assert_eq!(unsatisfied(1234), "bytes */1234");
}

#[test]
fn if_range_compares_strongly_section_13_1_5() {
    let stored = format!("etag: \"a\"\nlast-modified: {}\ndate: {}", date(-100), date(0));
    let table = [
        ("", stored.clone(), true),
        ("if-range: \"a\"", stored.clone(), true),
        ("if-range: \"b\"", stored.clone(), false),
        ("if-range: W/\"a\"", stored.clone(), false),
        ("if-range: W/\"a\"", "etag: W/\"a\"".to_owned(), false),
        ("if-range: a", stored.clone(), false),
        ("if-range: \"a\"", String::new(), false),
    ];
    for (request, stored, expected) in table {
        assert_eq!(if_range(&headers(request), &headers(&stored)), expected, "{request:?}");
    }
}

#[test]
fn a_date_in_if_range_has_to_be_the_same_and_strong_section_8_8_2_2() {
    let asks = |after| headers(&format!("if-range: {}", date(after)));
    let stored = headers(&format!("last-modified: {}\ndate: {}", date(-100), date(0)));
    assert!(if_range(&asks(-100), &stored));
    assert!(!if_range(&asks(-99), &stored), "not the same");
    assert!(!if_range(&asks(-101), &stored), "not the same");
    let just_now = headers(&format!("last-modified: {0}\ndate: {0}", date(-100)));
    assert!(!if_range(&asks(-100), &just_now), "changed in the second of the answer");
    assert!(!if_range(&asks(-100), &headers(&format!("last-modified: {}", date(-100)))));
}

#[test]
fn only_one_range_of_a_get_counts() {
    let stored = headers("etag: \"a\"");
    let table = [
        (Method::GET, "range: bytes=0-1", one(0, 1)),
        (Method::HEAD, "range: bytes=0-1", Asked::Whole),
        (Method::GET, "range: bytes=0-1\nrange: bytes=2-3", Asked::Whole),
        (Method::GET, "range: bytes=0-1\nif-range: \"a\"", one(0, 1)),
        (Method::GET, "range: bytes=0-1\nif-range: \"b\"", Asked::Whole),
        (Method::GET, "", Asked::Whole),
    ];
    for (method, request, expected) in table {
        assert_eq!(asked(&method, &headers(request), &stored, 10), expected, "{request:?}");
    }
}
