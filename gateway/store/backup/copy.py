"""A back-up: a copy of the store in one file, made while others write, that nobody but its owner can ever read.

SQLite copies page by page from one state of the store: the connection that it reads by stays in one read transaction,
so that it never begins again, however much is written meanwhile. (Its own command line lets go between steps, and
begins again at each write.)
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from gateway.base.clock import now
from gateway.store.backup import integrity
from gateway.store.base.errors import StoreError, StoreFailed
from gateway.store.file.full_disk import only_looking
from gateway.store.file.session import connect
from gateway.store.operation.sources import SECRET, meta_of

# 16 MB: what is copied between two words of progress.
PAGES_AT_ONCE = 4096
# A store grows while it is copied; a copy must not fill the disk.
SPARE_BYTES = 16 * 1024 * 1024
PART = ".deel"
MADE = "backup made"

# Told what is being done, how much of how much (0 is not known).
Progress = Callable[[str, int, int], None]


class Backup(NamedTuple):
    """A copy that was made and checked."""

    path: Path
    size: int
    seconds: float


class BackupError(StoreError):
    """The back-up was not made; the text says why. Nothing is left of it."""


def back_up(store: Path, to: Path, progress: Progress = lambda what, done, total: None) -> Backup:
    """Copy the store at a path into a new file, and check the copy. Raises BackupError.

    An existing file is never written over.
    """
    began = time.monotonic()
    _refuse(store, to)
    part = to.with_name(to.name + PART)
    try:
        _make(part)
        _copy(store, part, progress)
        progress("nakijken", 0, 0)
        _check(part)
        size = part.stat().st_size
        keep(part, to)
    except StoreFailed as error:
        raise BackupError(f"De back-up is niet gemaakt. {error}") from error
    except OSError as error:
        raise BackupError(f"De back-up is niet gemaakt: {to} ({error.strerror}).") from error
    finally:
        # Of a copy that is whole this was the other name.
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    return Backup(to, size, time.monotonic() - began)


def _refuse(store: Path, to: Path) -> None:
    if not to.parent.is_dir():
        raise BackupError(f"De map {to.parent} bestaat niet; maak haar aan of noem een andere.")
    if to.exists():
        raise BackupError(
            f"{to} bestaat al; een back-up gaat nooit over iets anders heen. Noem een nieuw bestand."
        )
    needed = store.stat().st_size + SPARE_BYTES
    free = shutil.disk_usage(to.parent).free
    if free < needed:
        raise BackupError(
            f"In {to.parent} is {free // 1_000_000} MB vrij en de back-up heeft {needed // 1_000_000} MB nodig; maak "
            "ruimte of noem een andere map."
        )


def _make(part: Path) -> None:
    """An empty file that only its owner may read, before anything is in it."""
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        raise BackupError(
            f"{part} staat er nog van een back-up die nu loopt of werd afgebroken; loopt er geen, verwijder het dan."
        ) from None


def _copy(store: Path, part: Path, progress: Progress) -> None:
    def told(done: int, total: int) -> None:
        progress("kopiëren", done, total)

    copy = connect(part)
    try:
        for pragma in ("journal_mode = OFF", "synchronous = OFF"):
            copy.run(f"PRAGMA {pragma}")
        with only_looking(store) as source:
            source.run("BEGIN")
            source.one("SELECT 1 FROM meta LIMIT 1")  # from here on it sees one state
            source.copy_to(copy, PAGES_AT_ONCE, told)
            source.run("COMMIT")
        # One file that is complete by itself, and that no log of the store belongs to.
        copy.run("PRAGMA journal_mode = DELETE")
        copy.run(f"PRAGMA user_version = {secrets.randbelow(2**31 - 1) + 1}")
        copy.run(
            "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2", (MADE, str(now()))
        )
    finally:
        copy.close()


def _check(part: Path) -> None:
    sync(part)
    with only_looking(part) as connection:
        found = integrity.pages(connection)
        if not found and meta_of(connection, SECRET) is None:
            found = ["het kenmerk van het uuid-geheim ontbreekt"]
    if found:
        raise BackupError(
            f"De back-up is niet goed ({'; '.join(found)}) en weggegooid; kijk met klantbrug check --deep of de opslag "
            "zelf nog gaaf is."
        )


def keep(part: Path, to: Path) -> None:
    """Give the copy its name, if nobody took that meanwhile, so that it lasts. Raises BackupError, OSError."""
    try:
        to.hardlink_to(part)
    except FileExistsError:
        raise BackupError(f"{to} is er intussen al; er is niets overschreven.") from None
    except OSError:  # a file system without a second name for a file
        if to.exists():
            raise BackupError(f"{to} is er intussen al; er is niets overschreven.") from None
        part.rename(to)
    sync(to.parent)


def sync(path: Path) -> None:
    """Make what is in a file, or the names in a folder, last. Raises OSError."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
