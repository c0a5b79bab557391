"""Traces: requests, calls on sources and jobs, as a real collector gets them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders.commands import command_process
from builders.otlp_collector import Collector, attributes, collector
from builders.sample_data import sample_slice, some_zaken
from builders.until import until
from builders.watched_gateway import WatchedGateway, watched_gateway
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from gateway.sample.server import SampleServer

pytestmark = pytest.mark.slow

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SERVER, CLIENT = Span.SpanKind.SPAN_KIND_SERVER, Span.SpanKind.SPAN_KIND_CLIENT


@pytest.fixture(scope="module")
def collected() -> Iterator[Collector]:
    with collector() as running:
        yield running


@pytest.fixture(scope="module")
def gateway(
    tmp_path_factory: pytest.TempPathFactory, run_log: Path, collected: Collector
) -> Iterator[WatchedGateway]:
    tracing = f'[tracing]\nurl = "{collected.url}"\n'
    with (
        SampleServer(some_zaken(sample_slice(), 5)) as sample,
        watched_gateway(tmp_path_factory.mktemp("traces"), run_log, sample, tracing) as running,
    ):
        yield running


def test_a_request_is_a_span_and_so_is_each_call_that_it_took(gateway, collected):
    status, headers, _ = gateway.ask(gateway.some_person(), traceparent=f"00-{TRACE}-{PARENT}-01")
    assert status == 200
    until(lambda: [span for span in collected.of(TRACE) if span.kind == SERVER], 30)
    (request,) = [span for span in collected.of(TRACE) if span.kind == SERVER]
    line = gateway.line_of(headers["x-request-id"])
    assert (request.trace_id.hex(), request.span_id.hex()) == (TRACE, line["operation_id"])
    assert request.parent_span_id.hex() == PARENT
    assert request.name == "GET /klantinteracties/api/v1/partijen"
    told = attributes(request)
    assert told["http.route"] == "/klantinteracties/api/v1/partijen"
    assert told["http.response.status_code"] == 200
    assert told["klantbrug.token"] == "balie"
    assert 0 < request.end_time_unix_nano - request.start_time_unix_nano < 60e9
    by_id = {span.span_id: span for span in collected.of(TRACE)}
    calls = [span for span in by_id.values() if span.kind == CLIENT]
    assert calls
    for call in calls:
        asked_by = by_id[call.parent_span_id]
        assert asked_by.name == "hydrate"
        assert asked_by.parent_span_id == request.span_id
        assert attributes(call)["klantbrug.source"] == "bron"
    # What went over the line named the span of the call.
    sent = {each.split("-")[2] for each in gateway.passed_on if each.startswith(f"00-{TRACE}-")}
    assert {call.span_id.hex() for call in calls} <= sent


def test_a_caller_that_records_nothing_has_nothing_recorded(gateway, collected):
    trace = "1" * 32
    _, headers, _ = gateway.ask("/health/live", traceparent=f"00-{trace}-{PARENT}-00")
    assert gateway.line_of(headers["x-request-id"])["trace_id"] == trace
    _, headers, _ = gateway.ask("/health/live")
    later = gateway.line_of(headers["x-request-id"])["trace_id"]
    until(lambda: bool(collected.of(later)), 30)
    assert collected.of(trace) == []


def test_a_fault_of_ours_is_an_error_and_a_refusal_is_none(gateway, collected):
    _, refused, _ = gateway.ask("/klantinteracties/api/v1/partijen?nothing=1")
    status, _, _ = gateway.ask("/klantinteracties/api/v1/klantcontacten?kanaal=telefoon")
    assert status == 503  # before the backfill nobody knows
    found = "GET /klantinteracties/api/v1/klantcontacten"
    until(lambda: bool(collected.named(found)), 30)
    assert [span.status.code for span in collected.named(found)] == [Status.STATUS_CODE_ERROR]

    def codes() -> dict[str, int]:  # a worker sends in its own time
        return {attributes(each)["klantbrug.request_id"]: each.status.code for each in [*collected.spans]}

    until(lambda: refused["x-request-id"] in codes(), 30)
    assert codes()[refused["x-request-id"]] == Status.STATUS_CODE_UNSET


def test_jobs_and_commands_are_spans_with_their_calls(gateway, collected):
    done = command_process(gateway.config, "backfill", "run")
    assert done.returncode == 0, done.stderr
    until(lambda: bool(collected.named("klantbrug backfill run")), 30)
    (command,) = collected.named("klantbrug backfill run")
    calls = [span for span in collected.of(command.trace_id.hex()) if span.kind == CLIENT]
    assert len(calls) > 5, "also those of the threads that ask"
    assert attributes(command)["klantbrug.outcome"] == "finished"
    done = command_process(gateway.config, "jobs", "run", "sync")
    assert done.returncode == 0, done.stderr
    until(lambda: bool(collected.named("sync")), 30)
    assert attributes(collected.named("sync")[0])["klantbrug.source"] == "bron"


def test_a_sender_says_which_service_and_process_it_is(collected):
    assert collected.senders
    for sender in collected.senders:
        assert sender["service.name"] == "klantbrug"
        assert sender["process.pid"] > 0


def test_nothing_of_anybody_is_sent(gateway, collected):
    people = (each["betrokkeneIdentificatie"] for each in gateway.sample.dataset.objects("rol"))
    numbers = {each["inpBsn"] for each in people if each and each.get("inpBsn")}
    assert len(collected.spans) > 20
    assert not {number for number in numbers if number in collected.text()}


LOADED = """
import sys
from pathlib import Path
from gateway.config.load import load_config
from gateway.server.serve import make_app
make_app(load_config(Path(sys.argv[1]), {}))
print(sorted({name.partition(".")[0] for name in sys.modules} & {"opentelemetry", "prometheus_client", "google"}))
"""


@pytest.mark.parametrize(
    ("more", "loaded"),
    [("", "[]"), ("[metrics]\nenabled = true\n", "['prometheus_client']")],
    ids=["off", "metrics"],
)
def test_what_is_off_is_not_loaded(tmp_path, more, loaded):
    config = tmp_path / "config.toml"
    config.write_text(f"[gateway]\nregister = true\n{more}")
    line = [sys.executable, "-c", LOADED, str(config)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == loaded
