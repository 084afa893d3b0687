//! Policies that stand at a resource.

use nearfront_iam::{Context, Decision, Principal, ResourcePolicy, decide};
use serde_json::{Value, json};

const ARN: &str = "arn:aws:cloudfront::000000000000:vpcorigin/vo_1";
const ANNA: &str = "arn:aws:iam::000000000000:user/anna";

fn document(effect: &str, principal: &Value) -> String {
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": effect, "Principal": principal, "Action": "cloudfront:Get*", "Resource": ARN,
    }]})
    .to_string()
}

/// What it says to Anna.
fn says(effect: &str, principal: &Value) -> Decision {
    let policy = ResourcePolicy::read(&document(effect, principal)).unwrap();
    let policy = policy.to_user("000000000000", ANNA);
    decide([&policy], "cloudfront:GetVpcOrigin", ARN, &Context::default()).decision
}

#[test]
fn a_statement_is_for_those_whom_it_names() {
    use Decision::{Allowed, ExplicitDeny, ImplicitDeny};
    let bert = "arn:aws:iam::000000000000:user/bert";
    for (principal, allow, deny) in [
        (json!("*"), Allowed, ExplicitDeny),
        (json!({"AWS": "*"}), Allowed, ExplicitDeny),
        (json!({"AWS": ANNA}), Allowed, ExplicitDeny),
        (json!({"AWS": [bert, ANNA]}), Allowed, ExplicitDeny),
        (json!({"AWS": bert}), ImplicitDeny, ImplicitDeny),
        (json!({"AWS": "000000000000"}), ImplicitDeny, ExplicitDeny),
        (json!({"AWS": "arn:aws:iam::000000000000:root"}), ImplicitDeny, ExplicitDeny),
        (json!({"AWS": "111122223333"}), ImplicitDeny, ImplicitDeny),
    ] {
        assert_eq!(says("Allow", &principal), allow, "{principal}");
        assert_eq!(says("Deny", &principal), deny, "{principal}");
    }
}

#[test]
fn everybody_that_is_named_is_told() {
    let text = document("Allow", &json!({"AWS": ["*", "111122223333", ANNA]}));
    let policy = ResourcePolicy::read(&text).unwrap();
    let named: Vec<_> = policy.principals().cloned().collect();
    let anna = Principal::User { account: "000000000000".into(), arn: ANNA.into() };
    assert_eq!(named, [Principal::Anybody, Principal::Account("111122223333".into()), anna]);
}

#[test]
fn what_is_wrong_is_named() {
    for principal in [
        json!("anna"),
        json!({}),
        json!({"AWS": []}),
        json!({"AWS": "anna"}),
        json!({"AWS": "arn:aws:iam::000000000000:user/"}),
        json!({"AWS": "arn:aws:iam::0:root"}),
        json!({"AWS": "arn:aws:iam::000000000000:role/r"}),
        json!({"AWS": {"a": "b"}}),
        json!({"Service": "ec2.amazonaws.com"}),
    ] {
        let faults = ResourcePolicy::read(&document("Allow", &principal)).unwrap_err();
        assert!(faults.to_string().contains("Statement[0].Principal"), "{principal}: {faults}");
    }
    let text = document("Allow", &json!("*")).replace("Principal", "NotPrincipal");
    assert!(ResourcePolicy::read(&text).unwrap_err().to_string().contains("NotPrincipal"));
    let text = document("Perhaps", &json!("*"));
    assert!(ResourcePolicy::read(&text).unwrap_err().to_string().contains("Effect"));
    for wrong in ["", "[]", "{}", "{\"Statement\": []}", "{\"Statement\": [1]}"] {
        assert!(ResourcePolicy::read(wrong).is_err(), "{wrong}");
    }
}

proptest::proptest! {
    #[test]
    fn nothing_that_is_sent_makes_it_panic(text in "[\\[\\]{}:,\"a-zA-Z*0-9 ]{0,200}") {
        let _ = ResourcePolicy::read(&text);
        let _ = ResourcePolicy::read(&format!("{{\"Statement\": [{{\"Principal\": {text}}}]}}"));
    }
}
