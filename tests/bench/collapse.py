"""200 viewers who ask for one cold object at the same moment, of an origin that takes its time."""
import asyncio
import threading
import time

VIEWERS = 200
THINKS, PIECE, PIECES, PAUSE = 0.3, 16 << 10, 8, 0.05
SIZE = PIECE * PIECES
PATIENCE = 30


class Slow:
    """The origin: thinks, then sends a body in pieces. It knows how often it was asked, and when it had sent all."""

    def __init__(self):
        self.asked, self.sent, self.port = {}, {}, None
        self._ready = threading.Event()

    def __enter__(self):
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self):
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=512))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()

    async def _serve(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await self._answer(head.split(b" ")[1].decode(), writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, path, writer):
        self.asked[path] = self.asked.get(path, 0) + 1
        await asyncio.sleep(THINKS)  # the slowness that is measured
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\nCache-Control: public, max-age=86400\r\n\r\n".encode())
        for _ in range(PIECES):
            writer.write(b"s" * PIECE)
            self.sent[path] = time.monotonic()
            await writer.drain()
            await asyncio.sleep(PAUSE)


async def viewer(line, host, path):
    """When the last byte of the whole answer came."""
    reader, writer = line
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head[:20]:
            raise ValueError(head[:200])
        await reader.readexactly(SIZE)
        return time.monotonic()
    finally:
        writer.close()


async def _crowd(target, path):
    port = int(target.base.rpartition(":")[2])
    lines = [await asyncio.open_connection("127.0.0.1", port) for _ in range(VIEWERS)]
    asks = [viewer(line, target.host, path) for line in lines]
    return await asyncio.wait_for(asyncio.gather(*asks, return_exceptions=True), PATIENCE)


def crowd(target, slow, path):
    """Origin fetches, how many were answered, and how long after the origin's last byte the last viewer had all."""
    came = asyncio.run(_crowd(target, path))
    times = [one for one in came if not isinstance(one, BaseException)]
    late = max(times) - slow.sent[path] if times and path in slow.sent else PATIENCE
    return {"origin_fetches": slow.asked.get(path, 0), "answered": len(times), "late_ms": round(late * 1e3, 1)}
