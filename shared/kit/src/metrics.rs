//! The process's metrics: services register theirs, the admin server prints them.

use prometheus_client::registry::Registry;
use std::sync::{Arc, Mutex, PoisonError};

/// Where services register their metrics; clones share one registry.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
}

impl Metrics {
    /// Registers metrics. Names start with the service: `edge_requests`, and are prefixed with
    /// `nearfront_` when printed. Label sets are bounded.
    pub fn register(&self, add: impl FnOnce(&mut Registry)) {
        add(self
            .registry
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .sub_registry_with_prefix("nearfront"));
    }

    /// All metrics as `OpenMetrics` text.
    ///
    /// # Errors
    /// Only when formatting fails.
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        prometheus_client::encoding::text::encode(&mut text, &registry)?;
        Ok(text)
    }
}
