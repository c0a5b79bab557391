"""Searches for a part of a text: the index finds what looking into each text finds, and what is erased is gone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

import pytest
from builders.probe.indexes import out_of_step
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.store.base.conditions import Compare, Condition, Where
from gateway.store.base.store import Store
from gateway.store.documents import reading
from gateway.store.documents.rows import remove_documents
from gateway.store.documents.writing import put_documents
from gateway.store.indexes import text_search
from mappings.model.documents import Document

INHOUD = Where("klantcontact", field="inhoud", compare=Compare.CONTAINS)
# Signs whose capitals are others, longer, or the same as those of others; those that a search language gives a meaning;
# and those that the index can't tell apart.
SIGNS = "aAbßſsıiİIéÉe\u0301ςσΣﬁ%_*\"'()^: -\n\x00\ufffd\ufffe\U0010ffff😀日本"
TEXTS = st.text(alphabet=SIGNS, max_size=12)
# The last one has letters that stand nowhere else, so that they can be found in the file.
NAMES = ("Ąźćż Ęłóńść", "ЖЩЪЫЭЮЯ ЖЩЪЫЭЮЯ")


def klantcontact(number: int, inhoud: str) -> Document:
    return Document("klantcontact", UUID(int=number + 1, version=4), {"inhoud": inhoud}, number, number)


def put(store: Store, documents: Iterable[Document]) -> None:
    with store.write() as connection:
        put_documents(connection, [(document, None) for document in documents])


def found(store: Store, part: str) -> set[int]:
    with store.read() as connection:
        page = reading.page(connection, "klantcontact", [Condition(INHOUD, part)], 1, 500)
    assert page is not None
    assert page.total == len(page.rows)
    return {UUID(bytes=row[1]).int for row in page.rows}


def walked(held: dict[int, str], part: str) -> set[int]:
    """The meaning of a search: a part, without regard to case, of a text that is read up to a NUL."""
    texts_read = {number: text.partition("\x00")[0] for number, text in held.items()}
    return {UUID(int=n + 1, version=4).int for n, text in texts_read.items() if part.upper() in text.upper()}


@pytest.fixture(params=[1, 3, 1000])
def together(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many texts wait to be indexed together: each at once, some of them, or none is indexed at all."""
    monkeypatch.setattr(text_search, "TOGETHER", request.param)
    return int(request.param)


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, 5), st.none() | TEXTS), min_size=1, max_size=14),
    st.lists(TEXTS.filter(lambda part: part and "\x00" not in part), min_size=1, max_size=4),
    st.data(),
)
def test_the_index_finds_what_a_walk_finds_after_any_writes(
    store: Store, together: int, steps: list[tuple[int, str | None]], parts: list[str], data: st.DataObject
) -> None:
    """A step writes a text, or removes the document (None); some are together in a transaction."""
    with store.write() as connection:
        remove_documents(connection, [row[0] for row in connection.execute("SELECT id FROM document")])
    held: dict[int, str] = {}
    while steps:
        size = data.draw(st.integers(1, 3))
        now, steps = steps[:size], steps[size:]
        with store.write() as connection:
            for number, text in now:
                if text is None:
                    uuid = UUID(int=number + 1, version=4).bytes
                    rows = connection.execute("SELECT id FROM document WHERE uuid = ?", (uuid,))
                    remove_documents(connection, [row[0] for row in rows.fetchall()])
                    held.pop(number, None)
                else:
                    put_documents(connection, [(klantcontact(number, text), None)])
                    held[number] = text
    for text in held.values():
        cut = sorted(data.draw(st.tuples(st.integers(0, len(text)), st.integers(0, len(text)))))
        parts.append(text[cut[0] : cut[1]].replace("\x00", ""))
    for part in filter(None, parts):
        assert found(store, part) == walked(held, part), ascii(part)
    assert out_of_step(store) == {}


@pytest.mark.slow
@pytest.mark.parametrize("part", ["abc", "ab", "a", "%", "_", "___", "a%c", '"', "x\U0010ffffy"])
def test_nothing_in_a_value_is_a_wildcard(store: Store, part: str) -> None:
    held = dict(enumerate(["xabcx", "ABC", "a%c", "a_c", 'say "abc"', "___", ""]))
    put(store, [klantcontact(number, text) for number, text in held.items()])
    assert found(store, part) == walked(held, part)


def test_the_index_is_used_from_three_letters(store: Store) -> None:
    assert text_search.is_indexed("klantcontact", "inhoud", "abc")
    assert text_search.is_indexed("klantcontact", "inhoud", "ßa")  # as SSA
    for part in ("ab", "", "ab\ufffd"):
        assert not text_search.is_indexed("klantcontact", "inhoud", part)
    assert not text_search.is_indexed("klantcontact", "kanaal", "abc")


def test_a_write_that_is_undone_leaves_the_index_as_it_was(store: Store, together: int) -> None:
    put(store, [klantcontact(1, "zoals het was")])
    with pytest.raises(ZeroDivisionError), store.write() as connection:
        put_documents(connection, [(klantcontact(1, "zoals het werd"), None)])
        raise ZeroDivisionError
    assert (len(found(store, "was")), len(found(store, "werd"))) == (1, 0)
    put(store, [klantcontact(1, "zoals het werd")])
    assert (len(found(store, "was")), len(found(store, "werd"))) == (0, 1)


def terms(path: Path, name: str) -> set[str]:
    """The signs that an index knows of, with those that only stand in what it did not merge yet."""
    connection = sqlite3.connect(path)
    try:
        connection.execute(f"CREATE VIRTUAL TABLE temp.terms USING fts5vocab(main, {name}, 'row')")
        return {row[0] for row in connection.execute("SELECT term FROM temp.terms")}
    finally:
        connection.close()


def in_files(path: Path, text: str) -> bool:
    """Do the letters of a text stand in the store's files, three in a row as an index writes them, or more?"""
    parts = {text[n : n + 3].upper().encode() for n in range(len(text) - 2)}
    files = [path, path.with_name(f"{path.name}-wal")]
    whole = b"".join(file.read_bytes() for file in files if file.exists())
    return any(part in whole for part in parts) or text.encode() in whole


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each text is indexed at once."""
    monkeypatch.setattr(text_search, "TOGETHER", 1)


def purge(store: Store) -> None:
    """As the nightly job does."""
    with store.read() as connection:
        indexes = text_search.with_erased(connection)
    for name, times in indexes:
        first = more = True
        while more:
            with store.write() as connection:
                more = text_search.merge(connection, name, times, first=first)
            first = False
    assert store.empty_log()


@pytest.mark.of_the_file
@pytest.mark.slow
@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("how", ["removed", "changed"])
@pytest.mark.parametrize("name", NAMES)
def test_what_was_erased_leaves_the_index_with_purge(store: Store, name: str, how: str) -> None:
    put(store, [klantcontact(number, f"gewone tekst {number}") for number in range(3000)])
    put(store, [klantcontact(5000, f"gesprek met {name} gevoerd")])
    for start in range(6000, 9000, 500):  # so that the index has several parts
        put(store, [klantcontact(number, f"meer tekst {number}") for number in range(start, start + 500)])
    store.empty_log()
    assert in_files(store.path, name)
    assert found(store, name)
    if how == "removed":
        with store.write() as connection:
            rows = connection.execute("SELECT id FROM document WHERE created = 5000").fetchall()
            remove_documents(connection, [row[0] for row in rows])
    else:
        put(store, [klantcontact(5000, "gesprek gevoerd")])
    assert not found(store, name)
    purge(store)
    assert not in_files(store.path, name)
    assert not any(name[:3].upper() in term for term in terms(store.path, "text_klantcontact_inhoud"))
    assert len(found(store, "tekst 42")) > 0
    with store.read() as connection:
        assert text_search.with_erased(connection) == []


@pytest.mark.of_the_file
@pytest.mark.usefixtures("at_once")
def test_what_is_erased_during_a_purge_is_for_the_next_one(store: Store) -> None:
    put(store, [klantcontact(1, "een tekst"), klantcontact(2, "nog een tekst")])
    put(store, [klantcontact(1, "een andere")])
    with store.read() as connection:
        (name, times), *_ = text_search.with_erased(connection)
    put(store, [klantcontact(2, "ook een andere")])
    first = more = True
    while more:
        with store.write() as connection:
            more = text_search.merge(connection, name, times, first=first)
        first = False
    with store.read() as connection:
        assert [one for one, _ in text_search.with_erased(connection)] == [name]


@pytest.mark.of_the_file
def test_the_indexes_can_be_made_again(store: Store, together: int) -> None:
    put(store, [klantcontact(number, f"tekst {number}") for number in range(50)])
    with store.write() as connection:  # what no document has
        connection.execute(
            "INSERT INTO text_klantcontact_inhoud (rowid, text) SELECT id, 'SPOOK' FROM document"
        )
    assert len(found(store, "spook")) == 50
    with store.write() as connection:
        text_search.make_again(connection)
    assert not found(store, "spook")
    assert len(found(store, "tekst 4")) == 11
    put(store, [klantcontact(4, "anders")])
    assert len(found(store, "tekst 4")) == 10
