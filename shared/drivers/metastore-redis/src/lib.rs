//! The metadata store on Redis: a stream as the log, pub/sub as the doorbell, Lua for atomicity.
//!
//! For: fleets, whose processes share one Redis (6.2 or later), alone, behind sentinels, or as a
//! cluster.
//! Not for: a laptop without Redis (`metastore-embedded`).
//!
//! While Redis is away every call fails within two seconds; once it is back, the next call finds it.
//! A commit that got no answer is asked again under its own mark, so it never happens twice; when
//! that fails too, it may or may not have happened.
//!
//! What Redis has acknowledged is as durable as its own settings make it: `appendonly yes` is a
//! must, `appendfsync always` survives power cuts. Where a replica takes over without the last
//! commits, readers of another history are told [`Changes::Lost`].

mod advice;
mod bell;
mod fault;
mod keys;
mod lineage;
mod link;
mod place;
mod presence;
mod script;
mod store;
mod url;
mod wire;

use async_trait::async_trait;
use bell::Bell;
use fault::Fault;
use link::Link;
use model::{ids::EdgeId, units::Revision};
use place::Place;
use ports::{
    bounds::{self, LogBounds},
    metastore::{Changes, Commit, CommitError, Entry, MetaStore, Snapshot, StoreError},
    registry::{Beat, EdgeRegistry},
};
use std::sync::Arc;
use store::Store;

/// The store; clones share one connection and one subscription.
#[derive(Clone)]
pub struct RedisStore {
    store: Arc<Store>,
    bell: Arc<Bell>,
}

impl RedisStore {
    /// Connects to the Redis of this URL:
    ///
    /// | form | means |
    /// | --- | --- |
    /// | `redis://HOST[:6379][/DATABASE]` | one server, or what a load balancer shows as one |
    /// | `redis+cluster://HOST[:6379],HOST…` | a cluster; name two nodes or more |
    /// | `redis+sentinel://HOST[:26379],HOST…/MASTER[/DATABASE]` | whom the sentinels call MASTER |
    ///
    /// `rediss` instead of `redis` speaks TLS, `USER:PASSWORD@` or `:PASSWORD@` before the hosts
    /// logs in (special characters as `%40`). Options follow as `?name=value&…`: `ca_file`, a PEM
    /// file to trust instead of the system's authorities; `sentinel_user` and `sentinel_password`
    /// for sentinels that want a login of their own.
    ///
    /// Warns in the log when Redis may lose what it acknowledges.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for a URL that is none of these or a login that fails,
    /// [`StoreError::Unreachable`] when Redis does not answer.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::connect_keeping(url, LogBounds::default()).await
    }

    /// As [`Self::connect`], with commits that keep the feed as long as `log` says.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn connect_keeping(url: &str, log: LogBounds) -> Result<Self, StoreError> {
        // Fails when there is one already, which is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let link = Link::new(Place::parse(url)?);
        let head = link.head().await?;
        advice::give(&link).await;
        let store = Arc::new(Store { link, lineage: lineage::Lineage::default(), log });
        let bell = Arc::new(Bell::hang(Arc::clone(&store), head));
        Ok(Self { store, bell })
    }
}

#[async_trait]
impl MetaStore for RedisStore {
    async fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        bounds::key(key)?;
        Ok(self.store.get(key).await?)
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        bounds::prefix(prefix)?;
        bounds::prefix(after.unwrap_or_default())?;
        Ok(self.store.list(prefix, after, limit).await?)
    }

    async fn commit(&self, commit: Commit) -> Result<Revision, CommitError> {
        bounds::commit(&commit)?;
        match self.store.commit(&commit).await {
            Ok(done) => done.map_err(CommitError::Conflict),
            Err(Fault::Gone(why)) => {
                let why = format!("{why}; the write may or may not have happened");
                Err(StoreError::Unreachable(why).into())
            }
            Err(fault) => Err(StoreError::from(fault).into()),
        }
    }

    async fn snapshot(&self, prefixes: &[&str]) -> Result<Snapshot, StoreError> {
        prefixes.iter().try_for_each(|prefix| bounds::prefix(prefix))?;
        Ok(self.store.snapshot(prefixes).await?)
    }

    async fn changes(&self, after: Revision, limit: usize) -> Result<Changes, StoreError> {
        Ok(self.store.changes(after, limit).await?)
    }

    async fn changed(&self, after: Revision) -> Result<(), StoreError> {
        Ok(self.bell.rings(&self.store, after).await?)
    }
}

#[async_trait]
impl EdgeRegistry for RedisStore {
    async fn beat(&self, beat: &Beat) -> Result<(), StoreError> {
        bounds::key(beat.id.as_str())?;
        Ok(presence::beat(&self.store.link, beat).await?)
    }

    async fn leave(&self, edge: &EdgeId) -> Result<(), StoreError> {
        bounds::key(edge.as_str())?;
        Ok(presence::leave(&self.store.link, edge).await?)
    }

    async fn edges(&self) -> Result<Vec<Beat>, StoreError> {
        Ok(presence::alive(&self.store.link).await?)
    }
}
