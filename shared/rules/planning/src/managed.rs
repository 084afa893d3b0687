//! The managed policies: always there, the same ids everywhere, never changed.
//!
//! Source: CloudFront developer guide, "Use managed cache policies" and its two siblings; and
//! `Managed-HttpStandard`, which is Nearfront's own.

use model::api::{
    AccessControlAllowHeadersList, AccessControlAllowMethodsList, AccessControlAllowOriginsList,
    AccessControlExposeHeadersList, CachePolicyConfig, CachePolicyCookieBehavior,
    CachePolicyCookiesConfig, CachePolicyHeaderBehavior, CachePolicyHeadersConfig,
    CachePolicyQueryStringBehavior, CachePolicyQueryStringsConfig, FrameOptionsList, Headers,
    OriginRequestPolicyConfig, OriginRequestPolicyCookieBehavior, OriginRequestPolicyCookiesConfig,
    OriginRequestPolicyHeaderBehavior, OriginRequestPolicyHeadersConfig,
    OriginRequestPolicyQueryStringBehavior, OriginRequestPolicyQueryStringsConfig,
    ParametersInCacheKeyAndForwardedToOrigin, QueryStringNames, ReferrerPolicyList,
    ResponseHeadersPolicyAccessControlAllowHeaders, ResponseHeadersPolicyAccessControlAllowMethods,
    ResponseHeadersPolicyAccessControlAllowMethodsValues as MethodValue,
    ResponseHeadersPolicyAccessControlAllowOrigins,
    ResponseHeadersPolicyAccessControlExposeHeaders, ResponseHeadersPolicyConfig,
    ResponseHeadersPolicyContentTypeOptions, ResponseHeadersPolicyCorsConfig,
    ResponseHeadersPolicyFrameOptions, ResponseHeadersPolicyReferrerPolicy,
    ResponseHeadersPolicySecurityHeadersConfig, ResponseHeadersPolicyStrictTransportSecurity,
    ResponseHeadersPolicyXSSProtection,
};
use std::{collections::BTreeMap, sync::LazyLock};

/// Id of `Managed-HttpStandard`, whose behaviours follow RFC 9111 to the letter.
pub const HTTP_STANDARD: &str = "00000000-9111-4111-8111-000000009111";

type Table<C> = LazyLock<BTreeMap<&'static str, C>>;

static CACHE: Table<CachePolicyConfig> = LazyLock::new(cache_table);
static ORIGIN_REQUEST: Table<OriginRequestPolicyConfig> = LazyLock::new(origin_request_table);
static RESPONSE_HEADERS: Table<ResponseHeadersPolicyConfig> = LazyLock::new(response_headers_table);

/// The managed cache policy of this id.
pub fn cache_policy(id: &str) -> Option<&'static CachePolicyConfig> {
    CACHE.get(id)
}

/// All managed cache policies, by id.
pub fn cache_policies() -> impl Iterator<Item = (&'static str, &'static CachePolicyConfig)> {
    CACHE.iter().map(|(id, config)| (*id, config))
}

/// The managed origin request policy of this id.
pub fn origin_request_policy(id: &str) -> Option<&'static OriginRequestPolicyConfig> {
    ORIGIN_REQUEST.get(id)
}

/// All managed origin request policies, by id.
pub fn origin_request_policies()
-> impl Iterator<Item = (&'static str, &'static OriginRequestPolicyConfig)> {
    ORIGIN_REQUEST.iter().map(|(id, config)| (*id, config))
}

/// The managed response headers policy of this id.
pub fn response_headers_policy(id: &str) -> Option<&'static ResponseHeadersPolicyConfig> {
    RESPONSE_HEADERS.get(id)
}

/// All managed response headers policies, by id.
pub fn response_headers_policies()
-> impl Iterator<Item = (&'static str, &'static ResponseHeadersPolicyConfig)> {
    RESPONSE_HEADERS.iter().map(|(id, config)| (*id, config))
}

fn quantity<T>(items: &[T]) -> i32 {
    i32::try_from(items.len()).unwrap_or(i32::MAX)
}

fn headers(names: &[&str]) -> Option<Headers> {
    let list: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    (!list.is_empty()).then(|| Headers { quantity: quantity(&list), items: Some(list.into()) })
}

fn query_names(names: &[&str]) -> Option<QueryStringNames> {
    let list: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    (!list.is_empty())
        .then(|| QueryStringNames { quantity: quantity(&list), items: Some(list.into()) })
}

/// One row of the developer guide's table.
struct CacheRow {
    name: &'static str,
    /// Minimum, default, maximum, in seconds.
    ttl: (i64, i64, i64),
    headers: &'static [&'static str],
    cookies: CachePolicyCookieBehavior,
    query: (CachePolicyQueryStringBehavior, &'static [&'static str]),
    gzip: bool,
    brotli: bool,
}

const OVERRIDES: &[&str] =
    &["Host", "Origin", "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"];

#[expect(clippy::too_many_lines, reason = "one table, best read whole")]
fn cache_table() -> BTreeMap<&'static str, CachePolicyConfig> {
    use CachePolicyCookieBehavior as Cookies;
    use CachePolicyQueryStringBehavior as Query;
    let row = |name, ttl, headers, cookies, query, gzip, brotli| {
        cache_config(&CacheRow { name, ttl, headers, cookies, query, gzip, brotli })
    };
    let year = 31_536_000;
    let none = (Query::None, &[] as &[&str]);
    let all = (Query::All, &[] as &[&str]);
    let package = (Query::Whitelist, &["aws.manifestfilter", "start", "end", "m"] as &[&str]);
    BTreeMap::from([
        (
            "658327ea-f89d-4fab-a63d-7e88639e58f6",
            row(
                "Managed-CachingOptimized",
                (1, 86_400, year),
                &[],
                Cookies::None,
                none,
                true,
                true,
            ),
        ),
        (
            "b2884449-e4de-46a7-ac36-70bc7f1ddd6d",
            row(
                "Managed-CachingOptimizedForUncompressedObjects",
                (1, 86_400, year),
                &[],
                Cookies::None,
                none,
                false,
                false,
            ),
        ),
        (
            "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
            row("Managed-CachingDisabled", (0, 0, 0), &[], Cookies::None, none, false, false),
        ),
        (
            "08627262-05a9-4f76-9ded-b50ca2e3a84f",
            row(
                "Managed-Elemental-MediaPackage",
                (0, 86_400, year),
                &["Origin"],
                Cookies::None,
                package,
                true,
                false,
            ),
        ),
        (
            "2e54312d-136d-493c-8eb9-b001f22f67d2",
            row(
                "Managed-Amplify",
                (2, 2, 600),
                &["Authorization", "CloudFront-Viewer-Country", "Host"],
                Cookies::All,
                all,
                true,
                true,
            ),
        ),
        (
            "83da9c7e-98b4-4e11-a168-04f0df8e2c65",
            row(
                "UseOriginCacheControlHeaders",
                (0, 0, year),
                OVERRIDES,
                Cookies::All,
                none,
                true,
                true,
            ),
        ),
        (
            "4cc15a8a-d715-48a4-82b8-cc0b614638fe",
            row(
                "UseOriginCacheControlHeaders-QueryStrings",
                (0, 0, year),
                OVERRIDES,
                Cookies::All,
                all,
                true,
                true,
            ),
        ),
        (
            HTTP_STANDARD,
            row("Managed-HttpStandard", (0, 0, year), &[], Cookies::None, all, false, false),
        ),
    ])
}

fn cache_config(row: &CacheRow) -> CachePolicyConfig {
    CachePolicyConfig {
        comment: Some(String::new()),
        name: row.name.to_owned(),
        min_ttl: row.ttl.0,
        default_ttl: Some(row.ttl.1),
        max_ttl: Some(row.ttl.2),
        parameters_in_cache_key_and_forwarded_to_origin: Some(
            ParametersInCacheKeyAndForwardedToOrigin {
                enable_accept_encoding_gzip: row.gzip,
                enable_accept_encoding_brotli: Some(row.brotli),
                headers_config: CachePolicyHeadersConfig {
                    header_behavior: if row.headers.is_empty() {
                        CachePolicyHeaderBehavior::None
                    } else {
                        CachePolicyHeaderBehavior::Whitelist
                    },
                    headers: headers(row.headers),
                },
                cookies_config: CachePolicyCookiesConfig {
                    cookie_behavior: row.cookies,
                    cookies: None,
                },
                query_strings_config: CachePolicyQueryStringsConfig {
                    query_string_behavior: row.query.0,
                    query_strings: query_names(row.query.1),
                },
            },
        ),
    }
}

const CLOUDFRONT_HEADERS: &[&str] = &[
    "CloudFront-Forwarded-Proto",
    "CloudFront-Is-Android-Viewer",
    "CloudFront-Is-Desktop-Viewer",
    "CloudFront-Is-IOS-Viewer",
    "CloudFront-Is-Mobile-Viewer",
    "CloudFront-Is-SmartTV-Viewer",
    "CloudFront-Is-Tablet-Viewer",
    "CloudFront-Viewer-Address",
    "CloudFront-Viewer-ASN",
    "CloudFront-Viewer-City",
    "CloudFront-Viewer-Country",
    "CloudFront-Viewer-Country-Name",
    "CloudFront-Viewer-Country-Region",
    "CloudFront-Viewer-Country-Region-Name",
    "CloudFront-Viewer-Http-Version",
    "CloudFront-Viewer-Latitude",
    "CloudFront-Viewer-Longitude",
    "CloudFront-Viewer-Metro-Code",
    "CloudFront-Viewer-Postal-Code",
    "CloudFront-Viewer-Time-Zone",
    "CloudFront-Viewer-TLS",
];

const CORS_REQUEST: &[&str] =
    &["Origin", "Access-Control-Request-Headers", "Access-Control-Request-Method"];

#[expect(clippy::too_many_lines, reason = "one table, best read whole")]
fn origin_request_table() -> BTreeMap<&'static str, OriginRequestPolicyConfig> {
    use OriginRequestPolicyHeaderBehavior as Viewer;
    let tailor: &[&str] = &[
        "Origin",
        "Access-Control-Request-Headers",
        "Access-Control-Request-Method",
        "User-Agent",
        "X-Forwarded-For",
    ];
    let rows: [(_, _, _, &[&str], bool, bool); 8] = [
        ("216adef6-5c7f-47e4-b989-5492eafa07d3", "AllViewer", Viewer::AllViewer, &[], true, true),
        (
            "b689b0a8-53d0-40ab-baf2-68738e2966ac",
            "AllViewerExceptHostHeader",
            Viewer::AllExcept,
            &["Host"],
            true,
            true,
        ),
        (
            "33f36d7e-f396-46d9-90e0-52428a34d9dc",
            "AllViewerAndCloudFrontHeaders-2022-06",
            Viewer::AllViewerAndWhitelistCloudFront,
            CLOUDFRONT_HEADERS,
            true,
            true,
        ),
        (
            "59781a5b-3903-41f3-afcb-af62929ccde1",
            "CORS-CustomOrigin",
            Viewer::Whitelist,
            &["Origin"],
            false,
            false,
        ),
        (
            "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf",
            "CORS-S3Origin",
            Viewer::Whitelist,
            CORS_REQUEST,
            false,
            false,
        ),
        (
            "775133bc-15f2-49f9-abea-afb2e0bf67d2",
            "Elemental-MediaTailor-PersonalizedManifests",
            Viewer::Whitelist,
            tailor,
            false,
            true,
        ),
        (
            "acba4595-bd28-49b8-b9fe-13317c0390fa",
            "UserAgentRefererHeaders",
            Viewer::Whitelist,
            &["User-Agent", "Referer"],
            false,
            false,
        ),
        (
            "bf0718e1-ba1e-49d1-88b1-f726733018ae",
            "HostHeaderOnly",
            Viewer::Whitelist,
            &["Host"],
            false,
            false,
        ),
    ];
    rows.into_iter()
        .map(|(id, name, viewer, names, cookies, query)| {
            (id, origin_request_config(name, viewer, names, cookies, query))
        })
        .collect()
}

fn origin_request_config(
    name: &str,
    header_behavior: OriginRequestPolicyHeaderBehavior,
    names: &[&str],
    cookies: bool,
    query: bool,
) -> OriginRequestPolicyConfig {
    use {
        OriginRequestPolicyCookieBehavior as Cookies,
        OriginRequestPolicyQueryStringBehavior as Query,
    };
    OriginRequestPolicyConfig {
        comment: Some(String::new()),
        name: format!("Managed-{name}"),
        headers_config: OriginRequestPolicyHeadersConfig {
            header_behavior,
            headers: headers(names),
        },
        cookies_config: OriginRequestPolicyCookiesConfig {
            cookie_behavior: if cookies { Cookies::All } else { Cookies::None },
            cookies: None,
        },
        query_strings_config: OriginRequestPolicyQueryStringsConfig {
            query_string_behavior: if query { Query::All } else { Query::None },
            query_strings: None,
        },
    }
}

fn response_headers_table() -> BTreeMap<&'static str, ResponseHeadersPolicyConfig> {
    let rows = [
        ("60669652-455b-4ae9-85a4-c4c02393f86c", "SimpleCORS", Some(false), false),
        ("5cc3b908-e619-4b99-88e5-2cf7f45965bd", "CORS-With-Preflight", Some(true), false),
        ("67f7725c-6f97-4210-82d7-5512b31e9d03", "SecurityHeadersPolicy", None, true),
        (
            "e61eb60c-9c35-4d20-a928-2b84e02af89c",
            "CORS-and-SecurityHeadersPolicy",
            Some(false),
            true,
        ),
        (
            "eaab4381-ed33-4a86-88ca-d9558dc6cd63",
            "CORS-with-preflight-and-SecurityHeadersPolicy",
            Some(true),
            true,
        ),
    ];
    rows.into_iter()
        .map(|(id, name, preflight, security)| {
            let config = ResponseHeadersPolicyConfig {
                comment: Some(String::new()),
                name: format!("Managed-{name}"),
                cors_config: preflight.map(cors),
                security_headers_config: security.then(security_headers),
                server_timing_headers_config: None,
                custom_headers_config: None,
                remove_headers_config: None,
            };
            (id, config)
        })
        .collect()
}

fn cors(preflight: bool) -> ResponseHeadersPolicyCorsConfig {
    use MethodValue::{DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT};
    let methods = if preflight {
        vec![GET, DELETE, HEAD, OPTIONS, PATCH, POST, PUT]
    } else {
        vec![GET, HEAD]
    };
    let any = || vec!["*".to_owned()];
    ResponseHeadersPolicyCorsConfig {
        access_control_allow_origins: ResponseHeadersPolicyAccessControlAllowOrigins {
            quantity: 1,
            items: AccessControlAllowOriginsList(any()),
        },
        access_control_allow_headers: ResponseHeadersPolicyAccessControlAllowHeaders {
            quantity: 1,
            items: AccessControlAllowHeadersList(any()),
        },
        access_control_allow_methods: ResponseHeadersPolicyAccessControlAllowMethods {
            quantity: quantity(&methods),
            items: AccessControlAllowMethodsList(methods),
        },
        access_control_allow_credentials: false,
        access_control_expose_headers: preflight.then(|| {
            ResponseHeadersPolicyAccessControlExposeHeaders {
                quantity: 1,
                items: Some(AccessControlExposeHeadersList(any())),
            }
        }),
        access_control_max_age_sec: None,
        origin_override: false,
    }
}

fn security_headers() -> ResponseHeadersPolicySecurityHeadersConfig {
    ResponseHeadersPolicySecurityHeadersConfig {
        xss_protection: Some(ResponseHeadersPolicyXSSProtection {
            r#override: false,
            protection: true,
            mode_block: Some(true),
            report_uri: None,
        }),
        frame_options: Some(ResponseHeadersPolicyFrameOptions {
            r#override: false,
            frame_option: FrameOptionsList::SAMEORIGIN,
        }),
        referrer_policy: Some(ResponseHeadersPolicyReferrerPolicy {
            r#override: false,
            referrer_policy: ReferrerPolicyList::StrictOriginWhenCrossOrigin,
        }),
        content_security_policy: None,
        content_type_options: Some(ResponseHeadersPolicyContentTypeOptions { r#override: true }),
        strict_transport_security: Some(ResponseHeadersPolicyStrictTransportSecurity {
            r#override: false,
            include_subdomains: Some(false),
            preload: Some(false),
            access_control_max_age_sec: 31_536_000,
        }),
    }
}
