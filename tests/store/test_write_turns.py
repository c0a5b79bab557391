"""What a client waits for is written before the next batch of a job, whichever processes they are in."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from builders.commands import command
from builders.configs import write_config
from builders.following import backfilled
from builders.sample_data import small
from builders.stores import ON_POSTGRES

from gateway.base.process_identity import NotShared, open_shared
from gateway.ingest import ingest as ingesting
from gateway.installation import Installation
from gateway.sample.server import SampleServer
from gateway.store.base.kinds import RAW_KINDS
from gateway.store.file import write_turns
from gateway.store.file.database import FileStore
from jobs.backfill.backfill import Backfill

Install = Callable[..., Installation]
ROUNDS, NOBODY = 20, 65534


@pytest.mark.of_the_file
def test_a_writer_that_waits_goes_before_the_next_batch_of_a_job(tmp_path: Path) -> None:
    """Each in a store of its own on one file, as in processes of their own."""
    job, told = FileStore(tmp_path / "store.db"), []

    def client() -> None:
        store = FileStore(tmp_path / "store.db")
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


@pytest.mark.of_the_file
def test_a_job_gets_on_when_clients_never_stop_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_turns, "GIVES_WAY_SECONDS", 0.05)
    store = FileStore(tmp_path / "store.db")
    other = write_turns.Turns(store.path)
    with other.live(), store.giving_way(), store.write() as connection:
        assert connection.in_transaction


@pytest.mark.of_the_file
@pytest.mark.slow
def test_who_died_waiting_holds_up_nobody(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "store.db")
    gone = os.fork()
    if not gone:
        with write_turns.Turns(store.path).live():
            os._exit(0)
    os.waitpid(gone, 0)
    assert not store._turns.anybody_live()


@pytest.mark.of_the_file
def test_jobs_write_in_the_background_and_clients_do_not(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    gave: list[bool] = []
    monkeypatch.setattr(write_turns.Turns, "give_way", lambda self: gave.append(True))
    with SampleServer(small(40)) as server:
        installation = install(bron=server)
        gave.clear()
        with installation.store.write():
            pass
        assert not gave
        assert Backfill(installation.fetchers["bron"]).run()
        assert len(gave) > 5


def batch_sizes(install: Install, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many objects the batches of a backfill held."""
    sizes: list[int] = []
    take = ingesting.Batch.take

    def counted(self: Any, batch: Any, asked: int) -> None:
        sizes.append(len(batch))
        take(self, batch, asked)

    monkeypatch.setattr(ingesting.Batch, "take", counted)
    with SampleServer(small(6)) as server:
        backfilled(install(bron=server))
    return sizes


@pytest.mark.of_the_file
@pytest.mark.slow
def test_a_batch_that_takes_long_is_made_smaller(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingesting, "BATCH_SECONDS", 0.0)  # less than any takes, on any machine
    monkeypatch.setattr(write_turns.Turns, "lately", lambda self: True)
    full = [size for size in batch_sizes(install, monkeypatch) if size >= ingesting.LEAST]
    assert full[0] > ingesting.LEAST
    assert full.count(ingesting.LEAST) > len(full) / 2


@pytest.mark.slow
def test_batches_stay_large_while_no_client_writes(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingesting, "BATCH_SECONDS", 0.001)
    monkeypatch.setattr(ingesting, "QUIET_SECONDS", 60)
    sizes = batch_sizes(install, monkeypatch)
    # How far away a database is, is seen in the first batch of each kind.
    assert sizes.count(ingesting.LEAST) <= (len(RAW_KINDS) if ON_POSTGRES else 1)
    assert max(sizes) > 10 * ingesting.LEAST


def test_what_does_not_fit_in_one_batch_goes_in_even_ones(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small one at the end costs nearly as much as a large one."""
    taken: list[list[int]] = []
    took, read = ingesting.Batch.take, ingesting.Ingest.take
    monkeypatch.setattr(ingesting.Ingest, "_room", lambda _self, _kind: 40)
    monkeypatch.setattr(
        ingesting.Batch,
        "take",
        lambda self, part, asked: taken[-1].append(len(part)) or took(self, part, asked),
    )

    def take(self: Any, source: str, kind: str, objects: Any, *also: Any, **how: Any) -> Any:
        taken.append([])
        return read(self, source, kind, objects, *also, **how)

    monkeypatch.setattr(ingesting.Ingest, "take", take)
    with SampleServer(small(60)) as server:
        backfilled(install(bron=server))
    split = [sizes for sizes in taken if len(sizes) > 1]
    assert split
    assert all(max(sizes) <= 40 and max(sizes) - min(sizes) <= 1 for sizes in split)


def test_what_even_batches_took_is_learned_though_they_are_small(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a source with pages of 38 would never get larger ones."""
    with SampleServer(small(60)) as server:
        ingest = backfilled(install(bron=server)).fetchers["bron"].ingest
        held = server.dataset.objects("rol")[:38]
    monkeypatch.setattr(ingesting.Ingest, "_room", lambda _self, _kind: ingesting.LEAST)
    ingest._cost.clear()
    ingest.take("bron", "rol", held, asked=0)
    assert len(held) == 38
    assert ingest._cost["rol"] > 0


@pytest.mark.of_the_file
def test_a_job_knows_for_a_minute_that_a_client_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_turns, "GIVES_WAY_SECONDS", 0.01)
    store, client = FileStore(tmp_path / "store.db"), write_turns.Turns(tmp_path / "store.db")
    assert not store.clients_write()
    with client.live(), store.giving_way(), store.write():
        pass
    assert store.clients_write()
    later = time.monotonic() + write_turns.LATELY_SECONDS
    monkeypatch.setattr(write_turns.time, "monotonic", lambda: later)
    assert not store.clients_write()


@pytest.mark.of_the_file
@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="needs to be two users")
@pytest.mark.parametrize("name", ["store.db.turn", "store.db.open", "store.db.bron.pace"])
def test_a_shared_file_of_another_user_is_an_error_that_names_it(name: str) -> None:
    with TemporaryDirectory() as folder:
        store, file = Path(folder) / "store.db", Path(folder) / name
        Path(folder).chmod(0o777)
        file.touch(0o600)
        child = os.fork()
        if not child:
            _as_nobody(file, store)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _as_nobody(file: Path, store: Path) -> None:
    """Ends with 0 when the error names file, owner and what to do."""
    code = 1
    try:
        os.setuid(NOBODY)
        open_shared(file, store)
    except NotShared as error:
        code = 0 if all(part in str(error) for part in (str(file), "van root", "chown")) else 2
    finally:
        os._exit(code)


@pytest.mark.of_the_file
@pytest.mark.skipif(os.geteuid() != 0, reason="needs to be two users")
def test_what_root_makes_for_a_store_of_another_user_is_that_users(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    store.touch()
    os.chown(store, NOBODY, NOBODY)
    os.close(open_shared(tmp_path / "store.db.bron.pace", store))
    assert (tmp_path / "store.db.bron.pace").stat().st_uid == NOBODY


@pytest.mark.of_the_file
def test_a_pace_that_can_not_be_shared_ends_the_start(tmp_path: Path) -> None:
    with SampleServer(small(40)) as server:
        config = write_config(tmp_path / "here", {"bron": server})
        (tmp_path / "here" / "klantbrug.db.bron.pace").mkdir()
        found = command(config, "backfill", "run")
        assert found.exit_code == 2
        assert "klantbrug.db.bron.pace" in found.stderr and "chown" in found.stderr
        paused = command(config, "backfill", "pause")
        assert paused.exit_code == 2
        assert "klantbrug.db.bron.pace" in paused.stderr
