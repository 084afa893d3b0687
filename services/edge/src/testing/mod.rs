//! Origin, edge and clock on one page, in one process without a socket, so that time can stand still.

mod certificate;
pub mod metastore;
pub mod origin;
pub mod plan;
pub mod site;
pub mod world;

pub use certificate::{certificate, seals};
pub use origin::{FakeOrigin, error, ok, status, streaming};
pub use plan::{behaviour, plan};
pub use site::{Fault, Site};
pub use world::{Got, World, decoded};

/// A span of seconds.
pub const fn secs(seconds: u64) -> std::time::Duration {
    std::time::Duration::from_secs(seconds)
}
