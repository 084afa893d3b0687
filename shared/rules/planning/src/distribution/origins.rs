//! Origins: where misses go.
//!
//! Source: CloudFront developer guide, "Origin settings".

use super::names::is_host_name;
use crate::{
    Faults, Quota, References, defaults,
    faults::items,
    policy::{access_control, check_once},
    resource::access_identity,
};
use model::{
    api::{
        CustomOriginConfig, ErrorCode, Origin as Config, OriginCustomHeader,
        OriginProtocolPolicy as Policy, Origins, SslProtocol,
    },
    ids::OriginId,
    plan::{Origin, OriginKind, OriginProtocol},
    units::Seconds,
};

/// Headers that no origin can be given (developer guide, "Custom headers that CloudFront can't add").
const REFUSED_HEADERS: [&str; 17] = [
    "cache-control",
    "connection",
    "content-length",
    "cookie",
    "host",
    "max-forwards",
    "pragma",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "request-range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
];
const REFUSED_PREFIXES: [&str; 4] = ["if-", "x-amz-", "x-edge-", "x-real-ip"];

pub(super) fn planned(faults: &mut Faults, list: &Origins, references: &References) -> Vec<Origin> {
    let origins = &list.items;
    faults.require(
        !origins.is_empty(),
        "Origins",
        ErrorCode::InvalidArgument,
        "at least one origin",
    );
    let too_many = ErrorCode::TooManyOrigins;
    if !references.room(faults, "Origins", Quota::Origins, origins.len(), too_many) {
        return Vec::new();
    }
    let mut planned: Vec<Origin> = Vec::with_capacity(origins.len());
    for (index, config) in origins.iter().enumerate() {
        let path = format!("Origins.Items[{index}]");
        let repeated = planned.iter().any(|earlier| earlier.id.as_str() == config.id);
        let message = format!("two origins have the id {:?}", config.id);
        faults.require(!repeated, format!("{path}.Id"), ErrorCode::InvalidArgument, message);
        planned.extend(one(faults, &path, config, references));
    }
    planned
}

fn one(
    faults: &mut Faults,
    path: &str,
    config: &Config,
    references: &References,
) -> Option<Origin> {
    check_place(faults, path, config);
    let attempts = config.connection_attempts.unwrap_or(defaults::CONNECTION_ATTEMPTS);
    let connect = config.connection_timeout.unwrap_or(defaults::CONNECTION_TIMEOUT);
    let code = ErrorCode::InvalidArgument;
    faults.within(format!("{path}.ConnectionAttempts"), &attempts, 1..=3, code);
    faults.within(format!("{path}.ConnectionTimeout"), &connect, 1..=10, code);
    let read = read_timeout(config);
    faults.within(
        format!("{path}.OriginReadTimeout"),
        &read,
        1..=120,
        ErrorCode::InvalidOriginReadTimeout,
    );
    if let Some(all) = config.response_completion_timeout {
        let message = format!("{all} s is shorter than the read timeout of {read} s");
        faults.require(all >= read, format!("{path}.ResponseCompletionTimeout"), code, message);
    }
    Some(Origin {
        id: OriginId(config.id.clone()),
        domain: config.domain_name.to_ascii_lowercase(),
        path: config.origin_path.clone().unwrap_or_default(),
        headers: custom_headers(faults, path, config, references),
        kind: kind(faults, path, config, references)?,
        attempts: u8::try_from(attempts).unwrap_or(1),
        connect_timeout: seconds(connect),
        read_timeout: seconds(read),
        completion_timeout: config.response_completion_timeout.map(seconds),
    })
}

fn seconds(value: i32) -> Seconds {
    Seconds(u64::try_from(value).unwrap_or(0))
}

fn read_timeout(config: &Config) -> i32 {
    let custom = config.custom_origin_config.as_ref().and_then(|custom| custom.origin_read_timeout);
    let s3 = config.s3_origin_config.as_ref().and_then(|s3| s3.origin_read_timeout);
    custom.or(s3).unwrap_or(defaults::READ_TIMEOUT)
}

fn check_place(faults: &mut Faults, path: &str, config: &Config) {
    faults.require(
        (1..=128).contains(&config.id.chars().count()),
        format!("{path}.Id"),
        ErrorCode::InvalidArgument,
        "an id has 1 to 128 characters",
    );
    faults.require(
        is_host_name(&config.domain_name),
        format!("{path}.DomainName"),
        ErrorCode::InvalidOrigin,
        format!(
            "{:?} is not a host name; scheme, port and path have settings of their own",
            config.domain_name
        ),
    );
    let base = config.origin_path.as_deref().unwrap_or_default();
    let fine = base.is_empty()
        || (base.starts_with('/')
            && !base.ends_with('/')
            && base.len() <= 255
            && base.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#".contains(&byte)));
    faults.require(
        fine,
        format!("{path}.OriginPath"),
        ErrorCode::InvalidRelativePath,
        "a path that starts with a slash and does not end with one, of at most 255 characters",
    );
}

fn kind(
    faults: &mut Faults,
    path: &str,
    config: &Config,
    references: &References,
) -> Option<OriginKind> {
    let control = config.origin_access_control_id.as_deref().filter(|id| !id.is_empty());
    let vpc = config.vpc_origin_config.is_some();
    let others = config.s3_origin_config.is_some() || config.custom_origin_config.is_some();
    let message = "VpcOriginConfig excludes S3OriginConfig and CustomOriginConfig";
    faults.require(!vpc || !others, path, ErrorCode::InvalidOrigin, message);
    match (&config.s3_origin_config, &config.custom_origin_config) {
        (Some(s3), None) => {
            let identity = Some(s3.origin_access_identity.as_str()).filter(|id| !id.is_empty());
            let sign = match identity {
                Some(identity) => {
                    check_identity(faults, path, identity, control, references);
                    true
                }
                None => signed(faults, path, control, references),
            };
            Some(OriginKind::Bucket { sign })
        }
        (None, Some(custom)) => {
            faults.require(
                control.is_none(),
                format!("{path}.OriginAccessControlId"),
                ErrorCode::InvalidDomainNameForOriginAccessControl,
                "an origin access control signs for S3 origins only: use S3OriginConfig",
            );
            custom_kind(faults, path, custom)
        }
        (Some(_), Some(_)) => {
            let message = "S3OriginConfig and CustomOriginConfig exclude each other";
            faults.add(path, ErrorCode::InvalidOrigin, message);
            None
        }
        (None, None) => {
            let message = "needs S3OriginConfig or CustomOriginConfig";
            faults.require(
                config.vpc_origin_config.is_some(),
                path,
                ErrorCode::InvalidOrigin,
                message,
            );
            None
        }
    }
}

/// Who reads with an identity signs always, as with a control that says so.
fn check_identity(
    faults: &mut Faults,
    path: &str,
    identity: &str,
    control: Option<&str>,
    references: &References,
) {
    let place = format!("{path}.S3OriginConfig.OriginAccessIdentity");
    let both = ErrorCode::IllegalOriginAccessConfiguration;
    let message = "an origin has an origin access identity or an origin access control, not both";
    faults.require(control.is_none(), &place, both, message);
    let id = access_identity::id_in(identity);
    let known = id.is_some_and(|id| references.access_identities.contains(id));
    let message = match id {
        Some(id) => format!("there is no origin access identity {id}"),
        None => "must be written origin-access-identity/cloudfront/ID".to_owned(),
    };
    let fine = known || (references.offline && id.is_some());
    faults.require(fine, place, ErrorCode::InvalidOriginAccessIdentity, message);
}

/// Without a control, a bucket is read with the credentials that the settings give for its store.
fn signed(faults: &mut Faults, path: &str, control: Option<&str>, references: &References) -> bool {
    let Some(id) = control else { return true };
    let path = format!("{path}.OriginAccessControlId");
    match references.access_controls.get(id).map(access_control::signs) {
        Some(Ok(sign)) => sign,
        Some(Err(why)) => {
            faults.add(path, ErrorCode::InvalidOriginAccessControl, why);
            false
        }
        None => {
            let message = format!("there is no origin access control {id}");
            faults.require(
                references.offline,
                path,
                ErrorCode::InvalidOriginAccessControl,
                message,
            );
            true
        }
    }
}

fn custom_kind(faults: &mut Faults, path: &str, custom: &CustomOriginConfig) -> Option<OriginKind> {
    let path = format!("{path}.CustomOriginConfig");
    let keepalive = custom.origin_keepalive_timeout.unwrap_or(defaults::KEEPALIVE_TIMEOUT);
    let code = ErrorCode::InvalidOriginKeepaliveTimeout;
    faults.within(format!("{path}.OriginKeepaliveTimeout"), &keepalive, 1..=120, code);
    if let Some(protocols) = &custom.origin_ssl_protocols {
        faults.require(
            protocols.items.contains(&SslProtocol::TLSv12),
            format!("{path}.OriginSslProtocols"),
            ErrorCode::InvalidRequiredProtocol,
            "must hold TLSv1.2: nothing older is spoken",
        );
    }
    let plain = port(faults, format!("{path}.HTTPPort"), custom.http_port);
    let secure = port(faults, format!("{path}.HTTPSPort"), custom.https_port);
    Some(OriginKind::Custom {
        protocol: match custom.origin_protocol_policy {
            Policy::HttpOnly => OriginProtocol::Http,
            Policy::HttpsOnly => OriginProtocol::Https,
            Policy::MatchViewer => OriginProtocol::MatchViewer,
        },
        http_port: plain?,
        https_port: secure?,
        keepalive: seconds(keepalive),
    })
}

fn port(faults: &mut Faults, path: String, port: i32) -> Option<u16> {
    let fine = matches!(port, 80 | 443 | 1024..=65_535);
    faults.require(fine, path, ErrorCode::InvalidArgument, "a port is 80, 443 or 1024 to 65535");
    u16::try_from(port).ok()
}

fn custom_headers(
    faults: &mut Faults,
    path: &str,
    config: &Config,
    references: &References,
) -> Vec<(String, String)> {
    let Some(list) = &config.custom_headers else {
        return Vec::new();
    };
    let headers = items!(list);
    let path = format!("{path}.CustomHeaders");
    let total: usize =
        headers.iter().map(|one| one.header_name.len() + one.header_value.len()).sum();
    let too_many = ErrorCode::TooManyOriginCustomHeaders;
    if !references.room(faults, &path, Quota::OriginCustomHeaders, headers.len(), too_many) {
        return Vec::new();
    }
    let message = "the headers have more than 10240 characters together";
    faults.require(total <= 10_240, &path, too_many, message);
    for (index, header) in headers.iter().enumerate() {
        check_header(faults, format!("{path}.Items[{index}]"), header);
    }
    let names: Vec<_> = headers.iter().map(|one| one.header_name.to_ascii_lowercase()).collect();
    check_once(faults, &path, &names);
    headers
        .iter()
        .map(|one| (one.header_name.to_ascii_lowercase(), one.header_value.clone()))
        .collect()
}

fn check_header(faults: &mut Faults, path: String, header: &OriginCustomHeader) {
    let name = header.header_name.to_ascii_lowercase();
    let fine = name.len() <= 256
        && header.header_value.len() <= 1783
        && http::HeaderName::from_bytes(name.as_bytes()).is_ok()
        && http::HeaderValue::from_str(&header.header_value).is_ok()
        && !REFUSED_HEADERS.contains(&name.as_str())
        && !REFUSED_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    let message = format!("the header {:?} cannot be added", header.header_name);
    faults.require(fine, path, ErrorCode::InvalidArgument, message);
}
