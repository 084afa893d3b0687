//! Whether a copy may be served after its time (RFC 9111 §4.2.4, RFC 5861).
//!
//! For: the windows of `stale-while-revalidate` and `stale-if-error`, and origins that fail.

use crate::{
    RequestView, ResponseView, StoredView, Terms, age,
    directives::{Directives, Flag},
    freshness,
};
use http::StatusCode;
use model::{
    plan::Law,
    units::{Seconds, Timestamp},
};

/// How an origin failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// There was no answer; kept and retried like a 504.
    Unreachable,
    /// It answered with this status.
    Status(StatusCode),
}

/// What to do when the origin failed and a stale copy is at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnError {
    /// Serve the copy.
    Serve {
        /// What the `Age` header says.
        age: Seconds,
        /// For how long the copy is served before the origin is asked again; 0: ask for each.
        retry_after: Seconds,
    },
    /// Pass the failure on.
    Pass(Why),
}

/// Why the failure is passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The origin answered, and not with a server error.
    NotAFailure,
    /// What is held is itself an error.
    StoredError,
    /// The response says that it is never served stale.
    Forbidden,
    /// The time of `stale-if-error` is over, or it is 0.
    WindowOver,
    /// Nothing allows it.
    NotAllowed,
    /// The viewer does not want it.
    ViewerRefuses,
    /// The policy's lifetimes are 0.
    CachingDisabled,
}

impl Why {
    /// Stable name, for logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotAFailure => "not_a_failure",
            Self::StoredError => "stored_error",
            Self::Forbidden => "forbidden",
            Self::WindowOver => "window_over",
            Self::NotAllowed => "not_allowed",
            Self::ViewerRefuses => "viewer_refuses",
            Self::CachingDisabled => "caching_disabled",
        }
    }
}

/// Responses that say that they are never served stale.
pub(crate) struct Prohibited;

impl Prohibited {
    /// RFC 9111 §4.2.4: `no-cache`, `must-revalidate`, and `s-maxage` and `proxy-revalidate` for
    /// shared caches (§5.2.2.8, §5.2.2.10).
    pub(crate) fn by_standard(said: &Directives) -> bool {
        let flags = [Flag::NoCache, Flag::MustRevalidate, Flag::ProxyRevalidate];
        flags.into_iter().any(|flag| said.has(flag)) || said.s_maxage.is_some()
    }
}

/// How long past its time a copy may be served while it is refreshed, under CloudFront's law: the
/// directive, but not beyond the policy's maximum; none when it does not say so.
pub fn while_revalidate(terms: &Terms<'_>, stored: &StoredView<'_>) -> Option<Seconds> {
    let said = Directives::of_response(Law::CloudFront, stored.headers);
    let window = said.stale_while_revalidate.filter(|_| !said.has(Flag::MustRevalidate))?;
    Some(window.min(terms.ttl.max.minus(stored.fresh_for)))
}

/// Whether the stale copy is served because the origin failed.
///
/// Errors: none.
/// Source: CloudFront developer guide, "Serve stale content with additional cache control
///         directives"; RFC 9111 §4.2.4, §5.2.2.2; RFC 5861 §4.
pub fn on_error(
    terms: &Terms<'_>,
    request: &RequestView<'_>,
    stored: &StoredView<'_>,
    failure: Failure,
    now: Timestamp,
) -> OnError {
    let status = match failure {
        Failure::Unreachable => StatusCode::GATEWAY_TIMEOUT,
        Failure::Status(status) => status,
    };
    let refused = match terms.law {
        _ if !status.is_server_error() => Some(Why::NotAFailure),
        _ if stored.status.is_client_error() || stored.status.is_server_error() => {
            Some(Why::StoredError)
        }
        Law::CloudFront => refused_by_cloudfront(terms, stored, now),
        Law::Http => refused_by_standard(terms, request, stored, failure, now),
    };
    let age = age::current(stored, now);
    match (refused, terms.law) {
        (Some(why), _) => OnError::Pass(why),
        (None, Law::CloudFront) => OnError::Serve { age, retry_after: terms.error_ttl(status) },
        (None, Law::Http) => OnError::Serve { age, retry_after: Seconds::ZERO },
    }
}

/// Without a directive the copy is served for as long as it is held.
fn refused_by_cloudfront(
    terms: &Terms<'_>,
    stored: &StoredView<'_>,
    now: Timestamp,
) -> Option<Why> {
    let said = Directives::of_response(Law::CloudFront, stored.headers);
    let past = age::resident(stored, now).minus(stored.fresh_for);
    let over = said.stale_if_error.is_some_and(|window| past >= window.min(terms.ttl.max));
    match () {
        () if terms.ttl.min == Seconds::ZERO && terms.ttl.max == Seconds::ZERO => {
            Some(Why::CachingDisabled)
        }
        () if said.has(Flag::MustRevalidate) => Some(Why::Forbidden),
        () if over => Some(Why::WindowOver),
        () => None,
    }
}

fn refused_by_standard(
    terms: &Terms<'_>,
    request: &RequestView<'_>,
    stored: &StoredView<'_>,
    failure: Failure,
    now: Timestamp,
) -> Option<Why> {
    let said = Directives::of_response(Law::Http, stored.headers);
    let wants = Directives::of_request(request.headers);
    let response = ResponseView { status: stored.status, headers: stored.headers };
    let lifetime = freshness::standard(terms, &said, &response, stored.received_at);
    let past = age::current(stored, now).minus(lifetime);
    let window = wants.stale_if_error.or(said.stale_if_error);
    match () {
        () if Prohibited::by_standard(&said) => Some(Why::Forbidden),
        () if wants.has(Flag::NoCache) || wants.min_fresh.is_some() => Some(Why::ViewerRefuses),
        () if window.is_some_and(|window| past < window) => None,
        () if window.is_some() => Some(Why::WindowOver),
        () if failure == Failure::Unreachable => None,
        () => Some(Why::NotAllowed),
    }
}
