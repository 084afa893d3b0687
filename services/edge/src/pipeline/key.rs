//! Stage 3: what makes two requests the same. Pure, and cannot fail.

use crate::pipeline::viewer::Viewed;
use aws_lc_rs::digest::{SHA256, digest};
use caching::vary;
use headers::key;
use http::{HeaderMap, HeaderName, Method};
use model::{fields::Fields, plan::Behaviour};
use ports::cachestore::CacheKey;

/// Bytes that the material of most keys has at most.
const USUAL: usize = 256;

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
    hashed(material)
}

fn of(viewed: &Viewed, request: &headers::viewer::Request<'_>) -> CacheKey {
    // Gathered first: the hash is called once, not for every byte of a tag.
    let mut material = Vec::with_capacity(USUAL);
    let routed = &viewed.routed;
    let domain = &routed.distribution.plan.domain;
    let behaviour = &routed.behaviour.behaviour;
    key::write(domain, behaviour, request, &mut |bytes| material.extend_from_slice(bytes));
    hashed(&material)
}

/// The key of the variant that these request headers choose (RFC 9111 §4.1).
pub fn variant(key: CacheKey, names: &[HeaderName], request: &HeaderMap) -> CacheKey {
    hashed(&[&key.0, vary::secondary(names, request).as_slice()].concat())
}

fn hashed(material: &[u8]) -> CacheKey {
    let mut key = CacheKey([0; 32]);
    key.0.copy_from_slice(digest(&SHA256, material).as_ref());
    key
}
