"""Users, their keys and policies, by unmodified clients of IAM, STS, CloudFront and ACM."""

import json

import botocore.exceptions
import nearfront as parts
import pytest
import surface
from people import forget, policy

ACCOUNT = "000000000000"


def arn(kind, one):
    return f"arn:aws:cloudfront::{ACCOUNT}:{kind}/{one}"


def denied(api, operation, says, code="AccessDenied", **params):
    error = api.refused(operation, code, status=403, **params)
    for part in says:
        assert part in error["Message"], error["Message"]


# --- users


def test_a_user_lives_and_is_gone(iam, unique):
    name = unique("user")
    made = iam.ok("CreateUser", UserName=name, Path="/team/", Tags=[{"Key": "team", "Value": "web"}])["User"]
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/team/{name}"
    assert made["UserId"].startswith("AIDA")
    shown = iam.ok("GetUser", UserName=name)["User"]
    assert shown == made and shown["Tags"] == [{"Key": "team", "Value": "web"}]
    iam.refused("CreateUser", "EntityAlreadyExists", status=409, UserName=name.upper())
    iam.ok("DeleteUser", UserName=name)
    iam.refused("GetUser", "NoSuchEntity", status=404, UserName=name)
    iam.refused("DeleteUser", "NoSuchEntity", status=404, UserName=name)


def test_users_are_listed_by_page_and_path(iam, user, unique):
    path = f"/{unique('path')}/"
    names = [user(Path=path) for _ in range(5)]
    pages = list(iam.client.get_paginator("list_users").paginate(PathPrefix=path, PaginationConfig={"PageSize": 2}))
    assert [len(page["Users"]) for page in pages] == [2, 2, 1]
    assert [page["IsTruncated"] for page in pages] == [True, True, False]
    assert sorted(one["UserName"] for page in pages for one in page["Users"]) == sorted(names)
    iam.ok("ListUsers", MaxItems=1)


@pytest.mark.parametrize("params, code", [
    ({}, "ValidationError"),
    ({"UserName": "a b"}, "ValidationError"),
    ({"UserName": "x" * 65}, "ValidationError"),
    ({"UserName": "x", "Path": "no"}, "ValidationError"),
    ({"UserName": "x", "PermissionsBoundary": "arn:aws:iam::aws:policy/ReadOnlyAccess"}, "ValidationError"),
    ({"UserName": "x", "Tags": [{"Key": "aws:x", "Value": ""}]}, "ValidationError"),
])
def test_wrong_users_are_refused(iam, params, code):
    iam.refused("CreateUser", code, status=400, **params)


def test_a_user_with_keys_or_policies_stays(iam, user):
    name = user()
    key = iam.ok("CreateAccessKey", UserName=name)["AccessKey"]["AccessKeyId"]
    iam.refused("DeleteUser", "DeleteConflict", status=409, says="access keys", UserName=name)
    iam.ok("DeleteAccessKey", UserName=name, AccessKeyId=key)
    iam.ok("PutUserPolicy", UserName=name, PolicyName="p", PolicyDocument=policy(("Allow", "*", "*")))
    iam.refused("DeleteUser", "DeleteConflict", status=409, says="policies", UserName=name)
    iam.ok("DeleteUserPolicy", UserName=name, PolicyName="p")
    iam.ok("DeleteUser", UserName=name)


def test_what_is_not_offered_is_not_passed_over(iam, user):
    iam.refused("ListUsers", "ValidationError", status=400, says="MaxItems", MaxItems=0)
    iam.refused("CreateGroup", "InvalidAction", status=400, says="CreateGroup", GroupName="x")


# --- keys


def test_a_key_signs_until_it_is_switched_off_or_deleted(iam, as_user):
    me = as_user(("Allow", "cloudfront:ListDistributions", "*"))
    name, key = me.name, me.key["AccessKeyId"]
    me().ok("ListDistributions")
    iam.ok("UpdateAccessKey", UserName=name, AccessKeyId=key, Status="Inactive")
    with pytest.raises(botocore.exceptions.ClientError, match="InvalidClientTokenId"):
        me().call("ListDistributions")
    iam.ok("UpdateAccessKey", UserName=name, AccessKeyId=key, Status="Active")
    me().ok("ListDistributions")
    iam.ok("DeleteAccessKey", UserName=name, AccessKeyId=key)
    with pytest.raises(botocore.exceptions.ClientError, match="InvalidClientTokenId"):
        me().call("ListDistributions")
    iam.refused("DeleteAccessKey", "NoSuchEntity", status=404, UserName=name, AccessKeyId=key)


def test_two_keys_and_the_secret_is_shown_once(iam, user):
    name = user()
    keys = [iam.ok("CreateAccessKey", UserName=name)["AccessKey"] for _ in range(2)]
    assert all(len(key["SecretAccessKey"]) == 40 for key in keys)
    listed = iam.ok("ListAccessKeys", UserName=name)
    assert {key["AccessKeyId"] for key in listed["AccessKeyMetadata"]} == {key["AccessKeyId"] for key in keys}
    assert not any(key["SecretAccessKey"] in json.dumps(listed, default=str) for key in keys)
    page = iam.ok("ListAccessKeys", UserName=name, MaxItems=1)
    assert page["IsTruncated"] and page["Marker"] == page["AccessKeyMetadata"][0]["AccessKeyId"]
    iam.refused("UpdateAccessKey", "ValidationError", status=400, UserName=name,
                AccessKeyId=keys[0]["AccessKeyId"], Status="Off")
    iam.refused("UpdateAccessKey", "NoSuchEntity", status=404, UserName=name,
                AccessKeyId="AKIAAAAAAAAAAAAAAAAA", Status="Inactive")


def test_a_key_of_one_user_is_no_key_of_another(iam, user):
    one, other = user(), user()
    key = iam.call("CreateAccessKey", UserName=one)["AccessKey"]["AccessKeyId"]
    iam.refused("DeleteAccessKey", "NoSuchEntity", status=404, UserName=other, AccessKeyId=key)


def test_users_keys_and_policies_are_counted():
    quotas = {"users": 1, "access_keys_per_user": 2, "user_policies": 3}
    with parts.Up(settings={"quotas": quotas}) as near:
        iam = surface.Api(**surface.credentials(near), service="iam")
        iam.ok("CreateUser", UserName="one")
        iam.refused("CreateUser", "LimitExceeded", status=409, says="1 users", UserName="two")
        for _ in range(2):
            iam.ok("CreateAccessKey", UserName="one")
        iam.refused("CreateAccessKey", "LimitExceeded", status=409, says="2 access keys", UserName="one")
        for number in range(3):
            iam.ok("PutUserPolicy", UserName="one", PolicyName=f"p{number}", PolicyDocument=policy(("Allow", "*", "*")))
        iam.refused("PutUserPolicy", "LimitExceeded", status=409, says="3 policies", UserName="one", PolicyName="p3",
                    PolicyDocument=policy(("Allow", "*", "*")))
        iam.ok("PutUserPolicy", UserName="one", PolicyName="p0", PolicyDocument=policy(("Deny", "*", "*")))


def test_the_account_can_change_its_key_but_not_lose_the_last_one():
    with parts.Up() as near:
        access = surface.credentials(near)
        iam = surface.Api(**access, service="iam")
        iam.refused("DeleteAccessKey", "DeleteConflict", status=409, AccessKeyId=access["key"])
        iam.refused("UpdateAccessKey", "DeleteConflict", status=409, AccessKeyId=access["key"], Status="Inactive")
        new = iam.ok("CreateAccessKey")["AccessKey"]
        assert new["UserName"] == "root"
        later = surface.Api(access["url"], new["AccessKeyId"], new["SecretAccessKey"], service="iam")
        later.ok("DeleteAccessKey", AccessKeyId=access["key"])
        with pytest.raises(botocore.exceptions.ClientError, match="InvalidClientTokenId"):
            iam.call("ListUsers")
        assert [key["AccessKeyId"] for key in later.ok("ListAccessKeys")["AccessKeyMetadata"]] == [new["AccessKeyId"]]


# --- who am I


def test_everybody_may_ask_who_he_is(client, as_user):
    root = client("sts").ok("GetCallerIdentity")
    assert (root["Account"], root["Arn"]) == (ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root")
    me = as_user(("Deny", "*", "*"))
    shown = me("sts").ok("GetCallerIdentity")
    assert shown["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/{me.name}"
    assert shown["UserId"].startswith("AIDA")
    client("sts").refused("GetSessionToken", "InvalidAction", status=400)


def test_get_user_without_a_name_is_about_the_caller(iam, as_user):
    me = as_user(("Allow", "iam:GetUser", f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}"))
    assert me("iam").ok("GetUser")["User"]["UserName"] == me.name
    denied(me("iam"), "GetUser", ["iam:GetUser", "user/somebody"], UserName="somebody")
    # The account's own id has 12 digits, as everywhere, though the model wants 16 of a user's.
    assert iam.call("GetUser")["User"]["Arn"].endswith(":root")


# --- policies


def test_policies_are_kept_as_they_were_written(iam, user):
    name, text = user(), policy(("Allow", "cloudfront:Get*", "*"), ("Deny", "*", arn("distribution", "E1+")))
    iam.ok("PutUserPolicy", UserName=name, PolicyName="first", PolicyDocument=text)
    iam.ok("PutUserPolicy", UserName=name, PolicyName="second", PolicyDocument=policy(("Allow", "acm:*", "*")))
    # The client decodes the document, which its own model calls text.
    assert iam.call("GetUserPolicy", UserName=name, PolicyName="first")["PolicyDocument"] == json.loads(text)
    assert iam.ok("ListUserPolicies", UserName=name)["PolicyNames"] == ["first", "second"]
    page = iam.ok("ListUserPolicies", UserName=name, MaxItems=1)
    assert page["IsTruncated"] and page["PolicyNames"] == ["first"]
    assert iam.ok("ListUserPolicies", UserName=name, Marker=page["Marker"])["PolicyNames"] == ["second"]
    iam.ok("DeleteUserPolicy", UserName=name, PolicyName="first")
    iam.refused("GetUserPolicy", "NoSuchEntity", status=404, UserName=name, PolicyName="first")
    iam.refused("DeleteUserPolicy", "NoSuchEntity", status=404, UserName=name, PolicyName="first")
    iam.refused("PutUserPolicy", "NoSuchEntity", status=404, UserName="nobody", PolicyName="p", PolicyDocument=text)


def test_wrong_policies_are_refused_with_everything_that_is_wrong(iam, user):
    name = user()
    text = '{"Version": "2012-10-17", "Statement": [{"Effect": "allow", "Action": "x", "Resource": "y"}]}'
    said = iam.refused("PutUserPolicy", "MalformedPolicyDocument", status=400, UserName=name, PolicyName="p",
                       PolicyDocument=text)["Message"]
    assert all(part in said for part in ("Statement[0].Effect", "Statement[0].Action", "Statement[0].Resource"))
    iam.refused("PutUserPolicy", "MalformedPolicyDocument", status=400, UserName=name, PolicyName="p",
                PolicyDocument=policy(("Allow", "*", "*")) + " " * 6144)
    iam.refused("PutUserPolicy", "ValidationError", status=400, UserName=name, PolicyName="a/b",
                PolicyDocument=policy(("Allow", "*", "*")))


# --- what policies do


def test_without_a_policy_nothing_is_allowed(as_user):
    me = as_user()
    who = f"User: arn:aws:iam::{ACCOUNT}:user/{me.name} is not authorized to perform: "
    denied(me(), "ListDistributions", [who + "cloudfront:ListDistributions on resource: *"])
    denied(me(), "GetDistribution", [who + "cloudfront:GetDistribution on resource: " + arn("distribution", "E1")], Id="E1")
    denied(me("acm"), "ListCertificates", [who + "acm:ListCertificates"], code="AccessDeniedException")
    denied(me("iam"), "ListUsers", [who + "iam:ListUsers"])
    denied(me("cloudtrail"), "LookupEvents", [who + "cloudtrail:LookupEvents"], code="AccessDeniedException")


def test_one_distribution_and_no_other(as_user, distribution):
    mine, other = (distribution()["Distribution"]["Id"] for _ in range(2))
    me = as_user(("Allow", ["cloudfront:GetDistribution*", "cloudfront:CreateInvalidation"], arn("distribution", mine)))()
    me.ok("GetDistribution", Id=mine)
    kept = me.ok("GetDistributionConfig", Id=mine)
    batch = {"Paths": {"Quantity": 1, "Items": ["/x"]}, "CallerReference": "r"}
    me.ok("CreateInvalidation", DistributionId=mine, InvalidationBatch=batch)
    for operation, params in [
            ("GetDistribution", {"Id": other}), ("GetDistribution", {"Id": "ENOSUCH"}),
            ("CreateInvalidation", {"DistributionId": other, "InvalidationBatch": batch}),
            ("UpdateDistribution", {"Id": mine, "IfMatch": kept["ETag"], "DistributionConfig": kept["DistributionConfig"]}),
            ("DeleteDistribution", {"Id": mine, "IfMatch": kept["ETag"]}),
            ("CreateDistribution", {"DistributionConfig": surface.config_of("x")})]:
        denied(me, operation, [f"cloudfront:{operation} on resource: arn:aws:cloudfront::{ACCOUNT}:distribution/"], **params)


def test_a_deny_wins(as_user, distribution):
    one = distribution()["Distribution"]["Id"]
    me = as_user(("Allow", "*", "*"), ("Deny", "cloudfront:Delete*", arn("distribution", one)))()
    etag = me.ok("GetDistribution", Id=one)["ETag"]
    denied(me, "DeleteDistribution", ["cloudfront:DeleteDistribution", arn("distribution", one), "a policy denies it"],
           Id=one, IfMatch=etag)


def test_tags_of_a_resource_and_of_a_request_decide(api, as_user, unique):
    config = {"Quantity": 1}
    made = []

    def make(client, team):
        tags = {"Items": [{"Key": "team", "Value": team}]}
        answer = client.call("CreateDistributionWithTags", DistributionConfigWithTags={
            "DistributionConfig": surface.config_of(unique()), "Tags": tags})
        made.append(answer["Distribution"]["Id"])
        return made[-1]

    assert config
    try:
        blue, red = make(api, "blue"), make(api, "red")
        me = as_user(
            ("Allow", "cloudfront:GetDistribution", "*", {"StringEquals": {"aws:ResourceTag/team": "blue"}}),
            ("Allow", ["cloudfront:CreateDistribution", "cloudfront:TagResource"], "*",
             {"StringEquals": {"aws:RequestTag/team": "blue"}, "ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}))()
        me.ok("GetDistribution", Id=blue)
        denied(me, "GetDistribution", [arn("distribution", red)], Id=red)
        make(me, "blue")
        with pytest.raises(botocore.exceptions.ClientError, match="AccessDenied"):
            make(me, "red")
        denied(me, "TagResource", ["cloudfront:TagResource"], Resource=arn("distribution", blue),
               Tags={"Items": [{"Key": "team", "Value": "blue"}, {"Key": "more", "Value": "x"}]})
        denied(me, "UntagResource", ["cloudfront:UntagResource"], Resource=arn("distribution", blue),
               TagKeys={"Items": ["team"]})
        denied(me, "CreateDistribution", ["cloudfront:CreateDistribution"],
               DistributionConfig=surface.config_of(unique()))
    finally:
        for one in made:
            surface.forget(api, one)


def test_making_with_tags_needs_both_actions(as_user, unique):
    me = as_user(("Allow", "cloudfront:CreateDistribution", "*"))()
    denied(me, "CreateDistributionWithTags", ["cloudfront:TagResource"], DistributionConfigWithTags={
        "DistributionConfig": surface.config_of(unique()), "Tags": {"Items": [{"Key": "a", "Value": "b"}]}})


@pytest.mark.parametrize("condition, fine", [
    ({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, True),
    ({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, False),
    ({"NotIpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, False),
    ({"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, True),
    ({"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, False),
    ({"NumericGreaterThan": {"aws:EpochTime": "1577836800"}}, True),
    ({"Bool": {"aws:SecureTransport": "true"}}, False),
    ({"StringEquals": {"aws:RequestedRegion": "us-east-1"}}, True),
    ({"StringLike": {"aws:username": "user-*"}}, True),
    ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/user-*"}}, True),
    ({"Null": {"aws:MultiFactorAuthAge": "true"}}, True),
])
def test_conditions_ask_the_request(as_user, condition, fine):
    me = as_user(("Allow", "cloudfront:ListDistributions", "*", condition))()
    if fine:
        me.ok("ListDistributions")
    else:
        denied(me, "ListDistributions", ["cloudfront:ListDistributions"])


def test_a_change_of_a_policy_is_felt_at_once(iam, as_user):
    me = as_user(("Allow", "*", "*"))
    me().ok("ListDistributions")
    iam.call("PutUserPolicy", UserName=me.name, PolicyName="no", PolicyDocument=policy(("Deny", "*", "*")))
    denied(me(), "ListDistributions", ["a policy denies it"])
    iam.call("DeleteUserPolicy", UserName=me.name, PolicyName="no")
    me().ok("ListDistributions")


def test_a_user_cannot_give_itself_more(as_user):
    me = as_user(("Allow", "cloudfront:*", "*"))
    denied(me("iam"), "PutUserPolicy", ["iam:PutUserPolicy", f"user/{me.name}"], UserName=me.name, PolicyName="p",
           PolicyDocument=policy(("Allow", "*", "*")))
    denied(me("iam"), "CreateAccessKey", ["iam:CreateAccessKey"])
    denied(me("iam"), "CreateUser", ["iam:CreateUser"], UserName="x")


# --- simulation


def test_simulation_says_what_would_be(iam, user, client):
    name = user()
    iam.call("PutUserPolicy", UserName=name, PolicyName="p", PolicyDocument=policy(
        ("Allow", "cloudfront:Get*", arn("distribution", "*")), ("Deny", "cloudfront:GetDistribution", arn("distribution", "E9")),
        ("Allow", "acm:*", "*", {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})))
    source = f"arn:aws:iam::{ACCOUNT}:user/{name}"

    def said(**params):
        answer = iam.ok("SimulatePrincipalPolicy", PolicySourceArn=source, **params)
        return [one["EvalDecision"] for one in answer["EvaluationResults"]], answer

    decisions, answer = said(ActionNames=["cloudfront:GetDistribution", "cloudfront:DeleteDistribution"],
                             ResourceArns=[arn("distribution", "E1"), arn("distribution", "E9")])
    assert decisions == ["allowed", "explicitDeny", "implicitDeny", "implicitDeny"]
    assert answer["EvaluationResults"][0]["MatchedStatements"][0]["SourcePolicyId"] == "p"
    decisions, answer = said(ActionNames=["acm:ListCertificates"])
    assert decisions == ["implicitDeny"]
    assert answer["EvaluationResults"][0]["MissingContextValues"] == ["aws:sourceip"]
    decisions, _ = said(ActionNames=["acm:ListCertificates"], ContextEntries=[
        {"ContextKeyName": "aws:SourceIp", "ContextKeyValues": ["10.1.1.1"], "ContextKeyType": "ip"}])
    assert decisions == ["allowed"]
    decisions, _ = said(ActionNames=["iam:GetUser"], PolicyInputList=[policy(("Allow", "iam:*", "*"))])
    assert decisions == ["allowed"]
    pages = iam.client.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=source, ActionNames=["a:b", "a:c", "a:d"], PaginationConfig={"PageSize": 2})
    assert [len(page["EvaluationResults"]) for page in pages] == [2, 1]
    iam.refused("SimulatePrincipalPolicy", "NoSuchEntity", status=404, PolicySourceArn=source + "x", ActionNames=["a:b"])
    iam.refused("SimulatePrincipalPolicy", "InvalidInput", status=400, PolicySourceArn="arn:aws:iam::1:role/x", ActionNames=["a:b"])
    iam.refused("SimulatePrincipalPolicy", "InvalidInput", status=400, PolicySourceArn=source, ActionNames=["x"])
    iam.refused("SimulatePrincipalPolicy", "InvalidInput", status=400, PolicySourceArn=source, ActionNames=["a:b"],
                PolicyInputList=["{}"])
    # What takes long to decide is not begun; the last marker there can be once broke the handler down.
    fine = policy(("Allow", "*", "*"))
    for more in ({"PolicyInputList": [fine] * 11}, {"ResourceArns": ["x" * 2049]}, {"ActionNames": ["a:" + "b" * 2047]},
                 {"ContextEntries": [{"ContextKeyName": "k", "ContextKeyType": "string", "ContextKeyValues": ["v" * 4096]}]}):
        iam.refused("SimulatePrincipalPolicy", "InvalidInput", status=400, **{"PolicySourceArn": source, "ActionNames": ["a:b"], **more})
    last = iam.ok("SimulatePrincipalPolicy", PolicySourceArn=source, ActionNames=["a:b"], Marker=str(2**64 - 1))
    assert last["EvaluationResults"] == []


# --- server certificates


def pair(folder, name="server.example"):
    """A certificate that signs itself, and its key, as PEM."""
    import subprocess
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                    "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout", folder / f"{name}.key",
                    "-out", folder / f"{name}.pem"], check=True, capture_output=True)
    return (folder / f"{name}.pem").read_text(), (folder / f"{name}.key").read_text()


def test_a_server_certificate_lives_and_is_gone(api, iam, client, unique, tmp_path):
    (body, key), name, path = pair(tmp_path), unique("certificate"), f"/{unique('path')}/"
    made = iam.ok("UploadServerCertificate", ServerCertificateName=name, Path=path, CertificateBody=body,
                  PrivateKey=key)["ServerCertificateMetadata"]
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:server-certificate{path}{name}"
    assert made["ServerCertificateId"].startswith("ASCA")
    shown = iam.ok("GetServerCertificate", ServerCertificateName=name)["ServerCertificate"]
    assert shown["ServerCertificateMetadata"] == made
    assert shown["CertificateBody"].split() == body.split()
    assert "PRIVATE" not in json.dumps(shown, default=str)
    listed = iam.ok("ListServerCertificates", PathPrefix=path)
    assert listed["ServerCertificateMetadataList"] == [made] and not listed["IsTruncated"]
    assert made["Arn"] not in json.dumps(client("acm").call("ListCertificates"), default=str)
    iam.refused("UploadServerCertificate", "EntityAlreadyExists", status=409, ServerCertificateName=name.upper(),
                CertificateBody=body, PrivateKey=key)
    config = surface.config_of(unique(), ViewerCertificate={
        "IAMCertificateId": made["ServerCertificateId"], "SSLSupportMethod": "sni-only", "MinimumProtocolVersion": "TLSv1.2_2021"})
    said = api.refused("CreateDistribution", "UnsupportedOperation", why="not honoured", DistributionConfig=config)["Message"]
    assert "IAMCertificateId" in said
    iam.ok("DeleteServerCertificate", ServerCertificateName=name)
    for operation in ("GetServerCertificate", "DeleteServerCertificate"):
        iam.refused(operation, "NoSuchEntity", status=404, ServerCertificateName=name)


def test_wrong_server_certificates_are_refused(iam, unique, tmp_path):
    (body, key), (_, other) = pair(tmp_path), pair(tmp_path, "other.example")
    name = unique("certificate")
    for more, code in [
            ({"CertificateBody": "no", "PrivateKey": key}, "MalformedCertificate"),
            ({"CertificateBody": body, "PrivateKey": other}, "KeyPairMismatch"),
            ({"CertificateBody": body}, "ValidationError"),
            ({"CertificateBody": body, "PrivateKey": key, "Path": "x"}, "ValidationError")]:
        iam.refused("UploadServerCertificate", code, status=400, ServerCertificateName=name, **more)
    iam.refused("GetServerCertificate", "NoSuchEntity", status=404, ServerCertificateName=name)
