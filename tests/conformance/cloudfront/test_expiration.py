"""CloudFront developer guide, "Managing how long content stays in the cache (expiration)"."""

from script import *  # noqa: F403

GUIDE = "CloudFront, expiration"
DAY = "max-age=86400"


def kept(name, under, headers=None, cc=None, wait=0, **more):
    return case(name, GUIDE, MUST, ask(ok(headers, cc)), hit(1, wait=wait), under=under, **more)


def asked(name, under, headers=None, cc=None, wait=0, **more):
    return case(name, GUIDE, MUST, ask(ok(headers, cc)), again(2, wait=wait), under=under, **more)


test_expiration = cases(
    kept("default TTL where nothing is said", "plain"),
    asked("default TTL ends", "brief", wait=2.1),
    kept("Last-Modified makes no guess: the default TTL counts", "plain", {"Last-Modified": At(-1)}, wait=1.1),
    kept("max-age", "plain", cc=DAY),
    asked("max-age ends", "plain", cc="max-age=1", wait=2.1),
    asked("max-age=0", "plain", cc="max-age=0"),
    asked("max-age beyond the maximum TTL", "brief", cc=DAY, wait=3.1),
    kept("max-age below the minimum TTL", "least", cc="max-age=1", wait=2.1),
    kept("max-age=0 with a minimum TTL", "least", cc="max-age=0"),
    kept("s-maxage goes before max-age", "plain", cc="max-age=0, s-maxage=100"),
    asked("s-maxage goes before max-age, 0", "plain", cc=DAY + ", s-maxage=0"),
    kept("Expires", "plain", {"Expires": At(1000)}),
    asked("Expires that is over", "plain", {"Expires": At(-1000)}),
    kept("Expires that is over with a minimum TTL", "least", {"Expires": At(-1000)}),
    kept("max-age goes before Expires", "plain", {"Expires": At(-1000)}, cc=DAY),
    *(asked(said, "plain", cc=said + ", " + DAY) for said in ("no-cache", "no-store", "private")),
    *(kept(said + " with a minimum TTL", "least", cc=said) for said in ("no-cache", "no-store", "private")),
    *(case(f"{said} of the viewer is passed over", "CloudFront, request headers", MUST,
           ask(ok(cc=DAY)), hit(1, {"Cache-Control": said, "Pragma": "no-cache"}), under="plain")
      for said in ("no-cache", "no-store", "max-age=0")),
    case("no-store of the viewer does not keep from storing", "CloudFront, request headers", MUST,
         ask(ok(cc=DAY), {"Cache-Control": "no-store"}), hit(1), under="plain"),
    case("only-if-cached of the viewer is passed over", "CloudFront, request headers", MUST,
         ask(ok(cc=DAY), {"Cache-Control": "only-if-cached"}), under="plain"),
    kept("CDN-Cache-Control is a header like any other", "plain", {"CDN-Cache-Control": "no-store"}, cc=DAY),
    kept("age on arrival does not shorten a lifetime", "plain", {"Age": 1000}, cc="max-age=100"),
    case("Age is the time since the edge stored it", "CloudFront, Age", MUST, ask(ok({"Age": 1000}, cc=DAY)), hit(1, age=(0, 10)), under="plain"),
    case("headers reach the viewer unchanged", GUIDE, MUST,
         ask(ok({"Expires": "0"}, cc="max-age=0, no-cache, x=y"), has={"Expires": "0", "Cache-Control": "max-age=0, no-cache, x=y"}), under="plain"),
    case("no-cache with Set-Cookie: stored without it", "CloudFront, cookies", MUST,
         ask(ok({"Set-Cookie": "a=1"}, cc=DAY + ', no-cache="Set-Cookie"'), has={"Set-Cookie": "a=1"}), hit(1, has={"Set-Cookie": None}), under="crumbs"),
    case("caching disabled", GUIDE, MUST, ask(ok(cc=DAY)), again(2), under="disabled"),
    kept("the managed policy CachingOptimized", "optimized"),
    *(case(f"{status} is kept", GUIDE, MUST, ask(answer(status, cc=DAY), status=status), hit(1, status=status), under="plain") for status in (203, 301, 302, 307, 308)),
    case("a cut answer is not stored", "CloudFront, response from the origin", MUST, ask(ok(cc=DAY, cut=4), whole=False, status=None), again(2), under="plain"),
    case("a cut chunked answer is not stored", "CloudFront, response from the origin", MUST,
         ask(ok(cc=DAY, cut=4, framing="chunked"), whole=False, status=None), again(2), under="plain"),
    case("an answer to the end of the connection is stored", "CloudFront, response from the origin", MUST,
         ask(ok(cc=DAY, framing="close")), hit(1), under="plain"),
    case("POST takes nothing away", "CloudFront, methods", MUST, ask(ok(cc=DAY)), ask(ok(), method="POST", sends=b"x"), hit(1), under="plain"),
    case("GET and HEAD share what is stored", "CloudFront, methods", MUST, ask(ok(cc=DAY)), hit(b"", method="HEAD"), under="plain"),
)

test_keys = cases(
    case("Vary does not make the key", "CloudFront, cache key", MUST, ask(ok({"Vary": "X-V"}, cc=DAY), {"X-V": "1"}), hit(1, {"X-V": "2"}), under="plain"),
    case("Vary loses what cannot reach the origin", "CloudFront, Vary", MUST,
         ask(ok({"Vary": "Accept-Encoding, X-V, Cookie"}, cc=DAY), has={"Vary": lambda kept: "x-v" not in kept.lower() and "accept-encoding" in kept.lower()}), under="plain"),
    case("Vary: * is asked each time", "CloudFront, Vary", MUST, ask(ok({"Vary": "*"}, cc=DAY)), again(2), under="plain"),
    case("the query is not in the key", "CloudFront, cache key", MUST, ask(ok(cc=DAY), path="?a"), hit(1, path="?b"), under="plain"),
    case("a selected parameter is", "CloudFront, cache key", MUST, ask(ok(cc=DAY), path="?q=1"), again(2, path="?q=2"), under="keyed"),
    case("another parameter is not", "CloudFront, cache key", MUST, ask(ok(cc=DAY), path="?q=1&x=1"), hit(1, path="?x=2&q=1"), under="keyed"),
    case("a selected header is", "CloudFront, cache key", MUST, ask(ok(cc=DAY), {"X-Key": "a"}), again(2, {"X-Key": "b"}), under="keyed"),
    case("the case of its value counts", "CloudFront, cache key", MUST, ask(ok(cc=DAY), {"X-Key": "a"}), again(2, {"X-Key": "A"}), under="keyed"),
    case("the case of its name does not", "CloudFront, cache key", MUST, ask(ok(cc=DAY), {"X-Key": "a"}), hit(1, {"x-KEY": "a"}), under="keyed"),
    case("a selected cookie is", "CloudFront, cache key", MUST, ask(ok(cc=DAY), {"Cookie": "c=1"}), again(2, {"Cookie": "c=2"}), under="crumbs"),
    case("another cookie is not", "CloudFront, cache key", MUST, ask(ok(cc=DAY), {"Cookie": "c=1; d=1"}, sent={"Cookie": "c=1"}), hit(1, {"Cookie": "d=2; c=1"}), under="crumbs"),
    case("Set-Cookie is taken away where no cookie is forwarded", "CloudFront, cookies", MUST,
         ask(ok({"Set-Cookie": "a=1"}, cc=DAY), has={"Set-Cookie": None}), hit(1, has={"Set-Cookie": None}), under="plain"),
    case("Set-Cookie is stored where cookies are forwarded", "CloudFront, cookies", MUST,
         ask(ok({"Set-Cookie": "a=1"}, cc=DAY)), hit(1, has={"Set-Cookie": "a=1"}), under="crumbs"),
    case("Authorization is not forwarded", "CloudFront, request headers", MUST,
         ask(ok(cc=DAY), {"Authorization": "Basic x"}, sent={"Authorization": None}), hit(1), under="plain"),
)
