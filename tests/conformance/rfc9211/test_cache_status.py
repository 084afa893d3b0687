"""RFC 9211: Cache-Status."""

from script import *  # noqa: F403

HOUR = "max-age=3600"

test_cache_status = cases(
    case("a hit says so", "RFC 9211 §2.1", OPTIONAL, ask(ok(cc=HOUR)), hit(has={"Cache-Status": lambda said: "; hit" in said})),
    case("a hit says how long it is fresh", "RFC 9211 §2.4", OPTIONAL, ask(ok(cc=HOUR)), hit(has={"Cache-Status": lambda said: "ttl=3" in said})),
    case("a miss says why", "RFC 9211 §2.2", OPTIONAL, ask(ok(cc=HOUR), has={"Cache-Status": lambda said: "fwd=uri-miss" in said})),
    case("a stale one says why", "RFC 9211 §2.2", OPTIONAL,
         ask(ok(cc="max-age=0")), again(2, has={"Cache-Status": lambda said: "fwd=stale" in said})),
    case("one that is confirmed says by what", "RFC 9211 §2.3", OPTIONAL,
         ask(ok({"ETag": '"1"'}, cc="max-age=0")),
         again(1, origin=not_modified({"ETag": '"1"'}, cc=HOUR), has={"Cache-Status": lambda said: "fwd=stale" in said and "fwd-status=304" in said})),
    case("what the viewer does not want says so", "RFC 9211 §2.2", OPTIONAL,
         ask(ok(cc=HOUR)), again(2, {"Cache-Control": "no-cache"}, has={"Cache-Status": lambda said: "fwd=request" in said})),
    case("another variant says so", "RFC 9211 §2.2", OPTIONAL,
         ask(ok({"Vary": "X-V"}, cc=HOUR), {"X-V": "1"}), ask(ok({"Vary": "X-V"}, cc=HOUR), {"X-V": "2"}, has={"Cache-Status": lambda said: "fwd=vary-miss" in said})),
    case("what the origin's caches said stays before", "RFC 9211 §2", MUST,
         ask(ok({"Cache-Status": "Origin; hit"}, cc=HOUR), has={"Cache-Status": lambda said: said.startswith("Origin; hit")})),
)
