//! Stage 3: what makes two requests the same. Pure, and cannot fail.

use crate::pipeline::viewer::Viewed;
use aws_lc_rs::digest::{Context, SHA256};
use caching::vary;
use headers::key;
use http::{HeaderMap, HeaderName, Method};
use packing::Generation;
use ports::cachestore::CacheKey;

/// A request with its key.
#[derive(Clone)]
pub struct Keyed {
    /// The request.
    pub viewed: Viewed,
    /// Its key, before any `Vary`.
    pub key: CacheKey,
}

/// Derives the key.
pub fn derive(viewed: Viewed) -> Keyed {
    let key = viewed.with(|request| of(&viewed, request));
    Keyed { viewed, key }
}

/// The key that a GET for the same URL has.
pub fn of_get(viewed: &Viewed) -> CacheKey {
    viewed.with(|request| {
        let get = headers::viewer::Request { method: &Method::GET, ..*request };
        of(viewed, &get)
    })
}

fn of(viewed: &Viewed, request: &headers::viewer::Request<'_>) -> CacheKey {
    let mut hash = Context::new(&SHA256);
    let routed = &viewed.routed;
    let domain = &routed.distribution.plan.domain;
    let behaviour = &routed.behaviour.behaviour;
    key::write(domain, behaviour, request, &mut |bytes| hash.update(bytes));
    finish(hash)
}

/// The key of the variant that these request headers choose (RFC 9111 §4.1).
pub fn variant(key: CacheKey, names: &[HeaderName], request: &HeaderMap) -> CacheKey {
    let mut hash = Context::new(&SHA256);
    hash.update(&key.0);
    hash.update(&vary::secondary(names, request));
    finish(hash)
}

/// The key of a slice of one version of the body that is held for `key`.
pub fn slice(key: CacheKey, generation: Generation, index: u64) -> CacheKey {
    let mut hash = Context::new(&SHA256);
    hash.update(&key.0);
    hash.update(&generation.0.to_be_bytes());
    hash.update(&index.to_be_bytes());
    finish(hash)
}

fn finish(hash: Context) -> CacheKey {
    let mut key = CacheKey([0; 32]);
    key.0.copy_from_slice(hash.finish().as_ref());
    key
}
