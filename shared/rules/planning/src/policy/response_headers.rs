//! Response headers policies: what is added to and taken from answers.
//!
//! Source: CloudFront developer guide, "Understand response headers policies".

use super::{check_field_names, check_label, check_once};
use crate::{Faults, Quota, Quotas, faults::items};
use model::{
    api::{
        ErrorCode, ResponseHeadersPolicyAccessControlAllowMethodsValues as MethodValue,
        ResponseHeadersPolicyConfig, ResponseHeadersPolicyCorsConfig,
        ResponseHeadersPolicyCustomHeader, ResponseHeadersPolicySecurityHeadersConfig,
        ResponseHeadersPolicyStrictTransportSecurity, ResponseHeadersPolicyXSSProtection,
    },
    plan::{Cors, ResponseHeaders, SetHeader},
    units::Seconds,
};

/// Longest value of a custom header, a content security policy or an allowed origin.
const LONGEST_VALUE: usize = 1_783;
/// Headers that cannot be taken away, or that end in a prefix that cannot.
const NEVER_REMOVED: [&str; 13] = [
    "connection",
    "content-encoding",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "warning",
    "x-cache",
    "x-real-ip",
];
const NEVER_REMOVED_PREFIXES: [&str; 5] =
    ["proxy-", "x-accel-", "x-amz-cf-", "x-edge-", "x-forwarded-proto"];
/// Headers that frame the answer or that the edge itself writes: a custom value would be ignored.
const NEVER_SET: [&str; 9] = [
    "connection",
    "content-length",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-cache",
];
const NEVER_SET_PREFIXES: [&str; 3] = ["proxy-", "x-amz-cf-", "x-edge-"];
/// `ALL` written out.
const EVERY_METHOD: [&str; 7] = ["GET", "DELETE", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/// Whether this policy may be kept.
///
/// # Errors
/// Everything that is wrong with it.
pub fn check(config: &ResponseHeadersPolicyConfig, quotas: &Quotas) -> Result<(), Faults> {
    let mut faults = Faults::default();
    check_label(&mut faults, &config.name, config.comment.as_ref());
    if let Some(cors) = &config.cors_config {
        check_cors(&mut faults, cors);
    }
    if let Some(security) = &config.security_headers_config {
        check_security(&mut faults, security);
    }
    if let Some(custom) = &config.custom_headers_config {
        faults.counted("CustomHeadersConfig", custom.quantity, items!(custom).len());
        check_custom(&mut faults, items!(custom), quotas);
    }
    if let Some(remove) = &config.remove_headers_config {
        faults.counted("RemoveHeadersConfig", remove.quantity, items!(remove).len());
        let names: Vec<&str> = items!(remove).iter().map(|one| one.header.as_str()).collect();
        check_removed(&mut faults, &names, quotas);
    }
    let timing = config.server_timing_headers_config.as_ref();
    if let Some(rate) = timing.and_then(|timing| timing.sampling_rate) {
        let place = "ServerTimingHeadersConfig.SamplingRate";
        faults.within(place, &rate, 0.0..=100.0, ErrorCode::InvalidArgument);
    }
    faults.into_result()
}

fn check_cors(faults: &mut Faults, cors: &ResponseHeadersPolicyCorsConfig) {
    let origins = &cors.access_control_allow_origins;
    let headers = &cors.access_control_allow_headers;
    let methods = &cors.access_control_allow_methods;
    faults.counted("CorsConfig.AccessControlAllowOrigins", origins.quantity, origins.items.len());
    faults.counted("CorsConfig.AccessControlAllowHeaders", headers.quantity, headers.items.len());
    faults.counted("CorsConfig.AccessControlAllowMethods", methods.quantity, methods.items.len());
    check_field_names(faults, "CorsConfig.AccessControlAllowHeaders", &headers.items);
    check_origins(faults, &origins.items);
    check_methods(faults, &methods.items);
    if let Some(expose) = &cors.access_control_expose_headers {
        let place = "CorsConfig.AccessControlExposeHeaders";
        faults.counted(place, expose.quantity, items!(expose).len());
        check_field_names(faults, place, items!(expose));
    }
    let any = origins.items.iter().any(|origin| origin == "*");
    faults.require(
        !(any && cors.access_control_allow_credentials),
        "CorsConfig.AccessControlAllowCredentials",
        ErrorCode::InvalidArgument,
        "credentials cannot be allowed for every origin: list the origins",
    );
    faults.require(
        cors.access_control_max_age_sec.is_none_or(|age| age >= 0),
        "CorsConfig.AccessControlMaxAgeSec",
        ErrorCode::InvalidArgument,
        "cannot be negative",
    );
}

fn check_methods(faults: &mut Faults, methods: &[MethodValue]) {
    let (path, code) = ("CorsConfig.AccessControlAllowMethods", ErrorCode::InvalidArgument);
    faults.require(!methods.is_empty(), path, code, "at least one method, or ALL");
    let all = methods.contains(&MethodValue::ALL);
    faults.require(!all || methods.len() == 1, path, code, "ALL stands for all: list it alone");
    let words: Vec<&str> = methods.iter().map(|method| method.as_str()).collect();
    check_once(faults, path, &words);
}

fn check_origins(faults: &mut Faults, origins: &[String]) {
    let (path, code) = ("CorsConfig.AccessControlAllowOrigins", ErrorCode::InvalidArgument);
    faults.require(!origins.is_empty(), path, code, "at least one origin, or *");
    let any = origins.iter().any(|origin| origin == "*");
    faults.require(!any || origins.len() == 1, path, code, "* stands for all: list it alone");
    check_once(faults, path, origins);
    for (index, origin) in origins.iter().enumerate() {
        let fine = (1..=LONGEST_VALUE).contains(&origin.len())
            && origin.bytes().all(|byte| byte.is_ascii_graphic())
            && origin.rfind('*').is_none_or(|last| {
                last == origin.len() - 1 || origin[..=last].matches('*').count() == 1
            });
        let place = format!("{path}.Items[{index}]");
        faults.require(fine, place, code, "not an origin");
    }
}

fn check_security(faults: &mut Faults, security: &ResponseHeadersPolicySecurityHeadersConfig) {
    if let Some(policy) = &security.content_security_policy {
        faults.require(
            policy.content_security_policy.len() <= LONGEST_VALUE,
            "SecurityHeadersConfig.ContentSecurityPolicy",
            ErrorCode::TooLongCSPInResponseHeadersPolicy,
            format!("longer than {LONGEST_VALUE} characters"),
        );
        check_value(
            faults,
            "SecurityHeadersConfig.ContentSecurityPolicy",
            &policy.content_security_policy,
        );
    }
    if let Some(xss) = &security.xss_protection {
        faults.require(
            !(xss.mode_block == Some(true) && xss.report_uri.is_some()),
            "SecurityHeadersConfig.XSSProtection",
            ErrorCode::InvalidArgument,
            "ModeBlock and ReportUri exclude each other",
        );
        check_value(
            faults,
            "SecurityHeadersConfig.XSSProtection",
            xss.report_uri.as_deref().unwrap_or(""),
        );
    }
    if let Some(strict) = &security.strict_transport_security {
        faults.require(
            strict.access_control_max_age_sec >= 0,
            "SecurityHeadersConfig.StrictTransportSecurity.AccessControlMaxAgeSec",
            ErrorCode::InvalidArgument,
            "cannot be negative",
        );
    }
}

fn check_custom(
    faults: &mut Faults,
    custom: &[ResponseHeadersPolicyCustomHeader],
    quotas: &Quotas,
) {
    let too_many = ErrorCode::TooManyCustomHeadersInResponseHeadersPolicy;
    if !few(faults, "CustomHeadersConfig", custom.len(), too_many, quotas) {
        return;
    }
    for (index, header) in custom.iter().enumerate() {
        let place = format!("CustomHeadersConfig.Items[{index}]");
        faults.require(
            http::HeaderName::from_bytes(header.header.as_bytes()).is_ok(),
            &place,
            ErrorCode::InvalidArgument,
            format!("{:?} is not the name of a header", header.header),
        );
        let name = header.header.to_ascii_lowercase();
        let settable = !NEVER_SET.contains(&name.as_str())
            && !NEVER_SET_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
        faults.require(
            settable,
            &place,
            ErrorCode::InvalidArgument,
            format!("{name} cannot be set: the edge itself writes it"),
        );
        let mut earlier = custom.iter().take(index);
        let repeated = earlier.any(|one| one.header.eq_ignore_ascii_case(&name));
        faults.require(
            !repeated,
            &place,
            ErrorCode::InvalidArgument,
            format!("{name} stands twice in the list"),
        );
        let fine = header.value.len() <= LONGEST_VALUE;
        faults.require(fine, &place, ErrorCode::InvalidArgument, "the value is too long");
        check_value(faults, &place, &header.value);
    }
}

fn check_value(faults: &mut Faults, path: &str, value: &str) {
    let fine = http::HeaderValue::from_str(value).is_ok();
    faults.require(fine, path, ErrorCode::InvalidArgument, "not the value of a header");
}

fn few(
    faults: &mut Faults,
    path: &str,
    count: usize,
    too_many: ErrorCode,
    quotas: &Quotas,
) -> bool {
    let fits = quotas.allow(Quota::HeadersInResponsePolicy, count);
    let most = quotas.most(Quota::HeadersInResponsePolicy);
    faults.require(fits, path, too_many, format!("at most {most} headers"));
    fits
}

fn check_removed(faults: &mut Faults, names: &[&str], quotas: &Quotas) {
    let too_many = ErrorCode::TooManyRemoveHeadersInResponseHeadersPolicy;
    if !few(faults, "RemoveHeadersConfig", names.len(), too_many, quotas) {
        return;
    }
    let all: Vec<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
    check_once(faults, "RemoveHeadersConfig", &all);
    for (index, name) in names.iter().enumerate() {
        let lower = name.to_ascii_lowercase();
        let fine = http::HeaderName::from_bytes(name.as_bytes()).is_ok()
            && !NEVER_REMOVED.contains(&lower.as_str())
            && !NEVER_REMOVED_PREFIXES.iter().any(|prefix| lower.starts_with(prefix));
        faults.require(
            fine,
            format!("RemoveHeadersConfig.Items[{index}].Header"),
            ErrorCode::InvalidArgument,
            format!("{name:?} cannot be removed"),
        );
    }
}

/// What the policy means for a behaviour that uses it.
pub fn planned(config: &ResponseHeadersPolicyConfig) -> ResponseHeaders {
    let mut set = config.security_headers_config.as_ref().map(security).unwrap_or_default();
    let custom = config.custom_headers_config.as_ref();
    set.extend(custom.iter().flat_map(|custom| items!(custom)).map(|header| SetHeader {
        name: header.header.to_ascii_lowercase(),
        value: header.value.clone(),
        replace: header.r#override,
    }));
    let removed = config.remove_headers_config.as_ref();
    let removed = removed.iter().flat_map(|list| items!(list));
    ResponseHeaders {
        remove: removed.map(|one| one.header.to_ascii_lowercase()).collect(),
        cors: config.cors_config.as_ref().map(cors),
        set,
        server_timing: config
            .server_timing_headers_config
            .as_ref()
            .filter(|timing| timing.enabled)
            .map(|timing| ten_thousandths(timing.sampling_rate.unwrap_or(0.0))),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0..=100 first, so the product fits"
)]
fn ten_thousandths(percent: f64) -> u32 {
    (percent.clamp(0.0, 100.0) * 10_000.0).round() as u32
}

fn cors(config: &ResponseHeadersPolicyCorsConfig) -> Cors {
    let methods = &config.access_control_allow_methods.items;
    let all = methods.contains(&MethodValue::ALL);
    let named = methods.iter().map(|method| method.as_str().to_owned()).collect();
    Cors {
        allow_origins: config.access_control_allow_origins.items.to_vec(),
        allow_headers: config.access_control_allow_headers.items.to_vec(),
        allow_methods: if all { EVERY_METHOD.map(str::to_owned).to_vec() } else { named },
        expose_headers: config
            .access_control_expose_headers
            .as_ref()
            .map(|list| items!(list).to_vec())
            .unwrap_or_default(),
        allow_credentials: config.access_control_allow_credentials,
        max_age: config
            .access_control_max_age_sec
            .and_then(|age| u64::try_from(age).ok())
            .map(Seconds),
        replace: config.origin_override,
    }
}

fn security(config: &ResponseHeadersPolicySecurityHeadersConfig) -> Vec<SetHeader> {
    let header =
        |name: &str, value: String, replace| SetHeader { name: name.to_owned(), value, replace };
    let mut set = Vec::new();
    if let Some(policy) = &config.content_security_policy {
        let value = policy.content_security_policy.clone();
        set.push(header("content-security-policy", value, policy.r#override));
    }
    if let Some(policy) = &config.referrer_policy {
        let value = policy.referrer_policy.as_str().to_owned();
        set.push(header("referrer-policy", value, policy.r#override));
    }
    if let Some(strict) = &config.strict_transport_security {
        set.push(header("strict-transport-security", strict_transport(strict), strict.r#override));
    }
    if let Some(options) = &config.content_type_options {
        set.push(header("x-content-type-options", "nosniff".to_owned(), options.r#override));
    }
    if let Some(options) = &config.frame_options {
        let value = options.frame_option.as_str().to_owned();
        set.push(header("x-frame-options", value, options.r#override));
    }
    if let Some(protection) = &config.xss_protection {
        set.push(header("x-xss-protection", xss(protection), protection.r#override));
    }
    set
}

fn strict_transport(config: &ResponseHeadersPolicyStrictTransportSecurity) -> String {
    let mut value = format!("max-age={}", config.access_control_max_age_sec);
    if config.include_subdomains == Some(true) {
        value.push_str("; includeSubDomains");
    }
    if config.preload == Some(true) {
        value.push_str("; preload");
    }
    value
}

fn xss(config: &ResponseHeadersPolicyXSSProtection) -> String {
    if !config.protection {
        return "0".to_owned();
    }
    match (&config.report_uri, config.mode_block) {
        (Some(uri), _) => format!("1; report={uri}"),
        (None, Some(true)) => "1; mode=block".to_owned(),
        (None, _) => "1".to_owned(),
    }
}
