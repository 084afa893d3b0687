//! Fifty callers, one question.

use crate::testing::{
    Got, World, error, ok, secs, streaming,
    world::{asked, collect},
};
use bytes::Bytes;
use futures::{StreamExt as _, future::join_all};
use http::Method;
use model::units::Seconds;
use ports::origin::OriginError;
use std::sync::atomic::Ordering;

fn count(all: &[Got], cache: &str) -> usize {
    all.iter().filter(|got| got.cache() == cache).count()
}

#[tokio::test(start_paused = true)]
async fn fifty_viewers_of_one_object_ask_the_origin_once() {
    let world = World::new();
    world.origin.answers([ok("v1").after(secs(1))]);
    let all = world.gets(50, "/a").await;
    assert!(all.iter().all(|got| got.status == 200 && got.body == "v1"));
    assert_eq!((count(&all, "Miss"), count(&all, "Hit")), (1, 49));
    world.origin.was_asked(1);
}

#[tokio::test(start_paused = true)]
async fn the_first_byte_goes_to_all_before_the_last_has_come() {
    let world = World::new();
    let (answer, sender) = streaming();
    world.origin.answers([answer]);
    let replies = join_all((0..3).map(|_| world.open("/a"))).await;
    sender.send(Ok(Bytes::from("first"))).await.unwrap();
    let mut bodies = Vec::new();
    for reply in replies {
        let crate::asked::ReplyBody::Stream { mut body, .. } = reply.body else {
            panic!("not a stream");
        };
        assert_eq!(body.next().await.unwrap().unwrap(), "first");
        bodies.push(body);
    }
    // One who comes late reads from the first byte too.
    let late = world.open("/a").await;
    sender.send(Ok(Bytes::from("last"))).await.unwrap();
    drop(sender);
    for mut body in bodies {
        assert_eq!(body.next().await.unwrap().unwrap(), "last");
        assert!(body.next().await.is_none());
    }
    collect(late).await.is(200, "firstlast", "Hit");
    world.get("/a").await.is(200, "firstlast", "Hit");
    world.origin.was_asked(1);
}

#[tokio::test(start_paused = true)]
async fn when_the_answer_is_for_one_only_each_of_the_others_asks_at_once() {
    let world = World::new();
    let private = |body| ok(body).cached("private").after(secs(1));
    world.origin.answers([private("1"), private("2"), private("3")]);
    let started = tokio::time::Instant::now();
    let mut bodies: Vec<String> =
        world.gets(3, "/a").await.into_iter().map(|got| got.body).collect();
    bodies.sort();
    assert_eq!(bodies, ["1", "2", "3"]);
    // One after the other would have taken three.
    assert_eq!(started.elapsed().as_secs(), 2);
}

/// Once that is known, nobody queues again; until an answer is for everybody, or for two minutes.
#[tokio::test(start_paused = true)]
async fn a_key_whose_answers_are_for_one_only_is_remembered_for_a_while() {
    let world = World::new();
    let took = async |seconds: u64| {
        let started = tokio::time::Instant::now();
        world.gets(3, "/a").await;
        assert_eq!(started.elapsed().as_secs(), seconds);
    };
    let private = || ok("v").cached("private").after(secs(1));
    world.origin.answers((0..11).map(|_| private()));
    took(2).await;
    took(1).await;
    world.passes(secs(121)).await;
    took(2).await;
    world.get("/a").await;
    world.get("/a").await;
    world.origin.was_asked(11);
    world.origin.answers([ok("for all").cached("max-age=10").after(secs(1))]);
    world.get("/a").await.is(200, "for all", "Miss");
    world.passes(secs(60)).await;
    world.origin.answers([ok("again").after(secs(1))]);
    took(1).await;
    world.origin.was_asked(13);
}

#[tokio::test(start_paused = true)]
async fn the_viewer_who_asked_first_may_leave_without_harm_to_the_others() {
    let world = World::new();
    world.origin.answers([ok("v1").after(secs(5))]);
    let leaver = {
        let engine = world.engine.clone();
        tokio::spawn(async move { engine.handle(asked(Method::GET, "/a", &[])).await.status })
    };
    world.passes(secs(1)).await;
    let (got, ()) = tokio::join!(world.get("/a"), async { leaver.abort() });
    got.is(200, "v1", "Hit");
    world.origin.was_asked(1);
    world.get("/a").await.is(200, "v1", "Hit");
}

#[tokio::test(start_paused = true)]
async fn when_every_viewer_leaves_nothing_is_kept() {
    let world = World::new();
    let (answer, sender) = streaming();
    world.origin.answers([answer, ok("again")]);
    let reply = world.open("/a").await;
    sender.send(Ok(Bytes::from("half"))).await.unwrap();
    drop(reply);
    sender.closed().await; // the exchange with the origin has ended
    world.get("/a").await.is(200, "again", "Miss");
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_told_to_all_who_waited() {
    let world = World::new();
    world.origin.answers([error(OriginError::Connect("no".into())).after(secs(1))]);
    let all = world.gets(10, "/a").await;
    assert!(all.iter().all(|got| got.status == 502), "{all:?}");
    world.origin.was_asked(1);
}

#[tokio::test(start_paused = true)]
async fn without_lifetimes_nobody_waits_for_anybody() {
    let world = World::with(|plan| {
        let ttl = &mut plan.behaviours[0].cache.ttl;
        (ttl.default, ttl.max) = (Some(Seconds(0)), Seconds(0));
    });
    world.origin.answers((0..5).map(|_| ok("x").after(secs(1))));
    let all = world.gets(5, "/a").await;
    assert_eq!(count(&all, "Miss"), 5);
    world.origin.was_asked(5);
}

#[tokio::test(start_paused = true)]
async fn a_body_too_long_to_keep_passes_through_a_window_and_makes_the_origin_wait() {
    let world = World::sized(4 << 20, |_| {});
    let longest = world.engine.store.longest();
    let (answer, sender) = streaming();
    world.origin.answers([answer]);
    let reply = world.open("/big").await;
    let crate::asked::ReplyBody::Stream { mut body, .. } = reply.body else {
        panic!("not a stream");
    };
    let piece = Bytes::from(vec![7_u8; 64 << 10]);
    let sending = tokio::spawn({
        let piece = piece.clone();
        async move {
            for _ in 0..1024 {
                sender.send(Ok(piece.clone())).await.unwrap();
            }
        }
    });
    world.passes(secs(1)).await;
    assert!(!sending.is_finished());
    let held = world.engine.flights.filling();
    let most = longest.max(crate::growing::WINDOW) + (256 << 10);
    assert!(held <= most, "{held} > {most}");
    let mut got = 0;
    while let Some(piece) = body.next().await {
        got += piece.unwrap().len();
    }
    assert_eq!(got, 64 << 20);
    sending.await.unwrap();
    assert_eq!(world.engine.flights.filling(), 0);
    assert_eq!(world.engine.store.fill().entries, 0);
}

/// A body in crumbs costs more than its bytes: it is let go of as if it were too long.
#[tokio::test(start_paused = true)]
async fn a_body_in_crumbs_is_counted_for_what_it_costs() {
    let world = World::sized(1 << 20, |_| {});
    let crumbs = world.engine.store.longest() / crate::growing::PIECE + 1;
    let (answer, sender) = streaming();
    world.origin.answers([answer]);
    let sending = async move {
        for _ in 0..crumbs {
            sender.send(Ok(Bytes::from_static(b"x"))).await.unwrap();
        }
        drop(sender);
    };
    let (got, ()) = tokio::join!(world.get("/a"), sending);
    assert_eq!((got.body.len() as u64, got.whole), (crumbs, true));
    assert_eq!(world.engine.store.fill().entries, 0);
}

#[tokio::test(start_paused = true)]
async fn an_announced_length_beyond_the_store_is_never_collected() {
    let world = World::sized(1 << 20, |_| {});
    let (answer, sender) = streaming();
    world.origin.answers([answer.with("content-length", "5000000000")]);
    let reply = world.open("/big").await;
    assert_eq!(reply.body.length(), Some(5_000_000_000));
    let sending = tokio::spawn(async move {
        let piece = Bytes::from(vec![7_u8; 1 << 20]);
        let mut sent = 0_u64;
        while sender.send(Ok(piece.clone())).await.is_ok() {
            sent += 1;
        }
        sent
    });
    world.passes(secs(1)).await;
    assert!(world.engine.flights.filling() <= crate::growing::WINDOW + (1 << 20));
    drop(reply);
    assert!(sending.await.unwrap() < 10);
}

#[tokio::test(start_paused = true)]
async fn a_bodys_copies_remember_which_bans_they_were_asked_under() {
    let world = World::new();
    world.invalidate(&["/other"]);
    world.origin.answers([ok("v1")]);
    world.get("/a").await.is(200, "v1", "Miss");
    let latest = world.engine.bans.latest();
    let keyed = {
        let known = world.engine.current.load_full();
        let asked = asked(Method::GET, "/a", &[]);
        let (routed, _) =
            crate::pipeline::route::behaviour(&known, &world.engine.names, "id", asked).unwrap();
        let viewed = crate::pipeline::viewer::see(&*world.engine.locator, routed);
        crate::pipeline::key::derive(viewed)
    };
    let found =
        crate::pipeline::lookup::find(&*world.engine.store, &world.engine.bans, keyed).await;
    let stored = found.stored.unwrap();
    assert_eq!(stored.bans_checked.load(Ordering::Relaxed), latest);
}

#[tokio::test(start_paused = true)]
async fn when_the_one_who_asks_dies_nobody_hangs_and_the_others_ask_themselves() {
    let world = World::new();
    world.origin.answers([ok("").after(secs(1)).kills(), ok("v1"), ok("v1")]);
    let all = world.gets(3, "/a").await;
    let served = all.iter().filter(|got| got.status == 200 && got.body == "v1");
    assert_eq!(served.count(), 2, "{all:?}");
    assert_eq!(all.iter().filter(|got| got.status == 503).count(), 1);
    world.get("/a").await.is(200, "v1", "Hit");
}

mod simulation {
    //! Seeds instead of schedules: pieces, readers that come, read and leave, and the moment when
    //! the body turns out too long, in any order.

    use crate::growing::{Budget, Growing, Reader};
    use bytes::Bytes;
    use futures::FutureExt as _;
    use proptest::prelude::*;
    use std::sync::Arc;

    #[derive(Clone, Debug)]
    enum Step {
        Push(usize),
        Join,
        Read(usize),
        Leave(usize),
        Window,
    }

    struct Seen {
        reader: Reader,
        bytes: Vec<u8>,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            4 => (1_usize..300_000).prop_map(Step::Push),
            2 => Just(Step::Join),
            6 => any::<usize>().prop_map(Step::Read),
            1 => any::<usize>().prop_map(Step::Leave),
            1 => Just(Step::Window),
        ];
        proptest::collection::vec(step, 1..60)
    }

    fn run(steps: Vec<Step>) {
        let budget = Budget::new(u64::MAX);
        let growing = Growing::new(budget.clone());
        growing.needs_no_reader();
        let (mut sent, mut readers, mut kept) = (Vec::new(), Vec::new(), true);
        for step in steps {
            match step {
                Step::Push(length) => push(&growing, length, &mut sent),
                Step::Join => join(&growing, &mut readers, kept),
                Step::Read(which) => read(&mut readers, which),
                Step::Leave(which) if !readers.is_empty() => {
                    drop(readers.swap_remove(which % readers.len()));
                }
                Step::Leave(_) => {}
                Step::Window => {
                    growing.open_window();
                    kept = false;
                }
            }
        }
        growing.end(Ok(()));
        for mut seen in readers {
            while let Some(piece) = seen.reader.next().now_or_never().unwrap() {
                seen.bytes.extend_from_slice(&piece.unwrap());
            }
            assert!(seen.bytes == sent, "{} of {}", seen.bytes.len(), sent.len());
        }
        let whole = growing.whole().map(|pieces| pieces.concat());
        assert_eq!(whole, kept.then_some(sent));
        drop(growing);
        assert_eq!(budget.held(), 0);
    }

    /// What does not fit into the window now is not sent.
    fn push(growing: &Arc<Growing>, length: usize, sent: &mut Vec<u8>) {
        let mark = u8::try_from(sent.len() % 251).unwrap();
        let piece = Bytes::from(vec![mark; length]);
        if growing.push(piece.clone()).now_or_never().is_some() {
            sent.extend_from_slice(&piece);
        }
    }

    fn join(growing: &Arc<Growing>, readers: &mut Vec<Seen>, kept: bool) {
        let reader = growing.join();
        assert_eq!(reader.is_some(), kept);
        readers.extend(reader.map(|reader| Seen { reader, bytes: Vec::new() }));
    }

    fn read(readers: &mut [Seen], which: usize) {
        if readers.is_empty() {
            return;
        }
        let which = which % readers.len();
        let seen = &mut readers[which];
        if let Some(piece) = seen.reader.next().now_or_never() {
            seen.bytes.extend_from_slice(&piece.unwrap().unwrap());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn every_reader_sees_what_was_sent_and_nothing_stays_held(steps in steps()) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            runtime.block_on(async { run(steps) });
        }
    }
}
