"""A deny holds in the corners as well: names of the greatest length, what belongs to a resource, what is gone, forged ARNs.

The plain ways to name a resource are in test_denials.
"""

import botocore.exceptions
import pytest
import sites
import surface

STREAM = {"StreamType": "Kinesis", "KinesisStreamConfig": {"RoleARN": "arn:aws:iam::000000000000:role/logs",
                                                           "StreamARN": "arn:aws:kinesis:us-east-1:000000000000:stream/logs"}}


@pytest.fixture
def own_as(as_user, near):
    """Our own calls as a new user whose policy says this."""
    def make(*statements):
        key = as_user(*statements).key
        return surface.Own(f"http://{near.run['control']}", key["AccessKeyId"], key["SecretAccessKey"])
    return make


def denied(arn):
    """Everything, but nothing on this ARN."""
    return ("Allow", "*", "*"), ("Deny", "*", arn)


def test_a_wildcard_of_the_greatest_length_stays_with_whom_one_may_not_change(api, as_user, client, distribution, unique):
    """253 characters and `*.` are more than a host name has: nobody was asked about its holder."""
    label = unique("w")
    host = ".".join([label + "x" * (63 - len(label)), "y" * 63, "z" * 63, "a" * 56 + ".test"])
    name = f"*.{host}"
    assert len(host) == 253
    certificate = {"ACMCertificateArn": sites.imported(client("acm"), name), "SSLSupportMethod": "sni-only",
                   "MinimumProtocolVersion": "TLSv1.2_2021"}
    holder = distribution(Aliases=sites.aliases(name), ViewerCertificate=certificate)["Distribution"]
    mine = distribution(ViewerCertificate=certificate)["Distribution"]
    him = as_user(*denied(holder["ARN"]))("cloudfront")
    for operation, params in (
            ("AssociateAlias", {"TargetDistributionId": mine["Id"], "Alias": name}),
            ("UpdateDomainAssociation", {"Domain": name, "TargetResource": {"DistributionId": mine["Id"]}})):
        him.refused(operation, "AccessDenied", says=holder["ARN"], **params)
    assert api.call("GetDistributionConfig", Id=holder["Id"])["DistributionConfig"]["Aliases"]["Items"] == [name]


def test_what_belongs_to_a_resource_is_denied_with_it(api, own, own_as, distribution, unique):
    """The versions of its policy and of its subscription were told by whom the resource itself was denied to."""
    config = {"Name": unique("vpc"), "Arn": "arn:aws:ec2:eu-west-1:123456789012:instance/i-0abc", "HTTPPort": 80,
              "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}
    made, site = api.call("CreateVpcOrigin", VpcOriginEndpointConfig=config), distribution()["Distribution"]
    vpc = made["VpcOrigin"]
    document = ('{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"cloudfront:GetVpcOrigin",'
                f'"Resource":"{vpc["Arn"]}"}}}}')
    api.call("PutResourcePolicy", ResourceArn=vpc["Arn"], PolicyDocument=document)
    status = {"RealtimeMetricsSubscriptionConfig": {"RealtimeMetricsSubscriptionStatus": "Disabled"}}
    api.call("CreateMonitoringSubscription", DistributionId=site["Id"], MonitoringSubscription=status)
    for part, arn in ((f"resource-policy/vpcorigin-{vpc['Id']}", vpc["Arn"]),
                      (f"monitoring-subscription/{site['Id']}", site["ARN"])):
        him = own_as(*denied(arn))
        for path in ("history", "version", "diff"):
            assert own.get(path, Resource=part)["Resource"].endswith(part)
            status, _, body = him.call("GET", path, Resource=part)
            assert status == 403 and arn in body["Message"], (path, body)
        narrow = own_as(("Allow", "nearfront:*", arn))
        assert narrow.call("GET", "history", Resource=part)[0] == 200
    api.call("DeleteVpcOrigin", Id=vpc["Id"], IfMatch=made["ETag"])


def test_tags_of_what_is_deleted_still_hide_its_versions(api, own_as, unique):
    """Who could not see it while it stood could read all of it afterwards, and make it anew."""
    config = surface.config_of(unique(), Comment="secret")
    tagged = {"DistributionConfig": config, "Tags": {"Items": [{"Key": "team", "Value": "a"}]}}
    made = api.call("CreateDistributionWithTags", DistributionConfigWithTags=tagged)["Distribution"]
    surface.forget(api, made["Id"])
    outside = own_as(("Allow", "*", "*"), ("Deny", "*", "*", {"StringEquals": {"aws:ResourceTag/team": "a"}}))
    inside = own_as(("Allow", "nearfront:*", "*", {"StringEquals": {"aws:ResourceTag/team": "a"}}))
    for path in ("history", "version", "diff"):
        query = {"Resource": made["ARN"], **({"Version": 1} if path == "version" else {})}
        status, _, body = outside.call("GET", path, **query)
        assert status == 403 and made["ARN"] in body["Message"], (path, body)
        assert inside.call("GET", path, **query)[0] == 200, path
    assert outside.call("POST", "rollback", {"Resource": made["Id"], "Version": 1})[0] == 403


def test_a_domain_of_no_tenant_is_not_found_as_before(as_user, distribution, unique):
    name = f"{unique('www')}.{sites.ZONE}"
    distribution(Aliases=sites.aliases(name))
    narrow = as_user(("Allow", "cloudfront:GetDistributionTenantByDomain", "arn:aws:cloudfront::000000000000:distribution-tenant/*"))
    for domain in (name, f"none-{name}"):
        narrow("cloudfront").refused("GetDistributionTenantByDomain", "EntityNotFound", Domain=domain)


def test_whom_a_policy_allows_one_resource_may_name_it_as_he_likes(as_user, distribution, tenant, group):
    """Its ARN is asked about, and nothing beside it: what is empty names nothing."""
    of = distribution(**sites.template())["Distribution"]["Id"]
    ways = group()["ConnectionGroup"]
    one = tenant(of, ConnectionGroupId=ways["Id"])["DistributionTenant"]
    domain = one["Domains"][0]["Domain"]
    him = as_user(("Allow", "cloudfront:*", [one["Arn"], ways["Arn"]]))("cloudfront")
    for identifier in (one["Id"], one["Name"], one["Arn"]):
        him.ok("GetDistributionTenant", Identifier=identifier)
        him.ok("VerifyDnsConfiguration", Identifier=identifier)
        him.ok("ListDomainConflicts", Domain=domain, DomainControlValidationResource={
            "DistributionId": "", "DistributionTenantId": identifier})
    him.ok("GetDistributionTenantByDomain", Domain=domain)
    for identifier in (ways["Id"], ways["Name"], ways["Arn"]):
        him.ok("GetConnectionGroup", Identifier=identifier)
    him.ok("GetConnectionGroupByRoutingEndpoint", RoutingEndpoint=ways["RoutingEndpoint"].upper())


def test_forged_arns_lead_nowhere(api, as_user, client, distribution, unique):
    """Another partition, region or account in an ARN, and the policy is not asked about the true one."""
    site = distribution()["Distribution"]["ARN"]
    log = api.call("CreateRealtimeLogConfig", Name=unique("log"), SamplingRate=5, Fields=["asn"], EndPoints=[STREAM])
    log = log["RealtimeLogConfig"]["ARN"]
    certificate = sites.imported(client("acm"), "www.forged.test")
    tags = {"Items": [{"Key": "forged", "Value": "yes"}]}
    calls = [
        ("cloudfront", site, lambda arn: ("TagResource", {"Resource": arn, "Tags": tags})),
        ("cloudfront", site, lambda arn: ("UntagResource", {"Resource": arn, "TagKeys": {"Items": ["x"]}})),
        ("cloudfront", site, lambda arn: ("ListTagsForResource", {"Resource": arn})),
        ("cloudfront", log, lambda arn: ("GetRealtimeLogConfig", {"ARN": arn})),
        ("cloudfront", log, lambda arn: ("DeleteRealtimeLogConfig", {"ARN": arn})),
        ("acm", certificate, lambda arn: ("DescribeCertificate", {"CertificateArn": arn})),
        ("acm", certificate, lambda arn: ("DeleteCertificate", {"CertificateArn": arn})),
    ]
    him = as_user(("Allow", "*", "*"), ("Deny", "*", [site, log, certificate]))
    for service, arn, call in calls:
        parts = arn.split(":")
        region = ":".join([*parts[:3], "eu-west-9", *parts[4:]])
        for other in (region, arn.replace("arn:aws:", "arn:aws-cn:"), arn.replace("0" * 12, "1" * 12)):
            operation, params = call(other)
            with pytest.raises(botocore.exceptions.ClientError) as refused:
                him(service).call(operation, **params)
            answer = refused.value.response
            assert 400 <= answer["ResponseMetadata"]["HTTPStatusCode"] < 500 and "Denied" not in answer["Error"]["Code"], other
        operation, params = call(arn)
        code = "AccessDenied" if service == "cloudfront" else "AccessDeniedException"
        him(service).refused(operation, code, says=arn, **params)
    assert not any(tag["Key"] == "forged" for tag in api.call("ListTagsForResource", Resource=site)["Tags"]["Items"])
    client("acm").call("DescribeCertificate", CertificateArn=certificate)
    api.call("DeleteRealtimeLogConfig", ARN=log)
