//! For how long a response is fresh, by the origin's word or by guess (RFC 9111 §4.2).
//!
//! For: lifetimes counted from the moment when the origin made the response. Not for: CloudFront's
//! bounds on them, which are in [`crate::storing`].

use crate::{
    ResponseView, Terms, dates,
    directives::{Directives, Flag},
};
use http::{HeaderMap, StatusCode, header};
use model::units::{Seconds, Timestamp};

/// A guessed lifetime is never longer than a week.
pub const LONGEST_GUESS: Seconds = Seconds(7 * 24 * 3600);

/// The part of the time since the last change that a guess takes: a tenth (RFC 9111 §4.2.2).
const GUESS_PART: u64 = 10;

/// The origin's word: `s-maxage`, else `max-age`, else `Expires` less `Date` (RFC 9111 §4.2.1).
///
/// None when it says nothing. What cannot be read is 0, so that the response is stale.
pub fn explicit(said: &Directives, headers: &HeaderMap, received: Timestamp) -> Option<Seconds> {
    let expires = || (!said.targeted).then(|| from_expires(headers, received)).flatten();
    said.s_maxage.or(said.max_age).or_else(expires)
}

/// `Expires` less `Date`; a missing or unreadable `Date` is the time of arrival. Several lines say
/// nothing that can be read.
fn from_expires(headers: &HeaderMap, received: Timestamp) -> Option<Seconds> {
    let mut lines = headers.get_all(header::EXPIRES).into_iter();
    let value = lines.next()?;
    let expires = if lines.next().is_none() { dates::parse(value) } else { None };
    let date = dates::header(headers, &header::DATE).unwrap_or(received);
    let lifetime = expires.map_or(Seconds::ZERO, |expires| expires.since(date));
    Some(lifetime.min(crate::directives::LONGEST))
}

/// The guess of RFC 9111 §4.2.2: a tenth of the time from `Last-Modified` to `Date`; 0 without
/// `Last-Modified`.
pub fn heuristic(headers: &HeaderMap, received: Timestamp) -> Seconds {
    let date = dates::header(headers, &header::DATE).unwrap_or(received);
    let unchanged = dates::header(headers, &header::LAST_MODIFIED).map(|at| date.since(at));
    Seconds(unchanged.unwrap_or_default().0 / GUESS_PART).min(LONGEST_GUESS)
}

/// Whether a response with this status may be kept and its lifetime guessed though nothing is said
/// (RFC 9110 §15.1).
pub fn heuristically_cacheable(status: StatusCode) -> bool {
    matches!(status.as_u16(), 200 | 203 | 204 | 300 | 301 | 308 | 404 | 405 | 410 | 414 | 501)
}

/// Lifetime under RFC 9111: the origin's word, else the policy's default, else a guess (where the
/// status or `public` allows one, §4.2.2); never more than the policy's maximum.
pub fn standard(
    terms: &Terms<'_>,
    said: &Directives,
    response: &ResponseView<'_>,
    received: Timestamp,
) -> Seconds {
    let guessed = heuristically_cacheable(response.status) || said.has(Flag::Public);
    let guess = || match terms.ttl.default {
        _ if !guessed => Seconds::ZERO,
        Some(default) => default,
        None => heuristic(response.headers, received),
    };
    let word = explicit(said, response.headers, received);
    word.unwrap_or_else(guess).min(terms.ttl.max)
}
