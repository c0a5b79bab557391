"""A store on a disk without room: it is read as it is, until there is room again.

To read, SQLite wants a small file beside the store that its processes share (`-shm`), and it can't make that on a full
disk. It can do without: then each process makes for itself what would stand in it, and nobody writes.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from gateway.base.process_identity import NotShared, open_shared
from gateway.store.base.errors import StoreUnwritable
from gateway.store.file.errors import told
from gateway.store.file.session import STATEMENTS, SqliteSession, look

# Below this an operator must hear of it: a write of any size may fail.
LITTLE_ROOM = 32 * 1024 * 1024
# What SQLite needs to begin to write.
ROOM = 128 * 1024


def connect(path: Path) -> SqliteSession:
    """A connection that only reads and makes no file larger. Raises StoreFailed.

    Other threads may close it, for all of a process must be closed before one of them can write.
    """
    for name in ("-shm", "-wal"):  # an empty file takes no room
        beside = path.with_name(path.name + name)
        with contextlib.suppress(NotShared):
            os.close(open_shared(beside, path))
    return look(path, "&readonly_shm=1", cached_statements=STATEMENTS, check_same_thread=False)


@contextlib.contextmanager
def only_looking(path: Path) -> Iterator[SqliteSession]:
    """A connection to a store that changes nothing, for the block. Raises StoreFailed."""
    try:
        connection = look(path)
    except StoreUnwritable:
        if not path.exists():
            raise
        connection = connect(path)
    try:
        yield connection
    except sqlite3.Error as error:
        raise told(error) from error
    finally:
        connection.close()


def can_write(store: Path) -> bool:
    """Can something be written beside the store? Found out by trying: limits are not only those of the disk."""
    probe = store.with_name(f"{store.name}.room-{os.getpid()}")
    try:
        file = os.open(probe, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            written = os.write(file, bytes(ROOM))
            os.fsync(file)
        finally:
            os.close(file)
            probe.unlink(missing_ok=True)
    except OSError:
        return False
    return written == ROOM


def low_space(store: Path) -> str:
    """In words that the disk is full or almost; blank when it is not."""
    try:
        free = shutil.disk_usage(store.parent).free
    except OSError:
        return ""
    if free >= LITTLE_ROOM:
        return ""
    return f"Op de schijf van de opslag is nog {free // 1024} kB vrij; maak ruimte."
