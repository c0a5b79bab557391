"""Copies a store to another database, table by table, with all row ids. What was interrupted is gone on with.

How far it is stands in the copy itself, written with the rows. Indexes and references are made at the end: that takes
half the time. Until all is compared, the copy is no store: nobody else opens it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, NamedTuple

import orjson

from gateway.store.base.errors import StoreError
from gateway.store.base.moving import LATER, UNDER_WAY, MovedTable, MoveSide
from gateway.store.base.session import Session
from gateway.store.operation.sources import SECRET, meta_of

# Rows in a transaction: some megabytes.
AT_ONCE = 5000
PUT = "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2"
# What changes whenever anything does: with the counts of all tables these tell whether a store changed.
_MOMENTS = (
    "SELECT name, last FROM row_id ORDER BY name",
    "SELECT max(written), count(*) FROM local",
    "SELECT max(id), max(heartbeat) FROM run",
    "SELECT max(id) FROM event",
)

# Told what is being done, how much of how much (0 is not known).
Progress = Callable[[str, int, int], None]


class CopyMark(NamedTuple):
    """How far a copy is: of which state of which store (digests), the table that it is in, and the key of the last row
    that it has of that (None: none yet)."""

    store: str
    state: str
    table: str = ""
    after: list[Any] | None = None

    @classmethod
    def of(cls, session: Session) -> CopyMark | None:
        """What a copy says of itself; None of what is no half copy."""
        held = meta_of(session, UNDER_WAY)
        if held is None:
            return None
        store, state, table, after = orjson.loads(held)
        return cls(store, state, table, None if after is None else [_read(each) for each in after])

    def note(self, session: Session) -> None:
        """Write it down, in the transaction of the rows."""
        after = None if self.after is None else [_written(each) for each in self.after]
        session.run(PUT, (UNDER_WAY, orjson.dumps([self.store, self.state, self.table, after]).decode()))


def _written(value: Any) -> Any:
    return {"hex": value.hex()} if isinstance(value, bytes) else value


def _read(value: Any) -> Any:
    return bytes.fromhex(value["hex"]) if isinstance(value, dict) else value


def counts(session: Session, tables: Sequence[MovedTable]) -> dict[str, int]:
    """How many rows each table has."""
    return {table.name: session.one(f"SELECT count(*) FROM {table.name}")[0] for table in tables}


def state_of(session: Session, held: dict[str, int]) -> str:
    """A digest of what a store holds, as far as its counts (in) and a few moments tell."""
    known = [sorted(held.items()), *(session.all(question) for question in _MOMENTS)]
    return hashlib.sha256(orjson.dumps(known)).hexdigest()[:16]


def begin(
    source: MoveSide, target: MoveSide, tables: Sequence[MovedTable], state: str
) -> tuple[CopyMark, bool]:
    """Make the target ready for rows. Out: how far it is already, and had it begun before?

    Raises StoreError for a target that is a store, or half of a copy of another one.
    """
    store = meta_of(source.session, SECRET) or ""
    there = target.is_there()
    reached = CopyMark.of(target.session) if there else None
    if there and reached is None:
        raise StoreError(
            f"{target.shown}: hier staat al een opslag; er is niets veranderd. Noem een leeg doel, of maak dit eerst "
            "leeg als u zeker weet dat niemand haar meer nodig heeft."
        )
    if reached and reached.store != store:
        raise StoreError(
            f"{target.shown}: hier staat een halve kopie van een andere opslag (met een ander uuid-geheim). Er is "
            "niets veranderd; noem een ander doel, of maak dit eerst leeg."
        )
    if reached and reached.state == state:
        return reached, True
    fresh = CopyMark(store, state)
    with target.transaction():
        if not there:
            target.make()
        _empty(target, tables)
        fresh.note(target.session)
    return fresh, reached is not None


def _empty(target: MoveSide, tables: Sequence[MovedTable]) -> None:
    """Take away what a new store holds, or what the copy of another state did."""
    missing: list[str] = orjson.loads(meta_of(target.session, LATER) or "[]")
    later = list(dict.fromkeys([*target.put_off(), *missing]))
    for table in tables:
        target.session.run(f"DELETE FROM {table.name}")
    target.session.run(PUT, (LATER, orjson.dumps(later).decode()))


def copy_rows(
    source: MoveSide,
    target: MoveSide,
    tables: Sequence[MovedTable],
    reached: CopyMark,
    held: dict[str, int],
    progress: Progress,
) -> None:
    """Copy the rows of all tables, from where it was on. In: how many rows each has."""
    total, done = sum(held.values()), 0
    for table in tables:
        if table.name < reached.table:
            done += held[table.name]
            continue
        after = reached.after if table.name == reached.table else None
        if after is not None and (not table.key or after == []):  # it is there
            done += held[table.name]
            continue
        if after is not None:
            done += target.session.one(f"SELECT count(*) FROM {table.name}")[0]
        rows, more = table.rows(source.session, after), True
        while more:
            part = list(islice(rows, AT_ONCE if table.key else None))
            with target.transaction():
                target.load(table, part)
                more = len(part) == AT_ONCE and bool(table.key)
                after = list(table.key_of(part[-1])) if more else []
                reached._replace(table=table.name, after=after).note(target.session)
            done += len(part)
            progress("kopiëren", done, total)


def make_whole(source: MoveSide, target: MoveSide, progress: Progress) -> None:
    """Make the indexes and references that were put off, one by one, and let ids go on where they were."""
    later: list[str] = orjson.loads(meta_of(target.session, LATER) or "[]")
    total = len(later)
    while later:
        progress("indexen maken", total - len(later), total)
        with target.transaction():
            target.later(later[0])
            target.session.run(PUT, (LATER, orjson.dumps(later[1:]).decode()))
        later = later[1:]
    progress("indexen maken", total, total)
    with target.transaction():
        target.set_last_ids(source.last_ids())
