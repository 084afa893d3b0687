"""What the API has acknowledged survives `kill -9`, and nothing is left half-done.

Sixteen clients make, change, disable and delete distributions, ten thousand times in all, while the
process that answers them is killed ten times. Each client writes down what it was told. After each
restart everything must be as it was told, or, where the answer was lost, as before or as after; edges
must serve it, and nothing in the store may point at what is not there. At the end all is deleted and
made again under the same names: whatever a crash had left behind of a name, an alias, a caller
reference or a mark of use would be in the way.
"""

import contextlib
import random
import subprocess
import threading
import time

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from nearfront import Fleet, Origin, Up, distribution, fetch, http_origin, tool, until

CLIENTS = 16
SLOTS = 2  # distributions of each client
KILLS = 10
WRITES = 1000  # acknowledged before each kill
VERSIONS = 40_000
ABSENT = None

#: Names of the writes that were acknowledged; appending is atomic, so all clients share it.
DONE = []


class Lost(Exception):
    """The answer did not come: whether it happened is not known."""


def ask(call, *expected, **arguments):
    """The answer, or the code of an expected error. Every other error is wrong."""
    try:
        answer = call(**arguments)
        if not call.__name__.startswith("get_"):
            DONE.append(call.__name__)
        return answer
    except BotoCoreError as error:
        raise Lost from error
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in expected:
            return code
        if code == "ServiceUnavailable":
            raise Lost from error
        raise


class Slot:
    """One distribution, there or not, and what is known of it."""

    def __init__(self, name, port):
        self.name, self.port = name, port
        self.id = self.domain = None
        self.may_be = {ABSENT}  # the versions that may stand now
        self.invalidations = []

    def config(self, version, policy, enabled=True):
        origin = http_origin("web", self.port, OriginPath=f"/v{version}")
        behaviour = {"TargetOriginId": "web", "ViewerProtocolPolicy": "allow-all", "CachePolicyId": policy}
        return distribution(self.name, [origin], Comment=self.name, Enabled=enabled, DefaultCacheBehavior=behaviour,
                            Aliases={"Quantity": 1, "Items": [f"{self.name}.nearfront.localhost"]})

    def make(self, client, policy, version):
        self.may_be.add(version)
        made = ask(client.create_distribution, DistributionConfig=self.config(version, policy))["Distribution"]
        self.id, self.domain, self.may_be = made["Id"], made["DomainName"], {version}

    def put(self, client, policy, version, enabled=True):
        tag = ask(client.get_distribution_config, Id=self.id)["ETag"]
        self.may_be.add(version)
        config = self.config(version, policy, enabled)
        # Only this client changes it, but a change of the policy must not look like one.
        ask(client.update_distribution, Id=self.id, IfMatch=tag, DistributionConfig=config)
        self.may_be = {version}

    def invalidate(self, client, version):
        batch = {"Paths": {"Quantity": 1, "Items": ["/x"]}, "CallerReference": f"r{version}"}
        made = ask(client.create_invalidation, "TooManyInvalidationsInProgress", DistributionId=self.id, InvalidationBatch=batch)
        if isinstance(made, dict):
            self.invalidations.append(made["Invalidation"]["Id"])

    def delete(self, client, policy, version):
        self.put(client, policy, version, enabled=False)
        self.may_be.add(ABSENT)
        tag = ask(client.get_distribution_config, Id=self.id)["ETag"]
        deadline = time.monotonic() + 20
        while ask(client.delete_distribution, "DistributionNotDisabled", Id=self.id, IfMatch=tag) == "DistributionNotDisabled":
            assert time.monotonic() < deadline, "never Deployed"
            time.sleep(0.05)
        self.may_be, self.id, self.invalidations = {ABSENT}, None, []


class Client:
    """Owns some distributions and a policy that they use, and shares one distribution with all."""

    def __init__(self, number, world):
        self.number, self.world, self.random = number, world, random.Random(number)
        self.slots = [Slot(f"c{number}-{place}", world.port) for place in range(SLOTS)]
        self.policy = None
        self.told = self.lost = 0  # changes of the shared distribution
        self.failure = None

    def start(self, client):
        self.policy = client.create_cache_policy(CachePolicyConfig=self.config(0))["CachePolicy"]["Id"]

    def config(self, version):
        return {"Name": f"p{self.number}-{version % 2}", "MinTTL": 0, "DefaultTTL": 0, "MaxTTL": 0, "Comment": str(version)}

    def run(self, client, stop):
        try:
            with contextlib.suppress(Lost):
                while not stop.is_set():
                    self.step(client)
        except BaseException as error:  # noqa: BLE001 - told to the test
            self.failure = error

    def step(self, client):
        slot, version = self.random.choice(self.slots), self.world.version()
        if slot.may_be == {ABSENT}:
            return slot.make(client, self.policy, version)
        work = self.random.choice(["put", "put", "invalidate", "delete", "policy", "shared", "shared"])
        if work == "policy":
            tag = ask(client.get_cache_policy, Id=self.policy)["ETag"]
            return ask(client.update_cache_policy, Id=self.policy, IfMatch=tag, CachePolicyConfig=self.config(version))
        if work == "shared":
            return self.count(client)
        if work == "invalidate":
            return slot.invalidate(client, version)
        return getattr(slot, work)(client, self.policy, version)

    def count(self, client):
        """One more in the comment of the distribution that all share, if nobody was faster."""
        known = ask(client.get_distribution_config, Id=self.world.shared)
        config = known["DistributionConfig"]
        config["Comment"] = str(int(config["Comment"]) + 1)
        try:
            answer = ask(client.update_distribution, "PreconditionFailed", Id=self.world.shared, IfMatch=known["ETag"], DistributionConfig=config)
        except Lost:
            self.lost += 1
            raise
        self.told += answer != "PreconditionFailed"
        self.world.conflicts += answer == "PreconditionFailed"


class World:
    """The clients, the process that answers them and an edge that serves."""

    def __init__(self, near, edge, port):
        self.near, self.edge, self.port = near, edge, port
        self.versions, self.conflicts = iter(range(VERSIONS)), 0
        client = near.client()
        shared = distribution("shared", [http_origin("web", port)], Comment="0")
        self.shared = client.create_distribution(DistributionConfig=shared)["Distribution"]["Id"]
        self.clients = [Client(number, self) for number in range(CLIENTS)]
        for one in self.clients:
            one.start(client)
        self.slots = [slot for one in self.clients for slot in one.slots]

    def version(self):
        return next(self.versions)

    def load(self, writes):
        """All clients at work, and in the middle of it, after so many writes, the kill."""
        stop, enough = threading.Event(), len(DONE) + writes
        threads = [threading.Thread(target=one.run, args=(self.near.client(), stop)) for one in self.clients]
        for thread in threads:
            thread.start()
        until(lambda: len(DONE) >= enough or self.failures(), 600, f"{writes} writes")
        self.near.kill()
        stop.set()
        for thread in threads:
            thread.join(60)
        assert not self.failures(), self.failures()
        self.near.restart()

    def failures(self):
        return [one.failure for one in self.clients if one.failure]

    def check(self):
        client = self.near.client()
        pages = client.get_paginator("list_distributions").paginate()
        found = {one["Comment"]: one for page in pages for one in page["DistributionList"].get("Items", []) if one["Id"] != self.shared}
        assert found.keys() <= {slot.name for slot in self.slots}
        for slot in self.slots:
            self.check_slot(client, slot, found.get(slot.name))
        count = int(client.get_distribution_config(Id=self.shared)["DistributionConfig"]["Comment"])
        told, lost = (sum(getattr(one, what) for one in self.clients) for what in ("told", "lost"))
        assert told <= count <= told + lost

    def check_slot(self, client, slot, one):
        stands = int(one["Origins"]["Items"][0]["OriginPath"].removeprefix("/v")) if one else ABSENT
        assert stands in slot.may_be, f"{slot.name}: {stands} stands, where one of {slot.may_be} was told"
        slot.may_be, slot.id = {stands}, one and one["Id"]
        if one is None:
            slot.invalidations = []
            return
        slot.domain = one["DomainName"]
        for name in (slot.domain, f"{slot.name}.nearfront.localhost"):
            until(lambda: self.serves(name, one["Enabled"], stands), what=f"{name} serves version {stands}")
        for id in slot.invalidations:
            client.get_invalidation(DistributionId=slot.id, Id=id)

    def serves(self, name, enabled, version):
        answer = fetch(self.edge.port("edge_http"), name, "/x")
        return answer.body == f"v{version}".encode() if enabled else answer.status == 403

    def clear(self, client):
        for one in self.clients:
            for slot in [slot for slot in one.slots if slot.may_be != {ABSENT}]:
                slot.delete(client, one.policy, self.version())
            tag = client.get_cache_policy(Id=one.policy)["ETag"]
            client.delete_cache_policy(Id=one.policy, IfMatch=tag)

    def make_again(self, client):
        for one in self.clients:
            one.start(client)
            for version in (1, 2):  # both names that it may have had, within the account's quota
                tag = client.get_cache_policy(Id=one.policy)["ETag"]
                client.update_cache_policy(Id=one.policy, IfMatch=tag, CachePolicyConfig=one.config(version))
            for slot in one.slots:
                slot.make(client, one.policy, self.version())


@contextlib.contextmanager
def embedded():
    with Up() as near:
        yield near, near, lambda: None


@contextlib.contextmanager
def on_redis():
    with Fleet(edges=1) as fleet:
        yield fleet.control, fleet.edges[0], lambda: nothing_is_half_written(fleet.redis)


def nothing_is_half_written(redis):
    """Every record has all that belongs to it, and whatever points at a record finds it."""
    ask = [tool("redis-cli"), "-p", str(redis.port), "--raw"]
    names = subprocess.run([*ask, "ZRANGE", "{nearfront}:names", "0", "-1"], capture_output=True, text=True, check=True)
    keys = set(names.stdout.split())
    under = lambda *prefix: {key.removeprefix("/".join([*prefix, ""])) for key in keys if key.startswith("/".join([*prefix, ""]))}  # noqa: E731
    distributions, policies = under("distribution"), under("cache-policy")
    assert distributions == under("plan"), "a distribution without its plan, or a plan without its distribution"
    assert len(distributions) == len(under("reference", "distribution")), "caller references"
    assert len(policies) == len(under("name", "cache-policy")), "names of policies"
    for use in under("use", "cache-policy"):
        policy, user = use.split("/")
        assert policy in policies and user in distributions, f"{use} is marked, but not there"
    for alias in under("alias"):
        value = subprocess.run([*ask, "HGET", "{nearfront}:entries", f"alias/{alias}"], capture_output=True, text=True, check=True)
        assert value.stdout.partition(":")[2].strip().strip('"') in distributions, f"the alias {alias} points nowhere"


@pytest.mark.slow
@pytest.mark.parametrize("place", [embedded, on_redis])
def test_what_was_acknowledged_survives_kill_9(place):
    pages = {f"/v{version}/x": f"v{version}".encode() for version in range(VERSIONS)}
    DONE.clear()
    with Origin(pages) as web, place() as (near, edge, whole):
        world = World(near, edge, web.port)
        for _ in range(KILLS):
            world.load(WRITES)
            world.check()
            whole()
        assert world.conflicts, "the clients never met; this test shows less than it should"
        assert len(DONE) >= KILLS * WRITES
        world.clear(near.client())
        world.make_again(near.client())
        world.check()
        lost = sum(one.lost for one in world.clients)
        print(f"{len(DONE)} writes, {world.conflicts} conflicts, {lost} answers lost")
