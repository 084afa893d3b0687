"""RFC 9111 §5.2 and §4.2.1: how Cache-Control is read."""

from script import *  # noqa: F403

PARSE = "RFC 9111 §5.2"
CONFLICT = "RFC 9111 §4.2.1"


def lines(*values):
    return [("Cache-Control", value) for value in values]


test_reading = cases(
    fresh("max-age", "RFC 9111 §5.2.2.1", OPTIONAL, cc="max-age=3600"),
    stale("max-age=0", "RFC 9111 §5.2.2.1", MUST, cc="max-age=0"),
    stale("max-age ends", "RFC 9111 §5.2.2.1", MUST, cc="max-age=1", wait=2.1),
    fresh("s-maxage", "RFC 9111 §5.2.2.10", OPTIONAL, cc="s-maxage=3600"),
    stale("s-maxage ends", "RFC 9111 §5.2.2.10", MUST, cc="s-maxage=1", wait=2.1),
    fresh("s-maxage goes before max-age", "RFC 9111 §5.2.2.10", OPTIONAL, cc="max-age=0, s-maxage=3600"),
    stale("s-maxage=0 goes before max-age", "RFC 9111 §5.2.2.10", MUST, cc="max-age=3600, s-maxage=0"),
    stale("a shorter s-maxage goes before max-age", "RFC 9111 §5.2.2.10", MUST, cc="s-maxage=1, max-age=3600", wait=2.1),
    fresh("names in upper case", PARSE, MUST, cc="MAX-AGE=3600"),
    fresh("names in mixed case", PARSE, MUST, cc="mAx-AgE=3600"),
    stale("no-store in upper case", PARSE, MUST, cc="NO-STORE, max-age=3600"),
    stale("no-cache in mixed case", PARSE, MUST, cc="max-age=3600, No-Cache"),
    stale("private in mixed case", PARSE, MUST, cc="max-age=3600, pRIVATE"),
    fresh("several spaces between directives", PARSE, MUST, cc="public  ,    max-age=3600"),
    fresh("no space between directives", PARSE, MUST, cc="public,max-age=3600"),
    fresh("tabs between directives", PARSE, MUST, cc="public\t,\tmax-age=3600"),
    fresh("empty members of the list", "RFC 9110 §5.6.1.2", MUST, cc=", ,, max-age=3600 ,,"),
    case("several lines are one list", "RFC 9110 §5.3", MUST, ask(ok(lines("public", "max-age=3600"))), hit()),
    case("no-store in the second line", "RFC 9110 §5.3", MUST, ask(ok(lines("max-age=3600", "no-store"))), again()),
    case("max-age=0 in the second line", "RFC 9110 §5.3", MUST, ask(ok(lines("public", "max-age=0"))), again()),
    fresh("a quoted max-age", PARSE, SHOULD, cc='max-age="3600"'),
    stale("a quoted max-age of 0", PARSE, MUST, cc='max-age="0"'),
    fresh("a quoted s-maxage", PARSE, SHOULD, cc='s-maxage="3600"'),
    stale("a single-quoted max-age is no number", CONFLICT, SHOULD, cc="max-age='3600'"),
    stale("a single-quoted s-maxage is no number", CONFLICT, SHOULD, cc="s-maxage='3600'"),
    fresh("leading zeros", "RFC 9111 §1.2.2", MUST, cc="max-age=003600"),
    fresh("a huge max-age is the longest", "RFC 9111 §1.2.2", MUST, cc="max-age=99999999999999999999"),
    fresh("max-age of 2^31", "RFC 9111 §1.2.2", MUST, cc="max-age=2147483648"),
    fresh("max-age of 2^32 + 1", "RFC 9111 §1.2.2", MUST, cc="max-age=4294967297"),
    stale("a negative max-age", CONFLICT, SHOULD, cc="max-age=-3600"),
    stale("a negative s-maxage", CONFLICT, SHOULD, cc="s-maxage=-3600"),
    stale("a max-age with a fraction", CONFLICT, SHOULD, cc="max-age=3600.0"),
    stale("a max-age with letters", CONFLICT, SHOULD, cc="max-age=3600s"),
    stale("a max-age of letters", CONFLICT, SHOULD, cc="max-age=abc"),
    stale("an empty max-age", CONFLICT, SHOULD, cc="max-age="),
    stale("a max-age without a value", CONFLICT, SHOULD, cc="max-age"),
    stale("a space before the equals sign", PARSE, OPTIONAL, cc="max-age =0, x"),
    stale("a space after the equals sign is no fresh hour", PARSE, OPTIONAL, cc="max-age= 0"),
    stale("an invalid max-age beside an Expires to come", CONFLICT, SHOULD, {"Expires": At(3600)}, cc="max-age=x"),
    fresh("unknown directives are passed over", "RFC 9111 §5.2.3", MUST, cc="foo, bar=baz, max-age=3600, quux=\"a, no-store\""),
    fresh("a directive inside a quoted string is text", PARSE, MUST, cc='ext="no-store, no-cache, max-age=0", max-age=3600'),
    stale("max-age inside a quoted string is text", PARSE, MUST, cc='ext="max-age=3600"'),
    stale("max-age inside a quoted string, spaces around", PARSE, MUST, cc='ext=" , max-age=3600, "'),
    fresh("a quoted string with an escaped quote", PARSE, MUST, cc='ext="\\", max-age=0, no-store, \\"", max-age=3600'),
    stale("a directive that only begins with max-age", PARSE, MUST, cc="max-ages=3600"),
    stale("a directive that only ends with max-age", PARSE, MUST, cc="x-max-age=3600"),
    fresh("a directive that only begins with no-store", PARSE, MUST, cc="no-stores, max-age=3600"),
    fresh("no-store as a value", PARSE, MUST, cc="foo=no-store, max-age=3600"),
    fresh("pragma in a response says nothing", "RFC 9111 §5.4", OPTIONAL, {"Pragma": "no-cache"}, cc="max-age=3600"),
    case("unknown directives reach the viewer", "RFC 9111 §5.2", MUST,
         ask(ok(cc="foo=bar, max-age=3600"), has={"Cache-Control": "foo=bar, max-age=3600"}),
         hit(has={"Cache-Control": "foo=bar, max-age=3600"})),
)

test_conflicts = cases(
    stale("the first of two max-age, if it is 0", CONFLICT, MUST, cc="max-age=0, max-age=3600"),
    case("the first of two max-age lines, if it is 0", CONFLICT, MUST, ask(ok(lines("max-age=0", "max-age=3600"))), again()),
    stale("the first of two max-age, if it is invalid", CONFLICT, SHOULD, cc="max-age=a, max-age=3600"),
    stale("the first of two s-maxage, if it is 0", CONFLICT, MUST, cc="s-maxage=0, s-maxage=3600"),
    stale("a max-age of another name in case", CONFLICT, MUST, cc="max-age=0, MAX-AGE=3600"),
    fresh("equal values are no conflict", CONFLICT, OPTIONAL, cc="max-age=3600, max-age=3600"),
    stale("max-age and no-cache", CONFLICT, MUST, cc="max-age=3600, no-cache"),
    stale("no-cache and max-age", CONFLICT, MUST, cc="no-cache, max-age=3600"),
    stale("public and no-store", CONFLICT, MUST, cc="public, no-store, max-age=3600"),
    stale("public and private", CONFLICT, MUST, cc="public, private, max-age=3600"),
    stale("s-maxage and private", CONFLICT, MUST, cc="s-maxage=3600, private"),
    stale("s-maxage and no-store", CONFLICT, MUST, cc="s-maxage=3600, no-store"),
    stale("no-store with a value", CONFLICT, SHOULD, cc='no-store="x", max-age=3600'),
    stale("immutable and no-store", CONFLICT, MUST, cc="immutable, no-store, max-age=3600"),
)

SECRET = {"X-Secret": "s", "X-Plain": "p"}

test_field_names = cases(
    stale("private", "RFC 9111 §5.2.2.7", MUST, cc="private, max-age=3600"),
    stale("private alone", "RFC 9111 §5.2.2.7", MUST, cc="private"),
    case("no-cache is stored and validated", "RFC 9111 §5.2.2.4", MUST,
         ask(ok({"ETag": '"1"'}, cc="no-cache, max-age=3600")),
         ask(not_modified({"ETag": '"1"'}), sent={"If-None-Match": '"1"'}, body=1),
         ask(not_modified({"ETag": '"1"'}), sent={"If-None-Match": '"1"'}, body=1)),
    case("private with a field name withholds the field", "RFC 9111 §5.2.2.7", MUST,
         ask(ok(SECRET, cc='private="X-Secret", max-age=3600'), has=SECRET),
         ask(None, asked=None, body=None, has={"X-Secret": None})),
    case("private with a field name allows the rest", "RFC 9111 §5.2.2.7", OPTIONAL,
         ask(ok(SECRET, cc='private="X-Secret", max-age=3600')), hit(has={"X-Secret": None, "X-Plain": "p"})),
    case("no-cache with a field name withholds the field", "RFC 9111 §5.2.2.4", MUST,
         ask(ok(SECRET, cc='no-cache="X-Secret", max-age=3600'), has=SECRET),
         ask(None, asked=None, body=None, has={"X-Secret": None})),
    case("no-cache with a field name allows the rest", "RFC 9111 §5.2.2.4", OPTIONAL,
         ask(ok(SECRET, cc='no-cache="x-secret", max-age=3600')), hit(has={"X-Secret": None, "X-Plain": "p"})),
    case("no-cache with two field names", "RFC 9111 §5.2.2.4", MUST,
         ask(ok({**SECRET, "X-Other": "o"}, cc='no-cache="x-secret, X-OTHER", max-age=3600')),
         ask(None, asked=None, body=None, has={"X-Secret": None, "X-Other": None})),
    case("private with a bare field name", "RFC 9111 §5.2.2.7", SHOULD,
         ask(ok(SECRET, cc="private=X-Secret, max-age=3600")), ask(None, asked=None, body=None, has={"X-Secret": None})),
    stale("private with a list that is none", "RFC 9111 §5.2.2.7", OPTIONAL, cc='private="a b", max-age=3600'),
    stale("no-cache with a list and without one", "RFC 9111 §4.2.1", MUST, SECRET, cc='no-cache="X-Secret", no-cache, max-age=3600'),
)
