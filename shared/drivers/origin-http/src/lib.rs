//! Custom origins over HTTP and HTTPS: pooled connections, timeouts, attempts.
//!
//! For: one request to one web server, spoken as HTTP/1.1 over TCP or TLS, or as HTTP/2 over TLS where
//! the server agrees to it.
//! Not for: what may be asked or kept, signatures, object stores; nor HTTP/2 without TLS.
//!
//! | file | what it decides |
//! | --- | --- |
//! | `target` | scheme, address, port and certificate name of a request |
//! | `dial` | TCP and TLS within the connect timeout |
//! | `trust` | which certificates are believed |
//! | `pool` | which idle connections are kept, and for how long |
//! | `h2` | connections that carry many exchanges at a time |
//! | `line` | what one exchange goes over |
//! | `attempts` | what is tried again, and how often |
//! | `exchange` | one request and the head of its answer on one connection |
//! | `upload`, `download` | bodies, piece by piece, with their timeouts |
//! | `fields` | hop-by-hop fields and framing |
//!
//! Memory: a connection buffers at most 128 KiB in each direction, one of HTTP/2 512 KiB for each
//! answer on it; bodies are never collected.

mod attempts;
mod dial;
mod download;
mod exchange;
mod fields;
mod h2;
mod line;
mod pool;
mod target;
mod trust;
mod upload;

use async_trait::async_trait;
use model::plan::Origin as OriginPlan;
use ports::origin::{Origin, OriginError, OriginRequest, OriginResponse};

/// What an operator may choose about web servers as origins.
#[derive(Clone, Debug)]
pub struct HttpOriginConfig {
    /// PEM texts with further certificate authorities; each may hold several.
    pub extra_roots_pem: Vec<Vec<u8>>,
    /// Whether the machine's own authorities are believed beside Mozilla's.
    pub native_roots: bool,
    /// Idle connections that each runtime keeps for one server at most.
    pub idle_per_origin: usize,
}

impl Default for HttpOriginConfig {
    fn default() -> Self {
        Self { extra_roots_pem: Vec::new(), native_roots: true, idle_per_origin: 128 }
    }
}

/// Web servers as origins. Cheap to share; connections are pooled across all callers of a runtime.
///
/// Must be called within a tokio runtime: each connection is driven by a task of the runtime
/// that opened it, and carries requests of that runtime alone.
pub struct HttpOrigin {
    dialer: dial::Dialer,
    pools: pool::Pools,
}

impl HttpOrigin {
    /// Reads the authorities.
    ///
    /// # Errors
    /// [`OriginError::Tls`] when a PEM text holds no certificate or a broken one.
    pub fn new(config: &HttpOriginConfig) -> Result<Self, OriginError> {
        let trust = trust::Trust::new(&config.extra_roots_pem, config.native_roots)?;
        Ok(Self {
            dialer: dial::Dialer::new(trust),
            pools: pool::Pools::new(config.idle_per_origin),
        })
    }

    /// Idle connections that are kept right now, for metrics.
    pub fn idle_connections(&self) -> usize {
        self.pools.len()
    }
}

#[async_trait]
impl Origin for HttpOrigin {
    /// Asks a custom origin.
    ///
    /// Attempts: a connection that cannot be made is tried again up to `origin.attempts` times in
    /// all; so is a GET or HEAD without answer in time. Other methods are never sent twice, but for
    /// a reused connection that the server had already closed, and for requests that an HTTP/2
    /// server says it has not looked at (RFC 9113 §8.7). CloudFront developer guide,
    /// connection attempts and origin response timeout.
    ///
    /// Errors: [`OriginError::NotConfigured`] for a bucket, or a path that HTTP cannot carry.
    async fn fetch(
        &self,
        origin: &OriginPlan,
        request: OriginRequest,
    ) -> Result<OriginResponse, OriginError> {
        let asking = attempts::Asking::new(self, origin, request)?;
        asking.answer().await
    }
}
