"""Large bodies pass through in little memory."""

import subprocess

from nearfront import CACHING_DISABLED, CACHING_OPTIMIZED, Origin, Up, distribution, http_origin, tool
from places import memory, peak_memory

GB = 1 << 30
PIECE = bytes(range(256)) * 4096  # 1 MiB


def sized(total, length=True):
    """A page of `total` bytes; without `length` it comes in chunks and nobody knows its size before."""
    def page(handler):
        handler.send_response(200)
        handler.send_header("Cache-Control", "max-age=60")
        handler.send_header(*(("Content-Length", str(total)) if length else ("Transfer-Encoding", "chunked")))
        handler.end_headers()
        for _ in range(total // len(PIECE)):
            handler.wfile.write(PIECE if length else b"%x\r\n%s\r\n" % (len(PIECE), PIECE))
        if not length:
            handler.wfile.write(b"0\r\n\r\n")
    return page


def passes(near, path, total, *options):
    """Fetches with curl and returns how much more memory than before was resident at the peak."""
    before = memory(near.run["pid"])
    ran = subprocess.run([tool("curl"), "-s", "-o", "/dev/null", "-w", "%{http_code} %{size_download}",
                          "-H", f"Host: {near.domain}", *options, f"http://127.0.0.1:{near.port('edge_http')}{path}"],
                         capture_output=True, text=True, check=True)
    assert ran.stdout == f"200 {total}"
    return max(peak_memory(near.run["pid"]) - before, 0)


def test_five_gigabytes_pass_in_64_megabytes(capsys):
    total = 5 * GB
    with Origin({"/sized": sized(total), "/chunked": sized(total // 5, length=False)}) as origin, Up() as near:
        for policy, path, size in [(CACHING_OPTIMIZED, "/sized", total), (CACHING_OPTIMIZED, "/chunked", total // 5),
                                   (CACHING_DISABLED, "/sized", total // 5 * 5)]:
            config = distribution(policy + path, [http_origin("web", origin.port)], DefaultCacheBehavior={"CachePolicyId": policy})
            made = near.client().create_distribution(DistributionConfig=config)["Distribution"]
            near.domain = made["DomainName"]
            near.client().get_waiter("distribution_deployed").wait(Id=made["Id"], WaiterConfig={"Delay": 1})
            more = passes(near, path, size)
            with capsys.disabled():
                print(f"\n{size / GB:.0f} GiB of {path}: {more / (1 << 20):.0f} MiB more at the peak", end="")
            assert more < 64 << 20


def in_parts(total, sent):
    """A page of `total` bytes that honours ranges, as PIECE after PIECE; `sent` is told how many bytes left."""
    def page(handler):
        wanted, start, end = handler.headers.get("Range"), 0, total
        if wanted:
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            start, end = int(first), min(int(last) + 1, total) if last else total
        handler.send_response(206 if wanted else 200)
        if wanted:
            handler.send_header("Content-Range", f"bytes {start}-{end - 1}/{total}")
        for name, value in [("ETag", '"1"'), ("Cache-Control", "max-age=600"), ("Content-Length", str(end - start))]:
            handler.send_header(name, value)
        handler.end_headers()
        while start < end:
            piece = PIECE[start % len(PIECE):][:end - start]
            handler.wfile.write(piece)
            sent.append(len(piece))
            start += len(piece)
    return page


def fetched(near, path, wanted):
    """The bytes of a range."""
    ran = subprocess.run([tool("curl"), "-s", "-r", wanted, "-D", "/dev/stderr", "-H", f"Host: {near.domain}",
                          f"http://127.0.0.1:{near.port('edge_http')}{path}"], capture_output=True, check=True)
    assert b"206" in ran.stderr.split(b"\r\n")[0], ran.stderr
    return ran.stdout


def test_a_range_of_fifty_gigabytes_fetches_a_slice_and_the_whole_passes_in_slices(capsys):
    huge, long = [], []
    pages = {"/huge": in_parts(50 * GB, huge), "/long": in_parts(3 * GB, long)}
    with Origin(pages) as origin, Up(settings={"edge": {"memory": "32 MiB"}}) as near:
        config = distribution("slices", [http_origin("web", origin.port)], DefaultCacheBehavior={"CachePolicyId": CACHING_OPTIMIZED})
        made = near.client().create_distribution(DistributionConfig=config)["Distribution"]
        near.domain = made["DomainName"]
        near.client().get_waiter("distribution_deployed").wait(Id=made["Id"], WaiterConfig={"Delay": 1})
        at = 40 * GB + 1000
        assert fetched(near, "/huge", "0-0") == PIECE[:1]
        for start in (at, at + 5000, at):
            assert fetched(near, "/huge", f"{start}-{start + 99}") == (PIECE * 2)[start % len(PIECE):][:100]
        assert sum(huge) <= 2 << 20
        more = passes(near, "/long", 3 * GB)
        with capsys.disabled():
            print(f"\n3 GiB in slices: {more / (1 << 20):.0f} MiB more at the peak", end="")
        assert more < 96 << 20 and sum(long) == 3 * GB


def test_an_upload_streams(capsys):
    digests = []

    def take(handler):
        handler.reply(200)
        digests.append(len(handler.body))

    with Origin({"/up": take}) as origin, Up() as near:
        everything = {"Quantity": 7, "Items": ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"],
                      "CachedMethods": {"Quantity": 2, "Items": ["GET", "HEAD"]}}
        config = distribution("up", [http_origin("web", origin.port)],
                              DefaultCacheBehavior={"CachePolicyId": CACHING_DISABLED, "AllowedMethods": everything})
        made = near.client().create_distribution(DistributionConfig=config)["Distribution"]
        near.client().get_waiter("distribution_deployed").wait(Id=made["Id"], WaiterConfig={"Delay": 1})
        before = memory(near.run["pid"])
        feed = subprocess.Popen(["head", "-c", str(GB // 2), "/dev/zero"], stdout=subprocess.PIPE)
        subprocess.run([tool("curl"), "-sf", "-T", "-", "-H", f"Host: {made['DomainName']}",
                        "-H", f"Content-Length: {GB // 2}", "-H", "Transfer-Encoding:",
                        f"http://127.0.0.1:{near.port('edge_http')}/up"], stdin=feed.stdout, check=True)
        feed.wait()
        assert digests == [GB // 2]
        more = peak_memory(near.run["pid"]) - before
        with capsys.disabled():
            print(f"\nan upload of half a GiB: {more / (1 << 20):.0f} MiB more at the peak", end="")
        assert more < 64 << 20
