"""Hits while many objects are held and many invalidations are in force: neither shall be felt."""
import time

from bench import loads, machine

#: Paths that a batch may have; wildcards that may be in progress at a time (CloudFront developer guide, quotas).
BATCH, WILDCARDS = 1_000, 15
#: Objects that are asked for, of all that are held.
ASKED = 100_000
PREFIX = "/512/o"


def fill(server, objects, held=0):
    """Has the server fetch objects until it has so many; returns how many there are."""
    give_up = time.monotonic() + 600
    while held < objects:
        held += loads.wrk(server.plain(), 4, "fresh", PREFIX, seed=held)["requests"]
        if time.monotonic() > give_up:
            raise loads.Failed(f"{held:,} of {objects:,} objects within ten minutes")
    return held


def batches(count):
    """Lists of paths, so many in all, that match nothing that is held; a hundredth of them wildcards."""
    paths = [f"/gone/{number}*" if number % 100 == 0 else f"/gone/{number}" for number in range(count)]
    wild, exact = [path for path in paths if "*" in path], [path for path in paths if "*" not in path]
    for kind, size in ((exact, BATCH), (wild, WILDCARDS)):
        yield from (kind[start:start + size] for start in range(0, len(kind), size))


def invalidate(server, count):
    """Puts the invalidations in force, batch by batch, each awaited."""
    for number, paths in enumerate(batches(count)):
        server.invalidate(f"bench-{number}", paths)


def measured(server, seconds, count):
    """The median round of hits, by requests per second of the server's CPU."""
    rounds = []
    for _ in range(count):
        before = machine.cpu(server.pids())
        result = loads.wrk(server.plain(), seconds, "each", PREFIX, ASKED)
        used = machine.cpu(server.pids()) - before
        rounds.append({"p50_ms": result["p50"], "p99_ms": result["p99"],
                       "req_per_s": result["requests"] / result["seconds"],
                       "cpu_us_per_req": used / result["requests"] * 1e6})
    return sorted(rounds, key=lambda one: one["cpu_us_per_req"])[len(rounds) // 2]


def compare(make, objects, invalidations, seconds, count):
    """Hits with few objects, with many, and with many invalidations as well."""
    with make("nearfront") as server:
        held, results = fill(server, ASKED), {}
        results[f"{held:,} objects held"] = measured(server, seconds, count)
        held = fill(server, objects, held)
        results[f"{held:,} objects held"] = measured(server, seconds, count)
        invalidate(server, invalidations)
        results[f"the same, {invalidations:,} invalidations in force"] = measured(server, seconds, count)
    for state, result in results.items():
        machine.say(f"  bans: {state}: {result['cpu_us_per_req']:.1f} µs, p99 {result['p99_ms']:.2f} ms")
    return results
