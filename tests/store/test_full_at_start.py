"""A gateway that starts while nothing can be written: it reads, says what is wrong, and writes when there is room."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from builders.asker import API
from builders.commands import klantbrug
from builders.configs import read_config
from builders.served_process import a_port, wait_for
from builders.write_and_die import write_and_die

from gateway.config.model import Config
from gateway.http.auth import create_token
from gateway.installation import open_store
from gateway.store.file import full_disk, holders, thread_connections
from gateway.store.file.database import FileStore
from gateway.store.operation.sources import meta, set_meta

pytestmark = pytest.mark.of_the_file

# Less than the file that SQLite's processes share, more than what is written in place.
LIMIT = 16_384
BODY = {"soortPartij": "persoon", "indicatieActief": True}


def limit() -> None:
    """No file of this process may be made larger than that."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, resource.RLIM_INFINITY))


class Register:
    """A register on a port, and a client of it."""

    def __init__(self, folder: Path) -> None:
        self.base = f"http://127.0.0.1:{a_port()}"
        path = folder / "config.toml"
        path.write_text(
            f'[gateway]\nbind = "{self.base.removeprefix("http://")}"\nworkers = 2\nregister = true\n'
            f'[store]\npath = "klantbrug.db"\nuuid_secret = "{"x" * 40}"\n',
            encoding="utf-8",
        )
        self.config: Config = read_config(path)
        store = open_store(self.config)
        self.token = create_token(store, "tests", "write")
        store.close()

    def send(self, path: str, body: Any = None) -> tuple[int, Any]:
        """The status and the JSON of an answer."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Token {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.base + path, data, headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)


@pytest.fixture
def register(tmp_path: Path) -> Register:
    return Register(tmp_path)


@contextlib.contextmanager
def served(run_log: Path, register: Register, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """The gateway, until the end of the block."""
    path = register.config.path
    assert path is not None
    with klantbrug(run_log, "--config", path, "serve", stderr=subprocess.DEVNULL, **options) as process:
        wait_for(f"{register.base}/health/live")
        yield process


def reads_on_and_recovers(register: Register, make_room: Callable[[], None]) -> None:
    for _ in range(6):  # both workers
        assert register.send(f"{API}/partijen")[0] == 200
        code, said = register.send("/health/ready")
        assert (code, said["status"]) == (200, "ready")
        assert "schrijven krijgt 503" in said["problems"][0]
        code, said = register.send(f"{API}/partijen", BODY)
        assert (code, said["code"]) == (503, "service_unavailable")
        assert "kan nu niet worden beschreven; lezen gaat door" in said["detail"]
    make_room()
    until = time.monotonic() + 60
    in_a_row = 0
    while in_a_row < 8:
        code, _ = register.send(f"{API}/partijen", BODY)
        assert code in (201, 503)
        in_a_row = in_a_row + 1 if code == 201 else 0
        assert time.monotonic() < until
        time.sleep(0.1)
    assert register.send("/health/ready") == (200, {"status": "ready"})
    assert register.send(f"{API}/partijen")[1]["count"] >= 8


@pytest.mark.slow
def test_also_what_stands_in_the_log_alone_is_read(register: Register, run_log: Path) -> None:
    """The gateway was killed, and meanwhile the disk became full."""
    path = register.config.store.path
    write_and_die(path, "in the log")
    path.with_name("klantbrug.db-shm").unlink()
    command = ["--config", str(register.config.path), "status", "--json"]
    with klantbrug(run_log, *command, preexec_fn=limit, stderr=subprocess.PIPE) as process:
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "schrijven krijgt 503" in json.loads(out)["store"]["problems"][0]
    store = FileStore(path)
    assert meta(store, "word") == "in the log"
    store.close()


@pytest.mark.slow
def test_threads_that_only_read_make_way_together(tmp_path: Path) -> None:
    """SQLite lets no connection of a process write while another one of it only reads."""
    FileStore(tmp_path / "klantbrug.db").close()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.getsignal(signal.SIGXFSZ)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, hard))
    try:
        store = FileStore(tmp_path / "klantbrug.db")
        assert store.only_reads
        ready, go = threading.Barrier(3), threading.Event()
        ended: list[str | None] = []

        def read_then_write(name: str) -> None:
            meta(store, "word")  # a connection of its own
            ready.wait()
            go.wait()
            until = time.monotonic() + 20
            while store.only_reads and time.monotonic() < until:
                meta(store, "word")
                time.sleep(0.05)
            set_meta(store, name, "written")
            ended.append(meta(store, name))

        threads = [threading.Thread(target=read_then_write, args=(name,)) for name in ("a", "b")]
        for thread in threads:
            thread.start()
        ready.wait()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    go.set()
    for thread in threads:
        thread.join()
    assert ended == ["written", "written"]
    set_meta(store, "c", "written")
    assert not any("schrijven krijgt 503" in said for said in store.trouble())
    store.close()
    again = FileStore(tmp_path / "klantbrug.db")
    assert [meta(again, name) for name in "abc"] == ["written"] * 3
    again.close()


@pytest.mark.slow
def test_who_was_just_given_a_connection_can_use_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread makes way for writing while another is about to ask: that one's connection is not closed under it."""
    monkeypatch.setattr(thread_connections, "SETTLE_SECONDS", 2.0)
    monkeypatch.setattr(thread_connections, "AGAIN_SECONDS", 0.0)
    FileStore(tmp_path / "klantbrug.db").close()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.getsignal(signal.SIGXFSZ)
    monkeypatch.setattr(full_disk, "can_write", lambda path: False)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, hard))
    try:
        store = FileStore(tmp_path / "klantbrug.db")
        given = store.connection()
        makes_way = threading.Event()
        other = threading.Thread(target=store.connection)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    monkeypatch.setattr(full_disk, "can_write", lambda path: makes_way.set() or True)
    other.start()
    assert makes_way.wait(20)
    assert given.execute("SELECT 1").fetchone() == (1,)
    other.join(20)
    assert not store.only_reads
    set_meta(store, "a", "written")
    assert meta(store, "a") == "written"
    store.close()


@pytest.mark.slow
def test_a_store_that_was_never_made_can_not_begin_on_a_full_disk(tmp_path: Path, run_log: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(
        f'[gateway]\nregister = true\n[store]\npath = "new.db"\nuuid_secret = "{"x" * 40}"\n',
        encoding="utf-8",
    )
    command = ["--config", str(config), "token", "create", "first"]
    with klantbrug(run_log, *command, preexec_fn=limit, stderr=subprocess.PIPE) as process:
        _, said = process.communicate(timeout=60)
    assert process.returncode in (1, 2)
    assert "De opslag werkt niet: de schijf" in said
    assert "Traceback" not in said


@pytest.mark.slow
def test_a_gateway_on_a_full_disk_starts_and_recovers_by_itself(tmp_path: Path, run_log: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(disk)], check=False)
    if mounted.returncode:
        pytest.skip("this user can't mount a small file system")
    try:
        register = Register(disk)
        filler = os.open(disk / "filler", os.O_CREAT | os.O_WRONLY)
        with contextlib.suppress(OSError):
            while os.write(filler, bytes(4096)):
                pass
        os.close(filler)
        with served(run_log, register):
            assert "0 kB vrij" in str(register.send("/health/ready")[1]["problems"])
            reads_on_and_recovers(register, (disk / "filler").unlink)
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.mark.slow
def test_the_marks_outlive_a_start_without_room(register: Register, run_log: Path) -> None:
    """The mark could not be changed: a crash after that is still taken for what it is."""
    path = register.config.store.path
    command = ["--config", str(register.config.path), "status"]
    with klantbrug(run_log, *command, preexec_fn=limit, stderr=subprocess.DEVNULL) as process:
        process.communicate(timeout=60)
    assert process.returncode == 0
    write_and_die(path, "after")
    holders.examine(path)
    store = FileStore(path)
    assert meta(store, "word") == "after"
    store.close()
