//! What answers that are not kept say of what is (RFC 9111 §4.3.4, §4.3.5, §4.4).

use crate::testing::{World, ok, status, world::asked};
use http::Method;
use model::plan::Law;

fn standard() -> World {
    World::with(|plan| plan.behaviours[0].cache.law = Law::Http)
}

#[tokio::test(start_paused = true)]
async fn a_variant_that_was_taken_away_does_not_come_back_with_another_one() {
    let world = standard();
    let said = |body| ok(body).cached("max-age=60").with("vary", "x-v");
    let (one, two) = ([("x-v", "1")], [("x-v", "2")]);
    world.origin.answers([said("1"), said("2"), status(204, ""), said("1 anew"), said("2 anew")]);
    world.get_with("/a", &one).await.is(200, "1", "Miss");
    world.get_with("/a", &two).await.is(200, "2", "Miss");
    world.passes(crate::testing::secs(1)).await;
    world.ask(asked(Method::DELETE, "/a", &[])).await.is(204, "", "Miss");
    world.get_with("/a", &one).await.is(200, "1 anew", "Miss");
    world.get_with("/a", &two).await.is(200, "2 anew", "Miss");
    world.get_with("/a", &one).await.is(200, "1 anew", "Hit");
}

#[tokio::test(start_paused = true)]
async fn a_post_takes_away_what_its_answer_names_on_the_same_host_alone() {
    let world = standard();
    let kept = |body| ok(body).cached("max-age=60");
    world.origin.answers([
        kept("a"),
        kept("b"),
        ok("done").with("location", "b").with("content-location", "//other.example/a"),
        kept("b anew"),
    ]);
    world.get("/x/a").await.is(200, "a", "Miss");
    world.get("/x/b").await.is(200, "b", "Miss");
    world.ask(asked(Method::POST, "/x/form", &[])).await.is(200, "done", "Miss");
    world.get("/x/b").await.is(200, "b anew", "Miss");
    world.get("/x/a").await.is(200, "a", "Hit");
}

#[tokio::test(start_paused = true)]
async fn head_confirms_what_get_has_stored_or_takes_it_away() {
    let world = standard();
    let tagged = |tag: &str, body| ok(body).cached("max-age=60").with("etag", tag);
    world.origin.answers([
        tagged("\"1\"", "v1"),
        tagged("\"1\"", "v1").with("x-new", "1"),
        tagged("\"2\"", "v2"),
        tagged("\"2\"", "v2"),
    ]);
    let insist = [("cache-control", "no-cache")];
    world.get("/a").await.is(200, "v1", "Miss");
    world.ask(asked(Method::HEAD, "/a", &insist)).await.is(200, "", "Miss");
    assert_eq!(world.get("/a").await.is(200, "v1", "Hit").header("x-new"), "1");
    world.ask(asked(Method::HEAD, "/a", &insist)).await.is(200, "", "Miss");
    world.get("/a").await.is(200, "v2", "Miss");
    world.origin.was_asked(4);
}

#[tokio::test(start_paused = true)]
async fn a_304_for_another_copy_makes_the_edge_ask_for_the_whole() {
    for law in [Law::Http, Law::CloudFront] {
        let world = World::with(|plan| plan.behaviours[0].cache.law = law);
        world.origin.answers([
            ok("v1").cached("max-age=0").with("etag", "\"1\""),
            status(304, "").with("etag", "\"2\"").with("x-new", "1"),
            ok("v2").cached("max-age=60").with("etag", "\"2\""),
        ]);
        world.get("/a").await.is(200, "v1", "Miss");
        world.get("/a").await.is(200, "v2", "Miss");
        assert!(!world.origin.last().headers.contains_key("if-none-match"));
        world.get("/a").await.is(200, "v2", "Hit");
    }
}

/// A viewer with `no-store` had a copy confirmed, and it was gone for everybody.
#[tokio::test(start_paused = true)]
async fn what_one_viewer_will_not_have_kept_is_kept_for_the_others() {
    let world = standard();
    let tagged = ok("v1").cached("max-age=60").with("etag", "\"1\"");
    world.origin.answers([tagged, status(304, "").cached("max-age=60").with("etag", "\"1\"")]);
    world.get("/a").await.is(200, "v1", "Miss");
    let wishes = [("cache-control", "no-cache, no-store")];
    world.get_with("/a", &wishes).await.is(200, "v1", "RefreshHit");
    world.get("/a").await.is(200, "v1", "Hit");
    world.origin.was_asked(2);
}
