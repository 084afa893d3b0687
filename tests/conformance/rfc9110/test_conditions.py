"""RFC 9110 §13 and RFC 9111 §4.3.2: the viewer's conditions, answered from what is stored."""

from script import *  # noqa: F403

HOUR = "max-age=3600"
THEN = "Sun, 06 Nov 1994 08:49:37 GMT"
BEFORE = "Sat, 05 Nov 1994 08:49:37 GMT"
AFTER = "Mon, 07 Nov 1994 08:49:37 GMT"
LATELY = str(At(-10))  # of the loading of this file: the same in every message
HELD = ok({"ETag": '"1"', "Last-Modified": THEN, "X-A": "1", "Content-Type": "a/b"}, cc=HOUR)


def held(name, section, level, asked_with, status, origin=HELD, **more):
    body = 1 if status == 200 else b""
    return case(name, section, level, ask(origin), hit(body, asked_with, status=status, **more))


NONE = "RFC 9110 §13.1.2"
SINCE = "RFC 9110 §13.1.3"
MATCH = "RFC 9110 §13.1.1"

test_conditions = cases(
    held("the tag is the stored one", NONE, SHOULD, {"If-None-Match": '"1"'}, 304, has={"ETag": '"1"', "Cache-Control": HOUR}),
    held("the tag is another one", NONE, MUST, {"If-None-Match": '"2"'}, 200),
    held("the tag is among several", NONE, SHOULD, {"If-None-Match": '"2", "1"'}, 304),
    held("the tag is in a second line", NONE, SHOULD, [("If-None-Match", '"2"'), ("If-None-Match", '"1"')], 304),
    held("tags without spaces between", NONE, SHOULD, {"If-None-Match": '"2","1"'}, 304),
    held("a star", NONE, SHOULD, {"If-None-Match": "*"}, 304),
    held("the weak form of the tag", "RFC 9110 §8.8.3.2", MUST, {"If-None-Match": 'W/"1"'}, 304),
    held("a stored weak tag", "RFC 9110 §8.8.3.2", MUST, {"If-None-Match": '"1"'}, 304, ok({"ETag": 'W/"1"'}, cc=HOUR)),
    held("a comma in a tag", "RFC 9110 §8.8.3", MUST, {"If-None-Match": '"a,b"'}, 304, ok({"ETag": '"a,b"'}, cc=HOUR)),
    held("a part of a tag is not the tag", NONE, MUST, {"If-None-Match": '"a"'}, 200, ok({"ETag": '"ab"'}, cc=HOUR)),
    held("If-None-Match goes before If-Modified-Since", "RFC 9110 §13.2.2", MUST, {"If-None-Match": '"2"', "If-Modified-Since": AFTER}, 200),
    held("the same date of change", SINCE, SHOULD, {"If-Modified-Since": THEN}, 304),
    held("a later date", SINCE, SHOULD, {"If-Modified-Since": AFTER}, 304),
    held("an earlier date", SINCE, MUST, {"If-Modified-Since": BEFORE}, 200),
    held("a date that is none", SINCE, MUST, {"If-Modified-Since": "yesterday"}, 200),
    held("a date in the form of RFC 850", "RFC 9110 §5.6.7", MUST, {"If-Modified-Since": "Sunday, 06-Nov-94 08:49:37 GMT"}, 304),
    held("without Last-Modified the time of Date counts", "RFC 9111 §4.3.2", OPTIONAL, {"If-Modified-Since": LATELY}, 304, ok({"Date": LATELY}, cc=HOUR)),
    held("a 304 has no body and no Content-Type", "RFC 9110 §15.4.5", SHOULD, {"If-None-Match": '"1"'}, 304, has={"Content-Type": None}),
    case("a 304 has Date, ETag, Vary, Expires, Cache-Control and Content-Location", "RFC 9110 §15.4.5", MUST,
         ask(ok({"ETag": '"1"', "Vary": "X-V", "Expires": AFTER, "Content-Location": "/x"}, cc=HOUR)),
         hit(b"", {"If-None-Match": '"1"'}, status=304, has={"Date": ANY, "ETag": '"1"', "Vary": "X-V", "Expires": AFTER, "Content-Location": "/x", "Cache-Control": HOUR})),
    case("HEAD with the stored tag", NONE, SHOULD, ask(HELD), hit(b"", {"If-None-Match": '"1"'}, method="HEAD", status=304)),
    case("a condition against what has just been fetched", "RFC 9111 §4.3.2", OPTIONAL,
         ask(HELD, {"If-None-Match": '"1"'}, status=304), ask(None, asked=None, status=200)),
    case("a condition on a stored 404 does not count", "RFC 9110 §13.2.1", MUST,
         ask(answer(404, {"ETag": '"1"'}, cc=HOUR), status=404), hit(1, {"If-None-Match": '"1"'}, status=404)),
    case("a stale copy is confirmed and the viewer's condition answered", "RFC 9111 §4.3.2", OPTIONAL,
         ask(ok({"ETag": '"1"'}, cc="max-age=0")), ask(not_modified({"ETag": '"1"'}, cc=HOUR), {"If-None-Match": '"1"'}, status=304), hit(1)),
    case("a stale copy is confirmed and the viewer with an old tag gets it whole", "RFC 9111 §4.3.2", MUST,
         ask(ok({"ETag": '"1"'}, cc="max-age=0")), ask(ok({"ETag": '"1"'}, cc=HOUR, confirm=not_modified({"ETag": '"1"'}, cc=HOUR)), {"If-None-Match": '"0"'}, status=200)),
    held("If-Match with the stored tag", MATCH, OPTIONAL, {"If-Match": '"1"'}, 200),
    held("If-Unmodified-Since with a later date", "RFC 9110 §13.1.4", OPTIONAL, {"If-Unmodified-Since": AFTER}, 200),
    case("If-Match with another tag", MATCH, OPTIONAL, ask(HELD), ask(answer(412), {"If-Match": '"2"'}, asked=None, status=412)),
    case("If-Unmodified-Since with an earlier date", "RFC 9110 §13.1.4", OPTIONAL, ask(HELD), ask(answer(412), {"If-Unmodified-Since": BEFORE}, asked=None, status=412)),
)
