//! What a configuration refers to, looked up by the caller.

use crate::{Faults, Quota, Quotas, distribution::honoured, managed, resource::access_identity};
use model::{
    api::{
        CacheBehavior, CachePolicyConfig, DistributionConfig, ErrorCode, Origin,
        OriginAccessControlConfig, OriginRequestPolicyConfig, ResponseHeadersPolicyConfig,
    },
    units::Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

/// What is known of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFacts {
    /// DNS names that it covers; a leading `*.` covers exactly one label.
    pub names: Vec<String>,
    /// Until when it is good.
    pub not_after: Timestamp,
}

/// Everything that configurations may refer to, by id; managed policies need not be put in.
#[derive(Clone, Debug, Default)]
pub struct References {
    /// Cache policies of the account.
    pub cache_policies: BTreeMap<String, CachePolicyConfig>,
    /// Origin request policies of the account.
    pub origin_request_policies: BTreeMap<String, OriginRequestPolicyConfig>,
    /// Response headers policies of the account.
    pub response_headers_policies: BTreeMap<String, ResponseHeadersPolicyConfig>,
    /// Origin access controls of the account.
    pub access_controls: BTreeMap<String, OriginAccessControlConfig>,
    /// Ids of the account's origin access identities.
    pub access_identities: BTreeSet<String>,
    /// Imported certificates, by ARN.
    pub certificates: BTreeMap<String, CertificateFacts>,
    /// What there is of everything else that a configuration may name, by the kind as it stands in
    /// ARNs and keys, and the id.
    pub known: BTreeSet<(&'static str, String)>,
    /// How many of each thing there may be.
    pub quotas: Quotas,
    /// Suffix of assigned names, lower case. Its own certificate covers it and one label below.
    pub zone: String,
    /// Checking away from a server: what is not in here may exist all the same.
    pub offline: bool,
}

/// Kinds of which a configuration says no more than an id, as they stand in ARNs.
pub mod kind {
    /// Anycast address lists.
    pub const ANYCAST_IP_LIST: &str = "anycast-ip-list";
    /// Continuous deployment policies.
    pub const CONTINUOUS_DEPLOYMENT_POLICY: &str = "continuous-deployment-policy";
    /// VPC origins.
    pub const VPC_ORIGIN: &str = "vpcorigin";
}

impl References {
    /// Whether there is one of this kind and id.
    pub fn has(&self, kind: &'static str, id: &str) -> bool {
        self.offline || self.known.contains(&(kind, id.to_owned()))
    }

    /// Whether so many are within the quota; a fault if not.
    pub(crate) fn room(
        &self,
        faults: &mut Faults,
        path: &str,
        quota: Quota,
        count: usize,
        too_many: ErrorCode,
    ) -> bool {
        let fits = self.quotas.allow(quota, count);
        let message = format!("{count} are more than the quota of {}", self.quotas.most(quota));
        faults.require(fits, path, too_many, message);
        fits
    }

    /// With room for as many as a configuration has that is there already.
    #[must_use]
    pub fn keeping(mut self, there: &DistributionConfig) -> Self {
        let listed = |count: Option<i32>| count.and_then(|count| usize::try_from(count).ok());
        let aliases = listed(there.aliases.as_ref().map(|list| list.quantity)).unwrap_or(0);
        let behaviours = listed(there.cache_behaviors.as_ref().map(|list| list.quantity));
        let headers =
            |origin: &Origin| listed(origin.custom_headers.as_ref().map(|list| list.quantity));
        let headers = there.origins.items.iter().filter_map(headers).max().unwrap_or(0);
        self.quotas = self
            .quotas
            .at_least(Quota::Aliases, aliases)
            .at_least(Quota::CacheBehaviours, behaviours.unwrap_or(0))
            .at_least(Quota::Origins, there.origins.items.len())
            .at_least(Quota::OriginCustomHeaders, headers);
        self
    }

    /// A cache policy of the account, or a managed one.
    pub fn cache_policy(&self, id: &str) -> Option<&CachePolicyConfig> {
        self.cache_policies.get(id).or_else(|| managed::cache_policy(id))
    }

    /// An origin request policy of the account, or a managed one.
    pub fn origin_request_policy(&self, id: &str) -> Option<&OriginRequestPolicyConfig> {
        self.origin_request_policies.get(id).or_else(|| managed::origin_request_policy(id))
    }

    /// A response headers policy of the account, or a managed one.
    pub fn response_headers_policy(&self, id: &str) -> Option<&ResponseHeadersPolicyConfig> {
        self.response_headers_policies.get(id).or_else(|| managed::response_headers_policy(id))
    }
}

/// The ids that a configuration names and that are worth looking up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Cache policies, managed ones left out.
    pub cache_policies: BTreeSet<String>,
    /// Origin request policies, managed ones left out.
    pub origin_request_policies: BTreeSet<String>,
    /// Response headers policies, managed ones left out.
    pub response_headers_policies: BTreeSet<String>,
    /// Origin access controls.
    pub access_controls: BTreeSet<String>,
    /// Origin access identities.
    pub access_identities: BTreeSet<String>,
    /// ARNs of certificates.
    pub certificates: BTreeSet<String>,
    /// Everything else, by kind and id: it need only be known whether there is such a thing.
    pub others: BTreeSet<(&'static str, String)>,
}

impl Wanted {
    /// What `config` names.
    pub fn by(config: &DistributionConfig) -> Self {
        let mut wanted = Self::default();
        let default = &config.default_cache_behavior;
        wanted.policies(
            default.cache_policy_id.as_ref(),
            default.origin_request_policy_id.as_ref(),
            default.response_headers_policy_id.as_ref(),
        );
        for behaviour in config.cache_behaviors.iter().flat_map(|list| list.items.iter()) {
            behaviour.0.iter().for_each(|one| wanted.behaviour(one));
        }
        wanted.access_controls = config
            .origins
            .items
            .iter()
            .filter_map(|origin| origin.origin_access_control_id.clone())
            .filter(|id| !id.is_empty())
            .collect();
        wanted.access_identities = config
            .origins
            .items
            .iter()
            .filter_map(|origin| origin.s3_origin_config.as_ref())
            .filter_map(|s3| access_identity::id_in(&s3.origin_access_identity))
            .map(str::to_owned)
            .collect();
        wanted.certificates = config
            .viewer_certificate
            .iter()
            .filter_map(|certificate| certificate.acm_certificate_arn.clone())
            .collect();
        wanted.others = honoured::named(config);
        let policy = config.continuous_deployment_policy_id.as_ref().filter(|id| !id.is_empty());
        wanted.others.extend(policy.map(|id| (kind::CONTINUOUS_DEPLOYMENT_POLICY, id.clone())));
        wanted
    }

    fn behaviour(&mut self, behaviour: &CacheBehavior) {
        self.policies(
            behaviour.cache_policy_id.as_ref(),
            behaviour.origin_request_policy_id.as_ref(),
            behaviour.response_headers_policy_id.as_ref(),
        );
    }

    fn policies(
        &mut self,
        cache: Option<&String>,
        origin_request: Option<&String>,
        response_headers: Option<&String>,
    ) {
        let own = |id: Option<&String>, managed: fn(&str) -> bool| {
            id.filter(|id| !id.is_empty() && !managed(id)).cloned()
        };
        self.cache_policies.extend(own(cache, |id| managed::cache_policy(id).is_some()));
        self.origin_request_policies
            .extend(own(origin_request, |id| managed::origin_request_policy(id).is_some()));
        self.response_headers_policies
            .extend(own(response_headers, |id| managed::response_headers_policy(id).is_some()));
    }
}
