//! Stage 3: what makes two requests the same. Pure, and cannot fail.

use crate::pipeline::viewer::Viewed;
use aws_lc_rs::digest::{Context, Digest, SHA256, digest};
use caching::vary;
use headers::key;
use http::{HeaderMap, HeaderName, Method};
use model::{fields::Fields, plan::Behaviour};
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

/// The key of a request about whose viewer nothing is known that could be in it. `material` is for
/// use in between.
pub fn plain(
    domain: &str,
    behaviour: &Behaviour,
    request: &headers::viewer::Request<'_, impl Fields>,
    material: &mut Vec<u8>,
) -> CacheKey {
    material.clear();
    key::write(domain, behaviour, request, &mut |bytes| material.extend_from_slice(bytes));
    sum(&digest(&SHA256, material))
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

fn finish(hash: Context) -> CacheKey {
    sum(&hash.finish())
}

fn sum(digest: &Digest) -> CacheKey {
    let mut key = CacheKey([0; 32]);
    key.0.copy_from_slice(digest.as_ref());
    key
}
