//! The Plan: one distribution as edges execute it, with every reference resolved.
//!
//! For: what control writes and edges read; edges see nothing else of the configuration.
//! Not for: what the user wrote ([`crate::api::DistributionConfig`]) or whether it is acceptable
//! (`rules/planning`, which makes Plans).
//!
//! Shape: everything here is final: defaults filled, policies written out in full, names checked.

use crate::{
    ids::{DistributionId, OriginId, PolicyId},
    units::Seconds,
};
use serde::{Deserialize, Serialize};

/// One distribution, ready to be executed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Its id.
    pub id: DistributionId,
    /// Its ARN.
    pub arn: String,
    /// Assigned name, lower case: `d111111abcdef8.nearfront.localhost`.
    pub domain: String,
    /// Alternate names, lower case; a leading `*.` covers any depth below, not the apex.
    pub aliases: Vec<String>,
    /// A disabled distribution keeps its names and answers 403.
    pub enabled: bool,
    /// Object for the path `/`, without leading slash.
    pub default_root_object: Option<String>,
    /// In the order in which they are tried; the last one has the pattern `*`.
    pub behaviours: Vec<Behaviour>,
    /// By the ids that behaviours name.
    pub origins: Vec<Origin>,
    /// At most one for each status.
    pub errors: Vec<ErrorRule>,
    /// Which countries are served.
    pub countries: Countries,
    /// Which HTTP versions viewers may speak beside 1.x.
    pub http: HttpVersions,
    /// Whether AAAA records and IPv6 viewers are served.
    pub ipv6: bool,
    /// The certificate for the aliases, and the oldest TLS version that is spoken.
    pub viewer_tls: ViewerTls,
}

/// HTTP versions beyond 1.1 that viewers may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpVersions {
    /// HTTP/2 over TLS.
    pub h2: bool,
    /// HTTP/3.
    pub h3: bool,
}

/// How viewers' TLS is answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ViewerTls {
    /// ARN of the certificate for the aliases; none: the zone's own certificate only.
    pub certificate: Option<String>,
    /// Oldest protocol version.
    pub minimum: TlsMinimum,
}

/// Oldest TLS version that a distribution accepts. Nothing older than 1.2 is ever spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TlsMinimum {
    /// TLS 1.2 with ECDHE and AEAD only.
    Tls12,
    /// TLS 1.3 only.
    Tls13,
}

/// Country restriction of a whole distribution (CloudFront developer guide, "Restrict the
/// geographic distribution of your content").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Countries {
    /// Everybody is served.
    All,
    /// Only these ISO 3166-1 alpha-2 codes, upper case, and viewers whose country is unknown.
    Only(Vec<String>),
    /// Everybody but these.
    Except(Vec<String>),
}

/// What happens to the requests that one path pattern matches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Behaviour {
    /// Path pattern (developer guide, "Cache behavior settings"); `*` for the default behaviour.
    pub pattern: String,
    /// Where misses go.
    pub origin: OriginId,
    /// What plain HTTP is answered with.
    pub viewer_protocol: ViewerProtocol,
    /// Methods that are let through.
    pub allowed: Methods,
    /// Whether OPTIONS is cached beside GET and HEAD.
    pub cache_options: bool,
    /// Whether the edge compresses.
    pub compress: bool,
    /// Whether gRPC is relayed; false in plans from before there was this.
    #[serde(default)]
    pub grpc: bool,
    /// What makes two requests the same, and for how long the answer is kept.
    pub cache: CachePolicy,
    /// What is sent to the origin beside the cache key's parts.
    pub forward: Forward,
    /// Headers added to and taken from responses.
    pub response_headers: Option<ResponseHeaders>,
}

/// Viewer protocol policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ViewerProtocol {
    /// HTTP and HTTPS.
    AllowAll,
    /// HTTP is redirected.
    RedirectToHttps,
    /// HTTP is refused.
    HttpsOnly,
}

/// The three sets of methods that a behaviour may allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Methods {
    /// GET and HEAD.
    Read,
    /// GET, HEAD and OPTIONS.
    ReadAndOptions,
    /// GET, HEAD, OPTIONS, PUT, POST, PATCH and DELETE.
    All,
}

/// Which caching law decides (contract, promise 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Law {
    /// CloudFront's (developer guide, "Manage how long content stays in the cache").
    CloudFront,
    /// RFC 9111 to the letter.
    Http,
}

/// Cache key and lifetimes, from a cache policy or from legacy `ForwardedValues`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "they go together in any way")]
pub struct CachePolicy {
    /// The policy it came from; none for legacy `ForwardedValues`.
    pub id: Option<PolicyId>,
    /// Which law decides.
    pub law: Law,
    /// Lifetimes.
    pub ttl: Ttl,
    /// Request headers in the key, lower case, sorted.
    pub headers: Vec<String>,
    /// Cookies in the key.
    pub cookies: Selection,
    /// Query strings in the key.
    pub query: Selection,
    /// Accept-Encoding is normalised to include gzip (developer guide, "Serve compressed files").
    pub gzip: bool,
    /// Accept-Encoding is normalised to include br.
    pub brotli: bool,
    /// Accept-Encoding is normalised to include zstd where it is to include one of the others. No
    /// policy knows it: each edge adds it by its own settings, so that it is in no feed.
    #[serde(skip)]
    pub zstd: bool,
    /// Legacy "headers = *": everything is forwarded and nothing is cached.
    pub all_headers: bool,
}

/// Lifetimes, as cache policies give them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ttl {
    /// Never kept for less.
    pub min: Seconds,
    /// When the origin says nothing; none: heuristic freshness (law [`Law::Http`] only).
    pub default: Option<Seconds>,
    /// Never kept for longer than this by the origin's word.
    pub max: Seconds,
}

/// Some of all the names there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Selection {
    /// No name.
    None,
    /// These names. For cookies of legacy `ForwardedValues`, `*` and `?` are wildcards.
    Only(Vec<String>),
    /// All names but these.
    Except(Vec<String>),
    /// Every name.
    All,
}

/// What the origin gets beside the parts of the cache key: an origin request policy, written out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forward {
    /// The policy it came from.
    pub id: Option<PolicyId>,
    /// Older settings without policies: unknown headers are forwarded (developer guide, "HTTP request
    /// headers and CloudFront behavior").
    pub legacy: bool,
    /// Viewer headers, names lower case.
    pub headers: HeaderSelection,
    /// Cookies.
    pub cookies: Selection,
    /// Query strings.
    pub query: Selection,
}

/// Header behaviour of an origin request policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HeaderSelection {
    /// Only what is always sent.
    None,
    /// These, lower case.
    Only(Vec<String>),
    /// All that the viewer sent.
    AllViewer,
    /// All that the viewer sent, and these generated `cloudfront-*` ones.
    AllViewerAnd(Vec<String>),
    /// All that the viewer sent, but these.
    AllExcept(Vec<String>),
}

/// One origin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// Name within the distribution.
    pub id: OriginId,
    /// Where it is: a host name, or the name of a bucket or folder as settings map it.
    pub domain: String,
    /// Put before every path; starts with `/`, has no trailing one; empty for none.
    pub path: String,
    /// Added to every request, replacing what the viewer sent.
    pub headers: Vec<(String, String)>,
    /// How it is reached.
    pub kind: OriginKind,
    /// Connection attempts, 1 to 3.
    pub attempts: u8,
    /// For each attempt, 1 to 10 s.
    pub connect_timeout: Seconds,
    /// To the first byte and between bytes, 1 to 120 s.
    pub read_timeout: Seconds,
    /// Over all attempts and the whole body; none: no limit.
    pub completion_timeout: Option<Seconds>,
}

/// How an origin is reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum OriginKind {
    /// An object store that settings name.
    Bucket {
        /// Whether requests are signed with the store's credentials.
        sign: bool,
    },
    /// A web server.
    Custom {
        /// Which scheme.
        protocol: OriginProtocol,
        /// Port for HTTP.
        http_port: u16,
        /// Port for HTTPS.
        https_port: u16,
        /// How long an idle connection is kept, 1 to 120 s.
        keepalive: Seconds,
    },
}

/// Origin protocol policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OriginProtocol {
    /// Always HTTP.
    Http,
    /// Always HTTPS.
    Https,
    /// As the viewer came.
    MatchViewer,
}

/// What is done about one error status (developer guide, "Generate custom error responses").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorRule {
    /// Status from the origin or the edge.
    pub status: u16,
    /// How long the error is kept.
    pub caching_min_ttl: Seconds,
    /// Page to answer with instead, starting with `/`, and the status to give it.
    pub page: Option<(String, u16)>,
}

/// A response headers policy (developer guide, "Understand response headers policies"), written out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ResponseHeaders {
    /// Names to take away, lower case.
    pub remove: Vec<String>,
    /// Cross-origin rules.
    pub cors: Option<Cors>,
    /// Security and custom headers to set: name (lower case), value, whether the origin's gives way.
    pub set: Vec<SetHeader>,
    /// `Server-Timing` sampling in ten-thousandths of a percent (0 to 1,000,000); none: off.
    pub server_timing: Option<u32>,
}

/// One header to set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetHeader {
    /// Lower case.
    pub name: String,
    /// May be empty.
    pub value: String,
    /// Whether the origin's value gives way.
    pub replace: bool,
}

/// Cross-origin rules of a response headers policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cors {
    /// `*`, or `[scheme://]host[:port]` with a leading `*.` and a `:*` port as wildcards.
    pub allow_origins: Vec<String>,
    /// Names, or `*`.
    pub allow_headers: Vec<String>,
    /// Upper case names; `ALL` is written out.
    pub allow_methods: Vec<String>,
    /// Names, or `*`.
    pub expose_headers: Vec<String>,
    /// Whether credentials are allowed.
    pub allow_credentials: bool,
    /// How long a preflight answer is good for.
    pub max_age: Option<Seconds>,
    /// Whether the policy replaces the origin's CORS headers.
    pub replace: bool,
}
