//! Long bodies: ranges that fetch what they need, and wholes that are put together (RFC 9111 §3.3,
//! §3.4; RFC 9110 §14, §15.3.7).

use crate::{
    asked::{Reply, ReplyBody},
    testing::{
        Fault, Got, Site, World, ok, secs,
        site::{PIECE, bytes},
        world::{asked, collect},
    },
};
use futures::{StreamExt as _, future::join_all};
use http::Method;
use model::plan::Law;
use packing::SLICE;
use std::sync::Arc;

const KIB: u64 = 1 << 10;
const GIB: u64 = 1 << 30;

fn serving(size: u64) -> (World, Arc<Site>) {
    let (world, origin) = (World::new(), Site::new(size));
    world.origin.serves(&origin);
    (world, origin)
}

async fn range(world: &World, range: &str) -> Got {
    world.get_with("/a", &[("range", &format!("bytes={range}"))]).await
}

/// Status and bytes of a part.
#[track_caller]
fn part(got: &Got, version: u64, start: u64, end: u64, total: u64) {
    let told = format!("bytes {start}-{}/{total}", end - 1);
    assert_eq!((got.status, got.header("content-range"), got.whole), (206, told.as_str(), true));
    assert!(got.bytes == bytes(version, start, end), "other bytes");
}

#[track_caller]
fn whole(got: &Got, version: u64, total: u64) {
    assert_eq!((got.status, got.whole, got.bytes.len() as u64), (200, true, total));
    assert!(got.bytes == bytes(version, 0, total), "other bytes");
}

#[tokio::test(start_paused = true)]
async fn a_long_body_is_fetched_once_and_served_whole_and_in_parts() {
    for law in [Law::Http, Law::CloudFront] {
        let world = World::with(|plan| plan.behaviours[0].cache.law = law);
        let total = 5 * SLICE + 17;
        let site = Site::new(total);
        world.origin.serves(&site);
        let got = world.get("/a").await;
        whole(&got, 1, total);
        assert_eq!((got.cache(), got.header("age")), ("Miss", ""));
        let again = world.get("/a").await;
        whole(&again, 1, total);
        assert_eq!((again.cache(), again.header("etag")), ("Hit", "\"v1\""));
        part(&range(&world, "1048570-1048590").await, 1, 1_048_570, 1_048_591, total);
        part(&range(&world, "-5").await, 1, total - 5, total, total);
        assert_eq!(range(&world, "99999999-").await.status, 416);
        let several = range(&world, "0-1,2097152-2097160").await;
        assert!(several.header("content-type").starts_with("multipart/byteranges"));
        assert!(several.whole);
        let head = world.ask(asked(Method::HEAD, "/a", &[])).await;
        assert_eq!(head.header("content-length"), total.to_string());
        let same = world.get_with("/a", &[("if-none-match", "\"v1\"")]).await;
        assert_eq!(same.status, 304);
        assert_eq!((site.asked(), site.sent()), (vec!["whole".into()], total));
    }
}

#[tokio::test(start_paused = true)]
async fn a_range_of_something_huge_fetches_what_it_needs() {
    let total = 50 * GIB;
    let (world, site) = serving(total);
    part(&range(&world, "0-0").await, 1, 0, 1, total);
    assert_eq!((site.asked(), site.sent()), (vec!["bytes=0-0".into()], 1));
    let at = 40 * GIB + 1000;
    part(&range(&world, &format!("{at}-{}", at + 99)).await, 1, at, at + 100, total);
    assert!(site.sent() <= 1 + SLICE, "{}", site.sent());
    let before = site.asked().len();
    let near = range(&world, &format!("{}-{}", at + 50, at + 70_000)).await;
    part(&near, 1, at + 50, at + 70_001, total);
    assert_eq!((near.cache(), site.asked().len()), ("Hit", before));
}

#[tokio::test(start_paused = true)]
async fn only_what_is_missing_is_fetched_and_the_whole_is_put_together() {
    let total = 3 * SLICE;
    let (world, site) = serving(total);
    part(&range(&world, "100-199").await, 1, 100, 200, total);
    part(&range(&world, "2500000-2500001").await, 1, 2_500_000, 2_500_002, total);
    let got = world.get("/a").await;
    whole(&got, 1, total);
    assert_eq!(got.cache(), "Miss");
    assert_eq!(site.sent(), total);
    assert_eq!(
        site.asked(),
        ["bytes=100-199", "bytes=2500000-3145727", "bytes=0-99", "bytes=200-2499999"]
    );
    whole(&world.get("/a").await, 1, total);
    assert_eq!(site.asked().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn five_hundred_viewers_of_one_cold_body_fetch_each_byte_once() {
    let total = 8 * SLICE + 5;
    let (world, site) = serving(total);
    let expected = bytes(1, 0, total);
    let viewers = (0..500).map(|_| async {
        let mut stream = body(world.open("/a").await);
        let mut at = 0;
        while let Some(piece) = stream.next().await {
            let piece = piece.unwrap();
            assert!(piece == expected[at..at + piece.len()]);
            at += piece.len();
        }
        assert_eq!(at as u64, total);
    });
    join_all(viewers).await;
    assert_eq!((site.asked(), site.sent()), (vec!["whole".into()], total));
    assert_eq!(world.engine.flights.filling(), 0);
}

#[tokio::test(start_paused = true)]
async fn five_hundred_viewers_of_one_cold_range_ask_once_and_so_do_those_of_a_missing_slice() {
    let (world, site) = serving(GIB);
    for wanted in ["5000000-5000999", "70000000-70000999"] {
        let before = site.asked().len();
        let all = join_all((0..500).map(|_| range(&world, wanted))).await;
        let start = wanted.split('-').next().unwrap().parse().unwrap();
        for got in &all {
            part(got, 1, start, start + 1000, GIB);
        }
        assert_eq!(site.asked().len(), before + 1);
    }
}

fn body(
    reply: Reply,
) -> futures::stream::BoxStream<'static, Result<bytes::Bytes, ports::origin::BodyError>> {
    match reply.body {
        ReplyBody::Stream { body, .. } => body,
        ReplyBody::Pieces(pieces) => futures::stream::iter(pieces.into_iter().map(Ok)).boxed(),
        _ => futures::stream::empty().boxed(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_holds_up_nobody_and_is_not_cut() {
    let total = 12 * SLICE;
    let (world, site) = serving(total);
    let (slow, quick) = tokio::join!(world.open("/a"), world.get("/a"));
    whole(&quick, 1, total);
    world.passes(secs(50)).await;
    whole(&collect(slow).await, 1, total);
    assert_eq!(site.sent(), total);
}

#[tokio::test(start_paused = true)]
async fn the_fetch_is_only_a_little_ahead_of_its_reader() {
    let (world, site) = serving(GIB);
    let mut stream = body(world.open("/a").await);
    let mut got = 0;
    for _ in 0..5 {
        world.passes(secs(20)).await;
        got += stream.next().await.unwrap().unwrap().len() as u64;
        assert!(site.sent() <= got + SLICE + 2 * PIECE, "{} {got}", site.sent());
        assert!(world.engine.flights.filling() <= 3 * SLICE);
    }
}

#[tokio::test(start_paused = true)]
async fn what_came_before_all_left_is_kept_and_only_the_rest_is_fetched() {
    let total = 9 * SLICE;
    let (world, site) = serving(total);
    let mut stream = body(world.open("/a").await);
    let mut got = 0;
    while got < 3 * SLICE + 5 * PIECE {
        got += stream.next().await.unwrap().unwrap().len() as u64;
    }
    drop(stream);
    world.passes(secs(1)).await;
    let before = site.sent();
    assert!(before < total, "the fetch ends where nobody reads");
    whole(&world.get("/a").await, 1, total);
    assert_eq!(site.sent(), total);
    let asked = site.asked();
    assert_eq!(asked, ["whole".to_owned(), format!("bytes={before}-{}", total - 1)]);
}

#[tokio::test(start_paused = true)]
async fn wherever_an_origin_dies_the_rest_is_asked_for_and_nobody_notices() {
    let total = 3 * SLICE + 7;
    for dies in [0, 1, PIECE, SLICE - 1, SLICE, SLICE + 1, 2 * SLICE + 3 * PIECE, total - 1] {
        let (world, site) = serving(total);
        site.suffers([Fault::DiesAfter(dies)]);
        whole(&world.get("/a").await, 1, total);
        let rest = format!("bytes={dies}-{}", total - 1);
        assert_eq!((site.asked(), site.sent()), (vec!["whole".into(), rest], total));
    }
}

#[tokio::test(start_paused = true)]
async fn a_short_body_is_resumed_too_unless_it_cannot_be_told_from_another() {
    let total = 100 * KIB;
    for dies in [0, 1, PIECE, total - 1] {
        let (world, site) = serving(total);
        site.suffers([Fault::DiesAfter(dies)]);
        whole(&world.get("/a").await, 1, total);
        assert_eq!(site.asked(), ["whole".to_owned(), format!("bytes={dies}-")]);
        assert_eq!(world.get("/a").await.cache(), "Hit");
        let (world, site) = serving(total);
        site.is_tagged(Some("W/\"v"));
        site.suffers([Fault::DiesAfter(dies)]);
        assert!(!world.get("/a").await.whole);
        assert_eq!(site.asked(), ["whole"]);
        assert_eq!(world.get("/a").await.cache(), "Miss");
    }
}

#[tokio::test(start_paused = true)]
async fn an_origin_that_dies_again_and_again_without_a_byte_is_given_up() {
    let total = 2 * SLICE;
    let (world, site) = serving(total);
    let nothing = || Fault::DiesAfter(0);
    site.suffers([Fault::DiesAfter(5), nothing(), Fault::Hangup, nothing(), nothing(), nothing()]);
    let got = world.get("/a").await;
    assert_eq!((got.whole, got.bytes.len()), (false, 5));
    // Once on behalf of all, and once more on behalf of whoever still wants the rest.
    assert_eq!(site.asked().len(), 6);
    whole(&world.get("/a").await, 1, total);
    assert_eq!(site.sent(), total);
}

#[tokio::test(start_paused = true)]
async fn an_object_that_changed_is_never_mixed_with_what_is_held_of_it() {
    let total = 3 * SLICE;
    // Nothing of what is asked for is held: the new one comes.
    let (world, site) = serving(total);
    range(&world, "0-99").await;
    site.changes(2, total + 1);
    part(&range(&world, "2000000-2000009").await, 2, 2_000_000, 2_000_010, total + 1);
    whole(&world.get("/a").await, 2, total + 1);
    // The first bytes are: whoever has got them must see that the rest does not come.
    let (world, site) = serving(total);
    range(&world, "0-1048575").await;
    site.changes(2, total);
    let cut = world.get("/a").await;
    assert_eq!((cut.whole, cut.bytes.len() as u64), (false, SLICE));
    assert!(cut.bytes == bytes(1, 0, SLICE));
    whole(&world.get("/a").await, 2, total);
    // An origin that does not heed conditions is not believed either.
    let (world, site) = serving(total);
    range(&world, "0-99").await;
    site.changes(2, total);
    site.suffers([Fault::Unconditional]);
    whole(&world.get("/a").await, 2, total);
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_after_a_ban_gets_nothing_of_before() {
    let total = 4 * SLICE;
    let (world, site) = serving(total);
    site.holds_after(20);
    let mut stream = body(world.open("/a").await);
    let mut got = stream.next().await.unwrap().unwrap().len() as u64;
    world.invalidate(&["/a"]);
    site.changes(2, total);
    site.lets(1000);
    whole(&world.get("/a").await, 2, total);
    part(&range(&world, "3000000-3000009").await, 2, 3_000_000, 3_000_010, total);
    // Who asked before reads on in what was meant then.
    while let Some(Ok(piece)) = stream.next().await {
        assert!(piece == bytes(1, got, got + piece.len() as u64));
        got += piece.len() as u64;
    }
    assert_eq!(got, total);
}

#[tokio::test(start_paused = true)]
async fn a_stale_head_is_confirmed_with_its_slices_or_replaced_with_them() {
    let total = 2 * SLICE + 1;
    let (world, site) = serving(total);
    world.get("/a").await;
    world.passes(secs(100)).await;
    let got = range(&world, "5-9").await;
    part(&got, 1, 5, 10, total);
    assert_eq!((got.cache(), site.sent()), ("RefreshHit", total));
    world.passes(secs(100)).await;
    site.changes(2, total);
    whole(&world.get("/a").await, 2, total);
    assert_eq!(site.asked(), ["whole", "whole?", "whole?"]);
}

#[tokio::test(start_paused = true)]
async fn a_part_that_comes_later_updates_what_is_held() {
    let total = 2 * SLICE;
    let (world, site) = serving(total);
    range(&world, "0-9").await;
    world.passes(secs(50)).await;
    assert_eq!(range(&world, "1500000-1500001").await.cache(), "Miss");
    // RFC 9111 §3.4: the later part's headers, and with them its time, are the whole's.
    world.passes(secs(50)).await;
    let got = range(&world, "0-9").await;
    assert_eq!((got.cache(), got.header("age")), ("Hit", "50"));
    assert_eq!(site.asked().len(), 2);
    // And if the origin says by then that nothing is to be kept, nothing is.
    site.says("no-store");
    range(&world, "500000-500001").await;
    let before = site.asked().len();
    assert_eq!(range(&world, "0-9").await.status, 206);
    assert_eq!(site.asked().len(), before + 1);
}

#[tokio::test(start_paused = true)]
async fn origins_that_lie_are_not_believed() {
    let total = 3 * SLICE;
    for lie in [
        Fault::Places("bytes 0-9/3145728"),
        Fault::Places("bytes 2000001-2000010/3145728"),
        Fault::Places("bytes 2000000-2000009/*"),
        Fault::Places("bytes 2000009-2000000/3145728"),
        Fault::Multipart,
        Fault::Fails(500),
        Fault::Hangup,
    ] {
        let (world, site) = serving(total);
        range(&world, "0-9").await;
        site.suffers([lie.clone()]);
        let got = range(&world, "2000000-2000009").await;
        assert!(
            got.status == 502 || got.status == 500 || got.status == 206,
            "{lie:?}: {}",
            got.status
        );
        if got.status == 206 {
            part(&got, 1, 2_000_000, 2_000_010, total);
        }
        part(&range(&world, "2000000-2000009").await, 1, 2_000_000, 2_000_010, total);
        whole(&world.get("/a").await, 1, total);
    }
}

#[tokio::test(start_paused = true)]
async fn more_or_fewer_bytes_than_a_part_should_have_do_no_harm() {
    let total = 3 * SLICE;
    for fault in [Fault::Longer(300), Fault::DiesAfter(300), Fault::Longer(2 * SLICE)] {
        let (world, site) = serving(total);
        site.suffers([fault.clone(), Fault::None, fault]);
        part(&range(&world, "1000-1999").await, 1, 1000, 2000, total);
        part(&range(&world, "2000000-2000999").await, 1, 2_000_000, 2_001_000, total);
        whole(&world.get("/a").await, 1, total);
    }
}

#[tokio::test(start_paused = true)]
async fn an_origin_without_ranges_is_read_from_its_first_byte() {
    let total = 3 * SLICE;
    let (world, site) = serving(total);
    site.suffers([Fault::Ignores]);
    whole(&range(&world, "2000000-2000009").await, 1, total);
    part(&range(&world, "2000000-2000009").await, 1, 2_000_000, 2_000_010, total);
    assert_eq!(site.sent(), total);
    // Some of it is held, and the origin has forgotten how to send the rest alone.
    let (world, site) = serving(total);
    site.suffers([Fault::None, Fault::Ignores]);
    range(&world, "0-9").await;
    part(&range(&world, "2000000-2000009").await, 1, 2_000_000, 2_000_010, total);
    // So it is when what is held ends with a slice: that is no reason to stop reading there.
    let (world, site) = serving(total);
    site.suffers([Fault::None, Fault::Ignores]);
    range(&world, &format!("0-{}", SLICE - 1)).await;
    part(&range(&world, "2000000-2000009").await, 1, 2_000_000, 2_000_010, total);
    // What is too far away is not waited for: the whole is an answer to a range, too.
    let far = 200 * SLICE;
    let (world, site) = serving(far);
    site.suffers([Fault::None, Fault::Ignores]);
    range(&world, "0-9").await;
    let mut stream =
        body(world.engine.handle(asked(Method::GET, "/a", &[("range", "bytes=200000000-")])).await);
    assert!(stream.next().await.unwrap().unwrap().starts_with(&bytes(1, 0, 10)));
}

#[tokio::test(start_paused = true)]
async fn parts_without_a_strong_validator_are_passed_on_and_keep_nobody_waiting() {
    let total = 3 * SLICE;
    let (world, site) = serving(total);
    site.is_tagged(Some("W/\"v"));
    part(&range(&world, "0-9").await, 1, 0, 10, total);
    part(&range(&world, "0-9").await, 1, 0, 10, total);
    assert_eq!(site.asked(), ["bytes=0-9", "bytes=0-9"]);
    whole(&world.get("/a").await, 1, total);
    part(&range(&world, "0-9").await, 1, 0, 10, total);
    assert_eq!(site.asked().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_store_too_small_for_a_body_still_serves_every_byte() {
    for memory in [1 << 20, 8 << 20, 12 << 20] {
        let total = 20 * SLICE + 3;
        let (world, site) = (World::sized(memory, |_| {}), Site::new(total));
        world.origin.serves(&site);
        let slow = world.open("/a").await;
        for got in join_all((0..3).map(|_| world.get("/a"))).await {
            assert_eq!(got.status, 200);
            assert!(!got.whole || got.bytes == bytes(1, 0, total));
        }
        let late = collect(slow).await;
        assert!(late.bytes == bytes(1, 0, late.bytes.len() as u64));
        whole(&world.get("/a").await, 1, total);
        world.passes(secs(1)).await;
        assert_eq!(world.engine.flights.filling(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_for_one_only_is_not_waited_for_again() {
    let world = World::new();
    let private = |body| ok(body).cached("private").after(secs(1));
    world.origin.answers((0..7).map(|_| private("x")));
    world.get("/a").await;
    let started = tokio::time::Instant::now();
    world.gets(5, "/a").await;
    // One wait of its own for each; who queues first would take two.
    assert_eq!(started.elapsed(), secs(1));
    // After a while it is worth finding out again.
    world.passes(secs(130)).await;
    world.origin.answers([ok("all").after(secs(1))]);
    world.get("/a").await;
    world.origin.was_asked(7);
}
