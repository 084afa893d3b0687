//! Policies: what may be kept, and that everything managed may.

#![expect(clippy::unwrap_used, reason = "tests")]

use model::api::{
    CachePolicyConfig, ErrorCode, OriginRequestPolicyConfig, ResponseHeadersPolicyConfig,
};
use nearfront_planning::{Quotas, managed, policy};
use serde_json::{Value, json};

fn cache(change: impl FnOnce(&mut Value)) -> ErrorCode {
    let mut config = json!({
        "Name": "mine", "MinTTL": 0,
        "ParametersInCacheKeyAndForwardedToOrigin": {
            "EnableAcceptEncodingGzip": true,
            "HeadersConfig": {"HeaderBehavior": "none"},
            "CookiesConfig": {"CookieBehavior": "none"},
            "QueryStringsConfig": {"QueryStringBehavior": "none"}
        }
    });
    let fine: CachePolicyConfig = serde_json::from_value(config.clone()).unwrap();
    policy::cache::check(&fine, &Quotas::default()).unwrap();
    change(&mut config);
    let config: CachePolicyConfig = serde_json::from_value(config).unwrap();
    policy::cache::check(&config, &Quotas::default()).unwrap_err().code()
}

const PARAMETERS: &str = "ParametersInCacheKeyAndForwardedToOrigin";

#[test]
fn every_managed_policy_passes_its_own_check_but_for_its_name() {
    for (id, config) in managed::cache_policies() {
        policy::cache::check(config, &Quotas::default())
            .unwrap_or_else(|faults| panic!("{id}: {faults}"));
    }
    for (id, config) in managed::origin_request_policies() {
        let faults = policy::origin_request::check(config, &Quotas::default())
            .err()
            .map(|faults| faults.0)
            .unwrap_or_default();
        let lengths_only =
            faults.iter().all(|fault| fault.code == ErrorCode::TooManyHeadersInOriginRequestPolicy);
        assert!(lengths_only, "{id}: {faults:?}");
    }
    for (id, config) in managed::response_headers_policies() {
        policy::response_headers::check(config, &Quotas::default())
            .unwrap_or_else(|faults| panic!("{id}: {faults}"));
    }
}

#[test]
fn the_managed_tables_are_whole() {
    assert_eq!(managed::cache_policies().count(), 8);
    assert_eq!(managed::origin_request_policies().count(), 8);
    assert_eq!(managed::response_headers_policies().count(), 5);
    let all = managed::origin_request_policy("33f36d7e-f396-46d9-90e0-52428a34d9dc").unwrap();
    assert_eq!(all.headers_config.headers.as_ref().unwrap().quantity, 21);
}

#[test]
fn cache_policies_are_refused_with_their_own_errors() {
    assert_eq!(cache(|config| config["MinTTL"] = json!(-1)), ErrorCode::InvalidArgument);
    assert_eq!(
        cache(|config| {
            config["MinTTL"] = json!(10);
            config["MaxTTL"] = json!(5);
        }),
        ErrorCode::InvalidTTLOrder
    );
    assert_eq!(cache(|config| config["Name"] = json!("no spaces")), ErrorCode::InvalidArgument);
    let whitelist = |names: &[&str]| json!({"HeaderBehavior": "whitelist", "Headers": {"Quantity": names.len(), "Items": names}});
    let eleven = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"];
    assert_eq!(
        cache(|config| config[PARAMETERS]["HeadersConfig"] = whitelist(&eleven)),
        ErrorCode::TooManyHeadersInCachePolicy
    );
    assert_eq!(
        cache(|config| config[PARAMETERS]["HeadersConfig"] = whitelist(&[])),
        ErrorCode::InvalidArgument
    );
    assert_eq!(
        cache(|config| config[PARAMETERS]["HeadersConfig"] = whitelist(&["Cookie"])),
        ErrorCode::InvalidArgument
    );
    assert_eq!(
        cache(|config| config[PARAMETERS]["CookiesConfig"] =
            json!({"CookieBehavior": "all", "Cookies": {"Quantity": 2, "Items": ["a"]}})),
        ErrorCode::InconsistentQuantities
    );
}

#[test]
fn with_caching_switched_off_nothing_can_be_keyed() {
    let code = cache(|config| {
        config["DefaultTTL"] = json!(0);
        config["MaxTTL"] = json!(0);
    });
    assert_eq!(code, ErrorCode::InvalidArgument);
}

#[test]
fn authorization_is_never_listed_alone() {
    let config = json!({
        "Name": "mine",
        "HeadersConfig": {"HeaderBehavior": "whitelist", "Headers": {"Quantity": 1, "Items": ["Authorization"]}},
        "CookiesConfig": {"CookieBehavior": "none"},
        "QueryStringsConfig": {"QueryStringBehavior": "none"}
    });
    let config: OriginRequestPolicyConfig = serde_json::from_value(config).unwrap();
    assert_eq!(
        policy::origin_request::check(&config, &Quotas::default()).unwrap_err().code(),
        ErrorCode::InvalidArgument
    );
}

#[test]
fn response_headers_are_written_out() {
    let config = managed::response_headers_policy("eaab4381-ed33-4a86-88ca-d9558dc6cd63").unwrap();
    let planned = policy::response_headers::planned(config);
    let set: Vec<(&str, &str, bool)> = planned
        .set
        .iter()
        .map(|one| (one.name.as_str(), one.value.as_str(), one.replace))
        .collect();
    assert_eq!(
        set,
        [
            ("referrer-policy", "strict-origin-when-cross-origin", false),
            ("strict-transport-security", "max-age=31536000", false),
            ("x-content-type-options", "nosniff", true),
            ("x-frame-options", "SAMEORIGIN", false),
            ("x-xss-protection", "1; mode=block", false),
        ]
    );
    assert_eq!(planned.cors.unwrap().allow_methods.len(), 7);
}

#[test]
fn response_headers_policies_are_refused_with_their_own_errors() {
    let refused = |change: Value| {
        let mut config = json!({"Name": "mine"});
        config.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let config: ResponseHeadersPolicyConfig = serde_json::from_value(config).unwrap();
        policy::response_headers::check(&config, &Quotas::default()).unwrap_err().code()
    };
    let long = "x".repeat(1_784);
    assert_eq!(
        refused(
            json!({"SecurityHeadersConfig": {"ContentSecurityPolicy": {"Override": true, "ContentSecurityPolicy": long}}})
        ),
        ErrorCode::TooLongCSPInResponseHeadersPolicy
    );
    assert_eq!(
        refused(json!({"RemoveHeadersConfig": {"Quantity": 1, "Items": [{"Header": "Via"}]}})),
        ErrorCode::InvalidArgument
    );
    assert_eq!(
        refused(
            json!({"CustomHeadersConfig": {"Quantity": 1, "Items": [{"Header": "a b", "Value": "", "Override": true}]}})
        ),
        ErrorCode::InvalidArgument
    );
    assert_eq!(
        refused(json!({"ServerTimingHeadersConfig": {"Enabled": true, "SamplingRate": 101.0}})),
        ErrorCode::InvalidArgument
    );
}

/// What the edge would leave out or write over in silence.
#[test]
fn response_headers_without_effect_are_refused() {
    let told = |change: Value| {
        let mut config = json!({"Name": "mine"});
        config.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let config: ResponseHeadersPolicyConfig = serde_json::from_value(config).unwrap();
        policy::response_headers::check(&config, &Quotas::default())
            .map_err(|faults| faults.to_string())
    };
    let custom = |names: &[&str]| {
        let header = |name: &&str| json!({"Header": name, "Value": "1", "Override": true});
        let items: Vec<Value> = names.iter().map(header).collect();
        told(json!({"CustomHeadersConfig": {"Quantity": items.len(), "Items": items}}))
    };
    assert_eq!(custom(&["x-a", "Set-Cookie", "Cache-Control", "Server"]), Ok(()));
    for name in ["Content-Length", "transfer-encoding", "Connection", "Via", "X-Amz-Cf-Id"] {
        assert!(custom(&[name]).unwrap_err().contains("edge itself"), "{name}");
    }
    assert!(custom(&["x-a", "X-A"]).unwrap_err().contains("twice"));
    let cors = |allowed: &str, exposed: &str| {
        told(json!({"CorsConfig": {
            "AccessControlAllowOrigins": {"Quantity": 1, "Items": ["*"]},
            "AccessControlAllowHeaders": {"Quantity": 1, "Items": [allowed]},
            "AccessControlAllowMethods": {"Quantity": 1, "Items": ["GET"]},
            "AccessControlExposeHeaders": {"Quantity": 1, "Items": [exposed]},
            "AccessControlAllowCredentials": false, "OriginOverride": true
        }}))
    };
    assert_eq!(cors("*", "x-b"), Ok(()));
    assert!(cors("x\r\nx-evil: 1", "x-b").unwrap_err().contains("AllowHeaders"));
    assert!(cors("*", "x\r\nx-evil: 1").unwrap_err().contains("ExposeHeaders"));
}
