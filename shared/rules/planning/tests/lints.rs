//! What is probably not meant, and what is not to be mistaken for it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use invalidation::PathPattern;
use model::api::DistributionConfig;
use nearfront_planning::{
    References, defaults,
    lints::{
        self,
        patterns::{Budget, Pattern, meeting, uncovered},
    },
};
use proptest::prelude::*;
use serde_json::{Value, json};

const OPTIMIZED: &str = "658327ea-f89d-4fab-a63d-7e88639e58f6";
const DISABLED: &str = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";
const CORS_S3_ORIGIN: &str = "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf";
const ALL_VIEWER: &str = "216adef6-5c7f-47e4-b989-5492eafa07d3";
const SIMPLE_CORS: &str = "60669652-455b-4ae9-85a4-c4c02393f86c";

fn bucket() -> Value {
    json!({"Id": "bucket", "DomainName": "b.s3.amazonaws.com",
           "S3OriginConfig": {"OriginAccessIdentity": ""}})
}

fn web() -> Value {
    json!({"Id": "web", "DomainName": "origin.example", "CustomOriginConfig":
           {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}})
}

fn behaviour(pattern: &str, changes: &Value) -> Value {
    let mut behaviour = json!({"PathPattern": pattern, "TargetOriginId": "web",
        "ViewerProtocolPolicy": "allow-all", "CachePolicyId": OPTIMIZED});
    merge(&mut behaviour, changes);
    behaviour
}

fn merge(into: &mut Value, changes: &Value) {
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => into.as_object_mut().unwrap().remove(name),
            value => into.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
}

fn config(behaviours: &[Value], changes: &Value) -> DistributionConfig {
    let mut config = json!({
        "CallerReference": "one", "Comment": "", "Enabled": true,
        "Origins": {"Quantity": 2, "Items": [web(), bucket()]},
        "DefaultCacheBehavior": {"TargetOriginId": "web", "ViewerProtocolPolicy": "allow-all",
                                 "CachePolicyId": OPTIMIZED},
        "CacheBehaviors": {"Quantity": behaviours.len(), "Items": behaviours},
    });
    merge(&mut config, changes);
    let mut config: DistributionConfig = serde_json::from_value(config).unwrap();
    defaults::fill(&mut config);
    config
}

fn told(behaviours: &[Value], changes: &Value) -> Vec<(&'static str, String)> {
    lints::of(&config(behaviours, changes), &References::default())
        .into_iter()
        .map(|lint| (lint.code.as_str(), lint.path))
        .collect()
}

fn one(behaviours: &[Value], changes: &Value, code: &str, path: &str) {
    assert_eq!(told(behaviours, changes), [(code, path.to_owned())].map(|(c, p)| (leak(c), p)));
}

fn leak(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

fn none(behaviours: &[Value], changes: &Value) {
    assert_eq!(told(behaviours, changes), []);
}

fn signed() -> Value {
    json!({"TrustedKeyGroups": {"Enabled": true, "Quantity": 1, "Items": ["k"]}})
}

#[test]
fn an_ordinary_configuration_is_left_in_peace() {
    none(&[behaviour("/api/*", &json!({"CachePolicyId": DISABLED}))], &json!({}));
    none(&[behaviour("*.jpg", &json!({})), behaviour("/images/*", &json!({}))], &json!({}));
    let closed = json!({"Id": "bucket", "DomainName": "b.s3.amazonaws.com",
        "S3OriginConfig": {"OriginAccessIdentity": ""}, "OriginAccessControlId": "E1"});
    let changes = json!({"Origins": {"Quantity": 2, "Items": [web(), closed]}});
    none(&[behaviour("/b/*", &json!({"TargetOriginId": "bucket"}))], &changes);
}

#[test]
fn a_pattern_behind_one_that_covers_it_is_never_reached() {
    let path = "CacheBehaviors.Items[1].PathPattern";
    for (wide, narrow) in [
        ("/images/*", "/images/*.jpg"),
        ("*.jpg", "/a/?.jpg"),
        ("images/*", "/images/2?/*"),
        ("/*a*b*", "/?a?b"),
    ] {
        let both = [behaviour(wide, &json!({})), behaviour(narrow, &json!({}))];
        one(&both, &json!({}), "ShadowedBehavior", path);
        none(&[both[1].clone(), both[0].clone()], &json!({}));
    }
    one(
        &[behaviour("/*", &json!({}))],
        &json!({}),
        "ShadowedBehavior",
        "DefaultCacheBehavior.PathPattern",
    );
}

#[test]
fn a_signed_behaviour_behind_an_unsigned_one_names_a_path_that_gets_through() {
    let both = [behaviour("*.mp4", &json!({})), behaviour("/paid/*", &signed())];
    let config = config(&both, &json!({}));
    let found = lints::of(&config, &References::default());
    let lint = found.iter().find(|lint| lint.code.as_str() == "SignedBehindUnsigned").unwrap();
    assert_eq!(lint.path, "CacheBehaviors.Items[1]");
    assert!(lint.text.contains("/paid/.mp4 matches both"), "{}", lint.text);
    let apart = [behaviour("/free/*", &json!({})), behaviour("/paid/*", &signed())];
    assert!(!told(&apart, &json!({})).iter().any(|(code, _)| *code == "SignedBehindUnsigned"));
    let both_signed = [behaviour("*.mp4", &signed()), behaviour("/paid/*", &signed())];
    assert!(
        !told(&both_signed, &json!({})).iter().any(|(code, _)| *code == "SignedBehindUnsigned")
    );
}

fn legacy(cookies: &Value, min: i64) -> Value {
    json!({"CachePolicyId": null, "MinTTL": min,
           "ForwardedValues": {"QueryString": false, "Cookies": cookies}})
}

#[test]
fn a_minimum_ttl_over_personal_answers_is_told() {
    let cookies =
        json!({"Forward": "whitelist", "WhitelistedNames": {"Quantity": 1, "Items": ["s"]}});
    let path = "CacheBehaviors.Items[0].MinTTL";
    one(&[behaviour("/me/*", &legacy(&cookies, 60))], &json!({}), "MinTtlOnPrivateOrigin", path);
    none(&[behaviour("/me/*", &legacy(&cookies, 0))], &json!({}));
    let path = "CacheBehaviors.Items[0].CachePolicyId";
    one(&[behaviour("/paid/*", &signed())], &json!({}), "MinTtlOnPrivateOrigin", path);
}

#[test]
fn a_minimum_ttl_over_a_closed_bucket_is_told_unless_the_policy_is_managed() {
    let closed = json!({"Id": "bucket", "DomainName": "b.s3.amazonaws.com",
        "S3OriginConfig": {"OriginAccessIdentity": "origin-access-identity/cloudfront/E1"}});
    let changes = json!({"Origins": {"Quantity": 2, "Items": [web(), closed]}});
    let mut own = legacy(&json!({"Forward": "none"}), 60);
    merge(&mut own, &json!({"TargetOriginId": "bucket"}));
    let path = "CacheBehaviors.Items[0].MinTTL";
    one(&[behaviour("/b/*", &own)], &changes, "MinTtlOnPrivateOrigin", path);
}

#[test]
fn cookies_that_nobody_needs_are_told() {
    let all = json!({"Forward": "all"});
    let path = "CacheBehaviors.Items[0].ForwardedValues.Cookies";
    one(&[behaviour("/a/*", &legacy(&all, 0))], &json!({}), "CookiesForwarded", path);
    let some = json!({"Forward": "whitelist", "WhitelistedNames": {"Quantity": 1, "Items": ["s"]}});
    one(&[behaviour("/a/*.css", &legacy(&some, 0))], &json!({}), "CookiesForwarded", path);
    none(&[behaviour("/a/*", &legacy(&some, 0))], &json!({}));
    let unkeyed = json!({"OriginRequestPolicyId": ALL_VIEWER, "CachePolicyId": OPTIMIZED});
    let found = told(&[behaviour("/a/*", &unkeyed)], &json!({}));
    let path = "CacheBehaviors.Items[0].OriginRequestPolicyId".to_owned();
    assert!(found.contains(&("CookiesForwarded", path)), "{found:?}");
    let uncached = json!({"OriginRequestPolicyId": ALL_VIEWER, "CachePolicyId": DISABLED});
    none(&[behaviour("/a/*", &uncached)], &json!({}));
}

fn page(code: i32, to: &str) -> Value {
    json!({"CustomErrorResponses": {"Quantity": 1, "Items": [
        {"ErrorCode": code, "ResponseCode": to, "ResponsePagePath": "/index.html"}]}})
}

#[test]
fn an_error_page_that_hides_a_refusal_is_told() {
    let path = "CustomErrorResponses.Items[0].ResponseCode".to_owned();
    let guarded = json!({"CachePolicyId": DISABLED, "FunctionAssociations": {"Quantity": 1, "Items": [
        {"FunctionARN": "arn:aws:cloudfront::0:function/f", "EventType": "viewer-request"}]}});
    let behaviours = [behaviour("/app/*", &guarded)];
    one(&behaviours, &page(403, "200"), "ErrorPageHidesRefusal", &path);
    none(&behaviours, &page(403, "403"));
    none(&behaviours, &page(404, "200"));
    let mixed = [behaviour("/b/*", &json!({"TargetOriginId": "bucket"}))];
    one(&mixed, &page(404, "200"), "ErrorPageOverOrigins", &path);
    none(&[], &page(403, "200"));
}

#[test]
fn answers_by_origin_that_are_cached_without_it_are_told() {
    let path = "CacheBehaviors.Items[0].OriginRequestPolicyId";
    let forwarded = json!({"OriginRequestPolicyId": CORS_S3_ORIGIN});
    one(&[behaviour("/a/*", &forwarded)], &json!({}), "CorsWithoutOrigin", path);
    let options = json!({"AllowedMethods": {"Quantity": 3, "Items": ["GET", "HEAD", "OPTIONS"],
        "CachedMethods": {"Quantity": 3, "Items": ["GET", "HEAD", "OPTIONS"]}}});
    let path = "CacheBehaviors.Items[0].AllowedMethods.CachedMethods";
    one(&[behaviour("/a/*", &options)], &json!({}), "CorsWithoutOrigin", path);
    let keyed = json!({"CachePolicyId": null, "ForwardedValues": {"QueryString": false,
        "Cookies": {"Forward": "none"}, "Headers": {"Quantity": 1, "Items": ["Origin"]}}});
    none(&[behaviour("/a/*", &keyed)], &json!({}));
    none(&[behaviour("/a/*", &json!({"ResponseHeadersPolicyId": SIMPLE_CORS}))], &json!({}));
}

#[test]
fn all_headers_are_told() {
    let all = json!({"CachePolicyId": null, "ForwardedValues": {"QueryString": false,
        "Cookies": {"Forward": "none"}, "Headers": {"Quantity": 1, "Items": ["*"]}}});
    let path = "CacheBehaviors.Items[0].ForwardedValues.Headers";
    one(&[behaviour("/a/*", &all)], &json!({}), "AllHeadersForwarded", path);
}

#[test]
fn what_is_not_known_here_is_not_held_against_it() {
    none(
        &[behaviour("/a/*", &json!({"CachePolicyId": "11111111-1111-4111-8111-111111111111"}))],
        &json!({}),
    );
}

#[test]
fn a_hard_question_is_given_up_rather_than_thought_about_for_ever() {
    let hard: String = "*a".to_owned() + &"?".repeat(60);
    let narrow: String = "*a".to_owned() + &"?".repeat(59) + "a*a" + &"?".repeat(59);
    let behaviours: Vec<_> = (0..37)
        .flat_map(|n| {
            let behaviour = |text: &str| behaviour(&format!("{text}{n}"), &json!({}));
            [behaviour(&hard), behaviour(&narrow)]
        })
        .collect();
    let _ = told(&behaviours, &json!({}));
}

fn matches(pattern: &str, path: &str) -> bool {
    PathPattern::new(pattern).unwrap_or_else(|why| panic!("{pattern}: {why}")).matches(path)
}

/// A path that the pattern matches, with something in place of its wildcards.
fn filled(pattern: &str, with: &[String]) -> String {
    let mut with = with.iter().cycle();
    let mut path = String::new();
    for sign in pattern.chars() {
        match sign {
            '*' => path.push_str(with.next().unwrap()),
            '?' => path.push(with.next().unwrap().chars().next().unwrap_or('b')),
            sign => path.push(sign),
        }
    }
    if path.starts_with('/') { path } else { format!("/{path}") }
}

fn pattern() -> impl Strategy<Value = String> {
    "/?[ab*?]{0,3}[a/*?]{1,4}"
}

proptest! {
    /// Held against the matcher that edges choose behaviours with.
    #[test]
    fn what_covers_and_what_does_not_is_what_the_matcher_says(
        narrow in pattern(),
        wide in pattern(),
        with in prop::collection::vec("[ab/x]{0,3}", 4..8),
    ) {
        let one = (Pattern::new(&narrow).unwrap(), Pattern::new(&wide).unwrap());
        match uncovered(&one.0, &one.1, &mut Budget::default()) {
            Ok(Some(path)) => {
                prop_assert!(matches(&narrow, &path), "{narrow} does not match {path}");
                prop_assert!(!matches(&wide, &path), "{wide} matches {path}");
            }
            Ok(None) => {
                let path = filled(&narrow, &with);
                prop_assert!(!matches(&narrow, &path) || matches(&wide, &path), "{path}");
            }
            Err(undecided) => prop_assert!(false, "{undecided:?}"),
        }
    }

    #[test]
    fn where_two_meet_both_match(
        one in pattern(),
        two in pattern(),
        with in prop::collection::vec("[ab/x]{0,3}", 4..8),
    ) {
        let both = (Pattern::new(&one).unwrap(), Pattern::new(&two).unwrap());
        match meeting(&both.0, &both.1, &mut Budget::default()) {
            Ok(Some(path)) => prop_assert!(matches(&one, &path) && matches(&two, &path), "{path}"),
            Ok(None) => {
                let path = filled(&one, &with);
                prop_assert!(!(matches(&one, &path) && matches(&two, &path)), "{path}");
            }
            Err(undecided) => prop_assert!(false, "{undecided:?}"),
        }
    }

    #[test]
    fn a_pattern_covers_itself_and_a_star_covers_all(one in pattern()) {
        let (one, all) = (Pattern::new(&one).unwrap(), Pattern::new("*").unwrap());
        prop_assert_eq!(uncovered(&one, &one, &mut Budget::default()), Ok(None));
        prop_assert_eq!(uncovered(&one, &all, &mut Budget::default()), Ok(None));
    }
}
