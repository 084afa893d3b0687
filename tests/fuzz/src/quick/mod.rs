//! The edge's reader of plain requests, which it answers beside the server library; read here a second
//! time for the same reason as `turns`.

/// As the edge has it.
const LONGEST_HEAD: usize = 16 << 10;

#[path = "../../../../services/edge/src/serve/quick/ask.rs"]
pub mod ask;
