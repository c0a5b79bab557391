"""Both databases find the same texts: letters of all languages, signs of LIKE, what looks like an escape."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from builders.stores import ON_POSTGRES

from gateway.store.base.conditions import Compare, Condition, Where
from gateway.store.base.kinds import LOCAL_ORIGIN
from gateway.store.base.store import Store
from gateway.store.documents import reading
from gateway.store.documents.writing import put_documents
from gateway.store.file.database import FileStore
from mappings.model.documents import Document

pytestmark = pytest.mark.skipif(not ON_POSTGRES, reason="KLANTBRUG_TEST_DATABASE names no database")
KIND, FIELD = "klantcontact", "inhoud"
# Capitals of another length, letters with more than one, marks apart from their letter, signs of LIKE, JSON and FTS.
SIGNS = (
    "İ", "ı", "i", "I", "ß", "ẞ", "ss", "SS", "ς", "σ", "Σ", "é", "e\u0301", "É", "ŉ", "ǰ", "ΐ", "և", "ﬁ", "ﬃ", "ᾳ",
    "\u0345", "ǆ", "ǅ", "Ǆ", "Ⓐ", "ⓐ", "𐐨", "𐐀", "Ꭰ", "ꭰ", "ა", "Ა", "ſ", "K", "k", "Å", "å", "%", "_", "\\", "'", '"',
    "*", "\\u0000", "\0", "\ufffd", "\ufffe", "\U0010ffff", " ", "\n", "a", "A", "漢", "\U0001f600",
)  # fmt: skip
TEXTS, QUESTIONS = 300, 250


@pytest.fixture
def both(store: Store, tmp_path: Path) -> Iterator[tuple[Store, Store, list[str]]]:
    """A store on each database with the same texts, and those."""
    rng = random.Random(29)
    texts = ["".join(rng.choices(SIGNS, k=rng.randint(1, 9))) for _ in range(TEXTS)]
    texts += [*SIGNS, "Straße 7", "İSTANBUL", "ΟΔΥΣΣΕΥΣ"]
    documents = [
        (Document(KIND, UUID(int=number), {FIELD: text, "nummer": f"{number}"}, number, number), None)
        for number, text in enumerate(texts, 1)
    ]
    file = FileStore(tmp_path / "file.db")
    for each in (store, file):
        with each.write() as session:
            put_documents(session, documents, LOCAL_ORIGIN)
    yield store, file, texts
    file.close()


def found(store: Store, compare: Compare, value: str) -> list[bytes]:
    with store.read() as session:
        condition = Condition(Where(KIND, field=FIELD, compare=compare), value)
        page = reading.page(session, KIND, [condition], 1, 1000)
    return [] if page is None else [row[1] for row in page.rows]


@pytest.mark.parametrize("compare", [Compare.CONTAINS, Compare.IS])
def test_both_find_the_same_texts(both: tuple[Store, Store, list[str]], compare: Compare) -> None:
    database, file, texts = both
    rng = random.Random(30)
    asked = [sign for sign in SIGNS if "\0" not in sign]
    asked += ["".join(rng.choices(asked, k=rng.randint(1, 4))) for _ in range(QUESTIONS)]
    asked += [
        text[start : start + 4]
        for text in texts[::3]
        for start in (0, 1)
        if "\0" not in text[start : start + 4]
    ]
    asked += [change(text) for text in texts[::5] if "\0" not in text for change in (str.upper, str.lower)]
    hits = 0
    for value in filter(None, asked):
        one, other = found(database, compare, value), found(file, compare, value)
        assert one == other, ascii(value)
        hits += len(one)
    assert hits > 100


def test_a_text_that_looks_like_an_escape_is_read(both: tuple[Store, Store, list[str]]) -> None:
    database, file, _ = both
    for each in (database, file):
        assert found(each, Compare.IS, "\\u0000")
