//! What is relayed rather than kept: trailers, gRPC calls.

use crate::{
    asked::{Asked, ReplyBody},
    testing::{
        World, error, ok, status,
        world::{asked, with_body},
    },
};
use http::{Method, Version};
use ports::{origin::OriginError, relay::Way};
use std::time::Duration;

fn call(headers: &[(&str, &str)]) -> Asked {
    let mut all = vec![("content-type", "application/grpc+proto"), ("te", "trailers")];
    all.extend(headers);
    let mut call = with_body(asked(Method::POST, "/pkg.Service/Do", &all), "\0\0\0\0\x03abc");
    call.version = Version::HTTP_2;
    call
}

fn with_grpc() -> World {
    World::with(|plan| plan.behaviours[0].grpc = true)
}

/// RFC 9110 §6.5.
#[tokio::test(start_paused = true)]
async fn trailers_of_what_is_not_kept_go_on() {
    let world = World::new();
    for method in [Method::GET, Method::POST] {
        world.origin.answers([ok("a").cached("no-store").trailed_by("x-sum", "1")]);
        let got = world.ask(asked(method, "/a", &[])).await;
        assert_eq!((got.status, got.trailers["x-sum"].as_bytes()), (200, &b"1"[..]));
    }
}

/// RFC 9110 §6.5.1 and RFC 9111 §3.1: not merged into the headers, and not kept beside them.
#[tokio::test(start_paused = true)]
async fn trailers_of_what_is_kept_are_dropped() {
    let world = World::new();
    world.origin.answers([ok("a").trailed_by("x-sum", "1").trailed_by("age", "77")]);
    for cache in ["Miss", "Hit"] {
        let got = world.get("/a").await;
        got.is(200, "a", cache);
        assert!(got.trailers.is_empty());
        assert_eq!((got.header("x-sum"), got.header("age") == "77"), ("", false));
    }
}

#[tokio::test(start_paused = true)]
async fn a_grpc_call_reaches_the_origin_with_all_that_it_needs_and_its_trailers_come_back() {
    let world = with_grpc();
    world.origin.answers([ok("reply").trailed_by("grpc-status", "0")]);
    let headers = [("grpc-timeout", "5S"), ("grpc-encoding", "gzip"), ("x-other", "1")];
    let asking = call(&headers);
    let mut sent = http::HeaderMap::new();
    sent.insert("x-end", http::HeaderValue::from_static("up"));
    asking.relay.trailers.tell(sent);
    let got = world.ask(asking).await;
    got.is(200, "reply", "Miss");
    assert_eq!(got.trailers["grpc-status"], "0");
    let asked = world.origin.last();
    assert_eq!((asked.way, asked.body.as_slice()), (Way::Grpc, &b"\0\0\0\0\x03abc"[..]));
    assert_eq!(asked.headers["content-type"], "application/grpc+proto");
    assert_eq!(
        (&asked.headers["grpc-timeout"], &asked.headers["grpc-encoding"]),
        (&http::HeaderValue::from_static("5S"), &http::HeaderValue::from_static("gzip"))
    );
    assert!(!asked.headers.contains_key("x-other"), "that is for an origin request policy to say");
    assert_eq!(asked.trailers["x-end"], "up");
}

#[tokio::test(start_paused = true)]
async fn calls_are_neither_kept_nor_shared() {
    let world = with_grpc();
    world.origin.answers([ok("1").cached("max-age=60"), ok("2").cached("max-age=60")]);
    let (one, two) = tokio::join!(world.ask(call(&[])), world.ask(call(&[])));
    let mut bodies = [one.body, two.body];
    bodies.sort();
    assert_eq!(bodies, ["1", "2"]);
    world.origin.was_asked(2);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_ends_in_its_head_has_no_body_at_all() {
    let world = with_grpc();
    world.origin.answers([ok("").with("grpc-status", "5")]);
    let reply = world.engine.handle(call(&[])).await;
    assert!(matches!(reply.body, ReplyBody::Empty));
    assert_eq!(reply.headers["grpc-status"], "5");
}

/// CloudFront developer guide, using gRPC with distributions: no custom error responses.
#[tokio::test(start_paused = true)]
async fn failures_of_the_edge_are_told_in_grpcs_words() {
    let world = World::with(|plan| {
        plan.behaviours[0].grpc = true;
        plan.errors.push(model::plan::ErrorRule {
            status: 502,
            caching_min_ttl: model::units::Seconds(10),
            page: Some(("/sorry".into(), 200)),
        });
    });
    let table = [
        (OriginError::Connect("x".into()), "14"),
        (OriginError::Timeout("x".into()), "4"),
        (OriginError::Protocol("x".into()), "14"),
    ];
    for (why, code) in table {
        world.origin.answers([error(why)]);
        let got = world.ask(call(&[])).await;
        assert_eq!((got.status, got.header("grpc-status"), got.body.as_str()), (200, code, ""));
        assert_eq!(got.header("content-type"), "application/grpc");
        assert_eq!(got.cache(), "Error");
    }
    world.origin.was_asked(3);
}

#[tokio::test(start_paused = true)]
async fn refusals_too() {
    let world = World::with(|plan| {
        plan.behaviours[0].grpc = true;
        plan.behaviours[0].allowed = model::plan::Methods::Read;
    });
    let got = world.ask(call(&[])).await;
    assert_eq!((got.status, got.header("grpc-status")), (200, "7"));
}

#[tokio::test(start_paused = true)]
async fn where_grpc_is_not_enabled_a_call_is_a_post_like_any_other() {
    let world = World::new();
    world.origin.answers([
        ok("plain"),
        status(502, "page"),
        error(OriginError::Connect("x".into())),
    ]);
    world.ask(call(&[("grpc-timeout", "5S")])).await.is(200, "plain", "Miss");
    let asked = world.origin.last();
    assert_eq!((asked.way, asked.headers.get("grpc-timeout")), (Way::Any, None));
    world.ask(call(&[])).await.is(502, "page", "Error");
    assert_eq!(world.ask(call(&[])).await.status, 502);
}

#[tokio::test(start_paused = true)]
async fn an_origin_that_takes_its_time_is_waited_for_by_one_call_only() {
    let world = with_grpc();
    world.origin.answers([ok("slow").after(Duration::from_secs(20)), ok("fast")]);
    let slow = world.ask(call(&[]));
    let fast = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        world.ask(call(&[])).await
    };
    let (slow, fast) = tokio::join!(slow, fast);
    assert_eq!((slow.body.as_str(), fast.body.as_str()), ("slow", "fast"));
}
