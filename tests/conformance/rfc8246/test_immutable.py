"""RFC 8246: immutable."""

from script import *  # noqa: F403

test_immutable = cases(
    fresh("immutable while fresh", "RFC 8246 §2", OPTIONAL, cc="max-age=3600, immutable"),
    fresh("immutable with a value", "RFC 8246 §2", MUST, cc='max-age=3600, immutable="x"'),
    stale("immutable gives no lifetime", "RFC 8246 §2", MUST, cc="immutable"),
    stale("immutable ends with freshness", "RFC 8246 §2", MUST, cc="max-age=1, immutable", wait=2.1),
    case("immutable reaches the viewer", "RFC 8246 §2", MUST,
         ask(ok(cc="max-age=3600, immutable"), has={"Cache-Control": "max-age=3600, immutable"}), hit(has={"Cache-Control": "max-age=3600, immutable"})),
    case("no-cache of the viewer goes before immutable", "RFC 9111 §5.2.1.4", MUST, ask(ok(cc="max-age=3600, immutable")), again(2, {"Cache-Control": "no-cache"})),
)
