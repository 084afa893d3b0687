//! Settings: one file, overridden by the environment, every key with a default for a laptop.
//!
//! The shapes are here; reading them is in `load`.

use model::{feed::Secret, quotas::Quotas};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

/// Everything that an operator may set.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Where this process keeps what must survive it.
    pub data_dir: PathBuf,
    /// Suffix of assigned names.
    pub zone: String,
    /// Twelve digits, as they stand in ARNs.
    pub account_id: String,
    /// How many of each thing there may be: `default`, `none`, or a table of numbers by name.
    pub quotas: Quotas,
    /// The metadata store.
    pub metadata: Metadata,
    /// The certificate authority that certificates are asked of.
    pub acme: Acme,
    /// The edge.
    pub edge: Edge,
    /// The management API.
    pub control: Control,
    /// The DNS service.
    pub dns: Dns,
    /// Health and metrics.
    pub admin: Admin,
    /// MaxMind-format databases that tell where addresses are; the first that knows answers.
    pub geo: Geo,
    /// Logs, traces.
    pub telemetry: Telemetry,
    /// Object stores by the domain name that origins use; `default` serves every `BUCKET.s3…` name.
    pub object_stores: BTreeMap<String, ObjectStore>,
}

/// Where metadata is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Metadata {
    /// `embedded`, `redis://`, `rediss://`, `redis+cluster://` or `redis+sentinel://`.
    pub url: String,
    /// File that holds the URL, when it names a password.
    pub url_file: Option<PathBuf>,
    /// Keys that seal secrets in the store, 32 bytes in base64 each, with commas between them: the
    /// first seals, all open. None, with embedded metadata: made on first start in the data folder.
    pub key: Option<Secret>,
    /// File that holds the keys.
    pub key_file: Option<PathBuf>,
}

/// A certificate authority that speaks ACME (RFC 8555).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Acme {
    /// URL of its directory; none: no certificates can be requested. Setting it agrees to the
    /// authority's terms of service.
    pub directory: Option<String>,
    /// Mailbox that the authority may write to.
    pub contact: Option<String>,
    /// PEM file of further authorities that its own server's certificate may come from.
    pub ca_file: Option<PathBuf>,
    /// Ways to prove that a name is ours, the dearest first, where the request leaves the choice:
    /// `http-01`, `tls-alpn-01`, `dns-01`.
    pub challenges: Vec<String>,
    /// How often the authority may find a name not to be ours before a request has failed.
    pub attempts: u32,
    /// Id of the account with the authority that ours is bound to.
    pub eab_key_id: Option<String>,
    /// Its key, in base64url.
    pub eab_key: Option<Secret>,
    /// File that holds the key.
    pub eab_key_file: Option<PathBuf>,
}

/// One edge.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Edge {
    /// Listen address for HTTP.
    pub http: SocketAddr,
    /// Listen address for HTTPS.
    pub https: SocketAddr,
    /// Unique in the fleet; none: the host name.
    pub id: Option<String>,
    /// Place as shown to viewers.
    pub pop: String,
    /// Degrees north.
    pub latitude: Option<f64>,
    /// Degrees east.
    pub longitude: Option<f64>,
    /// Where DNS sends viewers; empty: the listen address.
    pub public_addresses: Vec<IpAddr>,
    /// The word in `X-Cache`, `Via` and `Server`: `nearfront`, or `cloudfront` for drop-in tests.
    pub product: String,
    /// Budget of the memory cache: bytes, or a number with KiB, MiB or GiB.
    pub memory: String,
    /// Budget of the disk cache behind it: `off`, or a size as for memory.
    pub disk: String,
    /// Where the disk cache keeps its files; none: `cache` in the data folder.
    pub disk_folder: Option<PathBuf>,
    /// Whether replies say in `Cache-Status` how the cache came by them (RFC 9211).
    pub cache_status: bool,
    /// Whether viewers that accept zstd and not br get zstd, where the edge compresses.
    pub zstd: bool,
    /// Worker threads; none: one per core.
    pub workers: Option<usize>,
    /// PEM file of further authorities that origins' certificates may come from.
    pub origin_ca_file: Option<PathBuf>,
}

/// The management API.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Control {
    /// Listen address.
    pub listen: SocketAddr,
    /// How many versions of each resource are kept; 0: none.
    pub versions: u32,
    /// Of how many deleted resources versions are kept.
    pub deleted: u32,
    /// DNS resolver that is asked where names lead; none: the system's.
    pub resolver: Option<SocketAddr>,
    /// The record of management calls.
    pub audit: Audit,
}

/// The record of management calls.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Audit {
    /// How large a file of records may get before the next one is begun.
    pub file: String,
    /// How many full files are kept.
    pub files: usize,
    /// How many records the metadata store keeps for the whole fleet.
    pub events: u64,
}

impl Audit {
    /// Bytes of one file.
    pub fn file_bytes(&self) -> u64 {
        crate::size::bytes(&self.file).unwrap_or(16 << 20)
    }
}

/// The DNS service.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dns {
    /// Listen address, UDP and TCP.
    pub listen: SocketAddr,
    /// Lifetime of address answers, in seconds.
    pub ttl: u32,
    /// Names of the zone's servers; empty: `ns1.ZONE`.
    pub nameservers: Vec<String>,
    /// Where resolvers reach the zone's servers, for the addresses of those under the zone; empty:
    /// the listen address, unless it is `0.0.0.0` or `::`.
    pub public_addresses: Vec<IpAddr>,
    /// Mailbox in the SOA record; none: `hostmaster.ZONE`.
    pub contact: Option<String>,
    /// Edges in order of preference where no database knows the client; the others follow by id.
    pub order: Vec<String>,
    /// Authorities in CAA records; empty: none is published.
    pub caa: Vec<String>,
    /// How many edges one answer names at most.
    pub answers: usize,
    /// Addresses that Anycast lists are made of; empty: none can be made.
    pub anycast_addresses: Vec<IpAddr>,
}

/// Health and metrics.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Admin {
    /// Listen address.
    pub listen: SocketAddr,
}

/// Geography.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Geo {
    /// Paths of databases.
    pub databases: Vec<PathBuf>,
}

/// Logs and traces.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Telemetry {
    /// Filter of log lines: `info`, `nearfront_edge=debug,info`.
    pub log: String,
    /// `text` or `json`.
    pub format: String,
    /// OTLP over HTTP, `http://127.0.0.1:4318`; none: no traces are sent.
    pub otlp_endpoint: Option<String>,
    /// Share of requests that are traced when the viewer did not decide, 0 to 1.
    pub sample: f64,
}

/// One object store.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ObjectStore {
    /// `s3://BUCKET/PREFIX` (without bucket for `default`), `gs://`, `az://`, `file:///FOLDER`, `memory://`.
    pub url: String,
    /// Server, for all but Amazon's own: `http://127.0.0.1:9000`.
    pub endpoint: Option<String>,
    /// Region; none: `us-east-1`.
    pub region: Option<String>,
    /// Key id; none: the machine's own credentials.
    pub access_key_id: Option<String>,
    /// Secret.
    pub secret_access_key: Option<Secret>,
    /// File that holds the secret.
    pub secret_access_key_file: Option<PathBuf>,
    /// `BUCKET.endpoint` instead of `endpoint/BUCKET`.
    pub virtual_hosted_style: bool,
}

const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), port)
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            data_dir: "./.nearfront".into(),
            zone: "nearfront.localhost".into(),
            account_id: "000000000000".into(),
            quotas: Quotas::default(),
            metadata: Metadata::default(),
            acme: Acme::default(),
            edge: Edge::default(),
            control: Control::default(),
            dns: Dns::default(),
            admin: Admin::default(),
            geo: Geo::default(),
            telemetry: Telemetry::default(),
            object_stores: BTreeMap::new(),
        }
    }
}

impl Default for Metadata {
    fn default() -> Self {
        Self { url: "embedded".into(), url_file: None, key: None, key_file: None }
    }
}

impl Default for Acme {
    fn default() -> Self {
        Self {
            directory: None,
            contact: None,
            ca_file: None,
            challenges: ["http-01", "tls-alpn-01", "dns-01"].map(str::to_owned).into(),
            attempts: 5,
            eab_key_id: None,
            eab_key: None,
            eab_key_file: None,
        }
    }
}

impl Default for Edge {
    fn default() -> Self {
        Self {
            http: loopback(8080),
            https: loopback(8443),
            id: None,
            pop: "LOC1-P1".into(),
            latitude: None,
            longitude: None,
            public_addresses: Vec::new(),
            product: "nearfront".into(),
            memory: "256MiB".into(),
            disk: "off".into(),
            disk_folder: None,
            cache_status: false,
            zstd: false,
            workers: None,
            origin_ca_file: None,
        }
    }
}

impl Default for Control {
    fn default() -> Self {
        Self {
            listen: loopback(9300),
            versions: 50,
            deleted: 1000,
            resolver: None,
            audit: Audit::default(),
        }
    }
}

impl Default for Audit {
    fn default() -> Self {
        Self { file: "16MiB".into(), files: 8, events: 10_000 }
    }
}

impl Default for Dns {
    fn default() -> Self {
        Self {
            listen: loopback(5300),
            ttl: 60,
            nameservers: Vec::new(),
            public_addresses: Vec::new(),
            contact: None,
            order: Vec::new(),
            caa: Vec::new(),
            answers: 1,
            anycast_addresses: Vec::new(),
        }
    }
}

impl Default for Admin {
    fn default() -> Self {
        Self { listen: loopback(9301) }
    }
}

impl Default for Telemetry {
    fn default() -> Self {
        Self { log: "info".into(), format: "text".into(), otlp_endpoint: None, sample: 1.0 }
    }
}
