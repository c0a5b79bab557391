"""A store on a disk without room: it is read as it is, until there is room again.

To read, SQLite wants a small file beside the store that its processes share (`-shm`), and it can't make that on a full
disk. It can do without: then each process makes for itself what would stand in it, and nobody writes.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from pathlib import Path
from urllib.parse import quote

from gateway.base.process_identity import NotShared, open_shared

# Below this an operator must hear of it: a write of any size may fail.
LITTLE_ROOM = 32 * 1024 * 1024
# What SQLite needs to begin to write.
ROOM = 128 * 1024


def connect(path: Path, statements: int) -> sqlite3.Connection:
    """A connection that only reads and makes no file larger. Raises sqlite3.Error.

    Other threads may close it, for all of a process must be closed before one of them can write.
    """
    for name in ("-shm", "-wal"):  # an empty file takes no room
        beside = path.with_name(path.name + name)
        with contextlib.suppress(NotShared):
            os.close(open_shared(beside, path))
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?mode=ro&readonly_shm=1",
        uri=True,
        isolation_level=None,
        cached_statements=statements,
        check_same_thread=False,
    )
    try:
        connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


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
