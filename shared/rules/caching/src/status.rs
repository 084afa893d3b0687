//! What one reply tells of how the cache came by it: `Cache-Status` (RFC 9211).
//!
//! For: the words, and why each is said. Not for: the name in front of them, nor where the header
//! stands among those of other caches. Never told: the key, which may hold what viewers sent.

use crate::{StoredView, age, reuse};
use http::StatusCode;
use model::units::{Seconds, Timestamp};
use std::fmt;

/// What one cache says of one reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheStatus {
    origin: Option<Forward>,
    ttl: Option<i64>,
}

/// Why a request went on to the origin (RFC 9211 §2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Nothing is held for the URL.
    UriMiss,
    /// Only other variants are held.
    VaryMiss,
    /// What is held has to be confirmed or fetched anew.
    Stale,
    /// This method is never answered from what is held.
    Method,
    /// The cache is set to keep nothing here.
    Bypass,
    /// The viewer's request does not allow what is held.
    Request,
    /// Some of the bytes are held, but not all.
    Partial,
}

/// A request that went on to the origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Forward {
    reason: Reason,
    status: Option<StatusCode>,
    stored: bool,
    collapsed: bool,
}

impl Reason {
    /// The token of RFC 9211 §2.2.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UriMiss => "uri-miss",
            Self::VaryMiss => "vary-miss",
            Self::Stale => "stale",
            Self::Method => "method",
            Self::Bypass => "bypass",
            Self::Request => "request",
            Self::Partial => "partial",
        }
    }
}

impl From<reuse::Why> for Reason {
    fn from(why: reuse::Why) -> Self {
        match why {
            // A ban leaves nothing behind.
            reuse::Why::Absent | reuse::Why::Banned => Self::UriMiss,
            reuse::Why::OtherVariant => Self::VaryMiss,
            reuse::Why::Stale | reuse::Why::NoCache => Self::Stale,
            reuse::Why::Method => Self::Method,
            reuse::Why::KeepsNothing => Self::Bypass,
            reuse::Why::ViewerNoCache | reuse::Why::ViewerMaxAge | reuse::Why::ViewerMinFresh => {
                Self::Request
            }
        }
    }
}

impl CacheStatus {
    /// Answered from what is held; nobody was asked.
    pub const fn hit() -> Self {
        Self { origin: None, ttl: None }
    }

    /// Whether nobody was asked.
    pub const fn is_hit(self) -> bool {
        self.origin.is_none()
    }

    /// The origin was asked, and answered with this status; none when it gave no answer.
    pub const fn forwarded(reason: Reason, status: Option<StatusCode>) -> Self {
        let forward = Forward { reason, status, stored: false, collapsed: false };
        Self { origin: Some(forward), ttl: None }
    }

    /// The answer is kept, and fresh for so long. It is said when the head has come: a body that
    /// ends early takes it back.
    #[must_use]
    pub fn stored(self, fresh_for: Seconds) -> Self {
        let origin = self.origin.map(|forward| Forward { stored: true, ..forward });
        Self { origin, ttl: Some(signed(fresh_for)) }
    }

    /// Another request had asked the same, and this one waited for its answer.
    #[must_use]
    pub fn collapsed(self) -> Self {
        let origin = self.origin.map(|forward| Forward { collapsed: true, ..forward });
        Self { origin, ..self }
    }

    /// It was this copy that was served: what is left of its lifetime, below 0 when it is stale
    /// (RFC 9211 §2.4).
    #[must_use]
    pub fn of_copy(self, stored: &StoredView<'_>, now: Timestamp) -> Self {
        let left = signed(stored.fresh_for) - signed(age::resident(stored, now));
        Self { ttl: Some(left), ..self }
    }

    /// The lifetime that `other` speaks of, where it does.
    #[must_use]
    pub fn with_ttl_of(self, other: Self) -> Self {
        Self { ttl: other.ttl.or(self.ttl), ..self }
    }
}

/// Within the integers of structured fields, of fifteen digits (RFC 9651 §3.3.1).
fn signed(seconds: Seconds) -> i64 {
    const MOST: u64 = 499_999_999_999_999;
    i64::try_from(seconds.0.min(MOST)).unwrap_or_default()
}

/// The parameters behind the cache's name: `hit; ttl=30`, `fwd=stale; fwd-status=304`.
impl fmt::Display for CacheStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            None => f.write_str("hit")?,
            Some(forward) => forward.fmt(f)?,
        }
        match self.ttl {
            Some(ttl) => write!(f, "; ttl={ttl}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Forward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fwd={}", self.reason.as_str())?;
        if let Some(status) = self.status {
            write!(f, "; fwd-status={}", status.as_u16())?;
        }
        f.write_str(if self.stored { "; stored" } else { "" })?;
        f.write_str(if self.collapsed { "; collapsed" } else { "" })
    }
}
