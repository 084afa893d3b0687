"""Anycast lists: addresses of the settings' pool, none in two lists."""

import concurrent.futures
import ipaddress
import nearfront as parts
import pytest
import surface

IPV4 = [f"192.0.2.{number}" for number in range(1, 31)]
IPV6 = [f"2001:db8::{number:x}" for number in range(1, 7)]


@pytest.fixture(scope="module")
def pooled():
    """A server with a pool of 30 IPv4 and 6 IPv6 addresses."""
    with parts.Up(settings={"dns": {"anycast_addresses": IPV4 + IPV6}}) as near:
        yield surface.Api(**surface.credentials(near))


@pytest.fixture
def anycast(pooled, unique):
    """Makes lists; they are deleted afterwards."""
    made = []

    def make(count=3, **more):
        answer = pooled.ok("CreateAnycastIpList", Name=unique("list"), IpCount=count, **more)
        made.append(answer["AnycastIpList"]["Id"])
        return answer

    yield make
    for one in made:
        try:
            tag = pooled.call("GetAnycastIpList", Id=one)["ETag"]
        except pooled.client.exceptions.EntityNotFound:
            continue
        pooled.call("DeleteAnycastIpList", Id=one, IfMatch=tag)


def test_without_a_pool_there_are_no_lists(api, unique):
    api.refused("CreateAnycastIpList", "EntityLimitExceeded", why="not honoured", says="dns.anycast_addresses",
                Name=unique(), IpCount=3)


@pytest.mark.proves("CreateAnycastIpList", "GetAnycastIpList", "UpdateAnycastIpList", "DeleteAnycastIpList",
                    "ListAnycastIpLists", "ListDistributionsByAnycastIpListId")
def test_a_list_lives_and_its_addresses_are_free_again(pooled, anycast):
    made = anycast(3)
    shown = made["AnycastIpList"]
    one, first = shown["Id"], shown["AnycastIps"]
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 202 and one.startswith("aip_")
    assert shown["Arn"] == f"arn:aws:cloudfront::000000000000:anycast-ip-list/{one}"
    assert len(set(first)) == 3 == shown["IpCount"] and set(first) <= set(IPV4) and shown["IpAddressType"] == "ipv4"
    parts.until(lambda: pooled.ok("GetAnycastIpList", Id=one)["AnycastIpList"]["Status"] == "Deployed", what="deployed")
    both = pooled.ok("UpdateAnycastIpList", Id=one, IfMatch=made["ETag"], IpAddressType="dualstack")
    now = both["AnycastIpList"]["AnycastIps"]
    assert set(first) < set(now) and len(now) == 6 and both["ETag"] != made["ETag"]
    assert sum(ipaddress.ip_address(one).version == 6 for one in now) == 3
    same = pooled.ok("UpdateAnycastIpList", Id=one, IfMatch=both["ETag"])  # botocore sends no body
    assert same["AnycastIpList"]["AnycastIps"] == now
    newer = pooled.ok("UpdateAnycastIpList", Id=one, IfMatch=same["ETag"], IpAddressType="ipv6")
    assert set(newer["AnycastIpList"]["AnycastIps"]) == set(now) - set(first)
    [listed] = [item for item in pages(pooled) if item["Id"] == one]
    assert (listed["ETag"], listed["IpCount"], listed["IpAddressType"]) == (newer["ETag"], 3, "ipv6")
    assert pooled.ok("ListDistributionsByAnycastIpListId", AnycastIpListId=one)["DistributionList"]["Quantity"] == 0
    pooled.ok("DeleteAnycastIpList", Id=one, IfMatch=newer["ETag"])
    pooled.refused("GetAnycastIpList", "EntityNotFound", why="wrong id", Id=one)
    assert set(anycast(21)["AnycastIpList"]["AnycastIps"]) <= set(IPV4)


def pages(api):
    """All of them, one to a page."""
    found, marker = [], {}
    while True:
        page = api.ok("ListAnycastIpLists", MaxItems=1, **marker)["AnycastIpLists"]
        assert page["IsTruncated"] == ("NextMarker" in page) and page["Quantity"] == len(page.get("Items", [])) <= 1
        found.extend(page.get("Items", []))
        if not page["IsTruncated"]:
            return found
        marker = {"Marker": page["NextMarker"]}


def test_no_address_is_in_two_lists_however_many_ask_at_once(pooled, unique):
    def make(number):
        try:
            return pooled.call("CreateAnycastIpList", Name=unique(f"many-{number}"), IpCount=3, IpAddressType="ipv6")
        except pooled.client.exceptions.EntityLimitExceeded:
            return None

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        made = [one for one in pool.map(make, range(6)) if one]
    try:
        assert len(made) == 2
        addresses = [address for one in made for address in one["AnycastIpList"]["AnycastIps"]]
        assert sorted(addresses) == sorted(IPV6)
    finally:
        for one in made:
            pooled.call("DeleteAnycastIpList", Id=one["AnycastIpList"]["Id"], IfMatch=one["ETag"])


def test_wrong_calls_are_refused(pooled, unique, anycast):
    made, stale = anycast(), anycast()["ETag"]
    one, name = made["AnycastIpList"]["Id"], made["AnycastIpList"]["Name"]

    def refused(code, why="out of range", **changes):
        pooled.refused("CreateAnycastIpList", code, why=why, **{"Name": unique(), "IpCount": 3, **changes})

    refused("EntityAlreadyExists", "taken", Name=name)
    refused("InvalidArgument", IpCount=4)
    refused("InvalidArgument", Name="a b")
    refused("InvalidArgument", Name="x" * 65)
    refused("MalformedXML", IpAddressType="ipv5")
    refused("EntityLimitExceeded", IpCount=21, IpAddressType="ipv6")
    refused("InvalidTagging", Tags={"Items": [{"Key": "aws:mine"}]})
    refused("UnsupportedOperation", "not honoured",
            IpamCidrConfigs=[{"Cidr": "192.0.2.0/24", "IpamPoolArn": "arn:aws:ec2::1:ipam-pool/p"}])
    pooled.refused("CreateAnycastIpList", "MalformedXML", why="missing field", Name=unique())
    pooled.refused("UpdateAnycastIpList", "UnsupportedOperation", why="not honoured", Id=one, IfMatch=made["ETag"],
                   IpamCidrConfigs=[{"Cidr": "192.0.2.0/24", "IpamPoolArn": "arn:aws:ec2::1:ipam-pool/p"}])
    pooled.refused("UpdateAnycastIpList", "MalformedXML", why="out of range", Id=one, IfMatch=made["ETag"],
                   IpAddressType="ipv5")
    for operation in ("UpdateAnycastIpList", "DeleteAnycastIpList"):
        more = {"IpAddressType": "ipv4"} if operation.startswith("Update") else {}
        pooled.refused(operation, "PreconditionFailed", why="stale etag", Id=one, IfMatch=stale, **more)
        pooled.refused(operation, "InvalidIfMatchVersion", why="no etag", Id=one, **more)
        pooled.refused(operation, "EntityNotFound", why="wrong id", Id="aip_none", IfMatch=stale, **more)
    pooled.refused("ListAnycastIpLists", "InvalidArgument", why="out of range", MaxItems=0)


def test_a_change_that_finds_too_few_addresses_changes_nothing(pooled, anycast):
    large = anycast(21)
    one, tag = large["AnycastIpList"]["Id"], large["ETag"]
    pooled.refused("UpdateAnycastIpList", "InvalidArgument", why="out of range", says="IPv6", Id=one, IfMatch=tag,
                   IpAddressType="dualstack")
    kept = pooled.ok("GetAnycastIpList", Id=one)
    assert kept["ETag"] == tag and kept["AnycastIpList"]["AnycastIps"] == large["AnycastIpList"]["AnycastIps"]
    assert len(anycast(3, IpAddressType="ipv6")["AnycastIpList"]["AnycastIps"]) == 3


def test_no_distribution_may_name_one_yet(pooled, unique, anycast):
    one = anycast()["AnycastIpList"]["Id"]
    for named, code, why in [(one, "UnsupportedOperation", "not honoured"), ("aip_none", "EntityNotFound", "wrong id")]:
        config = surface.config_of(unique(), AnycastIpListId=named)
        pooled.refused("CreateDistribution", code, why=why, says="AnycastIpListId", DistributionConfig=config)
