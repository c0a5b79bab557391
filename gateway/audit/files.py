"""The audit files: one for each process and day (UTC), to which lines are only added; mode 600.

A line is handed to the kernel before its answer is sent, so it outlives the process, however that ends. Nothing waits
for the disk (fsync): when the machine itself stops, the last seconds may be lost, as they may be of the store.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.base import clock

DAY = 86400 * 1_000_000
BLOCK = 1 << 20
_NAME = re.compile(r"audit-(\d{8})-\d+-[0-9a-f]+\.jsonl")


class AuditFile:
    """Where one process writes. Threads may write at one time. Made after a fork, not before it."""

    def __init__(self, directory: Path, keep_days: int = 0) -> None:
        """In: the directory; after how many days the files of a day are removed, 0: never."""
        self._directory, self._keep_days = directory, keep_days
        self._lock = threading.Lock()
        self._fd = -1
        self._ends = 0  # when the day of the file is over (microseconds UTC)
        self._torn = False

    def write(self, lines: bytes) -> None:
        """Add whole lines; they are with the kernel when it returns. Raises OSError, and then nothing may be sent."""
        with self._lock:
            moment = clock.now()
            if moment >= self._ends:
                self._begin(moment)
            if self._torn:  # what a full disk cut off is a line of its own, that ends as no record does
                lines = b" \n" + lines
            done = os.write(self._fd, lines)
            self._torn = False
            while done < len(lines):
                try:
                    done += os.write(self._fd, memoryview(lines)[done:])
                except OSError:
                    self._torn = True
                    raise

    def close(self) -> None:
        """No more is written."""
        with self._lock:
            if self._fd >= 0:
                os.close(self._fd)
            self._fd, self._ends = -1, 0

    def _begin(self, moment: int) -> None:
        day = datetime.fromtimestamp(moment / 1_000_000, UTC).strftime("%Y%m%d")
        path = self._directory / f"audit-{day}-{os.getpid()}-{moment:x}.jsonl"
        opened = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        if self._fd >= 0:
            os.close(self._fd)
        self._fd, self._ends, self._torn = opened, (moment // DAY + 1) * DAY, False
        if self._keep_days:  # the job purge runs on one machine, and each may have files of its own
            with suppress(OSError):  # that job tells of it
                remove_old(self._directory, self._keep_days, moment)


def files(directory: Path) -> list[Path]:
    """The audit files there, by day. What has another name is not ours."""
    found = directory.iterdir() if directory.is_dir() else ()
    return sorted(each for each in found if _NAME.fullmatch(each.name) and each.is_file())


def blocks(directory: Path) -> Iterator[bytes]:
    """All lines of all files, many of one file at a time. What was removed meanwhile was too old."""
    for path in files(directory):
        with suppress(FileNotFoundError), path.open("rb") as file:
            rest = b""
            while read := file.read(BLOCK):
                whole, end, part = read.rpartition(b"\n")
                if end:
                    yield b"".join((rest, whole, end))
                    rest = b""
                rest += part
            if rest:
                yield rest


def remove_old(directory: Path, keep_days: int, moment: int) -> int:
    """Remove the files of days that are longer ago than that. In: now (microseconds UTC). Out: how many."""
    oldest = (datetime.fromtimestamp(moment / 1_000_000, UTC) - timedelta(days=keep_days)).strftime("%Y%m%d")
    removed = 0
    for path in files(directory):
        found = _NAME.fullmatch(path.name)
        if found and found[1] < oldest:
            path.unlink(missing_ok=True)
            removed += 1
    return removed
