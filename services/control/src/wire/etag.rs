//! Entity tags: every change needs the one that the caller last saw.

use super::fault::Fault;
use model::api::ErrorCode;

/// The caller's If-Match must be `current`.
///
/// # Errors
/// `InvalidIfMatchVersion` when it is missing or no tag, `PreconditionFailed` when it is another.
/// Source: CloudFront API reference, `UpdateDistribution`.
pub fn check(given: Option<&str>, current: &str) -> Result<(), Fault> {
    let given = given.map(|tag| tag.trim().trim_matches('"')).unwrap_or_default();
    if given.is_empty() || given.len() > 128 || !given.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(Fault::new(
            ErrorCode::InvalidIfMatchVersion,
            "the If-Match version is missing or not valid for the resource: send the ETag of the \
             last read",
        ));
    }
    if given == current {
        return Ok(());
    }
    Err(stale())
}

/// The resource is no longer what the caller saw.
pub fn stale() -> Fault {
    Fault::new(
        ErrorCode::PreconditionFailed,
        "the resource has changed since the ETag in If-Match was read: read it again, then retry",
    )
}
