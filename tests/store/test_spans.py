"""Counts and deep pages by spans: the same as counting and walking, whatever was written in which way."""

from __future__ import annotations

import random
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from builders.stores import make_store
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.store.base.kinds import KIND, KINDS
from gateway.store.base.store import Store
from gateway.store.documents import reading
from gateway.store.documents.rows import remove_documents, update
from gateway.store.documents.writing import put_documents
from gateway.store.indexes import spans
from mappings.model.documents import Document

CATEGORIE, ACTOR = KIND["categorie"], KIND["actor"]


def categorie(number: int, moment: int, kind: str = "categorie") -> Document:
    uuid = UUID(int=(number * 7919) % 100_003 << 80, version=4)
    return Document(kind, uuid, {"naam": "c"}, created=moment // 2, moment=moment)


def walked(connection: sqlite3.Connection, kind: int) -> list[bytes]:
    """All documents of a kind in their order, by a plain query."""
    question = "SELECT uuid FROM document WHERE kind = ? ORDER BY moment DESC, created DESC, uuid DESC"
    return [row[0] for row in connection.execute(question, (kind,))]


def paged(connection: sqlite3.Connection, kind: str, size: int) -> list[bytes]:
    """All documents of a kind, page by page; the last page asked for as such is the last one."""
    found: list[bytes] = []
    page, number = None, 1
    while (next_page := reading.page(connection, kind, [], number, size)) is not None:
        page = next_page
        found += [row[1] for row in page.rows]
        number += 1
    assert reading.page(connection, kind, [], None, size) == page
    return found


def judge(connection: sqlite3.Connection, size: int) -> None:
    """Every count and page is what counting and walking gives, and no span is too large."""
    for name in ("categorie", "actor"):
        expected = walked(connection, KIND[name])
        assert spans.count(connection, KIND[name]) == len(expected)
        assert paged(connection, name, size) == expected
    largest = connection.execute("SELECT max(found) FROM span").fetchone()[0]
    assert largest is None or largest <= spans.CUT_AT


@pytest.fixture
def small_spans(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], Store]:
    """Makes stores whose spans are cut at a handful of documents, so that a test sees many of them."""
    numbers = iter(range(10_000))
    monkeypatch.setattr(spans, "CUT_AT", 8)
    monkeypatch.setattr(spans, "CUT_TO", 4)
    return lambda: make_store(tmp_path / f"small-{next(numbers)}.sqlite")


Step = tuple[str, int, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["come", "come", "come", "flood", "crowd", "crowd", "move", "go"]),
        st.integers(0, 40),
        st.integers(-3, 12),
    ),
    max_size=40,
)


def take(connection: sqlite3.Connection, step: Step) -> None:
    """Write in one of the ways that documents are written."""
    way, number, moment = step
    one = categorie(number, moment)
    match way:
        case "come":
            put_documents(connection, [(one, None)])
        case "flood":  # many with one moment: only their uuids tell them apart
            put_documents(connection, [(categorie(100 + number * 9 + n, moment), None) for n in range(9)])
        case "crowd":  # so many that they are counted together
            crowd = [categorie(1000 + number * 20 + n, moment + n % 3) for n in range(20)]
            put_documents(connection, [(one, None) for one in crowd])
        case "move":
            held = connection.all("SELECT id, created FROM document WHERE uuid = ?", (one.uuid.bytes,))
            update(connection, {row: {"moment": moment, "created": created + 1} for row, created in held})
        case "go":
            ids = connection.execute(
                "SELECT id FROM document WHERE moment BETWEEN ? AND ?", (moment, moment + number // 10)
            )
            remove_documents(connection, [row[0] for row in ids])


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS, st.integers(1, 12))
def test_counts_and_pages_are_right_after_any_writes(
    small_spans: Callable[[], Store], steps: list[Step], size: int
) -> None:
    store = small_spans()
    try:
        for step in steps:
            with store.write() as connection:
                take(connection, step)
        with store.read() as connection:
            judge(connection, size)
    finally:
        store.close()


@pytest.mark.parametrize("moved", [5, 30])
def test_documents_that_move_are_counted_where_they_are_and_no_more_where_they_were(
    small_spans: Callable[[], Store], moved: int
) -> None:
    """Few are counted one by one, many together; new ones among them too."""
    store = small_spans()
    with store.write() as connection:
        put_documents(connection, [(categorie(number, number), None) for number in range(40)])
        put_documents(connection, [(categorie(number, 90 - number * 2), None) for number in range(moved)])
        new_and_moved = [categorie(number, 7) for number in range(40 - moved, 45)]
        put_documents(connection, [(one, None) for one in new_and_moved])
        judge(connection, 7)
        assert spans.count(connection, CATEGORIE) == 45
    store.close()


def test_a_write_that_is_undone_undoes_its_count(store: Store) -> None:
    with store.write() as connection:
        put_documents(connection, [(categorie(1, 1), None)])
    with pytest.raises(ZeroDivisionError), store.write() as connection:
        put_documents(connection, [(categorie(2, 2), None)])
        raise ZeroDivisionError
    with store.read() as connection:
        assert spans.count(connection, CATEGORIE) == 1


@pytest.mark.slow
@pytest.mark.parametrize("moments", ["one moment", "any order", "newest last"])
def test_spans_of_their_real_size_are_cut_as_a_list_grows(store: Store, moments: str) -> None:
    chance = random.Random(7)
    when = {
        "one moment": lambda n: 5,
        "any order": lambda n: chance.randrange(900),
        "newest last": lambda n: n,
    }
    documents = [categorie(number, when[moments](number)) for number in range(spans.CUT_AT * 3 + 1)]
    with store.write() as connection:
        put_documents(connection, [(one, None) for one in documents])
    with store.read() as connection:
        judge(connection, 450)
        assert connection.execute("SELECT count(*) FROM span WHERE found > 0").fetchone()[0] >= 4


def test_a_list_that_shrinks_to_nothing_keeps_no_bounds_of_what_is_gone(
    small_spans: Callable[[], Store],
) -> None:
    store = small_spans()
    with store.write() as connection:
        ids = put_documents(connection, [(categorie(number, number), None) for number in range(50)])
    with store.write() as connection:
        remove_documents(connection, ids.values())
    with store.read() as connection:
        left = "SELECT count(*) FROM span WHERE found > 0 OR length(uuid) > 0"
        assert connection.execute(left).fetchone()[0] == 0
    store.close()


@pytest.mark.of_the_file
@pytest.mark.parametrize(
    "question",
    [
        "SELECT uuid FROM document WHERE kind = 1 AND (moment, created, uuid) < (1, 1, x'')",
        "SELECT uuid FROM document WHERE kind = 1 AND (moment, created, uuid) >= (1, 1, x'')",
        "SELECT uuid FROM span WHERE kind = 1 AND (moment, created, uuid) <= (1, 1, x'')",
    ],
)
def test_a_bound_is_searched_whole(store: Store, question: str) -> None:
    """Many documents of one moment must not make a page slow: the index is used for all three parts."""
    (plan,) = store.connection().execute(f"EXPLAIN QUERY PLAN {question}").fetchall()
    assert re.search(r"\(kind=\? AND \(moment,created,uuid\)[<>]\(\?,\?,\?\)\)", plan[3])


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_counted(store: Store, kind: str) -> None:
    with store.write() as connection:
        put_documents(connection, [(categorie(1, 1, kind), None)])
        assert spans.count(connection, KIND[kind]) == 1
    assert len(KINDS) <= spans.MOST_KINDS
