//! Real servers for tests: started on free ports, ended by their owner.

pub mod mmdb;
pub mod redis;
