//! What is compressed here: once, under a key of its own, and whole or not at all.

use crate::{
    asked::Asked,
    testing::{
        Got, World, decoded, ok,
        origin::Answer,
        secs, status, streaming,
        world::{asked, collect},
    },
};
use bytes::Bytes;
use headers::compression::Coding;
use http::{Method, Version};
use model::{
    plan::{Law, Plan, Ttl},
    units::Seconds,
};
use ports::origin::BodyError;
use std::{
    fmt::Write as _,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
};

const BR: [(&str, &str); 1] = [("accept-encoding", "br")];
const GZIP: [(&str, &str); 1] = [("accept-encoding", "gzip")];

/// Some 40 kB that compress well, but not to nothing.
static TEXT: LazyLock<String> = LazyLock::new(|| {
    (0..4000_u32).fold(String::new(), |mut text, n| {
        let _ = write!(text, "<p>{:x}", n.wrapping_mul(2_654_435_761) >> 12);
        text
    })
});

fn compresses(plan: &mut Plan) {
    let behaviour = &mut plan.behaviours[0];
    behaviour.compress = true;
    (behaviour.cache.gzip, behaviour.cache.brotli) = (true, true);
}

fn page() -> Answer {
    ok(&TEXT).with("content-type", "text/html; charset=utf-8").with("etag", "\"1\"")
}

fn with_version(mut asked: Asked, version: Version) -> Asked {
    asked.version = version;
    asked
}

/// It is the text in this coding, and its fields say so.
#[track_caller]
fn is_text(got: &Got, coding: &str, cache: &str) {
    let told = (got.status, got.cache(), got.header("content-encoding"));
    assert_eq!(told, (200, cache, coding), "{:?}", got.headers);
    assert_eq!(decoded(coding, &got.bytes), TEXT.as_bytes());
    assert!(got.whole && got.bytes.len() < TEXT.len());
    assert_eq!(got.header("etag"), "W/\"1\"");
    assert!(got.header("vary").eq_ignore_ascii_case("accept-encoding"));
}

/// It is the text as the origin sent it.
#[track_caller]
fn is_plain(got: &Got, cache: &str) {
    assert_eq!(got.is(200, &TEXT, cache).header("content-encoding"), "");
    assert_eq!((got.header("etag"), got.header("vary")), ("\"1\"", ""));
}

#[tokio::test(start_paused = true)]
async fn what_is_compressed_on_a_miss_is_held_so_and_has_a_length_on_a_hit() {
    let world = World::with(compresses);
    world.origin.answers([page().with("content-md5", "x").with("accept-ranges", "bytes")]);
    let first = world.engine.handle(asked(Method::GET, "/a", &BR)).await;
    assert_eq!(first.body.length(), None);
    assert!(!first.headers.contains_key("content-length"));
    let first = collect(first).await;
    is_text(&first, "br", "Miss");
    let hit = world.engine.handle(asked(Method::GET, "/a", &BR)).await;
    assert_eq!(hit.body.length(), Some(first.bytes.len() as u64));
    let hit = collect(hit).await;
    is_text(&hit, "br", "Hit");
    assert_eq!(hit.bytes, first.bytes);
    for got in [&first, &hit] {
        assert!(!got.headers.contains_key("content-md5"));
        assert_eq!(got.header("accept-ranges"), "bytes");
    }
    let head = world.ask(asked(Method::HEAD, "/a", &BR)).await;
    assert_eq!(head.header("content-length"), first.bytes.len().to_string());
    for name in ["content-encoding", "etag", "vary", "content-type"] {
        assert_eq!(head.header(name), hit.header(name));
    }
    world.origin.was_asked(1);
    assert_eq!(world.origin.last().headers["accept-encoding"], "br");
}

#[tokio::test(start_paused = true)]
async fn each_coding_is_asked_for_once_and_held_for_itself() {
    let world = World::with(compresses);
    world.origin.answers([page(), page(), page(), page()]);
    let both = [("accept-encoding", "gzip, deflate, br, zstd")];
    let other = [("accept-encoding", "deflate")];
    for cache in ["Miss", "Hit"] {
        is_text(&world.get_with("/a", &GZIP).await, "gzip", cache);
        is_text(&world.get_with("/a", &BR).await, "br", cache);
        is_text(&world.get_with("/a", &both).await, "br", cache);
        is_plain(&world.get_with("/a", &other).await, cache);
    }
    is_plain(&world.get("/a").await, "Hit");
    world.origin.was_asked(4);
}

#[tokio::test(start_paused = true)]
async fn zstd_is_a_coding_like_the_others_on_an_edge_that_is_set_to_it() {
    let world = World::empty();
    world.engine.current.store(std::sync::Arc::new(crate::plans::Known::of(true)));
    let mut plan = crate::testing::plan();
    compresses(&mut plan);
    world.publish(&plan);
    world.origin.answers([page(), page(), page()]);
    let no_br = [("accept-encoding", "gzip, zstd")];
    let all = [("accept-encoding", "gzip, deflate, br, zstd")];
    for cache in ["Miss", "Hit"] {
        is_text(&world.get_with("/a", &no_br).await, "zstd", cache);
        is_text(&world.get_with("/a", &all).await, "br", cache);
        is_text(&world.get_with("/a", &GZIP).await, "gzip", cache);
    }
    world.origin.was_asked(3);
    let part = [("accept-encoding", "gzip, zstd"), ("range", "bytes=0-3")];
    let magic = world.get_with("/a", &part).await;
    assert_eq!((magic.status, &magic.bytes[..]), (206, &[0x28, 0xb5, 0x2f, 0xfd][..]));
}

#[tokio::test(start_paused = true)]
async fn many_who_wait_for_one_answer_get_the_same_compressed_bytes() {
    let world = World::with(compresses);
    world.origin.answers([page().after(secs(1))]);
    let asking = (0..50).map(|_| world.get_with("/a", &BR));
    let got = futures::future::join_all(asking).await;
    for one in &got {
        assert_eq!(one.bytes, got[0].bytes);
        is_text(one, "br", one.cache());
    }
    assert_eq!(got.iter().filter(|one| one.cache() == "Miss").count(), 1);
    world.origin.was_asked(1);
}

#[tokio::test(start_paused = true)]
async fn what_the_guide_leaves_alone_is_served_as_it_is() {
    let never = Ttl { min: Seconds(0), default: Some(Seconds(0)), max: Seconds(0) };
    let changes: [fn(&mut Plan); 3] = [
        |plan| plan.behaviours[0].compress = false,
        |plan| plan.behaviours[0].cache.headers = vec!["accept-encoding".into()],
        |plan| (plan.behaviours[0].cache.gzip, plan.behaviours[0].cache.brotli) = (false, false),
    ];
    for change in changes {
        let world = World::with(|plan| {
            compresses(plan);
            change(plan);
        });
        world.origin.answers([page()]);
        is_plain(&world.get_with("/a", &BR).await, "Miss");
        is_plain(&world.get_with("/a", &BR).await, "Hit");
    }
    let world = World::with(|plan| {
        compresses(plan);
        plan.behaviours[0].cache.ttl = never;
    });
    world.origin.answers([page()]);
    is_plain(&world.get_with("/a", &BR).await, "Miss");
    let world = World::with(compresses);
    world.origin.answers([page(), page().cached("no-transform")]);
    let old = with_version(asked(Method::GET, "/old", &BR), Version::HTTP_10);
    is_plain(&world.ask(old).await, "Miss");
    is_plain(&world.get_with("/a", &BR).await, "Miss");
}

#[tokio::test(start_paused = true)]
async fn what_the_origin_compressed_is_not_compressed_again() {
    let world = World::with(compresses);
    let theirs = || ok(&TEXT).with("content-type", "text/html").with("content-encoding", "br");
    world.origin.answers([theirs().with("etag", "\"1\"")]);
    for cache in ["Miss", "Hit"] {
        let got = world.get_with("/a", &BR).await;
        assert_eq!(got.is(200, &TEXT, cache).header("content-encoding"), "br");
        assert_eq!(got.header("etag"), "\"1\"");
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_page_is_compressed_too() {
    let world = World::with(compresses);
    world.origin.answers([status(404, &TEXT).with("content-type", "text/html")]);
    for _ in 0..2 {
        let got = world.get_with("/a", &GZIP).await;
        assert_eq!((got.status, got.header("content-encoding")), (404, "gzip"));
        assert_eq!(decoded("gzip", &got.bytes), TEXT.as_bytes());
    }
    world.origin.was_asked(1);
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_kept_is_compressed_for_each() {
    let world = World::with(compresses);
    world.origin.answers([page().cached("no-store"), page().cached("no-store")]);
    is_text(&world.get_with("/a", &BR).await, "br", "Miss");
    is_text(&world.get_with("/a", &BR).await, "br", "Miss");
}

/// 200 with a body that the test sends, and whose announced length is right for compression.
fn growing() -> (Answer, tokio::sync::mpsc::Sender<Result<Bytes, BodyError>>) {
    let (answer, sender) = streaming();
    (answer.with("content-length", "10000000").with("content-type", "text/plain"), sender)
}

#[tokio::test(start_paused = true)]
async fn a_body_that_the_origin_cuts_is_cut_for_the_viewer_and_never_kept() {
    let world = World::with(compresses);
    let (cut, sender) = growing();
    world.origin.answers([cut, page()]);
    let writing = async move {
        for _ in 0..3 {
            sender.send(Ok(TEXT.as_str().into())).await.unwrap();
        }
        sender.send(Err(BodyError::Cut("reset".into()))).await.unwrap();
    };
    let (got, ()) = tokio::join!(world.get_with("/a", &GZIP), writing);
    assert_eq!((got.whole, got.header("content-encoding")), (false, "gzip"));
    // What did come has no end, by which a viewer could take it for the whole.
    let mut some = Vec::new();
    let mut decoder = flate2::read::GzDecoder::new(&got.bytes[..]);
    assert!(std::io::Read::read_to_end(&mut decoder, &mut some).is_err());
    is_text(&world.get_with("/a", &GZIP).await, "gzip", "Miss");
    world.origin.was_asked(2);
}

#[tokio::test(start_paused = true)]
async fn a_viewer_that_leaves_with_the_last_byte_leaves_a_copy_and_one_that_leaves_before_does_not()
{
    let world = World::with(compresses);
    let (given_up, sender) = growing();
    world.origin.answers([given_up, page()]);
    let reply = world.engine.handle(asked(Method::GET, "/a", &BR)).await;
    sender.send(Ok(TEXT.as_str().into())).await.unwrap();
    drop(reply);
    world.passes(secs(1)).await;
    assert!(sender.is_closed());
    let reply = world.engine.handle(asked(Method::GET, "/a", &BR)).await;
    world.passes(secs(1)).await;
    drop(reply);
    is_text(&world.get_with("/a", &BR).await, "br", "Hit");
}

/// Noise, so that what goes out is as much as what comes in.
fn noise(bytes: usize) -> Bytes {
    let mut seed = 1_u64;
    let next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        seed.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(bytes).collect()
}

#[tokio::test(start_paused = true)]
async fn a_viewer_that_does_not_read_holds_up_the_origin_where_nothing_is_kept() {
    const PIECES: usize = 60;
    let world = World::with(compresses);
    let (answer, sender) = growing();
    world.origin.answers([answer.cached("no-store")]);
    let piece = noise(64 << 10);
    let sent = Arc::new(AtomicUsize::new(0));
    let reply = world.engine.handle(asked(Method::GET, "/a", &GZIP)).await;
    let writing = tokio::spawn({
        let (piece, sent) = (piece.clone(), sent.clone());
        async move {
            for _ in 0..PIECES {
                sender.send(Ok(piece.clone())).await.unwrap();
                sent.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    world.passes(secs(5)).await;
    let ahead = sent.load(Ordering::Relaxed);
    assert!((1..PIECES / 2).contains(&ahead), "{ahead}");
    assert!(world.engine.flights.filling() < 1 << 20);
    let got = collect(reply).await;
    writing.await.unwrap();
    assert!(decoded("gzip", &got.bytes) == piece.repeat(PIECES));
}

#[tokio::test(start_paused = true)]
async fn what_the_origin_confirms_stays_in_its_coding() {
    let world = World::with(compresses);
    let confirmed = |tag| {
        let not_modified = status(304, "").with("content-md5", "x").with("vary", "Accept-Encoding");
        not_modified.with("etag", tag)
    };
    world.origin.answers([page(), confirmed("\"1\""), confirmed("W/\"1\"")]);
    let first = world.get_with("/a", &BR).await;
    is_text(&first, "br", "Miss");
    for _ in 0..2 {
        world.passes(secs(61)).await;
        let got = world.get_with("/a", &BR).await;
        is_text(&got, "br", "RefreshHit");
        assert_eq!(world.origin.last().headers["if-none-match"], "W/\"1\"");
        assert!(!got.headers.contains_key("content-md5"));
        is_text(&world.get_with("/a", &BR).await, "br", "Hit");
    }
    world.origin.was_asked(3);
}

/// Developer guide: content that is already cached when compression is configured.
#[tokio::test(start_paused = true)]
async fn a_plain_copy_stays_plain_until_the_origin_sends_another() {
    let world = World::with(|plan| {
        compresses(plan);
        plan.behaviours[0].compress = false;
    });
    world.origin.answers([page(), status(304, "").with("etag", "\"1\""), page()]);
    is_plain(&world.get_with("/a", &BR).await, "Miss");
    let mut plan = crate::testing::plan();
    compresses(&mut plan);
    world.publish(&plan);
    is_plain(&world.get_with("/a", &BR).await, "Hit");
    world.passes(secs(61)).await;
    is_plain(&world.get_with("/a", &BR).await, "RefreshHit");
    world.invalidate(&["/a"]);
    is_text(&world.get_with("/a", &BR).await, "br", "Miss");
}

#[tokio::test(start_paused = true)]
async fn viewers_ask_about_the_compressed_copy_by_its_weak_tag() {
    let world = World::with(compresses);
    world.origin.answers([page()]);
    is_text(&world.get_with("/a", &BR).await, "br", "Miss");
    for (name, tag, expected) in [
        ("if-none-match", "W/\"1\"", 304),
        ("if-none-match", "\"1\"", 304),
        ("if-none-match", "\"2\"", 200),
        ("if-match", "\"1\"", 412),
        ("if-match", "W/\"1\"", 412),
    ] {
        let got = world.get_with("/a", &[BR[0], (name, tag)]).await;
        assert_eq!((got.status, got.header("etag")), (expected, "W/\"1\""), "{name}: {tag}");
        assert_eq!(got.header("vary"), "Accept-Encoding");
    }
    world.origin.was_asked(1);
}

/// Developer guide, range GETs: of a compressed object, bytes are counted as they are held.
#[tokio::test(start_paused = true)]
async fn parts_of_a_compressed_copy_are_counted_in_its_own_bytes() {
    let world = World::with(compresses);
    world.origin.answers([page()]);
    let whole = world.get_with("/a", &BR).await.bytes;
    let length = whole.len();
    let part = world.get_with("/a", &[BR[0], ("range", "bytes=100-199")]).await;
    assert_eq!((part.status, part.header("content-encoding")), (206, "br"));
    assert_eq!(part.header("content-range"), format!("bytes 100-199/{length}"));
    assert_eq!(part.bytes, whole[100..200]);
    let beyond = [BR[0], ("range", &format!("bytes={length}-"))];
    assert_eq!(world.get_with("/a", &beyond).await.status, 416);
    // A weak tag says nothing of bytes (RFC 9110 §13.1.5).
    let resumed = [BR[0], ("range", "bytes=100-199"), ("if-range", "W/\"1\"")];
    is_text(&world.get_with("/a", &resumed).await, "br", "Hit");
    world.origin.was_asked(1);
}

/// Developer guide: CloudFront skips compression under load, and goes on with the plain copy.
#[tokio::test(start_paused = true)]
async fn beyond_what_can_be_compressed_at_once_copies_are_plain() {
    let world = World::with(compresses);
    world.origin.answers([page(), page()]);
    let busy: Vec<_> =
        std::iter::from_fn(|| world.engine.encoders.begin(Coding::Gzip, 1000)).collect();
    is_plain(&world.get_with("/a", &BR).await, "Miss");
    drop(busy);
    is_plain(&world.get_with("/a", &BR).await, "Hit");
    is_text(&world.get_with("/b", &BR).await, "br", "Miss");
}

#[tokio::test(start_paused = true)]
async fn under_the_standard_the_normalised_coding_is_all_that_vary_tells_apart() {
    let world = World::with(|plan| {
        compresses(plan);
        plan.behaviours[0].cache.law = Law::Http;
    });
    let varied = || page().cached("max-age=60").with("vary", "Accept-Encoding");
    let good = status(304, "").with("etag", "\"1\"").cached("max-age=60");
    world.origin.answers([varied(), good, varied()]);
    let (one, other) = ([("accept-encoding", "br, gzip")], [("accept-encoding", "gzip,br;q=1")]);
    is_text(&world.get_with("/a", &one).await, "br", "Miss");
    is_text(&world.get_with("/a", &other).await, "br", "Hit");
    world.passes(secs(61)).await;
    is_text(&world.get_with("/a", &one).await, "br", "RefreshHit");
    is_text(&world.get_with("/a", &other).await, "br", "Hit");
    is_text(&world.get_with("/a", &GZIP).await, "gzip", "Miss");
    world.origin.was_asked(3);
}
