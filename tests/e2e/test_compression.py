"""`Compress: true` as curl sees it: brotli and gzip over HTTP and HTTPS, from a web server and from a bucket."""

import gzip
import socket
import subprocess

import pytest

from nearfront import Origin, S3, Up, distribution, http_origin, s3_origin, tool, until

PAGE = "".join(f"<p>line {n}: {n * 2654435761 % 2**32:x}</p>\n" for n in range(4000)).encode()
SHORT = b"x" * 999
BUCKET = "compress"
WEAK, STRONG = 'W/"v1"', '"v1"'


def html(handler, body=PAGE, more=()):
    handler.reply(200, {"Content-Type": "text/html", "ETag": STRONG, **dict(more)}, body)


def short_lived(handler):
    """Fresh for a second, then confirmed."""
    if handler.headers.get("If-None-Match") in (WEAK, STRONG):
        return handler.reply(304, {"ETag": STRONG, "Cache-Control": "max-age=1"})
    return html(handler, more={"Cache-Control": "max-age=1"}.items())


class Cut:
    """A page that ends early the first time, and is whole after that."""

    def __init__(self):
        self.asked = 0

    def __call__(self, handler):
        self.asked += 1
        if self.asked > 1:
            return html(handler)
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        handler.send_header("Content-Length", str(len(PAGE)))
        handler.end_headers()
        handler.wfile.write(PAGE[: len(PAGE) // 2])
        handler.wfile.flush()
        handler.close_connection = True
        handler.connection.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="module")
def web():
    pages = {path: html for path in ("/br", "/gzip", "/both", "/range", "/tls", "/old", "/head")}
    pages |= {"/short": lambda handler: html(handler, SHORT), "/304": short_lived, "/cut": Cut(),
              "/image": lambda handler: handler.reply(200, {"Content-Type": "image/png"}, PAGE),
              "/fixed": lambda handler: html(handler, more={"Cache-Control": "no-transform"}.items())}
    with Origin(pages) as web:
        yield web


@pytest.fixture(scope="module")
def near(web):
    with S3() as s3, Up(settings={"object_stores": {"default": s3.store()}}) as near:
        client = s3.bucket(BUCKET)
        client.put_object(Bucket=BUCKET, Key="page.html", Body=PAGE, ContentType="text/html", CacheControl="max-age=1")
        near.domain = made(near, distribution("web", [http_origin("web", web.port)]))
        near.bucket = made(near, distribution("s3", [s3_origin("s3", f"{BUCKET}.s3.amazonaws.com")]))
        yield near


def made(near, config):
    client = near.client()
    made = client.create_distribution(DistributionConfig=config)["Distribution"]
    client.get_waiter("distribution_deployed").wait(Id=made["Id"], WaiterConfig={"Delay": 1})
    return made["DomainName"]


def curl(near, path, *options, host=None, tls=False, check=True):
    """What curl gets: its headers (lower case), its body as `--compressed` decodes it, the bytes on the wire."""
    host = host or near.domain
    port = near.port("edge_https" if tls else "edge_http")
    url = f"{'https' if tls else 'http'}://{host}:{port}{path}"
    head = near.folder / "head"
    ran = subprocess.run([tool("curl"), "-s", "--compressed", "-D", head, "-w", "%{stderr}%{size_download}",
                          "--resolve", f"{host}:{port}:127.0.0.1", *options, url], capture_output=True, check=check)
    fields = dict(line.lower().split(": ", 1) for line in head.read_text().splitlines() if ": " in line)
    return fields, ran.stdout, int(ran.stderr or 0)


@pytest.mark.parametrize("coding, path", [("br", "/br"), ("gzip", "/gzip"), ("gzip, br", "/both")])
def test_a_page_is_compressed_once_and_held_so(near, web, coding, path):
    accepts = ("-H", f"Accept-Encoding: {coding}")
    first, body, size = curl(near, path, *accepts)
    assert body == PAGE and size < len(PAGE) / 2
    assert first["content-encoding"] == coding.rpartition(" ")[2]
    assert first["etag"] == WEAK.lower() and first["vary"] == "accept-encoding"
    assert "content-length" not in first and first["x-cache"].startswith("miss")
    again, body, same = curl(near, path, *accepts)
    assert body == PAGE and same == size == int(again["content-length"])
    assert again["x-cache"].startswith("hit") and again["content-encoding"] == first["content-encoding"]
    assert web.count(path) == 1
    plain = near.get(near.domain, path)
    assert plain.body == PAGE and plain.headers["ETag"] == STRONG and plain.headers["Content-Encoding"] is None


def test_what_comes_is_gzip_to_others_than_curl(near):
    answer = near.get(near.domain, "/gzip", headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(answer.body) == PAGE


def test_over_https_and_http2(near):
    for cache in ("miss", "hit"):
        fields, body, size = curl(near, "/tls", "--http2", "--cacert", near.ca(), tls=True)
        assert body == PAGE and size < len(PAGE)
        assert fields["content-encoding"] == "br" and fields["x-cache"].startswith(cache)


def test_head_tells_of_the_copy(near):
    size = curl(near, "/head", "-H", "Accept-Encoding: br")[2]
    fields, body, _ = curl(near, "/head", "-H", "Accept-Encoding: br", "-I")
    assert fields["content-encoding"] == "br" and int(fields["content-length"]) == size


@pytest.mark.parametrize("path", ["/short", "/image", "/fixed"])
def test_what_the_guide_leaves_alone_stays_as_it_is(near, path):
    for _ in range(2):
        fields, body, size = curl(near, path)
        assert "content-encoding" not in fields and len(body) == size == int(fields["content-length"])


def test_http_1_0_has_no_say(near):
    fields, body, _ = curl(near, "/old", "-0", "-H", "Accept-Encoding: br")
    assert body == PAGE and "content-encoding" not in fields


def test_parts_are_counted_in_compressed_bytes(near):
    accepts = {"Accept-Encoding": "gzip"}
    near.get(near.domain, "/range", headers=accepts)
    whole = near.get(near.domain, "/range", headers=accepts).body
    part = near.get(near.domain, "/range", headers={**accepts, "Range": "bytes=10-99"})
    assert part.status == 206 and part.body == whole[10:100]
    assert part.headers["Content-Range"] == f"bytes 10-99/{len(whole)}"
    same = near.get(near.domain, "/range", headers={**accepts, "If-None-Match": STRONG})
    assert same.status == 304 and same.headers["ETag"] == WEAK


def test_a_body_that_the_origin_cuts_is_not_kept(near):
    _, body, _ = curl(near, "/cut", "-H", "Accept-Encoding: gzip", check=False)
    assert body != PAGE
    fields, body, _ = curl(near, "/cut", "-H", "Accept-Encoding: gzip")
    assert body == PAGE and fields["content-encoding"] == "gzip" and fields["x-cache"].startswith("miss")


@pytest.mark.parametrize("origin", ["web", "s3"])
def test_what_the_origin_confirms_stays_compressed(near, origin):
    host, path = (near.domain, "/304") if origin == "web" else (near.bucket, "/page.html")

    def confirmed():
        fields, body, size = curl(near, path, "-H", "Accept-Encoding: br", host=host)
        assert body == PAGE and size < len(PAGE) and fields["content-encoding"] == "br"
        return fields["x-cache"].startswith("refreshhit")

    until(confirmed, what="a copy that the origin confirms")
