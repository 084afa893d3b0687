//! What is done with a copy (RFC 9111 §4; CloudFront developer guide, "Serve stale content with
//! additional cache control directives").

use crate::given::{NOW, YEAR, again, cloudfront, control, copy, headers, standard};
use http::{HeaderMap, Method, StatusCode};
use model::{
    plan::Law,
    units::{Seconds, Timestamp},
};
use nearfront_caching::{
    RequestView, Terms, age,
    reuse::{self, Decision, Why},
};

/// A short name for each outcome.
fn named(decision: &Decision) -> String {
    match decision {
        Decision::Serve { age } => format!("serve {}", age.0),
        Decision::ServeStale { age, refresh_behind: true } => format!("behind {}", age.0),
        Decision::ServeStale { age, refresh_behind: false } => format!("stale {}", age.0),
        Decision::Revalidate(_, why) => format!("revalidate {}", why.as_str()),
        Decision::Fetch(why) => format!("fetch {}", why.as_str()),
        Decision::GatewayTimeout => "504".to_owned(),
    }
}

fn outcome(terms: &Terms<'_>, response: &str, viewer: &str, later: u64) -> String {
    named(&again(terms, &headers(response), &control(viewer), later))
}

#[test]
fn cloudfront_serves_while_fresh_and_asks_after() {
    let table = [
        ("cache-control: max-age=60", 0, "serve 0"),
        ("cache-control: max-age=60", 59, "serve 59"),
        ("cache-control: max-age=60", 60, "fetch stale"),
        ("cache-control: max-age=60\netag: \"a\"", 60, "revalidate stale"),
        (
            "cache-control: max-age=60\nlast-modified: Sun, 06 Nov 1994 08:49:37 GMT",
            60,
            "revalidate stale",
        ),
        ("cache-control: max-age=60\netag: a\nlast-modified: never", 60, "fetch stale"),
        ("cache-control: max-age=0\netag: \"a\"", 0, "revalidate stale"),
        ("cache-control: max-age=60, stale-while-revalidate=30\netag: \"a\"", 60, "behind 60"),
        ("cache-control: max-age=60, stale-while-revalidate=30\netag: \"a\"", 89, "behind 89"),
        (
            "cache-control: max-age=60, stale-while-revalidate=30\netag: \"a\"",
            90,
            "revalidate stale",
        ),
        ("cache-control: max-age=60, stale-while-revalidate=0", 60, "fetch stale"),
        (
            "cache-control: max-age=60, must-revalidate, stale-while-revalidate=30",
            60,
            "fetch stale",
        ),
    ];
    for (response, later, expected) in table {
        let found = outcome(&cloudfront(0, 50, 200), response, "", later);
        assert_eq!(found, expected, "{response:?} after {later}");
    }
}

#[test]
fn cloudfront_refreshes_behind_no_longer_than_the_maximum() {
    let said = "cache-control: max-age=60, stale-while-revalidate=1000";
    assert_eq!(outcome(&cloudfront(0, 50, 100), said, "", 99), "behind 99");
    assert_eq!(outcome(&cloudfront(0, 50, 100), said, "", 100), "fetch stale");
    assert_eq!(outcome(&cloudfront(0, 50, 60), said, "", 60), "fetch stale");
}

#[test]
fn cloudfront_does_not_listen_to_viewers() {
    let (terms, said) = (cloudfront(0, 50, 100), "cache-control: max-age=60");
    for viewer in ["no-cache", "no-store", "max-age=0", "min-fresh=100", "only-if-cached"] {
        assert_eq!(outcome(&terms, said, viewer, 30), "serve 30", "{viewer}");
        assert_eq!(outcome(&terms, said, viewer, 90), "fetch stale", "{viewer}");
    }
}

#[test]
fn rfc_9111_listens_to_viewers_section_5_2_1() {
    let said = "cache-control: max-age=60\netag: \"a\"";
    let table = [
        // What the viewer wants, seconds after arrival, outcome.
        ("", 59, "serve 59"),
        ("", 60, "revalidate stale"),
        ("no-cache", 1, "revalidate viewer_no_cache"),
        ("no-store", 1, "serve 1"),
        ("max-age=10", 10, "serve 10"),
        ("max-age=10", 11, "revalidate viewer_max_age"),
        ("max-age=0", 0, "serve 0"),
        ("max-age=0", 1, "revalidate viewer_max_age"),
        ("min-fresh=20", 40, "serve 40"),
        ("min-fresh=20", 41, "revalidate viewer_min_fresh"),
        ("max-stale", 1000, "stale 1000"),
        ("max-stale=10", 70, "stale 70"),
        ("max-stale=10", 71, "revalidate stale"),
        ("max-stale=10, max-age=65", 65, "stale 65"),
        ("max-stale=10, max-age=65", 66, "revalidate viewer_max_age"),
        ("max-stale, min-fresh=1", 70, "revalidate viewer_min_fresh"),
        ("only-if-cached", 30, "serve 30"),
        ("only-if-cached", 60, "504"),
        ("only-if-cached, no-cache", 30, "504"),
        ("only-if-cached, max-stale", 70, "stale 70"),
    ];
    for (viewer, later, expected) in table {
        assert_eq!(outcome(&standard(), said, viewer, later), expected, "{viewer:?} after {later}");
    }
}

#[test]
fn rfc_9111_serves_stale_only_where_nothing_forbids_it_section_4_2_4() {
    let fresh = "max-age=60, stale-while-revalidate=30";
    let table = [
        (fresh.to_owned(), "", 60, "behind 60"),
        (fresh.to_owned(), "", 89, "behind 89"),
        (fresh.to_owned(), "", 90, "fetch stale"),
        (fresh.to_owned(), "max-age=80", 70, "fetch stale"),
        (format!("{fresh}, must-revalidate"), "", 60, "fetch stale"),
        (format!("{fresh}, proxy-revalidate"), "", 60, "fetch stale"),
        (format!("{fresh}, s-maxage=60"), "", 60, "fetch stale"),
        (format!("{fresh}, must-revalidate"), "max-stale", 60, "fetch stale"),
        (format!("{fresh}, no-cache"), "", 0, "fetch no_cache"),
        (format!("{fresh}, no-cache"), "max-stale", 0, "fetch no_cache"),
    ];
    for (said, viewer, later, expected) in table {
        let found = outcome(&standard(), &format!("cache-control: {said}"), viewer, later);
        assert_eq!(found, expected, "{said:?} {viewer:?} after {later}");
    }
}

#[test]
fn staleness_counts_from_the_end_of_the_lifetime_though_it_arrived_older() {
    let said = "cache-control: max-age=60, stale-while-revalidate=30\nage: 80";
    assert_eq!(outcome(&standard(), said, "", 9), "behind 89");
    assert_eq!(outcome(&standard(), said, "", 10), "fetch stale");
    assert_eq!(outcome(&standard(), said, "max-stale=40", 20), "stale 100");
    assert_eq!(outcome(&standard(), said, "max-stale=40", 21), "fetch stale");
}

#[test]
fn age_on_arrival_counts_section_4_2_3() {
    assert_eq!(outcome(&standard(), "cache-control: max-age=60\nage: 20", "", 39), "serve 59");
    assert_eq!(outcome(&standard(), "cache-control: max-age=60\nage: 20", "", 40), "fetch stale");
}

#[test]
fn nothing_held_is_fetched_unless_the_viewer_wants_what_is_stored_section_5_2_1_7() {
    let decide = |terms: &Terms<'_>, viewer: &str| {
        let lines = control(viewer);
        let request = RequestView { method: &Method::GET, headers: &lines };
        named(&reuse::decide(terms, &request, None, NOW))
    };
    assert_eq!(decide(&standard(), ""), "fetch absent");
    assert_eq!(decide(&standard(), "only-if-cached"), "504");
    assert_eq!(decide(&cloudfront(0, 50, 100), "only-if-cached"), "fetch absent");
}

#[test]
fn a_banned_copy_is_as_none() {
    let (none, picky) = (HeaderMap::new(), control("only-if-cached"));
    let banned = |terms: &Terms<'_>, headers: &HeaderMap| {
        named(&reuse::absent(terms, &RequestView { method: &Method::GET, headers }, Why::Banned))
    };
    assert_eq!(banned(&cloudfront(0, 50, 100), &none), "fetch banned");
    assert_eq!(banned(&standard(), &picky), "504");
}

#[test]
fn head_is_answered_from_what_get_brought_and_others_are_not() {
    let (none, said) = (HeaderMap::new(), control("max-age=60"));
    let decide = |terms: &Terms<'_>, method: Method| {
        let request = RequestView { method: &method, headers: &none };
        named(&reuse::decide(terms, &request, Some(&copy(&said, 60)), NOW))
    };
    for terms in [cloudfront(0, 50, 100), standard()] {
        assert_eq!(decide(&terms, Method::HEAD), "serve 0");
        assert_eq!(decide(&terms, Method::POST), "fetch method");
        assert_eq!(decide(&terms, Method::OPTIONS), "fetch method");
    }
    let options = Terms { cache_options: true, ..cloudfront(0, 50, 100) };
    assert_eq!(decide(&options, Method::OPTIONS), "serve 0");
}

#[test]
fn a_clock_that_steps_back_makes_nothing_older() {
    let (none, said) = (HeaderMap::new(), control("max-age=60"));
    let request = RequestView { method: &Method::GET, headers: &none };
    let before = model::units::Timestamp(NOW.0 - 5_000);
    let decision =
        reuse::decide(&cloudfront(0, 50, YEAR), &request, Some(&copy(&said, 60)), before);
    assert_eq!(decision, Decision::Serve { age: Seconds(0) });
}

#[test]
fn unsafe_methods_that_worked_take_copies_away_section_4_4() {
    let table = [
        (Method::POST, 200, true),
        (Method::PUT, 204, true),
        (Method::DELETE, 303, true),
        (Method::POST, 404, false),
        (Method::POST, 500, false),
        (Method::GET, 200, false),
        (Method::HEAD, 200, false),
        (Method::OPTIONS, 200, false),
    ];
    for (method, status, expected) in table {
        let status = StatusCode::from_u16(status).unwrap();
        assert_eq!(reuse::invalidates(Law::Http, &method, status), expected, "{method} {status}");
        assert!(!reuse::invalidates(Law::CloudFront, &method, status));
    }
}

/// RFC 9111 §4.2.3: what `resident_time` would be is not known once the clock has been put back by an
/// hour; before, every copy was fresh for that hour more.
#[test]
fn a_clock_that_is_put_back_makes_no_copy_fresher() {
    let held = headers("cache-control: max-age=60\netag: \"1\"");
    let asked = HeaderMap::new();
    let request = RequestView { method: &Method::GET, headers: &asked };
    let at = |now: u64, terms: &Terms<'_>| {
        reuse::decide(terms, &request, Some(&copy(&held, 60)), Timestamp(now))
    };
    for terms in [standard(), cloudfront(0, 60, YEAR)] {
        let (slack, hour) = (age::CLOCK_SLACK.0 * 1000, 3_600_000);
        for late in [0, 1, slack] {
            let decision = at(NOW.0 - late, &terms);
            assert_eq!(decision, Decision::Serve { age: Seconds(0) }, "{late} ms are no step");
        }
        for late in [slack + 1000, hour] {
            let decision = at(NOW.0 - late, &terms);
            let asks = matches!(decision, Decision::Revalidate(_, Why::Stale));
            assert!(asks, "{late} ms back: {decision:?}");
        }
    }
}

/// The short way through a decision comes to the same, wherever it comes to anything.
#[test]
fn what_is_served_plainly_is_what_is_decided() {
    for terms in [cloudfront(0, 50, 200), standard()] {
        for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::POST] {
            for (fresh_for, later) in [(0, 0), (60, 0), (60, 59), (60, 60), (60, 61), (YEAR, 1)] {
                let none = HeaderMap::new();
                let stored = copy(&none, fresh_for);
                let now = NOW + Seconds(later);
                let request = RequestView { method: &method, headers: &none };
                let decided = reuse::decide(&terms, &request, Some(&stored), now);
                let served = match decided {
                    Decision::Serve { age } => Some(age),
                    _ => None,
                };
                let plainly = reuse::serves_plainly(&terms, &method, &stored.lifetime(), now);
                assert_eq!(plainly, served, "{method} {fresh_for} {later}");
            }
        }
    }
}
