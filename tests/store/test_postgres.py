"""The store on PostgreSQL: one writer in turn, one view for readers, a database that goes away. On a real one."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from builders.databases import another
from builders.stores import DATABASE, ON_POSTGRES
from builders.until import until

from gateway.store.base.errors import StoreAway, StoreBusy, StoreError, StoreFailed, TooLong, UniqueViolated
from gateway.store.base.kinds import KIND
from gateway.store.documents.writing import put_documents
from gateway.store.file.database import FileStore
from gateway.store.indexes import spans
from gateway.store.schema.migrations import ORDER
from mappings.model.documents import Document

pytestmark = pytest.mark.skipif(not ON_POSTGRES, reason="KLANTBRUG_TEST_DATABASE names no database")
PUT = "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2"
GET = "SELECT value FROM meta WHERE name = ?"


@pytest.fixture
def two(path: Path) -> Iterator[Any]:
    made = another(path, busy_seconds=1)
    yield made
    made.close()


def test_a_reader_settles_nothing_of_a_writer(one: Any) -> None:
    """Also not when it has the connection on which that thread wrote before."""
    with one.write():
        pass
    opened, written = threading.Event(), threading.Event()
    counted: list[int] = []

    def read() -> None:
        with one.read() as session:
            opened.set()
            assert written.wait(30)
            counted.append(spans.count(session, KIND["categorie"]))

    reader = threading.Thread(target=read)
    reader.start()
    assert opened.wait(30)
    with one.write() as session:
        put_documents(session, [(Document("categorie", uuid4(), {"naam": "een"}, 1, 1), None)])
        written.set()
        reader.join()
    with one.read() as session:
        counted.append(spans.count(session, KIND["categorie"]))
    assert counted == [0, 1]


def test_its_tables_have_the_columns_of_the_store_in_a_file(one: Any, tmp_path: Path) -> None:
    file = FileStore(tmp_path / "file.db")
    wanted = {
        (table, column)
        for (table,) in file.connection().all(
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
        )
        if not table.startswith(("sqlite_", "_sqlite", "text_"))
        for _, column, *_ in file.connection().all(f"PRAGMA table_info({table})")
    }
    file.close()
    rows = one.connection().all(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()"
    )
    found = {row for row in rows if not row[0].startswith("text_") and row[0] != "migration"}
    assert found == wanted
    assert {name for (name,) in one.connection().all("SELECT name FROM migration")} == set(ORDER)


def test_its_indexes_are_those_of_the_store_in_a_file(one: Any, tmp_path: Path) -> None:
    file = FileStore(tmp_path / "file.db")
    wanted = {
        name
        for (name,) in file.connection().all(
            "SELECT name FROM sqlite_master WHERE type = 'index' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'idx_%'"
        )
    }
    file.close()
    rows = one.connection().all("SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()")
    found = {
        name for (name,) in rows if not name.startswith("text_") and not name.endswith(("_pkey", "_key"))
    }
    assert found == {name for name in wanted if not name.startswith("text_")}


def test_values_come_back_as_from_the_store_in_a_file(one: Any) -> None:
    with one.read() as session:
        row = session.one(
            "SELECT 1, 'é', CAST(? AS bytea), NULL, sum(found), 1 = 1, count(*) FROM span WHERE kind < ?",
            (b"\0\xff", 3),
        )
    assert row == (1, "é", b"\0\xff", None, 0, 1, 2)
    assert [type(value) for value in row] == [int, str, bytes, type(None), int, int, int]


def test_many_rows_come_in_parts_and_may_be_left_halfway(one: Any) -> None:
    with one.read() as session:
        numbers = session.each("SELECT n FROM generate_series(1, ?) AS s (n)", (2500,))
        assert next(numbers) == (1,)
        assert session.one("SELECT 7") == (7,)
        assert sum(1 for _ in numbers) == 2499


def test_a_reader_sees_one_state_while_another_writes(one: Any, two: Any) -> None:
    with one.read() as session:
        assert session.one(GET, ("word",)) is None
        with two.write() as writing:
            writing.run(PUT, ("word", "x"))
        assert session.one(GET, ("word",)) is None
    with one.read() as session:
        assert session.one(GET, ("word",)) == ("x",)


def test_a_block_that_raises_leaves_nothing(one: Any) -> None:
    with pytest.raises(ValueError, match="no"), one.write() as session:
        session.run(PUT, ("word", "x"))
        raise ValueError("no")
    assert one.connection().one(GET, ("word",)) is None


def test_an_error_that_was_passed_over_is_told_at_the_end(one: Any) -> None:
    with pytest.raises(StoreFailed, match="PG_25P02"), one.write() as session:
        session.run(PUT, ("word", "x"))
        with pytest.raises(StoreFailed):
            session.run("INSERT INTO nothing VALUES (1)")
    assert one.connection().one(GET, ("word",)) is None


def test_what_a_row_holds_is_in_no_error(one: Any) -> None:
    with pytest.raises(UniqueViolated) as failed, one.write() as session:
        for _ in range(2):
            session.run("INSERT INTO meta VALUES ('bsn 999990408', 'x')")
    shown: BaseException | None = failed.value
    while shown is not None:
        assert "999990408" not in str(shown)
        shown = shown.__cause__


def test_who_waits_for_a_writer_gives_up_in_time_and_changes_nothing(one: Any, two: Any) -> None:
    with one.write() as session:
        session.run(PUT, ("word", "x"))
        began = time.monotonic()
        with pytest.raises(StoreBusy), two.write() as late:
            late.run(PUT, ("word", "y"))
        assert 0.9 < time.monotonic() - began < 3
    assert two.connection().one(GET, ("word",)) == ("x",)


def test_writers_count_as_one(one: Any, two: Any) -> None:
    def count(store: Any) -> None:
        for _ in range(20):
            with store.write(synced=False) as session:
                row = session.one(GET, ("n",))
                session.run(PUT, ("n", str(int(row[0]) + 1 if row else 1)))

    threads = [threading.Thread(target=count, args=(store,)) for store in (one, two, one)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert one.connection().one(GET, ("n",)) == ("60",)


def test_a_job_lets_a_client_that_waits_go_first(one: Any, two: Any) -> None:
    order: list[str] = []

    def client() -> None:
        with two.write() as session:
            session.run(PUT, ("word", "client"))
            order.append("client")

    with one.write(synced=False) as session:
        waiting = threading.Thread(target=client)
        waiting.start()
        until(lambda: waits_for_the_lock(session, two))
    with one.giving_way(), one.write(synced=False):
        order.append("job")
    waiting.join()
    assert order == ["client", "job"]


def waits_for_the_lock(session: Any, store: Any) -> bool:
    """Does somebody wait for this store's? Other tests have others in the same database."""
    from gateway.store.postgres.address import lock_of

    high, low = divmod(lock_of(store.address.schema) % 2**64, 2**32)
    asked = (
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        " AND classid = CAST(? AS oid) AND objid = CAST(? AS oid)"
    )
    return bool(session.one(asked, (high, low))[0])


def test_a_question_ends_in_time(one: Any) -> None:
    one.question_seconds = 0.2
    with pytest.raises(TooLong), one.read() as session:
        session.one("SELECT pg_sleep(5)")
    with one.read() as session:
        assert session.one("SELECT 1") == (1,)


def test_a_writer_that_stands_still_loses_its_transaction(one: Any, two: Any) -> None:
    with pytest.raises(StoreAway), one.write() as session:
        session.run(PUT, ("word", "x"))
        time.sleep(3.6)
        session.run(PUT, ("word", "y"))
    with two.write() as after:
        assert after.one(GET, ("word",)) is None


def test_connections_that_the_database_ended_are_made_anew_unnoticed(one: Any, two: Any) -> None:
    with one.read() as session:
        (ended,) = session.one("SELECT pg_backend_pid()")
    assert two.connection().one("SELECT pg_terminate_backend(CAST(? AS int), 5000)", (ended,)) == (1,)
    with one.read() as session:
        assert session.one("SELECT 1") == (1,)
    assert one.connection().one("SELECT 1") == (1,)


def test_a_database_that_is_not_there_is_told_without_the_password(tmp_path: Path) -> None:
    from gateway.store.postgres.address import DatabaseAddress
    from gateway.store.postgres.database import PostgresStore

    address = DatabaseAddress("postgresql://u:h3eft@127.0.0.1:1/nergens", "klantbrug")
    with pytest.raises(StoreError, match=r"127\.0\.0\.1:1/nergens") as refused:
        PostgresStore(address, tmp_path / "store")
    assert "h3eft" not in f"{refused.value} {refused.value.__cause__} {address!r}"


def test_a_schema_of_another_program_is_left_alone(one: Any, path: Path) -> None:
    with one.write() as session:
        session.run("ALTER TABLE migration RENAME TO something")
    try:
        with pytest.raises(StoreError, match=re.escape("[store] schema")):
            another(path)
    finally:
        with one.apart() as session:  # a write looks at what was renamed
            session.run("ALTER TABLE something RENAME TO migration")


@pytest.mark.parametrize(
    ("default", "live"), [("off", "on"), ("local", "on"), ("remote_apply", "remote_apply")]
)
def test_a_clients_write_lasts_whatever_the_role_says(path: Path, default: str, live: str) -> None:
    with a_connection() as connection:
        connection.execute(f"ALTER ROLE CURRENT_USER SET synchronous_commit = {default}")
        try:
            store = another(path)
            with store.write() as session:
                assert session.one("SHOW synchronous_commit") == (live,)
            with store.giving_way(), store.write() as session:
                assert session.one("SHOW synchronous_commit") == ("off",)
            with store.giving_way(), store.write(synced=True) as session:
                assert session.one("SHOW synchronous_commit") == (live,)
            store.close()
        finally:
            connection.execute("ALTER ROLE CURRENT_USER RESET synchronous_commit")


def test_what_was_erased_is_freed(one: Any) -> None:
    with one.write() as session:
        session.many(PUT, [(f"word {number}", "x" * 100) for number in range(3000)])
    before = size_of_meta(one)
    with one.write() as session:
        session.run("DELETE FROM meta WHERE name LIKE 'word %'")

    def is_given_back() -> bool:
        """The end of the file; not while a transaction of another test in this database may still see it."""
        assert one.empty_log() is False
        return size_of_meta(one) < before

    until(is_given_back, 60)


def size_of_meta(store: Any) -> int:
    size: int = store.connection().one("SELECT pg_relation_size('meta')")[0]
    return size


def a_connection() -> Any:
    import psycopg

    return psycopg.connect(DATABASE, autocommit=True)


def test_many_rows_are_written_as_they_are_one_by_one(one: Any) -> None:
    """Numbers, texts, bytes, fractions, and nothing; in few rows (one by one) and many (in one statement)."""
    insert = (
        "INSERT INTO export_pair (own, kind, theirs, state, turn, moment, sent) VALUES (?, ?, ?, ?, ?, ?, ?)"
    )
    change = "UPDATE export_pair SET cause = ? WHERE own = ?"
    asked = "SELECT own, kind, theirs, state, turn, moment, sent FROM export_pair ORDER BY state"
    for number in (1, 3, 4, 700):
        uuids = [bytes([n % 256, n // 256]) for n in range(number)]
        rows = [
            (uuid, -n, uuid + b"x" if n % 3 else None, n, 2**62, 0, f"é{n}" if n % 2 else None)
            for n, uuid in enumerate(uuids)
        ]
        with one.write() as session:
            session.many(insert, rows)
            session.many(change, [("x", uuid) for uuid in uuids])
        with one.read() as session:
            assert session.all(asked) == rows
            assert session.one("SELECT count(*) FROM export_pair WHERE cause = 'x'") == (number,)
        with one.write() as session:
            session.many(
                "DELETE FROM export_pair WHERE own = ? AND state = ?",
                [(uuid, n) for n, uuid in enumerate([*uuids[:-1], b"other"])],
            )
            assert session.all("SELECT own FROM export_pair") == [(uuids[-1],)]
            session.run("DELETE FROM export_pair")
    with one.write() as session:
        put = "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        session.many(put, [("a", "1"), ("b", "2"), ("a", "3"), ("c", "4"), ("a", "5")])
        assert session.one(GET, ("a",)) == ("5",)
    with pytest.raises(UniqueViolated), one.write() as session:
        session.many("INSERT INTO meta (name, value) VALUES (?, ?)", [(str(n % 4), "") for n in range(8)])


def test_the_database_is_told_of_tables_that_fill_up(one: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it looks through all of a table for one row until its own round comes."""
    from gateway.store.postgres import vacuuming

    monkeypatch.setattr(vacuuming, "LOOK_SECONDS", 0.0)
    size = "SELECT CAST(reltuples AS bigint) FROM pg_class WHERE oid = 'alias'::regclass"
    grow = "UPDATE alias SET document = document"
    with one.write(synced=False) as session:
        session.script("ALTER TABLE alias SET (autovacuum_enabled = off)")
        documents = [(Document("categorie", uuid4(), {"naam": str(n)}, 1, 1), None) for n in range(4)]
        row = next(iter(put_documents(session, documents).values()))
        session.many(
            "INSERT INTO alias (uuid, document) VALUES (?, ?)", [(uuid4().bytes, row) for _ in range(800)]
        )

    def is_known() -> bool:
        with one.write(synced=False) as session:  # what was counted is told after a moment
            session.run(grow)
        return bool(one.connection().one(size)[0] == 800)

    until(is_known, 60)
    with one.write() as session:
        session.script("ALTER TABLE alias RESET (autovacuum_enabled)")
