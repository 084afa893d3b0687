"""Going back to an earlier version, for kinds whose requests are not their configuration alone; deleted ones are made anew."""

import nearfront as parts
import pytest
import sites

CODE = [b"function handler(event) { return event.request; }", b"function handler(event) { return event.request /* 2 */; }"]
WAYS = [b"function connectionHandler(connection) { connection.allow(); }", b"function connectionHandler(connection) { connection.deny(); }"]
RUNTIME = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
ENDPOINT = {"Arn": "arn:aws:ec2:eu-west-1:123456789012:instance/i-0abc", "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}
STREAM = {"RoleARN": "arn:aws:iam::000000000000:role/logs", "StreamARN": "arn:aws:kinesis:eu-west-1:000000000000:stream/logs"}


def back(own, resource, version=1):
    """Goes back; the answer."""
    status, _, body = own.call("POST", "rollback", {"Resource": resource, "Version": version})
    assert status == 200, body
    return body


def test_a_functions_development_goes_back_and_live_stays(api, own, unique):
    name = unique("f")
    made = api.call("CreateFunction", Name=name, FunctionConfig=RUNTIME, FunctionCode=CODE[0])
    changed = api.call("UpdateFunction", Name=name, IfMatch=made["ETag"], FunctionConfig={**RUNTIME, "Comment": "2"}, FunctionCode=CODE[1])
    api.call("PublishFunction", Name=name, IfMatch=changed["ETag"])
    told = back(own, f"function/{name}")
    assert any(one["Path"].endswith("code") for one in told["Differences"]), told
    assert api.ok("GetFunction", Name=name)["FunctionCode"] == CODE[0]
    assert api.ok("GetFunction", Name=name, Stage="LIVE")["FunctionCode"] == CODE[1]
    versions = len(own.get("history", Resource=f"function/{name}")["Versions"])
    assert back(own, f"function/{name}")["Differences"] == [], "only the time differed, and made a version"
    assert len(own.get("history", Resource=f"function/{name}")["Versions"]) == versions
    api.call("DeleteFunction", Name=name, IfMatch=api.call("DescribeFunction", Name=name)["ETag"])
    assert back(own, f"function/{name}")["MadeAnew"]
    assert api.ok("GetFunction", Name=name)["FunctionCode"] == CODE[0]
    api.call("DeleteFunction", Name=name, IfMatch=api.call("DescribeFunction", Name=name)["ETag"])


def test_a_connection_function_goes_back(api, own, unique):
    made = api.call("CreateConnectionFunction", Name=unique("f"), ConnectionFunctionConfig=RUNTIME, ConnectionFunctionCode=WAYS[0])
    one = made["ConnectionFunctionSummary"]["Id"]
    api.call("UpdateConnectionFunction", Id=one, IfMatch=made["ETag"], ConnectionFunctionConfig=RUNTIME, ConnectionFunctionCode=WAYS[1])
    back(own, one)
    assert api.ok("GetConnectionFunction", Identifier=one)["ConnectionFunctionCode"] == WAYS[0]
    api.call("DeleteConnectionFunction", Id=one, IfMatch=api.call("DescribeConnectionFunction", Identifier=one)["ETag"])


def test_a_vpc_origin_goes_back_and_comes_back(api, own, unique):
    config = {**ENDPOINT, "Name": unique("vpc"), "HTTPPort": 80}
    made = api.call("CreateVpcOrigin", VpcOriginEndpointConfig=config)
    one = made["VpcOrigin"]["Id"]
    changed = api.call("UpdateVpcOrigin", Id=one, IfMatch=made["ETag"], VpcOriginEndpointConfig={**config, "HTTPPort": 8080})
    told = back(own, f"vpcorigin/{one}")
    assert told["Differences"] == [{"Path": "HTTPPort", "Before": 8080, "After": 80}]
    assert told["ETag"] != changed["ETag"]
    api.call("DeleteVpcOrigin", Id=one, IfMatch=told["ETag"])
    anew = back(own, f"vpcorigin/{one}", 2)
    other = anew["Resource"].rsplit("/")[-1]
    assert anew["MadeAnew"] and other != one
    kept = api.ok("GetVpcOrigin", Id=other)
    assert kept["VpcOrigin"]["VpcOriginEndpointConfig"]["HTTPPort"] == 8080
    api.call("DeleteVpcOrigin", Id=other, IfMatch=kept["ETag"])


def test_a_real_time_log_goes_back_and_comes_back(api, own, unique):
    name = unique("log")
    points = [{"StreamType": "Kinesis", "KinesisStreamConfig": STREAM}]
    api.call("CreateRealtimeLogConfig", Name=name, EndPoints=points, Fields=["timestamp"], SamplingRate=10)
    api.call("UpdateRealtimeLogConfig", Name=name, EndPoints=points, Fields=["timestamp", "c-ip"], SamplingRate=20)
    back(own, f"realtime-log-config/{name}")
    kept = api.ok("GetRealtimeLogConfig", Name=name)["RealtimeLogConfig"]
    assert (kept["Fields"], kept["SamplingRate"]) == (["timestamp"], 10)
    api.call("DeleteRealtimeLogConfig", Name=name)
    assert back(own, f"realtime-log-config/{name}", 2)["MadeAnew"]
    assert api.ok("GetRealtimeLogConfig", Name=name)["RealtimeLogConfig"]["SamplingRate"] == 20
    api.call("DeleteRealtimeLogConfig", Name=name)


def test_a_connection_group_goes_back_and_comes_back(api, own, unique):
    made = api.call("CreateConnectionGroup", Name=unique("group"))
    one, name = made["ConnectionGroup"]["Id"], made["ConnectionGroup"]["Name"]
    api.call("UpdateConnectionGroup", Id=one, IfMatch=made["ETag"], Ipv6Enabled=False, Enabled=False)
    back(own, one)
    kept = api.ok("GetConnectionGroup", Identifier=one)["ConnectionGroup"]
    assert (kept["Ipv6Enabled"], kept["Enabled"]) == (True, True)
    sites.forget_group(api, one)
    anew = back(own, f"connection-group/{one}", 2)
    other = anew["Resource"].rsplit("/")[-1]
    kept = api.ok("GetConnectionGroup", Identifier=other)["ConnectionGroup"]
    assert anew["MadeAnew"] and (kept["Name"], kept["Ipv6Enabled"]) == (name, False)
    sites.forget_group(api, other)


@pytest.fixture
def shared(distribution):
    return distribution(**sites.template())["Distribution"]["Id"]


def test_a_tenant_goes_back_and_comes_back(api, own, shared, tenant):
    made = tenant(shared)
    before = made["DistributionTenant"]
    one = before["Id"]
    more = [{"Domain": f"more-{before['Domains'][0]['Domain']}"}]
    api.call("UpdateDistributionTenant", Id=one, IfMatch=made["ETag"], Enabled=False, Domains=more,
             Parameters=[{"Name": "shop", "Value": "shoes"}],
             Customizations={"GeoRestrictions": {"RestrictionType": "whitelist", "Locations": ["DE"]}})
    back(own, f"distribution-tenant/{one}")
    kept = api.ok("GetDistributionTenant", Identifier=one)["DistributionTenant"]
    for member in ("Name", "Parameters", "Enabled", "ConnectionGroupId"):
        assert kept[member] == before[member], member
    assert [item["Domain"] for item in kept["Domains"]] == [item["Domain"] for item in before["Domains"]]
    assert not kept.get("Customizations")
    sites.forget_tenant(api, one)
    anew = back(own, f"distribution-tenant/{one}", 2)
    other = anew["Resource"].rsplit("/")[-1]
    kept = api.ok("GetDistributionTenant", Identifier=other)["DistributionTenant"]
    assert anew["MadeAnew"] and kept["Customizations"]["GeoRestrictions"]["Locations"] == ["DE"]
    assert parts.until(lambda: own.get("history", Resource=other)["Versions"], what="its history")
    sites.forget_tenant(api, other)


def test_kinds_without_a_way_back_say_so(api, own, unique):
    made = api.call("CreateKeyValueStore", Name=unique("store"))["KeyValueStore"]
    status, _, body = own.call("POST", "rollback", {"Resource": f"key-value-store/{made['Id']}", "Version": 1})
    assert status == 400 and "no way back" in body["Message"]
