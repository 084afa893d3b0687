//! Whether equal requests may wait for one another (CloudFront developer guide, "Request
//! collapsing").
//!
//! For: before the origin is asked ([`may_wait`]) and when it has answered ([`shares`]).

use crate::{
    Terms,
    storing::{Keep, Storing},
};
use http::Method;
use model::{
    plan::{Behaviour, Law, Selection},
    units::Seconds,
};

/// Why a request does not wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Answers to this method are not kept.
    Method,
    /// Nothing is ever kept.
    CachingDisabled,
    /// Legacy "forward all headers".
    AllHeaders,
    /// Cookies reach the origin, so that its answers may differ.
    Cookies,
}

impl Why {
    /// Stable name, for logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Method => "method",
            Self::CachingDisabled => "caching_disabled",
            Self::AllHeaders => "all_headers",
            Self::Cookies => "cookies",
        }
    }
}

/// Whether a request may wait for the answer to another one with the same key.
///
/// # Errors
/// Why it goes to the origin on its own.
pub fn may_wait(behaviour: &Behaviour, method: &Method) -> Result<(), Why> {
    let terms = Terms::of_policy(behaviour);
    let cookies =
        behaviour.cache.cookies != Selection::None || behaviour.forward.cookies != Selection::None;
    match behaviour.cache.law {
        _ if !terms.caches(method) => Err(Why::Method),
        _ if terms.all_headers => Err(Why::AllHeaders),
        _ if terms.caching_disabled() => Err(Why::CachingDisabled),
        Law::CloudFront if cookies => Err(Why::Cookies),
        _ => Ok(()),
    }
}

/// Whether an answer is also good for those who waited: it is kept and fresh for a while. If not,
/// each of them goes to the origin.
pub fn shares(storing: &Storing) -> bool {
    matches!(storing, Storing::Keep(Keep { fresh_for, .. }) if *fresh_for > Seconds::ZERO)
}
