//! The wire: which operation a request means, XML in, XML out, faults, pages and entity tags.
//!
//! For: everything that all operations share between the socket and the handler.
//! Not for: what an operation does (`api`), nor who may call it (`sigv4`).

pub mod asked;
pub mod call;
pub mod etag;
pub mod fault;
#[cfg(test)]
mod golden;
pub mod page;
pub mod read;
pub mod reply;
pub mod route;
mod shapes;
pub mod version;
pub mod xml;
