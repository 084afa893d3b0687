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


def certificates(both, folder, name):
    """A certificate for this name, imported on both sides; its ARNs."""
    key, pem = folder / "key.pem", folder / "cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "5",
                    "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout", key, "-out", pem],
                   check=True, capture_output=True)
    pair = {"Certificate": pem.read_bytes(), "PrivateKey": key.read_bytes()}
    return [near.client("acm").import_certificate(**pair)["CertificateArn"] for near in both]


def named(config, name, certificate):
    """The configuration with an alternate domain name."""
    return {**config, "Aliases": {"Quantity": 1, "Items": [name]},
            "ViewerCertificate": {"ACMCertificateArn": certificate, "SSLSupportMethod": "sni-only",
                                  "MinimumProtocolVersion": "TLSv1.2_2021"}}


def test_names_need_a_certificate_of_ours(both, origin, tmp_path):
    there, here = both
    arns = certificates(both, tmp_path, "www.import.example")
    config = named(distribution("named", [http_origin("web", origin.port)]), "www.import.example", arns[0])
    one = there.client().create_distribution(DistributionConfig=config)["Distribution"]["Id"]
    without = importing(there, here, "--distribution", one, "--plan")["Steps"][-1]
    assert {note["Path"] for note in without["Notes"]} == {"ViewerCertificate", "Aliases"}
    done = importing(there, here, "--distribution", one, "--certificate", f"{arns[0]}={arns[1]}")
    other = here.client().get_distribution_config(Id=done["Steps"][-1]["To"])["DistributionConfig"]
    assert other["Aliases"]["Items"] == ["www.import.example"]
    assert other["ViewerCertificate"]["ACMCertificateArn"] == arns[1]


def test_a_second_run_changes_nothing_whatever_the_certificate_became(both, origin, tmp_path):
    there, here = both
    arns = certificates(both, tmp_path, "again.import.example")
    for reference, args in (("without", []), ("with", ["--certificate", f"{arns[0]}={arns[1]}"])):
        config = distribution(f"again-{reference}", [http_origin("web", origin.port)])
        config = named(config, "again.import.example", arns[0])
        one = there.client().create_distribution(DistributionConfig=config)["Distribution"]
        for action in "Created", "Unchanged":
            assert importing(there, here, "--distribution", one["Id"], *args)["Steps"][-1]["Action"] == action
        kept = there.client().get_distribution_config(Id=one["Id"])
        config = {**kept["DistributionConfig"], "Aliases": {"Quantity": 0}}
        there.client().update_distribution(Id=one["Id"], IfMatch=kept["ETag"], DistributionConfig=config)


def test_all_distributions_are_read_where_none_is_named(both, origin):
    there, here = both
    known = there.client().list_distributions()["DistributionList"]
    planned = importing(there, here, "--plan", "--update")
    assert len([step for step in planned["Steps"] if step["Kind"] == "distribution"]) == known["Quantity"]
    people = subprocess.run([str(BINARY), "import", "--help"], capture_output=True, text=True)
    assert people.returncode == 0 and "--plan" in people.stdout


@pytest.mark.parametrize("parts", ["managed", "own"])
def test_a_plan_tells_of_a_name_that_somebody_has_here_already(both, origin, tmp_path, parts):
    there, here = both
    client, target = there.client(), here.client()
    name = f"{parts}.taken.example"
    arns = certificates(both, tmp_path, name)
    config = distribution(f"taken-{parts}", [http_origin("web", origin.port)])
    if parts == "own":
        config["DefaultCacheBehavior"]["CachePolicyId"] = policies(client, f"taken-{parts}")[0]
    one = client.create_distribution(DistributionConfig=named(config, name, arns[0]))["Distribution"]["Id"]
    holder = named(distribution(f"holder-{parts}", [http_origin("web", origin.port)]), name, arns[1])
    target.create_distribution(DistributionConfig=holder)
    args = ["--distribution", one, "--certificate", f"{arns[0]}={arns[1]}"]

    planned = importing(there, here, *args, "--plan", status=1)
    done = importing(there, here, *args, status=1)
    for report, created in (planned, "WouldCreate"), (done, "Created"):
        new = [("cache-policy", created)] if parts == "own" else []
        assert steps(report) == [*new, ("distribution", "Refused")] and not report["Ok"]
        assert "CNAMEAlreadyExists" in report["Steps"][-1]["Notes"][-1]["Reason"]


def test_a_plan_tells_of_a_certificate_that_is_not_here(both, origin, tmp_path):
    there, here = both
    arns = certificates(both, tmp_path, "missing.import.example")
    config = named(distribution("missing", [http_origin("web", origin.port)]), "missing.import.example", arns[0])
    one = there.client().create_distribution(DistributionConfig=config)["Distribution"]["Id"]
    args = ["--distribution", one, "--certificate", f"{arns[0]}={arns[0]}"]
    for plan in ["--plan"], []:
        step = importing(there, here, *args, *plan, status=1)["Steps"][-1]
        assert step["Action"] == "Refused" and "InvalidViewerCertificate" in step["Notes"][-1]["Reason"]


def test_a_plan_tells_of_a_policy_that_would_be_refused_here(both, origin):
    there, _ = both
    cache = policies(there.client(), "too-many")[0]
    config = distribution("too-many", [http_origin("web", origin.port)])
    config["DefaultCacheBehavior"]["CachePolicyId"] = cache
    one = there.client().create_distribution(DistributionConfig=config)["Distribution"]["Id"]
    with Up({"quotas": {"cache_policies": 0}}, name="small") as small:
        for plan in ["--plan"], []:
            report = importing(there, small, "--distribution", one, *plan, status=1)
            assert steps(report) == [("cache-policy", "Refused"), ("distribution", "Refused")]
            assert "TooManyCachePolicies" in report["Steps"][0]["Notes"][0]["Reason"]


def test_a_plan_writes_nothing_and_says_what_an_update_would_refuse(both, origin, tmp_path):
    there, here = both
    client, target = there.client(), here.client()
    arns = certificates(both, tmp_path, "late.taken.example")
    config = distribution("late", [http_origin("web", origin.port)])
    one = client.create_distribution(DistributionConfig=config)["Distribution"]["Id"]
    made = importing(there, here, "--distribution", one)["Steps"][-1]["To"]
    tag = target.get_distribution(Id=made)["ETag"]
    holder = named(distribution("late-holder", [http_origin("web", origin.port)]), "late.taken.example", arns[1])
    target.create_distribution(DistributionConfig=holder)
    kept = client.get_distribution_config(Id=one)
    client.update_distribution(Id=one, IfMatch=kept["ETag"],
                               DistributionConfig=named(kept["DistributionConfig"], "late.taken.example", arns[0]))
    for plan in ["--plan"], []:
        step = importing(there, here, "--distribution", one, "--update", "--certificate", f"{arns[0]}={arns[1]}", *plan,
                         status=1)["Steps"][-1]
        assert step["Action"] == "Refused" and "CNAMEAlreadyExists" in step["Notes"][-1]["Reason"]
    assert target.get_distribution(Id=made)["ETag"] == tag


def test_a_continuous_deployment_policy_is_left_off_and_the_rest_comes(both, origin):
    there, here = both

    def deployed(client, primary):
        """Attaches a policy to a distribution; its id."""
        kept = client.get_distribution(Id=primary)
        copy = client.copy_distribution(PrimaryDistributionId=primary, Staging=True, IfMatch=kept["ETag"],
                                        CallerReference=f"staging-{primary}")["Distribution"]
        policy = client.create_continuous_deployment_policy(ContinuousDeploymentPolicyConfig={
            "StagingDistributionDnsNames": {"Quantity": 1, "Items": [copy["DomainName"]]}, "Enabled": False,
            "TrafficConfig": {"Type": "SingleHeader", "SingleHeaderConfig": {"Header": "aws-cf-cd-try", "Value": "1"}}})
        policy = policy["ContinuousDeploymentPolicy"]["Id"]
        config = {**kept["Distribution"]["DistributionConfig"], "ContinuousDeploymentPolicyId": policy}
        client.update_distribution(Id=primary, IfMatch=kept["ETag"], DistributionConfig=config)
        return policy

    config = distribution("deployed", [http_origin("web", origin.port)])
    one = there.client().create_distribution(DistributionConfig=config)["Distribution"]["Id"]
    policy = deployed(there.client(), one)
    plan = ["--plan"]
    runs = (plan, "WouldCreate"), ([*plan, "--skip-unsupported"], "WouldCreate"), ([], "Created"), ([], "Unchanged")
    for args, action in runs:
        step = importing(there, here, "--distribution", one, *args)["Steps"][-1]
        assert step["Action"] == action
        [note] = step["Notes"]
        assert note["Path"] == "ContinuousDeploymentPolicyId" and policy in note["Reason"]

    # One that was made here since is no business of the import's.
    own = deployed(here.client(), step["To"])
    assert importing(there, here, "--distribution", one, "--update")["Steps"][-1]["Action"] == "Unchanged"
    kept = here.client().get_distribution_config(Id=step["To"])["DistributionConfig"]
    assert kept["ContinuousDeploymentPolicyId"] == own


def test_tags_settle_and_leave_the_configuration_alone(both, origin):
    there, here = both
    client, target = there.client(), here.client()
    config = distribution("tagged", [http_origin("web", origin.port)])
    tags = {"Items": [{"Key": "team", "Value": "web"}, {"Key": "Stage", "Value": "test"}]}
    one = client.create_distribution_with_tags(DistributionConfigWithTags={"DistributionConfig": config, "Tags": tags})
    one = one["Distribution"]
    made = importing(there, here, "--distribution", one["Id"])["Steps"][-1]["To"]
    before = target.get_distribution(Id=made)
    arn = before["Distribution"]["ARN"]
    target.untag_resource(Resource=arn, TagKeys={"Items": ["Stage"]})
    target.tag_resource(Resource=arn, Tags={"Items": [{"Key": key, "Value": "mine"} for key in ("extra", "stage", "team")]})

    expected = {'Stage: (none) -> "test"', 'extra: "mine" -> (none)', 'stage: "mine" -> (none)', 'team: "mine" -> "web"'}
    for args, action, status in ([], "Differs", 1), (["--update", "--plan"], "WouldUpdate", 0), (["--update"], "Updated", 0):
        step = importing(there, here, "--distribution", one["Id"], *args, status=status)["Steps"][-1]
        assert step["Action"] == action
        assert {note["Reason"] for note in step["Notes"] if note["Path"] == "Tags"} == expected
    listed = target.list_tags_for_resource(Resource=arn)["Tags"]["Items"]
    assert {tag["Key"]: tag["Value"] for tag in listed} == {"team": "web", "Stage": "test"}
    assert importing(there, here, "--distribution", one["Id"], "--update")["Steps"][-1]["Action"] == "Unchanged"

    client.untag_resource(Resource=one["ARN"], TagKeys={"Items": ["team", "Stage"]})
    assert importing(there, here, "--distribution", one["Id"], "--update")["Steps"][-1]["Action"] == "Updated"
    assert target.list_tags_for_resource(Resource=arn)["Tags"].get("Items", []) == []
    assert importing(there, here, "--distribution", one["Id"], "--update")["Steps"][-1]["Action"] == "Unchanged"
    told = lambda answer: (answer["ETag"], answer["Distribution"]["LastModifiedTime"])
    assert told(target.get_distribution(Id=made)) == told(before)


def test_without_credentials_or_a_server_it_fails_with_a_reason(both):
    there, here = both
    bare = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")} | NOWHERE
    assert "no AWS credentials" in importing(there, here, status=1, env=bare)
    keys = {"AWS_ACCESS_KEY_ID": "A" * 20, "AWS_SECRET_ACCESS_KEY": "x"}
    assert "InvalidClientTokenId" in importing(there, here, status=1, env=bare | keys)
    ran = subprocess.run([str(BINARY), "import", "--from", "nowhere", "--data", str(here.data)], capture_output=True, text=True)
    assert ran.returncode == 1 and "not a URL" in ran.stderr
