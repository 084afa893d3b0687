//! The management API over a real socket and a real store, by way of signed requests.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests: whatever is wrong ends them")]

mod certificates;
mod changes;
mod distributions;
mod first_start;
mod harness;
mod malformed;
mod sealing;
mod signatures;
mod staging;
