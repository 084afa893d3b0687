"""RFC 9111 §4.1: variants."""

from script import *  # noqa: F403

HOUR = "max-age=3600"
RULE = "RFC 9111 §4.1"


def vary(*lines, **more):
    return ok([("Cache-Control", HOUR), *(("Vary", line) for line in lines)], **more)


def variant(name, lines, one, other, same, level=MUST):
    """Whether a response to a request with `one` serves a request with `other`."""
    then = hit(1, other) if same else again(2, other)
    return case(name, RULE, level, ask(vary(*lines), one), then)


A, B = {"X-A": "1"}, {"X-A": "2"}
BOTH = {"X-A": "1", "X-B": "1"}

test_vary = cases(
    variant("the same value", ["X-A"], A, A, True, OPTIONAL),
    variant("another value", ["X-A"], A, B, False),
    variant("no value after a value", ["X-A"], A, {}, False),
    variant("a value after no value", ["X-A"], {}, A, False),
    variant("no value in both", ["X-A"], {}, {}, True, OPTIONAL),
    variant("an empty value is not none", ["X-A"], {"X-A": ""}, {"X-A": "1"}, False),
    variant("a header that is not named", ["X-A"], A, BOTH, True, OPTIONAL),
    variant("the name in another case", ["x-a"], A, A, True, OPTIONAL),
    variant("the name in another case, another value", ["x-a"], A, B, False),
    variant("two names, both the same", ["X-A, X-B"], BOTH, BOTH, True, OPTIONAL),
    variant("two names, the second differs", ["X-A, X-B"], BOTH, {"X-A": "1", "X-B": "2"}, False),
    variant("two names, the first differs", ["X-A, X-B"], BOTH, {"X-A": "2", "X-B": "1"}, False),
    variant("two lines, the second differs", ["X-A", "X-B"], BOTH, {"X-A": "1", "X-B": "2"}, False),
    variant("two lines, both the same", ["X-A", "X-B"], BOTH, BOTH, True, OPTIONAL),
    variant("headers of the request in another order", ["X-A, X-B"], [("X-A", "1"), ("X-B", "1")], [("X-B", "1"), ("X-A", "1")], True, OPTIONAL),
    variant("spaces and empty members in Vary", [" , X-A ,,  X-B, "], BOTH, {"X-A": "1", "X-B": "2"}, False),
    variant("spaces around commas in the request", ["X-A"], {"X-A": "1,2"}, {"X-A": "1 ,  2"}, True, OPTIONAL),
    variant("lines of the request are joined", ["X-A"], [("X-A", "1"), ("X-A", "2")], [("X-A", "1, 2")], True, OPTIONAL),
    variant("the order of values counts", ["X-A"], {"X-A": "1, 2"}, {"X-A": "2, 1"}, False, OPTIONAL),
    variant("the case of values counts", ["X-A"], {"X-A": "a"}, {"X-A": "A"}, False, OPTIONAL),
    variant("Accept-Language in another order", ["Accept-Language"], {"Accept-Language": "en, de"}, {"Accept-Language": "de, en"}, False, OPTIONAL),
    variant("a star", ["*"], A, A, False),
    variant("a star among names", ["X-A, *"], A, A, False),
    variant("a star before names", ["*, X-A"], A, A, False),
    variant("a star in a line of its own", ["X-A", "*"], A, A, False),
    variant("a star in a line before", ["*", "X-A"], A, A, False),
    variant("Cookie", ["Cookie"], {"Cookie": "a=1"}, {"Cookie": "a=2"}, False),
    variant("Accept-Encoding", ["Accept-Encoding"], {"Accept-Encoding": "gzip"}, {"Accept-Encoding": "br"}, False),
    variant("User-Agent", ["User-Agent"], {"User-Agent": "a"}, {"User-Agent": "b"}, False),
    variant("Origin", ["Origin"], {"Origin": "http://a"}, {"Origin": "http://b"}, False),
    case("variants are kept side by side", RULE, OPTIONAL,
         ask(vary("X-A"), A), ask(vary("X-A"), B, body=2), hit(1, A), hit(2, B)),
    case("one variant is fetched anew and the other stays", RULE, OPTIONAL,
         ask(vary("X-A"), A), ask(vary("X-A"), B, body=2), ask(vary("X-A"), {**A, "Cache-Control": "no-cache"}, body=3), hit(3, A), hit(2, B)),
    case("the newest of matching variants is chosen", RULE, SHOULD,
         ask(vary("X-A"), BOTH), ask(vary("X-B"), {**BOTH, "Cache-Control": "no-cache"}, body=2), hit(2, BOTH)),
    case("an answer without Vary after one with it", RULE, SHOULD,
         ask(vary("X-A"), A), ask(vary(), {**A, "Cache-Control": "no-cache"}, body=2), hit(2, A)),
    case("variants have lifetimes of their own", RULE, MUST,
         ask(ok({"Vary": "X-A"}, cc="max-age=1"), A), ask(vary("X-A"), B, body=2), again(3, A, wait=2.1), hit(2, B)),
    case("a 304 goes to the variant that was asked for", "RFC 9111 §4.3.4", MUST,
         ask(ok({"Vary": "X-A", "ETag": '"1"'}, cc="max-age=0"), A), ask(ok({"Vary": "X-A", "ETag": '"2"'}, cc=HOUR), B, body=2),
         ask(not_modified({"Vary": "X-A", "ETag": '"1"', "X-New": "1"}, cc=HOUR), A, body=1, sent={"If-None-Match": '"1"'}),
         hit(2, B, has={"X-New": None}), hit(1, A, has={"X-New": "1"})),
    case("a 304 may change by what variants are chosen", "RFC 9111 §4.3.4", OPTIONAL,
         ask(ok({"Vary": "X-A", "ETag": '"1"'}, cc="max-age=0"), A),
         ask(not_modified({"Vary": "X-A, X-B", "ETag": '"1"'}, cc=HOUR), BOTH, body=1), hit(1, BOTH), again(4, {"X-A": "1", "X-B": "2"})),
    case("many viewers with variants of their own", RULE, MUST,
         ask(vary("X-A", delay=0.3), A, many=5, asked=1), ask(vary("X-A", delay=0.3), B, many=5, asked=1, body=2), hit(1, A), hit(2, B)),
    case("variants that are refused do not hold up others", RULE, OPTIONAL,
         ask(ok({"Vary": "*"}, cc=HOUR, delay=0.2), A, many=4, asked=4), again(2, A)),
    case("Vary reaches the viewer as it was", "RFC 9110 §12.5.5", MUST,
         ask(vary("X-A, Accept-Encoding"), A, has={"Vary": "X-A, Accept-Encoding"}), hit(1, A, has={"Vary": "X-A, Accept-Encoding"})),
    case("HEAD is answered from its variant", RULE, OPTIONAL, ask(vary("X-A"), A), hit(b"", A, method="HEAD")),
    case("HEAD of another variant is not", RULE, MUST, ask(vary("X-A"), A), ask(vary("X-A"), B, method="HEAD")),
)
