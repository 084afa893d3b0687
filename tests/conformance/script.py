"""The words in which cases are written.

A case is a list of steps. In each step one viewer asks, and the origin, should it be asked, gives the
answer that the step names. Every answer's body is its own: `body=1` expects the one made in step 1.

    case("a fresh response is used again", "RFC 9111 §4.2", MUST,
         ask(ok(cc="max-age=3600")),     # the origin is asked: what is expected of a first step
         hit(1))                         # it is not asked; the body is that of step 1

Short forms: `fresh(...)` is just that case; `stale(...)` expects the origin to be asked again.
Values of headers may be `At(seconds)`, a date around now. `{path}` and `{host}` stand for the case's own.
"""

import dataclasses

import pytest

from wire import At

MUST, SHOULD, OPTIONAL = "MUST", "SHOULD", "optional"

#: Expectation for a header: that it is there.
ANY = object()


@dataclasses.dataclass
class Answer:
    """What the origin answers."""

    status: int = 200
    headers: list = dataclasses.field(default_factory=list)
    body: bytes | None = None  # None: a body of its own for each step
    framing: str = "length"  # or "chunked", or "close": until the connection ends
    cut: int | None = None  # the connection ends after so many bytes of the body
    hangup: bool = False  # the connection ends without an answer
    delay: float = 0
    interim: tuple = ()  # (status, headers) sent before
    trailers: tuple = ()
    date: bool = True  # Date: now, unless the headers have one
    confirm: "Answer | None" = None  # takes its place when the request is conditional
    part: bool = False  # honours Range


@dataclasses.dataclass
class Step:
    """One viewer's request and what is expected. None: no matter."""

    origin: Answer | None = None
    method: str = "GET"
    headers: list = dataclasses.field(default_factory=list)
    path: str = ""
    sends: bytes | None = None
    wait: float = 0
    many: int = 1  # so many viewers at once
    eventually: bool = False  # asked again until it is so
    behind: bool = False  # the origin is asked after the answer: waits for that
    status: int | None = 200
    body: int | bytes | None = None
    asked: bool | int | None = None
    sent: dict = dataclasses.field(default_factory=dict)
    has: dict = dataclasses.field(default_factory=dict)
    age: tuple | None = None
    interim: list | None = None
    trailers: dict | None = None
    whole: bool = True
    check: object = None  # check(response) -> None, or what is wrong


@dataclasses.dataclass
class Case:
    """A behaviour that is required."""

    name: str
    section: str
    level: str
    steps: list
    under: str = "http"  # the behaviour of the distributions, see caches.py
    only: str | None = None  # for this cache alone, as what it says is its own
    missing: str | None = None  # ours does not do it yet, for this reason


def pairs(headers):
    return list(headers.items()) if isinstance(headers, dict) else list(headers or [])


def answer(status, headers=None, cc=None, **more):
    """An answer of the origin; `cc` is its Cache-Control."""
    said = [("Cache-Control", cc)] if cc is not None else []
    return Answer(status, said + pairs(headers), **more)


def ok(headers=None, cc=None, **more):
    return answer(200, headers, cc, **more)


def not_modified(headers=None, cc=None, **more):
    return answer(304, headers, cc, body=b"", **more)


HANGUP = Answer(hangup=True)


def ask(origin=None, headers=None, **more):
    """A viewer asks; by default the origin has to be asked."""
    expected = {"asked": True, **more}
    return Step(origin, headers=pairs(headers), **expected)


def hit(body=1, headers=None, **more):
    """A viewer asks and gets the body of an earlier step, and the origin hears nothing of it."""
    return Step(None, headers=pairs(headers), **{"asked": False, "body": body, **more})


def again(body=2, headers=None, origin=None, **more):
    """A viewer asks, and the origin has to be asked; its new body is what comes."""
    return Step(origin, headers=pairs(headers), **{"asked": True, "body": body, **more})


def case(name, section, level, *steps, **more):
    return Case(name, section, level, list(steps), **more)


def fresh(name, section, level, headers=None, cc=None, status=200, viewer=None, **more):
    """What is answered so is used again."""
    given = answer(status, headers, cc)
    body = None if status == 204 else 1
    return case(name, section, level, ask(given, viewer, status=status), hit(body, viewer, status=status), **more)


def stale(name, section, level, headers=None, cc=None, status=200, viewer=None, wait=0, **more):
    """What is answered so is not used again unasked."""
    given = answer(status, headers, cc)
    return case(name, section, level, ask(given, viewer, status=status), again(2, viewer, wait=wait), **more)


def cases(*all_of_them):
    """A test of each case, to be given a name that begins with `test_`."""
    names = [one.name for one in all_of_them]
    assert len(set(names)) == len(names), sorted(name for name in names if names.count(name) > 1)

    @pytest.mark.parametrize("case", [pytest.param(one, id=one.name.replace(" ", "-")) for one in all_of_them])
    def test(case, played, request, record_property):
        record_property("section", case.section)
        record_property("level", case.level)
        if wrong := played.result(request.node.nodeid):
            pytest.fail(wrong, pytrace=False)

    return test


__all__ = ["ANY", "At", "HANGUP", "MUST", "OPTIONAL", "SHOULD", "Answer", "again", "answer", "ask", "case", "cases",
           "fresh", "hit", "not_modified", "ok", "stale"]
