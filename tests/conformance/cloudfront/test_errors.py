"""CloudFront developer guide: how errors of origins are cached, custom error pages, ranges, the viewer's answer."""

import gzip

from script import *  # noqa: F403

GUIDE = "CloudFront, errors"
DAY = "max-age=86400"


def error(name, status, asked, headers=None, cc=None, wait=0, under="plain", **more):
    then = again(2, wait=wait) if asked else hit(1, wait=wait, status=status)
    return case(name, GUIDE, MUST, ask(answer(status, headers, cc), status=status), then, under=under, **more)


test_errors = cases(
    *(error(f"{status} is kept", status, False) for status in (404, 410, 500, 501, 502, 503, 504)),
    *(error(f"{status} is not kept", status, True) for status in (400, 403, 405, 412, 415)),
    *(error(f"{status} with max-age is kept", status, False, cc=DAY) for status in (400, 403, 405, 412, 415)),
    *(error(f"{status} with s-maxage is kept", status, False, cc="s-maxage=100") for status in (400, 403)),
    *(error(f"{status} is kept for the time of its rule", status, True, wait=5.2) for status in (404, 500)),
    *(error(f"{status} is kept for its max-age if that is longer", status, False, cc=DAY, wait=5.2) for status in (404, 500)),
    *(error(f"{status} with max-age=0 is kept for the time of its rule", status, False, cc="max-age=0") for status in (503, 504)),
    *(error(f"{status} with {said} is not kept", status, True, cc=said) for status in (404, 410, 501) for said in ("no-store", "no-cache", "private")),
    *(error(f"{status} with {said} is kept all the same", status, False, cc=said) for status in (502, 503, 504) for said in ("no-store", "private")),
    error("416 is never kept", 416, True, cc=DAY),
    error("nothing is kept where caching is disabled", 503, True, cc=DAY, under="disabled"),
    error("max-age of an error is bounded by the maximum TTL", 404, True, cc=DAY, wait=5.2, under="brief"),
    case("an origin that closes is a 502 for a while", GUIDE, MUST, ask(HANGUP, status=502, asked=None), ask(ok(), asked=False, status=502), under="plain"),
    case("and is asked again after that", GUIDE, MUST, ask(HANGUP, status=502, asked=None), again(2, wait=5.2), under="plain"),
    case("a custom page takes the place of an error", "CloudFront, custom error pages", MUST,
         ask(answer(414), status=200, body=b"the page\n", has={"X-Cache": "Error from nearfront"}),
         ask(None, asked=False, status=200, body=b"the page\n", has={"X-Cache": "Error from nearfront"}), under="plain"),
)

TEN = b"0123456789"
WHOLE = ok({"ETag": '"1"'}, cc=DAY, body=TEN)

test_ranges = cases(
    case("a range of what is cached", "CloudFront, ranges", MUST, ask(WHOLE), hit(b"345", {"Range": "bytes=3-5"}, status=206, has={"Content-Range": "bytes 3-5/10"}), under="plain"),
    case("a range that is not there", "CloudFront, ranges", MUST, ask(WHOLE), hit(b"", {"Range": "bytes=30-"}, status=416), under="plain"),
    case("ranges that overlap give the whole", "CloudFront, ranges", MUST, ask(WHOLE), hit(TEN, {"Range": "bytes=0-5,3-9"}), under="plain"),
    case("ranges that do not ascend give the whole", "CloudFront, ranges", MUST, ask(WHOLE), hit(TEN, {"Range": "bytes=5-6,0-1"}), under="plain"),
    case("a range is forwarded", "CloudFront, ranges", MUST,
         ask(ok({"ETag": '"1"'}, cc=DAY, body=TEN, part=True), {"Range": "bytes=3-5"}, status=206, body=b"345"), under="plain"),
    case("the whole that comes for a range is stored", "CloudFront, ranges", MUST, ask(WHOLE, {"Range": "bytes=3-5"}, status=200, body=TEN), hit(TEN), under="plain"),
    case("a range that was fetched is cached", "CloudFront, ranges", MUST,
         ask(ok({"ETag": '"1"'}, cc=DAY, body=TEN, part=True), {"Range": "bytes=3-5"}, status=206), hit(b"345", {"Range": "bytes=3-5"}, status=206),
         under="plain"),
    case("several ranges", "CloudFront, ranges", MUST, ask(WHOLE), hit(None, {"Range": "bytes=0-1,5-6"}, status=206, has={"Content-Type": lambda kind: kind.startswith("multipart/byteranges; boundary=")}), under="plain"),
    case("several ranges of which one is not there", "CloudFront, ranges", MUST, ask(WHOLE), hit(TEN, {"Range": "bytes=0-1,30-"}), under="plain"),
)

test_answers = cases(
    case("what every answer carries", "CloudFront, responses", MUST,
         ask(ok(cc=DAY), has={"X-Amz-Cf-Id": lambda id: len(id) == 56, "X-Amz-Cf-Pop": ANY, "Via": lambda via: via.endswith("(Nearfront)")}), under="plain"),
    case("Server of the origin is kept", "CloudFront, responses", MUST, ask(ok({"Server": "o/1"}, cc=DAY), has={"Server": "o/1"}), hit(1, has={"Server": "o/1"}), under="plain"),
    case("Trailer and Upgrade are taken away", "CloudFront, responses", MUST,
         ask(ok({"Trailer": "X", "Upgrade": "h2c"}, cc=DAY), has={"Trailer": None, "Upgrade": None}), under="plain"),
    case("what the origin is told", "CloudFront, requests", MUST,
         ask(ok(cc=DAY), {"Accept-Language": "de", "User-Agent": "x", "Referer": "http://r"},
             sent={"Accept-Language": None, "Referer": None, "User-Agent": "Nearfront", "X-Amz-Cf-Id": ANY, "Via": ANY, "X-Forwarded-For": "127.0.0.1", "Host": lambda host: host.startswith("localhost")}), under="plain"),
)

def unzips(got):
    return None if gzip.decompress(got.body) == b"words, words " * 500 else "other bytes"


TEXT = ok({"Content-Type": "text/html", "ETag": '"1"'}, cc=DAY, body=b"words, words " * 500)
ZIPPED = {"Content-Encoding": "gzip"}

test_compression = cases(
    case("gzip", "CloudFront, compression", MUST, ask(TEXT, {"Accept-Encoding": "gzip"}, has={"Content-Encoding": "gzip", "ETag": 'W/"1"'}), under="packed"),
    case("br", "CloudFront, compression", MUST, ask(TEXT, {"Accept-Encoding": "br"}, has={"Content-Encoding": "br"}), under="packed"),
    case("br before gzip", "CloudFront, compression", MUST, ask(TEXT, {"Accept-Encoding": "gzip, br"}, has={"Content-Encoding": "br"}), under="packed"),
    case("neither", "CloudFront, compression", MUST, ask(TEXT, has={"Content-Encoding": None}), under="packed"),
    case("not with a weight of 0", "CloudFront, compression", MUST, ask(TEXT, {"Accept-Encoding": "gzip;q=0"}, has={"Content-Encoding": None}), under="packed"),
    case("a copy is served compressed", "CloudFront, compression", MUST,
         ask(TEXT, {"Accept-Encoding": "gzip"}, has=ZIPPED), hit(None, {"Accept-Encoding": "gzip"}, has=ZIPPED, check=unzips), under="packed"),
    case("what the origin encoded stays as it is", "CloudFront, compression", MUST,
         ask(ok({"Content-Type": "text/html", "Content-Encoding": "x-odd"}, cc=DAY, body=b"words" * 999), {"Accept-Encoding": "gzip"}, has={"Content-Encoding": "x-odd"}), under="packed"),
    case("another type", "CloudFront, compression", MUST,
         ask(ok({"Content-Type": "image/png"}, cc=DAY, body=b"words" * 999), {"Accept-Encoding": "gzip"}, has={"Content-Encoding": None}), under="packed"),
    case("another status", "CloudFront, compression", MUST,
         ask(answer(410, {"Content-Type": "text/html"}, cc=DAY, body=b"words" * 999), {"Accept-Encoding": "gzip"}, status=410, has={"Content-Encoding": None}), under="packed"),
    case("a 404 too", "CloudFront, compression", MUST,
         ask(answer(404, {"Content-Type": "text/html"}, cc=DAY, body=b"words" * 999), {"Accept-Encoding": "gzip"}, status=404, has=ZIPPED), under="packed"),
    case("not where the behaviour does not say so", "CloudFront, compression", MUST,
         ask(TEXT, {"Accept-Encoding": "gzip"}, has={"Content-Encoding": None}), under="plain"),
    case("a range is of the compressed bytes", "CloudFront, compression", MUST,
         ask(TEXT, {"Accept-Encoding": "gzip"}, has=ZIPPED),
         hit(b"\x1f\x8b", {"Accept-Encoding": "gzip", "Range": "bytes=0-1"}, status=206, has=ZIPPED), under="packed"),
    case("an invalid entity tag is taken away", "CloudFront, compression", MUST,
         ask(ok({"Content-Type": "text/html", "ETag": "odd"}, cc=DAY, body=b"words" * 999), {"Accept-Encoding": "gzip"}, has={**ZIPPED, "ETag": None}), under="packed"),
    case("a confirmed copy stays compressed", "CloudFront, compression", MUST,
         ask(ok({"Content-Type": "text/html", "ETag": '"1"'}, cc="max-age=0", body=b"words" * 999), {"Accept-Encoding": "gzip"}, has=ZIPPED),
         ask(not_modified({"ETag": '"1"'}, cc=DAY), {"Accept-Encoding": "gzip"}, has={**ZIPPED, "ETag": 'W/"1"', "X-Cache": "RefreshHit from nearfront"}), under="packed"),
    case("too short", "CloudFront, compression", MUST, ask(ok({"Content-Type": "text/html"}, cc=DAY), {"Accept-Encoding": "gzip"}, has={"Content-Encoding": None}), under="packed"),
    case("one copy for each encoding", "CloudFront, compression", MUST,
         ask(TEXT, {"Accept-Encoding": "gzip"}), ask(TEXT), hit(None, {"Accept-Encoding": "gzip"}), hit(b"words, words " * 500), under="packed"),
)
