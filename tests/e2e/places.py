"""Where the main job is done: all in one process, or control, edges and dns on Redis."""

import concurrent.futures
import http.client
import http.server
import json
import pathlib
import ssl
import subprocess
import sys
import threading
import zipfile

from nearfront import ROOT, Fleet, Origin, Up, fetch, until

CACHE = ROOT / "target" / "e2e"
SITE = "django-ckeditor==6.7.3"  # ships an editor with its samples: over 1,000 files, pages to images
INSIDE = "ckeditor/static/ckeditor/ckeditor/"


class Place:
    """One installation: `api` answers the AWS CLI, `edges` answer viewers, `dns` answers dig."""

    def __init__(self, parts, api, edges, dns):
        self.parts, self.api, self.edges, self.dns = parts, api, edges, dns

    @classmethod
    def up(cls, settings):
        near = Up(settings).start()
        return cls(near, near, [near], near)

    @classmethod
    def fleet(cls, settings, edges=2):
        fleet = Fleet(edges=edges, settings=settings)
        try:
            fleet.start()
        except BaseException:
            fleet.__exit__(None, None, None)
            raise
        return cls(fleet, fleet.control, fleet.edges, fleet.dns)

    def close(self):
        self.parts.__exit__(None, None, None)

    def get(self, host, path="/", edge=0, tls=False, **more):
        near = self.edges[edge]
        port, ca = (near.port("edge_https"), self.api.ca()) if tls else (near.port("edge_http"), None)
        return fetch(port, host, path, ca=ca, **more)

    def create(self, config):
        """Makes a distribution through the AWS CLI, waits until it is deployed; (id, domain)."""
        made = self.api.aws("cloudfront", "create-distribution", "--distribution-config", json.dumps(config))
        made = made["Distribution"]
        self.api.aws("cloudfront", "wait", "distribution-deployed", "--id", made["Id"])
        return made["Id"], made["DomainName"]


def site_files():
    """The site's files, path -> bytes; fetched once from the package index and kept in target/."""
    CACHE.mkdir(parents=True, exist_ok=True)
    if not list(CACHE.glob("django_ckeditor-*.whl")):
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--disable-pip-version-check",
                        "-d", CACHE, SITE], check=True)
    with zipfile.ZipFile(next(CACHE.glob("django_ckeditor-*.whl"))) as archive:
        inside = [info.filename for info in archive.infolist() if not info.is_dir() and info.filename.startswith(INSIDE)]
        return {name.removeprefix(INSIDE): archive.read(name) for name in inside}


class Everywhere(dict):
    """Pages of a server that has the same page at every path."""

    def __init__(self, page):
        super().__init__()
        self.page = page

    def get(self, path, default=None):
        return self.page


class CountingProxy(Origin):
    """Stands before another server and counts what passes through it."""

    def __init__(self, port):
        super().__init__()
        self.target = port
        self.pages = Everywhere(self.relay)

    def relay(self, handler):
        connection = http.client.HTTPConnection("127.0.0.1", self.target, timeout=30)
        try:
            connection.request(handler.command, handler.path, body=handler.body or None, headers=dict(handler.headers))
            response = connection.getresponse()
            body = response.read()
            headers = {name: value for name, value in response.getheaders()
                       if name.lower() not in ("transfer-encoding", "connection", "date", "server")}
            handler.reply(response.status, headers, body)
        finally:
            connection.close()


def fetch_all(port, host, paths, clients=1, ca=None):
    """Every client asks for every path, in the same order, on one connection each.

    Returns one dict path -> (status, X-Cache word, content type, body) for each client.
    """
    gate = threading.Barrier(clients)

    def client():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        if ca is not None:
            connection.connect()
            context = ssl.create_default_context(cafile=str(ca))
            connection.sock = context.wrap_socket(connection.sock, server_hostname=host)
        got = {}
        gate.wait(30)
        for path in paths:
            connection.request("GET", path, headers={"Host": host})
            response = connection.getresponse()
            body = response.read()
            word = (response.headers["X-Cache"] or "").split(" ")[0]
            got[path] = (response.status, word, response.headers["Content-Type"], body)
        connection.close()
        return got

    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        return [done.result() for done in [pool.submit(client) for _ in range(clients)]]


def peak_memory(pid):
    """The most memory that a process has had resident, in bytes."""
    return status_line(pid, "VmHWM") * 1024


def memory(pid):
    """Resident memory of a process, in bytes."""
    return status_line(pid, "VmRSS") * 1024


def status_line(pid, name):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    raise AssertionError(f"no {name} of process {pid}")


__all__ = ["CACHE", "CountingProxy", "Place", "fetch_all", "memory", "peak_memory", "site_files", "until"]
