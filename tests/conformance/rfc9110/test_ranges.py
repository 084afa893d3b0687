"""RFC 9110 §14 and RFC 9111 §3.3, §3.4: parts."""

import email

from script import *  # noqa: F403

HOUR = "max-age=3600"
TEN = b"0123456789"
THEN = "Sun, 06 Nov 1994 08:49:37 GMT"
WHOLE = ok({"ETag": '"1"', "Last-Modified": THEN}, cc=HOUR, body=TEN)
PARTS = ok({"ETag": '"1"', "Accept-Ranges": "bytes"}, cc=HOUR, body=TEN, part=True)
TYPED = ok({"Content-Type": "text/css"}, cc=HOUR, body=TEN)
LATELY = str(At(-10))  # of the loading of this file: the same in every message


def part(name, wanted, body, section="RFC 9110 §14.1.2", level=OPTIONAL, status=206, spans=None, origin=WHOLE, **headers):
    has = {"Content-Range": spans} if spans else {}
    return case(name, section, level, ask(origin), hit(body, {"Range": wanted, **headers}, status=status, has=has))


def parted(*expected):
    """Checks what a multipart answer holds: the place and the bytes of each part."""
    def check(got):
        message = email.message_from_bytes(b"Content-Type: %s\r\n\r\n%s" % (got["Content-Type"].encode(), got.body))
        parts = tuple((part["Content-Range"], part.get_payload(decode=True)) for part in message.walk() if not part.is_multipart())
        kinds = {part.get_content_type() for part in message.walk() if not part.is_multipart()}
        return None if (parts, kinds) == (expected, {"text/css"}) else f"its parts are {parts} of {kinds}"
    return check


test_ranges = cases(
    part("the first bytes", "bytes=0-3", b"0123", spans="bytes 0-3/10"),
    part("the middle", "bytes=4-6", b"456", spans="bytes 4-6/10"),
    part("from an offset to the end", "bytes=7-", b"789", spans="bytes 7-9/10"),
    part("the last bytes", "bytes=-3", b"789", spans="bytes 7-9/10"),
    part("more last bytes than there are", "bytes=-99", TEN, spans="bytes 0-9/10"),
    part("an end beyond the body", "bytes=5-99", b"56789", spans="bytes 5-9/10"),
    part("one byte", "bytes=0-0", b"0", spans="bytes 0-0/10"),
    part("the unit in upper case", "BYTES=0-3", b"0123", section="RFC 9110 §14.1"),
    part("a start beyond the body", "bytes=10-", b"", section="RFC 9110 §14.1.2", status=416, spans="bytes */10"),
    part("no last bytes", "bytes=-0", b"", status=416, spans="bytes */10"),
    part("an unknown unit", "lines=0-3", TEN, section="RFC 9110 §14.2", level=MUST, status=200),
    part("an end before the start", "bytes=6-4", TEN, section="RFC 9110 §14.1.1", level=MUST, status=200),
    part("letters", "bytes=a-b", TEN, section="RFC 9110 §14.1.1", level=MUST, status=200),
    part("no range", "bytes=-", TEN, section="RFC 9110 §14.1.1", level=MUST, status=200),
    case("a range of HEAD does not count", "RFC 9110 §14.2", MUST, ask(WHOLE), hit(b"", {"Range": "bytes=0-3"}, method="HEAD", has={"Content-Range": None})),
    case("a range of a stored error does not count", "RFC 9110 §14.2", MUST,
         ask(answer(404, cc=HOUR, body=TEN), status=404), hit(TEN, {"Range": "bytes=0-3"}, status=404)),
    case("a 206 has the stored fields", "RFC 9110 §15.3.7", MUST, ask(WHOLE),
         hit(b"0123", {"Range": "bytes=0-3"}, status=206, has={"ETag": '"1"', "Cache-Control": HOUR, "Date": ANY, "Content-Length": "4"})),
    case("a condition goes before a range", "RFC 9110 §13.2.2", MUST, ask(WHOLE), hit(b"", {"Range": "bytes=0-3", "If-None-Match": '"1"'}, status=304)),
    part("If-Range with the stored tag", "bytes=0-3", b"0123", section="RFC 9110 §13.1.5", **{"If-Range": '"1"'}),
    part("If-Range with another tag", "bytes=0-3", TEN, section="RFC 9110 §13.1.5", level=MUST, status=200, **{"If-Range": '"2"'}),
    part("If-Range with a weak tag", "bytes=0-3", TEN, section="RFC 9110 §13.1.5", level=MUST, status=200,
         origin=ok({"ETag": 'W/"1"'}, cc=HOUR, body=TEN), **{"If-Range": 'W/"1"'}),
    part("If-Range with the date of change", "bytes=0-3", b"0123", section="RFC 9110 §13.1.5", **{"If-Range": THEN}),
    part("If-Range with an earlier date", "bytes=0-3", TEN, section="RFC 9110 §13.1.5", level=MUST, status=200, **{"If-Range": "Sat, 05 Nov 1994 08:49:37 GMT"}),
    part("If-Range with a later date", "bytes=0-3", TEN, section="RFC 9110 §13.1.5", level=MUST, status=200, **{"If-Range": "Mon, 07 Nov 1994 08:49:37 GMT"}),
    part("If-Range with a date that is not a strong validator", "bytes=0-3", TEN, section="RFC 9110 §8.8.2.2", level=MUST, status=200,
         origin=ok({"Last-Modified": LATELY, "Date": LATELY}, cc=HOUR, body=TEN), **{"If-Range": LATELY}),
    part("If-Range that is nothing", "bytes=0-3", TEN, section="RFC 9110 §13.1.5", level=MUST, status=200, **{"If-Range": "1"}),
    part("a range of an empty body", "bytes=0-", b"", status=416, spans="bytes */0", origin=ok(cc=HOUR, body=b"")),
    case("a range of what is not stored goes to the origin", "RFC 9110 §14.2", OPTIONAL,
         ask(PARTS, {"Range": "bytes=2-3"}, status=206, body=b"23", has={"Content-Range": "bytes 2-3/10"})),
    case("an origin without ranges answers with the whole", "RFC 9110 §14.2", OPTIONAL,
         ask(WHOLE, {"Range": "bytes=2-3"}, status=None, check=lambda got: None if got.body in (TEN, b"23") else "neither the whole nor the part")),
    case("the whole that came for a range is stored", "RFC 9111 §3", OPTIONAL,
         ask(WHOLE, {"Range": "bytes=2-3"}, status=None), hit(TEN)),
    case("416 is passed on and not stored", "RFC 9110 §15.5.17", MUST,
         ask(answer(416, {"Content-Range": "bytes */10"}, cc=HOUR), {"Range": "bytes=20-"}, status=None), ask(WHOLE, asked=None, body=None, status=200)),
)

test_parts = cases(
    case("a part is stored and served", "RFC 9111 §3.3", OPTIONAL,
         ask(PARTS, {"Range": "bytes=2-5"}, status=206, body=b"2345"), hit(b"2345", {"Range": "bytes=2-5"}, status=206)),
    case("a part within a stored part is served", "RFC 9111 §3.3", OPTIONAL,
         ask(PARTS, {"Range": "bytes=2-5"}, status=206, body=b"2345"), hit(b"34", {"Range": "bytes=3-4"}, status=206)),
    case("parts are combined to the whole", "RFC 9111 §3.4", OPTIONAL,
         ask(PARTS, {"Range": "bytes=0-4"}, status=206), ask(PARTS, {"Range": "bytes=5-9"}, status=206), hit(TEN)),
    case("parts are combined to a part", "RFC 9111 §3.4", OPTIONAL,
         ask(PARTS, {"Range": "bytes=0-4"}, status=206), ask(PARTS, {"Range": "bytes=5-9"}, status=206), hit(b"3456", {"Range": "bytes=3-6"}, status=206)),
    case("what is missing is asked for", "RFC 9111 §3.3", OPTIONAL,
         ask(PARTS, {"Range": "bytes=0-4"}, status=206), ask(PARTS, body=TEN, sent={"Range": "bytes=5-9"})),
    case("parts with different tags are not combined", "RFC 9111 §3.4", MUST,
         ask(PARTS, {"Range": "bytes=0-4"}, status=206),
         ask(ok({"ETag": '"2"'}, cc=HOUR, body=b"abcdefghij", part=True), {"Range": "bytes=5-9"}, status=206),
         ask(ok({"ETag": '"2"'}, cc=HOUR, body=b"abcdefghij", part=True), body=b"abcdefghij")),
    case("parts without strong validators are not combined", "RFC 9111 §3.4", MUST,
         ask(ok(cc=HOUR, body=TEN, part=True), {"Range": "bytes=0-4"}, status=206),
         ask(ok(cc=HOUR, body=b"abcdefghij", part=True), {"Range": "bytes=5-9"}, status=206),
         ask(ok(cc=HOUR, body=b"abcdefghij", part=True), body=b"abcdefghij")),
    case("two ranges in one answer", "RFC 9110 §14.6", OPTIONAL,
         ask(WHOLE), hit(None, {"Range": "bytes=0-1,8-9"}, status=206, has={"Content-Type": lambda kind: kind.startswith("multipart/byteranges; boundary=")})),
    case("each part says where it belongs and has the type of the whole", "RFC 9110 §15.3.7.2", MUST,
         ask(TYPED), hit(None, {"Range": "bytes=0-1,8-9"}, status=206, has={"Content-Range": None}, check=parted(("bytes 0-1/10", b"01"), ("bytes 8-9/10", b"89")))),
    case("one that is there of two is one part", "RFC 9110 §15.3.7.2", MUST,
         ask(WHOLE), hit(b"89", {"Range": "bytes=30-,8-9"}, status=206, has={"Content-Range": "bytes 8-9/10"})),
    case("none that is there of two", "RFC 9110 §14.1.2", OPTIONAL,
         ask(WHOLE), hit(b"", {"Range": "bytes=30-,40-"}, status=416, has={"Content-Range": "bytes */10"})),
    case("one of two that cannot be read", "RFC 9110 §14.2", MUST, ask(WHOLE), hit(TEN, {"Range": "bytes=0-1,a"})),
    case("If-Range that does not hold, and two ranges", "RFC 9110 §13.1.5", MUST, ask(WHOLE), hit(TEN, {"Range": "bytes=0-1,8-9", "If-Range": '"2"'})),
    case("overlapping ranges are one or the whole", "RFC 9110 §14.2", OPTIONAL,
         ask(WHOLE), hit(None, {"Range": "bytes=0-5,3-9"}, status=None, check=lambda got: None if got.body == TEN else "not all the bytes")),
    case("very many ranges are not followed", "RFC 9110 §14.2", SHOULD,
         ask(WHOLE), hit(TEN, {"Range": "bytes=" + ",".join(["0-0"] * 500)}, status=None)),
)
