//! Answers that depend on `Origin`, cached without it: one site gets what was meant for another.

use super::{Code, Lint, View};
use model::api::Method;

pub(super) fn look(found: &mut Vec<Lint>, views: &[View<'_>]) {
    for view in views.iter().filter(|view| view.cached().is_some() && !view.keys_header("origin")) {
        // A policy that answers for the origin, at every hit anew, needs nothing in the key.
        if view.cors.as_ref().is_some_and(|cors| cors.replace) {
            continue;
        }
        if let Some((member, why)) = reason(view) {
            let text = format!(
                "{why}, but Origin is not part of the cache key: what is answered to one site is given \
                 to others; put Origin into the cache policy, or let a response headers policy \
                 override the origin's CORS headers"
            );
            let path = format!("{}.{member}", view.path);
            found.push(Lint::new(Code::CorsWithoutOrigin, path, text));
        }
    }
}

fn reason(view: &View<'_>) -> Option<(&'static str, &'static str)> {
    let methods = view.config.allowed_methods.as_ref();
    let options = methods
        .and_then(|methods| methods.cached_methods.as_ref())
        .is_some_and(|cached| cached.items.contains(&Method::OPTIONS));
    if options {
        return Some(("AllowedMethods.CachedMethods", "answers to preflight requests are cached"));
    }
    if view.forwards_header("origin") {
        return Some(("OriginRequestPolicyId", "the origin is sent the header Origin"));
    }
    None
}
