"""Documents as they are written: nothing is touched that stays as it is, and what is empty takes no place."""
# ruff: noqa: S608  (names of columns, fields and indexes only)

from __future__ import annotations

import sqlite3
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.store.base.kinds import KIND
from gateway.store.base.searched_fields import FEW_SHARE, FIELD_NUMBER
from gateway.store.base.store import Store
from gateway.store.documents.lookup import with_value
from gateway.store.documents.rows import insert_one, remove_documents, update
from gateway.store.documents.writing import COLUMNS, put_documents
from mappings.model.documents import Document

OWNERS = [UUID(int=number << 80, version=4) for number in (1, 2)]
UUIDS = [UUID(int=number << 80, version=4) for number in range(3, 15)]

# What a document may be: created, moment, a body, which owner, an origin.
State = tuple[int, int, str, int, int]
states = st.tuples(*[st.integers(1, 2)] * 2, st.sampled_from(["a", "b"]), *[st.integers(0, 1)] * 2)


def put(connection: sqlite3.Connection, wanted: dict[UUID, State]) -> None:
    for origin in (0, 1):
        documents = [
            (Document("categorie", uuid, {"naam": naam}, created=created, moment=moment), OWNERS[owner].bytes)
            for uuid, (created, moment, naam, owner, origin_of) in wanted.items()
            if origin_of == origin
        ]
        owners = [(Document("actor", uuid, {}, created=1, moment=1), None) for uuid in OWNERS if documents]
        put_documents(connection, [*owners, *documents], origin)


@pytest.mark.of_the_file
@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(st.sampled_from(UUIDS), states, max_size=12), min_size=2, max_size=4))
def test_a_write_touches_the_columns_that_differ_and_no_others(
    store: Store, steps: list[dict[UUID, State]]
) -> None:
    """Indexes and counts hang on single columns: one that is named is paid for, also when it stays the same."""
    with store.write() as connection:
        connection.execute("DELETE FROM document")
        connection.execute("CREATE TEMP TABLE named (uuid BLOB, field TEXT)")
        for field in COLUMNS:
            connection.execute(
                f"CREATE TEMP TRIGGER named_{field} AFTER UPDATE OF {field} ON document"
                f" WHEN new.kind = {KIND['categorie']} BEGIN INSERT INTO named VALUES (new.uuid, '{field}'); END"
            )
        held: dict[UUID, State] = {}
        for step in steps:
            connection.execute("DELETE FROM named")
            put(connection, step)
            named = connection.execute("SELECT uuid, field FROM named").fetchall()
            differ = [
                (uuid.bytes, field)
                for uuid, state in step.items()
                if uuid in held
                for field, was, now in zip(COLUMNS, held[uuid], state, strict=True)
                if was != now
            ]
            assert sorted(named) == sorted(differ)
            held |= step
            assert stored(connection) == held
        for field in COLUMNS:
            connection.execute(f"DROP TRIGGER named_{field}")
        connection.execute("DROP TABLE named")


def stored(connection: sqlite3.Connection) -> dict[UUID, State]:
    rows = connection.execute(
        "SELECT d.uuid, d.created, d.moment, d.body ->> '$.naam', o.uuid, d.origin FROM document d"
        " JOIN document o ON o.id = d.owner WHERE d.kind = ?",
        (KIND["categorie"],),
    )
    owner = {uuid.bytes: place for place, uuid in enumerate(OWNERS)}
    return {UUID(bytes=uuid): (*values, owner[of], origin) for uuid, *values, of, origin in rows}


def body_of(field: str, value: Any) -> str:
    """A body with one field, named by its path."""
    for name in reversed(field.split(".")):
        value = {name: value}
    return orjson.dumps(value).decode()


@pytest.mark.parametrize(("kind", "field"), FIELD_NUMBER)
def test_a_field_that_is_not_filled_takes_no_place(store: Store, kind: str, field: str) -> None:
    """And what is filled stands there once, until it is something else."""
    bodies = ["{}", body_of(field, None), body_of(field, "x"), body_of(field, "y"), body_of(field, "")]
    blank = [("", 5)] if (kind, field) in FEW_SHARE else []

    def kept() -> list[tuple[str, int]]:
        with store.read() as connection:
            question = "SELECT value, document FROM field_value WHERE field = ? ORDER BY value"
            return connection.all(question, (FIELD_NUMBER[kind, field],))

    with store.write() as connection:
        rows = [
            insert_one(connection, KIND[kind], UUIDS[number].bytes, 1, body, 1, 1)
            for number, body in enumerate(bodies)
        ]
    assert kept() == [*blank, ("x", 3), ("y", 4)]
    with store.write() as connection:
        update(connection, {rows[0]: {"body": bodies[3]}, rows[3]: {"body": bodies[2]}})
        remove_documents(connection, [rows[2]])
    assert kept() == [*blank, ("x", 4), ("y", 1)]
    with store.read() as connection:
        assert with_value(connection, kind, field, "y") == {1}
