//! How a service runs: settings, signals, draining, health, telemetry, the run file.

pub mod drain;
pub mod health;
pub mod load;
pub mod metrics;
pub mod service;
pub mod settings;
pub mod size;
