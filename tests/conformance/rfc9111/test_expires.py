"""RFC 9111 §5.3 and §4.2: Expires in its right and its many wrong forms."""

from script import *  # noqa: F403

HOUR = 3600
TEN_DAYS = 10 * 24 * HOUR


def wrong(name, value, level=MUST, **more):
    """Not a date: it stands for a time in the past (§5.3)."""
    return stale(f"stale: {name}", "RFC 9111 §5.3", level, {"Expires": value}, **more)


def form(name, pattern, **more):
    return wrong(name, At(TEN_DAYS, pattern), **more)


test_expires = cases(
    fresh("a time to come is fresh", "RFC 9111 §4.2.1", OPTIONAL, {"Expires": At(HOUR)}),
    stale("a time that is over is stale", "RFC 9111 §4.2.1", MUST, {"Expires": At(-HOUR)}),
    stale("now is stale", "RFC 9111 §4.2.1", MUST, {"Expires": At(0)}),
    stale("the time of Date is stale", "RFC 9111 §5.3", MUST, {"Expires": At(HOUR), "Date": At(HOUR)}),
    stale("a lifetime is counted from Date", "RFC 9111 §4.2.1", MUST, {"Expires": At(-50), "Date": At(-100)}),
    stale("a lifetime ends", "RFC 9111 §4.2.1", MUST, {"Expires": At(2)}, wait=3.1),
    fresh("max-age goes before a past Expires", "RFC 9111 §5.3", OPTIONAL, {"Expires": At(-HOUR)}, cc="max-age=3600"),
    stale("max-age=0 goes before Expires", "RFC 9111 §5.3", MUST, {"Expires": At(HOUR)}, cc="max-age=0"),
    stale("s-maxage=0 goes before Expires", "RFC 9111 §5.3", MUST, {"Expires": At(HOUR)}, cc="s-maxage=0"),
    fresh("a wrong Expires does not matter beside max-age", "RFC 9111 §5.3", OPTIONAL, {"Expires": "0"}, cc="max-age=3600"),
    fresh("the form of RFC 850 is read", "RFC 9110 §5.6.7", MUST, {"Expires": At(HOUR, "%A, %d-%b-%y %H:%M:%S GMT")}),
    fresh("the form of asctime is read", "RFC 9110 §5.6.7", MUST, {"Expires": At(TEN_DAYS, "%a %b %e %H:%M:%S %Y")}),
    stale("a past in the form of RFC 850", "RFC 9110 §5.6.7", MUST, {"Expires": At(-HOUR, "%A, %d-%b-%y %H:%M:%S GMT")}),
    stale("a year of two digits in the far future is past", "RFC 9110 §5.6.7", MUST, {"Expires": "Sunday, 06-Nov-94 08:49:37 GMT"}),
    fresh("names in lower case are read", "RFC 9111 §4.2", SHOULD, {"Expires": At(TEN_DAYS, change=str.lower)}),
    fresh("names in upper case are read", "RFC 9111 §4.2", SHOULD, {"Expires": At(TEN_DAYS, change=str.upper)}),
    wrong("0", "0"),
    wrong("-1", "-1"),
    wrong("a number of seconds", "3600"),
    wrong("a time of the epoch", str(4102444800)),
    wrong("a word", "never"),
    wrong("empty", ""),
    wrong("ISO 8601", At(TEN_DAYS, "%Y-%m-%dT%H:%M:%SZ")),
    form("dashes in the date", "%a, %d-%b-%Y %H:%M:%S GMT"),
    form("a year of two digits", "%a, %d %b %y %H:%M:%S GMT"),
    wrong("an hour of one digit", "Thu, 18 Aug 2050 2:01:18 GMT"),
    wrong("a day of one digit", "Thu, 8 Sep 2050 02:01:18 GMT"),
    form("no comma", "%a %d %b %Y %H:%M:%S GMT"),
    form("several spaces", "%a, %d %b %Y  %H:%M:%S GMT"),
    form("no seconds", "%a, %d %b %Y %H:%M GMT"),
    form("dots in the time", "%a, %d %b %Y %H.%M.%S GMT"),
    form("no zone", "%a, %d %b %Y %H:%M:%S"),
    form("no day of the week", "%d %b %Y %H:%M:%S GMT"),
    *(form(f"the zone {zone}", f"%a, %d %b %Y %H:%M:%S {zone}", level=SHOULD) for zone in ("PST", "EST", "CET", "AEST", "Z", "+0000", "-0800", "GMT+1", "GMT0")),
    wrong("the 32nd of a month", "Fri, 32 Aug 2050 02:01:18 GMT"),
    wrong("the 30th of February", "Wed, 30 Feb 2050 02:01:18 GMT"),
    wrong("hour 24", "Thu, 18 Aug 2050 24:01:18 GMT"),
    wrong("a month in another language", "Do, 18 Okt 2050 02:01:18 GMT"),
    case("stale: several lines", "RFC 9111 §4.2.1", SHOULD, ask(ok([("Expires", At(HOUR)), ("Expires", At(2 * HOUR))])), again(2)),
    case("stale: several lines, the first over", "RFC 9111 §4.2.1", MUST, ask(ok([("Expires", At(-HOUR)), ("Expires", At(HOUR))])), again(2)),
    wrong("two dates in a line", "Thu, 18 Aug 2050 02:01:18 GMT, Thu, 18 Aug 2050 02:01:18 GMT"),
    fresh("a wrong Date counts as absent", "RFC 9110 §6.6.1", OPTIONAL, {"Expires": At(HOUR), "Date": "yesterday"}),
)
