use crate::says;
use nearfront_iam::{
    Context,
    Decision::{Allowed, ExplicitDeny, ImplicitDeny},
};

/// A request as it might come.
fn request() -> Context {
    let mut context = Context::default();
    context
        .add("aws:username", "bob")
        .add("aws:SourceIp", "203.0.113.7")
        .add("aws:CurrentTime", "2026-03-01T12:00:00Z")
        .add("aws:EpochTime", "1772366400")
        .add("aws:SecureTransport", "false")
        .add("aws:PrincipalArn", "arn:aws:iam::1:user/dev/bob")
        .add("aws:ResourceTag/team", "web")
        .add("aws:TagKeys", "team")
        .add("aws:TagKeys", "Cost");
    context
}

fn holds(condition: &str) -> bool {
    let document = format!(
        r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": "*",
        "Resource": "*", "Condition": {condition}}}}}"#
    );
    match says(&document, "cloudfront:GetDistribution", &request()) {
        Allowed => true,
        ImplicitDeny => false,
        ExplicitDeny => panic!("nothing is denied here"),
    }
}

#[test]
fn every_operator_does_what_its_name_says() {
    for (condition, yes) in [
        (r#"{"StringEquals": {"aws:username": "bob"}}"#, true),
        (r#"{"StringEquals": {"aws:username": ["eve", "bob"]}}"#, true),
        (r#"{"StringEquals": {"aws:username": "Bob"}}"#, false),
        (r#"{"StringEquals": {"aws:username": "b*"}}"#, false),
        (r#"{"StringNotEquals": {"aws:username": ["eve", "bob"]}}"#, false),
        (r#"{"StringNotEquals": {"aws:username": ["eve", "joe"]}}"#, true),
        (r#"{"StringEqualsIgnoreCase": {"AWS:UserName": "BOB"}}"#, true),
        (r#"{"StringNotEqualsIgnoreCase": {"aws:username": "BOB"}}"#, false),
        (r#"{"StringLike": {"aws:username": "b?b"}}"#, true),
        (r#"{"StringNotLike": {"aws:username": "b*"}}"#, false),
        (r#"{"StringEquals": {"aws:ResourceTag/team": "web"}}"#, true),
        (r#"{"StringEquals": {"aws:ResourceTag/Team": "web"}}"#, true),
        (r#"{"StringEquals": {"aws:ResourceTag/other": "web"}}"#, false),
        (r#"{"StringLike": {"aws:PrincipalArn": "*/${aws:username}"}}"#, true),
        (r#"{"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::1:user/dev/*"}}"#, true),
        (r#"{"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::2:user/dev/*"}}"#, false),
        (r#"{"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::2:*"}}"#, true),
        (r#"{"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}"#, true),
        (r#"{"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "203.0.113.7"]}}"#, true),
        (r#"{"IpAddress": {"aws:SourceIp": "2001:db8::/32"}}"#, false),
        (r#"{"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}"#, false),
        (r#"{"DateLessThan": {"aws:CurrentTime": "2026-03-01T12:00:01Z"}}"#, true),
        (r#"{"DateLessThan": {"aws:CurrentTime": "2026-03-01T12:00:00Z"}}"#, false),
        (r#"{"DateLessThanEquals": {"aws:EpochTime": "2026-03-01T12:00:00Z"}}"#, true),
        (r#"{"DateGreaterThan": {"aws:CurrentTime": "2026-01-01"}}"#, true),
        (r#"{"DateEquals": {"aws:CurrentTime": 1772366400}}"#, true),
        (r#"{"DateNotEquals": {"aws:CurrentTime": 1772366400}}"#, false),
        (r#"{"NumericGreaterThanEquals": {"aws:EpochTime": 1772366400}}"#, true),
        (r#"{"NumericLessThan": {"aws:EpochTime": "1772366400.5"}}"#, true),
        (r#"{"NumericNotEquals": {"aws:EpochTime": 1}}"#, true),
        (r#"{"Bool": {"aws:SecureTransport": false}}"#, true),
        (r#"{"Bool": {"aws:SecureTransport": "true"}}"#, false),
        (r#"{"Null": {"aws:SourceVpc": true}}"#, true),
        (r#"{"Null": {"aws:username": "true"}}"#, false),
        (r#"{"Null": {"aws:username": "false"}}"#, true),
    ] {
        assert_eq!(holds(condition), yes, "{condition}");
    }
}

#[test]
fn a_key_that_is_not_there_fails_unless_the_operator_says_not_or_if() {
    for (condition, yes) in [
        (r#"{"StringEquals": {"aws:SourceVpc": "vpc-1"}}"#, false),
        (r#"{"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}"#, true),
        (r#"{"StringEqualsIfExists": {"aws:SourceVpc": "vpc-1"}}"#, true),
        (r#"{"StringEqualsIfExists": {"aws:username": "eve"}}"#, false),
        (r#"{"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}"#, true),
        (r#"{"Bool": {"aws:MultiFactorAuthPresent": "false"}}"#, false),
        (r#"{"NumericLessThan": {"aws:MultiFactorAuthAge": "60"}}"#, false),
        (r#"{"NotIpAddress": {"aws:VpcSourceIp": "10.0.0.0/8"}}"#, true),
    ] {
        assert_eq!(holds(condition), yes, "{condition}");
    }
}

#[test]
fn several_values_are_taken_as_the_quantifier_says() {
    for (condition, yes) in [
        (r#"{"ForAllValues:StringEquals": {"aws:TagKeys": ["team", "Cost", "x"]}}"#, true),
        (r#"{"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}"#, false),
        (r#"{"ForAnyValue:StringEquals": {"aws:TagKeys": ["team"]}}"#, true),
        (r#"{"ForAnyValue:StringEquals": {"aws:TagKeys": ["x"]}}"#, false),
        (r#"{"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["team"]}}"#, true),
        (r#"{"ForAllValues:StringNotEquals": {"aws:TagKeys": ["team"]}}"#, false),
        (r#"{"ForAllValues:StringEquals": {"aws:RequestTag/none": ["x"]}}"#, true),
        (r#"{"ForAnyValue:StringEquals": {"aws:RequestTag/none": ["x"]}}"#, false),
        (r#"{"ForAnyValue:StringEqualsIfExists": {"aws:RequestTag/none": ["x"]}}"#, true),
    ] {
        assert_eq!(holds(condition), yes, "{condition}");
    }
}

#[test]
fn all_lines_must_hold() {
    let both =
        r#"{"StringEquals": {"aws:username": "bob"}, "IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}"#;
    assert!(!holds(both));
    assert!(!holds(r#"{"StringEquals": {"aws:username": "bob", "aws:userid": "x"}}"#));
    assert!(holds("{}"));
}

#[test]
fn an_address_of_the_other_family_that_means_the_same_is_the_same() {
    let mut context = Context::default();
    context.add("aws:SourceIp", "::ffff:10.1.2.3");
    let document = r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*",
        "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}}"#;
    assert_eq!(says(document, "cloudfront:GetDistribution", &context), Allowed);
}
