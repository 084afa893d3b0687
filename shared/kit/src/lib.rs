//! How a service runs: settings, signals, draining, health, telemetry, the run file, sealed secrets.

pub mod admin;
pub mod drain;
pub mod health;
pub mod load;
pub mod metrics;
pub mod runfile;
pub mod seal;
pub mod service;
pub mod settings;
pub mod signals;
pub mod size;
pub mod telemetry;
pub mod whole;
