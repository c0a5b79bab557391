"""Operations as spans of OpenTelemetry, sent by OTLP over HTTP. Loaded only where `[tracing] url` is set.

The ids of a span are those of its operation, so what stands in the log is found in the traces. So spans are made of
operations that ended, and OpenTelemetry's own way of beginning them, with ids of its own, is not used.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from importlib.metadata import version

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from gateway.base.correlation import CALL, REQUEST, Operation
from gateway.base.outgoing import outgoing_session
from gateway.config.telemetry import Tracing

KINDS = {REQUEST: SpanKind.SERVER, CALL: SpanKind.CLIENT}
SAMPLED = TraceFlags(TraceFlags.SAMPLED)
# How an operation may end that is no HTTP status, and is well.
WELL = ("finished", "held", "live", "interrupted")
WELL_STATUS, ILL_STATUS = Status(StatusCode.UNSET), Status(StatusCode.ERROR)
SEND_SECONDS = 10.0


class Traces:
    """Sends what ended and is to be recorded; a sink of `gateway.telemetry.ended`."""

    def __init__(self, settings: Tracing) -> None:
        """In: `[tracing]`. A collector that does not answer costs spans, and nothing else."""
        exporter = OTLPSpanExporter(
            endpoint=settings.url, session=outgoing_session(settings.ca_bundle), timeout=SEND_SECONDS
        )
        self._processor = BatchSpanProcessor(exporter)
        self._resource = Resource.create(
            {
                "service.name": "klantbrug",
                "service.version": version("klantbrug"),
                "process.pid": os.getpid(),
            }
        )

    def __call__(self, ended: Sequence[Operation]) -> None:
        """Send what ended, in the background."""
        for operation in ended:
            if operation.sampled:
                self._processor.on_end(self.span_of(operation))

    def close(self) -> None:
        """Send what waits, and end."""
        self._processor.shutdown()  # type: ignore[no-untyped-call]

    def span_of(self, operation: Operation) -> ReadableSpan:
        """The span of an operation."""
        trace, parent = int(operation.trace_id, 16), operation.parent_operation_id
        began = operation.began_at * 1000
        took = round((operation.ended - operation.began) * 1_000_000_000)
        return ReadableSpan(
            name=f"{operation.method} {operation.name}".strip(),
            context=SpanContext(trace, int(operation.operation_id, 16), False, SAMPLED),
            parent=SpanContext(trace, int(parent, 16), operation.foreign, SAMPLED) if parent else None,
            resource=self._resource,
            attributes=_attributes(operation),
            kind=KINDS.get(operation.sort, SpanKind.INTERNAL),
            status=WELL_STATUS if _is_well(operation) else ILL_STATUS,
            start_time=began,
            end_time=began + took,
        )


def _attributes(operation: Operation) -> Mapping[str, str | int]:
    """As OpenTelemetry names them, else names of ours: templates and words, nothing of anybody."""
    found: dict[str, str | int] = {"klantbrug.request_id": operation.request_id}
    if operation.sort is REQUEST:
        found |= {"http.request.method": operation.method, "http.route": operation.name}
        found["klantbrug.token"] = operation.who
    if isinstance(operation.status, int):
        found["http.response.status_code"] = operation.status
    elif _is_well(operation):
        found["klantbrug.outcome"] = operation.status
    else:
        found["error.type"] = operation.status
    return found | {f"klantbrug.{name}": str(value) for name, value in operation.facts.items()}


def _is_well(operation: Operation) -> bool:
    if not isinstance(operation.status, int):
        return operation.status in WELL
    return operation.status < (500 if operation.sort is REQUEST else 400)
