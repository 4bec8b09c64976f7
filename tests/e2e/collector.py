"""A collector of spans as small as can be: a real HTTP server that takes OTLP in protobuf."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


@dataclass(frozen=True)
class Seen:
    """One span as it came, ids in hexadecimal."""

    service: str
    name: str
    kind: int
    trace_id: str
    span_id: str
    parent_id: str
    failed: bool
    links: tuple[str, ...]
    """Trace ids."""
    attributes: dict[str, Any] = field(hash=False)


class Collector:
    """Listens while it is entered; ``endpoint`` is what ``OTLP_ENDPOINT`` is set to."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        bodies = self.bodies

        class Door(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                right = self.path == "/v1/traces" and self.headers["Content-Type"] == PROTOBUF
                if right:
                    bodies.append(body)
                self.send_response(200 if right else 404)
                self.send_header("Content-Type", PROTOBUF)
                self.end_headers()
                self.wfile.write(ExportTraceServiceResponse().SerializeToString())

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def spans(self) -> list[Seen]:
        """All that have come so far, by their beginning."""
        found = []
        for body in self.bodies:
            for of_resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                about = _plain(of_resource.resource.attributes)
                for scope in of_resource.scope_spans:
                    found += [(span, about["service.name"]) for span in scope.spans]
        found.sort(key=lambda pair: pair[0].start_time_unix_nano)
        return [
            Seen(
                service=service,
                name=span.name,
                kind=span.kind,
                trace_id=span.trace_id.hex(),
                span_id=span.span_id.hex(),
                parent_id=span.parent_span_id.hex(),
                failed=span.status.code == span.status.STATUS_CODE_ERROR,
                links=tuple(link.trace_id.hex() for link in span.links),
                attributes=_plain(span.attributes),
            )
            for span, service in found
        ]


PROTOBUF = "application/x-protobuf"


def _plain(attributes: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in attributes}
