//! What is passed between viewer and origin beside a request and its answer.
//!
//! For: fields after a body, informational answers, connections that change their protocol.
//! Not for: anything that is kept: of all this, nothing is.

use http::{HeaderMap, StatusCode};
use std::{
    fmt, io,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What a request needs of the way to its origin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Way {
    /// Any version of HTTP.
    #[default]
    Any,
    /// HTTP/2 over TLS, with trailers in both directions: gRPC.
    Grpc,
    /// A WebSocket handshake over HTTP/1.1 (RFC 6455 §4.1): the answer may bring a [`Tunnel`].
    WebSocket,
}

/// What goes along with a request. The default is nothing.
#[derive(Clone, Default)]
pub struct Relay {
    /// The way it takes.
    pub way: Way,
    /// Who hears informational answers, if anybody does.
    pub interim: Option<Interim>,
    /// Fields after the request's body.
    pub trailers: Trailers,
}

/// Fields after a body (RFC 9110 §6.5). Whoever writes the body tells them before its end; whoever
/// reads it finds them there once it has ended.
#[derive(Clone, Debug, Default)]
pub struct Trailers(Arc<OnceLock<HeaderMap>>);

impl Trailers {
    /// These came. Only the first word counts.
    pub fn tell(&self, fields: HeaderMap) {
        // A second trailer section cannot be.
        let _ = self.0.set(fields);
    }

    /// What came, if anything did.
    pub fn told(&self) -> Option<&HeaderMap> {
        self.0.get().filter(|fields| !fields.is_empty())
    }
}

/// Somebody who hears informational answers (RFC 9110 §15.2): their status, and end-to-end fields.
#[derive(Clone)]
pub struct Interim(Arc<dyn Fn(StatusCode, HeaderMap) + Send + Sync>);

impl Interim {
    /// `hears` is called from within a connection's task: it must not block.
    pub fn new(hears: impl Fn(StatusCode, HeaderMap) + Send + Sync + 'static) -> Self {
        Self(Arc::new(hears))
    }

    /// This came.
    pub fn tell(&self, status: StatusCode, fields: HeaderMap) {
        (self.0)(status, fields);
    }
}

/// Bytes in both directions.
trait Duplex: AsyncRead + AsyncWrite + Send {}

impl<T: AsyncRead + AsyncWrite + Send> Duplex for T {}

/// A connection that speaks HTTP no more. Dropping it closes it.
pub struct Tunnel(Pin<Box<dyn Duplex>>);

impl Tunnel {
    /// From any stream of bytes.
    pub fn new(io: impl AsyncRead + AsyncWrite + Send + 'static) -> Self {
        Self(Box::pin(io))
    }
}

impl fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tunnel")
    }
}

impl AsyncRead for Tunnel {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_read(context, into)
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.as_mut().poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_trailers_count_and_empty_ones_are_none() {
        let trailers = Trailers::default();
        let reader = trailers.clone();
        assert!(reader.told().is_none());
        trailers.tell(HeaderMap::new());
        assert!(reader.told().is_none());
        let trailers = Trailers::default();
        let reader = trailers.clone();
        for status in ["0", "1"] {
            let mut fields = HeaderMap::new();
            fields.insert("grpc-status", http::HeaderValue::from_static(status));
            trailers.tell(fields);
        }
        assert_eq!(reader.told().unwrap()["grpc-status"], "0");
    }
}
