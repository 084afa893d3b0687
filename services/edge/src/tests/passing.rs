//! What passes through, and what origins are told.

use crate::asked::TlsFacts;
use crate::testing::{
    World, ok, status,
    world::{asked, with_body},
};
use http::Method;
use model::{
    plan::{Methods, TlsMinimum},
    units::Seconds,
};
use std::sync::Arc;

#[tokio::test(start_paused = true)]
async fn writes_pass_with_their_bodies_and_are_never_kept() {
    let world = World::new();
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        world.origin.answers([ok("done")]);
        let asking = asked(method.clone(), "/form?a=1", &[("content-length", "4")]);
        world.ask(with_body(asking, "data")).await.is(200, "done", "Miss");
        let last = world.origin.last();
        assert_eq!((last.method, last.body.as_slice()), (method, &b"data"[..]));
        assert_eq!(last.headers["content-length"], "4");
        assert_eq!(last.target, "/form?a=1");
    }
    world.origin.was_asked(4);
}

#[tokio::test(start_paused = true)]
async fn a_viewer_who_leaves_in_the_middle_of_an_upload_is_nobodys_fault_but_its_own() {
    use futures::{StreamExt as _, stream};
    let world = World::new();
    world.origin.answers([ok("never")]);
    let mut asking = asked(Method::POST, "/form", &[]);
    let cut = ports::origin::BodyError::Cut("gone".into());
    asking.body = Some(stream::iter([Err(cut)]).boxed());
    assert_eq!(world.ask(asking).await.status, 400);
    world.get("/form").await.is(200, "never", "Miss");
}

#[tokio::test(start_paused = true)]
async fn head_is_answered_from_a_copy_and_asked_as_head_without_one() {
    let world = World::new();
    let mut head = ok("");
    head = head.with("x-kind", "head");
    world.origin.answers([head, ok("12345")]);
    let got = world.ask(asked(Method::HEAD, "/a", &[])).await;
    assert_eq!((got.status, got.header("x-kind")), (200, "head"));
    assert_eq!(world.origin.last().method, Method::HEAD);
    world.get("/a").await.is(200, "12345", "Miss");
    let got = world.ask(asked(Method::HEAD, "/a", &[])).await;
    assert_eq!(got.is(200, "", "Hit").header("content-length"), "5");
    world.origin.was_asked(2);
}

#[tokio::test(start_paused = true)]
async fn options_are_kept_where_the_behaviour_says_so_and_apart_from_get() {
    let world = World::with(|plan| {
        plan.behaviours[0].allowed = Methods::ReadAndOptions;
        plan.behaviours[0].cache_options = true;
    });
    world.origin.answers([ok("options"), ok("get")]);
    for cache in ["Miss", "Hit"] {
        let got = world.ask(asked(Method::OPTIONS, "/a", &[])).await;
        got.is(200, "options", cache);
        world.get("/a").await.is(200, "get", cache);
    }
    let world = World::new();
    world.origin.answers([ok("1"), ok("2")]);
    world.ask(asked(Method::OPTIONS, "/a", &[])).await.is(200, "1", "Miss");
    world.ask(asked(Method::OPTIONS, "/a", &[])).await.is(200, "2", "Miss");
}

#[tokio::test(start_paused = true)]
async fn origins_are_told_who_asks_and_what_they_need() {
    let world = World::with(|plan| {
        plan.origins[0].path = "/base".into();
        plan.origins[0].headers = vec![("x-secret".into(), "s".into())];
    });
    world.origin.answers([ok("x")]);
    let viewer = [
        ("x-secret", "forged"),
        ("accept-language", "de"),
        ("connection", "x-private"),
        ("x-private", "1"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ];
    let got = world.get_with("/a%20b//c?x=%41&y", &viewer).await;
    let last = world.origin.last();
    assert_eq!(last.target, "/base/a%20b//c?x=%41&y");
    assert_eq!(last.headers["host"], "origin.test");
    assert_eq!(last.headers["x-secret"], "s");
    assert_eq!(last.headers["x-forwarded-for"], "192.0.2.1");
    assert_eq!(last.headers["x-amz-cf-id"], got.header("x-amz-cf-id"));
    assert_eq!(last.headers["cdn-loop"], "nearfront");
    assert_eq!(last.headers["via"], "1.1 e1.test (Nearfront)");
    let trace = last.headers["traceparent"].to_str().unwrap();
    assert!(trace.starts_with("00-0af7651916cd43dd8448eb211c80319c-"), "{trace}");
    assert!(!last.headers.contains_key("accept-language"));
    assert!(!last.headers.contains_key("x-private"));
    assert_eq!(got.header("x-amz-cf-id").len(), 56);
    assert!(got.header("x-amz-cf-id").ends_with("=="));
}

#[tokio::test(start_paused = true)]
async fn redirects_of_origins_are_passed_on_and_kept() {
    let world = World::new();
    world.origin.answers([status(302, "").with("location", "https://elsewhere/")]);
    for cache in ["Miss", "Hit"] {
        let got = world.get("/a").await;
        assert_eq!(got.is(302, "", cache).header("location"), "https://elsewhere/");
    }
}

#[tokio::test(start_paused = true)]
async fn where_nothing_is_kept_conditions_and_ranges_are_the_origins_business() {
    let world = World::with(|plan| {
        let ttl = &mut plan.behaviours[0].cache.ttl;
        (ttl.default, ttl.max) = (Some(Seconds(0)), Seconds(0));
    });
    world.origin.answers([status(304, "").with("etag", "\"1\"")]);
    let got = world.get_with("/a", &[("if-none-match", "\"1\"")]).await;
    assert_eq!((got.status, got.header("etag")), (304, "\"1\""));
    assert_eq!(world.origin.last().headers["if-none-match"], "\"1\"");
}

#[tokio::test(start_paused = true)]
async fn a_connection_with_older_tls_than_the_distribution_wants_is_misdirected() {
    let world = World::with(|plan| plan.viewer_tls.minimum = TlsMinimum::Tls13);
    world.origin.answers([ok("new")]);
    for (version, expected) in [("TLSv1.2", 421), ("TLSv1.3", 200)] {
        let mut asking = asked(Method::GET, "/a", &[]);
        asking.tls = Some(Arc::new(TlsFacts {
            sni: Some("other.test".into()),
            version,
            cipher: "TLS_AES_128_GCM_SHA256".into(),
            reused: false,
        }));
        assert_eq!(world.ask(asking).await.status, expected);
    }
}
