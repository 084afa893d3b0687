"""RFC 9111 §4.2.3 and §5.1: how old a response is."""

from script import *  # noqa: F403

LONG = "max-age=3600"


def aged(name, level, age, low, high, section="RFC 9111 §5.1", cc=LONG, **headers):
    return case(name, section, level, ask(ok({"Age": age, **headers}, cc=cc)), hit(1, age=(low, high)))


test_age = cases(
    case("a hit says its age", "RFC 9111 §5.1", MUST, ask(ok(cc=LONG)), hit(1, age=(1, 9), wait=1.2)),
    aged("age on arrival counts on", MUST, 30, 30, 40, section="RFC 9111 §4.2.3"),
    case("age on arrival makes stale", "RFC 9111 §4.2.3", MUST, ask(ok({"Age": 3600}, cc=LONG)), again(2)),
    case("age on arrival and residence are summed", "RFC 9111 §4.2.3", MUST,
         ask(ok({"Age": 3598}, cc=LONG)), again(2, wait=3.1)),
    case("an old date is apparent age", "RFC 9111 §4.2.3", MUST,
         ask(ok({"Date": At(-100)}, cc=LONG)), hit(1, age=(100, 110))),
    case("apparent age makes stale", "RFC 9111 §4.2.3", MUST, ask(ok({"Date": At(-100)}, cc="max-age=60")), again(2)),
    case("the larger of age and apparent age counts, not their sum", "RFC 9111 §4.2.3", MUST,
         ask(ok({"Date": At(-100), "Age": 70}, cc=LONG)), hit(1, age=(100, 110))),
    case("an age larger than the apparent one counts", "RFC 9111 §4.2.3", MUST,
         ask(ok({"Date": At(-70), "Age": 100}, cc=LONG)), hit(1, age=(100, 110))),
    case("a date in the future is no age", "RFC 9111 §4.2.3", MUST,
         ask(ok({"Date": At(+3600)}, cc=LONG)), hit(1, age=(0, 10))),
    case("the delay of the answer is added to age", "RFC 9111 §4.2.3", MUST,
         ask(ok({"Age": 10}, cc=LONG, delay=2.1)), hit(1, age=(12, 20))),
    aged("an age that is a float is ignored", SHOULD, "7200.0", 0, 5),
    aged("a negative age is ignored", SHOULD, "-7200", 0, 5),
    aged("an age with a suffix is ignored", SHOULD, "7200s", 0, 5),
    aged("an age with a prefix is ignored", SHOULD, "a7200", 0, 5),
    aged("an age that is a word is ignored", SHOULD, "abc", 0, 5),
    aged("an empty age is ignored", SHOULD, "", 0, 5),
    aged("an age of zero is none", MUST, "0", 0, 5),
    aged("of a list the first age counts", SHOULD, "30, 7200", 30, 40),
    case("of several lines the first age counts", "RFC 9111 §5.1", SHOULD,
         ask(ok([("Cache-Control", LONG), ("Age", "30"), ("Age", "7200")])), hit(1, age=(30, 40))),
    case("a list whose first age makes stale", "RFC 9111 §5.1", SHOULD, ask(ok({"Age": "7200, 0"}, cc=LONG)), again(2)),
    *(case(f"an age of {name} is very old", "RFC 9111 §1.2.2", MUST, ask(ok({"Age": value}, cc=LONG)), again(2))
      for name, value in {"2^31 - 1": 2147483647, "2^31": 2147483648, "2^32 + 1": 4294967297, "2^64 + 1": 2**64 + 1}.items()),
    case("a 304 sets the age anew", "RFC 9111 §4.3.4", MUST,
         ask(ok({"ETag": '"1"', "Age": 3600}, cc=LONG)),
         ask(not_modified({"ETag": '"1"', "Age": 5}, cc=LONG), sent={"If-None-Match": '"1"'}, body=1),
         hit(1, age=(5, 15))),
    case("the age of a 304 is its own", "RFC 9111 §4.3.4", MUST,
         ask(ok({"ETag": '"1"', "Age": 3600}, cc=LONG)),
         ask(not_modified({"ETag": '"1"'}, cc=LONG), body=1), hit(1, age=(0, 9))),
    case("a date is added when there is none, and stays", "RFC 9110 §6.6.1", MUST,
         ask(ok(cc=LONG, date=False), has={"Date": ANY}), hit(1, wait=2.1, age=(2, 9), check=lambda got: dated(got, -1.2))),
)


def dated(got, most):
    """Whether Date was at least so long ago."""
    import email.utils
    import time
    since = email.utils.parsedate_to_datetime(got["Date"]).timestamp() - time.time()
    return None if since < most else f"Date is {since:.1f} s from now"
