"""Databases in which we may do little, or that can't be ours. Made by a superuser, where the tests have one."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from builders.stores import DATABASE, ON_POSTGRES, make_store, schema_of

from gateway.config.store import StoreSettings
from gateway.operator import check_store as check_lines
from gateway.operator.check_report import Level
from gateway.operator.check_store import check_store
from gateway.store import chosen
from gateway.store.base.errors import StoreError
from gateway.store.indexes import text_search

pytestmark = pytest.mark.skipif(not ON_POSTGRES, reason="KLANTBRUG_TEST_DATABASE names no database")
ROLE = f"klantbrug_test_weak_{os.getpid()}"
NAME = f"klantbrug_test_{os.getpid()}"
TEXTS = "SELECT count(*) FROM pg_indexes WHERE schemaname = current_schema() AND indexname = ANY (?)"


@pytest.fixture
def superuser() -> Iterator[Callable[[str], Any]]:
    """Connects to a database as one who may do everything, by the socket; a role with few rights is there meanwhile."""
    import psycopg

    def connect(name: str) -> Any:
        return psycopg.connect(dbname=name, port=urlsplit(DATABASE).port or 5432, autocommit=True)

    try:
        connection = connect("postgres")
    except psycopg.OperationalError:
        pytest.skip("no superuser by the socket of the database")
    if not connection.execute("SELECT usesuper FROM pg_user WHERE usename = current_user").fetchone()[0]:
        pytest.skip("no superuser by the socket of the database")
    connection.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{ROLE}'")
    try:
        yield connect
    finally:
        connection.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        connection.execute(f"DROP ROLE {ROLE}")
        connection.close()


def database(superuser: Callable[[str], Any], encoding: str, *statements: str) -> StoreSettings:
    """A database with a schema that the role has, and nothing else."""
    with superuser("postgres") as connection:
        connection.execute(
            f"CREATE DATABASE {NAME} ENCODING '{encoding}' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
        )
    with superuser(NAME) as connection:
        connection.execute(f"CREATE SCHEMA klantbrug AUTHORIZATION {ROLE}")
        for statement in statements:
            connection.execute(statement)
    where = urlsplit(DATABASE).netloc.rpartition("@")[2]
    url = urlunsplit(("postgresql", f"{ROLE}:{ROLE}@{where}", f"/{NAME}", "", ""))
    return StoreSettings(path=Path("klantbrug"), uuid_secret="", url=url)


def has_texts(store: Any) -> bool:
    """Has it the indexes of texts?"""
    return bool(store.connection().one(TEXTS, (list(text_search.INDEXES.values()),))[0])


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_another_encoding_is_refused(superuser: Callable[[str], Any], encoding: str) -> None:
    with pytest.raises(StoreError, match=f"tekenset {encoding}"):
        chosen.open_store(database(superuser, encoding))


def test_a_schema_of_our_own_is_enough(superuser: Callable[[str], Any]) -> None:
    known = database(superuser, "UTF8")
    assert [line.level for line in check_store(known) if line.level is Level.PROBLEM] == []
    store = chosen.open_store(known)
    with store.write() as session:
        session.run("INSERT INTO meta VALUES ('a', 'b')")
    assert not has_texts(store)
    store.close()


def test_an_extension_that_we_may_not_use_is_done_without(superuser: Callable[[str], Any]) -> None:
    known = database(superuser, "UTF8", "CREATE SCHEMA hidden", "CREATE EXTENSION pg_trgm SCHEMA hidden")
    store = chosen.open_store(known)
    assert not has_texts(store)
    store.close()
    assert any("pg_trgm" in line.text for line in check_store(known))


def test_the_next_start_makes_indexes_for_an_extension_that_came_later(
    superuser: Callable[[str], Any],
) -> None:
    known = database(superuser, "UTF8")
    chosen.open_store(known).close()
    assert any("pg_trgm" in line.text for line in check_store(known))
    with superuser(NAME) as connection:
        connection.execute("CREATE EXTENSION pg_trgm")
    store = chosen.open_store(known)
    assert has_texts(store)
    store.close()
    assert not any("pg_trgm" in line.text for line in check_store(known))


def test_a_database_with_little_memory_for_its_store_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_store(tmp_path / "klantbrug.db").close()
    known = StoreSettings(
        path=tmp_path / "klantbrug.db",
        uuid_secret="",
        url=DATABASE,
        schema=schema_of(tmp_path / "klantbrug.db"),
    )

    def told() -> list[str]:
        return [line.text for line in check_store(known) if "shared_buffers" in line.text]

    monkeypatch.setattr(check_lines, "MUCH_MEMORY", 1 << 40)
    assert told() == []  # a new store fits in whatever it is
    monkeypatch.setattr(check_lines, "TIMES_MEMORY", 0)
    (text,) = told()
    assert re.search(r" [1-9]\d* MB in het geheugen .* opslag is [1-9]\d* MB", text)
    monkeypatch.setattr(check_lines, "MUCH_MEMORY", 1)
    assert told() == []
