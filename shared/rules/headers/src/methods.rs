//! Which methods a behaviour lets through.

use http::Method;
use model::plan::Methods;

/// Why a request is refused with 403 (CloudFront developer guide, allowed HTTP methods).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The behaviour does not allow the method, or nobody does.
    #[error("this distribution does not allow the method of this request here")]
    Method,
    /// GET and HEAD have no body here.
    #[error("a GET or HEAD request may not have a body")]
    Body,
}

/// Lets a request through, or says why not. `has_body` means bytes, or an unknown number of them.
///
/// # Errors
/// Both mean 403 and the log's `InvalidRequestMethod`.
pub fn admit(allowed: Methods, method: &Method, has_body: bool) -> Result<(), Refused> {
    if !allows(allowed, method) {
        return Err(Refused::Method);
    }
    if has_body && matches!(*method, Method::GET | Method::HEAD) {
        return Err(Refused::Body);
    }
    Ok(())
}

/// Whether a set of methods holds one.
pub fn allows(allowed: Methods, method: &Method) -> bool {
    match *method {
        Method::GET | Method::HEAD => true,
        Method::OPTIONS => allowed != Methods::Read,
        Method::PUT | Method::POST | Method::PATCH | Method::DELETE => allowed == Methods::All,
        _ => false,
    }
}

/// Whether answers to a method are looked up and kept: GET and HEAD, and OPTIONS where it is listed.
pub fn is_cached(method: &Method, cache_options: bool) -> bool {
    match *method {
        Method::GET | Method::HEAD => true,
        Method::OPTIONS => cache_options,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn method(name: &str) -> Method {
        Method::from_bytes(name.as_bytes()).unwrap()
    }

    /// Developer guide, allowed HTTP methods: three sets, nothing else.
    #[test]
    fn each_set_lets_its_methods_through() {
        let table = [
            ("GET", [true, true, true]),
            ("HEAD", [true, true, true]),
            ("OPTIONS", [false, true, true]),
            ("PUT", [false, false, true]),
            ("POST", [false, false, true]),
            ("PATCH", [false, false, true]),
            ("DELETE", [false, false, true]),
            ("TRACE", [false, false, false]),
            ("CONNECT", [false, false, false]),
            ("PROPFIND", [false, false, false]),
            ("get", [false, false, false]),
        ];
        for (name, expected) in table {
            let sets = [Methods::Read, Methods::ReadAndOptions, Methods::All];
            let found = sets.map(|set| admit(set, &method(name), false).is_ok());
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn reading_needs_no_body() {
        assert_eq!(admit(Methods::All, &Method::GET, true), Err(Refused::Body));
        assert_eq!(admit(Methods::All, &Method::HEAD, true), Err(Refused::Body));
        assert_eq!(admit(Methods::All, &Method::POST, true), Ok(()));
        assert_eq!(admit(Methods::Read, &Method::POST, true), Err(Refused::Method));
    }

    #[test]
    fn options_are_cached_where_listed() {
        assert!(is_cached(&Method::HEAD, false));
        assert!(is_cached(&Method::OPTIONS, true));
        assert!(!is_cached(&Method::OPTIONS, false));
        assert!(!is_cached(&Method::POST, true));
    }
}
