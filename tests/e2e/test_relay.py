"""What is relayed beside requests and answers: 1xx, trailers, `Expect`."""

import contextlib
import socket
import socketserver
import ssl
import threading

import h2.config
import h2.connection
import h2.events
import pytest

from nearfront import ALL_METHODS, CACHING_DISABLED, deployed, distribution, http_origin

HINTED = (b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
          b"HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: 2\r\n\r\nok")
TRAILED = (b"HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n"
           b"2\r\nok\r\n0\r\nX-Sum: abc\r\nContent-Length: 9\r\n\r\n")


class Raw(socketserver.StreamRequestHandler):
    """Answers by path, byte for byte."""

    def handle(self):
        while head := self.head():
            self.wfile.write(HINTED if " /hinted " in head else TRAILED)

    def head(self):
        lines = iter(self.rfile.readline, b"\r\n")
        return b"".join(line for line in lines if line or self.stop()).decode()

    def stop(self):
        raise ConnectionResetError


@pytest.fixture(scope="module")
def raw():
    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def handle_error(self, *_):
            pass

    with Server(("127.0.0.1", 0), Raw) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture(scope="module")
def domain(up, raw):
    return deployed(up, distribution("raw", [http_origin("raw", raw)], DefaultCacheBehavior={"CachePolicyId": CACHING_DISABLED}))


@contextlib.contextmanager
def over_h2(near, host):
    context = ssl.create_default_context(cafile=str(near.ca()))
    context.set_alpn_protocols(["h2"])
    with socket.create_connection(("127.0.0.1", near.port("edge_https")), timeout=30) as plain:
        with context.wrap_socket(plain, server_hostname=host) as secure:
            speaks = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
            speaks.initiate_connection()
            secure.sendall(speaks.data_to_send())
            yield speaks, secure


def events(near, host, path):
    """All events of one GET over HTTP/2, up to the end of its stream."""
    with over_h2(near, host) as (speaks, secure):
        speaks.send_headers(1, [(":method", "GET"), (":scheme", "https"), (":authority", host), (":path", path),
                                ("te", "trailers")], end_stream=True)
        heard = []
        while not any(isinstance(event, h2.events.StreamEnded) for event in heard):
            secure.sendall(speaks.data_to_send())
            heard += speaks.receive_data(secure.recv(65536))
        return heard


def test_early_hints_over_http2(up, domain):
    heard = events(up, domain, "/hinted")
    hints = [dict(event.headers) for event in heard if isinstance(event, h2.events.InformationalResponseReceived)]
    assert [(hint[":status"], hint["link"]) for hint in hints] == [("103", "</style.css>; rel=preload")]
    heads = [dict(event.headers) for event in heard if isinstance(event, h2.events.ResponseReceived)]
    assert heads[0][":status"] == "200" and "link" not in heads[0]


def test_trailers_over_http2(up, domain):
    heard = events(up, domain, "/trailed")
    assert b"".join(event.data for event in heard if isinstance(event, h2.events.DataReceived)) == b"ok"
    [trailers] = [dict(event.headers) for event in heard if isinstance(event, h2.events.TrailersReceived)]
    assert trailers == {"x-sum": "abc"}


def test_an_upload_that_waits_for_100_continue(up, origin):
    origin.pages["/up"] = lambda handler: handler.reply(200, {"Cache-Control": "no-store"}, handler.body[::-1])
    domain = deployed(up, distribution("continue", [http_origin("web", origin.port)],
                                       DefaultCacheBehavior={"AllowedMethods": ALL_METHODS}))
    with socket.create_connection(("127.0.0.1", up.port("edge_http")), timeout=30) as plain:
        answers = plain.makefile("rb")
        plain.sendall(f"PUT /up HTTP/1.1\r\nHost: {domain}\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n".encode())
        assert answers.readline() == b"HTTP/1.1 100 Continue\r\n"
        assert answers.readline() == b"\r\n"
        plain.sendall(b"hello")
        assert answers.readline() == b"HTTP/1.1 200 OK\r\n"
        head = b"".join(iter(answers.readline, b"\r\n")).lower()
        assert b"content-length: 5\r\n" in head
        assert answers.read(5) == b"olleh"
    assert "Expect" not in origin.requests[-1][2]
