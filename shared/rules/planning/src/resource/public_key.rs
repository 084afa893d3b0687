//! Public keys: what they are called. Whether the key can be read is the service's to say.
//!
//! Source: CloudFront API reference, `PublicKeyConfig`; developer guide, "Using field-level
//! encryption", step 2.

use super::{check_comment, check_reference, check_word};
use crate::Faults;
use model::api::PublicKeyConfig;

/// Whether this key may be kept, as far as it is not about the key itself.
///
/// # Errors
/// Everything that is wrong with it.
pub fn check(config: &PublicKeyConfig) -> Result<(), Faults> {
    let mut faults = Faults::default();
    check_word(&mut faults, "Name", &config.name, "_-");
    check_reference(&mut faults, &config.caller_reference);
    check_comment(&mut faults, config.comment.as_ref());
    faults.into_result()
}
