"""Who changed what and when, what differs, and the way back: by API and on the command line."""

import json
import subprocess

import nearfront as parts
import pytest
import surface


@pytest.fixture
def cli(near):
    """Runs `nearfront COMMAND …` against the running one."""
    def run(command, *args, status=0):
        ran = subprocess.run([str(parts.BINARY), command, "--data", str(near.data), *map(str, args)], capture_output=True,
                             text=True)
        assert ran.returncode == status, f"{ran.returncode}: {ran.stdout} {ran.stderr}"
        return ran.stdout if status == 0 else ran.stderr
    return run


def change(api, one, **changes):
    """Updates a distribution; its new tag."""
    kept = api.call("GetDistributionConfig", Id=one)
    config = {**kept["DistributionConfig"], **changes}
    return api.call("UpdateDistribution", Id=one, IfMatch=kept["ETag"], DistributionConfig=config)


def test_every_change_is_told_with_who_and_how(api, own, distribution):
    made = distribution()
    one, arn = made["Distribution"]["Id"], made["Distribution"]["ARN"]
    changed = change(api, one, Comment="new")
    told = own.get("history", Resource=arn)
    assert told["Resource"] == arn
    assert [(version["Version"], version["What"], version["Operation"]) for version in told["Versions"]] == [
        (2, "Changed", "UpdateDistribution"), (1, "Created", "CreateDistribution")]
    newest = told["Versions"][0]
    assert newest["RequestId"] == changed["ResponseMetadata"]["RequestId"]
    assert newest["By"] and newest["At"].endswith("Z")
    whole = own.get("version", Resource=one, Version=1)
    assert whole["State"]["config"]["Comment"] == ""
    assert own.get("diff", Resource=one)["Differences"] == [{"Path": "Comment", "Before": "", "After": "new"}]


def test_pages_of_history_follow_each_other(api, own, distribution):
    one = distribution()["Distribution"]["Id"]
    for number in range(4):
        change(api, one, Comment=str(number))
    first = own.get("history", Resource=one, MaxItems=2)
    second = own.get("history", Resource=one, MaxItems=3, Marker=first["NextMarker"])
    assert [version["Version"] for version in first["Versions"] + second["Versions"]] == [5, 4, 3, 2, 1]
    assert "NextMarker" not in second


def test_behaviours_are_told_apart_by_their_patterns(api, own, distribution):
    behaviour = {"TargetOriginId": "web", "ViewerProtocolPolicy": "allow-all", "MinTTL": 0,
                 "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}}}
    listed = [{**behaviour, "PathPattern": pattern} for pattern in ("/a", "/b", "/c")]
    one = distribution(CacheBehaviors={"Quantity": 3, "Items": listed})["Distribution"]["Id"]
    listed[2]["MinTTL"] = 60
    change(api, one, CacheBehaviors={"Quantity": 3, "Items": listed})
    assert own.get("diff", Resource=one)["Differences"] == [
        {"Path": "CacheBehaviors.Items[2].MinTTL", "Before": 0, "After": 60}]


def test_a_policy_is_found_by_its_name_and_has_a_history_of_its_own(api, own, unique, distribution):
    name = unique("policy")
    config = {"Name": name, "MinTTL": 0, "DefaultTTL": 1, "MaxTTL": 2}
    policy = api.ok("CreateCachePolicy", CachePolicyConfig=config)
    one = policy["CachePolicy"]["Id"]
    behaviour = {**surface.config_of("x")["DefaultCacheBehavior"], "CachePolicyId": one}
    user = distribution(DefaultCacheBehavior=behaviour)["Distribution"]["Id"]
    api.ok("UpdateCachePolicy", Id=one, IfMatch=policy["ETag"], CachePolicyConfig={**config, "MaxTTL": 9})
    assert len(own.get("history", Resource=name)["Versions"]) == 2
    assert len(own.get("history", Resource=user)["Versions"]) == 1, "published again, but not changed"
    assert own.get("named", Kind="cache-policy", Name=name)["Id"] == one
    surface.forget(api, user)
    api.ok("DeleteCachePolicy", Id=one, IfMatch=api.call("GetCachePolicy", Id=one)["ETag"])
    assert own.get("history", Resource=one)["Versions"][0]["What"] == "Deleted"
    assert any(gone["Resource"].endswith(one) for gone in own.get("deleted")["Resources"])


@pytest.mark.parametrize("query, status, code", [
    ({"Resource": "E00000000000"}, 404, "NoSuchResource"),
    ({"Resource": "certificate/zone"}, 404, "NoSuchResource"),
    ({"Resource": "access-key/AKIA"}, 404, "NoSuchResource"),
    ({"Resource": "../../x"}, 404, "NoSuchResource"),
    ({"Resource": ""}, 400, "InvalidArgument"),
])
def test_what_has_no_history_is_said_to_have_none(own, query, status, code):
    for path in ("history", "version", "diff"):
        given, headers, body = own.call("GET", path, **query)
        assert (given, headers["x-amzn-errortype"]) == (status, code) and body["Message"]


def test_numbers_that_are_none_are_refused(own, distribution):
    one = distribution()["Distribution"]["Id"]
    for query in ({"Version": "x"}, {"Version": "-1"}):
        assert own.call("GET", "version", Resource=one, **query)[0] == 400
    assert own.call("GET", "version", Resource=one, Version="99999999999999")[0] == 404
    assert own.call("GET", "nothing", Resource=one)[0] == 404


def test_unsigned_questions_are_not_answered(near):
    stranger = surface.Own(f"http://{near.run['control']}", "AKIAAAAAAAAAAAAAAAAA", "x" * 40)
    assert stranger.call("GET", "deleted")[0] == 403


def test_the_command_line_shows_history_differences_and_goes_back(api, cli, distribution):
    one = distribution()["Distribution"]["Id"]
    change(api, one, Comment="new")
    shown = cli("history", one)
    assert "UpdateDistribution" in shown and "CreateDistribution" in shown
    assert json.loads(cli("history", one, "--json"))["Versions"][0]["Version"] == 2
    assert 'Comment: "" -> "new"' in cli("diff", one)
    assert 'Comment: "new" -> ""' in cli("diff", one, 2, 1)
    assert "CallerReference" in cli("diff", one, 1), "what the first version has made"
    tried = cli("rollback", one, 1, "--dry-run")
    assert "nothing was changed" in tried and 'Comment: "new" -> ""' in tried
    assert len(json.loads(cli("history", one, "--json"))["Versions"]) == 2
    done = json.loads(cli("rollback", one, 1, "--json"))
    assert (done["Version"], done["RolledBackTo"], done["DryRun"]) == (3, 1, False)
    kept = api.ok("GetDistributionConfig", Id=one)
    assert kept["DistributionConfig"]["Comment"] == "" and kept["ETag"] == done["ETag"]


def test_the_command_line_fails_with_a_reason(api, cli, distribution):
    one = distribution()["Distribution"]["Id"]
    assert "not kept" in cli("rollback", one, 7, status=1)
    assert "412" in cli("rollback", one, 1, "--if-match", "E0", status=1)
    assert "NoSuchResource" in cli("history", "E0000000000000", status=1)
    assert "Usage" in cli("rollback", one, status=2)
    for command in ("history", "diff", "rollback"):
        assert "Usage: nearfront" in cli(command, "--help")


def test_what_was_deleted_is_made_anew(api, cli, own, unique, near):
    made = api.ok("CreateDistribution", DistributionConfig=surface.config_of(unique(), Comment="gone"))
    one = made["Distribution"]["Id"]
    surface.forget(api, one)
    assert one in cli("history")
    anew = json.loads(cli("rollback", one, 1, "--json"))
    assert anew["MadeAnew"] is True
    other = anew["Resource"].rsplit("/", 1)[1]
    assert api.ok("GetDistribution", Id=other)["Distribution"]["DistributionConfig"]["Comment"] == "gone"
    surface.forget(api, other)
