"""Quotas: from settings, each with its own error, exact for those who come at the same time."""

import concurrent.futures
import nearfront as parts
import pytest
import surface
from botocore.exceptions import ClientError

FEW = {"distributions": 3, "origins": 2, "cache_behaviors": 2, "aliases": 1, "origin_custom_headers": 1, "tags": 2,
       "cache_policies": 4, "names_in_policy": 2, "headers_in_response_policy": 1, "invalidation_paths": 3,
       "invalidation_wildcards": 1, "origin_access_controls": 1, "distributions_per_resource": 1}


@pytest.fixture(scope="module")
def few():
    """A Nearfront with small quotas."""
    with parts.Up({"quotas": FEW}) as near:
        yield near


@pytest.fixture(scope="module")
def tight(few):
    return surface.Api(**surface.credentials(few))


@pytest.fixture
def one(tight, unique):
    """A distribution of the small installation, gone afterwards."""
    made = tight.call("CreateDistribution", DistributionConfig=surface.config_of(unique()))
    yield made["Distribution"]["Id"]
    surface.forget(tight, made["Distribution"]["Id"])


def policy(name, **lists):
    """A cache policy that lists these headers, cookies and query strings."""
    def part(kind, behaviour, items):
        names = lists.get(items.lower())
        listed = {items: {"Quantity": len(names), "Items": names}} if names else {}
        return {kind: {behaviour: "whitelist" if names else "none", **listed}}
    return {"Name": name, "MinTTL": 0, "ParametersInCacheKeyAndForwardedToOrigin": {
        "EnableAcceptEncodingGzip": False, **part("HeadersConfig", "HeaderBehavior", "Headers"),
        **part("CookiesConfig", "CookieBehavior", "Cookies"),
        **part("QueryStringsConfig", "QueryStringBehavior", "QueryStrings")}}


def test_distributions_are_counted_exactly_for_those_who_come_together(tight, unique):
    def make(_):
        try:
            return tight.call("CreateDistribution", DistributionConfig=surface.config_of(unique()))["Distribution"]["Id"]
        except ClientError as refused:
            assert refused.response["Error"]["Code"] in ("TooManyDistributions", "ServiceUnavailable"), refused
            return None
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        made = [one for one in pool.map(make, range(24)) if one]
    assert len(made) == 3
    tight.refused("CreateDistribution", "TooManyDistributions", why="out of range", says="3",
                  DistributionConfig=surface.config_of(unique()))
    for one in made:
        surface.forget(tight, one)


def origin(id, headers=()):
    items = [{"HeaderName": name, "HeaderValue": "v"} for name in headers]
    return {"Id": id, "DomainName": "localhost", "CustomHeaders": {"Quantity": len(items), "Items": items},
            "CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}}


def listed(*items):
    return {"Quantity": len(items), "Items": list(items)}


def behaviour(pattern, **more):
    return {"PathPattern": pattern, "TargetOriginId": "web", "ViewerProtocolPolicy": "allow-all",
            "CachePolicyId": parts.CACHING_DISABLED, **more}


@pytest.mark.parametrize("code,changes", [
    ("TooManyOrigins", {"Origins": listed(*map(origin, ["web", "b", "c"]))}),
    ("TooManyOriginCustomHeaders", {"Origins": listed(origin("web", ["x-a", "x-b"]))}),
    ("TooManyCacheBehaviors", {"CacheBehaviors": listed(*map(behaviour, ["/a", "/b", "/c"]))}),
    ("TooManyDistributionCNAMEs", {"Aliases": listed("a.nearfront.localhost", "b.nearfront.localhost")}),
    ("TooManyHeadersInForwardedValues", {"DefaultCacheBehavior": {
        "TargetOriginId": "web", "ViewerProtocolPolicy": "allow-all", "MinTTL": 0, "ForwardedValues": {
            "QueryString": False, "Cookies": {"Forward": "none"}, "Headers": listed("A", "B", "C")}}}),
])
def test_a_distribution_has_quotas_of_its_own(tight, unique, one, code, changes):
    tight.refused("CreateDistribution", code, why="out of range", DistributionConfig=surface.config_of(unique(), **changes))
    kept = tight.ok("GetDistributionConfig", Id=one)
    tight.refused("UpdateDistribution", code, why="out of range", Id=one, IfMatch=kept["ETag"],
                  DistributionConfig={**kept["DistributionConfig"], **changes})


@pytest.mark.parametrize("kind,code", [("headers", "TooManyHeadersInCachePolicy"), ("cookies", "TooManyCookiesInCachePolicy"),
                                       ("querystrings", "TooManyQueryStringsInCachePolicy")])
def test_a_policy_has_quotas_of_its_own(tight, unique, kind, code):
    made = tight.ok("CreateCachePolicy", CachePolicyConfig=policy(unique(), **{kind: ["a", "b"]}))["CachePolicy"]
    tight.refused("CreateCachePolicy", code, why="out of range", CachePolicyConfig=policy(unique(), **{kind: ["a", "b", "c"]}))
    tight.call("DeleteCachePolicy", Id=made["Id"], IfMatch=tight.call("GetCachePolicy", Id=made["Id"])["ETag"])


def test_policies_are_counted_and_so_are_those_who_use_them(tight, unique, one):
    made = [tight.call("CreateCachePolicy", CachePolicyConfig=policy(unique())) for _ in range(4)]
    tight.refused("CreateCachePolicy", "TooManyCachePolicies", why="out of range", CachePolicyConfig=policy(unique()))
    used = surface.config_of(unique())
    used["DefaultCacheBehavior"]["CachePolicyId"] = made[0]["CachePolicy"]["Id"]
    other = tight.call("CreateDistribution", DistributionConfig=used)["Distribution"]["Id"]
    kept = tight.call("GetDistributionConfig", Id=one)
    config = {**kept["DistributionConfig"], "DefaultCacheBehavior": used["DefaultCacheBehavior"]}
    tight.refused("UpdateDistribution", "TooManyDistributionsAssociatedToCachePolicy", why="out of range", Id=one,
                  IfMatch=kept["ETag"], DistributionConfig=config)
    surface.forget(tight, other)
    for policy_made in made:
        tight.call("DeleteCachePolicy", Id=policy_made["CachePolicy"]["Id"], IfMatch=policy_made["ETag"])


def test_tags_are_counted(tight, one):
    arn = tight.call("GetDistribution", Id=one)["Distribution"]["ARN"]
    tags = lambda *keys: {"Items": [{"Key": key, "Value": ""} for key in keys]}
    tight.ok("TagResource", Resource=arn, Tags=tags("a", "b"))
    tight.refused("TagResource", "InvalidTagging", why="out of range", Resource=arn, Tags=tags("c"))
    tight.ok("UntagResource", Resource=arn, TagKeys={"Items": ["a"]})
    tight.ok("TagResource", Resource=arn, Tags=tags("c"))


def test_a_batch_of_invalidations_is_counted(tight, unique, one):
    batch = lambda *paths: {"CallerReference": unique(), "Paths": listed(*paths)}
    tight.refused("CreateInvalidation", "BatchTooLarge", why="out of range", DistributionId=one,
                  InvalidationBatch=batch("/1", "/2", "/3", "/4"))
    tight.refused("CreateInvalidation", "TooManyInvalidationsInProgress", why="out of range", DistributionId=one,
                  InvalidationBatch=batch("/1*", "/2*"))


def test_a_quota_that_is_lowered_takes_nothing_away(unique, tmp_path):
    """What is there can be read, changed in other ways and disabled; it cannot grow."""
    with parts.Up({"quotas": {"cache_behaviors": 3}}) as near:
        api = surface.Api(**surface.credentials(near))
        three = listed(*map(behaviour, ["/a", "/b", "/c"]))
        made = api.call("CreateDistribution", DistributionConfig=surface.config_of(unique(), CacheBehaviors=three))
        one, etag, config = made["Distribution"]["Id"], made["ETag"], made["Distribution"]["DistributionConfig"]
        near.settings["quotas"] = {"cache_behaviors": 1}
        near.stop()
        near.start()
        api = surface.Api(**surface.credentials(near))
        four = listed(*map(behaviour, ["/a", "/b", "/c", "/d"]))
        api.refused("UpdateDistribution", "TooManyCacheBehaviors", why="out of range", Id=one, IfMatch=etag,
                    DistributionConfig={**config, "CacheBehaviors": four})
        changed = api.ok("UpdateDistribution", Id=one, IfMatch=etag, DistributionConfig={**config, "Comment": "still there"})
        assert changed["Distribution"]["DistributionConfig"]["CacheBehaviors"]["Quantity"] == 3
        surface.forget(api, one)
