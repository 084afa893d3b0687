//! Follows plans and routing endpoints in the metadata store, and makes the index of names from them.
//!
//! For: keeping the index at most a moment behind; while the store is away, the last one stays.
//! Not for: what plans say beside names and protocols.

use crate::{
    metrics::Counted,
    names::{Named, Names},
    zone::Zone,
};
use arc_swap::ArcSwap;
use kit::{health::Severity, service::World};
use model::{
    feed::{CHALLENGES, Challenge, ENDPOINTS, Endpoint, PLANS},
    plan::Plan,
    units::Revision,
};
use ports::metastore::{Change, Changes, Snapshot, StoreError, Write};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::sync::watch;

/// Part of the process's health.
pub const PART: &str = "dns-plans";
/// How long to wait before asking a store that failed again.
const AGAIN: Duration = Duration::from_millis(500);
/// Most changes read at once.
const MOST_CHANGES: usize = 1000;

/// Whether what stands at this key has names.
fn is_named(key: &str) -> bool {
    key.starts_with(PLANS) || key.starts_with(ENDPOINTS)
}

fn read(key: &str, value: &[u8]) -> Result<Named, serde_json::Error> {
    if key.starts_with(ENDPOINTS) {
        return serde_json::from_slice::<Endpoint>(value).map(Named::from);
    }
    serde_json::from_slice::<Plan>(value).map(|plan| Named::from(&plan))
}

/// Reads plans, and knows how far it has come.
pub struct Follower {
    world: World,
    zone: Arc<Zone>,
    names: Arc<ArcSwap<Names>>,
    counted: Counted,
    named: BTreeMap<String, Named>,
    challenges: BTreeMap<String, Challenge>,
    /// How far what is answered has come.
    answered: watch::Sender<Option<Revision>>,
    at: Option<Revision>,
    ailing: bool,
}

impl Follower {
    /// Nothing is read yet.
    pub fn new(
        world: World,
        zone: Arc<Zone>,
        names: Arc<ArcSwap<Names>>,
        counted: Counted,
        answered: watch::Sender<Option<Revision>>,
    ) -> Self {
        Self {
            world,
            zone,
            names,
            counted,
            named: BTreeMap::new(),
            challenges: BTreeMap::new(),
            answered,
            at: None,
            ailing: false,
        }
    }

    /// Follows until it is time to stop. Dropping it half-way is safe.
    pub async fn run(mut self) {
        let drain = self.world.drain.clone();
        tokio::select! {
            () = drain.signalled() => {}
            () = self.follow() => {}
        }
    }

    async fn follow(&mut self) {
        loop {
            let step = self.step().await;
            self.note(step.as_ref().err());
            match step {
                Ok(Some(at)) => self.wait(at).await,
                Ok(None) => {}
                Err(_) => tokio::time::sleep(AGAIN).await,
            }
        }
    }

    /// Takes what there is next. Where it has come to, when there is nothing more.
    ///
    /// # Errors
    /// What the store says; nothing is lost by trying again.
    pub async fn step(&mut self) -> Result<Option<Revision>, StoreError> {
        let Some(at) = self.at else {
            let snapshot = self.world.store.snapshot(&[PLANS, ENDPOINTS, CHALLENGES]).await?;
            self.reset(&snapshot);
            return Ok(None);
        };
        match self.world.store.changes(at, MOST_CHANGES).await? {
            Changes::Lost => self.at = None,
            Changes::Next(changes) if changes.is_empty() => return Ok(Some(at)),
            Changes::Next(changes) => self.apply(&changes),
        }
        Ok(None)
    }

    async fn wait(&mut self, at: Revision) {
        let rung = self.world.store.changed(at).await;
        if rung.is_err() {
            self.note(rung.as_ref().err());
            tokio::time::sleep(AGAIN).await;
        }
    }

    fn reset(&mut self, snapshot: &Snapshot) {
        self.named.clear();
        self.challenges.clear();
        for entry in &snapshot.entries {
            self.put(&entry.key, &entry.value);
        }
        self.at = Some(snapshot.revision);
        self.publish(snapshot.revision);
    }

    fn apply(&mut self, changes: &[Change]) {
        let writes = changes.iter().flat_map(|change| &change.writes);
        let mut touched = false;
        let ours = |key: &str| is_named(key) || key.starts_with(CHALLENGES);
        for write in writes.filter(|write| ours(write.key())) {
            touched = true;
            match write {
                Write::Put(key, value) => self.put(key, value),
                Write::Delete(key) => {
                    self.named.remove(key);
                    self.challenges.remove(key);
                }
            }
        }
        self.at = changes.last().map(|change| change.revision).or(self.at);
        match self.at {
            Some(at) if touched => self.publish(at),
            at => drop(self.answered.send_replace(at)),
        }
    }

    /// A plan that cannot be read leaves the one before in force.
    fn put(&mut self, key: &str, value: &[u8]) {
        if key.starts_with(CHALLENGES) {
            if let Ok(challenge) = serde_json::from_slice(value) {
                self.challenges.insert(key.to_owned(), challenge);
            }
            return;
        }
        match read(key, value) {
            Ok(named) => drop(self.named.insert(key.to_owned(), named)),
            Err(error) => tracing::error!(key, %error, "a plan cannot be read; the last one stays"),
        }
    }

    fn publish(&self, at: Revision) {
        let names = Names::new(&self.zone, self.named.values(), at)
            .asked(&self.zone, self.challenges.values());
        let count = i64::try_from(names.count()).unwrap_or(i64::MAX);
        self.counted.names.set(count);
        self.names.store(Arc::new(names));
        self.answered.send_replace(Some(at));
    }

    /// Says what is wrong when it begins and when it ends, not on every try in between.
    fn note(&mut self, error: Option<&StoreError>) {
        match error {
            Some(error) => {
                self.ail(error);
                self.ailing = true;
            }
            None if self.ailing => {
                tracing::info!("the metadata store answers again");
                self.world.health.heal(PART);
                self.ailing = false;
            }
            None => {}
        }
    }

    fn ail(&self, error: &StoreError) {
        let (severity, then) = match self.at {
            Some(_) => (Severity::Degraded, "the names as last read are answered"),
            None => (Severity::Unready, "no name can be answered yet"),
        };
        let why = format!("{error}; {then}; see metadata.url in the settings");
        if !self.ailing {
            tracing::warn!("{why}");
        }
        self.world.health.ail(PART, severity, why);
    }
}
