//! Requests that are relayed: nothing is looked up, kept or shared.
//!
//! For: gRPC calls and WebSocket handshakes. Not for: methods that are merely never cached (`super`),
//! nor the bytes in a tunnel (`serve`).

use super::question;
use crate::{
    asked::ReplyBody,
    pipeline::{
        Engine,
        rescue::Failure,
        respond::{self, Answer, Telling},
        viewer::Viewed,
    },
};
use caching::{
    reuse::Why,
    status::{CacheStatus, Reason},
};
use headers::{grpc, origin_request::Conditions, viewer_response};
use ports::{
    origin::{Body, OriginResponse},
    relay::Way,
};
use std::sync::Arc;
use tracing::Instrument as _;

/// Asks the origin for this viewer alone. Dropping the call or the answer's body ends the exchange.
///
/// # Errors
/// How the origin failed.
pub async fn ask(
    engine: &Arc<Engine>,
    viewed: &Viewed,
    body: Option<Body>,
) -> Result<Answer, Failure> {
    let routed = &viewed.routed;
    let mut request = question::origin_request(engine, viewed, Conditions::AsSent, body.is_some());
    if request.relay.way == Way::Grpc {
        grpc::for_origin(&routed.request.headers, &mut request.headers);
    }
    request.body = body;
    let response = engine
        .ask(&routed.behaviour.origin, request)
        .instrument(tracing::debug_span!("origin", otel.kind = "client"))
        .await?;
    Ok(passed(viewed, response))
}

fn passed(viewed: &Viewed, response: OriginResponse) -> Answer {
    let routed = &viewed.routed;
    let behaviour = &routed.behaviour;
    let OriginResponse { status, mut headers, body, timing, trailers, tunnel } = response;
    let length = question::length(&headers);
    viewer_response::clean(&mut headers, &behaviour.behaviour, behaviour.is_bucket());
    let told = CacheStatus::forwarded(Reason::from(Why::KeepsNothing), Some(status));
    let telling = Telling::asked(question::upstream(timing), told);
    if let Some(tunnel) = tunnel {
        return Answer { status, headers, body: ReplyBody::Tunnel(tunnel), telling };
    }
    // A call that ended in its head has no body: its viewer must see that at once.
    let ended = routed.request.relay.way == Way::Grpc && headers.contains_key(grpc::STATUS);
    let method = &routed.request.method;
    let mut answer = respond::streamed(method, status, headers, length, body, telling);
    answer.body = if ended { ReplyBody::Empty } else { answer.body.trailed_by(trailers) };
    answer
}
