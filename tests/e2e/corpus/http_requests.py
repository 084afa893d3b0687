"""Malformed and refused HTTP/1.1 requests: name, bytes, the statuses that are right.

An empty set means that the connection is closed without an answer. `HOST` is replaced by the name
of a distribution.
"""

CLOSED = frozenset()
BAD = frozenset({400})
REFUSED = frozenset({403})


def get(target=b"/", *headers, method=b"GET", version=b"HTTP/1.1", host=b"Host: HOST"):
    lines = [method + b" " + target + b" " + version, *([host] if host else []), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def chunked(body):
    return get(b"/", b"Transfer-Encoding: chunked", method=b"POST") + body


CASES = [
    ("garbage", b"\x00\x01\x02\x03\r\n\r\n", BAD),
    ("tls_hello_on_the_plain_port", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\r\n\r\n", BAD),
    ("no_method", b" / HTTP/1.1\r\nHost: HOST\r\n\r\n", BAD),
    ("no_target", b"GET HTTP/1.1\r\nHost: HOST\r\n\r\n", BAD),
    ("no_version", b"GET /\r\nHost: HOST\r\n\r\n", BAD),
    ("version_9", get(version=b"HTTP/9.9"), frozenset({400, 505})),
    ("version_in_lower_case", get(version=b"http/1.1"), BAD),
    ("two_spaces", b"GET  / HTTP/1.1\r\nHost: HOST\r\n\r\n", BAD),
    ("tab_for_space", b"GET\t/\tHTTP/1.1\r\nHost: HOST\r\n\r\n", BAD),
    ("control_in_target", get(b"/a\x01b"), BAD),
    ("space_in_target", get(b"/a b"), BAD),
    ("bad_method", get(method=b"G@T("), BAD),
    ("no_host", get(host=None), BAD),
    ("two_hosts", get(b"/", b"Host: other.example"), BAD),
    ("unknown_host", get(host=b"Host: nobody.example"), REFUSED),
    ("host_with_slash", get(host=b"Host: a/b"), frozenset({400, 403})),
    ("empty_host", get(host=b"Host:"), frozenset({400, 403})),
    ("host_of_spaces", get(host=b"Host: a b"), frozenset({400, 403})),
    ("header_without_colon", get(b"/", b"Nonsense"), BAD),
    ("header_name_with_space", get(b"/", b"X Y: 1"), BAD),
    ("space_before_colon", get(b"/", b"X-Y : 1"), BAD),
    ("empty_header_name", get(b"/", b": 1"), BAD),
    ("nul_in_value", get(b"/", b"X-Y: a\x00b"), BAD),
    ("bare_cr_in_value", get(b"/", b"X-Y: a\rb"), BAD),
    ("folded_header", get(b"/", b"X-Y: a\r\n b"), BAD),
    ("length_not_a_number", get(b"/", b"Content-Length: ten", method=b"POST"), BAD),
    ("length_negative", get(b"/", b"Content-Length: -1", method=b"POST"), BAD),
    ("length_plus", get(b"/", b"Content-Length: +5", method=b"POST"), BAD),
    ("length_huge", get(b"/", b"Content-Length: 99999999999999999999", method=b"POST"), BAD),
    ("lengths_disagree", get(b"/", b"Content-Length: 5", b"Content-Length: 6", method=b"POST"), BAD),
    ("length_and_chunked", get(b"/", b"Content-Length: 5", b"Transfer-Encoding: chunked", method=b"POST"), BAD),
    ("unknown_coding", get(b"/", b"Transfer-Encoding: sideways", method=b"POST"), frozenset({400, 501})),
    ("chunked_twice", get(b"/", b"Transfer-Encoding: chunked, chunked", method=b"POST"), BAD),
    ("get_with_body", get(b"/", b"Content-Length: 1") + b"x", REFUSED),
    ("method_not_allowed", get(method=b"POST"), REFUSED),
    ("trace", get(method=b"TRACE"), REFUSED),
    ("connect", get(b"host:443", method=b"CONNECT"), frozenset({400, 403})),
    ("unknown_method", get(method=b"FROB"), REFUSED),
    ("url_too_long", get(b"/" + b"a" * 8192), frozenset({414})),
    ("head_too_large", get(b"/", *[b"X-%d: %s" % (n, b"v" * 500) for n in range(70)]), frozenset({494})),
    ("far_too_many_headers", get(b"/", *[b"X-%d: v" % n for n in range(2000)]), frozenset({400, 431, 494})),
    ("endless_header", b"GET / HTTP/1.1\r\nHost: HOST\r\nX: " + b"v" * 300_000, frozenset({400, 431, 494})),
    ("absolute_target_of_another", get(b"http://nobody.example/"), frozenset({400, 403})),
    ("dot_segments_out_of_the_root", get(b"/../../etc/passwd"), frozenset({400, 403, 404})),
]

assert len(CASES) >= 40
