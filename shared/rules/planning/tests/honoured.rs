//! For every member of `DistributionConfig`: it is acted on, which a test shows, or kept for people,
//! or refused, which is tried here.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use model::{
    api::{DistributionConfig, ErrorCode, Shape},
    units::Timestamp,
};
use nearfront_planning::{
    Fault, References, defaults,
    distribution::{
        Identity,
        honoured::{self, Refusal, Row, Standing, When},
        plan,
    },
};
use serde_json::{Map, Value, json};
use std::path::Path;

const CONFIG: &str = "DistributionConfig";

fn is_refused_whole(row: &Row) -> bool {
    row.standing == Standing::Refused
}

#[test]
fn every_member_of_a_distribution_has_its_row() {
    let rows: Vec<_> = honoured::rows().collect();
    for leaf in Shape::leaves(CONFIG) {
        let below = |member: &str| {
            leaf.strip_prefix(member).is_some_and(|rest| rest.starts_with(['.', '[']))
        };
        let told = rows
            .iter()
            .any(|(member, row)| *member == leaf || (is_refused_whole(row) && below(member)));
        assert!(told, "{leaf} has no row: say in honoured/table.rs what becomes of it");
    }
}

#[test]
fn every_row_is_about_a_member() {
    let leaves = Shape::leaves(CONFIG);
    let mut seen = Vec::new();
    for (member, _) in honoured::rows() {
        let there = leaves.iter().any(|leaf| leaf.starts_with(&member));
        assert!(there, "{member} is no member of {CONFIG}");
        assert!(!seen.contains(&member), "{member} stands twice in the table");
        seen.push(member);
    }
}

/// All Rust and Python below a folder, one after the other.
fn sources(folder: &Path, into: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        let code = path.extension().is_some_and(|kind| kind == "rs" || kind == "py");
        if path.is_dir() && !path.ends_with("target") {
            sources(&path, into);
        } else if code {
            into.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn the_tests_that_rows_name_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let mut all = String::new();
    for folder in ["tests", "services", "shared/rules", "shared/drivers"] {
        sources(&root.join(folder), &mut all);
    }
    for (member, row) in honoured::rows() {
        let Standing::Honoured(test) = row.standing else { continue };
        let there = all.contains(&format!("fn {test}(")) || all.contains(&format!("def {test}("));
        assert!(there, "{member}: there is no test {test}");
    }
}

fn minimal() -> Value {
    json!({
        "CallerReference": "one", "Comment": "", "Enabled": true,
        "Origins": {"Quantity": 1, "Items": [{
            "Id": "web", "DomainName": "origin.example",
            "CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}
        }]},
        "DefaultCacheBehavior": {
            "TargetOriginId": "web", "ViewerProtocolPolicy": "allow-all",
            "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6"
        }
    })
}

/// A value of this shape with everything in it that the model requires; lists have one item.
fn sample(shape: &str) -> Value {
    let Some(known) = Shape::named(shape) else {
        return match shape {
            "boolean" => json!(false),
            "integer" | "long" => json!(1),
            "EventType" => json!("viewer-request"),
            "ViewerProtocolPolicy" => json!("allow-all"),
            "OriginProtocolPolicy" => json!("http-only"),
            "SslProtocol" => json!("TLSv1.2"),
            "Method" => json!("GET"),
            "GeoRestrictionType" | "ItemSelection" => json!("none"),
            _ => json!("x"),
        };
    };
    if known.list {
        return json!([sample(known.members[0].shape)]);
    }
    let wanted = |name: &str, required: bool| required || name == "Quantity" || name == "Items";
    let members = known.members.iter().filter(|member| wanted(member.name, member.required));
    Value::Object(members.map(|member| (member.name.to_owned(), sample(member.shape))).collect())
}

/// The smallest configuration that has `value` at the path of a member.
fn with(member: &str, value: Option<Value>) -> Value {
    let mut config = minimal();
    let (mut here, mut shape) = (&mut config, CONFIG);
    for part in member.split('.') {
        let (name, list) = part.strip_suffix("[]").map_or((part, false), |name| (name, true));
        let known = Shape::named(shape).unwrap();
        shape = known.members.iter().find(|one| one.name == name).unwrap().shape;
        let object: &mut Map<_, _> = here.as_object_mut().unwrap();
        here = object.entry(name).or_insert_with(|| sample(shape));
        if list {
            here = here.get_mut(0).unwrap();
            shape = Shape::named(shape).unwrap().members[0].shape;
        }
    }
    if let Some(value) = value {
        *here = value;
    }
    config
}

fn faults(config: &Value, references: &References) -> Vec<Fault> {
    let mut config: DistributionConfig =
        serde_json::from_value(config.clone()).unwrap_or_else(|why| panic!("{why}: {config}"));
    defaults::fill(&mut config);
    let identity = Identity {
        id: "E1".into(),
        arn: "arn:aws:cloudfront::000000000000:distribution/E1".into(),
        domain: "d111111abcdef8.nearfront.localhost".into(),
    };
    let planned = plan(&config, &identity, references, Timestamp(0));
    planned.map_or_else(|faults| faults.0, |_| Vec::new())
}

/// Every way to ask for what a row refuses.
fn asked(member: &str, refusal: &Refusal) -> Vec<Value> {
    match refusal.when {
        When::Given if refusal.kind.is_some() => vec![with(member, Some(json!("arn/one")))],
        When::Given | When::Listed => vec![with(member, None)],
        When::True => vec![with(member, Some(json!(true)))],
        When::Words(words) => words.iter().map(|word| with(member, Some(json!(word)))).collect(),
        When::Checked(_) => match member {
            "ViewerCertificate.SSLSupportMethod" => ["vip", "static-ip"]
                .map(|word| {
                    let mut config = with(member, Some(json!(word)));
                    config["ViewerCertificate"]["ACMCertificateArn"] = json!("arn:aws:acm:x");
                    config
                })
                .into(),
            _ => panic!("say here how to ask for {member}"),
        },
    }
}

fn is_told(faults: &[Fault], member: &str, code: ErrorCode) -> bool {
    let place = member.replace("[]", "[0]");
    faults
        .iter()
        .any(|fault| fault.path == place && fault.code == code && !fault.message.is_empty())
}

#[test]
fn whatever_a_row_refuses_is_refused_by_name() {
    for (member, row) in honoured::rows() {
        let Some(refusal) = &row.refusal else { continue };
        for config in asked(&member, refusal) {
            let found = faults(&config, &References::default());
            assert!(is_told(&found, &member, refusal.code), "{member}: {found:#?}");
            let message = nearfront_planning::Faults(found).to_string();
            let name = member.rsplit('.').next().unwrap().trim_end_matches("[]");
            assert!(message.contains(name), "{member}: {message}");
        }
    }
}

#[test]
fn what_exists_but_is_not_acted_on_is_told_from_what_does_not_exist() {
    for (member, row) in honoured::rows() {
        let Some(refusal) = &row.refusal else { continue };
        let Some(kind) = refusal.kind else { continue };
        let config = &asked(&member, refusal)[0];
        let references =
            References { known: [(kind, "one".to_owned())].into(), ..References::default() };
        let found = faults(config, &references);
        assert!(is_told(&found, &member, ErrorCode::UnsupportedOperation), "{member}: {found:#?}");
        let mut read: DistributionConfig = serde_json::from_value(config.clone()).unwrap();
        defaults::fill(&mut read);
        assert!(honoured::named(&read).contains(&(kind, "one".to_owned())), "{member}");
    }
}

#[test]
fn what_is_not_asked_for_is_not_refused() {
    assert_eq!(faults(&minimal(), &References::default()), []);
}

#[test]
fn what_is_refused_ten_thousand_times_is_told_a_few_times() {
    let group = json!({"Enabled": true, "Quantity": 10_000, "Items": vec!["one"; 10_000]});
    let config = with("DefaultCacheBehavior.TrustedKeyGroups", Some(group));
    let message = nearfront_planning::Faults(faults(&config, &References::default())).to_string();
    assert!(message.len() < 10_000, "{} bytes", message.len());
}

#[test]
fn every_quantity_must_count_its_items() {
    for leaf in Shape::leaves(CONFIG) {
        let Some(list) = leaf.strip_suffix(".Quantity") else { continue };
        let mut config = with(list, None);
        let pointer = format!("/{}/Quantity", list.replace("[]", "/0").replace('.', "/"));
        *config.pointer_mut(&pointer).unwrap() = json!(7);
        let found = faults(&config, &References::default());
        assert!(is_told(&found, &leaf, ErrorCode::InconsistentQuantities), "{leaf}: {found:#?}");
    }
}

const GUIDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../docs/guide/compatibility.md");
const BEGIN: &str = "<!-- from the table of what edges act on -->\n";
const END: &str = "\n<!-- end of the table -->";

/// What the guide says before, in and behind the table.
fn guide() -> [String; 3] {
    let text = std::fs::read_to_string(GUIDE).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (table, behind) = rest.split_once(END).unwrap();
    [before, table, behind].map(str::to_owned)
}

#[test]
fn the_guide_lists_what_the_table_refuses() {
    let [_, table, _] = guide();
    let remedy = "cargo nextest run -p nearfront-planning --run-ignored only write_the_guide";
    assert!(table == honoured::guide(), "the guide is behind the table: {remedy}");
}

#[test]
#[ignore = "writes docs/guide/compatibility.md"]
fn write_the_guide() {
    let [before, _, behind] = guide();
    let text = format!("{before}{BEGIN}{}{END}{behind}", honoured::guide());
    std::fs::write(GUIDE, text).unwrap();
}
