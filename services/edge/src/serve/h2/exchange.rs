//! One stream: a request and its answer.
//!
//! For: turning h2's types into the engine's and back, and sending a body as the viewer takes it.
//! Not for: the connection (`super`).

use crate::{
    asked::{Asked, Reply},
    pipeline::Engine,
    serve::{body::Sending, early, io::Link, stalled, upload},
};
use ::headers::names::X_AMZ_CF_ID;
use bytes::Bytes;
use futures::stream;
use h2::{Reason, RecvStream, SendStream, server::SendResponse};
use headers::{grpc, trailers};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body::{Body as _, Frame};
use ports::{
    origin::{BodyError, Scheme},
    relay::{Relay, Trailers},
};
use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
    time::Duration,
};

/// Bytes that are handed to the connection without asking whether there is room for them: the
/// pieces of a copy, which are held anyway.
const AT_ONCE: usize = 64 << 10;

/// Why an answer ended early.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    /// The connection or the viewer ended it.
    #[error(transparent)]
    Stream(#[from] h2::Error),
    /// The body did.
    #[error(transparent)]
    Body(#[from] BodyError),
}

/// Answers a request; gives up when the viewer takes it back.
pub async fn answer(
    engine: Arc<Engine>,
    asked: Asked,
    mut respond: SendResponse<Bytes>,
) -> Result<(), Ended> {
    let method = asked.method.clone();
    let mut reply = reply(&engine, asked, &mut respond).await?;
    reply.body = stalled::watched(reply.body);
    let (status, mut headers, body) = Sending::of(&method, reply);
    frame(&mut headers, &body);
    let mut response = Response::new(());
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    if body.is_end_stream() {
        respond.send_response(response, true)?;
        return Ok(());
    }
    let stream = respond.send_response(response, false)?;
    Sender { stream, at_hand: None, at_once: AT_ONCE }.send(body).await
}

async fn reply(
    engine: &Arc<Engine>,
    mut asked: Asked,
    respond: &mut SendResponse<Bytes>,
) -> Result<Reply, h2::Error> {
    let (interim, hints) = early::hints();
    asked.relay.interim = Some(interim);
    let mut handled = pin!(engine.handle(asked));
    poll_fn(|context| {
        let reply = handled.as_mut().poll(context);
        // Asked after that: they may have come together.
        while let Poll::Ready((status, fields)) = hints.poll(context) {
            hint(respond, status, fields)?;
        }
        if let Poll::Ready(reply) = reply {
            return Poll::Ready(Ok(reply));
        }
        respond.poll_reset(context).map(|reason| Err(reason?.into()))
    })
    .await
}

/// Sends an informational answer (RFC 9113 §8.1).
fn hint(
    respond: &mut SendResponse<Bytes>,
    status: StatusCode,
    fields: HeaderMap,
) -> Result<(), h2::Error> {
    let mut head = Response::new(());
    *head.status_mut() = status;
    *head.headers_mut() = fields;
    respond.send_informational(head)
}

/// Fields of a message that HTTP/2 frames otherwise (RFC 9113 §8.2.2).
const FOREIGN: [HeaderName; 3] = [header::CONNECTION, header::TRANSFER_ENCODING, header::UPGRADE];

fn frame(headers: &mut HeaderMap, body: &Sending) {
    let foreign = |name: &HeaderName| {
        FOREIGN.contains(name) || matches!(name.as_str(), "keep-alive" | "proxy-connection")
    };
    if headers.keys().any(foreign) {
        let names: Vec<_> = headers.keys().filter(|name| foreign(name)).cloned().collect();
        for name in names {
            headers.remove(name);
        }
    }
    if let Some(id) = headers.get_mut(X_AMZ_CF_ID) {
        // No two are alike: it has no place in the table of fields (RFC 7541 §6.2.3).
        id.set_sensitive(true);
    }
    if let Some(length) = body.size_hint().exact()
        && !body.is_end_stream()
    {
        headers.entry(header::CONTENT_LENGTH).or_insert_with(|| HeaderValue::from(length));
    }
}

/// What comes of waiting for the next piece.
enum Next {
    Piece(Option<Result<Frame<Bytes>, BodyError>>),
    /// None is ready, and one is at hand.
    NotYet,
    TakenBack(Result<Reason, h2::Error>),
}

/// Sends a body. Each piece waits until it is known whether it is the last, as long as that is known
/// at once: then the end needs no frame of its own.
struct Sender {
    stream: SendStream<Bytes>,
    at_hand: Option<Bytes>,
    /// What is left of [`AT_ONCE`].
    at_once: usize,
}

impl Sender {
    async fn send(mut self, body: Sending) -> Result<(), Ended> {
        let mut body = pin!(body);
        loop {
            match self.next(body.as_mut()).await {
                Next::NotYet => self.pass_on().await?,
                Next::Piece(Some(Ok(frame))) => {
                    if let Some(trailers) = self.take(frame).await? {
                        return Ok(self.stream.send_trailers(trailers)?);
                    }
                }
                Next::Piece(Some(Err(why))) => {
                    self.pass_on().await?;
                    self.stream.send_reset(Reason::INTERNAL_ERROR);
                    return Err(why.into());
                }
                Next::Piece(None) => {
                    let last = self.at_hand.take().unwrap_or_default();
                    return self.pass(last, true).await;
                }
                Next::TakenBack(reason) => return Err(h2::Error::from(reason?).into()),
            }
        }
    }

    async fn next(&mut self, mut body: Pin<&mut Sending>) -> Next {
        poll_fn(|context| {
            if let Poll::Ready(piece) = body.as_mut().poll_frame(context) {
                return Poll::Ready(Next::Piece(piece));
            }
            if self.at_hand.is_some() {
                return Poll::Ready(Next::NotYet);
            }
            self.stream.poll_reset(context).map(Next::TakenBack)
        })
        .await
    }

    /// Takes a piece in place of the one at hand, or the trailers that end the body.
    async fn take(&mut self, frame: Frame<Bytes>) -> Result<Option<HeaderMap>, Ended> {
        self.pass_on().await?;
        Ok(match frame.into_data() {
            Ok(piece) => {
                self.at_hand = Some(piece);
                None
            }
            Err(frame) => frame.into_trailers().ok(),
        })
    }

    /// Passes on what is at hand; it is not the last.
    async fn pass_on(&mut self) -> Result<(), Ended> {
        match self.at_hand.take() {
            Some(piece) => self.pass(piece, false).await,
            None => Ok(()),
        }
    }

    /// Hands a piece to the connection, once there is room for some of it.
    async fn pass(&mut self, piece: Bytes, last: bool) -> Result<(), Ended> {
        let rest = self.at_once.checked_sub(piece.len());
        self.at_once = rest.unwrap_or_default();
        if rest.is_none() {
            self.room().await?;
        }
        Ok(self.stream.send_data(piece, last)?)
    }

    /// Returns when the viewer takes at least one byte more. A claim of one byte is enough: h2 raises
    /// it to what is sent, and until then no other stream is kept from its share.
    async fn room(&mut self) -> Result<(), h2::Error> {
        self.stream.reserve_capacity(1);
        poll_fn(|context| {
            if let Poll::Ready(reason) = self.stream.poll_reset(context) {
                return Poll::Ready(reason.and_then(|why| Err(why.into())));
            }
            while self.stream.capacity() == 0 {
                match std::task::ready!(self.stream.poll_capacity(context)) {
                    Some(room) => room.map(drop)?,
                    None => return Poll::Ready(Err(Reason::CANCEL.into())),
                }
            }
            Poll::Ready(Ok(()))
        })
        .await
    }
}

/// The request in the engine's words.
pub fn asked(link: &Link, request: Request<RecvStream>) -> Asked {
    let (mut head, body) = request.into_parts();
    super::join_cookies(&mut head.headers);
    let patience = if grpc::is_content(&head.headers) { upload::LONG } else { upload::PATIENCE };
    let relay = Relay::default();
    let uri = &head.uri;
    Asked {
        path: uri.path().to_owned(),
        query: uri.query().map(str::to_owned),
        authority: uri.authority().map(|name| name.as_str().to_owned()),
        body: coming(&head.method, body, patience, relay.trailers.clone()),
        peer: link.peer,
        scheme: Scheme::Https,
        tls: link.tls.clone(),
        version: head.version,
        method: head.method,
        headers: head.headers,
        relay,
    }
}

fn coming(
    method: &Method,
    body: RecvStream,
    patience: Duration,
    trailers: Trailers,
) -> Option<ports::origin::Body> {
    if body.is_end_stream() || *method == Method::CONNECT {
        return None;
    }
    let data = stream::unfold((body, trailers), |(mut body, trailers)| async move {
        let Some(piece) = body.data().await else {
            // Without them the body is whole all the same.
            let told = body.trailers().await.ok().flatten();
            trailers.tell(told.as_ref().and_then(trailers::passed_on).unwrap_or_default());
            return None;
        };
        let piece = match piece {
            Ok(piece) => piece,
            // The viewer has nothing more to say, which is no failure (RFC 9113 §8.1).
            Err(why) if why.reason() == Some(Reason::NO_ERROR) => return None,
            Err(why) => return Some((Err(why), (body, trailers))),
        };
        let _ = body.flow_control().release_capacity(piece.len());
        Some((Ok(piece), (body, trailers)))
    });
    Some(upload::patient(Box::pin(data), patience))
}
