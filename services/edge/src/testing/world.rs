//! The world of a test: an engine with a scripted origin and a clock that tests move.

use super::{FakeOrigin, plan};
use crate::{
    alone::Alone,
    asked::{Asked, Reply, ReplyBody},
    bans::Bans,
    encoding::Encoders,
    failures::Failures,
    flights::Flights,
    meters::Meters,
    origins::Origins,
    pipeline::Engine,
    plans::{Known, Update},
    serve::{Current, certificates::Shared},
};
use bytes::Bytes;
use cachestore_memory::MemoryStore;
use futures::{StreamExt as _, future::join_all, stream};
use headers::names::{Names, value};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version};
use kit::metrics::Metrics;
use model::{
    feed::Invalidation,
    plan::Plan,
    units::{Revision, Timestamp},
};
use ports::{
    clock::Clock,
    locator::{Located, Locator},
    origin::Scheme,
    relay::{Relay, Trailers},
};
use std::{io::Read as _, net::IpAddr, sync::Arc, time::Duration};
use tokio::time::Instant;

/// A noon in 2025.
const NOON: u64 = 1_750_000_000_000;

/// Follows tokio's clock, which tests pause.
struct TestClock(Instant);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(NOON + u64::try_from(self.0.elapsed().as_millis()).unwrap())
    }
}

/// Everybody is in France, but for loopback.
struct France;

impl Locator for France {
    fn locate(&self, address: IpAddr) -> Option<Located> {
        (!address.is_loopback())
            .then(|| Located { country: Some("FR".into()), ..Located::default() })
    }
}

/// The world.
pub struct World {
    pub engine: Arc<Engine>,
    pub origin: Arc<FakeOrigin>,
}

/// What a viewer got.
#[derive(Debug)]
pub struct Got {
    pub status: u16,
    pub headers: HeaderMap,
    /// As text.
    pub body: String,
    /// As it came.
    pub bytes: Vec<u8>,
    /// Whether the body ended well.
    pub whole: bool,
    /// What followed it.
    pub trailers: HeaderMap,
}

impl World {
    /// The plan of [`plan()`], changed.
    pub fn with(change: impl FnOnce(&mut Plan)) -> Self {
        Self::sized(64 << 20, change)
    }

    /// As it is.
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// With a cache of so many bytes.
    pub fn sized(memory: u64, change: impl FnOnce(&mut Plan)) -> Self {
        let world = Self::of(memory);
        let mut plan = plan();
        change(&mut plan);
        world.publish(&plan);
        world
    }

    /// With nothing in force.
    pub fn empty() -> Self {
        Self::of(64 << 20)
    }

    fn of(memory: u64) -> Self {
        let origin = Arc::new(FakeOrigin::default());
        Self { engine: Arc::new(engine(memory, origin.clone())), origin }
    }

    /// Puts a plan in force.
    pub fn publish(&self, plan: &Plan) {
        let value = serde_json::to_vec(plan).unwrap();
        let key = format!("plan/{}", plan.id);
        let updates = [Update::put(&key, &value)];
        let known = self.engine.current.load();
        let next = Known::changed(&known, &Shared::new(super::seals()).unwrap(), &updates);
        assert_eq!(next.faults(), None);
        self.engine.current.store(Arc::new(next));
    }

    /// Invalidates these paths.
    pub fn invalidate(&self, paths: &[&str]) {
        let batch = Invalidation {
            id: "I1".into(),
            distribution: plan().id,
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
            caller_reference: "r".into(),
            created: Timestamp(0),
        };
        let value = serde_json::to_vec(&batch).unwrap();
        let revision = Revision(self.engine.bans.latest() + 1);
        self.engine.bans.invalidate(revision, [("invalidation/E1/I1", &value[..])]);
    }

    /// Time goes by, and whatever is due happens.
    pub async fn passes(&self, time: Duration) {
        tokio::time::sleep(time).await;
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }

    /// GET.
    pub async fn get(&self, target: &str) -> Got {
        self.ask(asked(Method::GET, target, &[])).await
    }

    /// GET with headers.
    pub async fn get_with(&self, target: &str, headers: &[(&str, &str)]) -> Got {
        self.ask(asked(Method::GET, target, headers)).await
    }

    /// Many at once.
    pub async fn gets(&self, many: usize, target: &str) -> Vec<Got> {
        join_all((0..many).map(|_| self.get(target))).await
    }

    /// Anything.
    pub async fn ask(&self, asked: Asked) -> Got {
        collect(self.engine.handle(asked).await).await
    }

    /// A reply whose body has not been read.
    pub async fn open(&self, target: &str) -> Reply {
        self.engine.handle(asked(Method::GET, target, &[])).await
    }
}

/// A request to `d1.test` over plain HTTP/1.1.
pub fn asked(method: Method, target: &str, headers: &[(&str, &str)]) -> Asked {
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (target, None),
    };
    let mut map = HeaderMap::new();
    if headers.iter().all(|(name, _)| *name != "host") {
        map.insert("host", HeaderValue::from_static("d1.test"));
    }
    for (name, text) in headers {
        map.append(HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(text).unwrap());
    }
    Asked {
        method,
        path: path.to_owned(),
        query,
        authority: None,
        headers: map,
        body: None,
        peer: "192.0.2.1:4711".parse().unwrap(),
        scheme: Scheme::Http,
        tls: None,
        version: Version::HTTP_11,
        relay: Relay::default(),
    }
}

/// With this body.
pub fn with_body(mut asked: Asked, body: &'static str) -> Asked {
    asked.body = Some(stream::iter([Ok(Bytes::from(body))]).boxed());
    asked
}

/// Reads a reply to its end.
pub async fn collect(reply: Reply) -> Got {
    let (mut body, mut whole) = (Vec::new(), true);
    let trailers = match &reply.body {
        ReplyBody::Trailed { trailers, .. } => trailers.clone(),
        _ => Trailers::default(),
    };
    match reply.body {
        ReplyBody::Empty => {}
        ReplyBody::Pieces(pieces) => body = pieces.concat(),
        ReplyBody::Tunnel(_) => panic!("a tunnel"),
        ReplyBody::Stream { length, body: mut pieces }
        | ReplyBody::Trailed { length, body: mut pieces, .. } => {
            while let Some(piece) = pieces.next().await {
                match piece {
                    Ok(piece) => body.extend_from_slice(&piece),
                    Err(_) => whole = false,
                }
            }
            if whole && let Some(length) = length {
                assert_eq!(body.len() as u64, length);
            }
        }
    }
    Got {
        status: reply.status.as_u16(),
        headers: reply.headers,
        body: String::from_utf8_lossy(&body).into_owned(),
        bytes: body,
        whole,
        trailers: trailers.told().cloned().unwrap_or_default(),
    }
}

/// What was encoded with this coding.
pub fn decoded(coding: &str, bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    match coding {
        "br" => brotli::Decompressor::new(bytes, 4096).read_to_end(&mut plain),
        "gzip" => flate2::read::GzDecoder::new(bytes).read_to_end(&mut plain),
        "zstd" => zstd::Decoder::new(bytes).unwrap().read_to_end(&mut plain),
        coding => panic!("{coding}"),
    }
    .unwrap();
    plain
}

impl Got {
    /// A header as text; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The first word of `X-Cache`.
    pub fn cache(&self) -> &str {
        self.header("x-cache").split(' ').next().unwrap()
    }

    /// Status, body and first word of `X-Cache`.
    #[track_caller]
    pub fn is(&self, status: u16, body: &str, cache: &str) -> &Self {
        let got = (self.status, self.body.as_str(), self.cache());
        assert_eq!(got, (status, body, cache), "{self:#?}");
        self
    }
}

fn engine(memory: u64, origin: Arc<FakeOrigin>) -> Engine {
    let names = Names::of("nearfront");
    let via_host = "e1.test".to_owned();
    Engine {
        current: Arc::new(Current::from_pointee(Known::default())),
        bans: Arc::new(Bans::default()),
        store: Arc::new(MemoryStore::new(memory)),
        flights: Flights::new(memory / 2),
        failures: Failures::default(),
        alone: Alone::default(),
        encoders: Encoders::new(),
        origins: Origins::only(origin),
        locator: Arc::new(France),
        clock: Arc::new(TestClock(Instant::now())),
        meters: Meters::new(&Metrics::default()),
        via: names.via(Version::HTTP_11, &via_host),
        vias: names.vias(&via_host),
        names,
        cache_status: false,
        pop: "LOC1-P1".into(),
        pop_value: value("LOC1-P1"),
        https_port: 8443,
    }
}
