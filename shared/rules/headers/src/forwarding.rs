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
            | "content-length"
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{behaviour, names};
    use HeaderSelection::{AllExcept, AllViewer, AllViewerAnd, None, Only};

    /// Developer guide, origin request policies: the five header behaviors beside a cache policy.
    #[test]
    fn policies_select_headers() {
        let listed = || names(&["x-b"]);
        let table = [
            (None, [true, false, false]),
            (Only(listed()), [true, true, false]),
            (AllViewer, [true, true, true]),
            (AllViewerAnd(names(&["cloudfront-viewer-country"])), [true, true, true]),
            (AllExcept(listed()), [true, false, true]),
            (AllExcept(names(&["x-a"])), [true, true, true]),
        ];
        for (forward, expected) in table {
            let mut behaviour = behaviour();
            behaviour.cache.headers = names(&["x-a"]);
            behaviour.forward.headers = forward.clone();
            let found =
                ["x-a", "x-b", "x-c"].map(|name| reaches_origin(&behaviour, &Method::GET, name));
            assert_eq!(found, expected, "{forward:?}");
        }
    }

    /// Developer guide, HTTP request headers and CloudFront behavior.
    #[test]
    fn defaults_differ_by_kind_of_settings() {
        let table = [
            // name, method, legacy, policy
            ("x-other", Method::GET, true, false),
            ("accept", Method::GET, false, false),
            ("accept-charset", Method::GET, false, false),
            ("accept-language", Method::GET, false, false),
            ("referer", Method::GET, false, false),
            ("x-http-method-override", Method::POST, false, false),
            ("authorization", Method::GET, false, false),
            ("authorization", Method::HEAD, false, false),
            ("authorization", Method::OPTIONS, true, false),
            ("authorization", Method::PUT, true, false),
            ("origin", Method::GET, true, false),
            ("cache-control", Method::GET, true, true),
            ("pragma", Method::GET, true, true),
            ("content-length", Method::POST, true, true),
            ("content-type", Method::POST, true, true),
            ("content-encoding", Method::POST, true, true),
            ("date", Method::GET, true, false),
        ];
        for (name, method, legacy, policy) in table {
            let mut behaviour = behaviour();
            assert_eq!(reaches_origin(&behaviour, &method, name), policy, "{method} {name}");
            behaviour.forward.legacy = true;
            assert_eq!(reaches_origin(&behaviour, &method, name), legacy, "{method} {name}");
            behaviour.cache.headers = names(&[name]);
            assert!(reaches_origin(&behaviour, &method, name), "{method} {name} selected");
        }
        let mut behaviour = behaviour();
        behaviour.forward.legacy = true;
        behaviour.cache_options = true;
        assert!(!reaches_origin(&behaviour, &Method::OPTIONS, "authorization"));
        behaviour.cache.law = Law::Http;
        assert!(reaches_origin(&behaviour, &Method::GET, "accept-language"));
        assert!(!is_selected(&behaviour, "host"));
    }

    #[test]
    fn generated_headers_are_named_one_by_one() {
        let mut behaviour = behaviour();
        behaviour.cache.headers = names(&["cloudfront-viewer-country", "x-a"]);
        behaviour.forward.headers = AllViewerAnd(names(&["cloudfront-viewer-tls"]));
        let found: Vec<_> = generated_names(&behaviour).collect();
        assert_eq!(found, ["cloudfront-viewer-country", "cloudfront-viewer-tls"]);
        behaviour.forward.headers = AllViewer;
        assert_eq!(generated_names(&behaviour).count(), 1);
    }
}
