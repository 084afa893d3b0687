"""Distribution tenants: sites of their own from one multi-tenant distribution."""

import nearfront as parts
import pytest
import sites

NONE = "dt_0123456789012345678901234567890"


@pytest.fixture(scope="module")
def origin():
    with sites.echo() as origin:
        yield origin


@pytest.fixture
def of(distribution, origin):
    """Id of a multi-tenant distribution whose origin tells what it was asked."""
    return distribution(**sites.template(origin.port))["Distribution"]["Id"]


def body(near, domain, path="/page", **more):
    answer = near.get(domain, path, **more)
    return answer.status, answer.body.decode()


def served(near, domain, text, path="/page", **more):
    parts.until(lambda: body(near, domain, path, **more) == (200, text), what=f"{text!r} at {domain}")


def domain_of(made):
    return made["DistributionTenant"]["Domains"][0]["Domain"]


@pytest.mark.proves("CreateDistributionTenant")
def test_a_tenant_is_served_by_the_edge_with_its_own_parameters(api, near, of, tenant):
    hats = tenant(of, call=api.ok)
    caps = tenant(of, Parameters=[{"Name": "shop", "Value": "caps"}, {"Name": "part", "Value": "sale"}])
    assert hats["DistributionTenant"]["Domains"][0]["Status"] == "active"
    served(near, domain_of(hats), "/hats/all/page of hats")
    served(near, domain_of(caps), "/caps/sale/page of caps")
    served(near, domain_of(caps), "/caps/sale/tls of caps", path="/tls", tls=True)
    template = api.call("GetDistribution", Id=of)["Distribution"]["DomainName"]
    assert near.get(template, "/page").status == 403, "a multi-tenant distribution serves nobody by itself"


@pytest.mark.proves("UpdateDistributionTenant")
def test_a_change_of_a_tenant_is_in_force_and_what_is_left_out_stays(api, near, of, tenant, unique):
    made = tenant(of)
    one, first = made["DistributionTenant"]["Id"], domain_of(made)
    second = f"{unique('tenant')}.{sites.ZONE}"
    changed = api.ok("UpdateDistributionTenant", Id=one, IfMatch=made["ETag"], Domains=[{"Domain": second.upper()}])
    assert changed["ETag"] != made["ETag"]
    assert changed["DistributionTenant"]["Parameters"] == [{"Name": "shop", "Value": "hats"}]
    served(near, second, "/hats/all/page of hats")
    parts.until(lambda: near.get(first, "/page").status == 403, what="the first name is nobody's")
    changed = api.ok("UpdateDistributionTenant", Id=one, IfMatch=changed["ETag"], Enabled=False)
    parts.until(lambda: near.get(second, "/page").status == 403, what="a disabled tenant serves nobody")
    blocked = {"GeoRestrictions": {"RestrictionType": "whitelist", "Locations": ["DE"]}}
    changed = api.ok("UpdateDistributionTenant", Id=one, IfMatch=changed["ETag"], Enabled=True, Customizations=blocked)
    assert changed["DistributionTenant"]["Customizations"] == blocked


@pytest.mark.proves("DeleteDistributionTenant")
def test_a_tenant_is_deleted_once_it_is_disabled(api, near, of, tenant):
    made = tenant(of)
    one, domain = made["DistributionTenant"]["Id"], domain_of(made)
    served(near, domain, "/hats/all/page of hats")
    api.refused("DeleteDistributionTenant", "ResourceNotDisabled", why="other", Id=one, IfMatch=made["ETag"])
    etag = api.ok("UpdateDistributionTenant", Id=one, IfMatch=made["ETag"], Enabled=False)["ETag"]
    api.ok("DeleteDistributionTenant", Id=one, IfMatch=etag)
    parts.until(lambda: near.get(domain, "/page").status == 403, what="its name is nobody's")
    again = tenant(of, Domains=[{"Domain": domain}])
    assert again["DistributionTenant"]["Id"] != one, "its name is free again"


def test_whatever_changes_a_distribution_changes_all_its_tenants(api, near, of, tenant, origin):
    all_of = [domain_of(tenant(of)) for _ in range(3)]
    origins = sites.template(origin.port)["Origins"]
    origins["Items"][0]["OriginPath"] = "/new/{{shop}}"
    sites.changed(api, of, Origins=origins)
    for domain in all_of:
        served(near, domain, "/new/hats/after of hats", path="/after")
    api.refused("UpdateDistribution", "InvalidArgument", why="other", says="distribution tenant dt_", Id=of,
                IfMatch=api.call("GetDistributionConfig", Id=of)["ETag"],
                DistributionConfig={**api.call("GetDistributionConfig", Id=of)["DistributionConfig"],
                                    "TenantConfig": {"ParameterDefinitions": []},
                                    "Origins": {"Quantity": 1, "Items": [parts.http_origin("web", origin.port)]}})
    sites.changed(api, of, Enabled=False)
    for domain in all_of:
        parts.until(lambda: near.get(domain, "/page").status == 403, what=f"{domain} is disabled")


def test_whatever_changes_a_policy_changes_all_tenants(api, near, distribution, tenant, origin, unique):
    config = {"Name": unique("policy"), "CustomHeadersConfig": {"Quantity": 1, "Items": [
        {"Header": "X-Policy", "Value": "one", "Override": True}]}}
    made = api.call("CreateResponseHeadersPolicy", ResponseHeadersPolicyConfig=config)
    policy = made["ResponseHeadersPolicy"]["Id"]
    template = sites.template(origin.port)
    template["DefaultCacheBehavior"]["ResponseHeadersPolicyId"] = policy
    domain = domain_of(tenant(distribution(**template)["Distribution"]["Id"]))
    parts.until(lambda: near.get(domain, "/page").headers["X-Policy"] == "one", what="the policy")
    config["CustomHeadersConfig"]["Items"][0]["Value"] = "two"
    api.call("UpdateResponseHeadersPolicy", Id=policy, IfMatch=made["ETag"], ResponseHeadersPolicyConfig=config)
    parts.until(lambda: near.get(domain, "/page").headers["X-Policy"] == "two", what="the changed policy")


def test_tenants_of_a_disabled_group_are_not_served(api, near, of, tenant, group):
    made = group()
    one = made["ConnectionGroup"]["Id"]
    domain = domain_of(tenant(of, ConnectionGroupId=one))
    served(near, domain, "/hats/all/page of hats")
    api.ok("UpdateConnectionGroup", Id=one, IfMatch=made["ETag"], Enabled=False)
    parts.until(lambda: near.get(domain, "/page").status == 403, what="the group is disabled")


@pytest.mark.proves("CreateInvalidationForDistributionTenant", "GetInvalidationForDistributionTenant",
                    "ListInvalidationsForDistributionTenant")
def test_an_invalidation_is_one_tenants_own(api, near, of, tenant, unique):
    hats, caps = tenant(of), tenant(of, Parameters=[{"Name": "shop", "Value": "caps"}])
    for made in (hats, caps):
        parts.until(lambda: near.get(domain_of(made), "/page").cache == "Hit", what="a hit")
    one = hats["DistributionTenant"]["Id"]
    batch = {"Paths": {"Quantity": 1, "Items": ["/page"]}, "CallerReference": unique()}
    made = api.ok("CreateInvalidationForDistributionTenant", Id=one, InvalidationBatch=batch)
    invalidation = made["Invalidation"]["Id"]
    assert made["Location"].endswith(f"/distribution-tenant/{one}/invalidation/{invalidation}")
    parts.until(lambda: api.ok("GetInvalidationForDistributionTenant", DistributionTenantId=one,
                               Id=invalidation)["Invalidation"]["Status"] == "Completed", what="Completed")
    assert near.get(domain_of(hats), "/page").cache == "Miss"
    assert near.get(domain_of(caps), "/page").cache == "Hit", "the other tenant's copy stays"
    listed = api.ok("ListInvalidationsForDistributionTenant", Id=one)["InvalidationList"]
    assert [item["Id"] for item in listed["Items"]] == [invalidation]


def test_an_invalidation_of_the_distribution_is_one_of_all_its_tenants(api, near, of, tenant, unique):
    both = [domain_of(tenant(of)) for _ in range(2)]
    for domain in both:
        parts.until(lambda: near.get(domain, "/page").cache == "Hit", what="a hit")
    batch = {"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": unique()}
    made = api.ok("CreateInvalidation", DistributionId=of, InvalidationBatch=batch)["Invalidation"]["Id"]
    parts.until(lambda: api.ok("GetInvalidation", DistributionId=of, Id=made)["Invalidation"]["Status"] == "Completed",
                what="Completed")
    for domain in both:
        assert near.get(domain, "/page").cache == "Miss"


def test_a_certificate_makes_names_active_and_is_in_use(api, near, client, of, tenant, unique):
    acm, name = client("acm"), f"{unique('www')}.example"
    made = tenant(of, Domains=[{"Domain": name}])
    one = made["DistributionTenant"]["Id"]
    assert made["DistributionTenant"]["Domains"] == [{"Domain": name, "Status": "inactive"}]
    assert near.get(name, "/page").status == 403, "what no certificate covers is not served"
    arn = sites.imported(acm, name)
    own = {"Certificate": {"Arn": arn}}
    changed = api.ok("UpdateDistributionTenant", Id=one, IfMatch=made["ETag"], Customizations=own)
    assert changed["DistributionTenant"]["Domains"] == [{"Domain": name, "Status": "active"}]
    served(near, name, "/hats/all/page of hats")
    acm.refused("DeleteCertificate", "ResourceInUseException", why="in use", CertificateArn=arn)
    used = acm.call("DescribeCertificate", CertificateArn=arn)["Certificate"]["InUseBy"]
    assert used == [changed["DistributionTenant"]["Arn"]]
    listed = api.ok("ListDistributionTenantsByCustomization", CertificateArn=arn)["DistributionTenantList"]
    assert [item["Id"] for item in listed] == [one]


@pytest.mark.proves("GetDistributionTenant", "GetDistributionTenantByDomain")
def test_a_tenant_is_found_by_all_that_it_is_called(api, of, tenant):
    made = tenant(of, Tags={"Items": [{"Key": "a", "Value": "b"}]})
    shown = made["DistributionTenant"]
    assert shown["Tags"]["Items"] == [{"Key": "a", "Value": "b"}] and shown["DistributionId"] == of
    for name in (shown["Id"], shown["Name"], shown["Arn"]):
        found = api.ok("GetDistributionTenant", Identifier=name)
        assert (found["DistributionTenant"]["Id"], found["ETag"]) == (shown["Id"], made["ETag"])
    found = api.ok("GetDistributionTenantByDomain", Domain=domain_of(made).upper())
    assert found["DistributionTenant"]["Id"] == shown["Id"]


@pytest.mark.proves("ListDistributionTenants", "ListDistributionTenantsByCustomization")
def test_lists_hold_what_they_are_filtered_by(api, client, distribution, origin, of, tenant, group):
    arn = sites.imported(client("acm"), f"*.{sites.ZONE}")
    cg = group()["ConnectionGroup"]["Id"]
    other = distribution(**sites.template(origin.port))["Distribution"]["Id"]
    a = tenant(of)["DistributionTenant"]["Id"]
    b = tenant(of, ConnectionGroupId=cg, Customizations={"Certificate": {"Arn": arn}})["DistributionTenant"]["Id"]
    c = tenant(other, ConnectionGroupId=cg)["DistributionTenant"]["Id"]
    listed = lambda operation="ListDistributionTenants", **more: [
        item["Id"] for item in api.ok(operation, **more)["DistributionTenantList"]]
    assert {a, b, c} <= set(listed())
    assert listed(AssociationFilter={"DistributionId": of}) == sorted([a, b])
    assert listed(AssociationFilter={"ConnectionGroupId": cg}) == sorted([b, c])
    assert listed("ListDistributionTenantsByCustomization", CertificateArn=arn) == [b]
    assert listed("ListDistributionTenantsByCustomization", WebACLArn="arn:aws:wafv2:none") == []
    first = api.ok("ListDistributionTenants", AssociationFilter={"DistributionId": of}, MaxItems=1)
    rest = api.ok("ListDistributionTenants", AssociationFilter={"DistributionId": of}, MaxItems=1, Marker=first["NextMarker"])
    assert [page["DistributionTenantList"][0]["Id"] for page in (first, rest)] == sorted([a, b])
    assert "NextMarker" not in rest


def test_what_has_tenants_is_not_deleted(api, of, tenant):
    one = tenant(of)["DistributionTenant"]["Id"]
    etag = sites.changed(api, of, Enabled=False)["ETag"]
    parts.until(lambda: api.call("GetDistribution", Id=of)["Distribution"]["Status"] == "Deployed", what="Deployed")
    api.refused("DeleteDistribution", "ResourceInUse", why="in use", says=one, Id=of, IfMatch=etag)


def test_names_are_held_once_in_the_installation(api, of, tenant, distribution):
    made = tenant(of)
    one, domain = made["DistributionTenant"]["Id"], domain_of(made)
    with pytest.raises(api.client.exceptions.CNAMEAlreadyExists, match=one):
        tenant(of, Domains=[{"Domain": domain}])
    with pytest.raises(api.client.exceptions.CNAMEAlreadyExists, match=one):
        distribution(Aliases=sites.aliases(domain))


def test_wrong_calls_are_refused(api, of, tenant, distribution, unique):
    made = tenant(of)
    one, domain = made["DistributionTenant"]["Id"], domain_of(made)
    standard = distribution()["Distribution"]["Id"]
    fine = {"Name": unique("tenant"), "DistributionId": of, "Parameters": [{"Name": "shop", "Value": "x"}],
            "Domains": [{"Domain": f"{unique('other')}.{sites.ZONE}"}]}
    refused = lambda code, why, says=None, **more: api.refused("CreateDistributionTenant", code, why=why, says=says, **{**fine, **more})
    refused("EntityNotFound", "other", DistributionId="ENONE")
    refused("InvalidAssociation", "other", says="tenant-only", DistributionId=standard)
    refused("EntityNotFound", "other", says="connection group", ConnectionGroupId="cg_none")
    refused("EntityNotFound", "other", says="certificate",
            Customizations={"Certificate": {"Arn": "arn:aws:acm:us-east-1:000000000000:certificate/none"}})
    refused("EntityAlreadyExists", "taken", Name=made["DistributionTenant"]["Name"])
    refused("CNAMEAlreadyExists", "taken", says=one, Domains=[{"Domain": domain}])
    refused("InvalidArgument", "out of range", Name="-no-")
    refused("InvalidArgument", "out of range", Domains=[])
    refused("InvalidArgument", "out of range", Domains=[{"Domain": "no name"}])
    refused("EntityLimitExceeded", "out of range", Domains=[{"Domain": f"{number}.{domain}"} for number in range(6)])
    refused("InvalidArgument", "out of range", says="shop", Parameters=[])
    refused("InvalidArgument", "out of range", says="size", Parameters=[{"Name": "size", "Value": "9"}])
    refused("InvalidArgument", "out of range", says="Locations",
            Customizations={"GeoRestrictions": {"RestrictionType": "whitelist", "Locations": ["Germany"]}})
    refused("InvalidArgument", "not honoured", says="WebAcl",
            Customizations={"WebAcl": {"Action": "override", "Arn": "arn:aws:wafv2:x"}})
    refused("InvalidTagging", "other", Tags={"Items": [{"Key": "aws:no", "Value": ""}]})
    api.refused("CreateDistributionTenant", "MalformedXML", why="missing field", Name="one")
    api.refused("GetDistributionTenant", "EntityNotFound", why="wrong id", Identifier=NONE)
    api.refused("GetDistributionTenantByDomain", "EntityNotFound", why="wrong id", Domain="nobody.example")
    api.refused("GetDistributionTenantByDomain", "InvalidArgument", why="missing field", Domain="")
    api.refused("GetManagedCertificateDetails", "EntityNotFound", why="wrong id", Identifier=NONE)
    for operation, more in (("UpdateDistributionTenant", {"Enabled": True}), ("DeleteDistributionTenant", {})):
        api.refused(operation, "EntityNotFound", why="wrong id", Id=NONE, IfMatch="E1", **more)
        api.refused(operation, "PreconditionFailed", why="stale etag", Id=one, IfMatch="E1", **more)
        api.refused(operation, "InvalidIfMatchVersion", why="no etag", Id=one, IfMatch="", **more)
    api.refused("UpdateDistributionTenant", "InvalidArgument", why="out of range", Id=one, IfMatch=made["ETag"], Domains=[])
    api.refused("UpdateDistributionTenant", "EntityNotFound", why="other", Id=one, IfMatch=made["ETag"], DistributionId="ENONE")
    lists = ("ListDistributionTenants", {}), ("ListDistributionTenantsByCustomization", {"WebACLArn": "x"})
    for operation, more in lists:
        api.refused(operation, "InvalidArgument", why="out of range", MaxItems=0, **more)
    api.refused("ListDistributionTenants", "EntityNotFound", why="other", AssociationFilter={"DistributionId": "ENONE"})
    api.refused("ListDistributionTenants", "EntityNotFound", why="other", AssociationFilter={"ConnectionGroupId": "cg_none"})
    api.refused("ListDistributionTenants", "InvalidArgument", why="other",
                AssociationFilter={"ConnectionGroupId": "a", "DistributionId": "b"})
    api.refused("ListDistributionTenantsByCustomization", "InvalidArgument", why="missing field")
    api.refused("ListDistributionTenantsByCustomization", "EntityNotFound", why="other", CertificateArn="arn:none")


def test_wrong_invalidations_are_refused(api, of, tenant, unique):
    one = tenant(of)["DistributionTenant"]["Id"]
    batch = lambda *paths, quantity=None: {"CallerReference": unique(), "Paths": {
        "Quantity": len(paths) if quantity is None else quantity, "Items": list(paths)}}
    create = "CreateInvalidationForDistributionTenant"
    api.refused(create, "EntityNotFound", why="wrong id", Id=NONE, InvalidationBatch=batch("/a"))
    api.refused(create, "InvalidArgument", why="out of range", Id=one, InvalidationBatch=batch("a"))
    api.refused(create, "InconsistentQuantities", why="other", Id=one, InvalidationBatch=batch("/a", quantity=2))
    api.refused(create, "MalformedXML", why="missing field", Id=one, InvalidationBatch={"CallerReference": "x"})
    get = "GetInvalidationForDistributionTenant"
    api.refused(get, "EntityNotFound", why="wrong id", DistributionTenantId=NONE, Id="I1")
    api.refused(get, "NoSuchInvalidation", why="wrong id", DistributionTenantId=one, Id="I1")
    api.refused("ListInvalidationsForDistributionTenant", "EntityNotFound", why="wrong id", Id=NONE)
    api.refused("ListInvalidationsForDistributionTenant", "InvalidArgument", why="out of range", Id=one, MaxItems=0)
