"""RFC 9112 and RFC 9110 §6.5: framing and trailers."""

from script import *  # noqa: F403

HOUR = "max-age=3600"
END = (("X-Sum", "abc"), ("Cache-Control", "no-store"))

test_trailers = cases(
    case("a trailer is not merged into the stored headers", "RFC 9110 §6.5.1", MUST,
         ask(ok(cc=HOUR, framing="chunked", trailers=END)), hit(1, has={"X-Sum": None, "Cache-Control": HOUR})),
    case("a body with trailers is whole", "RFC 9112 §7.1.2", MUST, ask(ok(cc=HOUR, framing="chunked", trailers=END), body=1), hit(1)),
    case("trailers reach a viewer who wants them", "RFC 9110 §6.5", OPTIONAL,
         ask(ok({"Trailer": "X-Sum"}, cc="no-store", framing="chunked", trailers=(("X-Sum", "abc"),)), {"TE": "trailers"}, trailers={"X-Sum": "abc"})),
    case("trailers of what is stored are left out of the copy", "RFC 9111 §3.1", OPTIONAL,
         ask(ok({"Trailer": "X-Sum"}, cc=HOUR, framing="chunked", trailers=(("X-Sum", "abc"),)), {"TE": "trailers"}),
         hit(1, {"TE": "trailers"}, trailers={})),
)

test_framing = cases(
    case("204 has no body and no length", "RFC 9110 §8.6", MUST, ask(answer(204, cc=HOUR), status=204, has={"Content-Length": None}),
         hit(b"", status=204, has={"Content-Length": None})),
    case("Transfer-Encoding is not stored", "RFC 9112 §6.1", MUST, ask(ok(cc=HOUR, framing="chunked")), hit(1, has={"Content-Length": ANY})),
    case("HEAD says the length", "RFC 9110 §8.6", OPTIONAL, ask(ok(cc=HOUR)), hit(b"", method="HEAD", has={"Content-Length": lambda length: int(length) > 5})),
)
