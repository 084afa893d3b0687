//! What the API fills in where the user left something out, so that every answer is complete and
//! can be sent back as an update.

use model::api::{
    AliasList, Aliases, AllowedMethods, CacheBehavior, CacheBehaviors, CachedMethods,
    CertificateSource, ConnectionMode, CustomErrorResponses, CustomHeaders, DefaultCacheBehavior,
    DistributionConfig, FunctionAssociations, GeoRestriction, GeoRestrictionType, GrpcConfig,
    Headers, HttpVersion, IpAddressType, LambdaFunctionAssociations, LoggingConfig, Method,
    MethodsList, MinimumProtocolVersion, Origin, OriginGroups, OriginShield, OriginSslProtocols,
    PriceClass, QueryStringCacheKeys, Restrictions, SSLSupportMethod, SslProtocol,
    SslProtocolsList, TrustedKeyGroups, TrustedSigners, ViewerCertificate,
};

/// Lifetime when neither origin nor user says one, in seconds.
pub const DEFAULT_TTL: i64 = 86_400;
/// Longest lifetime when the user says none, in seconds.
pub const MAX_TTL: i64 = 31_536_000;
/// How long errors are kept when the user does not say, in seconds.
pub const ERROR_CACHING_MIN_TTL: i64 = 10;
/// Connection attempts.
pub const CONNECTION_ATTEMPTS: i32 = 3;
/// Seconds for each connection attempt.
pub const CONNECTION_TIMEOUT: i32 = 10;
/// Seconds to the first byte and between bytes.
pub const READ_TIMEOUT: i32 = 30;
/// Seconds that idle origin connections are kept.
pub const KEEPALIVE_TIMEOUT: i32 = 5;

/// Fills in everything that has a default (CloudFront API reference, `DistributionConfig`).
pub fn fill(config: &mut DistributionConfig) {
    config.aliases.get_or_insert(Aliases { quantity: 0, items: None });
    lower_case_aliases(config);
    config.default_root_object.get_or_insert_default();
    config.origins.items.0.iter_mut().for_each(fill_origin);
    config.origin_groups.get_or_insert(OriginGroups { quantity: 0, items: None });
    fill_default_behaviour(&mut config.default_cache_behavior);
    let behaviours = config.cache_behaviors.get_or_insert_with(CacheBehaviors::default);
    behaviours.items.iter_mut().flat_map(|list| list.0.iter_mut()).for_each(fill_behaviour);
    let errors = config.custom_error_responses.get_or_insert_with(CustomErrorResponses::default);
    for error in errors.items.iter_mut().flat_map(|list| list.0.iter_mut()) {
        error.error_caching_min_ttl.get_or_insert(ERROR_CACHING_MIN_TTL);
        error.response_code.get_or_insert_default();
        error.response_page_path.get_or_insert_default();
    }
    fill_distribution(config);
}

/// Names of hosts have no case; the API keeps them in lower case.
fn lower_case_aliases(config: &mut DistributionConfig) {
    if let Some(Aliases { items: Some(AliasList(names)), .. }) = &mut config.aliases {
        for name in names {
            name.make_ascii_lowercase();
        }
    }
}

fn fill_distribution(config: &mut DistributionConfig) {
    let logging = config.logging.get_or_insert_with(LoggingConfig::default);
    logging.enabled.get_or_insert(false);
    logging.include_cookies.get_or_insert(false);
    logging.bucket.get_or_insert_default();
    logging.prefix.get_or_insert_default();
    if logging.enabled == Some(false) {
        // As the API does: nothing that has no effect is kept.
        logging.bucket = Some(String::new());
        logging.prefix = Some(String::new());
    }
    config.price_class.get_or_insert(PriceClass::PriceClassAll);
    fill_certificate(config.viewer_certificate.get_or_insert_default());
    config.restrictions.get_or_insert(Restrictions {
        geo_restriction: GeoRestriction {
            restriction_type: GeoRestrictionType::None,
            quantity: 0,
            items: None,
        },
    });
    config.web_acl_id.get_or_insert_default();
    config.http_version.get_or_insert(HttpVersion::Http2);
    config.is_ipv6_enabled.get_or_insert(false);
    config.continuous_deployment_policy_id.get_or_insert_default();
    config.staging.get_or_insert(false);
    config.connection_mode.get_or_insert(ConnectionMode::Direct);
}

fn fill_certificate(certificate: &mut ViewerCertificate) {
    adopt_older_form(certificate);
    let own = certificate.acm_certificate_arn.clone().or(certificate.iam_certificate_id.clone());
    if let Some(name) = own.filter(|name| !name.is_empty()) {
        certificate.cloud_front_default_certificate.get_or_insert(false);
        certificate.minimum_protocol_version.get_or_insert(MinimumProtocolVersion::TLSv1);
        certificate.certificate_source = Some(CertificateSource::Acm);
        certificate.certificate = Some(name);
        return;
    }
    certificate.cloud_front_default_certificate.get_or_insert(true);
    certificate.ssl_support_method.get_or_insert(SSLSupportMethod::Vip);
    certificate.minimum_protocol_version = Some(MinimumProtocolVersion::TLSv1);
    certificate.certificate_source = Some(CertificateSource::Cloudfront);
    certificate.certificate = None;
}

/// `Certificate` and `CertificateSource` are what older clients send, and what every answer repeats:
/// they count only where nothing newer says which certificate is meant.
fn adopt_older_form(certificate: &mut ViewerCertificate) {
    let given = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    let newer = certificate.cloud_front_default_certificate == Some(true)
        || given(&certificate.acm_certificate_arn)
        || given(&certificate.iam_certificate_id);
    if newer {
        return;
    }
    match certificate.certificate_source {
        Some(CertificateSource::Acm) => {
            certificate.acm_certificate_arn = certificate.certificate.take();
        }
        Some(CertificateSource::Iam) => {
            certificate.iam_certificate_id = certificate.certificate.take();
        }
        Some(CertificateSource::Cloudfront) | None => {}
    }
}

fn fill_origin(origin: &mut Origin) {
    origin.origin_path.get_or_insert_default();
    origin.custom_headers.get_or_insert(CustomHeaders { quantity: 0, items: None });
    origin.connection_attempts.get_or_insert(CONNECTION_ATTEMPTS);
    origin.connection_timeout.get_or_insert(CONNECTION_TIMEOUT);
    origin.origin_shield.get_or_insert(OriginShield { enabled: false, origin_shield_region: None });
    origin.origin_access_control_id.get_or_insert_default();
    if let Some(s3) = &mut origin.s3_origin_config {
        s3.origin_read_timeout.get_or_insert(READ_TIMEOUT);
    }
    if let Some(custom) = &mut origin.custom_origin_config {
        custom.origin_read_timeout.get_or_insert(READ_TIMEOUT);
        custom.origin_keepalive_timeout.get_or_insert(KEEPALIVE_TIMEOUT);
        custom.ip_address_type.get_or_insert(IpAddressType::Ipv4);
        custom.origin_ssl_protocols.get_or_insert_with(|| OriginSslProtocols {
            quantity: 1,
            items: SslProtocolsList(vec![SslProtocol::TLSv12]),
        });
    }
}

/// The same fields stand in the default behaviour and in the others.
macro_rules! fill_behaviour {
    ($name:ident, $kind:ty) => {
        fn $name(behaviour: &mut $kind) {
            behaviour.trusted_signers.get_or_insert(TrustedSigners {
                enabled: false,
                quantity: 0,
                items: None,
            });
            behaviour.trusted_key_groups.get_or_insert(TrustedKeyGroups {
                enabled: false,
                quantity: 0,
                items: None,
            });
            let methods = behaviour.allowed_methods.get_or_insert_with(read_methods);
            methods.cached_methods.get_or_insert_with(|| CachedMethods {
                quantity: 2,
                items: MethodsList(vec![Method::HEAD, Method::GET]),
            });
            behaviour.smooth_streaming.get_or_insert(false);
            behaviour.compress.get_or_insert(false);
            behaviour
                .lambda_function_associations
                .get_or_insert(LambdaFunctionAssociations { quantity: 0, items: None });
            behaviour
                .function_associations
                .get_or_insert(FunctionAssociations { quantity: 0, items: None });
            behaviour.field_level_encryption_id.get_or_insert_default();
            behaviour.grpc_config.get_or_insert(GrpcConfig { enabled: false });
            if let Some(forwarded) = &mut behaviour.forwarded_values {
                forwarded.headers.get_or_insert(Headers { quantity: 0, items: None });
                let none = QueryStringCacheKeys { quantity: 0, items: None };
                forwarded.query_string_cache_keys.get_or_insert(none);
                behaviour.min_ttl.get_or_insert(0);
                behaviour.default_ttl.get_or_insert(DEFAULT_TTL);
                behaviour.max_ttl.get_or_insert(MAX_TTL);
            }
        }
    };
}
fill_behaviour!(fill_default_behaviour, DefaultCacheBehavior);
fill_behaviour!(fill_behaviour, CacheBehavior);

fn read_methods() -> AllowedMethods {
    AllowedMethods {
        quantity: 2,
        items: MethodsList(vec![Method::HEAD, Method::GET]),
        cached_methods: None,
    }
}
