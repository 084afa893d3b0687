"""Invalidations: what they do at the edge, and what is wrong with them."""

import nearfront as parts
import pytest
import surface

NOBODY = "E0000000000000"
OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"


def batch(reference, *paths):
    return {"CallerReference": reference, "Paths": {"Quantity": len(paths), "Items": list(paths)}}


@pytest.fixture(scope="module")
def standing(api):
    made = api.call("CreateDistribution", DistributionConfig=surface.config_of("of invalidations"))["Distribution"]["Id"]
    yield made
    surface.forget(api, made)


@pytest.mark.proves("CreateInvalidation", "GetInvalidation")
def test_what_is_invalidated_is_asked_for_again(api, near, unique, distribution):
    with parts.Origin({"/a/1": b"one", "/b": b"two"}) as web:
        origin = {"Id": "web", "DomainName": "127.0.0.1",
                  "CustomOriginConfig": {"HTTPPort": web.port, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}}
        behaviour = {**surface.config_of("x")["DefaultCacheBehavior"], "CachePolicyId": OPTIMIZED}
        made = distribution(Origins={"Quantity": 1, "Items": [origin]}, DefaultCacheBehavior=behaviour)["Distribution"]
        api.client.get_waiter("distribution_deployed").wait(Id=made["Id"], WaiterConfig={"Delay": 1})
        cached = lambda path: near.get(made["DomainName"], path).cache
        assert [cached("/a/1"), cached("/a/1"), cached("/b"), cached("/b")] == ["Miss", "Hit", "Miss", "Hit"]
        answer = api.ok("CreateInvalidation", DistributionId=made["Id"], InvalidationBatch=batch(unique(), "/a/*"))
        one = answer["Invalidation"]["Id"]
        assert answer["Location"].endswith(f"/invalidation/{one}")
        api.client.get_waiter("invalidation_completed").wait(DistributionId=made["Id"], Id=one, WaiterConfig={"Delay": 1})
        assert [cached("/a/1"), cached("/b")] == ["Miss", "Hit"]
        shown = api.ok("GetInvalidation", DistributionId=made["Id"], Id=one)["Invalidation"]
        assert shown["InvalidationBatch"]["Paths"]["Items"] == ["/a/*"] and shown["Status"] == "Completed"


@pytest.mark.proves("ListInvalidations")
def test_the_newest_come_first_in_pages(api, unique, distribution):
    one = distribution()["Distribution"]["Id"]
    made = [api.ok("CreateInvalidation", DistributionId=one, InvalidationBatch=batch(unique(), f"/{n}"))["Invalidation"]["Id"]
            for n in range(5)]
    pages = api.client.get_paginator("list_invalidations").paginate(DistributionId=one, PaginationConfig={"PageSize": 2})
    found = [item["Id"] for page in pages for item in page["InvalidationList"].get("Items", [])]
    assert found == made[::-1]
    page = api.ok("ListInvalidations", DistributionId=one, MaxItems="2")["InvalidationList"]
    assert page["IsTruncated"] and page["Quantity"] == 2
    for wrong in ("0", "x", "-3"):
        api.refused("ListInvalidations", "InvalidArgument", why="out of range", DistributionId=one, MaxItems=wrong)


def test_a_caller_reference_means_one_invalidation(api, unique, standing):
    reference = unique()
    first = api.ok("CreateInvalidation", DistributionId=standing, InvalidationBatch=batch(reference, "/a"))
    again = api.ok("CreateInvalidation", DistributionId=standing, InvalidationBatch=batch(reference, "/a"))
    assert first["Invalidation"]["Id"] == again["Invalidation"]["Id"]
    api.refused("CreateInvalidation", "InvalidationBatchAlreadyExists", why="taken", DistributionId=standing,
                InvalidationBatch=batch(reference, "/b"))


def test_ids_that_are_wrong(api, unique, standing):
    body = batch(unique(), "/a")
    for wrong in (NOBODY, "x", "é"):
        api.refused("CreateInvalidation", "NoSuchDistribution", why="wrong id", DistributionId=wrong, InvalidationBatch=body)
        api.refused("GetInvalidation", "NoSuchDistribution", why="wrong id", DistributionId=wrong, Id="I0")
        api.refused("ListInvalidations", "NoSuchDistribution", why="wrong id", DistributionId=wrong)
        api.refused("GetInvalidation", "NoSuchInvalidation", why="wrong id", DistributionId=standing, Id=wrong)


@pytest.mark.parametrize("paths,code", [
    ([], "InvalidArgument"), (["a"], "InvalidArgument"), ([""], "InvalidArgument"), (["/" + "a" * 4000], "InvalidArgument"),
    (["/a b"], "InvalidArgument"), (["/ä"], "InvalidArgument"), (["#tag"], "InvalidArgument")], ids=str)
def test_paths_out_of_range_are_refused_by_place(api, unique, standing, paths, code):
    api.refused("CreateInvalidation", code, why="out of range", says="Paths", DistributionId=standing,
                InvalidationBatch=batch(unique(), *paths))


def test_every_path_that_is_wrong_is_told(api, unique, standing):
    message = api.refused("CreateInvalidation", "InvalidArgument", why="out of range", DistributionId=standing,
                          InvalidationBatch=batch(unique(), "/fine", "one", "/fine too?", "two"))["Message"]
    assert "Paths.Items[1]" in message and "Paths.Items[3]" in message and "Paths.Items[0]" not in message


def test_members_that_are_missing(api, unique, standing):
    whole = batch(unique(), "/a")
    for member in whole:
        wrong = {name: value for name, value in whole.items() if name != member}
        api.refused("CreateInvalidation", "MalformedXML", why="missing field", says=f"InvalidationBatch.{member}",
                    DistributionId=standing, InvalidationBatch=wrong)
    api.refused("CreateInvalidation", "MissingBody", why="missing field", DistributionId=standing)
    api.refused("CreateInvalidation", "InvalidArgument", why="out of range", says="CallerReference", DistributionId=standing,
                InvalidationBatch=batch("", "/a"))
    api.refused("CreateInvalidation", "InconsistentQuantities", why="out of range", DistributionId=standing,
                InvalidationBatch={"CallerReference": unique(), "Paths": {"Quantity": 3, "Items": ["/a"]}})
