//! RFC 9111 §3 and §4.2: what may be kept, and how long it is fresh.

use crate::given::{NOW, date, headers, kept, standard, store, store_for};
use http::{HeaderMap, Method, StatusCode};
use model::{
    plan::{Law, Ttl},
    units::{Seconds, Timestamp},
};
use nearfront_caching::{
    RequestView, ResponseView, Terms, Times, age,
    storing::{self, Storing},
};

fn outcome(request: &str, status: u16, response: &str) -> Result<u64, &'static str> {
    let (request, response) = (headers(request), headers(response));
    match store_for(&standard(), &Method::GET, &request, status, &response) {
        Storing::Keep(keep) => Ok(keep.fresh_for.0),
        Storing::Pass(why) => Err(why.as_str()),
    }
}

#[test]
fn what_may_be_kept_section_3() {
    let credentials = "authorization: Basic YTpi";
    let table: [(&str, u16, &str, Result<u64, &str>); 32] = [
        ("", 200, "cache-control: max-age=60", Ok(60)),
        ("", 200, "", Ok(0)),
        ("", 302, "", Err("not_cacheable")),
        ("", 302, "cache-control: max-age=60", Ok(60)),
        ("", 302, "cache-control: public", Ok(0)),
        ("", 500, "", Err("not_cacheable")),
        ("", 500, "cache-control: max-age=60", Ok(60)),
        ("", 404, "", Ok(0)),
        ("", 599, "cache-control: max-age=60", Ok(60)),
        ("", 200, "cache-control: no-store, max-age=60", Err("no_store")),
        ("", 200, "cache-control: private, max-age=60", Err("private")),
        ("", 200, "cache-control: private=\"x-a\", max-age=60", Ok(60)),
        ("", 200, "cache-control: no-cache, max-age=60", Ok(0)),
        ("", 200, "cache-control: max-age=60\nvary: *", Err("vary_any")),
        ("", 206, "cache-control: max-age=60", Err("partial")),
        ("", 304, "cache-control: max-age=60", Err("status")),
        ("cache-control: no-store", 200, "cache-control: max-age=60", Err("viewer_no_store")),
        // §3.5
        (credentials, 200, "cache-control: max-age=60", Err("authorization")),
        (credentials, 200, "cache-control: max-age=60, public", Ok(60)),
        (credentials, 200, "cache-control: s-maxage=60", Ok(60)),
        (credentials, 200, "cache-control: max-age=60, must-revalidate", Ok(60)),
        (credentials, 200, "cache-control: max-age=60, proxy-revalidate", Err("authorization")),
        // §5.2.2.3
        ("", 200, "cache-control: must-understand, no-store, max-age=60", Ok(60)),
        ("", 599, "cache-control: must-understand, no-store, max-age=60", Err("not_understood")),
        ("", 599, "cache-control: must-understand, max-age=60", Err("not_understood")),
        // RFC 9213
        ("", 200, "cdn-cache-control: max-age=9\ncache-control: no-store", Ok(9)),
        ("", 200, "cdn-cache-control: no-store\ncache-control: max-age=60", Err("no_store")),
        ("", 200, "cdn-cache-control: private\ncache-control: max-age=60", Err("private")),
        (credentials, 200, "cdn-cache-control: max-age=9, public", Ok(9)),
        // §5.4: of a response it says nothing
        ("", 200, "pragma: no-cache\ncache-control: max-age=60", Ok(60)),
        // §4.2.1
        ("", 200, "cache-control: max-age=10, s-maxage=60", Ok(60)),
        ("", 200, "cache-control: max-age=abc", Ok(0)),
    ];
    for (request, status, response, expected) in table {
        let found = outcome(request, status, response);
        assert_eq!(found, expected, "{request:?} {status} {response:?}");
    }
}

#[test]
fn methods_that_are_kept_are_get_alone() {
    let terms = Terms { cache_options: true, ..standard() };
    let (none, fresh) = (HeaderMap::new(), headers("cache-control: max-age=60"));
    for method in [Method::HEAD, Method::OPTIONS, Method::POST] {
        let storing = store_for(&terms, &method, &none, 200, &fresh);
        assert_eq!(storing, Storing::Pass(storing::Why::Method), "{method}");
    }
}

#[test]
fn lifetimes_section_4_2_1() {
    let expires = |after| format!("date: {}\nexpires: {}", date(0), date(after));
    assert_eq!(outcome("", 200, &expires(60)), Ok(60));
    assert_eq!(outcome("", 200, &expires(-60)), Ok(0));
    assert_eq!(outcome("", 200, "expires: 0"), Ok(0));
    let twice = format!("{0}\nexpires: {1}", expires(60), date(60));
    assert_eq!(outcome("", 200, &twice), Ok(0), "several lines");
    let both = format!("{}\ncache-control: max-age=5", expires(60));
    assert_eq!(outcome("", 200, &both), Ok(5));
    let targeted = format!("{}\ncdn-cache-control: public", expires(60));
    assert_eq!(outcome("", 200, &targeted), Ok(0), "RFC 9213 §2.2: Expires does not count");
}

#[test]
fn guesses_section_4_2_2() {
    let changed = |before: i64| format!("date: {}\nlast-modified: {}", date(0), date(-before));
    assert_eq!(outcome("", 200, &changed(1000)), Ok(100));
    assert_eq!(outcome("", 404, &changed(1000)), Ok(100));
    assert_eq!(outcome("", 302, &changed(1000)), Err("not_cacheable"));
    let public = format!("{}\ncache-control: public", changed(1000));
    assert_eq!(outcome("", 302, &public), Ok(100), "public allows it for any status");
    assert_eq!(outcome("", 200, &changed(-1000)), Ok(0), "changed in the future");
    assert_eq!(outcome("", 200, &changed(700_000_000)), Ok(7 * 24 * 3600), "a week at most");
    assert_eq!(outcome("", 200, &format!("last-modified: {}", date(-1000))), Ok(100));
    let invalid = format!("{}\nexpires: 0", changed(1000));
    assert_eq!(outcome("", 200, &invalid), Ok(0), "a word that cannot be read is a word");
}

#[test]
fn a_policy_may_name_a_default_and_a_maximum() {
    let ttl = Ttl { min: Seconds(0), default: Some(Seconds(30)), max: Seconds(40) };
    let terms = Terms { ttl, ..standard() };
    let fresh = |text| kept(store(&terms, 200, &headers(text))).fresh_for;
    assert_eq!(fresh(""), Seconds(30));
    assert_eq!(fresh("cache-control: max-age=60"), Seconds(40));
    assert_eq!(fresh("cache-control: max-age=20"), Seconds(20));
}

#[test]
fn age_on_arrival_section_4_2_3() {
    let table = [
        // Headers, seconds that the exchange took, age on arrival.
        (format!("date: {}", date(0)), 0, 0),
        (format!("date: {}", date(-30)), 0, 30),
        (format!("date: {}", date(30)), 0, 0),
        (format!("date: {}\nage: 50", date(-30)), 0, 50),
        (format!("date: {}\nage: 50", date(-80)), 0, 80),
        (format!("date: {}\nage: 50", date(0)), 4, 54),
        ("age: 50, 70".to_owned(), 0, 50),
        ("age: old".to_owned(), 0, 0),
        ("date: yesterday".to_owned(), 0, 0),
        ("age: 99999999999999999999".to_owned(), 4, 3_153_600_004),
    ];
    for (lines, took, expected) in table {
        let requested_at = Timestamp(NOW.0 - took * 1000);
        let times = Times { requested_at, received_at: NOW };
        let found = age::on_arrival(Law::Http, &headers(&lines), times);
        assert_eq!(found, Seconds(expected), "{lines:?}");
        assert_eq!(age::on_arrival(Law::CloudFront, &headers(&lines), times), Seconds(0));
    }
}

#[test]
fn age_on_arrival_is_taken_off() {
    let keep = kept(store(&standard(), 200, &headers("cache-control: max-age=60\nage: 20")));
    assert_eq!((keep.initial_age, keep.fresh_for), (Seconds(20), Seconds(40)));
    let old = kept(store(&standard(), 200, &headers("cache-control: max-age=60\nage: 90")));
    assert_eq!((old.initial_age, old.fresh_for), (Seconds(90), Seconds(0)));
}

#[test]
fn vary_comes_back_sorted_and_once() {
    let lines = headers("cache-control: max-age=1\nvary: B, a\nvary: A , b,");
    assert_eq!(kept(store(&standard(), 200, &lines)).vary, ["a", "b"]);
}

#[test]
fn a_slow_exchange_makes_it_older() {
    let (request, lines) = (HeaderMap::new(), headers("cache-control: max-age=60"));
    let storing = storing::decide(
        &standard(),
        &RequestView { method: &Method::GET, headers: &request },
        &ResponseView { status: StatusCode::OK, headers: &lines },
        Times { requested_at: NOW, received_at: NOW + Seconds(7) },
    );
    assert_eq!(kept(storing).fresh_for, Seconds(53));
}
