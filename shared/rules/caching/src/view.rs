//! What decisions look at: borrowed views of requests, responses and stored copies, and the terms
//! of a behaviour.

use http::{HeaderMap, Method, StatusCode};
use model::{
    plan::{Behaviour, ErrorRule, Law, Origin, OriginKind, Ttl},
    units::{Seconds, Timestamp},
};

/// How long an error is kept when no rule says otherwise (CloudFront developer guide, "How
/// CloudFront processes and caches HTTP 4xx and 5xx status codes from your origin").
pub const ERROR_CACHING_MIN_TTL: Seconds = Seconds(10);

/// Least time that errors of a bucket are kept, even when the rule says 0.
const BUCKET_ERROR_TTL: Seconds = Seconds(1);

/// A viewer's request, as far as caching cares.
#[derive(Clone, Copy, Debug)]
pub struct RequestView<'a> {
    /// Its method.
    pub method: &'a Method,
    /// As the viewer sent them, after any function.
    pub headers: &'a HeaderMap,
}

/// An origin's response, as far as caching cares.
#[derive(Clone, Copy, Debug)]
pub struct ResponseView<'a> {
    /// Its status.
    pub status: StatusCode,
    /// End-to-end headers as the origin sent them.
    pub headers: &'a HeaderMap,
}

/// A stored copy, as far as caching cares.
#[derive(Clone, Copy, Debug)]
pub struct StoredView<'a> {
    /// As the origin sent it.
    pub status: StatusCode,
    /// As kept.
    pub headers: &'a HeaderMap,
    /// When it, or the 304 that last confirmed it, arrived.
    pub received_at: Timestamp,
    /// Age that it had on arrival.
    pub initial_age: Seconds,
    /// How long it is fresh from `received_at` on, initial age already taken off.
    pub fresh_for: Seconds,
}

/// When a copy came and how long it is good: all that freshness depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// See [`StoredView::received_at`].
    pub received_at: Timestamp,
    /// See [`StoredView::initial_age`].
    pub initial_age: Seconds,
    /// See [`StoredView::fresh_for`].
    pub fresh_for: Seconds,
}

impl StoredView<'_> {
    /// When it came and how long it is good.
    pub const fn lifetime(&self) -> Lifetime {
        let Self { received_at, initial_age, fresh_for, .. } = *self;
        Lifetime { received_at, initial_age, fresh_for }
    }
}

/// When an exchange with the origin took place, by the edge's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// When the request was sent.
    pub requested_at: Timestamp,
    /// When the head of the response arrived.
    pub received_at: Timestamp,
}

/// All that the matched behaviour, its origin and the distribution's error rules say on caching.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// Which law decides.
    pub law: Law,
    /// Lifetimes.
    pub ttl: Ttl,
    /// Legacy "forward all headers": nothing is kept.
    pub all_headers: bool,
    /// Whether answers to OPTIONS are kept (law [`Law::CloudFront`] only).
    pub cache_options: bool,
    /// Whether the origin is a bucket.
    pub bucket: bool,
    /// At most one for each status.
    pub errors: &'a [ErrorRule],
}

impl<'a> Terms<'a> {
    /// The terms of a behaviour whose misses go to `origin`, in a distribution with these rules.
    pub fn of(behaviour: &Behaviour, origin: &Origin, errors: &'a [ErrorRule]) -> Self {
        let bucket = matches!(origin.kind, OriginKind::Bucket { .. });
        Self { bucket, errors, ..Self::of_policy(behaviour) }
    }

    /// What can be said without origin and error rules.
    pub(crate) fn of_policy(behaviour: &Behaviour) -> Self {
        Self {
            law: behaviour.cache.law,
            ttl: behaviour.cache.ttl,
            all_headers: behaviour.cache.all_headers,
            cache_options: behaviour.cache_options,
            bucket: false,
            errors: &[],
        }
    }

    /// Whether nothing is ever kept: all lifetimes are 0.
    pub fn caching_disabled(&self) -> bool {
        let ttl = self.ttl;
        let default = ttl.default.unwrap_or(ttl.max);
        ttl.min == Seconds::ZERO && default == Seconds::ZERO && ttl.max == Seconds::ZERO
    }

    /// For how long an error with this status is kept at least, and after how long an origin that
    /// failed so is asked again.
    pub fn error_ttl(&self, status: StatusCode) -> Seconds {
        let rule = self.errors.iter().find(|rule| rule.status == status.as_u16());
        let asked = rule.map_or(ERROR_CACHING_MIN_TTL, |rule| rule.caching_min_ttl);
        if self.bucket { asked.max(BUCKET_ERROR_TTL) } else { asked }
    }

    /// Whether answers to this method may be kept and used again.
    pub(crate) fn caches(&self, method: &Method) -> bool {
        let options = self.cache_options && self.law == Law::CloudFront;
        *method == Method::GET || (options && *method == Method::OPTIONS)
    }

    /// Whether this method may be answered from what is kept.
    pub(crate) fn answers(&self, method: &Method) -> bool {
        *method == Method::HEAD || self.caches(method)
    }
}
