"""The worker processes: ended ones come back, and a server that can't keep them ends."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest
from builders.served_process import SLOW, a_port, asked, get, listening, plain_config, process
from builders.until import until

from gateway.base.process_identity import born

pytestmark = pytest.mark.slow

IMPATIENT = """
import gateway.server.worker_processes as workers
workers.GIVES_UP_AFTER = 3.0
"""
# The first worker serves for a while; those after it end before they serve, until the file is gone.
FAILING = """
import os, sys
import gateway.server.serve
real = gateway.server.serve.work

def work(number, *rest):
    if os.path.exists({path!r}):
        os._exit(7)
    real(number, *rest)

gateway.server.serve.work = work
"""


def test_a_worker_that_is_killed_over_and_over_comes_back() -> None:
    """Also one that is killed again within seconds, and all of them at once."""
    port = a_port()
    with process("-c", SLOW.format(port=port, workers=2, threads=1)) as running:
        listening(port)
        for _ in range(3):
            victim = int(get(port, "/pid"))
            os.kill(victim, signal.SIGKILL)
            until(lambda victim=victim: born(victim) is None)
            assert get(port, "/pid"), "the other one answers"
        workers: set[int] = set()
        until(lambda: workers.add(int(get(port, "/pid"))) or len(workers) >= 2, 60)
        for worker in workers:
            if born(worker) is not None:
                os.kill(worker, signal.SIGKILL)
        assert int(get(port, "/pid")) not in workers, "the question waited for a new one"
        assert running.poll() is None


def test_a_server_whose_workers_keep_failing_ends_after_its_time(tmp_path: Path) -> None:
    stop = tmp_path / "fail"
    port = a_port()
    program = IMPATIENT + FAILING.format(path=str(stop)) + SLOW.format(port=port, workers=1, threads=1)
    with process("-c", program) as running:
        listening(port)
        worker = int(get(port, "/pid"))
        stop.touch()
        began = time.monotonic()
        os.kill(worker, signal.SIGKILL)
        assert running.wait(timeout=30) == 1
        assert time.monotonic() - began > 2.5
        assert running.stdout is not None
        said = running.stdout.read()
    assert "worker ended, starting it again" in said
    assert "no worker could serve for so long" in said


def test_workers_that_fail_for_a_while_are_tried_until_they_serve(tmp_path: Path) -> None:
    stop = tmp_path / "fail"
    port = a_port()
    with process(
        "-c", FAILING.format(path=str(stop)) + SLOW.format(port=port, workers=1, threads=1)
    ) as running:
        listening(port)
        worker = int(get(port, "/pid"))
        stop.touch()
        os.kill(worker, signal.SIGKILL)
        time.sleep(3)
        assert running.poll() is None
        stop.unlink()
        assert int(get(port, "/pid")) != worker


def test_what_takes_seconds_is_answered_to_its_end_when_the_server_must_stop() -> None:
    """Granian's own main process saw a worker that was ending as one that refused, and said so after two seconds."""
    port = a_port()
    answers: list[str] = []
    program = SLOW.replace("time.sleep(1.5)", "time.sleep(6)").format(port=port, workers=2, threads=2)
    with process("-c", program) as running:
        listening(port)
        asking = [threading.Thread(target=lambda: answers.append(get(port, "/slow"))) for _ in range(2)]
        for each in asking:
            each.start()
        asked(running, 2)
        began = time.monotonic()
        running.terminate()
        for each in asking:
            each.join()
        assert running.wait(timeout=20) == 0
        assert time.monotonic() - began > 3
        assert running.stdout is not None
        assert "kill" not in running.stdout.read()
    assert answers == ["whole", "whole"]


def test_a_worker_that_does_not_stop_is_killed_when_its_time_is_over() -> None:
    port = a_port()
    program = "import gateway.server.serve\ngateway.server.serve.STOPS_WITHIN = 1\n"
    with process(
        "-c", program + SLOW.replace("1.5", "30").format(port=port, workers=1, threads=1)
    ) as running:
        listening(port)

        def ask() -> None:
            with pytest.raises(OSError):
                get(port, "/slow")

        asking = threading.Thread(target=ask)
        asking.start()
        asked(running)
        running.terminate()
        assert running.wait(timeout=20) == 0, "not after the thirty seconds that the answer takes"
        asking.join()


def test_sighup_replaces_workers_one_after_another_and_loses_no_connection(tmp_path: Path) -> None:
    """Connections wait at one socket of all workers, so none is lost with a worker that ends."""
    port = a_port()
    config = plain_config(tmp_path, port)
    failed: list[BaseException] = []
    count = 0
    ending = threading.Event()

    def ask() -> None:
        nonlocal count
        while not ending.is_set():
            try:
                get(port, "/health/live")
                count += 1
            except OSError as error:
                failed.append(error)

    with process("-m", "gateway", "--config", str(config), "serve", "--no-jobs") as running:
        listening(port)
        asking = [threading.Thread(target=ask) for _ in range(4)]
        for each in asking:
            each.start()
        for _ in range(2):
            before = children(running.pid)
            running.send_signal(signal.SIGHUP)
            until(lambda before=before: not before & children(running.pid), 60)
        ending.set()
        for each in asking:
            each.join()
        assert running.poll() is None
    assert not failed
    assert count > 50


def children(pid: int) -> set[int]:
    """The processes that this one made."""
    return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))
