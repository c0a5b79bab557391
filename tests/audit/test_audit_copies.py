"""Copies of the audit log, as a real collector gets and decodes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from builders.asker import API
from builders.commands import command_process
from builders.otlp_collector import attributes, collector
from builders.sample_data import sample_slice, some_zaken
from builders.served_process import a_port
from builders.until import until
from builders.watched_gateway import WatchedGateway, watched_gateway

from gateway.sample.server import SampleServer

pytestmark = pytest.mark.slow

ACTIVITY = "https://register.example.nl/activiteit/klantcontact"
SUBJECT = "dpl.core.data_subject_id"


def audited(url: str) -> str:
    return f'[audit]\nenabled = true\nactivity = "{ACTIVITY}"\nurl = "{url}"\n'


def records(gateway: WatchedGateway) -> list[dict[str, Any]]:
    paths = sorted(Path(f"{gateway.store}.audit").iterdir())
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


def told(span: Any) -> tuple[str, str, str]:
    return span.trace_id.hex(), attributes(span).get(SUBJECT, ""), span.name


def test_a_collector_gets_a_span_of_each_record_never_sampled(tmp_path: Path, run_log: Path) -> None:
    with (
        collector() as collected,
        SampleServer(some_zaken(sample_slice(), 25)) as sample,
        watched_gateway(tmp_path, run_log, sample, audited(collected.url)) as gateway,
    ):
        assert command_process(gateway.config, "backfill").returncode == 0
        for path in ("partijen?pageSize=50", "klantcontacten?expand=hadBetrokkenen.wasPartij", "betrokkenen"):
            trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"  # who asks records nothing
            assert gateway.ask(f"{API}/{path}", traceparent=trace)[0] == 200
        lines = records(gateway)
        assert len(lines) > 50
        until(lambda: len(collected.spans) >= len(lines), 30)
        assert sorted(map(told, collected.spans)) == sorted(
            (each["trace_id"], each["attributes"].get(SUBJECT, ""), each["name"]) for each in lines
        )
        assert len({(span.trace_id, span.span_id) for span in collected.spans}) == len(collected.spans)
        persons = [span for span in collected.spans if attributes(span).get(SUBJECT)]
        span, by_operation = persons[0], {each["operation_id"]: each for each in lines}
        record = by_operation[attributes(span)["klantbrug.operation_id"]]
        assert span.parent_span_id.hex() == record["operation_id"]
        assert attributes(span)["dpl.core.processing_activity_id"] == ACTIVITY
        assert attributes(span)["dpl.core.foreign_operation.operation_id"] == "b7ad6b7169203331"
        assert 0 < span.start_time_unix_nano <= span.end_time_unix_nano


def test_a_collector_that_is_not_there_holds_nothing_up(tmp_path: Path, run_log: Path) -> None:
    with (
        SampleServer(some_zaken(sample_slice(), 25)) as sample,
        watched_gateway(
            tmp_path, run_log, sample, audited(f"http://127.0.0.1:{a_port()}/v1/traces")
        ) as gateway,
    ):
        assert command_process(gateway.config, "backfill").returncode == 0
        for _ in range(5):
            assert gateway.ask(f"{API}/partijen")[0] == 200
        assert len([each for each in records(gateway) if SUBJECT in each["attributes"]]) >= 5
        until(lambda: "copies of the audit log are missing" in gateway.log.read_text(), 40)
