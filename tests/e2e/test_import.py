"""`nearfront import`: one Nearfront's distributions recreated in another one, and served by its edge."""

import json
import os
import subprocess

import pytest

from nearfront import BINARY, Origin, Up, distribution, http_origin, until

NOWHERE = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}


@pytest.fixture(scope="module")
def both():
    with Up(name="there") as there, Up(name="here") as here:
        yield there, here


@pytest.fixture(scope="module")
def origin():
    with Origin({"/hello": b"hello"}) as origin:
        yield origin


def importing(there, here, *args, status=0, env=None):
    """Runs the import with the credentials that the other one wrote; its report."""
    aws = there.data / "aws"
    env = env or {**os.environ, "AWS_CONFIG_FILE": str(aws / "config"), "AWS_SHARED_CREDENTIALS_FILE": str(aws / "credentials"),
                  "AWS_PROFILE": "nearfront"}
    ran = subprocess.run([str(BINARY), "import", "--from", f"http://{there.run['control']}", "--data", str(here.data), "--json",
                          *map(str, args)], capture_output=True, text=True, env=env)
    assert ran.returncode == status, f"{ran.returncode}: {ran.stdout} {ran.stderr}"
    return json.loads(ran.stdout) if ran.stdout else ran.stderr


def steps(report):
    return [(step["Kind"], step["Action"]) for step in report["Steps"]]


def policies(client, mark):
    """A policy of each kind, and an origin access control."""
    cache = client.create_cache_policy(CachePolicyConfig={
        "Name": f"cache-{mark}", "MinTTL": 0, "DefaultTTL": 60, "MaxTTL": 600,
        "ParametersInCacheKeyAndForwardedToOrigin": {
            "EnableAcceptEncodingGzip": True, "HeadersConfig": {"HeaderBehavior": "none"},
            "CookiesConfig": {"CookieBehavior": "none"},
            "QueryStringsConfig": {"QueryStringBehavior": "whitelist", "QueryStrings": {"Quantity": 1, "Items": ["q"]}}}})
    request = client.create_origin_request_policy(OriginRequestPolicyConfig={
        "Name": f"request-{mark}", "HeadersConfig": {"HeaderBehavior": "none"}, "CookiesConfig": {"CookieBehavior": "none"},
        "QueryStringsConfig": {"QueryStringBehavior": "all"}})
    response = client.create_response_headers_policy(ResponseHeadersPolicyConfig={
        "Name": f"response-{mark}", "CustomHeadersConfig": {"Quantity": 1, "Items": [
            {"Header": "X-Imported", "Value": mark, "Override": True}]}})
    control = client.create_origin_access_control(OriginAccessControlConfig={
        "Name": f"control-{mark}", "SigningProtocol": "sigv4", "SigningBehavior": "never",
        "OriginAccessControlOriginType": "s3"})
    return (cache["CachePolicy"]["Id"], request["OriginRequestPolicy"]["Id"], response["ResponseHeadersPolicy"]["Id"],
            control["OriginAccessControl"]["Id"])


def whole(client, origin, mark):
    """A distribution that refers to everything."""
    cache, request, response, control = policies(client, mark)
    config = distribution(mark, [http_origin("web", origin.port)])
    bucket = {"Id": "bucket", "DomainName": "pictures.s3.amazonaws.com", "OriginAccessControlId": control,
              "S3OriginConfig": {"OriginAccessIdentity": ""}}
    config["Origins"]["Items"].append(bucket)
    config["Origins"]["Quantity"] = 2
    config["DefaultCacheBehavior"] |= {"CachePolicyId": cache, "OriginRequestPolicyId": request,
                                       "ResponseHeadersPolicyId": response}
    config["Comment"] = f"imported <&> {mark}"
    tags = {"Items": [{"Key": "team", "Value": "web"}]}
    made = client.create_distribution_with_tags(DistributionConfigWithTags={"DistributionConfig": config, "Tags": tags})
    return made["Distribution"]


def test_a_distribution_and_all_it_refers_to_come_over_once(both, origin):
    there, here = both
    client, target = there.client(), here.client()
    one = whole(client, origin, "whole")

    planned = importing(there, here, "--distribution", one["Id"], "--plan")
    kinds = ["origin-access-control", "cache-policy", "origin-request-policy", "response-headers-policy", "distribution"]
    assert steps(planned) == [(kind, "WouldCreate") for kind in kinds]
    assert target.list_distributions()["DistributionList"]["Quantity"] == 0

    done = importing(there, here, "--distribution", one["Id"])
    assert steps(done) == [(kind, "Created") for kind in kinds] and done["Ok"]
    other = target.get_distribution(Id=done["Steps"][-1]["To"])["Distribution"]
    assert target.list_tags_for_resource(Resource=other["ARN"])["Tags"]["Items"] == [{"Key": "team", "Value": "web"}]
    mapped = json.dumps(one["DistributionConfig"])
    for step in done["Steps"]:
        mapped = mapped.replace(step["From"], step["To"])
    assert json.loads(mapped) == other["DistributionConfig"]

    until(lambda: target.get_distribution(Id=other["Id"])["Distribution"]["Status"] == "Deployed", what="deployed")
    answer = here.get(other["DomainName"], "/hello")
    assert (answer.status, answer.body, answer.headers["X-Imported"]) == (200, b"hello", "whole")

    again = importing(there, here, "--distribution", one["Id"])
    assert steps(again) == [(kind, "Unchanged") for kind in kinds] and again["Ok"]
    assert target.get_distribution(Id=other["Id"])["Distribution"]["LastModifiedTime"] == other["LastModifiedTime"]


def test_what_stands_here_otherwise_is_left_alone_unless_told(both, origin):
    there, here = both
    client, target = there.client(), here.client()
    one = whole(client, origin, "changed")
    done = importing(there, here, "--distribution", one["Id"])
    here_id = done["Steps"][-1]["To"]
    kept = client.get_distribution_config(Id=one["Id"])
    kept["DistributionConfig"]["Comment"] = "new"
    client.update_distribution(Id=one["Id"], IfMatch=kept["ETag"], DistributionConfig=kept["DistributionConfig"])
    left = importing(there, here, "--distribution", one["Id"], status=1)
    step = left["Steps"][-1]
    assert step["Action"] == "Differs" and not left["Ok"]
    assert {"Path": "Comment", "Reason": '"imported <&> changed" -> "new"'} in step["Notes"]
    comment = lambda: target.get_distribution_config(Id=here_id)["DistributionConfig"]["Comment"]
    assert comment() == "imported <&> changed"
    assert importing(there, here, "--distribution", one["Id"], "--update", "--plan")["Steps"][-1]["Action"] == "WouldUpdate"
    assert comment() == "imported <&> changed"
    assert importing(there, here, "--distribution", one["Id"], "--update")["Steps"][-1]["Action"] == "Updated"
    assert comment() == "new"


def test_names_need_a_certificate_of_ours(both, origin, tmp_path):
    there, here = both
    key, pem = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "5",
                    "-subj", "/CN=www.import.example", "-addext", "subjectAltName=DNS:www.import.example",
                    "-keyout", key, "-out", pem], check=True, capture_output=True)
    arns = [near.client("acm").import_certificate(Certificate=pem.read_bytes(), PrivateKey=key.read_bytes())["CertificateArn"]
            for near in both]
    config = distribution("named", [http_origin("web", origin.port)])
    config["Aliases"] = {"Quantity": 1, "Items": ["www.import.example"]}
    config["ViewerCertificate"] = {"ACMCertificateArn": arns[0], "SSLSupportMethod": "sni-only",
                                   "MinimumProtocolVersion": "TLSv1.2_2021"}
    one = there.client().create_distribution(DistributionConfig=config)["Distribution"]["Id"]
    without = importing(there, here, "--distribution", one, "--plan")["Steps"][-1]
    assert {note["Path"] for note in without["Notes"]} == {"ViewerCertificate", "Aliases"}
    done = importing(there, here, "--distribution", one, "--certificate", f"{arns[0]}={arns[1]}")
    other = here.client().get_distribution_config(Id=done["Steps"][-1]["To"])["DistributionConfig"]
    assert other["Aliases"]["Items"] == ["www.import.example"]
    assert other["ViewerCertificate"]["ACMCertificateArn"] == arns[1]


def test_all_distributions_are_read_where_none_is_named(both, origin):
    there, here = both
    known = there.client().list_distributions()["DistributionList"]
    planned = importing(there, here, "--plan", "--update")
    assert len([step for step in planned["Steps"] if step["Kind"] == "distribution"]) == known["Quantity"]
    people = subprocess.run([str(BINARY), "import", "--help"], capture_output=True, text=True)
    assert people.returncode == 0 and "--plan" in people.stdout


def test_without_credentials_or_a_server_it_fails_with_a_reason(both):
    there, here = both
    bare = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")} | NOWHERE
    assert "no AWS credentials" in importing(there, here, status=1, env=bare)
    keys = {"AWS_ACCESS_KEY_ID": "A" * 20, "AWS_SECRET_ACCESS_KEY": "x"}
    assert "InvalidClientTokenId" in importing(there, here, status=1, env=bare | keys)
    ran = subprocess.run([str(BINARY), "import", "--from", "nowhere", "--data", str(here.data)], capture_output=True, text=True)
    assert ran.returncode == 1 and "not a URL" in ran.stderr
