//! Continuous deployment policies: which requests go to a staging distribution.
//!
//! Source: CloudFront API reference, `ContinuousDeploymentPolicyConfig`.

use crate::{Faults, faults::items};
use model::api::{
    ContinuousDeploymentPolicyConfig, ContinuousDeploymentPolicyType as Type,
    ContinuousDeploymentSingleHeaderConfig, ContinuousDeploymentSingleWeightConfig, ErrorCode,
    SessionStickinessConfig, TrafficConfig,
};

/// Most of the traffic that may go to a staging distribution.
const MOST_WEIGHT: f32 = 0.15;
/// How the names of headers that select a staging distribution begin.
const HEADER_PREFIX: &str = "aws-cf-cd-";

/// The assigned name of the staging distribution, as the user wrote it; empty when there is none.
pub fn staging_name(config: &ContinuousDeploymentPolicyConfig) -> &str {
    items!(config.staging_distribution_dns_names).first().map_or("", String::as_str)
}

/// Whether this policy may be kept.
///
/// # Errors
/// Everything that is wrong with it.
pub fn check(config: &ContinuousDeploymentPolicyConfig) -> Result<(), Faults> {
    let mut faults = Faults::default();
    let names = &config.staging_distribution_dns_names;
    let path = "StagingDistributionDnsNames";
    faults.counted(path, names.quantity, items!(names).len());
    faults.require(
        items!(names).len() == 1,
        path,
        ErrorCode::InvalidArgument,
        "names exactly one staging distribution by its assigned name",
    );
    if let Some(traffic) = &config.traffic_config {
        check_traffic(&mut faults, traffic);
    }
    faults.require(
        !config.enabled,
        "ContinuousDeploymentPolicyConfig.Enabled",
        ErrorCode::UnsupportedOperation,
        "edges do not split traffic yet, so an enabled policy is refused rather than ignored: \
         send false",
    );
    faults.into_result()
}

fn check_traffic(faults: &mut Faults, traffic: &TrafficConfig) {
    let (weight, header) = (&traffic.single_weight_config, &traffic.single_header_config);
    let fits = match traffic.r#type {
        Type::SingleWeight => weight.is_some() && header.is_none(),
        Type::SingleHeader => header.is_some() && weight.is_none(),
    };
    faults.require(
        fits,
        "TrafficConfig.Type",
        ErrorCode::InvalidArgument,
        "SingleWeight goes with SingleWeightConfig alone, SingleHeader with SingleHeaderConfig",
    );
    if let Some(weight) = weight {
        check_weight(faults, weight);
    }
    if let Some(header) = header {
        check_header(faults, header);
    }
}

fn check_weight(faults: &mut Faults, config: &ContinuousDeploymentSingleWeightConfig) {
    let path = "TrafficConfig.SingleWeightConfig";
    let code = ErrorCode::InvalidArgument;
    faults.within(format!("{path}.Weight"), &config.weight, 0.0..=MOST_WEIGHT, code);
    let Some(SessionStickinessConfig { idle_ttl, maximum_ttl }) = &config.session_stickiness_config
    else {
        return;
    };
    let path = format!("{path}.SessionStickinessConfig");
    faults.within(format!("{path}.IdleTTL"), idle_ttl, 300..=3600, code);
    faults.within(format!("{path}.MaximumTTL"), maximum_ttl, 300..=3600, code);
    faults.require(idle_ttl <= maximum_ttl, path, code, "IdleTTL is greater than MaximumTTL");
}

fn check_header(faults: &mut Faults, config: &ContinuousDeploymentSingleHeaderConfig) {
    let path = "TrafficConfig.SingleHeaderConfig";
    let name = config.header.to_ascii_lowercase();
    let fine = name.len() <= 256
        && name.len() > HEADER_PREFIX.len()
        && name.starts_with(HEADER_PREFIX)
        && http::HeaderName::from_bytes(name.as_bytes()).is_ok();
    let message = "must be the name of a header of at most 256 characters that begins aws-cf-cd-";
    faults.require(fine, format!("{path}.Header"), ErrorCode::InvalidArgument, message);
    let fine = (1..=1783).contains(&config.value.len())
        && http::HeaderValue::from_str(&config.value).is_ok();
    let message = "must be a header's value of 1 to 1783 characters";
    faults.require(fine, format!("{path}.Value"), ErrorCode::InvalidArgument, message);
}
