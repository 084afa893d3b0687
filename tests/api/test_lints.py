"""What is allowed and probably not meant is said in headers on every write, and by `nearfront check`."""

import json
import subprocess

import nearfront as parts
import pytest
import surface

LEGACY = {"TargetOriginId": "web", "ViewerProtocolPolicy": "allow-all", "MinTTL": 0}


def behaviour(pattern, cookies="none", **more):
    values = {"QueryString": False, "Cookies": {"Forward": cookies}}
    return {**LEGACY, "PathPattern": pattern, "ForwardedValues": values, **more}


def behaviours(*listed):
    return {"CacheBehaviors": {"Quantity": len(listed), "Items": list(listed)}}


def lints(answer):
    return answer["ResponseMetadata"]["HTTPHeaders"].get("x-nearfront-lint", "")


CASES = {
    "ShadowedBehavior CacheBehaviors.Items[1].PathPattern": behaviours(behaviour("/a/*"), behaviour("/a/*.jpg")),
    "CookiesForwarded CacheBehaviors.Items[0].ForwardedValues.Cookies": behaviours(behaviour("*.css", "all")),
    "MinTtlOnPrivateOrigin CacheBehaviors.Items[0].MinTTL": behaviours(behaviour("/me/*", "all", MinTTL=5)),
    "CorsWithoutOrigin CacheBehaviors.Items[0].AllowedMethods.CachedMethods": behaviours(behaviour(
        "/fonts/*", AllowedMethods={"Quantity": 3, "Items": ["GET", "HEAD", "OPTIONS"], "CachedMethods": {
            "Quantity": 3, "Items": ["GET", "HEAD", "OPTIONS"]}})),
}


@pytest.mark.parametrize("told", CASES)
def test_a_write_is_told_what_is_probably_not_meant(api, distribution, told):
    made = distribution(**CASES[told])
    assert told in lints(made)
    one = made["Distribution"]["Id"]
    assert lints(api.ok("GetDistribution", Id=one)) == "", "a read is left in peace"
    config = {**made["Distribution"]["DistributionConfig"], "Comment": "again"}
    assert told in lints(api.ok("UpdateDistribution", Id=one, IfMatch=made["ETag"], DistributionConfig=config))


def test_a_good_configuration_is_left_in_peace(distribution):
    assert lints(distribution(**behaviours(behaviour("/a/b"), behaviour("/a/*")))) == ""


def test_who_changes_a_policy_is_told_of_the_distributions_that_use_it(api, unique, distribution):
    config = {"Name": unique("policy"), "MinTTL": 0, "DefaultTTL": 10, "MaxTTL": 100}
    policy = api.ok("CreateCachePolicy", CachePolicyConfig=config)
    one = policy["CachePolicy"]["Id"]
    default = {"TargetOriginId": "web", "ViewerProtocolPolicy": "allow-all", "CachePolicyId": one}
    user = distribution(DefaultCacheBehavior=default)
    assert lints(user) == ""
    config["ParametersInCacheKeyAndForwardedToOrigin"] = {
        "EnableAcceptEncodingGzip": False, "HeadersConfig": {"HeaderBehavior": "none"},
        "CookiesConfig": {"CookieBehavior": "all"}, "QueryStringsConfig": {"QueryStringBehavior": "none"}}
    answer = api.ok("UpdateCachePolicy", Id=one, IfMatch=policy["ETag"], CachePolicyConfig=config)
    place = f"distribution/{user['Distribution']['Id']} DefaultCacheBehavior.CachePolicyId"
    assert f"CookiesForwarded {place}" in lints(answer)
    surface.forget(api, user["Distribution"]["Id"])
    api.ok("DeleteCachePolicy", Id=one, IfMatch=answer["ETag"])


def test_check_tells_the_same_without_a_server(tmp_path):
    file = tmp_path / "distribution.json"
    error_page = {"Quantity": 1, "Items": [{"ErrorCode": 403, "ResponseCode": "200", "ResponsePagePath": "/index.html"}]}
    signed = behaviour("/paid/*", TrustedKeyGroups={"Enabled": True, "Quantity": 1, "Items": ["group"]})
    config = surface.config_of("one", CustomErrorResponses=error_page, **behaviours(behaviour("*.mp4"), signed))
    file.write_text(json.dumps(config))
    ran = subprocess.run([str(parts.BINARY), "check", str(file), "--json"], capture_output=True, text=True)
    told = json.loads(ran.stdout)["lints"]
    assert any(lint.startswith("SignedBehindUnsigned CacheBehaviors.Items[1]: ") for lint in told), told
    assert any(lint.startswith("ErrorPageHidesRefusal CustomErrorResponses.Items[0].ResponseCode: ") for lint in told), told
    people = subprocess.run([str(parts.BINARY), "check", str(file)], capture_output=True, text=True)
    assert "lint: SignedBehindUnsigned" in people.stdout
