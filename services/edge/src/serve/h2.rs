//! HTTP/2: hyper speaks it, this converts.

use crate::{
    asked::Asked,
    pipeline::Engine,
    serve::{body::Sending, h1::KEEP_ALIVE, io::Link, stalled, upload},
};
use headers::{grpc, trailers};
use http::{HeaderMap, HeaderValue, Request, Response, header};
use http_body::Frame;
use http_body_util::{BodyExt as _, BodyStream};
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use kit::drain::Drain;
use ports::{
    origin::Scheme,
    relay::{Relay, Trailers},
};
use std::{
    cell::Cell, convert::Infallible, future::Future, pin::pin, rc::Rc, sync::Arc, time::Duration,
};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// Streams of one connection that are served at a time.
pub const STREAMS: u32 = 128;
/// A request's head may be this long before the engine's own limit speaks.
pub const HEAD: u32 = 64 << 10;
/// Bytes of one stream that wait for the connection.
const UNSENT: usize = 128 << 10;

/// After the last answer a viewer has this long to read it and to hang up.
pub const LINGER: Duration = Duration::from_secs(2);

/// Spawns on the worker's own thread.
#[derive(Clone, Copy)]
struct Here;

impl<F> hyper::rt::Executor<F> for Here
where
    F: Future + 'static,
    F::Output: 'static,
{
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}

/// Serves one connection until it ends; after the signal it takes no new streams.
pub async fn serve<T>(engine: Arc<Engine>, mut io: T, link: Link, drain: Drain)
where
    T: AsyncRead + AsyncWrite + Unpin + 'static,
{
    if let Err(why) = speak(engine, &mut io, link, drain).await {
        tracing::debug!(%why, "an HTTP/2 connection ended early");
        return;
    }
    // Closed with the viewer's last frames unread, the connection would be reset, and what it has
    // not read of our answer would be lost.
    let _ = tokio::time::timeout(LINGER, linger(&mut io)).await;
}

pub async fn linger<T: AsyncRead + AsyncWrite + Unpin>(io: &mut T) {
    let mut unread = [0; 1024];
    let _ = io.shutdown().await;
    while matches!(io.read(&mut unread).await, Ok(1..)) {}
}

async fn speak<T>(
    engine: Arc<Engine>,
    io: &mut T,
    link: Link,
    drain: Drain,
) -> Result<(), hyper::Error>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let busy = Rc::new(Busy::default());
    let counts = busy.clone();
    let service = service_fn(move |request| {
        let (engine, link, counted) = (engine.clone(), link.clone(), counts.begin());
        async move {
            let answered = answer(&engine, &link, request).await;
            drop(counted);
            Ok::<_, Infallible>(answered)
        }
    });
    let mut connection = pin!(server().serve_connection(TokioIo::new(io), service));
    tokio::select! {
        ended = connection.as_mut() => return ended,
        () = drain.signalled() => {}
        () = busy.idles() => {}
    }
    connection.as_mut().graceful_shutdown();
    connection.await
}

/// How many requests of a connection are being answered, and how many there were.
#[derive(Default)]
struct Busy {
    now: Cell<u64>,
    ever: Cell<u64>,
}

/// One request that is being answered.
struct Begun(Rc<Busy>);

impl Busy {
    fn begin(self: &Rc<Self>) -> Begun {
        self.now.set(self.now.get() + 1);
        self.ever.set(self.ever.get() + 1);
        Begun(self.clone())
    }

    /// Returns once nothing was asked for a while. Bodies on their way are not cut by it.
    async fn idles(&self) {
        loop {
            let before = self.ever.get();
            tokio::time::sleep(KEEP_ALIVE).await;
            if self.now.get() == 0 && self.ever.get() == before {
                return;
            }
        }
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.0.now.set(self.0.now.get().saturating_sub(1));
    }
}

fn server() -> http2::Builder<Here> {
    let mut server = http2::Builder::new(Here);
    server
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEAD)
        .max_send_buf_size(UNSENT)
        .max_pending_accept_reset_streams(32)
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(20));
    server
}

async fn answer(
    engine: &Arc<Engine>,
    link: &Link,
    request: Request<Incoming>,
) -> Response<Sending> {
    let asked = asked(link, request);
    let method = asked.method.clone();
    let mut reply = engine.handle(asked).await;
    reply.body = stalled::watched(reply.body);
    let (status, mut headers, body) = Sending::of(&method, reply);
    for hop in [header::CONNECTION, header::TRANSFER_ENCODING] {
        headers.remove(hop);
    }
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

fn asked(link: &Link, request: Request<Incoming>) -> Asked {
    let (mut head, body) = request.into_parts();
    join_cookies(&mut head.headers);
    let patience = if grpc::is_content(&head.headers) { upload::LONG } else { upload::PATIENCE };
    let relay = Relay::default();
    let uri = &head.uri;
    Asked {
        path: uri.path().to_owned(),
        query: uri.query().map(str::to_owned),
        authority: uri.authority().map(|name| name.as_str().to_owned()),
        body: coming(body, patience, relay.trailers.clone()),
        peer: link.peer,
        scheme: Scheme::Https,
        tls: link.tls.clone(),
        version: head.version,
        method: head.method,
        headers: head.headers,
        relay,
    }
}

fn coming(body: Incoming, patience: Duration, trailers: Trailers) -> Option<ports::origin::Body> {
    if hyper::body::Body::is_end_stream(&body) {
        return None;
    }
    let data = BodyStream::new(body.map_frame(|frame| frame));
    let data = futures::StreamExt::filter_map(data, move |frame| {
        std::future::ready(match frame.map(Frame::into_data) {
            Ok(Ok(piece)) => Some(Ok(piece)),
            Ok(Err(frame)) => {
                let told = frame.trailers_ref().and_then(trailers::passed_on);
                trailers.tell(told.unwrap_or_default());
                None
            }
            Err(why) => Some(Err(why)),
        })
    });
    Some(upload::patient(Box::pin(data), patience))
}

/// One Cookie header of several crumbs (RFC 9113 §8.2.3).
pub fn join_cookies(headers: &mut HeaderMap) {
    let crumbs: Vec<&[u8]> =
        headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if crumbs.len() < 2 {
        return;
    }
    if let Ok(whole) = HeaderValue::from_bytes(&crumbs.join(&b"; "[..])) {
        headers.insert(header::COOKIE, whole);
    }
}
