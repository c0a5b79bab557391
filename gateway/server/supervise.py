"""Keeps a second process running beside this one: started again when it dies, stopped with us, however we end.

A small process of its own looks after it (`python -m gateway.server.supervise`), so that the server that we become
needs to know nothing of it: servers fork, and take the news of every child's end for themselves.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from gateway.base.logs import get_logger, json_stderr, setup_logging

log = get_logger("klantbrug.supervise")

FIRST_WAIT = 1.0
LONGEST_WAIT = 60.0
STEADY_SECONDS = 60.0
POLL_SECONDS = 0.5
STOP_SECONDS = 10.0
# Tells the process that looks after another to start that again.
AGAIN = signal.SIGUSR1


@contextlib.contextmanager
def supervised(command: Sequence[str]) -> Iterator[Callable[[], None]]:
    """Keep `command` running for the block, whatever ends; nothing is started when it is empty.

    Gives a function that has it started again.

    It gets one more argument: the number of the process that looks after it. When that is no longer its parent,
    it must stop by itself.
    """
    if not command:
        yield lambda: None
        return
    keeper = _Keeper(command)
    try:
        yield keeper.restart
    finally:
        # Workers that a server forked leave by this way too; the keeper is not theirs to stop.
        if os.getpid() == keeper.owner:
            keeper.stop()


class _Keeper:
    """The process that looks after the command, and a thread that starts it again when it ends."""

    def __init__(self, command: Sequence[str]) -> None:
        self.owner = os.getpid()
        self._command = [sys.executable, "-m", "gateway.server.supervise", str(self.owner), *command]
        self._process = self._start()
        self._stopping = threading.Event()
        self._watching = threading.Thread(target=self._watch, daemon=True)
        self._watching.start()

    def _start(self) -> subprocess.Popen[bytes]:
        # Out of our process group: what a terminal tells that would end it while it is still being loaded.
        return subprocess.Popen(self._command, process_group=0)

    def stop(self) -> None:
        """Let it stop, and what it looks after."""
        self._stopping.set()
        self._watching.join()
        _stop(self._process, STOP_SECONDS + 2)

    def restart(self) -> None:
        """Let what it looks after stop and begin again."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(AGAIN)

    def _watch(self) -> None:
        wait, began = FIRST_WAIT, time.monotonic()
        while not self._stopping.wait(POLL_SECONDS):
            code = self._process.poll()
            if code is None:
                continue
            if time.monotonic() - began > STEADY_SECONDS:
                wait = FIRST_WAIT
            # Who stops it mostly stops us too (systemd), and we may take a while.
            pause = LONGEST_WAIT if code == 0 else wait
            log.warning("what looks after the jobs ended, starting it again", code=code, seconds=pause)
            if self._stopping.wait(pause):
                return
            wait, began = min(2 * wait, LONGEST_WAIT), time.monotonic()
            try:
                self._process = self._start()
            except OSError as error:  # no room for a process: tried again, after longer
                log.warning("what looks after the jobs can't be started", errno=error.errno)


def keep(parent: int, command: Sequence[str]) -> None:
    """Keep `command` running until a signal says stop, or until the process `parent` is not our parent any more."""
    child: subprocess.Popen[bytes] | None = None
    wait = FIRST_WAIT
    wanted = threading.Event()
    signal.signal(AGAIN, lambda *_: wanted.set())
    try:
        while os.getppid() == parent:
            began = time.monotonic()
            child = subprocess.Popen([*command, str(os.getpid())], start_new_session=True)
            while child.poll() is None:
                if os.getppid() != parent:
                    return
                if wanted.is_set():
                    _stop(child, STOP_SECONDS)
                time.sleep(POLL_SECONDS)
            if wanted.is_set():
                wanted.clear()
                continue
            if time.monotonic() - began > STEADY_SECONDS:
                wait = FIRST_WAIT
            log.warning("jobs process ended, starting it again", code=child.returncode, seconds=wait)
            time.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        if child is not None:
            _stop(child, STOP_SECONDS)


def _stop(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Ask a process to stop, and make it when it does not."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def main() -> None:
    """`python -m gateway.server.supervise PARENT COMMAND...`"""
    parent, *command = sys.argv[1:]
    _log_as(command)
    signal.signal(signal.SIGTERM, _leave)
    # The server hears these signals; it then signals us.
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    keep(int(parent), command)


def _log_as(command: Sequence[str]) -> None:
    """As what we look after logs."""
    as_json = "--log-json" in command
    if as_json:
        json_stderr()
    setup_logging(as_json=as_json)


def _leave(_number: int, _frame: object) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    main()
