//! Several ranges of a copy in one answer (RFC 9110 §14.6, §15.3.7.2).

use crate::{
    asked::ReplyBody,
    testing::{Got, World, ok, world::asked},
};
use http::Method;
use model::plan::Law;

const TEN: &str = "0123456789";

/// Holds ten digits at `/a`.
async fn holding(law: Law) -> World {
    let world = World::with(|plan| plan.behaviours[0].cache.law = law);
    let held = ok(TEN).cached("max-age=60").with("etag", "\"1\"");
    world.origin.answers([held.with("content-type", "text/plain")]);
    world.get("/a").await.is(200, TEN, "Miss");
    world
}

/// What stands for each part: its place and its bytes; the envelope is taken off and checked.
#[track_caller]
fn opened(got: &Got) -> Vec<(String, String)> {
    let kind = got.header("content-type");
    let boundary = kind.strip_prefix("multipart/byteranges; boundary=").unwrap();
    let inside = got.body.strip_suffix(&format!("\r\n--{boundary}--\r\n")).unwrap();
    let line = format!("\r\n--{boundary}\r\n");
    let mut parts = inside.split(&line);
    assert_eq!(parts.next(), Some(""));
    let read = |part: &str| {
        let (head, bytes) = part.split_once("\r\n\r\n").unwrap();
        let place = head.strip_prefix("Content-Type: text/plain\r\nContent-Range: bytes ").unwrap();
        (place.to_owned(), bytes.to_owned())
    };
    parts.map(read).collect()
}

#[tokio::test(start_paused = true)]
async fn several_ranges_come_in_one_answer_each_with_its_place() {
    for law in [Law::Http, Law::CloudFront] {
        let world = holding(law).await;
        let got = world.get_with("/a", &[("range", "bytes=0-1,5-6,-1")]).await;
        assert_eq!((got.status, got.cache(), got.header("content-range")), (206, "Hit", ""));
        assert_eq!(got.header("etag"), "\"1\"");
        let places = [("0-1/10", "01"), ("5-6/10", "56"), ("9-9/10", "9")];
        let expected = places.map(|(place, bytes)| (place.to_owned(), bytes.to_owned()));
        assert_eq!(opened(&got), expected, "{law:?}");
        world.origin.was_asked(1);
    }
}

#[tokio::test(start_paused = true)]
async fn each_law_has_its_own_mind_on_ranges_out_of_order() {
    let asks = [("range", "bytes=5-6,0-1")];
    let got = holding(Law::Http).await.get_with("/a", &asks).await;
    let places: Vec<_> = opened(&got).into_iter().map(|(place, _)| place).collect();
    assert_eq!(places, ["5-6/10", "0-1/10"]);
    holding(Law::CloudFront).await.get_with("/a", &asks).await.is(200, TEN, "Hit");
}

#[tokio::test(start_paused = true)]
async fn if_range_that_does_not_hold_gives_the_whole_instead_of_parts() {
    let world = holding(Law::Http).await;
    let asks = |tag| [("range", "bytes=0-1,5-6"), ("if-range", tag)];
    assert_eq!(world.get_with("/a", &asks("\"1\"")).await.status, 206);
    world.get_with("/a", &asks("\"2\"")).await.is(200, TEN, "Hit");
}

#[tokio::test(start_paused = true)]
async fn parts_are_shared_with_the_copy_and_their_length_is_known() {
    let world = holding(Law::Http).await;
    let whole = pieces(&world, &[]).await;
    let parts = pieces(&world, &[("range", "bytes=1-2,7-8")]).await;
    let held = whole[0].as_ptr_range();
    let shared = parts.iter().filter(|piece| held.contains(&piece.as_ptr())).count();
    assert_eq!((whole.len(), parts.len(), shared), (1, 5, 2));
}

async fn pieces(world: &World, headers: &[(&str, &str)]) -> Vec<bytes::Bytes> {
    let reply = world.engine.handle(asked(Method::GET, "/a", headers)).await;
    let length = reply.body.length();
    let ReplyBody::Pieces(pieces) = reply.body else {
        panic!("not at hand");
    };
    assert_eq!(length, Some(pieces.concat().len() as u64));
    pieces
}
