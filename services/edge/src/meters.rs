//! What the edge counts. Every label comes from a small closed set: no host, path or address.

use crate::pipeline::trail::Open;
use headers::{compression::Coding, names::Outcome};
use http::{StatusCode, Version};
use kit::metrics::Metrics;
use model::units::Revision;
use ports::cachestore::Fill;
use prometheus_client::{
    encoding::{EncodeLabelSet, LabelValueEncoder},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use std::{cell::OnceCell, sync::Arc, time::Duration};

/// Bounds in seconds, for origins and requests alike.
const SECONDS: [f64; 12] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// One request, by what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    result: Word,
    status: Word,
    http: Word,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    answer: Word,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Encoding {
    coding: Word,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Listener {
    listener: Word,
}

/// A label value that is known when this is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Word(&'static str);

impl prometheus_client::encoding::EncodeLabelValue for Word {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        prometheus_client::encoding::EncodeLabelValue::encode(&self.0, encoder)
    }
}

/// The edge's metrics.
pub struct Meters {
    requests: Family<Request, Counter>,
    bytes: Counter,
    cut: Counter,
    duration: Histogram,
    fetches: Family<Answer, Counter>,
    first_byte: Histogram,
    collapsed: Counter,
    compressed: Family<Encoding, Counter>,
    stale: Counter,
    connections: Family<Listener, Gauge>,
    handshakes_failed: Counter,
    entries: Gauge,
    cached: Gauge,
    filling: Gauge,
    distributions: Gauge,
    revision: Gauge,
}

impl Meters {
    /// Registers all of them.
    pub fn new(metrics: &Metrics) -> Arc<Self> {
        let meters = Self {
            requests: Family::default(),
            bytes: Counter::default(),
            cut: Counter::default(),
            duration: Histogram::new(SECONDS),
            fetches: Family::default(),
            first_byte: Histogram::new(SECONDS),
            collapsed: Counter::default(),
            compressed: Family::default(),
            stale: Counter::default(),
            connections: Family::default(),
            handshakes_failed: Counter::default(),
            entries: Gauge::default(),
            cached: Gauge::default(),
            filling: Gauge::default(),
            distributions: Gauge::default(),
            revision: Gauge::default(),
        };
        metrics.register(|registry| meters.register(registry));
        Arc::new(meters)
    }

    fn register(&self, to: &mut Registry) {
        to.register("edge_requests", "Requests answered", self.requests.clone());
        to.register("edge_sent_bytes", "Body bytes sent to viewers", self.bytes.clone());
        to.register("edge_cut", "Answers whose body ended early", self.cut.clone());
        to.register("edge_request_seconds", "To the last byte", self.duration.clone());
        to.register("edge_origin_fetches", "Questions to origins", self.fetches.clone());
        to.register("edge_origin_seconds", "To an origin's first byte", self.first_byte.clone());
        to.register(
            "edge_collapsed",
            "Requests that waited for another's answer",
            self.collapsed.clone(),
        );
        to.register(
            "edge_compressed",
            "Answers of origins that were to be compressed; coding none where it was skipped",
            self.compressed.clone(),
        );
        to.register("edge_stale", "Requests answered with a stale copy", self.stale.clone());
        to.register("edge_connections", "Open connections", self.connections.clone());
        to.register(
            "edge_handshakes_failed",
            "TLS handshakes that failed",
            self.handshakes_failed.clone(),
        );
        to.register("edge_cache_entries", "Responses in the cache", self.entries.clone());
        to.register("edge_cache_bytes", "Bytes in the cache", self.cached.clone());
        to.register("edge_filling_bytes", "Bytes of bodies still arriving", self.filling.clone());
        to.register("edge_distributions", "Distributions in force", self.distributions.clone());
        to.register("edge_revision", "Last change in force", self.revision.clone());
    }

    /// A request has been answered, to its last byte or as far as the viewer stayed.
    pub fn answered(&self, status: StatusCode, result: Outcome, http: Version, took: Duration) {
        let labels = Request {
            result: Word(result.as_str()),
            status: Word(class(status)),
            http: Word(headers::names::protocol_version(http)),
        };
        self.requests.get_or_create(&labels).inc();
        self.duration.observe(took.as_secs_f64());
    }

    fn hit(&self, status: StatusCode) -> Counter {
        self.requests.get_or_create_owned(&Request {
            result: Word(Outcome::Hit.as_str()),
            status: Word(class(status)),
            http: Word(headers::names::protocol_version(Version::HTTP_11)),
        })
    }

    /// What a worker counts for requests that it answers from what is held, over HTTP/1.1.
    pub fn hits(self: &Arc<Self>) -> Hits {
        Hits { successes: OnceCell::new(), redirects: OnceCell::new(), meters: self.clone() }
    }

    /// Body bytes have left.
    pub fn sent(&self, bytes: u64) {
        self.bytes.inc_by(bytes);
    }

    /// A body ended before its end.
    pub fn was_cut(&self) {
        self.cut.inc();
    }

    /// An origin has answered.
    pub fn fetched(&self, status: StatusCode, first_byte: Duration) {
        self.ask(class(status));
        self.first_byte.observe(first_byte.as_secs_f64());
    }

    /// An origin has not answered.
    pub fn not_fetched(&self) {
        self.ask("none");
    }

    fn ask(&self, answer: &'static str) {
        let answer = Answer { answer: Word(answer) };
        self.fetches.get_or_create(&answer).inc();
    }

    /// A request waits for another's answer.
    pub fn collapsed(&self) {
        self.collapsed.inc();
    }

    /// An answer is compressed; without a coding, it would be if there were not too many.
    pub fn compressed(&self, coding: Option<Coding>) {
        let coding = Encoding { coding: Word(coding.map_or("none", Coding::as_str)) };
        self.compressed.get_or_create(&coding).inc();
    }

    /// A stale copy is served.
    pub fn served_stale(&self) {
        self.stale.inc();
    }

    /// A connection was opened; it counts until the answer is dropped.
    pub fn opened(self: &Arc<Self>, listener: &'static str) -> Open {
        let listener = Listener { listener: Word(listener) };
        Open::new(self.connections.get_or_create_owned(&listener))
    }

    /// A handshake failed.
    pub fn handshake_failed(&self) {
        self.handshakes_failed.inc();
    }

    /// How full things are.
    pub fn gauge(&self, fill: Fill, filling: u64) {
        self.entries.set(signed(fill.entries));
        self.cached.set(signed(fill.bytes));
        self.filling.set(signed(filling));
    }

    /// What is in force.
    pub fn in_force(&self, distributions: usize, revision: Revision) {
        self.distributions.set(signed(distributions as u64));
        self.revision.set(signed(revision.0));
    }
}

/// Counters that are looked up once.
pub struct Hits {
    successes: OnceCell<Counter>,
    redirects: OnceCell<Counter>,
    meters: Arc<Meters>,
}

impl Hits {
    /// A request has been answered with a success or a redirect, and so many bytes of a body.
    pub fn answered(&self, status: StatusCode, bytes: u64, took: Duration) {
        let counter = if status.is_success() { &self.successes } else { &self.redirects };
        counter.get_or_init(|| self.meters.hit(status)).inc();
        self.meters.bytes.inc_by(bytes);
        self.meters.duration.observe(took.as_secs_f64());
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

const fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}
