//! What every handler works with.

use crate::{
    access::People,
    audit::Audit,
    counts::Counts,
    objects::Objects,
    resolver::Resolver,
    sigv4::Keys,
    store::{Change, Otherwise},
    wire::fault::Fault,
};
use kit::{service::World, settings::Settings};
use model::{
    feed::{Sealed, Secret},
    units::Timestamp,
};
use planning::Quotas;
use ports::metastore::{Check, MetaStore};
use std::{
    io,
    ops::Deref,
    sync::{Arc, atomic::AtomicU64},
};
use tokio::sync::Notify;

/// How many may take room at the same time without looking at each other.
const NEAR: usize = 64;

/// The management API as one request sees it: what all share, and the store through which this
/// request reads and writes.
#[derive(Clone)]
pub struct Control {
    store: Arc<dyn MetaStore>,
    // Last, so that its drain goes last: once it is gone, nobody here holds the store.
    shared: Arc<Shared>,
}

/// The management API's own state; nothing in it outlives the process.
pub struct Shared {
    pub(crate) keys: Keys,
    pub(crate) people: People,
    pub(crate) audit: Audit,
    pub(crate) zone: String,
    pub(crate) account: String,
    pub(crate) quotas: Quotas,
    /// Invalidations created by this process.
    pub(crate) created: AtomicU64,
    pub(crate) counts: Counts,
    /// Rung when a certificate was requested.
    pub(crate) issuing: Notify,
    pub(crate) resolver: Resolver,
    pub(crate) objects: Objects,
    /// Rung when a key value store waits to be filled or cleared away.
    pub(crate) chores: tokio::sync::Notify,
    pub(crate) settings: Settings,
    pub(crate) world: World,
}

impl Deref for Control {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.shared
    }
}

impl Control {
    /// From what the service was started with.
    ///
    /// # Errors
    /// When the files of the record of calls cannot be opened.
    pub fn new(settings: &Settings, objects: Objects, world: World) -> io::Result<Self> {
        let store = Arc::clone(&world.store);
        let audit = &settings.control.audit;
        let audit = Audit::open(&settings.data_dir, audit, world.health.clone(), &world.metrics)?;
        let shared = Shared {
            keys: Keys::of(Arc::clone(&store), world.seals.clone()),
            people: People::of(Arc::clone(&store)),
            audit,
            zone: settings.zone.to_ascii_lowercase(),
            account: settings.account_id.clone(),
            quotas: settings.quotas.clone(),
            created: AtomicU64::new(0),
            counts: Counts::of(&world.metrics),
            issuing: Notify::new(),
            resolver: Resolver::new(settings.control.resolver),
            objects,
            chores: tokio::sync::Notify::new(),
            settings: settings.clone(),
            world,
        };
        Ok(Self { store, shared: Arc::new(shared) })
    }

    /// The same, reading and writing through another store.
    #[must_use]
    pub(crate) fn through(&self, store: Arc<dyn MetaStore>) -> Self {
        Self { store, shared: Arc::clone(&self.shared) }
    }

    /// The store of this view, for another one on top of it.
    pub(crate) fn shared_store(&self) -> Arc<dyn MetaStore> {
        Arc::clone(&self.store)
    }

    pub(crate) fn store(&self) -> &dyn MetaStore {
        &*self.store
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.world.clock.now()
    }

    /// Seals a secret for the record whose key in the store is `place`.
    pub(crate) fn seal(&self, place: &str, secret: &Secret) -> Result<Sealed, Fault> {
        self.world.seals.seal(place, secret).map_err(Fault::internal)
    }

    /// Opens a secret of the record whose key in the store is `place`.
    pub(crate) fn open(&self, place: &str, sealed: &Sealed) -> Result<Secret, Fault> {
        self.world.seals.open(place, sealed).map_err(Fault::internal)
    }

    /// Whether fewer than `most` entries have keys that start with `prefix`. Two who ask at the same
    /// time may both be told that there is room for one more.
    ///
    /// # Errors
    /// `ServiceUnavailable` when the store does not answer.
    pub(crate) async fn has_room(&self, prefix: &str, most: u64) -> Result<bool, Fault> {
        let Ok(most) = usize::try_from(most) else { return Ok(true) };
        if most >= planning::UNBOUNDED {
            return Ok(true);
        }
        Ok(self.store.list(prefix, None, most).await?.len() < most)
    }

    /// Whether there is room for one more below `prefix`, exactly: near the quota, only one of those
    /// who take room at the same time is served at once; the others learn from the key `census`,
    /// which is put anew, and look again. To be asked within an attempt that is tried again.
    ///
    /// # Errors
    /// `ServiceUnavailable` when the store does not answer.
    pub(crate) async fn take_room(
        &self,
        change: &mut Change,
        (prefix, census): (&str, String),
        most: u64,
    ) -> Result<bool, Fault> {
        let Ok(most) = usize::try_from(most) else { return Ok(true) };
        if most >= planning::UNBOUNDED {
            return Ok(true);
        }
        let before = self.store.get(&census).await?;
        let there = self.store.list(prefix, None, most).await?.len();
        if there.saturating_add(NEAR) >= most {
            let unchanged = before.map_or(Check::Absent(census.clone()), |entry| {
                Check::At(entry.key, entry.revision)
            });
            change.when(unchanged, Otherwise::Again);
        }
        change.mark(census);
        Ok(there < most)
    }

    /// `arn:aws:cloudfront::ACCOUNT:KIND/ID`.
    pub(crate) fn arn(&self, kind: &str, id: &str) -> String {
        format!("arn:aws:cloudfront::{}:{kind}/{id}", self.account)
    }

    /// `arn:aws:cloudfront::ACCOUNT:distribution/ID`.
    pub(crate) fn distribution_arn(&self, id: &str) -> String {
        self.arn("distribution", id)
    }

    /// `arn:aws:acm:REGION:ACCOUNT:certificate/UUID`.
    pub(crate) fn certificate_arn(&self, region: &str, id: &str) -> String {
        format!("arn:aws:acm:{region}:{}:certificate/{id}", self.account)
    }
}
