//! CloudFront's table of statuses (developer guide, "How CloudFront processes and caches HTTP 4xx
//! and 5xx status codes from your origin").

use crate::given::{cloudfront, control, rule, store};
use http::StatusCode;
use model::units::Seconds;
use nearfront_caching::{Terms, storing::Storing};

fn outcome(terms: &Terms<'_>, status: u16, said: &str) -> Result<u64, &'static str> {
    match store(terms, status, &control(said)) {
        Storing::Keep(keep) => Ok(keep.fresh_for.0),
        Storing::Pass(why) => Err(why.as_str()),
    }
}

#[test]
fn statuses_that_are_kept_like_200() {
    for status in [200, 203, 204, 300, 301, 302, 307, 308] {
        assert_eq!(outcome(&cloudfront(0, 50, 100), status, ""), Ok(50), "{status}");
        assert_eq!(outcome(&cloudfront(0, 50, 100), status, "max-age=60"), Ok(60), "{status}");
    }
}

#[test]
fn statuses_that_are_never_kept() {
    let terms = cloudfront(20, 50, 100);
    assert_eq!(outcome(&terms, 206, "max-age=60"), Err("partial"));
    for status in [304, 416, 401, 402, 406, 407, 408, 409, 411, 413, 417, 429, 431, 505, 511, 599] {
        assert_eq!(outcome(&terms, status, "max-age=60"), Err("status"), "{status}");
    }
}

#[test]
fn errors_that_are_always_kept() {
    let rules = [404, 410, 414, 500, 501, 502, 503, 504].map(|status| rule(status, 30));
    let terms = Terms { errors: &rules, ..cloudfront(0, 50, 100) };
    for rule in &rules {
        let status = rule.status;
        assert_eq!(outcome(&cloudfront(0, 50, 100), status, ""), Ok(10), "default, {status}");
        assert_eq!(outcome(&terms, status, ""), Ok(30), "{status}");
        assert_eq!(outcome(&terms, status, "max-age=5"), Ok(30), "{status}");
        assert_eq!(outcome(&terms, status, "max-age=60"), Ok(60), "{status}");
        assert_eq!(outcome(&terms, status, "s-maxage=60, max-age=5"), Ok(60), "{status}");
        assert_eq!(outcome(&terms, status, "max-age=500"), Ok(100), "{status}");
    }
}

#[test]
fn errors_that_are_kept_if_they_say_for_how_long() {
    for status in [400, 403, 405, 412, 415] {
        let terms = cloudfront(0, 50, 100);
        assert_eq!(outcome(&terms, status, ""), Err("error_without_max_age"), "{status}");
        assert_eq!(outcome(&terms, status, "no-store"), Err("error_without_max_age"), "{status}");
        assert_eq!(outcome(&terms, status, "max-age=60"), Ok(60), "{status}");
        assert_eq!(outcome(&terms, status, "s-maxage=3"), Ok(10), "{status}");
        assert_eq!(outcome(&terms, status, "max-age=60, no-store"), Ok(10), "{status}");
    }
}

#[test]
fn directives_against_keeping_hold_for_some_errors_only() {
    for said in ["no-store", "no-cache", "private", "private, max-age=60"] {
        for status in [404, 410, 414, 501] {
            assert!(outcome(&cloudfront(20, 50, 100), status, said).is_err(), "{status} {said}");
        }
        for status in [500, 502, 503, 504] {
            assert_eq!(outcome(&cloudfront(20, 50, 100), status, said), Ok(10), "{status} {said}");
        }
    }
}

#[test]
fn a_bucket_s_errors_are_kept_for_a_second_at_least() {
    let rules = [rule(404, 0), rule(503, 0)];
    let web = Terms { errors: &rules, ..cloudfront(0, 50, 100) };
    let bucket = Terms { bucket: true, ..web };
    assert_eq!((outcome(&web, 404, ""), outcome(&bucket, 404, "")), (Ok(0), Ok(1)));
    assert_eq!((outcome(&web, 503, ""), outcome(&bucket, 503, "")), (Ok(0), Ok(1)));
}

#[test]
fn a_rule_holds_for_its_status_only() {
    let rules = [rule(404, 300)];
    let terms = Terms { errors: &rules, ..cloudfront(0, 50, 100) };
    assert_eq!(terms.error_ttl(StatusCode::NOT_FOUND), Seconds(300));
    assert_eq!(terms.error_ttl(StatusCode::BAD_GATEWAY), Seconds(10));
    assert_eq!(outcome(&terms, 404, ""), Ok(300), "beyond the maximum, by the rule's word");
}
