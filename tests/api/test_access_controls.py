"""Origin access controls: their lives, what is wrong with them, and who may not use which."""

import pytest
import surface

NOBODY = "E0000000000000"


def config(name, **more):
    return {"Name": name, "Description": "d", "SigningProtocol": "sigv4", "SigningBehavior": "always", "OriginAccessControlOriginType": "s3",
            **more}


@pytest.fixture
def control(api, unique):
    """Makes origin access controls, gone afterwards."""
    made = []

    def make(**more):
        answer = api.ok("CreateOriginAccessControl", OriginAccessControlConfig=config(unique(), **more))
        made.append(answer["OriginAccessControl"]["Id"])
        return answer
    yield make
    for one in made:
        try:
            api.call("DeleteOriginAccessControl", Id=one, IfMatch=api.call("GetOriginAccessControl", Id=one)["ETag"])
        except api.client.exceptions.NoSuchOriginAccessControl:
            pass


@pytest.mark.proves("CreateOriginAccessControl", "GetOriginAccessControl", "GetOriginAccessControlConfig", "UpdateOriginAccessControl",
                    "DeleteOriginAccessControl", "ListOriginAccessControls")
def test_a_control_lives_and_is_gone(api, unique, control):
    made = control()
    one = made["OriginAccessControl"]["Id"]
    assert made["Location"].endswith(f"/origin-access-control/{one}")
    shown = api.ok("GetOriginAccessControlConfig", Id=one)
    new = {**shown["OriginAccessControlConfig"], "Description": "another", "SigningBehavior": "never"}
    changed = api.ok("UpdateOriginAccessControl", Id=one, IfMatch=shown["ETag"], OriginAccessControlConfig=new)
    assert changed["ETag"] != made["ETag"]
    assert api.ok("GetOriginAccessControl", Id=one)["OriginAccessControl"]["OriginAccessControlConfig"] == new
    pages = api.client.get_paginator("list_origin_access_controls").paginate(PaginationConfig={"PageSize": 2})
    found = {item["Id"]: item for page in pages for item in page["OriginAccessControlList"].get("Items", [])}
    assert found[one]["SigningBehavior"] == "never"
    api.ok("ListOriginAccessControls", MaxItems="1")
    api.ok("DeleteOriginAccessControl", Id=one, IfMatch=changed["ETag"])
    api.refused("GetOriginAccessControl", "NoSuchOriginAccessControl", why="wrong id", Id=one)


def test_ids_and_tags_that_are_wrong(api, unique, control):
    made = control()
    one, body = made["OriginAccessControl"]["Id"], {"OriginAccessControlConfig": config(unique())}
    for wrong in (NOBODY, "x", "../x", "é"):
        api.refused("GetOriginAccessControl", "NoSuchOriginAccessControl", why="wrong id", Id=wrong)
        api.refused("GetOriginAccessControlConfig", "NoSuchOriginAccessControl", why="wrong id", Id=wrong)
        api.refused("UpdateOriginAccessControl", "NoSuchOriginAccessControl", why="wrong id", Id=wrong, IfMatch="E1", **body)
        api.refused("DeleteOriginAccessControl", "NoSuchOriginAccessControl", why="wrong id", Id=wrong, IfMatch="E1")
    for operation, more in (("UpdateOriginAccessControl", body), ("DeleteOriginAccessControl", {})):
        api.refused(operation, "PreconditionFailed", why="stale etag", Id=one, IfMatch=NOBODY, **more)
        api.refused(operation, "InvalidIfMatchVersion", why="no etag", Id=one, **more)
    for wrong in ("0", "x"):
        api.refused("ListOriginAccessControls", "InvalidArgument", why="out of range", MaxItems=wrong)


def test_names_belong_to_one(api, control):
    one, other = control(), control()
    taken = one["OriginAccessControl"]["OriginAccessControlConfig"]
    api.refused("CreateOriginAccessControl", "OriginAccessControlAlreadyExists", why="taken", OriginAccessControlConfig=taken)
    api.refused("UpdateOriginAccessControl", "OriginAccessControlAlreadyExists", why="taken", Id=other["OriginAccessControl"]["Id"],
                IfMatch=other["ETag"], OriginAccessControlConfig=taken)


@pytest.mark.parametrize("member,value,code", [
    ("Name", "", "InvalidArgument"), ("Name", "n" * 65, "InvalidArgument"), ("Description", "d" * 257, "InvalidArgument"),
    ("SigningBehavior", "always-amz-auth", "InvalidArgument"), ("SigningProtocol", "sigv2", "MalformedXML"), ("SigningBehavior", "sometimes", "MalformedXML"),
    ("OriginAccessControlOriginType", "ftp", "MalformedXML")])
def test_a_value_out_of_range_is_refused_by_name(api, unique, control, member, value, code):
    wrong = config(unique(), **{member: value})
    api.refused("CreateOriginAccessControl", code, why="out of range", says=member, OriginAccessControlConfig=wrong)
    made = control()
    api.refused("UpdateOriginAccessControl", code, why="out of range", says=member, OriginAccessControlConfig=wrong,
                Id=made["OriginAccessControl"]["Id"], IfMatch=made["ETag"])


@pytest.mark.parametrize("member", ["Name", "SigningProtocol", "SigningBehavior", "OriginAccessControlOriginType"])
def test_a_required_member_that_is_missing_is_named(api, unique, control, member):
    wrong = config(unique())
    del wrong[member]
    api.refused("CreateOriginAccessControl", "MalformedXML", why="missing field", says=member, OriginAccessControlConfig=wrong)
    made = control()
    api.refused("UpdateOriginAccessControl", "MalformedXML", why="missing field", says=member, OriginAccessControlConfig=wrong,
                Id=made["OriginAccessControl"]["Id"], IfMatch=made["ETag"])


def s3_origin(control):
    return {"Quantity": 1, "Items": [{"Id": "web", "DomainName": "bucket.s3.amazonaws.com", "OriginAccessControlId": control,
                                      "S3OriginConfig": {"OriginAccessIdentity": ""}}]}


def test_what_is_used_stays(api, unique, control, distribution):
    made = control()
    one = made["OriginAccessControl"]["Id"]
    user = distribution(Origins=s3_origin(one))["Distribution"]["Id"]
    api.refused("DeleteOriginAccessControl", "OriginAccessControlInUse", why="in use", Id=one, IfMatch=made["ETag"], says=user)
    api.refused("UpdateOriginAccessControl", "InvalidArgument", why="in use", Id=one, IfMatch=made["ETag"], says=user,
                OriginAccessControlConfig=config(unique(), OriginAccessControlOriginType="lambda"))
    surface.forget(api, user)
    api.ok("DeleteOriginAccessControl", Id=one, IfMatch=made["ETag"])


@pytest.mark.parametrize("more", [{"OriginAccessControlOriginType": "lambda"}, {"SigningBehavior": "no-override"}], ids=str)
def test_a_control_that_cannot_sign_for_a_bucket_is_not_attached(api, unique, control, more):
    one = control(**more)["OriginAccessControl"]["Id"]
    api.refused("CreateDistribution", "InvalidOriginAccessControl", why="not honoured", says="OriginAccessControlId",
                DistributionConfig=surface.config_of(unique(), Origins=s3_origin(one)))


def test_a_control_that_is_not_there_is_not_attached(api, unique):
    api.refused("CreateDistribution", "InvalidOriginAccessControl", why="wrong id", says=NOBODY,
                DistributionConfig=surface.config_of(unique(), Origins=s3_origin(NOBODY)))
