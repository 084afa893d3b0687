"""Certificates from an ACME authority that really looks: pebble, with validation switched on."""

import contextlib
import json
import socket
import ssl
import subprocess
import uuid

import pytest

from acme import Pebble
from nearfront import BINARY, Fleet, Up, distribution, fetch, free_port, http_origin, merged, tool, until

ISSUES_WITHIN = 120


@contextlib.contextmanager
def installation(authority, settings=None, **acme):
    """A Nearfront and the authority that it asks."""
    with Up(merged(authority.settings(**acme), settings or {})) as near:
        authority.near = near
        with authority:
            yield near


@pytest.fixture(scope="module")
def world():
    """One of each, shared."""
    authority = Pebble()
    with installation(authority) as near:
        yield near, authority


def name(domain="acme.test"):
    return f"n{uuid.uuid4().hex[:8]}.{domain}"


def requested(near, domain, method=None, **more):
    how = {"ValidationMethod": method} if method else {}
    return near.client("acm").request_certificate(DomainName=domain, KeyAlgorithm="EC_prime256v1", **how, **more)["CertificateArn"]


def described(near, arn):
    return near.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]


def issued(near, arn):
    """Waits with the waiter of the SDK."""
    waiter = near.client("acm").get_waiter("certificate_validated")
    waiter.wait(CertificateArn=arn, WaiterConfig={"Delay": 1, "MaxAttempts": ISSUES_WITHIN})
    certificate = described(near, arn)
    assert certificate["Status"] == "ISSUED", certificate
    return certificate


def served(near, domain, arn, policy="allow-all"):
    """A distribution for the name, with the certificate."""
    config = distribution(str(uuid.uuid4()), [http_origin("web", free_port())], Aliases={"Quantity": 1, "Items": [domain]},
                          DefaultCacheBehavior={"ViewerProtocolPolicy": policy},
                          ViewerCertificate={"ACMCertificateArn": arn, "SSLSupportMethod": "sni-only", "MinimumProtocolVersion": "TLSv1.2_2021"})
    made = near.client().create_distribution(DistributionConfig=config)["Distribution"]
    near.client().get_waiter("distribution_deployed").wait(Id=made["Id"], WaiterConfig={"Delay": 1, "MaxAttempts": 60})


def serial(edge, domain, root):
    """The serial number of the certificate that a client which trusts the authority is shown."""
    context = ssl.create_default_context(cafile=str(root))
    with socket.create_connection(("127.0.0.1", edge.port("edge_https")), 10) as connection:
        with context.wrap_socket(connection, server_hostname=domain) as secure:
            return int(secure.getpeercert()["serialNumber"], 16)


def plain(text):
    return int(text.replace(":", ""), 16)


def test_over_http_and_served_to_who_trusts_the_authority(world):
    near, authority = world
    domain = name()
    arn = requested(near, domain, "HTTP")
    certificate = issued(near, arn)
    assert authority.saw(rf"Attempting to validate w/ HTTP: http://{domain}:")
    assert certificate["Type"] == "AMAZON_ISSUED" and certificate["RenewalEligibility"] == "ELIGIBLE"
    assert certificate["DomainValidationOptions"][0]["ValidationMethod"] == "HTTP"
    assert certificate["IssuedAt"] >= certificate["CreatedAt"] and certificate["KeyAlgorithm"] == "EC_prime256v1"
    served(near, domain, arn)
    assert serial(near, domain, authority.root) == plain(certificate["Serial"])
    # What the authority asked is not answered any more, and nobody learns anything from asking.
    assert fetch(near.port("edge_http"), domain, "/.well-known/acme-challenge/x").status >= 400


def test_by_dns_with_a_wildcard_and_by_way_of_our_own_zone(world):
    near, authority = world
    domain = name()
    arn = requested(near, f"*.{domain}", SubjectAlternativeNames=[domain])
    certificate = issued(near, arn)
    assert sorted(certificate["SubjectAlternativeNames"]) == [f"*.{domain}", domain]
    options = certificate["DomainValidationOptions"]
    assert {one["ValidationMethod"] for one in options} == {"DNS"}
    record = options[0]["ResourceRecord"]
    assert record == options[1]["ResourceRecord"] and record["Type"] == "CNAME"
    assert record["Name"] == f"_acme-challenge.{domain}." and record["Value"].endswith("._acme-challenge.nearfront.localhost.")
    served(near, f"*.{domain}", arn)
    assert serial(near, f"any.{domain}", authority.root) == plain(certificate["Serial"])


def test_the_text_of_a_proof_stands_where_a_cname_leads(tmp_path):
    """An authority that never looks: the proof stays where it is, for dig."""
    authority = Pebble(env={"PEBBLE_VA_NOSLEEP": "", "PEBBLE_VA_SLEEPTIME": "3600"})
    with installation(authority) as near:
        domain = name()
        arn = requested(near, domain, "DNS")
        record = described(near, arn)["DomainValidationOptions"][0]["ResourceRecord"]

        def asked(what):
            ran = subprocess.run([tool("dig"), "+short", "@127.0.0.1", "-p", str(near.port("dns")), what, "TXT"], capture_output=True, text=True)
            return ran.stdout.strip()

        text = until(lambda: asked(record["Value"]), 60, "the text in our zone")
        assert text == asked(record["Name"]) and len(text.strip('"')) == 43
        near.client("acm").delete_certificate(CertificateArn=arn)
        until(lambda: not asked(record["Value"]), 10, "the end of the text")


def test_in_the_handshake(tmp_path):
    authority = Pebble()
    with installation(authority, challenges=["tls-alpn-01"]) as near:
        domain = name()
        arn = requested(near, domain)
        certificate = issued(near, arn)
        assert not authority.saw("validate w/ HTTP")
        served(near, domain, arn)
        assert serial(near, domain, authority.root) == plain(certificate["Serial"])
        refused = subprocess.run([tool("openssl"), "s_client", "-connect", near.run["edge_https"], "-servername", domain, "-alpn", "acme-tls/1"],
                                 stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert "no application protocol" in refused.stderr, refused


def test_renewed_before_it_ends_and_on_demand_without_a_pause():
    authority = Pebble(lifetime=60)
    with installation(authority) as near:
        domain = name()
        arn = requested(near, domain, "HTTP")
        first = plain(issued(near, arn)["Serial"])
        served(near, domain, arn, "redirect-to-https")  # the authority is answered all the same
        shown = serial(near, domain, authority.root)
        # By itself, when a third of its life is left.
        second = until(lambda: (now := plain(described(near, arn)["Serial"])) not in (first, shown) and now, 100, "a renewal")
        until(lambda: serial(near, domain, authority.root) == second, 20, "the new certificate at the edge")
        summary = described(near, arn)["RenewalSummary"]
        assert summary["RenewalStatus"] in ("SUCCESS", "PENDING_AUTO_RENEWAL")
        # At once, when it is asked for.
        acm = near.client("acm")
        until(lambda: not refusal(acm, "renew_certificate", CertificateArn=arn), 20, "RenewCertificate")
        third = until(lambda: (now := plain(described(near, arn)["Serial"])) != second and now, 60, "the renewal that was asked for")
        until(lambda: serial(near, domain, authority.root) not in (first, second), 20, "the third certificate at the edge")
        assert third != first and described(near, arn)["Status"] == "ISSUED"


def refusal(client, operation, **params):
    try:
        getattr(client, operation)(**params)
    except client.exceptions.ClientError as error:
        return error.response["Error"]["Code"]
    return None


@pytest.mark.parametrize("cause", ["unreachable", "blocked"])
def test_what_the_authority_refuses_is_reported_with_its_reason(cause):
    authority = Pebble(http_port=free_port()) if cause == "unreachable" else Pebble(blocked=["blocked.test"])
    with installation(authority, challenges=["http-01"], attempts=1) as near:
        domain = name("blocked.test")
        arn = requested(near, domain, "HTTP")
        failed = until(lambda: (now := described(near, arn))["Status"] == "FAILED" and now, ISSUES_WITHIN, "the failure")
        assert failed["FailureReason"] == {"unreachable": "DOMAIN_VALIDATION_DENIED", "blocked": "DOMAIN_NOT_ALLOWED"}[cause]
        assert {one["ValidationStatus"] for one in failed["DomainValidationOptions"]} == {"FAILED"}
        assert "Serial" not in failed and failed["InUseBy"] == []
        assert refusal(near.client("acm"), "get_certificate", CertificateArn=arn) == "RequestInProgressException"
        near.client("acm").delete_certificate(CertificateArn=arn)


def test_a_control_that_is_killed_goes_on_with_the_same_order():
    ports = {"edge": {"http": f"127.0.0.1:{free_port()}", "https": f"127.0.0.1:{free_port()}"}, "dns": {"listen": f"127.0.0.1:{free_port()}"}}
    authority = Pebble(env={"PEBBLE_VA_NOSLEEP": "", "PEBBLE_VA_SLEEPTIME": "8", "PEBBLE_WFE_NONCEREJECT": "0"})
    orders = r"POST /order-plz"
    with installation(authority, ports) as near:
        arn = requested(near, name(), "HTTP")
        until(lambda: authority.saw(orders), 60, "the order")
        until(lambda: authority.saw("POST /authZ"), 60, "the authority to be asked what to prove")
        near.kill()
        near.restart()
        issued(near, arn)
        assert authority.saw(orders) <= 2  # the second only if the first was not written down yet
        assert described(near, arn)["Status"] == "ISSUED"


def test_an_account_that_is_bound_to_another_one():
    authority = Pebble(bound="zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W")
    with installation(authority) as near:
        issued(near, requested(near, name(), "HTTP"))


def test_a_fleet_on_redis_answers_from_every_edge_and_keeps_no_secret_in_clear():
    authority = Pebble()
    with Fleet(edges=2, settings=authority.settings()) as fleet:
        authority.near = Mixed(fleet)
        with authority:
            domain = name()
            arn = requested(fleet.control, domain, "DNS")
            certificate = issued(fleet.control, arn)
            served(fleet.control, domain, arn)
            for edge in fleet.edges:
                assert serial(edge, domain, authority.root) == plain(certificate["Serial"])
            held = b"".join(path.read_bytes() for path in fleet.redis.folder.rglob("*") if path.is_file())
            assert b"sealed:1:" in held and b"PRIVATE KEY" not in held and b'"key_pkcs8"' not in held


class Mixed:
    """The ports of a fleet as those of one process."""

    def __init__(self, fleet):
        self.fleet, self.run = fleet, {"dns": fleet.dns.run["dns"]}

    def port(self, what):
        return self.fleet.edges[0].port(what)


def test_without_an_authority_requests_are_refused_by_the_name_of_the_setting(up):
    acm = up.client("acm")
    with pytest.raises(acm.exceptions.InvalidParameterException, match="acme.directory"):
        acm.request_certificate(DomainName="www.example.com", ValidationMethod="DNS")


def test_settings_of_an_authority_are_checked(tmp_path):
    file = tmp_path / "nearfront.toml"
    file.write_text('[acme]\ndirectory = "http://x/dir"\nchallenges = ["mail"]\neab_key_id = "a"\n')
    ran = subprocess.run([str(BINARY), "check", "--json", str(file)], capture_output=True, text=True)
    assert {fault["path"] for fault in json.loads(ran.stdout)["faults"]} >= {"acme.directory", "acme.challenges"}
