"""An OpenTelemetry collector: takes traces by OTLP over HTTP, decodes and keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from builders.local_server import LocalServer, QuietHandler
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

CONTENT = "application/x-protobuf"


class Collector:
    """What it was sent: spans, and the attributes of what sent each."""

    def __init__(self) -> None:
        self.url = ""
        self.spans: list[Any] = []
        self.senders: list[dict[str, Any]] = []

    def named(self, name: str) -> list[Any]:
        """The spans of this name."""
        return [span for span in self.spans if span.name == name]

    def of(self, trace: str) -> list[Any]:
        """The spans of a trace."""
        return [span for span in self.spans if span.trace_id.hex() == trace]

    def text(self) -> str:
        """All that it was sent."""
        return "".join(map(str, self.spans))


def attributes(span: Any) -> dict[str, Any]:
    """The attributes of a span."""
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes}


@contextmanager
def collector() -> Iterator[Collector]:
    """One that listens in the block."""
    held = Collector()

    class Handler(QuietHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            assert self.headers["Content-Type"] == CONTENT
            sent = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["Content-Length"])))
            for resource in sent.resource_spans:
                held.senders.append(attributes(resource.resource))
                held.spans += [span for scope in resource.scope_spans for span in scope.spans]
            self.reply(200, {"Content-Type": CONTENT}, ExportTraceServiceResponse().SerializeToString())

    with LocalServer(Handler) as server:
        held.url = f"{server.zaken_url.partition('/zaken/')[0]}/v1/traces"
        yield held
