//! What an answer that is passed on says of what is held (RFC 9111 §4.3.5, §4.4).
//!
//! For: methods that change things, which take copies away, and HEAD, which confirms or takes away.
//! Not for: CloudFront's law, where neither does anything.

use super::ask;
use crate::pipeline::{
    Engine, keeping, key,
    lookup::{self, Found},
    route::{self, Routed},
    viewer,
};
use caching::{
    RequestView, ResponseView, Times, named, reuse,
    storing::{self, Storing},
    validate::{self, Told},
};
use headers::viewer_response;
use http::{HeaderMap, Method, header};
use model::plan::Law;
use packing::Stored;
use ports::origin::OriginResponse;

/// Does to what is held as this answer says.
pub fn heed(engine: &Engine, found: &Found, response: &OriginResponse, times: Times) {
    let routed = found.routed();
    let (law, method) = (routed.behaviour.behaviour.cache.law, &routed.request.method);
    if reuse::invalidates(law, method, response.status) {
        take_away(engine, found, &response.headers);
    }
    if law == Law::Http
        && *method == Method::HEAD
        && let Some(stored) = &found.stored
    {
        compare(engine, found, stored, response, times);
    }
}

/// Takes the copies of the target away, and those of what the answer names on the same host.
fn take_away(engine: &Engine, found: &Found, answer: &HeaderMap) {
    engine.store.remove(&key::of_get(&found.keyed.viewed));
    let routed = found.routed();
    let host = routed.request.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    for target in named::by_answer(host.unwrap_or_default(), &routed.request.path, answer) {
        if let Some(other) = other(routed, &target) {
            let viewed = viewer::see(&*engine.locator, other);
            engine.store.remove(&key::of_get(&viewed));
        }
    }
}

/// The same request for another path.
fn other(routed: &Routed, target: &str) -> Option<Routed> {
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (target, None),
    };
    route::elsewhere(routed, path, query)
}

/// A HEAD's answer confirms what GET has stored, or takes it away.
fn compare(
    engine: &Engine,
    found: &Found,
    stored: &Stored,
    response: &OriginResponse,
    times: Times,
) {
    let told = ResponseView { status: response.status, headers: &response.headers };
    match validate::by_head(&lookup::view(stored), stored.length, &told) {
        Told::Nothing => {}
        Told::Outdated => engine.store.remove(&found.key),
        Told::Current => confirm(engine, found, stored, &response.headers, times),
    }
}

fn confirm(engine: &Engine, found: &Found, stored: &Stored, told: &HeaderMap, times: Times) {
    let routed = found.routed();
    let mut fresh = told.clone();
    let behaviour = &routed.behaviour;
    viewer_response::clean(&mut fresh, &behaviour.behaviour, behaviour.is_bucket());
    let mut headers = validate::merge(&stored.headers, &fresh);
    ask::date(&mut headers, times);
    let terms = behaviour.terms(&routed.distribution);
    let request = RequestView { method: &Method::GET, ..routed.request.view() };
    let response = ResponseView { status: stored.status, headers: &headers };
    match keeping::by_key(found, storing::decide(&terms, &request, &response, times)) {
        Storing::Pass(why) if why.is_of_request() => {}
        Storing::Pass(_) => engine.store.remove(&found.key),
        Storing::Keep(keep) => {
            for name in &keep.strip {
                headers.remove(name);
            }
            let renewed = ask::renewed(stored, &headers, &keep, times);
            lookup::put(&*engine.store, &found.keyed, &keep.vary, &renewed);
        }
    }
}
