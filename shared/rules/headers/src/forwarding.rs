//! Which of a viewer's headers reach the origin.
//!
//! For: one answer for each name, from cache policy, origin request policy or legacy settings.
//! Not for: headers with rules of their own (`Host`, `Cookie`, `Via` …): [`crate::origin_request`].
//!
//! Source: CloudFront developer guide, HTTP request headers and CloudFront behavior; understand
//! how origin request policies and cache policies work together.

use crate::generated;
use http::Method;
use model::plan::{Behaviour, HeaderSelection, Law};

/// Whether the user has named a viewer header, or all of them, in any policy.
pub fn is_selected(behaviour: &Behaviour, name: &str) -> bool {
    let (cache, forward) = (&behaviour.cache, &behaviour.forward);
    cache.all_headers
        || has(&cache.headers, name)
        || match &forward.headers {
            HeaderSelection::None => false,
            HeaderSelection::Only(names) => has(names, name),
            HeaderSelection::AllViewer | HeaderSelection::AllViewerAnd(_) => true,
            HeaderSelection::AllExcept(names) => !has(names, name),
        }
}

/// Names of generated headers that the user has asked for.
pub fn generated_names(behaviour: &Behaviour) -> impl Iterator<Item = &str> {
    let forwarded: &[String] = match &behaviour.forward.headers {
        HeaderSelection::Only(names) | HeaderSelection::AllViewerAnd(names) => names,
        HeaderSelection::None | HeaderSelection::AllViewer | HeaderSelection::AllExcept(_) => &[],
    };
    let names = behaviour.cache.headers.iter().chain(forwarded).map(String::as_str);
    names.filter(|name| generated::is_generated(name))
}

/// Whether a viewer header goes to the origin. `name` is lower case and not one of those that have
/// rules of their own.
///
/// Beside what is selected: under legacy settings all that the guide does not list as removed;
/// under the law of RFC 9111 all (RFC 9110 §7.6: a proxy forwards what it does not know); else only
/// directives for caches, and what describes the body.
pub fn reaches_origin(behaviour: &Behaviour, method: &Method, name: &str) -> bool {
    is_selected(behaviour, name)
        || behaviour.cache.law == Law::Http
        || if behaviour.forward.legacy {
            by_legacy_default(behaviour, method, name)
        } else {
            by_policy_default(name)
        }
}

fn by_legacy_default(behaviour: &Behaviour, method: &Method, name: &str) -> bool {
    match name {
        "accept" | "accept-charset" | "accept-language" | "referer" | "x-http-method-override" => {
            false
        }
        "authorization" => match *method {
            Method::GET | Method::HEAD => false,
            Method::OPTIONS => !behaviour.cache_options,
            _ => true,
        },
        _ => true,
    }
}

fn by_policy_default(name: &str) -> bool {
    matches!(
        name,
        "cache-control"
            | "pragma"
            | "max-forwards"
            | "content-type"
            | "content-encoding"
            | "content-language"
            | "content-md5"
            | "content-range"
    )
}

pub(crate) fn has(names: &[String], name: &str) -> bool {
    names.iter().any(|listed| listed == name)
}
