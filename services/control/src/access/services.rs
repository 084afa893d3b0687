//! What the operations of the services beside CloudFront need.
//!
//! Source: service authorization reference, "AWS Certificate Manager", "Amazon CloudFront
//! `KeyValueStore`", "AWS CloudTrail".

use super::{Need, Needs};
use crate::control::Control;
use serde_json::Value;

/// Of certificates, which are found by their whole ARN only.
pub fn of_acm(control: &Control, operation: &str, region: &str, body: &[u8]) -> Needs {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let arn = body.get("CertificateArn").and_then(Value::as_str);
    let resource = match (arn, operation) {
        (Some(arn), _) => arn.to_owned(),
        (None, "ImportCertificate" | "RequestCertificate") => {
            format!("arn:aws:acm:{region}:{}:certificate/*", control.account)
        }
        (None, _) => "*".to_owned(),
    };
    let tags_it = matches!(operation, "ImportCertificate" | "RequestCertificate");
    let mut needs = Needs::one(format!("acm:{operation}"), resource.clone());
    for tag in body.get("Tags").and_then(Value::as_array).into_iter().flatten() {
        let text = |name: &str| tag.get(name).and_then(Value::as_str).map(str::to_owned);
        let Some(key) = text("Key") else { continue };
        if operation == "RemoveTagsFromCertificate" {
            needs.tag_keys.push(key);
        } else {
            needs.tags.push((key, text("Value").unwrap_or_default()));
        }
    }
    if tags_it && !needs.tags.is_empty() {
        needs.all.push(Need::new("acm:AddTagsToCertificate", resource));
    }
    needs
}

/// Of the contents of key value stores: the store's ARN, as the operation itself reads it.
pub fn of_contents(operation: &str, arn: String) -> Needs {
    Needs::one(format!("cloudfront-keyvaluestore:{operation}"), arn)
}

/// The action of one of our own calls.
pub fn of_version_call(method: &str, path: &str) -> Option<&'static str> {
    Some(match (method, path) {
        ("GET", "/nearfront/history") => "GetHistory",
        ("GET", "/nearfront/version") => "GetVersion",
        ("GET", "/nearfront/diff") => "GetDifference",
        ("GET", "/nearfront/deleted") => "ListDeleted",
        ("GET", "/nearfront/named") => "GetNamed",
        ("POST", "/nearfront/rollback") => "Rollback",
        _ => return None,
    })
}

/// Of the record of what was asked.
pub fn of_history(operation: &str) -> Needs {
    Needs::one(format!("cloudtrail:{operation}"), "*")
}
