//! Patterns, normal paths and bans as tables, each also tried against the plainest way to say it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod bans;
mod check;
mod normalise;
mod pattern;
