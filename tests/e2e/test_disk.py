"""Copies that outlive the process: what is served after a kill, a restart, or damage is what the origin has."""

import contextlib
import hashlib
import http.client
import random
import re
import resource
import threading
import time

import pytest

from nearfront import Fleet, Origin, distribution, fetch, http_origin, until

ROUNDS = 50
LOAD = 0.7  # seconds of work before each kill
CLIENTS = 4
OBJECTS = 120
LASTS = {"Content-Type": "application/octet-stream", "Cache-Control": "max-age=86400"}
DISK = {"edge": {"disk": "64MiB", "memory": "1MiB"}}


def body(number, version):
    """100 B to 100 KB that look like no other object's."""
    seed = hashlib.sha256(f"{number}/{version}".encode()).digest()
    return seed * (3 + number * number * number % 3200)


class Site(Origin):
    """Objects with versions: the origin has the newest."""

    def __init__(self):
        super().__init__()
        self.versions = [0] * OBJECTS
        for number in range(OBJECTS):
            self.pages[f"/o/{number}"] = lambda handler, number=number: handler.reply(200, LASTS, body(number, self.versions[number]))


def made(fleet, site):
    client = fleet.control.client()
    one = client.create_distribution(DistributionConfig=distribution("disk", [http_origin("web", site.port)]))["Distribution"]
    until(lambda: fleet.edges[0].get(one["DomainName"], "/o/0").status == 200, what="the distribution is served")
    return client, one["Id"], one["DomainName"]


def invalidate(client, id, *paths, wait=True):
    batch = {"Paths": {"Quantity": len(paths), "Items": list(paths)}, "CallerReference": str(random.random())}
    name = client.create_invalidation(DistributionId=id, InvalidationBatch=batch)["Invalidation"]["Id"]
    if wait:
        until(lambda: client.get_invalidation(DistributionId=id, Id=name)["Invalidation"]["Status"] == "Completed", what="the invalidation")


def metric(edge, name):
    found = re.search(rf"^nearfront_edge_disk_{name}(?:_total)? (\d+)", edge.metrics(), re.MULTILINE)
    return int(found.group(1))


def on_disk(edge, entries):
    return until(lambda: metric(edge, "entries") >= entries, what=f"{entries} copies on disk")


def test_what_was_invalidated_while_the_edge_was_down_is_not_served_after_it():
    with Site() as site, Fleet(edges=1, settings=DISK) as fleet:
        client, id, domain = made(fleet, site)
        edge = fleet.edges[0]
        for number in range(OBJECTS):
            assert edge.get(domain, f"/o/{number}").body == body(number, 0)
        on_disk(edge, OBJECTS)
        site.versions = [1] * OBJECTS
        invalidate(client, id, "/o/7")  # while it runs, …
        edge.kill()
        invalidate(client, id, "/o/1*", wait=False)  # … and while it does not
        edge.restart()
        banned = {number for number in range(OBJECTS) if number == 7 or str(number).startswith("1")}
        asked = len(site.requests)
        for number in range(OBJECTS):
            answer = edge.get(domain, f"/o/{number}")
            expected = ("Miss", body(number, 1)) if number in banned else ("Hit", body(number, 0))
            assert (answer.cache, answer.body) == expected, number
        assert len(site.requests) - asked == len(banned), "all others came from the disk"


def test_a_disk_of_another_history_is_emptied():
    with Site() as site, Fleet(edges=1, settings=DISK) as fleet:
        client, id, domain = made(fleet, site)
        edge = fleet.edges[0]
        on_disk(edge, 1)
        edge.kill()
        invalidate(client, id, "/nothing", wait=False)
        # The log of changes is cut off: whatever was invalidated may not be known any more.
        fleet.redis.stop()
        fleet.redis.start()
        with contextlib.closing(redis(fleet.redis.port)) as ask:
            names = [name for name in ask(b"KEYS", b"*") if b"log" in name and b"bytes" not in name]
            assert names, "the log has another name now"
            ask(b"XTRIM", names[0], b"MAXLEN", b"1")
        edge.restart()
        site.versions[0] = 1
        answer = edge.get(domain, "/o/0")
        assert (answer.cache, answer.body) == ("Miss", body(0, 1))


def redis(port):
    """Asks Redis, command by command."""
    import socket
    connection = socket.create_connection(("127.0.0.1", port), 5)
    reader = connection.makefile("rb")

    def read():
        line = reader.readline().rstrip()
        kind, rest = line[:1], line[1:]
        if kind == b"$":
            return reader.read(int(rest) + 2)[:-2]
        return [read() for _ in range(int(rest))] if kind == b"*" else rest

    def ask(*words):
        connection.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words))
        return read()

    ask.close = connection.close
    return ask


def test_a_full_disk_turns_the_tier_off_and_says_so():
    with Site() as site, Fleet(edges=1, settings=DISK) as fleet:
        _, _, domain = made(fleet, site)
        edge = fleet.edges[0]
        on_disk(edge, 1)
        resource.prlimit(edge.process.child.pid, resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
        for number in range(OBJECTS):
            assert edge.get(domain, f"/o/{number}").body == body(number, 0)
        until(lambda: metric(edge, "on") == 0, what="the tier is off")
        status, told = edge.readyz()
        assert (status, told["status"]) == (200, "degraded")
        assert "edge.disk" in str(told), told
        for number in range(OBJECTS):
            assert edge.get(domain, f"/o/{number}").body == body(number, 0)
        assert "the disk cache is off" in edge.process.log.read_text()
        assert metric(edge, "failures") == 1


class Load:
    """Clients that compare every byte, until the edge is killed."""

    def __init__(self, edge, domain, site):
        self.edge, self.domain, self.site = edge, domain, site
        self.stop, self.wrong, self.served = threading.Event(), [], 0

    def run(self, seed):
        pick = random.Random(seed)
        with contextlib.suppress(OSError, http.client.HTTPException):
            while not self.stop.is_set():
                self.one(pick.randrange(OBJECTS))

    def one(self, number):
        answer = fetch(self.edge.port("edge_http"), self.domain, f"/o/{number}", timeout=10)
        if answer.status != 200 or answer.body != body(number, self.site.versions[number]):
            self.wrong.append((number, answer))
        self.served += 1

    def until_killed(self, seconds):
        threads = [threading.Thread(target=self.run, args=(random.random(),)) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        time.sleep(seconds)  # not to wait for something: the kill comes in the middle of it
        self.edge.kill()
        self.stop.set()
        for thread in threads:
            thread.join(30)
        assert not self.wrong, self.wrong[:3]
        return self.served


def damage(folder, pick):
    """Flips bits of one file, or cuts it off."""
    files = sorted(path for path in folder.iterdir() if path.suffix in (".records", ".list", ".removals") or path.name == "stamp")
    path = pick.choice([path for path in files if path.stat().st_size])
    content = bytearray(path.read_bytes())
    if path.suffix == ".records" and pick.random() < 0.5:
        del content[pick.randrange(len(content)):]
    for _ in range(pick.randrange(1, 9)):
        if content:
            content[pick.randrange(len(content))] ^= 1 << pick.randrange(8)
    path.write_bytes(content)
    return path.suffix or path.name


@pytest.mark.slow
def test_every_byte_is_right_after_each_of_50_kills():
    pick, damaged, warm, served = random.Random(3), [], 0, 0
    with Site() as site, Fleet(edges=1, settings=DISK) as fleet:
        client, id, domain = made(fleet, site)
        edge = fleet.edges[0]
        for turn in range(ROUNDS):
            if turn % 5 == 4:
                # Killed at once after it was told; the origin has changed, so an old copy is a fault.
                changed = pick.sample(range(OBJECTS), 8)
                for number in changed:
                    site.versions[number] += 1
                edge.kill()
                invalidate(client, id, *(f"/o/{number}" for number in changed), wait=False)
                edge.restart()
            load = Load(edge, domain, site)
            served += load.until_killed(LOAD)
            hurt = turn % 3 == 2
            if hurt:
                damaged.append(damage(edge.data / "cache", pick))
            edge.restart()
            check = Load(edge, domain, site)
            sample = pick.sample(range(OBJECTS), 50)
            for number in sample[:10]:  # while the index may still load, …
                check.one(number)
            until(lambda: metric(edge, "on") and not metric(edge, "loading"), what="the index")
            for number in sample:  # … and when it is whole
                check.one(number)
            assert not check.wrong, check.wrong[:3]
            if not hurt:
                until(lambda: metric(edge, "read"), what=f"hits from disk after kill {turn}")
                warm += 1
    print(f"{served} answers under load, {warm} warm restarts, damaged: {damaged}")
    assert len(damaged) >= ROUNDS // 4
