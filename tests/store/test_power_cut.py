"""What was acknowledged outlasts a power cut: after it there is of the store what was synced, and nothing else.

A shim copies the files of the store whenever SQLite has synced one of them; the power cut is a kill of all processes
and those copies in the place of the files. What the kernel still had in its memory is gone by that.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from builders.asker import API
from builders.commands import klantbrug
from builders.configs import read_config, write_config
from builders.sample_data import small
from builders.served_process import a_port
from builders.timed_clients import Timed, ask
from builders.until import until_it_works

from gateway.base.clock import now
from gateway.http.auth import create_token, identify
from gateway.http.problems import Problem
from gateway.ingest.ingest import Ingest
from gateway.installation import Installation, open_store
from gateway.sample.server import SampleServer
from gateway.store.file import thread_connections
from gateway.store.file.database import FileStore
from gateway.store.operation import inbox, leases
from gateway.store.operation.sources import note_fetched, source_id
from jobs.backfill.backfill import Backfill

pytestmark = pytest.mark.of_the_file

SHIM = Path(__file__).with_name("synced_only.c")
COMPILER = shutil.which("cc") or shutil.which("gcc")
TOKEN = "a-token-of-the-notificaties-api-long-enough"
PARTIJEN = f"{API}/partijen"
NORMAL, FULL = 1, 2
CLIENTS, SECONDS = 4, 3.0
Install = Callable[..., Installation]


@pytest.fixture
def power(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Power:
    if sys.platform != "linux" or COMPILER is None:
        pytest.skip("needs Linux and a C compiler")
    shim, synced = tmp_path / "synced_only.so", tmp_path / "synced"
    subprocess.run([COMPILER, "-shared", "-fPIC", "-O1", "-o", shim, SHIM, "-ldl"], check=True)
    synced.mkdir()
    monkeypatch.setenv("SYNCED_FILES", str(tmp_path / "klantbrug.db"))
    monkeypatch.setenv("SYNCED_FOLDER", str(synced))
    monkeypatch.setenv("LD_PRELOAD", str(shim))
    return Power(tmp_path / "klantbrug.db", synced)


class Power:
    """The files of a store, and the copies of them as they were synced."""

    def __init__(self, store: Path, synced: Path) -> None:
        self._store, self._synced = store, synced

    def begin(self) -> None:
        """What is there now was written long ago, and is on the disk."""
        assert not self._store.with_name("klantbrug.db-wal").exists()
        shutil.copy(self._store, self._synced / self._store.name)

    def cut(self) -> None:
        """Nothing runs any more; what was not synced is gone."""
        for end in ("", "-wal"):
            file = self._store.with_name(f"{self._store.name}{end}")
            file.unlink(missing_ok=True)
            if (self._synced / file.name).exists():
                shutil.copy(self._synced / file.name, file)
        self._store.with_name(f"{self._store.name}-shm").unlink(missing_ok=True)


class Client:
    """Writes until nobody answers, and knows what was acknowledged."""

    def __init__(self, port: int, token: str, zaken_url: str) -> None:
        self._port, self._token, self._zaken_url = port, token, zaken_url
        self.notes: dict[str, str] = {}  # of partijen that must be there
        self.deleted: set[str] = set()
        self.told: set[bytes] = set()  # of notifications

    def work(self) -> None:
        with_nobody = (OSError, HTTPException)
        try:
            while True:
                self._round()
        except with_nobody:
            return

    def _ask(self, status: int, path: str, body: Any = None, **how: Any) -> Timed:
        token = how.pop("token", self._token)
        found = ask(("127.0.0.1", self._port), token, path, body, **how)
        while found.status == 503:  # the disk may be slow, and then some are sent away
            time.sleep(0.1)
            found = ask(("127.0.0.1", self._port), token, path, body, **how)
        assert found.status == status, found.body
        return found

    def _round(self) -> None:
        made = []
        for _ in range(3):
            answer = self._ask(201, PARTIJEN, {"soortPartij": "persoon", "indicatieActief": True})
            made.append(answer.body["uuid"])
            self.notes[made[-1]] = ""
        note = f"bijgewerkt {len(self.notes)}"
        # From here on either is right, until it is acknowledged.
        before, gone = self.notes.pop(made[0]), made[1]
        assert before == ""
        self._ask(200, f"{PARTIJEN}/{made[0]}", {"interneNotitie": note}, method="PATCH")
        self.notes[made[0]] = note
        del self.notes[gone]
        self._ask(204, f"{PARTIJEN}/{gone}", method="DELETE")
        self.deleted.add(gone)
        zaak = uuid4()
        url = f"{self._zaken_url}zaken/{zaak}"
        message = {"kanaal": "zaken", "hoofdObject": url, "resource": "zaak", "resourceUrl": url}
        message |= {"actie": "create", "aanmaakdatum": "2026-11-24T10:00:00Z"}
        self._ask(204, "/notificaties/callback", message, token=TOKEN)
        self.told.add(zaak.bytes)


@pytest.mark.slow
def test_nothing_that_was_acknowledged_is_lost(power: Power, tmp_path: Path, run_log: Path) -> None:
    with SampleServer(small(40)) as sample:
        port = a_port()
        path = write_config(tmp_path, {"bron": sample}, partial="answer", partial_lists="answer")
        more = f'[notifications]\ncallback_token = "{TOKEN}"\n'
        path.write_text(f'[gateway]\nbind = "127.0.0.1:{port}"\n{path.read_text()}{more}')
        config = read_config(path)
        store = open_store(config)
        token = create_token(store, "tests", "write")
        store.close()
        power.begin()
        clients = [Client(port, token, sample.zaken_url) for _ in range(CLIENTS)]
        with klantbrug(run_log, "--config", path, "serve", "--no-jobs") as server:
            _wait(port, token)
            threads = [threading.Thread(target=client.work) for client in clients]
            for thread in threads:
                thread.start()
            command = [sys.executable, "-m", "gateway", "--config", str(path), "token"]
            made = _told([*command, "create", "later", "--scope", "read"])
            gone = _told([*command, "create", "gone", "--scope", "read"])
            _told([*command, "revoke", "gone"])
            time.sleep(SECONDS)  # for so long real clients write
            os.killpg(server.pid, signal.SIGKILL)
            for thread in threads:
                thread.join()
    power.cut()
    store = FileStore(config.store.path)
    with store.read() as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        there = dict(
            connection.execute(
                "SELECT lower(hex(uuid)), body ->> 'interneNotitie' FROM document WHERE kind = "
                "(SELECT kind FROM document WHERE uuid = ?)",
                (bytes.fromhex(next(iter(clients[0].notes)).replace("-", "")),),
            )
        )
        told = {each.uuid for each in inbox.due(connection, source_id(connection, "bron"), now(), 10**6)}
    for client in clients:
        assert len(client.notes) > 5 and client.deleted and client.told
        for uuid, note in client.notes.items():
            assert there.get(uuid.replace("-", "")) == note
        assert not {uuid.replace("-", "") for uuid in client.deleted} & set(there)
        assert client.told <= told
    identify(store, f"Token {_secret_in(made)}")
    with pytest.raises(Problem):
        identify(store, f"Token {_secret_in(gone)}")
    store.close()


def _wait(port: int, token: str) -> None:
    def ready() -> None:
        assert ask(("127.0.0.1", port), token, "/health/ready").status == 200

    until_it_works(ready, (OSError, AssertionError))


def _told(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def _secret_in(output: str) -> str:
    return next(word for word in output.split() if word.startswith("kb_"))


# Who waits for the disk


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How each write transaction that begins is synced."""
    found: list[int] = []
    sync = thread_connections.ThreadConnection.sync

    def look(self: thread_connections.ThreadConnection, wanted: bool) -> None:
        sync(self, wanted)
        found.append(self.connection.execute("PRAGMA synchronous").fetchone()[0])

    monkeypatch.setattr(thread_connections.ThreadConnection, "sync", look)
    return found


@pytest.mark.slow
def test_what_comes_from_a_source_does_not_wait_for_the_disk_and_the_end_of_a_job_does(
    install: Install, synced: list[int]
) -> None:
    with SampleServer(small(20)) as server:
        installation = install(bron=server)
        synced.clear()
        assert Backfill(installation.fetchers["bron"]).run()
        # It takes its lease, reads everything, and tells how it ended.
        assert synced.count(NORMAL) > 5 * synced.count(FULL)
        assert synced[-2:] == [FULL, FULL]
    synced.clear()
    store = installation.store
    with leases.held(store, "bron question", 5, time.monotonic() + 5, lambda: False):
        pass
    ingest: Ingest = installation.ingest
    ingest.take("bron", "zaak", server.dataset.objects("zaak")[:2], asked=0)
    assert set(synced) == {NORMAL}
    with store.write() as connection:
        note_fetched(connection, source_id(connection, "bron"), "question", now())
    assert synced[-1] == FULL
    with store.giving_way(), store.write():
        pass
    with store.giving_way(), store.write(synced=True):
        pass
    assert synced[-2:] == [NORMAL, FULL]
