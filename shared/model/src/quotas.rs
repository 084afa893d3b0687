//! How many of a thing an account, a distribution or a resource may have.
//!
//! For: the numbers, by name, each with CloudFront's default.
//! Not for: counting what there is.
//!
//! In settings, `quotas` is `"default"`, `"none"`, or a table of those that differ from the default.
//!
//! Source: CloudFront developer guide, ACM user guide and IAM user guide, "Quotas".

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::collections::BTreeMap;

/// In settings: CloudFront's own numbers.
pub const DEFAULT: &str = "default";
/// In settings: no limit but those that protect the service itself.
pub const NONE: &str = "none";

/// More than anybody can have: no limit.
pub const UNBOUNDED: usize = 1_000_000_000;

macro_rules! quotas {
    ($($(#[$about:meta])* $name:ident = $key:literal, $default:literal;)+) => {
        /// Something that is limited in number.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Quota {
            $($(#[$about])* $name,)+
        }

        impl Quota {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// As it is called in settings: `distributions`.
            pub const fn key(self) -> &'static str {
                match self { $(Self::$name => $key,)+ }
            }

            /// CloudFront's own number.
            pub const fn default_most(self) -> u64 {
                match self { $(Self::$name => $default,)+ }
            }
        }
    };
}

quotas! {
    /// Distributions of the account.
    Distributions = "distributions", 500;
    /// Staging distributions of the account.
    StagingDistributions = "staging_distributions", 20;
    /// RTMP distributions of the account.
    StreamingDistributions = "streaming_distributions", 100;
    /// Continuous deployment policies of the account.
    ContinuousDeploymentPolicies = "continuous_deployment_policies", 20;
    /// Cache policies of the account.
    CachePolicies = "cache_policies", 20;
    /// Origin request policies of the account.
    OriginRequestPolicies = "origin_request_policies", 20;
    /// Response headers policies of the account.
    ResponseHeadersPolicies = "response_headers_policies", 20;
    /// Origin access controls of the account.
    OriginAccessControls = "origin_access_controls", 100;
    /// Origin access identities of the account.
    OriginAccessIdentities = "origin_access_identities", 100;
    /// Public keys of the account.
    PublicKeys = "public_keys", 10;
    /// Key groups of the account.
    KeyGroups = "key_groups", 10;
    /// Public keys of one key group.
    PublicKeysInKeyGroup = "public_keys_in_key_group", 5;
    /// Functions of the account.
    Functions = "functions", 100;
    /// Connection functions of the account.
    ConnectionFunctions = "connection_functions", 100;
    /// Key value stores of the account.
    KeyValueStores = "key_value_stores", 50;
    /// Functions that use one key value store.
    FunctionsPerKeyValueStore = "functions_per_key_value_store", 10;
    /// Field-level encryption configurations of the account.
    FieldLevelEncryptionConfigs = "field_level_encryption_configs", 10;
    /// Field-level encryption profiles of the account.
    FieldLevelEncryptionProfiles = "field_level_encryption_profiles", 10;
    /// Keys with fields of their own in one field-level encryption profile.
    FieldLevelEncryptionEntities = "field_level_encryption_entities", 10;
    /// Patterns of fields in one field-level encryption profile.
    FieldLevelEncryptionFieldPatterns = "field_level_encryption_field_patterns", 10;
    /// Query arguments in one field-level encryption configuration.
    FieldLevelEncryptionQueryArgProfiles = "field_level_encryption_query_arg_profiles", 5;
    /// Content types in one field-level encryption configuration.
    FieldLevelEncryptionContentTypeProfiles = "field_level_encryption_content_type_profiles", 1;
    /// Real-time log configurations of the account.
    RealtimeLogConfigs = "realtime_log_configs", 150;
    /// Trust stores of the account.
    TrustStores = "trust_stores", 20;
    /// VPC origins of the account.
    VpcOrigins = "vpc_origins", 25;
    /// Anycast address lists of the account.
    AnycastIpLists = "anycast_ip_lists", 5;
    /// Distribution tenants of the account.
    DistributionTenants = "distribution_tenants", 10_000;
    /// Connection groups of the account.
    ConnectionGroups = "connection_groups", 100;
    /// Distributions that use one policy, control, key group or certificate.
    DistributionsPerResource = "distributions_per_resource", 100;
    /// Origins of one distribution.
    Origins = "origins", 100;
    /// Origin groups of one distribution.
    OriginGroups = "origin_groups", 10;
    /// Cache behaviours of one distribution, beside the default one.
    CacheBehaviours = "cache_behaviors", 75;
    /// Alternate names of one distribution.
    Aliases = "aliases", 100;
    /// Headers, cookies or query strings in one list of a policy or of `ForwardedValues`.
    NamesInPolicy = "names_in_policy", 10;
    /// Custom headers, or headers that are removed, of one response headers policy.
    HeadersInResponsePolicy = "headers_in_response_policy", 10;
    /// Custom headers of one origin.
    OriginCustomHeaders = "origin_custom_headers", 30;
    /// Paths without a wildcard that are in progress for one distribution.
    InvalidationPaths = "invalidation_paths", 3000;
    /// Paths with a wildcard that are in progress for one distribution.
    InvalidationWildcards = "invalidation_wildcards", 15;
    /// Tags of one resource.
    Tags = "tags", 50;
    /// Users of the account.
    Users = "users", 5000;
    /// Access keys of one user, and of the account itself.
    AccessKeysPerUser = "access_keys_per_user", 2;
    /// Policies of one user.
    UserPolicies = "user_policies", 10;
    /// Certificates of the account, imported and requested.
    Certificates = "certificates", 2500;
    /// Server certificates of the account.
    ServerCertificates = "server_certificates", 20;
}

/// The numbers in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quotas(Vec<u64>);

impl Default for Quotas {
    fn default() -> Self {
        Self(Quota::ALL.iter().map(|quota| quota.default_most()).collect())
    }
}

impl Quotas {
    /// Without any limit but those that protect the service itself.
    pub fn none() -> Self {
        Self(vec![UNBOUNDED as u64; Quota::ALL.len()])
    }

    /// At least as many as there are already: what is there may stay when a quota was lowered.
    #[must_use]
    pub fn at_least(self, quota: Quota, there: usize) -> Self {
        let there = u64::try_from(there).unwrap_or(UNBOUNDED as u64);
        let most = self.most(quota).max(there);
        self.with(quota, most)
    }

    /// Whether so many are within the quota.
    pub fn allow(&self, quota: Quota, count: usize) -> bool {
        u64::try_from(count).is_ok_and(|count| count <= self.most(quota))
    }

    /// How many there may be.
    pub fn most(&self, quota: Quota) -> u64 {
        self.0.get(quota as usize).copied().unwrap_or_default()
    }

    /// With another number.
    #[must_use]
    pub fn with(mut self, quota: Quota, most: u64) -> Self {
        if let Some(number) = self.0.get_mut(quota as usize) {
            *number = most;
        }
        self
    }
}

impl Quota {
    /// The one of this key.
    pub fn of_key(key: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|quota| quota.key() == key)
    }
}

impl Serialize for Quotas {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        if *self == Self::default() {
            return out.serialize_str(DEFAULT);
        }
        if *self == Self::none() {
            return out.serialize_str(NONE);
        }
        let other = |quota: &&Quota| self.most(**quota) != quota.default_most();
        let differ = Quota::ALL.iter().filter(other);
        out.collect_map(differ.map(|quota| (quota.key(), self.most(*quota))))
    }
}

impl<'de> Deserialize<'de> for Quotas {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Word(String),
            Table(BTreeMap<String, u64>),
        }
        match Form::deserialize(from)? {
            Form::Word(word) if word == DEFAULT => Ok(Self::default()),
            Form::Word(word) if word == NONE => Ok(Self::none()),
            Form::Word(word) => Err(D::Error::custom(format!(
                "{word:?} is neither \"default\" nor \"none\" nor a table of numbers"
            ))),
            Form::Table(table) => {
                table.into_iter().try_fold(Self::default(), |all, (key, most)| {
                    let quota = Quota::of_key(&key);
                    let quota = quota.ok_or_else(|| D::Error::custom(format!("no quota {key}")))?;
                    Ok(all.with(quota, most))
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_read_what_they_write() {
        let some = Quotas::default().with(Quota::Tags, 7).with(Quota::Aliases, 0);
        for quotas in [Quotas::default(), Quotas::none(), some] {
            let text = serde_json::to_string(&quotas).unwrap();
            assert_eq!(serde_json::from_str::<Quotas>(&text).unwrap(), quotas, "{text}");
        }
        for wrong in ["\"many\"", "{\"tag\": 1}", "{\"tags\": -1}", "3"] {
            assert!(serde_json::from_str::<Quotas>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_quota_has_its_own_number() {
        let quotas = Quotas::default().with(Quota::Tags, 7);
        assert_eq!(quotas.most(Quota::Tags), 7);
        assert_eq!(quotas.most(Quota::Distributions), 500);
        assert_eq!(Quotas::none().most(Quota::Aliases), UNBOUNDED as u64);
    }
}
