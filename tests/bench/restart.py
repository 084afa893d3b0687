"""A restart with a warm disk: how long until the first hit, and until the index is whole.

The edge is filled through its front door, killed with -9, and started again on the same data. Time
counts from the start of the process. Where the system lets us, its cache of files is emptied before.
"""
import pathlib
import re
import time

from bench import loads, machine
from bench.servers import Ours
from nearfront import Nearfront, until

FILL = 10  # seconds of one load
APART = 10_000_000  # between the numbers of two loads


class Warm(Ours):
    """With a disk, and little memory before it."""

    def __init__(self, folder, origin):
        super().__init__(folder, origin, origin)
        self.settings["edge"] |= {"disk": "8GiB", "memory": "64MiB"}

    def disk(self, name):
        found = re.search(rf"^nearfront_edge_disk_{name}(?:_total)? (\d+)", self.metrics(), re.MULTILINE)
        return int(found.group(1))


def fill(server, objects):
    """Until so many are on disk; the number of the first object of each load."""
    firsts = []
    while (held := server.disk("entries")) < objects:
        firsts.append(APART * (len(firsts) + 1))
        loads.wrk(server.plain(), FILL, "fresh", "/512/r", seed=firsts[-1])
        machine.say(f"  restart: {held:,} objects on disk, {server.disk('dropped'):,} dropped")
    return firsts


def forget_files():
    """Whether the system's cache of files is empty now."""
    try:
        pathlib.Path("/proc/sys/vm/drop_caches").write_text("1\n")
        return True
    except OSError:
        return False


def hit(server, firsts, found):
    """The next object that is a hit, among some of each load."""
    for first in firsts:
        for number in range(first + 1 + len(found), first + 21 + len(found)):
            if server.get(server.host, f"/512/r{number}").cache == "Hit":
                found.append(number)
                return True
    return False


def measure(folder, origin, objects):
    """Seconds from the start of the process."""
    with Warm(folder, origin) as server:
        firsts = fill(server, objects)
        server.kill()
        emptied = forget_files()
        logged = server.process.log.stat().st_size
        started, found = time.monotonic(), []
        Nearfront.start(server)
        listens = time.monotonic() - started
        until(lambda: hit(server, firsts[::-1], found), 60, "a hit", every=0.005)
        first_hit = time.monotonic() - started
        line = until(lambda: re.search(r"is whole entries=(\d+) .*?seconds=([\d.]+)", server.process.log.read_text()[logged:]),
                     120, "the whole index")
        entries, loading = int(line[1]), float(line[2])
        known = sum(server.get(server.host, f"/512/r{first + number}").cache == "Hit" for first in firsts for number in range(1, 101))
        return {"objects": entries, "listens_s": listens, "first_hit_s": first_hit, "index_whole_s": loading,
                "files_forgotten": emptied, "hits_of_sample": known / (100 * len(firsts)),
                "rss_mb": machine.rss(server.pids()) / 1e6}
