//! Cache policies: what makes two requests the same, and for how long the answer is kept.
//!
//! Source: CloudFront developer guide, "Understand cache policies".

use super::{Choice, check_field_names, check_label, check_names, lower_case, names_of};
use crate::{
    Faults, Quotas,
    defaults::{DEFAULT_TTL, MAX_TTL},
    managed,
};
use model::{
    api::{
        CachePolicyConfig, CachePolicyHeaderBehavior, ErrorCode,
        ParametersInCacheKeyAndForwardedToOrigin,
    },
    ids::PolicyId,
    plan::{CachePolicy, Law, Selection, Ttl},
    units::Seconds,
};

/// Headers that can never be part of the key (developer guide, "cache policy headers").
const NEVER_KEYED: [&str; 12] = [
    "cloudfront-viewer-address",
    "cloudfront-viewer-asn",
    "cloudfront-viewer-tls",
    "cloudfront-viewer-ja3-fingerprint",
    "cloudfront-viewer-ja4-fingerprint",
    "connection",
    "cookie",
    "proxy-authorization",
    "te",
    "transfer-encoding",
    "upgrade",
    "content-length",
];

/// Longest lifetime that can be asked for: a hundred years.
pub(crate) const LONGEST_TTL: i64 = 3_153_600_000;

/// Whether this policy may be kept.
///
/// # Errors
/// Everything that is wrong with it.
pub fn check(config: &CachePolicyConfig, quotas: &Quotas) -> Result<(), Faults> {
    let mut faults = Faults::default();
    check_label(&mut faults, &config.name, config.comment.as_ref());
    check_ttls(&mut faults, "", config.min_ttl, config.default_ttl, config.max_ttl);
    if let Some(parameters) = &config.parameters_in_cache_key_and_forwarded_to_origin {
        check_parameters(&mut faults, parameters, quotas);
        if ttl(config).max == Seconds::ZERO {
            check_nothing_keyed(&mut faults, parameters);
        }
    }
    faults.into_result()
}

/// `min ≤ default ≤ max`, none of them negative or beyond a hundred years.
pub(crate) fn check_ttls(
    faults: &mut Faults,
    path: &str,
    min: i64,
    default: Option<i64>,
    max: Option<i64>,
) {
    for (name, value) in [("MinTTL", Some(min)), ("DefaultTTL", default), ("MaxTTL", max)] {
        if let Some(value) = value {
            let place = format!("{path}{name}");
            faults.within(place, &value, 0..=LONGEST_TTL, ErrorCode::InvalidArgument);
        }
    }
    let (default, max) = widened(min, default, max);
    faults.require(
        min <= default && default <= max,
        format!("{path}MinTTL"),
        ErrorCode::InvalidTTLOrder,
        format!("MinTTL {min} ≤ DefaultTTL {default} ≤ MaxTTL {max} does not hold"),
    );
}

/// Fills in the lifetimes that were left out.
pub fn fill(config: &mut CachePolicyConfig) {
    let (default, max) = widened(config.min_ttl, config.default_ttl, config.max_ttl);
    config.default_ttl = Some(default);
    config.max_ttl = Some(max);
}

/// What is left out grows with what is given.
fn widened(min: i64, default: Option<i64>, max: Option<i64>) -> (i64, i64) {
    let default =
        default.unwrap_or_else(|| max.map_or(DEFAULT_TTL, |max| max.min(DEFAULT_TTL)).max(min));
    (default, max.unwrap_or_else(|| MAX_TTL.max(default)))
}

fn check_parameters(
    faults: &mut Faults,
    given: &ParametersInCacheKeyAndForwardedToOrigin,
    quotas: &Quotas,
) {
    let path = "ParametersInCacheKeyAndForwardedToOrigin";
    let headers = &given.headers_config;
    let place = format!("{path}.HeadersConfig.Headers");
    let needs = headers.header_behavior == CachePolicyHeaderBehavior::Whitelist;
    let list = headers.headers.as_ref();
    check_names(faults, &place, needs, list, ErrorCode::TooManyHeadersInCachePolicy, quotas);
    check_field_names(faults, &place, names_of(list));
    for name in names_of(list) {
        faults.require(
            !NEVER_KEYED.contains(&name.to_ascii_lowercase().as_str()),
            &place,
            ErrorCode::InvalidArgument,
            format!("{name} cannot be part of the cache key"),
        );
    }
    let cookies = &given.cookies_config;
    check_names(
        faults,
        &format!("{path}.CookiesConfig.Cookies"),
        needs_names(cookies.cookie_behavior.as_str()),
        cookies.cookies.as_ref(),
        ErrorCode::TooManyCookiesInCachePolicy,
        quotas,
    );
    let query = &given.query_strings_config;
    check_names(
        faults,
        &format!("{path}.QueryStringsConfig.QueryStrings"),
        needs_names(query.query_string_behavior.as_str()),
        query.query_strings.as_ref(),
        ErrorCode::TooManyQueryStringsInCachePolicy,
        quotas,
    );
}

pub(crate) fn needs_names(choice: &str) -> bool {
    matches!(Choice::of(choice), Choice::Only | Choice::Except)
}

/// With caching switched off there is no key to put anything in.
fn check_nothing_keyed(faults: &mut Faults, given: &ParametersInCacheKeyAndForwardedToOrigin) {
    let nothing = given.headers_config.header_behavior == CachePolicyHeaderBehavior::None
        && given.cookies_config.cookie_behavior.as_str() == "none"
        && given.query_strings_config.query_string_behavior.as_str() == "none"
        && !given.enable_accept_encoding_gzip
        && given.enable_accept_encoding_brotli != Some(true);
    faults.require(
        nothing,
        "ParametersInCacheKeyAndForwardedToOrigin",
        ErrorCode::InvalidArgument,
        "a policy with caching switched off (MaxTTL 0) can have nothing in the cache key; \
         forward values with an origin request policy",
    );
}

/// What the policy means for a behaviour that uses it.
pub fn planned(id: &str, config: &CachePolicyConfig) -> CachePolicy {
    let parameters = config.parameters_in_cache_key_and_forwarded_to_origin.as_ref();
    let headers = parameters.map(|given| names_of(given.headers_config.headers.as_ref()));
    let headers = lower_case(headers.unwrap_or_default());
    // Who lists Accept-Encoding wants it as it came: it is then not normalised.
    let normalised = !headers.iter().any(|name| name == "accept-encoding");
    CachePolicy {
        id: Some(PolicyId::from(id)),
        law: if id == managed::HTTP_STANDARD { Law::Http } else { Law::CloudFront },
        ttl: if id == managed::HTTP_STANDARD { heuristic(config) } else { ttl(config) },
        headers,
        cookies: parameters.map_or(Selection::None, |given| {
            Choice::of(given.cookies_config.cookie_behavior.as_str())
                .select(given.cookies_config.cookies.as_ref())
        }),
        query: parameters.map_or(Selection::None, |given| {
            Choice::of(given.query_strings_config.query_string_behavior.as_str())
                .select(given.query_strings_config.query_strings.as_ref())
        }),
        gzip: normalised && parameters.is_some_and(|given| given.enable_accept_encoding_gzip),
        brotli: normalised
            && parameters.is_some_and(|given| given.enable_accept_encoding_brotli == Some(true)),
        zstd: false,
        all_headers: false,
    }
}

fn ttl(config: &CachePolicyConfig) -> Ttl {
    lifetimes(config.min_ttl, config.default_ttl, config.max_ttl)
}

/// RFC 9111 §4.2.2: without a default, freshness is guessed.
fn heuristic(config: &CachePolicyConfig) -> Ttl {
    Ttl { default: None, ..ttl(config) }
}

/// Lifetimes with what was left out filled in.
pub(crate) fn lifetimes(min: i64, default: Option<i64>, max: Option<i64>) -> Ttl {
    let (default, max) = widened(min, default, max);
    Ttl { min: seconds(min), default: Some(seconds(default)), max: seconds(max) }
}

pub(crate) fn seconds(value: i64) -> Seconds {
    Seconds(u64::try_from(value).unwrap_or(0))
}
