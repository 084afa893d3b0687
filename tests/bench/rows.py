"""What is measured, and how rounds go: server after server, round after round, so that whatever else
the machine does meets all of them.
"""
import itertools
import statistics
import time
from dataclasses import dataclass, field

from bench import collapse, loads, machine

FRESH = itertools.count(1, 10_000_000)  # no object of one cold load is in another


@dataclass
class Row:
    """A row of the table. `targets`: what our requests per second, divided by theirs, shall be."""
    name: str
    title: str
    servers: list
    targets: dict = field(default_factory=dict)
    path: str = ""
    mode: str = "each"
    count: int = 1
    tls: bool = False
    h2: bool = False


ROWS = [
    Row("1k", "1 KB, HTTP/1.1", ["nearfront", "nginx", "varnish", "ceiling"],
        {"nginx": 1.8, "varnish": 2.6, "ceiling": 0.85}, "/1024/a"),
    Row("100k", "100 KB", ["nearfront", "nginx", "varnish", "ceiling"],
        {"nginx": 1.10, "varnish": 1.10, "ceiling": 0.95}, "/102400/a"),
    Row("1m", "1 MB", ["nearfront", "nginx", "varnish", "ceiling"],
        {"nginx": 1.6, "varnish": 1.05, "ceiling": 0.80}, "/1048576/a"),
    Row("tls", "TLS 1.3, 10 KB", ["nearfront", "nginx", "hitch"],
        {"nginx": 1.6, "hitch": 3.5}, "/10240/a", tls=True),
    Row("h2", "HTTP/2 over TLS, 10 KB", ["nearfront", "nginx", "h2o"], {"nginx": 1.5, "h2o": 0.8}, "/10240/a1", h2=True),
    Row("zipf", "{count:,} × 4 KB, Zipf", ["nearfront", "nginx", "varnish", "ceiling"],
        {"varnish": 2.4, "ceiling": 0.80}, "/4096/z", mode="zipf", count=100_000),
    Row("miss", "misses, 1 KB", ["nearfront", "nginx", "varnish"], {"nginx": 3.0, "varnish": 4.0}, "/1024/m", mode="fresh"),
]
#: Rows that are not rounds of load.
MEMORY, COLLAPSE, BANS = "memory", "collapse", "bans"
NAMES = [row.name for row in ROWS] + [MEMORY, COLLAPSE, BANS]


#: An origin that uses more of its core than this while hits are measured is being asked.
IDLE = 0.02


def measured(servers, name, load, hits):
    """What a load gave, with what the server used meanwhile and how busy the machine was otherwise."""
    server = servers[name]
    pids, origin = server.pids(), servers.origin.pids()
    origin_before = machine.cpu(origin)
    server_before, ours_before, all_before, start = machine.cpu(pids), servers.ours(), machine.busy(), time.monotonic()
    result = load(server)
    took = time.monotonic() - start
    used = machine.cpu(pids) - server_before
    if hits and machine.cpu(origin) - origin_before > IDLE * took:
        raise loads.Failed(f"{name} asks the origin: these are no hits")
    foreign = machine.busy() - all_before - (servers.ours() - ours_before)
    seconds, requests = result["seconds"], result["requests"]
    return {"req_per_s": requests / seconds, "p50_ms": result["p50"], "p99_ms": result["p99"],
            "cpu_us_per_req": used / requests * 1e6, "core_share": used / seconds,
            "rss_mb": machine.rss(pids) / 1e6, "other_cores": max(0.0, foreign / took)}


def once(row, seconds):
    """The load of a row as a function of a server."""
    def load(server):
        target = server.tls() if row.tls or row.h2 else server.plain()
        if row.h2:
            return loads.h2load(target, seconds, row.path)
        seed = next(FRESH) if row.mode == "fresh" else 1
        return loads.wrk(target, seconds, row.mode, row.path, row.count, seed)
    return load


def warm(servers, row):
    """Asks for every object until all are answered from memory."""
    for name in row.servers:
        server = servers[name]
        if row.mode == "zipf":
            asked, give_up = 0, time.monotonic() + 120
            while asked < row.count * 1.02:  # each wrk starts at the first object, so it must reach the last in one go
                seconds = 4 if not asked else min(60, int(4 * row.count / asked * 1.3) + 1)
                asked = loads.wrk(server.plain(), seconds, "each", row.path, row.count)["requests"]
                if time.monotonic() > give_up:
                    raise loads.Failed(f"{name}: {row.count} objects did not come within two minutes")
        elif row.mode == "each" and name not in ("ceiling", "h2o"):
            once(row, 1)(server)


def rounds(servers, row, count, seconds):
    """Results by server: a list with one entry for each round."""
    row.servers = [name for name in row.servers if servers.has(name)]
    warm(servers, row)
    results = {name: [] for name in row.servers}
    for number in range(count):
        for name in row.servers:
            results[name].append(measured(servers, name, once(row, seconds), row.mode != "fresh"))
        rates = ", ".join(f"{name} {results[name][-1]['req_per_s']:,.0f}" for name in row.servers)
        machine.say(f"  {row.name}, round {number + 1}: {rates} req/s")
    return results


def median(entries, key):
    return statistics.median(entry[key] for entry in entries)


def memory(make, objects):
    """Resident bytes for each object of 512 bytes that a fresh server holds in memory."""
    results = {}
    for name in ("nearfront", "varnish"):
        with make(name) as server:
            loads.wrk(server.plain(), 1, "fresh", "/512/w", seed=next(FRESH))  # threads, buffers, connections
            before, held = machine.rss(server.pids()), 0
            while held < objects:
                held += loads.wrk(server.plain(), 2, "fresh", "/512/o", seed=next(FRESH))["requests"]
            grown = machine.rss(server.pids()) - before
            results[name] = {"objects": held, "rss_bytes": grown, "bytes_per_object": grown / held}
            machine.say(f"  memory: {name} {grown / held:,.0f} B for each of {held:,} objects")
    return results


def cold(servers, slow, count):
    """200 viewers ask at once for what the slow origin has; the worst of all rounds."""
    results = {name: [] for name in ("nearfront", "nginx", "varnish")}
    for number in range(count):
        for name in results:
            results[name].append(collapse.crowd(servers[name].plain(), slow, f"/slow/{number}-{name}"))
            machine.say(f"  collapse, round {number + 1}: {name} {results[name][-1]}")
    return results
