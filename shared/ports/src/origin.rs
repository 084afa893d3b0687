//! Where misses go.
//!
//! For: one request to one origin, with the origin's own timeouts and attempts.
//! Not for: what may be asked or kept (`rules`), nor for choosing an origin (the edge's pipeline).

use crate::relay::{Relay, Trailers, Tunnel};
use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use http::{HeaderMap, Method, StatusCode};
use model::plan::Origin as OriginPlan;
use std::time::Duration;

/// Pieces of a body, in order. An error ends it: the body is then not whole.
pub type Body = BoxStream<'static, Result<Bytes, BodyError>>;

/// A body that ended before its end.
#[derive(Clone, Debug, thiserror::Error)]
pub enum BodyError {
    /// No piece came within the origin's read timeout.
    #[error("the sender went silent")]
    Silent,
    /// The connection ended, or what came was not a body.
    #[error("the body was cut short: {0}")]
    Cut(String),
}

/// Scheme of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Plain.
    Http,
    /// Over TLS.
    Https,
}

/// One request, complete: the driver adds nothing but what its protocol needs (a signature, framing).
pub struct OriginRequest {
    /// Any method that the behaviour lets through.
    pub method: Method,
    /// Raw path with the origin's path in front, and the query if any: `/base/a%20b?x=1`.
    pub path_and_query: String,
    /// End-to-end headers, `host` among them.
    pub headers: HeaderMap,
    /// None for no body. Its length is `content-length` if that header is there, unknown otherwise.
    pub body: Option<Body>,
    /// How the viewer came, for origins that follow it.
    pub viewer_scheme: Scheme,
    /// What goes along with it.
    pub relay: Relay,
}

/// The head of an answer, and its body as it comes.
pub struct OriginResponse {
    /// As the origin sent it.
    pub status: StatusCode,
    /// End-to-end headers as sent; hop-by-hop ones are gone.
    pub headers: HeaderMap,
    /// Ends with an error when the origin sent less than it announced.
    pub body: Body,
    /// How long it took.
    pub timing: Timing,
    /// Fields after the body; told when it ends.
    pub trailers: Trailers,
    /// What the connection has become, in a 101 that was asked for.
    pub tunnel: Option<Tunnel>,
}

impl OriginResponse {
    /// An answer without trailers.
    pub fn new(status: StatusCode, headers: HeaderMap, body: Body, timing: Timing) -> Self {
        Self { status, headers, body, timing, trailers: Trailers::default(), tunnel: None }
    }
}

/// How long the parts of an origin fetch took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timing {
    /// Zero on a reused connection.
    pub connect: Duration,
    /// From the request to the response's head.
    pub first_byte: Duration,
}

/// Why there is no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum OriginError {
    /// Its name has no address.
    #[error("the origin's name {0} does not resolve")]
    Name(String),
    /// No connection, after all attempts.
    #[error("the origin refuses connections: {0}")]
    Connect(String),
    /// TLS failed, or the certificate is not to be trusted.
    #[error("TLS with the origin failed: {0}")]
    Tls(String),
    /// No connection or no first byte in time, after all attempts.
    #[error("the origin did not answer in time: {0}")]
    Timeout(String),
    /// What it sent is not HTTP, or its head is too large.
    #[error("the origin's answer cannot be understood: {0}")]
    Protocol(String),
    /// No store of this name is in the settings, or the request cannot be asked of it.
    #[error("the origin is not set up: {0}")]
    NotConfigured(String),
    /// The viewer's own body ended early: nobody's fault here.
    #[error("the viewer's request body ended early")]
    ViewerGone,
}

/// Something that answers requests for what we do not hold.
///
/// Cancellation: dropping the call or the body ends the exchange with the origin.
#[async_trait]
pub trait Origin: Send + Sync {
    /// Asks `origin`. Any status is an answer; an error means that there was none.
    async fn fetch(
        &self,
        origin: &OriginPlan,
        request: OriginRequest,
    ) -> Result<OriginResponse, OriginError>;
}
