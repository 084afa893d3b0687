"""RFC 9111 §3: what may be stored, and what of it."""

from script import *  # noqa: F403

STORE = "RFC 9111 §3"
HOUR = "max-age=3600"
AUTHORIZED = {"Authorization": "Basic dTpw"}
FINAL = (200, 203, 204, 299, 301, 302, 303, 307, 308, 400, 403, 404, 405, 410, 414, 418, 451, 499, 500, 501, 502, 503, 504, 599)
GUESSED = (200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501)
NOT_GUESSED = (201, 202, 302, 303, 307, 400, 401, 403, 406, 409, 415, 418, 429, 500, 502, 503, 504, 599)
OLD = {"Last-Modified": At(-100 * 24 * 3600)}

test_statuses = cases(
    *(fresh(f"{status} with max-age", STORE, OPTIONAL, cc=HOUR, status=status) for status in FINAL),
    *(stale(f"{status} with no-store", STORE, MUST, cc=HOUR + ", no-store", status=status) for status in (200, 301, 404, 500)),
    *(fresh(f"heuristic freshness of {status}", "RFC 9111 §4.2.2", OPTIONAL, OLD, status=status) for status in GUESSED),
    *(stale(f"no heuristic freshness of {status}", "RFC 9111 §4.2.2", MUST, OLD, status=status) for status in NOT_GUESSED),
    fresh("heuristic freshness of another status with public", "RFC 9111 §4.2.2", OPTIONAL, OLD, cc="public", status=599),
    stale("no guess without Last-Modified", "RFC 9111 §4.2.2", OPTIONAL),
    stale("a guess is a part of the time since the last change", "RFC 9111 §4.2.2", SHOULD, {"Last-Modified": At(-10)}, wait=2.1),
    stale("no guess beside a past Expires", "RFC 9111 §4.2.2", MUST, {**OLD, "Expires": At(-10)}),
    stale("no guess beside an unreadable Expires", "RFC 9111 §4.2.2", MUST, {**OLD, "Expires": "0"}),
    stale("no guess beside max-age", "RFC 9111 §4.2.2", MUST, OLD, cc="max-age=1", wait=2.1),
    stale("no guess where the last change is to come", "RFC 9111 §4.2.2", MUST, {"Last-Modified": At(3600)}),
)

test_understanding = cases(
    fresh("must-understand with a known status", "RFC 9111 §5.2.2.3", OPTIONAL, cc="must-understand, " + HOUR),
    fresh("must-understand takes no-store away", "RFC 9111 §5.2.2.3", SHOULD, cc="no-store, must-understand, " + HOUR),
    stale("must-understand with an unknown status", "RFC 9111 §5.2.2.3", MUST, cc="must-understand, " + HOUR, status=599),
    stale("no-store and must-understand with an unknown status", "RFC 9111 §5.2.2.3", MUST, cc="no-store, must-understand, " + HOUR, status=299),
)

test_methods = cases(
    case("an answer to POST is not served to GET", "RFC 9111 §4", MUST, ask(ok(cc=HOUR), method="POST", sends=b"x"), again()),
    case("an answer to POST is not served to POST", "RFC 9111 §4", MUST,
         ask(ok(cc=HOUR), method="POST", sends=b"x"), again(method="POST", sends=b"x")),
    case("POST is written through", "RFC 9111 §4", MUST, ask(ok(cc=HOUR)), again(method="POST", sends=b"x")),
    *(case(f"an answer to {method} is not served to GET", "RFC 9110 §9.2.3", MUST, ask(ok(cc=HOUR), method=method), again())
      for method in ("PUT", "DELETE", "OPTIONS", "PATCH")),
    case("HEAD of something stale asks", "RFC 9111 §4", MUST,
         ask(ok(cc="max-age=1")), ask(ok(), method="HEAD", wait=2.1)),
    case("many viewers and one question", "RFC 9111 §4", OPTIONAL, ask(ok(cc=HOUR, delay=0.5), many=10, asked=1, body=1), hit(1)),
    case("what turns out private is asked by each", "RFC 9111 §5.2.2.7", MUST, ask(ok(cc="private", delay=0.3), many=4, asked=4)),
    case("HEAD is answered from what GET stored", "RFC 9110 §9.3.2", OPTIONAL,
         ask(ok({"X-A": "1"}, cc=HOUR)), hit(b"", method="HEAD", has={"X-A": "1", "Content-Length": ANY})),
    case("an answer to HEAD has no body to serve to GET", "RFC 9110 §9.3.2", MUST, ask(ok(cc=HOUR), method="HEAD"), again()),
)

test_authorization = cases(
    stale("not stored for credentials", "RFC 9111 §3.5", MUST, cc=HOUR, viewer=AUTHORIZED),
    case("not stored for credentials and served without", "RFC 9111 §3.5", MUST, ask(ok(cc=HOUR), AUTHORIZED), again()),
    case("not guessed for credentials", "RFC 9111 §3.5", MUST, ask(ok(OLD), AUTHORIZED), again()),
    fresh("public", "RFC 9111 §3.5", OPTIONAL, cc="public, " + HOUR, viewer=AUTHORIZED),
    fresh("must-revalidate", "RFC 9111 §3.5", OPTIONAL, cc="must-revalidate, " + HOUR, viewer=AUTHORIZED),
    fresh("s-maxage", "RFC 9111 §3.5", OPTIONAL, cc="s-maxage=3600", viewer=AUTHORIZED),
    stale("proxy-revalidate is not enough", "RFC 9111 §3.5", MUST, cc="proxy-revalidate, " + HOUR, viewer=AUTHORIZED),
    stale("s-maxage and private", "RFC 9111 §3.5", MUST, cc="s-maxage=3600, private", viewer=AUTHORIZED),
    case("what was stored without credentials serves those who have some", "RFC 9111 §3.5", OPTIONAL, ask(ok(cc=HOUR)), hit(1, AUTHORIZED)),
)

HOP = {"Connection": "X-Hop, close", "X-Hop": "1", "Keep-Alive": "timeout=5", "Proxy-Authenticate": "Basic",
       "Proxy-Authentication-Info": "x", "X-Kept": "2"}
GONE = {"X-Hop": None, "Keep-Alive": None, "Proxy-Authenticate": None, "Proxy-Authentication-Info": None, "X-Kept": "2"}

test_fields = cases(
    *(case(f"{name} is not stored", "RFC 9111 §3.1", MUST, ask(ok({name: value, **more}, cc=HOUR)), hit(has={name: None}))
      for name, value, more in (("Keep-Alive", "timeout=99", {}), ("Proxy-Connection", "x", {}), ("Upgrade", "h2c", {}), ("TE", "trailers", {}),
                                ("Proxy-Authenticate", "Basic", {}), ("Proxy-Authentication-Info", "x", {}), ("Proxy-Authorization", "Basic x", {}),
                                ("X-Named", "1", {"Connection": "x-named"}))),
    case("several names in several Connection lines are not stored", "RFC 9111 §3.1", MUST,
         ask(ok([("Connection", "x-a, X-B"), ("Connection", "x-c"), *((f"X-{it}", "1") for it in "ABCD"), ("Cache-Control", HOUR)])),
         hit(has={"X-A": None, "X-B": None, "X-C": None, "X-D": "1"})),
    case("Connection cannot name the length", "RFC 9110 §7.6.1", MUST, ask(ok({"Connection": "content-length"}, cc=HOUR)), hit()),
    case("end-to-end fields are stored as they are", "RFC 9111 §3.1", MUST,
         ask(ok({"X-Odd": "a,b;  c=\"d\"", "Content-Language": "de", "Server": "o", "Content-Type": "a/b"}, cc=HOUR)),
         hit(has={"X-Odd": "a,b;  c=\"d\"", "Content-Language": "de", "Server": "o", "Content-Type": "a/b"})),
    case("lines of one name are all stored, in order", "RFC 9110 §5.3", MUST,
         ask(ok([("X-Odd", "1"), ("X-Odd", "2"), ("X-Odd", "3"), ("Cache-Control", HOUR)])), hit(has={"X-Odd": "1, 2, 3"})),
    case("Set-Cookie does not keep from storing", "RFC 9111 §7.3", OPTIONAL,
         ask(ok({"Set-Cookie": "a=1"}, cc=HOUR), has={"Set-Cookie": "a=1"}), hit(has={"Set-Cookie": "a=1"})),
    case("query strings are told apart", "RFC 9111 §2", MUST, ask(ok(cc=HOUR), path="?a=1"), again(2, path="?a=2")),
    case("paths are told apart by case", "RFC 9111 §2", MUST, ask(ok(cc=HOUR), path="/a"), again(2, path="/A")),
)

test_incomplete = cases(
    case("a body shorter than Content-Length is not stored", "RFC 9111 §3.3", MUST,
         ask(ok(cc=HOUR, cut=5), status=None, whole=False), again(2)),
    case("a chunked body without its end is not stored", "RFC 9111 §3.3", MUST,
         ask(ok(cc=HOUR, cut=5, framing="chunked"), status=None, whole=False), again(2)),
    case("a body until the end of the connection is complete", "RFC 9112 §8", OPTIONAL, ask(ok(cc=HOUR, framing="close")), hit()),
    case("a chunked body is complete with its last chunk", "RFC 9112 §8", OPTIONAL, ask(ok(cc=HOUR, framing="chunked")), hit()),
    case("a cut answer does not replace what is stored", "RFC 9111 §3.3", OPTIONAL,
         ask(ok(cc=HOUR)), ask(ok(cc=HOUR, cut=5), {"Cache-Control": "no-cache"}, whole=False, status=None), hit(1)),
    case("a part is not served as the whole", "RFC 9111 §3.3", MUST,
         ask(ok(cc=HOUR, body=b"0123456789", part=True), {"Range": "bytes=0-3"}, status=206, body=b"0123"),
         again(b"0123456789", origin=ok(cc=HOUR, body=b"0123456789"))),
    case("a 206 without being asked for parts is not stored as the whole", "RFC 9111 §3.3", MUST,
         ask(answer(206, {"Content-Range": "bytes 0-3/10"}, cc=HOUR, body=b"0123"), status=None),
         again(2)),
    case("an empty body is a body", "RFC 9111 §3", OPTIONAL, ask(ok(cc=HOUR, body=b"")), hit(b"")),
)
