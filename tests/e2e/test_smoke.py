"""The first five minutes: `nearfront up --site`, curl, the AWS CLI."""

import json
import os
import stat
import subprocess

import pytest

from nearfront import BINARY, Up, tool


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    (folder / "index.html").write_text("<h1>near you</h1>")
    (folder / "style.css").write_text("h1 { color: teal }")
    with Up(site=folder) as near:
        near.site_folder = folder
        yield near


def domain(near):
    return near.aws("cloudfront", "list-distributions")["DistributionList"]["Items"][0]["DomainName"]


def test_the_site_is_served_and_the_second_fetch_is_a_hit(site):
    url = f"http://{domain(site)}:{site.port('edge_http')}/"
    for word in ("Miss", "Hit"):
        answer = subprocess.run([tool("curl"), "-si", url], capture_output=True, text=True, check=True).stdout
        assert "<h1>near you</h1>" in answer
        assert f"X-Cache: {word} from nearfront".lower() in answer.lower(), answer
    assert site.get(domain(site), "/style.css").headers["Content-Type"].startswith("text/css")


def test_https_is_trusted_with_the_local_authority(site):
    answer = site.get(domain(site), "/", tls=True)
    assert answer.status == 200, answer


def test_a_second_start_makes_no_second_distribution(site):
    site.stop()
    assert not (site.data / "run.json").exists()
    site.restart()
    assert len(site.aws("cloudfront", "list-distributions")["DistributionList"]["Items"]) == 1
    assert site.get(domain(site)).body == b"<h1>near you</h1>"


def test_env_points_a_shell_at_it(site):
    line = f'eval "$({BINARY} env --data {site.data})"; {tool("aws")} cloudfront list-distributions'
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    ran = subprocess.run(["sh", "-c", line], capture_output=True, text=True, env=clean)
    assert len(json.loads(ran.stdout)["DistributionList"]["Items"]) == 1, ran.stderr


def test_the_aws_files_are_a_profile_and_private(site):
    files = {"AWS_CONFIG_FILE": str(site.data / "aws/config"),
             "AWS_SHARED_CREDENTIALS_FILE": str(site.data / "aws/credentials")}
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    ran = subprocess.run([tool("aws"), "--profile", "nearfront", "cloudfront", "list-distributions"],
                         capture_output=True, text=True, env={**clean, **files})
    assert len(json.loads(ran.stdout)["DistributionList"]["Items"]) == 1, ran.stderr
    assert stat.S_IMODE((site.data / "aws/credentials").stat().st_mode) == 0o600


def test_a_data_folder_has_one_process(site):
    ran = site.cli("up", "--data", site.data, check=False)
    assert ran.returncode == 1
    assert f"process {site.run['pid']}" in ran.stderr


def test_what_a_killed_process_left_is_replaced(site):
    site.kill()
    assert (site.data / "run.json").exists()
    ran = site.cli("env", "--data", site.data, check=False)
    assert ran.returncode == 1 and "no nearfront runs" in ran.stderr
    site.restart()
    assert site.get(domain(site)).body == b"<h1>near you</h1>"


def test_health_and_metrics(site):
    status, says = site.readyz()
    assert status == 200 and says["status"] == "ready", says
    assert site.metrics().endswith("# EOF\n")
