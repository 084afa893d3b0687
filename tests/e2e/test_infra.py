"""infra/ agrees with the binary: no container engine is needed to find a wrong port or key."""

import json
import os
import re
import subprocess

import pytest
import yaml

from nearfront import BINARY, ROOT

INFRA = ROOT / "infra"
DEFAULTS = {"edge": {8080, 8443}, "control": {9300}, "dns": {5300}}
ADMIN = 9301


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((INFRA / "compose.yaml").read_text())


def ours(compose):
    """name -> (command, service) of the services that run our image."""
    services = compose["services"]
    return {name: (service["command"][0], service) for name, service in services.items() if service["image"] == "nearfront"}


def environment(service):
    return {name: str(value) for name, value in service["environment"].items()}


def check(file, env):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("NEARFRONT__")}
    ran = subprocess.run([str(BINARY), "check", "--json", str(file)], capture_output=True, text=True, env={**clean, **env})
    return json.loads(ran.stdout)


def settings_file(service):
    inside = service["command"][service["command"].index("--config") + 1]
    mounts = dict(volume.split(":")[1::-1] for volume in service["volumes"])
    return INFRA / mounts[inside]


def test_the_fleet_is_whole(compose):
    kinds = sorted(command for command, _ in ours(compose).values())
    assert kinds == ["control", "dns", "edge", "edge"]
    assert {"redis", "minio", "collector"} <= set(compose["services"])
    redis = compose["services"]["redis"]["command"]
    assert redis[redis.index("--appendonly") + 1] == "yes"


def test_every_service_s_settings_and_variables_are_good(compose):
    for name, (_, service) in ours(compose).items():
        said = check(settings_file(service), environment(service))
        assert said["ok"], (name, said)


def test_a_wrong_variable_would_be_found(compose):
    _, service = ours(compose)["edge-1"]
    said = check(settings_file(service), {**environment(service), "NEARFRONT__EDGE__LATITUD": "1"})
    assert [fault["path"] for fault in said["faults"]] == ["edge.latitud"]


def test_services_share_metadata_and_have_data_folders_of_their_own(compose):
    services = ours(compose).values()
    urls = {environment(service)["NEARFRONT__METADATA__URL"] for _, service in services}
    assert len(urls) == 1 and urls.pop().startswith("redis://redis:")
    folders = [volume.split(":")[0] for _, service in services for volume in service["volumes"] if volume.endswith(":/var/lib/nearfront")]
    assert len(folders) == len(set(folders)) == 4
    assert set(folders) <= set(compose["volumes"])
    ids = [environment(service)["NEARFRONT__EDGE__ID"] for command, service in services if command == "edge"]
    assert len(ids) == len(set(ids))


def test_control_and_edges_are_given_the_key_that_seals_secrets(compose):
    assert compose["secrets"]["metadata_key"]["file"] == "./metadata_key.txt"
    assert "infra/metadata_key.txt" in (ROOT / ".gitignore").read_text().splitlines()
    for name, (command, service) in ours(compose).items():
        named = "/run/secrets/metadata_key" in settings_file(service).read_text()
        assert named == ("metadata_key" in service.get("secrets", [])) == (command != "dns"), name


def test_published_ports_are_those_that_services_listen_on(compose):
    published = []
    for _, (command, service) in ours(compose).items():
        for port in service["ports"]:
            address, outside, inside = port.removesuffix("/udp").split(":")
            assert address == "127.0.0.1"
            assert int(inside) in DEFAULTS[command]
            published.append((outside, port.endswith("/udp")))
    assert len(published) == len(set(published))


def test_settings_listen_on_the_default_ports():
    for command, ports in DEFAULTS.items():
        text = (INFRA / f"settings/{command}.toml").read_text()
        found = {int(port) for port in re.findall(r'"0\.0\.0\.0:(\d+)"', text)}
        assert found == ports | {ADMIN}


def test_the_image_exposes_the_default_ports_and_runs_as_nobody_special():
    text = (INFRA / "Dockerfile").read_text()
    exposed = {int(port.split("/")[0]) for port in re.search(r"^EXPOSE (.*)$", text, re.M)[1].split()}
    assert exposed == {ADMIN}.union(*DEFAULTS.values())
    assert re.search(r"^USER nearfront$", text, re.M)
    rust = re.search(r'rust-version = "([\d.]+)"', (ROOT / "Cargo.toml").read_text())[1]
    assert f"FROM rust:{rust}-slim" in text
    for source in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.M):
        for path in source.split():
            assert (ROOT / path).exists(), path


def test_the_ports_are_the_binary_s_own_defaults(tmp_path):
    empty = tmp_path / "nearfront.toml"
    empty.write_text("")
    listen = {key: address.rpartition(":") for key, address in check(empty, {})["listen"].items()}
    assert {host for host, _, _ in listen.values()} == {"127.0.0.1"}
    found = {}
    for key, (_, _, port) in listen.items():
        found.setdefault(key.split(".")[0], set()).add(int(port))
    assert found == {**DEFAULTS, "admin": {ADMIN}}


def test_the_readme_names_the_defaults():
    text = (ROOT / "README.md").read_text()
    for port in {ADMIN}.union(*DEFAULTS.values()):
        assert f"127.0.0.1:{port}" in text, port


def test_the_collector_takes_traces_where_services_send_them_and_scrapes_all(compose):
    collector = yaml.safe_load((INFRA / "collector.yaml").read_text())
    endpoint = collector["receivers"]["otlp"]["protocols"]["http"]["endpoint"]
    targets = collector["receivers"]["prometheus"]["config"]["scrape_configs"][0]["static_configs"][0]["targets"]
    assert set(targets) == {f"{name}:{ADMIN}" for name in ours(compose)}
    for _, service in ours(compose).values():
        url = environment(service)["NEARFRONT__TELEMETRY__OTLP_ENDPOINT"]
        assert url == f"http://collector:{endpoint.rpartition(':')[2]}"
    for pipeline in collector["service"]["pipelines"].values():
        for kind in ("receivers", "processors", "exporters"):
            assert set(pipeline[kind]) <= set(collector[kind])


def test_everything_named_is_defined(compose):
    for name, service in compose["services"].items():
        networks = service.get("networks", [])
        assert set(networks) <= set(compose["networks"]), name
        assert set(service.get("secrets", [])) <= set(compose["secrets"]), name
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in compose["volumes"] or (INFRA / source).exists(), (name, source)
    edge = (INFRA / "settings/edge.toml").read_text()
    assert "/run/secrets/s3_secret" in edge
