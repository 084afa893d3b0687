"""Load generators on their core: wrk for HTTP/1.1, h2load for HTTP/2."""
import os
import pathlib
import re
import statistics
import subprocess
import tempfile

from bench import machine

LUA = pathlib.Path(__file__).with_name("requests.lua")
CONNECTIONS = 64


class Failed(Exception):
    """A load that did not run, or was not answered."""


def ran(command, within):
    """What it printed; Failed when it fails or takes too long."""
    try:
        done = subprocess.run(machine.pinned(machine.LOAD_CORE, command), capture_output=True, text=True, timeout=within)
    except subprocess.TimeoutExpired as late:
        raise Failed(f"{command[0]} did not end") from late
    if done.returncode:
        raise Failed(f"{command[0]}: {done.stdout}{done.stderr}".strip())
    return done.stdout


def wrk(target, seconds, mode="each", prefix="", count=1, seed=0, connections=CONNECTIONS):
    """Requests, seconds, p50 and p99 in ms. Any error or status of 400 and more is a failure."""
    script = [mode, prefix, count, seed]
    out = ran([machine.found("wrk"), "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(LUA),
               "-H", f"Host: {target.host}", target.base, "--", *map(str, script)], seconds + 30)
    found = re.search(r"NUMBERS (\d+) (\d+) (\d+) (\d+) (\d+)", out)
    if not found:
        raise Failed(f"wrk: {out}")
    requests, took, p50, p99, errors = map(int, found.groups())
    if errors or not requests:
        raise Failed(f"wrk: {errors} errors in {requests} requests\n{out}")
    return {"requests": requests, "seconds": took / 1e6, "p50": p50 / 1e3, "p99": p99 / 1e3}


def h2load(target, seconds, path, connections=16, streams=16):
    """As `wrk`, over HTTP/2."""
    port = target.base.rpartition(":")[2]
    with tempfile.TemporaryDirectory(prefix="nearfront-h2load-") as folder:
        log = os.path.join(folder, "requests")
        out = ran([machine.found("h2load"), "-t1", f"-c{connections}", f"-m{streams}", f"-D{seconds}",
                   f"--connect-to=127.0.0.1:{port}", f"--log-file={log}", f"https://{target.host}:{port}{path}"], seconds + 30)
        rows = [line.split("\t") for line in pathlib.Path(log).read_text().splitlines()]
    times = [int(row[2]) for row in rows if row[1] == "200"]
    if "Application protocol: h2" not in out:
        raise Failed(f"no HTTP/2: {out}")
    told = re.search(r"requests: .* (\d+) succeeded, (\d+) failed", out)
    if not told or int(told[2]) or len(times) < 100:
        raise Failed(out)
    cuts = statistics.quantiles(times, n=100)
    return {"requests": int(told[1]), "seconds": float(seconds), "p50": cuts[49] / 1e3, "p99": cuts[98] / 1e3}
