//! What the operations of the services beside CloudFront need.
//!
//! Source: service authorization reference, "AWS Certificate Manager", "Amazon CloudFront
//! KeyValueStore", "AWS CloudTrail".

use super::Needs;
use crate::{acm, control::Control, wire::asked::Asked};
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// Of certificates. An ARN may name any region; policies see the one that the API shows.
pub fn of_acm(control: &Control, operation: &str, region: &str, body: &[u8]) -> Needs {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let arn = body.get("CertificateArn").and_then(Value::as_str);
    let resource = match (arn, operation) {
        (Some(arn), _) => {
            acm::id_of(arn).map_or_else(|| arn.to_owned(), |id| control.certificate_arn(id))
        }
        (None, "ImportCertificate" | "RequestCertificate") => {
            format!("arn:aws:acm:{region}:{}:certificate/*", control.account)
        }
        (None, _) => "*".to_owned(),
    };
    let mut needs = Needs::one(format!("acm:{operation}"), resource);
    for tag in body.get("Tags").and_then(Value::as_array).into_iter().flatten() {
        let text = |name: &str| tag.get(name).and_then(Value::as_str).map(str::to_owned);
        let Some(key) = text("Key") else { continue };
        if operation == "RemoveTagsFromCertificate" {
            needs.tag_keys.push(key);
        } else {
            needs.tags.push((key, text("Value").unwrap_or_default()));
        }
    }
    needs
}

/// Of the contents of key value stores, and the operation's name.
pub fn of_contents(asked: &Asked) -> Option<(&'static str, Needs)> {
    let mut parts = asked.path.trim_matches('/').split('/');
    if parts.next() != Some("key-value-stores") {
        return None;
    }
    let arn = percent_decode_str(parts.next()?).decode_utf8_lossy().into_owned();
    let rest = (parts.next(), parts.next().is_some());
    let operation = match (asked.method.as_str(), rest) {
        ("GET", (None, _)) => "DescribeKeyValueStore",
        ("GET", (Some("keys"), false)) => "ListKeys",
        ("POST", (Some("keys"), false)) => "UpdateKeys",
        ("GET", (Some("keys"), true)) => "GetKey",
        ("PUT", (Some("keys"), true)) => "PutKey",
        ("DELETE", (Some("keys"), true)) => "DeleteKey",
        _ => return None,
    };
    Some((operation, Needs::one(format!("cloudfront-keyvaluestore:{operation}"), arn)))
}

/// Of the record of what was asked.
pub fn of_history(operation: &str) -> Needs {
    Needs::one(format!("cloudtrail:{operation}"), "*")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::call::Query;
    use bytes::Bytes;

    #[test]
    fn contents_are_known_by_method_and_path() {
        let arn = "arn%3Aaws%3Acloudfront%3A%3A1%3Akey-value-store%2Fu";
        for (method, rest, operation) in [
            ("GET", "", Some("DescribeKeyValueStore")),
            ("GET", "/keys", Some("ListKeys")),
            ("GET", "/keys/a%2Fb", Some("GetKey")),
            ("PUT", "/keys/a", Some("PutKey")),
            ("DELETE", "/keys/a", Some("DeleteKey")),
            ("POST", "/keys", Some("UpdateKeys")),
            ("POST", "/keys/a", None),
            ("GET", "/other", None),
        ] {
            let asked = Asked {
                method: method.into(),
                path: format!("/key-value-stores/{arn}{rest}"),
                query: Query::default(),
                headers: Vec::new(),
                from: None,
                body: Bytes::new(),
            };
            let found = of_contents(&asked);
            assert_eq!(found.as_ref().map(|(name, _)| *name), operation, "{method} {rest}");
            if let Some((name, needs)) = found {
                assert_eq!(needs.all[0].action, format!("cloudfront-keyvaluestore:{name}"));
                assert_eq!(needs.all[0].resource, "arn:aws:cloudfront::1:key-value-store/u");
            }
        }
    }
}
