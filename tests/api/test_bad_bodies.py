"""Ten thousand bodies that are wrong, in every way that can be generated: each is refused, memory stays bounded, and the
service answers all the while. Seeded: the same bodies in every run."""

import concurrent.futures
import hashlib
import http.client
import itertools
import pathlib
import random
import re
import socket
import threading
import xml.parsers.expat

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.session
import nearfront as parts
import pytest
import surface

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "services/control/tests/golden"
SEED = 20_261_122
#: How many of each kind; ten thousand in all.
SHARE = {"bomb": 400, "external": 400, "deep": 400, "encoding": 1000, "truncated": 2200, "flipped": 2800, "count": 500,
         "list": 100, "element": 1300, "noise": 600, "json": 300}
#: What the whole process may grow beyond its size before, in MiB: a body has at most one, and few are read at a time.
MOST_GROWTH = 256
THREADS = 8
MIB = 1 << 20


class Bodies:
    """Generates wrong bodies; each is (operation, body)."""

    def __init__(self):
        self.by_chance = random.Random(SEED)
        self.valid = {path.stem: path.read_bytes() for path in sorted(GOLDEN.glob("*.xml"))}
        self.names = sorted(self.valid)

    def all(self):
        for kind, share in SHARE.items():
            for turn in range(share):
                yield kind, *getattr(self, kind)(turn)

    def one(self, turn):
        name = self.names[turn % len(self.names)]
        return name, self.valid[name]

    def root(self, body):
        return re.match(rb"<(\w+)", body)[1].decode()

    def bomb(self, turn):
        """Entities that stand for entities, and one that is repeated."""
        name, body = self.one(turn)
        depth, width = self.by_chance.randint(1, 20), self.by_chance.randint(2, 30)
        if turn % 3 == 0:
            entities = f'<!ENTITY e "{"a" * 10_000}">' + "".join(f'<!ENTITY % p{i} "x">' for i in range(depth))
            inside = "&e;" * 1000
        else:
            entities = '<!ENTITY e0 "ha">' + "".join(f'<!ENTITY e{i + 1} "{f"&e{i};" * width}">' for i in range(depth))
            inside = f"&e{depth};"
        root = self.root(body)
        return name, f"<!DOCTYPE {root} [{entities}]><{root}>{inside}</{root}>".encode()

    def external(self, turn):
        name, body = self.one(turn)
        root = self.root(body)
        place = self.by_chance.choice(["file:///etc/passwd", "http://127.0.0.1:1/x", "file:///dev/zero", "php://x", "\\\\x\\y"])
        form = [f'<!DOCTYPE {root} [<!ENTITY x SYSTEM "{place}">]><{root}>&x;</{root}>',
                f'<!DOCTYPE {root} SYSTEM "{place}">' + body.decode(),
                f'<!DOCTYPE {root} [<!ENTITY % x PUBLIC "y" "{place}"> %x;]><{root}/>',
                f'<{root} xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="{place}"/></{root}>']
        return name, form[turn % 4].encode()

    def deep(self, turn):
        name, body = self.one(turn)
        root, deep = self.root(body), self.by_chance.choice([65, 100, 1000, 20_000, 100_000])
        element = self.by_chance.choice(["a", "Items", root])
        ends = f"</{element}>" * deep if turn % 2 else ""
        return name, f"<{root}>{f'<{element}>' * deep}{ends}</{root}>".encode()

    def encoding(self, turn):
        name, body = self.one(turn)
        text = body.decode()
        declared = f'<?xml version="1.0" encoding="{self.by_chance.choice(["utf-16", "latin1", "ebcdic", "utf-7", "x"])}"?>'
        place = self.by_chance.randrange(1, len(body))
        broken = self.by_chance.choice([b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\x80", b"\x00", b"\x0b"])
        form = [text.encode("utf-16"), text.encode("utf-16-be"), text.encode("utf-32"), text.encode("cp037"),
                declared.encode() + body, body[:place] + broken + body[place:], b"\xfe\xff" + body]
        return name, form[turn % len(form)]

    def truncated(self, turn):
        name, body = self.one(turn)
        # Something is left: nothing at all is what some clients send where every member may be left out.
        return name, body[:self.by_chance.randrange(1, len(body) - 1)]

    def flipped(self, turn):
        """A valid body with some bits turned, so that it is no longer well-formed or has other elements."""
        name, body = self.one(turn)
        before = elements(body)
        while True:
            changed = bytearray(body)
            for _ in range(self.by_chance.randint(1, 8)):
                changed[self.by_chance.randrange(len(changed))] ^= 1 << self.by_chance.randrange(8)
            after = elements(bytes(changed))
            if after is None or set(after) - set(before):
                return name, bytes(changed)

    def count(self, turn):
        """Quantities that no number can hold."""
        names = [name for name in self.names if b"<Quantity>" in self.valid[name]]
        name = names[turn % len(names)]
        value = self.by_chance.choice([2**31, 2**63, 10**30, -(2**31) - 1, "1e9", "NaN", "0x10", "١", "1 1", "", "9" * 5000])
        return name, self.valid[name].replace(b"<Quantity>1<", f"<Quantity>{value}<".encode())

    def list(self, turn):
        """Lists of ten thousand and more."""
        paths = self.by_chance.choice([10_000, 10_001, 20_000])
        if turn % 2:
            items = "<Path>/a</Path>" * paths
            return "CreateInvalidation", (f"<InvalidationBatch><Paths><Quantity>{paths}</Quantity><Items>{items}</Items></Paths>"
                                          "<CallerReference>r</CallerReference></InvalidationBatch>").encode()
        name = "CreateDistribution"
        aliases = "".join(f"<CNAME>a{n}.x.example</CNAME>" for n in range(paths))
        whole = f"<Aliases><Quantity>{paths}</Quantity><Items>{aliases}</Items></Aliases>"
        return name, re.sub(rb"<Aliases>.*?</Aliases>", whole.encode(), self.valid[name], count=1)

    def element(self, turn):
        """Elements and attributes that nobody knows, in a random place."""
        name, body = self.one(turn)
        ends = [match.end() for match in re.finditer(rb"</?\w+[^>]*>", body)][:-1]
        place = self.by_chance.choice(ends)
        strange = self.by_chance.choice([b"<Strange/>", b"<x:y/>", b"<Strange>1</Strange>", b"<Comment x='1'>", b"</Stray>", b"<![IGNORE[",
                                         b"&nbsp;", b"&#0;", b"<!-- -- -->", b"<?xml version='1.0'?>"[:-1], b"]]>" + b"<"])
        return name, body[:place] + strange + body[place:]

    def noise(self, turn):
        name, body = self.one(turn)
        if turn % 10 == 0:  # lists that are asked for by POST need no body; this does
            return "CreateDistribution", b" \n" * self.by_chance.randrange(3)
        form = [b"\x00" * 1000, b"{}", b"[" * 10_000, b"<" * 10_000, b"<!--" * 5000, b"<![CDATA[" * 5000, b"&" * 9999,
                self.by_chance.randbytes(self.by_chance.randrange(1, 5000)), body[::-1], body + body, b"<a " + b"b='c' " * 9999 + b"/>"]
        return name, form[turn % len(form)]

    def json(self, turn):
        """For the service of certificates, which speaks JSON."""
        deep = self.by_chance.choice([100, 1000, 100_000])
        form = [b"", b"{", b"[" * deep, b'{"a":' * deep, b"\xff\xfe", b'{"Certificate": 1e999}', b"null", b"[]", b'"x"',
                b'{"Certificate": "' + b"A" * 500_000, b'{"Certificate": "\\ud800"}', self.by_chance.randbytes(500)]
        return "acm:ImportCertificate", form[turn % len(form)]


def elements(body):
    """The names of a document's elements, in order; none when it is not well-formed."""
    names, parser = [], xml.parsers.expat.ParserCreate()
    parser.StartElementHandler = lambda name, attributes: names.append((name, tuple(attributes)))
    try:
        parser.Parse(body, True)
    except (xml.parsers.expat.ExpatError, ValueError):
        return None
    return names


class Wire:
    """Sends bodies as they are, signed, over connections that are kept by thread."""

    def __init__(self, near, distribution, etag):
        given = surface.credentials(near)
        self.place = given["url"].removeprefix("http://")
        self.keys = botocore.credentials.Credentials(given["key"], given["secret"])
        self.model = botocore.session.Session().get_service_model("cloudfront")
        self.distribution, self.etag = distribution, etag
        self.local = threading.local()

    def send(self, name, body):
        """The status and the text of the answer."""
        if name.startswith("acm:"):
            target = {"X-Amz-Target": f"CertificateManager.{name[4:]}", "Content-Type": "application/x-amz-json-1.1"}
            return self.exchange("POST", "/", body, target, "acm")
        spec = self.model.operation_model(name).http
        path = re.sub(r"\{(\w+)\+?\}", lambda part: self.distribution if "istribution" in path_of(spec) else "none", spec["requestUri"])
        path += ("&" if "?" in path else "?") + "Resource=none" if "tagging" in path else ""
        return self.exchange(spec["method"], path, body, {"If-Match": self.etag} if spec["method"] == "PUT" else {}, "cloudfront")

    def signed(self, method, path, body, headers, service):
        request = botocore.awsrequest.AWSRequest(method, f"http://{self.place}{path}", data=body, headers=headers)
        botocore.auth.SigV4Auth(self.keys, service, "us-east-1").add_auth(request)
        return dict(request.headers)

    def exchange(self, method, path, body, headers, service):
        headers = self.signed(method, path, body, headers, service)
        for attempt in itertools.count():
            connection = getattr(self.local, "connection", None) or http.client.HTTPConnection(self.place, timeout=60)
            self.local.connection = connection
            try:
                connection.request(method, path, body, headers)
                answer = connection.getresponse()
                text = answer.read()
            except (ConnectionError, http.client.HTTPException):
                connection.close()
                self.local.connection = None
                if attempt:
                    raise
                continue
            return answer.status, text.decode()


def path_of(spec):
    return spec["requestUri"].lower().replace("streaming-", "").replace("-tenant", "")


def size(near, what="VmRSS"):
    """MiB that the process has, or has had at most (VmHWM)."""
    status = pathlib.Path(f"/proc/{near.run['pid']}/status").read_text()
    return int(re.search(rf"{what}:\s+(\d+) kB", status)[1]) / 1024


@pytest.fixture(scope="module")
def near():
    """One of its own: its memory is measured."""
    with parts.Up() as near:
        yield near


@pytest.fixture(scope="module")
def wire(near):
    api = surface.Api(**surface.credentials(near))
    made = api.call("CreateDistribution", DistributionConfig=surface.config_of("malformed"))
    return Wire(near, made["Distribution"]["Id"], made["ETag"])


def kept(near):
    """Everything that can be listed, to see that nothing was made or changed."""
    api = surface.Api(**surface.credentials(near))
    lists = ("ListDistributions", "ListCachePolicies", "ListOriginRequestPolicies", "ListResponseHeadersPolicies", "ListOriginAccessControls")
    shown = {name: api.call(name) for name in lists}
    for answer in shown.values():
        answer.pop("ResponseMetadata")
    return shown


def test_ten_thousand_wrong_bodies_are_refused_within_bounded_memory(near, wire):
    bodies = list(Bodies().all())
    assert len(bodies) == 10_000
    before, size_before = kept(near), size(near)

    def refused(case):
        kind, name, body = case
        status, text = wire.send(name, body)
        fine = 400 <= status < 500 and ("<Code>" in text or '"__type"' in text)
        return None if fine else f"{kind} {name} {hashlib.sha256(body).hexdigest()[:8]}: {status} {text[:200]} for {body[:300]}"

    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        for start in range(0, len(bodies), 1000):
            wrong = [what for what in pool.map(refused, bodies[start:start + 1000]) if what]
            assert not wrong, f"{len(wrong)} of 1000: " + "\n".join(wrong[:10])
            assert size(near) < size_before + MOST_GROWTH, "while the service is asked"
    assert kept(near) == before
    assert size(near, "VmHWM") < size_before + MOST_GROWTH, "at its peak"
    assert near.process.running()


def streamed(near, head, most):
    """Sends `most` bytes of a body after this head until the answer comes: its first line, and how much was taken."""
    host, port = near.run["control"].split(":")
    sent, piece = 0, b" " * MIB
    with socket.create_connection((host, int(port)), 60) as connection:
        try:
            connection.sendall(head)
            while sent < most:
                connection.settimeout(0 if sent else 60)
                try:
                    if answer := connection.recv(4096, socket.MSG_PEEK) if sent else b"":
                        break
                except BlockingIOError:
                    pass
                connection.settimeout(60)
                connection.sendall(piece)
                sent += len(piece)
            connection.settimeout(60)
            answer = connection.recv(4096)
        except ConnectionError:
            answer = b""  # it was hung up on while it was still sending
    return answer.split(b"\r\n")[0], sent


@pytest.mark.parametrize("who", ["known", "stranger"])
@pytest.mark.parametrize("length", ["announced", "chunked"])
def test_a_hundred_megabytes_are_refused_without_being_kept(near, wire, who, length):
    most, path = 100 * MIB, "/2020-05-31/distribution"
    headers = {"x-amz-content-sha256": hashlib.sha256(b" " * most).hexdigest()}
    if who == "known":
        headers = wire.signed("POST", path, b" " * most, {}, "cloudfront")
    headers = {"Host": wire.place, **headers}
    headers |= {"Content-Length": str(most)} if length == "announced" else {"Transfer-Encoding": "chunked"}
    head = f"POST {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
    if length == "chunked":
        head += f"{most:x}\r\n"
    before = size(near)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: streamed(near, head.encode(), most), range(8)))
    for first, sent in answers:
        assert re.match(rb"HTTP/1\.1 4\d\d ", first) or not first, first
        assert sent < most, "nobody listens to all of it"
    assert any(first for first, _ in answers), "most hear why"
    assert size(near) < before + 64
    assert kept(near)["ListDistributions"]["DistributionList"]["Quantity"] == 1
