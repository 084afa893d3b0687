//! Words: the types, ids and units that every ring speaks.
//!
//! For: naming things once. Not for: deciding (`rules`) or doing (`drivers`, `services`).

pub mod api;
pub mod feed;
pub mod fields;
pub mod ids;
pub mod plan;
pub mod quotas;
pub mod units;
