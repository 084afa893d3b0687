"""RFC 9111 §4.3 and §3.2: asking whether something changed, and what the answer changes."""

from script import *  # noqa: F403

NOW = "max-age=1"  # and then a wait: some caches do not store what is stale at once
OVER = 2.1
HOUR = "max-age=3600"
TAG = {"ETag": '"1"'}
OLD = At(-1000)
FIXED = "Sun, 06 Nov 1994 08:49:37 GMT"


def updates(name, level, old, new, then, section="RFC 9111 §3.2"):
    """A 304 with `new` makes the stored headers from `old` to `then`, for now and for later."""
    return case(name, section, level,
                ask(ok({**TAG, **old}, cc=NOW)),
                ask(not_modified({**TAG, **new}, cc=HOUR), body=1, has=then, wait=OVER), hit(1, has=then))


test_asking = cases(
    case("an entity tag is sent", "RFC 9111 §4.3.1", MUST, ask(ok(TAG, cc=NOW)), ask(not_modified(TAG), sent={"If-None-Match": '"1"'}, body=1, wait=OVER)),
    case("a weak entity tag is sent", "RFC 9111 §4.3.1", MUST, ask(ok({"ETag": 'W/"1"'}, cc=NOW)),
         ask(not_modified({"ETag": 'W/"1"'}), sent={"If-None-Match": 'W/"1"'}, body=1, wait=OVER)),
    case("a date of change is sent", "RFC 9111 §4.3.1", SHOULD, ask(ok({"Last-Modified": FIXED}, cc=NOW)),
         ask(not_modified(), sent={"If-Modified-Since": FIXED}, body=1, wait=OVER)),
    case("both are sent", "RFC 9111 §4.3.1", SHOULD, ask(ok({**TAG, "Last-Modified": FIXED}, cc=NOW)),
         ask(not_modified(TAG), sent={"If-None-Match": '"1"', "If-Modified-Since": FIXED}, body=1, wait=OVER)),
    case("without a validator nothing is sent", "RFC 9111 §4.3.1", MUST, ask(ok(cc=NOW)),
         again(sent={"If-None-Match": None, "If-Modified-Since": None}, wait=OVER)),
    case("a new answer replaces the stored one", "RFC 9111 §4.3.3", MUST, ask(ok(TAG, cc=NOW)), again(2, origin=ok({"ETag": '"2"'}, cc=HOUR), wait=OVER), hit(2, has={"ETag": '"2"'})),
    case("an error replaces a stale one, where nothing forbids it", "RFC 9111 §4.3.3", OPTIONAL,
         ask(ok(TAG, cc="max-age=0, must-revalidate")), ask(answer(500, cc="no-store"), status=500), again(3)),
    case("the viewer's entity tag does not take the place of ours", "RFC 9111 §4.3.1", MUST,
         ask(ok(TAG, cc=NOW)), ask(not_modified(TAG, cc=HOUR), {"If-None-Match": '"9"'}, sent={"If-None-Match": lambda sent: '"1"' in sent}, body=1, wait=OVER)),
    case("a 304 for the viewer's own tag is not stored", "RFC 9111 §4.3.3", MUST,
         ask(ok(cc=HOUR, confirm=not_modified({"ETag": '"9"'}, cc=HOUR)), {"If-None-Match": '"9"'}, status=None), ask(None, asked=None, status=200)),
)

test_updating = cases(
    updates("a field is replaced", MUST, {"X-A": "1"}, {"X-A": "2"}, {"X-A": "2"}),
    updates("a field is added", MUST, {}, {"X-A": "2"}, {"X-A": "2"}),
    updates("a field that a 304 does not have stays", MUST, {"X-A": "1", "X-B": "1"}, {"X-B": "2"}, {"X-A": "1", "X-B": "2"}),
    updates("Content-Type is replaced", MUST, {"Content-Type": "a/a"}, {"Content-Type": "b/b"}, {"Content-Type": "b/b"}),
    updates("Content-Language is replaced", MUST, {"Content-Language": "de"}, {"Content-Language": "fr"}, {"Content-Language": "fr"}),
    updates("Content-Location is replaced", MUST, {"Content-Location": "/a"}, {"Content-Location": "/b"}, {"Content-Location": "/b"}),
    updates("Set-Cookie is replaced", MUST, {"Set-Cookie": "a=1"}, {"Set-Cookie": "a=2"}, {"Set-Cookie": "a=2"}),
    updates("X-Frame-Options is replaced", MUST, {"X-Frame-Options": "deny"}, {"X-Frame-Options": "sameorigin"}, {"X-Frame-Options": "sameorigin"}),
    updates("Content-Security-Policy is replaced", MUST, {"Content-Security-Policy": "a"}, {"Content-Security-Policy": "b"}, {"Content-Security-Policy": "b"}),
    updates("Clear-Site-Data is added", MUST, {}, {"Clear-Site-Data": '"cookies"'}, {"Clear-Site-Data": '"cookies"'}),
    updates("Expires is replaced", MUST, {"Expires": FIXED}, {"Expires": "Mon, 07 Nov 1994 08:49:37 GMT"}, {"Expires": "Mon, 07 Nov 1994 08:49:37 GMT"}),
    updates("Content-Length is not", MUST, {}, {"Content-Length": "3"}, {"Content-Length": lambda length: int(length) > 9}),
    updates("what Connection names is not", MUST, {"X-A": "1"}, {"X-A": "2", "Connection": "x-a"}, {"X-A": "1"}),
    updates("Keep-Alive is not added", MUST, {}, {"Keep-Alive": "timeout=99"}, {"Keep-Alive": None}),
    updates("Content-Encoding, by which the body is read, is not", MUST, {"Content-Encoding": "x-odd"}, {"Content-Encoding": "x-other"}, {"Content-Encoding": "x-odd"}),
    updates("Content-Range is not added", MUST, {}, {"Content-Range": "bytes 0-1/2"}, {"Content-Range": None}),
    case("the lifetime of a 304 counts", "RFC 9111 §4.3.4", MUST, ask(ok(TAG, cc=NOW)), ask(not_modified(TAG, cc=HOUR), body=1, wait=OVER), hit(1)),
    case("the lifetime of a 304 ends", "RFC 9111 §4.3.4", MUST,
         ask(ok(TAG, cc=NOW)), ask(not_modified(TAG, cc="max-age=1"), body=1, wait=OVER), ask(not_modified(TAG), body=1, wait=2.1)),
    case("a 304 may make a response uncacheable", "RFC 9111 §4.3.4", SHOULD,
         ask(ok(TAG, cc=NOW)), ask(not_modified(TAG, cc="no-store"), body=1, wait=OVER), again(3)),
    case("Date is that of the 304", "RFC 9111 §3.2", MUST,
         ask(ok({**TAG, "Date": FIXED}, cc=NOW)), ask(not_modified({**TAG, "Date": "Mon, 07 Nov 1994 08:49:37 GMT"}, cc="max-age=0"), has={"Date": "Mon, 07 Nov 1994 08:49:37 GMT"}, wait=OVER)),
    case("a 304 with another strong tag updates nothing", "RFC 9111 §4.3.4", MUST,
         ask(ok({**TAG, "X-A": "1"}, cc=NOW)),
         ask(ok({"ETag": '"2"', "X-A": "3"}, cc=HOUR, confirm=not_modified({"ETag": '"2"', "X-A": "2"}, cc=HOUR)), status=None, body=None, wait=OVER),
         ask(None, asked=None, status=200, check=lambda got: "an old body with a new tag" if got.body.endswith(b"#1\n") and got["ETag"] == '"2"' else None)),
    case("after a 304 with another strong tag the whole is fetched", "RFC 9111 §4.3.4", OPTIONAL,
         ask(ok({**TAG, "X-A": "1"}, cc=NOW)),
         ask(ok({"ETag": '"2"', "X-A": "3"}, cc=HOUR, confirm=not_modified({"ETag": '"2"', "X-A": "2"}, cc=HOUR)), body=2, has={"ETag": '"2"', "X-A": "3"}, wait=OVER),
         hit(2, has={"X-A": "3"})),
    case("a 304 with the weak form of the tag updates", "RFC 9111 §4.3.4", OPTIONAL,
         ask(ok({"ETag": 'W/"1"', "X-A": "1"}, cc=NOW)), ask(not_modified({"ETag": 'W/"1"', "X-A": "2"}, cc=HOUR), body=1, wait=OVER), hit(1, has={"X-A": "2"})),
    case("a 304 without validators updates", "RFC 9111 §4.3.4", OPTIONAL,
         ask(ok({**TAG, "X-A": "1"}, cc=NOW)), ask(not_modified({"X-A": "2"}, cc=HOUR), body=1, has={"ETag": '"1"'}, wait=OVER), hit(1, has={"X-A": "2"})),
)

HELD = {**TAG, "X-A": "1"}

test_head = cases(
    case("HEAD with the same tag updates", "RFC 9111 §4.3.5", SHOULD,
         ask(ok(HELD, cc="max-age=1")), ask(ok({**TAG, "X-A": "2"}, cc=HOUR), method="HEAD", wait=2.1), hit(1, has={"X-A": "2"})),
    case("HEAD with another tag makes stale", "RFC 9111 §4.3.5", SHOULD,
         ask(ok(HELD, cc=HOUR)), ask(ok({"ETag": '"2"'}, cc=HOUR), {"Cache-Control": "no-cache"}, method="HEAD"), again(3)),
    case("HEAD with another length makes stale", "RFC 9111 §4.3.5", SHOULD,
         ask(ok({"X-A": "1"}, cc=HOUR)), ask(ok({"Content-Length": "999"}, cc=HOUR), {"Cache-Control": "no-cache"}, method="HEAD"), again(3)),
    case("HEAD with another date of change makes stale", "RFC 9111 §4.3.5", SHOULD,
         ask(ok({"Last-Modified": FIXED}, cc=HOUR)),
         ask(ok({"Last-Modified": "Mon, 07 Nov 1994 08:49:37 GMT"}, cc=HOUR), {"Cache-Control": "no-cache"}, method="HEAD"), again(3)),
    case("HEAD with 404 says nothing of what a 200 holds", "RFC 9111 §4.3.5", OPTIONAL,
         ask(ok(HELD, cc=HOUR)), ask(answer(404), {"Cache-Control": "no-cache"}, method="HEAD", status=404), ask(None, asked=None)),
    case("HEAD brings no body into what is stored", "RFC 9111 §4.3.5", MUST,
         ask(ok(HELD, cc="max-age=1")), ask(ok({**TAG, "X-A": "2"}, cc=HOUR), method="HEAD", wait=2.1),
         ask(None, asked=None, check=lambda got: None if got.body else "no body")),
)
