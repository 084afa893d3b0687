"""One round each of the AWS SDKs for JavaScript and Rust, unmodified but for the endpoint.

The AWS CLI's and boto3's rounds are in test_main_job.py and tests/api.
"""

import json
import os
import pathlib
import shutil
import subprocess

import pytest

from nearfront import BINARY, ROOT, tool

HERE = pathlib.Path(__file__).resolve().parents[1] / "sdk"
JAVASCRIPT = ROOT / "target/node/sdk"  # where scripts/test installs what package.json names


def javascript():
    assert (JAVASCRIPT / "node_modules").is_dir(), "scripts/test installs the AWS SDK for JavaScript"
    shutil.copy(HERE / "javascript/round.mjs", JAVASCRIPT)
    return [tool("node"), JAVASCRIPT / "round.mjs"]


def rust():
    return [BINARY.parent / "nearfront-sdk-round"]


@pytest.mark.parametrize("client", [javascript, rust])
def test_an_sdk_makes_changes_waits_invalidates_and_deletes(up, client):
    ran = subprocess.run(list(map(str, client())), capture_output=True, text=True, timeout=120,
                         env={**os.environ, **up.aws_env()})
    assert ran.returncode == 0, ran.stderr
    seen = json.loads(ran.stdout)
    assert seen["comment"].startswith("changed by")
    assert seen["stale"].startswith("PreconditionFailed")
    assert seen["Id"] in seen["listed"]
    assert seen["gone"].startswith("NoSuchDistribution")
