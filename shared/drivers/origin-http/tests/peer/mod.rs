//! A web server that does exactly what its script says, right or wrong.
#![expect(dead_code, reason = "each test file uses its own part of the common peer")]

pub mod secure;

use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use model::{
    plan::{Origin as OriginPlan, OriginKind, OriginProtocol},
    units::Seconds,
};
use nearfront_origin_http::{HttpOrigin, HttpOriginConfig};
use ports::origin::{Body, BodyError, OriginRequest, OriginResponse, Scheme};
use std::{
    future::Future,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A server; dropping it stops it.
pub struct Peer {
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl Peer {
    /// Runs `script` for each connection, with the connection's number from 0.
    pub async fn scripted<F, D>(script: F) -> Self
    where
        F: Fn(usize, TcpStream) -> D + Send + 'static,
        D: Future<Output = std::io::Result<()>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(script(number, stream));
            }
        });
        Self { address, connections, accepting }
    }

    /// Answers the first request of each connection with these bytes, then closes.
    pub async fn says(answer: impl Into<Bytes>) -> Self {
        let answer = answer.into();
        Self::scripted(move |_, mut stream| {
            let answer = answer.clone();
            async move {
                head(&mut stream).await?;
                stream.write_all(&answer).await?;
                stream.shutdown().await?;
                drain(&mut stream).await
            }
        })
        .await
    }

    /// How many connections were made.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// A plan that leads here over plain HTTP, with timeouts of one second.
    pub fn plan(&self) -> OriginPlan {
        plan("127.0.0.1", self.address.port())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

pub fn plan(domain: &str, port: u16) -> OriginPlan {
    OriginPlan {
        id: "web".into(),
        domain: domain.into(),
        path: String::new(),
        headers: Vec::new(),
        kind: OriginKind::Custom {
            protocol: OriginProtocol::Http,
            http_port: port,
            https_port: port,
            keepalive: Seconds(5),
        },
        attempts: 3,
        connect_timeout: Seconds(5),
        read_timeout: Seconds(1),
        completion_timeout: None,
    }
}

pub fn driver() -> HttpOrigin {
    HttpOrigin::new(&HttpOriginConfig { native_roots: false, ..HttpOriginConfig::default() })
        .unwrap()
}

pub fn get(path: &str) -> OriginRequest {
    request(Method::GET, path, &[("host", "www.example")], None)
}

pub fn request(
    method: Method,
    path: &str,
    fields: &[(&'static str, &'static str)],
    body: Option<Body>,
) -> OriginRequest {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    OriginRequest {
        method,
        path_and_query: path.into(),
        headers,
        body,
        viewer_scheme: Scheme::Http,
        relay: ports::relay::Relay::default(),
    }
}

/// A request body of these pieces.
pub fn pieces(pieces: &[&'static str]) -> Body {
    let pieces: Vec<Result<Bytes, BodyError>> =
        pieces.iter().map(|piece| Ok(Bytes::from_static(piece.as_bytes()))).collect();
    stream::iter(pieces).boxed()
}

/// The whole body, or how it ended.
pub async fn whole(response: OriginResponse) -> Result<Vec<u8>, BodyError> {
    let mut body = response.body;
    let mut all = Vec::new();
    while let Some(piece) = body.next().await {
        all.extend_from_slice(&piece?);
    }
    Ok(all)
}

pub async fn text(response: OriginResponse) -> String {
    String::from_utf8(whole(response).await.unwrap()).unwrap()
}

/// Reads up to the end of a head.
pub async fn head<S: AsyncRead + Unpin>(stream: &mut S) -> std::io::Result<String> {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        read.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&read).to_lowercase())
}

/// Reads until the other side closes.
pub async fn drain<S: AsyncRead + Unpin>(stream: &mut S) -> std::io::Result<()> {
    tokio::io::copy(stream, &mut tokio::io::sink()).await?;
    Ok(())
}
