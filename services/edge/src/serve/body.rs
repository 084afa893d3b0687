//! A reply's body on its way out: one type that both server libraries can send.

use crate::{
    asked::{Reply, ReplyBody},
    pipeline::trail::Follower,
    serve::turns::Turn,
};
use actix_http::body::{BodySize, MessageBody};
use bytes::{Bytes, BytesMut};
use futures::{StreamExt as _, stream::BoxStream};
use headers::trailers;
use http::{HeaderMap, Method, header::CONTENT_LENGTH};
use http_body::{Frame, SizeHint};
use ports::{origin::BodyError, relay::Trailers};
use std::{
    pin::Pin,
    task::{Context, Poll},
};

/// A body that counts what leaves, and ends the record of its request when it is dropped.
pub struct Sending {
    from: From,
    length: Option<u64>,
    follower: Option<Follower>,
    turn: Option<Turn>,
    trailers: Option<Trailers>,
    /// Whether pieces leave as chunks, for HTTP/1.1 (RFC 9112 §7.1).
    chunked: bool,
    /// Whether all has been given but the end.
    ended: bool,
    /// Told only when it is asked for once more, see [`Sending::poll`].
    failed: Option<BodyError>,
}

impl Drop for Sending {
    fn drop(&mut self) {
        if let Some(turn) = &self.turn {
            turn.is_over();
        }
    }
}

enum From {
    Nothing,
    Pieces(std::vec::IntoIter<Bytes>),
    Stream(BoxStream<'static, Result<Bytes, BodyError>>),
}

impl Sending {
    /// The body of `reply`, whose `content-length` header (kept for HEAD) tells the length that a
    /// body would have had.
    pub fn new(
        method: &Method,
        body: ReplyBody,
        headers: &HeaderMap,
        follower: Option<Follower>,
    ) -> Self {
        let told = body.length();
        let trailers = match &body {
            ReplyBody::Trailed { trailers, .. } => Some(trailers.clone()),
            _ => None,
        };
        let (from, length) = match body {
            ReplyBody::Empty if method == Method::HEAD => (From::Nothing, announced(headers)),
            ReplyBody::Empty | ReplyBody::Tunnel(_) => (From::Nothing, Some(0)),
            ReplyBody::Pieces(pieces) => (From::Pieces(pieces.into_iter()), told),
            ReplyBody::Stream { body, .. } | ReplyBody::Trailed { body, .. } => {
                (From::Stream(body), told)
            }
        };
        Self {
            from,
            length,
            follower,
            turn: None,
            trailers,
            chunked: false,
            ended: false,
            failed: None,
        }
    }

    /// With this body, the request's turn ends.
    pub fn ends(&mut self, turn: Option<Turn>) {
        self.turn = turn;
    }

    /// Whether fields may follow it.
    pub fn may_be_trailed(&self) -> bool {
        self.trailers.is_some()
    }

    /// From now on it writes its own chunks, with trailers, if its length is not known. Whether it
    /// does.
    pub fn chunks(&mut self) -> bool {
        self.chunked = self.length.is_none() && !self.is_nothing();
        self.chunked
    }

    /// What is said after the body, once.
    pub fn last(&mut self) -> Option<HeaderMap> {
        self.ended = true;
        trailers::passed_on(self.trailers.take()?.told()?)
    }

    /// Splits a reply into what a server library writes first, and the body.
    pub fn of(method: &Method, reply: Reply) -> (http::StatusCode, HeaderMap, Self) {
        let body = Self::new(method, reply.body, &reply.headers, reply.follower);
        (reply.status, reply.headers, body)
    }

    /// Whether there is nothing to send.
    fn is_nothing(&self) -> bool {
        matches!(self.from, From::Nothing)
    }

    /// The next piece. At an error the server libraries drop what they have not written yet, be it
    /// the head: so it is told one turn late, after a pause in which they write it.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        if let Some(why) = self.failed.take() {
            return Poll::Ready(Some(Err(why)));
        }
        let next = loop {
            let next = match &mut self.from {
                From::Nothing => None,
                From::Pieces(pieces) => pieces.next().map(Ok),
                From::Stream(stream) => std::task::ready!(stream.poll_next_unpin(context)),
            };
            // An empty piece would be taken for the last chunk (RFC 9112 §7.1).
            if !matches!(&next, Some(Ok(piece)) if piece.is_empty()) {
                break next;
            }
        };
        self.follow(next.as_ref());
        if let Some(Err(why)) = next {
            self.failed = Some(why);
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(next)
    }

    fn follow(&mut self, next: Option<&Result<Bytes, BodyError>>) {
        let Some(follower) = &mut self.follower else {
            return;
        };
        match next {
            Some(Ok(piece)) => follower.sent(piece.len()),
            Some(Err(why)) => follower.failed(why),
            None => follower.whole(),
        }
    }
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

impl MessageBody for Sending {
    type Error = BodyError;

    fn size(&self) -> BodySize {
        match self.length {
            Some(length) => BodySize::Sized(length),
            None if self.is_nothing() => BodySize::None,
            None => BodySize::Stream,
        }
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BodyError>>> {
        let this = self.get_mut();
        if !this.chunked {
            return this.poll(context);
        }
        if this.ended {
            return Poll::Ready(None);
        }
        loop {
            return Poll::Ready(match std::task::ready!(this.poll(context)) {
                Some(Ok(piece)) if piece.is_empty() => continue,
                Some(Ok(piece)) => Some(Ok(chunk(&piece))),
                Some(Err(why)) => Some(Err(why)),
                None => Some(Ok(last_chunk(&this.last().unwrap_or_default()))),
            });
        }
    }
}

/// RFC 9112 §7.1.
fn chunk(piece: &[u8]) -> Bytes {
    let size = format!("{:x}\r\n", piece.len());
    let mut chunk = BytesMut::with_capacity(size.len() + piece.len() + 2);
    chunk.extend_from_slice(size.as_bytes());
    chunk.extend_from_slice(piece);
    chunk.extend_from_slice(b"\r\n");
    chunk.freeze()
}

/// The end, with trailers (RFC 9112 §7.1.2).
pub fn last_chunk(trailers: &HeaderMap) -> Bytes {
    let mut last = BytesMut::from(&b"0\r\n"[..]);
    for (name, value) in trailers {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            last.extend_from_slice(part);
        }
    }
    last.extend_from_slice(b"\r\n");
    last.freeze()
}

impl http_body::Body for Sending {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        if this.ended {
            return Poll::Ready(None);
        }
        Poll::Ready(match std::task::ready!(this.poll(context)) {
            Some(piece) => Some(piece.map(Frame::data)),
            None => this.last().map(|fields| Ok(Frame::trailers(fields))),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.is_nothing()
    }

    fn size_hint(&self) -> SizeHint {
        match self.length {
            Some(length) if !self.is_nothing() => SizeHint::with_exact(length),
            _ if self.is_nothing() => SizeHint::with_exact(0),
            _ => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{poll, stream};
    use std::{future::poll_fn, pin::pin};

    /// Between the last piece and the error there is time to write what has come.
    #[tokio::test]
    async fn a_cut_body_pauses_before_it_fails() {
        let pieces = [Ok(Bytes::from("half")), Err(BodyError::Silent)];
        let body = ReplyBody::Stream { length: Some(8), body: stream::iter(pieces).boxed() };
        let mut sending = Sending::new(&Method::GET, body, &HeaderMap::new(), None);
        let mut next = pin!(poll_fn(|context| sending.poll(context)));
        assert!(matches!(poll!(&mut next), Poll::Ready(Some(Ok(piece))) if piece == "half"));
        assert!(poll!(&mut next).is_pending());
        assert!(matches!(poll!(&mut next), Poll::Ready(Some(Err(_)))));
    }
}
