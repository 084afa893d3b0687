"""Older versions of the API: unmodified older clients, as botocore still ships their models."""

import re

import botocore.auth
import botocore.awsrequest
import botocore.config
import botocore.credentials
import botocore.session
import nearfront as parts
import pytest
import surface
import urllib3

VERSIONS = ["2014-05-31", "2014-10-21", "2014-11-06", "2015-04-17", "2015-07-27", "2015-09-17", "2016-01-13", "2016-01-28",
            "2016-08-01", "2016-08-20", "2016-09-07", "2016-09-29", "2016-11-25", "2017-03-25", "2017-10-30", "2018-06-18",
            "2018-11-05", "2019-03-26", "2020-05-31"]
SINCE_TAGS = VERSIONS[VERSIONS.index("2016-08-01"):]


def older(near, version):
    """A client of this version, whose own model checks what it sends."""
    given = surface.credentials(near)
    return botocore.session.Session().create_client(
        "cloudfront", region_name="us-east-1", endpoint_url=given["url"], aws_access_key_id=given["key"], api_version=version,
        aws_secret_access_key=given["secret"], config=botocore.config.Config(retries={"total_max_attempts": 1}))


def config(reference):
    """What the oldest version demands, and no later one refuses."""
    return {
        "CallerReference": reference, "Aliases": {"Quantity": 0}, "DefaultRootObject": "index.html", "Comment": "old",
        "Origins": {"Quantity": 1, "Items": [{
            "Id": "web", "DomainName": "localhost",
            "CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}}]},
        "DefaultCacheBehavior": {
            "TargetOriginId": "web", "ViewerProtocolPolicy": "allow-all", "MinTTL": 0,
            "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}},
            "TrustedSigners": {"Enabled": False, "Quantity": 0}},
        "CacheBehaviors": {"Quantity": 0}, "PriceClass": "PriceClass_All", "Enabled": True,
        "Logging": {"Enabled": False, "IncludeCookies": False, "Bucket": "", "Prefix": ""}}


@pytest.mark.parametrize("version", VERSIONS)
def test_an_older_client_makes_changes_invalidates_and_deletes(near, unique, version):
    old = older(near, version)
    made = old.create_distribution(DistributionConfig=config(unique()))
    one = made["Distribution"]["Id"]
    assert f"/{version}/distribution/{one}" in made["Location"]
    assert one in [item["Id"] for item in old.list_distributions()["DistributionList"]["Items"]]
    kept = old.get_distribution_config(Id=one)
    assert kept["DistributionConfig"]["DefaultRootObject"] == "index.html"
    changed = old.update_distribution(Id=one, IfMatch=kept["ETag"],
                                      DistributionConfig={**kept["DistributionConfig"], "Comment": "older", "Enabled": False})
    assert changed["Distribution"]["DistributionConfig"]["Comment"] == "older"
    batch = {"CallerReference": unique(), "Paths": {"Quantity": 1, "Items": ["/a"]}}
    invalidation = old.create_invalidation(DistributionId=one, InvalidationBatch=batch)["Invalidation"]["Id"]
    parts.until(lambda: old.get_invalidation(DistributionId=one, Id=invalidation)["Invalidation"]["Status"] == "Completed",
                what="the invalidation completed")
    parts.until(lambda: old.get_distribution(Id=one)["Distribution"]["Status"] == "Deployed", what="deployed")
    old.delete_distribution(Id=one, IfMatch=changed["ETag"])
    with pytest.raises(old.exceptions.NoSuchDistribution):
        old.get_distribution(Id=one)


@pytest.mark.parametrize("version", SINCE_TAGS)
def test_tags_of_an_older_client(near, unique, version):
    old = older(near, version)
    tags = {"Items": [{"Key": "a", "Value": "1"}]}
    made = old.create_distribution_with_tags(
        DistributionConfigWithTags={"DistributionConfig": config(unique()), "Tags": tags})["Distribution"]
    assert old.list_tags_for_resource(Resource=made["ARN"])["Tags"] == tags
    old.untag_resource(Resource=made["ARN"], TagKeys={"Items": ["a"]})
    assert old.list_tags_for_resource(Resource=made["ARN"])["Tags"]["Items"] == []
    surface.forget(surface.Api(**surface.credentials(near)), made["Id"])


def signed(near, method, path, body=""):
    """One request of this path, signed as clients do."""
    given = surface.credentials(near)
    request = botocore.awsrequest.AWSRequest(method, given["url"] + path, data=body)
    keys = botocore.credentials.Credentials(given["key"], given["secret"])
    botocore.auth.SigV4Auth(keys, "cloudfront", "us-east-1").add_auth(request)
    return urllib3.PoolManager().request(method, given["url"] + path, headers=dict(request.headers), body=body)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_answer_has_the_namespace_that_was_asked_for(near, version):
    for path, status in (("/distribution", 200), ("/distribution/E0000000000000", 404)):
        answer = signed(near, "GET", f"/{version}{path}")
        namespaces = re.findall(r'xmlns="([^"]*)"', answer.data.decode())
        assert (answer.status, namespaces) == (status, [f"http://cloudfront.amazonaws.com/doc/{version}/"])


@pytest.mark.parametrize("path", ["/2019-03-26/cache-policy", "/2014-05-31/tagging?Resource=x", "/2016-09-29/public-key",
                                  "/2014-05-30/distribution", "/2021-01-01/distribution", "/distribution"])
def test_what_a_version_did_not_have_is_not_there(near, path):
    assert signed(near, "GET", path).status == 404


def test_a_body_may_have_the_namespace_of_its_version_and_no_other(near, unique):
    body = '<InvalidationBatch xmlns="http://cloudfront.amazonaws.com/doc/{}/"><Paths><Quantity>0</Quantity></Paths></InvalidationBatch>'
    for version, code in (("2018-11-05", "missing"), ("2018-11-06", "attribute")):
        made = surface.Api(**surface.credentials(near)).call("CreateDistribution", DistributionConfig=config(unique()))["Distribution"]["Id"]
        answer = signed(near, "POST", f"/2018-11-05/distribution/{made}/invalidation", body.format(version))
        assert answer.status == 400 and code in answer.data.decode(), answer.data
        surface.forget(surface.Api(**surface.credentials(near)), made)
