"""Who has a store open, and a log that is not of the file beside it."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from builders.commands import klantbrug
from builders.until import until
from builders.write_and_die import write_and_die

from gateway.store.backup.copy import back_up
from gateway.store.base.errors import StoreError
from gateway.store.file import holders
from gateway.store.file.database import FileStore
from gateway.store.operation.sources import SECRET, meta, set_meta

pytestmark = pytest.mark.of_the_file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with a word in it, closed."""
    store = FileStore(tmp_path / "klantbrug.db")
    set_meta(store, SECRET, "fingerprint")
    set_meta(store, "word", "first")
    store.close()
    return tmp_path / "klantbrug.db"


def word_in(path: Path) -> str | None:
    store = FileStore(path)
    try:
        return meta(store, "word")
    finally:
        store.close()


def by_us(path: Path, to: Path) -> None:
    back_up(path, to)


def by_sqlite(path: Path, to: Path) -> None:
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(to)) as copy:
        source.backup(copy)


def by_vacuum(path: Path, to: Path) -> None:
    with closing(sqlite3.connect(path)) as source:
        source.execute("VACUUM INTO ?", (str(to),))


def by_copying_while_nothing_runs(path: Path, to: Path) -> None:
    assert not holders.log_of(path).exists()
    shutil.copy(path, to)


@pytest.mark.slow
def test_a_store_whose_process_was_killed_opens_with_all_that_was_written(path: Path) -> None:
    for number in range(4):
        write_and_die(path, f"word {number}")
        assert word_in(path) == f"word {number}"


@pytest.mark.slow
def test_also_when_it_is_killed_again_and_again_before_anybody_closes_it(path: Path) -> None:
    for number in range(4):
        write_and_die(path, f"word {number}")
    assert word_in(path) == "word 3"


def of_another_store(path: Path, to: Path) -> None:
    """One that was changed more often."""
    FileStore(to).close()
    with closing(sqlite3.connect(to)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        for _ in range(50):
            other.execute("CREATE TABLE more (word TEXT)")
            other.execute("DROP TABLE more")


@pytest.mark.slow
@pytest.mark.parametrize(
    "copy", [by_us, by_sqlite, by_vacuum, by_copying_while_nothing_runs, of_another_store]
)
def test_a_back_up_over_a_store_with_a_log_is_not_opened(
    path: Path, tmp_path: Path, copy: Callable[[Path, Path], None]
) -> None:
    backup = tmp_path / "elsewhere.db"
    copy(path, backup)
    write_and_die(path, "second")
    kept, log = path.read_bytes(), holders.log_of(path).read_bytes()
    shutil.copy(backup, path)
    for look in (lambda: FileStore(path), lambda: holders.examine(path)):
        with pytest.raises(StoreError, match=r"hoort bij een ander bestand.*klantbrug store restore"):
            look()
    assert path.read_bytes() == backup.read_bytes()
    assert holders.log_of(path).read_bytes() == log
    path.write_bytes(kept)  # the right file again: nothing was spoiled
    assert word_in(path) == "second"


def test_a_copy_made_while_a_process_of_the_same_run_had_it_open(path: Path, tmp_path: Path) -> None:
    """The nightly back-up of a gateway that runs for weeks: its log is that of the same run."""
    store = FileStore(path)
    by_sqlite(path, tmp_path / "night.db")
    set_meta(store, "word", "day")
    shutil.copytree(tmp_path, tmp_path / "crashed", ignore=shutil.ignore_patterns("crashed"))
    crashed = tmp_path / "crashed" / "klantbrug.db"
    store.close()
    assert holders.log_of(crashed).stat().st_size > holders.LOG_HEADER_BYTES
    shutil.copy(tmp_path / "night.db", crashed)
    with pytest.raises(StoreError, match="hoort bij een ander bestand"):
        FileStore(crashed)


@pytest.mark.slow
def test_a_copy_without_the_old_log_is_taken(path: Path, tmp_path: Path) -> None:
    by_sqlite(path, tmp_path / "backup.db")
    write_and_die(path, "second")
    for what in ("-wal", "-shm"):
        path.with_name(path.name + what).unlink(missing_ok=True)
    shutil.copy(tmp_path / "backup.db", path)
    assert word_in(path) == "first"


@pytest.mark.slow
def test_a_crashed_store_that_is_moved_to_another_machine_opens(path: Path, tmp_path: Path) -> None:
    write_and_die(path, "second")
    there = tmp_path / "there"
    there.mkdir()
    for what in ("", "-wal", ".open"):
        shutil.copy(path.with_name(path.name + what), there)
    assert word_in(there / path.name) == "second"


@pytest.mark.slow
def test_a_crashed_store_of_a_version_that_wrote_nothing_down_opens(path: Path) -> None:
    write_and_die(path, "second")
    holders.path_of(path).unlink()
    assert word_in(path) == "second"


@pytest.mark.slow
def test_what_was_written_down_and_can_not_be_read_keeps_nobody_out(path: Path) -> None:
    write_and_die(path, "second")
    holders.path_of(path).write_bytes(b"\xff nonsense")
    assert word_in(path) == "second"


@pytest.mark.slow
def test_the_other_processes_wait_for_the_first_and_do_not_judge(path: Path) -> None:
    hold = holders.Hold(path)
    assert hold.alone
    script = "import sys; from gateway.store.file.database import FileStore; FileStore(sys.argv[1]).close()"
    other = subprocess.Popen([sys.executable, "-c", script, str(path)])
    time.sleep(1)  # longer than a process needs to begin
    assert other.poll() is None
    hold.share()
    assert other.wait(timeout=20) == 0
    second = holders.Hold(path)
    assert not second.alone
    second.close()
    hold.close()


@pytest.mark.slow
def test_a_killed_process_holds_nothing(path: Path, run_log: Path) -> None:
    config = path.with_name("config.toml")
    config.write_text(
        f'[gateway]\nregister = true\n[store]\npath = "{path.name}"\nuuid_secret = "{"x" * 40}"\n',
        encoding="utf-8",
    )
    store = FileStore(path)
    with store.write() as connection:
        connection.execute("DELETE FROM meta WHERE name = ?", (SECRET,))
    store.close()
    with klantbrug(run_log, "--config", config, "jobs", "serve") as process:
        until(lambda: not _free(path))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert _free(path)


def _free(path: Path) -> bool:
    try:
        with holders.alone(path):
            return True
    except holders.InUse:
        return False


def test_who_has_it_open_without_a_connection_counts_too(path: Path) -> None:
    with holders.in_use(path):
        assert not _free(path)
    assert _free(path)


@pytest.mark.slow
def test_a_program_that_is_not_ours_counts_too(path: Path) -> None:
    """With its process number, so that an operator can find it."""
    script = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT * FROM meta').fetchall();"
        "print('open', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(holders.InUse, match=rf"\(proces {other.pid}\)"), holders.alone(path):
            pass
    finally:
        other.communicate("")
    assert _free(path)


def test_another_program_s_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE person (name TEXT)")
        connection.commit()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="een database van een ander programma"):
        FileStore(path)
    with closing(sqlite3.connect(path)) as connection:
        assert [row[0] for row in connection.execute("SELECT name FROM sqlite_master")] == ["person"]
    assert len(path.read_bytes()) == len(before)


@pytest.mark.slow
def test_looking_at_the_mark_takes_no_lock_from_sqlite(path: Path) -> None:
    """The kernel takes back all locks that a process has on a file when it closes that file, however it was opened.

    Then the last of the other processes would remove a log that this one still reads.
    """
    script = (
        "import sys; from pathlib import Path; from gateway.store.file import holders\n"
        "try:\n"
        "    with holders.alone(Path(sys.argv[1])): print('free')\n"
        "except holders.InUse: print('in use')\n"
    )

    def as_another_sees_it() -> str:
        line = [sys.executable, "-c", script, str(path)]
        return subprocess.run(line, capture_output=True, text=True, check=True).stdout.strip()

    with closing(sqlite3.connect(path)) as connection:
        connection.execute("SELECT * FROM meta").fetchall()
        assert as_another_sees_it() == "in use"
        before = holders.Mark.of(path)
        assert before is not None
        assert before.stamp
        FileStore(path).close()  # it is the first of ours, and marks the file
        after = holders.Mark.of(path)
        assert after is not None
        assert after != before
        assert as_another_sees_it() == "in use"
    assert as_another_sees_it() == "free"
