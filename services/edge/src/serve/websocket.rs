//! WebSocket: a handshake over HTTP/1.1, then bytes in both directions.
//!
//! For: requests with `Upgrade: websocket`, which actix hands over with their connection. The
//! handshake goes through the engine like any request; a tunnel that comes back is copied through,
//! frames unread. Any other answer is written here, and ends the connection.
//! Not for: WebSocket over HTTP/2 or 3 (CloudFront has neither).
//!
//! Source: RFC 6455; RFC 9110 §7.8; CloudFront developer guide, using `WebSockets` with
//! distributions.

use crate::{
    asked::{Asked, Reply, ReplyBody},
    pipeline::{Engine, trail::Follower},
    serve::{
        LAST_CALL,
        body::Sending,
        early, h1,
        h2::{LINGER, linger},
    },
};
use actix_http::{Request, body::MessageBody as _, h1::Codec};
use actix_service::{ServiceFactory, fn_service};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Version, header};
use kit::drain::Drain;
use ports::{
    origin::BodyError,
    relay::{Tunnel, Way},
};
use std::{convert::Infallible, future::poll_fn, io, pin::Pin, sync::Arc, time::Duration};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// An origin that sends nothing for this long has gone (CloudFront developer guide, quotas on
/// `WebSockets`).
const SILENCE: Duration = Duration::from_mins(10);
/// What is read of one side before it is written to the other.
const BUFFER: usize = 16 << 10;
/// Before the last call ends there is so much time to close connections well.
const CLOSING: u64 = 1;

/// A connection that actix hands over, with the request that was read from it.
type Framed<T> = actix_codec::Framed<T, Codec>;

/// What serves such connections.
pub fn service<T>(
    engine: &Arc<Engine>,
    drain: &Drain,
) -> impl ServiceFactory<
    (Request, Framed<T>),
    Config = (),
    Response = (),
    Error = Infallible,
    InitError = (),
> + use<T>
where
    T: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let (engine, drain) = (engine.clone(), drain.clone());
    fn_service(move |(request, framed): (Request, Framed<T>)| {
        let (engine, drain) = (engine.clone(), drain.clone());
        async move {
            if let Err(why) = serve(&engine, &drain, request, framed).await {
                tracing::debug!(%why, "a connection that wanted a WebSocket ended early");
            }
            Ok(())
        }
    })
}

async fn serve<T>(
    engine: &Arc<Engine>,
    drain: &Drain,
    mut request: Request,
    framed: Framed<T>,
) -> io::Result<()>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let parts = framed.into_parts();
    let (mut viewer, unread) = (parts.io, parts.read_buf.freeze());
    viewer.write_all(&parts.write_buf).await?;
    let asked = h1::asked(&mut request).filter(|asked| asked.body.is_none());
    let Some(mut asked) = asked else {
        return say(&mut viewer, &Method::GET, refused()).await;
    };
    if is_handshake(&asked) {
        asked.relay.way = Way::WebSocket;
    }
    let method = asked.method.clone();
    let mut reply = engine.handle(asked).await;
    if let ReplyBody::Tunnel(origin) = reply.body {
        let _open = engine.opened("websocket");
        viewer.write_all(&early::head(reply.status, &switching(reply.headers))).await?;
        viewer.flush().await?;
        let told = Told { follower: reply.follower.take(), ended: false };
        return relay(viewer, &unread, origin, told, drain).await;
    }
    say(&mut viewer, &method, reply).await
}

/// RFC 6455 §4.1. What is not one is answered as if it had not asked for an upgrade.
fn is_handshake(asked: &Asked) -> bool {
    let lines = asked.headers.get_all(header::CONNECTION).iter();
    let mut options = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    asked.method == Method::GET
        && asked.version == Version::HTTP_11
        && options.any(|option| option.trim_ascii().eq_ignore_ascii_case(b"upgrade"))
}

fn switching(mut headers: HeaderMap) -> HeaderMap {
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers
}

/// A request with a body cannot change the protocol: what follows it is not known.
fn refused() -> Reply {
    Reply::new(StatusCode::BAD_REQUEST, HeaderMap::new(), ReplyBody::Empty)
}

/// Writes an ordinary answer, the last of the connection.
async fn say<T>(viewer: &mut T, method: &Method, reply: Reply) -> io::Result<()>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let (status, mut headers, mut body) = Sending::of(method, reply);
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    if body.chunks() {
        headers.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    } else if let actix_http::body::BodySize::Sized(length) = body.size()
        && status != StatusCode::NO_CONTENT
        && status != StatusCode::NOT_MODIFIED
    {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    viewer.write_all(&early::head(status, &headers)).await?;
    while let Some(piece) = poll_fn(|context| Pin::new(&mut body).poll_next(context)).await {
        viewer.write_all(&piece.map_err(io::Error::other)?).await?;
    }
    viewer.flush().await?;
    // Closed with the viewer's frames unread, the connection would be reset before it has read this.
    let _ = tokio::time::timeout(LINGER, linger(viewer)).await;
    Ok(())
}

/// What is told of a tunnel when it ends.
struct Told {
    follower: Option<Follower>,
    /// Whether both sides have said all.
    ended: bool,
}

impl Told {
    fn sent(&mut self, bytes: usize) {
        if let Some(follower) = &mut self.follower {
            follower.sent(bytes);
        }
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        match &mut self.follower {
            Some(follower) if self.ended => follower.whole(),
            Some(follower) => follower.failed(&BodyError::Cut("the tunnel was cut".into())),
            None => {}
        }
    }
}

/// Copies both ways until both sides have ended, one of them is gone, the origin is silent for too
/// long, or the last call ends.
async fn relay<T>(
    viewer: T,
    unread: &[u8],
    origin: Tunnel,
    mut told: Told,
    drain: &Drain,
) -> io::Result<()>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let (mut from_viewer, mut to_viewer) = tokio::io::split(viewer);
    let (mut from_origin, mut to_origin) = tokio::io::split(origin);
    let up = up(&mut from_viewer, unread, &mut to_origin);
    let down = down(&mut from_origin, &mut to_viewer, &mut told);
    let ended = tokio::select! {
        ended = both(up, down) => ended,
        () = last_call(drain) => Err(io::Error::other("the edge stops")),
    };
    told.ended = ended.is_ok();
    // Either may be gone already.
    let _ = tokio::time::timeout(LINGER, async {
        let _ = to_viewer.shutdown().await;
        let _ = to_origin.shutdown().await;
    })
    .await;
    ended
}

async fn last_call(drain: &Drain) {
    drain.signalled().await;
    tokio::time::sleep(Duration::from_secs(LAST_CALL - CLOSING)).await;
}

/// Until the origin has ended, and for a moment longer for the viewer's last words.
async fn both(
    up: impl Future<Output = io::Result<()>>,
    down: impl Future<Output = io::Result<()>>,
) -> io::Result<()> {
    let (mut up, mut down) = (std::pin::pin!(up), std::pin::pin!(down));
    tokio::select! {
        ended = &mut up => {
            ended?;
            down.await
        }
        ended = &mut down => {
            ended?;
            tokio::time::timeout(LINGER, up).await.unwrap_or(Ok(()))
        }
    }
}

/// From the viewer to the origin. An origin that takes nothing more may still send.
async fn up<R, W>(viewer: &mut R, unread: &[u8], origin: &mut W) -> io::Result<()>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut buffer = vec![0; BUFFER];
    let mut taken = write(origin, unread).await;
    loop {
        let length = viewer.read(&mut buffer).await?;
        if length == 0 {
            // It may have gone; the other direction shows that.
            let _ = origin.shutdown().await;
            return Ok(());
        }
        if taken.is_ok() {
            taken = write(origin, buffer.get(..length).unwrap_or_default()).await;
        }
    }
}

/// From the origin to the viewer.
async fn down<R, W>(origin: &mut R, viewer: &mut W, told: &mut Told) -> io::Result<()>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut buffer = vec![0; BUFFER];
    loop {
        let length = tokio::time::timeout(SILENCE, origin.read(&mut buffer)).await??;
        if length == 0 {
            return viewer.shutdown().await;
        }
        write(viewer, buffer.get(..length).unwrap_or_default()).await?;
        told.sent(length);
    }
}

async fn write<W: AsyncWrite + Unpin>(to: &mut W, bytes: &[u8]) -> io::Result<()> {
    to.write_all(bytes).await?;
    to.flush().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use kit::drain::{self, Stopper};
    use tokio::io::duplex;

    struct Ends {
        viewer: tokio::io::DuplexStream,
        origin: tokio::io::DuplexStream,
        relaying: tokio::task::JoinHandle<io::Result<()>>,
        stopper: Stopper,
    }

    fn ends(unread: &'static [u8]) -> Ends {
        let (viewer, ours) = duplex(64);
        let (origin, theirs) = duplex(64);
        let (stopper, drain) = drain::channel();
        let relaying = tokio::spawn(async move {
            let told = Told { follower: None, ended: false };
            relay(ours, unread, Tunnel::new(theirs), told, &drain).await
        });
        Ends { viewer, origin, relaying, stopper }
    }

    async fn expect(from: &mut tokio::io::DuplexStream, text: &str) {
        let mut got = vec![0; text.len()];
        from.read_exact(&mut got).await.unwrap();
        assert_eq!(String::from_utf8(got).unwrap(), text);
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_go_both_ways_those_that_were_read_ahead_first() {
        let mut ends = ends(b"ahead ");
        ends.viewer.write_all(b"up").await.unwrap();
        expect(&mut ends.origin, "ahead up").await;
        ends.origin.write_all(b"down").await.unwrap();
        expect(&mut ends.viewer, "down").await;
    }

    #[tokio::test(start_paused = true)]
    async fn one_side_may_end_before_the_other() {
        let mut ends = ends(b"");
        ends.viewer.shutdown().await.unwrap();
        assert_eq!(ends.origin.read(&mut [0; 8]).await.unwrap(), 0);
        ends.origin.write_all(b"still here").await.unwrap();
        expect(&mut ends.viewer, "still here").await;
        ends.origin.shutdown().await.unwrap();
        assert_eq!(ends.viewer.read(&mut [0; 8]).await.unwrap(), 0);
        ends.relaying.await.unwrap().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn an_origin_that_is_silent_for_ten_minutes_has_gone() {
        let mut ends = ends(b"");
        tokio::time::sleep(SILENCE / 10 * 9).await;
        ends.origin.write_all(b"!").await.unwrap();
        expect(&mut ends.viewer, "!").await;
        let talking = async {
            // However much the viewer says.
            for _ in 0..20 {
                tokio::time::sleep(SILENCE / 10).await;
                let _ = ends.viewer.write_all(b"?").await;
            }
        };
        talking.await;
        assert_eq!(ends.relaying.await.unwrap().unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_viewer_that_is_gone_ends_it() {
        let mut ends = ends(b"");
        drop(ends.viewer);
        assert_eq!(ends.origin.read(&mut [0; 8]).await.unwrap(), 0);
        drop(ends.origin);
        ends.relaying.await.unwrap().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn an_origin_that_takes_nothing_holds_back_the_viewer() {
        let mut ends = ends(b"");
        let sent = async {
            let mut sent = 0_usize;
            while let Ok(written) = ends.viewer.write(&[0; 64]).await {
                sent += written;
            }
            sent
        };
        let sent = tokio::time::timeout(Duration::from_secs(1), sent).await;
        assert!(sent.is_err(), "it may not send without end: {sent:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_call_ends_it() {
        let mut ends = ends(b"");
        let stopper = ends.stopper;
        let stopping = tokio::spawn(async move { stopper.stop().await });
        tokio::time::sleep(Duration::from_secs(1)).await;
        ends.origin.write_all(b"last").await.unwrap();
        expect(&mut ends.viewer, "last").await;
        assert!(ends.relaying.await.unwrap().is_err());
        assert_eq!(ends.viewer.read(&mut [0; 8]).await.unwrap(), 0);
        stopping.await.unwrap();
    }
}
