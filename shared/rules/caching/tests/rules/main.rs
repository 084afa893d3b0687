//! The decisions of both caching laws as tables, each row with its source, and laws that hold for
//! all inputs.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod collapsing;
mod directives;
mod errors;
mod given;
mod laws;
mod ranges;
mod reuse;
mod stale;
mod standard;
mod status;
mod ttl;
mod validate;
mod vary;
