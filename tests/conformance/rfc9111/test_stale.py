"""RFC 9111 §4.2.4: what is served when its time is over and the origin does not answer."""

from script import *  # noqa: F403

RULE = "RFC 9111 §4.2.4"
PAST = {"Age": 100}


def forbidden(said):
    return case(f"not served stale: {said}", RULE, MUST,
                ask(ok(PAST, cc=said)), ask(HANGUP, status=None, asked=None, check=lambda got: "stale" if got.status < 500 else None))


test_stale = cases(
    case("served when the origin closes without an answer", RULE, OPTIONAL, ask(ok(PAST, cc="max-age=60")), ask(HANGUP, asked=None, body=1, age=(100, 120))),
    case("served while the origin closes, and fetched when it does not", RULE, OPTIONAL,
         ask(ok(PAST, cc="max-age=60")), ask(HANGUP, asked=None, body=1), again(3)),
    case("a heuristic one is served when the origin closes", RULE, OPTIONAL,
         ask(ok({"Last-Modified": At(-10), "Age": 100})), ask(HANGUP, asked=None, body=1)),
    case("an error of the origin is passed on", RULE, OPTIONAL, ask(ok(PAST, cc="max-age=60")), ask(answer(503, cc="no-store"), status=503)),
    *(forbidden(said) for said in ("max-age=60, must-revalidate", "max-age=60, proxy-revalidate", "s-maxage=60", "no-cache, max-age=60",
                                   "no-cache, stale-if-error=1000", "max-age=60, must-revalidate, stale-if-error=1000")),
    case("must-revalidate makes a gateway's error", "RFC 9111 §5.2.2.2", SHOULD,
         ask(ok(PAST, cc="max-age=60, must-revalidate")),
         ask(HANGUP, status=None, asked=None, check=lambda got: None if got.status in (502, 503, 504) else f"{got.status}")),
    fresh("must-revalidate does not matter while fresh", "RFC 9111 §5.2.2.2", OPTIONAL, cc="max-age=3600, must-revalidate"),
    fresh("proxy-revalidate does not matter while fresh", "RFC 9111 §5.2.2.8", OPTIONAL, cc="max-age=3600, proxy-revalidate"),
    stale("must-revalidate when stale", "RFC 9111 §5.2.2.2", MUST, PAST, cc="max-age=60, must-revalidate"),
    case("nothing held and the origin closes", "RFC 9110 §15.6.3", MUST,
         ask(HANGUP, status=None, asked=None, check=lambda got: None if got.status in (502, 503, 504) else f"{got.status}")),
    case("not served stale to one who says no-cache", "RFC 9111 §5.2.1.4", MUST,
         ask(ok(cc="max-age=3600")), ask(HANGUP, {"Cache-Control": "no-cache"}, status=None, asked=None, check=lambda got: "stale" if got.status < 500 else None)),
)
