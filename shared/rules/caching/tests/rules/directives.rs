//! `Cache-Control` and `CDN-Cache-Control` read.

use crate::given::{control, headers};
use http::HeaderMap;
use model::{plan::Law, units::Seconds};
use nearfront_caching::directives::{Directives, Flag, LONGEST, delta_seconds};

fn read(value: &str) -> Directives {
    Directives::of(&control(value))
}

#[test]
fn numbers_are_read_in_every_form_that_rfc_9111_5_2_names() {
    let table = [
        ("max-age=10", Some(10)),
        ("Max-Age=10", Some(10)),
        ("max-age=\"10\"", Some(10)),
        ("max-age = 10", Some(10)),
        ("public,max-age=10", Some(10)),
        (" , ,max-age=10, ", Some(10)),
        ("max-age=010", Some(10)),
        ("foo=\"a, max-age=5\", max-age=10", Some(10)),
        ("foo=\"a\\\", max-age=5\", max-age=10", Some(10)),
        ("max-age=10, max-age=20", Some(10)),
        ("max-age=99999999999999999999999", Some(LONGEST.0)),
        ("max-age", Some(0)),
        ("max-age=", Some(0)),
        ("max-age=ten", Some(0)),
        ("max-age=-1", Some(0)),
        ("max-age=1.5", Some(0)),
        ("max-age=10 20", Some(0)),
        ("s-maxage=10", None),
        ("xmax-age=10", None),
        ("", None),
    ];
    for (text, expected) in table {
        assert_eq!(read(text).max_age, expected.map(Seconds), "{text:?}");
    }
}

#[test]
fn a_quote_that_is_never_closed_hides_nothing() {
    let said = read("foo=\"bar, no-store, max-age=10");
    assert!(said.has(Flag::NoStore));
    assert_eq!(said.max_age, Some(Seconds(10)));
}

#[test]
fn several_lines_are_one_list() {
    let said = Directives::of(&headers("cache-control: max-age=10\ncache-control: no-store"));
    assert!(said.has(Flag::NoStore));
    assert_eq!(said.max_age, Some(Seconds(10)));
}

#[test]
fn flags_are_told_apart() {
    let table = [
        ("no-store", Flag::NoStore),
        ("NO-CACHE", Flag::NoCache),
        ("private", Flag::Private),
        ("public", Flag::Public),
        ("must-revalidate", Flag::MustRevalidate),
        ("proxy-revalidate", Flag::ProxyRevalidate),
        ("must-understand", Flag::MustUnderstand),
        ("no-transform", Flag::NoTransform),
        ("immutable", Flag::Immutable),
        ("only-if-cached", Flag::OnlyIfCached),
    ];
    for (text, flag) in table {
        for (_, other) in table {
            assert_eq!(read(text).has(other), flag == other, "{text} {other:?}");
        }
    }
}

#[test]
fn field_lists_name_what_is_withheld() {
    let table: [(&str, &[&str], bool); 7] = [
        ("no-cache=\"Set-Cookie\"", &["set-cookie"], false),
        ("no-cache=\"Set-Cookie, X-A\"", &["set-cookie", "x-a"], false),
        ("no-cache=Set-Cookie", &["set-cookie"], false),
        ("private=\"X-A\", no-cache=\"X-B\"", &["x-a", "x-b"], false),
        ("no-cache=\"\"", &[], true),
        ("no-cache=\"not a name\"", &[], true),
        ("no-cache=\"Set-Cookie\", no-cache", &["set-cookie"], true),
    ];
    for (text, fields, whole) in table {
        let said = read(text);
        assert_eq!(said.withheld, fields, "{text:?}");
        assert_eq!(said.has(Flag::NoCache), whole, "{text:?}");
        assert!(!said.has(Flag::Private), "{text:?}");
    }
}

#[test]
fn a_field_list_beyond_all_measure_counts_as_no_list() {
    let names = |from: u32| (from..from + 33).map(|at| format!("x-{at}")).collect::<Vec<_>>();
    let long = read(&format!("private=\"{}\"", names(0).join(",")));
    assert!(long.has(Flag::Private) && long.withheld.is_empty());
    let parts: Vec<_> =
        (0..10).map(|at| format!("no-cache=\"a-{at},b-{at},c-{at},d-{at}\"")).collect();
    let many = read(&parts.join(","));
    assert!(many.has(Flag::NoCache) && many.withheld.len() <= 32);
    // What cannot be remembered of `private` makes all of it private, which `no-cache` would not.
    let private = read(&parts.join(",").replace("no-cache", "private"));
    assert!(private.has(Flag::Private) && !private.has(Flag::NoCache));
}

#[test]
fn requests_say_what_they_want() {
    let said = read("max-stale, min-fresh=3, stale-if-error=7");
    assert_eq!(said.max_stale, Some(LONGEST));
    assert_eq!(said.min_fresh, Some(Seconds(3)));
    assert_eq!(said.stale_if_error, Some(Seconds(7)));
    assert_eq!(read("max-stale=5").max_stale, Some(Seconds(5)));
    assert_eq!(read("max-stale=x, min-fresh=x").max_stale, None);
}

#[test]
fn pragma_counts_where_cache_control_is_missing_rfc_9111_5_4() {
    let asks = |text: &str| Directives::of_request(&headers(text)).has(Flag::NoCache);
    assert!(asks("pragma: no-cache"));
    assert!(asks("pragma: foo, No-Cache"));
    assert!(!asks("pragma: foo"));
    assert!(!asks("pragma: no-cache\ncache-control: max-age=1"));
}

#[test]
fn cdn_cache_control_goes_first_under_rfc_9111_only() {
    let both = headers("cache-control: no-store\ncdn-cache-control: max-age=60");
    let standard = Directives::of_response(Law::Http, &both);
    assert!(standard.targeted && !standard.has(Flag::NoStore));
    assert_eq!(standard.max_age, Some(Seconds(60)));
    let cloudfront = Directives::of_response(Law::CloudFront, &both);
    assert!(!cloudfront.targeted && cloudfront.has(Flag::NoStore));
    assert_eq!(cloudfront.max_age, None);
}

#[test]
fn cdn_cache_control_is_a_dictionary_rfc_9651_3_2() {
    let table = [
        ("max-age=60", Some(60)),
        ("max-age=60, public", Some(60)),
        ("max-age=60;a=1;b=\"x;y\";c=:YQ==:;d=tok/en;e=?0;f", Some(60)),
        ("max-age=10, max-age=60", Some(60)),
        ("  max-age=60\t,\t*x, foo=1.5", Some(60)),
        ("a=(1 2.5 \"x\";p=?1);q, b=(), max-age=60", Some(60)),
        ("a=@1659578233, b=@-1;p, max-age=60", Some(60)),
        ("a=%\"f%c3%bc\", b=%\"\", max-age=60", Some(60)),
        ("max-age=-5", Some(0)),
        // A member of another type says nothing, but the field counts.
        ("no-transform, max-age=\"60\"", None),
        ("no-transform, max-age=60.5", None),
        ("no-transform, max-age", None),
        // The last member with a name counts, whatever its value (RFC 9651 §3.2).
        ("max-age=10, max-age=\"60\"", None),
        ("no-store, no-store=?0, max-age=60", Some(60)),
        ("a=:YWE=:, b=:YWE:, c=:Y/+=:, max-age=60", Some(60)),
    ];
    for (text, expected) in table {
        let lines = headers(&format!("cache-control: max-age=1\ncdn-cache-control: {text}"));
        let said = Directives::of_response(Law::Http, &lines);
        assert!(said.targeted, "{text:?}");
        assert_eq!(said.max_age, expected.map(Seconds), "{text:?}");
        assert!(!said.has(Flag::NoStore), "{text:?}");
    }
}

/// RFC 9651 §4.2: lines are joined by commas before they are read.
#[test]
fn the_lines_of_cdn_cache_control_are_one_dictionary() {
    let read = |lines: [&str; 2]| {
        let mut map = HeaderMap::new();
        for line in lines {
            map.append("cdn-cache-control", line.parse().unwrap());
        }
        Directives::of_response(Law::Http, &map)
    };
    assert_eq!(read(["max-age=10, public", "max-age=60"]).max_age, Some(Seconds(60)));
    for broken in [["max-age=60", ""], ["", "max-age=60"], ["max-age=60,", "public"]] {
        assert!(!read(broken).targeted, "{broken:?}");
    }
}

#[test]
fn a_cdn_cache_control_that_is_no_dictionary_counts_as_absent_rfc_9213_2_1() {
    let table = [
        "",
        "Max-Age=60",
        "max-age=60,",
        "max-age=60 public",
        "max-age= 60",
        "max-age=",
        "max-age=\"60",
        "max-age=1234567890123456",
        "max-age=60;",
        "max-age=60, =",
        "max-age=(1 2",
        "max-age=60, a=(1,2)",
        "max-age=60, a=(1\"x\")",
        "max-age=60, a=@",
        "max-age=60, a=@1.5",
        "max-age=60, a=%x",
        "max-age=60, a=%\"%C3%BC\"",
        "max-age=60, a=%\"%ff\"",
        "max-age=60, a=%\"%c3",
        "max-age=60, \u{e9}",
        "max-age=60, a=:YWEYW:",
        "max-age=60, a=:YW=E:",
        "max-age=60, a=:YWE==:",
    ];
    for text in table {
        let lines = headers(&format!("cache-control: max-age=1\ncdn-cache-control: {text}"));
        let said = Directives::of_response(Law::Http, &lines);
        assert!(!said.targeted, "{text:?}");
        assert_eq!(said.max_age, Some(Seconds(1)), "{text:?}");
    }
}

#[test]
fn seconds_are_digits_only() {
    assert_eq!(delta_seconds(b"0"), Some(Seconds(0)));
    assert_eq!(delta_seconds(b"86400"), Some(Seconds(86400)));
    for bad in [&b""[..], b"+1", b"-1", b" 1", b"1 ", b"1e3", b"\xff"] {
        assert_eq!(delta_seconds(bad), None, "{bad:?}");
    }
}
