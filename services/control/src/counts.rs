//! What is counted: requests by operation and status.

use kit::metrics::Metrics;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
};

/// At most the operations of the API times the statuses that it has.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    operation: &'static str,
    status: u16,
}

/// The service's counters; clones share them.
#[derive(Clone, Debug)]
pub struct Counts {
    requests: Family<Labels, Counter>,
}

impl Counts {
    /// Registered with the process's metrics.
    pub fn of(metrics: &Metrics) -> Self {
        let requests = Family::default();
        metrics.register(|registry| {
            let help = "Requests to the management API";
            registry.register("control_requests", help, Family::clone(&requests));
        });
        Self { requests }
    }

    /// One more request was answered.
    pub fn answered(&self, operation: &'static str, status: u16) {
        self.requests.get_or_create(&Labels { operation, status }).inc();
    }
}
