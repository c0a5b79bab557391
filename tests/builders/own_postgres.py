"""A PostgreSQL of a test's own: made, started, stopped and killed as a test needs it, never as root."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from builders.served_process import a_port

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
USER = "kb"


def is_there() -> bool:
    """Can this machine make one?"""
    return bool(BINARIES)


class OwnPostgres:
    """A cluster that writes to the disk as it does by itself (fsync on), in the block."""

    def __init__(self, addresses: Sequence[str] = (), network: str = "127.0.0.1/32") -> None:
        """In: addresses beside 127.0.0.1 on which it listens, and which network may connect from there."""
        self.port = a_port()
        self._addresses = ("127.0.0.1", *addresses)
        self._network = network
        self._as: tuple[str, ...] = ()
        self.folder = Path(tempfile.mkdtemp(prefix="kb-postgres-", dir="/tmp"))
        if os.geteuid() == 0:
            user = next(name for name in ("postgres", "nobody") if _is_user(name))
            self._as = (
                "setpriv",
                f"--reuid={user}",
                f"--regid={pwd.getpwnam(user).pw_gid}",
                "--clear-groups",
            )
            shutil.chown(self.folder, user)

    def __enter__(self) -> OwnPostgres:
        data = self.folder / "data"
        self._run("initdb", "-D", str(data), "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
        with (data / "pg_hba.conf").open("a", encoding="utf-8") as file:
            file.write(f"host all all {self._network} trust\n")
        with (data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(
                f"port = {self.port}\nlisten_addresses = '{','.join(self._addresses)}'\n"
                f"unix_socket_directories = '{self.folder}'\nmax_connections = 200\n"
            )
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.signal(signal.SIGCONT)
        self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        self._control("start", "-w", "-l", str(self.folder / "log"))

    def stop(self, mode: str) -> None:
        """Stop it: `fast` ends transactions and writes all; `immediate` leaves it as a crash does."""
        self._control("stop", "-m", mode, "-w")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to each of its processes; SIGSTOP makes it stand still until SIGCONT."""
        found, at = [int((self.folder / "data" / "postmaster.pid").read_text().split()[0])], 0
        while at < len(found):
            with suppress(OSError):
                text = Path(f"/proc/{found[at]}/task/{found[at]}/children").read_text(encoding="ascii")
                found += map(int, text.split())
            with suppress(ProcessLookupError):
                os.kill(found[at], number)
            at += 1

    def url(self, address: str = "127.0.0.1") -> str:
        """Where it is, from there."""
        return f"postgresql://{USER}@{address}:{self.port}/postgres"

    def _control(self, *arguments: str) -> None:
        self._run("pg_ctl", "-D", str(self.folder / "data"), *arguments)

    def _run(self, name: str, *arguments: str) -> None:
        done = subprocess.run(
            [*self._as, str(BINARIES[-1] / name), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # the server keeps what it is given
            stderr=subprocess.DEVNULL,
            check=False,
            cwd=self.folder,
            timeout=120,
        )
        assert done.returncode == 0, f"{name} {arguments[-1]}"


def _is_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
