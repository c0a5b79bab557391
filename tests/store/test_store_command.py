"""`klantbrug store backup` and `store restore`, and the job that makes back-ups, as an operator runs them."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from builders.commands import command_process, klantbrug
from builders.configs import read_config
from builders.set_clock import SetClock
from builders.store_digest import dump_digest
from builders.stores import store_keys
from builders.until import until

from gateway.config.model import Config
from gateway.http.auth import create_token
from gateway.installation import open_installation, open_store
from gateway.store.backup.copy import PART, back_up
from gateway.store.file import holders
from gateway.store.file.database import FileStore
from gateway.store.operation import leases
from gateway.store.operation.sources import set_meta, source_id
from jobs.registry import BY_NAME, off_because, run_job

pytestmark = [pytest.mark.slow, pytest.mark.of_the_file]

SETTINGS = '[gateway]\nregister = true\n[store]\n{keys}uuid_secret = "{secret}"\n'
SECRET = "x" * 40


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A register with a token and a source that was there once, closed."""
    path = tmp_path / "config.toml"
    path.write_text(
        SETTINGS.format(keys=store_keys(tmp_path / "klantbrug.db"), secret=SECRET), encoding="utf-8"
    )
    config = read_config(path)
    store = open_store(config)
    create_token(store, "before", "read")
    with store.write() as connection:
        source_id(connection, "bron")
    store.close()
    return config


def tokens(config: Config) -> set[str]:
    store = open_store(config)
    try:
        with store.read() as connection:
            return {row[0] for row in connection.execute("SELECT name FROM token")}
    finally:
        store.close()


def add_token(config: Config, name: str) -> None:
    store = open_store(config)
    create_token(store, name, "read")
    store.close()


def digest(config: Config, path: Path | None = None) -> str:
    store = FileStore(path or config.store.path)
    try:
        return dump_digest(store)
    finally:
        store.close()


@pytest.fixture
def backup(config: Config, tmp_path: Path) -> Path:
    """A back-up of that register."""
    made = tmp_path / "back-ups" / "monday.db"
    made.parent.mkdir()
    assert command_process(config.path, "store", "backup", made).returncode == 0
    return made


def test_a_back_up_is_a_store_that_says_the_same_and_only_its_owner_reads(
    config: Config, tmp_path: Path
) -> None:
    made = tmp_path / "made.db"
    done = command_process(config.path, "store", "backup", made, preexec_fn=lambda: os.umask(0o000))
    assert done.returncode == 0, done.stderr
    assert "gemaakt en nagekeken" in done.stdout
    assert made.stat().st_mode & 0o777 == 0o600
    assert sorted(each.name for each in tmp_path.glob("made*")) == ["made.db"]
    with closing(sqlite3.connect(made)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert digest(config, made) == digest(config)


def test_nobody_else_can_read_the_copy_while_it_is_made(config: Config, tmp_path: Path) -> None:
    seen: set[int] = set()

    def look(_what: str, _done: int, _total: int) -> None:
        seen.update(each.stat().st_mode & 0o777 for each in tmp_path.glob("made*"))

    mask = os.umask(0o000)
    try:
        back_up(config.store.path, tmp_path / "made.db", look)
    finally:
        os.umask(mask)
    assert seen == {0o600}


def test_nothing_is_ever_written_over(config: Config, backup: Path) -> None:
    before = backup.read_bytes()
    again = command_process(config.path, "store", "backup", backup)
    assert again.returncode == 1
    assert "bestaat al" in again.stderr
    onto_itself = command_process(config.path, "store", "backup", config.store.path)
    assert (onto_itself.returncode, "bestaat al" in onto_itself.stderr) == (1, True)
    assert backup.read_bytes() == before


def test_a_folder_that_is_not_there_is_told(config: Config, tmp_path: Path) -> None:
    refused = command_process(config.path, "store", "backup", tmp_path / "nowhere" / "made.db")
    assert (refused.returncode, "bestaat niet; maak haar aan" in refused.stderr) == (1, True)


def test_a_disk_without_room_leaves_nothing(config: Config, tmp_path: Path) -> None:
    import resource

    store = open_store(config)
    set_meta(store, "large", "x" * 3_000_000)
    store.close()
    made = tmp_path / "made.db"

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    full = command_process(config.path, "store", "backup", made, preexec_fn=limited)
    assert full.returncode == 1
    assert "niet gemaakt" in full.stderr
    assert list(tmp_path.glob("made*")) == []


def test_a_back_up_ends_while_others_write_all_the_time(config: Config, tmp_path: Path) -> None:
    """One state of the store, however many writes there are; SQLite's own command line begins again at each."""
    store = open_store(config)
    with store.write() as connection:
        connection.executemany(
            "INSERT INTO meta VALUES (?, ?)", ((f"row {number}", "x" * 20_000) for number in range(3000))
        )
    stop, written = threading.Event(), 0

    def write() -> None:
        nonlocal written
        mine = FileStore(config.store.path)
        while not stop.is_set():
            with mine.write() as connection:
                for half in ("left", "right"):
                    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (half, str(written)))
            written += 1
            time.sleep(0.02)
        mine.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        until(lambda: written >= 3)
        first, began = written, time.monotonic()
        made = back_up(config.store.path, tmp_path / "made.db")
        seconds, last = time.monotonic() - began, written
    finally:
        stop.set()
        writer.join()
        store.close()
    assert last > first  # it did write meanwhile
    assert seconds < 30
    assert made.size > 60_000_000
    with closing(sqlite3.connect(made.path)) as connection:
        halves = dict(connection.execute("SELECT name, value FROM meta WHERE name IN ('left', 'right')"))
    assert halves["left"] == halves["right"]
    assert first - 1 <= int(halves["left"]) <= last


def test_an_index_of_texts_beside_the_documents_finds_the_same_in_a_back_up(
    config: Config, tmp_path: Path
) -> None:
    """Its rows are told by the numbers of other rows, so those must stay what they are, also with gaps among them."""
    store = open_store(config)
    with store.write() as connection:
        connection.execute("CREATE VIRTUAL TABLE texts USING fts5(value, content='', tokenize='trigram')")
        connection.executemany(
            "INSERT INTO document (id, kind, uuid, origin, created, moment, body) VALUES (?, 1, ?, 1, 1, 1, '{}')",
            ((number, number.to_bytes(16, "big")) for number in range(1, 4000, 3)),
        )
        connection.executemany(
            "INSERT INTO texts (rowid, value) VALUES (?, ?)",
            ((number, f"woord{number}einde") for number in range(1, 4000, 3)),
        )
        connection.execute("UPDATE row_id SET last = 4000 WHERE name = 'document'")
    store.close()
    assert command_process(config.path, "store", "backup", tmp_path / "made.db").returncode == 0
    with closing(sqlite3.connect(tmp_path / "made.db")) as connection:
        asked = (
            "SELECT d.id, d.uuid FROM texts t JOIN document d ON d.id = t.rowid WHERE texts MATCH 'd3001e'"
        )
        assert connection.execute(asked).fetchall() == [(3001, (3001).to_bytes(16, "big"))]
    assert command_process(config.path, "check", "--deep").returncode == 0
    assert command_process(config.path, "store", "restore", tmp_path / "made.db").returncode == 0
    with open_store(config).read() as connection:
        assert connection.execute(asked).fetchall() == [(3001, (3001).to_bytes(16, "big"))]


@pytest.mark.parametrize("table", ["", "claim"], ids=["everywhere", "where only a check looks"])
def test_a_damaged_store_gives_no_back_up(config: Config, tmp_path: Path, table: str) -> None:
    first, pages = 40, 30
    if table:
        with closing(sqlite3.connect(config.store.path)) as connection:
            asked = "SELECT rootpage - 1 FROM sqlite_master WHERE name = ?"
            first, pages = connection.execute(asked, (table,)).fetchone()[0], 1
    with config.store.path.open("r+b") as file:
        file.seek(first * 4096)
        file.write(os.urandom(pages * 4096))
    refused = command_process(config.path, "store", "backup", tmp_path / "made.db")
    assert refused.returncode in (1, 2)
    assert "beschadigd" in refused.stderr or "niet goed" in refused.stderr
    assert list(tmp_path.glob("made*")) == []


def test_a_back_up_is_put_back_and_what_stood_there_is_kept(config: Config, backup: Path) -> None:
    folder = config.store.path.parent
    (folder / "klantbrug.db.bron.pace").write_bytes(b"pace")
    add_token(config, "after")
    was = digest(config)
    done = command_process(config.path, "store", "restore", backup)
    assert done.returncode == 0, done.stderr
    assert "Teruggezet" in done.stdout
    assert "uuid-geheim hoort erbij" in done.stdout
    assert tokens(config) == {"before"}
    (aside,) = folder.glob("klantbrug.db.opzij-*")
    assert str(aside) in done.stdout
    assert aside.stat().st_mode & 0o777 == 0o700
    assert (aside / "klantbrug.db.bron.pace").exists()
    assert not (folder / "klantbrug.db.bron.pace").exists()
    assert digest(config, aside / "klantbrug.db") == was
    with open_store(config).read() as connection:
        (event,) = connection.execute("SELECT what, why FROM event").fetchall()
        assert event == ("back-up teruggezet", backup.name)
        # The source went on since: all of it is read anew.
        assert connection.execute("SELECT hurry > 0 FROM following").fetchall() == [(1,)]


def test_a_log_that_was_left_behind_goes_aside_too(config: Config, backup: Path) -> None:
    """The crash after which a copy over the store spoiled it."""
    writes = "import os, sys; from gateway.store.file.database import FileStore;"
    writes += "from gateway.store.operation.sources import set_meta;"
    writes += "set_meta(FileStore(sys.argv[1]), 'word', 'x'); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", writes, str(config.store.path)], check=False)
    log = holders.log_of(config.store.path)
    held = log.read_bytes()
    assert held
    shutil.copy(backup, config.store.path)
    assert command_process(config.path, "status").returncode == 2
    assert command_process(config.path, "store", "restore", backup).returncode == 0
    assert tokens(config) == {"before"}
    (aside,) = log.parent.glob("klantbrug.db.opzij-*")
    assert (aside / log.name).read_bytes() == held


def test_it_is_put_back_where_no_store_is(config: Config, backup: Path) -> None:
    for each in config.store.path.parent.glob("klantbrug.db*"):
        each.unlink()
    done = command_process(config.path, "store", "restore", backup)
    assert done.returncode == 0, done.stderr
    assert "Wat er stond" not in done.stdout
    assert tokens(config) == {"before"}
    assert config.store.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to be two users")
@pytest.mark.parametrize("there", [True, False])
def test_what_root_puts_back_is_the_file_of_the_user_of_the_service(
    config: Config, backup: Path, there: bool
) -> None:
    folder = config.store.path.parent
    os.chown(folder, 65534, 65534)
    os.chown(config.store.path, 65534, 65534)
    if not there:
        config.store.path.unlink()
    assert command_process(config.path, "store", "restore", backup).returncode == 0
    made = [config.store.path, *folder.glob("*opzij*")]
    assert {each.stat().st_uid for each in made} == {65534}


def test_three_files_that_were_copied_while_nothing_ran_are_a_back_up_too(
    config: Config, tmp_path: Path
) -> None:
    store = open_store(config)
    create_token(store, "in the log", "read")
    (tmp_path / "copy").mkdir()
    for what in ("", "-wal", "-shm"):
        shutil.copy(config.store.path.with_name(config.store.path.name + what), tmp_path / "copy")
    store.close()
    assert (tmp_path / "copy" / "klantbrug.db-wal").stat().st_size > 0
    done = command_process(config.path, "store", "restore", tmp_path / "copy" / "klantbrug.db")
    assert done.returncode == 0, done.stderr
    assert tokens(config) == {"before", "in the log"}


def scheduled(config: Config) -> bool:
    """Does a process run the jobs?"""
    store = open_store(config)
    with store.read() as connection:
        runs = leases.holder_of(connection, leases.SCHEDULER) is not None
    store.close()
    return runs


def test_nothing_is_put_back_while_anything_runs(config: Config, backup: Path, run_log: Path) -> None:
    with klantbrug(run_log, "--config", str(config.path), "jobs", "serve", "--register"):
        until(lambda: scheduled(config))
        before = digest(config)
        refused = command_process(config.path, "store", "restore", backup)
        assert refused.returncode == 2
        assert "in gebruik (proces " in refused.stderr
        assert digest(config) == before
    assert command_process(config.path, "store", "restore", backup).returncode == 0


def _truncated(backup: Path) -> None:
    backup.write_bytes(backup.read_bytes()[: 50 * 4096])


def _of_noise(backup: Path) -> None:
    backup.write_bytes(os.urandom(100_000))


def _with_a_bad_page(backup: Path) -> None:
    with backup.open("r+b") as file:
        file.seek(40 * 4096)
        file.write(os.urandom(30 * 4096))


def _of_another_program(backup: Path) -> None:
    backup.unlink()
    with closing(sqlite3.connect(backup)) as connection:
        connection.execute("CREATE TABLE person (name TEXT)")
        connection.commit()


def _of_another_secret(backup: Path) -> None:
    with closing(sqlite3.connect(backup)) as connection:
        connection.execute("UPDATE meta SET value = 'another' WHERE name = 'uuid_secret'")
        connection.commit()


def _of_a_newer_version(backup: Path) -> None:
    with closing(sqlite3.connect(backup)) as connection:
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('klantbrug', '9999_later', '')"
        )
        connection.commit()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_truncated, "beschadigd"),
        (_of_noise, "geen back-up van Klantbrug"),
        (_with_a_bad_page, "beschadigd"),
        (_of_another_program, "geen opslag van Klantbrug"),
        (_of_another_secret, "ander uuid-geheim"),
        (_of_a_newer_version, "nieuwere versie van Klantbrug (9999_later)"),
        (Path.unlink, "is er niet"),
    ],
)
def test_what_is_no_good_back_up_changes_nothing(config: Config, backup: Path, spoil: Any, said: str) -> None:
    spoil(backup)
    before = digest(config)
    refused = command_process(config.path, "store", "restore", backup)
    assert refused.returncode == 2
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr
    assert digest(config) == before
    assert not list(config.store.path.parent.glob("*opzij*"))
    assert not list(config.store.path.parent.glob("*nieuw*"))


def test_the_store_itself_is_no_back_up(config: Config) -> None:
    refused = command_process(config.path, "store", "restore", config.store.path)
    assert (refused.returncode, "is de opslag zelf" in refused.stderr) == (2, True)


KILLED_BETWEEN = """
import os, sys
from pathlib import Path
from gateway.store.backup import restore
moves = int(sys.argv[4])
rename = Path.rename
def counted(self, target):
    global moves
    moves -= 1
    if moves < 0:
        os.kill(os.getpid(), 9)
    return rename(self, target)
Path.rename = counted
restore.restore(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], "test")
"""


@pytest.mark.parametrize("moves", [0, 1, 2])
def test_a_restore_that_is_killed_between_two_moves_is_not_opened_and_is_done_again(
    config: Config, backup: Path, moves: int
) -> None:
    from gateway.installation import secret_fingerprint

    (config.store.path.parent / "klantbrug.db.bron.pace").write_bytes(b"pace")
    add_token(config, "after")
    died = subprocess.run(
        [
            *(sys.executable, "-c", KILLED_BETWEEN, config.store.path, backup),
            *(secret_fingerprint(SECRET), str(moves)),
        ],
        check=False,
    )
    assert died.returncode == -signal.SIGKILL
    serve = command_process(config.path, "token", "create", "too-early")
    assert serve.returncode == 2
    assert "terugzetten van een back-up" in serve.stderr
    assert command_process(config.path, "store", "restore", backup).returncode == 0
    assert tokens(config) == {"before"}
    kept = list(config.store.path.parent.glob("*opzij*/klantbrug.db"))
    assert len(kept) == 1
    with closing(sqlite3.connect(kept[0])) as connection:
        assert ("after",) in connection.execute("SELECT name FROM token").fetchall()


# The job


@pytest.fixture
def nightly(config: Config, tmp_path: Path) -> Iterator[Any]:
    """The installation with a job that keeps two back-ups."""
    (tmp_path / "kept").mkdir()
    assert config.path is not None
    with config.path.open("a", encoding="utf-8") as file:
        file.write('[jobs.backup]\ndirectory = "kept"\nkeep = 2\n')
    installation = open_installation(read_config(config.path))
    yield installation
    installation.store.close()


def test_the_job_is_off_until_it_is_told_where(config: Config) -> None:
    store = open_store(config)
    assert off_because(BY_NAME["backup"], config, store) == "[jobs.backup] directory is leeg"
    store.close()
    assert command_process(config.path, "jobs", "run", "backup").returncode == 2


def test_the_job_keeps_the_last_ones_and_removes_only_its_own(
    nightly: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SetClock(monkeypatch, skips=True)
    job, kept = BY_NAME["backup"], tmp_path / "kept"
    assert off_because(job, nightly.config, nightly.store) == ""
    others = ("klantbrug-20200101T000000Z.db.old", "other-20200101T000000Z.db", "klantbrug-mine.db")
    for name in (*others, "klantbrug-20200101T000000Z.db", f"klantbrug-20200102T000000Z.db{PART}"):
        (kept / name).write_bytes(b"x")
    before = set(kept.iterdir())
    made = []
    for _ in range(3):
        assert run_job(nightly, job)["made"] == 1
        made += sorted(set(kept.iterdir()) - before - set(made))
        clock.passes(1.1)  # names tell the second
    ours = [each.name for each in kept.iterdir() if each.name not in others]
    assert sorted(ours) == [each.name for each in made[-2:]]
    assert {each.name for each in kept.iterdir()} >= set(others)
    assert all(each.stat().st_mode & 0o777 == 0o600 for each in kept.iterdir() if each.name in ours)


def test_a_job_without_its_directory_says_so_and_removes_nothing(nightly: Any, tmp_path: Path) -> None:
    (tmp_path / "kept").rmdir()
    nightly.store.close()
    ran = command_process(nightly.config.path, "jobs", "run", "backup")
    assert ran.returncode == 1
    assert "bestaat niet" in ran.stderr
    assert "failed 1" in ran.stdout
