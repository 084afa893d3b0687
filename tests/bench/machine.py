"""The machine: what is installed, which core a program runs on, what it used.

Cores: servers under test are pinned to core 0; the load, the origin and this script to core 1.
"""
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVER_CORE, LOAD_CORE = 0, 1
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
# Program -> Debian package. h2o is left out where Debian no longer has it.
PROGRAMS = {"nginx": "nginx", "varnishd": "varnish", "hitch": "hitch", "h2o": "h2o", "wrk": "wrk",
            "h2load": "nghttp2-client", "curl": "curl", "openssl": "openssl", "cc": "gcc"}
OPTIONAL = {"h2o"}
PATH = os.environ["PATH"] + os.pathsep + "/usr/sbin"
POLICY = pathlib.Path("/usr/sbin/policy-rc.d")


def say(text):
    print(text, file=sys.stderr, flush=True)


def found(program):
    return shutil.which(program, path=PATH)


def install():
    """Installs what is missing; Debian must not start a server because its package came."""
    missing = [program for program in PROGRAMS if not found(program)]
    if not missing:
        return
    say(f"installing {', '.join(missing)}")
    root = [] if os.geteuid() == 0 else ["sudo"]
    apt = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "apt-get", "-q"]
    subprocess.run([*apt, "update"], stdout=sys.stderr, check=True)
    ours = not POLICY.exists()
    if ours:  # 101: no service may be started (policy-rc.d of Debian's invoke-rc.d)
        subprocess.run([*root, "tee", POLICY], input=b"#!/bin/sh\nexit 101\n", stdout=subprocess.DEVNULL, check=True)
        subprocess.run([*root, "chmod", "755", POLICY], check=True)
    try:
        for program in missing:
            command = [*apt, "install", "-y", "--no-install-recommends", PROGRAMS[program]]
            subprocess.run(command, stdout=sys.stderr, check=program not in OPTIONAL)
    finally:
        if ours:
            subprocess.run([*root, "rm", "-f", POLICY], check=True)


def build():
    """The release build of the program and of the ceiling; returns the folder they are in."""
    say("building (link-time optimisation takes minutes when something has changed)")
    packages = ["-p", "nearfront", "-p", "nearfront-ceiling"]
    subprocess.run(["cargo", "build", "--release", "--locked", *packages], cwd=ROOT, check=True, stdout=sys.stderr)
    return built()


def admission():
    """Replays traces through admission policies; prints tables. Returns the exit status."""
    crate = ["-p", "nearfront-cachestore-memory", "--example", "admission"]
    return subprocess.run(["cargo", "run", "--release", "--locked", "--quiet", *crate], cwd=ROOT).returncode


def built():
    """Where release builds are."""
    return pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"


def pinned(core, command):
    """The command, on one core."""
    return ["taskset", "-c", str(core), *map(str, command)]


def family(pid):
    """The process and all that descend from it and still run."""
    parents = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            fields = stat(int(entry.name))
            if fields:
                parents.setdefault(int(fields[1]), []).append(int(entry.name))
    members, waiting = [], [pid]
    while waiting:
        members.append(waiting.pop())
        waiting.extend(parents.get(members[-1], []))
    return members


def stat(pid):
    """Fields of /proc/PID/stat after the name, state first; none when it has gone."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def cpu(pids, children=False):
    """Seconds of user and system time of these processes, with those of children that ended if asked."""
    last = 15 if children else 13
    return sum(sum(map(int, fields[11:last])) for fields in map(stat, pids) if fields) / TICKS


def rss(pids):
    """Resident bytes."""
    return sum(int(fields[21]) * PAGE for fields in map(stat, pids) if fields)


def busy():
    """Seconds that all cores together were busy since the machine started."""
    fields = [int(field) for field in pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / TICKS


def describe():
    """The machine without its name."""
    system = "unknown"
    for line in pathlib.Path("/etc/os-release").read_text().splitlines():
        if line.startswith("PRETTY_NAME="):
            system = line.partition("=")[2].strip('"').replace("GNU/Linux ", "").replace(" (bookworm)", "")
    kernel = ".".join(os.uname().release.split(".")[:2])
    model = next((line.partition(":")[2].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), os.uname().machine)
    return f"{os.cpu_count()}-core {os.uname().machine.replace('_', '-')}, {system}, Linux {kernel}, {model}"


def versions(folder):
    """What is compared."""
    asks = {"nginx": ["-v"], "varnishd": ["-V"], "hitch": ["--version"], "h2o": ["--version"], "wrk": ["-v"], "h2load": ["--version"]}
    told = {}
    for program, arguments in asks.items():
        if found(program):
            ran = subprocess.run([found(program), *arguments], capture_output=True, text=True)
            told[program] = next(iter((ran.stdout + ran.stderr).splitlines()), "").strip()
    made = int((folder / "nearfront").stat().st_mtime)
    commit = subprocess.run(["git", "log", "-1", "--format=%h", f"--before={made}"], cwd=ROOT, capture_output=True, text=True)
    told["nearfront"] = f"release build at or after commit {commit.stdout.strip()}"
    return told
