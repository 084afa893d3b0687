//! Origin access identities: the older way to say that requests to a bucket are signed.
//!
//! Source: CloudFront API reference, `CloudFrontOriginAccessIdentityConfig`, `S3OriginConfig`.

use super::{check_comment, check_reference};
use crate::Faults;
use model::api::CloudFrontOriginAccessIdentityConfig;

/// What a reference to an identity begins with in an origin.
const PREFIX: &str = "origin-access-identity/cloudfront/";

/// Whether this identity may be kept.
///
/// # Errors
/// Everything that is wrong with it.
pub fn check(config: &CloudFrontOriginAccessIdentityConfig) -> Result<(), Faults> {
    let mut faults = Faults::default();
    check_reference(&mut faults, &config.caller_reference);
    check_comment(&mut faults, Some(&config.comment));
    faults.into_result()
}

/// The id in `origin-access-identity/cloudfront/ID`; none when it is written otherwise.
pub fn id_in(reference: &str) -> Option<&str> {
    let id = reference.strip_prefix(PREFIX)?;
    (!id.is_empty() && !id.contains('/')).then_some(id)
}
