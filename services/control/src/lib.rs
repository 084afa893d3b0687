//! The management API: CloudFront's operations, durable and atomic.
//!
//! For: one HTTP server that unmodified AWS clients talk to. A request is signed (`sigv4`), means
//! one operation (`wire`), is done by one handler (`api`, `acm`, `iam`, `kvs`), and what edges execute is
//! written in the same commit as what it follows from (`publish`).
//! Not for: deciding what is acceptable (`rules/planning`), nor for serving viewers.

mod access;
mod acm;
mod api;
mod audit;
mod control;
mod counts;
mod first;
mod front;
mod history;
mod iam;
mod ids;
mod kvs;
mod lints;
mod loops;
mod names;
mod objects;
mod publish;
mod rehearsal;
mod resealing;
mod resolver;
mod server;
mod sigv4;
mod start;
mod status;
mod store;
mod wire;
mod witness;

pub use first::AccessKey;
pub use start::{Running, StartError, start};
