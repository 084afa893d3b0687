"""Web ACLs: there is no firewall yet, so none is attached, and taking one away from what has none is done already."""

import pytest
import sites

ACL = "arn:aws:wafv2:us-east-1:000000000000:global/webacl/one/1a2b"


@pytest.fixture
def one(distribution):
    made = distribution()
    return made["Distribution"]["Id"], made["ETag"]


@pytest.fixture
def one_tenant(distribution, tenant):
    made = tenant(distribution(**sites.template())["Distribution"]["Id"])
    return made["DistributionTenant"]["Id"], made["ETag"]


@pytest.mark.proves("AssociateDistributionWebACL")
def test_a_web_acl_is_refused_and_nothing_changes(api, one):
    id, etag = one
    api.refused("AssociateDistributionWebACL", "InvalidArgument", why="not honoured", says="WebACLId", Id=id, WebACLArn=ACL)
    kept = api.ok("GetDistribution", Id=id)
    assert kept["ETag"] == etag and kept["Distribution"]["DistributionConfig"]["WebACLId"] == ""


@pytest.mark.proves("AssociateDistributionTenantWebACL")
def test_a_tenants_web_acl_is_refused_and_nothing_changes(api, one_tenant):
    id, etag = one_tenant
    api.refused("AssociateDistributionTenantWebACL", "InvalidArgument", why="not honoured", says="WebAcl", Id=id, WebACLArn=ACL)
    assert api.ok("GetDistributionTenant", Identifier=id)["ETag"] == etag


@pytest.mark.proves("DisassociateDistributionWebACL")
def test_a_distribution_has_none_afterwards(api, one):
    id, etag = one
    for more in ({}, {"IfMatch": etag}):
        done = api.ok("DisassociateDistributionWebACL", Id=id, **more)
        assert (done["Id"], done["ETag"]) == (id, etag)


@pytest.mark.proves("DisassociateDistributionTenantWebACL")
def test_a_tenant_has_none_afterwards(api, one_tenant):
    id, etag = one_tenant
    for more in ({}, {"IfMatch": etag}):
        done = api.ok("DisassociateDistributionTenantWebACL", Id=id, **more)
        assert (done["Id"], done["ETag"]) == (id, etag)


@pytest.mark.parametrize("kind", ["Distribution", "DistributionTenant"])
def test_wrong_calls_are_refused(api, kind, one, one_tenant):
    id = one[0] if kind == "Distribution" else one_tenant[0]
    for operation, more in ((f"Associate{kind}WebACL", {"WebACLArn": ACL}), (f"Disassociate{kind}WebACL", {})):
        api.refused(operation, "EntityNotFound", why="wrong id", Id="none", **more)
        api.refused(operation, "PreconditionFailed", why="stale etag", Id=id, IfMatch="E1", **more)
        api.refused(operation, "InvalidIfMatchVersion", why="no etag", Id=id, IfMatch="not a tag", **more)
    api.refused(f"Associate{kind}WebACL", "MissingBody", why="missing field", Id=id)
