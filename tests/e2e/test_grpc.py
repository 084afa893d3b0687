"""gRPC: a real client and a real server (grpcio) with the edge between them, TLS on both sides."""

import concurrent.futures
import queue
import threading

import grpc
import pytest

from nearfront import (ALL_METHODS, ALL_VIEWER_EXCEPT_HOST, CACHING_DISABLED, Up, certificate, deployed, distribution,
                       free_port, https_origin)

WITHIN = 60  # seconds, for whatever must not hang
LARGE = bytes(range(256)) * 8_000  # two megabytes


class Service(grpc.GenericRpcHandler):
    """Methods on plain bytes."""

    def __init__(self):
        self.cancelled = threading.Event()
        self.seen = queue.Queue()

    def service(self, call):
        method = call.method.rpartition("/")[2]
        self.seen.put({key: value for key, value in call.invocation_metadata})
        return {
            "Unary": grpc.unary_unary_rpc_method_handler(self.unary),
            "Count": grpc.unary_stream_rpc_method_handler(self.count),
            "Sum": grpc.stream_unary_rpc_method_handler(self.sum),
            "Echo": grpc.stream_stream_rpc_method_handler(self.echo),
            "Fail": grpc.unary_unary_rpc_method_handler(self.fail),
            "Hang": grpc.unary_stream_rpc_method_handler(self.hang),
        }.get(method)

    def unary(self, message, context):
        context.send_initial_metadata((("x-first", "1"),))
        context.set_trailing_metadata((("x-last", "2"), ("sum-bin", b"\x00\xff")))
        return message[::-1]

    def count(self, message, context):
        yield from (str(number).encode() for number in range(int(message)))

    def sum(self, messages, context):
        return str(sum(map(int, messages))).encode()

    def echo(self, messages, context):
        yield from messages

    def fail(self, message, context):
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not today: 100 % ü")

    def hang(self, message, context):
        context.add_callback(self.cancelled.set)
        yield str(context.time_remaining()).encode()
        self.cancelled.wait(WITHIN)


@pytest.fixture(scope="module")
def service():
    return Service()


@pytest.fixture(scope="module")
def near(tmp_path_factory, service):
    """An edge, with the server's port and its domain."""
    pem, key = certificate(tmp_path_factory.mktemp("grpc"))
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(32), handlers=[service])
    secrets = grpc.ssl_server_credentials([(key.read_bytes(), pem.read_bytes())])
    port = server.add_secure_port("localhost:0", secrets)
    server.start()
    with Up(settings={"edge": {"origin_ca_file": str(pem)}}) as near:
        near.domain = deployed(near, config("grpc", port))
        yield near
    server.stop(None)


def config(reference, port):
    return distribution(reference, [https_origin("grpc", port)], DefaultCacheBehavior={
        "AllowedMethods": ALL_METHODS, "GrpcConfig": {"Enabled": True}, "CachePolicyId": CACHING_DISABLED,
        "OriginRequestPolicyId": ALL_VIEWER_EXCEPT_HOST, "ViewerProtocolPolicy": "https-only"})


def channel_to(near, domain):
    secrets = grpc.ssl_channel_credentials(near.ca().read_bytes())
    options = [("grpc.ssl_target_name_override", domain), ("grpc.default_authority", domain)]
    return grpc.secure_channel(f"127.0.0.1:{near.port('edge_https')}", secrets, options)


@pytest.fixture
def channel(near, service):
    service.cancelled.clear()
    while not service.seen.empty():
        service.seen.get()
    with channel_to(near, near.domain) as channel:
        yield channel


def test_unary_with_metadata_both_ways(channel, service):
    answer, call = channel.unary_unary("/test.Service/Unary").with_call(b"abc", timeout=WITHIN, metadata=(("x-mine", "3"),))
    assert answer == b"cba"
    assert dict(call.initial_metadata())["x-first"] == "1"
    assert {key: value for key, value in call.trailing_metadata()}.items() >= {"x-last": "2", "sum-bin": b"\x00\xff"}.items()
    assert service.seen.get(timeout=WITHIN)["x-mine"] == "3"


def test_large_messages(channel):
    assert channel.unary_unary("/test.Service/Unary")(LARGE, timeout=WITHIN) == LARGE[::-1]


def test_compressed_messages(channel):
    answer = channel.unary_unary("/test.Service/Unary")(LARGE, timeout=WITHIN, compression=grpc.Compression.Gzip)
    assert answer == LARGE[::-1]


def test_server_streaming(channel):
    answers = channel.unary_stream("/test.Service/Count")(b"500", timeout=WITHIN)
    assert [int(answer) for answer in answers] == list(range(500))


def test_client_streaming(channel):
    messages = (str(number).encode() for number in range(1000))
    assert channel.stream_unary("/test.Service/Sum")(messages, timeout=WITHIN) == b"499500"


def test_both_stream_at_the_same_time(channel):
    messages = queue.Queue()
    answers = channel.stream_stream("/test.Service/Echo")(iter(messages.get, None), timeout=WITHIN)
    for number in range(50):  # each message is only sent once the one before has come back
        messages.put(f"message {number}".encode())
        assert next(answers) == f"message {number}".encode()
    messages.put(None)
    assert list(answers) == []
    assert answers.code() is grpc.StatusCode.OK


def test_many_calls_at_once(channel):
    calls = [channel.unary_unary("/test.Service/Unary").future(str(number).encode(), timeout=WITHIN) for number in range(100)]
    assert [call.result() for call in calls] == [str(number).encode()[::-1] for number in range(100)]


def test_a_status_of_the_server(channel):
    with pytest.raises(grpc.RpcError) as failed:
        channel.unary_unary("/test.Service/Fail")(b"", timeout=WITHIN)
    assert failed.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert failed.value.details() == "not today: 100 % ü"


def test_a_method_that_is_not_there(channel):
    with pytest.raises(grpc.RpcError) as failed:
        channel.unary_unary("/test.Service/None")(b"", timeout=WITHIN)
    assert failed.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_a_cancelled_call_ends_at_the_server(channel, service):
    answers = channel.unary_stream("/test.Service/Hang")(b"", timeout=WITHIN)
    next(answers)
    answers.cancel()
    assert service.cancelled.wait(WITHIN)


def test_a_deadline_reaches_the_server_and_ends_the_call(channel, service):
    answers = channel.unary_stream("/test.Service/Hang")(b"", timeout=3)
    assert float(next(answers)) <= 3
    with pytest.raises(grpc.RpcError) as failed:
        next(answers)
    assert failed.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert service.cancelled.wait(WITHIN)


def test_an_origin_that_is_not_there_is_unavailable(near):
    domain = deployed(near, config("gone", free_port()))
    with channel_to(near, domain) as channel, pytest.raises(grpc.RpcError) as failed:
        channel.unary_unary("/test.Service/Unary")(b"", timeout=WITHIN)
    assert failed.value.code() is grpc.StatusCode.UNAVAILABLE
    assert "does not accept connections" in failed.value.details()
