"""Dry runs: answered as the real call would be, and nothing is written. Every call that a test of this folder makes with
`api.ok` is rehearsed like this as well: see `surface.Api.ok`."""

import json
import subprocess

import nearfront as parts
import pytest
import surface
from botocore.exceptions import ClientError


def headers(answer):
    return answer["ResponseMetadata"]["HTTPHeaders"]


def test_making_and_changing_are_rehearsed(api, own, unique, distribution):
    config = surface.config_of(unique())
    answer = api.dry("CreateDistribution", DistributionConfig=config)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert "created=1" in headers(answer)["x-nearfront-would-change"]
    api.refused("GetDistribution", "NoSuchDistribution", why="wrong id", Id=answer["Distribution"]["Id"])
    made = distribution()
    one, tag = made["Distribution"]["Id"], made["ETag"]
    config = {**made["Distribution"]["DistributionConfig"], "Comment": "new"}
    answer = api.dry("UpdateDistribution", Id=one, IfMatch=tag, DistributionConfig=config)
    assert headers(answer)["x-nearfront-difference"] == f'distribution/{one} Comment: "" -> "new"'
    assert headers(answer)["x-nearfront-differences"] == "1"
    kept = api.ok("GetDistributionConfig", Id=one)
    assert kept["ETag"] == tag and kept["DistributionConfig"]["Comment"] == ""
    assert len(own.get("history", Resource=one)["Versions"]) == 1


def test_what_would_be_refused_is_refused(api, unique, distribution):
    made = distribution()
    one, config = made["Distribution"]["Id"], made["Distribution"]["DistributionConfig"]
    for params, code in (
        ({"Id": one, "IfMatch": "E0", "DistributionConfig": config}, "PreconditionFailed"),
        ({"Id": one, "IfMatch": made["ETag"], "DistributionConfig": {**config, "CallerReference": "x"}}, "IllegalUpdate"),
        ({"Id": "E0", "IfMatch": made["ETag"], "DistributionConfig": config}, "NoSuchDistribution"),
    ):
        with pytest.raises(ClientError) as refused:
            api.dry("UpdateDistribution", **params)
        assert refused.value.response["Error"]["Code"] == code
        assert headers(refused.value.response)["x-nearfront-dry-run"] == "true"
    with pytest.raises(ClientError) as refused:
        api.dry("CreateDistribution", DistributionConfig=config)
    assert refused.value.response["Error"]["Code"] == "DistributionAlreadyExists"


def test_what_differs_is_told_within_bounds(api, distribution):
    made = distribution()
    config = made["Distribution"]["DistributionConfig"]
    behaviours = [{"PathPattern": f"/{number}", "TargetOriginId": "web", "ViewerProtocolPolicy": "allow-all",
                   "CachePolicyId": parts.CACHING_DISABLED} for number in range(60)]
    config["CacheBehaviors"] = {"Quantity": 60, "Items": behaviours}
    answer = api.dry("UpdateDistribution", Id=made["Distribution"]["Id"], IfMatch=made["ETag"], DistributionConfig=config)
    lines = headers(answer)["x-nearfront-difference"]
    assert int(headers(answer)["x-nearfront-differences"]) > 0 and len(lines) < 20 * 310


def test_a_word_that_is_neither_true_nor_false_writes_nothing(api, unique):
    api.headers.more = {"X-Nearfront-Dry-Run": "1"}
    try:
        with pytest.raises(ClientError) as refused:
            api.call("CreateDistribution", DistributionConfig=surface.config_of(unique()))
    finally:
        api.headers.more = {}
    assert refused.value.response["Error"]["Code"] == "InvalidArgument"


def test_a_file_is_held_against_what_stands(api, near, tmp_path, distribution):
    made = distribution()
    one, config = made["Distribution"]["Id"], made["Distribution"]["DistributionConfig"]
    file = tmp_path / "distribution.json"

    def check(changed, *more):
        file.write_text(json.dumps(changed))
        return subprocess.run([str(parts.BINARY), "check", str(file), "--against", one, "--data", str(near.data), *more],
                              capture_output=True, text=True)

    same = check(config)
    assert same.returncode == 0 and "nothing would change" in same.stdout, same.stdout + same.stderr
    other = check({**config, "Comment": "new"})
    assert other.returncode == 0 and 'Comment: "" -> "new"' in other.stdout
    told = json.loads(check({**config, "Comment": "new"}, "--json").stdout)
    assert told["ok"] and told["differences"] == ['Comment: "" -> "new"'] and told["lints"] == []
    moved = check({**config, "CallerReference": "another"}, "--json")
    assert moved.returncode == 1 and json.loads(moved.stdout)["faults"][0]["code"] == "IllegalUpdate"
    assert api.ok("GetDistributionConfig", Id=one)["ETag"] == made["ETag"]
