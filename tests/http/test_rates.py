"""How many requests a token may do: over threads and workers together, with a word in the log."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from builders.editor import Editor
from builders.served_process import a_port, get, listening, plain_config, process
from builders.served_store import Client
from builders.set_clock import SetClock

from gateway.http.auth import create_token
from gateway.http.problems import Problem
from gateway.http.rate_limit import PLACES, SAVED_SECONDS, Rates
from gateway.store.base.store import Store
from gateway.store.operation.tokens import StoredToken

TOKEN = StoredToken(7, "kiss", "read", None)


def taken(rates: Rates, moment: float, times: int, token: StoredToken = TOKEN) -> int:
    passed = 0
    for _ in range(times):
        try:
            rates.take(token, moment)
        except Problem as problem:
            assert (problem.status, problem.code) == (429, "throttled")
        else:
            passed += 1
    return passed


def test_what_is_saved_up_is_given_at_once_and_then_so_many_a_second() -> None:
    rates = Rates(4)
    assert taken(rates, 1000.0, 200) == 4 * SAVED_SECONDS + 1
    assert taken(rates, 1001.0, 200) == 4
    assert taken(rates, 1003.0, 200) == 8
    assert taken(rates, 5000.0, 200) == 4 * SAVED_SECONDS + 1


def test_retry_after_is_when_the_next_one_is_taken() -> None:
    rates = Rates(0.1)
    assert taken(rates, 1000.0, 50) == 2
    with pytest.raises(Problem) as refused:
        rates.take(TOKEN, 1000.5)
    (after,) = (int(value) for name, value in refused.value.headers if name == "Retry-After")
    assert 1 <= after <= 10
    assert taken(rates, 1000.5 + after, 5) == 1


def test_zero_is_no_limit_and_tokens_do_not_hold_up_each_other() -> None:
    assert taken(Rates(0), 1000.0, 5000) == 5000
    rates = Rates(1)
    assert taken(rates, 1000.0, 100) == SAVED_SECONDS + 1
    assert taken(rates, 1000.0, 100, TOKEN._replace(id=8)) == SAVED_SECONDS + 1
    assert taken(rates, 1000.0, 100, TOKEN._replace(id=7 + PLACES)) == 0


def test_it_is_told_once_a_minute_with_the_name_of_the_token(caplog: pytest.LogCaptureFixture) -> None:
    rates = Rates(1)
    with caplog.at_level(logging.WARNING):
        for second in range(121):
            taken(rates, 1000.0 + second, 12 if second == 0 else 3)
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 3
    assert all("kiss" in line for line in told)


def test_a_server_answers_429_with_retry_after_and_again_when_it_said(
    store: Store, serve: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SetClock(monkeypatch, skips=True)
    client = serve(token_requests_per_second=1)
    other = Client(client.base, create_token(store, "ander", "read"))
    began, taken_up = clock.monotonic(), 0  # that of the program, which a thread that waits lets skip
    while (got := client.get("/partijen")).status == 200:
        taken_up += 1
        assert taken_up <= SAVED_SECONDS + 1 + clock.monotonic() - began
    assert (got.status, taken_up > SAVED_SECONDS) == (429, True)
    assert got.json["type"].endswith("/ref/fouten/Throttled/")
    assert int(got.headers["Retry-After"]) == 1
    assert other.get("/partijen").status == 200
    clock.passes(int(got.headers["Retry-After"]))
    assert client.get("/partijen").status == 200


def test_a_write_counts_once(serve: Callable[..., Client]) -> None:
    editor = Editor(serve(scope="write", token_requests_per_second=1))
    answers = [editor.send("POST", "/partijen", {}).status for _ in range(int(SAVED_SECONDS))]
    assert set(answers) == {400}


@pytest.mark.slow
def test_workers_count_together(tmp_path: Path) -> None:
    """Also after a worker was started again: its memory is that of the main process."""
    port = a_port()
    config = plain_config(tmp_path, port)
    text = config.read_text().replace(
        "[gateway]\n", "[gateway]\nworkers = 3\ntoken_requests_per_second = 2\n"
    )
    config.write_text(text)
    command = [sys.executable, "-m", "gateway", "--config", str(config), "token", "create", "x"]
    secret = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    with process("-m", "gateway", "--config", str(config), "serve", "--no-jobs"):
        listening(port)
        assert get(port, "/health/live")
        client, answers = Client(f"http://127.0.0.1:{port}", secret), []
        began = time.monotonic()

        def ask() -> None:
            for _ in range(15):  # each request on a connection of its own, so all workers get some
                answers.append(client.get("/partijen").status)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        most = 2 * (SAVED_SECONDS + time.monotonic() - began) + 4
    assert 2 * SAVED_SECONDS <= answers.count(200) <= most
    assert set(answers) == {200, 429}
