//! The request that goes to the origin.
//!
//! For: its headers and its target.
//! Not for: conditions of a revalidation, the trace context and a signature, which the caller adds
//! to what it gets here; nor framing, which the driver does.
//!
//! Source: CloudFront developer guide, request and response behavior for custom origins; control
//! origin requests with a policy; add custom headers to origin requests.

use crate::{
    accept_encoding::{Normalised, normalise},
    connection,
    cookies::Cookies,
    forwarding::{generated_names, is_selected, reaches_origin},
    generated,
    names::{CDN_LOOP, Names, Vias, X_AMZ_CF_ID, X_FORWARDED_FOR, value},
    query,
    viewer::Request,
};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use model::plan::{Behaviour, Law, Origin, OriginKind, OriginProtocol};

/// How many times a request may have passed a distribution of ours before it reaches one: chains
/// of two are served, the third answers 403 (CloudFront developer guide, quotas).
pub const MOST_PASSES: usize = 1;

/// What becomes of the viewer's `If-*` and `Range`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conditions {
    /// They are dropped: the answer is wanted whole, to be kept; or the caller sets its own.
    Withheld,
    /// `Range` and `If-Range` are sent: a part is wanted, and whatever else comes is for all. The
    /// viewer's own conditions would make it an answer to that viewer alone.
    Range,
    /// They are sent as they came: nothing is kept.
    AsSent,
}

/// All that an origin request is made from.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// What the viewer asks.
    pub request: &'a Request<'a>,
    /// What its path matched.
    pub behaviour: &'a Behaviour,
    /// Who is asked.
    pub origin: &'a Origin,
    /// How we name ourselves.
    pub names: &'a Names,
    /// This edge in `Via`.
    pub vias: &'a Vias,
    /// The request's id.
    pub id: &'a str,
    /// Whether the request's body is sent on.
    pub body: bool,
    /// What becomes of `If-*` and `Range`.
    pub conditions: Conditions,
}

/// Path and query for the origin: its own path in front, the viewer's path as it came, and the
/// selected part of the query string.
pub fn target(request: &Request<'_>, behaviour: &Behaviour, origin: &Origin) -> String {
    let mut target = format!("{}{}", origin.path, request.path);
    if let Some(query) = query::forwarded(request.query, behaviour) {
        target.push('?');
        target.push_str(&query);
    }
    target
}

/// How many distributions of ours a request has passed, by `CDN-Loop` (RFC 8586). Above
/// [`MOST_PASSES`] it is refused.
pub fn passes(headers: &HeaderMap, names: &Names) -> usize {
    let lines = headers.get_all(CDN_LOOP).iter();
    let members = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    let ids = members.map(|member| member.split(|byte| *byte == b';').next().unwrap_or_default());
    ids.filter(|id| id.trim_ascii().eq_ignore_ascii_case(names.word().as_bytes())).count()
}

/// The headers for the origin, complete but for what the caller adds.
pub fn headers(asking: &Asking<'_>) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(asking.request.headers.len() + 8);
    copy_from_viewer(asking, &mut headers);
    connection::strip(&mut headers);
    set_by_rule(asking, &mut headers);
    append_ours(asking, &mut headers);
    set_generated(asking, &mut headers);
    set_custom(asking, &mut headers);
    headers
}

fn copy_from_viewer(asking: &Asking<'_>, headers: &mut HeaderMap) {
    let request = asking.request;
    for (name, value) in request.headers {
        if has_own_rule(asking, name) {
            continue;
        }
        if reaches_origin(asking.behaviour, request.method, name.as_str()) || is_condition(name) {
            headers.append(name, value.clone());
        }
    }
}

/// Headers that are set by a rule of their own, or never sent.
fn has_own_rule(asking: &Asking<'_>, name: &HeaderName) -> bool {
    let text = name.as_str();
    match text {
        "host" | "cookie" | "user-agent" | "accept-encoding" | "via" | "x-forwarded-for"
        | "cdn-loop" | "x-amz-cf-id" | "expect" | "x-forwarded-proto" | "x-real-ip" => true,
        "content-length" => !asking.body,
        _ if is_condition(name) => match asking.conditions {
            Conditions::Withheld => true,
            Conditions::Range => !matches!(*name, header::RANGE | header::IF_RANGE),
            Conditions::AsSent => false,
        },
        _ => text.starts_with("x-edge-") || generated::is_generated(text),
    }
}

fn is_condition(name: &HeaderName) -> bool {
    matches!(
        *name,
        header::IF_MATCH
            | header::IF_NONE_MATCH
            | header::IF_MODIFIED_SINCE
            | header::IF_UNMODIFIED_SINCE
            | header::IF_RANGE
            | header::RANGE
    )
}

fn set_by_rule(asking: &Asking<'_>, headers: &mut HeaderMap) {
    let (request, behaviour) = (asking.request, asking.behaviour);
    headers.insert(header::HOST, host(asking));
    let agent = viewers_or_law(asking, &header::USER_AGENT);
    headers.insert(header::USER_AGENT, agent.unwrap_or_else(|| asking.names.user_agent()));
    let encoding = match normalise(behaviour, request.headers, request.viewer.version) {
        Normalised::AsSent => viewers_or_law(asking, &header::ACCEPT_ENCODING),
        normalised => normalised.to_origin(),
    };
    if let Some(encoding) = encoding {
        headers.insert(header::ACCEPT_ENCODING, encoding);
    }
    if let Some(cookie) = Cookies::parse(request.headers).forwarded(behaviour) {
        headers.insert(header::COOKIE, cookie);
    }
}

/// The viewer's value of a header that is selected; several are joined (RFC 9110 §5.3).
fn viewers(asking: &Asking<'_>, name: &HeaderName) -> Option<HeaderValue> {
    let selected = is_selected(asking.behaviour, name.as_str());
    selected.then(|| joined(asking.request.headers, name)).flatten()
}

/// The same, for headers that the law of RFC 9111 sends on unasked, since answers may vary by them.
fn viewers_or_law(asking: &Asking<'_>, name: &HeaderName) -> Option<HeaderValue> {
    match asking.behaviour.cache.law {
        Law::Http => joined(asking.request.headers, name),
        Law::CloudFront => viewers(asking, name),
    }
}

fn joined(headers: &HeaderMap, name: &HeaderName) -> Option<HeaderValue> {
    let mut values = headers.get_all(name).iter().peekable();
    let first = values.next()?;
    if values.peek().is_none() {
        return Some(first.clone());
    }
    let mut line = first.as_bytes().to_vec();
    for value in values {
        line.extend_from_slice(b", ");
        line.extend_from_slice(value.as_bytes());
    }
    HeaderValue::from_bytes(&line).ok()
}

/// The viewer's `Host` where it is selected, which a bucket cannot use; else the origin's name, with
/// its port where that is not the scheme's own (RFC 9110 §7.2).
fn host(asking: &Asking<'_>) -> HeaderValue {
    let domain = &asking.origin.domain;
    let OriginKind::Custom { protocol, http_port, https_port, .. } = &asking.origin.kind else {
        return value(domain);
    };
    if let Some(host) = viewers(asking, &header::HOST) {
        return host;
    }
    let https = match protocol {
        OriginProtocol::Http => false,
        OriginProtocol::Https => true,
        OriginProtocol::MatchViewer => asking.request.viewer.https,
    };
    match (https, http_port, https_port) {
        (false, 80, _) | (true, _, 443) => value(domain),
        (false, port, _) | (true, _, port) => value(&format!("{domain}:{port}")),
    }
}

fn append_ours(asking: &Asking<'_>, headers: &mut HeaderMap) {
    let (viewer, names) = (asking.request.viewer, asking.names);
    let address = value(&viewer.address.ip().to_canonical().to_string());
    append(asking, headers, &X_FORWARDED_FOR, &address);
    append(asking, headers, &header::VIA, asking.vias.of(viewer.version));
    append(asking, headers, &CDN_LOOP, names.cdn_loop());
    headers.insert(X_AMZ_CF_ID, value(asking.id));
}

fn append(asking: &Asking<'_>, headers: &mut HeaderMap, name: &HeaderName, ours: &HeaderValue) {
    let mut line = match joined(asking.request.headers, name) {
        Some(before) if !before.is_empty() => [before.as_bytes(), b", "].concat(),
        _ => {
            headers.insert(name, ours.clone());
            return;
        }
    };
    line.extend_from_slice(ours.as_bytes());
    headers.insert(name, HeaderValue::from_bytes(&line).unwrap_or_else(|_| ours.clone()));
}

fn set_generated(asking: &Asking<'_>, headers: &mut HeaderMap) {
    for name in generated_names(asking.behaviour) {
        let value = generated::generate(name, asking.request);
        if let (Ok(name), Some(value)) = (HeaderName::try_from(name), value) {
            headers.insert(name, value);
        }
    }
}

fn set_custom(asking: &Asking<'_>, headers: &mut HeaderMap) {
    for (name, text) in &asking.origin.headers {
        if let Ok(name) = HeaderName::try_from(name.as_str()) {
            headers.insert(name, value(text));
        }
    }
}

#[cfg(test)]
mod tests;
