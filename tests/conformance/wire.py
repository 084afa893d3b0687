"""HTTP/1.1 messages on sockets, both sides, with nothing hidden and nothing repaired.

For: reading and writing what the cases need, wrong messages included. Not for: being a good client.
"""

import asyncio
import dataclasses
import email.utils
import time


@dataclasses.dataclass
class Message:
    """A request (`method`, `target`) or a response (`status`)."""

    headers: list
    method: str = ""
    target: str = ""
    status: int = 0
    body: bytes = b""
    whole: bool = True  # False: the connection ended before the body did
    trailers: list = dataclasses.field(default_factory=list)
    interim: list = dataclasses.field(default_factory=list)  # 1xx that came before: (status, headers)

    def __getitem__(self, name):
        """All lines of a header joined as one list; None when there is none."""
        lines = [value for known, value in self.headers if known.lower() == name.lower()]
        return ", ".join(lines) if lines else None

    def __str__(self):
        first = f"{self.method} {self.target}" if self.method else str(self.status)
        lines = [f"{name}: {value}" for name, value in self.headers]
        early = [f"({status} {headers})" for status, headers in self.interim]
        end = [f"trailer {name}: {value}" for name, value in self.trailers]
        cut = [] if self.whole else ["(cut short)"]
        return "\n".join([*early, first, *lines, *([repr(self.body[:200])] if self.body else []), *end, *cut])


class At:
    """A moment in relation to now, written as an HTTP date when a message is sent."""

    def __init__(self, seconds=0, form=None, change=str):
        self.seconds, self.form, self.change = seconds, form, change

    def __str__(self):
        at = time.time() + self.seconds
        return self.change(time.strftime(self.form, time.gmtime(at)) if self.form else email.utils.formatdate(at, usegmt=True))


async def fields(reader):
    """Header or trailer lines up to the empty one."""
    found = []
    while line := (await reader.readuntil(b"\n")).strip(b"\r\n"):
        name, _, value = line.decode("latin-1").partition(":")
        found.append((name.strip(), value.strip()))
    return found


async def chunks(reader, message):
    """A chunked body and its trailers."""
    while size := int((await reader.readuntil(b"\n")).split(b";")[0], 16):
        message.body += await reader.readexactly(size)
        await reader.readexactly(2)
    message.trailers = await fields(reader)


async def body(reader, message, to_end):
    """The body as the headers frame it; `to_end`: without framing it lasts until the connection ends."""
    try:
        if "chunked" in (message["Transfer-Encoding"] or "").lower():
            await chunks(reader, message)
        elif message["Content-Length"] is not None:
            message.body = await reader.readexactly(int(message["Content-Length"]))
        elif to_end:
            message.body = await reader.read(-1)
    except asyncio.IncompleteReadError as short:
        message.body, message.whole = message.body + short.partial, False
    except ConnectionError:
        message.whole = False


async def read_request(reader):
    """The next request of a connection; None when there is none."""
    try:
        line = await reader.readuntil(b"\n")
        method, target, _ = line.decode("latin-1").split()
        message = Message(await fields(reader), method=method, target=target)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    await body(reader, message, to_end=False)
    return message


async def read_response(reader, method):
    """The response to a request with this method, 1xx before it included."""
    interim = []
    while True:
        line = await reader.readuntil(b"\n")
        message = Message([], status=int(line.split()[1]), interim=interim)
        message.headers = await fields(reader)
        if message.status < 200:
            interim.append((message.status, message.headers))
            continue
        if method != "HEAD" and message.status not in (204, 304):
            await body(reader, message, to_end=True)
        return message


def head(first, headers):
    """The bytes of a head."""
    lines = [first, *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode("latin-1")
