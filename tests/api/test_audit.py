"""Every call leaves a record: in a file before a write is answered, and for all to look up."""

import datetime
import json
import stat

import botocore.exceptions
import nearfront as parts
import pytest
import surface
from surface import credentials


def lines(near, name="calls"):
    """The records in the file, whole lines only."""
    path = near.data / f"audit/{name}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


def record(near, answer, name="calls"):
    """The record of the call that was answered so."""
    request = answer["ResponseMetadata"]["RequestId"]
    found = [line for line in lines(near, name) if line["request"] == request]
    assert len(found) == 1, (request, found)
    return found[0]


def test_a_write_is_in_the_file_when_it_is_answered(near, api, unique):
    made = api.ok("CreateDistribution", DistributionConfig=surface.config_of(unique()))
    one = made["Distribution"]["Id"]
    kept = record(near, made)
    assert kept["operation"] == "CreateDistribution" and kept["service"] == "cloudfront" and kept["write"]
    assert kept["principal"] == "arn:aws:iam::000000000000:root" and kept["key"] == credentials(near)["key"]
    assert kept["from"] == "127.0.0.1" and kept["status"] == 201 and kept["error"] == ""
    assert f"arn:aws:cloudfront::000000000000:distribution/{one}" in kept["resources"]
    assert "Botocore" in kept["agent"]
    surface.forget(api, one)


def test_a_dry_run_is_not_recorded_as_a_write_that_happened(near, api, client, unique):
    config = surface.config_of(unique())
    rehearsed = api.dry("CreateDistribution", DistributionConfig=config)
    kept = record(near, rehearsed)
    assert kept["dry_run"] is True and kept["operation"] == "CreateDistribution" and kept["status"] == 201
    with pytest.raises(botocore.exceptions.ClientError) as error:
        api.dry("UpdateDistribution", Id="ENOSUCH", IfMatch="E0", DistributionConfig=config)
    kept = record(near, error.value.response)
    assert kept["dry_run"] is True and kept["error"] == "NoSuchDistribution"
    made = api.call("CreateDistribution", DistributionConfig=config)
    assert "dry_run" not in record(near, made)

    def event(answer):
        asked = [{"AttributeKey": "EventId", "AttributeValue": answer["ResponseMetadata"]["RequestId"]}]
        [found] = client("cloudtrail").ok("LookupEvents", LookupAttributes=asked)["Events"]
        return json.loads(found["CloudTrailEvent"])["additionalEventData"]

    assert event(rehearsed) == {"httpStatus": 201, "dryRun": True} and event(made) == {"httpStatus": 201}
    surface.forget(api, made["Distribution"]["Id"])


def test_reads_and_refusals_are_recorded_as_well(near, api, client):
    error = refused(api, "GetDistribution", Id="ENOSUCH")
    kept = parts.until(lambda: record(near, error), what="the record of a read")
    assert (kept["status"], kept["error"], kept["write"]) == (404, "NoSuchDistribution", False)
    error = refused(client("iam"), "DeleteUser", UserName="nobody")
    kept = record(near, error)
    assert (kept["service"], kept["operation"], kept["error"]) == ("iam", "DeleteUser", "NoSuchEntity")
    assert kept["resources"] == ["arn:aws:iam::000000000000:user/nobody"]
    error = refused(client("acm"), "DescribeCertificate", CertificateArn="arn:aws:acm:us-east-1:000000000000:certificate/x")
    kept = parts.until(lambda: record(near, error), what="the record of a read")
    assert (kept["operation"], kept["error"]) == ("DescribeCertificate", "ResourceNotFoundException")


def test_whoever_signs_wrongly_is_recorded_apart(near, client):
    wrong = client("cloudfront", secret="x" * 40)
    error = refused(wrong, "ListDistributions")
    kept = parts.until(lambda: record(near, error, "refused"), what="the record of a refusal")
    assert (kept["error"], kept["status"], kept["principal"]) == ("SignatureDoesNotMatch", 403, "")
    assert kept["key"] == credentials(near)["key"] and kept["from"] == "127.0.0.1"
    unknown = client("cloudfront", key="AKIAAAAAAAAAAAAAAAAA")
    error = refused(unknown, "CreateDistribution", DistributionConfig=surface.config_of("x"))
    kept = parts.until(lambda: record(near, error, "refused"), what="the record of a refusal")
    assert (kept["error"], kept["key"]) == ("InvalidClientTokenId", "AKIAAAAAAAAAAAAAAAAA")


def refused(api, operation, **params):
    with pytest.raises(botocore.exceptions.ClientError) as error:
        api.call(operation, **params)
    return error.value.response


def test_no_secret_is_in_any_record(near, client, unique):
    iam = client("iam")
    name = unique("user")
    iam.ok("CreateUser", UserName=name)
    key = iam.ok("CreateAccessKey", UserName=name)["AccessKey"]
    mark = unique("mark")
    text = json.dumps({"Version": "2012-10-17", "Statement": [{"Sid": mark.replace("-", ""), "Effect": "Allow",
                                                               "Action": "*", "Resource": "*"}]})
    iam.ok("PutUserPolicy", UserName=name, PolicyName="p", PolicyDocument=text)
    client("cloudfront", key=key["AccessKeyId"], secret=key["SecretAccessKey"]).ok("ListDistributions")
    iam.ok("DeleteUserPolicy", UserName=name, PolicyName="p")
    iam.ok("DeleteAccessKey", UserName=name, AccessKeyId=key["AccessKeyId"])
    iam.ok("DeleteUser", UserName=name)
    events = json.dumps(client("cloudtrail").ok("LookupEvents"), default=str)
    written = "".join(path.read_text() for path in (near.data / "audit").iterdir())
    for text in (events, written):
        assert key["SecretAccessKey"] not in text and credentials(near)["secret"] not in text
        assert mark.replace("-", "") not in text and "Signature=" not in text
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in (near.data / "audit").iterdir())


def test_events_are_looked_up_by_attribute(near, client, unique):
    trail, iam = client("cloudtrail"), client("iam")
    name = unique("user")
    made = iam.call("CreateUser", UserName=name)
    iam.call("DeleteUser", UserName=name)

    def find(key, value, **more):
        return trail.ok("LookupEvents", LookupAttributes=[{"AttributeKey": key, "AttributeValue": value}], **more)["Events"]

    found = find("ResourceName", f"arn:aws:iam::000000000000:user/{name}")
    assert [event["EventName"] for event in found] == ["DeleteUser", "CreateUser"]
    event = find("EventId", made["ResponseMetadata"]["RequestId"])[0]
    assert event["EventSource"] == "iam.amazonaws.com" and event["ReadOnly"] == "false" and event["Username"] == "root"
    assert event["AccessKeyId"] == credentials(near)["key"]
    assert abs(event["EventTime"] - datetime.datetime.now(datetime.UTC)) < datetime.timedelta(minutes=1)
    whole = json.loads(event["CloudTrailEvent"])
    assert whole["eventName"] == "CreateUser" and whole["sourceIPAddress"] == "127.0.0.1"
    assert whole["userIdentity"]["arn"] == "arn:aws:iam::000000000000:root"
    assert {event["EventName"] for event in find("EventName", "CreateUser")} == {"CreateUser"}
    assert {event["EventSource"] for event in find("EventSource", "iam.amazonaws.com")} == {"iam.amazonaws.com"}
    assert {event["ReadOnly"] for event in find("ReadOnly", "false")} == {"false"}
    assert find("Username", "nobody") == []
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
    assert find("EventName", "CreateUser", StartTime=later) == []


def test_events_come_in_pages_the_newest_first(client):
    trail, iam = client("cloudtrail"), client("iam")
    for _ in range(7):
        refused(iam, "DeleteUser", UserName="nobody-at-all")
    asked = {"LookupAttributes": [{"AttributeKey": "ResourceName", "AttributeValue": "nobody-at-all"}]}
    pages = list(trail.client.get_paginator("lookup_events").paginate(**asked, PaginationConfig={"PageSize": 3}))
    events = [event for page in pages for event in page["Events"]]
    assert [len(page["Events"]) for page in pages] == [3, 3, 1]
    assert len({event["EventId"] for event in events}) == 7
    times = [json.loads(event["CloudTrailEvent"])["eventTime"] for event in events]
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize("params, code", [
    ({"MaxResults": 0}, "InvalidMaxResultsException"),
    ({"MaxResults": 51}, "InvalidMaxResultsException"),
    ({"NextToken": "nonsense"}, "InvalidNextTokenException"),
    ({"StartTime": 2000000000, "EndTime": 1000000000}, "InvalidTimeRangeException"),
    ({"LookupAttributes": [{"AttributeKey": "Colour", "AttributeValue": "red"}]}, "InvalidLookupAttributesException"),
    ({"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "a"}] * 2}, "InvalidLookupAttributesException"),
])
def test_wrong_look_ups_are_refused(client, params, code):
    client("cloudtrail").refused("LookupEvents", code, status=400, **params)


def test_the_command_line_looks_events_up(near):
    near.aws("cloudfront", "list-distributions")
    found = near.aws("cloudtrail", "lookup-events", "--lookup-attributes",
                     "AttributeKey=EventName,AttributeValue=ListDistributions", "--max-items", "1")
    assert found["Events"][0]["EventName"] == "ListDistributions"


def test_records_outlive_a_restart_and_a_fleet_shares_them():
    with parts.Fleet(edges=1) as fleet:
        api = surface.Api(**credentials(fleet.control), service="iam")
        made = api.call("CreateUser", UserName="kept")
        request = made["ResponseMetadata"]["RequestId"]
        fleet.control.stop()
        assert request in (fleet.control.data / "audit/calls.jsonl").read_text()
        fleet.control.start()
        trail = surface.Api(**credentials(fleet.control), service="cloudtrail")
        found = trail.ok("LookupEvents", LookupAttributes=[{"AttributeKey": "EventId", "AttributeValue": request}])
        assert found["Events"][0]["EventName"] == "CreateUser"
