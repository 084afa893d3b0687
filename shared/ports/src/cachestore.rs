//! Where responses are kept.
//!
//! For: finding and keeping entries, which are responses and slices of responses, within a budget
//! of bytes. Not for: responses that are still arriving (the edge's `fetch`), nor for whether a
//! response may be kept or used (`rules/caching`), nor for what an entry looks like (`packing`).

use futures::future::BoxFuture;
use packing::Entry;

/// What makes two requests the same: derived by the edge from distribution, path and policy.
/// There is no default and no way to leave out the distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CacheKey(pub [u8; 32]);

/// What a store says of a key.
pub enum Lookup<'a> {
    /// Here it is.
    Found(Entry),
    /// It is not here.
    Absent,
    /// It may be on a slower tier: wait for this.
    Later(BoxFuture<'a, Option<Entry>>),
}

/// How full a store is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fill {
    /// Entries held.
    pub entries: u64,
    /// Bytes held, heads included.
    pub bytes: u64,
}

/// A store of entries.
///
/// A store may forget anything at any time; it never returns anything but what was put last.
/// No call blocks on more than a short lock.
pub trait CacheStore: Send + Sync {
    /// What is held for this key.
    fn find(&self, key: &CacheKey) -> Lookup<'_>;

    /// Keeps it, in place of what was held.
    fn put(&self, key: CacheKey, entry: Entry);

    /// Forgets it.
    fn remove(&self, key: &CacheKey);

    /// Forgets everything.
    fn clear(&self);

    /// Longest body that is worth putting in one entry.
    fn longest(&self) -> u64;

    /// How full it is.
    fn fill(&self) -> Fill;
}
