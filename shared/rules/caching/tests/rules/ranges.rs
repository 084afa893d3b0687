//! Ranges (RFC 9110 §14) and `If-Range` (§13.1.5).

use crate::given::{date, headers};
use http::Method;
use model::plan::Law;
use nearfront_caching::{
    multipart::Envelope,
    range::{Asked, MOST_PARTS, Part, asked, if_range, parse, unsatisfied},
};

const BOTH: [Law; 2] = [Law::Http, Law::CloudFront];

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
        ("bytes=0-1,a", Asked::Whole),
        ("bytes=0-1,6-5", Asked::Whole),
        (",bytes=0-1", Asked::Whole),
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
        for law in BOTH {
            assert_eq!(parse(law, value.as_bytes(), 1000), expected, "{law:?} {value:?}");
        }
    }
}

fn several(parts: &[(u64, u64)]) -> Asked {
    Asked::Several(parts.iter().map(|(start, end)| Part { start: *start, end: *end }).collect())
}

/// What RFC 9110 §14.2 and §15.3.7.2 give, and what CloudFront's guide on range GETs does.
#[test]
fn several_ranges_by_each_law() {
    let table = [
        ("0-1,5-6", several(&[(0, 1), (5, 6)]), several(&[(0, 1), (5, 6)])),
        ("0-1, ,-2", several(&[(0, 1), (998, 999)]), several(&[(0, 1), (998, 999)])),
        ("5-6,0-1", several(&[(5, 6), (0, 1)]), Asked::Whole),
        ("0-5,3-9", one(0, 9), Asked::Whole),
        ("0-4,5-9", one(0, 9), several(&[(0, 4), (5, 9)])),
        ("0-0,0-0", one(0, 0), Asked::Whole),
        ("0-1,1000-", one(0, 1), Asked::Whole),
        ("1000-,2000-", Asked::Unsatisfiable, Asked::Whole),
        ("20-29,0-9,50-59,5-24", several(&[(0, 29), (50, 59)]), Asked::Whole),
        ("50-59,20-29,0-9,5-24", several(&[(50, 59), (0, 29)]), Asked::Whole),
        ("0-,-1", one(0, 999), Asked::Whole),
    ];
    for (set, by_http, by_cloudfront) in table {
        let value = format!("bytes={set}");
        assert_eq!(parse(Law::Http, value.as_bytes(), 1000), by_http, "{set}");
        assert_eq!(parse(Law::CloudFront, value.as_bytes(), 1000), by_cloudfront, "{set}");
    }
}

#[test]
fn very_many_ranges_give_the_whole_section_17_15() {
    let apart = |many: usize| {
        let ranges: Vec<_> = (0..many).map(|at| format!("{0}-{0}", at * 10)).collect();
        format!("bytes={}", ranges.join(","))
    };
    for law in BOTH {
        let most = parse(law, apart(MOST_PARTS).as_bytes(), 1 << 20);
        assert!(matches!(most, Asked::Several(parts) if parts.len() == MOST_PARTS));
        for many in [MOST_PARTS + 1, 64, 65, 5000] {
            assert_eq!(parse(law, apart(many).as_bytes(), 1 << 20), Asked::Whole, "{many}");
        }
        let same = format!("bytes={}", ["0-0"; 500].join(","));
        assert_eq!(parse(law, same.as_bytes(), 1000), Asked::Whole);
    }
    assert_eq!(parse(Law::Http, b"bytes=0-9,5-14,10-19", 1000), one(0, 19));
}

#[test]
fn several_ranges_of_an_encoded_body_are_the_whole() {
    let request = headers("range: bytes=0-1,5-6");
    let given = |stored| asked(Law::Http, &Method::GET, &request, &headers(stored), 10);
    assert_eq!(given("etag: \"a\""), several(&[(0, 1), (5, 6)]));
    assert_eq!(given("content-encoding: br"), Asked::Whole);
}

#[test]
fn parts_stand_in_an_envelope_section_14_6() {
    let envelope = Envelope::new(0xA);
    let boundary = "0000000000000000000000000000000a";
    assert_eq!(envelope.content_type(), format!("multipart/byteranges; boundary={boundary}"));
    let head = |stored| envelope.head(&headers(stored), Part { start: 2, end: 5 }, 10);
    let place = "Content-Range: bytes 2-5/10\r\n\r\n";
    let expected = format!("\r\n--{boundary}\r\nContent-Type: text/plain\r\n{place}");
    assert_eq!(head("content-type: text/plain"), expected.as_bytes());
    assert_eq!(head(""), format!("\r\n--{boundary}\r\n{place}").as_bytes());
    assert_eq!(envelope.tail(), format!("\r\n--{boundary}--\r\n").as_bytes());
}

#[test]
fn nothing_of_an_empty_body_can_be_had() {
    for value in ["bytes=0-", "bytes=0-0", "bytes=-1"] {
        for law in BOTH {
            assert_eq!(parse(law, value.as_bytes(), 0), Asked::Unsatisfiable, "{law:?} {value:?}");
        }
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
fn only_one_line_of_a_get_counts() {
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
        let given = asked(Law::Http, &method, &headers(request), &stored, 10);
        assert_eq!(given, expected, "{request:?}");
    }
}
