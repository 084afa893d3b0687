"""RFC 7541: header blocks that are compressed wrongly, and some that are right and rare."""

from http2 import *  # noqa: F403

COMPRESSION = ends("COMPRESSION_ERROR")


def block(more, settings=()):
    """A request whose header block ends with these bytes."""
    return lambda client: client.frame(HEADERS, END_STREAM | END_HEADERS, 1, client.block() + more)


def before(more):
    """A request whose header block begins with these bytes."""
    return lambda client: client.frame(HEADERS, END_STREAM | END_HEADERS, 1, more + client.block())


def twice(client):
    """The second request refers to what the first has put into the table."""
    client.ask(1, ("x-a", "a value of some length"))
    first = len(client.block(("x-a", "a value of some length")))
    assert first < 40, "the encoder has a table"
    client.frame(HEADERS, END_STREAM | END_HEADERS, 3, client.block(("x-a", "a value of some length")))


def smaller(client):
    """The table is made smaller and larger again, at the beginning of a block."""
    client.ask(1, ("x-a", "1"))
    client.encoder = hpack.Encoder()
    client.encoder.header_table_size = 0
    client.encoder.header_table_size = 4096
    client.ask(3, ("x-a", "1"))


test_blocks = cases(
    case("the index 0", "RFC 7541 §6.1", block(b"\x80"), COMPRESSION, vague=True),
    case("an index beyond the tables", "RFC 7541 §2.3.3", block(b"\xff\x80\x02"), COMPRESSION, vague=True),
    case("a name with an index beyond the tables", "RFC 7541 §2.3.3", block(b"\x7f\x80\x02\x01a"), COMPRESSION, vague=True),
    case("an integer without end", "RFC 7541 §5.1", block(b"\xff" + b"\xff" * 20), COMPRESSION, vague=True),
    case("a block that ends in an integer", "RFC 7541 §5.1", block(b"\xff"), COMPRESSION, vague=True),
    case("a block that ends in a name", "RFC 7541 §5.2", block(b"\x40\x05abc"), COMPRESSION, vague=True),
    case("a block that ends before a value", "RFC 7541 §6.2.1", block(b"\x40\x03abc"), COMPRESSION, vague=True),
    case("a table larger than was allowed", "RFC 7541 §6.3", before(b"\x3f\xe1\xff\x03"), COMPRESSION, vague=True),
    case("a table resized at the end of a block", "RFC 7541 §4.2", block(b"\x20"), COMPRESSION, vague=True),
    case("a table resized at the beginning", "RFC 7541 §4.2", smaller, then(answers(), answers(3))),
    case("padding of a byte", "RFC 7541 §5.2", block(b"\x00\x01a\x82\x1f\xff"), COMPRESSION, vague=True),
    case("padding that is not of ones", "RFC 7541 §5.2", block(b"\x00\x01a\x81\x18"), COMPRESSION, vague=True),
    case("an end of string within a string", "RFC 7541 §5.2", block(b"\x00\x01a\x84\xff\xff\xff\xff"), COMPRESSION, vague=True),
    case("a field that is never indexed", "RFC 7541 §6.2.3", block(b"\x10\x03x-a\x01b"), answers()),
    case("a field without an index", "RFC 7541 §6.2.2", block(b"\x00\x03x-a\x01b"), answers()),
    case("a field from the table of an earlier request", "RFC 7541 §2.3.2", twice, then(answers(), answers(3))),
    case("an empty block", "RFC 9113 §8.3.1", lambda client: client.frame(HEADERS, END_STREAM | END_HEADERS, 1), malformed),
)
