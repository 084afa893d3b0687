//! A `DistributionConfig` checked as a whole and turned into the Plan that edges execute.
//!
//! For: what the management API accepts, with which error it refuses the rest, and what an accepted
//! configuration means. Everything that refers to something else is resolved here, all faults are
//! reported together by path, and what no edge can do yet is refused by name.
//! Not for: looking things up or writing them (`services/control`); the caller brings what a
//! configuration refers to as [`References`].

pub mod defaults;
pub mod difference;
pub mod distribution;
mod faults;
pub mod functions;
pub mod key_values;
pub mod lints;
pub mod managed;
pub mod policy;
mod references;
pub mod resource;
pub mod streaming;
pub mod vpc_origin;

pub use faults::{Fault, Faults};
pub use model::quotas::{Quota, Quotas, UNBOUNDED};
pub use references::{CertificateFacts, References, Wanted, kind};
