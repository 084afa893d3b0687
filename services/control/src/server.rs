//! The socket: actix in front, one function behind that makes an answer of every request.
//!
//! For: translating between actix and the crate's own types, and nothing else: every error leaves
//! here in the form that its caller understands, with a request id that the log has too.

use crate::{
    audit::Trail,
    control::Control,
    front, ids, sigv4,
    wire::{
        asked::{Asked, Speech, Written},
        fault::{Common, Fault},
        read::MOST_BODY,
        route,
        version::Version,
    },
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{self, Bytes, BytesMut},
};
use futures::{FutureExt as _, Stream, StreamExt as _};
use std::{panic::AssertUnwindSafe, time::Duration};

/// How long a body may take to come.
const PATIENCE: Duration = Duration::from_secs(30);
/// The same for bodies that are not kept, of callers whose key is not known.
const PATIENCE_WITH_STRANGERS: Duration = Duration::from_secs(5);

/// Answers one request. Never fails: every fault has a body.
pub async fn answer(
    control: web::Data<Control>,
    request: HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    let id = ids::uuid();
    let mut asked = head(&request);
    let speech = asked.speech();
    let version = Version::of_path(&asked.path).map_or(Version::NEWEST, |(version, _)| version);
    let trail = Trail::start(control.now(), &id, &asked);
    let received = received(&control, &mut asked, payload).await;
    let stranger = received.is_err();
    // On its own from here on: a caller who hangs up stops neither a write half-way nor its record.
    let answering = actix_web::rt::spawn({
        let (control, id) = (control.clone(), id.clone());
        async move { answered(&control, received.map(|()| asked), trail, speech, &id).await }
    });
    let written =
        answering.await.unwrap_or_else(|error| speech.refused(&Fault::internal(error), &id));
    let written = written.spoken_in(version);
    let status = written.status;
    tracing::debug!(request = id, method = %request.method(), path = request.path(), status);
    // A body that was not read to its end cannot be followed by another request, and strangers who
    // do not listen to their answers shall not keep a connection by asking on.
    sent(written, &id, stranger)
}

/// The answer, once the record of the call is kept.
async fn answered(
    control: &Control,
    asked: Result<Asked, Fault>,
    mut trail: Trail,
    speech: Speech,
    id: &str,
) -> Written {
    let answered = match asked {
        // What breaks down half-way may have written: it leaves its record, too.
        Ok(asked) => AssertUnwindSafe(front::serve(control, asked, id, &mut trail))
            .catch_unwind()
            .await
            .unwrap_or_else(|_| Err(Fault::internal("serving it broke down"))),
        Err(fault) => Err(fault),
    };
    let written = answered.unwrap_or_else(|fault| {
        trail.refused(&fault);
        speech.refused(&fault, id)
    });
    control.audit.keep(trail.end(written.status), control.now()).await;
    written
}

fn sent(written: Written, id: &str, and_close: bool) -> HttpResponse {
    let status = StatusCode::from_u16(written.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    for (name, value) in written.headers {
        response.append_header((name, value));
    }
    if and_close {
        response.force_close();
    }
    response.insert_header(("x-amzn-RequestId", id)).body(written.body)
}

fn head(request: &HttpRequest) -> Asked {
    let uri = request.uri();
    let headers = request.headers().iter().map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    Asked {
        method: request.method().as_str().to_owned(),
        path: uri.path().to_owned(),
        query: route::query(uri.query().unwrap_or_default()),
        headers: headers.collect(),
        from: request.peer_addr().map(|peer| peer.ip()),
        body: Bytes::new(),
    }
}

/// Reads the body. It is kept only for callers who at least claim a key that is known.
async fn received(
    control: &Control,
    asked: &mut Asked,
    payload: web::Payload,
) -> Result<(), Fault> {
    let known = sigv4::known(&asked.signed(), &control.keys, control.now()).await;
    asked.body = in_time(whole(payload, known.is_ok()), known.is_ok()).await?;
    if let Err(fault) = known {
        control.counts.answered("refused", fault.status());
        return Err(fault);
    }
    Ok(())
}

/// Whoever dawdles over a body holds one of a bounded number of connections, so he is told to go.
async fn in_time(
    body: impl Future<Output = Result<Bytes, Fault>>,
    known: bool,
) -> Result<Bytes, Fault> {
    let most = if known { PATIENCE } else { PATIENCE_WITH_STRANGERS };
    tokio::time::timeout(most, body).await.unwrap_or_else(|_| {
        let message = format!("the body did not come to its end within {} s", most.as_secs());
        Err(Fault::common(Common::RequestTimeout, message))
    })
}

/// Reads the body to its end, so that the answer is heard; keeps it if so told.
async fn whole<E>(
    mut payload: impl Stream<Item = Result<Bytes, E>> + Unpin,
    keep: bool,
) -> Result<Bytes, Fault> {
    let (mut body, mut length) = (BytesMut::new(), 0_usize);
    while let Some(piece) = payload.next().await {
        let cut = |_| Fault::common(Common::MalformedXml, "the body ended before it was complete");
        let piece = piece.map_err(cut)?;
        length = length.saturating_add(piece.len());
        if length > MOST_BODY {
            let message = format!("a body has at most {MOST_BODY} bytes");
            return Err(Fault::common(Common::RequestEntityTooLarge, message));
        }
        if keep {
            body.extend_from_slice(&piece);
        }
    }
    Ok(body.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::stream;

    /// Some pieces, and then nothing more, but no end either.
    async fn dawdled(pieces: usize, known: bool) -> Result<Bytes, Fault> {
        let pieces = (0..pieces).map(|_| Ok::<_, ()>(Bytes::from_static(b"x")));
        let body = stream::iter(pieces).chain(stream::pending());
        in_time(whole(body, known), known).await
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_holds_a_connection_with_a_body_that_never_ends() {
        for (known, most) in [(true, PATIENCE), (false, PATIENCE_WITH_STRANGERS)] {
            let before = tokio::time::Instant::now();
            assert_eq!(dawdled(3, known).await.unwrap_err().status(), 408);
            assert!(before.elapsed() <= most + Duration::from_millis(2), "by the paused clock");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_body_that_ends_in_time_is_read() {
        let body = stream::iter(0..10).then(|_| async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            Ok::<_, ()>(Bytes::from_static(b"x"))
        });
        let body = in_time(whole(Box::pin(body), true), true).await.unwrap();
        assert_eq!(&body[..], b"xxxxxxxxxx");
    }
}
