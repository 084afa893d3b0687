//! One request over HTTP/3, and its answer.
//!
//! For: turning frames into the engine's words and back, bodies piece by piece in both directions.
//! A body that does not keep to its `Content-Length` is malformed (RFC 9114 §4.1.2). Trailers are
//! not read, and sent only to who says `TE: trailers`: some browsers wait for ever on others.

use crate::{
    asked::{Asked, Reply},
    pipeline::Engine,
    serve::{
        body::Sending,
        early::{self, Hints},
        h1::HEAD_TIMEOUT,
        h2::join_cookies,
        h3::bounded::{self, Bounded},
        io::{Link, PATIENCE},
        upload,
    },
};
use ::h3::{
    error::{Code, StreamError},
    quic::SendStream as _,
    server::{RequestResolver, RequestStream},
};
use bytes::{Buf as _, Bytes};
use futures::{StreamExt as _, stream};
use headers::trailers;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use ports::{
    origin::{Body, BodyError, Scheme},
    relay::Relay,
};
use std::{
    future::{Future, poll_fn},
    sync::Arc,
};

/// Bytes that a viewer has [`PATIENCE`] to make room for.
const STEP: usize = 64 << 10;

type Resolver = RequestResolver<Bounded<h3_quinn::Connection>, Bytes>;
type Sends = RequestStream<h3_quinn::SendStream<Bytes>, Bytes>;
type Receives = RequestStream<bounded::Receives<h3_quinn::RecvStream>, Bytes>;

/// Why an exchange ends before its end.
#[derive(Debug, thiserror::Error)]
enum Cut {
    /// The viewer has broken the rules, or has gone.
    #[error("{0}")]
    Stream(#[from] StreamError),
    /// The body has ended early.
    #[error("{0}")]
    Body(#[from] BodyError),
    /// The head or the body cannot be what it says.
    #[error("the request is malformed: {0}")]
    Malformed(&'static str),
    /// The viewer stands still.
    #[error("the viewer stood still for too long")]
    Late(#[from] tokio::time::error::Elapsed),
}

/// Answers one request. Dropping the call gives the request up.
pub async fn answer(engine: Arc<Engine>, link: Link, resolver: Resolver) {
    if let Err(why) = exchange(&engine, &link, resolver).await {
        tracing::debug!(peer = %link.peer, %why, "an HTTP/3 exchange ended early");
    }
}

/// Sends a request away that came too late: it was not looked at, and may be sent again.
pub fn reject(mut resolver: Resolver) {
    resolver.frame_stream.reset(Code::H3_REQUEST_REJECTED.value());
}

async fn exchange(engine: &Arc<Engine>, link: &Link, resolver: Resolver) -> Result<(), Cut> {
    let head = tokio::time::timeout(HEAD_TIMEOUT, resolver.resolve_request());
    let (request, stream) = head.await??;
    let (sends, receives) = stream.split();
    let fails_with = Some(Code::H3_INTERNAL_ERROR);
    let mut answering = Answering { stream: sends, fails_with, trailers: false };
    let mut asked = match asked(link, request, receives).await {
        Ok(asked) => asked,
        Err(why) => {
            answering.fails_with = Some(Code::H3_MESSAGE_ERROR);
            return Err(why);
        }
    };
    let method = asked.method.clone();
    answering.trailers = trailers::are_welcome(&asked.headers);
    let (interim, hints) = early::hints();
    asked.relay.interim = Some(interim);
    let reply = answering.hint(hints, engine.handle(asked)).await?;
    let (status, headers, body) = Sending::of(&method, reply);
    answering.send(response(status, headers, &body), body).await
}

/// The request in the engine's words.
async fn asked(link: &Link, request: Request<()>, receives: Receives) -> Result<Asked, Cut> {
    let (mut head, ()) = request.into_parts();
    join_cookies(&mut head.headers);
    let left = announced(&head.headers)?;
    let uri = &head.uri;
    Ok(Asked {
        path: uri.path().to_owned(),
        query: uri.query().map(str::to_owned),
        authority: uri.authority().map(|name| name.as_str().to_owned()),
        body: coming(Upload { receives, left }).await?,
        peer: link.peer,
        scheme: Scheme::Https,
        tls: link.tls.clone(),
        version: head.version,
        method: head.method,
        headers: head.headers,
        relay: Relay::default(),
    })
}

/// `Content-Length`, if there is one.
fn announced(headers: &HeaderMap) -> Result<Option<u64>, Cut> {
    let mut lines = headers.get_all(header::CONTENT_LENGTH).iter();
    let Some(line) = lines.next() else {
        return Ok(None);
    };
    if lines.next().is_some() {
        return Err(Cut::Malformed("it has more than one Content-Length"));
    }
    let digits = line.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let length = digits.and_then(|digits| digits.parse().ok());
    length.map(Some).ok_or(Cut::Malformed("its Content-Length is no number"))
}

/// A request's body as it comes.
struct Upload {
    receives: Receives,
    /// Bytes that are still to come, if that was announced.
    left: Option<u64>,
}

/// The body, none if there is none. Whether there is one that was not announced shows only in what
/// follows the head: its first piece, or the end of the stream.
async fn coming(mut upload: Upload) -> Result<Option<Body>, Cut> {
    if upload.left.is_some_and(|left| left > 0) {
        return Ok(Some(upload.stream(None)));
    }
    let first = tokio::time::timeout(HEAD_TIMEOUT, upload.next()).await??;
    Ok(first.map(|first| upload.stream(Some(first))))
}

impl Upload {
    async fn next(&mut self) -> Result<Option<Bytes>, Cut> {
        let piece = self.receives.recv_data().await?;
        let piece = piece.map(|mut piece| piece.copy_to_bytes(piece.remaining()));
        let Some(left) = self.left else {
            return Ok(piece);
        };
        let length = piece.as_ref().map_or(0, |piece| piece.len() as u64);
        let left = left.checked_sub(length).ok_or(Cut::Malformed("its body is too long"))?;
        self.left = Some(left);
        if piece.is_none() && left > 0 {
            return Err(Cut::Malformed("its body is too short"));
        }
        Ok(piece)
    }

    fn stream(self, first: Option<Bytes>) -> Body {
        let rest = stream::try_unfold(self, |mut upload| async move {
            Ok(upload.next().await?.map(|piece| (piece, upload)))
        });
        let first = stream::iter(first.map(Ok::<_, Cut>));
        upload::patient(first.chain(rest).boxed(), upload::PATIENCE)
    }
}

fn response(status: StatusCode, mut headers: HeaderMap, body: &Sending) -> Response<()> {
    for hop in [header::CONNECTION, header::TRANSFER_ENCODING] {
        headers.remove(hop);
    }
    if let Some(length) = body.size_hint().exact()
        && !body.is_end_stream()
    {
        headers.entry(header::CONTENT_LENGTH).or_insert_with(|| HeaderValue::from(length));
    }
    let mut response = Response::new(());
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// An answer on its way. Dropped before its end, it resets the stream: left alone, the stream would
/// end as if the answer were whole.
struct Answering {
    stream: Sends,
    fails_with: Option<Code>,
    /// Whether the viewer wants them.
    trailers: bool,
}

impl Answering {
    /// Sends what is heard until there is a reply (RFC 9114 §4.1).
    async fn hint(
        &mut self,
        hints: Hints,
        reply: impl Future<Output = Reply>,
    ) -> Result<Reply, Cut> {
        let mut reply = std::pin::pin!(reply);
        let mut ready = None;
        loop {
            let hint = poll_fn(|context| hints.poll_until(context, reply.as_mut(), &mut ready));
            if let Some((status, fields)) = hint.await {
                let mut head = Response::new(());
                *head.status_mut() = status;
                *head.headers_mut() = fields;
                patient(self.stream.send_response(head)).await?;
            } else if let Some(reply) = ready.take() {
                return Ok(reply);
            }
        }
    }

    async fn send(&mut self, head: Response<()>, mut body: Sending) -> Result<(), Cut> {
        patient(self.stream.send_response(head)).await?;
        while let Some(frame) = body.frame().await {
            let mut piece = match frame?.into_data() {
                Ok(piece) => piece,
                Err(frame) => {
                    if let (true, Ok(fields)) = (self.trailers, frame.into_trailers()) {
                        patient(self.stream.send_trailers(fields)).await?;
                    }
                    continue;
                }
            };
            while !piece.is_empty() {
                let step = piece.split_to(piece.len().min(STEP));
                patient(self.stream.send_data(step)).await?;
            }
        }
        patient(self.stream.finish()).await?;
        self.fails_with = None;
        Ok(())
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        if let Some(code) = self.fails_with {
            self.stream.stop_stream(code);
        }
    }
}

async fn patient(step: impl Future<Output = Result<(), StreamError>>) -> Result<(), Cut> {
    Ok(tokio::time::timeout(PATIENCE, step).await??)
}
