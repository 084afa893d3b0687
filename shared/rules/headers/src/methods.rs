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
