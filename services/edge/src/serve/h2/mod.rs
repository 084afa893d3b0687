//! HTTP/2: the `h2` crate speaks it, this converts and drives it.
//!
//! For: one connection, its limits and its end; each stream is an `exchange`. What can be answered at
//! once is answered in the connection's own turn, without a task, and all answers of a turn leave
//! together (`corked`). Not for: anything about caching or origins.

mod alive;
mod corked;
mod exchange;

use crate::{
    pipeline::Engine,
    serve::{
        h1::{HEAD_TIMEOUT, KEEP_ALIVE},
        io::{Gathers, Link},
    },
};
use alive::Alive;
use bytes::Bytes;
use corked::{Cork, Corked, corked};
use h2::{
    RecvStream,
    server::{Builder, Connection, SendResponse},
};
use http::{HeaderMap, HeaderValue, Request, header};
use kit::drain::Drain;
use std::{
    cell::Cell,
    future::{Future, poll_fn},
    io,
    pin::pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// Streams of one connection that are served at a time.
pub const STREAMS: u32 = 128;
/// A request's head may be this long before the engine's own limit speaks.
pub const HEAD: u32 = 64 << 10;
/// Bytes of one stream that wait for the connection.
const UNSENT: usize = 128 << 10;
/// Bytes of request bodies that may come unasked, for each stream and for all of a connection.
const WINDOW: u32 = 1 << 20;
/// Streams that a viewer took back before they were looked at: more are an attack (CVE-2023-44487).
const TAKEN_BACK: usize = 32;
/// Streams that we reset for a viewer's errors: more are an attack.
const FAULTY: usize = 1024;

/// After the last answer a viewer has this long to read it and to hang up.
pub const LINGER: Duration = Duration::from_secs(2);

/// Why a connection ended early.
#[derive(Debug, thiserror::Error)]
enum Broken {
    /// It was not HTTP/2, or not in a way that can go on.
    #[error(transparent)]
    Protocol(#[from] h2::Error),
    /// It was cut.
    #[error(transparent)]
    Connection(#[from] io::Error),
    /// Nothing was heard of the viewer for too long.
    #[error("the viewer is silent")]
    Silent,
}

/// Serves one connection until it ends; after the signal it takes no new streams.
pub async fn serve<T>(engine: Arc<Engine>, io: T, link: Link, drain: Drain)
where
    T: Gathers + AsyncRead + AsyncWrite + Unpin + 'static,
{
    let (corked, cork) = corked(io);
    let ended = speak(engine, corked, &cork, link, drain).await;
    if let Err(why) = ended {
        tracing::debug!(%why, "an HTTP/2 connection ended early");
        return;
    }
    // Closed with the viewer's last frames unread, the connection would be reset, and what it has
    // not read of our answer would be lost.
    if let Some(mut io) = cork.into_inner() {
        let _ = tokio::time::timeout(LINGER, linger(&mut io)).await;
    }
}

pub async fn linger<T: AsyncRead + AsyncWrite + Unpin>(io: &mut T) {
    let mut unread = [0; 1024];
    let _ = io.shutdown().await;
    while matches!(io.read(&mut unread).await, Ok(1..)) {}
}

async fn speak<T>(
    engine: Arc<Engine>,
    io: Corked<T>,
    cork: &Cork<T>,
    link: Link,
    drain: Drain,
) -> Result<(), Broken>
where
    T: Gathers + AsyncRead + AsyncWrite + Unpin + 'static,
{
    let mut streams = handshake(io, cork).await?;
    let mut alive = Alive::new(streams.ping_pong());
    let busy = Rc::new(Busy::default());
    let told = async {
        tokio::select! {
            () = drain.signalled() => {}
            () = busy.idles() => {}
        }
    };
    let (mut told, mut leaving) = (pin!(told), false);
    poll_fn(|context| {
        if alive.poll_gone(context, || cork.has_heard()).is_ready() {
            return Poll::Ready(Err(Broken::Silent));
        }
        if !leaving && told.as_mut().poll(context).is_ready() {
            leaving = true;
            streams.graceful_shutdown();
        }
        let turn = turn(&mut streams, context, |request, respond| {
            begin(&engine, &link, &busy, request, respond);
        });
        leave(turn, cork, context)
    })
    .await
}

/// The connection once settings are exchanged.
async fn handshake<T>(io: Corked<T>, cork: &Cork<T>) -> Result<Connection<Corked<T>, Bytes>, Broken>
where
    T: Gathers + AsyncRead + AsyncWrite + Unpin,
{
    let mut shaking = pin!(server().handshake(io));
    let shaken = poll_fn(|context| leave(shaking.as_mut().poll(context), cork, context));
    tokio::time::timeout(HEAD_TIMEOUT, shaken).await.unwrap_or(Err(Broken::Silent))
}

fn server() -> Builder {
    let mut server = Builder::new();
    server
        .initial_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEAD)
        .max_send_buffer_size(UNSENT)
        .max_pending_accept_reset_streams(TAKEN_BACK)
        .max_local_error_reset_streams(Some(FAULTY));
    server
}

/// Takes what came, and begins every new stream.
fn turn<T>(
    streams: &mut Connection<Corked<T>, Bytes>,
    context: &mut Context<'_>,
    begin: impl Fn(Request<RecvStream>, SendResponse<Bytes>),
) -> Poll<Result<(), h2::Error>>
where
    T: Gathers + AsyncRead + AsyncWrite + Unpin,
{
    loop {
        match std::task::ready!(streams.poll_accept(context)) {
            Some(Ok((request, respond))) => begin(request, respond),
            Some(Err(why)) => return Poll::Ready(Err(why)),
            None => return Poll::Ready(Ok(())),
        }
    }
}

/// Ends a turn: what was written in it leaves.
fn leave<T, R>(
    turn: Poll<Result<R, h2::Error>>,
    cork: &Cork<T>,
    context: &mut Context<'_>,
) -> Poll<Result<R, Broken>>
where
    T: AsyncWrite + Unpin,
{
    match (cork.pull(context), turn) {
        (Poll::Ready(Err(why)), Poll::Pending | Poll::Ready(Ok(_))) => Poll::Ready(Err(why.into())),
        (_, turn) => turn.map_err(Broken::from),
    }
}

/// Begins a stream. It goes on in a task of its own if it has to wait for anything.
fn begin(
    engine: &Arc<Engine>,
    link: &Link,
    busy: &Rc<Busy>,
    request: Request<RecvStream>,
    respond: SendResponse<Bytes>,
) {
    let counted = busy.begin();
    let answering = exchange::answer(engine.clone(), exchange::asked(link, request), respond);
    let mut answering = Box::pin(async move {
        if let Err(why) = answering.await {
            tracing::debug!(%why, "an HTTP/2 stream ended early");
        }
        drop(counted);
    });
    let now = &mut Context::from_waker(Waker::noop());
    if answering.as_mut().poll(now).is_pending() {
        tokio::task::spawn_local(answering);
    }
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
