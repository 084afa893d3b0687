"""Real parts for end-to-end tests: Nearfront itself, Redis, an S3 server, a web server, the AWS CLI.

Everything runs on loopback, on free ports, in folders of its own, and is ended by its process id.
Nothing here sleeps for a fixed time to let something happen: `until` asks again until a deadline.

    with Up() as near:                               # control + edge + dns in one process
        near.aws("cloudfront", "list-distributions")  # the unmodified AWS CLI, parsed JSON
        near.get(domain, "/index.html")               # through the edge over HTTP

    with Fleet(edges=2) as fleet:                     # control, edges, dns as processes on Redis
        fleet.edges[0].kill()                         # kill -9
        fleet.redis.stop(); fleet.redis.start()

Folders are removed afterwards unless NEARFRONT_TEST_KEEP is set; when a test fails, the logs of all
that runs are copied to target/e2e-logs. Settings are given as nested dicts, as they would stand in nearfront.toml:
`Up(settings={"object_stores": {"default": s3.store()}})`.
"""

import contextlib
import http.client
import http.server
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("NEARFRONT_BIN", ROOT / "target/debug/nearfront"))
STARTS_WITHIN = 60.0  # seconds; debug builds on two busy cores take their time
STOPS_WITHIN = 25.0
#: What seals secrets in a shared store; with embedded metadata the first start makes one.
SEALING_KEY = "bmVhcmZyb250IHNlYWxpbmcga2V5IGZvciB0ZXN0cyE="
CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_VIEWER_EXCEPT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
ALL_METHODS = {"Quantity": 7, "Items": ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"],
               "CachedMethods": {"Quantity": 2, "Items": ["GET", "HEAD"]}}

#: Everything that was started and still has a log worth showing when a test fails.
LIVE = []


def until(ask, within=10.0, what="the condition", every=0.02):
    """The first true answer of `ask`, asked again and again; AssertionError after `within` seconds.

    An exception of `ask` counts as "not yet" and is named if the deadline passes.
    """
    deadline = time.monotonic() + within
    last = None
    while True:
        try:
            answer = ask()
            if answer:
                return answer
            last = answer
        except (OSError, AssertionError, ValueError, KeyError, http.client.HTTPException, subprocess.CalledProcessError) as error:
            last = error
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {within} s; last: {last!r}")
        time.sleep(every)


def free_port():
    """A port that was free a moment ago, for programs that cannot pick one themselves."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def tool(name):
    """A program beside this Python first (the tests' venv), then on the path."""
    beside = pathlib.Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    assert found, f"{name} is not installed: scripts/test installs what tests need"
    return found


def toml(settings):
    """Nested dicts as TOML text."""
    lines, tables = [], [((), settings)]
    while tables:
        path, table = tables.pop(0)
        if path:
            lines.append("[" + ".".join(json.dumps(part) for part in path) + "]")
        for key, value in table.items():
            if isinstance(value, dict):
                tables.append(((*path, key), value))
            else:
                lines.append(f"{json.dumps(key)} = {json.dumps(str(value) if isinstance(value, os.PathLike) else value)}")
    return "\n".join(lines) + "\n"


def merged(base, more):
    """`base` with `more` laid over it, table by table."""
    result = dict(base)
    for key, value in more.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if both else value
    return result


class Process:
    """A program with its log, started in the background and ended by its process id."""

    def __init__(self, name, folder, owner):
        self.name, self.folder, self.owner = name, pathlib.Path(folder), owner
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = self.folder / f"{name}.log"
        self.child = None

    def launch(self, command, env=None):
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(
                [str(part) for part in command], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env={**os.environ, **(env or {})}, cwd=self.folder, start_new_session=True)
        if self not in LIVE:
            LIVE.append(self)

    def running(self):
        return self.child is not None and self.child.poll() is None

    def must_run(self):
        """Raises at once when the program has ended, instead of letting a caller wait."""
        if not self.running():
            status = self.child.returncode if self.child else "not started"
            raise RuntimeError(f"{self.name} has ended ({status}):\n{self.tail()}")

    def end(self, how=signal.SIGTERM, within=STOPS_WITHIN):
        """Ends it and returns its exit status; kills what does not end, and says so."""
        if self.child is None:
            return None
        if self.running():
            self.child.send_signal(how)
        try:
            return self.child.wait(within)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            raise AssertionError(f"{self.name} did not end within {within} s of {how!r}:\n{self.tail()}")

    def tail(self, lines=40):
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])


class Scope:
    """What starts on `with` and ends after it; `start` and `stop` may be called again in between."""

    def __enter__(self):
        try:
            return self.start() or self
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise

    def __exit__(self, *_):
        self.stop()
        for process in [process for process in LIVE if process.owner is self]:
            LIVE.remove(process)
            if not os.environ.get("NEARFRONT_TEST_KEEP"):
                shutil.rmtree(process.folder, ignore_errors=True)


class Answer:
    """A response: `status`, `headers` (case-insensitive), `body` (bytes)."""

    def __init__(self, response, body):
        self.status, self.headers, self.body = response.status, response.headers, body

    @property
    def cache(self):
        """The first word of X-Cache: `Hit`, `Miss`, `RefreshHit`, `Error`…"""
        return (self.headers["X-Cache"] or "").split(" ")[0]

    def __repr__(self):
        return f"<{self.status} {self.cache} {dict(self.headers)} {self.body[:200]!r}>"


class Nearfront(Scope):
    """One `nearfront` process. `command` is up, control, edge or dns."""

    def __init__(self, command, settings=None, args=(), env=None, folder=None, name=None, ready=True):
        self.command, self.args, self.env, self.wait_ready = command, list(args), env or {}, ready
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix=f"nearfront-{command}-"))
        self.data = self.folder / "data"
        self.settings = merged({
            "data_dir": str(self.data),
            "admin": {"listen": "127.0.0.1:0"},
            "edge": {"http": "127.0.0.1:0", "https": "127.0.0.1:0"},
            "control": {"listen": "127.0.0.1:0"},
            "dns": {"listen": "127.0.0.1:0"},
            "telemetry": {"log": os.environ.get("NEARFRONT_TEST_LOG", "info")},
        }, settings or {})
        if command != "dns" and "url" in self.settings.get("metadata", {}):
            self.settings["metadata"] = {"key": SEALING_KEY, **self.settings["metadata"]}
        self.process = Process(name or command, self.folder, self)
        self.run = {}

    # Life

    def start(self):
        assert BINARY.exists(), f"{BINARY} is missing: cargo build --workspace"
        config = self.folder / "nearfront.toml"
        config.write_text(toml(self.settings))
        self.process.launch([BINARY, self.command, "--config", config, *self.args], self.env)
        self.run = until(self._running, STARTS_WITHIN, f"run.json of {self.process.name}")
        if self.wait_ready:
            self.ready()
        return self

    def _running(self):
        self.process.must_run()
        run = json.loads((self.data / "run.json").read_text())
        return run if run["pid"] == self.process.child.pid else None

    def ready(self, within=STARTS_WITHIN):
        """Waits until /readyz is 200, and returns what it says."""
        return until(lambda: (answer := self.readyz()) and answer[0] == 200 and answer[1], within,
                     f"/readyz of {self.process.name}")

    def stop(self):
        """SIGTERM; the exit status must be 0."""
        status = self.process.end()
        assert status in (0, None, -signal.SIGKILL), f"{self.process.name} ended with {status}:\n{self.process.tail()}"

    def kill(self):
        """kill -9."""
        self.process.child.kill()
        self.process.child.wait()

    def restart(self):
        """Starts again with the same data, settings and (if they were 0) other ports."""
        return self.start()

    # Asking it

    def port(self, what):
        """The port of `edge_http`, `edge_https`, `control`, `dns` or `admin`."""
        return int(self.run[what].rpartition(":")[2])

    def readyz(self):
        answer = fetch(self.port("admin"), "localhost", "/readyz")
        return answer.status, json.loads(answer.body)

    def metrics(self):
        return fetch(self.port("admin"), "localhost", "/metrics").body.decode()

    def get(self, host, path="/", method="GET", headers=None, body=None, tls=False):
        """A request through this edge; `host` need not resolve. Returns an `Answer`."""
        if tls:
            return fetch(self.port("edge_https"), host, path, method, headers, body, ca=self.ca())
        return fetch(self.port("edge_http"), host, path, method, headers, body)

    def ca(self):
        """Path of the local authority's certificate; of control's data folder."""
        return self.data / "ca.pem"

    # Its API (of a process with control)

    def aws_env(self):
        """The environment that `nearfront env` gives."""
        return json.loads(self.cli("env", "--json", "--data", self.data))

    def aws(self, *command, parse=True):
        """The unmodified AWS CLI; its JSON answer, or CalledProcessError with stderr in it."""
        ran = subprocess.run([tool("aws"), *map(str, command)], capture_output=True, text=True,
                             env={**os.environ, **self.aws_env(), "AWS_PAGER": "", "AWS_MAX_ATTEMPTS": "1"})
        if ran.returncode:
            raise subprocess.CalledProcessError(ran.returncode, command, ran.stdout, ran.stderr)
        return json.loads(ran.stdout) if parse and ran.stdout.strip() else ran.stdout

    def client(self, service="cloudfront"):
        """A boto3 client that does not retry."""
        import boto3
        from botocore.config import Config
        env = self.aws_env()
        return boto3.client(service, endpoint_url=env["AWS_ENDPOINT_URL"], region_name=env["AWS_REGION"],
                            aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
                            aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
                            config=Config(retries={"max_attempts": 1}))

    def cli(self, *args, check=True):
        """Runs the binary with these arguments; its standard output."""
        ran = subprocess.run([str(BINARY), *map(str, args)], capture_output=True, text=True)
        if check and ran.returncode:
            raise subprocess.CalledProcessError(ran.returncode, args, ran.stdout, ran.stderr)
        return ran.stdout if check else ran


class Up(Nearfront):
    """`nearfront up`, optionally with `--site`."""

    def __init__(self, settings=None, site=None, **more):
        super().__init__("up", settings, ["--site", site] if site else [], **more)


class Fleet(Scope):
    """control, edges and dns as processes of their own, on Redis.

    `places` are (id, latitude, longitude, public address) of the edges; `settings` are for all.
    """

    PLACES = [("fra-1", 50.1, 8.7, "127.0.0.11"), ("nrt-1", 35.8, 140.4, "127.0.0.12"), ("iad-1", 38.9, -77.5, "127.0.0.13")]

    def __init__(self, edges=2, settings=None, places=None, redis=None):
        self.redis = redis or Redis()
        self.common, self.places = settings or {}, (places or self.PLACES)[:edges]
        self.control = self.dns = None
        self.edges = []

    def start(self):
        self.redis.start()
        common = merged({"metadata": {"url": self.redis.url}}, self.common)
        self.control = Nearfront("control", common).start()
        for id, latitude, longitude, address in self.places:
            edge = {"edge": {"id": id, "pop": f"{id[:3].upper()}1-P1", "latitude": latitude,
                             "longitude": longitude, "public_addresses": [address]}}
            self.edges.append(Nearfront("edge", merged(common, edge), name=f"edge-{id}"))
            self.edges[-1].start()
        self.dns = Nearfront("dns", common).start()
        return self

    def stop(self):
        with contextlib.ExitStack() as stack:  # all are stopped even when one complains
            stack.callback(self.redis.__exit__)
            for part in filter(None, [self.control, *self.edges, self.dns]):
                stack.callback(part.__exit__)


class Redis(Scope):
    """redis-server with an append-only file, so that it keeps its data over stop and start."""

    def __init__(self, *args):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="nearfront-redis-"))
        self.port, self.args = free_port(), args
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process = Process("redis", self.folder, self)

    def start(self):
        if self.process.running():
            return self
        self.process.launch([tool("redis-server"), "--bind", "127.0.0.1", "--port", self.port, "--save", "",
                             "--appendonly", "yes", "--appendfsync", "always", "--dir", self.folder, *self.args])
        until(self._ping, 20, "redis")
        return self

    def _ping(self):
        self.process.must_run()
        with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")

    def stop(self):
        self.process.end()

    def kill(self):
        self.process.child.kill()
        self.process.child.wait()


class S3(Scope):
    """SeaweedFS: an S3 server that verifies SigV4. Keys are `self.key`, `self.secret`."""

    key, secret = "nearfront-test", "test-secret-of-forty-characters-or-nearly"

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="nearfront-s3-"))
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.process = Process("s3", self.folder, self)

    def start(self):
        identities = self.folder / "identities.json"
        credentials = [{"accessKey": self.key, "secretKey": self.secret}]
        identities.write_text(json.dumps({"identities": [
            {"name": "test", "credentials": credentials, "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]}))
        ports = [f"-{part}.port{kind}={free_port()}" for part in ("master", "volume", "filer") for kind in ("", ".grpc")]
        self.process.launch([tool("weed"), "server", f"-dir={self.folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
                             *ports, "-master.telemetry=false", "-master.volumeSizeLimitMB=1024", "-volume.max=100",
                             "-s3", f"-s3.port={self.port}", f"-s3.port.grpc={free_port()}", "-s3.port.iceberg=0", "-s3.port.lance=0", f"-s3.config={identities}"])
        until(self._ready, STARTS_WITHIN, "the S3 server", every=0.2)
        return self

    def _ready(self):
        self.process.must_run()
        from botocore.exceptions import BotoCoreError, ClientError
        try:
            self.client().put_object(Bucket=self._bucket("ready"), Key="ready", Body=b"ready")
            return True
        except (BotoCoreError, ClientError) as error:
            raise OSError(error) from error

    def _bucket(self, name):
        client = self.client()
        with contextlib.suppress(client.exceptions.BucketAlreadyExists, client.exceptions.BucketAlreadyOwnedByYou):
            client.create_bucket(Bucket=name)
        return name

    def client(self):
        import boto3
        from botocore.config import Config
        return boto3.client("s3", endpoint_url=self.endpoint, region_name="us-east-1", aws_access_key_id=self.key,
                            aws_secret_access_key=self.secret,
                            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}))

    def bucket(self, name, objects=None):
        """Makes a bucket and puts objects: key -> bytes, or (bytes, content type)."""
        client = self.client()
        self._bucket(name)
        for key, value in (objects or {}).items():
            body, kind = value if isinstance(value, tuple) else (value, "application/octet-stream")
            client.put_object(Bucket=name, Key=key, Body=body, ContentType=kind)
        return client

    def store(self, url="s3://"):
        """Settings of an `[object_stores.NAME]` that reads this server."""
        return {"url": url, "endpoint": self.endpoint, "region": "us-east-1", "access_key_id": self.key,
                "secret_access_key": self.secret}

    def stop(self):
        self.process.end(signal.SIGKILL)  # asked nicely it takes half a minute


class Origin(Scope):
    """A web server that counts. `pages`: path -> bytes, or a function of the request handler.

    A function answers by itself (`handler.reply(status, headers, body)`). Paths are looked up
    without their query. `count(path)` says how often a path was asked for; `requests` holds
    (method, path with query, headers) in order.
    """

    def __init__(self, pages=None):
        self.pages, self.requests, self.lock = dict(pages or {}), [], threading.Lock()
        self.server = None

    def start(self):
        origin = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 60
            disable_nagle_algorithm = True  # or head and body, sent apart, wait 40 ms for an ACK

            def reply(self, status, headers=(), body=b""):
                self.send_response(status)
                fields = dict(headers)
                fields.setdefault("Content-Length", str(len(body)))
                for name, value in fields.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                self.body = self.rfile.read(length) if length else b""
                with origin.lock:
                    origin.requests.append((self.command, self.path, self.headers))
                page = origin.pages.get(self.path.partition("?")[0])
                if callable(page):
                    return page(self)
                if page is None:
                    return self.reply(404, {"Content-Type": "text/plain"}, b"no such page\n")
                return self.reply(200, {"Content-Type": "text/html"}, page)

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = answer

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def count(self, path):
        with self.lock:
            return sum(1 for _, asked, _ in self.requests if asked.partition("?")[0] == path)

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


def fetch(port, host, path="/", method="GET", headers=None, body=None, ca=None, timeout=30):
    """One HTTP/1.1 request to 127.0.0.1:`port` in the name of `host`; with `ca` over TLS, verified."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        if ca is not None:
            context = ssl.create_default_context(cafile=str(ca))
            connection.connect()
            connection.sock = context.wrap_socket(connection.sock, server_hostname=host)
        connection.request(method, path, body=body, headers={"Host": host, **(headers or {})})
        response = connection.getresponse()
        return Answer(response, response.read())
    finally:
        connection.close()


def certificate(folder, name="localhost"):
    """A self-signed certificate for a name: the paths of its PEM file and of its key."""
    import datetime
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.timezone.utc)
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = (x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .sign(key, hashes.SHA256()))
    pem, private = pathlib.Path(folder, f"{name}.pem"), pathlib.Path(folder, f"{name}.key")
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                          serialization.NoEncryption()))
    return pem, private


def https_origin(id, port, **more):
    """An `Origin` of a DistributionConfig: a web server on this machine that speaks TLS."""
    return {"Id": id, "DomainName": "localhost",
            "CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": port, "OriginProtocolPolicy": "https-only"}, **more}


def deployed(near, config):
    """Makes a distribution and waits until it is in force; its domain."""
    made = near.aws("cloudfront", "create-distribution", "--distribution-config", json.dumps(config))
    near.aws("cloudfront", "wait", "distribution-deployed", "--id", made["Distribution"]["Id"])
    return made["Distribution"]["DomainName"]


def http_origin(id, port, **more):
    """An `Origin` of a DistributionConfig: a web server on this machine."""
    return {"Id": id, "DomainName": "localhost",
            "CustomOriginConfig": {"HTTPPort": port, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}, **more}


def s3_origin(id, domain, **more):
    """An `Origin` of a DistributionConfig: a bucket or a mapped object store."""
    return {"Id": id, "DomainName": domain, "S3OriginConfig": {"OriginAccessIdentity": ""}, **more}


def distribution(reference, origins, **more):
    """A small DistributionConfig; the default behaviour goes to the first origin."""
    behaviour = {"TargetOriginId": origins[0]["Id"], "ViewerProtocolPolicy": "allow-all",
                 "CachePolicyId": CACHING_OPTIMIZED, "Compress": True}
    config = {"CallerReference": reference, "Comment": "", "Enabled": True,
              "Origins": {"Quantity": len(origins), "Items": origins}, "DefaultCacheBehavior": behaviour}
    return merged(config, more)
