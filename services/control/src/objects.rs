//! Files that users name by bucket and key, read from the object stores of the settings.
//!
//! For: what the API takes from S3: contents of key value stores, bundles of authorities. A bucket
//! is found as the edges find it: by `[object_stores]`, as `BUCKET.s3.REGION.amazonaws.com` or
//! `BUCKET.s3.amazonaws.com`.
//! Not for: viewers' requests, nor for writing.

use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header::HOST};
use kit::settings::{ObjectStore, Settings};
use model::{
    ids::OriginId,
    plan::{Origin as Plan, OriginKind},
    units::Seconds,
};
use origin_http::{HttpOrigin, HttpOriginConfig};
use origin_object::{ObjectOrigin, StoreConfig};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ports::origin::{Origin, OriginError, OriginRequest, OriginResponse, Scheme};
use std::sync::Arc;

/// All but what URIs call unreserved (RFC 3986 §2.3), and slashes.
const KEY: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');
/// For the whole of one object, in seconds.
const PATIENCE: Seconds = Seconds(30);
/// The header in which S3 says which version it gave.
const VERSION: &str = "x-amz-version-id";

/// One object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The bucket's name.
    pub bucket: String,
    /// The object's key.
    pub key: String,
    /// Where the bucket is; none: not said.
    pub region: Option<String>,
    /// A version of the object; none: the newest.
    pub version: Option<String>,
}

/// Why an object was not read; the texts are for users.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// No such object, bucket or version.
    #[error("{0}")]
    Missing(String),
    /// The settings name no store that has this bucket.
    #[error("{0}")]
    NotConfigured(String),
    /// It is there, but not to be had as it is.
    #[error("{0}")]
    Refused(String),
    /// The store did not answer; trying again may help.
    #[error("{0}")]
    Unreachable(String),
}

/// The object stores of the settings.
pub struct Objects {
    buckets: ObjectOrigin,
}

impl Objects {
    /// Those that the settings name.
    ///
    /// # Errors
    /// What is wrong with one of them.
    pub fn of(settings: &Settings) -> Result<Self, OriginError> {
        let web: Arc<dyn Origin> = Arc::new(HttpOrigin::new(&web(settings)?)?);
        let stores = settings.object_stores.iter();
        let stores = stores.map(|(name, store)| (name.clone(), driver_config(store)));
        Ok(Self { buckets: ObjectOrigin::new(stores.collect(), &settings.zone, &web)? })
    }

    /// Whether the settings name a store that has this bucket.
    ///
    /// # Errors
    /// [`Unread::NotConfigured`].
    pub fn check(&self, place: &Place) -> Result<(), Unread> {
        self.domain(place).map(|_| ())
    }

    /// Reads an object of at most `most` bytes. Dropping the call half-way ends the exchange.
    ///
    /// # Errors
    /// Why it cannot be had.
    pub async fn read(&self, place: &Place, most: usize) -> Result<Bytes, Unread> {
        let plan = plan(self.domain(place)?);
        let answer = self.buckets.fetch(&plan, request(place, &plan.domain)?).await;
        let answer = answer.map_err(|why| not_had(place, why))?;
        found(place, &answer)?;
        whole(place, answer, most).await
    }

    fn domain(&self, place: &Place) -> Result<String, Unread> {
        let bucket = &place.bucket;
        let anywhere = format!("{bucket}.s3.amazonaws.com");
        let there =
            place.region.as_ref().map(|region| format!("{bucket}.s3.{region}.amazonaws.com"));
        let known = there.into_iter().chain([anywhere]).find(|name| self.buckets.serves(name));
        known.ok_or_else(|| {
            Unread::NotConfigured(format!(
                "the settings name no object store that has the bucket {bucket}: the operator adds \
                 [object_stores.default] for all buckets, or \
                 [object_stores.\"{bucket}.s3.amazonaws.com\"]"
            ))
        })
    }
}

/// Object stores are trusted as the edges trust them.
fn web(settings: &Settings) -> Result<HttpOriginConfig, OriginError> {
    let mut config = HttpOriginConfig::default();
    if let Some(path) = &settings.edge.origin_ca_file {
        let told = |why| format!("edge.origin_ca_file {}: {why}", path.display());
        let pem = std::fs::read(path).map_err(|why| OriginError::NotConfigured(told(why)))?;
        config.extra_roots_pem.push(pem);
    }
    Ok(config)
}

fn plan(domain: String) -> Plan {
    Plan {
        id: OriginId("object".into()),
        domain,
        path: String::new(),
        headers: Vec::new(),
        kind: OriginKind::Bucket { sign: true },
        attempts: 3,
        connect_timeout: Seconds(5),
        read_timeout: Seconds(10),
        completion_timeout: Some(PATIENCE),
    }
}

fn request(place: &Place, domain: &str) -> Result<OriginRequest, Unread> {
    let host = HeaderValue::from_str(domain)
        .map_err(|_| Unread::Refused(format!("{:?} is no bucket's name", place.bucket)))?;
    let path = utf8_percent_encode(&place.key, KEY);
    let version = place.version.as_ref().map(|one| utf8_percent_encode(one, NON_ALPHANUMERIC));
    let path_and_query = match version {
        Some(version) => format!("/{path}?versionId={version}"),
        None => format!("/{path}"),
    };
    Ok(OriginRequest {
        method: Method::GET,
        path_and_query,
        headers: HeaderMap::from_iter([(HOST, host)]),
        body: None,
        viewer_scheme: Scheme::Https,
        relay: ports::relay::Relay::default(),
    })
}

/// How an object is called towards users.
fn called(place: &Place) -> String {
    format!("s3://{}/{}", place.bucket, place.key)
}

fn not_had(place: &Place, why: OriginError) -> Unread {
    let what = called(place);
    match why {
        OriginError::NotConfigured(why) => Unread::NotConfigured(format!("{what}: {why}")),
        why => Unread::Unreachable(format!("{what} could not be read: {why}")),
    }
}

/// Whether the answer is the object, and the version of it that was asked for.
fn found(place: &Place, answer: &OriginResponse) -> Result<(), Unread> {
    let what = called(place);
    match answer.status {
        StatusCode::OK => {}
        StatusCode::NOT_FOUND => return Err(Unread::Missing(format!("{what} does not exist"))),
        status if status.is_server_error() => {
            let status = status.as_u16();
            return Err(Unread::Unreachable(format!("{what}: the object store answers {status}")));
        }
        status => {
            let status = status.as_u16();
            return Err(Unread::Refused(format!("{what}: the object store answers {status}")));
        }
    }
    let given = answer.headers.get(VERSION).and_then(|value| value.to_str().ok());
    match place.version.as_deref() {
        Some(wanted) if given != Some(wanted) => Err(Unread::Refused(format!(
            "{what}: the object store did not give version {wanted}; leave the version out if it \
             keeps none"
        ))),
        _ => Ok(()),
    }
}

async fn whole(place: &Place, mut answer: OriginResponse, most: usize) -> Result<Bytes, Unread> {
    let what = called(place);
    let mut read = BytesMut::new();
    while let Some(piece) = answer.body.next().await {
        let piece = piece.map_err(|why| Unread::Unreachable(format!("{what}: {why}")))?;
        if read.len() + piece.len() > most {
            return Err(Unread::Refused(format!("{what} has more than {most} bytes")));
        }
        read.extend_from_slice(&piece);
    }
    Ok(read.freeze())
}

fn driver_config(store: &ObjectStore) -> StoreConfig {
    StoreConfig {
        url: store.url.clone(),
        endpoint: store.endpoint.clone(),
        region: store.region.clone(),
        access_key_id: store.access_key_id.clone(),
        secret_access_key: store.secret_access_key.clone(),
        virtual_hosted_style: store.virtual_hosted_style,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeMap, fs};

    /// A folder for each bucket, with one file in it.
    fn stores() -> (Objects, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("media")).unwrap();
        fs::write(folder.path().join("media/a b+c.json"), "hello").unwrap();
        let url = format!("file://{}", folder.path().display());
        let store = ObjectStore { url, ..ObjectStore::default() };
        let object_stores = BTreeMap::from([("default".to_owned(), store)]);
        (Objects::of(&Settings { object_stores, ..Settings::default() }).unwrap(), folder)
    }

    fn place(bucket: &str, key: &str) -> Place {
        Place { bucket: bucket.into(), key: key.into(), region: None, version: None }
    }

    #[tokio::test]
    async fn a_file_is_read_by_bucket_and_key_whatever_its_name() {
        let (objects, _folder) = stores();
        let place = place("media", "a b+c.json");
        assert_eq!(objects.read(&place, 5).await.unwrap(), "hello");
        let there = Place { region: Some("eu-west-1".into()), ..place };
        assert_eq!(objects.read(&there, 5).await.unwrap(), "hello");
    }

    #[tokio::test]
    async fn what_cannot_be_had_is_told_apart() {
        let (objects, _folder) = stores();
        let known = place("media", "a b+c.json");
        assert!(matches!(objects.read(&known, 4).await, Err(Unread::Refused(_))));
        assert!(matches!(objects.read(&place("media", "no"), 9).await, Err(Unread::Missing(_))));
        assert!(matches!(objects.read(&place("no", "no"), 9).await, Err(Unread::Missing(_))));
        let version = Place { version: Some("v1".into()), ..known.clone() };
        assert!(matches!(objects.read(&version, 9).await, Err(Unread::Refused(_))));
        let nothing = Objects::of(&Settings::default()).unwrap();
        assert!(matches!(nothing.read(&known, 9).await, Err(Unread::NotConfigured(_))));
        assert!(matches!(nothing.check(&known), Err(Unread::NotConfigured(_))));
    }
}
