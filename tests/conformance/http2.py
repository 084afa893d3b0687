"""HTTP/2 on a socket, frame by frame, with nothing hidden and nothing repaired; and servers to speak it with.

For: sending what no library would, and saying what has to come of it. Not for: being a good client.
"""

import dataclasses
import pathlib
import socket
import ssl
import struct
import subprocess
import tempfile

import hpack
import pytest

import caches
from nearfront import Origin, Process, Scope, Up, distribution, free_port, http_origin, until
from script import MUST, OPTIONAL, SHOULD

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM = ACK = 0x1
END_HEADERS, PADDED, PRIORITISED = 0x4, 0x8, 0x20
CODES = dict(enumerate(["NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
                        "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
                        "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED"]))
HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE = range(1, 6)
MOST_WINDOW = 2**31 - 1
PATIENCE = 10  # seconds for anything to be said
PAGE = b"0123456789" * 10
LARGE = bytes(range(256)) * 400


@dataclasses.dataclass
class Frame:
    kind: int
    flags: int
    stream: int
    payload: bytes

    def __str__(self):
        name = ["DATA", "HEADERS", "PRIORITY", "RST_STREAM", "SETTINGS", "PUSH_PROMISE", "PING", "GOAWAY", "WINDOW_UPDATE", "CONTINUATION"]
        said = f" {self.code()}" if self.kind in (RST_STREAM, GOAWAY) else f" {len(self.payload)} bytes"
        return f"{name[self.kind] if self.kind < 10 else self.kind} of {self.stream}, flags {self.flags:#x}{said}"

    def code(self):
        at = 4 if self.kind == GOAWAY else 0
        number = int.from_bytes(self.payload[at:at + 4], "big")
        return CODES.get(number, str(number))


@dataclasses.dataclass
class Answer:
    """What has come of a stream so far."""

    head: dict = dataclasses.field(default_factory=dict)
    body: bytes = b""
    whole: bool = False


class Client:
    """One connection."""

    def __init__(self, server, vague=False):
        self.vague = vague
        self.server, self.heard, self.answered = server, [], {}
        context = ssl.create_default_context(cafile=str(server.ca))
        context.set_alpn_protocols(["h2"])
        plain = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = context.wrap_socket(plain, server_hostname=server.host)
        assert self.socket.selected_alpn_protocol() == "h2", "HTTP/2 was not agreed on"
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder()
        self.unread = b""

    def close(self):
        self.socket.close()

    # What is sent

    def raw(self, data):
        """The other side may have hung up: what it said before is read later."""
        try:
            self.socket.sendall(data)
        except (ssl.SSLError, OSError):
            pass

    def frame(self, kind, flags=0, stream=0, payload=b""):
        self.raw(frame(kind, flags, stream, payload))

    def begin(self, settings=()):
        """Preface and settings both ways."""
        self.raw(PREFACE)
        self.settings(*settings)
        first = self.read()
        assert first and first.kind == SETTINGS and not first.flags & ACK, f"the server begins with {first}"
        self.told = {number: value for number, value in struct.iter_unpack(">HI", first.payload)}
        self.frame(SETTINGS, ACK)
        return self

    def settings(self, *pairs):
        self.frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *pair) for pair in pairs))

    def block(self, *fields, **pseudo):
        """A header block: the usual pseudo-headers, some changed (None: left out), then fields."""
        usual = {"method": "GET", "scheme": "https", "authority": self.server.host, "path": "/page", **pseudo}
        head = [(f":{name}", value) for name, value in usual.items() if value is not None]
        return self.encoder.encode([*head, *fields])

    def ask(self, stream=1, *fields, flags=END_STREAM | END_HEADERS, **pseudo):
        self.frame(HEADERS, flags, stream, self.block(*fields, **pseudo))

    def post(self, stream=1, *fields):
        """A request whose body is to come."""
        self.ask(stream, *fields, flags=END_HEADERS, method="POST", path="/post")

    def data(self, payload=b"", stream=1, flags=END_STREAM):
        self.frame(DATA, flags, stream, payload)

    def update(self, by, stream=0):
        self.frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", by))

    # What is heard

    def exactly(self, count):
        while len(self.unread) < count:
            try:
                more = self.socket.recv(65536)
            except TimeoutError:
                pytest.fail(f"nothing more is said within {PATIENCE} s; heard: {self.so_far()}", pytrace=False)
            except (ssl.SSLError, OSError):
                more = b""
            if not more:
                return None
            self.unread += more
        taken, self.unread = self.unread[:count], self.unread[count:]
        return taken

    def read(self):
        """The next frame; None when the connection has ended."""
        head = self.exactly(9)
        payload = head and self.exactly(int.from_bytes(head[:3], "big"))
        if payload is None:
            return None
        found = Frame(head[3], head[4], int.from_bytes(head[5:9], "big") & MOST_WINDOW, payload)
        self.heard.append(found)
        self.take(found)
        return found

    def take(self, found):
        """What belongs to an answer, by stream: whatever is waited for, others may come meanwhile."""
        of = self.answered.setdefault(found.stream, Answer())
        if found.kind == HEADERS:
            of.head.update(self.decoder.decode(found.payload))
        of.body += found.payload if found.kind == DATA else b""
        of.whole |= found.kind in (HEADERS, DATA) and bool(found.flags & END_STREAM)

    def must_be(self, code, codes):
        """One of these; or, where ours is known to be less specific, just that."""
        wanted = ("PROTOCOL_ERROR",) if self.vague else codes
        assert code in wanted, f"it ends with {code}, not {' or '.join(wanted)}"
        return True

    def so_far(self):
        return "; ".join(map(str, self.heard)) or "nothing"

    def frames(self):
        """All frames up to the end of the connection; settings and pings are answered."""
        while (found := self.read()) is not None:
            if found.kind in (SETTINGS, PING) and not found.flags & ACK:
                self.frame(found.kind, ACK, 0, found.payload if found.kind == PING else b"")
            yield found


def frame(kind, flags=0, stream=0, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


# What has to come: each takes a client, and fails the test if it does not come.


def wrong(client, what):
    pytest.fail(f"{what}; heard: {client.so_far()}", pytrace=False)


def ends(*codes):
    """The connection ends, for one of these reasons if a reason is given."""
    def expect(client):
        for found in client.frames():
            if found.kind == GOAWAY and found.code() != "NO_ERROR":
                return client.must_be(found.code(), codes)
        return True
    return expect


def resets(*codes, stream=1, status=(), late=False):
    """The stream is reset, or the whole connection ends, for one of these reasons; or a status says that it was wrong. `late`: an
    answer may have begun, and must not end."""
    def expect(client):
        for found in client.frames():
            if found.kind == GOAWAY and found.code() != "NO_ERROR" or found.kind == RST_STREAM and found.stream == stream:
                return client.must_be(found.code(), codes)
            if late and client.answered.get(stream, Answer()).whole:
                wrong(client, "it is answered")
            if found.kind == HEADERS and found.stream == stream and not late:
                said = client.answered[stream].head[":status"]
                return said in status or wrong(client, f"it is answered with {said}")
        return True
    return expect


#: A malformed request (RFC 9113 §8.1.1): a stream error, before which a status may be told.
malformed = resets("PROTOCOL_ERROR", status=("400", "431", "501"))


def answers(stream=1, status="200", length=None):
    """The request is answered."""
    def expect(client):
        frames = client.frames()
        while not (of := client.answered.get(stream, Answer())).whole:
            found = next(frames, None)
            if found is None or found.kind in (RST_STREAM, GOAWAY) and found.code() != "NO_ERROR" and found.stream in (0, stream):
                wrong(client, f"no answer, but {found or 'the end of the connection'}")
        assert of.head[":status"] == status, f"{of.head} {of.body[:100]}"
        assert length is None or len(of.body) == length, f"{len(of.body)} bytes"
    return expect


def lives(client):
    """A ping is answered: what came before was passed over."""
    client.frame(PING, 0, 0, b"are you?")
    for found in client.frames():
        if found.kind == GOAWAY and found.code() != "NO_ERROR":
            wrong(client, f"the connection ends with {found.code()}")
        if found.kind == PING and found.flags & ACK and found.payload == b"are you?":
            return
    wrong(client, "the connection ends")


def then(*all_of_them):
    def expect(client):
        for one in all_of_them:
            one(client)
    return expect


@dataclasses.dataclass
class Case:
    name: str
    section: str
    level: str
    act: object
    expect: object
    settings: tuple = ()
    begins: bool = True
    vague: bool = False  # ours ends it, and says PROTOCOL_ERROR (RFC 9113 §7: unspecific), as our HTTP/2 library does
    missing: str | None = None  # ours does not do it, for this reason


def case(name, section, act, expect, level=MUST, **more):
    return Case(name, section, level, act, expect, **more)


def cases(*all_of_them):
    """A test of each case, to be given a name that begins with `test_`."""
    names = [one.name for one in all_of_them]
    assert len(set(names)) == len(names), sorted(name for name in names if names.count(name) > 1)

    ours = caches.chosen() is caches.Nearfront

    def marks(one):
        return [pytest.mark.xfail(reason=one.missing, strict=True)] if ours and one.missing else []

    @pytest.mark.parametrize("exchange", [pytest.param(one, id=one.name.replace(" ", "-"), marks=marks(one)) for one in all_of_them])
    def test(exchange, http2_server, record_property):
        vague = ours and exchange.vague
        record_property("section", exchange.section)
        record_property("level", "less said" if vague else exchange.level)
        client = Client(http2_server, vague)
        try:
            if exchange.begins:
                client.begin(exchange.settings)
            exchange.act(client)
            exchange.expect(client)
        finally:
            client.close()

    return test


# Servers


def unframed(handler):
    """A body that ends with the connection."""
    handler.send_response(200)
    handler.send_header("Content-Type", "text/plain")
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.wfile.write(PAGE)
    handler.close_connection = True


class Ours(Up):
    """Nearfront with one distribution before a small origin."""

    def __enter__(self):
        self.origin = Origin({"/page": PAGE, "/post": PAGE, "/large": LARGE, "/unframed": unframed})
        self.origin.start()
        super().__enter__()
        client = self.client()
        methods = {**caches.items(*caches.METHODS), "CachedMethods": caches.items("GET", "HEAD")}
        config = distribution("http2", [http_origin("web", self.origin.port)],
                              DefaultCacheBehavior={"AllowedMethods": methods, "Compress": False})
        self.host = client.create_distribution(DistributionConfig=config)["Distribution"]["DomainName"]
        self.ca = super().ca()
        self.secure = super().port("edge_https")
        until(lambda: self.get(self.host, "/page").status == 200, what="an answer")
        self.port = self.secure
        return self

    def __exit__(self, *why):
        self.__dict__.pop("port", None)
        super().__exit__(*why)
        self.origin.stop()


class Nginx(Scope):
    """nginx, which answers from its own folder."""

    host = "localhost"
    CONFIG = """
user root; daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    server {{
        listen 127.0.0.1:{port} ssl http2;
        ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
        root {folder}/www;
        location /post {{ proxy_pass http://127.0.0.1:{origin}; }}
        location /unframed {{ proxy_pass http://127.0.0.1:{origin}; }}
    }}
}}
"""

    def start(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="nearfront-nginx-http2-"))
        self.origin = Origin({"/post": PAGE, "/unframed": unframed})
        self.origin.start()
        (self.folder / "www").mkdir()
        (self.folder / "www/page").write_bytes(PAGE)
        (self.folder / "www/large").write_bytes(LARGE)
        self.ca, self.port = self.folder / "cert.pem", free_port()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", self.folder / "key.pem",
                        "-out", self.ca], check=True, capture_output=True)
        config = self.folder / "nginx.conf"
        config.write_text(self.CONFIG.format(folder=self.folder, port=self.port, origin=self.origin.port))
        self.process = Process("nginx", self.folder, self)
        self.process.launch([caches.program("nginx"), "-p", self.folder, "-e", self.folder / "error.log", "-c", config])
        until(self.answers, 20, "nginx")
        return self

    def answers(self):
        self.process.must_run()
        Client(self).close()
        return True

    def stop(self):
        self.process.end()
        self.origin.stop()


SERVERS = {"nearfront": Ours, "nginx": Nginx}


def blocks(data, size):
    """The pieces of a header block: the first for HEADERS, the rest for CONTINUATION."""
    return [data[at:at + size] for at in range(0, len(data), size)]


__all__ = [name for name in dir() if not name.startswith("_") and name not in ("Up", "Scope", "Process")]
