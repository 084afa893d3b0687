//! The quick path beside the slow one: whoever answers, the viewer gets the same.

use super::{Worker, serve};
use crate::{
    pipeline::Engine,
    serve::{
        h1::{self, HEAD_TIMEOUT, KEEP_ALIVE},
        io::{Link, Watched},
        turns::Turns,
    },
    testing::{World, behaviour, ok, origin::Answer, plan, status, streaming},
};
use actix_service::{Service as _, ServiceFactory as _, fn_service};
use kit::drain::{self, Stopper};
use model::plan::{CachePolicy, Cors, Law, Plan, ResponseHeaders, SetHeader, Ttl};
use model::units::Seconds;
use proptest::prelude::*;
use std::{cell::Cell, rc::Rc, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream},
    runtime,
    task::LocalSet,
    time::Instant,
};

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Quick,
    Slow,
}

/// What came of a connection.
struct Talk {
    answer: Vec<u8>,
    /// How often the server library had it.
    handed_up: usize,
    /// How often the engine was asked without it.
    put: usize,
}

/// Who had a connection, how often.
#[derive(Clone, Default)]
struct Had {
    ups: Rc<Cell<usize>>,
    worker: Option<Rc<Worker>>,
}

impl Had {
    fn ups(&self) -> usize {
        self.ups.get()
    }

    fn put(&self) -> usize {
        self.worker.as_ref().map_or(0, |worker| worker.exchanges.get())
    }
}

/// An edge in this thread, to which one connects without sockets.
struct Here {
    engine: Arc<Engine>,
    stopper: Stopper,
    drain: drain::Drain,
}

impl Here {
    fn new(world: &World) -> Self {
        let (stopper, drain) = drain::channel();
        Self { engine: world.engine.clone(), stopper, drain }
    }

    /// A new connection: the viewer's end, and what counts the exchanges of the server library.
    async fn connect(&self, way: Way) -> (DuplexStream, Had) {
        let (viewer, ours) = tokio::io::duplex(1 << 20);
        let link = Link { peer: "192.0.2.1:4711".parse().unwrap(), tls: None };
        let io = Watched::new(ours, link, self.engine.opened("http"));
        let h1 = Rc::new(h1::service(&self.engine, &self.drain).new_service(()).await.unwrap());
        let mut had = Had::default();
        if way == Way::Slow {
            tokio::task::spawn_local(async move { h1.call((Turns::new(io), None)).await });
            return (viewer, had);
        }
        let counting = had.ups.clone();
        let up = fn_service(move |exchange| {
            counting.set(counting.get() + 1);
            let h1 = h1.clone();
            async move { h1.call(exchange).await }
        });
        let worker = Worker::new(&self.engine, &self.drain);
        had.worker = Some(worker.clone());
        tokio::task::spawn_local(async move { serve(&worker, io, &up).await });
        (viewer, had)
    }

    /// Says these pieces one after the other, hangs up, and reads to the end.
    async fn talk(&self, way: Way, pieces: &[&[u8]]) -> Talk {
        let (mut viewer, had) = self.connect(way).await;
        for piece in pieces {
            let _ = viewer.write_all(piece).await;
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
        }
        let _ = viewer.shutdown().await;
        let mut answer = Vec::new();
        let _ = viewer.read_to_end(&mut answer).await;
        Talk { answer, handed_up: had.ups(), put: had.put() }
    }
}

/// Runs a test on one thread, in which time stands still.
fn run<F: Future>(test: F) -> F::Output {
    let runtime =
        runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    LocalSet::new().block_on(&runtime, test)
}

/// A world that holds what these paths lead to, when there is nothing more to be fetched.
async fn holding(change: impl FnOnce(&mut Plan), held: Vec<(&str, Answer)>) -> World {
    let world = World::with(change);
    for (path, answer) in held {
        world.origin.answers([answer]);
        world.get(path).await;
    }
    world
}

/// An answer without what differs from request to request, heads in a fixed order.
fn comparable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let ids = text
        .match_indices("x-amz-cf-id: ")
        .filter_map(|(at, name)| text.get(at + name.len()..at + name.len() + 56));
    let text = ids.fold(text.clone(), |text, id| text.replace(id, "ID"));
    let mut same = String::new();
    for part in text.split_inclusive("\r\n\r\n") {
        let Some(begins) = part.find("HTTP/1.") else {
            same.push_str(part);
            continue;
        };
        let (before, head) = part.split_at(begins);
        let is_ours = head.contains("x-cache: ");
        let mut lines: Vec<&str> = head.lines().filter(|line| !line.is_empty()).collect();
        // The server library's own errors have its own date, and say of version and connection what
        // they were at the request before.
        lines.retain(|line| {
            is_ours || !["date: ", "connection: "].iter().any(|name| line.starts_with(name))
        });
        if let Some(first) = lines.first_mut().filter(|_| !is_ours) {
            *first = first.trim_start_matches("HTTP/1.0").trim_start_matches("HTTP/1.1");
        }
        if let Some((_, rest)) = lines.split_first_mut() {
            rest.sort_unstable();
        }
        same.push_str(before);
        same.push_str(&lines.join("\n"));
        same.push_str("\n\n");
    }
    same
}

const GET: &[u8] = b"GET /a HTTP/1.1\r\nHost: d1.test\r\n\r\n";
const GONE: &[u8] = b"GET /gone HTTP/1.1\r\nHost: d1.test\r\n\r\n";

/// Both ways, on worlds of the same history.
async fn both(
    change: impl Fn(&mut Plan),
    held: impl Fn() -> Vec<(&'static str, Answer)>,
    pieces: &[&[u8]],
) -> (Talk, Talk) {
    let (one, other) = (holding(&change, held()).await, holding(&change, held()).await);
    let quick = Here::new(&one).talk(Way::Quick, pieces).await;
    (quick, Here::new(&other).talk(Way::Slow, pieces).await)
}

fn same(quick: &Talk, slow: &Talk, why: &str) {
    assert_eq!(comparable(&quick.answer), comparable(&slow.answer), "{why}");
}

#[test]
fn a_plain_hit_needs_no_server_library() {
    run(async {
        let held = || vec![("/a", ok("abc").with("etag", "\"1\"").with("x-own", "mine"))];
        let of_head = b"HEAD /a HTTP/1.1\r\nhost: D1.test:80\r\nConnection: Keep-Alive\r\n\r\n";
        let (quick, slow) = both(|_| {}, held, &[GET, of_head, GET]).await;
        same(&quick, &slow, "");
        assert_eq!((quick.handed_up, quick.put), (0, 0));
        let text = String::from_utf8(quick.answer).unwrap();
        assert_eq!(text.matches("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n").count(), 3, "{text}");
        assert_eq!(text.matches("x-cache: Hit from nearfront\r\n").count(), 3);
        assert_eq!(text.matches("\r\n\r\nabc").count(), 2);
    });
}

/// Whatever is stored and whatever the policy makes of it.
#[test]
fn heads_are_those_of_the_slow_path_field_by_field() {
    let answers: [fn() -> Answer; 9] = [
        || ok("abc"),
        || ok("").with("x-a", ""),
        || ok("abc").with("date", "Sun, 06 Nov 1994 08:49:37 GMT").with("server", "theirs"),
        || ok("abc").with("age", "7").with("via", "1.0 theirs").with("cache-status", "theirs; hit"),
        || ok("abc").with("x-two", "1").with("x-two", "2").with("vary", "accept-encoding"),
        || ok("abc").with("content-type", "multipart/byteranges; boundary=x").with("x-both", "t"),
        || ok("abc").with("content-type", &format!("text/plain; x={}", "y".repeat(300))),
        || {
            ok("abc")
                .with("access-control-allow-origin", "https://a.example")
                .with("x-frame-options", "DENY")
        },
        || {
            status(301, "")
                .with("location", "/elsewhere")
                .with("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT")
        },
    ];
    for policy in policies() {
        for answer in answers {
            run(async {
                let change =
                    |plan: &mut Plan| plan.behaviours[0].response_headers.clone_from(&policy);
                let held = || vec![("/a", answer().cached("max-age=30"))];
                let asks: [&[u8]; 3] = [
                    GET,
                    b"GET /a HTTP/1.1\r\nHost: d1.test\r\nOrigin: https://a.example\r\n\r\n",
                    b"GET /a HTTP/1.1\r\nHost: d1.test\r\nCookie: a=b\r\nAccept: */*\r\nPragma: server-timing\r\n\r\n",
                ];
                let (quick, slow) = both(change, held, &asks).await;
                same(&quick, &slow, &format!("{policy:?}"));
            });
        }
    }
}

fn policies() -> Vec<Option<ResponseHeaders>> {
    let set = |name: &str, value: &str, replace| SetHeader {
        name: name.into(),
        value: value.into(),
        replace,
    };
    let cors = |credentials, replace| Cors {
        allow_origins: vec!["https://a.example".into(), "*.example.org".into()],
        allow_headers: vec!["*".into()],
        allow_methods: vec!["GET".into()],
        expose_headers: vec!["x-own".into()],
        allow_credentials: credentials,
        max_age: Some(Seconds(5)),
        replace,
    };
    vec![
        None,
        Some(ResponseHeaders {
            remove: vec!["server".into(), "x-both".into(), "etag".into()],
            set: vec![
                set("x-both", "ours", false),
                set("x-frame-options", "SAMEORIGIN", true),
                set("content-type", "text/ours", true),
                set("x-two", "ours", false),
            ],
            ..ResponseHeaders::default()
        }),
        Some(ResponseHeaders { cors: Some(cors(true, true)), ..ResponseHeaders::default() }),
        Some(ResponseHeaders { cors: Some(cors(false, false)), ..ResponseHeaders::default() }),
        Some(ResponseHeaders { server_timing: Some(0), ..ResponseHeaders::default() }),
    ]
}

#[test]
fn what_a_behaviour_asks_decides_quickly_too() {
    type Change = fn(&mut Plan);
    let changes: [(Change, usize); 7] = [
        (|_| {}, 0),
        (|plan| plan.behaviours[0].cache.headers = vec!["x-k".into(), "user-agent".into()], 0),
        (|plan| plan.behaviours[0].cache.cookies = model::plan::Selection::All, 0),
        (|plan| (plan.behaviours[0].cache.gzip, plan.behaviours[0].cache.brotli) = (true, true), 0),
        (|plan| plan.default_root_object = Some("a".into()), 0),
        (|plan| plan.enabled = false, 2),
        (|plan| plan.behaviours[0].viewer_protocol = model::plan::ViewerProtocol::HttpsOnly, 2),
    ];
    for (number, (change, up)) in changes.into_iter().enumerate() {
        run(async {
            let asks: [&[u8]; 2] = [
                b"GET /a?b=1&c HTTP/1.1\r\nHost: d1.test\r\nUser-Agent: u\r\n\r\n",
                b"GET / HTTP/1.1\r\nHost: d1.test\r\nX-K: 1\r\nCookie: a=1\r\nAccept-Encoding: br\r\n\r\n",
            ];
            let talk = |way| async move {
                let world = World::with(change);
                world.origin.answers((0..4).map(|_| ok("abc")));
                // Once to have both fetched, and once more.
                let here = Here::new(&world);
                let first = here.talk(way, &asks).await;
                (first, here.talk(way, &asks).await)
            };
            let (quick, slow) = (talk(Way::Quick).await, talk(Way::Slow).await);
            same(&quick.0, &slow.0, "first");
            same(&quick.1, &slow.1, "second");
            assert_eq!((quick.0.put, quick.1.put, quick.1.handed_up), (2, up, 0), "{number}");
        });
    }
}

#[test]
fn after_something_else_the_connection_is_quick_again() {
    run(async {
        let post = b"POST /p HTTP/1.1\r\nHost: d1.test\r\nContent-Length: 3\r\n\r\nabc";
        let range = b"GET /a HTTP/1.1\r\nHost: d1.test\r\nRange: bytes=1-1\r\n\r\n";
        let chunked = b"PUT /p HTTP/1.1\r\nHost: d1.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        let together = [GET, post, GET, range, GET, GET, chunked, GET, GONE, GET].concat();
        let (quick, slow) = both(|_| {}, || vec![("/a", ok("abc"))], &[&together]).await;
        same(&quick, &slow, "");
        assert_eq!((quick.handed_up, quick.put), (2, 2));
        assert_eq!(String::from_utf8_lossy(&quick.answer).matches("HTTP/1.1 ").count(), 10);
    });
}

/// What the server library closes stays closed.
#[test]
fn a_connection_that_is_to_end_ends() {
    for last in [
        "GET /a HTTP/1.1\r\nHost: d1.test\r\nConnection: close\r\n\r\n",
        "GET /a HTTP/1.0\r\nHost: d1.test\r\n\r\n",
        "GET /a HTTP/1.1\r\nHost: a@b\r\n\r\n",
        "GET /a HTTP/1.1\r\nHost : d1.test\r\n\r\n",
        "GET /a HTTP/1.1\nHost: d1.test\nConnection: close\n\n",
        "POST /a HTTP/1.1\r\nHost: d1.test\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n",
    ] {
        run(async {
            let asks = [GET, last.as_bytes(), GET].concat();
            let (quick, slow) = both(|_| {}, || vec![("/a", ok("abc"))], &[&asks]).await;
            same(&quick, &slow, last);
            let answers = String::from_utf8_lossy(&quick.answer).matches("HTTP/1.").count();
            assert_eq!(answers, 2, "{last}");
        });
    }
}

#[test]
fn bodies_of_any_length_arrive_whole_and_in_order() {
    run(async {
        let lengths = [0, 1, 16 << 10, (16 << 10) + 1, 100_000, 1 << 20];
        let bodies: Vec<&'static str> = lengths
            .iter()
            .map(|length| &*Box::leak("x".repeat(*length).into_boxed_str()))
            .collect();
        let paths = ["/0", "/1", "/2", "/3", "/4", "/5"];
        let world = World::new();
        for (path, body) in paths.iter().zip(&bodies) {
            world.origin.answers([ok(body)]);
            world.get(path).await;
        }
        let ask = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: d1.test\r\n\r\n");
        let asks: String = paths.iter().chain(paths.iter().rev()).map(|path| ask(path)).collect();
        let here = Here::new(&world);
        let (mut viewer, had) = here.connect(Way::Quick).await;
        let reading = async {
            let (mut viewer, mut writer) = tokio::io::split(&mut viewer);
            writer.write_all(asks.as_bytes()).await.unwrap();
            writer.shutdown().await.unwrap();
            let mut answer = Vec::new();
            viewer.read_to_end(&mut answer).await.unwrap();
            answer
        };
        let answer = String::from_utf8(reading.await).unwrap();
        let got: Vec<usize> = answer
            .split("HTTP/1.1 200 OK\r\n")
            .skip(1)
            .map(|one| one.split_once("\r\n\r\n").unwrap().1.len())
            .collect();
        let expected: Vec<usize> = lengths.iter().chain(lengths.iter().rev()).copied().collect();
        assert_eq!(got, expected);
        assert_eq!(had.put(), 0);
    });
}

#[test]
fn a_change_of_plan_and_an_invalidation_count_at_once() {
    run(async {
        let world = holding(|_| {}, vec![("/a", ok("one"))]).await;
        let here = Here::new(&world);
        let (mut viewer, had) = here.connect(Way::Quick).await;
        let mut ask = async |world: &World| {
            let _ = world;
            viewer.write_all(GET).await.unwrap();
            let mut answer = vec![0; 64 << 10];
            let length = viewer.read(&mut answer).await.unwrap();
            String::from_utf8(answer[..length].to_vec()).unwrap()
        };
        assert!(ask(&world).await.ends_with("one"));
        let mut changed = plan();
        let set = SetHeader { name: "x-new".into(), value: "1".into(), replace: true };
        changed.behaviours[0].response_headers =
            Some(ResponseHeaders { set: vec![set], ..ResponseHeaders::default() });
        world.publish(&changed);
        let answer = ask(&world).await;
        assert!(answer.contains("x-new: 1\r\n") && answer.contains("Hit from"), "{answer}");
        assert_eq!(had.put(), 0);
        world.invalidate(&["/other"]);
        assert!(ask(&world).await.contains("Hit from"));
        assert_eq!(had.put(), 1); // it was looked at, and spared
        assert!(ask(&world).await.contains("Hit from"));
        assert_eq!(had.put(), 1);
        world.invalidate(&["/a"]);
        world.origin.answers([ok("two")]);
        let answer = ask(&world).await;
        assert!(answer.ends_with("two") && answer.contains("Miss from"), "{answer}");
        changed.enabled = false;
        world.publish(&changed);
        assert!(ask(&world).await.starts_with("HTTP/1.1 403"));
    });
}

/// RFC 9111 §5.2.1: under that law viewers have a say.
#[test]
fn what_the_law_of_http_heeds_is_heeded() {
    let law = |plan: &mut Plan| {
        let cache = &mut plan.behaviours[0].cache;
        *cache = CachePolicy {
            law: Law::Http,
            ttl: Ttl { min: Seconds(0), default: None, max: Seconds(3600) },
            ..behaviour("*").cache
        };
    };
    run(async {
        let held = || vec![("/a", ok("abc").cached("max-age=60").with("vary", "x-v"))];
        for line in ["Accept: */*", "Cache-Control: no-cache", "Pragma: no-cache", "X-V: 1"] {
            let ask = format!("GET /a HTTP/1.1\r\nHost: d1.test\r\n{line}\r\n\r\n");
            let (quick, slow) = both(law, held, &[ask.as_bytes()]).await;
            same(&quick, &slow, line);
        }
    });
}

#[test]
fn a_head_that_does_not_end_is_answered_with_408() {
    for (way, said) in
        [(Way::Quick, &b"GET /a HT"[..]), (Way::Quick, b""), (Way::Slow, b"GET /a HT")]
    {
        run(async {
            let world = holding(|_| {}, vec![("/a", ok("abc"))]).await;
            let here = Here::new(&world);
            let (mut viewer, _) = here.connect(way).await;
            let began = Instant::now();
            viewer.write_all(said).await.unwrap();
            let mut answer = String::new();
            viewer.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{way:?} {answer}");
            let took = began.elapsed();
            assert!(
                took >= HEAD_TIMEOUT && took <= HEAD_TIMEOUT + Duration::from_secs(4),
                "{took:?}"
            );
        });
    }
}

/// Also one that begins right behind a request that was the server library's.
#[test]
fn a_head_that_was_begun_behind_a_body_has_no_more_time_than_another() {
    run(async {
        let world = holding(|_| {}, vec![("/a", ok("abc"))]).await;
        let here = Here::new(&world);
        let (mut viewer, had) = here.connect(Way::Quick).await;
        let began = Instant::now();
        let post = b"POST /a HTTP/1.1\r\nHost: d1.test\r\nContent-Length: 3\r\n\r\nabcGET /a HT";
        viewer.write_all(post).await.unwrap();
        let mut answer = String::new();
        viewer.read_to_string(&mut answer).await.unwrap();
        let took = began.elapsed();
        assert_eq!(had.ups(), 1);
        assert!(answer.contains("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
        assert!(took >= HEAD_TIMEOUT && took <= HEAD_TIMEOUT + Duration::from_secs(4), "{took:?}");
    });
}

/// Each byte in time, and yet too slow.
#[test]
fn a_head_that_trickles_has_no_more_time_than_another() {
    run(async {
        let world = holding(|_| {}, vec![("/a", ok("abc"))]).await;
        let here = Here::new(&world);
        let (mut viewer, _) = here.connect(Way::Quick).await;
        viewer.write_all(GET).await.unwrap();
        let (mut reader, mut writer) = tokio::io::split(viewer);
        let trickle = async {
            for byte in GET.iter().cycle().take(25) {
                if writer.write_all(&[*byte]).await.is_err() {
                    break;
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        };
        let mut answer = String::new();
        let ((), read) = tokio::join!(trickle, reader.read_to_string(&mut answer));
        read.unwrap();
        assert!(answer.contains("HTTP/1.1 200 OK") && answer.contains("HTTP/1.1 408"), "{answer}");
    });
}

#[test]
fn an_idle_connection_is_kept_for_a_while_and_then_closed() {
    run(async {
        let world = holding(|_| {}, vec![("/a", ok("abc"))]).await;
        let here = Here::new(&world);
        for asks in [&[GET][..], &[GET, GONE]] {
            let (mut viewer, _) = here.connect(Way::Quick).await;
            for ask in asks {
                viewer.write_all(ask).await.unwrap();
            }
            let began = Instant::now();
            let mut answer = String::new();
            viewer.read_to_string(&mut answer).await.unwrap();
            let took = began.elapsed();
            assert!(took >= KEEP_ALIVE && took <= KEEP_ALIVE + Duration::from_secs(4), "{took:?}");
            assert!(!answer.contains("408"), "{answer}");
        }
    });
}

#[test]
fn at_the_signal_idle_connections_close_and_the_last_request_is_answered() {
    run(async {
        let world = holding(|_| {}, vec![("/a", ok("abc"))]).await;
        let here = Here::new(&world);
        let (mut idle, _) = here.connect(Way::Quick).await;
        let (mut busy, _) = here.connect(Way::Quick).await;
        idle.write_all(GET).await.unwrap();
        busy.write_all(b"GET /a HTTP/1.1\r\n").await.unwrap();
        let mut first = vec![0; 4096];
        let _ = idle.read(&mut first).await.unwrap();
        let Here { stopper, drain, engine } = here;
        drop((drain, engine));
        let stopping = tokio::task::spawn_local(async move { stopper.stop().await });
        let mut rest = Vec::new();
        idle.read_to_end(&mut rest).await.unwrap();
        assert!(rest.is_empty());
        busy.write_all(b"Host: d1.test\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        let _ = busy.read_to_string(&mut answer).await;
        assert!(answer.ends_with("abc"), "{answer}");
        stopping.await.unwrap();
    });
}

#[test]
fn a_viewer_that_takes_nothing_is_cut_off() {
    run(async {
        let body: &'static str = Box::leak("x".repeat(4 << 20).into_boxed_str());
        let world = holding(|_| {}, vec![("/a", ok(body))]).await;
        let here = Here::new(&world);
        let (mut viewer, _) = here.connect(Way::Quick).await;
        viewer.write_all(GET).await.unwrap();
        tokio::time::sleep(crate::serve::io::PATIENCE * 2).await;
        let mut answer = Vec::new();
        let _ = viewer.read_to_end(&mut answer).await;
        assert!(answer.len() < 4 << 20, "{}", answer.len());
    });
}

/// Requests, odd and plain, and what is none.
fn said() -> impl Strategy<Value = Vec<u8>> {
    let line = prop::sample::select(vec![
        "Accept: */*",
        "Accept-Encoding: gzip, br",
        "Connection: keep-alive",
        "Connection: close",
        "Range: bytes=0-1",
        "If-None-Match: \"1\"",
        "Cookie: a=1; b=2",
        "Content-Length: 0",
        "Content-Length: 3",
        "Transfer-Encoding: chunked",
        "Expect: 100-continue",
        "X-Folded: a\r\n b",
        "X : y",
        "Host: d1.test",
        "Upgrade: h2c",
        "Content-Length: x",
        "TE: trailers",
        "Connection: x-k",
        "X-K: 1",
        "Origin: https://a.example",
        "X-Nul: a\0b",
        "Keep-Alive: 5",
        "Cache-Control: no-cache",
        "X-High: \u{e9}",
    ]);
    let method = prop::sample::select(vec![
        "GET", "GET", "GET", "GET", "HEAD", "POST", "get", "OPTIONS", "G",
    ]);
    let target = prop::sample::select(vec![
        "/a",
        "/a",
        "/b",
        "/b?x=1",
        "/gone",
        "/",
        "/%61",
        "//a",
        "/a#b",
        "http://d1.test/a",
        "*",
        "/\u{e9}",
        "/a?b?c",
    ]);
    let version = prop::sample::select(vec![
        "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0",
    ]);
    let end = prop::sample::select(vec!["\r\n", "\r\n", "\r\n", "\r\n", "\n"]);
    let body = prop::sample::select(vec![
        "",
        "",
        "",
        "abc",
        "3\r\nabc\r\n0\r\n\r\n",
        "\r\n",
        "GET /a HTTP/1.1\r\nHost: d1.test\r\n\r\n",
    ]);
    (method, target, version, prop::collection::vec(line, 0..3), end, body).prop_map(
        |(method, target, version, lines, end, body)| {
            let mut text = format!("{method} {target} {version}{end}Host: d1.test{end}");
            for line in lines {
                text.push_str(line);
                text.push_str(end);
            }
            (text + end + body).into_bytes()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_stream_of_bytes_cut_anywhere_is_answered_as_by_the_server_library_alone(
        requests in prop::collection::vec(said(), 1..6),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        noise in prop::option::weighted(0.2, (any::<prop::sample::Index>(), any::<u8>())),
    ) {
        let mut bytes = requests.concat();
        if let Some((at, byte)) = noise {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for cut in cuts {
            pieces.push(&bytes[from..cut]);
            from = cut;
        }
        pieces.push(&bytes[from..]);
        let (quick, slow) = run(both(|_| {}, || vec![("/a", ok("abc").with("etag", "\"1\"")), ("/b", ok("bb"))], &pieces));
        prop_assert_eq!(comparable(&quick.answer), comparable(&slow.answer), "{}", String::from_utf8_lossy(&bytes));
    }
}

/// What the engine says of what is no hit: every kind of body, status and demand.
#[test]
fn what_is_no_hit_is_said_as_the_server_library_says_it() {
    let demands = [
        "If-None-Match: \"1\"",
        "If-None-Match: \"2\"",
        "Range: bytes=1-1",
        "Range: bytes=0-0,2-2",
        "Range: bytes=9-",
        "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT",
        "If-Match: \"9\"",
        "CDN-Loop: nearfront, nearfront, nearfront",
    ];
    for method in ["GET", "HEAD"] {
        for demand in demands {
            run(async {
                let held = || {
                    vec![(
                        "/a",
                        ok("abc")
                            .with("etag", "\"1\"")
                            .with("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
                    )]
                };
                let ask = format!("{method} /a HTTP/1.1\r\nHost: d1.test\r\n{demand}\r\n\r\n");
                let (quick, slow) = both(|_| {}, held, &[ask.as_bytes(), GET]).await;
                assert_eq!((quick.handed_up, quick.put), (0, 1), "{demand}");
                if demand.contains(',') && !demand.starts_with("CDN") {
                    return; // its boundary is another one each time
                }
                same(&quick, &slow, demand);
            });
        }
    }
}

#[test]
fn bodies_that_come_are_passed_on_as_they_come() {
    for (method, length, fails) in [
        ("GET", None, false),
        ("GET", Some("6"), false),
        ("GET", None, true),
        ("GET", Some("9"), true),
        ("HEAD", None, false),
    ] {
        let talk = |way| {
            run(async move {
                let world = World::new();
                let (answer, sender) = streaming();
                let answer = match length {
                    Some(length) => answer.with("content-length", length),
                    None => answer,
                };
                world.origin.answers([answer]);
                let sending = tokio::task::spawn_local(async move {
                    for piece in ["abc", "", "def"] {
                        let _ = sender.send(Ok(piece.into())).await;
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                    if fails {
                        let _ = sender.send(Err(ports::origin::BodyError::Silent)).await;
                    }
                });
                let ask = format!("{method} /s HTTP/1.1\r\nHost: d1.test\r\n\r\n");
                let talk = Here::new(&world).talk(way, &[ask.as_bytes()]).await;
                sending.abort();
                talk
            })
        };
        let (quick, slow) = (talk(Way::Quick), talk(Way::Slow));
        same(&quick, &slow, &format!("{method} {length:?} {fails}"));
        assert_eq!(quick.put, 1);
    }
}

/// While the origin thinks, what the viewer sends is read and waits.
#[test]
fn the_next_request_waits_for_the_answer_to_the_one_before() {
    run(async {
        let world = World::with(|plan| {
            plan.behaviours[0].cache.ttl =
                Ttl { min: Seconds(0), default: Some(Seconds(0)), max: Seconds(0) }
        });
        world.origin.answers([ok("late").after(Duration::from_hours(1))]);
        let here = Here::new(&world);
        let (mut viewer, had) = here.connect(Way::Quick).await;
        viewer.write_all(GET).await.unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert_eq!(had.put(), 1);
        // The next request waits its turn.
        viewer.write_all(GET).await.unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert_eq!(had.put(), 1);
    });
}

/// What ten thousand idle connections hold.
#[test]
fn an_idle_connection_is_small() {
    run(async {
        let world = World::new();
        let here = Here::new(&world);
        let (_viewer, ours) = tokio::io::duplex(64);
        let link = Link { peer: "192.0.2.1:4711".parse().unwrap(), tls: None };
        let io = Watched::new(ours, link, here.engine.opened("http"));
        let h1 = h1::service(&here.engine, &here.drain).new_service(()).await.unwrap();
        let worker = Worker::new(&here.engine, &here.drain);
        let serving = serve(&worker, io, &h1);
        assert!(size_of_val(&serving) <= 1536, "{}", size_of_val(&serving));
    });
}
