//! What an update may not change.

use crate::Faults;
use model::api::{DistributionConfig, ErrorCode};

/// Whether `new` may replace `old`; both have their defaults filled in.
///
/// # Errors
/// Everything that is fixed for good and differs.
pub fn check(old: &DistributionConfig, new: &DistributionConfig) -> Result<(), Faults> {
    let mut faults = Faults::default();
    let code = ErrorCode::IllegalUpdate;
    let same = old.caller_reference == new.caller_reference;
    faults.require(
        same,
        "CallerReference",
        code,
        "cannot be changed: send the one it was made with",
    );
    faults.require(old.staging == new.staging, "Staging", code, "cannot be changed");
    let same = old.connection_mode == new.connection_mode;
    faults.require(same, "ConnectionMode", code, "cannot be changed: make another distribution");
    faults.into_result()
}
