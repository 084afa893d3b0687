//! Path patterns and bans: what an invalidation takes away, and which behaviour a path is for.
//!
//! For: [`bans`] (what has been invalidated), [`check`] (whether an invalidation path is
//! acceptable), [`pattern`] (path patterns of behaviours) and [`mod@normalise`] (paths as patterns see
//! them).
//! Not for: when an invalidation counts as completed; control counts that.

pub mod bans;
pub mod check;
pub mod normalise;
pub mod pattern;

pub use bans::Bans;
pub use check::{PathFault, check_path, is_wildcard};
pub use normalise::normalise;
pub use pattern::{PathPattern, PatternFault};
