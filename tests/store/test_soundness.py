"""Damage of the file is seen, and told in words: by check, by /health/ready, by commands and in answers."""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from builders.asker import API
from builders.commands import command_process
from builders.configs import read_config, write_config
from builders.sample_data import some_zaken

from gateway.app import create_app
from gateway.config.model import Config
from gateway.http.auth import create_token
from gateway.installation import open_installation
from gateway.sample.server import SampleServer
from gateway.store.backup import integrity
from gateway.store.backup.copy import back_up
from gateway.store.base.compression import pack
from gateway.store.base.errors import MEND, StoreDamaged
from gateway.store.file.database import FileStore
from gateway.store.file.full_disk import only_looking
from gateway.store.file.session import connect
from jobs.backfill.backfill import Backfill

pytestmark = pytest.mark.of_the_file

PAGE = 4096


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an installation with what a source gave, and a copy of its store; the source is gone."""
    from builders.sample_data import sample_data

    folder = tmp_path_factory.mktemp("filled")
    with SampleServer(some_zaken(sample_data(), 5)) as server:
        installation = open_installation(read_config(write_config(folder, {"bron": server})))
        assert Backfill(installation.fetchers["bron"]).run()
    (folder / "token").write_text(create_token(installation.store, "reader", "read"), encoding="utf-8")
    back_up(installation.store.path, folder / "copy.db")
    installation.store.close()
    return folder


@pytest.fixture
def config(filled: Path, tmp_path: Path) -> Config:
    """A copy of that, to spoil."""
    for name, to in (("config.toml",) * 2, ("copy.db", "klantbrug.db"), ("token",) * 2):
        (tmp_path / to).write_bytes((filled / name).read_bytes())
    return read_config(tmp_path / "config.toml")


def noise(path: Path) -> None:
    path.write_bytes(os.urandom(100_000))


def truncated(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 // PAGE * PAGE)


def pages_overwritten(path: Path) -> None:
    """The first pages of what holds documents and legacy objects, not those that say which tables there are."""
    chance = random.Random(1)
    connection = sqlite3.connect(path)
    pages = connection.execute(
        "SELECT rootpage FROM sqlite_master WHERE name IN ('document', 'raw', 'statement', 'link')"
    ).fetchall()
    connection.close()
    assert len(pages) == 4
    with path.open("r+b") as file:
        for (page,) in pages:
            file.seek((page - 1) * PAGE)
            file.write(chance.randbytes(PAGE))


def of_another_program(path: Path) -> None:
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE person (name TEXT)")
    connection.commit()
    connection.close()


SPOILED = (noise, truncated, pages_overwritten, of_another_program)


@pytest.mark.slow
def test_a_sound_store_is_said_to_be(config: Config) -> None:
    for deep in ((), ("--deep",)):
        checked = command_process(config.path, "check", *deep)
        assert "gaaf" in checked.stdout
        assert "beschadigd" not in checked.stdout


@pytest.mark.slow
@pytest.mark.parametrize("deep", [(), ("--deep",)])
@pytest.mark.parametrize("spoil", SPOILED)
def test_check_sees_what_is_no_sound_store(
    config: Config, spoil: Callable[[Path], None], deep: tuple[str, ...]
) -> None:
    spoil(config.store.path)
    checked = command_process(config.path, "check", *deep)
    assert checked.returncode == 1
    said = " ".join(checked.stdout.split())
    assert "[FOUT]" in said
    assert MEND in said or "database van een ander programma" in said
    assert "Traceback" not in checked.stderr


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [("status",), ("dump",), ("token", "list"), ("findings",)])
@pytest.mark.parametrize("spoil", [noise, of_another_program])
def test_every_command_tells_what_to_do(
    config: Config, spoil: Callable[[Path], None], arguments: tuple[str, ...]
) -> None:
    spoil(config.store.path)
    ran = command_process(config.path, *arguments)
    assert ran.returncode == 2
    assert "klantbrug store restore" in ran.stderr or "ander programma" in ran.stderr
    assert "verder waar dit ophield" not in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.slow
def test_a_command_that_meets_damage_says_what_to_do_and_not_to_go_on(config: Config) -> None:
    pages_overwritten(config.store.path)
    ran = command_process(config.path, "dump")
    assert ran.returncode == 1
    assert "beschadigd" in ran.stderr
    assert "klantbrug store restore BESTAND" in ran.stderr
    assert "verder waar dit ophield" not in ran.stderr


@pytest.mark.slow
def test_a_gateway_over_a_damaged_store_is_not_ready_and_answers_a_problem(
    config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    pages_overwritten(config.store.path)
    store = FileStore(config.store.path)
    from gateway.klantinteracties.model.freshness import LocalOnly

    client = create_app(config, store=store, hydrator=LocalOnly()).test_client()
    token = (config.store.path.parent / "token").read_text(encoding="utf-8")
    headers = {"Authorization": f"Token {token}"}
    ready = [client.get("/health/ready") for _ in range(5)]
    assert {each.status_code for each in ready} == {503}
    assert "klantbrug store restore BESTAND" in ready[0].json["detail"]
    answers = [
        client.get(f"{API}/{name}?pageSize=100", headers=headers) for name in ("partijen", "klantcontacten")
    ]
    assert {each.status_code for each in answers} <= {200, 503}
    (refused, *_) = [each for each in answers if each.status_code == 503]
    assert refused.json["code"] == "service_unavailable"
    assert "beschadigd" in refused.json["detail"]
    assert refused.headers["Retry-After"] == "300"
    assert "unexpected error" not in caplog.text
    assert "the store is damaged" in caplog.text
    assert "gateway.store.base.errors.StoreDamaged SQLITE_CORRUPT" in caplog.text
    store.close()


def test_what_a_request_met_makes_the_gateway_not_ready(store_with_token: tuple[FileStore, Config]) -> None:
    """A page that no look at random hits: once somebody read it, it is known."""
    store, config = store_with_token
    from gateway.klantinteracties.model.freshness import LocalOnly

    client = create_app(config, store=store, hydrator=LocalOnly()).test_client()
    assert client.get("/health/ready").json == {"status": "ready"}
    store.troubles.notice(StoreDamaged("SQLITE_CORRUPT"))
    assert client.get("/health/ready").status_code == 503


def test_a_file_that_was_spoiled_under_a_running_gateway_is_told_by_threads_that_open_it(
    store_with_token: tuple[FileStore, Config], caplog: pytest.LogCaptureFixture
) -> None:
    """Not as a fault of ours: the next thread's connection can't be made."""
    store, config = store_with_token
    from gateway.klantinteracties.model.freshness import LocalOnly

    client = create_app(config, store=store, hydrator=LocalOnly()).test_client()
    headers = {"Authorization": f"Token {(config.store.path.parent / 'token').read_text(encoding='utf-8')}"}
    with config.store.path.open("r+b") as file:
        file.write(os.urandom(PAGE))
    with ThreadPoolExecutor(1) as another:
        got = another.submit(client.get, f"{API}/partijen", headers=headers).result()
        ready = another.submit(client.get, "/health/ready").result()
    assert (got.status_code, got.json["code"]) == (503, "service_unavailable")
    assert ready.status_code == 503
    assert "klantbrug store restore BESTAND" in ready.json["detail"]
    assert "unexpected error" not in caplog.text
    store.close()


@pytest.fixture
def store_with_token(config: Config) -> tuple[FileStore, Config]:
    """An open store, and its configuration."""
    return FileStore(config.store.path), config


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (
            "UPDATE document SET body = substr(body, 2) WHERE id = (SELECT min(id) FROM document)",
            "document: 1",
        ),
        (
            "UPDATE raw SET body = x'28b52ffd00' WHERE id = (SELECT min(id) FROM raw WHERE body <> '')",
            "raw: 1",
        ),
        ("DELETE FROM statement WHERE id = (SELECT min(id) FROM statement)", "verwijzing"),
    ],
)
def test_a_deep_check_reads_what_is_kept(config: Config, spoil: str, said: str) -> None:
    connection = sqlite3.connect(config.store.path)
    for (trigger,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {trigger}")
    for (name,) in connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'index' AND sql LIKE '%body%'"
    ).fetchall():
        connection.execute(f"DROP INDEX {name}")
    connection.execute(spoil)
    connection.commit()
    connection.close()
    with only_looking(config.store.path) as looking:
        assert any(said in one for one in integrity.whole(looking).wrong)


def say_of_token(path: Path, sql: str) -> None:
    """Let the schema say that the table of tokens was made so."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'token'", (sql,))
        connection.commit()


def test_what_only_sqlite_sees_is_told_in_its_words(config: Config) -> None:
    """A value that its column can't have: nothing that reads it would notice."""
    path = config.store.path
    with closing(sqlite3.connect(path)) as connection:
        (made,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'token'").fetchone()
    say_of_token(path, made.replace("scope TEXT NOT NULL", "scope TEXT"))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE token SET scope = NULL")
        connection.commit()
    say_of_token(path, made)
    with only_looking(path) as looking:
        quick, whole = integrity.quick(looking, 600), integrity.whole(looking)
    assert quick.done == quick.of
    assert quick.wrong == ["token: NULL value in token.scope"]
    assert whole.wrong == ["NULL value in token.scope"]


def test_a_quick_check_ends_in_time_and_says_how_far_it_came(config: Config) -> None:
    with only_looking(config.store.path) as connection:
        connection.execute("CREATE TEMP TABLE slow (id INTEGER PRIMARY KEY)")
        looked = integrity.quick(connection, -1)
    assert looked.done < looked.of
    assert looked.wrong == []


@pytest.mark.slow
def test_a_look_at_random_sees_every_table_and_index(config: Config) -> None:
    """Of each that has a page of its own a page is spoiled, and seen."""
    connection = connect(config.store.path)
    connection.execute("PRAGMA journal_mode = DELETE")
    roots = connection.execute(
        "SELECT name, rootpage, type FROM sqlite_master WHERE rootpage > 0 AND name NOT LIKE 'sqlite_%'"
    ).fetchall()
    tables = {name for name, _, kind in roots if kind == "table"}
    places = {place.sql for place in integrity._places(connection)}
    connection.close()
    whole = config.store.path.read_bytes()
    seen = set()
    for name, root, kind in roots:
        if kind != "table":
            continue
        spoiled = bytearray(whole)
        spoiled[(root - 1) * PAGE : root * PAGE] = b"\xaa" * PAGE
        config.store.path.write_bytes(spoiled)
        try:
            with only_looking(config.store.path) as looking:
                integrity.sample(looking)
        except StoreDamaged:
            seen.add(name)
    assert seen == tables
    assert len(places) > len(tables)


def test_a_sound_store_has_no_nulls_for_sqlite_to_tell_of(config: Config) -> None:
    """SQLite 3.40 looked for them in the wrong column, where the columns of a key stand elsewhere than first."""
    store = FileStore(config.store.path)
    with store.read() as connection:
        assert connection.execute("SELECT count(*) FROM statement_finding").fetchone()[0]
        assert connection.execute("SELECT count(*) FROM raw_finding").fetchone()[0]
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA quick_check").fetchall() == [("ok",)]
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%WITHOUT ROWID%'"
        ).fetchall()
        assert len(tables) > 10
        for (table,) in tables:
            columns = connection.execute("SELECT pk FROM pragma_table_info(?)", (table,)).fetchall()
            keys = [key for (key,) in columns if key]
            assert [key for (key,) in columns][: len(keys)] == list(range(1, len(keys) + 1)), table
    store.close()


def test_a_new_store_gets_its_migrations_in_the_order_that_is_written_down(tmp_path: Path) -> None:
    """However the modules that declare them are imported."""
    from gateway.store.schema.migrations import ORDER, migrations

    store = FileStore(tmp_path / "new.db")
    assert tuple(each.name for each in migrations.applied(store.operator())) == ORDER
    store.close()


def test_what_was_found_before_is_found_after_the_tables_changed(config: Config) -> None:
    """The migration on a store of the version before."""
    from gateway.store.schema import first_tables
    from gateway.store.schema.migrations import migrations, script

    store = FileStore(config.store.path)
    names = ("raw_finding", "statement_finding")
    asked = "SELECT {}, rule, field, severity, action FROM {} ORDER BY 1, 2, 3, 4, 5"
    questions = [asked.format(name.removesuffix("_finding"), name) for name in names]
    with store.write() as connection:
        before = [connection.execute(question).fetchall() for question in questions]
        assert all(before)
        script(store.operator(), "DROP VIEW finding;" + "".join(f"DROP TABLE {name};" for name in names))
        begin, end = (
            first_tables.LEGACY.index("CREATE TABLE raw_finding"),
            first_tables.LEGACY.index("CREATE TABLE source_finding"),
        )
        script(store.operator(), first_tables.LEGACY[begin:end])
        connection.executemany("INSERT OR IGNORE INTO raw_finding VALUES (?, 1, ?, ?, ?, ?)", before[0])
        connection.executemany("INSERT INTO statement_finding VALUES (?, ?, ?, ?, ?)", before[1])
        before = [connection.execute(question).fetchall() for question in questions]
        connection.execute("DELETE FROM _sqlite_migrations WHERE name = '0049_keys_first'")
        migrations.apply(store.operator())
        assert [connection.execute(question).fetchall() for question in questions] == before
        assert connection.execute("SELECT count(*) FROM finding").fetchone()[0]
    store.close()


def test_a_packed_object_that_is_whole_is_no_damage() -> None:
    assert not integrity._unreadable(pack(b"{}"))
    assert not integrity._unreadable(None)
    assert integrity._unreadable(b"nonsense")
