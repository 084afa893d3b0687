//! What the API accepts, refuses and means: one case for each rule of the validation checklist.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "tests, and a table"
)]

use model::ids::DistributionId;
use model::{
    api::{DistributionConfig, ErrorCode},
    plan::{Countries, HeaderSelection, Law, Methods, OriginKind, Plan, Selection, TlsMinimum},
    units::{Seconds, Timestamp},
};
use nearfront_planning::{
    CertificateFacts, Faults, References, Wanted, defaults,
    distribution::{self, Identity},
    managed,
};
use proptest::prelude::*;
use serde_json::{Value, json};

const OPTIMIZED: &str = "658327ea-f89d-4fab-a63d-7e88639e58f6";
const ARN: &str = "arn:aws:acm:us-east-1:000000000000:certificate/6f7e";
const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn minimal() -> Value {
    json!({
        "CallerReference": "one",
        "Comment": "",
        "Enabled": true,
        "Origins": {"Quantity": 1, "Items": [{
            "Id": "web", "DomainName": "origin.example",
            "CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}
        }]},
        "DefaultCacheBehavior": {
            "TargetOriginId": "web",
            "ViewerProtocolPolicy": "allow-all",
            "CachePolicyId": OPTIMIZED
        }
    })
}

fn references() -> References {
    References {
        zone: "nearfront.localhost".into(),
        certificates: [(
            ARN.to_owned(),
            CertificateFacts {
                names: vec!["*.example.com".into()],
                not_after: Timestamp(u64::MAX),
            },
        )]
        .into(),
        ..References::default()
    }
}

fn read(config: &Value) -> DistributionConfig {
    let mut config: DistributionConfig = serde_json::from_value(config.clone()).unwrap();
    defaults::fill(&mut config);
    config
}

fn planned(config: &Value) -> Result<Plan, Faults> {
    let identity = Identity {
        id: "E1".into(),
        arn: "arn:aws:cloudfront::000000000000:distribution/E1".into(),
        domain: "d111111abcdef8.nearfront.localhost".into(),
    };
    distribution::plan(&read(config), &identity, &references(), NOW)
}

/// The minimal configuration with one place changed.
fn with(pointer: &str, value: Value) -> Value {
    let mut config = minimal();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = config.pointer_mut(parent).unwrap();
    if let (Value::Array(items), Ok(index)) = (&mut *parent, name.parse::<usize>()) {
        items[index] = value;
    } else {
        parent[name] = value;
    }
    config
}

fn refused(pointer: &str, value: Value) -> (ErrorCode, String) {
    let faults = planned(&with(pointer, value)).unwrap_err();
    (faults.code(), faults.to_string())
}

const ORIGIN: &str = "/Origins/Items/0";
const CUSTOM: &str = "/Origins/Items/0/CustomOriginConfig";
const DEFAULT: &str = "/DefaultCacheBehavior";

fn behaviour(pattern: &str) -> Value {
    json!({"Quantity": 1, "Items": [{
        "PathPattern": pattern, "TargetOriginId": "web",
        "ViewerProtocolPolicy": "https-only", "CachePolicyId": OPTIMIZED
    }]})
}

#[test]
fn the_smallest_configuration_becomes_a_plan_with_every_default() {
    let plan = planned(&minimal()).unwrap();
    let behaviour = &plan.behaviours[0];
    assert_eq!(plan.behaviours.len(), 1);
    assert_eq!(behaviour.pattern, "*");
    assert_eq!(behaviour.allowed, Methods::Read);
    assert_eq!(behaviour.cache.law, Law::CloudFront);
    assert_eq!(behaviour.cache.ttl.default, Some(Seconds(86_400)));
    assert_eq!(behaviour.forward.headers, HeaderSelection::None);
    assert!(behaviour.cache.gzip && behaviour.cache.brotli);
    assert_eq!((plan.origins[0].attempts, plan.origins[0].read_timeout), (3, Seconds(30)));
    assert!(plan.http.h2 && !plan.http.h3 && !plan.ipv6);
    assert_eq!(plan.countries, Countries::All);
}

#[test]
fn what_is_filled_in_can_be_sent_back() {
    let config = read(&minimal());
    let mut again = config.clone();
    defaults::fill(&mut again);
    assert_eq!(config, again);
}

#[test]
fn every_rule_of_the_checklist_has_its_own_error() {
    let cases: Vec<(&str, Value, ErrorCode)> = vec![
        ("/Origins/Quantity", json!(2), ErrorCode::InconsistentQuantities),
        (
            "/Aliases",
            json!({"Quantity": 0, "Items": ["a.example.com"]}),
            ErrorCode::InconsistentQuantities,
        ),
        (
            "/Aliases",
            json!({"Quantity": 1, "Items": ["a.example.com"]}),
            ErrorCode::InvalidViewerCertificate,
        ),
        ("/Aliases", json!({"Quantity": 1, "Items": ["not a name"]}), ErrorCode::InvalidArgument),
        (
            "/Aliases",
            json!({"Quantity": 1, "Items": ["d111111abcdef9.nearfront.localhost"]}),
            ErrorCode::InvalidArgument,
        ),
        ("/DefaultRootObject", json!("/index.html"), ErrorCode::InvalidDefaultRootObject),
        ("/CallerReference", json!(""), ErrorCode::InvalidArgument),
        ("/Comment", json!("x".repeat(129)), ErrorCode::InvalidArgument),
        ("/DefaultCacheBehavior/TargetOriginId", json!("nowhere"), ErrorCode::NoSuchOrigin),
        (
            "/DefaultCacheBehavior/CachePolicyId",
            json!("658327ea-0000-0000-0000-000000000000"),
            ErrorCode::NoSuchCachePolicy,
        ),
        (
            "/DefaultCacheBehavior/OriginRequestPolicyId",
            json!("none-such"),
            ErrorCode::NoSuchOriginRequestPolicy,
        ),
        (
            "/DefaultCacheBehavior/ResponseHeadersPolicyId",
            json!("none-such"),
            ErrorCode::NoSuchResponseHeadersPolicy,
        ),
        ("/DefaultCacheBehavior/MinTTL", json!(5), ErrorCode::InvalidArgument),
        (
            "/DefaultCacheBehavior/AllowedMethods",
            json!({"Quantity": 2, "Items": ["GET", "PUT"]}),
            ErrorCode::InvalidArgument,
        ),
        (
            "/DefaultCacheBehavior/TrustedKeyGroups",
            json!({"Enabled": true, "Quantity": 1, "Items": ["k"]}),
            ErrorCode::TrustedKeyGroupDoesNotExist,
        ),
        (
            "/DefaultCacheBehavior/TrustedSigners",
            json!({"Enabled": true, "Quantity": 1, "Items": ["self"]}),
            ErrorCode::TrustedSignerDoesNotExist,
        ),
        (
            "/DefaultCacheBehavior/FieldLevelEncryptionId",
            json!("C1"),
            ErrorCode::NoSuchFieldLevelEncryptionConfig,
        ),
        (
            "/DefaultCacheBehavior/RealtimeLogConfigArn",
            json!("arn"),
            ErrorCode::NoSuchRealtimeLogConfig,
        ),
        (
            "/DefaultCacheBehavior/GrpcConfig",
            json!({"Enabled": true}), // without POST
            ErrorCode::InvalidArgument,
        ),
        ("/Origins/Items/0/DomainName", json!("http://origin.example"), ErrorCode::InvalidOrigin),
        ("/Origins/Items/0/OriginPath", json!("base/"), ErrorCode::InvalidRelativePath),
        ("/Origins/Items/0/ConnectionAttempts", json!(4), ErrorCode::InvalidArgument),
        ("/Origins/Items/0/ConnectionTimeout", json!(0), ErrorCode::InvalidArgument),
        (
            "/Origins/Items/0/OriginAccessControlId",
            json!("E1"),
            ErrorCode::InvalidDomainNameForOriginAccessControl,
        ),
        (
            "/Origins/Items/0/S3OriginConfig",
            json!({"OriginAccessIdentity": ""}),
            ErrorCode::InvalidOrigin,
        ),
        (
            "/Origins/Items/0/OriginShield",
            json!({"Enabled": true, "OriginShieldRegion": "eu-west-1"}),
            ErrorCode::UnsupportedOperation,
        ),
        (
            "/Origins/Items/0/CustomHeaders",
            json!({"Quantity": 1, "Items": [{"HeaderName": "Host", "HeaderValue": "x"}]}),
            ErrorCode::InvalidArgument,
        ),
        ("/Origins/Items/0/CustomOriginConfig/HTTPPort", json!(81), ErrorCode::InvalidArgument),
        (
            "/Origins/Items/0/CustomOriginConfig/OriginReadTimeout",
            json!(121),
            ErrorCode::InvalidOriginReadTimeout,
        ),
        (
            "/Origins/Items/0/CustomOriginConfig/OriginKeepaliveTimeout",
            json!(0),
            ErrorCode::InvalidOriginKeepaliveTimeout,
        ),
        (
            "/Origins/Items/0/CustomOriginConfig/OriginSslProtocols",
            json!({"Quantity": 1, "Items": ["TLSv1"]}),
            ErrorCode::InvalidRequiredProtocol,
        ),
        ("/CacheBehaviors", behaviour("bad pattern"), ErrorCode::InvalidArgument),
        (
            "/CustomErrorResponses",
            json!({"Quantity": 1, "Items": [{"ErrorCode": 418}]}),
            ErrorCode::InvalidErrorCode,
        ),
        (
            "/CustomErrorResponses",
            json!({"Quantity": 1, "Items": [{"ErrorCode": 404, "ResponsePagePath": "/e", "ResponseCode": "201"}]}),
            ErrorCode::InvalidResponseCode,
        ),
        (
            "/CustomErrorResponses",
            json!({"Quantity": 1, "Items": [{"ErrorCode": 404, "ResponsePagePath": "e", "ResponseCode": "404"}]}),
            ErrorCode::InvalidRelativePath,
        ),
        (
            "/CustomErrorResponses",
            json!({"Quantity": 1, "Items": [{"ErrorCode": 404, "ResponsePagePath": "/e"}]}),
            ErrorCode::InvalidArgument,
        ),
        (
            "/Restrictions",
            json!({"GeoRestriction": {"RestrictionType": "whitelist", "Quantity": 1, "Items": ["Germany"]}}),
            ErrorCode::InvalidLocationCode,
        ),
        (
            "/Restrictions",
            json!({"GeoRestriction": {"RestrictionType": "none", "Quantity": 1, "Items": ["DE"]}}),
            ErrorCode::InvalidGeoRestrictionParameter,
        ),
        ("/WebACLId", json!("arn:aws:wafv2"), ErrorCode::InvalidWebACLId),
        (
            "/Logging",
            json!({"Enabled": true, "Bucket": "b", "Prefix": ""}),
            ErrorCode::UnsupportedOperation,
        ),
        ("/CacheTagConfig", json!({"HeaderName": "x"}), ErrorCode::UnsupportedOperation),
        (
            "/ViewerCertificate",
            json!({"ACMCertificateArn": "arn:none", "SSLSupportMethod": "sni-only"}),
            ErrorCode::InvalidViewerCertificate,
        ),
        (
            "/ViewerCertificate",
            json!({"ACMCertificateArn": ARN, "SSLSupportMethod": "vip"}),
            ErrorCode::UnsupportedOperation,
        ),
    ];
    for (pointer, value, code) in cases {
        let (found, message) = refused(pointer, value.clone());
        assert_eq!(found, code, "{pointer} = {value}: {message}");
    }
}

#[test]
fn the_http_version_says_what_is_spoken_beside_http_1() {
    for (version, h2, h3) in [
        ("http1.1", false, false),
        ("http2", true, false),
        ("http3", false, true),
        ("http2and3", true, true),
    ] {
        let plan = planned(&with("/HttpVersion", json!(version))).unwrap();
        assert_eq!((plan.http.h2, plan.http.h3), (h2, h3), "{version}");
    }
}

#[test]
fn all_faults_are_reported_together_by_path() {
    let mut config = with("/Origins/Items/0/OriginPath", json!("base/"));
    config["DefaultCacheBehavior"]["TargetOriginId"] = json!("nowhere");
    let faults = planned(&config).unwrap_err();
    let paths: Vec<&str> = faults.0.iter().map(|fault| fault.path.as_str()).collect();
    assert_eq!(paths, ["Origins.Items[0].OriginPath", "DefaultCacheBehavior.TargetOriginId"]);
}

#[test]
fn functions_are_refused_with_their_own_errors() {
    let function =
        json!({"Quantity": 1, "Items": [{"FunctionARN": "a", "EventType": "viewer-request"}]});
    let (code, _) = refused("/DefaultCacheBehavior/FunctionAssociations", function);
    assert_eq!(code, ErrorCode::InvalidFunctionAssociation);
}

#[test]
fn lifetimes_out_of_order_are_refused_in_the_older_form_too() {
    let mut config = minimal();
    let behaviour = config.pointer_mut(DEFAULT).unwrap();
    behaviour.as_object_mut().unwrap().remove("CachePolicyId");
    behaviour["ForwardedValues"] = json!({"QueryString": false, "Cookies": {"Forward": "none"}});
    behaviour["MinTTL"] = json!(100);
    behaviour["DefaultTTL"] = json!(10);
    behaviour["MaxTTL"] = json!(1000);
    assert_eq!(planned(&config).unwrap_err().code(), ErrorCode::InvalidTTLOrder);
}

#[test]
fn forwarded_values_say_what_is_keyed_and_what_is_forwarded() {
    let mut config = minimal();
    let behaviour = config.pointer_mut(DEFAULT).unwrap();
    behaviour.as_object_mut().unwrap().remove("CachePolicyId");
    behaviour["ForwardedValues"] = json!({
        "QueryString": true,
        "QueryStringCacheKeys": {"Quantity": 1, "Items": ["v"]},
        "Cookies": {"Forward": "whitelist", "WhitelistedNames": {"Quantity": 1, "Items": ["s*"]}},
        "Headers": {"Quantity": 1, "Items": ["Accept-Language"]}
    });
    let plan = planned(&config).unwrap();
    let behaviour = &plan.behaviours[0];
    assert!(behaviour.forward.legacy && behaviour.cache.id.is_none());
    assert_eq!(behaviour.cache.headers, ["accept-language"]);
    assert_eq!(behaviour.cache.query, Selection::Only(vec!["v".into()]));
    assert_eq!(behaviour.forward.query, Selection::All);
    assert_eq!(behaviour.cache.cookies, Selection::Only(vec!["s*".into()]));
}

#[test]
fn an_alias_needs_a_certificate_that_covers_it() {
    let mut config = with("/Aliases", json!({"Quantity": 1, "Items": ["WWW.example.com"]}));
    config["ViewerCertificate"] = json!({
        "ACMCertificateArn": ARN, "SSLSupportMethod": "sni-only", "MinimumProtocolVersion": "TLSv1.3_2025"
    });
    let plan = planned(&config).unwrap();
    assert_eq!(plan.aliases, ["www.example.com"]);
    assert_eq!(plan.viewer_tls.certificate.as_deref(), Some(ARN));
    assert_eq!(plan.viewer_tls.minimum, TlsMinimum::Tls13);
    config["Aliases"] = json!({"Quantity": 1, "Items": ["a.b.example.com"]});
    assert_eq!(planned(&config).unwrap_err().code(), ErrorCode::InvalidViewerCertificate);
}

#[test]
fn an_alias_below_the_zone_is_covered_by_the_zones_own_certificate() {
    let config = with("/Aliases", json!({"Quantity": 1, "Items": ["shop.nearfront.localhost"]}));
    assert_eq!(planned(&config).unwrap().aliases, ["shop.nearfront.localhost"]);
}

#[test]
fn an_s3_origin_is_signed_unless_its_access_control_says_never() {
    let origin = |control: &str| {
        json!({"Id": "web", "DomainName": "media.s3.amazonaws.com",
               "S3OriginConfig": {"OriginAccessIdentity": ""}, "OriginAccessControlId": control})
    };
    let plan = planned(&with(ORIGIN, origin(""))).unwrap();
    assert_eq!(plan.origins[0].kind, OriginKind::Bucket { sign: true });
    assert_eq!(refused(ORIGIN, origin("E404")).0, ErrorCode::InvalidOriginAccessControl);
}

#[test]
fn an_access_identity_signs_when_there_is_one_and_stands_alone() {
    let origin = |identity: &str, control: &str| {
        json!({"Id": "web", "DomainName": "media.s3.amazonaws.com",
               "S3OriginConfig": {"OriginAccessIdentity": identity}, "OriginAccessControlId": control})
    };
    let refused = |identity: &str, control: &str| refused(ORIGIN, origin(identity, control)).0;
    let (known, code) =
        ("origin-access-identity/cloudfront/E1", ErrorCode::InvalidOriginAccessIdentity);
    let config = with(ORIGIN, origin(known, ""));
    let mut references = references();
    references.access_identities = Wanted::by(&read(&config)).access_identities;
    assert_eq!(references.access_identities, ["E1".to_owned()].into());
    let identity = Identity {
        id: DistributionId("E2".into()),
        arn: String::new(),
        domain: "d.nearfront.localhost".into(),
    };
    let plan = distribution::plan(&read(&config), &identity, &references, NOW).unwrap();
    assert_eq!(plan.origins[0].kind, OriginKind::Bucket { sign: true });
    assert_eq!(refused(known, ""), code);
    assert_eq!(refused("E1", ""), code);
    assert_eq!(refused("origin-access-identity/cloudfront/", ""), code);
    assert_eq!(refused(known, "E3"), ErrorCode::IllegalOriginAccessConfiguration);
}

#[test]
fn a_bucket_is_sent_neither_host_nor_all_headers() {
    for name in ["*", "Host"] {
        let mut config = with(
            ORIGIN,
            json!({"Id": "web", "DomainName": "media.s3.amazonaws.com",
                   "S3OriginConfig": {"OriginAccessIdentity": ""}}),
        );
        let behaviour = config.pointer_mut(DEFAULT).unwrap();
        behaviour.as_object_mut().unwrap().remove("CachePolicyId");
        behaviour["ForwardedValues"] = json!({"QueryString": false, "Cookies": {"Forward": "none"},
            "Headers": {"Quantity": 1, "Items": [name]}});
        let faults = planned(&config).unwrap_err();
        assert_eq!(faults.code(), ErrorCode::InvalidHeadersForS3Origin, "{faults}");
    }
}

#[test]
fn only_the_standard_policy_follows_the_rfc_and_guesses_freshness() {
    let plan = planned(&with("/DefaultCacheBehavior/CachePolicyId", json!(managed::HTTP_STANDARD)))
        .unwrap();
    let cache = &plan.behaviours[0].cache;
    assert_eq!((cache.law, cache.ttl.default, cache.ttl.min), (Law::Http, None, Seconds::ZERO));
}

#[test]
fn a_caller_reference_cannot_be_changed() {
    let old = read(&minimal());
    let new = read(&with("/CallerReference", json!("two")));
    let faults = distribution::check_update(&old, &new).unwrap_err();
    assert_eq!(faults.code(), ErrorCode::IllegalUpdate);
    assert!(distribution::check_update(&old, &old).is_ok());
}

#[test]
fn managed_policies_need_not_be_looked_up() {
    let mut config = minimal();
    config["CacheBehaviors"] = behaviour("*.jpg");
    config["CacheBehaviors"]["Items"][0]["CachePolicyId"] = json!("mine");
    let wanted = Wanted::by(&read(&config));
    assert_eq!(wanted.cache_policies, ["mine".to_owned()].into());
}

#[test]
fn a_plan_survives_being_stored() {
    let plan = planned(&minimal()).unwrap();
    let text = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
}

#[test]
fn unknown_members_are_refused_at_every_level() {
    for pointer in ["", ORIGIN, CUSTOM, DEFAULT, "/Origins"] {
        let mut config = minimal();
        config.pointer_mut(pointer).unwrap()["Surprise"] = json!(1);
        let read: Result<DistributionConfig, _> = serde_json::from_value(config);
        assert!(read.unwrap_err().to_string().contains("Surprise"), "{pointer}");
    }
}

proptest! {
    #[test]
    fn no_numbers_break_the_planner(min: i64, default: Option<i64>, max: Option<i64>, port: i32, ttl: i64) {
        let mut config = minimal();
        config["Origins"]["Items"][0]["CustomOriginConfig"]["HTTPPort"] = json!(port);
        config["CustomErrorResponses"] = json!({"Quantity": 1, "Items": [{"ErrorCode": port, "ErrorCachingMinTTL": ttl}]});
        let behaviour = config.pointer_mut(DEFAULT).unwrap();
        behaviour.as_object_mut().unwrap().remove("CachePolicyId");
        behaviour["ForwardedValues"] = json!({"QueryString": false, "Cookies": {"Forward": "none"}});
        behaviour["MinTTL"] = json!(min);
        if let Some(default) = default { behaviour["DefaultTTL"] = json!(default); }
        if let Some(max) = max { behaviour["MaxTTL"] = json!(max); }
        if let Ok(plan) = planned(&config) {
            let ttl = plan.behaviours[0].cache.ttl;
            prop_assert!(ttl.min <= ttl.default.unwrap() && ttl.default.unwrap() <= ttl.max);
        }
    }
}

fn certificate(given: Value) -> DistributionConfig {
    read(&with("/ViewerCertificate", given))
}

#[test]
fn a_certificate_in_the_older_form_is_not_kept_and_ignored() {
    let older =
        json!({"Certificate": ARN, "CertificateSource": "acm", "SSLSupportMethod": "sni-only"});
    assert_eq!(
        planned(&with("/ViewerCertificate", older)).unwrap().viewer_tls.certificate.unwrap(),
        ARN
    );
    let iam =
        json!({"Certificate": "ASCA1", "CertificateSource": "iam", "SSLSupportMethod": "sni-only"});
    assert_eq!(refused("/ViewerCertificate", iam).0, ErrorCode::UnsupportedOperation);
}

#[test]
fn what_an_answer_repeats_of_the_certificate_follows_what_was_sent() {
    let stale = json!({
        "ACMCertificateArn": ARN, "SSLSupportMethod": "sni-only",
        "Certificate": "arn:aws:acm:us-east-1:000000000000:certificate/old", "CertificateSource": "cloudfront"
    });
    let filled = certificate(stale).viewer_certificate.unwrap();
    assert_eq!(filled.certificate.as_deref(), Some(ARN));
    assert_eq!(filled.certificate_source.unwrap().as_str(), "acm");
    let back = json!({"CloudFrontDefaultCertificate": true, "Certificate": ARN, "CertificateSource": "acm"});
    let filled = certificate(back).viewer_certificate.unwrap();
    assert_eq!((filled.certificate, filled.acm_certificate_arn), (None, None));
    assert_eq!(filled.certificate_source.unwrap().as_str(), "cloudfront");
}

#[test]
fn no_certificate_at_all_is_refused() {
    let none = json!({"CloudFrontDefaultCertificate": false});
    assert_eq!(refused("/ViewerCertificate", none).0, ErrorCode::InvalidViewerCertificate);
}

#[test]
fn where_logs_would_go_is_forgotten_while_nothing_is_logged() {
    let logging = json!({"Enabled": false, "IncludeCookies": true, "Bucket": "b.s3.amazonaws.com", "Prefix": "p"});
    let logging = read(&with("/Logging", logging)).logging.unwrap();
    assert_eq!((logging.bucket.as_deref(), logging.prefix.as_deref()), (Some(""), Some("")));
}

#[test]
fn quantities_that_count_nothing_are_refused() {
    let place = |name: &str| format!("{DEFAULT}/{name}");
    for (name, list) in [
        ("TrustedSigners", json!({"Enabled": false, "Quantity": 5})),
        ("TrustedKeyGroups", json!({"Enabled": false, "Quantity": 5})),
        ("FunctionAssociations", json!({"Quantity": -1})),
        ("LambdaFunctionAssociations", json!({"Quantity": -1})),
    ] {
        assert!(refused(&place(name), list).1.contains(name));
    }
}

#[test]
fn ten_thousand_items_are_refused_by_their_number_alone() {
    let names: Vec<_> = (0..10_000).map(|number| format!("{number}?")).collect();
    let aliases = json!({"Quantity": names.len(), "Items": names});
    let (code, message) = refused("/Aliases", aliases);
    assert_eq!(code, ErrorCode::TooManyDistributionCNAMEs);
    assert!(message.len() < 20_000, "{} bytes", message.len());
    let origins = json!({"Quantity": 10_000, "Items": vec![minimal()["Origins"]["Items"][0].clone(); 10_000]});
    assert_eq!(refused("/Origins", origins).0, ErrorCode::TooManyOrigins);
    let behaviours =
        json!({"Quantity": 10_000, "Items": vec![behaviour("/a")["Items"][0].clone(); 10_000]});
    assert_eq!(refused("/CacheBehaviors", behaviours).0, ErrorCode::TooManyCacheBehaviors);
}

#[test]
fn what_excludes_each_other_is_refused() {
    let s3 = json!({"Id": "web", "DomainName": "b.s3.amazonaws.com", "OriginAccessControlId": "E1",
                    "S3OriginConfig": {"OriginAccessIdentity": "origin-access-identity/cloudfront/E2"}});
    let faults = planned(&with(ORIGIN, s3)).unwrap_err();
    let code = ErrorCode::IllegalOriginAccessConfiguration;
    assert!(faults.0.iter().any(|fault| fault.code == code), "{faults}");
    let mut both = minimal();
    both["Origins"]["Items"][0]["VpcOriginConfig"] = json!({"VpcOriginId": "vo_1"});
    let faults = planned(&both).unwrap_err();
    assert!(faults.0.iter().any(|fault| fault.code == ErrorCode::InvalidOrigin), "{faults}");
}

#[test]
fn sslv3_cannot_go_with_sni() {
    let given = json!({"ACMCertificateArn": ARN, "SSLSupportMethod": "sni-only",
                       "MinimumProtocolVersion": "SSLv3"});
    let (code, message) = refused("/ViewerCertificate", given);
    assert_eq!(code, ErrorCode::InvalidProtocolSettings, "{message}");
    let given =
        json!({"ACMCertificateArn": ARN, "IAMCertificateId": "x", "SSLSupportMethod": "sni-only"});
    let faults = planned(&with("/ViewerCertificate", given)).unwrap_err();
    assert!(faults.to_string().contains("exclude each other"), "{faults}");
}

#[test]
fn what_stands_twice_is_refused() {
    let header = |name: &str| json!({"HeaderName": name, "HeaderValue": "v"});
    let headers = json!({"Quantity": 2, "Items": [header("X-A"), header("x-a")]});
    let (code, message) = refused(&format!("{ORIGIN}/CustomHeaders"), headers);
    assert_eq!(code, ErrorCode::InvalidArgument);
    assert!(message.contains("CustomHeaders.Items[1]"), "{message}");
    let places = json!({"GeoRestriction": {"RestrictionType": "blacklist", "Quantity": 2, "Items": ["DE", "DE"]}});
    assert_eq!(refused("/Restrictions", places).0, ErrorCode::InvalidGeoRestrictionParameter);
    let nowhere =
        json!({"GeoRestriction": {"RestrictionType": "whitelist", "Quantity": 1, "Items": ["XX"]}});
    assert_eq!(refused("/Restrictions", nowhere).0, ErrorCode::InvalidLocationCode);
}

#[test]
fn the_older_form_is_checked_name_by_name() {
    let behaviour = |values: Value| {
        with(
            DEFAULT,
            json!({"TargetOriginId": "web", "ViewerProtocolPolicy": "allow-all", "MinTTL": 0,
                             "ForwardedValues": values}),
        )
    };
    let cookies = |forward: &str, names: &[&str]| {
        json!({"QueryString": false, "Cookies": {"Forward": forward,
               "WhitelistedNames": {"Quantity": names.len(), "Items": names}}})
    };
    let headers = |names: &[&str]| {
        json!({"QueryString": false, "Cookies": {"Forward": "none"},
               "Headers": {"Quantity": names.len(), "Items": names}})
    };
    let keys = |query: bool, names: &[&str]| {
        json!({"QueryString": query, "Cookies": {"Forward": "none"},
               "QueryStringCacheKeys": {"Quantity": names.len(), "Items": names}})
    };
    for (values, code) in [
        (cookies("none", &["a"]), ErrorCode::InvalidForwardCookies),
        (cookies("whitelist", &[]), ErrorCode::InvalidForwardCookies),
        (cookies("whitelist", &["a", "a"]), ErrorCode::InvalidArgument),
        (cookies("whitelist", &["a b"]), ErrorCode::InvalidArgument),
        (headers(&["Origin", "origin"]), ErrorCode::InvalidArgument),
        (headers(&["*", "Origin"]), ErrorCode::InvalidArgument),
        (headers(&["a b"]), ErrorCode::InvalidArgument),
        (keys(false, &["a"]), ErrorCode::InvalidQueryStringParameters),
        (keys(true, &["a", "a"]), ErrorCode::InvalidArgument),
        (keys(true, &[""]), ErrorCode::InvalidArgument),
    ] {
        assert_eq!(planned(&behaviour(values.clone())).unwrap_err().code(), code, "{values}");
    }
    let mut bucket = behaviour(cookies("all", &[]));
    bucket["Origins"]["Items"][0] = json!({"Id": "web", "DomainName": "b.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}});
    assert_eq!(planned(&bucket).unwrap_err().code(), ErrorCode::InvalidForwardCookies);
}
