//! What one request leaves behind: its id, its span, its counts, one record.
//!
//! For: knowing afterwards what happened to a request; the record is written when the last byte has
//! left or the viewer has gone. Not for: access logs in their formats (they read these records).

use crate::{
    asked::{Asked, Reply},
    meters::Meters,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE};
use headers::names::Outcome;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};
use model::{ids::DistributionId, units::Timestamp};
use opentelemetry::propagation::{Extractor, Injector};
use ports::origin::BodyError;
use prometheus_client::metrics::gauge::Gauge;
use std::{net::SocketAddr, sync::Arc};
use tokio::time::Instant;
use tracing::{Span, field::Empty};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
/// Stands in the record for a body that was sent whole.
const WHOLE: &str = "";

/// A request's trail while it is answered.
pub struct Trail {
    /// Opaque, unique: `X-Amz-Cf-Id`.
    pub id: String,
    /// The request's span; stages are its children.
    pub span: Span,
    started: Instant,
    now: Timestamp,
    record: Record,
}

/// What is known of a request when it is over.
struct Record {
    method: Method,
    path: String,
    peer: SocketAddr,
    version: Version,
    distribution: Option<DistributionId>,
    result: Outcome,
}

/// Follows a reply to its last byte.
pub struct Follower {
    meters: Arc<Meters>,
    started: Instant,
    span: Span,
    id: String,
    record: Record,
    status: StatusCode,
    bytes: u64,
    /// Why the body is not whole; [`WHOLE`] once it is; none while it is on its way.
    end: Option<String>,
}

/// Counts something that is open until this is dropped.
pub struct Open(Gauge);

impl Open {
    /// One more.
    pub fn new(gauge: Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Trail {
    /// Begins a trail. A trace that the viewer is part of goes on.
    pub fn start(asked: &Asked, now: Timestamp) -> Self {
        let id = request_id();
        let span = tracing::debug_span!(
            "request",
            otel.kind = "server",
            id,
            method = %asked.method,
            path = asked.path,
            status = Empty,
            result = Empty,
            distribution = Empty,
        );
        if asked.headers.contains_key(TRACEPARENT) {
            let context = opentelemetry::global::get_text_map_propagator(|propagator| {
                propagator.extract(&Reads(&asked.headers))
            });
            // Without an exporter there is no parent to set, which is not worth a word.
            let _ = span.set_parent(context);
        }
        Self {
            id,
            span,
            started: Instant::now(),
            now,
            record: Record {
                method: asked.method.clone(),
                path: asked.path.clone(),
                peer: asked.peer,
                version: asked.version,
                distribution: None,
                result: Outcome::Error,
            },
        }
    }

    /// When the request came; the whole request is decided by this one moment.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// How long the request has taken so far, in milliseconds.
    pub fn milliseconds(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// It is this distribution's.
    pub fn belongs_to(&mut self, distribution: &DistributionId) {
        self.span.record("distribution", distribution.as_str());
        self.record.distribution = Some(distribution.clone());
    }

    /// This became of it.
    pub fn ended_as(&mut self, result: Outcome) {
        self.record.result = result;
    }

    /// Hands the trail to the reply, which ends it with its last byte.
    pub fn follow(self, meters: &Arc<Meters>, mut reply: Reply) -> Reply {
        self.span.record("status", reply.status.as_u16());
        self.span.record("result", self.record.result.as_str());
        reply.follower = Some(Follower {
            meters: meters.clone(),
            started: self.started,
            span: self.span,
            id: self.id,
            record: self.record,
            status: reply.status,
            bytes: 0,
            end: None,
        });
        reply
    }
}

impl Follower {
    /// So many bytes have left.
    pub fn sent(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }

    /// The body ends here, before its end.
    pub fn failed(&mut self, why: &BodyError) {
        self.end = Some(why.to_string());
    }

    /// The last byte has been handed over.
    pub fn whole(&mut self) {
        self.end.get_or_insert_with(|| WHOLE.to_owned());
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let took = self.started.elapsed();
        let record = &self.record;
        self.meters.answered(self.status, record.result, record.version, took);
        self.meters.sent(self.bytes);
        if self.end.as_deref().is_some_and(|end| end != WHOLE) {
            self.meters.was_cut();
        }
        let _entered = self.span.enter();
        tracing::debug!(
            target: "nearfront_edge::access",
            id = self.id,
            peer = %record.peer,
            method = %record.method,
            path = record.path,
            http = ?record.version,
            distribution = record.distribution.as_ref().map(DistributionId::as_str),
            status = self.status.as_u16(),
            result = record.result.as_str(),
            bytes = self.bytes,
            cut = self.end.as_deref().filter(|end| *end != WHOLE),
            microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            "answered"
        );
    }
}

/// Length of [`request_id`].
pub const ID: usize = 56;

/// 56 characters that nobody can guess.
fn request_id() -> String {
    let mut id = [0; ID];
    write_request_id(&mut id);
    str::from_utf8(&id).unwrap_or_default().to_owned()
}

/// The same, where there is room for it.
pub fn write_request_id(id: &mut [u8; ID]) {
    let mut random = [0_u8; 40];
    rand::fill(&mut random); // as a whole: one by one, each byte would cost a word
    // 40 bytes are 56 characters: there is nothing that could go wrong.
    let _ = URL_SAFE.encode_slice(random, id);
}

/// Whether anybody reads what requests leave behind beside their counts.
pub fn is_read() -> bool {
    tracing::enabled!(target: "nearfront_edge::access", tracing::Level::DEBUG)
        || tracing::span_enabled!(tracing::Level::DEBUG)
}

/// What an origin is told of the trace: our span where traces are exported, else what the viewer
/// sent.
pub fn propagate(viewer: &HeaderMap, origin: &mut HeaderMap) {
    for name in [TRACEPARENT, TRACESTATE] {
        if let Some(value) = viewer.get(&name) {
            origin.insert(name, value.clone());
        }
    }
    let span = Span::current();
    if !span.is_disabled() {
        opentelemetry::global::get_text_map_propagator(|propagator| {
            propagator.inject_context(&span.context(), &mut Writes(origin));
        });
    }
}

struct Reads<'a>(&'a HeaderMap);

impl Extractor for Reads<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

struct Writes<'a>(&'a mut HeaderMap);

impl Injector for Writes<'_> {
    fn set(&mut self, name: &str, value: String) {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&value)) {
            self.0.insert(name, value);
        }
    }
}
