//! What control publishes and the other services read: the keys of the metadata store and the
//! values behind them, all JSON.
//!
//! | key | value | written when |
//! | --- | --- | --- |
//! | `plan/ID` | [`Plan`](crate::plan::Plan) | a distribution or tenant, or anything that it refers to, changes |
//! | `invalidation/DISTRIBUTION/ID` | [`Invalidation`] | an invalidation is made |
//! | `endpoint/ID` | [`Endpoint`] | a connection group is made, changed or, by its end, disabled |
//! | `certificate/NAME` | [`Certificate`] | a certificate is imported or issued; `authority` and `zone` on first start |
//! | `challenge/ID/NUMBER` | [`Challenge`] | a certificate authority is about to ask whether a name is ours |
//! | `kvs/STORE` | [`KeyValues`] | a key value store is made, and with every change of what it holds |
//! | `kv/STORE/KEY` | [`KeyValue`] | that key is put; KEY as [`key_value`] has it |
//!
//! All other keys are control's own.

use crate::{ids::DistributionId, units::Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Prefix of the keys of plans.
pub const PLANS: &str = "plan/";
/// Prefix of the keys of invalidations.
pub const INVALIDATIONS: &str = "invalidation/";
/// Prefix of the keys of routing endpoints.
pub const ENDPOINTS: &str = "endpoint/";
/// How many finished invalidations of one distribution are kept at least. Where a distribution has
/// fewer, none of it was ever taken away.
pub const KEPT_INVALIDATIONS: usize = 1000;
/// Prefix of the keys of certificates.
pub const CERTIFICATES: &str = "certificate/";
/// Prefix of the keys of challenges of certificate authorities.
pub const CHALLENGES: &str = "challenge/";
/// Where challenges over HTTP are asked for (RFC 8555 §8.3); a token follows.
pub const CHALLENGE_PATH: &str = "/.well-known/acme-challenge/";
/// The label before a name under which challenges by DNS are looked for (RFC 8555 §8.4).
pub const CHALLENGE_LABEL: &str = "_acme-challenge";
/// Name of the local certificate authority, which signs the zone's certificate.
pub const AUTHORITY: &str = "authority";
/// Name of the zone's own certificate, for `*.ZONE`.
pub const ZONE: &str = "zone";

/// Prefix of the keys of key value stores.
pub const KEY_VALUE_STORES: &str = "kvs/";
/// Prefix of the keys of what key value stores hold.
pub const KEY_VALUES: &str = "kv/";

/// A batch of paths to be forgotten (CloudFront developer guide, "Invalidate files").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invalidation {
    /// `I` and 13 or more of `[A-Z0-9]`.
    pub id: String,
    /// Whose copies.
    pub distribution: DistributionId,
    /// As the user gave them: each begins with `/`, a final `*` is a wildcard.
    pub paths: Vec<String>,
    /// The user's own mark, unique within the distribution.
    pub caller_reference: String,
    /// When it was made.
    pub created: Timestamp,
}

/// The routing endpoint of a connection group that is enabled: a name that leads to the edges, and
/// that no distribution has (CloudFront API reference, `ConnectionGroup`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// `d111111abcdef8.nearfront.localhost`, lower case.
    pub domain: String,
    /// Whether it has AAAA records.
    pub ipv6: bool,
}

/// A certificate with its private key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// `arn:aws:acm:REGION:ACCOUNT:certificate/UUID`; empty for the authority and the zone's own.
    pub arn: String,
    /// DNS names that it covers, lower case; a leading `*.` covers exactly one label.
    pub names: Vec<String>,
    /// Leaf first, then intermediates, as PEM.
    pub chain: String,
    /// PKCS#8, PKCS#1 or SEC1 private key as PEM, sealed.
    pub key: Sealed,
    /// From when it is good.
    pub not_before: Timestamp,
    /// Until when it is good.
    pub not_after: Timestamp,
    /// When it was first imported or made.
    pub created: Timestamp,
    /// When this chain was put in the place of the one before; none in records of old.
    #[serde(default)]
    pub put: Option<Timestamp>,
}

/// What a certificate authority will ask to see that a name is ours (RFC 8555 §8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// The name, lower case, without `*.`.
    pub name: String,
    /// How it asks, and what it must be answered.
    pub proof: Proof,
}

/// How a certificate authority asks, and what it must be answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Proof {
    /// By a GET of [`CHALLENGE_PATH`] and a token (RFC 8555 §8.3).
    #[serde(rename = "http-01")]
    Http {
        /// The token.
        token: String,
        /// The body.
        body: String,
    },
    /// By the TXT record of [`CHALLENGE_LABEL`] and the name (RFC 8555 §8.4).
    #[serde(rename = "dns-01")]
    Dns {
        /// The text of the record.
        text: String,
        /// A name in our zone where the same text stands: for a CNAME from where it is looked for.
        also: String,
    },
    /// By a TLS handshake with the protocol `acme-tls/1` (RFC 8737 §3).
    #[serde(rename = "tls-alpn-01")]
    TlsAlpn {
        /// The certificate to be shown, PEM.
        chain: String,
        /// Its private key, PEM, sealed.
        key: Sealed,
    },
}

/// What is known of a key value store as a whole. Every change of it is one commit, which puts this
/// as well; a store that is taken away loses this first, and what it held some time after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyValues {
    /// Changes with every change of what it holds.
    pub etag: String,
    /// How many pairs it holds.
    pub items: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
    /// When it was made.
    pub created: Timestamp,
    /// When what it holds was last changed.
    pub modified: Timestamp,
    /// Whether it can be read.
    pub status: KeyValuesStatus,
}

/// Whether a key value store can be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyValuesStatus {
    /// It is being filled: a part of what it shall hold may be there.
    Provisioning,
    /// It holds what it shall hold.
    Ready,
    /// It could not be filled, for this reason.
    ImportFailed(String),
}

/// One pair of a key value store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyValue {
    /// 1 to 512 bytes.
    pub key: String,
    /// Up to 1,024 bytes.
    pub value: String,
}

/// Most bytes of a pair's key that stand in the metadata store's key as they are.
const MOST_PLAIN: usize = 300;

/// The metadata store's key of a pair. Long keys are cut, and a digest of theirs stands after the
/// part that is left, as the metadata store's keys have at most 512 bytes; `digest` gives 64
/// characters. Keys of up to 300 bytes are in their own order.
pub fn key_value(store: &str, key: &str, digest: impl Fn(&[u8]) -> String) -> String {
    if key.len() <= MOST_PLAIN {
        return format!("{KEY_VALUES}{store}/{key}");
    }
    let start: String = key
        .char_indices()
        .take_while(|(at, c)| at + c.len_utf8() <= MOST_PLAIN)
        .map(|(_, c)| c)
        .collect();
    format!("{KEY_VALUES}{store}/{start}#{}", digest(key.as_bytes()))
}

/// A secret as it stands in the metadata store: sealed with the installation's key for the record
/// that it is part of. Text that is not sealed is never used. Use it opened.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(pub String);

impl fmt::Debug for Sealed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Sealed(…)")
    }
}

/// Text that never shows up in logs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret(…)")
    }
}
