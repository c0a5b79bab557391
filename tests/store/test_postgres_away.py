"""PostgreSQL that is away for a moment, or says that it can't go on: what is told, and what goes on."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from builders.asker import Asker
from builders.configs import read_config, write_config
from builders.database_proxy import DatabaseProxy
from builders.databases import another
from builders.sample_data import small
from builders.served_process import a_port, plain_config, process
from builders.stores import DATABASE, ON_POSTGRES

from gateway import installation
from gateway.base import clock
from gateway.installation import Installation, open_when_there
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer
from gateway.store.base.errors import StoreAway, StoreFailed, StoreNotReached
from gateway.store.operation import leases

pytestmark = pytest.mark.skipif(not ON_POSTGRES, reason="KLANTBRUG_TEST_DATABASE names no database")


@pytest.fixture
def proxy() -> Iterator[DatabaseProxy]:
    with DatabaseProxy() as running:
        yield running


@pytest.fixture
def data() -> Dataset:
    return small(10)


@pytest.mark.parametrize("code", ["25P04", "40003", "53000", "53400", "57P01", "58030", "58P01"])
def test_what_may_pass_is_not_a_fault_of_ours(one: Any, code: str) -> None:
    with pytest.raises(StoreAway), one.write() as session:
        session.script(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{code}'; END $$")


def test_what_the_database_does_not_know_stays_a_fault_of_ours(one: Any) -> None:
    with pytest.raises(StoreFailed) as failed, one.read() as session:
        session.script("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '0A000'; END $$")
    assert not isinstance(failed.value, StoreAway)


@pytest.mark.parametrize("change", ["ALTER TABLE meta ADD COLUMN more bigint", "DEALLOCATE ALL"])
def test_a_connection_whose_statements_are_of_before_a_change_is_left(one: Any, change: str) -> None:
    def ask() -> int:
        with one.read() as session:
            return len(session.all("SELECT * FROM meta"))

    for _ in range(4):
        ask()
    with one.write() as session:
        session.script(change)
    try:
        with pytest.raises(StoreAway):
            ask()
        assert ask() == 0
    finally:
        with one.write() as session:
            session.script("ALTER TABLE meta DROP COLUMN IF EXISTS more")


def test_a_lease_that_could_not_be_given_back_is_taken_again(path: Path, proxy: DatabaseProxy) -> None:
    far = another(path, proxy.url, busy_seconds=1)
    with leases.held(far, "work", 3600, clock.monotonic() + 5, lambda: False) as got:
        assert got
        proxy.sever()
    proxy.down = False
    with leases.held(far, "work", 3600, clock.monotonic() + 2, lambda: False) as got:
        assert got
    far.close()


def test_a_question_whose_reading_could_not_be_kept_is_answered_from_what_is_held(
    server: SampleServer,
    data: Dataset,
    tmp_path: Path,
    proxy: DatabaseProxy,
    install: Callable[..., Installation],
) -> None:
    config = write_config(tmp_path / "far", {"bron": server}, max_age=0)
    config.write_text(config.read_text(encoding="utf-8").replace(DATABASE, proxy.url), encoding="utf-8")
    asker = Asker(install(config))
    zaak = data.objects("zaak")[0]["uuid"]

    def ask() -> tuple[int, bool, str]:
        answer = asker.get("klantcontacten", onderwerpobject__onderwerpobjectidentificatorObjectId=zaak)
        away = "niet bereikbaar" in answer.headers["Klantbrug-Coverage"]
        return answer.status_code, away, answer.headers["Klantbrug-Freshness"]

    proxy.no_writers = True
    assert ask() == (503, True, "stale")
    proxy.no_writers = False
    assert ask() == (200, False, "live")
    proxy.no_writers = True
    assert ask() == (200, False, "stale")
    proxy.no_writers = False


def test_what_serves_waits_for_a_database_that_is_not_there_yet(
    server: SampleServer, tmp_path: Path, proxy: DatabaseProxy, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_config(tmp_path / "far", {"bron": server})
    path.write_text(path.read_text(encoding="utf-8").replace(DATABASE, proxy.url), encoding="utf-8")
    config = read_config(path)
    waited: list[float] = []

    def wait(seconds: float) -> bool:
        waited.append(seconds)
        proxy.down = len(waited) < 3
        return False

    proxy.down = True
    with caplog.at_level("WARNING"):
        found = open_when_there(config, wait)
    found.store.close()
    assert len(waited) == 3
    assert caplog.text.count("the database is not there yet") == 1
    proxy.down = True
    with pytest.raises(SystemExit) as ended:  # as by SIGTERM
        open_when_there(config, lambda _: True)
    assert ended.value.code == 0


def test_what_serves_does_not_wait_for_ever(
    server: SampleServer, tmp_path: Path, proxy: DatabaseProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_config(tmp_path / "far", {"bron": server})
    path.write_text(path.read_text(encoding="utf-8").replace(DATABASE, proxy.url), encoding="utf-8")
    monkeypatch.setattr(installation, "AWAY_SECONDS", 0.0)
    proxy.down = True
    with pytest.raises(StoreNotReached, match="liet ons niet binnen"):
        open_when_there(read_config(path), lambda _: False)


def test_a_replica_that_took_over_is_told_no_longer(one: Any) -> None:
    one.only_reads = True  # it was one when it was opened
    assert one.trouble() == []
    one.only_reads = True
    with one.write() as session:
        session.run("DELETE FROM meta WHERE name = 'none'")
    assert one.only_reads is False


@pytest.fixture
def waiting(tmp_path: Path, proxy: DatabaseProxy) -> Iterator[subprocess.Popen[str]]:
    """A server whose database is not there yet."""
    path = plain_config(tmp_path, a_port())
    path.write_text(path.read_text(encoding="utf-8").replace(DATABASE, proxy.url), encoding="utf-8")
    proxy.down = True
    with process("-m", "gateway", "--config", str(path), "serve", "--no-jobs") as running:
        tells(running, "the database is not there yet")
        yield running


def tells(running: subprocess.Popen[str], event: str) -> None:
    """Wait until it logs this."""
    assert running.stdout is not None
    while event not in (line := running.stdout.readline()):
        assert line, "the server ended"


@pytest.mark.slow
def test_a_server_that_waits_for_its_database_stops_at_a_signal(waiting: subprocess.Popen[str]) -> None:
    waiting.send_signal(signal.SIGTERM)
    assert waiting.wait(5) == 0  # of itself: the first process of a container would else go on


@pytest.mark.slow
def test_a_server_that_waits_for_its_database_reads_its_configuration_again_when_it_serves(
    waiting: subprocess.Popen[str], proxy: DatabaseProxy
) -> None:
    waiting.send_signal(signal.SIGHUP)
    proxy.down = False
    tells(waiting, "the configuration was read again")
    waiting.send_signal(signal.SIGTERM)
    assert waiting.wait(20) == 0
