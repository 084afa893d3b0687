"""Distributions through their whole life, by an unmodified client, and all that can be wrong with them."""

import concurrent.futures
import copy

import nearfront as parts
import pytest
import surface
from botocore.exceptions import ClientError

NOBODY = "E0000000000000"


@pytest.mark.proves("CreateDistribution", "GetDistribution", "GetDistributionConfig", "UpdateDistribution",
                    "DeleteDistribution", "ListDistributions")
def test_a_distribution_lives_and_is_gone(api, near, unique):
    made = api.ok("CreateDistribution", DistributionConfig=surface.config_of(unique()))
    one = made["Distribution"]["Id"]
    assert made["Location"].endswith(f"/2020-05-31/distribution/{one}")
    shown = api.ok("GetDistributionConfig", Id=one)
    config = {**shown["DistributionConfig"], "Comment": "changed"}
    changed = api.ok("UpdateDistribution", Id=one, IfMatch=shown["ETag"], DistributionConfig=config)
    assert changed["ETag"] != shown["ETag"]
    assert api.ok("GetDistribution", Id=one)["Distribution"]["DistributionConfig"]["Comment"] == "changed"
    assert one in [item["Id"] for item in every(api)]
    off = {**config, "Enabled": False}
    etag = api.ok("UpdateDistribution", Id=one, IfMatch=changed["ETag"], DistributionConfig=off)["ETag"]
    api.client.get_waiter("distribution_deployed").wait(Id=one, WaiterConfig={"Delay": 1})
    api.ok("DeleteDistribution", Id=one, IfMatch=etag)
    api.refused("GetDistribution", "NoSuchDistribution", why="wrong id", Id=one)


def every(api):
    """All distributions, by the client's own paginator."""
    pages = api.client.get_paginator("list_distributions").paginate(PaginationConfig={"PageSize": 7})
    return [item for page in pages for item in page["DistributionList"].get("Items", [])]


@pytest.mark.proves("CreateDistributionWithTags", "ListTagsForResource", "TagResource", "UntagResource")
def test_tags_from_creation_on(api, unique):
    tags = lambda **pairs: {"Items": [{"Key": key, "Value": value} for key, value in pairs.items()]}
    made = api.ok("CreateDistributionWithTags", DistributionConfigWithTags={
        "DistributionConfig": surface.config_of(unique()), "Tags": tags(a="1", b="2")})["Distribution"]
    arn = made["ARN"]
    assert api.ok("ListTagsForResource", Resource=arn)["Tags"] == tags(a="1", b="2")
    api.ok("TagResource", Resource=arn, Tags=tags(b="3", c=""))
    api.ok("UntagResource", Resource=arn, TagKeys={"Items": ["a", "never there"]})
    assert api.ok("ListTagsForResource", Resource=arn)["Tags"] == tags(b="3", c="")
    for key, value in (("", "v"), ("k" * 129, "v"), ("k", "v" * 257), ("aws:k", "v"), ("k!", "v"), ("k", "v#")):
        wrong = tags(**{key: value})
        api.refused("TagResource", "InvalidTagging", why="out of range", Resource=arn, Tags=wrong)
        api.refused("CreateDistributionWithTags", "InvalidTagging", why="out of range", DistributionConfigWithTags={
            "DistributionConfig": surface.config_of(unique()), "Tags": wrong})
    missing = arn.replace(made["Id"], NOBODY)
    for operation, more in (("ListTagsForResource", {}), ("TagResource", {"Tags": tags(a="1")}), ("UntagResource", {"TagKeys": {"Items": ["a"]}})):
        api.refused(operation, "NoSuchResource", why="wrong id", Resource=missing, **more)
        api.refused(operation, "InvalidArgument", why="wrong id", Resource="x", **more)
    api.refused("TagResource", "MissingBody", why="missing field", Resource=arn)
    api.refused("TagResource", "MalformedXML", why="missing field", Resource=arn, Tags={"Items": [{"Value": "v"}]})
    api.refused("UntagResource", "MissingBody", why="missing field", Resource=arn)
    api.refused("ListTagsForResource", "InvalidArgument", why="missing field", Resource="")
    api.refused("CreateDistributionWithTags", "MalformedXML", why="missing field", DistributionConfigWithTags={
        "DistributionConfig": surface.config_of(unique())})
    surface.forget(api, made["Id"])


@pytest.mark.proves("ListDistributions")
def test_pages_follow_one_another(api, distribution):
    made = {distribution()["Distribution"]["Id"] for _ in range(3)}
    found, marker = [], ""
    while True:
        page = api.ok("ListDistributions", MaxItems="2", **({"Marker": marker} if marker else {}))["DistributionList"]
        found += [item["Id"] for item in page.get("Items", [])]
        assert page["MaxItems"] == 2 and page["Quantity"] == len(page.get("Items", [])) <= 2 and page["Marker"] == marker
        if not page["IsTruncated"]:
            break
        marker = page["NextMarker"]
    assert made <= set(found) and len(found) == len(set(found))
    for wrong in ("0", "-1", "two", "1.5"):
        api.refused("ListDistributions", "InvalidArgument", why="out of range", MaxItems=wrong)
    api.refused("ListDistributions", "InvalidArgument", why="out of range", Marker="no/id")


def test_ids_and_tags_that_are_wrong(api, unique, distribution):
    made = distribution()
    one, config = made["Distribution"]["Id"], made["Distribution"]["DistributionConfig"]
    for wrong in (NOBODY, "x", "../x", "é", "e" * 300):
        api.refused("GetDistribution", "NoSuchDistribution", why="wrong id", Id=wrong)
        api.refused("GetDistributionConfig", "NoSuchDistribution", why="wrong id", Id=wrong)
        api.refused("UpdateDistribution", "NoSuchDistribution", why="wrong id", Id=wrong, IfMatch="E1", DistributionConfig=config)
        api.refused("DeleteDistribution", "NoSuchDistribution", why="wrong id", Id=wrong, IfMatch="E1")
    for operation, more in (("UpdateDistribution", {"DistributionConfig": config}), ("DeleteDistribution", {})):
        api.refused(operation, "PreconditionFailed", why="stale etag", Id=one, IfMatch=NOBODY, **more)
        api.refused(operation, "InvalidIfMatchVersion", why="no etag", Id=one, **more)
        api.refused(operation, "InvalidIfMatchVersion", why="stale etag", Id=one, IfMatch="no tag!", **more)
    api.refused("DeleteDistribution", "DistributionNotDisabled", why="in use", Id=one, IfMatch=made["ETag"])
    assert api.call("GetDistribution", Id=one)["ETag"] == made["ETag"]


def test_one_of_many_who_change_the_same_thing_wins(api, distribution):
    made = distribution()
    one, config = made["Distribution"]["Id"], made["Distribution"]["DistributionConfig"]

    def change(number):
        try:
            api.call("UpdateDistribution", Id=one, IfMatch=made["ETag"], DistributionConfig={**config, "Comment": str(number)})
        except ClientError as refused:
            assert refused.response["Error"]["Code"] == "PreconditionFailed"
            return None
        return str(number)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        winners = [done for done in pool.map(change, range(16)) if done]
    assert [api.call("GetDistribution", Id=one)["Distribution"]["DistributionConfig"]["Comment"]] == winners


def test_what_is_fixed_stays(api, unique, distribution):
    made = distribution()
    one, config = made["Distribution"]["Id"], made["Distribution"]["DistributionConfig"]
    api.refused("UpdateDistribution", "IllegalUpdate", why="other", Id=one, IfMatch=made["ETag"], says="CallerReference",
                DistributionConfig={**config, "CallerReference": unique()})
    api.refused("CreateDistribution", "DistributionAlreadyExists", why="taken", DistributionConfig=config)
    other = {**config, "Comment": "of another body"}
    api.refused("CreateDistribution", "DistributionAlreadyExists", why="taken", DistributionConfig=other)


def test_an_alias_belongs_to_one(api, unique, distribution):
    alias = f"{unique('a')}.nearfront.localhost"
    first = distribution(Aliases=listed(alias))["Distribution"]["Id"]
    api.refused("CreateDistribution", "CNAMEAlreadyExists", why="taken", says=alias,
                DistributionConfig=surface.config_of(unique(), Aliases=listed(alias.upper())))
    second = distribution()
    config = {**second["Distribution"]["DistributionConfig"], "Aliases": listed(alias)}
    api.refused("UpdateDistribution", "CNAMEAlreadyExists", why="taken", Id=second["Distribution"]["Id"], IfMatch=second["ETag"],
                DistributionConfig=config)
    surface.forget(api, first)
    api.ok("UpdateDistribution", Id=second["Distribution"]["Id"], IfMatch=second["ETag"], DistributionConfig=config)


def listed(*items):
    return {"Quantity": len(items), "Items": list(items)}


@pytest.mark.parametrize("member", ["CallerReference", "Origins", "DefaultCacheBehavior", "Comment", "Enabled"])
def test_a_required_member_that_is_missing_is_named(api, unique, distribution, member):
    config = surface.config_of(unique())
    del config[member]
    api.refused("CreateDistribution", "MalformedXML", why="missing field", says=f"DistributionConfig.{member}", DistributionConfig=config)
    made = distribution()
    whole = made["Distribution"]["DistributionConfig"]
    del whole[member]
    api.refused("UpdateDistribution", "MalformedXML", why="missing field", says=f"DistributionConfig.{member}", DistributionConfig=whole,
                Id=made["Distribution"]["Id"], IfMatch=made["ETag"])


def test_no_body_at_all_is_said_to_be_missing(api, distribution):
    made = distribution()
    api.refused("CreateDistribution", "MissingBody", why="missing field")
    api.refused("CreateDistributionWithTags", "MissingBody", why="missing field")
    api.refused("UpdateDistribution", "MissingBody", why="missing field", Id=made["Distribution"]["Id"], IfMatch=made["ETag"])


def changed(path, value):
    """The smallest configuration with one place changed."""
    config = surface.config_of("reference")
    here = config
    *above, last = path.split(".")
    for part in above:
        here = here[int(part)] if part.isdigit() else here.setdefault(part, {})
    here[last] = value
    return config


def behaviour(pattern="/a/*", **more):
    return {**surface.config_of("x")["DefaultCacheBehavior"], "PathPattern": pattern, **more}


def rule(code=404, **more):
    return {"ErrorCode": code, **more}


def legacy(**values):
    return {"TargetOriginId": "web", "ViewerProtocolPolicy": "allow-all", "MinTTL": 0,
            "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}, **values}}


def geo(kind, *places):
    return {"RestrictionType": kind, **listed(*places)}


ORIGIN, CUSTOM, DEFAULT = "Origins.Items.0", "Origins.Items.0.CustomOriginConfig", "DefaultCacheBehavior"
WRONG = [
    ("CallerReference", "", "InvalidArgument"),
    ("Comment", "c" * 129, "InvalidArgument"),
    ("DefaultRootObject", "/index.html", "InvalidDefaultRootObject"),
    ("DefaultRootObject", "a b", "InvalidDefaultRootObject"),
    ("DefaultRootObject", "x" * 256, "InvalidDefaultRootObject"),
    ("Origins", {"Quantity": 0, "Items": []}, "InvalidArgument"),
    ("Origins.Quantity", 2, "InconsistentQuantities"),
    (f"{ORIGIN}.Id", "", "InvalidArgument"),
    (f"{ORIGIN}.Id", "i" * 129, "InvalidArgument"),
    (f"{ORIGIN}.DomainName", "http://web.example", "InvalidOrigin"),
    (f"{ORIGIN}.DomainName", "web.example/path", "InvalidOrigin"),
    (f"{ORIGIN}.DomainName", "", "InvalidOrigin"),
    (f"{ORIGIN}.OriginPath", "path", "InvalidRelativePath"),
    (f"{ORIGIN}.OriginPath", "/path/", "InvalidRelativePath"),
    (f"{ORIGIN}.OriginPath", "/" + "p" * 255, "InvalidRelativePath"),
    (f"{ORIGIN}.ConnectionAttempts", 0, "InvalidArgument"),
    (f"{ORIGIN}.ConnectionAttempts", 4, "InvalidArgument"),
    (f"{ORIGIN}.ConnectionTimeout", 11, "InvalidArgument"),
    (f"{ORIGIN}.ResponseCompletionTimeout", 29, "InvalidArgument"),
    (f"{ORIGIN}.OriginAccessControlId", "E1", "InvalidDomainNameForOriginAccessControl"),
    (f"{ORIGIN}.CustomHeaders", listed({"HeaderName": "Host", "HeaderValue": "x"}), "InvalidArgument"),
    (f"{ORIGIN}.CustomHeaders", listed({"HeaderName": "X-Amz-A", "HeaderValue": "x"}), "InvalidArgument"),
    (f"{ORIGIN}.CustomHeaders", listed({"HeaderName": "a b", "HeaderValue": "x"}), "InvalidArgument"),
    (f"{ORIGIN}.CustomHeaders", listed(*[{"HeaderName": name, "HeaderValue": "x"} for name in ("A", "a")]), "InvalidArgument"),
    (f"{ORIGIN}.CustomHeaders", listed(*[{"HeaderName": f"h{n}", "HeaderValue": "x" * 1700} for n in range(7)]), "TooManyOriginCustomHeaders"),
    (f"{ORIGIN}.S3OriginConfig", {"OriginAccessIdentity": ""}, "InvalidOrigin"),
    (f"{CUSTOM}.HTTPPort", 22, "InvalidArgument"),
    (f"{CUSTOM}.HTTPSPort", 65536, "InvalidArgument"),
    (f"{CUSTOM}.OriginProtocolPolicy", "gopher", "MalformedXML"),
    (f"{CUSTOM}.OriginReadTimeout", 0, "InvalidOriginReadTimeout"),
    (f"{CUSTOM}.OriginReadTimeout", 121, "InvalidOriginReadTimeout"),
    (f"{CUSTOM}.OriginKeepaliveTimeout", 0, "InvalidOriginKeepaliveTimeout"),
    (f"{CUSTOM}.OriginSslProtocols", listed("TLSv1"), "InvalidRequiredProtocol"),
    (f"{DEFAULT}.TargetOriginId", "other", "NoSuchOrigin"),
    (f"{DEFAULT}.CachePolicyId", "00000000-0000-4000-8000-000000000000", "NoSuchCachePolicy"),
    (f"{DEFAULT}.CachePolicyId", "", "InvalidArgument"),
    (f"{DEFAULT}.OriginRequestPolicyId", "none", "NoSuchOriginRequestPolicy"),
    (f"{DEFAULT}.ResponseHeadersPolicyId", "none", "NoSuchResponseHeadersPolicy"),
    (f"{DEFAULT}.MinTTL", 1, "InvalidArgument"),
    (f"{DEFAULT}.ForwardedValues", {"QueryString": False, "Cookies": {"Forward": "none"}}, "InvalidArgument"),
    (f"{DEFAULT}.ViewerProtocolPolicy", "none", "MalformedXML"),
    (f"{DEFAULT}.AllowedMethods", listed("GET"), "InvalidArgument"),
    (f"{DEFAULT}.AllowedMethods", listed("GET", "HEAD", "POST"), "InvalidArgument"),
    (f"{DEFAULT}.AllowedMethods", {**listed("GET", "HEAD"), "CachedMethods": listed("GET", "HEAD", "OPTIONS")}, "InvalidArgument"),
    (f"{DEFAULT}.GrpcConfig", {"Enabled": True}, "InvalidArgument"),
    (DEFAULT, {**legacy(), "MinTTL": 5, "DefaultTTL": 4}, "InvalidTTLOrder"),
    (DEFAULT, {**legacy(), "MaxTTL": 2**62}, "InvalidArgument"),
    (DEFAULT, legacy(Cookies={"Forward": "whitelist"}), "InvalidForwardCookies"),
    (DEFAULT, legacy(QueryStringCacheKeys=listed("q")), "InvalidQueryStringParameters"),
    (DEFAULT, legacy(Headers=listed("a b")), "InvalidArgument"),
    ("CacheBehaviors", listed(behaviour("/a"), behaviour("/a")), "InvalidArgument"),
    ("CacheBehaviors", listed(behaviour("/a"), behaviour("a")), "InvalidArgument"),
    ("CacheBehaviors", listed(behaviour("")), "InvalidArgument"),
    ("CacheBehaviors", listed(behaviour("/a b")), "InvalidArgument"),
    ("CacheBehaviors", listed(behaviour("/ä")), "InvalidArgument"),
    ("CacheBehaviors", listed(behaviour("/" + "p" * 255)), "InvalidArgument"),
    ("CacheBehaviors", listed(behaviour(TargetOriginId="other")), "NoSuchOrigin"),
    ("CacheBehaviors", {"Quantity": 1}, "InconsistentQuantities"),
    ("CustomErrorResponses", listed(rule(418)), "InvalidErrorCode"),
    ("CustomErrorResponses", listed(rule(), rule()), "InvalidErrorCode"),
    ("CustomErrorResponses", listed(rule(ResponsePagePath="page", ResponseCode="200")), "InvalidRelativePath"),
    ("CustomErrorResponses", listed(rule(ResponsePagePath="/page", ResponseCode="299")), "InvalidResponseCode"),
    ("CustomErrorResponses", listed(rule(ResponsePagePath="/page")), "InvalidArgument"),
    ("CustomErrorResponses", listed(rule(ErrorCachingMinTTL=-1)), "InvalidArgument"),
    ("Aliases", listed("www.other.example"), "InvalidViewerCertificate"),
    ("Aliases", listed("no name"), "InvalidArgument"),
    ("Aliases", listed("a.*.nearfront.localhost"), "InvalidArgument"),
    ("Aliases", listed("a.nearfront.localhost", "A.nearfront.localhost"), "InvalidArgument"),
    ("Aliases", listed("d0123456789abc.nearfront.localhost"), "InvalidArgument"),
    ("Restrictions", {"GeoRestriction": geo("whitelist", "XX")}, "InvalidLocationCode"),
    ("Restrictions", {"GeoRestriction": geo("blacklist", "de")}, "InvalidLocationCode"),
    ("Restrictions", {"GeoRestriction": geo("blacklist")}, "InvalidGeoRestrictionParameter"),
    ("Restrictions", {"GeoRestriction": geo("none", "DE")}, "InvalidGeoRestrictionParameter"),
    ("ViewerCertificate", {"ACMCertificateArn": "arn:aws:acm:us-east-1:0:certificate/none", "SSLSupportMethod": "sni-only"},
     "InvalidViewerCertificate"),
    ("ViewerCertificate", {"CloudFrontDefaultCertificate": False}, "InvalidViewerCertificate"),
    ("ViewerCertificate", {"MinimumProtocolVersion": "TLSv9"}, "MalformedXML"),
    ("PriceClass", "PriceClass_Free", "MalformedXML"),
    ("HttpVersion", "http4", "MalformedXML"),
]
#: What updates say instead: the model lists other errors for them.
OF_AN_UPDATE = {"InvalidOrigin": "InvalidArgument"}


@pytest.fixture(scope="module")
def standing(api):
    """A distribution that every wrong update leaves as it is."""
    made = api.call("CreateDistribution", DistributionConfig=surface.config_of("standing"))
    yield made
    assert api.call("GetDistribution", Id=made["Distribution"]["Id"])["ETag"] == made["ETag"], "nothing was changed"
    surface.forget(api, made["Distribution"]["Id"])


def test_legacy_settings_are_shown_whole(api, unique):
    made = api.ok("CreateDistribution", DistributionConfig=surface.config_of(unique(), DefaultCacheBehavior=legacy()))
    behaviour = made["Distribution"]["DistributionConfig"]["DefaultCacheBehavior"]
    assert behaviour["ForwardedValues"]["Headers"] == {"Quantity": 0} == behaviour["ForwardedValues"]["QueryStringCacheKeys"]
    assert (behaviour["MinTTL"], behaviour["DefaultTTL"], behaviour["MaxTTL"]) == (0, 86_400, 31_536_000)
    surface.forget(api, made["Distribution"]["Id"])


@pytest.mark.parametrize("path,value,code", WRONG, ids=lambda part: str(part)[:50])
def test_a_value_out_of_range_is_refused_by_name(api, unique, standing, path, value, code):
    config = changed(path, value)
    if path != "CallerReference":
        config["CallerReference"] = unique()
    message = api.refused("CreateDistribution", code, why="out of range", DistributionConfig=config)["Message"]
    names = [part for part in path.split(".") if not part.isdigit()]
    assert any(name in message for name in names[-2:]) or value["Items"][0] in message, message
    if path != "CallerReference":
        config["CallerReference"] = "standing"
        api.refused("UpdateDistribution", OF_AN_UPDATE.get(code, code), why="out of range", DistributionConfig=config,
                    Id=standing["Distribution"]["Id"], IfMatch=standing["ETag"])


def test_every_fault_is_told_and_the_first_names_the_error(api, unique):
    config = surface.config_of(unique(), Comment="c" * 200, DefaultRootObject="/x", CacheBehaviors=listed(behaviour(TargetOriginId="y")))
    config["Origins"]["Items"][0]["OriginPath"] = "z"
    message = api.refused("CreateDistribution", "InvalidArgument", why="out of range", DistributionConfig=config)["Message"]
    for path in ("Comment", "DefaultRootObject", "Origins.Items[0].OriginPath", "CacheBehaviors.Items[0].TargetOriginId"):
        assert f"{path}: " in message, message


def test_every_fault_of_the_shape_is_told(api, unique):
    config = surface.config_of(unique(), HttpVersion="http9", PriceClass="free")
    del config["Comment"], config["Origins"]["Items"][0]["DomainName"]
    message = api.refused("CreateDistribution", "MalformedXML", why="missing field", DistributionConfig=config)["Message"]
    for path in ("HttpVersion", "PriceClass", "Comment: is missing", "Origins.Items[0].DomainName: is missing"):
        assert path in message, message


REFUSED = [
    ("Logging", {"Enabled": True, "IncludeCookies": False, "Bucket": "b.s3.amazonaws.com", "Prefix": ""}, "UnsupportedOperation"),
    ("WebACLId", "arn:aws:wafv2:us-east-1:0:global/webacl/x/y", "InvalidWebACLId"),
    ("OriginGroups", listed({"Id": "g", "FailoverCriteria": {"StatusCodes": listed(500)}, "Members": listed(
        {"OriginId": "web"}, {"OriginId": "web"})}), "UnsupportedOperation"),
    (f"{DEFAULT}.SmoothStreaming", True, "UnsupportedOperation"),
    (f"{DEFAULT}.TrustedKeyGroups", {"Enabled": True, **listed("00000000-0000-4000-8000-000000000000")}, "TrustedKeyGroupDoesNotExist"),
    (f"{DEFAULT}.TrustedSigners", {"Enabled": True, **listed("self")}, "TrustedSignerDoesNotExist"),
    (f"{DEFAULT}.FunctionAssociations", listed({"FunctionARN": "arn:aws:cloudfront::0:function/x", "EventType": "viewer-request"}),
     "InvalidFunctionAssociation"),
    (f"{DEFAULT}.LambdaFunctionAssociations", listed({"LambdaFunctionARN": "arn:aws:lambda:us-east-1:0:function:x:1", "EventType": "viewer-request"}),
     "InvalidLambdaFunctionAssociation"),
    (f"{DEFAULT}.FieldLevelEncryptionId", "C0", "NoSuchFieldLevelEncryptionConfig"),
    (f"{DEFAULT}.RealtimeLogConfigArn", "arn:aws:cloudfront::0:realtime-log-config/x", "NoSuchRealtimeLogConfig"),
    (f"{ORIGIN}.OriginShield", {"Enabled": True, "OriginShieldRegion": "eu-central-1"}, "UnsupportedOperation"),
    ("CacheTagConfig", {"HeaderName": "Cache-Tag"}, "UnsupportedOperation"),
    ("ViewerMtlsConfig", {"Mode": "required"}, "UnsupportedOperation"),
    ("AnycastIpListId", "aip_none", "EntityNotFound"),
]


@pytest.mark.parametrize("path,value,code", REFUSED, ids=lambda part: str(part)[:50])
def test_what_no_edge_does_yet_is_refused_and_not_kept(api, unique, path, value, code):
    config = {**changed(path, copy.deepcopy(value)), "CallerReference": unique()}
    message = api.refused("CreateDistribution", code, why="not honoured", DistributionConfig=config)["Message"]
    assert path.rsplit(".", 1)[-1] in message, message


def test_an_origin_must_not_lead_back(api, unique, distribution):
    """Neither itself, by its own name or its alias, nor through others."""
    def towards(name):
        origin = copy.deepcopy(surface.config_of("x")["Origins"]["Items"][0])
        return {"Origins": listed({**origin, "DomainName": name})}
    alias, wildcard = f"{unique('a')}.nearfront.localhost", "*.nearfront.localhost"
    api.refused("CreateDistribution", "InvalidArgument", why="out of range", says="leads back",
                DistributionConfig=surface.config_of(unique(), Aliases=listed(alias), **towards(alias)))
    first = distribution(Aliases=listed(alias))
    second = distribution(**towards(alias))["Distribution"]
    third = distribution(**towards(second["DomainName"]))["Distribution"]
    config = first["Distribution"]["DistributionConfig"]
    for name in (third["DomainName"], second["DomainName"].upper(), first["Distribution"]["DomainName"]):
        api.refused("UpdateDistribution", "InvalidArgument", why="out of range", says="Origins.Items[0].DomainName",
                    Id=first["Distribution"]["Id"], IfMatch=first["ETag"], DistributionConfig={**config, **towards(name)})
    assert wildcard not in alias
    api.ok("UpdateDistribution", Id=first["Distribution"]["Id"], IfMatch=first["ETag"],
           DistributionConfig={**config, **towards("elsewhere.example")})


def test_waiting_ends_when_every_edge_knows(api, near, distribution):
    """The client's own waiter, and what viewers get once it has ended."""
    with parts.Origin({"/a": b"one"}) as web:
        origin = {"Id": "web", "DomainName": "127.0.0.1",
                  "CustomOriginConfig": {"HTTPPort": web.port, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}}
        made = distribution(Origins=listed(origin))["Distribution"]
        api.client.get_waiter("distribution_deployed").wait(Id=made["Id"], WaiterConfig={"Delay": 1})
        assert near.get(made["DomainName"], "/a").body == b"one"
