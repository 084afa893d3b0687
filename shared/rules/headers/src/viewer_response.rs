//! The response that goes to the viewer.
//!
//! For: taking away what is the origin's business, and adding what is ours.
//! Not for: response headers policies ([`crate::response_policy`], which come between the two), nor
//! `Connection`, `Content-Length` and `Alt-Svc`, which the server adapters set.
//!
//! Source: CloudFront developer guide, request and response behavior, sections on HTTP responses.

use crate::{
    connection, cookies,
    forwarding::{generated_names, is_selected},
    names::{Names, Outcome, X_AMZ_CF_ID, X_AMZ_CF_POP, X_CACHE, value},
};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use model::{
    plan::{Behaviour, Law},
    units::Seconds,
};

/// Removes what viewers do not get: hop-by-hop headers, `Set-Cookie` where no cookie is forwarded,
/// names in `Vary` that nothing can vary by, and a bucket's own request ids.
///
/// Once for each answer of an origin, after it was decided whether to keep it (that decision needs
/// the whole `Vary`) and before it is kept.
pub fn clean(headers: &mut HeaderMap, behaviour: &Behaviour, from_bucket: bool) {
    connection::strip(headers);
    if !cookies::may_be_set(behaviour) {
        headers.remove(header::SET_COOKIE);
    }
    if behaviour.cache.law == Law::CloudFront {
        clean_vary(headers, behaviour);
    }
    if from_bucket {
        headers.remove("x-amz-id-2");
        headers.remove("x-amz-request-id");
    }
}

/// Keeps of `Vary` what can reach the origin: `Accept-Encoding`, `Cookie`, the selected headers,
/// and `User-Agent` where the headers about devices are selected.
fn clean_vary(headers: &mut HeaderMap, behaviour: &Behaviour) {
    let lines = headers.get_all(header::VARY).iter();
    let names = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    let names = names.filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok());
    let kept: Vec<HeaderName> = names.filter(|name| may_vary(behaviour, name)).collect();
    headers.remove(header::VARY);
    if !kept.is_empty() {
        let names: Vec<&str> = kept.iter().map(HeaderName::as_str).collect();
        headers.insert(header::VARY, value(&names.join(", ")));
    }
}

fn may_vary(behaviour: &Behaviour, name: &HeaderName) -> bool {
    match *name {
        header::ACCEPT_ENCODING | header::COOKIE => true,
        _ if name.as_str() == "*" => false,
        header::USER_AGENT if generated_names(behaviour).any(is_about_device) => true,
        _ => is_selected(behaviour, name.as_str()),
    }
}

fn is_about_device(name: &str) -> bool {
    name.starts_with("cloudfront-is-")
}

/// What we say of ourselves in one response.
#[derive(Clone, Copy, Debug)]
pub struct Stamp<'a> {
    /// How we name ourselves.
    pub names: &'a Names,
    /// What the cache did.
    pub outcome: Outcome,
    /// This edge's member of `Via`, made with [`Names::via`] for HTTP/1.1.
    pub via: &'a HeaderValue,
    /// This edge's place.
    pub pop: &'a HeaderValue,
    /// The request's id.
    pub id: &'a str,
    /// Age of what is served from what is held; none leaves the origin's own `Age`.
    pub age: Option<Seconds>,
    /// `Date`, for a response that has none (RFC 9110 §6.6.1).
    pub date: Option<&'a HeaderValue>,
}

/// Adds what every response carries.
pub fn stamp(headers: &mut HeaderMap, stamp: &Stamp<'_>) {
    headers.insert(X_CACHE, stamp.names.x_cache(stamp.outcome));
    headers.append(header::VIA, stamp.via.clone());
    headers.insert(X_AMZ_CF_POP, stamp.pop.clone());
    headers.insert(X_AMZ_CF_ID, value(stamp.id));
    if let Some(age) = stamp.age {
        headers.insert(header::AGE, HeaderValue::from(age.0));
    }
    headers.entry(header::SERVER).or_insert_with(|| stamp.names.server());
    if let Some(date) = stamp.date {
        headers.entry(header::DATE).or_insert_with(|| date.clone());
    }
}
