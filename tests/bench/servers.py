"""Servers under test and what stands behind them, each on loopback and a free port.

All have the same budget for stored bodies, the same origin, one worker, and no access log but ours as
shipped. nginx keeps its files in memory (/dev/shm), which favours it.
"""
import json
import os
import pathlib
import resource
import shutil
import subprocess
import tempfile
from dataclasses import dataclass

from bench import machine
from nearfront import Nearfront, Process, Scope, fetch, free_port, until

BUDGET = "1024"  # MiB


@dataclass
class Target:
    """Where a load goes: `base` is a URL without path; `host` the name to ask for."""
    base: str
    host: str


class Server(Scope):
    """A program in a folder of its own, pinned to a core."""

    name, core = "", machine.SERVER_CORE

    def __init__(self):
        shared = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"nearfront-bench-{self.name}-", dir=shared))
        self.process = Process(self.name, self.folder, self)
        self.port, self.tls_port = free_port(), free_port()

    def start(self):
        self.process.launch(machine.pinned(self.core, self.command()))
        until(self.answers, 30, self.name)
        return self

    def answers(self):
        self.process.must_run()
        return fetch(self.port, "localhost", "/1/ready").status == 200

    def stop(self):
        self.process.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def pids(self):
        return machine.family(self.process.child.pid)

    def plain(self):
        return Target(f"http://127.0.0.1:{self.port}", "localhost")

    def tls(self):
        return Target(f"https://127.0.0.1:{self.tls_port}", "localhost")


class Ceiling(Server):
    """The bare loop; on the other core it is the origin."""

    name = "ceiling"

    def __init__(self, folder, core=machine.SERVER_CORE):
        super().__init__()
        self.program, self.core = folder / "nearfront-ceiling", core

    def command(self):
        return [self.program, f"127.0.0.1:{self.port}"]


class Ours(Nearfront):
    """`nearfront up` with one worker, everything else as shipped, and one distribution."""

    name = "nearfront"

    def __init__(self, folder, origin, slow):
        super().__init__("up", {"edge": {"workers": 1, "memory": f"{BUDGET}MiB"}}, name="nearfront")
        self.program, self.origin, self.slow = folder / "nearfront", origin, slow
        launch = self.process.launch
        self.process.launch = lambda command, env: launch(
            machine.pinned(machine.SERVER_CORE, [self.program, *command[1:]]), env)
        self.id = self.host = None

    def start(self):
        super().start()
        if not self.host:
            self.id, self.host = self.distribution()
        until(lambda: self.get(self.host, "/1/ready").status == 200, 30, "the distribution")
        return self

    def distribution(self):
        """Made through the management API; its id, and the assigned name."""
        xml = CONFIG.format(origin=self.origin, slow=self.slow)
        answer = self.api("POST", "/2020-05-31/distribution", xml)
        return text(answer, "Id"), text(answer, "DomainName")

    def invalidate(self, reference, paths):
        """Invalidates, and waits until that is in force."""
        at = f"/2020-05-31/distribution/{self.id}/invalidation"
        items = "".join(f"<Path>{path}</Path>" for path in paths)
        made = self.api("POST", at, INVALIDATION.format(reference=reference, count=len(paths), items=items))
        until(lambda: text(self.api("GET", f"{at}/{text(made, 'Id')}"), "Status") == "Completed", 30, "the invalidation")

    def api(self, method, path, body=""):
        env = json.loads(subprocess.check_output([self.program, "env", "--json", "--data", self.data], text=True))
        secret = f'user = "{env["AWS_ACCESS_KEY_ID"]}:{env["AWS_SECRET_ACCESS_KEY"]}"\n'  # not in the list of processes
        ran = subprocess.run(
            [machine.found("curl"), "-sS", "--fail-with-body", "-K", "-", "-X", method, "--data-binary", body,
             "-H", "Content-Type: text/xml", "--aws-sigv4", "aws:amz:us-east-1:cloudfront",
             env["AWS_ENDPOINT_URL"] + path], input=secret, capture_output=True, text=True)
        if ran.returncode:
            raise RuntimeError(f"{method} {path}: {ran.stdout}{ran.stderr}")
        return ran.stdout

    def stop(self):
        super().stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def pids(self):
        return machine.family(self.process.child.pid)

    def plain(self):
        return Target(f"http://127.0.0.1:{self.port('edge_http')}", self.host)

    def tls(self):
        return Target(f"https://127.0.0.1:{self.port('edge_https')}", self.host)


def text(xml, name):
    """What the first element of this name has in it."""
    return xml.partition(f"<{name}>")[2].partition(f"</{name}>")[0]


INVALIDATION = """<InvalidationBatch xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Paths><Quantity>{count}</Quantity>
<Items>{items}</Items></Paths><CallerReference>{reference}</CallerReference></InvalidationBatch>"""
BEHAVIOUR = """<TargetOriginId>{origin}</TargetOriginId><ViewerProtocolPolicy>allow-all</ViewerProtocolPolicy>
<CachePolicyId>658327ea-f89d-4fab-a63d-7e88639e58f6</CachePolicyId><Compress>false</Compress>"""
ORIGIN = """<Origin><Id>{id}</Id><DomainName>localhost</DomainName><CustomOriginConfig><HTTPPort>{{{id}}}</HTTPPort>
<HTTPSPort>443</HTTPSPort><OriginProtocolPolicy>http-only</OriginProtocolPolicy></CustomOriginConfig></Origin>"""
CONFIG = f"""<DistributionConfig xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/">
<CallerReference>bench</CallerReference><Comment>bench</Comment><Enabled>true</Enabled><HttpVersion>http2</HttpVersion>
<Origins><Quantity>2</Quantity><Items>{ORIGIN.format(id="origin")}{ORIGIN.format(id="slow")}</Items></Origins>
<DefaultCacheBehavior>{BEHAVIOUR.format(origin="origin")}</DefaultCacheBehavior>
<CacheBehaviors><Quantity>1</Quantity><Items><CacheBehavior><PathPattern>/slow/*</PathPattern>{BEHAVIOUR.format(origin="slow")}
</CacheBehavior></Items></CacheBehaviors></DistributionConfig>"""


class Nginx(Server):
    """nginx with proxy_cache."""

    name = "nginx"

    def __init__(self, origin, slow, certificate):
        super().__init__()
        self.origin, self.slow, self.certificate = origin, slow, certificate

    def command(self):
        file = self.folder / "nginx.conf"
        user = "user root;" if os.geteuid() == 0 else ""
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        files = 1_000_000 if files == resource.RLIM_INFINITY else files
        # nginx answers 500 when its cache of open files leaves none for others.
        file.write_text(NGINX % {"files": files, "kept": min(120_000, files * 3 // 4),
                                 "user": user, "folder": self.folder, "port": self.port, "tls_port": self.tls_port,
                                 "origin": self.origin, "slow": self.slow, "pem": self.certificate, "budget": BUDGET})
        return [machine.found("nginx"), "-p", self.folder, "-e", self.folder / "error.log", "-c", file]


NGINX = """%(user)s
daemon off; worker_processes 1; pid %(folder)s/pid; error_log %(folder)s/error.log warn;
worker_rlimit_nofile %(files)s;
events { worker_connections 4096; }
http {
  access_log off; sendfile on; tcp_nopush off; tcp_nodelay on;
  keepalive_requests 1000000000; keepalive_timeout 60s;
  open_file_cache max=%(kept)s inactive=10m; open_file_cache_valid 10m;
  client_body_temp_path %(folder)s/body; proxy_temp_path %(folder)s/temp;
  fastcgi_temp_path %(folder)s/fastcgi; uwsgi_temp_path %(folder)s/uwsgi; scgi_temp_path %(folder)s/scgi;
  proxy_cache_path %(folder)s/cache levels=1:2 keys_zone=bench:256m max_size=%(budget)sm inactive=1d use_temp_path=off;
  upstream origin { server 127.0.0.1:%(origin)s; keepalive 256; keepalive_requests 1000000000; }
  upstream slow { server 127.0.0.1:%(slow)s; }
  proxy_http_version 1.1; proxy_set_header Connection ""; proxy_cache bench;
  server {
    listen 127.0.0.1:%(port)s backlog=1024;
    listen 127.0.0.1:%(tls_port)s ssl http2 backlog=1024;
    ssl_certificate %(pem)s; ssl_certificate_key %(pem)s; ssl_protocols TLSv1.3;
    location / { proxy_pass http://origin; }
    location /slow/ { proxy_pass http://slow; proxy_cache_lock on; proxy_cache_lock_timeout 30s; proxy_cache_lock_age 30s; }
  }
}
"""


class Varnish(Server):
    """Varnish with one pool of threads; its log in shared memory is written, as shipped, and read by nobody."""

    name = "varnish"

    def __init__(self, origin, slow):
        super().__init__()
        self.origin, self.slow, self.proxy_port = origin, slow, free_port()

    def command(self):
        vcl = self.folder / "bench.vcl"
        vcl.write_text(VCL % {"origin": self.origin, "slow": self.slow})
        return [machine.found("varnishd"), "-F", "-j", "none", "-n", self.folder / "work", "-f", vcl, "-p", "thread_pools=1",
                "-a", f"127.0.0.1:{self.port}", "-a", f"127.0.0.1:{self.proxy_port},PROXY", "-s", f"malloc,{BUDGET}M"]


VCL = """vcl 4.1;
backend origin { .host = "127.0.0.1"; .port = "%(origin)s"; }
backend slow { .host = "127.0.0.1"; .port = "%(slow)s"; }
sub vcl_recv {
  if (req.url ~ "^/slow/") { set req.backend_hint = slow; } else { set req.backend_hint = origin; }
}
"""


class Hitch(Server):
    """hitch ends TLS for Varnish; what both use is counted."""

    name = "varnish"

    def __init__(self, varnish, certificate):
        super().__init__()
        self.varnish, self.certificate = varnish, certificate

    def command(self):
        file = self.folder / "hitch.conf"
        user = 'user = "root"\n' if os.geteuid() == 0 else ""
        file.write_text(f'frontend = "[127.0.0.1]:{self.tls_port}"\nbackend = "[127.0.0.1]:{self.varnish.proxy_port}"\n'
                        f'pem-file = "{self.certificate}"\nworkers = 1\ndaemon = off\nwrite-proxy-v2 = on\n'
                        f'tls-protos = TLSv1.3\nocsp-dir = ""\nbacklog = 1024\n{user}')
        return [machine.found("hitch"), f"--config={file}"]

    def answers(self):
        self.process.must_run()
        asked = [machine.found("curl"), "-sSk", "-o", "/dev/null", "-w", "%{http_code}", f"https://127.0.0.1:{self.tls_port}/1/ready"]
        return subprocess.run(asked, capture_output=True, text=True).stdout == "200"

    def pids(self):
        return super().pids() + self.varnish.pids()


class H2o(Server):
    """h2o with a file: no cache, but what HTTP/2 can cost at least."""

    name = "h2o"

    def __init__(self, certificate):
        super().__init__()
        self.certificate = certificate

    def command(self):
        for size in (1, 10240):
            (self.folder / "site" / str(size)).mkdir(parents=True)
            (self.folder / "site" / str(size) / ("ready" if size == 1 else "a1")).write_bytes(b"x" * size)
        file = self.folder / "h2o.conf"
        ssl = f"    key-file: {self.certificate}\n    certificate-file: {self.certificate}\n"
        user = "user: root\n" if os.geteuid() == 0 else ""
        file.write_text(f"{user}num-threads: 1\nhosts:\n  default:\n    paths:\n      /:\n        file.dir: {self.folder}/site\n"
                        f"listen:\n  host: 127.0.0.1\n  port: {self.port}\n"
                        f"listen:\n  host: 127.0.0.1\n  port: {self.tls_port}\n  ssl:\n{ssl}")
        return [machine.found("h2o"), "-c", file]


def certificate(folder):
    """A key and its certificate in one file, P-256 as ours."""
    file = pathlib.Path(folder) / "bench.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", f"{file}.key",
                    "-out", f"{file}.crt"], check=True, capture_output=True)
    file.write_bytes(pathlib.Path(f"{file}.key").read_bytes() + pathlib.Path(f"{file}.crt").read_bytes())
    return file
