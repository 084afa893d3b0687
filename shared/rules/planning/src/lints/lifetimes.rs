//! A minimum TTL keeps what the origin does not want kept: `no-store` and `private` count for nothing
//! until it has passed (CloudFront developer guide, "Manage how long content stays in the cache").

use super::{Code, Lint, View, some};
use crate::managed;
use model::units::Seconds;

pub(super) fn look(found: &mut Vec<Lint>, views: &[View<'_>]) {
    for view in views {
        all_headers(found, view);
        let Some((cache, _)) = view.cached().filter(|(cache, _)| cache.ttl.min > Seconds::ZERO)
        else {
            continue;
        };
        let Some(why) = private(view) else { continue };
        let id = view.config.cache_policy_id.as_deref().filter(|id| !id.is_empty());
        let (place, remedy) = match id {
            Some(_) => ("CachePolicyId", "a cache policy with MinTTL 0"),
            None => ("MinTTL", "0"),
        };
        let min = cache.ttl.min;
        let text = format!(
            "answers are kept for at least {min}, whatever the origin says (no-store, private), and \
             {why}: use {remedy}"
        );
        found.push(Lint::new(Code::MinTtlOnPrivateOrigin, format!("{}.{place}", view.path), text));
    }
}

/// Why the origin's answers are not for everybody.
fn private(view: &View<'_>) -> Option<&'static str> {
    let (cache, forward) = view.cached()?;
    let managed = view
        .config
        .cache_policy_id
        .as_deref()
        .is_some_and(|id| managed::cache_policy(id).is_some());
    let reasons = [
        (view.is_signed(), "viewers must sign for them"),
        (
            view.forwards_header("authorization") || view.keys_header("authorization"),
            "the origin sees who the viewer is (Authorization)",
        ),
        (
            !view.is_bucket() && (some(&forward.cookies) || some(&cache.cookies)),
            "the origin sees who the viewer is (cookies)",
        ),
        // The managed policies' one second over a closed bucket is what everybody is told to use.
        (view.is_closed() && !managed, "the origin is closed to everybody else"),
    ];
    reasons.into_iter().find(|(is_so, _)| *is_so).map(|(_, why)| why)
}

fn all_headers(found: &mut Vec<Lint>, view: &View<'_>) {
    if view.caching.as_ref().is_some_and(|(cache, _)| cache.all_headers) {
        let text = "with all headers forwarded nothing is cached: name the headers that the origin \
                    needs, or use Managed-CachingDisabled with an origin request policy";
        let path = format!("{}.ForwardedValues.Headers", view.path);
        found.push(Lint::new(Code::AllHeadersForwarded, path, text));
    }
}
