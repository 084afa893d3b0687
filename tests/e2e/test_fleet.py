"""A fleet on Redis: nearest edges, changes everywhere at once, and what happens when parts fail."""

import itertools
import pathlib
import statistics
import subprocess
import time

import pytest

from nearfront import ROOT, Fleet, Origin, distribution, fetch, http_origin, tool, until

COUNTRIES = ROOT / "target" / "geo" / "country.mmdb"
#: Networks with a well-known place, and the edge that is nearest to it.
SUBNETS = {"193.99.144.0/24": "127.0.0.11", "133.11.0.0/24": "127.0.0.12", "8.8.8.0/24": "127.0.0.13"}
CHANGES = 100


@pytest.fixture(scope="module")
def web():
    counter = itertools.count()
    with Origin({"/a.html": b"a", "/b.html": b"b"}) as web:
        web.pages["/count"] = lambda handler: handler.reply(200, {"Cache-Control": "max-age=3600"}, str(next(counter)).encode())
        yield web


def geography():
    found = sorted(pathlib.Path(COUNTRIES.parent).glob("*.mmdb")) if COUNTRIES.parent.exists() else []
    assert found, "no country database in target/geo: scripts/test fetches one"
    return {"geo": {"databases": [str(found[0])]}}


@pytest.fixture(scope="module")
def fleet(web):
    with Fleet(edges=3, settings=geography()) as fleet:
        config = distribution("fleet", [http_origin("web", web.port)], DefaultRootObject="a.html")
        made = fleet.control.client().create_distribution(DistributionConfig=config)["Distribution"]
        fleet.id, fleet.domain = made["Id"], made["DomainName"]
        deployed(fleet)
        yield fleet


def deployed(fleet):
    until(lambda: fleet.control.client().get_distribution(Id=fleet.id)["Distribution"]["Status"] == "Deployed",
          what="Deployed")


def dig(fleet, *words):
    command = [tool("dig"), "@127.0.0.1", "-p", str(fleet.dns.port("dns")), "+short", "+tries=1", "+time=2", *words]
    return subprocess.run(command, capture_output=True, text=True).stdout.split()


def edge_get(edge, fleet, path="/"):
    return fetch(edge.port("edge_http"), fleet.domain, path)


def test_three_networks_get_three_edges(fleet):
    for subnet, address in SUBNETS.items():
        until(lambda: dig(fleet, fleet.domain, f"+subnet={subnet}") == [address], what=f"{subnet} at {address}")


def test_changes_and_invalidations_are_everywhere_within_a_second(fleet, capsys):
    """Measured from the moment of asking until the last edge shows it; printed, not judged."""
    client = fleet.control.client()
    spent = {"update": [], "invalidation": []}
    for turn in range(CHANGES):
        got = client.get_distribution_config(Id=fleet.id)
        page = "ab"[(turn + 1) % 2]
        config = got["DistributionConfig"] | {"DefaultRootObject": f"{page}.html"}
        started = time.monotonic()
        client.update_distribution(Id=fleet.id, IfMatch=got["ETag"], DistributionConfig=config)
        for edge in fleet.edges:
            until(lambda: edge_get(edge, fleet).body == page.encode(), every=0.002, what="the update")
        spent["update"].append(time.monotonic() - started)

        old = [int(edge_get(edge, fleet, "/count").body) for edge in fleet.edges]
        started = time.monotonic()
        client.create_invalidation(DistributionId=fleet.id, InvalidationBatch={
            "Paths": {"Quantity": 1, "Items": ["/count"]}, "CallerReference": f"turn-{turn}"})
        for edge, was in zip(fleet.edges, old, strict=True):
            until(lambda: int(edge_get(edge, fleet, "/count").body) > was, every=0.002, what="the invalidation")
        spent["invalidation"].append(time.monotonic() - started)
    with capsys.disabled():
        for kind, seconds in spent.items():
            p99 = statistics.quantiles(seconds, n=100)[98]
            print(f"\n{kind} on {len(fleet.edges)} edges, {CHANGES} changes: "
                  f"median {statistics.median(seconds) * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms, "
                  f"most {max(seconds) * 1000:.0f} ms", end="")


def test_a_killed_edge_leaves_dns_and_comes_back_correct(fleet, capsys):
    frankfurt = fleet.edges[0]
    assert edge_get(frankfurt, fleet, "/count").status == 200
    subnet = f"+subnet={next(iter(SUBNETS))}"
    until(lambda: dig(fleet, fleet.domain, subnet) == ["127.0.0.11"], what="Frankfurt in the answers")
    frankfurt.kill()
    killed = time.monotonic()
    until(lambda: (found := dig(fleet, fleet.domain, subnet)) and "127.0.0.11" not in found, within=5,
          what="the killed edge is out of the answers")
    with capsys.disabled():
        print(f"\na killed edge left DNS after {time.monotonic() - killed:.1f} s", end="")
    # What changes while it is away, it knows when it is back.
    fleet.control.client().create_invalidation(DistributionId=fleet.id, InvalidationBatch={
        "Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": "while-away"})
    newest = int(edge_get(fleet.edges[1], fleet, "/count").body)
    frankfurt.restart()
    answer = edge_get(frankfurt, fleet, "/count")
    assert answer.cache == "Miss" and int(answer.body) > newest
    until(lambda: dig(fleet, fleet.domain, subnet) == ["127.0.0.11"], what="Frankfurt is back")


def test_redis_away_for_ten_seconds(fleet):
    """Edges serve on, control says that it cannot write, dns answers; then all catch up."""
    edge = fleet.edges[1]
    until(lambda: edge_get(edge, fleet, "/count").cache == "Hit", what="a warm copy")
    was = edge_get(edge, fleet, "/count").body
    fleet.redis.stop()
    away = time.monotonic() + 10
    refused = 0
    while time.monotonic() < away:
        assert edge_get(edge, fleet, "/count").body == was
        assert dig(fleet, fleet.domain), "dns answers without Redis"
        client = fleet.control.client()
        try:
            client.create_invalidation(DistributionId=fleet.id, InvalidationBatch={
                "Paths": {"Quantity": 1, "Items": ["/count"]}, "CallerReference": f"away-{refused}"})
        except client.exceptions.ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 503, error
            refused += 1
    assert refused
    status, says = edge.readyz()
    assert status == 200 and "metadata" in str(says), says
    fleet.redis.start()
    def invalidated():
        client.create_invalidation(DistributionId=fleet.id, InvalidationBatch={
            "Paths": {"Quantity": 1, "Items": ["/count"]}, "CallerReference": "back"})
        return True

    from botocore.exceptions import ClientError
    def tried():
        try:
            return invalidated()
        except ClientError as error:
            raise OSError(error) from error
    until(tried, 20, "control writes again")
    for one in fleet.edges:
        until(lambda: int(edge_get(one, fleet, "/count").body) > int(was), what="the edges catch up")
    deployed(fleet)
    for one in [*fleet.edges, fleet.dns, fleet.control]:
        until(lambda: one.readyz()[1]["status"] == "ready", what=f"{one.process.name} is well again")
