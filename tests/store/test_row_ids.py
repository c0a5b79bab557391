"""Row ids are never given twice: who keeps one in a cursor neither skips nor repeats, whatever was deleted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from builders.legacy_objects import BSN, persoon, uuid_of, zaak
from builders.register import SOURCE, Register

from gateway.store.base.row_ids import next_ids
from gateway.store.base.session import Session
from gateway.store.base.store import Store
from gateway.store.documents.rows import insert_one, remove_documents
from gateway.store.operation import following, runs, writeback


@pytest.fixture
def held(tmp_path: Path) -> Register:
    """A register of three rollen of three people."""
    register = Register(tmp_path / "store.db")
    register.take(zaak(1), *(persoon(number, BSN[number]) for number in (1, 2, 3)))
    return register


def test_a_cursor_held_over_a_delete_of_the_highest_row_neither_skips_nor_repeats(held: Register) -> None:
    def after(row: int) -> list[tuple[int, bytes]]:
        with held.store.read() as connection:
            return following.held_after(connection, 1, "rol", row, 100)

    seen = after(0)
    cursor = seen[-1][0]
    held.ingest.remove(SOURCE, "rol", [UUID(bytes=seen[-1][1])])
    held.take(persoon(7, BSN[4]), persoon(8, BSN[5]))
    came = {UUID(uuid_of("rol", number)).bytes for number in (7, 8)}
    assert {uuid for _, uuid in after(cursor)} == came
    assert not {row for row, _ in after(cursor)} & {row for row, _ in seen}
    held.store.close()


@pytest.mark.parametrize("table", ["raw", "statement", "identity", "document"])
def test_what_comes_after_the_highest_went_gets_a_higher_id(held: Register, table: str) -> None:
    def highest() -> int:
        with held.store.read() as connection:
            return int(connection.one(f"SELECT max(id) FROM {table}")[0])  # noqa: S608

    before = highest()
    held.remove(persoon(1), persoon(2), persoon(3))
    held.take(zaak(1), persoon(4, BSN[4]))
    assert highest() > before
    held.store.close()


def _document(connection: Session) -> int:
    return insert_one(connection, 5, b"u" * 16, 1, "{}", 1, 1)


def _run(connection: Session) -> int:
    return runs.open_run(connection, "sync", None).id


def _change(connection: Session) -> int:
    connection.run("INSERT INTO source (id, name) VALUES (1, 'bron') ON CONFLICT DO NOTHING")
    writeback.put(connection, 1, "klant", b"u" * 16, "", {}, 1)
    return int(connection.one("SELECT max(id) FROM writeback")[0])


MAKES: dict[str, tuple[Callable[[Session], int], Callable[[Session, int], object]]] = {
    "document": (_document, lambda connection, row: remove_documents(connection, [row])),
    "run": (_run, lambda connection, row: connection.run("DELETE FROM run WHERE id = ?", (row,))),
    "writeback": (_change, writeback.drop),
}


@pytest.mark.parametrize(("make", "drop"), MAKES.values(), ids=MAKES)
def test_no_id_is_given_twice(
    store: Store, make: Callable[[Session], int], drop: Callable[[Session, int], object]
) -> None:
    given = []
    for _ in range(3):
        with store.write() as connection:
            given.append(make(connection))
        with store.write() as connection:
            drop(connection, given[-1])
    assert given == sorted(set(given))


def test_what_is_undone_takes_no_ids_and_a_row_put_there_by_hand_is_passed_over(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.write() as connection:
        next_ids(connection, "document", 5)
        raise ZeroDivisionError
    with store.write() as connection:
        assert next_ids(connection, "document", 0) == range(0)
        assert next_ids(connection, "document", 2) == range(1, 3)
        connection.run(
            "INSERT INTO document (id, kind, uuid, origin, created, moment, body) VALUES (9, 5, ?, 1, 1, 1, '{}')",
            (b"u" * 16,),
        )
        assert next_ids(connection, "document", 2) == range(10, 12)
