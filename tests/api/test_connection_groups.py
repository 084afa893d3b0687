"""Connection groups: routing endpoints that the DNS answers for as long as the group is enabled."""

import nearfront as parts
import pytest
import sites


@pytest.mark.proves("CreateConnectionGroup", "GetConnectionGroup", "UpdateConnectionGroup", "DeleteConnectionGroup",
                    "GetConnectionGroupByRoutingEndpoint")
def test_a_routing_endpoint_is_answered_while_its_group_is_enabled(api, near, unique):
    made = api.ok("CreateConnectionGroup", Name=unique("group"), Tags={"Items": [{"Key": "a", "Value": "b"}]})
    group = made["ConnectionGroup"]
    endpoint = group["RoutingEndpoint"]
    assert endpoint.endswith("." + sites.ZONE) and group["Enabled"] and group["Ipv6Enabled"] and not group["IsDefault"]
    assert group["Tags"]["Items"] == [{"Key": "a", "Value": "b"}]
    parts.until(lambda: sites.asked(near, endpoint) == ("NOERROR", ["127.0.0.1"]), what="the endpoint is answered")
    for name in (group["Id"], group["Name"], group["Arn"]):
        assert api.ok("GetConnectionGroup", Identifier=name)["ConnectionGroup"]["Id"] == group["Id"]
    found = api.ok("GetConnectionGroupByRoutingEndpoint", RoutingEndpoint=endpoint.upper() + ".")
    assert (found["ConnectionGroup"]["Id"], found["ETag"]) == (group["Id"], made["ETag"])
    changed = api.ok("UpdateConnectionGroup", Id=group["Id"], IfMatch=made["ETag"], Enabled=False)
    assert changed["ETag"] != made["ETag"] and changed["ConnectionGroup"]["Ipv6Enabled"], "what is left out stays"
    parts.until(lambda: sites.asked(near, endpoint)[0] == "NXDOMAIN", what="the endpoint is gone")
    api.ok("DeleteConnectionGroup", Id=group["Id"], IfMatch=changed["ETag"])
    api.refused("GetConnectionGroup", "EntityNotFound", why="wrong id", Identifier=group["Id"])


def test_ipv6_is_answered_where_the_group_has_it(api, unique):
    with parts.Up(settings={"edge": {"public_addresses": ["127.0.0.1", "::1"]}}) as near:
        import surface
        api = surface.Api(**surface.credentials(near))
        made = api.ok("CreateConnectionGroup", Name=unique("group"))
        endpoint = made["ConnectionGroup"]["RoutingEndpoint"]
        parts.until(lambda: sites.asked(near, endpoint, "AAAA") == ("NOERROR", ["::1"]), what="an AAAA record")
        api.ok("UpdateConnectionGroup", Id=made["ConnectionGroup"]["Id"], IfMatch=made["ETag"], Ipv6Enabled=False)
        parts.until(lambda: sites.asked(near, endpoint, "AAAA") == ("NOERROR", []), what="no AAAA record")
        assert sites.asked(near, endpoint) == ("NOERROR", ["127.0.0.1"])


@pytest.mark.proves("ListConnectionGroups")
def test_lists_go_on_where_they_ended(api, group):
    made = {group()["ConnectionGroup"]["Id"] for _ in range(3)}
    found, marker = [], None
    while True:
        page = api.ok("ListConnectionGroups", MaxItems=1, **({"Marker": marker} if marker else {}))
        found += [one["Id"] for one in page["ConnectionGroups"]]
        marker = page.get("NextMarker")
        if not marker:
            break
    assert made <= set(found) and found == sorted(found)
    assert made <= {one["Id"] for one in api.ok("ListConnectionGroups")["ConnectionGroups"]}


def test_the_first_tenant_without_a_group_makes_the_default_one(api, distribution, tenant):
    of = distribution(**sites.template())["Distribution"]["Id"]
    groups = {tenant(of)["DistributionTenant"]["ConnectionGroupId"] for _ in range(2)}
    assert len(groups) == 1
    assert api.ok("GetConnectionGroup", Identifier=groups.pop())["ConnectionGroup"]["IsDefault"]


def test_a_group_of_tenants_is_not_deleted(api, distribution, tenant, group):
    made = group()
    one = made["ConnectionGroup"]["Id"]
    of = distribution(**sites.template())["Distribution"]["Id"]
    user = tenant(of, ConnectionGroupId=one)["DistributionTenant"]["Id"]
    api.refused("DeleteConnectionGroup", "ResourceNotDisabled", why="other", Id=one, IfMatch=made["ETag"])
    etag = api.ok("UpdateConnectionGroup", Id=one, IfMatch=made["ETag"], Enabled=False)["ETag"]
    api.refused("DeleteConnectionGroup", "CannotDeleteEntityWhileInUse", why="in use", says=user, Id=one, IfMatch=etag)


def test_wrong_calls_are_refused(api, group, unique):
    made = group()["ConnectionGroup"]
    none = "cg_0123456789012345678901234567890"
    api.refused("CreateConnectionGroup", "EntityAlreadyExists", why="taken", Name=made["Name"])
    api.refused("CreateConnectionGroup", "InvalidArgument", why="out of range", Name="no name")
    api.refused("CreateConnectionGroup", "MalformedXML", why="missing field", Enabled=True)
    api.refused("CreateConnectionGroup", "InvalidTagging", why="other", Name=unique("group"),
                Tags={"Items": [{"Key": "aws:no", "Value": ""}]})
    api.refused("CreateConnectionGroup", "EntityNotFound", why="other", says="AnycastIpListId", Name=unique("group"),
                AnycastIpListId="aip_none")
    api.refused("GetConnectionGroup", "EntityNotFound", why="wrong id", Identifier=none)
    api.refused("GetConnectionGroupByRoutingEndpoint", "EntityNotFound", why="wrong id", RoutingEndpoint="d1.example")
    api.refused("GetConnectionGroupByRoutingEndpoint", "InvalidArgument", why="missing field", status=400, RoutingEndpoint="")
    api.refused("ListConnectionGroups", "InvalidArgument", why="out of range", MaxItems=0)
    api.refused("ListConnectionGroups", "EntityNotFound", why="other", AssociationFilter={"AnycastIpListId": "aip_none"})
    for operation, more in (("UpdateConnectionGroup", {"Enabled": True}), ("DeleteConnectionGroup", {})):
        api.refused(operation, "EntityNotFound", why="wrong id", Id=none, IfMatch="E1", **more)
        api.refused(operation, "PreconditionFailed", why="stale etag", Id=made["Id"], IfMatch="E1", **more)
        api.refused(operation, "InvalidIfMatchVersion", why="no etag", Id=made["Id"], IfMatch="", **more)
    api.refused("UpdateConnectionGroup", "EntityNotFound", why="other", Id=made["Id"], AnycastIpListId="aip_none",
                IfMatch=api.call("GetConnectionGroup", Identifier=made["Id"])["ETag"])
