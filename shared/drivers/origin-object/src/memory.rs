//! Objects in this process's memory: for trying things out. They are gone when it ends.
//!
//! Written with PUT and DELETE, where the behaviour lets them through; within a budget, because
//! viewers must not be able to use memory without bound.

use crate::{
    Asked,
    answer::{self, Object, Outline},
};
use aws_lc_rs::digest;
use bytes::{Bytes, BytesMut};
use futures::{StreamExt, stream};
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{
        CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH,
        CONTENT_TYPE, ETAG,
    },
};
use parking_lot::RwLock;
use ports::origin::{Body, OriginError, OriginRequest, OriginResponse, Timing};
use std::{collections::BTreeMap, ops::Range, time::SystemTime};

/// Bytes of one object at most.
const LARGEST: usize = 16 << 20;
/// Bytes of all objects, keys and fields at most.
const BUDGET: usize = 64 << 20;

#[derive(Default)]
struct Held {
    objects: BTreeMap<Vec<u8>, Stored>,
    /// Bytes of all of them.
    size: usize,
}

#[derive(Clone)]
struct Stored {
    bytes: Bytes,
    etag: String,
    modified: SystemTime,
    fields: HeaderMap,
    /// All that it takes.
    size: usize,
}

/// Objects by key.
pub(crate) struct Memory(RwLock<Held>);

impl Memory {
    /// Without objects.
    pub fn new() -> Self {
        Self(RwLock::default())
    }

    /// GET, HEAD, PUT and DELETE of an object.
    pub async fn answer(&self, asked: Asked<'_>) -> Result<OriginResponse, OriginError> {
        let key = asked.key.bytes;
        match asked.request.method {
            Method::GET | Method::HEAD => Ok(self.get(&key, &asked.request)),
            Method::PUT => self.put(key, asked.request).await,
            Method::DELETE => Ok(self.delete(&key)),
            ref other => Ok(answer::not_allowed(other, "GET, HEAD, PUT, DELETE")),
        }
    }

    fn get(&self, key: &[u8], request: &OriginRequest) -> OriginResponse {
        let Some(stored) = self.0.read().objects.get(key).cloned() else {
            return answer::not_found(&request.method);
        };
        let object = Object {
            length: stored.bytes.len() as u64,
            etag: stored.etag,
            modified: stored.modified,
            fields: stored.fields,
        };
        let outline = Outline::of(&request.method, &request.headers, object);
        let body = outline.bytes.clone().map(|range| pieces(&stored.bytes, range));
        outline.with(body)
    }

    async fn put(
        &self,
        key: Vec<u8>,
        request: OriginRequest,
    ) -> Result<OriginResponse, OriginError> {
        let fields = descriptions(&request.headers);
        let Some(bytes) = collect(request.body).await? else {
            return Ok(too_large());
        };
        let hash = digest::digest(&digest::SHA256, &bytes);
        let etag = format!("\"{}\"", hex::encode(hash));
        let around: usize =
            fields.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        let stored = Stored {
            size: bytes.len() + key.len() + around,
            bytes,
            etag: etag.clone(),
            modified: SystemTime::now(),
            fields,
        };
        if !self.0.write().insert(key, stored) {
            return Ok(too_large());
        }
        let mut response = empty(StatusCode::OK);
        response.headers.extend(HeaderValue::from_str(&etag).map(|etag| (ETAG, etag)));
        Ok(response)
    }

    fn delete(&self, key: &[u8]) -> OriginResponse {
        let mut held = self.0.write();
        if let Some(old) = held.objects.remove(key) {
            held.size -= old.size;
        }
        empty(StatusCode::NO_CONTENT)
    }
}

impl Held {
    /// Whether there was room for it.
    fn insert(&mut self, key: Vec<u8>, stored: Stored) -> bool {
        let old = self.objects.get(&key).map_or(0, |old| old.size);
        let size = self.size - old + stored.size;
        if size > BUDGET {
            return false;
        }
        self.size = size;
        self.objects.insert(key, stored);
        true
    }
}

/// What describes an object and comes back with it.
fn descriptions(request: &HeaderMap) -> HeaderMap {
    let kept =
        [CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_TYPE];
    let mut fields: HeaderMap = request
        .iter()
        .filter(|(name, _)| kept.contains(name) || name.as_str().starts_with("x-amz-meta-"))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    fields.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/octet-stream"));
    fields
}

/// All of a body; none if it is larger than an object may be.
async fn collect(body: Option<Body>) -> Result<Option<Bytes>, OriginError> {
    let mut all = BytesMut::new();
    let mut body = body.unwrap_or_else(answer::nothing);
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|_| OriginError::ViewerGone)?;
        if all.len() + piece.len() > LARGEST {
            return Ok(None);
        }
        all.extend_from_slice(&piece);
    }
    Ok(Some(all.freeze()))
}

fn pieces(bytes: &Bytes, range: Range<u64>) -> Body {
    let bound = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
    let part = bytes.slice(bound(range.start)..bound(range.end));
    stream::iter([Ok(part)]).boxed()
}

fn too_large() -> OriginResponse {
    answer::error(
        &Method::PUT,
        StatusCode::PAYLOAD_TOO_LARGE,
        "EntityTooLarge",
        "A memory store holds objects of 16 MiB at most, and 64 MiB in all.",
    )
}

fn empty(status: StatusCode) -> OriginResponse {
    let mut headers = HeaderMap::new();
    if status != StatusCode::NO_CONTENT {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(0));
    }
    OriginResponse::new(status, headers, answer::nothing(), Timing::default())
}
