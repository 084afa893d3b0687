//! CloudFront's expiration table (developer guide, "Managing how long content stays in the cache",
//! "Specifying the amount of time that CloudFront caches objects").

use crate::given::{YEAR, cloudfront, control, date, headers, kept, rule, store, store_for};
use http::{HeaderMap, Method};
use model::units::Seconds;
use nearfront_caching::{
    Terms,
    storing::{Storing, Why},
};

/// Seconds that it is kept for, or the name of why not.
fn outcome(terms: &Terms<'_>, response: &HeaderMap) -> Result<u64, &'static str> {
    match store(terms, 200, response) {
        Storing::Keep(keep) => Ok(keep.fresh_for.0),
        Storing::Pass(why) => Err(why.as_str()),
    }
}

#[test]
fn the_expiration_table() {
    let (open, floor) = (cloudfront(0, 50, 100), cloudfront(20, 50, 100));
    let expires = |after| format!("date: {}\nexpires: {}", date(0), date(after));
    let says = |value: &str| format!("cache-control: {value}");
    let table = [
        // What the origin sends, with a minimum of 0, with one of 20.
        (says("max-age=60"), Ok(60), Ok(60)),
        (says("max-age=10"), Ok(10), Ok(20)),
        (says("max-age=500"), Ok(100), Ok(100)),
        (says("s-maxage=60"), Ok(60), Ok(60)),
        (says("s-maxage=60, max-age=10"), Ok(60), Ok(60)),
        (says("max-age=60, s-maxage=10"), Ok(10), Ok(20)),
        (says("s-maxage=500, max-age=10"), Ok(100), Ok(100)),
        (expires(60), Ok(60), Ok(60)),
        (expires(10), Ok(10), Ok(20)),
        (expires(500), Ok(100), Ok(100)),
        (expires(-5), Ok(0), Ok(20)),
        ("expires: 0".to_owned(), Ok(0), Ok(20)),
        ("expires: 1994-11-06".to_owned(), Ok(0), Ok(20)),
        (format!("{}\n{}", expires(60), says("max-age=30")), Ok(30), Ok(30)),
        (format!("{}\n{}", expires(60), says("s-maxage=30")), Ok(30), Ok(30)),
        (String::new(), Ok(50), Ok(50)),
        (says("public"), Ok(50), Ok(50)),
        (says("no-store"), Err("no_store"), Ok(20)),
        (says("no-cache"), Err("no_cache"), Ok(20)),
        (says("private"), Err("private"), Ok(20)),
        (says("private, max-age=60"), Err("private"), Ok(20)),
        (says("no-store, s-maxage=60"), Err("no_store"), Ok(20)),
        (says("max-age=0"), Ok(0), Ok(20)),
        (says("s-maxage=0, max-age=60"), Ok(0), Ok(20)),
        (says("must-revalidate, immutable, no-transform"), Ok(50), Ok(50)),
        ("vary: *".to_owned(), Err("vary_any"), Ok(50)),
        ("vary: Cookie".to_owned(), Ok(50), Ok(50)),
        ("age: 30\ncache-control: max-age=60".to_owned(), Ok(60), Ok(60)),
        ("pragma: no-cache".to_owned(), Ok(50), Ok(50)),
        ("cdn-cache-control: max-age=7".to_owned(), Ok(50), Ok(50)),
    ];
    for (response, with_none, with_minimum) in table {
        let lines = headers(&response);
        assert_eq!(outcome(&open, &lines), with_none, "min 0: {response:?}");
        assert_eq!(outcome(&floor, &lines), with_minimum, "min 20: {response:?}");
    }
}

#[test]
fn expires_without_a_date_counts_from_arrival() {
    let lines = headers(&format!("expires: {}", date(60)));
    assert_eq!(outcome(&cloudfront(0, 50, YEAR), &lines), Ok(60));
}

#[test]
fn a_clock_of_the_origin_that_is_wrong_does_not_matter() {
    let lines = headers(&format!("date: {}\nexpires: {}", date(-7200), date(-7140)));
    assert_eq!(outcome(&cloudfront(0, 50, YEAR), &lines), Ok(60));
}

#[test]
fn with_all_lifetimes_at_0_nothing_is_kept() {
    for said in ["max-age=60", "", "no-store"] {
        assert_eq!(outcome(&cloudfront(0, 0, 0), &control(said)), Err("caching_disabled"));
    }
    let errors = [rule(404, 60)];
    let terms = Terms { errors: &errors, ..cloudfront(0, 0, 0) };
    assert_eq!(store(&terms, 404, &HeaderMap::new()), Storing::Pass(Why::CachingDisabled));
}

#[test]
fn the_longest_max_age_is_100_years() {
    let terms = cloudfront(0, 0, u64::MAX);
    assert_eq!(outcome(&terms, &control("max-age=99999999999")), Ok(3_153_600_000));
}

#[test]
fn legacy_forwarding_of_all_headers_keeps_nothing() {
    let terms = Terms { all_headers: true, ..cloudfront(20, 50, 100) };
    assert_eq!(outcome(&terms, &control("max-age=60")), Err("all_headers"));
}

#[test]
fn no_cache_with_a_field_list_keeps_all_but_the_fields() {
    let keep = kept(store(
        &cloudfront(0, 50, 100),
        200,
        &headers("cache-control: no-cache=\"Set-Cookie\", max-age=60\nset-cookie: a=1"),
    ));
    assert_eq!(keep.fresh_for, Seconds(60));
    assert!(keep.strips_set_cookie());
    assert_eq!(keep.strip, ["set-cookie"]);
    assert!(!kept(store(&cloudfront(0, 50, 100), 200, &control("max-age=60"))).strips_set_cookie());
}

#[test]
fn vary_never_makes_the_key() {
    let keep = kept(store(&cloudfront(0, 50, 100), 200, &headers("vary: Accept-Language")));
    assert!(keep.vary.is_empty());
}

#[test]
fn only_answers_to_get_and_options_where_asked_for_are_kept() {
    let plain = cloudfront(0, 50, 100);
    let with_options = Terms { cache_options: true, ..plain };
    let none = HeaderMap::new();
    for method in [Method::HEAD, Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
        let storing = store_for(&plain, &method, &none, 200, &none);
        assert_eq!(storing, Storing::Pass(Why::Method), "{method}");
    }
    kept(store_for(&plain, &Method::GET, &none, 200, &none));
    kept(store_for(&with_options, &Method::OPTIONS, &none, 200, &none));
    let head = store_for(&with_options, &Method::HEAD, &none, 200, &none);
    assert_eq!(head, Storing::Pass(Why::Method));
}

#[test]
fn credentials_of_the_viewer_do_not_matter_the_policy_decides() {
    let request = headers("authorization: Basic YTpi\ncache-control: no-store");
    kept(store_for(&cloudfront(0, 50, 100), &Method::GET, &request, 200, &HeaderMap::new()));
}
