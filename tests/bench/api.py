"""The management API under many distributions: how long list, get and update take.

The process (and Redis, where there is one) has core 0 for itself, the clients have core 1. A client
signs its request first and then counts, from the first byte sent to the last byte received, over a
connection that is kept. Each client changes distributions of its own, so nobody conflicts.
"""
import concurrent.futures
import contextlib
import http.client
import os
import re
import time
import urllib.parse

from bench import machine
from nearfront import CACHING_OPTIMIZED, Fleet, Up

BEHAVIOURS = 10
NAMESPACE = "http://cloudfront.amazonaws.com/doc/2020-05-31/"
VERSION = "/2020-05-31"


def config(reference, comment="x"):
    """A DistributionConfig with ten behaviours, as XML."""
    fields = (f"<TargetOriginId>web</TargetOriginId><ViewerProtocolPolicy>allow-all</ViewerProtocolPolicy>"
              f"<CachePolicyId>{CACHING_OPTIMIZED}</CachePolicyId>")
    more = "".join(f"<CacheBehavior><PathPattern>/part{number}/*.html</PathPattern>{fields}</CacheBehavior>" for number in range(BEHAVIOURS))
    return (f'<DistributionConfig xmlns="{NAMESPACE}"><CallerReference>{reference}</CallerReference>'
            "<Origins><Quantity>1</Quantity><Items><Origin><Id>web</Id><DomainName>origin.test</DomainName><CustomOriginConfig>"
            "<HTTPPort>80</HTTPPort><HTTPSPort>443</HTTPSPort><OriginProtocolPolicy>http-only</OriginProtocolPolicy>"
            f"</CustomOriginConfig></Origin></Items></Origins><DefaultCacheBehavior>{fields}</DefaultCacheBehavior>"
            f"<CacheBehaviors><Quantity>{BEHAVIOURS}</Quantity><Items>{more}</Items></CacheBehaviors>"
            f"<Comment>{comment}</Comment><Enabled>true</Enabled></DistributionConfig>").encode()


class Client:
    """One connection that is kept, and signed requests over it."""

    def __init__(self, env):
        from botocore.auth import SigV4Auth
        from botocore.credentials import Credentials
        self.url = env["AWS_ENDPOINT_URL"]
        self.signer = SigV4Auth(Credentials(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"]), "cloudfront", "us-east-1")
        self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(self.url).netloc, timeout=60)
        self.times = {}

    def ask(self, kind, method, path, body=b"", **headers):
        """Answer's headers and body; its time is kept under `kind`."""
        from botocore.awsrequest import AWSRequest
        request = AWSRequest(method, self.url + VERSION + path, headers=headers, data=body)
        self.signer.add_auth(request)
        signed = dict(request.headers.items())
        start = time.perf_counter()
        self.connection.request(method, VERSION + path, body=body or None, headers=signed)
        answer = self.connection.getresponse()
        text = answer.read()
        self.times.setdefault(kind, []).append(time.perf_counter() - start)
        if answer.status >= 300:
            raise RuntimeError(f"{kind}: {answer.status} {text[:300]!r}")
        return answer.headers, text


def made(env, numbers):
    """Makes these distributions; (id, etag, reference) of each."""
    client, found = Client(env), []
    for number in numbers:
        headers, body = client.ask("create", "POST", "/distribution", config(f"r{number}"))
        found.append((re.search(rb"<Id>(E\w+)</Id>", body)[1].decode(), headers["ETag"], f"r{number}"))
    return found, client.times


def worked(env, mine, seconds):
    """List, get, update in turn for so long; the times."""
    client, tags, turn = Client(env), {one: tag for one, tag, _ in mine}, 0
    client.ask("warm-up", "GET", "/distribution?MaxItems=1")
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        one, _, reference = mine[turn % len(mine)]
        turn += 1
        client.ask("get", "GET", f"/distribution/{one}")
        client.ask("list", "GET", "/distribution?MaxItems=100")
        headers, _ = client.ask("update", "PUT", f"/distribution/{one}/config", config(reference, f"turn {turn}"), **{"If-Match": tags[one]})
        tags[one] = headers["ETag"]
    return client.times


def merged(all_times):
    times = {}
    for one in all_times:
        for kind, values in one.items():
            times.setdefault(kind, []).extend(values)
    return times


def told(times):
    """Milliseconds at the median, at p99 and at most, and how many."""
    def at(values, share):
        return sorted(values)[min(len(values) - 1, int(len(values) * share))] * 1e3
    return {kind: {"count": len(values), "p50_ms": at(values, 0.5), "p99_ms": at(values, 0.99), "max_ms": max(values) * 1e3}
            for kind, values in times.items() if kind != "warm-up"}


@contextlib.contextmanager
def embedded():
    with contextlib.ExitStack() as stack:
        with on_core_0():
            near = stack.enter_context(Up({"quotas": "none"}))
        yield near


@contextlib.contextmanager
def on_redis():
    with contextlib.ExitStack() as stack:
        with on_core_0():
            fleet = stack.enter_context(Fleet(edges=1, settings={"quotas": "none"}))
        yield fleet.control


@contextlib.contextmanager
def on_core_0():
    """What is started inside runs on core 0."""
    mine = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {machine.SERVER_CORE})
    try:
        yield
    finally:
        os.sched_setaffinity(0, mine)


def measure(distributions, seconds, clients=(1, 4)):
    """By place and number of clients."""
    found = {}
    for name, place in (("embedded", embedded), ("redis", on_redis)):
        with place() as near, concurrent.futures.ProcessPoolExecutor(max(clients), initializer=os.sched_setaffinity, initargs=(0, {machine.LOAD_CORE})) as pool:
            env = near.aws_env()
            all_made, times = made(env, range(distributions))
            found[f"{name}, making them"] = told(times)
            for count in clients:
                parts = [all_made[place::count] for place in range(count)]
                results = [pool.submit(worked, env, part, seconds) for part in parts]
                found[f"{name}, {count} at once"] = told(merged(result.result() for result in results))
                all_made = refreshed(env, all_made)
    return found


def refreshed(env, all_made):
    """The same with the entity tags that stand now."""
    client = Client(env)
    return [(one, client.ask("get", "GET", f"/distribution/{one}/config")[0]["ETag"], reference) for one, _, reference in all_made]


def table(found):
    """As Markdown."""
    lines = ["| store, clients | operation | calls | p50 ms | p99 ms | most ms |", "| --- | --- | --- | --- | --- | --- |"]
    lines += [f"| {place} | {kind} | {one['count']:,} | {one['p50_ms']:.1f} | {one['p99_ms']:.1f} | {one['max_ms']:.1f} |"
              for place, kinds in found.items() for kind, one in kinds.items()]
    return "\n".join(lines)
