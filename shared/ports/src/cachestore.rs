//! Where complete responses are kept.
//!
//! For: finding and keeping whole responses within a budget of bytes.
//! Not for: responses that are still arriving (the edge's `fetch`), nor for whether a response may
//! be kept or used (`rules/caching`).

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, StatusCode};
use model::units::{Seconds, Timestamp};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// What makes two requests the same: derived by the edge from distribution, path and policy.
/// There is no default and no way to leave out the distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CacheKey(pub [u8; 32]);

/// A complete response.
#[derive(Debug)]
pub struct Stored {
    /// As the origin sent it.
    pub status: StatusCode,
    /// As the origin sent them, cleaned of what is not kept.
    pub headers: HeaderMap,
    /// In the pieces in which it came; pieces are shared, never copied.
    pub body: Vec<Bytes>,
    /// Sum of the pieces.
    pub length: u64,
    /// When the request that fetched or last revalidated it was sent, and answered.
    pub requested_at: Timestamp,
    /// See `requested_at`.
    pub received_at: Timestamp,
    /// Age that it had on arrival (RFC 9111 §4.2.3).
    pub initial_age: Seconds,
    /// How long it is fresh from `received_at` on, initial age already taken off.
    pub fresh_for: Seconds,
    /// How far the bans were checked: every ban up to this number has spared it.
    pub bans_checked: AtomicU64,
}

impl Stored {
    /// Every ban up to `number` has spared this.
    pub fn spared_up_to(&self, number: u64) {
        self.bans_checked.fetch_max(number, Ordering::Relaxed);
    }
}

/// What a store says of a key.
pub enum Lookup<'a> {
    /// Here it is.
    Found(Arc<Stored>),
    /// It is not here.
    Absent,
    /// It may be on a slower tier: wait for this.
    Later(BoxFuture<'a, Option<Arc<Stored>>>),
}

/// How full a store is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fill {
    /// Responses held.
    pub entries: u64,
    /// Bytes held, heads included.
    pub bytes: u64,
}

/// A store of complete responses.
///
/// A store may forget anything at any time; it never returns anything but what was put last.
/// No call blocks on more than a short lock.
pub trait CacheStore: Send + Sync {
    /// What is held for this key.
    fn find(&self, key: &CacheKey) -> Lookup<'_>;

    /// Keeps it, in place of what was held.
    fn put(&self, key: CacheKey, stored: Arc<Stored>);

    /// Forgets it.
    fn remove(&self, key: &CacheKey);

    /// Forgets everything.
    fn clear(&self);

    /// Longest body that is worth putting; longer ones are passed through.
    fn longest(&self) -> u64;

    /// How full it is.
    fn fill(&self) -> Fill;
}
