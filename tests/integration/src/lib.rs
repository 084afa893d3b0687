//! Several crates together, in one process or many.
