//! What is kept until edges act on it: continuous deployment policies, VPC origins, streaming
//! distributions. One case for each rule, and laws for what is filled in.

#![expect(clippy::unwrap_used, reason = "tests")]

use model::api::{
    ContinuousDeploymentPolicyConfig, ErrorCode, StreamingDistributionConfig,
    VpcOriginEndpointConfig,
};
use nearfront_planning::{
    Faults, policy::continuous_deployment, streaming, streaming::Place, vpc_origin,
};
use proptest::prelude::*;
use serde_json::{Value, json};

const PLACE: Place<'static> =
    Place { zone: "cdn.example", account: "000000000000", stores: &["media.example"] };

/// `base` with one member replaced.
fn with(base: &Value, pointer: &str, value: Value) -> Value {
    let mut changed = base.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    changed.pointer_mut(parent).unwrap()[name] = value;
    changed
}

/// The first fault's code, and all messages.
fn told(faults: Result<(), Faults>) -> (Option<ErrorCode>, String) {
    match faults {
        Ok(()) => (None, String::new()),
        Err(faults) => (Some(faults.code()), faults.to_string()),
    }
}

fn policy() -> Value {
    json!({
        "StagingDistributionDnsNames": {"Quantity": 1, "Items": ["d111111abcdef8.cdn.example"]},
        "Enabled": false,
        "TrafficConfig": {"Type": "SingleWeight", "SingleWeightConfig": {"Weight": 0.15,
            "SessionStickinessConfig": {"IdleTTL": 300, "MaximumTTL": 3600}}},
    })
}

#[test]
fn policies_are_refused_by_name() {
    let weight = "/TrafficConfig/SingleWeightConfig";
    let sticky = |idle: i32, most: i32| json!({"IdleTTL": idle, "MaximumTTL": most});
    let header = |name: &str, value: &str| json!({"Type": "SingleHeader", "SingleHeaderConfig": {"Header": name, "Value": value}});
    let invalid = Some(ErrorCode::InvalidArgument);
    for (pointer, value, code) in [
        ("/Enabled", json!(false), None),
        ("/Enabled", json!(true), Some(ErrorCode::UnsupportedOperation)),
        ("/TrafficConfig", Value::Null, None),
        ("/TrafficConfig", header("aws-cf-cd-a", "1"), None),
        ("/TrafficConfig", header("AWS-CF-CD-A", "1"), None),
        ("/TrafficConfig", header("aws-cf-cd-", "1"), invalid),
        ("/TrafficConfig", header("aws-cf-cd-a", ""), invalid),
        ("/TrafficConfig", header("aws-cf-cd-a", "a\nb"), invalid),
        ("/TrafficConfig", header(&format!("aws-cf-cd-{}", "a".repeat(247)), "1"), invalid),
        ("/TrafficConfig/Type", json!("SingleHeader"), invalid),
        (&format!("{weight}/Weight"), json!(0.0), None),
        (&format!("{weight}/Weight"), json!(0.151), invalid),
        (&format!("{weight}/Weight"), json!(-0.01), invalid),
        (&format!("{weight}/SessionStickinessConfig"), sticky(600, 600), None),
        (&format!("{weight}/SessionStickinessConfig"), sticky(299, 600), invalid),
        (&format!("{weight}/SessionStickinessConfig"), sticky(300, 3601), invalid),
        (&format!("{weight}/SessionStickinessConfig"), sticky(600, 300), invalid),
        ("/StagingDistributionDnsNames", json!({"Quantity": 0}), invalid),
        (
            "/StagingDistributionDnsNames/Quantity",
            json!(2),
            Some(ErrorCode::InconsistentQuantities),
        ),
    ] {
        let config = with(&policy(), pointer, value.clone());
        let config: ContinuousDeploymentPolicyConfig = serde_json::from_value(config).unwrap();
        let (found, message) = told(continuous_deployment::check(&config));
        assert_eq!(found, code, "{pointer} = {value}: {message}");
    }
}

fn endpoint() -> Value {
    json!({
        "Name": "a", "Arn": "arn:aws:ec2:eu-west-1:123456789012:instance/i-0", "HTTPPort": 80,
        "HTTPSPort": 443, "OriginProtocolPolicy": "http-only",
    })
}

#[test]
fn vpc_origins_are_refused_by_name() {
    for (member, value, fine) in [
        ("Name", json!("é".repeat(64)), true),
        ("Name", json!("x".repeat(65)), false),
        ("Name", json!("a\u{7}b"), false),
        ("Arn", json!("arn:aws:s3:::bucket"), false),
        ("HTTPPort", json!(1024), true),
        ("HTTPPort", json!(1023), false),
        ("HTTPSPort", json!(65_536), false),
        ("OriginSslProtocols", json!({"Quantity": 1, "Items": ["TLSv1"]}), false),
    ] {
        let config = with(&endpoint(), &format!("/{member}"), value.clone());
        let mut config: VpcOriginEndpointConfig = serde_json::from_value(config).unwrap();
        vpc_origin::fill(&mut config);
        let (code, message) = told(vpc_origin::check(&config));
        assert_eq!(code.is_none(), fine, "{member} = {value}: {message}");
        assert!(fine || message.starts_with(member), "{member}: {message}");
    }
}

fn film() -> Value {
    json!({
        "CallerReference": "r", "Comment": "", "Enabled": false,
        "S3Origin": {"DomainName": "films.s3.amazonaws.com", "OriginAccessIdentity": ""},
        "TrustedSigners": {"Enabled": false, "Quantity": 0},
    })
}

#[test]
fn streaming_distributions_are_refused_by_name() {
    let list = |items: &[&str]| json!({"Quantity": items.len(), "Items": items});
    let signers =
        |items: &[&str]| json!({"Enabled": true, "Quantity": items.len(), "Items": items});
    let bucket = |name: &str| json!({"DomainName": name, "OriginAccessIdentity": ""});
    let invalid = Some(ErrorCode::InvalidArgument);
    for (member, value, code) in [
        ("Enabled", json!(true), invalid),
        ("S3Origin", bucket("media.example"), None),
        ("S3Origin", bucket("films.s3.cdn.example"), None),
        ("S3Origin", bucket("www.example"), Some(ErrorCode::InvalidOrigin)),
        ("S3Origin", bucket("http://films.s3.amazonaws.com"), Some(ErrorCode::InvalidOrigin)),
        ("Aliases", list(&["FILMS.example"]), None),
        ("Aliases", list(&["films.example", "FILMS.example"]), invalid),
        ("Aliases", list(&["cdn.example"]), invalid),
        ("TrustedSigners", signers(&["self", "000000000000"]), None),
        ("TrustedSigners", signers(&["111122223333"]), Some(ErrorCode::TrustedSignerDoesNotExist)),
        ("TrustedSigners", signers(&["self"; 6]), Some(ErrorCode::TooManyTrustedSigners)),
        (
            "Logging",
            json!({"Enabled": true, "Bucket": "logs.s3.amazonaws.com", "Prefix": ""}),
            None,
        ),
        ("Logging", json!({"Enabled": true, "Bucket": "", "Prefix": ""}), invalid),
        ("CallerReference", json!("x".repeat(2049)), invalid),
    ] {
        let config = with(&film(), &format!("/{member}"), value.clone());
        let mut config: StreamingDistributionConfig = serde_json::from_value(config).unwrap();
        streaming::fill(&mut config);
        let (found, message) = told(streaming::check(&config, PLACE));
        assert_eq!(found, code, "{member} = {value}: {message}");
        assert!(code.is_none() || message.contains(member), "{member}: {message}");
    }
}

proptest! {
    #[test]
    fn what_is_filled_in_stays_as_it_is(
        names in prop::option::of(prop::collection::vec("[a-zA-Z]{1,8}\\.[A-Za-z]{2,5}", 0..4)),
        bucket in "[A-Z]{1,8}\\.s3\\.amazonaws\\.com",
        logs in any::<bool>(),
    ) {
        let mut given = film();
        given["S3Origin"]["DomainName"] = json!(bucket);
        given["Logging"] = json!({"Enabled": logs, "Bucket": "b.s3.amazonaws.com", "Prefix": "p"});
        if let Some(names) = names {
            given["Aliases"] = json!({"Quantity": names.len(), "Items": names});
        }
        let mut once: StreamingDistributionConfig = serde_json::from_value(given).unwrap();
        streaming::fill(&mut once);
        let mut twice = once.clone();
        streaming::fill(&mut twice);
        prop_assert_eq!(&once, &twice);
        prop_assert!(once.aliases.is_some() && once.price_class.is_some());
        prop_assert_eq!(once.logging.unwrap().bucket.is_empty(), !logs);
    }
}
