"""WebSocket: a real client and a real server (websockets) with the edge between them."""

import asyncio
import socket
import ssl
import threading

import pytest
import websockets.exceptions
from websockets.asyncio.client import connect
from websockets.sync.server import serve

from nearfront import ALL_VIEWER_EXCEPT_HOST, Up, deployed, distribution, http_origin, until

WITHIN = 60  # seconds, for whatever must not hang
LARGE = bytes(range(256)) * 8_000  # two megabytes


def handler(socket):
    path = socket.request.path
    if path == "/headers":
        socket.send("\n".join(f"{name}: {value}" for name, value in socket.request.headers.raw_items()))
    if path == "/close":
        return socket.close(4001, "enough")
    if path == "/first":
        socket.send("first")
    for message in socket:
        socket.send(message)


def refuse(socket, request):
    if request.path == "/refused":
        return socket.respond(403, "not you\n")


def chosen(socket, offered):
    return "chat" if "chat" in offered else None


@pytest.fixture(scope="module")
def near():
    with serve(handler, "127.0.0.1", 0, process_request=refuse, select_subprotocol=chosen, max_size=None) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with Up() as near:
            port = server.socket.getsockname()[1]
            near.domain = deployed(near, distribution("ws", [http_origin("ws", port)], DefaultCacheBehavior={
                "OriginRequestPolicyId": ALL_VIEWER_EXCEPT_HOST}))
            near.secure = deployed(near, distribution("wss", [http_origin("ws", port)], DefaultCacheBehavior={
                "OriginRequestPolicyId": ALL_VIEWER_EXCEPT_HOST, "ViewerProtocolPolicy": "https-only"}))
            yield near
        server.shutdown()


def viewer(near, path="/", domain=None, **more):
    return connect(f"ws://{domain or near.domain}{path}", host="127.0.0.1", port=near.port("edge_http"),
                   open_timeout=WITHIN, max_size=None, **more)


def secure(near, path="/", **more):
    context = ssl.create_default_context(cafile=str(near.ca()))
    return connect(f"wss://{near.secure}{path}", host="127.0.0.1", port=near.port("edge_https"), ssl=context,
                   server_hostname=near.secure, open_timeout=WITHIN, max_size=None, **more)


def run(story):
    asyncio.run(asyncio.wait_for(story, WITHIN))


async def echoes(socket, message):
    await socket.send(message)
    assert await socket.recv() == message


@pytest.mark.parametrize("by", [viewer, secure], ids=["plain", "tls"])
def test_text_binary_large_and_fragmented_messages(near, by):
    async def story():
        async with by(near) as socket:
            for message in ["hello", b"\x00\xff", "", LARGE]:
                await echoes(socket, message)
            await socket.send([b"in ", b"three ", b"parts"])
            assert await socket.recv() == b"in three parts"
            await (await socket.ping())
    run(story())


def test_the_handshake_reaches_the_origin_and_its_answer_the_viewer(near):
    async def story():
        async with viewer(near, "/headers", subprotocols=["chat"], additional_headers={"X-Mine": "1"}) as socket:
            seen = dict(line.split(": ", 1) for line in (await socket.recv()).lower().splitlines())
            assert socket.subprotocol == "chat"
            assert socket.response.headers["X-Cache"].startswith("Miss")
        assert (seen["upgrade"], seen["connection"], seen["x-mine"]) == ("websocket", "upgrade", "1")
        assert seen["host"].startswith("localhost:") and seen["x-forwarded-for"] == "127.0.0.1"
        assert "sec-websocket-key" in seen and "via" in seen
    run(story())


def test_close_codes_come_through_from_both_sides(near):
    async def story():
        async with viewer(near, "/close") as socket:
            with pytest.raises(websockets.exceptions.ConnectionClosedError):
                await socket.recv()
            assert (socket.close_code, socket.close_reason) == (4001, "enough")
        async with viewer(near) as socket:
            await socket.close(4002, "mine")
            assert socket.close_code == 4002
    run(story())


def test_the_origin_may_speak_first(near):
    async def story():
        async with viewer(near, "/first") as socket:
            assert await socket.recv() == "first"
    run(story())


def test_many_at_once_and_none_is_left_over(near):
    def count():
        lines = [line for line in near.metrics().splitlines() if 'listener="websocket"' in line]
        return int(float(lines[0].split()[-1])) if lines else 0

    async def one(number):
        async with viewer(near) as socket:
            for step in range(5):
                await echoes(socket, f"{number}.{step}")
            await barrier.wait()
            await barrier.wait()

    async def story():
        tasks = [asyncio.create_task(one(number)) for number in range(100)]
        await barrier.wait()
        assert await asyncio.to_thread(count) >= 100
        await barrier.wait()
        await asyncio.gather(*tasks)
    barrier = asyncio.Barrier(101)
    run(story())
    until(lambda: count() == 0, 20, "all tunnels closed")


def test_an_answer_that_is_no_101_is_passed_on(near):
    async def story():
        with pytest.raises(websockets.exceptions.InvalidStatus) as refused:
            async with viewer(near, "/refused"):
                pass
        response = refused.value.response
        assert (response.status_code, response.body) == (403, b"not you\n")
        assert response.headers["X-Cache"].startswith("Error")
    run(story())


def test_the_viewer_protocol_policy_holds(near):
    async def story():
        with pytest.raises(websockets.exceptions.InvalidStatus) as refused:
            async with viewer(near, domain=near.secure):
                pass
        assert refused.value.response.status_code == 403
    run(story())


def test_a_viewer_that_vanishes_takes_the_tunnel_with_it(near):
    with socket.create_connection(("127.0.0.1", near.port("edge_http")), timeout=WITHIN) as plain:
        plain.sendall(f"GET / HTTP/1.1\r\nHost: {near.domain}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += plain.recv(4096)
        assert head.startswith(b"HTTP/1.1 101 ") and b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head
    until(lambda: 'listener="websocket"} 0' in near.metrics(), 20, "the tunnel closed")


def test_stopping_ends_tunnels():
    with serve(handler, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with Up() as near:
            near.domain = deployed(near, distribution("ws", [http_origin("ws", server.socket.getsockname()[1])],
                                                      DefaultCacheBehavior={"OriginRequestPolicyId": ALL_VIEWER_EXCEPT_HOST}))

            async def story():
                async with viewer(near) as socket:
                    await echoes(socket, "before")
                    stopping = asyncio.get_running_loop().run_in_executor(None, near.stop)
                    await echoes(socket, "last call")
                    with pytest.raises(websockets.exceptions.ConnectionClosed):
                        await socket.recv()
                    await stopping
            run(story())
        server.shutdown()
