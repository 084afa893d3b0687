//! A response as rules and the edge's pipeline work with it.

use crate::{Entry, Generation};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use model::units::{Seconds, Timestamp};
use std::sync::atomic::{AtomicU64, Ordering};

/// A response that is kept.
#[derive(Debug)]
pub struct Stored {
    /// As the origin sent it; 200 where the body was put together from parts.
    pub status: StatusCode,
    /// As the origin sent them, cleaned of what is not kept.
    pub headers: HeaderMap,
    /// The body, or where it is.
    pub content: Content,
    /// Length of the whole body in bytes.
    pub length: u64,
    /// When the request that fetched or last revalidated it was sent.
    pub requested_at: Timestamp,
    /// When that was answered.
    pub received_at: Timestamp,
    /// Age that it had on arrival (RFC 9111 §4.2.3).
    pub initial_age: Seconds,
    /// How long it is fresh from `received_at` on, initial age already taken off.
    pub fresh_for: Seconds,
    /// How far the bans were checked: every ban up to this number has spared it.
    pub bans_checked: AtomicU64,
    /// What it was opened from.
    pub entry: Option<Entry>,
}

/// The body of a stored response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// All of it, in order; pieces are shared, never copied.
    Whole(Vec<Bytes>),
    /// In slices that are entries of their own, some of which may be missing.
    Sliced(Generation),
}

impl Stored {
    /// Every ban up to `number` has spared this, and what it was opened from.
    pub fn spared_up_to(&self, number: u64) {
        self.bans_checked.fetch_max(number, Ordering::Relaxed);
        if let Some(entry) = &self.entry {
            entry.spared_up_to(number);
        }
    }

    /// The pieces of a body that is here; nothing of one that is in slices.
    pub fn pieces(&self) -> &[Bytes] {
        match &self.content {
            Content::Whole(pieces) => pieces,
            Content::Sliced(_) => &[],
        }
    }
}
