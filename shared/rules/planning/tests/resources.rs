//! Keys, key groups, encryption settings, identities and log configurations: what may be kept.

#![expect(clippy::unwrap_used, reason = "tests")]

use model::api::ErrorCode;
use nearfront_planning::{
    Faults, Quota, Quotas,
    resource::{
        access_identity, encryption, encryption_profile, key_group, public_key, realtime_log,
    },
};
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The codes of everything that a check finds wrong with `fine`, changed at a pointer; unchanged it
/// must pass.
fn codes<C: DeserializeOwned>(
    fine: &Value,
    check: impl Fn(&C) -> Result<(), Faults>,
    pointer: &str,
    value: Value,
) -> Vec<ErrorCode> {
    check(&serde_json::from_value(fine.clone()).unwrap()).unwrap();
    let mut config = fine.clone();
    *config.pointer_mut(pointer).unwrap() = value;
    let faults = check(&serde_json::from_value(config).unwrap()).unwrap_err();
    faults.0.into_iter().map(|fault| fault.code).collect()
}

fn group(pointer: &str, value: Value) -> Vec<ErrorCode> {
    let fine = json!({"Name": "editors", "Items": {"PublicKey": ["K1", "K2"]}, "Comment": ""});
    codes(&fine, |config| key_group::check(config, &Quotas::default()), pointer, value)
}

#[test]
fn key_groups_have_a_name_and_one_to_five_keys() {
    let keys = |count: usize| (0..count).map(|one| json!(format!("K{one}"))).collect::<Value>();
    assert_eq!(group("/Name", json!("with space")), [ErrorCode::InvalidArgument]);
    assert_eq!(group("/Comment", json!("x".repeat(129))), [ErrorCode::InvalidArgument]);
    assert_eq!(group("/Items/PublicKey", keys(0)), [ErrorCode::InvalidArgument]);
    let too_many = ErrorCode::TooManyPublicKeysInKeyGroup;
    assert_eq!(group("/Items/PublicKey", keys(6)), [too_many]);
    assert_eq!(group("/Items/PublicKey", json!(["K1", "K1"])), [ErrorCode::InvalidArgument]);
    let six =
        serde_json::from_value(json!({"Name": "n", "Items": {"PublicKey": keys(6)}})).unwrap();
    let more = Quotas::default().with(Quota::PublicKeysInKeyGroup, 6);
    assert!(key_group::check(&six, &more).is_ok());
    assert!(key_group::check(&six, &Quotas::none()).is_ok());
}

#[test]
fn public_keys_and_identities_are_named_within_bounds() {
    let fine = json!({"CallerReference": "one", "Name": "a_B-9", "EncodedKey": "", "Comment": ""});
    for (pointer, value) in [
        ("/Name", json!("")),
        ("/Name", json!("a.b")),
        ("/Name", json!("x".repeat(129))),
        ("/CallerReference", json!("")),
        ("/Comment", json!("x".repeat(129))),
    ] {
        assert_eq!(codes(&fine, public_key::check, pointer, value), [ErrorCode::InvalidArgument]);
    }
    let fine = json!({"CallerReference": "one", "Comment": ""});
    for pointer in ["/CallerReference", "/Comment"] {
        let found = codes(&fine, access_identity::check, pointer, json!("x".repeat(2049)));
        assert_eq!(found, [ErrorCode::InvalidArgument]);
    }
}

fn profile(pointer: &str, value: Value) -> Vec<ErrorCode> {
    let fine = json!({
        "Name": "cards", "CallerReference": "one",
        "EncryptionEntities": {"Quantity": 1, "Items": {"EncryptionEntity": [{
            "PublicKeyId": "K1", "ProviderId": "shop:1",
            "FieldPatterns": {"Quantity": 2, "Items": {"FieldPattern": ["Card*", "Date[1]"]}}
        }]}}
    });
    codes(&fine, |config| encryption_profile::check(config, &Quotas::default()), pointer, value)
}

fn patterns(patterns: &[String]) -> Value {
    json!({"Quantity": patterns.len(), "Items": {"FieldPattern": patterns}})
}

const PATTERNS: &str = "/EncryptionEntities/Items/EncryptionEntity/0/FieldPatterns";

#[test]
fn profiles_say_which_fields_each_key_encrypts() {
    let bad = ErrorCode::InvalidArgument;
    let entity = "/EncryptionEntities/Items/EncryptionEntity/0";
    assert_eq!(profile("/Name", json!("two words")), [bad]);
    assert_eq!(profile(&format!("{entity}/ProviderId"), json!("a b")), [bad]);
    let quantity = ErrorCode::InconsistentQuantities;
    assert_eq!(profile("/EncryptionEntities/Quantity", json!(2)), [quantity]);
    assert_eq!(profile(&format!("{PATTERNS}/Quantity"), json!(3)), [quantity]);
    for wrong in ["", "*", "a*b", "a b", "é"] {
        assert_eq!(profile(PATTERNS, patterns(&[wrong.to_owned()])), [bad], "{wrong:?}");
    }
    let overlapping = ["ABC*".to_owned(), "AB*".to_owned()];
    assert_eq!(profile(PATTERNS, patterns(&overlapping)), [bad]);
    assert_eq!(profile(PATTERNS, patterns(&[])), [bad]);
    let eleven: Vec<_> = (10..21).map(|one| format!("f{one}")).collect();
    let too_many = ErrorCode::TooManyFieldLevelEncryptionFieldPatterns;
    assert_eq!(profile(PATTERNS, patterns(&eleven)), [too_many]);
    let large: Vec<_> = (10..50).map(|one| format!("{one}{}", "x".repeat(120))).collect();
    let first = profile(PATTERNS, patterns(&large)).into_iter().next();
    assert_eq!(first, Some(ErrorCode::FieldLevelEncryptionProfileSizeExceeded));
}

#[test]
fn profiles_have_at_most_ten_keys() {
    let entity = |one: usize| {
        json!({"PublicKeyId": "K1", "ProviderId": "p",
               "FieldPatterns": patterns(&[format!("f{}", one + 10)])})
    };
    let all: Vec<_> = (0..11).map(entity).collect();
    let list = json!({"Quantity": 11, "Items": {"EncryptionEntity": all}});
    let found = profile("/EncryptionEntities", list);
    assert!(found.contains(&ErrorCode::TooManyFieldLevelEncryptionEncryptionEntities), "{found:?}");
}

fn encryption(pointer: &str, value: Value) -> Vec<ErrorCode> {
    let fine = json!({
        "CallerReference": "one",
        "QueryArgProfileConfig": {"ForwardWhenQueryArgProfileIsUnknown": true,
            "QueryArgProfiles": {"Quantity": 1, "Items": {"QueryArgProfile": [
                {"QueryArg": "cards", "ProfileId": "P1"}]}}},
        "ContentTypeProfileConfig": {"ForwardWhenContentTypeIsUnknown": true,
            "ContentTypeProfiles": {"Quantity": 1, "Items": {"ContentTypeProfile": [
                {"Format": "URLEncoded", "ProfileId": "P2",
                 "ContentType": "application/x-www-form-urlencoded"}]}}}
    });
    let config = serde_json::from_value(fine.clone()).unwrap();
    assert_eq!(encryption::profiles(&config), ["P1", "P2"]);
    codes(&fine, |config| encryption::check(config, &Quotas::default()), pointer, value)
}

#[test]
fn encryption_configurations_map_arguments_and_one_content_type() {
    let args = "/QueryArgProfileConfig/QueryArgProfiles";
    let types = "/ContentTypeProfileConfig/ContentTypeProfiles";
    let arg = |name: String| json!({"QueryArg": name, "ProfileId": "P1"});
    let list = |count: usize| {
        let all: Vec<_> = (0..count).map(|one| arg(format!("a{one}"))).collect();
        json!({"Quantity": count, "Items": {"QueryArgProfile": all}})
    };
    let too_many = ErrorCode::TooManyFieldLevelEncryptionQueryArgProfiles;
    assert_eq!(encryption(args, list(6)), [too_many]);
    let quantity = ErrorCode::InconsistentQuantities;
    assert_eq!(encryption(&format!("{args}/Quantity"), json!(5)), [quantity]);
    let first = format!("{args}/Items/QueryArgProfile/0");
    assert_eq!(
        encryption(&format!("{first}/ProfileId"), json!("")),
        [ErrorCode::QueryArgProfileEmpty]
    );
    assert_eq!(
        encryption(&format!("{first}/QueryArg"), json!("a b")),
        [ErrorCode::InvalidArgument]
    );
    let twice = json!({"Quantity": 2, "Items": {"QueryArgProfile": [
        arg("a".into()), arg("a".into())]}});
    assert_eq!(encryption(args, twice), [ErrorCode::InvalidArgument]);
    let one = json!({"Format": "URLEncoded", "ContentType": "application/x-www-form-urlencoded"});
    let two = json!({"Quantity": 2, "Items": {"ContentTypeProfile": [one, one]}});
    let found = encryption(types, two);
    let too_many = ErrorCode::TooManyFieldLevelEncryptionContentTypeProfiles;
    assert_eq!(found, [too_many, ErrorCode::InvalidArgument]);
    let other = format!("{types}/Items/ContentTypeProfile/0/ContentType");
    assert_eq!(encryption(&other, json!("text/plain")), [ErrorCode::InvalidArgument]);
}

fn log(pointer: &str, value: Value) -> Vec<ErrorCode> {
    let fine = json!({
        "Name": "live", "SamplingRate": 100, "Fields": {"Field": ["timestamp", "c-ip"]},
        "EndPoints": {"member": [{"StreamType": "Kinesis", "KinesisStreamConfig": {
            "RoleARN": "arn:aws:iam::111122223333:role/logs",
            "StreamARN": "arn:aws:kinesis:us-east-1:111122223333:stream/logs"}}]}
    });
    codes(&fine, realtime_log::check, pointer, value)
}

#[test]
fn log_configurations_name_known_fields_and_one_stream() {
    let stream = "/EndPoints/member/0/KinesisStreamConfig";
    let end = json!({"StreamType": "Kinesis", "KinesisStreamConfig": {
        "RoleARN": "arn:aws:iam::111122223333:role/logs",
        "StreamARN": "arn:aws:kinesis:us-east-1:111122223333:stream/logs"}});
    for (pointer, value) in [
        ("/Name", json!("")),
        ("/Name", json!("a/b")),
        ("/Name", json!("x".repeat(65))),
        ("/SamplingRate", json!(0)),
        ("/SamplingRate", json!(101)),
        ("/Fields/Field", json!([])),
        ("/Fields/Field", json!(["timestamp", "timestamp"])),
        ("/Fields/Field", json!(["sc-color"])),
        ("/EndPoints/member", json!([])),
        ("/EndPoints/member", json!([end, end])),
        ("/EndPoints/member/0/StreamType", json!("Firehose")),
        (stream, json!(null)),
        (&format!("{stream}/RoleARN"), json!("arn:aws:iam::1:role/logs")),
        (&format!("{stream}/StreamARN"), json!("arn:aws:iam::111122223333:role/logs")),
        (&format!("{stream}/StreamARN"), json!("stream/logs")),
    ] {
        let found = log(pointer, value.clone());
        assert_eq!(found, [ErrorCode::InvalidArgument], "{pointer} {value}");
    }
}

#[test]
fn log_configurations_are_found_in_their_arns() {
    let arn = "arn:aws:cloudfront::111122223333:realtime-log-config/live";
    assert_eq!(realtime_log::name_in(arn), Some("live"));
    for wrong in ["live", "arn:aws:cloudfront::1:distribution/live", &format!("{arn}/more")] {
        assert_eq!(realtime_log::name_in(wrong), None, "{wrong}");
    }
}

proptest! {
    #[test]
    fn fields_are_shown_in_the_order_of_records(
        chosen in prop::sample::subsequence(realtime_log::FIELDS.to_vec(), 1..=69).prop_shuffle(),
    ) {
        let chosen: Vec<String> = chosen.into_iter().map(str::to_owned).collect();
        let shown = realtime_log::in_order(&chosen);
        let mut left = realtime_log::FIELDS.iter();
        prop_assert!(shown.iter().all(|field| left.any(|known| known == field)));
        prop_assert_eq!(shown.len(), chosen.len());
    }
}
