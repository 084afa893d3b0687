"""RFC 9112 §9.3, RFC 9110 §2.5: viewers of HTTP/1.0, who know no chunks and no interim answers."""

import socket
import ssl

import pytest

from http2 import LARGE, PAGE, PATIENCE


def talk(server, *requests):
    """All that comes back until the server hangs up."""
    context = ssl.create_default_context(cafile=str(server.ca))
    context.set_alpn_protocols(["http/1.1"])
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as plain:
        with context.wrap_socket(plain, server_hostname=server.host) as secure:
            heard = b""
            for request in requests:
                secure.sendall(request.replace("HOST", server.host).encode())
            while more := secure.recv(65536):
                heard += more
    return heard


def answer(data):
    """Status, fields and the rest of the first answer."""
    head, _, rest = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    return int(first.split()[1]), {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}, rest


@pytest.mark.parametrize("path, body", [("/page", PAGE), ("/large", LARGE), ("/unframed", PAGE)])
def test_the_connection_ends_with_the_answer_and_nothing_is_chunked(http2_server, path, body):
    for _ in range(2):  # asked for and, where it is kept, held
        status, fields, rest = answer(talk(http2_server, f"GET {path} HTTP/1.0\r\nHost: HOST\r\n\r\n"))
        assert (status, rest) == (200, body)
        assert "transfer-encoding" not in fields
        assert fields.get("content-length", str(len(body))) == str(len(body))


def test_a_connection_is_kept_for_one_who_asks_for_it(http2_server):
    kept, last = (f"GET /page HTTP/1.0\r\nHost: HOST\r\n{more}\r\n" for more in ("Connection: keep-alive\r\n", ""))
    status, fields, rest = answer(talk(http2_server, kept, last))
    assert (status, fields["connection"].lower(), fields["content-length"]) == (200, "keep-alive", str(len(PAGE)))
    status, _, rest = answer(rest[len(PAGE):])
    assert (status, rest) == (200, PAGE)


def test_head_has_no_body(http2_server):
    status, fields, rest = answer(talk(http2_server, "HEAD /page HTTP/1.0\r\nHost: HOST\r\n\r\n"))
    assert (status, fields["content-length"], rest) == (200, str(len(PAGE)), b"")


def test_nobody_is_told_to_go_on(http2_server):
    """RFC 9110 §10.1.1: Expect from a client of HTTP/1.0 is passed over."""
    said = talk(http2_server, "POST /post HTTP/1.0\r\nHost: HOST\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody")
    assert answer(said)[0] == 200
