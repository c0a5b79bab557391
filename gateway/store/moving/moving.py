"""Moves a store to another database: held still, copied, compared, and only then a store."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import NamedTuple

from gateway.config.store import StoreSettings
from gateway.store import chosen
from gateway.store.backup.copy import PART, keep
from gateway.store.base.errors import StoreError
from gateway.store.base.moving import LATER, UNDER_WAY, MoveSide
from gateway.store.file import moving as files
from gateway.store.moving import comparing, copying
from gateway.store.moving.copying import Progress
from gateway.store.operation import events, leases

EVENT = "opslag verhuisd"
# What tells that a store is half a copy goes.
_NO_COPY = "DELETE FROM meta WHERE name IN (?, ?)", (UNDER_WAY, LATER)


class Moved(NamedTuple):
    """What was done: rows by table, lines of the canonical dump that are equal, the phase of each source, in how many
    seconds, and was it gone on with after an interruption?"""

    rows: dict[str, int]
    lines: int
    sources: dict[str, str]
    seconds: float
    again: bool


def to_database(source: Path, target: StoreSettings, who: str, progress: Progress) -> Moved:
    """Copy the store in a file to PostgreSQL. Raises StoreError, StoreFailed."""
    with files.giving(source) as gives, chosen.database_taking(target) as takes:
        return _move(gives, takes, who, progress)


def to_file(source: StoreSettings, target: Path, who: str, progress: Progress) -> Moved:
    """Copy the store on PostgreSQL to a file that is not there yet. Raises StoreError, StoreFailed, OSError."""
    if target.exists():
        raise StoreError(
            f"{target} bestaat al; een kopie gaat nooit over iets anders heen. Noem een nieuw bestand."
        )
    part = target.with_name(target.name + PART)
    with chosen.database_giving(source) as gives, files.taking(part) as takes:
        moved = _move(gives, takes, who, progress)
    keep(part, target)
    with contextlib.suppress(OSError):
        part.unlink(missing_ok=True)  # its other name
    return moved


def copy_in_use(source: StoreSettings, target: Path, progress: Progress) -> None:
    """Copy the store on PostgreSQL as it is now, while others go on with it, to a file that is not there yet.

    It is not compared: it is for trying something on it. Raises StoreError, StoreFailed.
    """
    with chosen.database_seen(source) as gives, files.taking(target) as takes:
        _copied(gives, takes, progress)
        with takes.transaction():
            takes.session.run(*_NO_COPY)
        takes.settle()


def _copied(source: MoveSide, target: MoveSide, progress: Progress) -> tuple[dict[str, int], bool]:
    """Copy all rows. Out: how many each table has, and was it gone on with after an interruption?"""
    tables = files.tables_of_program()
    progress("tellen", 0, 0)
    held = copying.counts(source.session, tables)
    reached, again = copying.begin(source, target, tables, copying.state_of(source.session, held))
    copying.copy_rows(source, target, tables, reached, held, progress)
    copying.make_whole(source, target, progress)
    return held, again


def _move(source: MoveSide, target: MoveSide, who: str, progress: Progress) -> Moved:
    began = time.monotonic()
    held, again = _copied(source, target, progress)
    progress("nakijken", 0, 0)
    target.tidy()
    with target.snapshot():
        lines = comparing.compare(source.session, target.session, files.tables_of_program(), held, progress)
    sources = dict(target.session.all("SELECT name, phase FROM source ORDER BY name"))
    with target.transaction(lasts=True):
        leases.expire_all(target.session)
        events.note(target.session, None, EVENT, who, f"van {source.shown}")
        target.session.run(*_NO_COPY)
    target.settle()
    return Moved(held, lines, sources, time.monotonic() - began, again)
