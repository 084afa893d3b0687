"""Starts the chosen cache once, plays all selected cases at once, and lets each test ask for its end."""

import collections
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import caches  # noqa: E402
import http2  # noqa: E402
import play  # noqa: E402


def of(item):
    """The case of a test, if it has one."""
    return item.callspec.params.get("case") if hasattr(item, "callspec") else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    cache = caches.chosen()
    for item in items:
        case = of(item)
        if case is None:
            continue
        ours = cache is caches.Nearfront
        if not ours and (case.under != "http" or case.only):
            item.add_marker(pytest.mark.skip(reason="says what is Nearfront's own"))
        if ours and case.missing:
            item.add_marker(pytest.mark.xfail(reason=case.missing, strict=True))


@pytest.fixture(scope="session")
def played(request):
    """All selected cases, playing."""
    wanted = {item.nodeid: of(item) for item in request.session.items if of(item) and not item.get_closest_marker("skip")}
    with caches.chosen()() as cache:
        stage = play.Play(cache)
        cache.serve(stage.origin.port)
        stage.start(wanted)
        yield stage
        stage.stop()


@pytest.fixture(scope="session")
def http2_server():
    """The chosen server as one that speaks HTTP/2 over TLS."""
    name = caches.chosen().name
    if name not in http2.SERVERS:
        pytest.skip(f"{name} is not set up to speak HTTP/2 here")
    with http2.SERVERS[name]() as server:
        yield server


def pytest_terminal_summary(terminalreporter):
    """How many of each level are met, by RFC."""
    counts = collections.defaultdict(collections.Counter)
    for outcome in ("passed", "failed", "xfailed"):
        for report in terminalreporter.stats.get(outcome, []):
            said = dict(getattr(report, "user_properties", ()))
            if "level" in said and report.when == "call":
                counts[pathlib.Path(report.nodeid.partition("::")[0]).parent.name, said["level"]][outcome] += 1
    if counts:
        terminalreporter.section(f"conformance of {caches.chosen().name}")
    for (folder, level), count in sorted(counts.items()):
        terminalreporter.line(f"{folder:12} {level:9} {count['passed']:4} of {sum(count.values())}")
