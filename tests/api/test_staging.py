"""Continuous deployment: staging distributions made, changed, promoted; policies made, attached, detached."""

import http.client
import itertools

import nearfront as parts
import pytest
import surface

HEADER = {"Type": "SingleHeader", "SingleHeaderConfig": {"Header": "aws-cf-cd-test", "Value": "1"}}
WEIGHT = {"Type": "SingleWeight", "SingleWeightConfig": {
    "Weight": 0.1, "SessionStickinessConfig": {"IdleTTL": 300, "MaximumTTL": 600}}}


def policy_of(name, traffic=None, **changes):
    return {"StagingDistributionDnsNames": {"Quantity": 1, "Items": [name]}, "Enabled": False,
            **({"TrafficConfig": traffic} if traffic else {}), **changes}


@pytest.fixture
def pair(api, unique, distribution):
    """A primary and a copy of it for staging, as answers of the API."""
    made = []

    def make(**changes):
        primary = distribution(**changes)
        copy = api.ok("CopyDistribution", PrimaryDistributionId=primary["Distribution"]["Id"], Staging=True,
                      IfMatch=primary["ETag"], CallerReference=unique("copy"))
        made.append(copy["Distribution"]["Id"])
        return primary, copy

    yield make
    for one in made:
        surface.forget(api, one)


@pytest.fixture
def policy(api):
    """Makes policies; they are detached and deleted afterwards."""
    made = []

    def make(name, traffic=None, **changes):
        answer = api.ok("CreateContinuousDeploymentPolicy",
                        ContinuousDeploymentPolicyConfig=policy_of(name, traffic, **changes))
        made.append(answer["ContinuousDeploymentPolicy"]["Id"])
        return answer

    yield make
    for one in made:
        detach_all(api, one)
        try:
            tag = api.call("GetContinuousDeploymentPolicy", Id=one)["ETag"]
        except api.client.exceptions.NoSuchContinuousDeploymentPolicy:
            continue
        api.call("DeleteContinuousDeploymentPolicy", Id=one, IfMatch=tag)


def detach_all(api, policy):
    for page in api.client.get_paginator("list_distributions").paginate():
        for one in page["DistributionList"].get("Items", []):
            attach(api, one["Id"], "", only=policy)


def attach(api, distribution, policy, only=None, **more):
    """Attaches a policy; `only`: if this one is attached now."""
    kept = api.call("GetDistributionConfig", Id=distribution)
    config = kept["DistributionConfig"]
    if only is not None and config["ContinuousDeploymentPolicyId"] != only:
        return None
    return api.call("UpdateDistribution", Id=distribution, IfMatch=kept["ETag"],
                    DistributionConfig={**config, "ContinuousDeploymentPolicyId": policy, **more})


def status_at(near, host):
    """What the edge says to a viewer of this name; none when it knows no such name."""
    try:
        return near.get(host, "/").status
    except http.client.HTTPException:
        return None


@pytest.mark.proves("CopyDistribution")
def test_a_copy_has_all_of_its_primary_but_what_belongs_to_the_primary(api, near, pair):
    primary, copy = pair(Comment="copied", DefaultRootObject="index.html")
    one, config = copy["Distribution"], copy["Distribution"]["DistributionConfig"]
    assert copy["Location"].endswith(f"/2020-05-31/distribution/{one['Id']}")
    assert config["Staging"] is True and config["Enabled"] is True
    old = primary["Distribution"]["DistributionConfig"]
    own = {"CallerReference", "Staging"}
    assert {key: config[key] for key in config if key not in own} == {key: old[key] for key in old if key not in own}
    assert api.ok("GetDistribution", Id=one["Id"])["Distribution"]["DomainName"] == one["DomainName"]
    parts.until(lambda: api.ok("GetDistribution", Id=one["Id"])["Distribution"]["Status"] == "Deployed", what="deployed")


@pytest.mark.proves("CopyDistribution")
def test_a_staging_distribution_has_no_viewers_by_itself(api, near, pair):
    primary, copy = pair()
    names = [answer["Distribution"]["DomainName"] for answer in (primary, copy)]
    stranger = status_at(near, f"d{'0' * 13}.nearfront.localhost")
    parts.until(lambda: status_at(near, names[0]) != stranger, what="the primary is served")
    assert status_at(near, names[1]) == stranger
    kept = api.ok("GetDistributionConfig", Id=copy["Distribution"]["Id"])
    changed = {**kept["DistributionConfig"], "Comment": "changed"}
    api.ok("UpdateDistribution", Id=copy["Distribution"]["Id"], IfMatch=kept["ETag"], DistributionConfig=changed)
    assert status_at(near, names[1]) == stranger


def test_a_copy_may_begin_disabled_and_its_flag_is_for_good(api, unique, distribution):
    primary = distribution()
    copy = api.ok("CopyDistribution", PrimaryDistributionId=primary["Distribution"]["Id"], Staging=True,
                  IfMatch=primary["ETag"], CallerReference=unique("copy"), Enabled=False)
    one = copy["Distribution"]
    try:
        assert one["DistributionConfig"]["Enabled"] is False
        api.refused("UpdateDistribution", "IllegalUpdate", Id=one["Id"], IfMatch=copy["ETag"], says="Staging",
                    DistributionConfig={**one["DistributionConfig"], "Staging": False})
    finally:
        surface.forget(api, one["Id"])
    api.refused("GetDistribution", "NoSuchDistribution", why="wrong id", Id=one["Id"])


def test_copies_are_refused(api, unique, distribution):
    primary = distribution()
    right = {"PrimaryDistributionId": primary["Distribution"]["Id"], "Staging": True, "IfMatch": primary["ETag"],
             "CallerReference": unique("copy")}
    stale = distribution()["ETag"]

    def refused(code, why="other", **changes):
        given = {key: value for key, value in {**right, **changes}.items() if value is not None}
        return api.refused("CopyDistribution", code, why=why, **given)

    refused("NoSuchDistribution", "wrong id", PrimaryDistributionId="ENOSUCH")
    refused("PreconditionFailed", "stale etag", IfMatch=stale)
    refused("InvalidIfMatchVersion", "no etag", IfMatch=None)
    refused("MalformedXML", "missing field", CallerReference=None, Enabled=False)
    refused("InvalidArgument", "out of range", CallerReference="x" * 3000)
    refused("InvalidArgument", "missing field", Staging=None)
    refused("InvalidArgument", "out of range", Staging=False)
    taken = primary["Distribution"]["DistributionConfig"]["CallerReference"]
    refused("DistributionAlreadyExists", "taken", CallerReference=taken)


def test_what_a_staging_distribution_may_not_have(api, pair):
    primary, copy = pair()
    one, tag, config = copy["Distribution"]["Id"], copy["ETag"], copy["Distribution"]["DistributionConfig"]

    def refused(code, says, **changes):
        api.refused("UpdateDistribution", code, why="out of range", says=says, Id=one, IfMatch=tag,
                    DistributionConfig={**config, **changes})

    refused("InvalidArgument", "Aliases", Aliases={"Quantity": 1, "Items": ["staging.example.com"]})
    refused("InvalidArgument", "HttpVersion", HttpVersion="http2and3")
    refused("InvalidArgument", "ContinuousDeploymentPolicyId", ContinuousDeploymentPolicyId="x")
    api.refused("CopyDistribution", "InvalidArgument", PrimaryDistributionId=one, Staging=True, IfMatch=tag,
                CallerReference="copy of a copy")


@pytest.mark.proves("UpdateDistributionWithStagingConfig")
@pytest.mark.parametrize("comma", [",", ", "])
def test_what_was_tried_is_promoted(api, near, pair, comma):
    primary, copy = pair(Comment="before")
    staged = copy["Distribution"]
    config = {**staged["DistributionConfig"], "Comment": "after", "DefaultRootObject": "home.html"}
    tried = api.ok("UpdateDistribution", Id=staged["Id"], IfMatch=copy["ETag"], DistributionConfig=config)
    one, old = primary["Distribution"]["Id"], primary["Distribution"]["DistributionConfig"]
    promoted = api.ok("UpdateDistributionWithStagingConfig", Id=one, StagingDistributionId=staged["Id"],
                      IfMatch=f"{primary['ETag']}{comma}{tried['ETag']}")
    now = promoted["Distribution"]["DistributionConfig"]
    assert promoted["ETag"] not in (primary["ETag"], tried["ETag"])
    assert (now["Comment"], now["DefaultRootObject"]) == ("after", "home.html")
    assert now["Staging"] is False and now["CallerReference"] == old["CallerReference"]
    kept = api.ok("GetDistributionConfig", Id=one)
    assert kept["DistributionConfig"] == now and kept["ETag"] == promoted["ETag"]
    assert api.ok("GetDistribution", Id=staged["Id"])["ETag"] == tried["ETag"]


@pytest.mark.proves("UpdateDistributionWithStagingConfig")
def test_viewers_of_the_primary_get_what_was_promoted(api, near, pair):
    primary, copy = pair()
    host = primary["Distribution"]["DomainName"]
    stranger = status_at(near, f"d{'0' * 13}.nearfront.localhost")
    parts.until(lambda: status_at(near, host) != stranger, what="the primary is served")
    config = copy["Distribution"]["DistributionConfig"]
    config["DefaultCacheBehavior"]["ViewerProtocolPolicy"] = "redirect-to-https"
    tried = api.ok("UpdateDistribution", Id=copy["Distribution"]["Id"], IfMatch=copy["ETag"], DistributionConfig=config)
    assert status_at(near, host) != 301
    api.ok("UpdateDistributionWithStagingConfig", Id=primary["Distribution"]["Id"],
           StagingDistributionId=copy["Distribution"]["Id"], IfMatch=f"{primary['ETag']}, {tried['ETag']}")
    parts.until(lambda: status_at(near, host) == 301, what="the promoted behaviour")


def test_promotions_are_refused(api, pair, distribution):
    primary, copy = pair()
    one, staged = primary["Distribution"]["Id"], copy["Distribution"]["Id"]
    both = f"{primary['ETag']}, {copy['ETag']}"
    other = distribution()

    def refused(code, why="other", **changes):
        right = {"Id": one, "StagingDistributionId": staged, "IfMatch": both}
        given = {key: value for key, value in {**right, **changes}.items() if value is not None}
        api.refused("UpdateDistributionWithStagingConfig", code, why=why, **given)

    refused("NoSuchDistribution", "wrong id", Id="ENOSUCH")
    refused("NoSuchDistribution", "wrong id", StagingDistributionId="ENOSUCH")
    refused("PreconditionFailed", "stale etag", IfMatch=f"{primary['ETag']}, {primary['ETag']}")
    refused("PreconditionFailed", "stale etag", IfMatch=f"{copy['ETag']}, {copy['ETag']}")
    refused("PreconditionFailed", "stale etag", IfMatch=f"{copy['ETag']}, {primary['ETag']}")
    refused("InvalidIfMatchVersion", "no etag", IfMatch=primary["ETag"])
    refused("InvalidIfMatchVersion", "no etag", IfMatch=None)
    refused("InvalidIfMatchVersion", "out of range", IfMatch=f"{both}, {both}")
    refused("InvalidArgument", "missing field", StagingDistributionId=None)
    refused("IllegalUpdate", StagingDistributionId=other["Distribution"]["Id"],
            IfMatch=f"{primary['ETag']}, {other['ETag']}")
    refused("InvalidArgument", Id=staged, StagingDistributionId=staged)


def test_the_primary_keeps_its_aliases(api, pair):
    primary, copy = pair(Aliases={"Quantity": 1, "Items": ["promote-me.nearfront.localhost"]})
    assert copy["Distribution"]["DistributionConfig"]["Aliases"] == {"Quantity": 0}
    now = api.ok("UpdateDistributionWithStagingConfig", Id=primary["Distribution"]["Id"],
                 StagingDistributionId=copy["Distribution"]["Id"], IfMatch=f"{primary['ETag']},{copy['ETag']}")
    assert now["Distribution"]["DistributionConfig"]["Aliases"]["Items"] == ["promote-me.nearfront.localhost"]


@pytest.mark.proves("CreateContinuousDeploymentPolicy", "GetContinuousDeploymentPolicy",
                    "GetContinuousDeploymentPolicyConfig", "UpdateContinuousDeploymentPolicy",
                    "DeleteContinuousDeploymentPolicy", "ListContinuousDeploymentPolicies")
def test_a_policy_lives_and_is_gone(api, pair, policy):
    _, copy = pair()
    name = copy["Distribution"]["DomainName"]
    made = policy(name, WEIGHT)
    one = made["ContinuousDeploymentPolicy"]["Id"]
    assert made["Location"].endswith(f"/continuous-deployment-policy/{one}")
    shown = api.ok("GetContinuousDeploymentPolicyConfig", Id=one)
    assert shown["ETag"] == made["ETag"]
    assert shown["ContinuousDeploymentPolicyConfig"] == policy_of(name, WEIGHT)
    changed = api.ok("UpdateContinuousDeploymentPolicy", Id=one, IfMatch=made["ETag"],
                     ContinuousDeploymentPolicyConfig=policy_of(name.upper(), HEADER))
    assert changed["ETag"] != made["ETag"]
    got = api.ok("GetContinuousDeploymentPolicy", Id=one)
    assert got["ContinuousDeploymentPolicy"] == changed["ContinuousDeploymentPolicy"]
    assert got["ContinuousDeploymentPolicy"]["ContinuousDeploymentPolicyConfig"] == policy_of(name, HEADER)
    listed = everything(api)
    assert [item["ContinuousDeploymentPolicy"] for item in listed
            if item["ContinuousDeploymentPolicy"]["Id"] == one] == [got["ContinuousDeploymentPolicy"]]
    api.ok("DeleteContinuousDeploymentPolicy", Id=one, IfMatch=changed["ETag"])
    api.refused("GetContinuousDeploymentPolicy", "NoSuchContinuousDeploymentPolicy", why="wrong id", Id=one)


def everything(api):
    """All policies, one to a page."""
    found, marker = [], {}
    for _ in itertools.count():
        page = api.ok("ListContinuousDeploymentPolicies", MaxItems="1", **marker)["ContinuousDeploymentPolicyList"]
        assert page["MaxItems"] == 1 and page["Quantity"] == len(page.get("Items", [])) <= 1
        found.extend(page.get("Items", []))
        if "NextMarker" not in page:
            return found
        marker = {"Marker": page["NextMarker"]}


def test_lists_of_policies_are_refused(api):
    api.refused("ListContinuousDeploymentPolicies", "InvalidArgument", why="out of range", MaxItems="0")
    api.refused("ListContinuousDeploymentPolicies", "InvalidArgument", why="out of range", Marker="a/b")


def test_policies_are_refused(api, pair, policy, distribution):
    _, copy = pair()
    name = copy["Distribution"]["DomainName"]
    create = "CreateContinuousDeploymentPolicy"

    def refused(code, why="out of range", says=None, **config):
        api.refused(create, code, why=why, says=says, ContinuousDeploymentPolicyConfig=config)

    refused("UnsupportedOperation", "not honoured", "ContinuousDeploymentPolicyConfig.Enabled",
            **policy_of(name, WEIGHT, Enabled=True))
    refused("MalformedXML", "missing field", Enabled=False)
    refused("InconsistentQuantities", **policy_of(name, StagingDistributionDnsNames={"Quantity": 2, "Items": [name]}))
    refused("InvalidArgument", **policy_of(name, StagingDistributionDnsNames={"Quantity": 0}))
    refused("InvalidArgument", "wrong id", "assigned name", **policy_of(f"d{'0' * 13}.nearfront.localhost"))
    refused("InvalidArgument", "wrong id", "assigned name", **policy_of(name.replace("nearfront", "elsewhere")))
    primary = distribution()["Distribution"]["DomainName"]
    refused("InvalidArgument", "wrong id", "assigned name", **policy_of(primary))
    heavy = {"Type": "SingleWeight", "SingleWeightConfig": {"Weight": 0.16}}
    refused("InvalidArgument", says="Weight", **policy_of(name, heavy))
    refused("InvalidArgument", says="Type", **policy_of(name, {**WEIGHT, "Type": "SingleHeader"}))
    refused("InvalidArgument", says="Type", **policy_of(name, {"Type": "SingleWeight"}))
    for idle, most, says in [(299, 600, "IdleTTL"), (300, 3601, "MaximumTTL"), (600, 300, "IdleTTL is greater")]:
        sticky = {"Weight": 0.1, "SessionStickinessConfig": {"IdleTTL": idle, "MaximumTTL": most}}
        refused("InvalidArgument", says=says, **policy_of(name, {"Type": "SingleWeight", "SingleWeightConfig": sticky}))
    for header, value, says in [("x-test", "1", "Header"), ("aws-cf-cd-", "1", "Header"), ("aws-cf-cd-a b", "1", "Header"),
                                ("aws-cf-cd-a", "", "Value"), ("aws-cf-cd-a", "x" * 1784, "Value")]:
        single = {"Type": "SingleHeader", "SingleHeaderConfig": {"Header": header, "Value": value}}
        refused("InvalidArgument", says=says, **policy_of(name, single))
    policy(name, WEIGHT)
    refused("ContinuousDeploymentPolicyAlreadyExists", "taken", **policy_of(name, WEIGHT))
    refused("StagingDistributionInUse", "taken", **policy_of(name, HEADER))


def test_changes_of_policies_are_refused(api, pair, policy):
    (_, first), (_, second) = pair(), pair()
    names = [copy["Distribution"]["DomainName"] for copy in (first, second)]
    made, other = policy(names[0], HEADER), policy(names[1], HEADER)
    one = made["ContinuousDeploymentPolicy"]["Id"]
    for operation, more in [("UpdateContinuousDeploymentPolicy",
                             {"ContinuousDeploymentPolicyConfig": policy_of(names[0], WEIGHT)}),
                            ("DeleteContinuousDeploymentPolicy", {})]:
        api.refused(operation, "PreconditionFailed", why="stale etag", Id=one, IfMatch=other["ETag"], **more)
        api.refused(operation, "InvalidIfMatchVersion", why="no etag", Id=one, **more)
        api.refused(operation, "NoSuchContinuousDeploymentPolicy", why="wrong id", Id="no-such", IfMatch="E1", **more)
    for wrong, code, why in [(policy_of(names[1], HEADER), "StagingDistributionInUse", "taken"),
                             (policy_of(names[0], Enabled=True), "InvalidArgument", "not honoured"),
                             ({"Enabled": False}, "MalformedXML", "missing field")]:
        code = "UnsupportedOperation" if why == "not honoured" else code
        api.refused("UpdateContinuousDeploymentPolicy", code, why=why, Id=one, IfMatch=made["ETag"],
                    ContinuousDeploymentPolicyConfig=wrong)
    for operation in ("GetContinuousDeploymentPolicy", "GetContinuousDeploymentPolicyConfig"):
        api.refused(operation, "NoSuchContinuousDeploymentPolicy", why="wrong id", Id="no-such")


@pytest.mark.proves("UpdateContinuousDeploymentPolicy")
def test_a_policy_may_move_to_another_staging_distribution(api, pair, policy):
    (_, first), (_, second) = pair(), pair()
    made = policy(first["Distribution"]["DomainName"])
    moved = policy_of(second["Distribution"]["DomainName"])
    api.ok("UpdateContinuousDeploymentPolicy", Id=made["ContinuousDeploymentPolicy"]["Id"], IfMatch=made["ETag"],
           ContinuousDeploymentPolicyConfig=moved)
    policy(first["Distribution"]["DomainName"])


@pytest.mark.proves("CreateContinuousDeploymentPolicy", "DeleteContinuousDeploymentPolicy", "DeleteDistribution")
def test_what_is_attached_is_guarded(api, pair, policy):
    primary, copy = pair()
    other, _ = pair()
    made = policy(copy["Distribution"]["DomainName"], HEADER)
    one = made["ContinuousDeploymentPolicy"]["Id"]
    attached = attach(api, primary["Distribution"]["Id"], one)
    assert attached["Distribution"]["DistributionConfig"]["ContinuousDeploymentPolicyId"] == one
    api.refused("DeleteContinuousDeploymentPolicy", "ContinuousDeploymentPolicyInUse", why="in use", Id=one,
                IfMatch=made["ETag"])
    with pytest.raises(api.client.exceptions.ContinuousDeploymentPolicyInUse):
        attach(api, other["Distribution"]["Id"], one)
    with pytest.raises(api.client.exceptions.NoSuchContinuousDeploymentPolicy):
        attach(api, other["Distribution"]["Id"], "0b1c5a3e-0000-4000-8000-000000000000")
    with pytest.raises(api.client.exceptions.InvalidArgument):
        attach(api, primary["Distribution"]["Id"], one, HttpVersion="http3")
    staged = copy["Distribution"]
    off = api.ok("UpdateDistribution", Id=staged["Id"], IfMatch=copy["ETag"],
                 DistributionConfig={**staged["DistributionConfig"], "Enabled": False})
    parts.until(lambda: api.call("GetDistribution", Id=staged["Id"])["Distribution"]["Status"] == "Deployed", what="off")
    api.refused("DeleteDistribution", "ResourceInUse", why="in use", Id=staged["Id"], IfMatch=off["ETag"])
    attach(api, primary["Distribution"]["Id"], "")
    attach(api, other["Distribution"]["Id"], one)


@pytest.mark.proves("UpdateDistributionWithStagingConfig")
def test_a_policy_says_which_staging_distribution_is_promoted(api, pair, policy):
    primary, copy = pair()
    _, stranger = pair()
    made = policy(copy["Distribution"]["DomainName"])
    attached = attach(api, primary["Distribution"]["Id"], made["ContinuousDeploymentPolicy"]["Id"])
    one = primary["Distribution"]["Id"]
    api.refused("UpdateDistributionWithStagingConfig", "IllegalUpdate", Id=one, says="policy",
                StagingDistributionId=stranger["Distribution"]["Id"], IfMatch=f"{attached['ETag']}, {stranger['ETag']}")
    now = api.ok("UpdateDistributionWithStagingConfig", Id=one, IfMatch=f"{attached['ETag']}, {copy['ETag']}")
    kept = now["Distribution"]["DistributionConfig"]["ContinuousDeploymentPolicyId"]
    assert kept == made["ContinuousDeploymentPolicy"]["Id"]


def test_changes_of_policies_stay_within_their_ranges(api, pair, policy):
    """What is out of range when a policy is made is so when it is changed; it stays as it was."""
    _, copy = pair()
    name = copy["Distribution"]["DomainName"]
    made = policy(name)
    one, tag = made["ContinuousDeploymentPolicy"]["Id"], made["ETag"]
    weight = WEIGHT["SingleWeightConfig"]
    wrong = [{"Type": "SingleWeight", "SingleWeightConfig": {**weight, "Weight": 0.5}},
             {"Type": "SingleWeight", "SingleWeightConfig": {
                 "Weight": 0.1, "SessionStickinessConfig": {"IdleTTL": 1, "MaximumTTL": 600}}},
             {"Type": "SingleHeader", "SingleHeaderConfig": {"Header": "x-other", "Value": "1"}}]
    for traffic in wrong:
        api.refused("UpdateContinuousDeploymentPolicy", "InvalidArgument", why="out of range", Id=one, IfMatch=tag,
                    ContinuousDeploymentPolicyConfig=policy_of(name, traffic))
    assert api.call("GetContinuousDeploymentPolicy", Id=one)["ETag"] == tag
