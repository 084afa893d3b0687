"""Traces: a span for each request with the pipeline's stages in it, sent over OTLP, and the trace
context passed on to the origin (W3C Trace Context)."""

import http.server
import re
import threading

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from nearfront import Origin, Up, distribution, http_origin, until

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Collector:
    """Takes OTLP over HTTP and keeps the spans."""

    def __init__(self):
        self.spans = spans = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                told = ExportTraceServiceRequest.FromString(body)
                spans.extend(span for one in told.resource_spans for scope in one.scope_spans for span in scope.spans)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def test_a_request_is_traced_from_the_viewer_to_the_origin():
    seen = []

    def page(handler):
        seen.append(handler.headers["traceparent"])
        handler.reply(200, body=b"traced")

    with Collector() as collector, Origin({"/page": page}) as origin, \
            Up({"telemetry": {"otlp_endpoint": collector.url}}) as near:
        made = near.client().create_distribution(
            DistributionConfig=distribution("traced", [http_origin("web", origin.port)]))["Distribution"]
        near.client().get_waiter("distribution_deployed").wait(Id=made["Id"], WaiterConfig={"Delay": 1})
        answer = near.get(made["DomainName"], "/page", headers={"traceparent": PARENT})
        assert answer.body == b"traced"
        trace = bytes.fromhex(PARENT.split("-")[1])
        assert re.fullmatch(f"00-{trace.hex()}-[0-9a-f]{{16}}-01", seen[0]) and seen[0] != PARENT
        ours = until(lambda: [span for span in collector.spans if span.trace_id == trace], 30, "our spans")
        until(lambda: {"lookup", "fetch"} <= {span.name for span in collector.spans if span.trace_id == trace}, 30,
              f"the stages among {[span.name for span in ours]}")
