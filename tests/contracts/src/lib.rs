//! One battery per port, which every driver passes.

pub mod cachestore;
pub mod metastore;
pub mod registry;
