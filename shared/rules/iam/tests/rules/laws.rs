use nearfront_iam::{
    Context,
    Decision::{self, Allowed, ExplicitDeny, ImplicitDeny},
    Policy, decide,
};
use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};

const ACTIONS: [&str; 4] = [
    "cloudfront:GetDistribution",
    "cloudfront:ListDistributions",
    "acm:GetCertificate",
    "iam:GetUser",
];
const RESOURCES: [&str; 4] = [
    "arn:aws:cloudfront::1:distribution/E1",
    "arn:aws:cloudfront::1:distribution/*",
    "arn:aws:iam::1:user/bob",
    "*",
];

fn statement() -> impl Strategy<Value = Value> {
    let action = select(vec!["*", "cloudfront:*", "*:Get*", "acm:GetCertificate", "iam:GetUse?"]);
    let resource = select(vec![
        "*",
        "arn:aws:cloudfront::1:distribution/E1",
        "arn:aws:cloudfront:*",
        "arn:aws:iam::1:user/${aws:username}",
    ]);
    let condition = select(vec![
        json!({}),
        json!({"StringEquals": {"aws:username": "bob"}}),
        json!({"StringNotEqualsIfExists": {"aws:username": "bob"}}),
        json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
        json!({"ForAllValues:StringLike": {"aws:TagKeys": "a*"}}),
    ]);
    let words = (select(vec!["Allow", "Deny"]), select(vec!["Action", "NotAction"]));
    (words, select(vec!["Resource", "NotResource"]), action, resource, condition).prop_map(
        |((effect, actions), resources, action, resource, condition)| {
            json!({"Effect": effect, actions: [action], resources: resource, "Condition": condition})
        },
    )
}

fn context() -> impl Strategy<Value = Context> {
    let user = proptest::option::of(select(vec!["bob", "eve"]));
    let address = proptest::option::of(select(vec!["10.0.0.1", "192.0.2.1"]));
    (user, address, proptest::collection::vec("[ab]{1,2}", 0..3)).prop_map(
        |(user, address, tags)| {
            let mut context = Context::default();
            user.map(|user| context.add("aws:username", user));
            address.map(|address| context.add("aws:SourceIp", address));
            for tag in tags {
                context.add("aws:TagKeys", tag);
            }
            context
        },
    )
}

fn policy(statements: &[Value]) -> Policy {
    let document = json!({"Version": "2012-10-17", "Statement": statements});
    Policy::read(&document.to_string()).unwrap()
}

fn said(statements: &[Value], action: &str, resource: &str, context: &Context) -> Decision {
    decide([&policy(statements)], action, resource, context).decision
}

fn asked() -> impl Strategy<Value = (&'static str, &'static str, Context)> {
    (select(ACTIONS.to_vec()), select(RESOURCES.to_vec()), context())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn the_whole_is_made_of_what_each_statement_says_alone(
        statements in proptest::collection::vec(statement(), 1..6), (action, resource, context) in asked(),
    ) {
        let alone: Vec<_> = statements
            .iter()
            .map(|one| said(std::slice::from_ref(one), action, resource, &context))
            .collect();
        let expected = if alone.contains(&ExplicitDeny) {
            ExplicitDeny
        } else if alone.contains(&Allowed) {
            Allowed
        } else {
            ImplicitDeny
        };
        prop_assert_eq!(said(&statements, action, resource, &context), expected);
    }

    #[test]
    fn one_more_allow_never_takes_anything_away(
        statements in proptest::collection::vec(statement(), 1..5), more in statement(),
        (action, resource, context) in asked(),
    ) {
        let mut more = more;
        more["Effect"] = json!("Allow");
        let before = said(&statements, action, resource, &context);
        let mut all = statements;
        all.push(more);
        let after = said(&all, action, resource, &context);
        prop_assert!(after == before || (before, after) == (ImplicitDeny, Allowed));
    }

    #[test]
    fn one_more_deny_never_gives_anything(
        statements in proptest::collection::vec(statement(), 1..5), more in statement(),
        (action, resource, context) in asked(),
    ) {
        let mut more = more;
        more["Effect"] = json!("Deny");
        let before = said(&statements, action, resource, &context);
        let mut all = vec![more];
        all.extend(statements);
        let after = said(&all, action, resource, &context);
        prop_assert!(after == before || after == ExplicitDeny);
    }

    #[test]
    fn neither_order_nor_division_into_policies_matters(
        mut statements in proptest::collection::vec(statement(), 2..6), (action, resource, context) in asked(),
    ) {
        let whole = said(&statements, action, resource, &context);
        let parts: Vec<_> = statements.iter().map(|one| policy(std::slice::from_ref(one))).collect();
        prop_assert_eq!(decide(&parts, action, resource, &context).decision, whole);
        statements.reverse();
        prop_assert_eq!(said(&statements, action, resource, &context), whole);
    }

    #[test]
    fn all_and_nothing(
        effect in select(vec![("Allow", Allowed), ("Deny", ExplicitDeny)]), (action, resource, context) in asked(),
    ) {
        let everything = json!({"Effect": effect.0, "Action": "*", "Resource": "*"});
        prop_assert_eq!(said(&[everything], action, resource, &context), effect.1);
        let nothing = json!({"Effect": effect.0, "NotAction": "*", "Resource": "*"});
        prop_assert_eq!(said(&[nothing], action, resource, &context), ImplicitDeny);
    }

    #[test]
    fn no_text_makes_it_panic(text in ".{0,200}") {
        let _ = Policy::read(&text);
    }

    #[test]
    fn no_bent_document_makes_it_panic(
        statements in proptest::collection::vec(statement(), 1..4),
        bends in proptest::collection::vec((any::<prop::sample::Index>(), "[{}\\[\\]\":,$*?a-z0-9./-]{0,3}"), 1..6),
        (action, resource, context) in asked(),
    ) {
        let mut text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        for (place, with) in bends {
            let at = place.index(text.len());
            text.replace_range(at..=at, &with);
        }
        if let Ok(policy) = Policy::read(&text) {
            decide([&policy], action, resource, &context);
            policy.keys().count();
        }
    }

    #[test]
    fn no_value_makes_a_condition_panic(
        operator in select(vec!["StringEquals", "StringLike", "ArnLike", "IpAddress", "NotIpAddress", "DateLessThan",
            "NumericEquals", "Bool", "Null", "ForAnyValue:StringLike", "ForAllValues:DateEqualsIfExists"]),
        key in select(vec!["aws:SourceIp", "aws:CurrentTime", "aws:username", "aws:RequestTag/x"]),
        value in "\\PC{0,40}", given in "\\PC{0,40}",
    ) {
        let document = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*",
            "Resource": "*", "Condition": {operator: {key: value}}}});
        if let Ok(policy) = Policy::read(&document.to_string()) {
            let mut context = Context::default();
            context.add(key, given);
            decide([&policy], "cloudfront:GetDistribution", "*", &context);
        }
    }
}
