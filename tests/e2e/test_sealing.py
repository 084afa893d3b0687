"""Secrets at rest: nothing that is secret stands in clear in the metadata store, and keys can be changed."""

import base64
import pathlib
import stat
import subprocess

import pytest

from nearfront import BINARY, SEALING_KEY, Fleet, Nearfront, Redis, Up, distribution, fetch, free_port, http_origin, toml, tool, until


@pytest.fixture
def pair(tmp_path):
    """Paths of a certificate for www.sealed.test and its key."""
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run([tool("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9", "-subj", "/CN=www.sealed.test",
                    "-addext", "subjectAltName=DNS:www.sealed.test", "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


def imported(near, pair):
    return near.client("acm").import_certificate(Certificate=pair[0].read_bytes(), PrivateKey=pair[1].read_bytes())["CertificateArn"]


def served(near, arn):
    """A distribution with the certificate."""
    config = distribution("sealed", [http_origin("web", free_port())], Aliases={"Quantity": 1, "Items": ["www.sealed.test"]},
                          ViewerCertificate={"ACMCertificateArn": arn, "SSLSupportMethod": "sni-only", "MinimumProtocolVersion": "TLSv1.2_2021"})
    near.client().create_distribution(DistributionConfig=config)


def shakes_hands(edge, pair):
    """Whether the edge serves the name with the certificate: the origin's absence is another matter."""
    return until(lambda: fetch(edge.port("edge_https"), "www.sealed.test", ca=pair[0]).status >= 500, 20, "the certificate at the edge")


def secrets(near, pair):
    """What must not be found: pieces of the private key as PEM and as bytes, and the root key's secret."""
    lines = [line for line in pair[1].read_text().splitlines() if len(line) == 64]
    der = base64.b64decode("".join(pair[1].read_text().splitlines()[1:-1]))
    return [b"PRIVATE KEY", *(line.encode() for line in lines), *(der[at:at + 32] for at in range(64, len(der) - 32, 32)),
            near.aws_env()["AWS_SECRET_ACCESS_KEY"].encode()]


def in_clear(folder, wanted):
    files = [path for path in pathlib.Path(folder).rglob("*") if path.is_file()]
    held = b"".join(path.read_bytes() for path in files)
    assert b"sealed:1:" in held, files  # we look where they are
    return [secret for secret in wanted if secret in held]


def test_the_file_of_embedded_metadata_holds_no_secret(pair, tmp_path):
    with Up() as near:
        arn = imported(near, pair)
        served(near, arn)
        shakes_hands(near, pair)
        wanted = secrets(near, pair)
        assert all(stat.S_IMODE((near.data / name).stat().st_mode) == 0o600 for name in ("metadata.key", "metadata.sealed"))
        near.stop()
        (tmp_path / "kept").mkdir()
        (near.data / "metadata.redb").rename(tmp_path / "kept/metadata.redb")
        assert in_clear(tmp_path / "kept", wanted) == []
        (tmp_path / "kept/metadata.redb").rename(near.data / "metadata.redb")
        near.restart()
        assert near.client("acm").list_certificates()["CertificateSummaryList"][0]["CertificateArn"] == arn
        shakes_hands(near, pair)


def test_what_redis_writes_to_its_disk_holds_no_secret(pair):
    with Fleet(edges=1) as fleet:
        served(fleet.control, imported(fleet.control, pair))
        shakes_hands(fleet.edges[0], pair)
        wanted = secrets(fleet.control, pair)
        assert in_clear(fleet.redis.folder, wanted) == []
        subprocess.run([tool("redis-cli"), "-p", str(fleet.redis.port), "save"], check=True, capture_output=True)
        assert (fleet.redis.folder / "dump.rdb").exists()
        assert in_clear(fleet.redis.folder, wanted) == []


@pytest.mark.parametrize("command", ["control", "edge"])
def test_without_a_key_a_fleet_s_services_say_how_to_make_one(command, tmp_path):
    config = tmp_path / "nearfront.toml"
    config.write_text(toml({"data_dir": str(tmp_path / "data"), "admin": {"listen": "127.0.0.1:0"}, "metadata": {"url": "redis://127.0.0.1:1"}}))
    ran = subprocess.run([str(BINARY), command, "--config", str(config)], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 1
    assert "metadata.key is missing" in ran.stderr and "openssl rand -base64 32" in ran.stderr, ran.stderr


def test_a_wrong_key_is_refused_and_a_key_can_be_replaced_by_another(pair):
    other = base64.b64encode(b"another key of thirty-two bytes.").decode()
    with Redis() as redis:
        def keyed(command, *keys):
            return Nearfront(command, {"metadata": {"url": redis.url, "key": ",".join(keys)}})

        with keyed("control", SEALING_KEY) as control:
            imported(control, pair)
        wrong = keyed("control", other)
        with pytest.raises((AssertionError, RuntimeError), match="was sealed with the key .* add the key that is missing"):
            wrong.__enter__()
        with keyed("edge", SEALING_KEY, other), keyed("control", other, SEALING_KEY) as control:
            assert control.client("acm").list_certificates()["CertificateSummaryList"]
        with keyed("control", other) as control, keyed("edge", other) as edge:
            served(control, control.client("acm").list_certificates()["CertificateSummaryList"][0]["CertificateArn"])
            shakes_hands(edge, pair)
