"""What a client waits for is written before the next batch of a job, whichever processes they are in."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from following import backfilled, small

from gateway import ingest as ingesting
from gateway.installation import Installation
from gateway.sample.server import SampleServer
from gateway.store import turns
from gateway.store.database import Store
from jobs.backfill import Backfill

Install = Callable[..., Installation]
ROUNDS = 20


def test_a_writer_that_waits_goes_before_the_next_batch_of_a_job(tmp_path: Path) -> None:
    """Each in a store of its own on one file, as in processes of their own."""
    job, told = Store(tmp_path / "store.db"), []

    def client() -> None:
        store = Store.__new__(Store)
        store.__dict__.update(job.__dict__, _local=threading.local(), _turns=turns.Turns(job.path))
        with store.write():
            told.append("client")
        store.close()

    with job.giving_way():
        for _ in range(ROUNDS):
            told.clear()
            thread = threading.Thread(target=client)
            with job.write():
                thread.start()
                while not job._turns.anybody_live():
                    time.sleep(0.001)
            with job.write():
                told.append("job")
            thread.join()
            assert told == ["client", "job"]


def test_a_job_gets_on_when_clients_never_stop_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "GIVES_WAY_SECONDS", 0.05)
    store = Store(tmp_path / "store.db")
    other = turns.Turns(store.path)
    with other.live(), store.giving_way(), store.write() as connection:
        assert connection.in_transaction


def test_who_died_waiting_holds_up_nobody(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.db")
    gone = os.fork()
    if not gone:
        with turns.Turns(store.path).live():
            os._exit(0)
    os.waitpid(gone, 0)
    assert not store._turns.anybody_live()


def test_jobs_write_in_the_background_and_clients_do_not(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    gave: list[bool] = []
    monkeypatch.setattr(turns.Turns, "give_way", lambda self: gave.append(True))
    with SampleServer(small(40)) as server:
        installation = install(bron=server)
        gave.clear()
        with installation.store.write():
            pass
        assert not gave
        assert Backfill(installation.fetchers["bron"]).run()
        assert len(gave) > 5


def test_a_batch_that_takes_long_is_made_smaller(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingesting, "BATCH_SECONDS", 0.001)
    sizes: list[int] = []
    take = ingesting.Batch.take

    def counted(self: Any, batch: Any, asked: int) -> None:
        sizes.append(len(batch))
        take(self, batch, asked)

    monkeypatch.setattr(ingesting.Batch, "take", counted)
    with SampleServer(small(6)) as server:
        backfilled(install(bron=server))
    full = [size for size in sizes if size >= ingesting.LEAST]
    assert full[0] > ingesting.LEAST
    assert full.count(ingesting.LEAST) > len(full) / 2
