"""Objects that are made ready before their turn, and how many questions a batch asks of the store."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from builders.contactmomenten import HERE
from builders.earlier_objects import CONTACTMOMENTEN
from builders.legacy_objects import zaak
from builders.many_objects import ALL_KINDS, changed, of_zaken
from builders.register import SOURCE, Objects, Register, kind_of

from gateway.ingest.incoming import Incoming
from gateway.ingest.ingest import Ingest
from gateway.store.operation import following
from gateway.store.operation.sources import held_source

PAGE = 12


def all_of(pages: list[list[dict[str, Any]]]) -> Objects:
    return [(kind_of(raw), raw) for page in pages for raw in page]


def made_ready(register: Register, page: list[dict[str, Any]], pieces: int) -> list[Incoming]:
    """What so many pieces of the work make of a page that comes later."""
    ready: list[Incoming] = []
    ahead = register.ingest.ahead(SOURCE, kind_of(page[0]), page, ready)
    for _ in range(pieces):
        next(ahead, None)
    return ready


@pytest.mark.parametrize("pieces", [0, 1, PAGE - 1, PAGE, PAGE + 5])
def test_what_was_made_ready_is_taken_as_what_comes_now(
    register: Register, tmp_path: Path, pieces: int
) -> None:
    objects = of_zaken(range(PAGE))
    rollen = objects["rol"][: 2 * PAGE]
    first, page = rollen[:PAGE], rollen[PAGE:]
    register.take(*objects["zaak"])
    register.ingest.take(SOURCE, "rol", first, asked=0)
    ready = made_ready(register, page, pieces)
    assert [item.raw for item in ready] == page[:pieces]
    assert all(item.translated and item.body for item in ready)
    result = register.ingest.take(SOURCE, "rol", page, asked=0, ready=ready)
    assert result.changed == PAGE
    other = Register(tmp_path / "other.sqlite")
    other.take_all(all_of([objects["zaak"], rollen]))
    assert register.digest() == other.digest()
    other.store.close()


def test_nothing_is_made_ready_where_most_was_held(register: Register) -> None:
    objects = of_zaken(range(PAGE))
    register.take_all(all_of([objects["zaak"], objects["rol"]]))
    page = objects["rol"][:PAGE]
    assert len(made_ready(register, page, PAGE)) == PAGE
    register.ingest.take(SOURCE, "rol", page, asked=0)
    assert made_ready(register, page, PAGE) == []
    assert made_ready(register, objects["zaak"][:PAGE], PAGE) != []  # of another kind nothing was held


def test_a_page_that_was_made_ready_twice_is_once_in_it(register: Register) -> None:
    objects = of_zaken(range(PAGE))
    register.take_all(all_of([objects["zaak"], objects["rol"]]))
    ready = made_ready(register, objects["rol"], 3)
    for _ in register.ingest.ahead(SOURCE, "rol", objects["rol"], ready):
        pass
    assert [item.raw for item in ready] == objects["rol"]


def test_what_cannot_be_made_ready_is_raised_in_its_own_turn(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = of_zaken(range(PAGE))
    register.take_all(all_of([objects["zaak"]]))
    first, page = objects["rol"][:PAGE], objects["rol"][PAGE : 2 * PAGE]
    register.ingest.take(SOURCE, "rol", first, asked=0)
    real = Ingest.prepare

    def fails(ingest: Ingest, source: str, item: Incoming) -> Any:
        if item.raw is page[3]:
            raise LookupError
        return real(ingest, source, item)

    monkeypatch.setattr(Ingest, "prepare", fails)
    ready = made_ready(register, page, PAGE)
    assert [item.raw for item in ready] == page[:3]
    with pytest.raises(LookupError):
        register.ingest.take(SOURCE, "rol", page, asked=0, ready=ready)


@pytest.mark.parametrize("what", ["new", "changed", "held", "removed"])
@pytest.mark.parametrize("kind", ALL_KINDS)
def test_a_batch_asks_as_many_questions_whatever_is_in_it(
    register: Register, monkeypatch: pytest.MonkeyPatch, kind: str, what: str
) -> None:
    """On another machine each takes as long as the way there and back."""
    if (kind, what) == ("zaak", "removed"):
        pytest.skip("zaken are destroyed one by one")
    monkeypatch.setattr(Ingest, "_room", lambda *of: 10_000)
    register.ingest.addresses = {SOURCE: {"bron": f"{CONTACTMOMENTEN}/", "hier": HERE}}
    few, many = of_zaken(range(4)), of_zaken(range(100, 140))
    for objects in (few, many):
        for each in ALL_KINDS[: ALL_KINDS.index(kind) + (what != "new")]:
            register.ingest.take(SOURCE, each, objects[each], asked=0)
    asked: Counter[str] = Counter()
    with register.store.write() as connection:
        sessions = type(connection)

    def counted(name: str) -> None:
        real = getattr(sessions, name)

        def ask(session: Any, sql: str, *values: Any) -> Any:
            asked[sql.partition("(?")[0]] += 1
            return real(session, sql, *values)

        monkeypatch.setattr(sessions, name, ask)

    for name in ("all", "one", "run", "insert"):
        counted(name)
    questions: list[Counter[str]] = []
    for objects in (few, many):
        asked.clear()
        if what == "removed":
            uuids = [UUID(raw["url"].rsplit("/", 1)[1]) for raw in objects[kind]]
            register.ingest.remove(SOURCE, kind, uuids)
        else:
            raws = [changed(raw) if what == "changed" else raw for raw in objects[kind]]
            result = register.ingest.take(SOURCE, kind, raws, asked=0)
            assert (result.changed == len(raws)) is (what != "held")
        questions.append(Counter(asked))
    more = questions[1] - questions[0]
    assert sum(more.values()) <= 5, more


def test_whether_anything_is_held_of_a_kind_is_known_by_its_count(register: Register) -> None:
    held = zaak(1)

    def is_held(source: str, kind: str) -> bool:
        with register.store.read() as connection:
            return following.is_held(connection, held_source(connection, source) or 0, kind)

    assert not is_held(SOURCE, "zaak")
    register.take(held)
    assert is_held(SOURCE, "zaak")
    assert not is_held(SOURCE, "zaakcontactmoment")
    assert not is_held("ander", "zaak")
    register.remove(held)
    assert not is_held(SOURCE, "zaak")
