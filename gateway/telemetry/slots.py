"""The files that processes of a store count in, and which process has which.

They are those of prometheus_client's multiprocess mode, a set for each process that counts at one time. A set is called
after a slot and not after a process number, as the library would do: a worker that is replaced goes on counting where
the one before it stopped, so nothing is lost and nothing piles up, and two containers on one disk may have the same
process numbers. A slot is held by a lock that the kernel gives back, however its holder ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from gateway.base.process_identity import NotShared

# More processes than this never count at one time.
MOST = 256
ENDING = ".slot"


def directory_of(store: Path) -> Path:
    """Where the processes of a store count."""
    return store.with_name(f"{store.name}.metrics")


class Slot:
    """A set of files that this process has for itself, until it ends or lets go."""

    def __init__(self, directory: Path) -> None:
        """Take the first that is free. Raises NotShared when nothing can be written there.

        When nobody counts, everything begins at zero, as after a restart of any service.
        """
        self.pid = os.getpid()
        try:
            directory.mkdir(mode=0o700, exist_ok=True)
            with _locked(directory / "lock"):
                held = {number: file for number in _numbers(directory) if (file := _hold(directory, number))}
                if len(held) == len(_numbers(directory)):
                    for counted in directory.glob("*.db"):
                        counted.unlink(missing_ok=True)
                self.number = next(
                    number for number in range(1, MOST) if number in held or _is_new(directory, number)
                )
                self._file = held.pop(self.number, None) or _hold(directory, self.number)
                for file in held.values():
                    os.close(file)
        except OSError as error:
            raise NotShared(directory, error) from None

    @property
    def name(self) -> str:
        """How its files are called. A process that was forked from ours has none of them."""
        return str(self.number) if os.getpid() == self.pid else f"{self.number}-{os.getpid()}"

    def let_go(self) -> None:
        """It is for another process from now on."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _numbers(directory: Path) -> list[int]:
    return sorted(int(path.stem) for path in directory.glob(f"*{ENDING}") if path.stem.isdigit())


def _is_new(directory: Path, number: int) -> bool:
    return not (directory / f"{number}{ENDING}").exists()


def _hold(directory: Path, number: int) -> int | None:
    """The lock on a slot; None when another process has it."""
    file = os.open(directory / f"{number}{ENDING}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    return file


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)
