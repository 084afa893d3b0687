//! What edges do not do yet: refused by name, never kept and ignored.
//!
//! When an edge learns one of these, its line goes away here.

use crate::{Faults, faults::items};
use model::api::{
    CacheBehavior, ConnectionMode, DistributionConfig, ErrorCode, IpAddressType, Origin,
};

/// Refuses what a distribution may not yet ask for.
pub(super) fn check(faults: &mut Faults, config: &DistributionConfig) {
    let given = |text: Option<&String>| text.is_some_and(|text| !text.is_empty());
    let groups = config.origin_groups.as_ref();
    let logging = config.logging.as_ref();
    let certificate = config.viewer_certificate.as_ref();
    let asked = [
        (
            "OriginGroups",
            groups.is_some_and(|list| list.quantity != 0 || !items!(list).is_empty()),
            "origin groups",
        ),
        ("Logging", logging.is_some_and(|one| one.enabled == Some(true)), "standard logging"),
        (
            "ContinuousDeploymentPolicyId",
            given(config.continuous_deployment_policy_id.as_ref()),
            "continuous deployment",
        ),
        ("Staging", config.staging == Some(true), "staging distributions"),
        ("AnycastIpListId", given(config.anycast_ip_list_id.as_ref()), "Anycast lists"),
        ("TenantConfig", config.tenant_config.is_some(), "distribution tenants"),
        (
            "ConnectionMode",
            config.connection_mode == Some(ConnectionMode::TenantOnly),
            "tenant-only distributions",
        ),
        ("ViewerMtlsConfig", config.viewer_mtls_config.is_some(), "viewer mTLS"),
        (
            "ConnectionFunctionAssociation",
            config.connection_function_association.is_some(),
            "connection functions",
        ),
        ("CacheTagConfig", config.cache_tag_config.is_some(), "cache tags"),
        (
            "ViewerCertificate.IAMCertificateId",
            certificate.is_some_and(|one| given(one.iam_certificate_id.as_ref())),
            "IAM certificates (import it with aws acm import-certificate)",
        ),
    ];
    refuse(faults, "", &asked);
    let acl = given(config.web_acl_id.as_ref());
    faults.require(
        !acl,
        "WebACLId",
        ErrorCode::InvalidWebACLId,
        "web ACLs are not served yet: leave it empty",
    );
    for (index, origin) in config.origins.items.iter().enumerate() {
        check_origin(faults, &format!("Origins.Items[{index}]."), origin);
    }
}

fn check_origin(faults: &mut Faults, path: &str, origin: &Origin) {
    let custom = origin.custom_origin_config.as_ref();
    let asked = [
        (
            "VpcOriginConfig",
            origin.vpc_origin_config.is_some(),
            "VPC origins (name the server in a custom origin)",
        ),
        (
            "OriginShield",
            origin.origin_shield.as_ref().is_some_and(|shield| shield.enabled),
            "Origin Shield",
        ),
        (
            "CustomOriginConfig.OriginMtlsConfig",
            custom.is_some_and(|custom| custom.origin_mtls_config.is_some()),
            "client certificates towards origins",
        ),
        (
            "CustomOriginConfig.IpAddressType",
            custom.is_some_and(|custom| custom.ip_address_type == Some(IpAddressType::Ipv6)),
            "a restriction to IPv6",
        ),
    ];
    refuse(faults, path, &asked);
}

/// Refuses what a behaviour may not yet ask for, each with the API's own error for it.
pub(super) fn check_behaviour(faults: &mut Faults, path: &str, behaviour: &CacheBehavior) {
    let signers = behaviour.trusted_signers.as_ref();
    let functions = behaviour.function_associations.as_ref();
    let lambdas = behaviour.lambda_function_associations.as_ref();
    let asked = [
        (
            "TrustedSigners",
            signers
                .is_some_and(|list| list.enabled || list.quantity != 0 || !items!(list).is_empty()),
            ErrorCode::TrustedSignerDoesNotExist,
            "signed URLs are not served yet",
        ),
        (
            "FunctionAssociations",
            functions.is_some_and(|list| list.quantity != 0 || !items!(list).is_empty()),
            ErrorCode::InvalidFunctionAssociation,
            "functions are not run yet",
        ),
        (
            "LambdaFunctionAssociations",
            lambdas.is_some_and(|list| list.quantity != 0 || !items!(list).is_empty()),
            ErrorCode::InvalidLambdaFunctionAssociation,
            "functions are not run yet",
        ),
    ];
    for (name, asked, code, message) in asked {
        faults.require(!asked, format!("{path}.{name}"), code, message);
    }
    let smooth = behaviour.smooth_streaming == Some(true);
    refuse(faults, &format!("{path}."), &[("SmoothStreaming", smooth, "Smooth Streaming")]);
}

fn refuse(faults: &mut Faults, path: &str, asked: &[(&str, bool, &str)]) {
    for (name, asked, what) in asked {
        faults.require(
            !asked,
            format!("{path}{name}"),
            ErrorCode::UnsupportedOperation,
            format!("{what}: not served yet, so it is refused rather than ignored"),
        );
    }
}
