//! What every service is given when it starts.

use crate::{drain::Drain, health::Health, metrics::Metrics, seal::Seals};
use model::units::Timestamp;
use ports::{clock::Clock, metastore::MetaStore, registry::EdgeRegistry};
use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

/// The world as a service sees it; clones share everything.
///
/// A service's `start` takes this with the settings, spawns its tasks, returns once it listens, and
/// ends its tasks when `drain` is signalled.
#[derive(Clone)]
pub struct World {
    /// Configuration.
    pub store: Arc<dyn MetaStore>,
    /// What secrets in the store are sealed with; without a key where nobody opens any.
    pub seals: Seals,
    /// Edges.
    pub registry: Arc<dyn EdgeRegistry>,
    /// Time of day.
    pub clock: Arc<dyn Clock>,
    /// When to stop; the process ends once every clone is dropped.
    pub drain: Drain,
    /// What is wrong.
    pub health: Health,
    /// What is counted.
    pub metrics: Metrics,
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}
