"""A deny of a resource holds however a call names the resource: by id, name, ARN, domain, or through another one."""

import nearfront as parts
import pytest
import sites
import surface


@pytest.fixture
def denied(as_user):
    """A client of a service who may do everything, but nothing on these ARNs; and the same for our own calls."""
    def make(*arns, service="cloudfront"):
        return as_user(("Allow", "*", "*"), ("Deny", "*", list(arns)))(service)
    return make


def no(api, operation, arn, **params):
    """It is refused, and because of this ARN."""
    api.refused(operation, "AccessDenied", status=403, says=f"on resource: {arn} because a policy denies it", **params)


def test_only_the_true_arn_of_a_resource_leads_to_its_policy(api, denied, unique):
    """With another region in the ARN, who was denied put a policy that gave him everything."""
    config = {"Name": unique("vpc"), "Arn": "arn:aws:ec2:eu-west-1:123456789012:instance/i-0abc", "HTTPPort": 80, "HTTPSPort": 443,
              "OriginProtocolPolicy": "http-only"}
    made = api.call("CreateVpcOrigin", VpcOriginEndpointConfig=config)
    arn = made["VpcOrigin"]["Arn"]
    him = denied(arn)
    no(him, "GetResourcePolicy", arn, ResourceArn=arn)
    for other in (arn.replace("cloudfront::", "cloudfront:x:"), arn.replace("arn:aws:", "arn:aws-cn:"), arn + "/x", arn + " "):
        with pytest.raises(him.client.exceptions.ClientError) as refused:
            him.call("PutResourcePolicy", ResourceArn=other, PolicyDocument="{}")
        assert refused.value.response["Error"]["Code"] in ("EntityNotFound", "InvalidArgument"), other
    api.call("DeleteVpcOrigin", Id=made["VpcOrigin"]["Id"], IfMatch=made["ETag"])


def test_a_tenant_is_denied_by_every_name_that_it_has(api, denied, distribution, tenant, group):
    of = distribution(**sites.template())["Distribution"]["Id"]
    ways = group()["ConnectionGroup"]
    one = tenant(of, ConnectionGroupId=ways["Id"])["DistributionTenant"]
    him = denied(one["Arn"], ways["Arn"])
    for identifier in (one["Id"], one["Name"], one["Arn"]):
        no(him, "GetDistributionTenant", one["Arn"], Identifier=identifier)
        no(him, "GetManagedCertificateDetails", one["Arn"], Identifier=identifier)
        no(him, "VerifyDnsConfiguration", one["Arn"], Identifier=identifier)
    for named in (one["Id"], one["Name"], one["Arn"]):
        no(him, "UpdateDomainAssociation", one["Arn"], Domain=f"new.{sites.ZONE}", TargetResource={"DistributionTenantId": named})
        no(him, "ListDomainConflicts", one["Arn"], Domain=f"new.{sites.ZONE}",
           DomainControlValidationResource={"DistributionTenantId": named})
    no(him, "GetDistributionTenantByDomain", one["Arn"], Domain=one["Domains"][0]["Domain"])
    no(him, "GetDistributionTenantByDomain", one["Arn"], Domain=one["Domains"][0]["Domain"].upper() + ".")
    for identifier in (ways["Id"], ways["Name"], ways["Arn"]):
        no(him, "GetConnectionGroup", ways["Arn"], Identifier=identifier)
    no(him, "GetConnectionGroupByRoutingEndpoint", ways["Arn"], RoutingEndpoint=ways["RoutingEndpoint"])


def test_tags_of_what_is_meant_decide(api, as_user, distribution, tenant):
    of = distribution(**sites.template())["Distribution"]["Id"]
    one = tenant(of, Tags={"Items": [{"Key": "team", "Value": "a"}]})["DistributionTenant"]
    mine = as_user(("Allow", "*", "*", {"StringEquals": {"aws:ResourceTag/team": "a"}}))("cloudfront")
    theirs = as_user(("Allow", "*", "*", {"StringEquals": {"aws:ResourceTag/team": "b"}}))("cloudfront")
    for operation, params in (("GetDistributionTenant", {"Identifier": one["Name"]}),
                              ("GetDistributionTenantByDomain", {"Domain": one["Domains"][0]["Domain"]})):
        mine.ok(operation, **params)
        theirs.refused(operation, "AccessDenied", **params)


def test_a_staging_distribution_is_denied_though_nobody_names_it(api, denied, distribution, unique):
    """Left out, it was taken from the policy, and its configuration came back as the primary's."""
    primary = distribution()
    one = primary["Distribution"]
    copy = api.call("CopyDistribution", PrimaryDistributionId=one["Id"], Staging=True, IfMatch=primary["ETag"], CallerReference=unique("copy"))
    staging = copy["Distribution"]
    him = denied(staging["ARN"])
    made = api.call("CreateContinuousDeploymentPolicy", ContinuousDeploymentPolicyConfig={
        "StagingDistributionDnsNames": {"Quantity": 1, "Items": [staging["DomainName"]]}, "Enabled": False})
    policy = made["ContinuousDeploymentPolicy"]["Id"]
    config = {**api.call("GetDistributionConfig", Id=one["Id"])["DistributionConfig"], "ContinuousDeploymentPolicyId": policy}
    attached = api.call("UpdateDistribution", Id=one["Id"], IfMatch=primary["ETag"], DistributionConfig=config)
    tags = f"{attached['ETag']}, {copy['ETag']}"
    no(him, "UpdateDistributionWithStagingConfig", staging["ARN"], Id=one["Id"], IfMatch=tags)
    no(him, "UpdateDistributionWithStagingConfig", staging["ARN"], Id=one["Id"], IfMatch=tags, StagingDistributionId=staging["Id"])
    config["ContinuousDeploymentPolicyId"] = ""
    api.call("UpdateDistribution", Id=one["Id"], IfMatch=attached["ETag"], DistributionConfig=config)
    api.call("DeleteContinuousDeploymentPolicy", Id=policy, IfMatch=made["ETag"])
    surface.forget(api, staging["Id"])


def test_a_name_is_not_taken_from_whom_one_may_not_change(api, denied, distribution, unique):
    name = f"{unique('www')}.{sites.ZONE}"
    holder, mine = distribution(Aliases=sites.aliases(name))["Distribution"], distribution()["Distribution"]
    him = denied(holder["ARN"])
    no(him, "AssociateAlias", holder["ARN"], TargetDistributionId=mine["Id"], Alias=name.upper())
    no(him, "UpdateDomainAssociation", holder["ARN"], Domain=name, TargetResource={"DistributionId": mine["Id"]})
    kept = api.call("GetDistributionConfig", Id=holder["Id"])["DistributionConfig"]
    assert kept["Aliases"]["Items"] == [name]
    api.ok("AssociateAlias", TargetDistributionId=mine["Id"], Alias=name)


def test_versions_of_what_is_denied_are_denied(api, as_user, near, distribution):
    """The whole configuration was to be read there, and could be changed by going back."""
    made = distribution()
    one = made["Distribution"]
    sites.changed(api, one["Id"], Comment="second")
    client = as_user(("Allow", "*", "*"), ("Deny", "*", one["ARN"]))
    keys = client("cloudfront").client._request_signer._credentials
    him = surface.Own(near.run["control"] and f"http://{near.run['control']}", keys.access_key, keys.secret_key)
    for path in ("history", "version", "diff"):
        for named in (one["Id"], one["ARN"], f"distribution/{one['Id']}"):
            status, _, body = him.call("GET", path, Resource=named)
            assert status == 403 and one["ARN"] in str(body), (path, body)
    status, _, body = him.call("POST", "rollback", {"Resource": one["Id"], "Version": 1})
    assert status == 403 and one["ARN"] in str(body)
    assert api.call("GetDistribution", Id=one["Id"])["Distribution"]["DistributionConfig"]["Comment"] == "second"


def test_going_back_needs_what_changing_needs(api, as_user, near, distribution):
    one = distribution()["Distribution"]
    sites.changed(api, one["Id"], Comment="second")

    def asked(*statements):
        keys = as_user(*statements)("cloudfront").client._request_signer._credentials
        him = surface.Own(f"http://{near.run['control']}", keys.access_key, keys.secret_key)
        return him.call("POST", "rollback", {"Resource": one["Id"], "Version": 1})

    status, _, body = asked(("Allow", "nearfront:*", "*"))
    assert status == 403 and "cloudfront:UpdateDistribution" in str(body)
    status, _, body = asked(("Allow", ["nearfront:Rollback", "cloudfront:UpdateDistribution"], one["ARN"]))
    assert status == 200, body
    events = api_events(near, one["ARN"], "Rollback")
    assert events, "its record names what went back"


def api_events(near, arn, name):
    """Records of calls of this name about this ARN."""
    trail = surface.Api(**surface.credentials(near), service="cloudtrail")

    def found():
        answer = trail.call("LookupEvents", LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": arn}])
        return [event for event in answer["Events"] if event["EventName"] == name]

    return parts.until(found, what=f"{name} in the record of calls")


def test_records_of_what_was_made_name_it(api, near, unique):
    """By its true ARN: other kinds' were cut from the path of the answer."""
    made = api.call("CreateKeyValueStore", Name=unique("store"))
    assert api_events(near, made["KeyValueStore"]["ARN"], "CreateKeyValueStore")
    ways = api.call("CreateConnectionGroup", Name=unique("group"))["ConnectionGroup"]
    assert api_events(near, ways["Arn"], "CreateConnectionGroup")
    sites.forget_group(api, ways["Id"])


def test_tagging_on_creation_needs_to_be_allowed(as_user, unique, tmp_path):
    him = as_user(("Allow", "*", "*"), ("Deny", ["iam:TagUser", "acm:AddTagsToCertificate"], "*"))
    tags = [{"Key": "team", "Value": "x"}]
    him("iam").refused("CreateUser", "AccessDenied", says="iam:TagUser", UserName=unique(), Tags=tags)
    him("acm").refused("RequestCertificate", "AccessDeniedException", says="acm:AddTagsToCertificate", DomainName="www.example", Tags=tags)


def test_a_name_of_a_streaming_distribution_does_not_move(api, distribution, unique):
    """It was answered 503, which clients try again, and the message of the conflict advised to move it."""
    name = f"{unique('str')}.{sites.ZONE}"
    config = {"CallerReference": unique(), "Comment": "", "Enabled": False, "Aliases": sites.aliases(name),
              "S3Origin": {"DomainName": "media.s3.amazonaws.com", "OriginAccessIdentity": ""},
              "TrustedSigners": {"Enabled": False, "Quantity": 0}}
    made = api.call("CreateStreamingDistribution", StreamingDistributionConfig=config)
    one, mine = made["StreamingDistribution"]["Id"], distribution()["Distribution"]["Id"]
    api.refused("AssociateAlias", "IllegalUpdate", why="other", says=one, TargetDistributionId=mine, Alias=name)
    api.refused("UpdateDomainAssociation", "IllegalUpdate", why="other", says=one, Domain=name, TargetResource={"DistributionId": mine})
    standing = api.call("GetDistributionConfig", Id=mine)
    api.refused("UpdateDistribution", "CNAMEAlreadyExists", why="taken", says=f"streaming distribution {one}", Id=mine, IfMatch=standing["ETag"],
                DistributionConfig={**standing["DistributionConfig"], "Aliases": sites.aliases(name)})
    parts.until(lambda: api.call("GetStreamingDistribution", Id=one)["StreamingDistribution"]["Status"] == "Deployed", what="deployed")
    api.call("DeleteStreamingDistribution", Id=one, IfMatch=made["ETag"])
