//! Stage 4: what is held for a key, bans applied.

use crate::{
    bans::Bans,
    pipeline::{
        key::{self, Keyed},
        route::Routed,
    },
};
use caching::{StoredView, reuse::Why, vary};
use headers::query;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use model::units::{Seconds, Timestamp};
use packing::{Content, Entry, Stored};
use ports::cachestore::{CacheKey, CacheStore, Lookup};
use std::sync::{Arc, atomic::AtomicU64, atomic::Ordering};

/// Stands in the store for a response whose variants are held under keys of their own (RFC 9111
/// §4.1); no origin's final response has this status.
const SIGNPOST: StatusCode = StatusCode::CONTINUE;

/// A request, and what is held for it.
#[derive(Clone)]
pub struct Found {
    /// The request.
    pub keyed: Keyed,
    /// Its key, `Vary` of what is held taken into account.
    pub key: CacheKey,
    /// What is held.
    pub stored: Option<Arc<Stored>>,
    /// Why nothing is, where that is so.
    pub missing: Why,
}

impl Found {
    /// What is held, as caching sees it.
    pub fn view(&self) -> Option<StoredView<'_>> {
        self.stored.as_deref().map(view)
    }

    /// The request and what it matched.
    pub fn routed(&self) -> &Routed {
        &self.keyed.viewed.routed
    }
}

/// A stored response as caching sees it.
pub fn view(stored: &Stored) -> StoredView<'_> {
    StoredView {
        status: stored.status,
        headers: &stored.headers,
        received_at: stored.received_at,
        initial_age: stored.initial_age,
        fresh_for: stored.fresh_for,
    }
}

/// Finds what is held. Dropping the call half-way leaves everything as it was.
pub async fn find(store: &dyn CacheStore, bans: &Bans, keyed: Keyed) -> Found {
    let mut key = keyed.key;
    let (mut stored, mut missing) = spared(store, bans, &keyed, key).await;
    if let Some(signpost) = stored.take_if(|stored| stored.status == SIGNPOST) {
        let names = directions(&signpost.headers);
        key = key::variant(key, &names, &keyed.viewed.routed.request.headers);
        (stored, missing) = spared(store, bans, &keyed, key).await;
        if missing == Why::Absent {
            missing = Why::OtherVariant;
        }
        if stored.take_if(|variant| variant.requested_at < signpost.received_at).is_some() {
            store.remove(&key);
        }
    }
    Found { keyed, key, stored, missing }
}

async fn spared(
    store: &dyn CacheStore,
    bans: &Bans,
    keyed: &Keyed,
    key: CacheKey,
) -> (Option<Arc<Stored>>, Why) {
    let held = match store.find(&key) {
        Lookup::Found(entry) => Some(entry),
        Lookup::Absent => None,
        Lookup::Later(later) => later.await,
    };
    let Some(entry) = held else {
        return (None, Why::Absent);
    };
    let number = bans.latest();
    let checked = entry.bans_checked();
    if checked < number && is_banned(bans, &keyed.viewed.routed, checked) {
        store.remove(&key);
        return (None, Why::Banned);
    }
    entry.spared_up_to(number);
    (entry.open().map(Arc::new), Why::Absent)
}

/// Whether a ban later than `since` matches what a request asks for.
pub fn is_banned(bans: &Bans, routed: &Routed, since: u64) -> bool {
    if since >= bans.latest() {
        return false;
    }
    let plan = &routed.distribution.plan;
    let request = &routed.request;
    let target = match query::keyed(request.query.as_deref(), &routed.behaviour.behaviour) {
        Some(query) => format!("{}?{query}", request.path),
        None => request.path.clone(),
    };
    let is_root = plan.default_root_object.as_deref() == request.path.strip_prefix('/');
    bans.banned_since(plan.id.as_str(), &target, since)
        || (is_root && bans.banned_since(plan.id.as_str(), "/", since))
}

/// Puts a response where [`find`] will find it.
///
/// A signpost leads to what was asked for since it was first put up, and no further: when it was
/// taken away meanwhile, or something else stood in its place, older variants stay lost.
pub fn put(store: &dyn CacheStore, keyed: &Keyed, names: &[HeaderName], stored: &Stored) {
    if names.is_empty() {
        return store.put(keyed.key, Entry::pack(stored));
    }
    let request = &keyed.viewed.routed.request;
    let bans = stored.bans_checked.load(Ordering::Relaxed);
    let since = match store.find(&keyed.key) {
        Lookup::Found(held)
            if held.status() == SIGNPOST && directions(&held.headers()) == names =>
        {
            held.received_at()
        }
        _ => stored.requested_at,
    };
    store.put(keyed.key, Entry::pack(&signpost(names, since, bans)));
    store.put(key::variant(keyed.key, names, &request.headers), Entry::pack(stored));
}

fn signpost(names: &[HeaderName], since: Timestamp, bans: u64) -> Stored {
    let mut headers = HeaderMap::with_capacity(names.len());
    for name in names {
        headers.append(header::VARY, HeaderValue::from(name.clone()));
    }
    Stored {
        status: SIGNPOST,
        headers,
        content: Content::Whole(Vec::new()),
        length: 0,
        requested_at: since,
        received_at: since,
        initial_age: Seconds::ZERO,
        fresh_for: Seconds::ZERO,
        bans_checked: AtomicU64::new(bans),
        entry: None,
    }
}

/// The request headers that choose among variants, as a signpost has them.
fn directions(signpost: &HeaderMap) -> Vec<HeaderName> {
    match vary::of(signpost) {
        vary::Vary::On(names) => names,
        vary::Vary::Any => Vec::new(),
    }
}
