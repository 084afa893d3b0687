//! Alternate names, and the certificate that must cover them.
//!
//! Source: CloudFront developer guide, "Use custom URLs by adding alternate domain names".

use crate::{CertificateFacts, Faults, Quota, References, faults::items};
use model::{
    api::{
        DistributionConfig, ErrorCode, MinimumProtocolVersion, SSLSupportMethod, ViewerCertificate,
    },
    plan::{TlsMinimum, ViewerTls},
    units::Timestamp,
};

pub(super) fn aliases(
    faults: &mut Faults,
    config: &DistributionConfig,
    references: &References,
) -> Vec<String> {
    let Some(list) = &config.aliases else {
        return Vec::new();
    };
    let names = items!(list);
    let too_many = ErrorCode::TooManyDistributionCNAMEs;
    if !references.room(faults, "Aliases", Quota::Aliases, names.len(), too_many) {
        return Vec::new();
    }
    check_names(faults, names, &references.zone);
    names.to_vec()
}

/// Each must be a name that a distribution can have, and stand there once.
pub(crate) fn check_names(faults: &mut Faults, names: &[String], zone: &str) {
    for (index, name) in names.iter().enumerate() {
        let path = format!("Aliases.Items[{index}]");
        check_alias(faults, &path, name, zone);
        let repeated = names.iter().take(index).any(|earlier| earlier == name);
        faults.require(!repeated, path, ErrorCode::InvalidArgument, "stands twice in the list");
    }
}

pub(super) fn check_alias(faults: &mut Faults, path: &str, name: &str, zone: &str) {
    let host = name.strip_prefix("*.").unwrap_or(name);
    faults.require(
        is_host_name(host) && host.contains('.'),
        path,
        ErrorCode::InvalidArgument,
        format!("{name:?} is not a domain name; a wildcard is a leading *. only"),
    );
    faults.require(
        !is_assigned(name, zone),
        path,
        ErrorCode::InvalidArgument,
        format!("{name} is a name that the server itself assigns"),
    );
}

/// Names that the server itself gives: `d` or `s` and 13 characters to distributions and connection
/// groups, `dt_` and more to tenants, `ns1` and so on to the zone's servers.
fn is_assigned(name: &str, zone: &str) -> bool {
    let Some(label) = name.strip_suffix(zone).and_then(|rest| rest.strip_suffix('.')) else {
        return name == zone;
    };
    let assigned = label.len() == 14
        && label.starts_with(['d', 's'])
        && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    assigned
        || label == "*"
        || label.starts_with("dt_")
        || label.strip_prefix("ns").is_some_and(|rest| rest.parse::<u8>().is_ok())
}

/// Letters, digits, hyphens and underscores in labels of 1 to 63, at most 253 in all (RFC 1123).
pub fn is_host_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    name.len() <= 253 && name.split('.').all(label)
}

/// Whether a certificate for `pattern` is good for `name`: the same name, or a leading `*.` for
/// exactly one label (RFC 6125 §6.4.3). Both are lower case; `name` may be a wildcard itself.
pub fn covers(pattern: &str, name: &str) -> bool {
    if pattern == name {
        return true;
    }
    let Some(parent) = pattern.strip_prefix("*.") else {
        return false;
    };
    name.split_once('.').is_some_and(|(label, rest)| rest == parent && label != "*")
}

/// Names that the certificate of a configuration covers, each with or without a leading `*.`: its own
/// certificate's if it has one, else those of the server's own, for the zone.
pub fn covering(config: &DistributionConfig, references: &References) -> Vec<String> {
    let given = config.viewer_certificate.as_ref();
    let arn = given.and_then(|given| given.acm_certificate_arn.as_deref());
    match arn.filter(|arn| !arn.is_empty()) {
        Some(arn) => {
            references.certificates.get(arn).map(|facts| facts.names.clone()).unwrap_or_default()
        }
        None => vec![references.zone.clone(), format!("*.{}", references.zone)],
    }
}

pub(super) fn viewer_tls(
    faults: &mut Faults,
    config: &DistributionConfig,
    references: &References,
    now: Timestamp,
) -> ViewerTls {
    let plain = ViewerTls { certificate: None, minimum: TlsMinimum::Tls12 };
    let Some(given) = &config.viewer_certificate else {
        return plain;
    };
    let most = usize::try_from(references.quotas.most(Quota::Aliases)).unwrap_or(usize::MAX);
    let names = config.aliases.iter().flat_map(|list| items!(list)).take(most);
    let names = names.map(String::as_str);
    if let Some(arn) = given.acm_certificate_arn.as_deref().filter(|arn| !arn.is_empty()) {
        check_method(faults, given);
        let found = references.certificates.get(arn);
        check_imported(faults, arn, found, names, references.offline, now);
        ViewerTls { certificate: Some(arn.to_owned()), minimum: minimum(given) }
    } else {
        let iam = given.iam_certificate_id.as_ref().is_some_and(|id| !id.is_empty());
        faults.require(
            iam || given.cloud_front_default_certificate != Some(false),
            "ViewerCertificate",
            ErrorCode::InvalidViewerCertificate,
            "names no certificate: set CloudFrontDefaultCertificate to true or ACMCertificateArn",
        );
        let own = covering(config, references);
        check_cover(faults, &own, names, "attach an imported certificate (ACMCertificateArn)");
        plain
    }
}

fn check_method(faults: &mut Faults, given: &ViewerCertificate) {
    let path = "ViewerCertificate.SSLSupportMethod";
    match given.ssl_support_method {
        Some(SSLSupportMethod::SniOnly) => {}
        Some(SSLSupportMethod::Vip | SSLSupportMethod::StaticIp) => faults.add(
            path,
            ErrorCode::UnsupportedOperation,
            "certificates are chosen by SNI only: use sni-only",
        ),
        None => faults.add(path, ErrorCode::InvalidViewerCertificate, "must be sni-only"),
    }
    let old = given.minimum_protocol_version == Some(MinimumProtocolVersion::SSLv3);
    faults.require(
        !old || given.ssl_support_method != Some(SSLSupportMethod::SniOnly),
        "ViewerCertificate.MinimumProtocolVersion",
        ErrorCode::InvalidProtocolSettings,
        "SSLv3 knows no SNI: use TLSv1.2_2021 or newer",
    );
    let iam = given.iam_certificate_id.as_ref().is_some_and(|id| !id.is_empty());
    let code = ErrorCode::InvalidViewerCertificate;
    let message = "IAMCertificateId and ACMCertificateArn exclude each other";
    faults.require(!iam, "ViewerCertificate", code, message);
    let both = given.cloud_front_default_certificate == Some(true);
    faults.require(
        !both,
        "ViewerCertificate",
        ErrorCode::InvalidViewerCertificate,
        "CloudFrontDefaultCertificate and ACMCertificateArn exclude each other",
    );
}

fn check_imported<'a>(
    faults: &mut Faults,
    arn: &str,
    found: Option<&CertificateFacts>,
    names: impl Iterator<Item = &'a str>,
    offline: bool,
    now: Timestamp,
) {
    let code = ErrorCode::InvalidViewerCertificate;
    let path = "ViewerCertificate.ACMCertificateArn";
    let Some(facts) = found else {
        let message =
            format!("there is no certificate {arn}: import it with aws acm import-certificate");
        return faults.require(offline, path, code, message);
    };
    faults.require(
        facts.not_after > now,
        path,
        code,
        "the certificate has expired: import a new one",
    );
    check_cover(faults, &facts.names, names, "import a certificate that does");
}

fn check_cover<'a>(
    faults: &mut Faults,
    certificate: &[String],
    names: impl Iterator<Item = &'a str>,
    remedy: &str,
) {
    for name in names {
        faults.require(
            certificate.iter().any(|pattern| covers(pattern, name)),
            "ViewerCertificate",
            ErrorCode::InvalidViewerCertificate,
            format!("the certificate does not cover the alias {name}: {remedy}"),
        );
    }
}

/// Nothing older than TLS 1.2 is spoken, whatever older policy is named.
fn minimum(given: &ViewerCertificate) -> TlsMinimum {
    match given.minimum_protocol_version {
        Some(MinimumProtocolVersion::TLSv132025) => TlsMinimum::Tls13,
        _ => TlsMinimum::Tls12,
    }
}
