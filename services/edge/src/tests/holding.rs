//! What is held, for how long, and how it goes.

use crate::testing::{
    World, behaviour, error, ok, origin::Answer, secs, status, streaming, world::asked,
};
use http::Method;
use model::plan::{Law, Selection};
use ports::origin::OriginError;

#[tokio::test(start_paused = true)]
async fn the_second_request_is_a_hit_until_the_lifetime_is_over() {
    let world = World::new();
    world.origin.answers([ok("v1"), ok("v2")]);
    world.get("/a").await.is(200, "v1", "Miss");
    world.passes(secs(59)).await;
    let hit = world.get("/a").await;
    assert_eq!(hit.is(200, "v1", "Hit").header("age"), "59");
    world.passes(secs(1)).await;
    world.get("/a").await.is(200, "v2", "Miss");
    world.origin.was_asked(2);
}

/// An answer without a body was lost when its viewer was gone before the origin's end was seen.
#[tokio::test(start_paused = true)]
async fn what_has_no_body_is_kept_although_nobody_reads_it() {
    for (code, length) in [(204, None), (200, Some("0"))] {
        let world = World::new();
        let (answer, sender) = streaming();
        let answer = answer.but(code).cached("max-age=60");
        world
            .origin
            .answers([length.into_iter().fold(answer, |one, so| one.with("content-length", so))]);
        let reply = world.open("/a").await;
        drop(reply);
        tokio::task::yield_now().await;
        drop(sender);
        world.passes(secs(1)).await;
        world.get("/a").await.is(code, "", "Hit");
        world.origin.was_asked(1);
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_origin_confirms_is_a_refresh_hit_and_fresh_again() {
    let world = World::new();
    world.origin.answers([
        ok("v1").cached("max-age=10").with("etag", "\"1\""),
        status(304, "").with("etag", "\"1\"").cached("max-age=20"),
    ]);
    world.get("/a").await.is(200, "v1", "Miss");
    world.passes(secs(11)).await;
    world.get("/a").await.is(200, "v1", "RefreshHit");
    assert_eq!(world.origin.last().headers["if-none-match"], "\"1\"");
    world.passes(secs(19)).await;
    world.get("/a").await.is(200, "v1", "Hit");
    world.origin.was_asked(2);
}

#[tokio::test(start_paused = true)]
async fn a_stale_logo_is_served_while_one_request_asks_the_origin_again() {
    let world = World::new();
    let directives = "max-age=10, stale-while-revalidate=30";
    world.origin.answers([ok("v1").cached(directives), ok("v2").cached(directives).after(secs(2))]);
    world.get("/logo.png").await.is(200, "v1", "Miss");
    world.passes(secs(15)).await;
    for got in world.gets(50, "/logo.png").await {
        got.is(200, "v1", "Hit");
    }
    world.passes(secs(3)).await;
    world.get("/logo.png").await.is(200, "v2", "Hit");
    world.origin.was_asked(2);
}

/// A HEAD or a range of a stale copy renews the whole copy; it does not lose it.
#[tokio::test(start_paused = true)]
async fn whoever_meets_a_stale_copy_has_all_of_it_asked_for() {
    for (method, headers) in [(Method::HEAD, vec![]), (Method::GET, vec![("range", "bytes=0-0")])] {
        for tag in [None, Some("\"1\"")] {
            let world = World::new();
            let directives = "max-age=10, stale-while-revalidate=30";
            let tagged = |answer: Answer| match tag {
                Some(tag) => answer.with("etag", tag).cached(directives),
                None => answer.cached(directives),
            };
            let second = if tag.is_some() { status(304, "") } else { ok("v2") };
            world.origin.answers([tagged(ok("v1")), tagged(second)]);
            world.get("/a").await.is(200, "v1", "Miss");
            world.passes(secs(15)).await;
            let got = world.ask(asked(method.clone(), "/a", &headers)).await;
            assert_eq!(got.cache(), "Hit");
            world.passes(secs(1)).await;
            let sent = world.origin.last();
            assert_eq!((sent.method, sent.headers.get("range")), (Method::GET, None));
            let body = if tag.is_some() { "v1" } else { "v2" };
            world.get("/a").await.is(200, body, "Hit");
            world.origin.was_asked(2);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stale_copy_stands_in_for_head_too_but_never_after_an_invalidation() {
    let world = World::new();
    world.origin.answers([
        ok("v1").cached("max-age=10"),
        error(OriginError::Timeout("t".into())),
        status(503, "down"),
        status(404, "gone"),
        error(OriginError::Timeout("t".into())).after(secs(5)),
    ]);
    let head = || world.ask(asked(Method::HEAD, "/a", &[]));
    world.get("/a").await.is(200, "v1", "Miss");
    world.passes(secs(11)).await;
    for expected in [200, 200, 404] {
        assert_eq!(head().await.status, expected);
    }
    let (got, ()) = tokio::join!(head(), async {
        world.passes(secs(1)).await;
        world.invalidate(&["/a"]);
    });
    assert_eq!(got.status, 504);
    world.origin.was_asked(5);
}

#[tokio::test(start_paused = true)]
async fn a_stale_copy_stands_in_for_an_origin_that_is_away_and_it_is_left_alone_for_a_while() {
    let world = World::new();
    world.origin.answers([
        ok("v1").cached("max-age=10"),
        error(OriginError::Timeout("t".into())),
        status(503, "down"),
        ok("v2"),
    ]);
    world.get("/a").await.is(200, "v1", "Miss");
    world.passes(secs(11)).await;
    world.get("/a").await.is(200, "v1", "Hit");
    world.get("/a").await.is(200, "v1", "Hit");
    world.origin.was_asked(2);
    world.passes(secs(10)).await;
    world.get("/a").await.is(200, "v1", "Hit");
    world.origin.was_asked(3);
    world.passes(secs(10)).await;
    world.get("/a").await.is(200, "v2", "Miss");
}

#[tokio::test(start_paused = true)]
async fn an_invalidation_takes_a_copy_away_and_leaves_the_others() {
    let world = World::new();
    world.origin.answers([ok("a1"), ok("b1"), ok("a2")]);
    world.get("/a").await.is(200, "a1", "Miss");
    world.get("/b").await.is(200, "b1", "Miss");
    world.invalidate(&["/a*"]);
    world.get("/a").await.is(200, "a2", "Miss");
    world.get("/b").await.is(200, "b1", "Hit");
    world.get("/a").await.is(200, "a2", "Hit");
}

#[tokio::test(start_paused = true)]
async fn what_was_asked_before_an_invalidation_is_never_served_after_it() {
    let world = World::new();
    world.origin.answers([ok("old").after(secs(5)), ok("new")]);
    let early = {
        let engine = world.engine.clone();
        tokio::spawn(async move {
            let reply = engine.handle(asked(Method::GET, "/a", &[])).await;
            crate::testing::world::collect(reply).await
        })
    };
    world.passes(secs(1)).await;
    world.invalidate(&["/a"]);
    // Not even by waiting for the answer that is on its way.
    world.get("/a").await.is(200, "new", "Miss");
    early.await.unwrap().is(200, "old", "Miss");
    let after = world.get("/a").await;
    assert_ne!(after.body, "old");
}

#[tokio::test(start_paused = true)]
async fn the_root_object_goes_with_an_invalidation_of_the_root() {
    let world = World::with(|plan| plan.default_root_object = Some("index.html".into()));
    world.origin.answers([ok("v1"), ok("v2")]);
    world.get("/").await.is(200, "v1", "Miss");
    assert_eq!(world.origin.last().target, "/index.html");
    world.get("/index.html").await.is(200, "v1", "Hit");
    world.invalidate(&["/"]);
    world.get("/").await.is(200, "v2", "Miss");
}

#[tokio::test(start_paused = true)]
async fn names_of_one_distribution_share_copies_and_queries_are_told_apart() {
    let world = World::new();
    world.origin.answers([ok("1"), ok("2")]);
    world.get("/a?x=1").await.is(200, "1", "Miss");
    let alias = [("host", "WWW.example.com:8080")];
    world.get_with("/a?x=1", &alias).await.is(200, "1", "Hit");
    world.get("/a?x=2").await.is(200, "2", "Miss");
}

#[tokio::test(start_paused = true)]
async fn under_the_standard_variants_are_kept_apart_by_vary() {
    let world = World::with(|plan| plan.behaviours[0].cache.law = Law::Http);
    let said = |body| ok(body).cached("max-age=60").with("vary", "accept-language");
    world.origin.answers([said("hello"), said("bonjour")]);
    let (english, french) = ([("accept-language", "en")], [("accept-language", "fr")]);
    world.get_with("/a", &english).await.is(200, "hello", "Miss");
    world.get_with("/a", &french).await.is(200, "bonjour", "Miss");
    world.get_with("/a", &english).await.is(200, "hello", "Hit");
    world.get_with("/a", &french).await.is(200, "bonjour", "Hit");
    world.invalidate(&["/a"]);
    world.origin.answers([said("hi")]);
    world.get_with("/a", &english).await.is(200, "hi", "Miss");
}

#[tokio::test(start_paused = true)]
async fn under_the_standard_a_viewer_may_insist_or_ask_for_nothing_but_a_copy() {
    let world = World::with(|plan| plan.behaviours[0].cache.law = Law::Http);
    world.origin.answers([ok("v1").cached("max-age=60"), ok("v2").cached("max-age=60")]);
    let only = [("cache-control", "only-if-cached")];
    assert_eq!(world.get_with("/a", &only).await.status, 504);
    world.get("/a").await.is(200, "v1", "Miss");
    world.get_with("/a", &only).await.is(200, "v1", "Hit");
    let insist = [("cache-control", "no-cache")];
    world.get_with("/a", &insist).await.is(200, "v2", "Miss");
    world.origin.was_asked(2);
}

#[tokio::test(start_paused = true)]
async fn a_body_cut_short_is_passed_on_and_not_kept() {
    let world = World::new();
    let (cut, sender) = crate::testing::streaming();
    world.origin.answers([cut, ok("whole")]);
    let reading = world.get("/a");
    let writing = async move {
        sender.send(Ok("ha".into())).await.unwrap();
        let cut = ports::origin::BodyError::Cut("reset".into());
        sender.send(Err(cut)).await.unwrap();
    };
    let (got, ()) = tokio::join!(reading, writing);
    assert!(!got.whole);
    assert_eq!(got.body, "ha");
    world.get("/a").await.is(200, "whole", "Miss");
}

#[tokio::test(start_paused = true)]
async fn cookies_are_kept_from_origins_and_viewers_unless_they_are_forwarded() {
    let world = World::with(|plan| {
        plan.behaviours = vec![behaviour("/c*"), behaviour("*")];
        plan.behaviours[0].cache.cookies = Selection::Only(vec!["s".into()]);
    });
    let set = |body| ok(body).with("set-cookie", "s=9");
    world.origin.answers([set("plain"), set("1"), set("2")]);
    let (one, two) = ([("cookie", "s=1; t=1")], [("cookie", "s=2")]);
    let plain = world.get_with("/a", &one).await;
    assert_eq!(plain.header("set-cookie"), "");
    assert!(!world.origin.last().headers.contains_key("cookie"));
    let own = world.get_with("/c", &one).await;
    assert_eq!(own.is(200, "1", "Miss").header("set-cookie"), "s=9");
    assert_eq!(world.origin.last().headers["cookie"], "s=1");
    world.get_with("/c", &two).await.is(200, "2", "Miss");
    world.get_with("/c", &one).await.is(200, "1", "Hit");
}
