"""RFC 9113 §8: requests in frames, and the malformed ones."""

from http2 import *  # noqa: F403


def field(name, value, **head):
    """A request with this field, written as it is: `hpack` makes no names small."""
    return lambda client: client.ask(1, (name, value), **head)


def lines(change):
    """The usual lines, changed."""
    def act(client):
        head = [(":method", "GET"), (":scheme", "https"), (":authority", client.server.host), (":path", "/page")]
        client.frame(HEADERS, END_STREAM | END_HEADERS, 1, client.encoder.encode(change(head)))
    return act


def told(length, *pieces):
    """A body of these pieces, where the head says how long it is."""
    def act(client):
        if not pieces:
            return client.ask(1, ("content-length", length), method="POST", path="/post")
        client.post(1, ("content-length", length))
        for at, piece in enumerate(pieces):
            client.data(piece, flags=END_STREAM if at == len(pieces) - 1 else 0)
    return act


def trailers(*more, flags=END_STREAM | END_HEADERS):
    """All of it at once, so that no answer can come before the trailers."""
    def act(client):
        head = client.block(("content-length", "4"), method="POST", path="/post")
        end = client.encoder.encode(list(more))
        client.raw(frame(HEADERS, END_HEADERS, 1, head) + frame(DATA, 0, 1, b"body") + frame(HEADERS, flags, 1, end))
    return act


RULE = "RFC 9113 §8.3.1"
test_pseudo_headers = cases(
    case("a pseudo-header that nobody knows", "RFC 9113 §8.3", field(":extra", "1"), malformed),
    case("a pseudo-header of responses", "RFC 9113 §8.3", lines(lambda head: [*head, (":status", "200")]), malformed),
    case("a pseudo-header after a header", "RFC 9113 §8.3", lines(lambda head: [*head[:3], ("accept", "*/*"), head[3]]), malformed),
    case("no method", RULE, lambda client: client.ask(method=None), malformed),
    case("no scheme", RULE, lambda client: client.ask(scheme=None), malformed),
    case("no path", RULE, lambda client: client.ask(path=None), malformed),
    case("an empty path", RULE, lambda client: client.ask(path=""), malformed),
    case("a path without a slash", RULE, lambda client: client.ask(path="page"), malformed),
    case("two methods", RULE, lines(lambda head: [head[0], *head]), malformed),
    case("two schemes", RULE, lines(lambda head: [head[1], *head]), malformed),
    case("two paths", RULE, lines(lambda head: [head[3], *head]), malformed),
    case("two authorities", RULE, lines(lambda head: [head[2], *head]), malformed),
    case("an authority with a user", RULE, lambda client: client.ask(authority="user@" + client.server.host), malformed),
    case("Host in place of the authority", RULE, lambda client: client.ask(1, ("host", client.server.host), authority=None), answers()),
    case("no authority and no Host", RULE, lambda client: client.ask(authority=None), malformed),
    case("CONNECT with a path", "RFC 9113 §8.5", lambda client: client.ask(method="CONNECT"),
         resets("PROTOCOL_ERROR", "HTTP_1_1_REQUIRED", status=("400", "403", "405", "501"))),
    case("a query", RULE, lambda client: client.ask(path="/page?a=b&c"), answers()),
)

RULE = "RFC 9113 §8.2.1"
test_fields = cases(
    case("a name in capitals", RULE, field(b"X-Up", b"1"), malformed),
    case("a name with a space", RULE, field(b"x up", b"1"), malformed),
    case("a name with a colon", RULE, field(b"x:up", b"1"), malformed),
    case("a name with a byte beyond ASCII", RULE, field(b"x\xff", b"1"), malformed),
    case("an empty name", RULE, field(b"", b"1"), malformed),
    case("a value with a line end", RULE, field(b"x-a", b"1\r\nx-b: 2"), malformed),
    case("a value with a line feed", RULE, field(b"x-a", b"1\n2"), malformed),
    case("a value with a zero", RULE, field(b"x-a", b"1\x002"), malformed),
    case("a path with a line end", RULE, lambda client: client.ask(path=b"/page\r\nx-b: 2"), malformed),
    case("a method with a space", RULE, lambda client: client.ask(method="GE T"), malformed),
    case("cookies in several lines", "RFC 9113 §8.2.3", lambda client: client.ask(1, ("cookie", "a=1"), ("cookie", "b=2")), answers()),
    case("a value that is empty", RULE, field("x-a", ""), answers()),
)

RULE = "RFC 9113 §8.2.2"
test_connection_fields = cases(
    case("Connection", RULE, field("connection", "keep-alive"), malformed),
    case("Transfer-Encoding", RULE, field("transfer-encoding", "chunked"), malformed),
    case("Upgrade", RULE, field("upgrade", "websocket"), malformed),
    case("Keep-Alive", RULE, field("keep-alive", "timeout=5"), malformed),
    case("Proxy-Connection", RULE, field("proxy-connection", "keep-alive"), malformed),
    case("TE that is more than trailers", RULE, field("te", "trailers, deflate"), malformed),
    case("TE with trailers", RULE, field("te", "trailers"), answers()),
)

RULE = "RFC 9113 §8.1.1"
test_bodies = cases(
    case("a body as long as was told", RULE, told("8", b"four", b"more"), answers()),
    case("a body shorter than was told", RULE, told("9", b"four"), malformed),
    case("a body longer than was told", RULE, told("1", b"four"), malformed),
    case("pieces longer than was told", RULE, told("5", b"four", b"more"), malformed),
    case("no body where one was told", RULE, told("1"), malformed),
    case("a length that is no number", RULE, told("many", b"four"), malformed),
    case("two lengths that differ", RULE, lambda client: [client.post(1, ("content-length", "4"), ("content-length", "5")), client.data(b"four")], malformed),
    case("trailers", "RFC 9113 §8.1", trailers(("x-sum", "1")), answers()),
    case("trailers that are not the end", "RFC 9113 §8.1", trailers(("x-sum", "1"), flags=END_HEADERS), malformed),
    case("a pseudo-header in trailers", "RFC 9113 §8.1", trailers((":method", "GET")), resets("PROTOCOL_ERROR", late=True),
         missing="our HTTP/2 library drops pseudo-headers of trailers"),
    case("HEAD has no body", "RFC 9113 §8.1", lambda client: client.ask(method="HEAD"), answers(length=0)),
)
