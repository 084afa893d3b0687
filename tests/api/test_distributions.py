"""Distributions through their whole life, by an unmodified client."""

import pytest
import surface


@pytest.mark.proves("CreateDistribution", "GetDistribution", "GetDistributionConfig", "UpdateDistribution",
                    "DeleteDistribution", "ListDistributions")
def test_a_distribution_lives_and_is_gone(api, near, unique):
    made = api.ok("CreateDistribution", DistributionConfig=surface.config_of(unique()))
    one = made["Distribution"]["Id"]
    assert made["Location"].endswith(f"/2020-05-31/distribution/{one}")
    shown = api.ok("GetDistributionConfig", Id=one)
    config = {**shown["DistributionConfig"], "Comment": "changed"}
    changed = api.ok("UpdateDistribution", Id=one, IfMatch=shown["ETag"], DistributionConfig=config)
    assert changed["ETag"] != shown["ETag"]
    assert api.ok("GetDistribution", Id=one)["Distribution"]["DistributionConfig"]["Comment"] == "changed"
    assert one in [item["Id"] for item in api.ok("ListDistributions")["DistributionList"]["Items"]]
    surface.forget(api, one)
    api.refused("GetDistribution", "NoSuchDistribution", why="wrong id", Id=one)
