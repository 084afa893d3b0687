"""RTMP streaming distributions: kept, named, tagged, guarded; none may be enabled without an RTMP service."""

import pytest
import surface
from test_identities import identity  # noqa: F401

BUCKET = "media.s3.amazonaws.com"


def config_of(reference, **changes):
    return {"CallerReference": reference, "S3Origin": {"DomainName": BUCKET, "OriginAccessIdentity": ""}, "Comment": "",
            "TrustedSigners": {"Enabled": False, "Quantity": 0}, "Enabled": False, **changes}


def aliases(*names):
    return {"Quantity": len(names), "Items": list(names)}


@pytest.fixture
def streaming(api, unique):
    """Makes streaming distributions; they are deleted afterwards."""
    made = []

    def make(**changes):
        answer = api.ok("CreateStreamingDistribution",
                        StreamingDistributionConfig=config_of(unique("reference"), **changes))
        made.append(answer["StreamingDistribution"]["Id"])
        return answer

    yield make
    for one in made:
        try:
            tag = api.call("GetStreamingDistribution", Id=one)["ETag"]
        except api.client.exceptions.NoSuchStreamingDistribution:
            continue
        api.call("DeleteStreamingDistribution", Id=one, IfMatch=tag)


@pytest.mark.proves("CreateStreamingDistribution", "GetStreamingDistribution", "GetStreamingDistributionConfig",
                    "UpdateStreamingDistribution", "DeleteStreamingDistribution", "ListStreamingDistributions")
def test_a_streaming_distribution_lives_and_is_gone(api, streaming):
    made = streaming(Comment="films")
    one = made["StreamingDistribution"]
    assert made["Location"].endswith(f"/streaming-distribution/{one['Id']}")
    assert one["DomainName"].startswith("s") and len(one["DomainName"].partition(".")[0]) == 14
    assert one["ARN"].endswith(f":streaming-distribution/{one['Id']}") and one["Status"] == "Deployed"
    config = one["StreamingDistributionConfig"]
    assert config["PriceClass"] == "PriceClass_All" and config["Aliases"] == {"Quantity": 0}
    assert config["Logging"] == {"Enabled": False, "Bucket": "", "Prefix": ""}
    api.client.get_waiter("streaming_distribution_deployed").wait(Id=one["Id"], WaiterConfig={"MaxAttempts": 1})
    changed = {**config, "Comment": "songs", "S3Origin": {"DomainName": "songs.s3.eu-west-1.amazonaws.com",
                                                          "OriginAccessIdentity": ""}}
    updated = api.ok("UpdateStreamingDistribution", Id=one["Id"], IfMatch=made["ETag"], StreamingDistributionConfig=changed)
    assert updated["ETag"] != made["ETag"] and updated["StreamingDistribution"]["DomainName"] == one["DomainName"]
    kept = api.ok("GetStreamingDistributionConfig", Id=one["Id"])
    assert kept["StreamingDistributionConfig"] == changed and kept["ETag"] == updated["ETag"]
    assert api.ok("GetStreamingDistribution", Id=one["Id"])["StreamingDistribution"] == updated["StreamingDistribution"]
    pages = api.client.get_paginator("list_streaming_distributions").paginate(PaginationConfig={"PageSize": 1})
    listed = [item for page in pages for item in page["StreamingDistributionList"].get("Items", [])]
    [summary] = [item for item in listed if item["Id"] == one["Id"]]
    assert (summary["Comment"], summary["S3Origin"]) == ("songs", changed["S3Origin"])
    api.ok("ListStreamingDistributions", MaxItems="1")
    api.ok("DeleteStreamingDistribution", Id=one["Id"], IfMatch=updated["ETag"])
    api.refused("GetStreamingDistribution", "NoSuchStreamingDistribution", why="wrong id", Id=one["Id"])
    api.refused("GetStreamingDistributionConfig", "NoSuchStreamingDistribution", why="wrong id", Id=one["Id"])


@pytest.mark.proves("CreateStreamingDistributionWithTags")
def test_one_is_made_with_tags(api, unique):
    tags = [{"Key": "team", "Value": "films"}]
    body = {"StreamingDistributionConfig": config_of(unique("reference")), "Tags": {"Items": tags}}
    made = api.ok("CreateStreamingDistributionWithTags", StreamingDistributionConfigWithTags=body)
    one = made["StreamingDistribution"]
    assert api.ok("ListTagsForResource", Resource=one["ARN"])["Tags"]["Items"] == tags
    api.ok("DeleteStreamingDistribution", Id=one["Id"], IfMatch=made["ETag"])
    api.refused("ListTagsForResource", "NoSuchResource", why="wrong id", Resource=one["ARN"])
    wrong = {**body, "Tags": {"Items": [{"Key": "aws:x", "Value": ""}]}}
    api.refused("CreateStreamingDistributionWithTags", "InvalidTagging", why="out of range",
                StreamingDistributionConfigWithTags=wrong)
    api.refused("CreateStreamingDistributionWithTags", "MalformedXML", why="missing field",
                StreamingDistributionConfigWithTags={"StreamingDistributionConfig": config_of(unique())})


WRONG = [
    ("Enabled", True, "InvalidArgument", "not honoured"),
    ("CallerReference", "", "InvalidArgument", "out of range"),
    ("Comment", "x" * 129, "InvalidArgument", "out of range"),
    ("Aliases", {"Quantity": 2, "Items": ["a.example"]}, "InconsistentQuantities", "out of range"),
    ("Aliases", aliases("no name"), "InvalidArgument", "out of range"),
    ("Aliases", aliases(f"d{'0' * 13}.nearfront.localhost"), "InvalidArgument", "out of range"),
    ("Aliases", aliases(*(f"a{number}.example" for number in range(101))), "TooManyStreamingDistributionCNAMEs",
     "out of range"),
    ("TrustedSigners", {"Enabled": True, "Quantity": 2, "Items": ["self"]}, "InconsistentQuantities", "out of range"),
    ("TrustedSigners", {"Enabled": True, "Quantity": 1, "Items": ["111122223333"]}, "TrustedSignerDoesNotExist", "wrong id"),
    ("TrustedSigners", {"Enabled": True, "Quantity": 6, "Items": ["self"] * 6}, "TooManyTrustedSigners", "out of range"),
    ("S3Origin", {"DomainName": BUCKET, "OriginAccessIdentity": "origin-access-identity/cloudfront/ENONE"},
     "InvalidOriginAccessIdentity", "wrong id"),
    ("S3Origin", {"DomainName": BUCKET, "OriginAccessIdentity": "ENONE"}, "InvalidOriginAccessIdentity", "out of range"),
    ("Logging", {"Enabled": True, "Bucket": "", "Prefix": ""}, "InvalidArgument", "out of range"),
]


@pytest.mark.parametrize("member, value, code, why", WRONG)
def test_wrong_settings_are_refused(api, unique, streaming, member, value, code, why):
    made = streaming()
    one = made["StreamingDistribution"]
    right = one["StreamingDistributionConfig"]
    created = {**config_of(unique("reference")), member: value}
    api.refused("CreateStreamingDistribution", code, why=why, says=member, StreamingDistributionConfig=created)
    api.refused("UpdateStreamingDistribution", code, why=why, says=member, Id=one["Id"], IfMatch=made["ETag"],
                StreamingDistributionConfig={**right, member: value})
    tagged = {"StreamingDistributionConfig": created, "Tags": {"Items": []}}
    api.refused("CreateStreamingDistributionWithTags", code, why=why, says=member,
                StreamingDistributionConfigWithTags=tagged)


def test_wrong_calls_are_refused(api, unique, streaming):
    made, other = streaming(), streaming()
    one, config = made["StreamingDistribution"]["Id"], made["StreamingDistribution"]["StreamingDistributionConfig"]
    taken = config_of(config["CallerReference"], Comment="another body")
    api.refused("CreateStreamingDistribution", "StreamingDistributionAlreadyExists", why="taken",
                StreamingDistributionConfig=taken)
    api.refused("CreateStreamingDistribution", "InvalidOrigin", why="out of range", StreamingDistributionConfig=config_of(
        unique(), S3Origin={"DomainName": "www.example.com", "OriginAccessIdentity": ""}))
    lacking = {key: value for key, value in config_of(unique()).items() if key != "S3Origin"}
    api.refused("CreateStreamingDistribution", "MalformedXML", why="missing field", StreamingDistributionConfig=lacking)
    api.refused("UpdateStreamingDistribution", "MalformedXML", why="missing field", Id=one, IfMatch=made["ETag"],
                StreamingDistributionConfig=lacking)
    api.refused("UpdateStreamingDistribution", "IllegalUpdate", Id=one, IfMatch=made["ETag"],
                StreamingDistributionConfig={**config, "CallerReference": unique()})
    api.refused("UpdateStreamingDistribution", "InvalidArgument", why="out of range", Id=one, IfMatch=made["ETag"],
                StreamingDistributionConfig={**config, "S3Origin": {"DomainName": "x", "OriginAccessIdentity": ""}})
    for operation, more in [("UpdateStreamingDistribution", {"StreamingDistributionConfig": config}),
                            ("DeleteStreamingDistribution", {})]:
        api.refused(operation, "PreconditionFailed", why="stale etag", Id=one, IfMatch=other["ETag"], **more)
        api.refused(operation, "InvalidIfMatchVersion", why="no etag", Id=one, **more)
        api.refused(operation, "NoSuchStreamingDistribution", why="wrong id", Id="ENONE", IfMatch="E1", **more)
    api.refused("ListStreamingDistributions", "InvalidArgument", why="out of range", MaxItems="-1")


@pytest.mark.proves("CreateStreamingDistribution", "UpdateStreamingDistribution", "DeleteStreamingDistribution")
def test_an_alias_belongs_to_one_distribution_of_either_kind(api, unique, streaming, distribution):
    name = f"{unique('alias')}.nearfront.localhost"
    made = streaming(Aliases=aliases(name.upper()))
    one = made["StreamingDistribution"]
    assert one["StreamingDistributionConfig"]["Aliases"]["Items"] == [name]
    api.refused("CreateStreamingDistribution", "CNAMEAlreadyExists", why="taken",
                StreamingDistributionConfig=config_of(unique("reference"), Aliases=aliases(name)))
    api.refused("CreateDistribution", "CNAMEAlreadyExists", why="taken",
                DistributionConfig=surface.config_of(unique("reference"), Aliases=aliases(name)))
    free = api.ok("UpdateStreamingDistribution", Id=one["Id"], IfMatch=made["ETag"], StreamingDistributionConfig={
        **one["StreamingDistributionConfig"], "Aliases": {"Quantity": 0}})
    distribution(Aliases=aliases(name))
    api.refused("UpdateStreamingDistribution", "CNAMEAlreadyExists", why="taken", Id=one["Id"], IfMatch=free["ETag"],
                StreamingDistributionConfig=one["StreamingDistributionConfig"])


def test_an_identity_that_a_streaming_distribution_has_is_in_use(api, unique, identity, streaming):  # noqa: F811
    oai = identity()
    one = oai["CloudFrontOriginAccessIdentity"]["Id"]
    made = streaming(S3Origin={"DomainName": BUCKET, "OriginAccessIdentity": f"origin-access-identity/cloudfront/{one}"})
    api.refused("DeleteCloudFrontOriginAccessIdentity", "CloudFrontOriginAccessIdentityInUse", why="in use", Id=one,
                IfMatch=oai["ETag"])
    config = made["StreamingDistribution"]["StreamingDistributionConfig"]
    config["S3Origin"]["OriginAccessIdentity"] = ""
    api.ok("UpdateStreamingDistribution", Id=made["StreamingDistribution"]["Id"], IfMatch=made["ETag"],
           StreamingDistributionConfig=config)
    api.ok("DeleteCloudFrontOriginAccessIdentity", Id=one, IfMatch=oai["ETag"])
