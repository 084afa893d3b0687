"""The caches that cases are played against: ours, and others, which show that cases can fail.

NEARFRONT_CONFORMANCE chooses: `nearfront` (default), `nginx` (proxy_cache), `varnish`; and two that are
wrong on purpose: `nothing` (ours with a policy that caches nothing) and `greedy` (nginx that keeps
everything). Nearly every case fails on one of these two. Debian has the others: apt-get install
nginx-core varnish.

`http2.py` has servers of its own for the cases of RFC 9113 and RFC 7541: `nearfront` and `nginx`.
"""

import os
import pathlib
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))

from nearfront import CACHING_DISABLED, CACHING_OPTIMIZED, Process, Scope, Up, distribution, free_port, http_origin, merged, until  # noqa: E402

HTTP_STANDARD = "00000000-9111-4111-8111-000000009111"
ALL_VIEWER = "216adef6-5c7f-47e4-b989-5492eafa07d3"
METHODS = ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"]
YEAR = 365 * 24 * 3600


def items(*values):
    return {"Quantity": len(values), "Items": list(values)}


def keyed(kind, name, *values):
    """A part of a cache policy's key: `keyed("Header", "Headers", "X-Key")`."""
    return {f"{kind}Behavior": "whitelist", name: items(*values)} if values else {f"{kind}Behavior": "none"}


def policy(name, ttl, headers=(), cookies=(), queries=(), encodings=False):
    low, default, high = ttl
    key = {"EnableAcceptEncodingGzip": encodings, "EnableAcceptEncodingBrotli": encodings,
           "HeadersConfig": keyed("Header", "Headers", *headers), "CookiesConfig": keyed("Cookie", "Cookies", *cookies),
           "QueryStringsConfig": keyed("QueryString", "QueryStrings", *queries)}
    return {"Name": name, "MinTTL": low, "DefaultTTL": default, "MaxTTL": high,
            "ParametersInCacheKeyAndForwardedToOrigin": key}


#: Cache policies of CloudFront's law, by the first part of the path of the cases that use them.
POLICIES = {
    "plain": policy("plain", (0, 86400, YEAR)),
    "least": policy("least", (3600, 86400, YEAR)),
    "brief": policy("brief", (0, 1, 2)),
    "second": policy("second", (1, 1, YEAR)),
    "keyed": policy("keyed", (0, 86400, YEAR), headers=["X-Key"], queries=["q"]),
    "crumbs": policy("crumbs", (0, 86400, YEAR), cookies=["c"]),
    "packed": policy("packed", (0, 86400, YEAR), encodings=True),
}


class Nearfront(Up):
    """Ours: one distribution under RFC 9111, one under CloudFront's law."""

    name = "nearfront"

    def __init__(self):
        super().__init__({"edge": {"cache_status": True}})

    def prefix(self, case):
        return f"/{case.under}"

    def host(self, case):
        return self.standard if case.under == "http" else self.ordinary

    def serve(self, origin_port, standard=HTTP_STANDARD):
        """Makes the distributions and waits until they answer."""
        client = self.client()
        methods = {**items(*METHODS), "CachedMethods": items("GET", "HEAD")}
        by_http = {"CachePolicyId": standard, "OriginRequestPolicyId": ALL_VIEWER, "AllowedMethods": methods, "Compress": False}
        web = http_origin("web", origin_port)
        config = distribution("standard", [web], DefaultCacheBehavior=by_http)
        self.standard = self.make(client, config)
        ids = {name: client.create_cache_policy(CachePolicyConfig=config)["CachePolicy"]["Id"] for name, config in POLICIES.items()}
        ids |= {"optimized": CACHING_OPTIMIZED, "disabled": CACHING_DISABLED}
        common = {"TargetOriginId": "web", "ViewerProtocolPolicy": "allow-all", "AllowedMethods": methods}
        behaviours = [{"PathPattern": f"/{name}/*", "CachePolicyId": id, "Compress": name == "packed", **common} for name, id in ids.items()]
        errors = [{"ErrorCode": 404, "ErrorCachingMinTTL": 4}, {"ErrorCode": 500, "ErrorCachingMinTTL": 4},
                  {"ErrorCode": 403, "ErrorCachingMinTTL": 4}, {"ErrorCode": 502, "ErrorCachingMinTTL": 4},
                  {"ErrorCode": 414, "ErrorCachingMinTTL": 4, "ResponsePagePath": "/plain/error-page", "ResponseCode": "200"}]
        config = merged(distribution("ordinary", [web], CacheBehaviors=items(*behaviours), CustomErrorResponses=items(*errors)),
                        {"DefaultCacheBehavior": common})
        self.ordinary = self.make(client, config)
        self.port_number = super().port("edge_http")

    def make(self, client, config):
        domain = client.create_distribution(DistributionConfig=config)["Distribution"]["DomainName"]
        until(lambda: self.get(domain, "/is-it-there").status == 404, what=f"an answer for {domain}")
        return domain


class Nothing(Nearfront):
    """Ours where nothing is cached: what expects a hit fails here."""

    name = "nothing"

    def serve(self, origin_port, standard=CACHING_DISABLED):
        super().serve(origin_port, standard)


class Other(Scope):
    """A cache that knows one law and no distributions."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"nearfront-{self.name}-"))
        self.port_number = free_port()
        self.process = Process(self.name, self.folder, self)

    def prefix(self, case):
        return ""

    def host(self, case):
        return f"127.0.0.1:{self.port_number}"

    def start(self):
        return self  # its origin is not known yet

    def serve(self, origin_port):
        self.process.launch(self.command(origin_port))
        until(self.answers, 20, self.name)

    def answers(self):
        from nearfront import fetch
        self.process.must_run()
        return fetch(self.port_number, "127.0.0.1", "/is-it-there").status == 404

    def stop(self):
        self.process.end()


def program(name):
    found = shutil.which(name, path=os.environ["PATH"] + os.pathsep + "/usr/sbin")
    assert found, f"{name} is not installed: apt-get install nginx-core varnish"
    return found


class Nginx(Other):
    """nginx with proxy_cache and everything switched on that brings it nearer to the RFC."""

    name = "nginx"
    MORE = "proxy_cache_key $request_uri;"
    CONFIG = """
user root; daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    proxy_cache_path {folder}/cache keys_zone=zone:16m;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://127.0.0.1:{origin}; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_cache zone; proxy_cache_revalidate on; proxy_cache_lock on;
            proxy_cache_use_stale error timeout;
            add_header X-Cache $upstream_cache_status always;
            {more}
        }}
    }}
}}
"""

    def command(self, origin_port):
        config = self.folder / "nginx.conf"
        config.write_text(self.CONFIG.format(folder=self.folder, port=self.port_number, origin=origin_port, more=self.MORE))
        return [program("nginx"), "-p", self.folder, "-e", self.folder / "error.log", "-c", config]


class Greedy(Nginx):
    """nginx that keeps everything for an hour, whatever is said: what expects a question fails here."""

    name = "greedy"
    MORE = """proxy_ignore_headers Cache-Control Expires Vary Set-Cookie X-Accel-Expires;
            proxy_cache_key $uri; proxy_cache_methods GET HEAD POST; proxy_cache_valid any 1h;"""


class Varnish(Other):
    """Varnish with the logic that it is shipped with."""

    name = "varnish"

    def command(self, origin_port):
        return [program("varnishd"), "-F", "-j", "none", "-a", f"127.0.0.1:{self.port_number}",
                "-b", f"127.0.0.1:{origin_port}", "-n", self.folder / "work", "-s", "malloc,64m", "-p", "thread_pool_min=50",
                "-p", "default_grace=0", "-p", "default_keep=3600"]  # stale only where the origin allows it; and validated


CACHES = {cache.name: cache for cache in (Nearfront, Nginx, Varnish, Nothing, Greedy)}


def chosen():
    """The class that NEARFRONT_CONFORMANCE names."""
    name = os.environ.get("NEARFRONT_CONFORMANCE", "nearfront")
    assert name in CACHES, f"NEARFRONT_CONFORMANCE={name}: it is one of {', '.join(CACHES)}"
    return CACHES[name]
