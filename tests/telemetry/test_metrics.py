"""The metrics of a gateway that runs: counted over all its processes, and what the store knows."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest
from builders.asker import API
from builders.commands import command_process
from builders.monitoring_files import metrics_named
from builders.sample_data import sample_slice, some_zaken
from builders.until import until
from builders.watched_gateway import WatchedGateway, watched_gateway
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.multiprocess import MultiProcessCollector

from gateway.operator.watch.store_metrics import GAUGES
from gateway.sample.server import SampleServer
from gateway.telemetry.counts import page
from gateway.telemetry.slots import Slot, directory_of

pytestmark = pytest.mark.slow

REQUESTS = "klantbrug_request_duration_seconds_count"
PARTIJ = f"{API}/partijen/{{uuid}}"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, run_log: Path) -> Iterator[WatchedGateway]:
    with (
        SampleServer(some_zaken(sample_slice(), 10)) as sample,
        watched_gateway(tmp_path_factory.mktemp("metrics"), run_log, sample) as running,
    ):
        yield running


def test_requests_are_counted_once_over_all_workers(gateway):
    both_answer(gateway)
    before = gateway.total(REQUESTS, route=PARTIJ)
    for _ in range(40):
        assert gateway.ask(f"{API}/partijen/{uuid4()}")[0] == 404
    until(lambda: gateway.total(REQUESTS, route=PARTIJ) >= before + 40)
    assert gateway.total(REQUESTS, route=PARTIJ, method="GET", status="404") == before + 40


def both_answer(gateway: WatchedGateway) -> None:
    """Ask many at once until two workers answered: who asks one by one may get the same worker always."""

    def both() -> bool:
        with ThreadPoolExecutor(16) as clients:
            answers = clients.map(lambda _: gateway.ask("/health/live")[0], range(64))
            assert set(answers) == {200}
        return len(gateway.workers()) >= 2

    until(both, 60)


def test_a_worker_that_is_killed_takes_no_count_along_and_the_next_goes_on(gateway):
    gateway.ask("/health/live")
    until(lambda: gateway.total(REQUESTS, route="/health/live") >= 1)
    before, counted = gateway.total(REQUESTS), gateway.total("klantbrug_told_total")
    killed = gateway.workers()
    for worker in killed:
        os.kill(worker, signal.SIGKILL)
    until(lambda: gateway.ask("/health/live")[0] == 200 and not set(gateway.workers()[-2:]) & set(killed), 30)
    until(lambda: gateway.total(REQUESTS) > before, 30)
    assert gateway.total("klantbrug_told_total") > counted
    sets = list(directory_of(gateway.store).glob("histogram_*.db"))
    assert len(sets) <= 4, "a set of files for each process that counts at one time, and no more"


def test_what_is_asked_of_a_source_is_counted_by_template_and_by_who_asked(gateway):
    assert gateway.ask(gateway.some_person())[0] == 200
    name = "klantbrug_source_call_duration_seconds_count"
    until(lambda: gateway.total(name, source="bron", asked_by="client", status="200") > 0)
    until(
        lambda: gateway.total("klantbrug_hydrate_duration_seconds_count", source="bron", outcome="live") >= 1
    )
    before = gateway.total("klantbrug_hydrate_duration_seconds_count", source="bron", outcome="held")
    assert gateway.ask(gateway.some_person())[0] == 200
    until(lambda: gateway.total("klantbrug_hydrate_duration_seconds_count", outcome="held") > before)


def test_a_deadline_that_passed_is_seen(gateway):
    gateway.sample.traps.stall_rate, gateway.sample.traps.stall_seconds = 1.0, 8.0
    nobody = "partijIdentificator__codeSoortObjectId=bsn&partijIdentificator__objectId=999993653"
    try:
        assert gateway.ask(f"{API}/partijen?{nobody}")[0] == 504
    finally:
        gateway.sample.traps.stall_rate = 0
    until(lambda: gateway.total("klantbrug_hydrate_duration_seconds_count", outcome="deadline_passed") == 1)


def test_a_command_counts_beside_the_gateway(gateway):
    done = command_process(gateway.config, "backfill", "run")
    assert done.returncode == 0, done.stderr
    assert gateway.total("klantbrug_job_duration_seconds_count", outcome="finished") >= 1
    assert gateway.total("klantbrug_source_call_duration_seconds_count", asked_by="job") > 10
    until(lambda: gateway.total("klantbrug_source_covered", source="bron") == 1)
    assert gateway.total("klantbrug_source_coverage_ratio", source="bron") == 1
    assert gateway.total("klantbrug_objects", source="bron", state="translated") > 10
    assert gateway.total("klantbrug_documents", kind="partij") > 0
    assert gateway.total("klantbrug_store_bytes", file="store") > 10_000


def test_jobs_of_the_process_beside_are_counted(gateway):
    until(lambda: gateway.total("klantbrug_scheduler_running") == 1, 30)
    command_process(gateway.config, "jobs", "run", "purge")
    until(lambda: gateway.total("klantbrug_job_last_success_timestamp_seconds", job_name="purge") > 1e9)


def test_every_number_of_the_store_is_shown_with_what_it_is(gateway):
    status, headers, body = gateway.ask("/metrics", token=gateway.monitor)
    assert (status, headers["cache-control"]) == (200, "no-store")
    for name, gauge in GAUGES.items():
        assert f"# HELP klantbrug_{name} {gauge.about}\n" in body.decode()


def test_what_rules_dashboard_and_document_name_is_there(gateway):
    """Asked last of what counts: by now something of each sort happened."""
    text = gateway.ask("/metrics", token=gateway.monitor)[2].decode()
    there = set(re.findall(r"^# TYPE (\w+) ", text, re.MULTILINE))
    assert metrics_named() - there == set()


def test_they_are_for_monitors_only_and_in_the_form_that_is_asked_for(gateway):
    assert gateway.ask("/metrics", token="")[0] == 401
    assert gateway.ask("/metrics")[0] == 403  # a client's token
    accept = "application/openmetrics-text; version=1.0.0"
    _, headers, body = gateway.ask("/metrics", token=gateway.monitor, Accept=accept)
    assert headers["content-type"].startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")


def test_labels_hold_nothing_of_anybody_and_are_few(gateway):
    gateway.ask("/een/pad/dat/er/niet/is")
    gateway.ask(f"{API}/partijen/{uuid4()}", "BREW")
    until(lambda: gateway.total(REQUESTS, method="other") >= 1)
    values = {(name, value) for _, labels in gateway.metrics() for name, value in labels}
    assert not [value for _, value in values if re.search(r"\d{8}|[0-9a-f]{8}-[0-9a-f]{4}|dat/er", value)]
    assert not [value for name, value in values if name == "route" and "?" in value]
    series = [name for name, _ in gateway.metrics()]
    assert len(series) < 2500


def test_a_slot_is_for_one_process_at_a_time_and_is_used_again(tmp_path):
    directory = tmp_path / "counts"
    first, second = Slot(directory), Slot(directory)
    assert (first.name, second.name) == ("1", "2")
    (directory / "counter_1.db").write_bytes(b"kept")
    first.let_go()
    assert Slot(directory).name == "1"
    assert (directory / "counter_1.db").exists(), "the second still counts"


def test_when_nobody_counts_everything_begins_at_zero(tmp_path):
    directory = tmp_path / "counts"
    Slot(directory).let_go()
    (directory / "counter_1.db").write_bytes(b"of before")
    assert Slot(directory).name == "1"
    assert not (directory / "counter_1.db").exists()


def test_a_file_that_another_process_makes_at_this_moment_does_not_take_the_numbers_away(
    tmp_path, monkeypatch
):
    """A process makes its file when it first counts something of that sort, and gives it room a moment later."""
    directory = tmp_path / "counts"
    counting = Slot(directory)
    counted = MmapedDict(str(directory / f"counter_{counting.name}.db"))
    counted.write_value(mmap_key("seen", "seen_total", [], [], "What was seen."), 3.0, 0.0)
    (directory / "histogram_2.db").touch()
    vanished = directory / "counter_3.db"
    vanished.symlink_to(directory / "not there")
    assert b"\nseen_total 3.0\n" in page(directory, "")[0]

    taken = MultiProcessCollector.merge

    def taken_late(files):
        (directory / "gauge_max_2.db").unlink(missing_ok=True)
        return taken(files)

    MmapedDict(str(directory / "gauge_max_2.db")).close()
    monkeypatch.setattr(MultiProcessCollector, "merge", staticmethod(taken_late))
    assert b"\nseen_total 3.0\n" in page(directory, "")[0]


def test_clients_that_send_byte_by_byte_hold_up_the_others_no_longer_than_a_whole_question_may_take(gateway):
    """One for each worker, so that nobody else is there to answer."""
    done = threading.Event()
    with contextlib.ExitStack() as opened:
        slow = [
            opened.enter_context(socket.create_connection(("127.0.0.1", gateway.metrics_port)))
            for _ in range(2)
        ]
        for each in slow:
            each.sendall(b"GET /metrics?")
            time.sleep(0.3)

        def drip() -> None:
            while not done.wait(0.5):
                for each in slow:
                    with contextlib.suppress(OSError):
                        each.sendall(b"x")

        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            assert gateway.metrics()
        finally:
            done.set()
            dripping.join()
