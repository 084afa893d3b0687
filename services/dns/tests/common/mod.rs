//! A running service with a store and a registry that tests can change, break and mend.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
#![expect(dead_code, reason = "not every test file uses everything")]

pub mod ask;

use async_trait::async_trait;
use bytes::Bytes;
use kit::{
    drain::{Stopper, channel},
    health::{Health, Severity},
    metrics::Metrics,
    service::{SystemClock, World},
    settings::Settings,
};
use model::{
    ids::EdgeId,
    plan::{Countries, HttpVersions, Plan, TlsMinimum, ViewerTls},
    units::Revision,
};
use ports::{
    metastore::{
        Change, Changes, Commit, CommitError, Entry, MetaStore, Snapshot, StoreError, Write,
    },
    registry::{Beat, EdgeRegistry},
};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{sync::watch, time::timeout};

/// Longest wait for something that must come about.
pub const SOON: Duration = Duration::from_secs(20);

/// A metadata store in memory.
pub struct Store {
    state: Mutex<State>,
    bell: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    entries: BTreeMap<String, (Bytes, u64)>,
    changes: Vec<Change>,
    forgotten: u64,
    away: bool,
}

impl Store {
    fn new() -> Self {
        Self { state: Mutex::default(), bell: watch::channel(0).0 }
    }

    /// Puts a plan under its id.
    pub fn put(&self, plan: &Plan) {
        let value = Bytes::from(serde_json::to_vec(plan).unwrap());
        self.write(Write::Put(format!("plan/{}", plan.id), value));
    }

    /// Takes a plan away.
    pub fn delete(&self, id: &str) {
        self.write(Write::Delete(format!("plan/{id}")));
    }

    /// One write as one change.
    pub fn write(&self, write: Write) {
        let mut state = self.state.lock().unwrap();
        let revision = state.changes.len() as u64 + 1;
        match &write {
            Write::Put(key, value) => {
                state.entries.insert(key.clone(), (value.clone(), revision));
            }
            Write::Delete(key) => {
                state.entries.remove(key);
            }
        }
        state.changes.push(Change { revision: Revision(revision), writes: vec![write] });
        drop(state);
        self.bell.send_replace(revision);
    }

    /// From now on everything fails, or no longer.
    pub fn set_away(&self, away: bool) {
        self.state.lock().unwrap().away = away;
        self.bell.send_modify(|_| {});
    }

    /// The feed no longer reaches back.
    pub fn forget(&self) {
        let mut state = self.state.lock().unwrap();
        state.forgotten = state.changes.len() as u64;
    }

    fn reach(&self) -> Result<std::sync::MutexGuard<'_, State>, StoreError> {
        let state = self.state.lock().unwrap();
        if state.away {
            return Err(StoreError::Unreachable("the test took it away".into()));
        }
        Ok(state)
    }
}

#[async_trait]
impl MetaStore for Store {
    async fn get(&self, _: &str) -> Result<Option<Entry>, StoreError> {
        Err(StoreError::Refused("not for DNS".into()))
    }

    async fn list(&self, _: &str, _: Option<&str>, _: usize) -> Result<Vec<Entry>, StoreError> {
        Err(StoreError::Refused("not for DNS".into()))
    }

    async fn commit(&self, _: Commit) -> Result<Revision, CommitError> {
        Err(StoreError::Refused("DNS never writes".into()).into())
    }

    async fn snapshot(&self, prefixes: &[&str]) -> Result<Snapshot, StoreError> {
        let state = self.reach()?;
        let wanted = |key: &str| prefixes.iter().any(|prefix| key.starts_with(prefix));
        let entries = state.entries.iter().filter(|(key, _)| wanted(key));
        Ok(Snapshot {
            revision: Revision(state.changes.len() as u64),
            entries: entries
                .map(|(key, (value, revision))| Entry {
                    key: key.clone(),
                    value: value.clone(),
                    revision: Revision(*revision),
                })
                .collect(),
        })
    }

    async fn changes(&self, after: Revision, limit: usize) -> Result<Changes, StoreError> {
        let state = self.reach()?;
        if after.0 < state.forgotten {
            return Ok(Changes::Lost);
        }
        let next = state.changes.iter().filter(|change| change.revision > after);
        Ok(Changes::Next(next.take(limit).cloned().collect()))
    }

    async fn changed(&self, after: Revision) -> Result<(), StoreError> {
        let mut bell = self.bell.subscribe();
        loop {
            if self.reach()?.changes.len() as u64 > after.0 {
                return Ok(());
            }
            bell.changed().await.expect("the store lives");
        }
    }
}

/// A registry that says what the test says.
#[derive(Default)]
pub struct Registry {
    beats: Mutex<Option<Vec<Beat>>>,
}

impl Registry {
    /// These edges live.
    pub fn set(&self, beats: &[Beat]) {
        *self.beats.lock().unwrap() = Some(beats.to_vec());
    }

    /// It cannot be asked.
    pub fn take_away(&self) {
        *self.beats.lock().unwrap() = None;
    }
}

#[async_trait]
impl EdgeRegistry for Registry {
    async fn beat(&self, _: &Beat) -> Result<(), StoreError> {
        Err(StoreError::Refused("DNS does not beat".into()))
    }

    async fn leave(&self, _: &EdgeId) -> Result<(), StoreError> {
        Err(StoreError::Refused("DNS does not leave".into()))
    }

    async fn edges(&self) -> Result<Vec<Beat>, StoreError> {
        let beats = self.beats.lock().unwrap().clone();
        beats.ok_or_else(|| StoreError::Unreachable("the test took it away".into()))
    }
}

/// A running service and its world.
pub struct Running {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Its store.
    pub store: Arc<Store>,
    /// Its registry.
    pub registry: Arc<Registry>,
    /// Its health.
    pub health: Health,
    /// Its counters.
    pub metrics: Metrics,
    /// Ends it.
    pub stopper: Stopper,
}

/// Settings for a test: the zone `cdn.test` on a free port.
pub fn settings() -> Settings {
    let mut settings = Settings { zone: "cdn.test".into(), ..Settings::default() };
    settings.dns.listen = "127.0.0.1:0".parse().unwrap();
    settings
}

impl Running {
    /// Starts a service after `prepare` has filled store and registry.
    pub async fn start(settings: &Settings, prepare: impl FnOnce(&Store, &Registry)) -> Self {
        let (store, registry) = (Arc::new(Store::new()), Arc::new(Registry::default()));
        registry.set(&[]);
        prepare(&store, &registry);
        let (stopper, drain) = channel();
        let world = World {
            seals: kit::seal::Seals::default(),
            store: store.clone(),
            registry: registry.clone(),
            clock: Arc::new(SystemClock),
            drain,
            health: Health::default(),
            metrics: Metrics::default(),
        };
        let (health, metrics) = (world.health.clone(), world.metrics.clone());
        let running = nearfront_dns::start(settings, world).await.unwrap();
        Self { listen: running.listen, store, registry, health, metrics, stopper }
    }

    /// How bad a part is, if it ails.
    pub fn severity(&self, part: &str) -> Option<Severity> {
        let conditions = self.health.conditions();
        let found = conditions.iter().find(|(name, ..)| *name == part);
        found.map(|(_, severity, _)| *severity)
    }

    /// Waits until a part is as bad as this.
    pub async fn until_severity(&self, part: &str, wanted: Option<Severity>) {
        until(async || self.severity(part) == wanted).await;
    }
}

/// Asks again and again until it is so.
pub async fn until(check: impl AsyncFn() -> bool) {
    let asking = async {
        while !check().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(SOON, asking).await.expect("it must come about");
}

/// An edge with one IPv4 address, somewhere.
pub fn edge(id: &str, position: Option<(f64, f64)>, addresses: &[&str]) -> Beat {
    Beat {
        role: ports::registry::Role::Edge,
        id: id.into(),
        incarnation: 1,
        pop: "TST1-P1".into(),
        position,
        addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
        http_port: Some(80),
        https_port: Some(443),
        acknowledged: Revision(0),
    }
}

/// Frankfurt, Tokyo and Virginia.
pub fn fleet() -> [Beat; 3] {
    [
        edge("fra", Some((50.1, 8.7)), &["192.0.2.1", "2001:db8::1"]),
        edge("nrt", Some((35.7, 139.7)), &["192.0.2.2", "2001:db8::2"]),
        edge("iad", Some((38.9, -77.5)), &["192.0.2.3", "2001:db8::3"]),
    ]
}

/// A plan with these names; the first is the assigned one.
pub fn plan(id: &str, names: &[&str]) -> Plan {
    Plan {
        id: id.into(),
        arn: format!("arn:aws:cloudfront::000000000000:distribution/{id}"),
        domain: names[0].into(),
        aliases: names[1..].iter().map(|name| (*name).into()).collect(),
        enabled: true,
        default_root_object: None,
        behaviours: Vec::new(),
        origins: Vec::new(),
        errors: Vec::new(),
        countries: Countries::All,
        http: HttpVersions { h2: true, h3: false },
        ipv6: true,
        viewer_tls: ViewerTls { certificate: None, minimum: TlsMinimum::Tls12 },
    }
}
