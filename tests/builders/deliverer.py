"""The job that writes back, in a process of its own that is killed while a source is doing what it was asked."""

from __future__ import annotations

import contextlib
import multiprocessing
import random
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from builders.writeback_world import WritingBack

# What the source does with a write whose sender is killed: it did it, it never does, it does so afterwards.
DONE, NEVER, LATE = "done", "never", "late"
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["jobs.registry", "gateway.installation", "builders.configs"])


def deliver_once(config: Path) -> None:
    """Run the job once on the store of a configuration."""
    from builders.configs import read_config

    from gateway.installation import open_installation
    from jobs.registry import BY_NAME, run_job

    run_job(open_installation(read_config(config)), BY_NAME["writeback"])


class Trapped:
    """The application of a sample server: each write waits there until its sender is dead."""

    def __init__(self, app: Callable[..., Iterable[bytes]], seed: int) -> None:
        self.app = app
        self.random = random.Random(seed)
        self.arrived = threading.Event()
        self.killed = threading.Event()
        self.modes: list[str] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "GET":
            return self.app(environ, start_response)
        mode = self.random.choice((DONE, NEVER, LATE))
        self.modes.append(mode)
        answer = list(self.app(environ, start_response)) if mode == DONE else [b""]
        self.arrived.set()
        self.killed.wait(30)
        if mode == LATE:
            answer = list(self.app(environ, start_response))
        if mode == NEVER:
            start_response("503 Service Unavailable", [])
        return answer


@contextlib.contextmanager
def trapped(world: WritingBack, seed: int) -> Iterator[Trapped]:
    """Let every write of the source wait in the block."""
    listener = world.server._listener
    assert listener is not None
    app = listener.app
    found = listener.app = Trapped(app, seed)  # type: ignore[assignment, arg-type]
    try:
        yield found  # type: ignore[misc]
    finally:
        listener.app = app


def kill_once(world: WritingBack, trap: Trapped) -> bool:
    """Run the job and kill it while it waits for the answer to a write. Out: did it come to that?"""
    trap.arrived.clear()
    trap.killed.clear()
    config = world.store.path.parent / "config.toml"
    process = _context.Process(target=deliver_once, args=(config,), daemon=True)
    process.start()
    while not trap.arrived.wait(0.01) and process.is_alive():
        pass
    reached = trap.arrived.is_set()
    process.kill()
    process.join()
    trap.killed.set()
    world.hurry()
    return reached
