//! Buckets and folders as origins.
//!
//! For: objects of S3 and what speaks like it, of Google and Azure, of local folders and of memory.
//! Not for: connections (requests go out through another [`Origin`], the one for web servers, and
//! so have its pool, timeouts and attempts), nor for what may be cached.
//!
//! S3 is asked with requests of our own, signed here, for every method and key, and not through
//! `object_store`: its API folds the server's errors into text, knows a fixed set of fields, and
//! refuses keys such as `a//b`; its authorizer normalises `..` away and panics on field values
//! that are not ASCII, which viewers may send. From `object_store` come the credentials (static,
//! web identity, containers, instances) and the stores of Google, Azure and memory.
//!
//! | file | what it decides |
//! | --- | --- |
//! | `names` | which domain names are buckets |
//! | `config` | what an operator may write, and the store that it makes |
//! | `key` | from a viewer's path to an object's key and back |
//! | `s3`, `sigv4`, `credentials` | requests to S3 |
//! | `cloud`, `connector` | requests to Google and Azure |
//! | `folder`, `memory` | local objects |
//! | `conditions`, `ranges`, `answer` | what local objects are answered with |

mod answer;
mod cloud;
mod conditions;
mod config;
mod connector;
mod credentials;
mod folder;
mod key;
mod memory;
mod names;
mod ranges;
mod s3;
mod sigv4;

pub use config::StoreConfig;

use async_trait::async_trait;
use config::Store;
use key::Key;
use model::plan::{Origin as OriginPlan, OriginKind};
use names::Bucket;
use ports::origin::{Origin, OriginError, OriginRequest, OriginResponse};
use std::{collections::BTreeMap, sync::Arc, time::Instant};

/// Name of the store that serves every `BUCKET.s3…` name.
const DEFAULT: &str = "default";

/// Object stores as origins. Cheap to share.
pub struct ObjectOrigin {
    mapped: BTreeMap<String, Store>,
    zone: String,
}

/// One object that is asked for.
pub(crate) struct Asked<'a> {
    /// Timeouts and attempts.
    pub plan: &'a OriginPlan,
    /// Whether the store's credentials may be used.
    pub sign: bool,
    /// The bucket that the domain name says, for the store that serves all of them.
    pub bucket: Option<Bucket>,
    /// The object.
    pub key: Key,
    /// The rest.
    pub request: OriginRequest,
}

impl ObjectOrigin {
    /// Reads the stores by the domain names that origins use; the name `default` stands for every
    /// `BUCKET.s3.amazonaws.com`, `BUCKET.s3.REGION.amazonaws.com` and `BUCKET.s3.ZONE`.
    /// `transport` carries the requests to servers: the driver for web servers.
    ///
    /// # Errors
    /// [`OriginError::NotConfigured`] with the store's name and what to change.
    pub fn new(
        stores: BTreeMap<String, StoreConfig>,
        zone: &str,
        transport: &Arc<dyn Origin>,
    ) -> Result<Self, OriginError> {
        let mut mapped = BTreeMap::new();
        for (name, config) in stores {
            let store = config.open(name == DEFAULT, transport).map_err(|why| {
                OriginError::NotConfigured(format!("object_stores.{name}: {why}"))
            })?;
            mapped.insert(name.to_ascii_lowercase(), store);
        }
        Ok(Self { mapped, zone: zone.to_ascii_lowercase() })
    }

    /// Whether an origin of this domain name is a bucket here: it is mapped in the settings, or it
    /// has the form of a bucket's name and there is a default store.
    pub fn serves(&self, domain: &str) -> bool {
        self.find(domain).is_some()
    }

    fn find(&self, domain: &str) -> Option<(&Store, Option<Bucket>)> {
        let domain = domain.to_ascii_lowercase();
        if domain != DEFAULT
            && let Some(store) = self.mapped.get(&domain)
        {
            return Some((store, None));
        }
        let bucket = names::bucket(&domain, &self.zone)?;
        let store = self.mapped.get(DEFAULT)?;
        Some((store, Some(bucket)))
    }
}

#[async_trait]
impl Origin for ObjectOrigin {
    /// Asks a bucket. Every status and end-to-end field of an S3 server comes back as it is.
    ///
    /// A plan that does not sign, and a store without credentials, ask anonymously.
    async fn fetch(
        &self,
        origin: &OriginPlan,
        request: OriginRequest,
    ) -> Result<OriginResponse, OriginError> {
        let begun = Instant::now();
        let OriginKind::Bucket { sign } = origin.kind else {
            return Err(not_here(&origin.domain));
        };
        let (store, bucket) = self.find(&origin.domain).ok_or_else(|| not_here(&origin.domain))?;
        let key = Key::of(&request.path_and_query);
        if key.climbs() {
            return Ok(answer::bad_key(&request.method));
        }
        let asked = Asked { plan: origin, sign, bucket, key, request };
        let mut response = store.answer(asked).await?;
        if response.timing.first_byte.is_zero() {
            response.timing.first_byte = begun.elapsed();
        }
        Ok(response)
    }
}

fn not_here(domain: &str) -> OriginError {
    OriginError::NotConfigured(format!(
        "{domain} is not a bucket that the settings know; add [object_stores.\"{domain}\"], or \
         [object_stores.default] for all BUCKET.s3… names"
    ))
}
