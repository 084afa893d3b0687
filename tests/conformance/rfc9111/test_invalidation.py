"""RFC 9111 §4.4: methods that change things take stored responses away."""

from script import *  # noqa: F403

HOUR = "max-age=3600"
RULE = "RFC 9111 §4.4"


def gone(method, name=None, status=200, headers=None, level=MUST, there="", **more):
    """`method` with this answer takes what is stored at `there` away."""
    return case(name or f"{method} takes the target away", RULE, level,
                ask(ok(cc=HOUR), path=there), ask(answer(status, headers), method=method, sends=b"x", status=status),
                again(3, path=there), **more)


def kept(name, method, status=200, headers=None, level=MUST, there="", **more):
    return case(name, RULE, level,
                ask(ok(cc=HOUR), path=there), ask(answer(status, headers), method=method, sends=b"x", status=status),
                hit(1, path=there), **more)


LOCATIONS = [(field, method) for field in ("Location", "Content-Location") for method in ("POST", "PUT", "DELETE")]

test_invalidation = cases(
    *(gone(method) for method in ("POST", "PUT", "DELETE", "PATCH")),
    *(gone("POST", f"{status} to POST takes the target away", status) for status in (201, 202, 302, 303)),
    gone("POST", "204 to POST takes the target away", 204),
    *(kept(f"{status} to {method} takes nothing away", method, status) for status in (400, 404, 500, 503) for method in ("POST", "PUT")),
    case("OPTIONS takes nothing away", RULE, OPTIONAL, ask(ok(cc=HOUR)), ask(ok(), method="OPTIONS"), hit(1)),
    *(gone(method, f"{field} of {method} is taken away", headers={field: "{path}/there"}, level=OPTIONAL, there="/there") for field, method in LOCATIONS),
    gone("POST", "a Location with scheme and host is taken away", headers={"Location": "http://{host}{path}/there"}, level=OPTIONAL, there="/there"),
    case("a Location relative to the target is taken away", RULE, OPTIONAL,
         ask(ok(cc=HOUR), path="/a/there"), ask(ok({"Content-Location": "there"}), method="POST", sends=b"x", path="/a/here"), again(3, path="/a/there")),
    case("a Location with dots is taken away", RULE, OPTIONAL,
         ask(ok(cc=HOUR), path="/there"), ask(ok({"Location": "../there"}), method="POST", sends=b"x", path="/a/here"), again(3, path="/there")),
    case("a Location with a query is taken away", RULE, OPTIONAL,
         ask(ok(cc=HOUR), path="/there?a=1"), ask(ok({"Location": "{path}/there?a=1"}), method="POST", sends=b"x"), again(3, path="/there?a=1")),
    kept("a Location of another host is left alone", "POST", headers={"Location": "http://other.example{path}/there"}, there="/there"),
    kept("a Content-Location of another host is left alone", "POST", headers={"Content-Location": "//other.example{path}/there"}, there="/there"),
    kept("a Location of an error is left alone", "POST", 404, {"Location": "{path}/there"}, there="/there"),
    case("all variants are taken away", RULE, MUST,
         ask(ok({"Vary": "X-V"}, cc=HOUR), {"X-V": "1"}), ask(ok({"Vary": "X-V"}, cc=HOUR), {"X-V": "2"}),
         ask(ok(), method="POST", sends=b"x"), again(4, {"X-V": "1"}, origin=ok({"Vary": "X-V"}, cc=HOUR)), again(5, {"X-V": "2"})),
    case("what comes after is stored again", RULE, OPTIONAL,
         ask(ok(cc=HOUR)), ask(ok(), method="POST", sends=b"x"), ask(ok(cc=HOUR), body=3), hit(3)),
    case("other queries are left alone", RULE, OPTIONAL,
         ask(ok(cc=HOUR), path="?a"), ask(ok(), method="POST", sends=b"x", path="?b"), hit(1, path="?a")),
    case("what was asked before and answered after is not kept", RULE, OPTIONAL,
         ask(ok(cc=HOUR)), ask(ok(), method="DELETE"), again(3, origin=ok(cc=HOUR)), ask(ok(), method="DELETE"), again(5)),
)
