"""RFC 9211: Cache-Status."""

from script import *  # noqa: F403

HOUR = "max-age=3600"
LATER = "not built yet: Cache-Status"

test_cache_status = cases(
    case("a hit says so", "RFC 9211 §2.1", OPTIONAL, ask(ok(cc=HOUR)), hit(has={"Cache-Status": lambda said: "; hit" in said}), missing=LATER),
    case("a hit says how long it is fresh", "RFC 9211 §2.4", OPTIONAL, ask(ok(cc=HOUR)), hit(has={"Cache-Status": lambda said: "ttl=3" in said}), missing=LATER),
    case("a miss says why", "RFC 9211 §2.2", OPTIONAL, ask(ok(cc=HOUR), has={"Cache-Status": lambda said: "fwd=uri-miss" in said}), missing=LATER),
    case("a stale one says why", "RFC 9211 §2.2", OPTIONAL,
         ask(ok(cc="max-age=0")), again(2, has={"Cache-Status": lambda said: "fwd=stale" in said}), missing=LATER),
    case("what the origin's caches said stays before", "RFC 9211 §2", MUST,
         ask(ok({"Cache-Status": "Origin; hit"}, cc=HOUR), has={"Cache-Status": lambda said: said.startswith("Origin; hit")})),
)
