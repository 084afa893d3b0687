"""RFC 9113 §5, §10.5: the states of streams, and viewers who want to harm."""

from http2 import *  # noqa: F403

PROTOCOL, CLOSED = "PROTOCOL_ERROR", "STREAM_CLOSED"


def after_the_end(kind, flags, payload=lambda client: b""):
    """A request that is whole, and a frame of it more. The server has not answered when it comes: both go out together."""
    def act(client):
        request = frame(HEADERS, END_STREAM | END_HEADERS, 1, client.block(path="/large"))
        client.raw(request + frame(kind, flags, 1, payload(client)))
    return act


def after_a_reset(kind, flags, payload=lambda client: b""):
    def act(client):
        client.post()
        client.frame(RST_STREAM, 0, 1, bytes(4))
        client.frame(kind, flags, 1, payload(client))
    return act


def after_the_answer(kind, flags, payload=lambda client: b""):
    def act(client):
        client.ask()
        answers()(client)
        client.frame(kind, flags, 1, payload(client))
    return act


def more_than_allowed(client):
    most = client.told[MAX_CONCURRENT_STREAMS]
    for at in range(most + 1):
        client.post(1 + 2 * at)
    client.over = 1 + 2 * most


def refused(client):
    for found in client.frames():
        if found.kind in (RST_STREAM, GOAWAY) and found.code() != "NO_ERROR":
            assert found.kind == GOAWAY or found.stream == client.over, f"{found}, and {client.over} was one too many"
            assert found.code() in (PROTOCOL, "REFUSED_STREAM"), str(found)
            return


test_states = cases(
    case("data of a stream that does not exist yet", "RFC 9113 §5.1", lambda client: client.data(b"x"), ends(PROTOCOL, CLOSED)),
    case("data after the end of a request", "RFC 9113 §5.1", after_the_end(DATA, END_STREAM), resets(CLOSED), vague=True),
    case("headers after the end of a request", "RFC 9113 §5.1", after_the_end(HEADERS, END_STREAM | END_HEADERS, lambda client: client.block()), resets(CLOSED, PROTOCOL)),
    case("a continuation after the end of a request", "RFC 9113 §5.1", after_the_end(CONTINUATION, END_HEADERS, lambda client: client.block()), ends(CLOSED, PROTOCOL)),
    case("data after a reset", "RFC 9113 §5.1", after_a_reset(DATA, END_STREAM), resets(CLOSED)),
    case("headers after a reset", "RFC 9113 §5.1", after_a_reset(HEADERS, END_STREAM | END_HEADERS, lambda client: client.block()), resets(CLOSED, PROTOCOL)),
    case("a continuation after a reset", "RFC 9113 §5.1", after_a_reset(CONTINUATION, END_HEADERS, lambda client: client.block()), ends(CLOSED, PROTOCOL)),
    case("data after the answer", "RFC 9113 §5.1", after_the_answer(DATA, END_STREAM), resets(CLOSED)),
    case("headers after the answer", "RFC 9113 §5.1", after_the_answer(HEADERS, END_STREAM | END_HEADERS, lambda client: client.block()), ends(CLOSED, PROTOCOL)),
    case("a continuation after the answer", "RFC 9113 §5.1", after_the_answer(CONTINUATION, END_HEADERS, lambda client: client.block()), ends(CLOSED, PROTOCOL)),
    case("an update after the answer", "RFC 9113 §5.1", after_the_answer(WINDOW_UPDATE, 0, lambda client: bytes([0, 0, 0, 9])), lives),
    case("a reset after the answer", "RFC 9113 §5.1", after_the_answer(RST_STREAM, 0, lambda client: bytes(4)), lives),
    case("a priority after the answer", "RFC 9113 §5.1", after_the_answer(PRIORITY, 0, lambda client: bytes(4) + b"\x10"), lives),
    case("a stream with an even number", "RFC 9113 §5.1.1", lambda client: client.ask(2), ends(PROTOCOL)),
    case("a stream with a number below the last", "RFC 9113 §5.1.1", lambda client: [client.ask(5), client.ask(3)], ends(PROTOCOL, CLOSED)),
    case("numbers may be left out", "RFC 9113 §5.1.1", lambda client: [client.ask(101), client.ask(9999)], then(answers(101), answers(9999))),
    case("more streams than are allowed", "RFC 9113 §5.1.2", more_than_allowed, refused),
    case("streams side by side", "RFC 9113 §5", lambda client: [client.ask(stream) for stream in range(1, 41, 2)], answers(39)),
    case("a stream that is reset leaves others alone", "RFC 9113 §5.4.2",
         lambda client: [client.post(), client.ask(3, path="/large"), client.frame(RST_STREAM, 0, 1, bytes(4)), client.update(2**20), client.update(2**20, 3)],
         answers(3, length=len(LARGE))),
)


def rapidly(client):
    """Requests that are taken back at once (CVE-2023-44487)."""
    for at in range(20):
        client.raw(b"".join(frame(HEADERS, END_STREAM | END_HEADERS, stream, client.block(path="/large")) + frame(RST_STREAM, 0, stream, b"\0\0\0\x08")
                            for stream in range(1 + at * 500, 1 + (at + 1) * 500, 2)))


def without_end(client):
    """A header block that never ends, of frames with nearly nothing in them."""
    client.frame(HEADERS, END_STREAM, 1, client.block())
    for _ in range(200):
        client.raw(frame(CONTINUATION, 0, 1, b"") * 200)


def without_end_and_large(client):
    """A header block that never ends, of frames as large as may be: hundreds of megabytes if it were kept."""
    field = client.encoder.encode([("x-a", "y" * 4000)])
    client.frame(HEADERS, END_STREAM, 1, client.block())
    for _ in range(200):
        client.raw(frame(CONTINUATION, 0, 1, field + b"\xbe" * 12000))


def long_head(client):
    """A head of a megabyte, and its end."""
    pieces = blocks(client.block(*((f"x-{at}", "y" * 1000) for at in range(1500))), 16384)
    for at, piece in enumerate(pieces):
        last = END_HEADERS if at == len(pieces) - 1 else 0
        client.frame(CONTINUATION if at else HEADERS, last if at else END_STREAM, 1, piece)


def asked_too_much(count, one):
    return lambda client: [client.raw(one * 100) for _ in range(count // 100)]


def elsewhere(client):
    """Whatever came of this connection, another one is served."""
    other = Client(client.server)
    try:
        other.begin().ask()
        answers()(other)
    finally:
        other.close()


def stopped(*codes):
    """The connection is ended by the server, long before it has taken all of that."""
    return then(ends(*codes), elsewhere)


test_harm = cases(
    case("requests that are taken back at once", "RFC 9113 §10.5", rapidly, stopped("ENHANCE_YOUR_CALM", "PROTOCOL_ERROR", "REFUSED_STREAM")),
    case("a header block of empty frames without end", "RFC 9113 §10.5", without_end, stopped("ENHANCE_YOUR_CALM", "PROTOCOL_ERROR", "COMPRESSION_ERROR")),
    case("a header block of full frames without end", "RFC 9113 §10.5.1", without_end_and_large,
         stopped("ENHANCE_YOUR_CALM", "PROTOCOL_ERROR", "COMPRESSION_ERROR")),
    case("many pings", "RFC 9113 §10.5", asked_too_much(5000, frame(PING, 0, 0, bytes(8))), elsewhere),
    case("many settings", "RFC 9113 §10.5", asked_too_much(5000, frame(SETTINGS)), elsewhere),
    case("many frames of a kind that nobody knows", "RFC 9113 §10.5", asked_too_much(5000, frame(0x77, 0, 0, bytes(8))), elsewhere),
    case("many empty frames of data", "RFC 9113 §10.5", lambda client: [client.post(), *asked_too_much(5000, frame(DATA, 0, 1))(client)], elsewhere),
    case("many priorities", "RFC 9113 §10.5", asked_too_much(5000, frame(PRIORITY, 0, 3, bytes(5))), elsewhere),
    case("headers beyond the limit", "RFC 9113 §10.5.1",
         long_head,
         resets("ENHANCE_YOUR_CALM", "PROTOCOL_ERROR", "REFUSED_STREAM", "COMPRESSION_ERROR", status=("431", "494", "400", "413"))),
)
