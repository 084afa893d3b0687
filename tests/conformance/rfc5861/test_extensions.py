"""RFC 5861: stale-while-revalidate and stale-if-error."""

from script import *  # noqa: F403

PAST = {"Age": 100}
WHILE = "RFC 5861 §3"
ERROR = "RFC 5861 §4"

test_while_revalidate = cases(
    case("stale is served and refreshed behind", WHILE, OPTIONAL,
         ask(ok(PAST, cc="max-age=60, stale-while-revalidate=1000")),
         ask(ok(cc="max-age=3600"), behind=True, body=1, age=(100, 120)), hit(2, eventually=True)),
    case("a refresh behind validates", WHILE, OPTIONAL,
         ask(ok({"ETag": '"1"', **PAST}, cc="max-age=60, stale-while-revalidate=1000")),
         ask(not_modified({"ETag": '"1"'}, cc="max-age=3600"), behind=True, body=1, sent={"If-None-Match": '"1"'}), hit(1, eventually=True, age=(0, 50))),
    case("not beyond its time", WHILE, MUST, ask(ok(PAST, cc="max-age=60, stale-while-revalidate=10")), again(2)),
    case("not with 0", WHILE, MUST, ask(ok(PAST, cc="max-age=60, stale-while-revalidate=0")), again(2)),
    case("not with what is no number", WHILE, MUST, ask(ok(PAST, cc="max-age=60, stale-while-revalidate=x")), again(2)),
    case("not against must-revalidate", "RFC 9111 §5.2.2.2", MUST, ask(ok(PAST, cc="max-age=60, stale-while-revalidate=1000, must-revalidate")), again(2)),
    case("not against no-cache", "RFC 9111 §5.2.2.4", MUST, ask(ok(PAST, cc="max-age=60, stale-while-revalidate=1000, no-cache")), again(2)),
    case("not to one who says no-cache", "RFC 9111 §5.2.1.4", MUST, ask(ok(PAST, cc="max-age=60, stale-while-revalidate=1000")), again(2, {"Cache-Control": "no-cache"})),
    case("one question for many viewers", WHILE, OPTIONAL,
         ask(ok(PAST, cc="max-age=60, stale-while-revalidate=1000")),
         ask(ok(cc="max-age=3600", delay=0.5), many=10, behind=True, asked=1, body=1)),
    case("a refresh that fails leaves the stale one in place", WHILE, OPTIONAL,
         ask(ok(PAST, cc="max-age=60, stale-while-revalidate=1000")), ask(HANGUP, asked=None, body=1), ask(HANGUP, asked=None, body=1)),
)

test_if_error = cases(
    *(case(f"stale is served for {status}", ERROR, OPTIONAL,
           ask(ok(PAST, cc="max-age=60, stale-if-error=1000")), ask(answer(status), body=1, age=(100, 120))) for status in (500, 502, 503, 504)),
    case("stale is served when the origin closes", ERROR, OPTIONAL, ask(ok(PAST, cc="max-age=60, stale-if-error=1000")), ask(HANGUP, asked=None, body=1)),
    case("not for 404", ERROR, MUST, ask(ok(PAST, cc="max-age=60, stale-if-error=1000")), ask(answer(404), status=404)),
    case("not beyond its time", ERROR, MUST, ask(ok(PAST, cc="max-age=60, stale-if-error=10")), ask(answer(503), status=503)),
    case("not beyond its time when the origin closes", ERROR, OPTIONAL,
         ask(ok(PAST, cc="max-age=60, stale-if-error=10")), ask(HANGUP, asked=None, status=None, check=lambda got: "stale" if got.status < 500 else None)),
    case("as the viewer allows", ERROR, OPTIONAL, ask(ok(PAST, cc="max-age=60")), ask(answer(503), {"Cache-Control": "stale-if-error=1000"}, body=1)),
    case("not against must-revalidate", "RFC 9111 §5.2.2.2", MUST, ask(ok(PAST, cc="max-age=60, must-revalidate, stale-if-error=1000")), ask(answer(503), status=503)),
    case("an origin that is well again is asked", ERROR, OPTIONAL,
         ask(ok(PAST, cc="max-age=60, stale-if-error=1000")), ask(answer(503), body=1), again(3)),
)
