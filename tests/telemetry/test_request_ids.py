"""The ids of a request: in its answer, in the log, in its problem document, and passed on to sources."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders.asker import API
from builders.sample_data import sample_slice, some_zaken
from builders.watched_gateway import WatchedGateway, watched_gateway

from gateway.base import correlation
from gateway.sample.server import SampleServer

pytestmark = pytest.mark.slow

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, run_log: Path) -> Iterator[WatchedGateway]:
    with (
        SampleServer(some_zaken(sample_slice(), 10)) as sample,
        watched_gateway(tmp_path_factory.mktemp("request-ids"), run_log, sample) as running,
    ):
        yield running


def test_an_answer_has_the_id_that_the_client_gave(gateway):
    given = "28be5044-9d85-4354-b06f-4c3964f01290"
    status, headers, _ = gateway.ask(
        f"{API}/partijen/28be5044-9d85-4354-b06f-4c3964f01290", X_Request_ID=given
    )
    assert (status, headers["x-request-id"]) == (404, given)


@pytest.mark.parametrize(
    "given",
    [
        *("", "two words", "x" * 129, "ÿ", "a\tb"),
        *(
            "999990019",
            "bsn:999990019",
            "a999990019",
            "zaak:c999990019",
            "0999990019",
            "999.990.019",
            "9-9_9:990019f",
        ),
        *("req-1732890000123", f"{999990019:032}", "99990019"),
    ],
)
def test_an_id_that_is_not_well_formed_or_could_be_a_bsn_is_not_taken(gateway, given):
    _, headers, _ = gateway.ask("/health/live", X_Request_ID=given)
    assert re.fullmatch("[0-9a-f]{32}", headers["x-request-id"])


@pytest.mark.parametrize(
    "given",
    [
        "a",
        "28be5044-9d85-4354-b06f-4c3964f01290",
        "0A01:8296_7F0:1F90",
        "req-1234567.a8",
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "00999990019b4da6a3ce929d0e0e4736",
        "12345678-1111-4111-8111-123456789012",
    ],
)
def test_usual_ids_are_taken(given):
    assert correlation.request_of("GET", given, None, 0.0).request_id == given


@pytest.mark.parametrize(
    ("method", "path", "route"),
    [
        ("GET", f"{API}/partijen/28be5044-9d85-4354-b06f-4c3964f01290", f"{API}/partijen/{{uuid}}"),
        ("GET", f"{API}/actoren?naam=iemand", f"{API}/actoren"),
        ("DELETE", f"{API}/actoren/28be5044-9d85-4354-b06f-4c3964f01290", f"{API}/actoren/{{uuid}}"),
        ("GET", "/iets/van/niemand", "(none)"),
        ("GET", "/health/ready", "/health/ready"),
    ],
)
def test_a_request_is_a_line_with_its_template_and_nothing_that_was_asked(gateway, method, path, route):
    status, headers, _ = gateway.ask(path, method)
    line = gateway.line_of(headers["x-request-id"])
    assert (line["method"], line["route"], line["status"]) == (method, route, status)
    assert line["token"] == ("balie" if path.startswith(API) else "")
    assert line["pid"] != gateway.process.pid
    assert 0 < line["ms"] < 30_000
    text = json.dumps(line)
    assert "?" not in text
    assert "iemand" not in text
    assert not set(re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", path)) & set(re.findall(r"[0-9a-f-]{36}", text))


def test_the_instance_of_a_problem_is_in_the_line_of_its_request(gateway):
    status, headers, body = gateway.ask(f"{API}/partijen?nothing=1")
    assert status == 400
    assert gateway.line_of(headers["x-request-id"])["instance"] == json.loads(body)["instance"]


def test_a_refusal_of_the_server_itself_has_an_id_and_a_line(gateway):
    """A body that ends too soon never reaches the application."""
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=60)
    with contextlib.closing(connection):
        connection.putrequest("POST", f"{API}/actoren")
        connection.putheader("Transfer-Encoding", "chunked")
        connection.putheader("X-Request-ID", "cut-off")
        connection.endheaders()
        connection.send(b'5\r\n{"a"')
        answer = connection.getresponse()
        body = json.loads(answer.read())
    assert (answer.status, answer.getheader("X-Request-ID")) == (408, "cut-off")
    line = gateway.line_of("cut-off")
    assert (line["route"], line["status"], line["instance"]) == ("(refused)", 408, body["instance"])


def test_a_trace_is_taken_up_and_passed_on_to_the_source(gateway):
    gateway.passed_on.clear()
    status, headers, _ = gateway.ask(gateway.some_person(), traceparent=TRACEPARENT)
    assert status == 200
    line = gateway.line_of(headers["x-request-id"])
    assert line["trace_id"] == TRACE
    assert line["operation_id"] != PARENT
    assert gateway.passed_on
    for each in gateway.passed_on:
        version, trace, parent, flags = each.split("-")
        assert (version, trace, flags) == ("00", TRACE, "01")
        assert parent not in (PARENT, line["operation_id"])  # each call is an operation of its own


@pytest.mark.parametrize(
    "given",
    [
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-01-more",
        "nonsense",
    ],
)
def test_a_traceparent_that_is_not_well_formed_begins_a_new_trace(given):
    operation = correlation.request_of("GET", None, given, 0.0)
    assert operation.trace_id != TRACE
    assert not operation.foreign


def test_a_traceparent_of_a_later_version_is_read_as_far_as_it_is_known():
    operation = correlation.request_of("GET", None, f"01-{TRACE}-{PARENT}-00-more", 0.0)
    assert (operation.trace_id, operation.parent_operation_id, operation.sampled) == (TRACE, PARENT, False)


def test_parts_of_a_request_have_its_trace_and_another_thread_none():
    correlation.take_up(None)
    asked = correlation.request_of("GET", "asked", TRACEPARENT, 0.0)
    with correlation.part(correlation.CALL, "GET rollen", source="bron") as call:
        assert correlation.current() is call
        assert (call.trace_id, call.parent_operation_id) == (TRACE, asked.operation_id)
        assert call.request_id == "asked"
    assert correlation.current() is asked
    correlation.take_up(None)
    with correlation.part(correlation.JOB, "sync") as job:
        assert (job.parent_operation_id, job.request_id) == ("", job.trace_id)
    assert correlation.current() is None


def test_no_line_is_lost_when_the_server_is_stopped(tmp_path: Path, run_log: Path):
    with (
        SampleServer(some_zaken(sample_slice(), 50)) as sample,
        watched_gateway(tmp_path / "request-ids-ending", run_log, sample) as ending,
    ):
        asked = [ending.ask("/health/live")[1]["x-request-id"] for _ in range(20)]
        ending.process.send_signal(signal.SIGTERM)
        ending.process.wait(timeout=30)
        told = [line["request_id"] for line in ending.lines()]
    assert [told.count(each) for each in asked] == [1] * len(asked)
