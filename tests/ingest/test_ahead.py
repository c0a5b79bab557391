"""Objects that are made ready before their turn, and how many questions a batch asks of the store."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from builders.legacy_objects import klantcontact, persoon, zaak
from builders.register import SOURCE, Objects, Register, kind_of

from gateway.ingest.incoming import Incoming
from gateway.ingest.ingest import Ingest

PAGE = 12


def someone(number: int, **rest: Any) -> dict[str, Any]:
    """A rol of a person whom nothing else names."""
    return persoon(number, anr=f"{9_000_000_000 + number}", zaak=number // 2, **rest)


def of_zaken(first: int, zaken: int) -> dict[str, list[dict[str, Any]]]:
    """Zaken, each with who gives a machtiging and who takes it, and a klantcontact; by kind."""
    numbers = range(first, first + zaken)
    return {
        "zaak": [zaak(number) for number in numbers],
        "rol": [
            rol
            for number in numbers
            for rol in (
                someone(2 * number, indicatieMachtiging="machtiginggever"),
                someone(2 * number + 1, indicatieMachtiging="gemachtigde"),
            )
        ],
        "klantcontact": [klantcontact(number, zaak=number) for number in numbers],
    }


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
    objects = of_zaken(1, PAGE)
    rollen = objects["rol"]
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
    objects = of_zaken(1, PAGE)
    register.take_all(all_of([objects["zaak"], objects["rol"]]))
    page = objects["rol"][:PAGE]
    assert len(made_ready(register, page, PAGE)) == PAGE
    register.ingest.take(SOURCE, "rol", page, asked=0)
    assert made_ready(register, page, PAGE) == []
    assert made_ready(register, objects["zaak"][:PAGE], PAGE) != []  # of another kind nothing was held


def test_a_page_that_was_made_ready_twice_is_once_in_it(register: Register) -> None:
    objects = of_zaken(1, PAGE)
    register.take_all(all_of([objects["zaak"], objects["rol"]]))
    ready = made_ready(register, objects["rol"], 3)
    for _ in register.ingest.ahead(SOURCE, "rol", objects["rol"], ready):
        pass
    assert [item.raw for item in ready] == objects["rol"]


@pytest.mark.parametrize("kind", ["zaak", "rol", "klantcontact"])
def test_a_batch_asks_as_many_questions_whatever_is_in_it(
    register: Register, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """On another machine each takes as long as the way there and back."""
    monkeypatch.setattr(Ingest, "_room", lambda *of: 10_000)
    asked: Counter[str] = Counter()
    with register.store.write() as connection:
        sessions = type(connection)

    def counted(name: str) -> None:
        real = getattr(sessions, name)

        def ask(session: Any, sql: str, *values: Any) -> Any:
            asked[sql.partition("(?")[0]] += 1
            return real(session, sql, *values)

        monkeypatch.setattr(sessions, name, ask)

    questions: list[Counter[str]] = []
    few, many = of_zaken(100, 4), of_zaken(200, 40)
    for name in ("all", "one", "run", "insert"):
        counted(name)
    for objects in (few, many):
        for each in ("zaak", "rol", "klantcontact"):
            if each == kind:
                asked.clear()
            register.ingest.take(SOURCE, each, objects[each], asked=0)
            if each == kind:
                questions.append(Counter(asked))
    more = questions[1] - questions[0]
    assert sum(more.values()) <= 5, more
