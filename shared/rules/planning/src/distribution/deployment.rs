//! Continuous deployment: what a staging distribution and its primary may be.
//!
//! Source: CloudFront developer guide, "Use CloudFront continuous deployment to safely test CDN
//! configuration changes", with its quotas and considerations.

use crate::{Faults, References, faults::items, kind};
use model::api::{DistributionConfig, ErrorCode, HttpVersion};

pub(super) fn check(faults: &mut Faults, config: &DistributionConfig, references: &References) {
    let staging = config.staging == Some(true);
    let policy = config.continuous_deployment_policy_id.as_ref().filter(|id| !id.is_empty());
    if staging {
        check_staging(faults, config, policy.is_some());
    }
    if let Some(id) = policy {
        faults.require(
            references.has(kind::CONTINUOUS_DEPLOYMENT_POLICY, id),
            "ContinuousDeploymentPolicyId",
            ErrorCode::NoSuchContinuousDeploymentPolicy,
            format!("there is no continuous deployment policy {id}"),
        );
    }
    let http3 = matches!(config.http_version, Some(HttpVersion::Http3 | HttpVersion::Http2and3));
    faults.require(
        !http3 || !(staging || policy.is_some()),
        "HttpVersion",
        ErrorCode::InvalidArgument,
        "continuous deployment does not go with HTTP/3: use http2",
    );
}

/// A staging distribution has no viewers but those that its primary's policy sends to it.
fn check_staging(faults: &mut Faults, config: &DistributionConfig, policy: bool) {
    let aliases = config.aliases.as_ref().map(|list| items!(list)).unwrap_or_default();
    faults.require(
        aliases.is_empty(),
        "Aliases",
        ErrorCode::InvalidArgument,
        "a staging distribution is reached under its primary's names: leave its own out",
    );
    faults.require(
        !policy,
        "ContinuousDeploymentPolicyId",
        ErrorCode::InvalidArgument,
        "belongs to the primary distribution, not to its staging distribution",
    );
}
