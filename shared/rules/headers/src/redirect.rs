//! Plain HTTP where HTTPS is wanted.
//!
//! Source: CloudFront developer guide, requiring HTTPS between viewers and CloudFront.

use crate::names::value;
use http::{HeaderValue, Method, StatusCode, Version};
use model::plan::ViewerProtocol;

/// What is done about a request's scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Nothing.
    Pass,
    /// Answered with this status, 301 or 307, and a `Location`.
    Redirect(StatusCode),
    /// Answered with 403.
    Refuse,
}

/// Decides by policy, scheme, method and version.
///
/// Methods with a body are sent on with 307, which keeps them; before HTTP/1.1 there is no 307, so
/// they are refused.
pub fn gate(policy: ViewerProtocol, https: bool, method: &Method, version: Version) -> Gate {
    if https || policy == ViewerProtocol::AllowAll {
        return Gate::Pass;
    }
    if policy == ViewerProtocol::HttpsOnly {
        return Gate::Refuse;
    }
    match *method {
        Method::GET | Method::HEAD => Gate::Redirect(StatusCode::MOVED_PERMANENTLY),
        _ if version >= Version::HTTP_11 => Gate::Redirect(StatusCode::TEMPORARY_REDIRECT),
        _ => Gate::Refuse,
    }
}

/// `Location` of a redirect: the same host, path and query over HTTPS.
///
/// `host` is the `Host` header. Where it carries a port, that is the port of plain HTTP: `https_port`
/// takes its place, unless it is 443. Without one, standard ports are in use, whatever we listen on.
pub fn location(host: &str, path_and_query: &str, https_port: u16) -> HeaderValue {
    let (name, port) = split_port(host);
    match port {
        Some(_) if https_port != 443 => {
            value(&format!("https://{name}:{https_port}{path_and_query}"))
        }
        _ => value(&format!("https://{name}{path_and_query}")),
    }
}

/// Splits `host:port`; the colons of a bracketed IPv6 address are not taken for one.
pub(crate) fn split_port(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((name, port))
            if !port.contains(']') && (!name.contains(':') || name.ends_with(']')) =>
        {
            (name, Some(port))
        }
        _ => (host, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ViewerProtocol::{AllowAll, HttpsOnly, RedirectToHttps};

    /// Developer guide, requiring HTTPS between viewers and CloudFront.
    #[test]
    fn the_gate_knows_policy_method_and_version() {
        let moved = Gate::Redirect(StatusCode::MOVED_PERMANENTLY);
        let kept = Gate::Redirect(StatusCode::TEMPORARY_REDIRECT);
        let (v10, v11, v2) = (Version::HTTP_10, Version::HTTP_11, Version::HTTP_2);
        let table = [
            (AllowAll, false, Method::POST, v10, Gate::Pass),
            (RedirectToHttps, true, Method::POST, v11, Gate::Pass),
            (HttpsOnly, true, Method::GET, v11, Gate::Pass),
            (HttpsOnly, false, Method::GET, v11, Gate::Refuse),
            (RedirectToHttps, false, Method::GET, v10, moved),
            (RedirectToHttps, false, Method::HEAD, v11, moved),
            (RedirectToHttps, false, Method::POST, v11, kept),
            (RedirectToHttps, false, Method::OPTIONS, v2, kept),
            (RedirectToHttps, false, Method::DELETE, v10, Gate::Refuse),
        ];
        for (policy, https, method, version, expected) in table {
            let found = gate(policy, https, &method, version);
            assert_eq!(found, expected, "{policy:?} {https} {method} {version:?}");
        }
    }

    #[test]
    fn the_location_keeps_host_path_and_query() {
        let table = [
            ("a.example", "/x?y=1", 8443, "https://a.example/x?y=1"),
            ("a.example:8080", "/", 8443, "https://a.example:8443/"),
            ("a.example:80", "/", 443, "https://a.example/"),
            ("[::1]:8080", "/", 8443, "https://[::1]:8443/"),
            ("[::1]", "/", 8443, "https://[::1]/"),
        ];
        for (host, path, port, expected) in table {
            assert_eq!(location(host, path, port), expected, "{host}");
        }
    }
}
