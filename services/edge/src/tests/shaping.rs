//! Conditions, ranges, and what every reply carries.

use crate::testing::{World, ok, secs, status, world::asked};
use http::Method;
use model::plan::{ResponseHeaders, Selection, SetHeader};

const MODIFIED: &str = "Sun, 15 Jun 2025 10:00:00 GMT";
const DATE: &str = "Sun, 15 Jun 2025 15:06:40 GMT";

#[tokio::test(start_paused = true)]
async fn a_viewers_conditions_are_answered_from_the_copy() {
    let world = World::new();
    let told = ok("v1")
        .with("etag", "\"1\"")
        .with("last-modified", MODIFIED)
        .with("content-type", "text/x");
    world.origin.answers([told]);
    world.get("/a").await.is(200, "v1", "Miss");
    for (name, value, expected) in [
        ("if-none-match", "\"1\"", 304),
        ("if-none-match", "W/\"1\", \"9\"", 304),
        ("if-none-match", "\"2\"", 200),
        ("if-modified-since", MODIFIED, 304),
        ("if-modified-since", "Sun, 15 Jun 2025 09:00:00 GMT", 200),
        ("if-match", "\"1\"", 200),
        ("if-match", "\"2\"", 412),
    ] {
        let got = world.get_with("/a", &[(name, value)]).await;
        assert_eq!((got.status, got.cache()), (expected, "Hit"), "{name}: {value}");
        assert_eq!(got.header("etag"), "\"1\"");
        assert_eq!(got.body.is_empty(), expected != 200);
    }
    world.origin.was_asked(1);
}

#[tokio::test(start_paused = true)]
async fn a_condition_on_a_miss_stays_here_and_the_whole_is_kept() {
    let world = World::new();
    world.origin.answers([ok("v1").with("etag", "\"1\"")]);
    let got = world.get_with("/a", &[("if-none-match", "\"1\"")]).await;
    assert_eq!((got.status, got.cache()), (304, "Miss"));
    assert!(!world.origin.last().headers.contains_key("if-none-match"));
    world.passes(secs(1)).await;
    world.get("/a").await.is(200, "v1", "Hit");
}

#[tokio::test(start_paused = true)]
async fn where_cookies_reach_the_origin_conditions_are_not_answered_here() {
    let world = World::with(|plan| plan.behaviours[0].cache.cookies = Selection::All);
    world.origin.answers([ok("v1").with("etag", "\"1\"")]);
    world.get("/a").await.is(200, "v1", "Miss");
    world.get_with("/a", &[("if-none-match", "\"1\"")]).await.is(200, "v1", "Hit");
}

#[tokio::test(start_paused = true)]
async fn parts_come_from_the_whole_copy() {
    let world = World::new();
    world.origin.answers([ok("0123456789").with("etag", "\"1\"").with("date", DATE)]);
    world.get("/a").await.is(200, "0123456789", "Miss");
    for (range, expected, body, told) in [
        ("bytes=2-4", 206, "234", "bytes 2-4/10"),
        ("bytes=-3", 206, "789", "bytes 7-9/10"),
        ("bytes=7-", 206, "789", "bytes 7-9/10"),
        ("bytes=5-500", 206, "56789", "bytes 5-9/10"),
        ("bytes=10-", 416, "", "bytes */10"),
        ("bytes=4-2", 200, "0123456789", ""),
        ("lines=1-2", 200, "0123456789", ""),
        ("bytes=3-4,0-1", 200, "0123456789", ""),
    ] {
        let got = world.get_with("/a", &[("range", range)]).await;
        assert_eq!(got.is(expected, body, "Hit").header("content-range"), told, "{range}");
    }
    let changed = [("range", "bytes=2-4"), ("if-range", "\"0\"")];
    world.get_with("/a", &changed).await.is(200, "0123456789", "Hit");
    world.origin.was_asked(1);
}

#[tokio::test(start_paused = true)]
async fn a_range_of_what_is_not_held_goes_to_the_origin_and_is_not_kept() {
    let world = World::new();
    let part = status(206, "234").with("content-range", "bytes 2-4/10");
    world.origin.answers([part, ok("0123456789")]);
    let range = [("range", "bytes=2-4")];
    let got = world.get_with("/a", &range).await;
    assert_eq!(got.is(206, "234", "Miss").header("content-range"), "bytes 2-4/10");
    assert_eq!(world.origin.last().headers["range"], "bytes=2-4");
    // An origin that does not care for ranges sends the whole, which is kept.
    world.get_with("/a", &range).await.is(200, "0123456789", "Miss");
    world.get_with("/a", &range).await.is(206, "234", "Hit");
    world.origin.was_asked(2);
}

/// The key knows nothing of ranges and conditions: what they bring about is nobody else's.
#[tokio::test(start_paused = true)]
async fn no_viewer_can_have_an_error_kept_by_asking_for_an_odd_part() {
    let world = World::new();
    let refused = status(400, "odd range").cached("max-age=600");
    world.origin.answers([refused, ok("0123456789").with("etag", "\"1\"")]);
    let odd = [("range", "bytes=9-,0-"), ("if-match", "\"x\""), ("if-range", "\"y\"")];
    assert_eq!(world.get_with("/a", &odd).await.status, 400);
    let sent = world.origin.last().headers;
    assert_eq!(
        (&sent["range"], &sent["if-range"]),
        (&"bytes=9-".parse().unwrap(), &odd[2].1.parse().unwrap())
    );
    assert!(!sent.contains_key("if-match"));
    world.get("/a").await.is(200, "0123456789", "Miss");
    world.origin.was_asked(2);
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_not_there_is_known_to_be_missing_by_its_parts_too() {
    let world = World::new();
    world.origin.answers([status(404, "gone")]);
    world.get_with("/a", &[("range", "bytes=0-1")]).await.is(404, "gone", "Error");
    world.get("/a").await.is(404, "gone", "Error");
    world.origin.was_asked(1);
}

#[tokio::test(start_paused = true)]
async fn every_reply_says_where_it_comes_from_and_obeys_the_policy() {
    let world = World::with(|plan| {
        plan.behaviours[0].response_headers = Some(ResponseHeaders {
            remove: vec!["x-powered-by".into()],
            set: vec![SetHeader {
                name: "x-frame-options".into(),
                value: "DENY".into(),
                replace: true,
            }],
            server_timing: Some(1_000_000),
            ..ResponseHeaders::default()
        });
    });
    world.origin.answers([ok("x").with("x-powered-by", "php").with("server", "apache")]);
    for cache in ["Miss", "Hit"] {
        let got = world.get("/a").await;
        got.is(200, "x", cache);
        assert_eq!(got.header("x-cache"), format!("{cache} from nearfront"));
        assert_eq!(got.header("via"), "1.1 e1.test (Nearfront)");
        assert_eq!(got.header("x-amz-cf-pop"), "LOC1-P1");
        assert_eq!(got.header("server"), "apache");
        assert_eq!(got.header("x-powered-by"), "");
        assert_eq!(got.header("x-frame-options"), "DENY");
        assert_eq!(got.header("age").is_empty(), cache == "Miss");
        let timing = format!("cdn-cache-{}", cache.to_lowercase());
        assert!(got.header("server-timing").contains(&timing), "{got:?}");
        assert!(!got.header("date").is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn head_of_an_error_of_ours_has_the_length_of_the_page_and_no_body() {
    let world = World::new();
    let got = world.ask(asked(Method::HEAD, "/", &[("host", "x.test")])).await;
    assert_eq!((got.status, got.body.as_str()), (403, ""));
    assert!(got.header("content-length").parse::<usize>().unwrap() > 100);
}
