"""Which distributions use a thing: the twelve lists."""

import nearfront as parts
import pytest
import surface
from keys import key  # noqa: F401
from test_keys import group  # noqa: F401
from test_log_configs import log  # noqa: F401
from test_trust_stores import pem, place  # noqa: F401

ALL_VIEWER = "216adef6-5c7f-47e4-b989-5492eafa07d3"
SIMPLE_CORS = "60669652-455b-4ae9-85a4-c4c02393f86c"
NONE = "00000000-0000-4000-8000-000000000000"
ACL = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/mine/a1b2c3d4-5678-90ab-cdef-000000000000"


def behaviour(**policies):
    return {"TargetOriginId": "web", "ViewerProtocolPolicy": "allow-all", "CachePolicyId": parts.CACHING_DISABLED,
            **policies}


def cache_policy(api, unique):
    config = {"Name": unique("cache"), "MinTTL": 0, "ParametersInCacheKeyAndForwardedToOrigin": {
        "EnableAcceptEncodingGzip": False, "HeadersConfig": {"HeaderBehavior": "none"},
        "CookiesConfig": {"CookieBehavior": "none"}, "QueryStringsConfig": {"QueryStringBehavior": "none"}}}
    return api.call("CreateCachePolicy", CachePolicyConfig=config)["CachePolicy"]["Id"]


def request_policy(api, unique):
    config = {"Name": unique("request"), "HeadersConfig": {"HeaderBehavior": "none"},
              "CookiesConfig": {"CookieBehavior": "none"}, "QueryStringsConfig": {"QueryStringBehavior": "none"}}
    made = api.call("CreateOriginRequestPolicy", OriginRequestPolicyConfig=config)
    return made["OriginRequestPolicy"]["Id"]


def response_policy(api, unique):
    config = {"Name": unique("response"), "CustomHeadersConfig": {"Quantity": 1, "Items": [
        {"Header": "x-a", "Value": "b", "Override": True}]}}
    made = api.call("CreateResponseHeadersPolicy", ResponseHeadersPolicyConfig=config)
    return made["ResponseHeadersPolicy"]["Id"]


#: Operation, its parameter, the member of a behaviour, a managed policy, how to make one, how to delete it.
POLICIES = [
    ("ListDistributionsByCachePolicyId", "CachePolicyId", "658327ea-f89d-4fab-a63d-7e88639e58f6", cache_policy,
     "CachePolicy", "NoSuchCachePolicy"),
    ("ListDistributionsByOriginRequestPolicyId", "OriginRequestPolicyId", ALL_VIEWER, request_policy,
     "OriginRequestPolicy", "NoSuchOriginRequestPolicy"),
    ("ListDistributionsByResponseHeadersPolicyId", "ResponseHeadersPolicyId", SIMPLE_CORS, response_policy,
     "ResponseHeadersPolicy", "NoSuchResponseHeadersPolicy"),
]


def pages(api, operation, wrapper, most, **params):
    """All items, page by page."""
    found, marker = [], {}
    while True:
        page = api.ok(operation, MaxItems=most, **marker, **params)[wrapper]
        assert page["Marker"] == marker.get("Marker", "") and page["Quantity"] == len(page.get("Items", [])) <= int(most)
        assert page["IsTruncated"] == ("NextMarker" in page)
        found.extend(page.get("Items", []))
        if not page["IsTruncated"]:
            return found
        marker = {"Marker": page["NextMarker"]}


def off(api, made):
    """A policy goes away with the test."""
    operation, one = made
    api.call(f"Delete{operation}", Id=one, IfMatch=api.call(f"Get{operation}", Id=one)["ETag"])


@pytest.mark.proves("ListDistributionsByCachePolicyId", "ListDistributionsByOriginRequestPolicyId",
                    "ListDistributionsByResponseHeadersPolicyId")
@pytest.mark.parametrize("operation, member, managed, make, resource, missing", POLICIES)
def test_who_uses_a_policy(api, unique, operation, member, managed, make, resource, missing):
    policy = make(api, unique)
    made = []
    try:
        assert api.ok(operation, **{member: policy})["DistributionIdList"]["Quantity"] == 0

        def distribution(**changes):
            config = surface.config_of(unique("reference"), Enabled=False, **changes)
            made.append(api.call("CreateDistribution", DistributionConfig=config)["Distribution"]["Id"])
            return made[-1]

        default = distribution(DefaultCacheBehavior=behaviour(**{member: policy}))
        listed = {"Quantity": 1, "Items": [{"PathPattern": "/a", **behaviour(**{member: policy})}]}
        other = distribution(CacheBehaviors=listed)
        both = [distribution(DefaultCacheBehavior=behaviour(**{member: managed})),
                distribution(CacheBehaviors={"Quantity": 1, "Items": [
                    {"PathPattern": "/a", **behaviour(**{member: managed})}]})]
        distribution()
        for most in ("1", "2", "100"):
            assert pages(api, operation, "DistributionIdList", most, **{member: policy}) == sorted([default, other])
        known = pages(api, operation, "DistributionIdList", "1", **{member: managed})
        assert known == sorted(known) and set(both) <= set(known) and not {default, other} & set(known)
        surface.forget(api, made.pop(0))
        assert api.ok(operation, **{member: policy})["DistributionIdList"]["Items"] == [other]
    finally:
        for one in made:
            surface.forget(api, one)
        off(api, (resource, policy))
    api.refused(operation, missing, why="wrong id", **{member: policy})
    api.refused(operation, missing, why="wrong id", **{member: "a/b"})
    api.refused(operation, "InvalidArgument", why="out of range", MaxItems="none", **{member: managed})
    api.refused(operation, "InvalidArgument", why="out of range", Marker="a b", **{member: managed})


@pytest.mark.proves("ListDistributionsByConnectionMode", "ListDistributionsByWebACLId")
@pytest.mark.parametrize("operation, params, none", [
    ("ListDistributionsByConnectionMode", {"ConnectionMode": "direct"}, {"ConnectionMode": "tenant-only"}),
    ("ListDistributionsByWebACLId", {"WebACLId": "null"}, {"WebACLId": ACL}),
])
def test_what_distributions_are_without(api, distribution, operation, params, none):
    made = {distribution(Enabled=False)["Distribution"]["Id"] for _ in range(3)}
    most = 1 if operation.endswith("Mode") else "1"
    found = pages(api, operation, "DistributionList", most, **params)
    ids = [item["Id"] for item in found]
    assert ids == sorted(ids) and made <= set(ids)
    everything = {item["Id"]: item for item in pages(api, "ListDistributions", "DistributionList", "100")}
    def still(item):  # edges may have come further between the two
        return {**item, "Status": ""}
    assert all(still(everything[one]) == still(item) for one, item in zip(ids, found) if one in made)
    others = {item["Id"] for item in pages(api, operation, "DistributionList", 100 if most == 1 else "100", **none)}
    assert not made & others


def test_wrong_modes_and_acls_are_refused(api):
    api.refused("ListDistributionsByConnectionMode", "InvalidArgument", why="wrong id", ConnectionMode="both")
    api.refused("ListDistributionsByWebACLId", "InvalidWebACLId", why="wrong id", WebACLId="acl")
    api.ok("ListDistributionsByWebACLId", WebACLId=NONE)
    for operation, params in [("ListDistributionsByConnectionMode", {"ConnectionMode": "direct"}),
                              ("ListDistributionsByWebACLId", {"WebACLId": "null"})]:
        api.refused(operation, "InvalidArgument", why="out of range", MaxItems=0, **params)


@pytest.mark.parametrize("operation, member, missing", [
    ("ListDistributionsByKeyGroup", "KeyGroupId", "NoSuchResource"),
    ("ListDistributionsByVpcOriginId", "VpcOriginId", "EntityNotFound"),
    ("ListDistributionsByAnycastIpListId", "AnycastIpListId", "EntityNotFound"),
    ("ListDistributionsByTrustStore", "TrustStoreIdentifier", "EntityNotFound"),
    ("ListDistributionsByConnectionFunction", "ConnectionFunctionIdentifier", "EntityNotFound"),
    ("ListDistributionsByRealtimeLogConfig", "RealtimeLogConfigName", "InvalidArgument"),
    ("ListDistributionsByRealtimeLogConfig", "RealtimeLogConfigArn", "InvalidArgument"),
])
def test_what_is_not_there_is_used_by_nobody(api, operation, member, missing):
    for wrong in (NONE, "a b", f"arn:aws:cloudfront::000000000000:thing/{NONE}"):
        api.refused(operation, missing, why="wrong id", **{member: wrong})
    most = "0" if operation != "ListDistributionsByConnectionFunction" else 0
    api.refused(operation, "InvalidArgument", why="out of range", MaxItems=most, **{member: NONE})


@pytest.mark.proves("ListDistributionsByTrustStore")
def test_a_trust_store_is_known_by_id_name_and_arn(api, unique, pem, place):  # noqa: F811
    name = unique("store")
    made = api.call("CreateTrustStore", Name=name, CaCertificatesBundleSource=place(pem[0]))
    store = made["TrustStore"]
    nobody(api, "ListDistributionsByTrustStore", "TrustStoreIdentifier", (store["Id"], name, store["Arn"]))
    api.call("DeleteTrustStore", Id=store["Id"], IfMatch=made["ETag"])
    for identifier in (store["Id"], name, store["Arn"]):
        api.refused("ListDistributionsByTrustStore", "EntityNotFound", why="wrong id", TrustStoreIdentifier=identifier)


@pytest.mark.proves("ListDistributionsByConnectionFunction")
def test_a_connection_function_is_known_by_id_name_and_arn(api, unique):
    name = unique("function")
    made = api.call("CreateConnectionFunction", Name=name, ConnectionFunctionConfig={
        "Comment": "", "Runtime": "cloudfront-js-2.0"},
        ConnectionFunctionCode=b"function connectionHandler(connection) { connection.allow(); }")
    function = made["ConnectionFunctionSummary"]
    known = (function["Id"], name, function["ConnectionFunctionArn"])
    nobody(api, "ListDistributionsByConnectionFunction", "ConnectionFunctionIdentifier", known)
    api.call("DeleteConnectionFunction", Id=function["Id"], IfMatch=made["ETag"])


@pytest.mark.proves("ListDistributionsByKeyGroup")
def test_a_key_group_that_no_distribution_uses(api, key, group):  # noqa: F811
    one = group([key()["PublicKey"]["Id"]])["KeyGroup"]["Id"]
    page = api.ok("ListDistributionsByKeyGroup", KeyGroupId=one)["DistributionIdList"]
    assert (page["Quantity"], page["IsTruncated"]) == (0, False)


@pytest.mark.proves("ListDistributionsByRealtimeLogConfig")
def test_log_configurations_are_known_by_name_and_arn_and_the_name_counts(api, log):  # noqa: F811
    made = log()
    nobody(api, "ListDistributionsByRealtimeLogConfig", "RealtimeLogConfigName", [made["Name"]])
    nobody(api, "ListDistributionsByRealtimeLogConfig", "RealtimeLogConfigArn", [made["ARN"]])
    api.ok("ListDistributionsByRealtimeLogConfig", RealtimeLogConfigName=made["Name"], RealtimeLogConfigArn="arn:none")
    api.refused("ListDistributionsByRealtimeLogConfig", "InvalidArgument", why="wrong id", RealtimeLogConfigName="none",
                RealtimeLogConfigArn=made["ARN"])


def nobody(api, operation, member, identifiers):
    """It is known by all of these, and not used."""
    for identifier in identifiers:
        page = api.ok(operation, **{member: identifier})["DistributionList"]
        assert (page["Quantity"], page["IsTruncated"]) == (0, False) and "Items" not in page


def test_parameters_that_are_needed(api):
    api.refused("ListDistributionsByRealtimeLogConfig", "MissingBody", why="missing field")
    api.refused("ListDistributionsByRealtimeLogConfig", "InvalidArgument", why="missing field", MaxItems="1")
    api.refused("ListDistributionsByTrustStore", "InvalidArgument", why="missing field", TrustStoreIdentifier="")
    api.refused("ListDistributionsByConnectionFunction", "InvalidArgument", why="missing field",
                ConnectionFunctionIdentifier="")


def test_only_what_can_be_shared_is_asked_for_its_users(api, distribution):
    made = distribution(Enabled=False)["Distribution"]
    operation = "ListDistributionsByOwnedResource"
    api.refused(operation, "UnsupportedOperation", why="wrong id", ResourceArn=made["ARN"])
    own = made["ARN"].rpartition(":")[0]
    api.refused(operation, "EntityNotFound", why="wrong id", ResourceArn=f"{own}:vpcorigin/vo_none")
    api.refused(operation, "EntityNotFound", why="wrong id", ResourceArn="arn:aws:cloudfront::999999999999:vpcorigin/vo_1")
    for wrong in ("x", "arn:aws:s3:::bucket", "arn:aws:cloudfront::000000000000:vpcorigin"):
        api.refused(operation, "InvalidArgument", why="out of range", ResourceArn=wrong)
