//! The socket: actix in front, one function behind that makes an answer of every request.
//!
//! For: translating between actix and the crate's own types, and nothing else: every error leaves
//! here as XML (or as JSON for certificates), with a request id that the log has too.

use crate::{
    acm, api,
    control::Control,
    ids,
    sigv4::{self, Authorised, Request, Service},
    wire::{
        call::{Call, Query},
        fault::{Code, Common, Fault},
        read::MOST_BODY,
        reply::Reply,
        route, xml,
    },
};
use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::StatusCode,
    web::{self, Bytes, BytesMut},
};
use futures::{Stream, StreamExt as _};
use kit::health::Severity;
use std::time::Duration;

/// What stands in front of the API: the caller is told by which form it speaks.
const TARGET: &str = "x-amz-target";
/// The part of the process that ails when the store is away.
const PART: &str = "control";
/// How long a body may take to come.
const PATIENCE: Duration = Duration::from_secs(30);
/// The same for bodies that are not kept, of callers whose key is not known.
const PATIENCE_WITH_STRANGERS: Duration = Duration::from_secs(5);

/// One request as it was received.
struct Asked {
    method: String,
    path: String,
    query: Query,
    headers: Vec<(String, String)>,
    body: Bytes,
}

impl Asked {
    fn signed(&self) -> Request<'_> {
        Request {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers: &self.headers,
            body: &self.body,
        }
    }
}

/// Answers one request. Never fails: every fault has a body.
pub async fn answer(
    control: web::Data<Control>,
    request: HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    let id = ids::uuid();
    let speaks_json = request.headers().contains_key(TARGET);
    let received = received(&control, &request, payload).await;
    let stranger = received.is_err();
    let answered = match received {
        Ok(asked) if speaks_json => certificates(&control, asked).await,
        Ok(asked) => operation(&control, asked).await.map(in_xml),
        Err(fault) => Err(fault),
    };
    let status = answered.as_ref().map_or_else(Fault::status, |(status, ..)| *status);
    tracing::debug!(request = id, method = %request.method(), path = request.path(), status);
    let (mut response, body) = match answered {
        Ok((_, response, body)) => (response, body),
        Err(fault) if speaks_json => refused_json(&fault),
        Err(fault) => refused(&id, &fault),
    };
    // A body that was not read to its end cannot be followed by another request, and strangers who
    // do not listen to their answers shall not keep a connection by asking on.
    if stranger {
        response.force_close();
    }
    response.insert_header(("x-amzn-RequestId", id)).body(body)
}

type Written = (u16, HttpResponseBuilder, String);

/// Reads the request. The body is kept only for callers who at least claim a key that is known.
async fn received(
    control: &Control,
    request: &HttpRequest,
    payload: web::Payload,
) -> Result<Asked, Fault> {
    let uri = request.uri();
    let headers = request.headers().iter().map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    let mut asked = Asked {
        method: request.method().as_str().to_owned(),
        path: uri.path().to_owned(),
        query: route::query(uri.query().unwrap_or_default()),
        headers: headers.collect(),
        body: Bytes::new(),
    };
    let known = sigv4::known(&asked.signed(), &control.keys, control.now()).await;
    asked.body = in_time(whole(payload, known.is_ok()), known.is_ok()).await?;
    if let Err(fault) = known {
        control.counts.answered("refused", fault.status());
        return Err(fault);
    }
    Ok(asked)
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

async fn operation(control: &Control, asked: Asked) -> Result<Reply, Fault> {
    let admitted = admitted(control, asked).await;
    let name = admitted.as_ref().map_or("refused", |call| call.operation.name.as_str());
    let answered = match admitted {
        Ok(call) => api::serve(control, call).await,
        Err(fault) => Err(fault),
    };
    let status = answered.as_ref().map_or_else(Fault::status, |reply| reply.status);
    control.counts.answered(name, status);
    tell_health(control, answered.as_ref().err());
    answered
}

/// `/readyz` says when the store is away.
fn tell_health(control: &Control, fault: Option<&Fault>) {
    match fault {
        None => control.world.health.heal(PART),
        Some(fault) if fault.code == Code::Common(Common::ServiceUnavailable) => {
            control.world.health.ail(PART, Severity::Degraded, fault.message.clone());
        }
        Some(_) => {}
    }
}

async fn admitted(control: &Control, asked: Asked) -> Result<Authorised<Call>, Fault> {
    let proof = sigv4::check(&asked.signed(), &control.keys, control.now()).await?;
    if proof.service() != Service::CloudFront {
        let message = "the credential must be scoped to the service cloudfront";
        return Err(Fault::common(Common::SignatureDoesNotMatch, message));
    }
    let path = sigv4::normal_path(&asked.path);
    let (operation, params) = route::find(&asked.method, &path, &asked.query)?;
    let header = |name: &str| asked.signed().header(name).map(str::to_owned);
    let call = Call {
        operation,
        params,
        if_match: header("if-match"),
        host: header("host").unwrap_or_default(),
        query: asked.query.clone(),
        body: asked.body.clone(),
    };
    Ok(proof.permit(call))
}

fn in_xml(reply: Reply) -> Written {
    let mut response = builder(reply.status);
    if let Some(etag) = reply.etag {
        response.insert_header(("ETag", etag));
    }
    if let Some(location) = reply.location {
        response.insert_header(("Location", location));
    }
    if !reply.body.is_empty() {
        response.insert_header(("Content-Type", "text/xml"));
    }
    (reply.status, response, reply.body)
}

async fn certificates(control: &Control, asked: Asked) -> Result<Written, Fault> {
    let proof = sigv4::check(&asked.signed(), &control.keys, control.now()).await?;
    if proof.service() != Service::Acm || asked.method != "POST" || asked.path != "/" {
        let message = "X-Amz-Target belongs to POST / with a credential for the service acm";
        return Err(Fault::common(Common::UnknownOperation, message));
    }
    let target = asked.signed().header(TARGET).unwrap_or_default().to_owned();
    let call = proof.permit((target, asked.body));
    let (status, body) = match acm::serve(control, call).await {
        Ok(body) => (200, body),
        Err(refusal) => (refusal.status, in_json(refusal.code, &refusal.message)),
    };
    let mut response = builder(status);
    response.insert_header(("Content-Type", "application/x-amz-json-1.1"));
    Ok((status, response, body.to_string()))
}

fn refused(id: &str, fault: &Fault) -> (HttpResponseBuilder, String) {
    let mut response = builder(fault.status());
    response.insert_header(("Content-Type", "text/xml"));
    (response, xml::write_fault(fault, id))
}

fn refused_json(fault: &Fault) -> (HttpResponseBuilder, String) {
    let mut response = builder(fault.status());
    response.insert_header(("Content-Type", "application/x-amz-json-1.1"));
    (response, in_json(fault.code.as_str(), &fault.message).to_string())
}

fn in_json(code: &str, message: &str) -> serde_json::Value {
    serde_json::json!({"__type": code, "message": message})
}

fn builder(status: u16) -> HttpResponseBuilder {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    HttpResponse::build(status)
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
