//! IAM policy documents: what they say, and whether they allow a request.
//!
//! For: reading a document, with everything that is wrong with it named at once; and deciding what
//! a set of documents says about one action on one resource: an explicit deny, else an allow, else
//! an implicit deny.
//! Not for: which action an operation is, who asks, or where documents are kept (`services/control`).
//!
//! A condition key that this server never sets is taken for what it is: absent from the request, as
//! IAM defines it. A key that no documentation of IAM's global keys knows is refused, because a
//! misspelt key would make a deny that never denies.
//!
//! Source: IAM user guide, "IAM JSON policy reference", "Policy evaluation logic".

mod arn;
mod condition;
mod context;
mod decide;
mod document;
mod faults;
mod instant;
mod keys;
mod node;
mod operator;
mod pattern;
mod resource;

pub use context::Context;
pub use decide::{Decision, Verdict, decide};
pub use document::{MOST_BYTES, Policy};
pub use faults::{Fault, Faults};
pub use resource::{Principal, ResourcePolicy};
