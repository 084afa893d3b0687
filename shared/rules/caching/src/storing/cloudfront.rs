//! CloudFront's law: the origin's word within the policy's bounds, and errors by their own table
//! (CloudFront developer guide, "Managing how long content stays in the cache (expiration)" and
//! "How CloudFront processes and caches HTTP 4xx and 5xx status codes from your origin").

use super::{Keep, Why};
use crate::{
    ResponseView, Terms, Times,
    directives::{Directives, Flag},
    freshness, vary,
};
use model::{plan::Law, units::Seconds};

/// How errors with a status are kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Not an error.
    Object,
    /// Kept always; the directives against keeping hold.
    Error,
    /// Kept always; the directives against keeping are passed over.
    HardError,
    /// Kept if it names its own lifetime.
    NamedError,
    /// Never kept.
    Never,
}

fn class(status: u16) -> Class {
    match status {
        404 | 410 | 414 | 501 => Class::Error,
        500 | 502..=504 => Class::HardError,
        400 | 403 | 405 | 412 | 415 => Class::NamedError,
        200..400 => Class::Object,
        _ => Class::Never,
    }
}

pub(super) fn keep(
    terms: &Terms<'_>,
    response: &ResponseView<'_>,
    times: Times,
) -> Result<Keep, Why> {
    let said = Directives::of_response(Law::CloudFront, response.headers);
    let word = freshness::explicit(&said, response.headers, times.received_at);
    let against = against(&said);
    let fresh_for = match (class(response.status.as_u16()), against) {
        (Class::Never, _) => return Err(Why::Status),
        (Class::Object, _) => object(terms, response, against, word)?,
        (Class::NamedError, _) if said.max_age.or(said.s_maxage).is_none() => {
            return Err(Why::ErrorWithoutMaxAge);
        }
        (Class::Error, Some(why)) => return Err(why),
        (_, Some(_)) => terms.error_ttl(response.status),
        (_, None) => error(terms, response, word),
    };
    Ok(Keep { fresh_for, strip: said.withheld, ..Keep::default() })
}

/// The expiration table. Directives against keeping lose against a minimum above 0, and so does
/// `Vary: *`.
fn object(
    terms: &Terms<'_>,
    response: &ResponseView<'_>,
    against: Option<Why>,
    word: Option<Seconds>,
) -> Result<Seconds, Why> {
    let ttl = terms.ttl;
    let bounded = |asked: Seconds| asked.min(ttl.max).max(ttl.min);
    match against {
        Some(why) if ttl.min == Seconds::ZERO => Err(why),
        Some(_) => Ok(ttl.min),
        None if ttl.min == Seconds::ZERO && vary::of(response.headers).is_any() => {
            Err(Why::VaryAny)
        }
        None => Ok(bounded(word.or(ttl.default).unwrap_or(ttl.min))),
    }
}

/// The longer of the rule's time and the origin's word, which the maximum bounds.
fn error(terms: &Terms<'_>, response: &ResponseView<'_>, word: Option<Seconds>) -> Seconds {
    let named = word.unwrap_or_default().min(terms.ttl.max);
    terms.error_ttl(response.status).max(named)
}

fn against(said: &Directives) -> Option<Why> {
    match () {
        () if said.has(Flag::NoStore) => Some(Why::NoStore),
        () if said.has(Flag::NoCache) => Some(Why::NoCache),
        () if said.has(Flag::Private) => Some(Why::Private),
        () => None,
    }
}
