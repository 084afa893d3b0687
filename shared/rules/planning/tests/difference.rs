//! How configurations differ.

use nearfront_planning::difference::{Difference, between, plain};
use proptest::prelude::*;
use serde_json::{Value, json};

fn lines(before: &Value, after: &Value) -> Vec<String> {
    between(before, after).iter().map(Difference::to_string).collect()
}

#[test]
fn a_changed_value_is_told_by_its_path() {
    let one =
        json!({"CacheBehaviors": {"Quantity": 1, "Items": [{"PathPattern": "a", "MinTTL": 0}]}});
    let mut two = one.clone();
    two["CacheBehaviors"]["Items"][0]["MinTTL"] = 60.into();
    assert_eq!(lines(&one, &two), ["CacheBehaviors.Items[0].MinTTL: 0 -> 60"]);
}

#[test]
fn one_more_at_the_front_is_one_difference() {
    let one = json!([{"Id": "a", "X": 1}, {"Id": "b", "X": 2}]);
    let two = json!([{"Id": "new"}, {"Id": "a", "X": 1}, {"Id": "b", "X": 3}]);
    assert_eq!(lines(&one, &two), [r#"[0]: (none) -> {"Id":"new"}"#, "[2].X: 2 -> 3"]);
}

#[test]
fn another_order_is_told_as_such() {
    let one = json!({"Items": [{"Id": "a"}, {"Id": "b"}]});
    let two = json!({"Items": [{"Id": "b"}, {"Id": "a"}]});
    assert_eq!(lines(&one, &two), [r#"Items.order: ["a","b"] -> ["b","a"]"#]);
    let (one, two) = (json!({"Items": ["a", "b"]}), json!({"Items": ["b", "a"]}));
    assert_eq!(lines(&one, &two), [r#"Items: ["a","b"] -> ["b","a"]"#]);
}

#[test]
fn what_is_not_there_and_what_is_null_are_the_same() {
    assert_eq!(lines(&json!({"A": null}), &json!({})), Vec::<String>::new());
    assert_eq!(lines(&json!({"A": null}), &json!({"A": 1})), ["A: (none) -> 1"]);
}

#[test]
fn the_names_of_elements_on_the_wire_are_left_out() {
    let names = model::api::Aliases { quantity: 1, items: Some(vec!["a".to_owned()].into()) };
    let tree = plain(serde_json::to_value(&names).unwrap());
    assert_eq!(tree, json!({"Quantity": 1, "Items": ["a"]}));
    assert_eq!(serde_json::from_value::<model::api::Aliases>(tree).unwrap(), names);
}

#[test]
fn long_values_are_cut() {
    let long = "x".repeat(1000);
    let line = lines(&json!({ "A": "" }), &json!({ "A": long })).join("");
    assert!(line.chars().count() < 100, "{line}");
}

fn tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::from(1)),
        Just(Value::from(2)),
        Just(Value::from(true)),
        "[ab]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("(Id|Name|A|B)", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn only_what_is_the_same_has_no_difference(one in tree(), two in tree()) {
        prop_assert!(between(&one, &one).is_empty());
        prop_assert_eq!(between(&one, &two).is_empty(), one == two);
    }

    #[test]
    fn there_and_back_have_as_many(one in tree(), two in tree()) {
        prop_assert_eq!(between(&one, &two).len(), between(&two, &one).len());
    }
}
