//! What to do with a request for something we may hold (RFC 9111 §4, RFC 5861 §3).
//!
//! For: deciding between serving, asking the origin whether it changed, and fetching.
//! Not for: whether the copy was banned or is of another variant: then `stored` is none. Nor for
//! origins that fail: see [`crate::stale`].

use crate::{
    Lifetime, RequestView, ResponseView, StoredView, Terms, age,
    directives::{Directives, Flag},
    freshness,
    stale::{self, Prohibited},
    validate::Validators,
};
use http::{Method, StatusCode};
use model::{
    plan::Law,
    units::{Seconds, Timestamp},
};

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Serve the copy.
    Serve {
        /// What the `Age` header says.
        age: Seconds,
    },
    /// Serve the copy though it is stale.
    ServeStale {
        /// What the `Age` header says.
        age: Seconds,
        /// Whether one request asks the origin meanwhile.
        refresh_behind: bool,
    },
    /// Ask the origin whether the copy is still good.
    Revalidate(Validators, Why),
    /// Ask the origin for all of it.
    Fetch(Why),
    /// The viewer wants what is stored or nothing: 504 (RFC 9111 §5.2.1.7).
    GatewayTimeout,
}

/// Why the origin is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Nothing is held.
    Absent,
    /// What was held has been invalidated.
    Banned,
    /// Variants are held, but not the one for this request.
    OtherVariant,
    /// The cache policy keeps nothing.
    KeepsNothing,
    /// This method is never answered from what is held.
    Method,
    /// Its lifetime is over.
    Stale,
    /// The response has to be revalidated before each use.
    NoCache,
    /// The viewer said `no-cache`.
    ViewerNoCache,
    /// It is older than the viewer wants.
    ViewerMaxAge,
    /// It is not fresh for as long as the viewer wants.
    ViewerMinFresh,
}

impl Why {
    /// Stable name, for logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Banned => "banned",
            Self::OtherVariant => "other_variant",
            Self::KeepsNothing => "keeps_nothing",
            Self::Method => "method",
            Self::Stale => "stale",
            Self::NoCache => "no_cache",
            Self::ViewerNoCache => "viewer_no_cache",
            Self::ViewerMaxAge => "viewer_max_age",
            Self::ViewerMinFresh => "viewer_min_fresh",
        }
    }
}

/// What to do with a request for something we may hold.
///
/// Shape:  a viewer's `Cache-Control` counts under [`Law::Http`] only.
/// Errors: none. Freshness that cannot be read makes the copy stale (RFC 9111 §4.2.1).
/// Source: RFC 9111 §4, §4.2.4, §5.2.1; RFC 5861 §3; CloudFront developer guide, "Serve stale
///         content with additional cache control directives".
pub fn decide(
    terms: &Terms<'_>,
    request: &RequestView<'_>,
    stored: Option<&StoredView<'_>>,
    now: Timestamp,
) -> Decision {
    match (stored, terms.law) {
        (None, _) => absent(terms, request, Why::Absent),
        (Some(_), _) if !terms.answers(request.method) => Decision::Fetch(Why::Method),
        (Some(stored), Law::CloudFront) => by_cloudfront(terms, stored, now),
        (Some(stored), Law::Http) => by_standard(terms, request, stored, now),
    }
}

/// The age of a copy that [`decide`] serves as fresh to any GET or HEAD that has no directives of
/// its own (`Cache-Control`, `Pragma`); none where it has to look closer.
pub fn serves_plainly(
    terms: &Terms<'_>,
    method: &Method,
    lifetime: &Lifetime,
    now: Timestamp,
) -> Option<Seconds> {
    if terms.answers(method) { age::while_fresh(lifetime, now) } else { None }
}

/// What to do when nothing usable is held, for a reason that the caller knows; that nothing could
/// ever be held for such a request is a better one.
pub fn absent(terms: &Terms<'_>, request: &RequestView<'_>, why: Why) -> Decision {
    let asks =
        terms.law == Law::Http && Directives::of_request(request.headers).has(Flag::OnlyIfCached);
    let why = never(terms, request.method).unwrap_or(why);
    if asks { Decision::GatewayTimeout } else { Decision::Fetch(why) }
}

fn never(terms: &Terms<'_>, method: &Method) -> Option<Why> {
    match () {
        () if terms.caching_disabled() || terms.all_headers => Some(Why::KeepsNothing),
        () if !terms.answers(method) => Some(Why::Method),
        () => None,
    }
}

/// Whether an answer to a method that may change things takes the copies of its URL away
/// (RFC 9111 §4.4); law [`Law::Http`] only.
pub fn invalidates(law: Law, method: &Method, status: StatusCode) -> bool {
    let done = status.is_success() || status.is_redirection();
    law == Law::Http && !method.is_safe() && done
}

fn by_cloudfront(terms: &Terms<'_>, stored: &StoredView<'_>, now: Timestamp) -> Decision {
    if let Some(age) = age::while_fresh(&stored.lifetime(), now) {
        return Decision::Serve { age };
    }
    let age = age::current(stored, now);
    let past = age::resident(stored, now).minus(stored.fresh_for);
    if stale::while_revalidate(terms, stored).is_some_and(|window| past < window) {
        return Decision::ServeStale { age, refresh_behind: true };
    }
    ask(stored, Why::Stale)
}

fn ask(stored: &StoredView<'_>, why: Why) -> Decision {
    match Validators::of(stored.headers) {
        validators if validators.is_empty() => Decision::Fetch(why),
        validators => Decision::Revalidate(validators, why),
    }
}

fn by_standard(
    terms: &Terms<'_>,
    request: &RequestView<'_>,
    stored: &StoredView<'_>,
    now: Timestamp,
) -> Decision {
    let wants = Directives::of_request(request.headers);
    let age = age::current(stored, now);
    let left = stored.fresh_for.minus(age::resident(stored, now));
    let decision = match unwanted(&wants, age, left) {
        Some(why) => ask(stored, why),
        None => match age::while_fresh(&stored.lifetime(), now) {
            Some(age) => Decision::Serve { age },
            None => when_stale(terms, &wants, stored, now),
        },
    };
    match decision {
        Decision::Revalidate(..) | Decision::Fetch(_) if wants.has(Flag::OnlyIfCached) => {
            Decision::GatewayTimeout
        }
        decision => decision,
    }
}

/// What the viewer will not have, though it were fresh (RFC 9111 §5.2.1).
fn unwanted(wants: &Directives, age: Seconds, left: Seconds) -> Option<Why> {
    match () {
        () if wants.has(Flag::NoCache) => Some(Why::ViewerNoCache),
        () if wants.max_age.is_some_and(|most| age > most) => Some(Why::ViewerMaxAge),
        () if wants.min_fresh.is_some_and(|least| left < least) => Some(Why::ViewerMinFresh),
        () => None,
    }
}

fn when_stale(
    terms: &Terms<'_>,
    wants: &Directives,
    stored: &StoredView<'_>,
    now: Timestamp,
) -> Decision {
    let said = Directives::of_response(Law::Http, stored.headers);
    if Prohibited::by_standard(&said) {
        let why = if said.has(Flag::NoCache) { Why::NoCache } else { Why::Stale };
        return ask(stored, why);
    }
    let response = ResponseView { status: stored.status, headers: stored.headers };
    let lifetime = freshness::standard(terms, &said, &response, stored.received_at);
    let age = age::current(stored, now);
    let past = age.minus(lifetime);
    if wants.max_stale.is_some_and(|most| past <= most) {
        return Decision::ServeStale { age, refresh_behind: false };
    }
    let window = said.stale_while_revalidate.filter(|_| wants.max_age.is_none());
    if window.is_some_and(|window| past < window) {
        return Decision::ServeStale { age, refresh_behind: true };
    }
    ask(stored, Why::Stale)
}
