//! Cache behaviours: what happens to the requests that one path pattern matches.
//!
//! Source: CloudFront developer guide, "Cache behavior settings".

use super::legacy;
use crate::{
    Faults, Quota, References,
    faults::items,
    policy::{cache, origin_request, response_headers},
};
use model::{
    api::{
        AllowedMethods, CacheBehavior, DefaultCacheBehavior, DistributionConfig, ErrorCode,
        HttpVersion, Method, Origin, ViewerProtocolPolicy as Policy,
    },
    ids::OriginId,
    plan::{
        Behaviour, CachePolicy, Forward, HeaderSelection, Methods, ResponseHeaders, Selection,
        ViewerProtocol,
    },
};

pub(super) fn planned(
    faults: &mut Faults,
    config: &DistributionConfig,
    references: &References,
) -> Vec<Behaviour> {
    let listed = config.cache_behaviors.as_ref().map(|list| items!(list)).unwrap_or_default();
    let too_many = ErrorCode::TooManyCacheBehaviors;
    if !references.room(faults, "CacheBehaviors", Quota::CacheBehaviours, listed.len(), too_many) {
        return Vec::new();
    }
    let mut planned = Vec::with_capacity(listed.len() + 1);
    for (index, behaviour) in listed.iter().enumerate() {
        let path = format!("CacheBehaviors.Items[{index}]");
        let repeated = listed.iter().take(index).any(|earlier| same_pattern(earlier, behaviour));
        let message = format!("two behaviors have the pattern {:?}", behaviour.path_pattern);
        faults.require(
            !repeated,
            format!("{path}.PathPattern"),
            ErrorCode::InvalidArgument,
            message,
        );
        check_pattern(faults, &format!("{path}.PathPattern"), &behaviour.path_pattern);
        planned.extend(one(faults, &path, behaviour, config, references));
    }
    let default = undefaulted(&config.default_cache_behavior);
    planned.extend(one(faults, "DefaultCacheBehavior", &default, config, references));
    planned
}

/// A leading slash makes no difference.
fn same_pattern(one: &CacheBehavior, other: &CacheBehavior) -> bool {
    one.path_pattern.trim_start_matches('/') == other.path_pattern.trim_start_matches('/')
}

/// The default behaviour is one like the others, for every path.
pub(crate) fn undefaulted(default: &DefaultCacheBehavior) -> CacheBehavior {
    let default = default.clone();
    CacheBehavior {
        path_pattern: "*".to_owned(),
        target_origin_id: default.target_origin_id,
        trusted_signers: default.trusted_signers,
        trusted_key_groups: default.trusted_key_groups,
        viewer_protocol_policy: default.viewer_protocol_policy,
        allowed_methods: default.allowed_methods,
        smooth_streaming: default.smooth_streaming,
        compress: default.compress,
        lambda_function_associations: default.lambda_function_associations,
        function_associations: default.function_associations,
        field_level_encryption_id: default.field_level_encryption_id,
        realtime_log_config_arn: default.realtime_log_config_arn,
        cache_policy_id: default.cache_policy_id,
        origin_request_policy_id: default.origin_request_policy_id,
        response_headers_policy_id: default.response_headers_policy_id,
        grpc_config: default.grpc_config,
        forwarded_values: default.forwarded_values,
        min_ttl: default.min_ttl,
        default_ttl: default.default_ttl,
        max_ttl: default.max_ttl,
    }
}

fn check_pattern(faults: &mut Faults, path: &str, pattern: &str) {
    let fine = (1..=255).contains(&pattern.len())
        && pattern
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-.*$/~\"'@:+&?%!".contains(&byte));
    let message = format!("{pattern:?} is not a path pattern of at most 255 allowed characters");
    faults.require(fine, path, ErrorCode::InvalidArgument, message);
}

fn one(
    faults: &mut Faults,
    path: &str,
    behaviour: &CacheBehavior,
    config: &DistributionConfig,
    references: &References,
) -> Option<Behaviour> {
    let known = config.origins.items.iter().any(|origin| origin.id == behaviour.target_origin_id);
    let message = format!("there is no origin {:?}", behaviour.target_origin_id);
    faults.require(known, format!("{path}.TargetOriginId"), ErrorCode::NoSuchOrigin, message);
    let (allowed, cache_options) = methods(faults, path, behaviour.allowed_methods.as_ref());
    let grpc = grpc(faults, path, behaviour, allowed, config);
    let (cache, forward) = caching(faults, path, behaviour, config, references)?;
    Some(Behaviour {
        pattern: behaviour.path_pattern.clone(),
        origin: OriginId(behaviour.target_origin_id.clone()),
        viewer_protocol: match behaviour.viewer_protocol_policy {
            Policy::AllowAll => ViewerProtocol::AllowAll,
            Policy::RedirectToHttps => ViewerProtocol::RedirectToHttps,
            Policy::HttpsOnly => ViewerProtocol::HttpsOnly,
        },
        allowed,
        cache_options,
        compress: behaviour.compress == Some(true),
        grpc,
        cache,
        forward,
        response_headers: response_headers(faults, path, behaviour, references),
    })
}

/// gRPC is POST over HTTP/2 (CloudFront developer guide, using gRPC with distributions).
fn grpc(
    faults: &mut Faults,
    path: &str,
    behaviour: &CacheBehavior,
    allowed: Methods,
    config: &DistributionConfig,
) -> bool {
    let grpc = behaviour.grpc_config.as_ref().is_some_and(|grpc| grpc.enabled);
    let version = config.http_version.unwrap_or(HttpVersion::Http2);
    let http2 = matches!(version, HttpVersion::Http2 | HttpVersion::Http2and3);
    faults.require(
        !grpc || (allowed == Methods::All && http2),
        format!("{path}.GrpcConfig"),
        ErrorCode::InvalidArgument,
        "gRPC needs all seven methods in AllowedMethods, and HttpVersion http2 or http2and3",
    );
    grpc
}

fn goes_to_a_bucket(behaviour: &CacheBehavior, config: &DistributionConfig) -> bool {
    let named = |origin: &&Origin| origin.id == behaviour.target_origin_id;
    let found = config.origins.items.iter().find(named);
    found.is_some_and(|origin| origin.s3_origin_config.is_some())
}

fn methods(faults: &mut Faults, path: &str, given: Option<&AllowedMethods>) -> (Methods, bool) {
    let Some(given) = given else {
        return (Methods::Read, false);
    };
    let path = format!("{path}.AllowedMethods");
    let allowed = method_set(&given.items);
    let code = ErrorCode::InvalidArgument;
    let message = "must be GET and HEAD, or these and OPTIONS, or all seven methods";
    faults.require(allowed.is_some(), &path, code, message);
    let allowed = allowed.unwrap_or(Methods::Read);
    let Some(cached) = &given.cached_methods else {
        return (allowed, false);
    };
    let options = match method_set(&cached.items) {
        Some(Methods::Read) => false,
        Some(Methods::ReadAndOptions) => true,
        _ => {
            faults.add(&path, code, "CachedMethods must be GET and HEAD, or these and OPTIONS");
            false
        }
    };
    let fine = !options || allowed != Methods::Read;
    faults.require(fine, path, code, "OPTIONS cannot be cached where it is not allowed");
    (allowed, options)
}

fn method_set(methods: &[Method]) -> Option<Methods> {
    let distinct = methods
        .iter()
        .enumerate()
        .all(|(index, one)| !methods.iter().take(index).any(|earlier| earlier == one));
    let read = methods.contains(&Method::GET) && methods.contains(&Method::HEAD);
    match (distinct && read, methods.len(), methods.contains(&Method::OPTIONS)) {
        (true, 2, false) => Some(Methods::Read),
        (true, 3, true) => Some(Methods::ReadAndOptions),
        (true, 7, true) => Some(Methods::All),
        _ => None,
    }
}

/// By policies or by the older `ForwardedValues`: one or the other.
pub(crate) fn caching(
    faults: &mut Faults,
    path: &str,
    behaviour: &CacheBehavior,
    config: &DistributionConfig,
    references: &References,
) -> Option<(CachePolicy, Forward)> {
    let id = behaviour.cache_policy_id.as_deref().filter(|id| !id.is_empty());
    let request = behaviour.origin_request_policy_id.as_deref().filter(|id| !id.is_empty());
    let code = ErrorCode::InvalidArgument;
    match (id, &behaviour.forwarded_values) {
        (Some(id), None) => {
            let lifetimes = [behaviour.min_ttl, behaviour.default_ttl, behaviour.max_ttl];
            let none = lifetimes.iter().all(Option::is_none);
            faults.require(
                none,
                path,
                code,
                "MinTTL, DefaultTTL and MaxTTL stand in the cache policy",
            );
            let cache = cache_policy(faults, path, id, references);
            let forward = forward(faults, path, request, references);
            cache.zip(forward)
        }
        (None, Some(values)) => {
            let message = "an origin request policy needs a cache policy";
            faults.require(request.is_none(), path, code, message);
            let bucket = goes_to_a_bucket(behaviour, config);
            legacy::check(faults, path, values, bucket, &references.quotas);
            Some(legacy::planned(faults, path, behaviour, values))
        }
        (Some(_), Some(_)) => {
            faults.add(path, code, "CachePolicyId and ForwardedValues exclude each other");
            None
        }
        (None, None) => {
            faults.add(path, code, "needs CachePolicyId (or the older ForwardedValues)");
            None
        }
    }
}

fn cache_policy(
    faults: &mut Faults,
    path: &str,
    id: &str,
    references: &References,
) -> Option<CachePolicy> {
    let found = references.cache_policy(id);
    let path = format!("{path}.CachePolicyId");
    let message = format!("there is no cache policy {id}");
    faults.require(
        found.is_some() || references.offline,
        path,
        ErrorCode::NoSuchCachePolicy,
        message,
    );
    found.map(|config| cache::planned(id, config))
}

fn forward(
    faults: &mut Faults,
    path: &str,
    id: Option<&str>,
    references: &References,
) -> Option<Forward> {
    let Some(id) = id else {
        return Some(Forward {
            id: None,
            legacy: false,
            headers: HeaderSelection::None,
            cookies: Selection::None,
            query: Selection::None,
        });
    };
    let found = references.origin_request_policy(id);
    let path = format!("{path}.OriginRequestPolicyId");
    let message = format!("there is no origin request policy {id}");
    let code = ErrorCode::NoSuchOriginRequestPolicy;
    faults.require(found.is_some() || references.offline, path, code, message);
    found.map(|config| origin_request::planned(id, config))
}

fn response_headers(
    faults: &mut Faults,
    path: &str,
    behaviour: &CacheBehavior,
    references: &References,
) -> Option<ResponseHeaders> {
    let id = behaviour.response_headers_policy_id.as_deref().filter(|id| !id.is_empty())?;
    let found = references.response_headers_policy(id);
    let path = format!("{path}.ResponseHeadersPolicyId");
    let message = format!("there is no response headers policy {id}");
    let code = ErrorCode::NoSuchResponseHeadersPolicy;
    faults.require(found.is_some() || references.offline, path, code, message);
    found.map(response_headers::planned)
}
