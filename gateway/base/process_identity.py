"""Which process is it, and does it live? For what processes of one store write down for each other.

A number alone identifies no process. Numbers are used again, at once in a container that is started again, and each
container may have a pid namespace of its own, in which the numbers of another mean nothing.
"""

from __future__ import annotations

import os
import pwd
import threading
from functools import cache
from pathlib import Path
from typing import NamedTuple, Self

# Set once, when this process hears that it must stop: then it says that it is not ready, so that nobody sends it
# anything new.
ending = threading.Event()


class Here:
    """The number of this process, without a question to the system for each request."""

    pid = os.getpid()

    @classmethod
    def see(cls) -> None:
        """A child of a fork has another."""
        cls.pid = os.getpid()


os.register_at_fork(after_in_child=Here.see)


class Process(NamedTuple):
    """One process for ever: its number, when it started, and where and in which run of the machine that holds."""

    pid: int
    born: int
    namespace: int
    boot: int
    host: str

    def __str__(self) -> str:
        return f"{self.pid}-{self.born}-{self.namespace}-{self.boot:x}-{self.host}"

    @classmethod
    def read(cls, text: str) -> Self | None:
        """What `str` wrote; None when it is something else."""
        parts = text.split("-", 4)
        try:
            pid, born, namespace = map(int, parts[:3])
            return cls(pid, born, namespace, int(parts[3], 16), parts[4])
        except (ValueError, IndexError):
            return None

    def lives(self, *, one_machine: bool = True) -> bool | None:
        """Does it live? None when that can't be seen from here.

        In: is it surely of this machine? Else another run of a machine of our name may be another machine.
        """
        ours = this_process()
        if self.host != ours.host:
            return None
        if self.boot != ours.boot or not self.boot:
            return False if one_machine else None
        return alive(self.pid, self.born, self.namespace)


def this_process() -> Process:
    """This process."""
    return _this(os.getpid())


@cache
def _this(pid: int) -> Process:
    # A fork has another number, so it finds nothing of its parent here.
    return Process(pid, born(pid) or 0, _namespace(), boot(), os.uname().nodename)


def alive(pid: int, since: int, namespace: int) -> bool | None:
    """Does the process with that number and start live, in this run of the machine? None when we can't see it."""
    if namespace != this_process().namespace:
        return None
    found = born(pid)
    return None if found == 0 != since else found == since


def boot() -> int:
    """A number for this run of the machine; 0 where it does not say."""
    try:
        return int(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")[:8], 16)
    except (OSError, ValueError):
        return 0


def _namespace() -> int:
    """The number of our pid namespace; 0 where the machine does not say."""
    try:
        return Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        return 0


def born(pid: int) -> int | None:
    """When that process started, in ticks of the kernel; None when it is no more. 0 where the machine does not say."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None if Path("/proc/self/stat").exists() else _signalled(pid)
    except OSError:
        return 0
    # The name of the program stands in brackets and may hold anything.
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def _signalled(pid: int) -> int | None:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        return 0
    return 0


class NotShared(Exception):
    """A small file beside the store that all its processes must be able to use can't be; the text says what to do."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(why_not(path, error))


def open_shared(path: Path, store: Path) -> int:
    """Open (and create) a file that all processes of a store share. Raises NotShared.

    Made by root for a store of another user, it is given to that user: one command of root must not shut out the rest.
    """
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if os.geteuid() == 0 and store.exists() and (of := store.stat()).st_uid != os.fstat(file).st_uid:
            os.fchown(file, of.st_uid, of.st_gid)
    except OSError as error:
        raise NotShared(path, error) from None
    return file


def why_not(path: Path, error: OSError) -> str:
    """Why a file beside the store can't be used, whose it is and what to do: for an operator."""
    try:
        found = path.stat()
    except OSError:
        return f"{path} is niet te maken ({error.strerror}); geef deze gebruiker schrijfrechten op {path.parent}."
    try:
        owner = pwd.getpwuid(found.st_uid).pw_name
    except KeyError:
        owner = f"gebruiker {found.st_uid}"
    return (
        f"{path} is van {owner} en niet te gebruiken ({error.strerror}). Alle processen van een store draaien als één "
        f"gebruiker: geef het bestand aan die gebruiker met chown, of verwijder het terwijl niets draait."
    )
