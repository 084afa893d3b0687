"""HTTP/3: a viewer of another make (aioquic) fetches through `nearfront up`."""

import asyncio
import contextlib
import hashlib
import json
import socket
import ssl

import dns.message
import dns.query
import dns.rdatatype
import h2.config
import h2.connection
import h2.events
import pytest
from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, StreamReset

from nearfront import Origin, distribution, http_origin

LARGE = bytes(range(256)) * 40_000  # ten megabytes


class Viewer(QuicConnectionProtocol):
    """One connection; requests may run side by side."""

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.h3, self.waiting = H3Connection(self._quic), {}

    async def ask(self, host, path, method="GET", headers=(), body=b""):
        stream = self._quic.get_next_available_stream_id()
        head = [(b":method", method.encode()), (b":scheme", b"https"), (b":authority", host.encode()),
                (b":path", path.encode()), *headers]
        self.h3.send_headers(stream, head, end_stream=not body)
        if body:
            self.h3.send_data(stream, body, end_stream=True)
        self.waiting[stream] = asyncio.get_running_loop().create_future(), [], bytearray()
        self.transmit()
        return await asyncio.wait_for(self.waiting[stream][0], 60)

    def quic_event_received(self, event):
        if isinstance(event, ConnectionTerminated):
            self.fail(self.waiting, event)
        if isinstance(event, StreamReset):
            self.fail([event.stream_id], event)
        for heard in self.h3.handle_event(event):
            done, head, body = self.waiting[heard.stream_id]
            if isinstance(heard, HeadersReceived):
                head.extend(heard.headers)
            if isinstance(heard, DataReceived):
                body.extend(heard.data)
            if heard.stream_ended and not done.done():
                fields = {name.decode(): value.decode() for name, value in head}
                done.set_result((int(fields.pop(":status")), fields, bytes(body)))

    def fail(self, streams, why):
        for stream in streams:
            if not self.waiting[stream][0].done():
                self.waiting[stream][0].set_exception(ConnectionError(str(why)))


@contextlib.asynccontextmanager
async def viewer(near, host):
    tls = QuicConfiguration(is_client=True, alpn_protocols=H3_ALPN, server_name=host, cafile=str(near.ca()))
    async with connect("127.0.0.1", near.port("edge_https"), configuration=tls, create_protocol=Viewer) as viewer:
        yield viewer


@pytest.fixture(scope="module")
def web():
    with Origin({"/page": b"a page", "/large": LARGE}) as web:
        yield web


def made(near, web, version):
    """The domain of a new distribution before the web server, deployed."""
    methods = {"Quantity": 7, "Items": ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"],
               "CachedMethods": {"Quantity": 2, "Items": ["GET", "HEAD"]}}
    config = distribution(version, [http_origin("web", web.port)], HttpVersion=version,
                          DefaultCacheBehavior={"AllowedMethods": methods})
    made = near.aws("cloudfront", "create-distribution", "--distribution-config", json.dumps(config))
    near.aws("cloudfront", "wait", "distribution-deployed", "--id", made["Distribution"]["Id"])
    return made["Distribution"]["DomainName"]


@pytest.fixture(scope="module")
def both(up, web):
    return made(up, web, "http2and3")


def over_h2(near, host, path):
    """The head of an answer over HTTP/2."""
    context = ssl.create_default_context(cafile=str(near.ca()))
    context.set_alpn_protocols(["h2"])
    with socket.create_connection(("127.0.0.1", near.port("edge_https")), timeout=30) as plain:
        with context.wrap_socket(plain, server_hostname=host) as secure:
            assert secure.selected_alpn_protocol() == "h2"
            speaks = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
            speaks.initiate_connection()
            speaks.send_headers(1, [(":method", "GET"), (":scheme", "https"), (":authority", host), (":path", path)],
                                end_stream=True)
            while True:
                secure.sendall(speaks.data_to_send())
                for event in speaks.receive_data(secure.recv(65536)):
                    if isinstance(event, h2.events.ResponseReceived):
                        return dict(event.headers)


def test_the_second_fetch_is_a_hit(up, web, both):
    # No HEAD here: aioquic takes its Content-Length for that of a body that is missing.
    async def fetch():
        async with viewer(up, both) as it:
            return [await it.ask(both, "/page"), await it.ask(both, "/page")]

    first, second = asyncio.run(fetch())
    assert [answer[0] for answer in (first, second)] == [200, 200]
    assert [answer[1]["x-cache"].split()[0] for answer in (first, second)] == ["Miss", "Hit"]
    assert first[2] == second[2] == b"a page"
    assert "alt-svc" not in first[1]
    assert web.count("/page") == 1
    assert 'http="3.0"' in up.metrics()


def test_an_upload_reaches_the_origin(up, web, both):
    got = []

    def keep(handler):
        got.append(hashlib.sha256(handler.body).digest())
        handler.reply(200, body=b"kept")

    web.pages["/upload"] = keep

    async def send():
        async with viewer(up, both) as it:
            length = [(b"content-length", str(len(LARGE)).encode())]
            return await it.ask(both, "/upload", "POST", length, LARGE)

    status, _, body = asyncio.run(send())
    assert (status, body) == (200, b"kept")
    assert got == [hashlib.sha256(LARGE).digest()]


def test_a_large_body_comes_whole_on_many_streams_at_once(up, both):
    async def fetch():
        async with viewer(up, both) as it:
            return await asyncio.gather(*(it.ask(both, "/large") for _ in range(4)))

    wanted = hashlib.sha256(LARGE).digest()
    for status, headers, body in asyncio.run(fetch()):
        assert status == 200 and headers["content-length"] == str(len(LARGE))
        assert hashlib.sha256(body).digest() == wanted


def test_alt_svc_is_seen_over_the_older_versions(up, both):
    service = f'h3=":{up.port("edge_https")}"; ma=86400'
    assert over_h2(up, both, "/page")["alt-svc"] == service
    assert up.get(both, "/page", tls=True).headers["Alt-Svc"] == service
    assert up.get(both, "/page").headers["Alt-Svc"] is None  # not over plain HTTP


def test_the_https_record_says_h3(up, both):
    asked = dns.message.make_query(both, dns.rdatatype.HTTPS)
    answer = dns.query.udp(asked, "127.0.0.1", port=up.port("dns"), timeout=10)
    (record,) = answer.answer[0]
    assert 'alpn="h3,h2"' in record.to_text() and f'port="{up.port("edge_https")}"' in record.to_text()


def test_without_http3_the_handshake_is_refused(up, web):
    host = made(up, web, "http2")

    async def fetch():
        async with viewer(up, host) as it:
            return await it.ask(host, "/page")

    with pytest.raises(ConnectionError):
        asyncio.run(fetch())
    assert "alt-svc" not in over_h2(up, host, "/page")


def test_http3_without_http2(up, web):
    host = made(up, web, "http3")

    async def fetch():
        async with viewer(up, host) as it:
            return await it.ask(host, "/page")

    assert asyncio.run(fetch())[2] == b"a page"
    context = ssl.create_default_context(cafile=str(up.ca()))
    context.set_alpn_protocols(["h2", "http/1.1"])
    with socket.create_connection(("127.0.0.1", up.port("edge_https")), timeout=30) as plain:
        with context.wrap_socket(plain, server_hostname=host) as secure:
            assert secure.selected_alpn_protocol() == "http/1.1"
