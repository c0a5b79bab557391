"""Copies of the records as spans of OpenTelemetry, by OTLP over HTTP. Loaded only where `[audit] url` is set.

The files are the log; what is sent is a copy, made by a thread of its own after the record is in a file. A collector
that does not answer costs copies, which is told, and nothing else. Never sampled. The records of one operation, one for
each person, are spans of their own under that of the operation: two spans of one id would be one to a collector.
"""

from __future__ import annotations

import atexit
import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from gateway.base.logs import get_logger
from gateway.base.outgoing import outgoing_session
from gateway.telemetry.gathered import Gathered

SAMPLED = TraceFlags(TraceFlags.SAMPLED)
SUBJECT = "dpl.core.data_subject_id"
OK = Status(StatusCode.OK)
SEND_SECONDS, STOPS_WITHIN = 10.0, 15.0
AT_ONCE = 500
# Of the lines of so many answers that wait, the newest is dropped: they stand in the files.
MOST_WAITING = 20_000

log = get_logger(__name__)


class Copies:
    """Sends what one process wrote. Made after a fork, not before it."""

    def __init__(self, url: str, ca_bundle: Path | None) -> None:
        self._exporter = OTLPSpanExporter(
            endpoint=url, session=outgoing_session(ca_bundle), timeout=SEND_SECONDS
        )
        self._resource = Resource.create(
            {"service.name": "klantbrug", "service.version": version("klantbrug"), "process.pid": os.getpid()}
        )
        self._gathered = Gathered[bytes]("audit copies", self._send_all, _dropped, MOST_WAITING)
        atexit.register(self.close)

    def send(self, lines: bytes) -> None:
        """Whole lines that were written. From any thread; waits for nothing."""
        self._gathered.lay(lines)

    def close(self) -> None:
        """Send what waits, and end."""
        atexit.unregister(self.close)
        self._gathered.stop(STOPS_WITHIN)
        self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def _send_all(self, found: Sequence[bytes]) -> None:
        failed = 0
        for spans in _in_parts(self._spans(found)):
            try:
                done = self._exporter.export(spans) is SpanExportResult.SUCCESS
            except Exception as fault:  # noqa: BLE001 - whatever the library meets, the next part is sent all the same
                log.error("copies of the audit log were not sent", cause=type(fault).__name__)
                done = False
            failed += 0 if done else len(spans)
        if failed:
            log.error("copies of the audit log are missing", records=failed)

    def _spans(self, found: Iterable[bytes]) -> Iterator[ReadableSpan]:
        for lines in found:
            for line in lines.splitlines():
                if line:
                    yield span_of(orjson.loads(line), self._resource)


def _dropped(answers: int) -> None:
    log.error("copies of the audit log are missing", answers=answers)


def span_of(record: dict[str, Any], resource: Resource) -> ReadableSpan:
    """A record as a span: its fields have their own places there, its attributes are the span's."""
    trace, operation = int(record["trace_id"], 16), int(record["operation_id"], 16)
    subject = record["attributes"].get(SUBJECT, "")
    own, parent = operation, record["parent_operation_id"]
    if subject:
        own = int.from_bytes(
            hashlib.blake2b(f"{record['operation_id']}{subject}".encode(), digest_size=8).digest(), "big"
        )
        parent = record["operation_id"]
    foreign = record["foreign_operation"] or {}
    attributes = {name: _flat(value) for name, value in record["attributes"].items()} | {
        f"dpl.core.foreign_operation.{name}": value for name, value in foreign.items()
    }
    return ReadableSpan(
        name=record["name"],
        context=SpanContext(trace, own, False, SAMPLED),
        parent=SpanContext(trace, int(parent, 16), False, SAMPLED) if parent else None,
        resource=resource,
        attributes=attributes | {"klantbrug.operation_id": record["operation_id"]},
        kind=SpanKind.INTERNAL,
        status=OK,
        start_time=_nanoseconds(record["start_time"]),
        end_time=_nanoseconds(record["end_time"]),
    )


def _flat(value: Any) -> str | int:
    return value if isinstance(value, str | int) else orjson.dumps(value).decode()


def _nanoseconds(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1_000_000) * 1000


def _in_parts(spans: Iterable[ReadableSpan]) -> Iterator[list[ReadableSpan]]:
    part: list[ReadableSpan] = []
    for span in spans:
        part.append(span)
        if len(part) == AT_ONCE:
            yield part
            part = []
    if part:
        yield part
