"""What the Terraform AWS provider sends for a distribution, in its order, by boto3.

The provider itself was not to be had. It sends every member that it knows of, empty ones too; after
each change it reads until Deployed; before it deletes, it disables and waits.
"""

import nearfront as parts

EMPTY = {"Quantity": 0}
BEHAVIOUR = {
    "AllowedMethods": {"Quantity": 2, "Items": ["GET", "HEAD"], "CachedMethods": {"Quantity": 2, "Items": ["GET", "HEAD"]}},
    "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6", "Compress": False, "FieldLevelEncryptionId": "",
    "FunctionAssociations": EMPTY, "GrpcConfig": {"Enabled": False}, "LambdaFunctionAssociations": EMPTY, "SmoothStreaming": False,
    "TargetOriginId": "web", "TrustedKeyGroups": {"Enabled": False, **EMPTY}, "TrustedSigners": {"Enabled": False, **EMPTY},
    "ViewerProtocolPolicy": "allow-all"}


def configuration(reference, comment):
    """As the provider writes it."""
    return {
        "Aliases": EMPTY, "CacheBehaviors": {"Quantity": 1, "Items": [{**BEHAVIOUR, "PathPattern": "/images/*"}]},
        "CallerReference": reference, "Comment": comment, "ContinuousDeploymentPolicyId": "",
        "CustomErrorResponses": {"Quantity": 1, "Items": [
            {"ErrorCode": 404, "ErrorCachingMinTTL": 5, "ResponseCode": "200", "ResponsePagePath": "/index.html"}]},
        "DefaultCacheBehavior": BEHAVIOUR, "DefaultRootObject": "", "Enabled": True, "HttpVersion": "http2", "IsIPV6Enabled": False,
        "Logging": {"Enabled": False, "IncludeCookies": False, "Bucket": "", "Prefix": ""}, "OriginGroups": EMPTY,
        "Origins": {"Quantity": 1, "Items": [{
            "ConnectionAttempts": 3, "ConnectionTimeout": 10, "CustomHeaders": EMPTY,
            "CustomOriginConfig": {"HTTPPort": 8000, "HTTPSPort": 443, "OriginKeepaliveTimeout": 5, "OriginProtocolPolicy": "http-only",
                                   "OriginReadTimeout": 30, "OriginSslProtocols": {"Quantity": 1, "Items": ["TLSv1.2"]}},
            "DomainName": "localhost", "Id": "web", "OriginAccessControlId": "", "OriginPath": ""}]},
        "PriceClass": "PriceClass_All", "Restrictions": {"GeoRestriction": {"RestrictionType": "none", **EMPTY}}, "Staging": False,
        "ViewerCertificate": {"CloudFrontDefaultCertificate": True, "MinimumProtocolVersion": "TLSv1"}, "WebACLId": ""}


def test_what_terraform_sends_makes_changes_and_destroys_a_distribution(api, client, unique):
    assert client("sts").ok("GetCallerIdentity")["Account"] == "000000000000"
    reference = unique("terraform")
    tags = {"Items": [{"Key": "managed-by", "Value": "terraform"}]}
    made = api.ok("CreateDistributionWithTags", DistributionConfigWithTags={
        "DistributionConfig": configuration(reference, "made"), "Tags": tags})["Distribution"]
    one, arn = made["Id"], made["ARN"]
    deployed(api, one)
    read = api.ok("GetDistribution", Id=one)
    assert api.ok("ListTagsForResource", Resource=arn)["Tags"] == tags
    # A plan right after an apply must find nothing to change: what was sent is what is read.
    echoed = read["Distribution"]["DistributionConfig"]
    assert {key: echoed.get(key) for key in ("Aliases", "CustomErrorResponses", "Comment", "PriceClass", "Staging", "WebACLId")} == \
        {key: configuration(reference, "made")[key] for key in ("Aliases", "CustomErrorResponses", "Comment", "PriceClass", "Staging", "WebACLId")}
    changed = api.ok("UpdateDistribution", Id=one, IfMatch=read["ETag"], DistributionConfig=configuration(reference, "changed"))
    deployed(api, one)
    disabled = api.ok("UpdateDistribution", Id=one, IfMatch=changed["ETag"],
                      DistributionConfig={**configuration(reference, "changed"), "Enabled": False})
    deployed(api, one)
    api.ok("DeleteDistribution", Id=one, IfMatch=disabled["ETag"])
    api.refused("GetDistribution", "NoSuchDistribution", why="wrong id", Id=one)


def deployed(api, one):
    """As the provider waits."""
    parts.until(lambda: api.call("GetDistribution", Id=one)["Distribution"]["Status"] == "Deployed", 30, f"{one} deployed")
