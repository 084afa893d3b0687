//! How old a response is (RFC 9111 §4.2.3).

use crate::{Lifetime, StoredView, Times, dates, directives};
use http::{HeaderMap, header};
use model::{
    plan::Law,
    units::{Seconds, Timestamp},
};

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
    let resident = now.since(lifetime.received_at);
    let age = Seconds(lifetime.initial_age.0.saturating_add(resident.0));
    (resident < lifetime.fresh_for).then_some(age)
}

/// Time since arrival.
pub fn resident(stored: &StoredView<'_>, now: Timestamp) -> Seconds {
    now.since(stored.received_at)
}

/// Age now, the `current_age` of RFC 9111 §4.2.3; this is what the `Age` header says.
pub fn current(stored: &StoredView<'_>, now: Timestamp) -> Seconds {
    Seconds(stored.initial_age.0.saturating_add(resident(stored, now).0))
}
