"""Pebble: a certificate authority that speaks ACME, and looks at names before it issues for them."""

import json
import pathlib
import re
import ssl
import tempfile
import urllib.request

from nearfront import Process, Scope, certificate, free_port, tool, until


class Pebble(Scope):
    """An authority that resolves names by `near`'s DNS and comes to `near`'s edge to look.

    `settings()` are those of a Nearfront that asks it; give `near` before the start. `lifetime` of
    certificates is in seconds; names in `blocked` are refused.
    """

    def __init__(self, lifetime=86400, blocked=(), env=None, http_port=None, bound=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="nearfront-pebble-"))
        self.port, self.management = free_port(), free_port()
        self.pem, self.key = certificate(self.folder)
        self.lifetime, self.blocked, self.http_port, self.bound = lifetime, list(blocked), http_port, bound
        self.env = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_AUTHZREUSE": "0", **(env or {})}
        self.process = Process("pebble", self.folder, self)
        self.near = self.root = None

    def settings(self, **acme):
        """What a Nearfront needs to ask this authority."""
        binding = {"eab_key_id": "kid-1", "eab_key": self.bound} if self.bound else {}
        return {"acme": {"directory": f"https://localhost:{self.port}/dir", "ca_file": str(self.pem), "contact": "ops@example.com",
                         **binding, **acme}}

    def start(self):
        config = self.folder / "pebble.json"
        config.write_text(json.dumps({"pebble": {
            "listenAddress": f"127.0.0.1:{self.port}", "managementListenAddress": f"127.0.0.1:{self.management}",
            "certificate": str(self.pem), "privateKey": str(self.key),
            "httpPort": self.http_port or self.near.port("edge_http"), "tlsPort": self.near.port("edge_https"),
            "ocspResponderURL": "", "externalAccountBindingRequired": bool(self.bound),
            "externalAccountMACKeys": {"kid-1": self.bound} if self.bound else {},
            "domainBlocklist": self.blocked, "certificateValidityPeriod": self.lifetime}}))
        self.process.launch([tool("pebble"), "-config", config, "-strict", "-dnsserver", self.near.run["dns"]], self.env)
        self.root = self.folder / "root.pem"
        self.root.write_bytes(until(self._root, 20, "pebble's root"))

    def _root(self):
        self.process.must_run()
        trusting = ssl.create_default_context(cafile=str(self.pem))
        with urllib.request.urlopen(f"https://localhost:{self.management}/roots/0", context=trusting) as answer:
            return answer.read()

    def stop(self):
        if self.process.running():
            self.process.child.kill()
            self.process.child.wait()

    def saw(self, pattern):
        """How often its log has a line like this."""
        return len(re.findall(pattern, self.process.log.read_text(errors="replace")))
