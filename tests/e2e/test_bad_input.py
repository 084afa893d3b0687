"""Bad input of every kind: each piece gets its documented answer, nothing restarts, nothing is lost."""

import contextlib
import http.client
import re
import socket
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest

from corpus import api_bodies, dns_packets, http_requests
from nearfront import Origin, Up, distribution, http_origin


@pytest.fixture(scope="module")
def near():
    with Origin({"/index.html": b"still here"}) as origin, Up() as near:
        config = distribution("bad-input", [http_origin("web", origin.port)], DefaultRootObject="index.html")
        made = near.client().create_distribution(DistributionConfig=config)["Distribution"]
        near.distribution, near.domain, near.arn = made["Id"], made["DomainName"], made["ARN"]
        near.client().get_waiter("distribution_deployed").wait(Id=made["Id"], WaiterConfig={"Delay": 1})
        pid = near.run["pid"]
        yield near
        assert near.process.running() and near.run["pid"] == pid
        assert near.get(near.domain).body == b"still here"
        assert near.client().get_distribution(Id=made["Id"])["Distribution"]["DomainName"] == made["DomainName"]


@pytest.mark.parametrize(("request_bytes", "statuses"), [pytest.param(data, right, id=name) for name, data, right in http_requests.CASES])
def test_http(near, request_bytes, statuses):
    with socket.create_connection(("127.0.0.1", near.port("edge_http")), 30) as connection:
        # Who is refused early may find the connection closed while still sending.
        with contextlib.suppress(OSError):
            connection.sendall(request_bytes.replace(b"HOST", near.domain.encode()))
            connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(65536)
    found = re.match(rb"HTTP/1\.[01] (\d{3}) ", answer)
    assert bool(found) == bool(statuses), answer[:300]
    assert not found or int(found[1]) in statuses, answer[:300]


@pytest.mark.parametrize(("packet", "code"), [pytest.param(data, right, id=name) for name, data, right in dns_packets.CASES])
def test_dns(near, packet, code):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.connect(("127.0.0.1", near.port("dns")))
        asking.settimeout(10)
        asking.send(packet)
        if code is None:
            # Nothing may come back: a good question sent after it is the next thing answered.
            asking.send(dns_packets.header(ident=0x7777) + dns_packets.question())
            assert asking.recv(4096)[:2] == b"\x77\x77"
            return
        answer = asking.recv(4096)
    assert answer[:2] == packet[:2]
    assert answered(answer) == code


def answered(packet):
    """The response code with the upper bits that EDNS adds (RFC 6891 §6.1.3)."""
    import dns.message
    return int(dns.message.from_wire(packet, ignore_trailing=True).rcode())


@pytest.mark.parametrize(("method", "path", "body", "status", "code"), [pytest.param(*case[1:], id=case[0]) for case in api_bodies.CASES])
def test_api(near, method, path, body, status, code):
    body = body.encode() if isinstance(body, str) else body
    path = path.replace("{distribution}", near.distribution).replace("{arn}", urllib.parse.quote(near.arn, safe=""))
    answer, text = signed(near, method, "/2020-05-31" + path, body)
    found = re.search(r"<Code>([^<]*)</Code>", text)
    assert (answer, found and found[1]) == (status, code), text[:500]


def signed(near, method, path, body):
    env = near.aws_env()
    url = f"http://127.0.0.1:{near.port('control')}{path}"
    request = botocore.awsrequest.AWSRequest(method, url, data=body, headers={"Content-Type": "application/xml"})
    key = botocore.credentials.Credentials(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"])
    botocore.auth.SigV4Auth(key, "cloudfront", "us-east-1").add_auth(request)
    connection = http.client.HTTPConnection("127.0.0.1", near.port("control"), timeout=30)
    try:
        connection.request(method, path, body=body, headers=dict(request.headers))
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()
