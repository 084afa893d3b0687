"""The harness's own parts do what they say, so that the suites on top can trust them."""

import pytest

from nearfront import S3, distribution, fetch, http_origin, until


def test_the_s3_server_verifies_signatures(s3):
    import boto3
    from botocore.config import Config
    from botocore.exceptions import ClientError
    s3.bucket("harness", {"a.txt": (b"a", "text/plain")})
    assert s3.client().get_object(Bucket="harness", Key="a.txt")["Body"].read() == b"a"
    assert fetch(s3.port, "localhost", "/harness/a.txt").status == 403
    wrong = boto3.client("s3", endpoint_url=s3.endpoint, region_name="us-east-1", aws_access_key_id=S3.key,
                         aws_secret_access_key="wrong", config=Config(s3={"addressing_style": "path"}))
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        wrong.get_object(Bucket="harness", Key="a.txt")


def test_a_fleet_serves_what_control_is_told(fleet, origin):
    origin.pages["/a"] = b"a"
    client = fleet.control.client()
    made = client.create_distribution(DistributionConfig=distribution("fleet", [http_origin("web", origin.port)]))
    domain = made["Distribution"]["DomainName"]
    for edge in fleet.edges:
        assert until(lambda: (answer := edge.get(domain, "/a")).status == 200 and answer).body == b"a"
        assert edge.get(domain, "/a").cache == "Hit"
    assert origin.count("/a") == len(fleet.edges)


def test_a_fleet_s_services_say_that_they_are_ready(fleet):
    for part in [fleet.control, *fleet.edges, fleet.dns]:
        assert part.readyz()[0] == 200
        assert set(part.run) >= {"pid", "admin"}
