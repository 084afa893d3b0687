//! Key groups: the public keys that may sign a behaviour's URLs and cookies.
//!
//! Source: CloudFront API reference, `KeyGroupConfig`; developer guide, "Quotas".

use super::{check_comment, check_distinct, check_most, check_word};
use crate::{Faults, Quota, Quotas};
use model::api::{ErrorCode, KeyGroupConfig};

/// Whether this group may be kept.
///
/// # Errors
/// Everything that is wrong with it.
pub fn check(config: &KeyGroupConfig, quotas: &Quotas) -> Result<(), Faults> {
    let mut faults = Faults::default();
    check_word(&mut faults, "Name", &config.name, "_-.");
    check_comment(&mut faults, config.comment.as_ref());
    let keys = &config.items;
    let message = "name at least one public key by its id";
    faults.require(!keys.is_empty(), "Items", ErrorCode::InvalidArgument, message);
    let quota = (quotas, Quota::PublicKeysInKeyGroup);
    check_most(&mut faults, "Items", keys.len(), quota, ErrorCode::TooManyPublicKeysInKeyGroup);
    check_distinct(&mut faults, "KeyGroupConfig", "", keys.iter().map(String::as_str));
    faults.into_result()
}
