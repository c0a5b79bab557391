"""What every session promises, whatever database it is of; tried on SQLite's."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.store.base.bound_lists import IN_IDS, id_list
from gateway.store.base.errors import StoreFailed, StoreLocked, UniqueViolated
from gateway.store.base.session import Session
from gateway.store.file.database import FileStore
from gateway.store.file.session import connect

pytestmark = pytest.mark.of_the_file


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    made = connect(tmp_path / "any.db")
    made.run("CREATE TABLE letter (id INTEGER PRIMARY KEY, name TEXT UNIQUE, uuid BLOB)")
    made.many("INSERT INTO letter (name, uuid) VALUES (?, ?)", [(name, name.encode()) for name in "abc"])
    yield made
    made.close()


def test_a_question_gives_all_rows_the_first_or_each_in_turn(session: Session) -> None:
    names = "SELECT name FROM letter WHERE id > ? ORDER BY id"
    assert session.all(names, (1,)) == [("b",), ("c",)]
    assert session.one(names, (1,)) == ("b",)
    assert session.one(names, (9,)) is None
    rows = session.each(names, (1,))
    assert next(rows) == ("b",)
    assert list(rows) == [("c",)]


def test_a_statement_says_how_many_rows_it_touched_and_an_insert_its_id(session: Session) -> None:
    assert session.insert("INSERT INTO letter (name) VALUES (:name)", {"name": "d"}) == 4
    assert session.run("UPDATE letter SET uuid = NULL WHERE id < ?1 OR id > ?1 + 1", (2,)) == 2
    session.many("DELETE FROM letter WHERE id = ?", [(1,), (4,), (5,)])
    assert session.all("SELECT id FROM letter ORDER BY id") == [(2,), (3,)]


@pytest.mark.parametrize(
    ("asked", "values", "found"),
    [("id", [3, 1, 7], ["a", "c"]), ("name", ["b", "b", '"'], ["b"]), ("id", [], [])],
)
def test_a_list_of_numbers_or_texts_is_one_value(
    session: Session, asked: str, values: list[Any], found: list[str]
) -> None:
    question = f"SELECT name FROM letter WHERE {asked} {IN_IDS} ORDER BY name"  # noqa: S608 (a column)
    rows = session.all(question, (values,))
    assert [name for (name,) in rows] == found
    assert id_list({2}) == [2]


@pytest.mark.parametrize(
    "ask",
    [
        lambda session, sql: session.all(sql),
        lambda session, sql: session.one(sql),
        lambda session, sql: list(session.each(sql)),
        lambda session, sql: session.run(sql),
        lambda session, sql: session.insert(sql),
        lambda session, sql: session.many(sql, [()]),
    ],
    ids=["all", "one", "each", "run", "insert", "many"],
)
def test_every_method_raises_errors_of_ours(session: Session, ask: Callable[[Session, str], Any]) -> None:
    with pytest.raises(UniqueViolated) as taken:
        ask(session, "INSERT INTO letter (name) VALUES ('a')")
    assert taken.value.store_code == "SQLITE_CONSTRAINT_UNIQUE"
    with pytest.raises(StoreFailed, match="SQLITE_ERROR"):
        ask(session, "INSERT INTO letter (nothing) VALUES (1)")


def test_an_error_halfway_is_one_of_ours_too(session: Session) -> None:
    rows = session.each("SELECT CASE WHEN id < 3 THEN 1 ELSE json(name) END FROM letter ORDER BY id")
    assert next(rows) == (1,)
    with pytest.raises(StoreFailed):
        next(rows)


def test_what_another_holds_is_locked(session: Session, tmp_path: Path) -> None:
    other = connect(tmp_path / "any.db", timeout=0)
    session.run("BEGIN IMMEDIATE")
    with pytest.raises(StoreLocked):
        other.run("BEGIN IMMEDIATE")
    other.close()


@pytest.mark.parametrize("block", [FileStore.read, FileStore.write])
def test_an_error_of_the_library_is_ours_at_the_end_of_a_transaction(
    tmp_path: Path, block: Callable[[FileStore], Any]
) -> None:
    store = FileStore(tmp_path / "store.db")
    with pytest.raises(StoreFailed) as failed, block(store):
        raise sqlite3.OperationalError("a text that is not repeated")
    assert "repeated" not in str(failed.value)
    assert not store.connection().in_transaction
    store.close()


def test_it_tells_which_tables_there_are(session: Session) -> None:
    assert session.dialect.tables(session) == {"letter"}
