"""CloudFront developer guide: revalidation, stale content, X-Cache."""

from script import *  # noqa: F403

GUIDE = "CloudFront, stale content"
AGAIN = "CloudFront, revalidation"
DAY = "max-age=86400"


def x(word):
    return {"X-Cache": f"{word} from nearfront"}


TAG = {"ETag": '"1"'}

test_x_cache = cases(
    case("Miss, then Hit", "CloudFront, X-Cache", MUST, ask(ok(cc=DAY), has=x("Miss")), hit(1, has=x("Hit")), under="plain"),
    case("RefreshHit", "CloudFront, X-Cache", MUST, ask(ok(TAG, cc="max-age=0")), ask(not_modified(TAG), body=1, has=x("RefreshHit")), under="plain"),
    case("a changed object is a Miss", "CloudFront, X-Cache", MUST, ask(ok(TAG, cc="max-age=0")), again(2, has=x("Miss")), under="plain"),
    case("Error of the origin", "CloudFront, X-Cache", MUST, ask(answer(404), status=404, has=x("Error")), under="plain"),
    case("Error of ours", "CloudFront, X-Cache", MUST, ask(HANGUP, status=502, has=x("Error"), asked=None), under="plain"),
    case("a stale copy is a Hit", "CloudFront, X-Cache", OPTIONAL,
         ask(ok(cc="max-age=1, stale-while-revalidate=100")), ask(ok(cc=DAY), behind=True, body=1, wait=2.1, has=x("Hit")), under="plain"),
    case("under RFC 9111 too", "Managed-HttpStandard", MUST, ask(ok(cc=DAY), has=x("Miss")), hit(1, has=x("Hit")), only="nearfront"),
    case("304 of a fresh object is a Hit", "CloudFront, X-Cache", MUST,
         ask(ok(TAG, cc=DAY)), hit(b"", {"If-None-Match": '"1"'}, status=304, has=x("Hit")), under="plain"),
)

test_revalidation = cases(
    case("an expired object is validated with its tag", AGAIN, MUST,
         ask(ok(TAG, cc="max-age=1")), ask(not_modified(TAG, cc=DAY), body=1, wait=2.1, sent={"If-None-Match": '"1"'}), hit(1), under="plain"),
    case("with its date of change", AGAIN, MUST,
         ask(ok({"Last-Modified": "Sun, 06 Nov 1994 08:49:37 GMT"}, cc="max-age=0")),
         ask(not_modified(cc=DAY), body=1, sent={"If-Modified-Since": "Sun, 06 Nov 1994 08:49:37 GMT"}), hit(1), under="plain"),
    case("the lifetime starts anew with the default TTL", AGAIN, MUST, ask(ok(TAG, cc="max-age=0")), again(2, origin=ok(TAG)), hit(2), under="plain"),
    case("If-None-Match of the viewer is answered here", AGAIN, MUST, ask(ok(TAG, cc=DAY)), hit(b"", {"If-None-Match": 'W/"1"'}, status=304), under="plain"),
    case("conditions of the viewer are passed over where cookies are forwarded", "CloudFront, cookies", MUST,
         ask(ok(TAG, cc=DAY)), hit(1, {"If-None-Match": '"1"'}), under="crumbs"),
)

test_stale_content = cases(
    *(case(f"an expired object is served for {status}", GUIDE, MUST, ask(ok(cc="max-age=0")), ask(answer(status), body=1), under="plain") for status in (500, 502, 503, 504)),
    case("an expired object is served when the origin closes", GUIDE, MUST, ask(ok(cc="max-age=0")), ask(HANGUP, body=1, asked=None), under="plain"),
    case("not for 404", GUIDE, MUST, ask(ok(cc="max-age=0")), ask(answer(404), status=404), under="plain"),
    case("not for 403", GUIDE, MUST, ask(ok(cc="max-age=0")), ask(answer(403), status=403), under="plain"),
    case("the failure is not asked for again for the time of the error", GUIDE, MUST,
         ask(ok(cc="max-age=0")), ask(answer(503), body=1), hit(1), under="plain"),
    case("after the time of the error it is", GUIDE, MUST, ask(ok(cc="max-age=0")), ask(answer(500), body=1), again(3, wait=5.2), under="plain"),
    case("stale-if-error=0: not served", GUIDE, MUST, ask(ok(cc="max-age=0, stale-if-error=0")), ask(answer(500), status=500), under="plain"),
    case("stale-if-error: served within its time", GUIDE, MUST, ask(ok(cc="max-age=0, stale-if-error=100")), ask(answer(500), body=1), under="plain"),
    case("stale-if-error: not beyond its time", GUIDE, MUST, ask(ok(cc="max-age=0, stale-if-error=1")), ask(answer(500), status=500, wait=2.1), under="plain"),
    case("stale-if-error: not beyond the maximum TTL", GUIDE, MUST, ask(ok(cc="max-age=1, stale-if-error=1000")), ask(answer(500), status=500, wait=5.2), under="brief"),
    case("stale-while-revalidate", GUIDE, MUST,
         ask(ok(cc="max-age=0, stale-while-revalidate=100")), ask(ok(cc=DAY), body=1, behind=True), hit(2, eventually=True), under="plain"),
    case("stale-while-revalidate with s-maxage", GUIDE, MUST,
         ask(ok(cc="s-maxage=0, stale-while-revalidate=100")), ask(ok(cc=DAY), body=1, behind=True), hit(2, eventually=True), under="plain"),
    case("stale-while-revalidate: not beyond its time", GUIDE, MUST, ask(ok(cc="max-age=0, stale-while-revalidate=1")), again(2, wait=2.1), under="plain"),
    case("stale-while-revalidate: not beyond the maximum TTL", GUIDE, MUST, ask(ok(cc="max-age=1, stale-while-revalidate=1000")), again(2, wait=4.1), under="brief"),
)

test_collapsing = cases(
    case("many viewers and one question", "CloudFront, request collapsing", MUST, ask(ok(cc=DAY, delay=0.5), many=10, asked=1, body=1), hit(1), under="plain"),
    case("where cookies are forwarded each asks", "CloudFront, request collapsing", MUST, ask(ok(cc=DAY, delay=0.5), many=4, asked=4), under="crumbs"),
    case("where caching is disabled each asks", "CloudFront, request collapsing", MUST, ask(ok(cc=DAY, delay=0.5), many=4, asked=4), under="disabled"),
    case("what turns out private is asked by each", "CloudFront, request collapsing", MUST,
         ask(ok(cc="private", delay=0.2), many=4, asked=4), under="plain"),
)
