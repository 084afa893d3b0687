//! Whether a response may be kept, and for how long.
//!
//! For: the moment when an origin has answered, with a whole response or with the 304 that
//! confirms a stored one (then with the merged headers and the stored status).
//! Not for: what is too long for the store, or was cut short; the edge knows that.

mod cloudfront;
mod standard;

use crate::{RequestView, ResponseView, Terms, Times};
use http::{HeaderName, Method, StatusCode};
use model::{plan::Law, units::Seconds};

/// What to do with an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Storing {
    /// Keep it.
    Keep(Keep),
    /// Pass it on and keep nothing.
    Pass(Why),
}

/// How a response is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// How long it is fresh from its arrival on; 0: it has to be revalidated before each use.
    pub fresh_for: Seconds,
    /// Age on arrival; already taken off `fresh_for`.
    pub initial_age: Seconds,
    /// Header fields that are taken out before it is kept, as `no-cache="Set-Cookie"` asks.
    pub strip: Vec<HeaderName>,
    /// Request headers that choose among variants: part of a second key, see [`crate::vary`].
    /// Always empty under [`Law::CloudFront`], where only the policy makes the key.
    pub vary: Vec<HeaderName>,
}

impl Keep {
    /// Whether `Set-Cookie` is taken out.
    pub fn strips_set_cookie(&self) -> bool {
        self.strip.contains(&http::header::SET_COOKIE)
    }
}

/// Why nothing is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Answers to this method are not kept.
    Method,
    /// All lifetimes of the policy are 0.
    CachingDisabled,
    /// Legacy "forward all headers".
    AllHeaders,
    /// Answers with this status are not kept.
    Status,
    /// A part of a whole, 206.
    Partial,
    /// An error that is kept only if it names its own lifetime.
    ErrorWithoutMaxAge,
    /// `no-store`.
    NoStore,
    /// `no-cache`.
    NoCache,
    /// `private`.
    Private,
    /// `Vary: *`: no other request is like this one.
    VaryAny,
    /// The viewer said `no-store`.
    ViewerNoStore,
    /// The request had credentials and the response does not say that it is for all.
    Authorization,
    /// `must-understand` with a status that we do not know.
    NotUnderstood,
    /// Nothing says that it may be kept.
    NotCacheable,
}

impl Why {
    /// Whether another viewer's request for the same might have the answer kept.
    pub const fn is_of_request(self) -> bool {
        matches!(self, Self::Method | Self::ViewerNoStore | Self::Authorization)
    }

    /// Stable name, for logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Method => "method",
            Self::CachingDisabled => "caching_disabled",
            Self::AllHeaders => "all_headers",
            Self::Status => "status",
            Self::Partial => "partial",
            Self::ErrorWithoutMaxAge => "error_without_max_age",
            Self::NoStore => "no_store",
            Self::NoCache => "no_cache",
            Self::Private => "private",
            Self::VaryAny => "vary_any",
            Self::ViewerNoStore => "viewer_no_store",
            Self::Authorization => "authorization",
            Self::NotUnderstood => "not_understood",
            Self::NotCacheable => "not_cacheable",
        }
    }
}

/// Whether this answer may be kept, and how.
///
/// Shape:  `request` is the viewer's, `response` the origin's before anything was changed.
/// Errors: none; what cannot be read makes the response stale or is passed over.
/// Source: CloudFront developer guide, "Managing how long content stays in the cache" and "Caching
///         HTTP 4xx and 5xx status codes"; RFC 9111 §3.
pub fn decide(
    terms: &Terms<'_>,
    request: &RequestView<'_>,
    response: &ResponseView<'_>,
    times: Times,
) -> Storing {
    if let Some(why) = never(terms, request.method, response.status) {
        return Storing::Pass(why);
    }
    let kept = match terms.law {
        Law::CloudFront => cloudfront::keep(terms, response, times),
        Law::Http => standard::keep(terms, request, response, times),
    };
    kept.map_or_else(Storing::Pass, Storing::Keep)
}

/// What holds under both laws.
fn never(terms: &Terms<'_>, method: &Method, status: StatusCode) -> Option<Why> {
    match status {
        _ if terms.all_headers => Some(Why::AllHeaders),
        _ if terms.caching_disabled() => Some(Why::CachingDisabled),
        _ if !terms.caches(method) => Some(Why::Method),
        StatusCode::PARTIAL_CONTENT => Some(Why::Partial),
        StatusCode::NOT_MODIFIED | StatusCode::RANGE_NOT_SATISFIABLE => Some(Why::Status),
        status if status.is_informational() => Some(Why::Status),
        _ => None,
    }
}
