//! What `Cache-Status` tells where the operator wants it (RFC 9211).

use crate::testing::{World, error, ok, plan::error_ttl, secs, status, world::asked};
use http::Method;
use model::{
    plan::{Law, Plan},
    units::Seconds,
};
use ports::origin::OriginError;
use std::sync::Arc;

/// A world that tells.
fn telling(change: impl FnOnce(&mut Plan)) -> World {
    let mut world = World::with(change);
    Arc::get_mut(&mut world.engine).unwrap().cache_status = true;
    world
}

fn standard() -> World {
    telling(|plan| plan.behaviours[0].cache.law = Law::Http)
}

impl World {
    /// What our cache says of a GET.
    async fn told(&self, headers: &[(&str, &str)]) -> String {
        let got = self.get_with("/a", headers).await;
        got.header("cache-status").strip_prefix("Nearfront; ").unwrap_or_default().to_owned()
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_told_unless_the_operator_says_so() {
    let world = World::new();
    world.origin.answers([ok("v1")]);
    for _ in 0..2 {
        assert_eq!(world.get("/a").await.header("cache-status"), "");
    }
}

#[tokio::test(start_paused = true)]
async fn a_copys_life_is_told_step_by_step() {
    let world = standard();
    let tagged = || ok("v1").cached("max-age=60").with("etag", "\"1\"");
    world.origin.answers([tagged(), status(304, "").with("etag", "\"1\""), tagged()]);
    assert_eq!(world.told(&[]).await, "fwd=uri-miss; fwd-status=200; stored; ttl=60");
    world.passes(secs(20)).await;
    assert_eq!(world.told(&[]).await, "hit; ttl=40");
    world.passes(secs(50)).await;
    let patient = [("cache-control", "max-stale=100")];
    assert_eq!(world.told(&patient).await, "hit; ttl=-10");
    assert_eq!(world.told(&[]).await, "fwd=stale; fwd-status=304; ttl=60");
    let anew = [("cache-control", "no-cache")];
    assert_eq!(world.told(&anew).await, "fwd=request; fwd-status=200; stored; ttl=60");
    world.invalidate(&["/a"]);
    world.origin.answers([tagged()]);
    assert_eq!(world.told(&[]).await, "fwd=uri-miss; fwd-status=200; stored; ttl=60");
}

#[tokio::test(start_paused = true)]
async fn another_variant_is_another_reason_than_nothing() {
    let world = standard();
    let said = || ok("v").cached("max-age=60").with("vary", "x-v");
    world.origin.answers([said(), said()]);
    let first = world.told(&[("x-v", "1")]).await;
    assert_eq!(first, "fwd=uri-miss; fwd-status=200; stored; ttl=60");
    let second = world.told(&[("x-v", "2")]).await;
    assert_eq!(second, "fwd=vary-miss; fwd-status=200; stored; ttl=60");
}

#[tokio::test(start_paused = true)]
async fn what_is_never_kept_says_so() {
    let world = standard();
    world.origin.answers([ok("done"), ok("mine").cached("no-store")]);
    let got = world.ask(asked(Method::POST, "/a", &[])).await;
    assert_eq!(got.header("cache-status"), "Nearfront; fwd=method; fwd-status=200");
    assert_eq!(world.told(&[]).await, "fwd=uri-miss; fwd-status=200");
    let off = telling(|plan| {
        let ttl = &mut plan.behaviours[0].cache.ttl;
        (ttl.default, ttl.max) = (Some(Seconds(0)), Seconds(0));
    });
    off.origin.answers([ok("v1")]);
    assert_eq!(off.told(&[]).await, "fwd=bypass; fwd-status=200");
}

#[tokio::test(start_paused = true)]
async fn those_who_waited_say_that_they_did() {
    let world = standard();
    world.origin.answers([ok("v1").cached("max-age=60").after(secs(1))]);
    // The second that it took counts (RFC 9111 §4.2.3).
    let got = world.gets(3, "/a").await;
    let mut told: Vec<_> = got.iter().map(|got| got.header("cache-status")).collect();
    told.sort_unstable();
    let waited = "Nearfront; fwd=uri-miss; fwd-status=200; stored; collapsed; ttl=59";
    let asked = "Nearfront; fwd=uri-miss; fwd-status=200; stored; ttl=59";
    assert_eq!(told, [waited, waited, asked]);
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_stands_in_says_what_the_origin_answered() {
    let world = telling(|plan| plan.errors = vec![error_ttl(503, 5)]);
    let kept = ok("v1").cached("max-age=60, stale-if-error=600");
    world.origin.answers([kept, status(503, "no"), error(OriginError::Connect("no".into()))]);
    world.get("/a").await.is(200, "v1", "Miss");
    world.passes(secs(70)).await;
    assert_eq!(world.told(&[]).await, "fwd=stale; fwd-status=503; ttl=-10");
    assert_eq!(world.told(&[]).await, "hit; ttl=-10", "nobody was asked");
    world.passes(secs(10)).await;
    assert_eq!(world.told(&[]).await, "fwd=stale; ttl=-20");
}

#[tokio::test(start_paused = true)]
async fn what_caches_nearer_to_the_origin_said_stays_and_pages_of_ours_say_nothing() {
    let world = standard();
    world.origin.answers([ok("v1").cached("max-age=60").with("cache-status", "Near; hit")]);
    for ours in
        ["Nearfront; fwd=uri-miss; fwd-status=200; stored; ttl=60", "Nearfront; hit; ttl=60"]
    {
        let got = world.get("/a").await;
        let lines: Vec<_> = got.headers.get_all("cache-status").iter().collect();
        assert_eq!(lines, ["Near; hit", ours]);
    }
    let got = world.get_with("/b", &[("cache-control", "only-if-cached")]).await;
    assert_eq!((got.status, got.header("cache-status")), (504, ""));
}
