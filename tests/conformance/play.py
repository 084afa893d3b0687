"""Plays cases: a scripted origin, viewers, and the comparison of what came with what was expected.

All cases run at once in one event loop of a thread, so that waiting for something to grow stale costs
its seconds once and not once a case. Each case has a path of its own, by which the origin knows it.
"""

import asyncio
import threading
import time

import wire
from script import ANY, Answer

ERROR_PAGE = "/plain/error-page"  # the one page that is no case's
PATIENCE = 5.0  # seconds for what happens behind the viewer's back
VIEWER_TIMEOUT = 20.0
AT_ONCE = 16  # cases that ask; steps without a wait follow one another at once, or freshness were a matter of luck


class Wrong(AssertionError):
    """What came is not what was expected."""


class Stage:
    """One case while it is played."""

    def __init__(self, case, key, cache):
        self.case, self.key = case, key
        self.path, self.host = f"{cache.prefix(case)}/{key}", cache.host(case)
        self.number, self.step = 0, None
        self.requests = []  # those that the origin got: (step, message)
        self.told = []  # the transcript

    def filled(self, value):
        return str(value).replace("{path}", self.path).replace("{host}", self.host)

    def tell(self, what, message):
        self.told.append(f"--- step {self.number}: {what}\n{message}")

    def of_step(self):
        return [message for number, message in self.requests if number == self.number]


class Origin:
    """A web server that does as the stage says."""

    def __init__(self):
        self.stages, self.port = {}, None

    async def start(self):
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0, backlog=1024)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def serve(self, reader, writer):
        try:
            while (request := await wire.read_request(reader)) and await self.reply(request, writer):
                pass
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def reply(self, request, writer):
        """Whether the connection goes on."""
        found = [stage for part in request.target.partition("?")[0].split("/") if (stage := self.stages.get(part))]
        if not found:
            page = request.target == ERROR_PAGE
            body = b"the page\n" if page else b""
            headers = [("Content-Length", len(body)), ("Cache-Control", "max-age=3600" if page else "no-store")]
            writer.write(wire.head("HTTP/1.1 200 OK" if page else "HTTP/1.1 404 Not Found", headers) + body)
            return True
        stage = found[0]
        stage.requests.append((stage.number, request))
        stage.tell("the origin was asked", request)
        return await self.perform(stage, request, writer)

    async def perform(self, stage, request, writer):
        script = stage.step.origin or Answer(headers=[("Cache-Control", "no-store")])
        if script.confirm and (request["If-None-Match"] or request["If-Modified-Since"]):
            script = script.confirm
        if script.status == 304 and not (request["If-None-Match"] or request["If-Modified-Since"]):
            script = Answer(headers=[("Cache-Control", "no-store")])  # nobody asked whether it changed
        body = f"{stage.key} #{stage.number}\n".encode() if script.body is None else script.body
        await asyncio.sleep(script.delay)
        if script.hangup:
            return False
        for status, headers in script.interim:
            writer.write(wire.head(f"HTTP/1.1 {status} Early", headers))
        status, headers = script.status, [(name, stage.filled(value)) for name, value in script.headers]
        if script.part and (wanted := request["Range"]):
            status, body, headers = part(wanted, body, headers)
        if script.date and not any(name.lower() == "date" for name, _ in headers):
            headers.append(("Date", str(wire.At())))
        return await self.send(script, request, status, headers, body, writer)

    async def send(self, script, request, status, headers, body, writer):
        bare = request.method == "HEAD" or status in (204, 304)
        named = any(name.lower() == "content-length" for name, _ in headers)
        if script.framing == "length" and not named and status not in (204, 304):
            headers.append(("Content-Length", len(body)))
        if script.framing == "chunked":
            headers.append(("Transfer-Encoding", "chunked"))
        if script.framing == "close":
            headers.append(("Connection", "close"))
        writer.write(wire.head(f"HTTP/1.1 {status} Scripted", headers))
        if not bare:
            sent = body if script.cut is None else body[:script.cut]
            if script.framing == "chunked":
                writer.write(b"%x\r\n%s\r\n" % (len(sent), sent))
                if script.cut is None:
                    writer.write(b"0\r\n" + wire.head("", script.trailers)[2:])
            else:
                writer.write(sent)
        await writer.drain()
        if script.cut is not None:
            await asyncio.sleep(0.05)  # so that the head is read before the connection ends
        return script.framing != "close" and script.cut is None


def part(wanted, body, headers):
    """A single range of a body, as an origin answers it."""
    first, _, last = wanted.partition("=")[2].partition("-")
    if "," in wanted:
        return 200, body, headers
    start = int(first) if first else len(body) - int(last)
    end = min(int(last) if first and last else len(body) - 1, len(body) - 1)
    headers = [*headers, ("Content-Range", f"bytes {start}-{end}/{len(body)}")]
    return 206, body[start:end + 1], headers


class Play:
    """Plays cases against a cache, in a thread of its own."""

    def __init__(self, cache):
        self.cache, self.origin, self.ends = cache, Origin(), {}
        self.loop = asyncio.new_event_loop()
        self.gate = asyncio.Semaphore(AT_ONCE)
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.server = self.now(self.origin.start())

    def now(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    def start(self, wanted):
        """Starts cases, given by the name under which their ends are asked for; those that wait first."""
        waiting = sorted(wanted.items(), key=lambda entry: -sum(step.wait for step in entry[1].steps))
        for number, (name, case) in enumerate(waiting):
            stage = Stage(case, f"case-{number}", self.cache)
            self.origin.stages[stage.key] = stage
            self.ends[name] = asyncio.run_coroutine_threadsafe(self.play(stage), self.loop)

    def result(self, name):
        """Waits until a case has been played; what went wrong, if anything did."""
        try:
            self.ends[name].result()
        except Wrong as why:
            return str(why)
        return None

    def stop(self):
        self.now(self.end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    async def end(self):
        """Lets go of every connection, so that nothing is left to complain when the loop is closed."""
        self.server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def play(self, stage):
        try:
            for part in stretches(stage.case.steps):
                await asyncio.sleep(part[0][1].wait)
                async with self.gate:
                    for stage.number, stage.step in part:
                        await self.walk(stage)
        except (OSError, ValueError, asyncio.TimeoutError, asyncio.IncompleteReadError, Wrong) as why:
            case = stage.case
            story = "\n".join(stage.told)
            raise Wrong(f"{case.section} ({case.level}): {case.name}\n{type(why).__name__} in step {stage.number}: {why}\n{story}") from None

    async def walk(self, stage):
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return await self.once(stage)
            except Wrong:
                if not stage.step.eventually or time.monotonic() > deadline:
                    raise
            await asyncio.sleep(0.1)

    async def once(self, stage):
        step = stage.step
        before = len(stage.requests)
        responses = await asyncio.gather(*(self.view(stage) for _ in range(step.many)))
        deadline = time.monotonic() + PATIENCE
        while step.behind and len(stage.requests) == before and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        for response in responses:
            judge(stage, response, [message for _, message in stage.requests[before:]])

    async def view(self, stage):
        step = stage.step
        headers = [("Host", stage.host), *((name, stage.filled(value)) for name, value in step.headers), ("Connection", "close")]
        if step.sends is not None:
            headers.append(("Content-Length", len(step.sends)))
        target = stage.path + step.path
        reader, writer = await asyncio.open_connection("127.0.0.1", self.cache.port_number)
        try:
            stage.tell("a viewer asks", f"{step.method} {target} {headers}")
            writer.write(wire.head(f"{step.method} {target} HTTP/1.1", headers) + (step.sends or b""))
            response = await asyncio.wait_for(wire.read_response(reader, step.method), VIEWER_TIMEOUT)
            stage.tell("the viewer gets", response)
            return response
        finally:
            writer.close()


def stretches(steps):
    """The steps of a case with their numbers, cut before each wait."""
    cut = []
    for numbered in enumerate(steps, 1):
        if not cut or numbered[1].wait:
            cut.append([])
        cut[-1].append(numbered)
    return cut


def judge(stage, response, asked):
    """Compares what came with what the step expects."""
    step = stage.step
    if step.status is not None and response.status != step.status:
        raise Wrong(f"status {response.status}, expected {step.status}")
    count = len(asked)
    if step.asked is not None and (count != step.asked if step.asked is not True else not count):
        raise Wrong(f"the origin was asked {count} times, expected {step.asked}")
    if response.whole != step.whole:
        raise Wrong(f"the response is {'whole' if response.whole else 'cut short'}")
    if step.body is not None:
        expected = f"{stage.key} #{step.body}\n".encode() if isinstance(step.body, int) else step.body
        if response.body != expected:
            raise Wrong(f"body {response.body[:100]!r}, expected {expected[:100]!r}")
    for name, value in step.has.items():
        header(stage, "response", name, response[name], value)
    for name, value in step.sent.items():
        header(stage, "request to the origin", name, asked[-1][name] if asked else None, value)
    if step.age is not None:
        age = response["Age"]
        if age is None or not age.isdigit() or not step.age[0] <= int(age) <= step.age[1]:
            raise Wrong(f"Age {age}, expected {step.age[0]} to {step.age[1]}")
    if step.interim is not None and [status for status, _ in response.interim] != step.interim:
        raise Wrong(f"interim responses {response.interim}, expected {step.interim}")
    lower = lambda fields: {name.lower(): value for name, value in dict(fields).items()}
    if step.trailers is not None and lower(response.trailers) != lower(step.trailers):
        raise Wrong(f"trailers {response.trailers}, expected {step.trailers}")
    if step.check and (wrong := step.check(response)):
        raise Wrong(wrong)


def header(stage, where, name, found, expected):
    if expected is ANY:
        good = found is not None
    elif callable(expected):
        good = found is not None and expected(found)
    else:
        good = found == (None if expected is None else stage.filled(expected))
    if not good:
        raise Wrong(f"{where}: {name} is {found!r}, expected {'something' if expected is ANY else expected!r}")
