"""VPC origins: kept, tagged, guarded; no distribution may name one until edges connect through them."""
import nearfront as parts
import pytest
import surface

ENDPOINT = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/mine/50dc6c495c0c9188"


def config_of(name, **changes):
    return {"Name": name, "Arn": ENDPOINT, "HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only",
            **changes}


@pytest.fixture
def vpc_origin(api, unique):
    """Makes VPC origins; they are deleted afterwards."""
    made = []

    def make(tags=None, **changes):
        more = {"Tags": {"Items": tags}} if tags else {}
        answer = api.ok("CreateVpcOrigin", VpcOriginEndpointConfig=config_of(unique("vpc"), **changes), **more)
        made.append(answer["VpcOrigin"]["Id"])
        return answer

    yield make
    for one in made:
        try:
            tag = api.call("GetVpcOrigin", Id=one)["ETag"]
        except api.client.exceptions.EntityNotFound:
            continue
        api.call("DeleteVpcOrigin", Id=one, IfMatch=tag)


@pytest.mark.proves("CreateVpcOrigin", "GetVpcOrigin", "UpdateVpcOrigin", "DeleteVpcOrigin", "ListVpcOrigins",
                    "ListDistributionsByVpcOriginId", "ListDistributionsByOwnedResource")
def test_a_vpc_origin_lives_and_is_gone(api, near, unique, vpc_origin):
    made = vpc_origin()
    origin = made["VpcOrigin"]
    one = origin["Id"]
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 202 and made["Location"].endswith(f"/vpc-origin/{one}")
    assert one.startswith("vo_") and origin["Arn"] == f"arn:aws:cloudfront::000000000000:vpcorigin/{one}"
    assert origin["AccountId"] == "000000000000" and origin["Status"] in ("Deploying", "Deployed")
    config = origin["VpcOriginEndpointConfig"]
    assert config["IpAddressType"] == "ipv4" and config["OriginSslProtocols"]["Items"] == ["TLSv1.2"]
    parts.until(lambda: api.ok("GetVpcOrigin", Id=one)["VpcOrigin"]["Status"] == "Deployed", what="deployed")
    changed = {**config, "Name": unique("renamed"), "HTTPPort": 8080, "IpAddressType": "dualstack"}
    updated = api.ok("UpdateVpcOrigin", Id=one, IfMatch=made["ETag"], VpcOriginEndpointConfig=changed)
    assert updated["ResponseMetadata"]["HTTPStatusCode"] == 202 and updated["ETag"] != made["ETag"]
    kept = api.ok("GetVpcOrigin", Id=one)
    assert kept["VpcOrigin"]["VpcOriginEndpointConfig"] == changed and kept["ETag"] == updated["ETag"]
    assert kept["VpcOrigin"]["CreatedTime"] == origin["CreatedTime"]
    [listed] = [item for item in pages(api) if item["Id"] == one]
    assert (listed["Name"], listed["OriginEndpointArn"], listed["IpAddressType"]) == (changed["Name"], ENDPOINT, "dualstack")
    assert api.ok("ListDistributionsByVpcOriginId", VpcOriginId=one)["DistributionIdList"]["Quantity"] == 0
    owned = api.ok("ListDistributionsByOwnedResource", ResourceArn=origin["Arn"])
    assert owned["DistributionList"]["Quantity"] == 0
    gone = api.ok("DeleteVpcOrigin", Id=one, IfMatch=updated["ETag"])
    assert gone["ResponseMetadata"]["HTTPStatusCode"] == 202 and gone["VpcOrigin"]["Id"] == one
    api.refused("GetVpcOrigin", "EntityNotFound", why="wrong id", Id=one)


def pages(api):
    """All of them, one to a page."""
    found, marker = [], {}
    while True:
        page = api.ok("ListVpcOrigins", MaxItems="1", **marker)["VpcOriginList"]
        assert page["IsTruncated"] == ("NextMarker" in page) and page["Quantity"] == len(page.get("Items", [])) <= 1
        found.extend(page.get("Items", []))
        if not page["IsTruncated"]:
            return found
        marker = {"Marker": page["NextMarker"]}


def test_a_name_is_free_again(api, unique, vpc_origin):
    first, second = vpc_origin(), vpc_origin()
    name = first["VpcOrigin"]["VpcOriginEndpointConfig"]["Name"]
    api.refused("CreateVpcOrigin", "EntityAlreadyExists", why="taken", VpcOriginEndpointConfig=config_of(name))
    api.refused("UpdateVpcOrigin", "EntityAlreadyExists", why="taken", Id=second["VpcOrigin"]["Id"],
                IfMatch=second["ETag"], VpcOriginEndpointConfig=config_of(name))
    api.ok("DeleteVpcOrigin", Id=first["VpcOrigin"]["Id"], IfMatch=first["ETag"])
    api.ok("UpdateVpcOrigin", Id=second["VpcOrigin"]["Id"], IfMatch=second["ETag"],
           VpcOriginEndpointConfig=config_of(name))


WRONG = [
    ({"Name": ""}, "InvalidArgument", "Name"), ({"Name": "x" * 65}, "InvalidArgument", "Name"),
    ({"Arn": "arn:aws:s3:::bucket"}, "InvalidArgument", "Arn"),
    ({"HTTPPort": 81}, "InvalidArgument", "HTTPPort"), ({"HTTPSPort": 70000}, "InvalidArgument", "HTTPSPort"),
    ({"OriginSslProtocols": {"Quantity": 2, "Items": ["TLSv1.2"]}}, "InconsistentQuantities", "OriginSslProtocols"),
    ({"OriginSslProtocols": {"Quantity": 1, "Items": ["SSLv3"]}}, "InvalidArgument", "TLSv1.2"),
]


@pytest.mark.parametrize("changes, code, says", WRONG)
def test_wrong_settings_are_refused(api, unique, vpc_origin, changes, code, says):
    made = vpc_origin()
    config = config_of(unique(), **changes)
    api.refused("CreateVpcOrigin", code, why="out of range", says=says, VpcOriginEndpointConfig=config)
    api.refused("UpdateVpcOrigin", code, why="out of range", says=says, Id=made["VpcOrigin"]["Id"],
                IfMatch=made["ETag"], VpcOriginEndpointConfig=config)


def test_wrong_calls_are_refused(api, unique, vpc_origin):
    made, stale = vpc_origin(), vpc_origin()["ETag"]
    one = made["VpcOrigin"]["Id"]
    lacking = {key: value for key, value in config_of(unique()).items() if key != "Arn"}
    api.refused("CreateVpcOrigin", "MalformedXML", why="missing field", VpcOriginEndpointConfig=lacking)
    api.refused("CreateVpcOrigin", "InvalidTagging", why="out of range", VpcOriginEndpointConfig=config_of(unique()),
                Tags={"Items": [{"Key": "aws:mine"}]})
    for operation, more in [("UpdateVpcOrigin", {"VpcOriginEndpointConfig": config_of(unique())}), ("DeleteVpcOrigin", {})]:
        api.refused(operation, "PreconditionFailed", why="stale etag", Id=one, IfMatch=stale, **more)
        api.refused(operation, "InvalidIfMatchVersion", why="no etag", Id=one, **more)
        api.refused(operation, "EntityNotFound", why="wrong id", Id="vo_none", IfMatch=stale, **more)
    api.refused("UpdateVpcOrigin", "MalformedXML", why="missing field", Id=one, IfMatch=made["ETag"],
                VpcOriginEndpointConfig=lacking)
    api.refused("ListVpcOrigins", "InvalidArgument", why="out of range", MaxItems="many")


def test_no_distribution_may_name_one_yet(api, unique, vpc_origin):
    one = vpc_origin()["VpcOrigin"]["Id"]
    for named, code, why in [(one, "UnsupportedOperation", "not honoured"), ("vo_none", "EntityNotFound", "wrong id")]:
        config = surface.config_of(unique())
        config["Origins"]["Items"][0] = {"Id": "web", "DomainName": "internal.example",
                                         "VpcOriginConfig": {"VpcOriginId": named}}
        api.refused("CreateDistribution", code, why=why, says="VpcOriginConfig", DistributionConfig=config)


@pytest.mark.slow
def test_an_account_has_at_most_25(unique):
    """The quota is the account's, so this server is one of its own."""
    with parts.Up() as near:
        own = surface.Api(**surface.credentials(near))
        for number in range(25):
            own.call("CreateVpcOrigin", VpcOriginEndpointConfig=config_of(unique(str(number))))
        own.refused("CreateVpcOrigin", "EntityLimitExceeded", why="out of range",
                    VpcOriginEndpointConfig=config_of(unique()))
