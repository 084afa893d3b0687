"""Fixtures, and the logs of every process that runs when a test fails."""

import pathlib
import re
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import nearfront as parts  # noqa: E402


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        folder = parts.ROOT / "target/e2e-logs" / re.sub(r"[^\w.-]+", "-", item.name)
        folder.mkdir(parents=True, exist_ok=True)
        for place, process in enumerate(parts.LIVE):
            kept = folder / f"{place}-{process.name}.log"
            if process.log.exists():
                shutil.copy(process.log, kept)
            report.sections.append((f"log of {process.name} ({kept})", process.tail()))
    return report


@pytest.fixture
def origin():
    """A counting web server without pages; put some into `origin.pages`."""
    with parts.Origin() as origin:
        yield origin


@pytest.fixture(scope="session")
def s3():
    """One S3 server for all tests; use buckets of your own."""
    with parts.S3() as s3:
        yield s3


@pytest.fixture(scope="module")
def up():
    """`nearfront up` with defaults, shared by the tests of one module."""
    with parts.Up() as near:
        yield near


@pytest.fixture(scope="module")
def fleet():
    """Control, two edges and dns on Redis, shared by the tests of one module."""
    with parts.Fleet() as fleet:
        yield fleet


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes more than some seconds; left out by scripts/test --quick")
