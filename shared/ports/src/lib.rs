//! What the services ask of the world: traits and their errors, no implementation.

pub mod bounds;
pub mod cachestore;
pub mod clock;
pub mod locator;
pub mod metastore;
pub mod origin;
pub mod registry;
pub mod relay;
