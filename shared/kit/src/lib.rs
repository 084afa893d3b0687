//! How a service runs: settings, signals, draining, health, telemetry, the run file.

pub mod admin;
pub mod drain;
pub mod health;
pub mod load;
pub mod metrics;
pub mod runfile;
pub mod service;
pub mod settings;
pub mod signals;
pub mod size;
pub mod telemetry;
pub mod whole;
