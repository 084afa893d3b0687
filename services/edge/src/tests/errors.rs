//! Errors: which are kept, what stands in for them, what viewers are told.

use crate::testing::{
    World, behaviour, error, ok,
    plan::error_ttl,
    secs, status, streaming,
    world::{asked, with_body},
};
use http::{Method, Version};
use model::{
    ids::DistributionId,
    plan::{Countries, ErrorRule, Law, Methods, ViewerProtocol},
    units::Seconds,
};
use ports::origin::{OriginError, Scheme};

#[tokio::test(start_paused = true)]
async fn a_404_is_kept_for_its_time() {
    let world = World::with(|plan| plan.errors = vec![error_ttl(404, 5)]);
    world.origin.answers([status(404, "no"), ok("now")]);
    world.get("/a").await.is(404, "no", "Error");
    world.passes(secs(4)).await;
    world.get("/a").await.is(404, "no", "Error");
    world.origin.was_asked(1);
    world.passes(secs(1)).await;
    world.get("/a").await.is(200, "now", "Miss");
}

#[tokio::test(start_paused = true)]
async fn a_403_is_kept_only_if_it_says_so() {
    let world = World::new();
    world.origin.answers([
        status(403, "1"),
        status(403, "2").cached("max-age=30"),
        ok("never asked"),
    ]);
    world.get("/a").await.is(403, "1", "Error");
    world.get("/a").await.is(403, "2", "Error");
    world.get("/a").await.is(403, "2", "Error");
    world.origin.was_asked(2);
}

#[tokio::test(start_paused = true)]
async fn every_way_of_not_answering_has_its_status_and_is_remembered() {
    for (why, expected) in [
        (OriginError::Name("x".into()), 502),
        (OriginError::Connect("x".into()), 502),
        (OriginError::Tls("x".into()), 502),
        (OriginError::Protocol("x".into()), 502),
        (OriginError::NotConfigured("x".into()), 502),
        (OriginError::Timeout("x".into()), 504),
    ] {
        let world = World::new();
        world.origin.answers([error(why), ok("back")]);
        let got = world.get("/a").await;
        assert_eq!((got.status, got.cache()), (expected, "Error"));
        assert_eq!(got.header("server"), "Nearfront");
        assert!(got.body.contains(got.header("x-amz-cf-id")), "{got:?}");
        assert!(!got.body.contains("origin.test"));
        assert_eq!(world.get("/a").await.status, expected);
        world.origin.was_asked(1);
        world.passes(secs(10)).await;
        world.get("/a").await.is(200, "back", "Miss");
    }
}

fn page(of: u16, path: &str, status: u16) -> ErrorRule {
    ErrorRule { status: of, caching_min_ttl: Seconds(10), page: Some((path.into(), status)) }
}

#[tokio::test(start_paused = true)]
async fn the_users_own_page_takes_the_place_of_an_error() {
    let world = World::with(|plan| plan.errors = vec![page(404, "/err/lost.html", 200)]);
    world.origin.answers([status(404, "raw"), ok("lost").with("content-type", "text/html")]);
    let got = world.get("/missing?x=1").await;
    assert_eq!(got.is(200, "lost", "Error").header("content-type"), "text/html");
    assert_eq!(world.origin.last().target, "/err/lost.html");
    world.get("/missing?x=1").await.is(200, "lost", "Error");
    world.origin.was_asked(2);
    world.get("/err/lost.html").await.is(200, "lost", "Hit");
}

#[tokio::test(start_paused = true)]
async fn an_error_whose_body_comes_late_is_kept_though_the_page_takes_its_place() {
    let world = World::with(|plan| plan.errors = vec![page(404, "/lost.html", 404)]);
    let (slow, sender) = streaming();
    world.origin.answers([ok("lost"), slow.but(404)]);
    world.get("/lost.html").await.is(200, "lost", "Miss");
    world.get("/a").await.is(404, "lost", "Error");
    sender.send(Ok("raw".into())).await.unwrap();
    drop(sender);
    world.passes(secs(1)).await;
    world.get("/a").await.is(404, "lost", "Error");
    world.origin.was_asked(2);
}

#[tokio::test(start_paused = true)]
async fn when_the_page_cannot_be_had_its_own_status_is_the_answer() {
    let world = World::with(|plan| plan.errors = vec![page(500, "/err.html", 503)]);
    world.origin.answers([status(500, "raw"), status(404, "no page")]);
    world.get("/a").await.is(404, "no page", "Error");
}

#[tokio::test(start_paused = true)]
async fn a_page_serves_for_errors_of_the_edge_too_and_never_calls_itself() {
    let world = World::with(|plan| {
        plan.errors = vec![page(403, "/denied.html", 403), page(502, "/err.html", 502)];
        plan.behaviours[0].allowed = Methods::Read;
    });
    world.origin.answers([ok("denied")]);
    let got = world.ask(asked(Method::DELETE, "/a", &[])).await;
    got.is(403, "denied", "Error");
    // The origin has nothing more to say: both the object and the page fail.
    assert_eq!(world.get("/b").await.status, 502);
}

/// After a body that breaks off, the bytes that follow may be no request. The edge's own page said so,
/// and the user's page in its place did not: viewers sent their next request to a connection that was
/// about to end.
#[tokio::test(start_paused = true)]
async fn the_connection_ends_after_a_broken_upload_whatever_page_says_so() {
    for errors in [vec![], vec![page(400, "/bad.html", 400)]] {
        let mended = !errors.is_empty();
        let world = World::with(|plan| plan.errors = errors);
        world.origin.answers([error(OriginError::ViewerGone), ok("sorry")]);
        let broken = with_body(asked(Method::POST, "/a", &[]), "half");
        let got = world.ask(broken).await;
        assert_eq!((got.status, got.header("connection")), (400, "close"));
        assert_eq!(got.body == "sorry", mended);
        assert_eq!(world.get("/bad.html").await.header("connection"), "", "a request of its own");
    }
}

#[tokio::test(start_paused = true)]
async fn requests_that_are_refused_say_why() {
    let world = World::with(|plan| {
        let mut read = behaviour("/read*");
        read.allowed = Methods::Read;
        let mut safe = behaviour("/safe*");
        safe.viewer_protocol = ViewerProtocol::HttpsOnly;
        plan.behaviours = vec![read, safe, behaviour("*")];
    });
    let long = format!("/{}", "a".repeat(8192));
    let big = "b".repeat(20_000);
    let heads = [("x-one", big.as_str()), ("x-two", big.as_str())];
    let looped = [("cdn-loop", "nearfront, other, nearfront")];
    let cases = [
        (asked(Method::POST, "/read", &[]), 403),
        (asked(Method::TRACE, "/", &[]), 403),
        (asked(Method::GET, "/safe", &[]), 403),
        (with_body(asked(Method::GET, "/", &[]), "body"), 403),
        (asked(Method::GET, "/", &[("host", "unknown.test")]), 403),
        (asked(Method::GET, "/", &[("host", "a b")]), 400),
        (asked(Method::GET, "/", &[("host", "d1.test"), ("host", "d1.test")]), 400),
        (asked(Method::OPTIONS, "*", &[]), 400),
        (asked(Method::GET, &long, &[]), 414),
        (asked(Method::GET, "/", &heads), 494),
        (asked(Method::GET, "/", &looped), 403),
    ];
    for (number, (asked, expected)) in cases.into_iter().enumerate() {
        let got = world.ask(asked).await;
        assert_eq!((got.status, got.cache()), (expected, "Error"), "case {number}");
        assert_eq!(got.header("content-type"), "text/html");
    }
    world.origin.was_asked(0);
}

#[tokio::test(start_paused = true)]
async fn a_disabled_distribution_and_a_blocked_country_are_refused() {
    let world = World::with(|plan| plan.enabled = false);
    assert_eq!(world.get("/a").await.status, 403);
    let world = World::with(|plan| {
        plan.enabled = false;
        plan.errors = vec![page(403, "/denied.html", 200)];
    });
    // It serves nothing, its own pages included.
    assert_eq!(world.get("/a").await.status, 403);
    world.origin.was_asked(0);
    let world = World::with(|plan| plan.countries = Countries::Except(vec!["FR".into()]));
    world.origin.answers([ok("loopback is nowhere")]);
    assert_eq!(world.get("/a").await.status, 403);
    let mut local = asked(Method::GET, "/a", &[]);
    local.peer = "127.0.0.1:1".parse().unwrap();
    world.ask(local).await.is(200, "loopback is nowhere", "Miss");
}

#[tokio::test(start_paused = true)]
async fn plain_http_is_sent_to_https() {
    let world = World::with(|plan| {
        plan.behaviours[0].viewer_protocol = ViewerProtocol::RedirectToHttps;
        plan.default_root_object = Some("index.html".into());
    });
    let host = [("host", "d1.test:8080")];
    let got = world.get_with("/?q=1", &host).await;
    assert_eq!((got.status, got.cache()), (301, "Redirect"));
    assert_eq!(got.header("location"), "https://d1.test:8443/?q=1");
    let got = world.ask(asked(Method::POST, "/a", &[])).await;
    assert_eq!((got.status, got.header("location")), (307, "https://d1.test/a"));
    let mut old = asked(Method::POST, "/a", &[]);
    old.version = Version::HTTP_10;
    assert_eq!(world.ask(old).await.status, 403);
    world.origin.answers([ok("safe")]);
    let mut safe = asked(Method::GET, "/a", &[]);
    safe.scheme = Scheme::Https;
    world.ask(safe).await.is(200, "safe", "Miss");
}

#[tokio::test(start_paused = true)]
async fn a_head_beyond_the_limit_is_the_origins_fault() {
    let world = World::new();
    let big = "b".repeat(33_000);
    world.origin.answers([ok("x").with("x-big", &big)]);
    assert_eq!(world.get("/a").await.status, 502);
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_lacks_its_origin_is_refused_and_the_old_one_stays() {
    let mut plan = crate::testing::plan();
    plan.id = DistributionId("E2".into());
    plan.origins.clear();
    assert!(crate::plans::Distribution::compile(plan.clone()).is_err());
    plan.behaviours.clear();
    assert!(crate::plans::Distribution::compile(plan).is_err());
}

#[tokio::test(start_paused = true)]
async fn under_the_standard_a_write_takes_the_copy_away() {
    let world = World::with(|plan| plan.behaviours[0].cache.law = Law::Http);
    let kept = |body| ok(body).cached("max-age=60");
    world.origin.answers([kept("v1"), status(204, ""), kept("v2")]);
    world.get("/a").await.is(200, "v1", "Miss");
    let put = with_body(asked(Method::PUT, "/a", &[]), "new");
    assert_eq!(world.ask(put).await.status, 204);
    world.get("/a").await.is(200, "v2", "Miss");
}
