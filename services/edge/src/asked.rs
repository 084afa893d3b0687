//! One exchange with a viewer, in the engine's own words.
//!
//! For: what every server adapter hands in ([`Asked`]) and is handed back ([`Reply`]).
//! Not for: any one server library (`serve`) or any decision (`pipeline`).

use crate::pipeline::trail::Follower;
use bytes::Bytes;
use futures::stream::BoxStream;
use http::{HeaderMap, Method, StatusCode, Version};
use ports::{
    origin::{Body, BodyError, Scheme},
    relay::{Relay, Trailers, Tunnel},
};
use std::{net::SocketAddr, sync::Arc};

/// What a viewer asks.
pub struct Asked {
    /// As received.
    pub method: Method,
    /// Raw path as received, never decoded; starts with `/` (or is `*` for `OPTIONS *`).
    pub path: String,
    /// What follows the first `?`, if there is one.
    pub query: Option<String>,
    /// The authority of the request target (`:authority`, or the absolute form of HTTP/1.1).
    pub authority: Option<String>,
    /// As received, hop-by-hop headers included.
    pub headers: HeaderMap,
    /// None when the request has no body.
    pub body: Option<Body>,
    /// The other end of the connection.
    pub peer: SocketAddr,
    /// How it came.
    pub scheme: Scheme,
    /// What was agreed in the TLS handshake; none over plain HTTP.
    pub tls: Option<Arc<TlsFacts>>,
    /// HTTP version.
    pub version: Version,
    /// What may be passed on beside it.
    pub relay: Relay,
}

/// What was agreed in a TLS handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFacts {
    /// The name the viewer asked for.
    pub sni: Option<String>,
    /// As `CloudFront-Viewer-TLS` writes it: `TLSv1.3`.
    pub version: &'static str,
    /// IANA name: `TLS_AES_128_GCM_SHA256`.
    pub cipher: String,
    /// Whether an earlier session was resumed.
    pub reused: bool,
}

/// What a viewer is answered.
pub struct Reply {
    /// Status.
    pub status: StatusCode,
    /// Without hop-by-hop headers. `content-length` is there only where the body does not tell it:
    /// in the answer to HEAD, and in a 304.
    pub headers: HeaderMap,
    /// The body.
    pub body: ReplyBody,
    /// Told of every byte that leaves; writes the record of the request when dropped.
    pub follower: Option<Follower>,
}

/// Body of a reply.
pub enum ReplyBody {
    /// None at all.
    Empty,
    /// All of it, at hand.
    Pieces(Vec<Bytes>),
    /// As it comes; an error ends the connection, so that the viewer sees that it is not whole.
    Stream {
        /// Bytes that will come, if known.
        length: Option<u64>,
        /// The bytes.
        body: BoxStream<'static, Result<Bytes, BodyError>>,
    },
    /// The same, with fields after it, told when it ends.
    Trailed {
        /// Bytes that will come, if known.
        length: Option<u64>,
        /// The bytes.
        body: BoxStream<'static, Result<Bytes, BodyError>>,
        /// The fields, as the origin sends them.
        trailers: Trailers,
    },
    /// The connection changes its protocol. Only for who has asked for that.
    Tunnel(Tunnel),
}

impl ReplyBody {
    /// Bytes that will come, if known.
    pub fn length(&self) -> Option<u64> {
        match self {
            Self::Empty | Self::Tunnel(_) => Some(0),
            Self::Pieces(pieces) => Some(pieces.iter().map(|piece| piece.len() as u64).sum()),
            Self::Stream { length, .. } | Self::Trailed { length, .. } => *length,
        }
    }

    /// The same body with fields after it, if it is one that still comes.
    pub fn trailed_by(self, trailers: Trailers) -> Self {
        match self {
            Self::Stream { length, body } => Self::Trailed { length, body, trailers },
            body => body,
        }
    }
}

impl Reply {
    /// A reply with a body at hand.
    pub fn new(status: StatusCode, headers: HeaderMap, body: ReplyBody) -> Self {
        Self { status, headers, body, follower: None }
    }
}
