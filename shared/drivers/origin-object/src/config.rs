//! What an operator may write about a store, and the store that it makes.

use crate::{
    Asked,
    cloud::Cloud,
    connector::Connector,
    credentials::Credentials,
    folder::Folder,
    memory::Memory,
    s3::{Place, S3},
};
use model::feed::Secret;
use ports::origin::{Origin, OriginError, OriginResponse};
use std::sync::Arc;
use url::Url;

/// One object store as settings name it.
#[derive(Clone, Debug, Default)]
pub struct StoreConfig {
    /// `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX`, `az://CONTAINER/PREFIX`, `file:///FOLDER` or
    /// `memory://`. The default store has no bucket: `s3://` or `gs://` alone, or a folder with a
    /// folder for each bucket.
    pub url: String,
    /// Server, for all but the provider's own: `http://127.0.0.1:9000`.
    pub endpoint: Option<String>,
    /// Region; none: what the bucket's domain name says, else `us-east-1`.
    pub region: Option<String>,
    /// Key id (an account's name for `az://`). None: the machine's own credentials at the
    /// provider's own servers, no credentials at an `endpoint`.
    pub access_key_id: Option<String>,
    /// The secret that belongs to it.
    pub secret_access_key: Option<Secret>,
    /// `BUCKET.endpoint` instead of `endpoint/BUCKET`.
    pub virtual_hosted_style: bool,
}

/// Something that answers for objects.
pub(crate) enum Store {
    /// Speaks S3's protocol.
    S3(S3),
    /// Google or Azure.
    Cloud(Cloud),
    /// Local files.
    Folder(Folder),
    /// Nothing but memory.
    Memory(Memory),
}

impl Store {
    /// Asks it.
    pub async fn answer(&self, asked: Asked<'_>) -> Result<OriginResponse, OriginError> {
        match self {
            Self::S3(s3) => s3.answer(asked).await,
            Self::Cloud(cloud) => cloud.answer(asked).await,
            Self::Folder(folder) => folder.answer(asked).await,
            Self::Memory(memory) => memory.answer(asked).await,
        }
    }
}

impl StoreConfig {
    /// Makes the store. `every_bucket`: it is the default one.
    ///
    /// # Errors
    /// What is wrong, and with which key.
    pub(crate) fn open(
        self,
        every_bucket: bool,
        transport: &Arc<dyn Origin>,
    ) -> Result<Store, String> {
        let (scheme, place) = self.url.split_once("://").ok_or_else(|| self.wrong_url())?;
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let (scheme, bucket) = (scheme.to_owned(), bucket.to_owned());
        let prefix = prefix.trim_matches('/').to_owned();
        let local = matches!(scheme.as_str(), "file" | "memory");
        if !local && every_bucket != bucket.is_empty() {
            return Err(if every_bucket {
                format!("url: the default store serves every bucket; write {scheme}:// alone")
            } else {
                format!("url: which bucket? Write {scheme}://BUCKET")
            });
        }
        self.check_keys()?;
        match scheme.as_str() {
            "s3" => self.s3(bucket, prefix, transport),
            "gs" if self.access_key_id.is_some() => self.google_by_key(bucket, prefix, transport),
            "gs" if every_bucket => {
                Err("url: a default store of gs:// needs access_key_id (an HMAC key)".into())
            }
            "gs" => {
                Cloud::google(&self, &bucket, prefix, &Connector::new(transport)).map(Store::Cloud)
            }
            "az" if every_bucket => Err("url: az:// cannot be the default store".into()),
            "az" => {
                Cloud::azure(&self, &bucket, prefix, &Connector::new(transport)).map(Store::Cloud)
            }
            "file" => self.folder(every_bucket),
            "memory" if !every_bucket => Ok(Store::Memory(Memory::new())),
            _ => Err(self.wrong_url()),
        }
    }

    fn wrong_url(&self) -> String {
        format!(
            "url: {:?} is none of s3://BUCKET/PREFIX, gs://, az://, file:///FOLDER, memory://",
            self.url
        )
    }

    fn check_keys(&self) -> Result<(), String> {
        match (&self.access_key_id, &self.secret_access_key) {
            (Some(_), None) => Err("secret_access_key: access_key_id needs it".into()),
            (None, Some(_)) => Err("access_key_id: secret_access_key needs it".into()),
            _ => Ok(()),
        }
    }

    fn s3(
        self,
        bucket: String,
        prefix: String,
        transport: &Arc<dyn Origin>,
    ) -> Result<Store, String> {
        let endpoint = self.endpoint.as_deref().map(Endpoint::read).transpose()?;
        Ok(Store::S3(S3 {
            credentials: Credentials::of_s3(&self, endpoint.is_some(), transport)?,
            place: match endpoint {
                Some(endpoint) => {
                    Place::Server { endpoint, virtual_hosted: self.virtual_hosted_style }
                }
                None => Place::Amazon,
            },
            bucket: (!bucket.is_empty()).then_some(bucket),
            prefix,
            region: self.region,
            transport: Arc::clone(transport),
        }))
    }

    /// Google speaks S3's protocol to owners of HMAC keys.
    ///
    /// Source: Google Cloud Storage, "Interoperability with other storage providers".
    fn google_by_key(
        mut self,
        bucket: String,
        prefix: String,
        transport: &Arc<dyn Origin>,
    ) -> Result<Store, String> {
        self.endpoint.get_or_insert_with(|| "https://storage.googleapis.com".into());
        self.region.get_or_insert_with(|| "auto".into());
        self.s3(bucket, prefix, transport)
    }

    fn folder(&self, every_bucket: bool) -> Result<Store, String> {
        Url::parse(&self.url)
            .ok()
            .and_then(|url| url.to_file_path().ok())
            .map(|root| Store::Folder(Folder::new(root, every_bucket)))
            .ok_or_else(|| {
                format!("url: {:?} is no folder; write file:///FOLDER with its full path", self.url)
            })
    }
}

/// Where a server is.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    /// Over TLS.
    pub secure: bool,
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Path in front of all, without a final slash; mostly empty.
    pub path: String,
}

impl Endpoint {
    /// Reads `http://HOST:PORT`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("endpoint: {text:?} is no server; write http://HOST:PORT or https://HOST");
        let url = Url::parse(text).map_err(|_| wrong())?;
        let secure = match url.scheme() {
            "http" => false,
            "https" => true,
            _ => return Err(wrong()),
        };
        Ok(Self {
            secure,
            host: url.host_str().ok_or_else(wrong)?.to_owned(),
            port: url.port_or_known_default().ok_or_else(wrong)?,
            path: url.path().trim_end_matches('/').to_owned(),
        })
    }

    /// `HOST`, or `HOST:PORT` if the port is not the scheme's own.
    pub fn authority(&self) -> String {
        if self.port == if self.secure { 443 } else { 80 } {
            self.host.clone()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ports::origin::OriginRequest;

    struct Nowhere;

    #[async_trait::async_trait]
    impl Origin for Nowhere {
        async fn fetch(
            &self,
            _: &model::plan::Origin,
            _: OriginRequest,
        ) -> Result<OriginResponse, OriginError> {
            Err(OriginError::Connect("nowhere".into()))
        }
    }

    fn open(config: StoreConfig, every_bucket: bool) -> Result<Store, String> {
        let transport: Arc<dyn Origin> = Arc::new(Nowhere);
        config.open(every_bucket, &transport)
    }

    fn url(url: &str) -> StoreConfig {
        StoreConfig {
            url: url.into(),
            endpoint: Some("http://127.0.0.1:9000".into()),
            ..StoreConfig::default()
        }
    }

    #[test]
    fn each_form_makes_its_store() {
        let s3 = open(url("s3://media/site/"), false);
        let Ok(Store::S3(s3)) = s3 else { panic!("no S3") };
        assert_eq!((s3.bucket.as_deref(), s3.prefix.as_str()), (Some("media"), "site"));
        assert!(matches!(open(url("s3://"), true), Ok(Store::S3(_))));
        assert!(matches!(open(url("file:///srv/my%20site"), false), Ok(Store::Folder(_))));
        assert!(matches!(open(url("file:///srv"), true), Ok(Store::Folder(_))));
        assert!(matches!(open(url("memory://"), false), Ok(Store::Memory(_))));
        assert!(matches!(open(url("gs://media"), false), Ok(Store::Cloud(_))));
        let mut keyed = url("gs://media");
        keyed.access_key_id = Some("GOOG".into());
        keyed.secret_access_key = Some(Secret("s".into()));
        assert!(matches!(open(keyed.clone(), false), Ok(Store::S3(_))));
        keyed.url = "az://media".into();
        keyed.secret_access_key = Some(Secret("c2VjcmV0".into()));
        assert!(matches!(open(keyed, false), Ok(Store::Cloud(_))));
    }

    #[test]
    fn what_cannot_work_is_refused_with_its_key() {
        for (config, every_bucket, key) in [
            (url("media"), false, "url"),
            (url("ftp://media"), false, "url"),
            (url("s3://"), false, "url"),
            (url("s3://media"), true, "url"),
            (url("az://"), true, "url"),
            (url("memory://"), true, "url"),
            (url("file://relative/folder"), false, "url"),
            (
                StoreConfig { endpoint: Some("127.0.0.1:9000".into()), ..url("s3://a") },
                false,
                "endpoint",
            ),
            (
                StoreConfig { access_key_id: Some("a".into()), ..url("s3://a") },
                false,
                "secret_access_key",
            ),
        ] {
            let shown = format!("{config:?}");
            let why = open(config, every_bucket).err().unwrap();
            assert!(why.starts_with(key), "{shown}: {why}");
        }
    }

    #[test]
    fn an_endpoint_names_its_port_only_when_it_must() {
        let authority = |text| Endpoint::read(text).unwrap().authority();
        assert_eq!(authority("http://127.0.0.1:9000/"), "127.0.0.1:9000");
        assert_eq!(authority("https://s3.example:443"), "s3.example");
        assert_eq!(authority("http://[::1]:9000"), "[::1]:9000");
    }
}
