"""The main job: the AWS CLI makes a distribution before a real S3 server and a real web server;
a whole web site comes through the edge, from the origin once and from the cache after that.

The same tests run against one process and against control, two edges and dns on Redis.
"""

import concurrent.futures
import contextlib
import json
import mimetypes
import subprocess
import urllib.parse

import pytest

from nearfront import Origin, distribution, http_origin, merged, s3_origin, tool, until
from places import CountingProxy, Place, fetch_all, site_files

BUCKET = "site"


@pytest.fixture(scope="module")
def files():
    files = site_files()
    assert len(files) >= 500
    return files


@pytest.fixture(scope="module")
def bucket(s3, files):
    """The site in a bucket; path -> content type as the server tells it."""
    client = s3.bucket(BUCKET)

    def put(item):
        path, body = item
        kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
        client.put_object(Bucket=BUCKET, Key=path, Body=body, ContentType=kind)
        # The server has its own opinion on some types: what it says is what the viewer must get.
        return path, client.head_object(Bucket=BUCKET, Key=path)["ContentType"]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return dict(pool.map(put, files.items()))


@pytest.fixture(scope="module")
def proxy(s3):
    with CountingProxy(s3.port) as proxy:
        yield proxy


@pytest.fixture(scope="module", params=["up", "fleet"])
def place(request, s3, proxy, bucket):
    """An installation whose default object store is the S3 server, seen through the counting proxy."""
    settings = {"object_stores": {"default": s3.store() | {"endpoint": f"http://127.0.0.1:{proxy.port}"}}}
    place = getattr(Place, request.param)(settings)
    yield place
    place.close()


@pytest.fixture
def web():
    with Origin({"/api/hello": b"hello from the web server"}) as web:
        yield web


def two_origins(reference, web, **more):
    """An S3 origin for the site, a web server for /api/*."""
    api = {"PathPattern": "/api/*", "TargetOriginId": "api", "ViewerProtocolPolicy": "allow-all",
           "CachePolicyId": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
           "AllowedMethods": {"Quantity": 7, "Items": ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"],
                              "CachedMethods": {"Quantity": 2, "Items": ["GET", "HEAD"]}}}
    origins = [s3_origin("s3", f"{BUCKET}.s3.amazonaws.com"), http_origin("api", web.port)]
    return distribution(reference, origins, CacheBehaviors={"Quantity": 1, "Items": [api]}, **more)


def certificate(folder, name):
    """A self-signed certificate for `name`: paths of the certificate and its key."""
    paths = folder / "cert.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "30", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
                    "-keyout", str(paths[1]), "-out", str(paths[0])], check=True, capture_output=True)
    return paths


@contextlib.contextmanager
def refused(code):
    """The AWS CLI must fail with this error."""
    with pytest.raises(subprocess.CalledProcessError) as failed:
        yield
    assert f"({code})" in failed.value.stderr


def test_a_distribution_lives_from_create_to_delete(place, web, tmp_path):
    """create, wait, get, list, update, invalidate, wait, disable, delete: all by the AWS CLI."""
    aws = lambda *command: place.api.aws("cloudfront", *command)
    alias = "www.example.com"
    chain, key = certificate(tmp_path, alias)
    arn = place.api.aws("acm", "import-certificate", "--certificate", f"fileb://{chain}",
                        "--private-key", f"fileb://{key}")["CertificateArn"]
    config = two_origins("life", web, Aliases={"Quantity": 1, "Items": [alias]}, ViewerCertificate={
        "ACMCertificateArn": arn, "SSLSupportMethod": "sni-only", "MinimumProtocolVersion": "TLSv1.2_2021"})
    made = aws("create-distribution", "--distribution-config", json.dumps(config))
    id, domain = made["Distribution"]["Id"], made["Distribution"]["DomainName"]
    aws("wait", "distribution-deployed", "--id", id)

    # It serves: by its own name, by its alias, by the alias over TLS with the imported certificate.
    for edge in range(len(place.edges)):
        assert place.get(domain, "/README.md", edge).status == 200
        assert place.get(alias, "/api/hello", edge).body == b"hello from the web server"
        port = place.edges[edge].port("edge_https")
        curl = subprocess.run([tool("curl"), "-s", "--cacert", chain, "--resolve", f"{alias}:{port}:127.0.0.1",
                               f"https://{alias}:{port}/api/hello"], capture_output=True, check=True)
        assert curl.stdout == b"hello from the web server"

    got = aws("get-distribution-config", "--id", id)
    listed = aws("list-distributions")["DistributionList"]["Items"]
    assert [item["DomainName"] for item in listed if item["Id"] == id] == [domain]
    assert got["DistributionConfig"]["Aliases"]["Items"] == [alias]

    # An update takes the alias away again.
    updated = got["DistributionConfig"] | {"Comment": "changed", "Aliases": {"Quantity": 0}}
    etag = aws("update-distribution", "--id", id, "--if-match", got["ETag"],
               "--distribution-config", json.dumps(updated))["ETag"]
    aws("wait", "distribution-deployed", "--id", id)
    assert place.get(alias, "/api/hello").status == 403
    with refused("PreconditionFailed"):
        aws("update-distribution", "--id", id, "--if-match", got["ETag"], "--distribution-config", json.dumps(updated))

    invalidation = aws("create-invalidation", "--distribution-id", id, "--paths", "/README.md", "/samples/*")
    aws("wait", "invalidation-completed", "--distribution-id", id, "--id", invalidation["Invalidation"]["Id"])
    assert place.get(domain, "/README.md").cache == "Miss"
    assert place.get(domain, "/README.md").cache == "Hit"

    with refused("DistributionNotDisabled"):
        aws("delete-distribution", "--id", id, "--if-match", etag)
    disabled = updated | {"Enabled": False}
    etag = aws("update-distribution", "--id", id, "--if-match", etag,
               "--distribution-config", json.dumps(disabled))["ETag"]
    aws("wait", "distribution-deployed", "--id", id)
    assert place.get(domain, "/README.md").status == 403
    aws("delete-distribution", "--id", id, "--if-match", etag)
    with refused("NoSuchDistribution"):
        aws("get-distribution", "--id", id)
    until(lambda: place.get(domain, "/README.md").status == 403, what="the deleted name is refused")


def test_a_whole_site_comes_through_and_stays(place, files, bucket, web, proxy):
    """50 clients at once, each object once from the origin; then every byte, by HTTP and HTTPS."""
    id, domain = place.create(two_origins("site", web))
    paths = {"/" + urllib.parse.quote(path): path for path in files}
    crowd = list(paths)[:500]
    port = place.edges[0].port("edge_http")

    before = {path: proxy.count(f"/{BUCKET}{path}") for path in crowd}
    for got in fetch_all(port, domain, crowd, clients=50):
        for path, (status, _, kind, body) in got.items():
            assert (status, kind, body) == (200, bucket[paths[path]], files[paths[path]]), path
    once = {path: proxy.count(f"/{BUCKET}{path}") - before[path] for path in crowd}
    assert set(once.values()) == {1}, {path: times for path, times in once.items() if times != 1}

    for secure in (False, True):
        port = place.edges[0].port("edge_https" if secure else "edge_http")
        ca = place.api.ca() if secure else None
        for turn in ("first", "second"):
            [got] = fetch_all(port, domain, paths, ca=ca)
            for path, (status, _, kind, body) in got.items():
                assert (status, kind, body) == (200, bucket[paths[path]], files[paths[path]]), path
            hits = sum(word == "Hit" for _, word, _, _ in got.values())
            print(f"{'HTTPS' if secure else 'HTTP'}, {turn} pass: {len(got)} objects, {hits} hits")
        assert hits >= 0.99 * len(paths)


def test_http2_is_spoken_over_tls(place, web):
    _, domain = place.create(two_origins("h2", web))
    port = place.edges[0].port("edge_https")
    url = f"https://{domain}:{port}/README.md"
    curl = subprocess.run([tool("curl"), "-s", "--http2", "--cacert", place.api.ca(), "-o", "/dev/null",
                           "--resolve", f"{domain}:{port}:127.0.0.1", "-w", "%{http_version} %{http_code}", url],
                          capture_output=True, text=True, check=True)
    assert curl.stdout == "2 200"


def test_what_is_written_goes_to_the_origin(place, web):
    seen = []
    web.pages["/api/write"] = lambda handler: (seen.append((handler.command, handler.body)), handler.reply(201))[1]
    _, domain = place.create(two_origins("write", web))
    body = bytes(range(256)) * 4096
    for method in ("POST", "PUT", "PATCH"):
        assert place.get(domain, "/api/write", method=method, body=body).status == 201
    assert place.get(domain, "/api/write", method="DELETE").status == 201
    assert seen == [("POST", body), ("PUT", body), ("PATCH", body), ("DELETE", b"")]


def test_the_name_resolves_to_an_edge(place, web):
    _, domain = place.create(two_origins("name", web))
    port = str(place.dns.port("dns"))
    dig = lambda *words: subprocess.run([tool("dig"), "@127.0.0.1", "-p", port, "+short", *words],
                                        capture_output=True, text=True, check=True).stdout.split()
    until(lambda: dig(domain, "A"), what="an address")
    assert all(address.startswith("127.0.0.") for address in dig(domain, "A"))
    assert dig("+tcp", domain, "A") == dig(domain, "A")


def test_errors_have_their_own_pages(place, web):
    web.pages["/api/teapot"] = lambda handler: handler.reply(503, body=b"down")
    web.pages["/api/sorry.html"] = b"<p>sorry</p>"
    rules = {"Quantity": 1, "Items": [{"ErrorCode": 503, "ResponsePagePath": "/api/sorry.html", "ResponseCode": "200",
                                       "ErrorCachingMinTTL": 0}]}
    _, domain = place.create(merged(two_origins("errors", web), {"CustomErrorResponses": rules}))
    answer = place.get(domain, "/api/teapot")
    assert (answer.status, answer.body) == (200, b"<p>sorry</p>"), answer


def test_missing_objects_are_the_buckets_own_answer(place, web):
    _, domain = place.create(two_origins("missing", web))
    answer = place.get(domain, "/no/such/object")
    assert answer.status in (403, 404) and b"NoSuchKey" in answer.body, answer
    assert answer.cache == "Error"
