//! TLS: the acceptor that chooses.
//!
//! For: reading the name a viewer asks for, choosing certificate, versions and protocols by it, and
//! saying what was agreed. Not for: what is spoken inside (`h1`, `h2`).

use crate::{
    asked::TlsFacts,
    challenges::{self, ALPN},
    plans::Known,
};
use rustls::{HandshakeKind, ProtocolVersion, ServerConnection, server::Acceptor};
use std::{io, sync::Arc, time::Duration};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};
use tokio_rustls::{LazyConfigAcceptor, server::TlsStream};

/// A handshake that takes longer is given up.
pub const HANDSHAKE: Duration = Duration::from_secs(10);

/// Shakes hands. None when that was all: an authority has seen the proof that it wanted.
///
/// # Errors
/// When the viewer speaks no TLS, wants what its distribution does not offer, or takes too long.
pub async fn accept(io: TcpStream, known: &Known) -> io::Result<Option<TlsStream<TcpStream>>> {
    tokio::time::timeout(HANDSHAKE, shake(io, known))
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

async fn shake(io: TcpStream, known: &Known) -> io::Result<Option<TlsStream<TcpStream>>> {
    let start = LazyConfigAcceptor::new(Acceptor::default(), io).await?;
    let hello = start.client_hello();
    let name = hello.server_name();
    let challenge = challenges::is_asked(&hello).then(|| known.challenges().handshake(name));
    let Some(config) = challenge.flatten().or_else(|| known.tls_for(name)) else {
        return Err(io::Error::other("there is no certificate for the zone yet"));
    };
    let mut stream = start.into_stream(config).await?;
    if stream.get_ref().1.alpn_protocol() == Some(ALPN) {
        stream.shutdown().await?;
        return Ok(None);
    }
    Ok(Some(stream))
}

/// What was agreed, and whether HTTP/2 was.
pub fn facts(connection: &ServerConnection) -> (Arc<TlsFacts>, bool) {
    let version = match connection.protocol_version() {
        Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
        _ => "TLSv1.3",
    };
    let cipher = connection
        .negotiated_cipher_suite()
        .and_then(|suite| suite.suite().as_str())
        .unwrap_or_default();
    let facts = TlsFacts {
        sni: connection.server_name().map(str::to_ascii_lowercase),
        version,
        cipher: cipher.replacen("TLS13_", "TLS_", 1),
        reused: connection.handshake_kind() == Some(HandshakeKind::Resumed),
    };
    let h2 = connection.alpn_protocol() == Some(b"h2");
    (Arc::new(facts), h2)
}
