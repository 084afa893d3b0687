"""Tags of every kind of resource that can have some."""

import nearfront as parts
import pytest
import surface

BUCKET = {"DomainName": "media.s3.amazonaws.com", "OriginAccessIdentity": ""}
ENDPOINT = "arn:aws:ec2:eu-west-1:123456789012:instance/i-0abc"


def tagging(api):
    """Tags, untags and lists, as the model has it."""
    return (lambda arn, **tags: api.ok("TagResource", Resource=arn, Tags={"Items": items(tags)}),
            lambda arn, *keys: api.ok("UntagResource", Resource=arn, TagKeys={"Items": list(keys)}),
            lambda arn: {tag["Key"]: tag["Value"] for tag in api.ok("ListTagsForResource", Resource=arn)["Tags"]["Items"]})


def items(tags):
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def a_distribution(api, name, tags):
    config = surface.config_of(name, Enabled=False)
    made = api.call("CreateDistributionWithTags", DistributionConfigWithTags={"DistributionConfig": config, "Tags": tags})
    return made["Distribution"]["ARN"], lambda: surface.forget(api, made["Distribution"]["Id"])


def a_streaming_distribution(api, name, tags):
    config = {"CallerReference": name, "S3Origin": BUCKET, "Comment": "", "Enabled": False,
              "TrustedSigners": {"Enabled": False, "Quantity": 0}}
    made = api.call("CreateStreamingDistributionWithTags", StreamingDistributionConfigWithTags={
        "StreamingDistributionConfig": config, "Tags": tags})
    one = made["StreamingDistribution"]
    return one["ARN"], lambda: api.call("DeleteStreamingDistribution", Id=one["Id"], IfMatch=made["ETag"])


def a_vpc_origin(api, name, tags):
    config = {"Name": name, "Arn": ENDPOINT, "HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}
    made = api.call("CreateVpcOrigin", VpcOriginEndpointConfig=config, Tags=tags)
    return made["VpcOrigin"]["Arn"], lambda: api.call("DeleteVpcOrigin", Id=made["VpcOrigin"]["Id"], IfMatch=made["ETag"])


def a_function(api, name, tags):
    config = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
    made = api.call("CreateFunction", Name=name, FunctionConfig=config, Tags=tags,
                    FunctionCode=b"function handler(event) { return event.request; }")
    return (made["FunctionSummary"]["FunctionMetadata"]["FunctionARN"],
            lambda: api.call("DeleteFunction", Name=name, IfMatch=made["ETag"]))


def a_connection_function(api, name, tags):
    config = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
    made = api.call("CreateConnectionFunction", Name=name, ConnectionFunctionConfig=config, Tags=tags,
                    ConnectionFunctionCode=b"function connectionHandler(connection) { connection.allow(); }")
    one = made["ConnectionFunctionSummary"]
    return (one["ConnectionFunctionArn"],
            lambda: api.call("DeleteConnectionFunction", Id=one["Id"], IfMatch=made["ETag"]))


def a_key_value_store(api, name, tags):
    made = api.call("CreateKeyValueStore", Name=name, Tags=tags)
    parts.until(lambda: api.call("DescribeKeyValueStore", Name=name)["KeyValueStore"]["Status"] == "READY", what="ready")

    def delete():
        api.call("DeleteKeyValueStore", Name=name, IfMatch=api.call("DescribeKeyValueStore", Name=name)["ETag"])

    return made["KeyValueStore"]["ARN"], delete


KINDS = [a_distribution, a_streaming_distribution, a_vpc_origin, a_function, a_connection_function, a_key_value_store]


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def tagged(request, api, unique):
    """The ARN of a resource of each kind, made with two tags; deleted afterwards."""
    arn, delete = request.param(api, unique(), {"Items": items({"team": "web", "stage": "test"})})
    yield arn
    delete()


@pytest.mark.proves("TagResource", "UntagResource", "ListTagsForResource")
def test_tags_come_change_and_go(api, tagged):
    tag, untag, listed = tagging(api)
    assert listed(tagged) == {"team": "web", "stage": "test"}
    tag(tagged, stage="live", Team="other", empty="")
    assert listed(tagged) == {"team": "web", "stage": "live", "Team": "other", "empty": ""}
    untag(tagged, "team", "never there")
    assert listed(tagged) == {"stage": "live", "Team": "other", "empty": ""}
    untag(tagged, "stage", "Team", "empty")
    assert listed(tagged) == {}


def test_wrong_tags_are_refused_and_change_nothing(api, tagged):
    _, _, listed = tagging(api)
    before = listed(tagged)
    for wrong in ({"aws:mine": "x"}, {"AWS:mine": "x"}, {"x" * 129: ""}, {"": ""}, {"a": "x" * 257}, {"a!": ""}, {"a": "<"}):
        api.refused("TagResource", "InvalidTagging", why="out of range", Resource=tagged,
                    Tags={"Items": items({"fine": "", **wrong})})
    assert listed(tagged) == before


@pytest.fixture(scope="module")
def limited():
    """A server with the quotas that CloudFront has."""
    with parts.Up() as near:
        yield surface.Api(**surface.credentials(near))


def test_a_key_is_given_once(api, distribution):
    """A policy that asks for team=web was satisfied by the first of two, and the second was kept."""
    arn = distribution()["Distribution"]["ARN"]
    for second in ("team", "TEAM"):
        api.refused("TagResource", "InvalidTagging", why="out of range", says=second, Resource=arn,
                    Tags={"Items": [{"Key": "team", "Value": "web"}, {"Key": second, "Value": "admin"}]})
    assert tagging(api)[2](arn) == {}


@pytest.mark.parametrize("make", KINDS, ids=lambda kind: kind.__name__)
def test_a_resource_has_fifty_tags_at_most(limited, unique, make):
    tag, untag, listed = tagging(limited)
    many = items({f"k{number}": "" for number in range(51)})
    name = unique()
    with pytest.raises(limited.client.exceptions.InvalidTagging):
        make(limited, name, {"Items": many})
    arn, delete = make(limited, name, {"Items": many[:50]})
    limited.refused("TagResource", "InvalidTagging", why="out of range", says="50", Resource=arn,
                    Tags={"Items": items({"more": ""})})
    tag(arn, k0="changed")
    untag(arn, "k1")
    tag(arn, more="")
    assert len(listed(arn)) == 50 and listed(arn)["k0"] == "changed"
    delete()


def test_letters_of_every_script_may_stand_in_tags(api, tagged):
    tag, _, listed = tagging(api)
    tag(tagged, **{"größe_.:/=+-@ Ж": "日本 1"})
    assert listed(tagged)["größe_.:/=+-@ Ж"] == "日本 1"


@pytest.mark.parametrize("make", KINDS, ids=lambda kind: kind.__name__)
def test_tags_go_with_their_resource(api, unique, make):
    arn, delete = make(api, unique(), {"Items": items({"team": "web"})})
    delete()
    for operation, more in [("ListTagsForResource", {}), ("TagResource", {"Tags": {"Items": items({"a": ""})}}),
                            ("UntagResource", {"TagKeys": {"Items": ["a"]}})]:
        api.refused(operation, "NoSuchResource", why="wrong id", Resource=arn, **more)


@pytest.mark.parametrize("make", KINDS, ids=lambda kind: kind.__name__)
def test_what_is_made_with_wrong_tags_is_not_made(api, unique, make):
    name = unique()
    with pytest.raises(api.client.exceptions.InvalidTagging):
        make(api, name, {"Items": items({"fine": "", "aws:mine": ""})})
    _, delete = make(api, name, {"Items": []})
    delete()


@pytest.mark.parametrize("operation, more", [
    ("ListTagsForResource", {}), ("TagResource", {"Tags": {"Items": items({"a": ""})}}),
    ("UntagResource", {"TagKeys": {"Items": ["a"]}})])
def test_wrong_calls_are_refused(api, tagged, operation, more):
    own, _, one = tagged.rpartition("/")
    for wrong in (f"{own}/none", tagged.replace("0" * 12, "1" * 12), f"{own.rpartition(':')[0]}:cache-policy/{one}"):
        api.refused(operation, "NoSuchResource", why="wrong id", Resource=wrong, **more)
    api.refused(operation, "InvalidArgument", why="out of range", Resource="arn:aws:s3:::bucket", **more)
    api.refused(operation, "InvalidArgument", why="missing field", Resource="", **more)
    for member in more:
        api.refused(operation, "MissingBody", why="missing field", Resource=tagged)
        for lacking in ({"Items": [{"Value": "x"}]},) if member == "Tags" else ():
            api.refused(operation, "MalformedXML", why="missing field", Resource=tagged, **{member: lacking})
