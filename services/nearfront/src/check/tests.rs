use super::*;

const GOOD: &str = r#"{
  "CallerReference": "one", "Comment": "true", "Enabled": true,
  "Origins": {"Quantity": 1, "Items": [{"Id": "site", "DomainName": "site.example.com",
    "CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}}]},
  "DefaultCacheBehavior": {"TargetOriginId": "site", "ViewerProtocolPolicy": "allow-all",
    "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6"}
}"#;

const GOOD_XML: &str = r#"<?xml version="1.0"?>
<DistributionConfig xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/">
  <CallerReference>7</CallerReference><Comment>a &amp; b</Comment><Enabled>true</Enabled>
  <Aliases><Quantity>0</Quantity></Aliases>
  <Origins><Quantity>1</Quantity><Items><Origin><Id>site</Id><DomainName>site.example.com</DomainName>
    <CustomOriginConfig><HTTPPort>80</HTTPPort><HTTPSPort>443</HTTPSPort>
    <OriginProtocolPolicy>http-only</OriginProtocolPolicy></CustomOriginConfig></Origin></Items></Origins>
  <DefaultCacheBehavior><TargetOriginId>site</TargetOriginId>
    <ViewerProtocolPolicy>allow-all</ViewerProtocolPolicy>
    <CachePolicyId>658327ea-f89d-4fab-a63d-7e88639e58f6</CachePolicyId></DefaultCacheBehavior>
</DistributionConfig>"#;

fn faults(kind: Kind, text: &str) -> Vec<Fault> {
    found(kind, text).0
}

fn paths(kind: Kind, text: &str) -> Vec<String> {
    faults(kind, text).into_iter().map(|fault| fault.path).collect()
}

#[test]
fn a_good_configuration_is_good_in_every_wrapping() {
    for text in [
        GOOD.to_owned(),
        format!(r#"{{"DistributionConfig": {GOOD}}}"#),
        format!(r#"{{"ETag": "E1", "DistributionConfig": {GOOD}}}"#),
        format!(r#"{{"Distribution": {{"Id": "E1", "DistributionConfig": {GOOD}}}}}"#),
    ] {
        assert_eq!(faults(Kind::Json, &text), []);
    }
    assert_eq!(faults(Kind::Xml, GOOD_XML), []);
}

#[test]
fn every_fault_of_shape_is_told_at_once() {
    let text = GOOD
        .replace("\"Comment\": \"true\",", "\"Coment\": 1, \"Staging\": 3,")
        .replace("\"DomainName\": \"site.example.com\",", "")
        .replace("80", "\"eighty\"");
    let mut found = paths(Kind::Json, &text);
    found.sort();
    let origin = "Origins.Items[0]";
    assert_eq!(
        found,
        [
            "Coment".to_owned(),
            "Comment".to_owned(),
            format!("{origin}.CustomOriginConfig.HTTPPort"),
            format!("{origin}.DomainName"),
            "Staging".to_owned(),
        ]
    );
}

#[test]
fn every_fault_that_the_api_refuses_is_told_at_once() {
    let text = GOOD
        .replace("\"TargetOriginId\": \"site\"", "\"TargetOriginId\": \"nowhere\"")
        .replace("\"Quantity\": 1", "\"Quantity\": 2");
    let found = faults(Kind::Json, &text);
    assert!(found.len() >= 2, "{found:?}");
    assert!(found.iter().all(|fault| fault.code.is_some()), "{found:?}");
}

#[test]
fn xml_is_held_to_the_same() {
    let found = paths(
        Kind::Xml,
        &GOOD_XML.replace(">443<", ">many<").replace("<Enabled>true</Enabled>", ""),
    );
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(paths(Kind::Xml, "<a><b></a>"), ["document"]);
    assert_eq!(paths(Kind::Xml, "<!DOCTYPE a><a/>"), ["document"]);
}

#[test]
fn what_is_neither_is_told_by_line() {
    assert_eq!(paths(Kind::Json, "{\n oops"), ["line 2"]);
    assert_eq!(paths(Kind::Settings, "a = = 1"), ["line 1"]);
    assert_eq!(paths(Kind::Settings, "[edge]\nhtp = 1\n[dns]\nttl = -1"), ["dns.ttl", "edge.htp"]);
}

#[test]
fn a_file_without_an_end_is_refused_and_a_device_is_read() {
    let endless = read(std::path::Path::new("/dev/zero")).unwrap_err().to_string();
    assert!(endless.starts_with("/dev/zero has more than "), "{endless}");
    assert_eq!(read(std::path::Path::new("/dev/null")).unwrap(), "");
}

#[test]
fn a_file_without_a_telling_name_is_known_by_its_first_character() {
    assert_eq!(kind(Path::new("x"), " {"), Kind::Json);
    assert_eq!(kind(Path::new("x"), "<a/>"), Kind::Xml);
    assert_eq!(kind(Path::new("x.toml"), "{"), Kind::Settings);
}

mod laws {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn anything() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[ -~]{0,6}".prop_map(Value::from),
            Just(serde_json::json!([])),
            Just(serde_json::json!({ "Items": [1], "Quantity": "x" })),
        ]
    }

    /// All paths of a tree, deepest last.
    fn places(tree: &Value, path: String, into: &mut Vec<String>) {
        match tree {
            Value::Object(object) => {
                for (key, value) in object {
                    places(value, format!("{path}/{key}"), into);
                }
            }
            Value::Array(items) => {
                for (index, value) in items.iter().enumerate() {
                    places(value, format!("{path}/{index}"), into);
                }
            }
            _ => {}
        }
        into.push(path);
    }

    proptest! {
        #[test]
        fn a_damaged_configuration_is_always_answered(
            damage in proptest::collection::vec((any::<proptest::sample::Index>(), anything()), 1..4),
        ) {
            let mut tree: Value = serde_json::from_str(GOOD).unwrap();
            for (place, value) in damage {
                let mut all = Vec::new();
                places(&tree, String::new(), &mut all);
                let path: &String = place.get(&all);
                *tree.pointer_mut(path).unwrap() = value;
            }
            let found = faults(Kind::Json, &tree.to_string());
            prop_assert!(found.iter().all(|fault| !fault.message.is_empty()));
        }

        #[test]
        fn text_that_is_no_document_is_refused(text in "[<>/a-c&;\"!?\\[\\] -]{0,40}") {
            prop_assert!(!faults(Kind::Xml, &text).is_empty());
        }
    }
}
