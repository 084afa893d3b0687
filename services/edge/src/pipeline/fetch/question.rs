//! What an origin is asked: made while the viewer's request is at hand, so that nothing of the
//! viewer is needed while the answer is awaited.

use crate::pipeline::{Engine, lookup::Found, route::Routed, trail, viewer::Viewed};
use caching::validate::Validators;
use headers::{
    origin_request::{self, Asking, Conditions},
    server_timing::Upstream,
    viewer_response,
};
use http::{HeaderMap, header};
use packing::Stored;
use ports::{
    origin::{OriginRequest, Timing},
    relay::{Interim, Relay},
};
use std::{sync::Arc, time::Duration};

/// A question.
pub struct Question {
    /// Who wants to know, and what is held.
    pub found: Found,
    /// What the origin is sent.
    pub request: OriginRequest,
    /// What a 304 confirms.
    pub confirms: Option<Arc<Stored>>,
    /// Whether it asks for a part, which no other viewer's request does.
    pub part: bool,
}

impl Question {
    /// A question for what `found` lacks; with validators, whether what is held is still good.
    pub fn new(engine: &Engine, found: &Found, validators: Option<Validators>) -> Self {
        let viewed = &found.keyed.viewed;
        let ranged = viewed.routed.request.headers.contains_key(header::RANGE);
        let part = ranged && validators.is_none();
        let conditions = if part { Conditions::Range } else { Conditions::Withheld };
        let mut request = origin_request(engine, viewed, conditions, false);
        let confirms = validators.and_then(|validators| {
            validators.write(&mut request.headers);
            found.stored.clone()
        });
        Self { found: found.clone(), request, confirms, part }
    }
}

/// The request as the origin gets it, without a body.
pub fn origin_request(
    engine: &Engine,
    viewed: &Viewed,
    conditions: Conditions,
    body: bool,
) -> OriginRequest {
    let routed = &viewed.routed;
    viewed.with(|request| {
        let asking = Asking {
            request,
            behaviour: &routed.behaviour.behaviour,
            origin: &routed.behaviour.origin,
            names: &engine.names,
            vias: &engine.vias,
            id: &routed.request.id,
            body,
            conditions,
        };
        let mut headers = origin_request::headers(&asking);
        trail::propagate(&routed.request.headers, &mut headers);
        OriginRequest {
            method: routed.request.method.clone(),
            path_and_query: origin_request::target(request, asking.behaviour, asking.origin),
            headers,
            body: None,
            viewer_scheme: routed.request.scheme,
            relay: relay(routed),
        }
    })
}

/// What the viewer hears beside the answer: informational answers as clean as those that are kept.
fn relay(routed: &Routed) -> Relay {
    let relay = routed.request.relay.clone();
    let behaviour = routed.behaviour.clone();
    let interim = relay.interim.map(|viewer| {
        Interim::new(move |status, mut headers| {
            viewer_response::clean(&mut headers, &behaviour.behaviour, behaviour.is_bucket());
            viewer.tell(status, headers);
        })
    });
    Relay { interim, ..relay }
}

/// The announced length of a body.
pub fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// How long asking took.
pub const fn upstream(timing: Timing) -> Upstream {
    Upstream {
        layer: "EDGE",
        dns: Duration::ZERO,
        connect: timing.connect,
        first_byte: timing.first_byte,
    }
}
