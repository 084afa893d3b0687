"""RFC 9113 §3, §4, §6: preface, frames, and what each kind of frame may be."""

from http2 import *  # noqa: F403

PROTOCOL, SIZE, FLOW = "PROTOCOL_ERROR", "FRAME_SIZE_ERROR", "FLOW_CONTROL_ERROR"


def sends(*frames):
    """These frames, one after the other."""
    return lambda client: [client.frame(*one) for one in frames]


def asks(*more, **head):
    return lambda client: client.ask(1, *more, **head)


def in_pieces(client):
    for byte in PREFACE + frame(SETTINGS):
        client.raw(bytes([byte]))
    client.ask()


def padded(client, length, **head):
    block = client.block(**head)
    client.frame(HEADERS, END_STREAM | END_HEADERS | PADDED, 1, bytes([length]) + block + bytes(8))


test_preface = cases(
    case("the server begins with settings", "RFC 9113 §3.4", lambda client: None, lives),
    case("a preface that is none", "RFC 9113 §3.4", lambda client: client.raw(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 2), ends(PROTOCOL), begins=False),
    case("a preface without settings", "RFC 9113 §3.4", lambda client: client.raw(PREFACE + frame(PING, 0, 0, bytes(8))), ends(PROTOCOL), begins=False,
         missing="our HTTP/2 library takes the settings when they come"),
    case("a preface byte by byte", "RFC 9113 §3.4", in_pieces, answers(), begins=False),
    case("a request together with the preface", "RFC 9113 §3.4",
         lambda client: client.raw(PREFACE + frame(SETTINGS) + frame(HEADERS, END_STREAM | END_HEADERS, 1, client.block())), answers(), begins=False),
)

test_frames = cases(
    case("a frame of an unknown kind", "RFC 9113 §4.1", sends((0x16, 0xff, 0, b"anything")), lives),
    case("a frame of an unknown kind of a stream", "RFC 9113 §5.5", sends((0x17, 0, 1, b"anything")), then(lives, lambda client: client.ask(), answers())),
    case("flags that are not defined", "RFC 9113 §4.1", sends((PING, 0xfe, 0, b"01234567")), lives),
    case("the reserved bit", "RFC 9113 §4.1", lambda client: client.frame(HEADERS, END_STREAM | END_HEADERS, 1 + 2**31, client.block()), answers()),
    case("data of the most that fits", "RFC 9113 §4.2", lambda client: [client.post(), client.data(bytes(16384))], answers()),
    case("data of a byte more", "RFC 9113 §4.2", lambda client: [client.post(), client.data(bytes(16385))], resets(SIZE)),
    case("a header block of a byte more", "RFC 9113 §4.2", lambda client: client.frame(HEADERS, END_STREAM | END_HEADERS, 1, bytes(16385)), ends(SIZE)),
    case("settings of more than fits", "RFC 9113 §4.2", sends((SETTINGS, 0, 0, struct.pack(">HI", 0x99, 1) * 2731)), ends(SIZE)),
    case("a header block that cannot be read", "RFC 9113 §4.3", sends((HEADERS, END_STREAM | END_HEADERS, 1, b"\xff\xff\xff\xff\xff\xff\xff\xff")),
         ends("COMPRESSION_ERROR"), vague=True),
    case("another frame within a header block", "RFC 9113 §4.3",
         lambda client: [client.ask(flags=END_STREAM), client.frame(PRIORITY, 0, 1, bytes(4) + b"\x10")], ends(PROTOCOL)),
    case("another request within a header block", "RFC 9113 §4.3", lambda client: [client.ask(flags=END_STREAM), client.ask(3)], ends(PROTOCOL)),
    case("an unknown frame within a header block", "RFC 9113 §5.5", lambda client: [client.ask(flags=END_STREAM), client.frame(0x16, 0, 1)], ends(PROTOCOL)),
    case("a ping within a header block", "RFC 9113 §6.10", lambda client: [client.ask(flags=END_STREAM), client.frame(PING, 0, 0, bytes(8))], ends(PROTOCOL)),
)

test_data = cases(
    case("data of no stream", "RFC 9113 §6.1", sends((DATA, END_STREAM, 0, b"x")), ends(PROTOCOL)),
    case("data with padding", "RFC 9113 §6.1", lambda client: [client.post(), client.data(b"\x04body" + bytes(4), flags=END_STREAM | PADDED)], answers()),
    case("data that is nothing but padding", "RFC 9113 §6.1", lambda client: [client.post(), client.data(b"\x03" + bytes(3), flags=END_STREAM | PADDED)], answers()),
    case("padding longer than the data", "RFC 9113 §6.1", lambda client: [client.post(), client.data(b"\x05body", flags=END_STREAM | PADDED)], ends(PROTOCOL)),
    case("empty data at the end", "RFC 9113 §6.1", lambda client: [client.post(), client.data(b"body", flags=0), client.data()], answers()),
)

test_headers = cases(
    case("headers of no stream", "RFC 9113 §6.2", lambda client: client.frame(HEADERS, END_STREAM | END_HEADERS, 0, client.block()), ends(PROTOCOL)),
    case("headers with padding", "RFC 9113 §6.2", lambda client: padded(client, 8), answers()),
    case("padding longer than the headers", "RFC 9113 §6.2", lambda client: padded(client, 255), ends(PROTOCOL)),
    case("headers with a priority", "RFC 9113 §6.2",
         lambda client: client.frame(HEADERS, END_STREAM | END_HEADERS | PRIORITISED, 1, struct.pack(">IB", 2**31, 255) + client.block()), answers()),
    case("a header block in many pieces", "RFC 9113 §6.10",
         lambda client: [client.frame(HEADERS, END_STREAM, 1, b"")] + [client.frame(CONTINUATION, 0, 1, part) for part in blocks(client.block(), 20)]
         + [client.frame(CONTINUATION, END_HEADERS, 1)], answers()),
    case("a continuation of another stream", "RFC 9113 §6.10",
         lambda client: [client.ask(flags=END_STREAM), client.frame(CONTINUATION, END_HEADERS, 3)], ends(PROTOCOL)),
    case("a continuation of no stream", "RFC 9113 §6.10", lambda client: [client.ask(flags=END_STREAM), client.frame(CONTINUATION, END_HEADERS, 0)], ends(PROTOCOL)),
    case("a continuation of nothing", "RFC 9113 §6.10", lambda client: client.frame(CONTINUATION, END_HEADERS, 1, client.block()), ends(PROTOCOL)),
    case("a continuation of what has ended", "RFC 9113 §6.10",
         lambda client: [client.post(), client.frame(CONTINUATION, END_HEADERS, 1, client.encoder.encode([("x", "y")]))], ends(PROTOCOL, "STREAM_CLOSED")),
    case("a continuation after data", "RFC 9113 §6.10",
         lambda client: [client.post(), client.data(b"x", flags=0), client.frame(CONTINUATION, END_HEADERS, 1, client.encoder.encode([("x", "y")]))],
         ends(PROTOCOL, "STREAM_CLOSED")),
)

test_priority_and_reset = cases(
    case("a priority of no stream", "RFC 9113 §6.3", sends((PRIORITY, 0, 0, bytes(4) + b"\x10")), ends(PROTOCOL)),
    case("a priority of the wrong length", "RFC 9113 §6.3", lambda client: [client.post(), client.frame(PRIORITY, 0, 1, bytes(4))], resets(SIZE), vague=True),
    case("a priority of a stream that does not exist yet", "RFC 9113 §5.1", sends((PRIORITY, 0, 7, bytes(4) + b"\x10")), lives),
    case("headers that depend on themselves", "RFC 7540 §5.3.1",
         lambda client: client.frame(HEADERS, END_STREAM | END_HEADERS | PRIORITISED, 1, struct.pack(">IB", 1, 255) + client.block()), resets(PROTOCOL), level=OPTIONAL),
    case("a priority that depends on itself", "RFC 7540 §5.3.1",
         lambda client: [client.post(), client.frame(PRIORITY, 0, 1, struct.pack(">IB", 1, 255))], resets(PROTOCOL), level=OPTIONAL),
    case("a reset of no stream", "RFC 9113 §6.4", sends((RST_STREAM, 0, 0, bytes(4))), ends(PROTOCOL)),
    case("a reset of a stream that does not exist yet", "RFC 9113 §6.4", sends((RST_STREAM, 0, 1, bytes(4))), ends(PROTOCOL)),
    case("a reset of the wrong length", "RFC 9113 §6.4", lambda client: [client.post(), client.frame(RST_STREAM, 0, 1, bytes(3))], ends(SIZE), vague=True),
    case("a reset for a reason that nobody knows", "RFC 9113 §7", lambda client: [client.post(), client.frame(RST_STREAM, 0, 1, b"\xff\xff\xff\xff")], lives),
)


def acknowledged(client):
    client.settings((0x99, 1))
    for _ in range(2):
        found = next((found for found in client.frames() if found.kind == SETTINGS and found.flags & ACK), None)
        assert found, f"settings were sent twice; heard: {client.so_far()}"


test_settings = cases(
    case("settings are acknowledged", "RFC 9113 §6.5.3", lambda client: None, acknowledged),
    case("an acknowledgement with content", "RFC 9113 §6.5", sends((SETTINGS, ACK, 0, bytes(6))), ends(SIZE), vague=True),
    case("settings of a stream", "RFC 9113 §6.5", sends((SETTINGS, 0, 1)), ends(PROTOCOL)),
    case("settings of the wrong length", "RFC 9113 §6.5", sends((SETTINGS, 0, 0, bytes(5))), ends(SIZE), vague=True),
    case("push that is neither on nor off", "RFC 9113 §6.5.2", lambda client: client.settings((ENABLE_PUSH, 2)), ends(PROTOCOL)),
    case("a window beyond the most", "RFC 9113 §6.5.2", lambda client: client.settings((INITIAL_WINDOW_SIZE, 2**31)), ends(FLOW), vague=True),
    case("frames smaller than the least", "RFC 9113 §6.5.2", lambda client: client.settings((MAX_FRAME_SIZE, 16383)), ends(PROTOCOL)),
    case("frames larger than the most", "RFC 9113 §6.5.2", lambda client: client.settings((MAX_FRAME_SIZE, 2**24)), ends(PROTOCOL)),
    case("a setting that nobody knows", "RFC 9113 §6.5.2", lambda client: client.settings((0xffff, 2**32 - 1)), lives),
    case("no streams for the server", "RFC 9113 §6.5.2", lambda client: client.ask(), answers(), settings=((MAX_CONCURRENT_STREAMS, 0),)),
    case("no table for headers", "RFC 9113 §6.5.2", lambda client: [client.ask(), client.ask(3)], then(answers(), answers(3)), settings=((HEADER_TABLE_SIZE, 0),)),
    case("a promise from a client", "RFC 9113 §8.4", lambda client: client.frame(PUSH_PROMISE, END_HEADERS, 1, struct.pack(">I", 2) + client.block()), ends(PROTOCOL)),
)


def not_answered_to(client):
    client.frame(PING, ACK, 0, b"answered")
    client.frame(PING, 0, 0, b"question")
    first = next(found for found in client.frames() if found.kind == PING)
    assert first.payload == b"question", "an answer was answered"


def in_flight(client):
    client.ask()
    client.frame(GOAWAY, 0, 0, bytes(8))


test_ping_and_goaway = cases(
    case("a ping is answered with the same", "RFC 9113 §6.7", lambda client: None, lives),
    case("an answer is not answered", "RFC 9113 §6.7", lambda client: None, not_answered_to),
    case("a ping of a stream", "RFC 9113 §6.7", sends((PING, 0, 1, bytes(8))), ends(PROTOCOL)),
    case("a ping of the wrong length", "RFC 9113 §6.7", sends((PING, 0, 0, bytes(6))), ends(SIZE), vague=True),
    case("a farewell of a stream", "RFC 9113 §6.8", sends((GOAWAY, 0, 1, bytes(8))), ends(PROTOCOL)),
    case("a request before a farewell is answered", "RFC 9113 §6.8", in_flight, answers()),
)


def one_by_one(count):
    """The body comes in pieces of the window, which is one byte."""
    def expect(client):
        for at in range(count):
            found = next(found for found in client.frames() if found.kind in (DATA, GOAWAY, RST_STREAM))
            assert found.kind == DATA and len(found.payload) == 1, f"{found}, where the window is one byte"
            client.update(1, 1)
    return expect


def below_nothing(client):
    """A window that a setting makes negative has to be filled up first."""
    client.ask(path="/large")
    got = 0
    for found in client.frames():
        got += len(found.payload) if found.kind == DATA else 0
        if got == 65535:
            break
    client.settings((INITIAL_WINDOW_SIZE, 0))
    client.update(65535)  # the connection has room again, the stream has less than none: -65535
    client.update(65535, 1)  # now it is at nothing
    lives(client)
    assert not any(found.kind == DATA for found in client.heard[-2:]), "data beyond the window"
    client.update(1, 1)
    found = next(found for found in client.frames() if found.kind == DATA)
    assert len(found.payload) == 1, str(found)


def raised(client):
    client.ask()
    lives(client)
    assert not any(found.kind == DATA and found.payload for found in client.heard), "data without a window"
    client.settings((INITIAL_WINDOW_SIZE, 1000))


test_windows = cases(
    case("an update of nothing", "RFC 9113 §6.9", lambda client: client.update(0), ends(PROTOCOL)),
    case("an update of nothing of a stream", "RFC 9113 §6.9", lambda client: [client.post(), client.update(0, 1)], resets(PROTOCOL)),
    case("an update of the wrong length", "RFC 9113 §6.9", sends((WINDOW_UPDATE, 0, 0, bytes(3))), ends(SIZE), vague=True),
    case("an update of a stream that does not exist yet", "RFC 9113 §5.1", lambda client: client.update(1, 1), ends(PROTOCOL)),
    case("a window beyond the most by an update", "RFC 9113 §6.9.1", lambda client: [client.update(MOST_WINDOW), client.update(1)], ends(FLOW)),
    case("a window of a stream beyond the most", "RFC 9113 §6.9.1",
         lambda client: [client.post(), client.update(MOST_WINDOW, 1), client.update(1, 1)], resets(FLOW)),
    case("a window beyond the most by settings", "RFC 9113 §6.9.2",
         lambda client: [client.post(), client.update(MOST_WINDOW - 65535, 1), client.settings((INITIAL_WINDOW_SIZE, 65536))], ends(FLOW)),
    case("a window of one byte", "RFC 9113 §6.9.2", lambda client: client.ask(), one_by_one(5), settings=((INITIAL_WINDOW_SIZE, 1),)),
    case("a window that becomes negative", "RFC 9113 §6.9.2", lambda client: None, below_nothing),
    case("a window that settings raise", "RFC 9113 §6.9.2", raised, answers(length=len(PAGE)), settings=((INITIAL_WINDOW_SIZE, 0),)),
    case("of two settings with one name the last counts", "RFC 9113 §6.5.3", lambda client: client.ask(), answers(length=len(PAGE)),
         settings=((INITIAL_WINDOW_SIZE, 1), (INITIAL_WINDOW_SIZE, 1000))),
    case("a body larger than the window", "RFC 9113 §6.9", lambda client: [client.ask(path="/large"), client.update(2**20), client.update(2**20, 1)],
         answers(length=len(LARGE))),
)
