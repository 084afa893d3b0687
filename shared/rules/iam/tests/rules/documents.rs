use crate::says;
use nearfront_iam::{
    Context,
    Decision::{Allowed, ExplicitDeny, ImplicitDeny},
    MOST_BYTES, Policy, decide,
};

#[test]
fn what_is_not_mentioned_is_not_allowed() {
    let document = r#"{"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": "cloudfront:Get*", "Resource": "*"}}"#;
    let none = Context::default();
    assert_eq!(says(document, "cloudfront:GetDistribution", &none), Allowed);
    assert_eq!(says(document, "CLOUDFRONT:getdistribution", &none), Allowed);
    assert_eq!(says(document, "cloudfront:UpdateDistribution", &none), ImplicitDeny);
    assert_eq!(says(document, "acm:GetCertificate", &none), ImplicitDeny);
}

#[test]
fn a_deny_wins_wherever_it_stands() {
    let document = r#"{"Version": "2012-10-17", "Statement": [
        {"Sid": "No", "Effect": "Deny", "Action": ["cloudfront:DeleteDistribution"],
         "Resource": "arn:aws:cloudfront::1:distribution/E1"},
        {"Sid": "Yes", "Effect": "Allow", "Action": "*", "Resource": "*"}]}"#;
    let none = Context::default();
    assert_eq!(says(document, "cloudfront:DeleteDistribution", &none), ExplicitDeny);
    assert_eq!(says(document, "cloudfront:GetDistribution", &none), Allowed);
    let policy = Policy::read(document).unwrap();
    let verdict = decide(
        [&policy],
        "cloudfront:DeleteDistribution",
        "arn:aws:cloudfront::1:distribution/E1",
        &none,
    );
    assert_eq!(verdict.matched, [(0, 0)]);
    let other = "arn:aws:cloudfront::1:distribution/E2";
    let verdict = decide([&policy], "cloudfront:DeleteDistribution", other, &none);
    assert_eq!((verdict.decision, verdict.matched), (Allowed, vec![(0, 1)]));
}

#[test]
fn everything_but_what_is_named() {
    let document = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow",
        "NotAction": ["iam:*", "sts:*"],
        "NotResource": "arn:aws:cloudfront::1:distribution/E9"}}"#;
    let none = Context::default();
    assert_eq!(says(document, "cloudfront:GetDistribution", &none), Allowed);
    assert_eq!(says(document, "iam:CreateUser", &none), ImplicitDeny);
    let policy = Policy::read(document).unwrap();
    let other = "arn:aws:cloudfront::1:distribution/E9";
    assert_eq!(
        decide([&policy], "cloudfront:GetDistribution", other, &none).decision,
        ImplicitDeny
    );
}

#[test]
fn variables_belong_to_the_newer_version() {
    let of = |version: &str| {
        format!(
            r#"{{{version} "Statement": {{"Effect": "Allow", "Action": "iam:*",
            "Resource": "arn:aws:iam::1:user/${{aws:username}}"}}}}"#
        )
    };
    let mut bob = Context::default();
    bob.add("aws:username", "bob");
    let on = |version: &str, user: &str| {
        let policy = Policy::read(&of(version)).unwrap();
        let arn = format!("arn:aws:iam::1:user/{user}");
        decide([&policy], "iam:GetUser", &arn, &bob).decision
    };
    assert_eq!(on(r#""Version": "2012-10-17","#, "bob"), Allowed);
    assert_eq!(on(r#""Version": "2012-10-17","#, "eve"), ImplicitDeny);
    assert_eq!(on("", "bob"), ImplicitDeny);
    assert_eq!(on("", "${aws:username}"), Allowed);
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let document = r#"{"Version": "2020-01-01", "Statment": [], "Statement": [
        {"Effect": "allow", "Action": "cloudfront", "Resource": "E1", "Principal": "*"},
        {"Effect": "Allow", "Action": [], "NotAction": "*", "Condition": {
            "StringEqual": {"aws:username": "x"},
            "IpAddress": {"aws:SourceIp": ["10.0.0.0/33", 5, {}]},
            "StringLike": {"aws:SorceIp": "x", "aws:TagKeys": "y", "cloudfront:Name": "z"},
            "Bool": {"aws:SecureTransport": "yes"},
            "NullIfExists": {"aws:TagKeys": "true"},
            "DateLessThan": {"aws:CurrentTime": "tomorrow"}}}]}"#;
    let said = Policy::read(document).unwrap_err().to_string();
    for part in [
        "Version: must be",
        "Statment: there is no such element",
        "Statement[0].Effect",
        "Statement[0].Action: \"cloudfront\" is neither",
        "Statement[0].Resource: \"E1\" is neither",
        "Statement[0].Principal",
        "Statement[1]: must have either Action or NotAction",
        "Statement[1]: must have either Resource or NotResource",
        "StringEqual: there is no such condition operator",
        "\"10.0.0.0/33\" is no network",
        "\"5\" is no network",
        "a value must be text",
        "there is no global condition key aws:SorceIp",
        "aws:TagKeys has several values",
        "cloudfront:Name is not evaluated",
        "\"yes\" is neither true nor false",
        "NullIfExists: there is no such",
        "\"tomorrow\" is no point in time",
    ] {
        assert!(said.contains(part), "{part} is not in: {said}");
    }
}

#[test]
fn what_stands_twice_is_not_read_once() {
    for document in [
        r#"{"Version":"2012-10-17","Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#,
        r#"{"Statement":{"Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*"}}"#,
        r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{
            "StringEquals":{"aws:username":"a"},"StringEquals":{"aws:userid":"b"}}}}"#,
        r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{
            "StringEquals":{"aws:username":"a","aws:username":"b"}}}}"#,
        r#"{"Statement":[{"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"},
            {"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"}]}"#,
    ] {
        let said = Policy::read(document).unwrap_err().to_string();
        assert!(said.contains("stands twice"), "{said}");
    }
}

#[test]
fn sizes_and_depths_are_bounded() {
    let long = format!("{{\"Id\": \"{}\"}}", "x".repeat(MOST_BYTES));
    assert!(Policy::read(&long).unwrap_err().to_string().contains("at most 6144 bytes"));
    let deep = "[".repeat(MOST_BYTES);
    assert!(Policy::read(&deep).unwrap_err().to_string().contains("no JSON"));
    for text in ["", "{}", "[]", "null", "\"*\"", "{\"Statement\": []}", "{\"Statement\": 1}"] {
        assert!(Policy::read(text).is_err(), "{text}");
    }
}
