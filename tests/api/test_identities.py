"""Origin access identities, and what they open."""

import concurrent.futures
import contextlib

import keys
import nearfront as parts
import pytest
import surface

NOBODY = "E0000000000000"
CONFIG = "CloudFrontOriginAccessIdentityConfig"


@pytest.fixture
def identity(api, unique):
    """Makes identities; they are deleted afterwards."""
    made = []

    def make(**changes):
        config = {"CallerReference": unique(), "Comment": "", **changes}
        answer = api.ok("CreateCloudFrontOriginAccessIdentity", CloudFrontOriginAccessIdentityConfig=config)
        made.append(answer["CloudFrontOriginAccessIdentity"]["Id"])
        return answer

    yield make
    for one in made:
        with contextlib.suppress(api.client.exceptions.NoSuchCloudFrontOriginAccessIdentity):
            keys.drop(api, "DeleteCloudFrontOriginAccessIdentity", "GetCloudFrontOriginAccessIdentity", Id=one)


@pytest.mark.proves("CreateCloudFrontOriginAccessIdentity", "GetCloudFrontOriginAccessIdentity",
                    "GetCloudFrontOriginAccessIdentityConfig", "UpdateCloudFrontOriginAccessIdentity",
                    "DeleteCloudFrontOriginAccessIdentity")
def test_an_identity_keeps_its_user_id_while_its_comment_changes(api, identity):
    made = identity()
    shape = made["CloudFrontOriginAccessIdentity"]
    one, user = shape["Id"], shape["S3CanonicalUserId"]
    assert made["Location"].endswith(f"/2020-05-31/origin-access-identity/cloudfront/{one}")
    assert len(user) == 96 and int(user, 16)
    shown = api.ok("GetCloudFrontOriginAccessIdentityConfig", Id=one)
    config = {**shown[CONFIG], "Comment": "changed"}
    changed = api.ok("UpdateCloudFrontOriginAccessIdentity", Id=one, IfMatch=shown["ETag"], **{CONFIG: config})
    again = api.ok("GetCloudFrontOriginAccessIdentity", Id=one)
    assert again["ETag"] == changed["ETag"] != made["ETag"]
    assert again["CloudFrontOriginAccessIdentity"][CONFIG] == config
    assert again["CloudFrontOriginAccessIdentity"]["S3CanonicalUserId"] == user
    assert identity()["CloudFrontOriginAccessIdentity"]["S3CanonicalUserId"] != user
    api.ok("DeleteCloudFrontOriginAccessIdentity", Id=one, IfMatch=changed["ETag"])
    api.refused("GetCloudFrontOriginAccessIdentity", "NoSuchCloudFrontOriginAccessIdentity", why="wrong id", Id=one)


@pytest.mark.proves("CreateCloudFrontOriginAccessIdentity")
def test_the_same_request_gives_the_same_identity_even_at_the_same_time(api, unique):
    config = {"CallerReference": unique(), "Comment": "same"}
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(api.ok, "CreateCloudFrontOriginAccessIdentity", **{CONFIG: config}) for _ in range(8)]
        answers = [one.result() for one in asked]
    ids = {answer["CloudFrontOriginAccessIdentity"]["Id"] for answer in answers}
    assert len(ids) == 1
    api.refused("CreateCloudFrontOriginAccessIdentity", "CloudFrontOriginAccessIdentityAlreadyExists", why="taken",
                **{CONFIG: {**config, "Comment": "other"}})
    keys.drop(api, "DeleteCloudFrontOriginAccessIdentity", "GetCloudFrontOriginAccessIdentity", Id=ids.pop())


@pytest.mark.proves("ListCloudFrontOriginAccessIdentities")
def test_identities_are_listed_page_by_page(api, identity):
    made = {identity()["CloudFrontOriginAccessIdentity"]["Id"] for _ in range(3)}
    found, marker = [], ""
    while True:
        more = {"Marker": marker} if marker else {}
        page = api.ok("ListCloudFrontOriginAccessIdentities", MaxItems="1", **more)[CONFIG.replace("Config", "List")]
        assert page["Marker"] == marker and page["Quantity"] == 1 and page["MaxItems"] == 1
        found += [item["Id"] for item in page["Items"]]
        if not page["IsTruncated"]:
            break
        marker = page["NextMarker"]
    assert made <= set(found) and len(found) == len(set(found))
    listed = api.client.get_paginator("list_cloud_front_origin_access_identities").paginate(
        PaginationConfig={"PageSize": 2})
    items = [item["Id"] for page in listed for item in page["CloudFrontOriginAccessIdentityList"]["Items"]]
    assert made <= set(items)
    api.refused("ListCloudFrontOriginAccessIdentities", "InvalidArgument", why="out of range", MaxItems="0")


def test_mistakes_with_identities(api, unique, identity):
    made = identity()
    one, tag = made["CloudFrontOriginAccessIdentity"]["Id"], made["ETag"]
    config = made["CloudFrontOriginAccessIdentity"][CONFIG]

    def update(code, why, id=one, tag=tag, says=None, **changes):
        new = {name: value for name, value in {**config, **changes}.items() if value is not None}
        more = {"IfMatch": tag} if tag else {}
        api.refused("UpdateCloudFrontOriginAccessIdentity", code, why=why, says=says, Id=id, **more, **{CONFIG: new})
    update("NoSuchCloudFrontOriginAccessIdentity", "wrong id", id=NOBODY)
    update("PreconditionFailed", "stale etag", tag="E1")
    update("InvalidIfMatchVersion", "no etag", tag=None)
    update("IllegalUpdate", "other", CallerReference=unique())
    update("InvalidArgument", "out of range", says="Comment", Comment="x" * 129)
    update("MalformedXML", "missing field", says="Comment", Comment=None)
    create = "CreateCloudFrontOriginAccessIdentity"
    api.refused(create, "MalformedXML", why="missing field", **{CONFIG: {"Comment": ""}})
    api.refused(create, "InvalidArgument", why="out of range", **{CONFIG: {"CallerReference": "", "Comment": ""}})
    for operation in ("GetCloudFrontOriginAccessIdentity", "GetCloudFrontOriginAccessIdentityConfig"):
        api.refused(operation, "NoSuchCloudFrontOriginAccessIdentity", why="wrong id", Id=NOBODY)
    delete = "DeleteCloudFrontOriginAccessIdentity"
    api.refused(delete, "NoSuchCloudFrontOriginAccessIdentity", why="wrong id", Id=NOBODY, IfMatch=tag)
    api.refused(delete, "PreconditionFailed", why="stale etag", Id=one, IfMatch="E1")
    api.refused(delete, "InvalidIfMatchVersion", why="no etag", Id=one)


def bucket_origin(identity, domain="private.example", **more):
    """An origin that reads a bucket with an identity."""
    return {"Quantity": 1, "Items": [{
        "Id": "web", "DomainName": domain, "S3OriginConfig": {"OriginAccessIdentity": identity}, **more}]}


@pytest.mark.proves("DeleteCloudFrontOriginAccessIdentity")
def test_an_identity_cannot_go_while_a_distribution_reads_with_it(api, identity, distribution):
    made = identity()
    one = made["CloudFrontOriginAccessIdentity"]["Id"]
    kept = distribution(Origins=bucket_origin(f"origin-access-identity/cloudfront/{one}"))["Distribution"]["Id"]
    delete = "DeleteCloudFrontOriginAccessIdentity"
    in_use = "CloudFrontOriginAccessIdentityInUse"
    api.refused(delete, in_use, why="in use", says=kept, Id=one, IfMatch=made["ETag"])
    surface.forget(api, kept)
    api.ok(delete, Id=one, IfMatch=made["ETag"])


def test_origins_name_identities_that_are_there_and_nothing_beside(api, unique, identity):
    one = identity()["CloudFrontOriginAccessIdentity"]["Id"]

    def refused(code, why, says, origins):
        api.refused("CreateDistribution", code, why=why, says=says,
                    DistributionConfig=surface.config_of(unique(), Origins=origins))
    path = "Origins.Items[0].S3OriginConfig.OriginAccessIdentity"
    invalid = "InvalidOriginAccessIdentity"
    refused(invalid, "wrong id", path, bucket_origin(f"origin-access-identity/cloudfront/{NOBODY}"))
    refused(invalid, "other", path, bucket_origin(one))
    control = api.ok("CreateOriginAccessControl", OriginAccessControlConfig={
        "Name": unique(), "SigningProtocol": "sigv4", "SigningBehavior": "always", "OriginAccessControlOriginType": "s3"})
    control_id = control["OriginAccessControl"]["Id"]
    both = bucket_origin(f"origin-access-identity/cloudfront/{one}", OriginAccessControlId=control_id)
    refused("IllegalOriginAccessConfiguration", "other", path, both)
    api.ok("DeleteOriginAccessControl", Id=control_id, IfMatch=control["ETag"])


@pytest.mark.proves("CreateCloudFrontOriginAccessIdentity")
def test_an_identity_reads_a_private_bucket():
    with parts.S3() as s3:
        s3.bucket("private", {"secret.txt": b"for those who may"})
        with parts.Up(settings={"object_stores": {"private.example": s3.store("s3://private")}}) as near:
            client = near.client()
            made = client.create_cloud_front_origin_access_identity(
                CloudFrontOriginAccessIdentityConfig={"CallerReference": "one", "Comment": ""})
            one = made["CloudFrontOriginAccessIdentity"]["Id"]
            never = client.create_origin_access_control(OriginAccessControlConfig={
                "Name": "never", "SigningProtocol": "sigv4", "SigningBehavior": "never",
                "OriginAccessControlOriginType": "s3"})["OriginAccessControl"]["Id"]
            signed = {"S3OriginConfig": {"OriginAccessIdentity": f"origin-access-identity/cloudfront/{one}"}}
            origins = {"signed": signed, "unsigned": {"OriginAccessControlId": never}}
            status = {}
            for name, more in origins.items():
                origin = parts.s3_origin("private", "private.example", **more)
                domain = parts.deployed(near, parts.distribution(name, [origin]))
                answer = near.get(domain, "/secret.txt")
                status[name] = (answer.status, b"for those" in answer.body)
            assert status == {"signed": (200, True), "unsigned": (403, False)}
