"""Does what is kept beside the documents agree with them: the values that are searched by, and the row ids given?"""

from __future__ import annotations

from collections.abc import Callable

import orjson

from gateway.store.base.session import Session
from gateway.store.indexes import field_values

AT_ONCE = 5000


def disagreements(session: Session, on_step: Callable[[str], None] = lambda step: None) -> list[str]:
    """What does not agree, in words without values; nothing is changed. In: a session that sees one state.

    `on_step` is told what is being looked at, and how far it is.
    """
    return [*_values(session, on_step), *_row_ids(session, on_step)]


def _values(session: Session, on_step: Callable[[str], None]) -> list[str]:
    step = "waarden om op te zoeken"
    on_step(step)
    bad = looked = 0
    place: field_values.FieldValue | None = field_values.BEFORE_ALL
    while place is not None:
        wrong, place = field_values.wrong(session, place, AT_ONCE)
        bad += len(wrong)
        looked += AT_ONCE
        on_step(f"{step}: {looked}")
    (held,) = session.one("SELECT count(*) FROM field_value")
    wanted = 0
    for looked, (row, kind, body) in enumerate(session.each("SELECT id, kind, body FROM document"), 1):
        wanted += len(set(field_values.values_of(kind, row, orjson.loads(body))))
        if not looked % AT_ONCE:
            on_step(f"{step}: {looked} documenten")
    missing = wanted - (held - bad)  # those that are not wrong are all of some document
    told = {"te veel": bad, "te weinig": missing}
    return [
        f"field_value: {number} {what} (klantbrug rebuild maakt ze)"
        for what, number in told.items()
        if number
    ]


def _row_ids(session: Session, on_step: Callable[[str], None]) -> list[str]:
    on_step("rijnummers")
    behind = [
        name
        for name, last in session.all("SELECT name, last FROM row_id ORDER BY name")
        if session.one(f"SELECT coalesce(max(id), 0) FROM {name}")[0] > last
    ]
    return [f"row_id: {name} heeft hogere nummers dan er gegeven zijn" for name in behind]
