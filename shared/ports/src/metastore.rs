//! Where configuration is kept: entries by key, written atomically, and one ordered feed of changes.
//!
//! For: everything that must survive a restart and reach every edge.
//! Not for: who is alive ([`crate::registry`]), nor for cached bodies ([`crate::cachestore`]).
//!
//! Keys are text of 1 to 512 bytes, `kind/id` by habit, ordered by their bytes. A value has at most
//! [`MOST_VALUE`] bytes and a commit at most [`MOST_WRITES`] writes: see [`crate::bounds`].

use async_trait::async_trait;
use bytes::Bytes;
use model::units::Revision;
use serde::{Deserialize, Serialize};

/// Longest value in bytes.
pub const MOST_VALUE: usize = 4 << 20;
/// Most writes in one commit.
pub const MOST_WRITES: usize = 10_000;

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its key.
    pub key: String,
    /// What was last put.
    pub value: Bytes,
    /// The commit that put it: the version that [`Check::At`] compares with.
    pub revision: Revision,
}

/// What must hold for a commit to happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Check {
    /// No entry has this key.
    Absent(String),
    /// An entry has this key.
    Present(String),
    /// The entry of this key was last put by this commit.
    At(String, Revision),
    /// No key starts with this.
    NoneUnder(String),
}

/// One change of one entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Write {
    /// Put this value.
    Put(String, Bytes),
    /// Take the entry away; nothing happens if there is none.
    Delete(String),
}

impl Write {
    /// The key that changes.
    pub fn key(&self) -> &str {
        match self {
            Self::Put(key, _) | Self::Delete(key) => key,
        }
    }
}

/// All or nothing: if every check holds, every write happens, as one change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commit {
    /// Tested first, in order.
    pub checks: Vec<Check>,
    /// Applied in order; none of the keys may stand twice.
    pub writes: Vec<Write>,
}

/// One commit, as the feed tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Its place in the order of all commits; each is one more than the one before.
    pub revision: Revision,
    /// What it wrote.
    pub writes: Vec<Write>,
}

/// What the feed holds after a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changes {
    /// The next changes, in order, without a gap; empty when there are none yet.
    Next(Vec<Change>),
    /// The feed no longer reaches back that far, or the store has lost changes that the reader has
    /// seen: take a [`Snapshot`] and trust nothing older.
    Lost,
}

/// Entries as they stood together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Everything up to this commit is in it, and nothing later.
    pub revision: Revision,
    /// Ordered by key.
    pub entries: Vec<Entry>,
}

/// The store cannot answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Not reachable, or not in time. Trying again may help.
    #[error("the metadata store cannot be reached: {0}")]
    Unreachable(String),
    /// Asked for what it never does: a key or value out of bounds.
    #[error("refused by the metadata store: {0}")]
    Refused(String),
    /// What it holds cannot be read, or it failed in a way that trying again will not mend.
    #[error("the metadata store is damaged: {0}")]
    Damaged(String),
}

/// Why a commit did not happen.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// This check did not hold; nothing was written.
    #[error("a condition of the write does not hold: {0:?}")]
    Conflict(Check),
    /// Whether it happened is not known when this is [`StoreError::Unreachable`].
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The metadata store.
///
/// Order: a commit that has returned is seen by every later call of anybody.
/// Durability: a commit that has returned survives the end of this process.
/// Cancellation: dropping a call half-way is safe; a dropped commit may or may not have happened.
#[async_trait]
pub trait MetaStore: Send + Sync {
    /// The entry of this key.
    async fn get(&self, key: &str) -> Result<Option<Entry>, StoreError>;

    /// Up to `limit` entries whose keys start with `prefix` and are greater than `after`, by key.
    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError>;

    /// Does all of it or nothing, and says which place it took in the order of changes.
    async fn commit(&self, commit: Commit) -> Result<Revision, CommitError>;

    /// Everything under these prefixes, as of one moment.
    async fn snapshot(&self, prefixes: &[&str]) -> Result<Snapshot, StoreError>;

    /// Up to `limit` changes after this revision.
    async fn changes(&self, after: Revision, limit: usize) -> Result<Changes, StoreError>;

    /// Returns once there may be something after this revision: at once, if there is already.
    /// A doorbell may ring for nothing; it rings at the latest some seconds after a change even
    /// when a message was lost.
    async fn changed(&self, after: Revision) -> Result<(), StoreError>;
}
