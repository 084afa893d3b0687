//! How old a response is (RFC 9111 §4.2.3).

use crate::{Lifetime, StoredView, Times, dates, directives};
use http::{HeaderMap, header};
use model::{
    plan::Law,
    units::{Seconds, Timestamp},
};

/// By how much a clock may seem to run backwards without a step: times are taken on several threads,
/// and a clock that is being set right may be slowed or put back a little.
pub const CLOCK_SLACK: Seconds = Seconds(5);

/// Age on arrival, the `corrected_initial_age` of RFC 9111 §4.2.3.
///
/// Under [`Law::CloudFront`] it is 0: there, age is the time since the edge stored the response,
/// and lifetimes count from the same moment.
/// Errors: none. An unreadable `Date` or `Age` counts as absent (RFC 9111 §5.1).
pub fn on_arrival(law: Law, headers: &HeaderMap, times: Times) -> Seconds {
    if law == Law::CloudFront {
        return Seconds::ZERO;
    }
    let date = dates::header(headers, &header::DATE).unwrap_or(times.received_at);
    let apparent = times.received_at.since(date);
    let delay = times.received_at.since(times.requested_at);
    apparent.max(Seconds(header_value(headers).0.saturating_add(delay.0)))
}

/// The `Age` header: the first member of the list; 0 when absent or no number.
pub fn header_value(headers: &HeaderMap) -> Seconds {
    let line = headers.get(header::AGE).map(http::HeaderValue::as_bytes).unwrap_or_default();
    let first = line.split(|byte| *byte == b',').next().unwrap_or_default();
    directives::delta_seconds(first.trim_ascii()).unwrap_or_default()
}

/// The age of a copy that is fresh, as [`current`] has it; none of a stale one (RFC 9111 §4.2).
pub fn while_fresh(lifetime: &Lifetime, now: Timestamp) -> Option<Seconds> {
    let resident = held_for(lifetime, now);
    let age = Seconds(lifetime.initial_age.0.saturating_add(resident.0));
    (resident < lifetime.fresh_for).then_some(age)
}

/// Time since arrival, the `resident_time` of RFC 9111 §4.2.3.
///
/// A copy that arrives only after [`CLOCK_SLACK`] from now tells of a clock that was put back. Since
/// when it is held cannot be known then, so it counts as held for all of its lifetime: stale, until
/// the origin confirms it.
pub fn resident(stored: &StoredView<'_>, now: Timestamp) -> Seconds {
    held_for(&stored.lifetime(), now)
}

fn held_for(lifetime: &Lifetime, now: Timestamp) -> Seconds {
    if lifetime.received_at.since(now) > CLOCK_SLACK {
        return lifetime.fresh_for;
    }
    now.since(lifetime.received_at)
}

/// Age now, the `current_age` of RFC 9111 §4.2.3; this is what the `Age` header says.
pub fn current(stored: &StoredView<'_>, now: Timestamp) -> Seconds {
    Seconds(stored.initial_age.0.saturating_add(resident(stored, now).0))
}
