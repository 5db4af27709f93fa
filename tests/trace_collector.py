"""A collector of traces: takes OTLP over HTTP, and is called as another server would be."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class ReceivedSpan:
    """One span as it came over the wire."""

    trace: str
    id: str
    parent: str
    name: str
    kind: int
    failed: bool
    attributes: dict[str, Any]
    service: str


@dataclass
class Collector:
    port: int
    spans: list[ReceivedSpan] = field(default_factory=list)
    calls: list[tuple[str, str | None]] = field(default_factory=list)
    """Path and traceparent of every other request."""
    content: list[bytes] = field(default_factory=list)
    """What came over the wire, uncompressed."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def take(self, body: bytes) -> None:
        self.content.append(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = _plain(resource.resource.attributes)["service.name"]
            for span in (each for scope in resource.scope_spans for each in scope.spans):
                ids = (span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex())
                received = ReceivedSpan(*ids, span.name, span.kind, span.status.code == 2, _plain(span.attributes), service)
                self.spans.append(received)

    def of_request(self, request_id: str) -> ReceivedSpan:
        """The span of one request."""
        (found,) = [each for each in self.spans if each.attributes.get("sealwright.request_id") == request_id]
        return found

    def within(self, span: ReceivedSpan) -> list[ReceivedSpan]:
        """Every span below another one."""
        children = [each for each in self.spans if each.parent == span.id]
        return children + [each for child in children for each in self.within(child)]


def _plain(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, str(each.value.WhichOneof("value"))) for each in attributes}


@contextmanager
def trace_collector() -> Iterator[Collector]:
    """One on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.path == "/v1/traces" and self.headers["content-type"] == "application/x-protobuf":
                collector.take(gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body)
                self._answer(200)
            else:
                self.do_GET()

        def do_GET(self) -> None:
            collector.calls.append((self.path, self.headers.get("traceparent")))
            self._answer(404)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector = Collector(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
