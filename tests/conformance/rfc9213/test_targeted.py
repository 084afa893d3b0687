"""RFC 9213: CDN-Cache-Control, read strictly as a Structured Field (RFC 8941, RFC 9651)."""

from script import *  # noqa: F403

RULE = "RFC 9213 §2.1"
ORDER = "RFC 9213 §2.2"
PARSE = "RFC 8941 §3.2"


def cdn(value, cc=None, **headers):
    return {"CDN-Cache-Control": value, **headers}


def applies(name, value, section=RULE, cc="max-age=0", level=OPTIONAL, **headers):
    """It is read: what else is said does not count."""
    return fresh(name, section, level, cdn(value, **headers), cc=cc)


def refuses(name, value, section=RULE, level=MUST, cc="max-age=3600", **headers):
    """It is read, and it says no."""
    return stale(name, section, level, cdn(value, **headers), cc=cc)


def no_lifetime(name, value, level=SHOULD):
    """It gives no lifetime: neither alone nor beside one that is over."""
    return stale(f"no lifetime: {name}", PARSE, level, cdn(value), cc="max-age=0")


test_targeted = cases(
    applies("max-age alone", "max-age=3600", cc=None),
    applies("before Cache-Control", "max-age=3600", ORDER),
    applies("before no-store", "max-age=3600", ORDER, cc="no-store"),
    applies("before private", "max-age=3600", ORDER, cc="private"),
    applies("before Expires", "max-age=3600", ORDER, cc=None, Expires="0"),
    refuses("max-age=0 before Cache-Control", "max-age=0", ORDER),
    refuses("no-store", "no-store", ORDER), refuses("no-cache", "no-cache", ORDER), refuses("private", "private", ORDER),
    refuses("no-store and max-age", "no-store, max-age=3600"),
    stale("Expires does not count beside it", ORDER, MUST, cdn("public", Expires=At(3600))),
    applies("s-maxage before max-age", "max-age=0, s-maxage=3600", RULE),
    case("it reaches the viewer", "RFC 9213 §3.1", OPTIONAL, ask(ok(cdn("max-age=3600"), cc="no-store"), has={"CDN-Cache-Control": "max-age=3600", "Cache-Control": "no-store"})),
    case("its max-age ends", RULE, MUST, ask(ok(cdn("max-age=1"), cc="max-age=3600")), again(2, wait=2.1)),
    case("its stale-if-error counts", RULE, OPTIONAL, ask(ok(cdn("max-age=60, stale-if-error=1000", Age=100))), ask(answer(503), body=1)),
    case("its must-revalidate counts", RULE, MUST, ask(ok(cdn("max-age=60, must-revalidate", Age=100), cc="max-age=60, stale-if-error=1000")), ask(answer(503), status=503)),
)

test_parsing = cases(
    case("several lines are one dictionary", PARSE, OPTIONAL,
         ask(ok([("CDN-Cache-Control", "public"), ("CDN-Cache-Control", "max-age=3600"), ("Cache-Control", "max-age=0")])), hit()),
    applies("unknown members of every type", 'a, b=1, c=1.5, d="x", e=?0, f=:YQ==:, g=tok/en, max-age=3600', PARSE),
    applies("an inner list as a member", "a=(1 2 \"x\");p=1, b=(), max-age=3600", PARSE),
    applies("parameters of a member", "max-age=3600;a=1;b", PARSE),
    applies("the last of equal names counts", "max-age=0, max-age=3600", PARSE),
    refuses("the last of equal names counts, 0", "max-age=3600, max-age=0", PARSE),
    applies("spaces and tabs around the comma", "public ,\t max-age=3600", PARSE),
    applies("a date as a member", "a=@1659578233, max-age=3600", "RFC 9651 §3.3.7"),
    applies("a display string as a member", 'a=%"f%c3%bc", max-age=3600', "RFC 9651 §3.3.8"),
    refuses("true as ?1", "no-store=?1", PARSE),
    applies("false as ?0", "no-store=?0, max-age=3600", PARSE),
    refuses("a negative max-age", "max-age=-3600", RULE),
    *(no_lifetime(name, value) for name, value in {
        "a quoted number": 'max-age="3600"', "a name in upper case": "MAX-AGE=3600", "a space before the equals sign": "max-age =3600",
        "a space after the equals sign": "max-age= 3600", "a comma at the end": "max-age=3600,", "two commas": "max-age=3600,, public",
        "a comma at the start": ", max-age=3600", "a semicolon between members": "public; max-age=3600 x", "a fraction": "max-age=3600.0",
        "a number with letters": "max-age=3600s", "no number": "max-age", "a sign": "max-age=+3600", "16 digits": "max-age=1000000000000000",
        "an open string": 'a="x, max-age=3600', "an open inner list": "a=(1 2, max-age=3600", "a star alone": "max-age=3600, =",
        "single quotes": "max-age='3600'", "a letter beyond ASCII": "max-age=3600, a=\"\xfc\"",
        "bad base64": "a=:!:, max-age=3600", "a bad boolean": "a=?2, max-age=3600", "a name in upper case beside it": "max-age=3600, Foo",
        "a date with a fraction": "a=@1.5, max-age=3600", "a display string in upper case hex": 'a=%"%C3", max-age=3600'}.items()),
    fresh("an invalid field is passed over for Cache-Control", RULE, MUST, cdn("max-age=3600,"), cc="max-age=3600"),
    stale("an invalid no-store is passed over, as is all of it", RULE, MUST, cdn("max-age=3600, Foo"), cc="no-store"),
    fresh("an empty field is passed over", RULE, MUST, cdn(""), cc="max-age=3600"),
    fresh("a field of spaces is passed over", RULE, MUST, cdn("   "), cc="max-age=3600"),
)
