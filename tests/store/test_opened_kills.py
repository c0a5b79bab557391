"""However a store's processes are killed, also while they open and mark it: the next opens it, with all that was said
to be written."""

from __future__ import annotations

import os
import random
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.store.file.database import FileStore
from gateway.store.operation.sources import meta

pytestmark = [pytest.mark.slow, pytest.mark.of_the_file]

# Opens, writes and closes again and again; tells each word after it was committed. A small log is copied often.
WRITER = """
import sys
from gateway.store.file.database import FileStore
from gateway.store.operation.sources import set_meta
name, number = sys.argv[2], int(sys.argv[3])
while True:
    store = FileStore(sys.argv[1])
    store.connection().execute("PRAGMA wal_autocheckpoint = 10")
    for _ in range(3):
        number += 1
        set_meta(store, name, str(number) + " " * 9000)
        print(number, flush=True)
    store.close()
"""


def has_said(process: subprocess.Popen[str]) -> bool:
    """Did it write something, within a minute? (`select` knows no numbers of files over a thousand.)"""
    assert process.stdout
    with selectors.DefaultSelector() as waiting:
        waiting.register(process.stdout, selectors.EVENT_READ)
        return bool(waiting.select(60))


def kill_at_random(path: Path, times: int, writers: int, seed: int) -> None:
    chance, told = random.Random(seed), dict.fromkeys(map(str, range(writers)), 0)
    FileStore(path).close()
    for _ in range(times):
        running = {
            name: subprocess.Popen(
                [sys.executable, "-c", WRITER, str(path), name, str(told[name])],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for name in told
        }
        if not any(told.values()):  # the first time each has written something before
            assert all(has_said(process) for process in running.values())
        time.sleep(0.6 + chance.random())
        for process in chance.sample(list(running.values()), writers):
            os.kill(process.pid, signal.SIGKILL)
        for name, process in running.items():
            out, said = process.communicate()
            assert "StoreError" not in said, said
            lines = out.splitlines()
            # The last line may be half told.
            told[name] = int(lines[-1]) if lines and out.endswith("\n") else told[name] + len(lines[:-1])
        store = FileStore(path)
        for name, number in told.items():
            held = meta(store, name)
            assert number <= int((held or "0").split()[0]) <= number + 1
            told[name] = int((held or "0").split()[0])
        assert store.connection().execute("PRAGMA quick_check").fetchone() == ("ok",)
        if chance.random() < 0.5:
            store.close()
        else:
            del store  # not closed: as one that was killed


@pytest.mark.parametrize("writers", [1, 2])
def test_a_few_kills(tmp_path: Path, writers: int) -> None:
    kill_at_random(tmp_path / "klantbrug.db", 4, writers, seed=writers)


@pytest.mark.soak
@pytest.mark.parametrize("writers", [1, 3])
def test_many_kills(tmp_path: Path, writers: int) -> None:
    kill_at_random(tmp_path / "klantbrug.db", 60, writers, seed=10 + writers)
