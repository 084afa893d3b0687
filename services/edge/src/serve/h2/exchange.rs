//! One stream: a request and its answer.
//!
//! For: turning h2's types into the engine's and back, and sending a body as the viewer takes it.
//! Not for: the connection (`super`).

use crate::{
    asked::Asked,
    pipeline::Engine,
    serve::{body::Sending, io::Link, stalled, upload},
};
use bytes::Bytes;
use futures::stream;
use h2::{Reason, RecvStream, SendStream, server::SendResponse};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, header};
use http_body::{Body as _, Frame};
use ports::origin::{BodyError, Scheme};
use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
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
    let reply = {
        let mut handled = pin!(engine.handle(asked));
        poll_fn(|context| match handled.as_mut().poll(context) {
            Poll::Ready(reply) => Poll::Ready(Ok(reply)),
            Poll::Pending => match respond.poll_reset(context) {
                Poll::Ready(reason) => Poll::Ready(reason.and_then(|why| Err(why.into()))),
                Poll::Pending => Poll::Pending,
            },
        })
        .await?
    };
    let mut reply = reply;
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
    send(stream, body).await
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
async fn send(mut stream: SendStream<Bytes>, body: Sending) -> Result<(), Ended> {
    let mut body = pin!(body);
    let (mut at_hand, mut at_once) = (None, AT_ONCE);
    loop {
        match next(&mut stream, body.as_mut(), at_hand.is_some()).await {
            Next::NotYet => {
                if let Some(piece) = at_hand.take() {
                    pass(&mut stream, piece, false, &mut at_once).await?;
                }
            }
            Next::Piece(Some(Ok(frame))) => match frame.into_data() {
                Ok(piece) => {
                    if let Some(before) = at_hand.replace(piece) {
                        pass(&mut stream, before, false, &mut at_once).await?;
                    }
                }
                Err(frame) => {
                    if let Some(last) = at_hand.take() {
                        pass(&mut stream, last, false, &mut at_once).await?;
                    }
                    if let Ok(trailers) = frame.into_trailers() {
                        return Ok(stream.send_trailers(trailers)?);
                    }
                }
            },
            Next::Piece(None) => {
                let last = at_hand.take().unwrap_or_default();
                return pass(&mut stream, last, true, &mut at_once).await;
            }
            Next::Piece(Some(Err(why))) => {
                if let Some(before) = at_hand.take() {
                    pass(&mut stream, before, false, &mut at_once).await?;
                }
                stream.send_reset(Reason::INTERNAL_ERROR);
                return Err(why.into());
            }
            Next::TakenBack(reason) => return Err(h2::Error::from(reason?).into()),
        }
    }
}

async fn next(stream: &mut SendStream<Bytes>, mut body: Pin<&mut Sending>, at_hand: bool) -> Next {
    poll_fn(|context| {
        if let Poll::Ready(piece) = body.as_mut().poll_frame(context) {
            return Poll::Ready(Next::Piece(piece));
        }
        if at_hand {
            return Poll::Ready(Next::NotYet);
        }
        stream.poll_reset(context).map(Next::TakenBack)
    })
    .await
}

/// Hands a piece to the connection, once there is room for some of it.
async fn pass(
    stream: &mut SendStream<Bytes>,
    piece: Bytes,
    last: bool,
    at_once: &mut usize,
) -> Result<(), Ended> {
    match at_once.checked_sub(piece.len()) {
        Some(rest) => *at_once = rest,
        None => {
            *at_once = 0;
            room(stream).await?;
        }
    }
    Ok(stream.send_data(piece, last)?)
}

/// Returns when the viewer takes at least one byte more. A claim of one byte is enough: h2 raises it
/// to what is sent, and until then no other stream is kept from its share.
async fn room(stream: &mut SendStream<Bytes>) -> Result<(), Ended> {
    stream.reserve_capacity(1);
    poll_fn(|context| {
        if let Poll::Ready(reason) = stream.poll_reset(context) {
            return Poll::Ready(reason.and_then(|why| Err(why.into())));
        }
        loop {
            if stream.capacity() > 0 {
                return Poll::Ready(Ok(()));
            }
            match std::task::ready!(stream.poll_capacity(context)) {
                Some(Ok(_)) => {}
                Some(Err(why)) => return Poll::Ready(Err(why)),
                None => return Poll::Ready(Err(Reason::CANCEL.into())),
            }
        }
    })
    .await
    .map_err(Ended::from)
}

/// The request in the engine's words.
pub fn asked(link: &Link, request: Request<RecvStream>) -> Asked {
    let (mut head, body) = request.into_parts();
    super::join_cookies(&mut head.headers);
    let uri = &head.uri;
    Asked {
        path: uri.path().to_owned(),
        query: uri.query().map(str::to_owned),
        authority: uri.authority().map(|name| name.as_str().to_owned()),
        body: coming(&head.method, body),
        peer: link.peer,
        scheme: Scheme::Https,
        tls: link.tls.clone(),
        version: head.version,
        method: head.method,
        headers: head.headers,
    }
}

fn coming(method: &Method, body: RecvStream) -> Option<ports::origin::Body> {
    if body.is_end_stream() || *method == Method::CONNECT {
        return None;
    }
    let data = stream::unfold(body, |mut body| async move {
        let piece = match body.data().await? {
            Ok(piece) => piece,
            // The viewer has nothing more to say, which is no failure (RFC 9113 §8.1).
            Err(why) if why.reason() == Some(Reason::NO_ERROR) => return None,
            Err(why) => return Some((Err(why), body)),
        };
        let _ = body.flow_control().release_capacity(piece.len());
        Some((Ok(piece), body))
    });
    Some(upload::patient(Box::pin(data)))
}
