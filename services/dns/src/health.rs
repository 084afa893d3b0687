//! Follows which edges live.
//!
//! For: a list at most half a second behind the registry. Not for: probing edges; their beats speak.
//!
//! When the registry cannot be asked, or says that nobody is alive, the last list that was not empty
//! stays: a registry that has just restarted is empty too, and sending viewers to an edge that may
//! be gone is better than sending them nowhere.

use crate::{edges::Edges, metrics::Counted};
use arc_swap::ArcSwap;
use kit::{health::Severity, service::World};
use ports::{
    metastore::StoreError,
    registry::{Beat, Role},
};
use std::{sync::Arc, time::Duration};
use tokio::time::{MissedTickBehavior, interval, timeout};

/// Part of the process's health.
pub const PART: &str = "dns-edges";
/// How often the registry is asked.
const EVERY: Duration = Duration::from_millis(500);
/// How often it is asked at the start, and how many times.
const GLANCE: Duration = Duration::from_millis(20);
const GLANCES: usize = 50;
/// How long an answer of the registry is waited for.
const AT_MOST: Duration = Duration::from_secs(2);

/// Asks the registry, and keeps the list.
pub struct Watcher {
    world: World,
    order: Vec<String>,
    edges: Arc<ArcSwap<Edges>>,
    counted: Counted,
    ailing: bool,
}

impl Watcher {
    /// Nobody is known yet; `order` is the operator's.
    pub const fn new(
        world: World,
        order: Vec<String>,
        edges: Arc<ArcSwap<Edges>>,
        counted: Counted,
    ) -> Self {
        Self { world, order, edges, counted, ailing: false }
    }

    /// Watches until it is time to stop. Dropping it half-way is safe.
    pub async fn run(mut self) {
        let drain = self.world.drain.clone();
        tokio::select! {
            () = drain.signalled() => {}
            () = self.watch() => {}
        }
    }

    async fn watch(&mut self) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.look().await;
        }
    }

    /// Looks for up to a second until an edge is seen. For the start, when an edge of this very
    /// process may not have beaten yet, and nothing is wrong.
    pub async fn first_sight(&mut self) {
        for _ in 0..GLANCES {
            match self.ask().await {
                Ok(beats) if beats.is_empty() => tokio::time::sleep(GLANCE).await,
                _ => break,
            }
        }
        self.look().await;
    }

    async fn ask(&self) -> Result<Vec<Beat>, StoreError> {
        let beats = timeout(AT_MOST, self.world.registry.edges()).await;
        let late = |_| Err(StoreError::Unreachable("no answer in 2 s".into()));
        let mut beats = beats.unwrap_or_else(late)?;
        beats.retain(|beat| beat.role == Role::Edge);
        Ok(beats)
    }

    async fn look(&mut self) {
        match self.ask().await {
            Ok(beats) if beats.is_empty() => self.ail("no edge is alive"),
            Ok(beats) => self.take(&beats),
            Err(error) => self.ail(&error.to_string()),
        }
    }

    fn take(&mut self, beats: &[Beat]) {
        let edges = Edges::new(beats, &self.order);
        self.counted.edges.set(i64::try_from(edges.len()).unwrap_or(i64::MAX));
        if **self.edges.load() != edges {
            self.edges.store(Arc::new(edges));
        }
        if self.ailing {
            tracing::info!(edges = beats.len(), "edges are seen again");
            self.ailing = false;
        }
        self.world.health.heal(PART);
    }

    fn ail(&mut self, why: &str) {
        let kept = self.edges.load().len();
        let (severity, then) = match kept {
            0 => (Severity::Unready, "start one, or see metadata.url".to_owned()),
            _ => (Severity::Degraded, format!("the last {kept} are still answered")),
        };
        let why = format!("{why}: {then}");
        if !self.ailing {
            tracing::warn!("{why}");
        }
        self.ailing = true;
        self.world.health.ail(PART, severity, why);
    }
}
