"""The command line: help on every level, exit statuses, `check`, and what a fleet needs."""

import json
import subprocess

import pytest

from nearfront import BINARY, distribution, http_origin


def run(*args, env=None):
    return subprocess.run([str(BINARY), *map(str, args)], capture_output=True, text=True, env=env)


COMMANDS = ["up", "edge", "control", "dns", "env", "check", "history", "diff", "rollback", "import"]


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
def test_help_stands_on_every_level(command):
    ran = run(*command, "--help")
    assert ran.returncode == 0 and "Usage: nearfront" in ran.stdout


@pytest.mark.parametrize("args", [[], ["upp"], ["up", "--sight", "."], ["check"], ["diff"], ["rollback", "E1"]])
def test_wrong_usage_is_2(args):
    ran = run(*args)
    assert ran.returncode == 2 and "Usage" in ran.stderr


@pytest.mark.parametrize("args", [["rollback", "E1", "first"], ["diff", "E1", "-1"], ["import", "--certificate", "arn"]])
def test_values_of_the_wrong_kind_are_2(args):
    ran = run(*args)
    assert ran.returncode == 2 and ran.stderr.startswith("error: ")


@pytest.mark.parametrize("service", ["edge", "control", "dns"])
def test_a_fleet_needs_a_shared_store(service, tmp_path):
    ran = run(service, "--data", tmp_path / "data", env={"NEARFRONT__ADMIN__LISTEN": "127.0.0.1:0"})
    assert ran.returncode == 1
    assert "needs a shared metadata store" in ran.stderr and "redis://" in ran.stderr


def test_all_faults_of_settings_are_told_at_once(tmp_path):
    file = tmp_path / "nearfront.toml"
    file.write_text('zone = "UPPER"\n[edge]\nhtp = 1\n')
    ran = run("check", file, "--json", env={"NEARFRONT__DNS__TTL": "soon"})
    said = json.loads(ran.stdout)
    assert ran.returncode == 1 and not said["ok"]
    assert [fault["path"] for fault in said["faults"]] == ["dns.ttl", "edge.htp", "zone"]
    assert "`edge.http`" in ran.stdout and "NEARFRONT__DNS__TTL" in ran.stdout
    started = run("up", "--config", file)
    assert started.returncode == 1 and "`edge.http`" in started.stderr


def test_a_distribution_is_checked_without_a_server(tmp_path):
    config = distribution("one", [http_origin("site", 80)])
    file = tmp_path / "distribution.json"
    file.write_text(json.dumps(config))
    ran = run("check", file)
    assert ran.returncode == 0, ran.stdout
    config["DefaultCacheBehavior"]["TargetOriginId"] = "nowhere"
    config["Origins"]["Quantity"] = 3
    file.write_text(json.dumps({"DistributionConfig": config}))
    ran = run("check", file, "--json")
    paths = [fault["path"] for fault in json.loads(ran.stdout)["faults"]]
    assert ran.returncode == 1
    assert "Origins.Quantity" in paths and "DefaultCacheBehavior.TargetOriginId" in paths


def test_a_file_that_is_not_there_is_1(tmp_path):
    ran = run("check", tmp_path / "none.toml")
    assert ran.returncode == 1 and "none.toml" in ran.stderr
