"""Policies that stand at a resource: who of the account may do what with it."""

import json

import pytest

ENDPOINT = "arn:aws:ec2:eu-west-1:123456789012:instance/i-0abc"
NONE = "arn:aws:cloudfront::000000000000:vpcorigin/vo_none"


def document(arn, principal="*", effect="Allow", **changes):
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": effect, "Principal": principal, "Action": "cloudfront:GetVpcOrigin", "Resource": arn, **changes}]})


@pytest.fixture
def vpc_origin(api, unique):
    """A VPC origin; deleted afterwards."""
    config = {"Name": unique("vpc"), "Arn": ENDPOINT, "HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}
    made = api.call("CreateVpcOrigin", VpcOriginEndpointConfig=config)["VpcOrigin"]
    yield made
    try:
        kept = api.call("GetVpcOrigin", Id=made["Id"])
    except api.client.exceptions.EntityNotFound:
        return
    api.call("DeleteVpcOrigin", Id=made["Id"], IfMatch=kept["ETag"])


@pytest.fixture
def user(client, unique):
    """Makes users without any policy, and clients with their keys; they are deleted afterwards."""
    iam, made = client("iam"), []

    def make():
        name = unique("user")
        user = iam.call("CreateUser", UserName=name)["User"]
        key = iam.call("CreateAccessKey", UserName=name)["AccessKey"]
        made.append((name, key["AccessKeyId"]))
        return user, client("cloudfront", key=key["AccessKeyId"], secret=key["SecretAccessKey"])

    yield make
    for name, key in made:
        iam.call("DeleteAccessKey", UserName=name, AccessKeyId=key)
        iam.call("DeleteUser", UserName=name)


@pytest.mark.proves("PutResourcePolicy", "GetResourcePolicy", "DeleteResourcePolicy")
def test_a_policy_is_kept_and_goes_with_its_resource(api, vpc_origin):
    arn = vpc_origin["Arn"]
    api.refused("GetResourcePolicy", "EntityNotFound", why="wrong id", says="policy", ResourceArn=arn)
    first, second = document(arn), document(arn, effect="Deny", Sid="second")
    assert api.ok("PutResourcePolicy", ResourceArn=arn, PolicyDocument=first)["ResourceArn"] == arn
    kept = api.ok("GetResourcePolicy", ResourceArn=arn)
    assert (kept["ResourceArn"], kept["PolicyDocument"]) == (arn, first)
    api.ok("PutResourcePolicy", ResourceArn=arn, PolicyDocument=second)
    assert api.ok("GetResourcePolicy", ResourceArn=arn)["PolicyDocument"] == second
    api.ok("DeleteResourcePolicy", ResourceArn=arn)
    for operation in ("GetResourcePolicy", "DeleteResourcePolicy"):
        api.refused(operation, "EntityNotFound", why="wrong id", ResourceArn=arn)
    api.ok("PutResourcePolicy", ResourceArn=arn, PolicyDocument=first)
    tag = api.call("GetVpcOrigin", Id=vpc_origin["Id"])["ETag"]
    api.ok("DeleteVpcOrigin", Id=vpc_origin["Id"], IfMatch=tag)
    api.refused("GetResourcePolicy", "EntityNotFound", why="wrong id", ResourceArn=arn)


@pytest.mark.proves("PutResourcePolicy", "DeleteResourcePolicy")
def test_whom_it_allows_may(api, vpc_origin, user):
    """A user without policies of its own gets what the resource's policy says, and no more."""
    arn, (named, her), (_, him) = vpc_origin["Arn"], user(), user()
    her.refused("GetVpcOrigin", "AccessDenied", Id=vpc_origin["Id"])
    api.ok("PutResourcePolicy", ResourceArn=arn, PolicyDocument=document(arn, {"AWS": named["Arn"]}))
    her.ok("GetVpcOrigin", Id=vpc_origin["Id"])
    him.refused("GetVpcOrigin", "AccessDenied", Id=vpc_origin["Id"])
    her.refused("ListVpcOrigins", "AccessDenied")
    api.ok("PutResourcePolicy", ResourceArn=arn, PolicyDocument=document(arn, {"AWS": "000000000000"}))
    her.refused("GetVpcOrigin", "AccessDenied", Id=vpc_origin["Id"])
    api.ok("PutResourcePolicy", ResourceArn=arn, PolicyDocument=document(arn))
    him.ok("GetVpcOrigin", Id=vpc_origin["Id"])
    api.ok("DeleteResourcePolicy", ResourceArn=arn)
    him.refused("GetVpcOrigin", "AccessDenied", Id=vpc_origin["Id"])


def test_a_later_user_of_the_same_name_is_somebody_else(api, client, vpc_origin, unique):
    """A policy named bob; bob went, and whoever was made with his name had his rights."""
    iam, arn, name = client("iam"), vpc_origin["Arn"], unique("bob")
    named = iam.call("CreateUser", UserName=name)["User"]
    api.ok("PutResourcePolicy", ResourceArn=arn, PolicyDocument=document(arn, {"AWS": named["Arn"]}))
    iam.call("DeleteUser", UserName=name)
    iam.call("CreateUser", UserName=name)
    key = iam.call("CreateAccessKey", UserName=name)["AccessKey"]
    try:
        bob = client("cloudfront", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
        bob.refused("GetVpcOrigin", "AccessDenied", Id=vpc_origin["Id"])
        api.ok("PutResourcePolicy", ResourceArn=arn, PolicyDocument=document(arn, {"AWS": named["Arn"]}))
        bob.ok("GetVpcOrigin", Id=vpc_origin["Id"])
    finally:
        iam.call("DeleteAccessKey", UserName=name, AccessKeyId=key["AccessKeyId"])
        iam.call("DeleteUser", UserName=name)


def test_versions_of_a_policy_are_kept(api, own, vpc_origin):
    """Its record stood under a key that history did not see."""
    arn = vpc_origin["Arn"]
    for effect in ("Allow", "Deny"):
        api.ok("PutResourcePolicy", ResourceArn=arn, PolicyDocument=document(arn, effect=effect))
    versions = own.get("history", Resource=f"resource-policy/vpcorigin-{vpc_origin['Id']}")["Versions"]
    assert [one["What"] for one in versions] == ["Changed", "Created"]


@pytest.mark.proves("PutResourcePolicy")
def test_whom_it_denies_may_not_whatever_their_own_policies_say(api, client, vpc_origin, user):
    arn, (named, her) = vpc_origin["Arn"], user()
    everything = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    iam = client("iam")
    iam.call("PutUserPolicy", UserName=named["UserName"], PolicyName="all", PolicyDocument=json.dumps(everything))
    try:
        her.ok("GetVpcOrigin", Id=vpc_origin["Id"])
        for principal in ("*", {"AWS": named["Arn"]}, {"AWS": "arn:aws:iam::000000000000:root"}):
            denied = document(arn, principal, "Deny")
            her.ok("PutResourcePolicy", ResourceArn=arn, PolicyDocument=denied)
            her.refused("GetVpcOrigin", "AccessDenied", says="denies", Id=vpc_origin["Id"])
            api.ok("GetVpcOrigin", Id=vpc_origin["Id"])
    finally:
        iam.call("DeleteUserPolicy", UserName=named["UserName"], PolicyName="all")


WRONG = [
    ("no json", "JSON"), ("[]", "object"), ("{}", "Statement"), ("x" * 7000, "bytes"),
    (document("*", effect="Perhaps"), "Effect"), (document("*", "anna"), "Principal"),
    (document("*", {"Service": "ec2.amazonaws.com"}), "Principal"),
    (document("*", {"AWS": "111122223333"}), "111122223333"),
    (document("*", {"AWS": "arn:aws:iam::111122223333:user/anna"}), "111122223333"),
    (document("*", {"AWS": "arn:aws:iam::000000000000:user/nobody"}), "user/nobody"),
    (document("*", NotPrincipal="*"), "NotPrincipal"), (document("no arn"), "ARN"),
    (document("*", Condition={"Sometimes": {"aws:SourceIp": "::"}}), "Condition"),
]


@pytest.mark.parametrize("text, says", WRONG)
def test_wrong_documents_are_refused(api, vpc_origin, text, says):
    arn = vpc_origin["Arn"]
    api.refused("PutResourcePolicy", "InvalidArgument", why="out of range", says=says, ResourceArn=arn, PolicyDocument=text)
    api.refused("GetResourcePolicy", "EntityNotFound", why="wrong id", ResourceArn=arn)


@pytest.mark.parametrize("operation, more", [
    ("PutResourcePolicy", {"PolicyDocument": document(NONE)}), ("GetResourcePolicy", {}), ("DeleteResourcePolicy", {})])
def test_wrong_calls_are_refused(api, distribution, operation, more):
    other = distribution(Enabled=False)["Distribution"]["ARN"]
    api.refused(operation, "EntityNotFound", why="wrong id", ResourceArn=NONE, **more)
    api.refused(operation, "EntityNotFound", why="wrong id", ResourceArn=NONE.replace("0" * 12, "1" * 12), **more)
    api.refused(operation, "UnsupportedOperation", why="not honoured", ResourceArn=other, **more)
    api.refused(operation, "InvalidArgument", why="out of range", ResourceArn="vo_none", **more)
    if more:
        api.refused(operation, "MalformedXML", why="missing field", ResourceArn=NONE)
        api.refused(operation, "MalformedXML", why="missing field", **more)
    else:
        api.refused(operation, "MissingBody", why="missing field")
