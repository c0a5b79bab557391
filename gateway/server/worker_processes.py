"""The worker processes, and the process that looks after them: starts, replaces, stops and starts again.

A worker that ends by itself is started again: soon, and after longer and longer while it keeps ending. Only when for a
minute not one of them got as far as serving, the server ends with 1, so that whoever looks after it (systemd, a
container's platform) sees it.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.context import ForkProcess
from time import monotonic
from typing import Any

from gateway.base.logs import get_logger

log = get_logger(__name__)

FIRST_WAIT = 0.5
LONGEST_WAIT = 10.0
# Who served so long is started again as if it never ended before.
STEADY_SECONDS = 60.0
GIVES_UP_AFTER = 60.0
# A new worker that takes the place of another must serve within this time.
READY_WITHIN = 60.0
# Tells a worker that it is about to be stopped.
LEAVES = signal.SIGUSR2
STOPPING = (signal.SIGTERM, signal.SIGINT)

# What a worker does: its number, and how it reports that it serves.
Work = Callable[[int, Callable[[], None]], None]
_forking = multiprocessing.get_context("fork")


@dataclass(eq=False, slots=True)
class _Worker:
    """A process, and what it reported."""

    process: ForkProcess
    told: Any
    born: float
    serves: bool = False


@dataclass(eq=False, slots=True)
class _Place:
    """Where one worker is wanted."""

    number: int
    worker: _Worker | None = None
    due: float = 0.0
    wait: float = FIRST_WAIT
    successor: _Worker | None = None


@dataclass(eq=False)
class Workers:
    """So many worker processes."""

    count: int
    work: Work
    on_reload: Callable[[], None]
    stops_within: float
    leave_seconds: float = 0.0
    _stopping: bool = False
    _reloading: bool = False
    _to_replace: list[_Place] = field(default_factory=list)
    _leaving: list[tuple[_Worker, float]] = field(default_factory=list)

    def run(self) -> None:
        """Keep them running until a signal says stop. Ends the process with 1 when they can't be kept running."""
        self._wakes, self._woken = socket.socketpair()
        for end in (self._wakes, self._woken):
            end.setblocking(False)
        signal.set_wakeup_fd(self._wakes.fileno(), warn_on_full_buffer=False)
        for number in STOPPING:
            signal.signal(number, self._heard_stop)
        signal.signal(signal.SIGHUP, self._heard_reload)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGHUP])  # kept until now
        self._places = [_Place(number + 1) for number in range(self.count)]
        self._served_at = monotonic()
        gave_up = False
        while not self._stopping and not gave_up:
            self._start_due()
            self._wait()
            self._look()
            gave_up = monotonic() - self._served_at > GIVES_UP_AFTER
        if self._stopping and self.leave_seconds:
            self._take_leave()
        self._stop_all()
        signal.set_wakeup_fd(-1)
        if gave_up:
            log.error("no worker could serve for so long; the server ends", seconds=GIVES_UP_AFTER)
            sys.exit(1)

    def _heard_stop(self, *_: object) -> None:
        self._stopping = True

    def _heard_reload(self, *_: object) -> None:
        self._reloading = True

    def _start(self, number: int) -> _Worker:
        reading, writing = _forking.Pipe(duplex=False)

        def body() -> None:
            signal.set_wakeup_fd(-1)  # that of our parent
            signal.signal(signal.SIGHUP, signal.SIG_IGN)  # of a terminal that is gone: our parent hears it
            signal.signal(LEAVES, signal.SIG_IGN)  # until it serves
            reading.close()
            self.work(number, lambda: writing.send_bytes(b"serves"))

        process = _forking.Process(target=body, name=f"worker-{number}")
        process.start()
        writing.close()
        return _Worker(process, reading, monotonic())

    def _start_due(self) -> None:
        for place in self._places:
            if place.worker is None and place.successor is None and place.due <= monotonic():
                try:
                    place.worker = self._start(place.number)
                except OSError as error:  # no room for a process
                    log.error("a worker can't be started", errno=error.errno, seconds=place.wait)
                    self._later(place)

    def _later(self, place: _Place) -> None:
        place.due = monotonic() + place.wait
        place.wait = min(2 * place.wait, LONGEST_WAIT)

    def _all(self) -> list[_Worker]:
        found = [each for place in self._places for each in (place.worker, place.successor) if each]
        return [*found, *(each for each, _ in self._leaving)]

    def _wait(self) -> None:
        """Wait until a worker reports, a signal comes, or something is due."""
        moment = monotonic()
        due = [place.due for place in self._places if place.worker is None and place.successor is None]
        due += [limit for _, limit in self._leaving]
        due += [each.born + READY_WITHIN for place in self._places if (each := place.successor)]
        due.append(self._served_at + GIVES_UP_AFTER + 0.1)
        heard: list[Any] = [self._woken]
        for each in self._all():
            heard.append(each.process.sentinel)
            if not each.serves:
                heard.append(each.told)
        multiprocessing.connection.wait(heard, max(0.0, min(due) - moment))
        with suppress(BlockingIOError):
            while self._woken.recv(64):
                pass

    def _look(self) -> None:
        """Do what is to be done now."""
        for each in self._all():
            if not each.serves and each.told.poll():
                with suppress(EOFError):
                    each.serves = each.told.recv_bytes() == b"serves"
        self._see_to_leaving()
        for place in self._places:
            self._see_to(place)
        moment = monotonic()
        if any(place.worker and place.worker.serves for place in self._places):
            self._served_at = moment
        if self._reloading:
            self._reloading = False
            self.on_reload()
            # One after another: those that are left answer meanwhile.
            self._to_replace = list(self._places)
        if self._to_replace and not any(place.successor for place in self._places):
            place = self._to_replace.pop(0)
            place.successor = self._start(place.number)

    def _see_to(self, place: _Place) -> None:
        worker, successor = place.worker, place.successor
        if worker and not worker.process.is_alive():
            if monotonic() - worker.born > STEADY_SECONDS:
                place.wait = FIRST_WAIT
            log.error(
                "worker ended, starting it again",
                worker=place.number,
                code=worker.process.exitcode,
                seconds=0 if successor else place.wait,
            )
            self._forget(worker)
            place.worker = None
            self._later(place)
        if successor and successor.serves:
            if place.worker:
                self._let_go(place.worker)
            place.worker, place.successor = successor, None
        elif successor and not successor.process.is_alive():
            log.error("a new worker ended before it served", worker=place.number)
            self._forget(successor)
            place.successor = None
        elif successor and monotonic() - successor.born > READY_WITHIN:
            log.error("a new worker does not serve; the old one goes on", worker=place.number)
            self._let_go(successor)
            place.successor = None

    def _take_leave(self) -> None:
        """Let the workers say that they are about to end, and answer on for as long as it takes to hear that."""
        for each in self._all():
            with suppress(OSError, TypeError, ValueError):  # it ended
                os.kill(each.process.pid, LEAVES)  # type: ignore[arg-type]
        time.sleep(self.leave_seconds)

    def _let_go(self, worker: _Worker) -> None:
        with suppress(ProcessLookupError):
            worker.process.terminate()
        self._leaving.append((worker, monotonic() + self.stops_within))

    def _see_to_leaving(self) -> None:
        for worker, limit in list(self._leaving):
            if worker.process.is_alive():
                if monotonic() < limit:
                    continue
                log.warning("a worker did not stop in its time and is killed", seconds=self.stops_within)
                worker.process.kill()
                worker.process.join()
            self._leaving.remove((worker, limit))
            self._forget(worker)

    def _forget(self, worker: _Worker) -> None:
        worker.process.join()
        worker.process.close()
        worker.told.close()

    def _stop_all(self) -> None:
        for place in self._places:
            for worker in (place.worker, place.successor):
                if worker:
                    self._let_go(worker)
            place.worker = place.successor = None
            place.due = float("inf")
        while self._leaving:
            self._wait()
            self._see_to_leaving()
