//! The metadata store in one file of this machine (redb), and the edge registry in memory.
//!
//! For: `nearfront up`, where control and edge are one process and no other server is needed.
//! Not for: a fleet. One process holds the file, and a second one is refused with a clear error.
//!
//! A commit returns once the disk has it. Files are made readable by their owner only, since
//! certificates' private keys are in them.

mod commit;
mod database;
mod fault;
mod presence;
mod read;
mod tables;

use async_trait::async_trait;
use database::Database;
use fault::Fault;
use model::{ids::EdgeId, units::Revision};
use ports::{
    bounds::{self, LogBounds},
    metastore::{Changes, Commit, CommitError, Entry, MetaStore, Snapshot, StoreError},
    registry::{Beat, EdgeRegistry},
};
use presence::Presence;
use std::{path::Path, sync::Arc};
use tokio::sync::watch;

/// The store; clones share the file, its doorbell and the registry.
#[derive(Clone)]
pub struct EmbeddedStore {
    database: Arc<Database>,
    newest: watch::Sender<Revision>,
    log: LogBounds,
    presence: Arc<Presence>,
}

impl EmbeddedStore {
    /// Opens the file, or makes it with its folder; the whole file is read and verified.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`] when another process holds the file or the disk fails,
    /// [`StoreError::Damaged`] when its content is not whole, [`StoreError::Refused`] when it is of
    /// a later version.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_keeping(path, LogBounds::default())
    }

    /// As [`Self::open`], with a feed that reaches back as far as `log` says.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_keeping(path: impl AsRef<Path>, log: LogBounds) -> Result<Self, StoreError> {
        let database = Database::open(path.as_ref())?;
        let newest = database.call(read::newest)?;
        Ok(Self {
            database: Arc::new(database),
            newest: watch::Sender::new(newest),
            log,
            presence: Arc::default(),
        })
    }

    /// Runs `work` where it may wait for the disk.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&redb::Database) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let database = Arc::clone(&self.database);
        let ended = tokio::task::spawn_blocking(move || database.call(work)).await;
        ended.unwrap_or_else(|stopped| Err(StoreError::Unreachable(stopped.to_string())))
    }
}

#[async_trait]
impl MetaStore for EmbeddedStore {
    async fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        bounds::key(key)?;
        let key = key.to_owned();
        self.blocking(move |database| read::get(database, &key)).await
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        bounds::prefix(prefix)?;
        bounds::prefix(after.unwrap_or_default())?;
        let (prefix, after) = (prefix.to_owned(), after.map(str::to_owned));
        self.blocking(move |database| read::list(database, &prefix, after.as_deref(), limit)).await
    }

    async fn commit(&self, commit: Commit) -> Result<Revision, CommitError> {
        bounds::commit(&commit)?;
        let (log, newest) = (self.log, self.newest.clone());
        // The bell rings in the thread that wrote: a caller who goes away cannot silence it.
        let written = self.blocking(move |database| {
            let written = commit::apply(database, &commit, log)?;
            if let Ok(revision) = written {
                newest.send_modify(|newest| *newest = revision.max(*newest));
            }
            Ok(written)
        });
        written.await?.map_err(CommitError::Conflict)
    }

    async fn snapshot(&self, prefixes: &[&str]) -> Result<Snapshot, StoreError> {
        prefixes.iter().try_for_each(|prefix| bounds::prefix(prefix))?;
        let prefixes: Vec<_> = prefixes.iter().map(ToString::to_string).collect();
        self.blocking(move |database| read::snapshot(database, &prefixes)).await
    }

    async fn changes(&self, after: Revision, limit: usize) -> Result<Changes, StoreError> {
        self.blocking(move |database| read::changes(database, after, limit)).await
    }

    async fn changed(&self, after: Revision) -> Result<(), StoreError> {
        // A revision behind the reader's is news as well: the file went back in time.
        let mut newest = self.newest.subscribe();
        match newest.wait_for(|newest| *newest != after).await {
            Ok(_) => Ok(()),
            Err(closed) => Err(StoreError::Unreachable(closed.to_string())),
        }
    }
}

#[async_trait]
impl EdgeRegistry for EmbeddedStore {
    async fn beat(&self, beat: &Beat) -> Result<(), StoreError> {
        self.presence.beat(beat);
        Ok(())
    }

    async fn leave(&self, edge: &EdgeId) -> Result<(), StoreError> {
        self.presence.leave(edge);
        Ok(())
    }

    async fn edges(&self) -> Result<Vec<Beat>, StoreError> {
        Ok(self.presence.alive())
    }
}
