"""Names: who holds which, moving them, and whether the DNS leads there."""

import socketserver
import threading

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import nearfront as parts
import pytest
import sites
import surface

NONE = "dt_0123456789012345678901234567890"


@pytest.fixture(scope="module")
def origin():
    with sites.echo() as origin:
        yield origin


@pytest.fixture
def site(distribution, origin):
    """Makes distributions that answer with a path of their own; their ids."""
    def make(path, **changes):
        origins = {"Quantity": 1, "Items": [parts.http_origin("web", origin.port, OriginPath=path)]}
        return distribution(Origins=origins, **changes)["Distribution"]["Id"]

    return make


def served(near, name, path):
    parts.until(lambda: near.get(name, "/x").body.decode() == f"{path}/x -", what=f"{path} at {name}")


def held(api, distribution):
    return api.call("GetDistributionConfig", Id=distribution)["DistributionConfig"]["Aliases"].get("Items", [])


@pytest.mark.proves("AssociateAlias")
def test_an_alias_is_answered_by_the_distribution_it_was_moved_to(api, near, site, unique):
    name = f"{unique('www')}.{sites.ZONE}"
    one, two = site("/one", Aliases=sites.aliases(name)), site("/two")
    served(near, name, "/one")
    before = api.call("GetDistribution", Id=one)["ETag"]
    api.ok("AssociateAlias", TargetDistributionId=two, Alias=name.upper())
    served(near, name, "/two")
    assert (held(api, one), held(api, two)) == ([], [name])
    assert api.call("GetDistribution", Id=one)["ETag"] != before, "whoever read the name there must read again"
    api.ok("AssociateAlias", TargetDistributionId=two, Alias=name)
    free = f"{unique('www')}.{sites.ZONE}"
    api.ok("AssociateAlias", TargetDistributionId=two, Alias=free)
    assert held(api, two) == sorted([name, free])


def test_an_alias_goes_only_where_a_certificate_covers_it(api, client, site, unique):
    name = f"{unique('www')}.example"
    arn = sites.imported(client("acm"), name)
    of_its_own = {"ACMCertificateArn": arn, "SSLSupportMethod": "sni-only"}
    one, two = site("/one", Aliases=sites.aliases(name), ViewerCertificate=of_its_own), site("/two")
    api.refused("AssociateAlias", "InvalidArgument", why="other", says="cover", TargetDistributionId=two, Alias=name)
    sites.changed(api, two, ViewerCertificate=of_its_own)
    api.ok("AssociateAlias", TargetDistributionId=two, Alias=name)
    assert (held(api, one), held(api, two)) == ([], [name])


def test_a_name_that_is_taken_names_its_holder(api, site, unique):
    name = f"{unique('www')}.{sites.ZONE}"
    one, two = site("/one", Aliases=sites.aliases(name)), site("/two")
    config = api.call("GetDistributionConfig", Id=two)
    api.refused("UpdateDistribution", "CNAMEAlreadyExists", why="taken", says=one, Id=two, IfMatch=config["ETag"],
                DistributionConfig={**config["DistributionConfig"], "Aliases": sites.aliases(name)})


@pytest.mark.proves("UpdateDomainAssociation")
def test_a_domain_moves_between_distributions_and_tenants(api, near, site, distribution, tenant, origin, unique):
    name = f"{unique('www')}.{sites.ZONE}"
    standard = site("/one", Aliases=sites.aliases(name))
    served(near, name, "/one")
    of = distribution(**sites.template(origin.port))["Distribution"]["Id"]
    made = tenant(of)
    one, own = made["DistributionTenant"]["Id"], made["DistributionTenant"]["Domains"][0]["Domain"]
    moved = api.ok("UpdateDomainAssociation", Domain=name, TargetResource={"DistributionTenantId": one}, IfMatch=made["ETag"])
    kept = api.call("GetDistributionTenant", Identifier=one)
    assert (moved["Domain"], moved["ResourceId"], moved["ETag"]) == (name, one, kept["ETag"]) and kept["ETag"] != made["ETag"]
    assert [item["Domain"] for item in kept["DistributionTenant"]["Domains"]] == [own, name]
    parts.until(lambda: near.get(name, "/x").body == b"/hats/all/x of hats", what="the tenant answers")
    assert held(api, standard) == []
    api.refused("AssociateAlias", "IllegalUpdate", why="other", says="UpdateDomainAssociation", TargetDistributionId=standard, Alias=name)
    moved = api.ok("UpdateDomainAssociation", Domain=name, TargetResource={"DistributionId": standard})
    assert moved["ETag"] == api.call("GetDistribution", Id=standard)["ETag"]
    served(near, name, "/one")
    other = tenant(of)["DistributionTenant"]["Id"]
    api.refused("UpdateDomainAssociation", "IllegalUpdate", why="other", says="no other domain", Domain=own,
                TargetResource={"DistributionTenantId": other})
    two = [{"Domain": own}, {"Domain": f"{unique('two')}.{sites.ZONE}"}]
    api.call("UpdateDistributionTenant", Id=one, Domains=two, IfMatch=api.call("GetDistributionTenant", Identifier=one)["ETag"])
    api.ok("UpdateDomainAssociation", Domain=own, TargetResource={"DistributionTenantId": other})
    assert api.call("GetDistributionTenantByDomain", Domain=own)["DistributionTenant"]["Id"] == other
    api.refused("UpdateDomainAssociation", "IllegalUpdate", why="other", says="multi-tenant", Domain=own,
                TargetResource={"DistributionId": of})


@pytest.mark.proves("ListConflictingAliases", "ListDomainConflicts")
def test_lists_hold_every_name_that_overlaps(api, client, site, distribution, tenant, origin, unique):
    base = f"{unique('zone')}.example"
    arn = sites.imported(client("acm"), f"*.{base}", base)
    own = {"ACMCertificateArn": arn, "SSLSupportMethod": "sni-only"}
    one = site("/one", Aliases=sites.aliases(f"*.{base}", base), ViewerCertificate=own)
    two = site("/two", Aliases=sites.aliases(f"a.{base}", f"b.{base}"), ViewerCertificate=own)
    of = distribution(**sites.template(origin.port, ViewerCertificate=own))["Distribution"]["Id"]
    three = tenant(of, Domains=[{"Domain": f"c.{base}"}])["DistributionTenant"]["Id"]
    hidden = lambda text: "*" * (len(text) // 2) + text[len(text) // 2:]

    def conflicting(alias, **more):
        listed = api.ok("ListConflictingAliases", DistributionId=two, Alias=alias, **more)["ConflictingAliasesList"]
        return {item["Alias"]: item["DistributionId"] for item in listed.get("Items", [])}, listed.get("NextMarker")

    def conflicts(domain, **more):
        answer = api.ok("ListDomainConflicts", Domain=domain, DomainControlValidationResource={"DistributionId": two}, **more)
        return {item["Domain"]: (item["ResourceType"], item["ResourceId"]) for item in answer["DomainConflicts"]}, answer.get("NextMarker")

    assert conflicting(f"a.{base}")[0] == {f"*.{base}": hidden(one), f"a.{base}": hidden(two)}
    assert conflicting(base)[0] == {base: hidden(one)}
    assert conflicting(f"*.{base}")[0] == {f"*.{base}": hidden(one), f"a.{base}": hidden(two), f"b.{base}": hidden(two)}
    assert conflicts(f"c.{base}")[0] == {f"*.{base}": ("distribution", one), f"c.{base}": ("distribution-tenant", three)}
    for ask in (conflicting, conflicts):
        whole, marker, found = ask(f"*.{base}")[0], None, {}
        while True:
            page, marker = ask(f"*.{base}", MaxItems=1, **({"Marker": marker} if marker else {}))
            assert len(page) == 1
            found.update(page)
            if not marker:
                break
        assert found == whole


class Resolver:
    """A DNS server on loopback that answers with what `records` says: name -> [(type, value)], a code, or nothing at all."""

    def __init__(self):
        self.records, resolver = {}, self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                data, socket = self.request
                question = dns.message.from_wire(data)
                name, kind = question.question[0].name, question.question[0].rdtype
                found = resolver.records.get(name.to_text(omit_final_dot=True).lower(), "NXDOMAIN")
                if found is None:
                    return
                answer = dns.message.make_response(question)
                answer.flags |= dns.flags.RA
                if isinstance(found, str):
                    answer.set_rcode(dns.rcode.from_text(found))
                else:
                    for type, value in found:
                        if type == "CNAME" or dns.rdatatype.from_text(type) == kind:
                            answer.answer.append(dns.rrset.from_text(name, 60, "IN", type, value))
                            name = dns.name.from_text(value) if type == "CNAME" else name
                socket.sendto(answer.to_wire(), self.client_address)

        self.server = socketserver.ThreadingUDPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def asking():
    """Starts an installation whose control asks this resolver; its client and a tenant of five domains."""
    import contextlib
    with contextlib.ExitStack() as stack:
        def start(settings):
            near = stack.enter_context(parts.Up(settings={"zone": "near.test", **settings}))
            api = surface.Api(**surface.credentials(near))
            config = surface.config_of("one", **sites.template())
            of = api.call("CreateDistribution", DistributionConfig=config)["Distribution"]["Id"]
            made = api.call("CreateDistributionTenant", Name="shop", DistributionId=of,
                            Domains=[{"Domain": name} for name in ("one.near.test", "two.near.test", "a.deep.near.test")],
                            Parameters=[{"Name": "shop", "Value": "hats"}])["DistributionTenant"]
            group = api.call("GetConnectionGroup", Identifier=made["ConnectionGroupId"])["ConnectionGroup"]
            return near, api, made, group["RoutingEndpoint"]

        yield start


def verified(api, **asked):
    answer = api.ok("VerifyDnsConfiguration", **asked)["DnsConfigurationList"]
    assert all(item["Reason"] for item in answer)
    return {item["Domain"]: item["Status"].removesuffix("-configuration") for item in answer}


@pytest.mark.proves("VerifyDnsConfiguration")
def test_the_dns_is_asked_where_names_lead(asking):
    resolver = Resolver()
    try:
        _, api, made, endpoint = asking({"control": {"resolver": resolver.address}})
        resolver.records = {
            endpoint: [("A", "192.0.2.1")],
            "one.near.test": [("CNAME", endpoint + "."), ("A", "192.0.2.1")],
            "two.near.test": [("CNAME", "other.example."), ("A", "192.0.2.9")],
        }
        status = {"one.near.test": "valid", "two.near.test": "invalid", "a.deep.near.test": "invalid"}
        for name in (made["Id"], made["Name"], made["Arn"]):
            assert verified(api, Identifier=name) == status
        resolver.records["two.near.test"] = [("A", "192.0.2.1")]
        resolver.records["a.deep.near.test"] = "SERVFAIL"
        assert verified(api, Identifier="shop") == {**status, "two.near.test": "valid", "a.deep.near.test": "unknown"}
        resolver.records["one.near.test"] = None
        assert verified(api, Identifier="shop", Domain="One.near.test") == {"one.near.test": "unknown"}
        api.refused("VerifyDnsConfiguration", "EntityNotFound", why="other", Identifier="shop", Domain="x.near.test")
        api.refused("VerifyDnsConfiguration", "InvalidArgument", why="out of range", Identifier="shop", Domain="no name")
    finally:
        resolver.stop()
    assert set(verified(api, Identifier="shop").values()) == {"unknown"}, "nobody answers"


def test_our_own_dns_leads_to_the_endpoint(asking):
    port = parts.free_port()
    listen = f"127.0.0.1:{port}"
    near, api, made, endpoint = asking({"dns": {"listen": listen}, "control": {"resolver": listen}})
    parts.until(lambda: sites.asked(near, endpoint)[0] == "NOERROR" and sites.asked(near, "one.near.test")[0] == "NOERROR",
                what="the DNS knows of them")
    assert {item["Domain"]: item["Status"] for item in made["Domains"]} == {
        "one.near.test": "active", "two.near.test": "active", "a.deep.near.test": "inactive"}
    assert verified(api, Identifier="shop") == {
        "one.near.test": "valid", "two.near.test": "valid", "a.deep.near.test": "invalid"}
    hidden = f"{made['Id'].lower()}.near.test"
    assert sites.asked(near, hidden)[0] == "NXDOMAIN", "a tenant has no name but its own"


def test_wrong_calls_are_refused(api, site, unique):
    one = site("/one")
    name = f"{unique('www')}.{sites.ZONE}"
    api.refused("AssociateAlias", "NoSuchDistribution", why="wrong id", TargetDistributionId="ENONE", Alias=name)
    api.refused("AssociateAlias", "InvalidArgument", why="missing field", TargetDistributionId=one, Alias="")
    api.refused("AssociateAlias", "InvalidArgument", why="out of range", TargetDistributionId=one, Alias="no name")
    asked = lambda **more: {"DistributionId": one, "Alias": name, **more}
    api.refused("ListConflictingAliases", "NoSuchDistribution", why="wrong id", **asked(DistributionId="ENONE"))
    api.refused("ListConflictingAliases", "InvalidArgument", why="missing field", **asked(Alias=""))
    api.refused("ListConflictingAliases", "InvalidArgument", why="out of range", **asked(MaxItems=101))
    api.refused("ListConflictingAliases", "InvalidArgument", why="other", says="cover", **asked(Alias="www.example.com"))
    there = {"DistributionId": one}
    conflicts, move = "ListDomainConflicts", "UpdateDomainAssociation"
    for operation, key in ((conflicts, "DomainControlValidationResource"), (move, "TargetResource")):
        api.refused(operation, "EntityNotFound", why="wrong id", Domain=name, **{key: {"DistributionId": "ENONE"}})
        api.refused(operation, "EntityNotFound", why="wrong id", Domain=name, **{key: {"DistributionTenantId": NONE}})
        api.refused(operation, "InvalidArgument", why="other", Domain=name, **{key: {}})
        api.refused(operation, "InvalidArgument", why="out of range", Domain="no name", **{key: there})
        api.refused(operation, "InvalidArgument", why="other", says="cover", Domain="www.example.com", **{key: there})
        api.refused(operation, "MalformedXML", why="missing field", **{key: there})
    api.refused(conflicts, "InvalidArgument", why="out of range", Domain=name, DomainControlValidationResource=there, MaxItems=0)
    api.refused(move, "PreconditionFailed", why="stale etag", Domain=name, TargetResource=there, IfMatch="E1")
    api.refused(move, "InvalidIfMatchVersion", why="no etag", Domain=name, TargetResource=there, IfMatch="no tag")
    api.refused("VerifyDnsConfiguration", "EntityNotFound", why="wrong id", Identifier=NONE)
    api.refused("VerifyDnsConfiguration", "MalformedXML", why="missing field", Domain=name)
