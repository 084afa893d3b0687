//! One exchange with the engine: what is no hit, answered without the server library.
//!
//! For: requests without a body that need more than a look at what is held: misses, stale copies,
//! conditions, ranges, errors. Writing what the engine replies, as it comes, is all that is left.
//! Not for: requests with bodies, upgrades, HTTP/1.0, or anything else about framing.

use super::{
    ask::Ask,
    connection::{Connection, End},
};
use crate::{
    asked::{Asked, Reply},
    serve::{
        body::{Sending, last_chunk},
        early::{self, Hints},
        io::Link,
    },
};
use actix_http::body::{BodySize, MessageBody as _};
use bytes::Bytes;
use headers::trailers;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use ports::origin::{BodyError, Scheme};
use std::{
    future::{Future, poll_fn},
    io::{self, Write as _},
    pin::{Pin, pin},
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite};

/// Pieces up to this length are copied behind what waits to be written.
const SMALL: usize = 16 << 10;
/// More does not wait.
const GATHERED: usize = 64 << 10;

impl Ask<'_> {
    /// The request in the engine's words; none if it cannot be said in them.
    pub fn asked(&self, link: &Link) -> Option<Asked> {
        let mut headers = HeaderMap::with_capacity(self.lines.len());
        for (name, value) in self.lines.iter() {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            headers.try_append(name, HeaderValue::from_bytes(value).ok()?).ok()?;
        }
        Some(Asked {
            method: self.method.clone(),
            path: self.path.to_owned(),
            query: self.query.map(str::to_owned),
            authority: None,
            headers,
            body: None,
            peer: link.peer,
            scheme: link.tls.as_ref().map_or(Scheme::Http, |_| Scheme::Https),
            tls: link.tls.clone(),
            version: Version::HTTP_11,
            relay: ports::relay::Relay::default(),
        })
    }
}

/// How a body is told from what follows it (RFC 9112 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    /// There is none.
    Bodiless,
    /// By its length, of which so much is to come.
    Told(u64),
    /// By chunks.
    Chunked,
}

impl Framing {
    /// As much of a piece as belongs to the answer: the viewer takes what is beyond the announced
    /// length for the next one.
    fn share<'a>(&mut self, piece: &'a [u8]) -> &'a [u8] {
        match self {
            Self::Bodiless => &[],
            Self::Chunked => piece,
            Self::Told(left) => {
                let most = usize::try_from(*left).unwrap_or(usize::MAX).min(piece.len());
                *left -= most as u64;
                piece.get(..most).unwrap_or_default()
            }
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Connection<'_, T> {
    /// Has the engine answer, and writes what it says.
    pub async fn exchange(&mut self, mut asked: Asked) -> End {
        let method = asked.method.clone();
        let trailers = trailers::are_welcome(&asked.headers);
        let (interim, hints) = early::hints();
        asked.relay.interim = Some(interim);
        let engine = self.worker.engine.clone();
        #[cfg(test)]
        self.worker.exchanges.set(self.worker.exchanges.get() + 1);
        let mut out = self.worker.buffer();
        let ended = match self.handled(engine.handle(asked), &hints, &mut out).await {
            Ok(reply) => self.reply(&method, reply, trailers, &mut out).await,
            Err(why) => Err(why),
        };
        self.worker.give_back(out);
        ended.unwrap_or(End::Gone)
    }

    /// Waits for something as long as the viewer is there.
    async fn while_there<R>(&mut self, awaited: impl Future<Output = R>) -> io::Result<R> {
        let mut awaited = pin!(awaited);
        poll_fn(|context| {
            if let Poll::Ready(got) = awaited.as_mut().poll(context) {
                return Poll::Ready(Ok(got));
            }
            self.poll_ahead(context).map(Err)
        })
        .await
    }

    /// The engine's reply; informational answers before it are written at once (RFC 8297 §2).
    async fn handled(
        &mut self,
        handled: impl Future<Output = Reply>,
        hints: &Hints,
        out: &mut Vec<u8>,
    ) -> io::Result<Reply> {
        let (mut handled, mut ready) = (pin!(handled), None);
        loop {
            let hint = poll_fn(|context| hints.poll_until(context, handled.as_mut(), &mut ready));
            if let Some((status, fields)) = self.while_there(hint).await? {
                out.extend_from_slice(&early::head(status, &fields));
                self.write(out, &[]).await?;
            } else if let Some(reply) = ready.take() {
                return Ok(reply);
            }
        }
    }

    /// Writes a reply to its end, with trailers if they are wanted.
    async fn reply(
        &mut self,
        method: &Method,
        reply: Reply,
        trailers: bool,
        out: &mut Vec<u8>,
    ) -> io::Result<End> {
        let (status, headers, mut body) = Sending::of(method, reply);
        let mut closes = headers.get(header::CONNECTION).is_some_and(|value| value == "close")
            || self.worker.watch.is_stopping();
        let mut framing = head(status, &headers, body.size(), closes, out);
        if *method == Method::HEAD {
            framing = Framing::Bodiless;
        }
        closes |= !self.pieces(&mut body, &mut framing, out).await?;
        if framing == Framing::Chunked {
            let fields = body.last().filter(|_| trailers);
            out.extend_from_slice(&last_chunk(&fields.unwrap_or_default()));
        }
        drop(body); // it counts as answered before the viewer can know
        self.write(out, &[]).await?;
        Ok(match framing {
            Framing::Told(1..) => End::Gone,
            _ if closes => End::Over,
            _ => End::More,
        })
    }

    /// Writes a body, up to the length announced. Whether that was all there is: whoever gives more
    /// than announced is not to be trusted with another answer on this connection.
    async fn pieces(
        &mut self,
        body: &mut Sending,
        framing: &mut Framing,
        out: &mut Vec<u8>,
    ) -> io::Result<bool> {
        // What has come before an error has been written: the viewer sees that it is not all.
        while let Some(piece) = self.next(body, out).await?.transpose().map_err(io::Error::other)? {
            let ours = framing.share(&piece);
            if !ours.is_empty() {
                self.piece(ours, *framing, out).await?;
            }
            if ours.len() < piece.len() && *framing != Framing::Bodiless {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The next piece; what waits to be written does not wait for it.
    async fn next(
        &mut self,
        body: &mut Sending,
        out: &mut Vec<u8>,
    ) -> io::Result<Option<Result<Bytes, BodyError>>> {
        if let Poll::Ready(next) =
            poll_once(|context| Pin::new(&mut *body).poll_next(context)).await
        {
            return Ok(next);
        }
        self.write(out, &[]).await?;
        self.while_there(poll_fn(|context| Pin::new(&mut *body).poll_next(context))).await
    }

    async fn piece(&mut self, piece: &[u8], framing: Framing, out: &mut Vec<u8>) -> io::Result<()> {
        if framing == Framing::Chunked {
            write!(out, "{:X}\r\n", piece.len())?;
        }
        if piece.len() > SMALL {
            self.write(out, piece).await?;
        } else {
            out.extend_from_slice(piece);
        }
        if framing == Framing::Chunked {
            out.extend_from_slice(b"\r\n");
        }
        if out.len() >= GATHERED {
            self.write(out, &[]).await?;
        }
        Ok(())
    }

    /// Writes both; of the first, nothing is left.
    async fn write(&mut self, out: &mut Vec<u8>, body: &[u8]) -> io::Result<()> {
        let mut done = 0;
        if !(out.is_empty() && body.is_empty()) {
            poll_fn(|context| self.poll_send(context, out, body, &mut done)).await?;
        }
        out.clear();
        Ok(())
    }
}

async fn poll_once<R>(mut poll: impl FnMut(&mut Context<'_>) -> Poll<R>) -> Poll<R> {
    poll_fn(|context| Poll::Ready(poll(context))).await
}

const fn has_body(status: StatusCode) -> bool {
    !matches!(status.as_u16(), 100..=199 | 204 | 304)
}

/// Writes a head, as the server library does.
fn head(
    status: StatusCode,
    headers: &HeaderMap,
    size: BodySize,
    closes: bool,
    out: &mut Vec<u8>,
) -> Framing {
    let reason = status.canonical_reason().unwrap_or("<unknown status code>");
    for part in ["HTTP/1.1 ", status.as_str(), " ", reason, "\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
    let framing = match size {
        BodySize::Sized(length) if has_body(status) => {
            out.extend_from_slice(b"content-length: ");
            super::head::decimal(length, out);
            out.extend_from_slice(b"\r\n");
            Framing::Told(length)
        }
        BodySize::Stream if has_body(status) => {
            out.extend_from_slice(b"transfer-encoding: chunked\r\n");
            Framing::Chunked
        }
        _ => Framing::Bodiless,
    };
    if closes {
        out.extend_from_slice(b"connection: close\r\n");
    }
    for (name, value) in headers {
        let told = *name == header::CONTENT_LENGTH && status != StatusCode::NOT_MODIFIED;
        if !told && *name != header::TRANSFER_ENCODING && *name != header::CONNECTION {
            for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                out.extend_from_slice(part);
            }
        }
    }
    out.extend_from_slice(b"\r\n");
    framing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        asked::ReplyBody,
        serve::{io::Watched, quick::Worker},
        testing::World,
    };
    use bytes::BytesMut;
    use futures::{StreamExt as _, stream};
    use kit::drain;
    use tokio::{io::AsyncReadExt as _, task::LocalSet};

    /// What the viewer gets of a body of these pieces, announced as so long, and what comes then.
    async fn said(method: &Method, length: u64, pieces: &'static [&str]) -> (String, End) {
        let world = World::new();
        let (_stopper, drain) = drain::channel();
        let worker = Worker::new(&world.engine, &drain);
        let (mut viewer, ours) = tokio::io::duplex(1 << 20);
        let link = Link { peer: "192.0.2.1:4711".parse().unwrap(), tls: None };
        let io = Watched::new(ours, link, world.engine.opened("http"));
        let mut connection = Connection::new(&worker, io, BytesMut::new(), true);
        let body = stream::iter(pieces).map(|piece| Ok(Bytes::from_static(piece.as_bytes())));
        let body = ReplyBody::Stream { length: Some(length), body: body.boxed() };
        let reply = Reply::new(StatusCode::OK, HeaderMap::new(), body);
        let end = connection.reply(method, reply, false, &mut Vec::new()).await.unwrap();
        drop(connection);
        let mut answer = String::new();
        viewer.read_to_string(&mut answer).await.unwrap();
        (answer.split_once("\r\n\r\n").unwrap().1.to_owned(), end)
    }

    /// RFC 9112 §6.3: what is beyond the length would be read as the next answer.
    #[tokio::test]
    async fn an_announced_length_is_kept_or_the_connection_ends() {
        let table: [(u64, &[&str], &str, End); 7] = [
            (6, &["abc", "def"], "abcdef", End::More),
            (6, &["abc", "defHTTP/1.1 200 OK\r\n\r\n"], "abcdef", End::Over),
            (6, &["abc", "def", "HTTP/1.1 200 OK\r\n\r\n", "x"], "abcdef", End::Over),
            (0, &["abc"], "", End::Over),
            (0, &[], "", End::More),
            (6, &["abc", "de"], "abcde", End::Gone),
            (6, &[], "", End::Gone),
        ];
        for (length, pieces, expected, end) in table {
            let got = LocalSet::new().run_until(said(&Method::GET, length, pieces)).await;
            assert_eq!(got, (expected.to_owned(), end), "{length} {pieces:?}");
            let got = LocalSet::new().run_until(said(&Method::HEAD, length, pieces)).await;
            assert_eq!(got, (String::new(), End::More), "{length} {pieces:?}");
        }
    }
}
