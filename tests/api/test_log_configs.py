"""Real-time log configurations and monitoring subscriptions."""

import contextlib

import pytest
import surface

ROLE, STREAM = "arn:aws:iam::111122223333:role/logs", "arn:aws:kinesis:us-east-1:111122223333:stream/logs"


def end(**changes):
    """Where the records go."""
    return {"StreamType": "Kinesis", "KinesisStreamConfig": {"RoleARN": ROLE, "StreamARN": STREAM}, **changes}


@pytest.fixture
def log(api, unique):
    """Makes configurations; they are deleted afterwards."""
    made = []

    def make(**changes):
        config = {"Name": unique("log"), "SamplingRate": 50, "Fields": ["timestamp", "c-ip"], "EndPoints": [end()], **changes}
        answer = api.ok("CreateRealtimeLogConfig", **config)["RealtimeLogConfig"]
        made.append(answer["Name"])
        return answer

    yield make
    for name in made:
        with contextlib.suppress(api.client.exceptions.NoSuchRealtimeLogConfig):
            api.call("DeleteRealtimeLogConfig", Name=name)


@pytest.mark.proves("CreateRealtimeLogConfig", "GetRealtimeLogConfig", "UpdateRealtimeLogConfig",
                    "DeleteRealtimeLogConfig")
def test_a_log_configuration_is_known_by_name_and_arn(api, log):
    made = log(Fields=["c-ip", "sc-status", "timestamp"])
    name, arn = made["Name"], made["ARN"]
    assert arn.startswith("arn:aws:cloudfront::") and arn.endswith(f":realtime-log-config/{name}")
    assert made["Fields"] == ["timestamp", "c-ip", "sc-status"], "the order of records"
    for how in ({"Name": name}, {"ARN": arn}, {"Name": name, "ARN": arn}):
        assert api.ok("GetRealtimeLogConfig", **how)["RealtimeLogConfig"] == made
    whole = {"SamplingRate": 1, "Fields": ["asn"], "EndPoints": [end()]}
    changed = api.ok("UpdateRealtimeLogConfig", ARN=arn, **whole)["RealtimeLogConfig"]
    assert changed == {"ARN": arn, "Name": name, **whole}
    assert api.ok("GetRealtimeLogConfig", Name=name)["RealtimeLogConfig"] == changed
    api.ok("DeleteRealtimeLogConfig", ARN=arn)
    api.refused("GetRealtimeLogConfig", "NoSuchRealtimeLogConfig", why="wrong id", Name=name)


def test_mistakes_in_log_configurations(api, unique, log):
    made = log()

    def refused(says, why="out of range", code="InvalidArgument", **changes):
        for operation in ("CreateRealtimeLogConfig", "UpdateRealtimeLogConfig"):
            name = unique() if operation.startswith("Create") else made["Name"]
            config = {"Name": name, "SamplingRate": 5, "Fields": ["asn"], "EndPoints": [end()], **changes}
            api.refused(operation, code, why=why, says=says, **config)
    refused("SamplingRate", SamplingRate=0)
    refused("SamplingRate", SamplingRate=101)
    refused("sc-colour", Fields=["asn", "sc-colour"])
    refused("already", Fields=["asn", "asn"])
    refused("EndPoints", EndPoints=[end(), end()])
    refused("StreamType", EndPoints=[end(StreamType="Firehose")])
    refused("RoleARN", EndPoints=[end(KinesisStreamConfig={"RoleARN": "logs", "StreamARN": STREAM})])
    refused("StreamARN", EndPoints=[end(KinesisStreamConfig={"RoleARN": ROLE, "StreamARN": ROLE})])
    refused("KinesisStreamConfig", why="missing field", EndPoints=[{"StreamType": "Kinesis"}])
    api.refused("CreateRealtimeLogConfig", "InvalidArgument", why="out of range", says="Name", Name="two words",
                SamplingRate=5, Fields=["asn"], EndPoints=[end()])
    for missing in ("Name", "SamplingRate", "Fields", "EndPoints"):
        config = {"Name": unique(), "SamplingRate": 5, "Fields": ["asn"], "EndPoints": [end()]}
        del config[missing]
        api.refused("CreateRealtimeLogConfig", "MalformedXML", why="missing field", says=missing, **config)
        code = "InvalidArgument"
        api.refused("UpdateRealtimeLogConfig", code, why="missing field", says=missing,
                    **{**config, **({} if missing == "Name" else {"Name": made["Name"]})})
    taken = {key: value for key, value in made.items() if key != "ARN"}
    api.refused("CreateRealtimeLogConfig", "RealtimeLogConfigAlreadyExists", why="taken", **taken)


@pytest.mark.parametrize("operation", ["GetRealtimeLogConfig", "DeleteRealtimeLogConfig", "UpdateRealtimeLogConfig"])
def test_log_configurations_that_are_not_there(api, unique, log, operation):
    made, other = log(), log()
    more = {"SamplingRate": 5, "Fields": ["asn"], "EndPoints": [end()]} if operation.startswith("Update") else {}
    missing = "NoSuchRealtimeLogConfig"
    foreign = made["ARN"].split("::")[0] + f"::999999999999:realtime-log-config/{made['Name']}"
    api.refused(operation, missing, why="wrong id", Name=unique(), **more)
    api.refused(operation, missing, why="wrong id", ARN=made["ARN"] + "x", **more)
    api.refused(operation, missing, why="wrong id", ARN=foreign, **more)
    api.refused(operation, "InvalidArgument", why="missing field", **more)
    api.refused(operation, "InvalidArgument", why="other", Name=other["Name"], ARN=made["ARN"], **more)
    assert api.ok("GetRealtimeLogConfig", Name=made["Name"])["RealtimeLogConfig"] == made


@pytest.mark.proves("ListRealtimeLogConfigs")
def test_log_configurations_are_listed_page_by_page(api, log):
    made = {log()["Name"] for _ in range(3)}
    found, marker = [], ""
    while True:
        page = api.ok("ListRealtimeLogConfigs", MaxItems="1", **({"Marker": marker} if marker else {}))
        page = page["RealtimeLogConfigs"]
        assert page["Marker"] == marker and page["MaxItems"] == 1
        found += [item["Name"] for item in page["Items"]]
        if not page["IsTruncated"]:
            break
        marker = page["NextMarker"]
    assert made <= set(found) and len(found) == len(set(found))
    api.refused("ListRealtimeLogConfigs", "InvalidArgument", why="out of range", MaxItems="0")


def test_a_distribution_is_told_which_log_configurations_there_are(api, unique, log):
    made = log()

    def refused(code, why, arn):
        config = surface.config_of(unique())
        config["DefaultCacheBehavior"]["RealtimeLogConfigArn"] = arn
        api.refused("CreateDistribution", code, why=why, says="RealtimeLogConfigArn", DistributionConfig=config)
    refused("NoSuchRealtimeLogConfig", "wrong id", made["ARN"] + "x")
    refused("UnsupportedOperation", "not honoured", made["ARN"])


def metrics(status):
    """A MonitoringSubscription."""
    return {"RealtimeMetricsSubscriptionConfig": {"RealtimeMetricsSubscriptionStatus": status}}


@pytest.mark.proves("CreateMonitoringSubscription", "GetMonitoringSubscription", "DeleteMonitoringSubscription")
def test_a_subscription_lives_as_long_as_its_distribution_at_most(api, distribution):
    one = distribution()["Distribution"]["Id"]
    api.refused("GetMonitoringSubscription", "NoSuchMonitoringSubscription", why="other", DistributionId=one)
    off = metrics("Disabled")
    made = api.ok("CreateMonitoringSubscription", DistributionId=one, MonitoringSubscription=off)
    assert made["MonitoringSubscription"] == off
    assert api.ok("GetMonitoringSubscription", DistributionId=one)["MonitoringSubscription"] == off
    api.refused("CreateMonitoringSubscription", "MonitoringSubscriptionAlreadyExists", why="taken",
                DistributionId=one, MonitoringSubscription=off)
    api.ok("DeleteMonitoringSubscription", DistributionId=one)
    api.refused("DeleteMonitoringSubscription", "NoSuchMonitoringSubscription", why="other", DistributionId=one)
    api.ok("CreateMonitoringSubscription", DistributionId=one, MonitoringSubscription=off)
    surface.forget(api, one)
    api.refused("GetMonitoringSubscription", "NoSuchDistribution", why="wrong id", DistributionId=one)


def test_mistakes_with_subscriptions(api, distribution):
    one, nobody = distribution()["Distribution"]["Id"], "E0000000000000"
    create = "CreateMonitoringSubscription"
    api.refused(create, "UnsupportedOperation", why="not honoured", says="RealtimeMetricsSubscriptionStatus",
                DistributionId=one, MonitoringSubscription=metrics("Enabled"))
    api.refused("GetMonitoringSubscription", "NoSuchMonitoringSubscription", why="other", DistributionId=one)
    api.refused(create, "MalformedXML", why="out of range", DistributionId=one, MonitoringSubscription=metrics("Sometimes"))
    api.refused(create, "InvalidArgument", why="missing field", says="RealtimeMetricsSubscriptionStatus",
                DistributionId=one, MonitoringSubscription={})
    api.refused(create, "NoSuchDistribution", why="wrong id", DistributionId=nobody, MonitoringSubscription=metrics("Disabled"))
    for operation in ("GetMonitoringSubscription", "DeleteMonitoringSubscription"):
        api.refused(operation, "NoSuchDistribution", why="wrong id", DistributionId=nobody)
