//! Laws of everything that reads bytes of strangers, held against any bytes.
//!
//! For: one function for each reader, which panics where a law does not hold. `scripts/check --fuzz`
//! feeds them what libFuzzer makes up, guided by coverage; ordinary test runs feed them the seeds,
//! among them every input that has broken a law before.
//! Not for: laws that need inputs with a shape of their own; those are property tests beside the
//! code.
//!
//! A new reader gets a file in `laws`, one in `targets`, a `[[bin]]` and a folder of seeds.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a law that does not hold is a panic"
)]

pub mod laws;
mod quick;
// The edge keeps it to itself, and the whole edge, instrumented, would take minutes to build: so its
// file is read here a second time. It leans on nothing else of the edge.
#[expect(dead_code, reason = "what only the edge calls")]
#[path = "../../../services/edge/src/serve/early.rs"]
mod early;
#[expect(dead_code, reason = "what only the edge calls")]
#[path = "../../../services/edge/src/serve/turns.rs"]
mod turns;
