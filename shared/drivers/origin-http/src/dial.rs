//! New connections: name, TCP, TLS, all within one connect timeout.

use crate::{
    h2::{self, Fresh},
    pool::{Connection, Sender},
    target::{Server, Target},
    trust::Trust,
};
use futures::{StreamExt, stream::FuturesUnordered};
use hyper::{
    client::conn::http1,
    rt::{Read, Write},
};
use hyper_util::rt::TokioIo;
use ports::origin::OriginError;
use rustls::pki_types::ServerName;
use std::{io, net::SocketAddr, time::Duration};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

/// How long one address is waited for before the next is tried beside it (RFC 8305 §5).
const STAGGER: Duration = Duration::from_millis(250);
/// Addresses of one name that are tried at most.
const ADDRESSES: usize = 8;
/// Largest response head, as CloudFront has it.
const HEAD: u32 = 32_768;
/// Largest buffer of a connection, each way.
const BUFFER: usize = 128 * 1024;

/// What was opened.
pub(crate) enum Opened {
    /// HTTP/1.1.
    Http1(Connection),
    /// HTTP/2.
    Http2(Fresh),
}

/// Opens connections.
pub(crate) struct Dialer {
    trust: Trust,
}

impl Dialer {
    /// With these authorities.
    pub fn new(trust: Trust) -> Self {
        Self { trust }
    }

    /// One attempt to connect, for `limit` at most; HTTP/2 only over TLS, and if it may be offered.
    ///
    /// Cancellation: a connection that is not ready yet is closed.
    pub async fn dial(
        &self,
        target: &Target,
        limit: Duration,
        offer: bool,
    ) -> Result<Opened, OriginError> {
        tokio::time::timeout(limit, self.open(target, offer))
            .await
            .unwrap_or_else(|_| Err(too_slow(&target.server, limit)))
    }

    async fn open(&self, target: &Target, offer: bool) -> Result<Opened, OriginError> {
        let server = &target.server;
        let tcp = connect(server).await?;
        let failed = |e: hyper::Error| OriginError::Connect(e.to_string());
        let own = |sender| Opened::Http1(Connection::new(target, sender));
        let Some(name) = &server.tls else {
            return speak(TokioIo::new(tcp)).await.map(own).map_err(failed);
        };
        let tls = self.secure(server, name, tcp, offer).await?;
        if tls.get_ref().1.alpn_protocol() == Some(b"h2") {
            return h2::speak(TokioIo::new(tls), HEAD).await.map(Opened::Http2).map_err(failed);
        }
        speak(TokioIo::new(tls)).await.map(own).map_err(failed)
    }

    async fn secure(
        &self,
        server: &Server,
        name: &str,
        tcp: TcpStream,
        offer: bool,
    ) -> Result<TlsStream<TcpStream>, OriginError> {
        let sni = ServerName::try_from(name.to_owned())
            .or_else(|_| ServerName::try_from(server.host.clone()))
            .map_err(|_| OriginError::Tls(format!("{name} is no name that TLS can ask for")))?;
        TlsConnector::from(self.trust.settings(name, &server.host, offer)?)
            .connect(sni, tcp)
            .await
            .map_err(|e| tls_failure(server, &e))
    }
}

fn too_slow(server: &Server, limit: Duration) -> OriginError {
    OriginError::Timeout(format!(
        "no connection to {}:{} within {} s",
        server.host,
        server.port,
        limit.as_secs()
    ))
}

/// Only what TLS itself says is a TLS failure; a reset in the middle is a failed connection.
fn tls_failure(server: &Server, error: &io::Error) -> OriginError {
    let place = format!("{}:{}", server.host, server.port);
    match error.get_ref().and_then(|e| e.downcast_ref()) {
        Some(rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer)) => {
            OriginError::Tls(format!(
                "{place}: the certificate's authority is not trusted; add it to \
                 edge.origin_ca_file if it is your own"
            ))
        }
        Some(tls) => OriginError::Tls(format!("{place}: {tls}")),
        None => OriginError::Connect(format!("{place}: {error} during the TLS handshake")),
    }
}

/// A TCP connection to the first address that takes one.
async fn connect(server: &Server) -> Result<TcpStream, OriginError> {
    let addresses: Vec<SocketAddr> = tokio::net::lookup_host((server.host.as_str(), server.port))
        .await
        .map_err(|e| OriginError::Name(format!("{} ({e})", server.host)))?
        .take(ADDRESSES)
        .collect();
    if addresses.is_empty() {
        return Err(OriginError::Name(server.host.clone()));
    }
    let refused =
        |e: io::Error| OriginError::Connect(format!("{}:{}: {e}", server.host, server.port));
    let tcp = race(addresses).await.map_err(refused)?;
    tcp.set_nodelay(true).map_err(refused)?;
    Ok(tcp)
}

/// Tries addresses in order, the next as soon as one fails or is slow (RFC 8305 §5).
async fn race(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut waiting = addresses.into_iter();
    let mut trying = FuturesUnordered::new();
    let mut failed = io::Error::from(io::ErrorKind::AddrNotAvailable);
    loop {
        match waiting.next() {
            Some(address) => trying.push(TcpStream::connect(address)),
            None if trying.is_empty() => return Err(failed),
            None => {}
        }
        tokio::select! {
            Some(done) = trying.next() => match done {
                Ok(tcp) => return Ok(tcp),
                Err(e) => failed = e,
            },
            () = tokio::time::sleep(STAGGER), if waiting.len() > 0 => {}
        }
    }
}

/// Starts HTTP/1.1 on a stream, driven by a task of its own until either side closes. A head has at
/// most 100 fields, hyper's own limit: with any other it makes two tables for every head, which cost
/// more than all else that it does.
async fn speak<S>(stream: S) -> hyper::Result<Sender>
where
    S: Read + Write + Unpin + Send + 'static,
{
    let (sender, connection) = http1::Builder::new()
        .max_buf_size(BUFFER)
        .max_header_size(HEAD as usize)
        .handshake(stream)
        .await?;
    tokio::spawn(async move {
        if let Err(error) = connection.with_upgrades().await {
            tracing::debug!(%error, "a connection to an origin ended");
        }
    });
    Ok(sender)
}
