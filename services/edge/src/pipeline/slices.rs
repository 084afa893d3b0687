//! A body that is kept in slices: where they are, and what holds them together.
//!
//! For: finding, keeping and forgetting the slices of one version of a body. They hang on its head:
//! a version without a head is found by nobody. Not for: fetching what is missing (`fetch/fill`),
//! nor for what of it a viewer is sent (`parts`).

use crate::pipeline::{
    Engine, keeping, key,
    lookup::{self, Found},
};
use bytes::Bytes;
use caching::{
    RequestView, ResponseView, Times,
    partial::Strong,
    storing::{self, Storing},
    validate,
};
use headers::viewer_response;
use http::{HeaderMap, Method};
use packing::{Content, Entry, Generation, SLICE, Span, Stored};
use ports::cachestore::{CacheKey, CacheStore, Lookup};
use std::sync::Arc;

/// Most slices that one fetch goes over before it looks again at what is held.
const AHEAD: u64 = 64;
/// Most slices that are removed at once with their head; what is beyond is found by nobody, and
/// goes when the store needs the room.
const FORGOTTEN: u64 = 4096;

/// One version of a body in slices.
pub struct Object {
    /// A request for it.
    pub found: Found,
    /// Its head.
    pub stored: Arc<Stored>,
    /// Which version.
    pub generation: Generation,
    /// What its parts have in common; none where no more of them can be had.
    pub strong: Option<Strong>,
}

/// What is there of a slice from an offset on.
pub enum There {
    /// These bytes.
    Bytes(Bytes),
    /// Nothing, up to this offset of the body, excluded: something is there, or the slice ends.
    Nothing(u64),
}

impl Object {
    /// None for a response that is kept whole.
    pub fn of(found: &Found, stored: &Arc<Stored>) -> Option<Self> {
        let Content::Sliced(generation) = stored.content else {
            return None;
        };
        Some(Self {
            found: found.clone(),
            generation,
            strong: Strong::of(&stored.headers),
            stored: stored.clone(),
        })
    }

    /// Length of the body.
    pub fn total(&self) -> u64 {
        self.stored.length
    }

    /// Offset of the end of the slice that holds the byte at `at`.
    pub fn bound(&self, at: u64) -> u64 {
        (at / SLICE + 1).saturating_mul(SLICE).min(self.total())
    }

    fn key(&self, index: u64) -> CacheKey {
        key::slice(self.found.keyed.key, self.generation, index)
    }

    /// What is held of a slice, from the offset `at` of the body on.
    pub async fn there(&self, store: &dyn CacheStore, at: u64) -> There {
        let bound = self.bound(at);
        let Some(entry) = held(store, &self.key(at / SLICE)).await else {
            return There::Nothing(bound);
        };
        let Some(slice) = entry.slice() else {
            return There::Nothing(bound);
        };
        let (base, within) = (at / SLICE * SLICE, at % SLICE);
        let bytes = slice.from(within, bound - base);
        if !bytes.is_empty() {
            return There::Bytes(bytes);
        }
        let next = slice.spans().iter().map(|span| base + span.start).find(|start| *start > at);
        There::Nothing(next.unwrap_or(bound).min(bound))
    }

    /// How far a fetch should go that begins at `at`, where nothing is held up to `gap`, on behalf of
    /// somebody who wants what is before `wanted`: to the end of a slice, or to what is held.
    pub fn reach(&self, store: &dyn CacheStore, at: u64, gap: u64, wanted: u64) -> u64 {
        let most = at.saturating_add(AHEAD * SLICE);
        let mut end = gap;
        while end < wanted && end < most && end.is_multiple_of(SLICE) {
            match store.find(&self.key(end / SLICE)) {
                Lookup::Absent => end = self.bound(end),
                Lookup::Later(_) => return end,
                Lookup::Found(entry) => {
                    let first = entry.slice().and_then(|slice| slice.spans().first());
                    return first.map_or(end, |span| end + span.start);
                }
            }
        }
        end
    }

    /// Whether all of the slice that begins at `at` is known to be held.
    pub fn has_all(&self, store: &dyn CacheStore, at: u64) -> bool {
        let length = self.bound(at) - at;
        match store.find(&self.key(at / SLICE)) {
            Lookup::Found(entry) => entry.slice().is_some_and(|slice| slice.has(0, length)),
            _ => false,
        }
    }

    /// Keeps a span of a slice, beside what is held of it.
    pub async fn keep(&self, store: &dyn CacheStore, index: u64, span: Span) {
        let key = self.key(index);
        let is_all = span.start == 0 && span.end() == self.bound(index * SLICE) - index * SLICE;
        let before = if is_all { None } else { held(store, &key).await };
        let slice = before.and_then(|entry| entry.slice().cloned()).unwrap_or_default();
        store.put(key, Entry::of_slice(slice.with(span)));
    }

    /// Takes this version away, if it is still the one that is held.
    pub async fn forget(&self, engine: &Engine) {
        let store = &*engine.store;
        if let Some(found) = self.current(engine).await {
            store.remove(&found.key);
        }
        remove_slices(store, self.found.keyed.key, self.generation, self.total());
    }

    /// What is held now, if that is this version.
    async fn current(&self, engine: &Engine) -> Option<Found> {
        let keyed = self.found.keyed.clone();
        let found = lookup::find(&*engine.store, &engine.bans, keyed).await;
        let same = |stored: &Arc<Stored>| stored.content == Content::Sliced(self.generation);
        found.stored.as_ref().is_some_and(same).then_some(found)
    }

    /// A part came with these headers: they update those that are held (RFC 9111 §3.4, §3.2), and
    /// with them how long it is fresh. Whether what comes may be kept.
    pub async fn confirmed(&self, engine: &Engine, told: &HeaderMap, times: Times) -> bool {
        let Some(found) = self.current(engine).await else {
            // Whatever took the head away, its slices are found by nobody.
            return true;
        };
        let Some(stored) = &found.stored else {
            return true;
        };
        let routed = found.routed();
        let behaviour = &routed.behaviour;
        let mut fresh = told.clone();
        viewer_response::clean(&mut fresh, &behaviour.behaviour, behaviour.is_bucket());
        let mut headers = validate::merge(&stored.headers, &fresh);
        super::fetch::date(&mut headers, times);
        let terms = behaviour.terms(&routed.distribution);
        let request = RequestView { method: &Method::GET, ..routed.request.view() };
        let response = ResponseView { status: stored.status, headers: &headers };
        let storing = storing::decide(&terms, &request, &response, times);
        match keeping::by_key(&found, storing) {
            // What one viewer wishes takes nothing away from the others.
            Storing::Pass(why) if why.is_of_request() => true,
            Storing::Pass(_) => {
                engine.store.remove(&found.key);
                false
            }
            Storing::Keep(keep) => {
                for name in &keep.strip {
                    headers.remove(name);
                }
                let renewed = super::fetch::renewed(stored, &headers, &keep, times);
                lookup::put(&*engine.store, &found.keyed, &keep.vary, &renewed);
                true
            }
        }
    }
}

/// Removes what is held of a version.
pub fn remove_slices(store: &dyn CacheStore, key: CacheKey, generation: Generation, length: u64) {
    for index in 0..length.div_ceil(SLICE).min(FORGOTTEN) {
        store.remove(&key::slice(key, generation, index));
    }
}

async fn held(store: &dyn CacheStore, key: &CacheKey) -> Option<Entry> {
    match store.find(key) {
        Lookup::Found(entry) => Some(entry),
        Lookup::Absent => None,
        Lookup::Later(later) => later.await,
    }
}
