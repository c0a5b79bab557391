"""Putting a back-up in the place of a store, while nothing runs.

What stood there is moved aside whole, with its log: a log that stays behind would be put into another file. First the
back-up is copied beside the store and judged; only what is sound, of this version or an earlier one, and made with the
same uuid secret takes the place. Between the moves a note beside the store says so, and keeps it from being opened.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from gateway.base.clock import now, utc_now
from gateway.store.backup import integrity
from gateway.store.backup.copy import MADE, SPARE_BYTES, Progress, sync
from gateway.store.base.errors import StoreError, StoreFailed
from gateway.store.file import holders
from gateway.store.file.holders import Mark, StoreRecord
from gateway.store.file.session import connect
from gateway.store.operation import events, following, leases
from gateway.store.operation.sources import SECRET, meta_of
from gateway.store.schema import upgrade

AT_ONCE = 16 * 1024 * 1024
# What the log of events says, and why the sweep reads all of the sources again: they changed since.
EVENT = "back-up teruggezet"


class RestoreError(StoreError):
    """The back-up was not put back; the text says why. What stood there stands there still."""


class Restored(NamedTuple):
    """What was done: when the back-up was made (microseconds UTC, None when it does not say), what it holds, and
    where what stood there lies now (None when nothing did)."""

    made: int | None
    documents: int
    objects: int
    sources: dict[str, str]
    aside: Path | None


def restore(
    store: Path, backup: Path, secret: str, who: str, progress: Progress = lambda what, done, total: None
) -> Restored:
    """Put the back-up in the place of the store. `secret` is the fingerprint of the uuid secret in use.

    Raises RestoreError, or InUse while any process has the store open.
    """
    _refuse(store, backup)
    with holders.alone(store) as hold:
        new = store.with_name(f"{store.name}.nieuw")
        try:
            _copy(backup, new, progress)
            progress("nakijken", 0, 0)
            restored = _judge(new, backup, secret, who)
            aside = _exchange(hold, store, new)
        except StoreFailed as error:
            raise RestoreError(f"{backup} is niet teruggezet. {error}") from error
        except OSError as error:
            raise RestoreError(
                f"{backup} is niet teruggezet: {error.filename or store} ({error.strerror})."
            ) from error
        finally:
            for each in _with_log(new):
                with contextlib.suppress(OSError):
                    each.unlink(missing_ok=True)
    return restored._replace(aside=aside)


def _refuse(store: Path, backup: Path) -> None:
    if not backup.is_file():
        raise RestoreError(f"{backup} is er niet of is geen bestand; noem het bestand van de back-up.")
    if store.exists() and store.samefile(backup):
        raise RestoreError(
            f"{backup} is de opslag zelf. Is daar al een back-up overheen gezet: verplaats het bestand naar een andere "
            "map en noem het daar."
        )
    try:
        mark = Mark.of(backup)
    except OSError as error:
        raise RestoreError(f"{backup} kan niet worden gelezen ({error.strerror}).") from None
    if mark is None:
        raise RestoreError(f"{backup} is geen back-up van Klantbrug, of is beschadigd.")
    needed = sum(each.stat().st_size for each in _with_log(backup) if each.exists()) + SPARE_BYTES
    free = shutil.disk_usage(store.parent).free
    if free < needed:
        raise RestoreError(
            f"In {store.parent} is {free // 1_000_000} MB vrij en er is {needed // 1_000_000} MB nodig: wat er staat "
            "blijft bewaard. Maak ruimte."
        )


def _with_log(store: Path) -> list[Path]:
    return [store, *(store.with_name(store.name + what) for what in ("-wal", "-shm", "-journal"))]


def _copy(backup: Path, new: Path, progress: Progress) -> None:
    """Copy the back-up, and its log when it has one: such a copy was made while nothing ran."""
    for each in _with_log(new):
        each.unlink(missing_ok=True)
    for what in ("", "-wal"):
        source, target = backup.with_name(backup.name + what), new.with_name(new.name + what)
        if not source.exists():
            continue
        total, done = source.stat().st_size, 0
        file = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with os.fdopen(file, "wb") as written, source.open("rb") as read:
            while piece := read.read(AT_ONCE):
                written.write(piece)
                done += len(piece)
                progress("kopiëren", done, total)
            written.flush()
            os.fsync(written.fileno())


def _judge(new: Path, backup: Path, secret: str, who: str) -> Restored:
    """Is the copy sound and ours? Out: what it holds; what only held for the processes of then is taken from it."""
    connection = connect(new)
    try:
        wrong = integrity.pages(connection)
        if wrong:
            raise RestoreError(f"{backup} is beschadigd ({'; '.join(wrong)}): neem een andere back-up.")
        if not integrity.is_ours(connection) or (held := meta_of(connection, SECRET)) is None:
            raise RestoreError(f"{backup} is een database, maar geen opslag van Klantbrug.")
        if held != secret:
            raise RestoreError(
                f"{backup} is gemaakt met een ander uuid-geheim dan [store] uuid_secret: zet eerst het geheim terug "
                "dat bij deze back-up hoort. Met een ander geheim zou elke partij een andere uuid krijgen."
            )
        if newer := upgrade.unknown(connection):
            raise RestoreError(
                f"{backup} is van een nieuwere versie van Klantbrug ({newer[-1]}): werk Klantbrug eerst bij."
            )
        connection.run("PRAGMA foreign_keys = ON")
        with connection.transaction():
            upgrade.upgrade(connection)
        made = meta_of(connection, MADE)
        counts = [connection.one(f"SELECT count(*) FROM {table}")[0] for table in ("document", "raw")]
        sources = dict(connection.all("SELECT name, phase FROM source ORDER BY name"))
        with connection.transaction():
            leases.forget_all(connection)
            for (source,) in connection.all("SELECT id FROM source"):
                following.ask_hurry(connection, source, now(), EVENT)
            events.note(connection, None, EVENT, who, backup.name)
        connection.run("PRAGMA journal_mode = DELETE")  # one file: the log is in it
        return Restored(int(made) if made else None, counts[0], counts[1], sources, None)
    finally:
        connection.close()


def _exchange(hold: holders.Hold, store: Path, new: Path) -> Path | None:
    """Move what stands there aside and the new file in its place. Out: the folder of what stood there."""
    old = [each for each in _old(store) if each.exists()]
    aside = _free_folder(store)
    before = hold.record()
    mark = Mark.of(new)
    # Put back by root, it is still the file of the user of the service.
    of = (store if store.exists() else store.parent).stat()
    if os.geteuid() == 0:
        os.chown(new, of.st_uid, of.st_gid)
    hold.write(StoreRecord((), before.restoring or str(aside.name)))
    if old:
        aside.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(aside, of.st_uid, of.st_gid)
        for each in old:
            each.rename(aside / each.name)
        sync(aside)
    new.rename(store)
    sync(store.parent)
    hold.write(StoreRecord((mark,) if mark else ()))
    return aside if old else None


def _old(store: Path) -> Iterator[Path]:
    """What belongs to a store: its file and logs, and how fast each source was asked. Not the uuid secret."""
    yield from _with_log(store)
    yield from sorted(store.parent.glob(f"{store.name}.*.pace"))


def _free_folder(store: Path) -> Path:
    moment = utc_now().strftime("%Y%m%dT%H%M%SZ")
    number = 0
    while True:
        folder = store.with_name(f"{store.name}.opzij-{moment}{f'-{number}' if number else ''}")
        if not folder.exists():
            return folder
        number += 1
