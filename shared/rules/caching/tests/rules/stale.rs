//! Stale copies when the origin fails (CloudFront developer guide, "Serve stale content with
//! additional cache control directives"; RFC 9111 §4.2.4; RFC 5861 §4).

use crate::given::{NOW, cloudfront, control, copy, rule, standard};
use http::{Method, StatusCode};
use model::units::Seconds;
use nearfront_caching::{
    RequestView, StoredView, Terms,
    stale::{Failure, OnError, on_error},
};

const DOWN: Failure = Failure::Unreachable;

fn status(code: u16) -> Failure {
    Failure::Status(StatusCode::from_u16(code).unwrap())
}

/// A copy that is fresh for 60 s, and so many seconds after its arrival the origin fails.
fn outcome(
    terms: &Terms<'_>,
    said: &str,
    viewer: &str,
    failure: Failure,
    later: u64,
) -> Result<(u64, u64), &'static str> {
    let (stored, viewer) = (control(said), control(viewer));
    let request = RequestView { method: &Method::GET, headers: &viewer };
    match on_error(terms, &request, &copy(&stored, 60), failure, NOW + Seconds(later)) {
        OnError::Serve { age, retry_after } => Ok((age.0, retry_after.0)),
        OnError::Pass(why) => Err(why.as_str()),
    }
}

#[test]
fn cloudfront_serves_stale_copies_when_the_origin_fails() {
    let table = [
        ("max-age=60", DOWN, 1000, Ok((1000, 10))),
        ("max-age=60", status(500), 1000, Ok((1000, 10))),
        ("max-age=60", status(503), 1000, Ok((1000, 33))),
        ("max-age=60", status(599), 1000, Ok((1000, 10))),
        ("max-age=60", status(404), 61, Err("not_a_failure")),
        ("max-age=60", status(403), 61, Err("not_a_failure")),
        ("max-age=60", status(200), 61, Err("not_a_failure")),
        ("max-age=60, stale-if-error=30", DOWN, 89, Ok((89, 10))),
        ("max-age=60, stale-if-error=30", DOWN, 90, Err("window_over")),
        ("max-age=60, stale-if-error=30", status(503), 89, Ok((89, 33))),
        ("max-age=60, stale-if-error=999999", DOWN, 259, Ok((259, 10))),
        ("max-age=60, stale-if-error=999999", DOWN, 260, Err("window_over")),
        ("max-age=60, stale-if-error=0", DOWN, 60, Err("window_over")),
        ("max-age=60, must-revalidate", DOWN, 60, Err("forbidden")),
        ("max-age=60, proxy-revalidate", DOWN, 60, Ok((60, 10))),
    ];
    let errors = [rule(503, 33)];
    let terms = Terms { errors: &errors, ..cloudfront(0, 50, 200) };
    for (said, failure, later, expected) in table {
        let found = outcome(&terms, said, "no-cache", failure, later);
        assert_eq!(found, expected, "{said:?} {failure:?} after {later}");
    }
}

#[test]
fn cloudfront_without_lifetimes_serves_nothing_stale() {
    assert_eq!(outcome(&cloudfront(0, 0, 0), "", "", DOWN, 60), Err("caching_disabled"));
}

#[test]
fn rfc_9111_serves_stale_copies_where_allowed() {
    let table = [
        // RFC 9111 §4.2.4: disconnected, and nothing forbids it.
        ("max-age=60", "", DOWN, 1000, Ok((1000, 0))),
        ("max-age=60, must-revalidate", "", DOWN, 60, Err("forbidden")),
        ("max-age=60, proxy-revalidate", "", DOWN, 60, Err("forbidden")),
        ("max-age=60, no-cache", "", DOWN, 60, Err("forbidden")),
        ("s-maxage=60", "", DOWN, 60, Err("forbidden")),
        ("max-age=60", "no-cache", DOWN, 60, Err("viewer_refuses")),
        // RFC 5861 §4: from the response or the request.
        ("max-age=60", "", status(503), 60, Err("not_allowed")),
        ("max-age=60, stale-if-error=30", "", status(503), 89, Ok((89, 0))),
        ("max-age=60, stale-if-error=30", "", status(503), 90, Err("window_over")),
        ("max-age=60", "stale-if-error=30", status(500), 89, Ok((89, 0))),
        ("max-age=60", "stale-if-error=30", status(500), 90, Err("window_over")),
        ("max-age=60, stale-if-error=30", "", DOWN, 90, Err("window_over")),
        ("max-age=60, stale-if-error=30", "", status(404), 70, Err("not_a_failure")),
    ];
    for (said, viewer, failure, later, expected) in table {
        let found = outcome(&standard(), said, viewer, failure, later);
        assert_eq!(found, expected, "{said:?} {viewer:?} {failure:?} after {later}");
    }
}

#[test]
fn a_stored_error_does_not_stand_in_for_an_error() {
    let (stored, viewer) = (control("max-age=60"), control(""));
    let request = RequestView { method: &Method::GET, headers: &viewer };
    let error = StoredView { status: StatusCode::NOT_FOUND, ..copy(&stored, 60) };
    for terms in [cloudfront(0, 50, 100), standard()] {
        let found = on_error(&terms, &request, &error, DOWN, NOW + Seconds(70));
        assert!(matches!(found, OnError::Pass(why) if why.as_str() == "stored_error"));
    }
}
