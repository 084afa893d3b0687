//! The edge's heartbeat in the registry.
//!
//! For: being found by DNS and believed by control: one beat at once after every change that is in
//! force, one every [`BEAT_EVERY`] otherwise, and a farewell.

use crate::{flights::Flights, meters::Meters, pipeline::fetch::Landing};
use kit::{health::Severity, service::World};
use model::units::Revision;
use ports::{
    cachestore::CacheStore,
    metastore::StoreError,
    registry::{ALIVE_FOR, BEAT_EVERY, Beat},
};
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;

/// How long a farewell may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// What beats.
pub struct Heart {
    /// The world.
    pub world: World,
    /// What this edge says of itself, but for how far it has come.
    pub beat: Beat,
    /// The last change in force.
    pub acknowledged: watch::Receiver<Option<Revision>>,
    /// Looked at once a beat.
    pub store: Arc<dyn CacheStore>,
    /// The same.
    pub flights: Arc<Flights<Landing>>,
    /// Where that is shown.
    pub meters: Arc<Meters>,
}

impl Heart {
    /// Beats until the drain is signalled, then says farewell.
    pub async fn beats(mut self) {
        let drain = self.world.drain.clone();
        loop {
            self.beat().await;
            tokio::select! {
                () = drain.signalled() => break,
                changed = self.acknowledged.changed() => if changed.is_err() { break },
                () = tokio::time::sleep(BEAT_EVERY) => {}
            }
        }
        let farewell = self.world.registry.leave(&self.beat.id);
        if !matches!(tokio::time::timeout(FAREWELL, farewell).await, Ok(Ok(()))) {
            tracing::warn!("could not leave the registry; this edge will be missed in seconds");
        }
    }

    async fn beat(&mut self) {
        self.beat.acknowledged = self.acknowledged.borrow_and_update().unwrap_or_default();
        self.meters.gauge(self.store.fill(), self.flights.filling());
        let beating = self.world.registry.beat(&self.beat);
        let beaten = tokio::time::timeout(ALIVE_FOR, beating).await;
        match beaten.unwrap_or_else(|_| Err(StoreError::Unreachable("no answer".into()))) {
            Ok(()) => self.world.health.heal("registry"),
            Err(why) => {
                let why = format!("{why}; until it answers, DNS does not name this edge");
                self.world.health.ail("registry", Severity::Degraded, why);
            }
        }
    }
}
