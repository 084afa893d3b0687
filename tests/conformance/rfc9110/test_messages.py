"""RFC 9110: connection fields, interim answers, forwarding."""

from script import *  # noqa: F403

HOUR = "max-age=3600"

test_forwarding = cases(
    case("what Connection of the viewer names is not forwarded", "RFC 9110 §7.6.1", MUST,
         ask(ok(), {"Connection": "x-mine", "X-Mine": "1", "X-Other": "2"}, sent={"X-Mine": None, "X-Other": "2"})),
    case("TE of the viewer is not forwarded", "RFC 9110 §10.1.4", MUST, ask(ok(), {"TE": "trailers", "Connection": "TE"}, sent={"TE": None})),
    case("Via is added toward the viewer", "RFC 9110 §7.6.3", MUST, ask(ok(cc=HOUR), has={"Via": ANY}), hit(has={"Via": ANY})),
    case("Via is added toward the origin", "RFC 9110 §7.6.3", MUST, ask(ok(), sent={"Via": ANY})),
    case("Via of the origin stays before ours", "RFC 9110 §7.6.3", MUST,
         ask(ok({"Via": "1.1 before"}, cc=HOUR), has={"Via": lambda via: via.startswith("1.1 before, ")})),
    case("Server of the origin stays", "RFC 9110 §10.2.4", SHOULD, ask(ok({"Server": "origin/1"}, cc=HOUR), has={"Server": "origin/1"})),
    case("a redirect is not followed", "RFC 9110 §15.4", OPTIONAL,
         ask(answer(301, {"Location": "/elsewhere"}, cc=HOUR), status=301, has={"Location": "/elsewhere"}), hit(1, status=301, has={"Location": "/elsewhere"})),
    case("a body of POST arrives", "RFC 9110 §9.3.3", MUST, ask(ok(), method="POST", sends=b"hello", sent={"Content-Length": "5"})),
)

test_interim = cases(
    case("103 is not stored", "RFC 9110 §15.2", MUST,
         ask(ok(cc=HOUR, interim=((103, [("Link", "</a>"), ("Cache-Control", HOUR)]),)), body=1), hit(1, interim=[], has={"Link": None})),
    case("an unknown 1xx is not the answer", "RFC 9110 §15.2", MUST,
         ask(ok(cc=HOUR, interim=((199, [("X-A", "1")]),)), body=1, has={"X-A": None}), hit(1, has={"X-A": None})),
    case("several 1xx before the answer", "RFC 9110 §15.2", MUST,
         ask(ok(cc=HOUR, interim=((103, [("Link", "</a>")]), (103, [("Link", "</b>")]))), body=1), hit(1, interim=[])),
)
