//! Requests, responses and terms to decide about.

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use model::{
    plan::{ErrorRule, Law, Ttl},
    units::{Seconds, Timestamp},
};
use nearfront_caching::{
    RequestView, ResponseView, StoredView, Terms, Times, reuse,
    storing::{self, Keep, Storing},
};

/// Sun, 06 Nov 1994 08:49:37 GMT, when every origin here answers.
pub const NOW: Timestamp = Timestamp(784_111_777_000);

/// Longer than any other lifetime here.
pub const YEAR: u64 = 31_536_000;

/// The date that is so many seconds after [`NOW`].
pub fn date(after: i64) -> String {
    let seconds = i64::try_from(NOW.seconds()).unwrap() + after;
    let at = Timestamp(u64::try_from(seconds).unwrap() * 1000);
    nearfront_caching::dates::format(at)
}

/// Headers from lines `name: value`.
pub fn headers(text: &str) -> HeaderMap {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            let name: HeaderName = name.trim().parse().unwrap();
            (name, HeaderValue::from_bytes(value.trim().as_bytes()).unwrap())
        })
        .fold(HeaderMap::new(), |mut map, (name, value)| {
            map.append(name, value);
            map
        })
}

/// Headers with this `Cache-Control`, or none for an empty one.
pub fn control(value: &str) -> HeaderMap {
    if value.is_empty() { HeaderMap::new() } else { headers(&format!("cache-control: {value}")) }
}

/// CloudFront's law with these lifetimes and no error rules.
pub fn cloudfront(min: u64, default: u64, max: u64) -> Terms<'static> {
    Terms {
        law: Law::CloudFront,
        ttl: Ttl { min: Seconds(min), default: Some(Seconds(default)), max: Seconds(max) },
        all_headers: false,
        cache_options: false,
        bucket: false,
        errors: &[],
    }
}

/// RFC 9111 as the policy `Managed-HttpStandard` has it.
pub fn standard() -> Terms<'static> {
    Terms {
        law: Law::Http,
        ttl: Ttl { min: Seconds(0), default: None, max: Seconds(YEAR) },
        ..cloudfront(0, 0, 0)
    }
}

/// A rule that keeps a status for so long.
pub fn rule(status: u16, ttl: u64) -> ErrorRule {
    ErrorRule { status, caching_min_ttl: Seconds(ttl), page: None }
}

/// The exchange took no time.
pub const AT_ONCE: Times = Times { requested_at: NOW, received_at: NOW };

/// Decides on the answer to a plain GET.
pub fn store(terms: &Terms<'_>, status: u16, response: &HeaderMap) -> Storing {
    store_for(terms, &Method::GET, &HeaderMap::new(), status, response)
}

/// Decides on the answer to this request.
pub fn store_for(
    terms: &Terms<'_>,
    method: &Method,
    request: &HeaderMap,
    status: u16,
    response: &HeaderMap,
) -> Storing {
    let request = RequestView { method, headers: request };
    let status = StatusCode::from_u16(status).unwrap();
    storing::decide(terms, &request, &ResponseView { status, headers: response }, AT_ONCE)
}

/// What is kept, when something must be.
pub fn kept(storing: Storing) -> Keep {
    match storing {
        Storing::Keep(keep) => keep,
        Storing::Pass(why) => panic!("not kept: {}", why.as_str()),
    }
}

/// A copy of a 200 that arrived [`NOW`].
pub fn copy(headers: &HeaderMap, fresh_for: u64) -> StoredView<'_> {
    StoredView {
        status: StatusCode::OK,
        headers,
        received_at: NOW,
        initial_age: Seconds(0),
        fresh_for: Seconds(fresh_for),
    }
}

/// Keeps a response as these terms say, and asks for it again later.
pub fn again(
    terms: &Terms<'_>,
    response: &HeaderMap,
    request: &HeaderMap,
    later: u64,
) -> reuse::Decision {
    let keep = kept(store(terms, 200, response));
    let stored = StoredView {
        initial_age: keep.initial_age,
        fresh_for: keep.fresh_for,
        ..copy(response, 0)
    };
    let request = RequestView { method: &Method::GET, headers: request };
    reuse::decide(terms, &request, Some(&stored), NOW + Seconds(later))
}
