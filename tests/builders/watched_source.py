"""A source that a test watches and steers, and processes that ask it: what several of them do together."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from builders.local_server import LocalServer, QuietHandler
from builders.paths import ROOT

from gateway.config.model import Source
from gateway.legacy import errors
from gateway.legacy.background import Waiting, background
from gateway.legacy.client.source_client import ZakenClient
from gateway.legacy.client.transport import Retries
from gateway.legacy.pacing import machine_shares, server_gates

UNKNOWN = "00000000-0000-4000-8000-000000000000"
FAST = Retries(first_wait=0.01)
GOOD = (200, {})


class Watched(LocalServer):
    """Answers every GET with an object, after `seconds`; `answer` may say otherwise (status, headers)."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.answer: Callable[[], tuple[int, dict[str, str]]] = lambda: GOOD
        self.times: list[float] = []
        self.most = self._now = 0
        self._lock = threading.Lock()
        watched = self

        class Handler(QuietHandler):
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                with watched._lock:
                    watched.times.append(time.monotonic())
                    watched._now += 1
                    watched.most = max(watched.most, watched._now)
                    status, headers = watched.answer()
                time.sleep(watched.seconds)
                body = json.dumps({"url": f"{watched.zaken_url}rollen/{UNKNOWN}"}).encode()
                with watched._lock:
                    watched._now -= 1
                with contextlib.suppress(OSError):
                    self.reply(status, {"Content-Type": "application/json", **headers}, body)

        super().__init__(Handler)

    def source(self, **more: Any) -> Source:
        """It as a source."""
        return Source("bron", self.zaken_url, "me", "s" * 40, **more)


# Before a command: it runs as in another container, where process numbers mean something else.
ELSEWHERE = ("unshare", "-Urpf", "--kill-child", "--mount-proc")


def namespaces_are_allowed() -> bool:
    """May this machine run something ELSEWHERE?"""
    try:
        return subprocess.run([*ELSEWHERE, "true"], check=False, capture_output=True).returncode == 0
    except OSError:
        return False


class AskingProcess:
    """A process that asks a source as it is told to; `before` its command may stand ELSEWHERE."""

    def __init__(self, *before: str) -> None:
        self.process = subprocess.Popen(
            [*before, sys.executable, "-m", "builders.watched_source"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={"PYTHONPATH": f"{ROOT / 'tests'}:{ROOT}"},
        )

    def ask(
        self,
        server: Watched,
        store: Path,
        seconds: float,
        *,
        live: bool = False,
        tells: bool = False,
        threads: int = 1,
        **limits: Any,
    ) -> None:
        """Begin to ask for objects, in so many threads, as often as it may for so many seconds; once when they are 0.

        One that `tells` says at once why it waits.
        """
        told = {
            "threads": threads,
            "tells": tells,
            "url": server.zaken_url,
            "store": str(store),
            "seconds": seconds,
            "live": live,
            "limits": limits,
        }
        self._tell(told)

    def shares(self, database: str, schema: str) -> None:
        """Let it ask together with the other machines of a store on PostgreSQL."""
        self._tell({"database": database, "schema": schema})
        assert self.told() == {"shares": True}

    def pause(self, server: Watched, store: Path) -> None:
        """Let an operator pause the source there."""
        self._tell({"pause": server.zaken_url, "store": str(store)})
        assert self.told() == {"paused": True}

    def leave(self) -> None:
        """Let it end as a process does that is stopped."""
        self._tell({"leave": True})
        assert self.told() == {"left": True}

    def lose_the_database(self) -> None:
        """Let nothing that is for the database arrive any more, while it asks."""
        self._tell({"lose": True})

    def _tell(self, told: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(told) + "\n")
        self.process.stdin.flush()

    def told(self) -> dict[str, Any]:
        """What came of it: `took` of each answered call, `errors` by cause, `reasons` that it waited for."""
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def kill(self) -> None:
        """End it at once, as a kill -9 does."""
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def askers(number: int, *before: str) -> Iterator[list[AskingProcess]]:
    """So many processes that are ready to ask."""
    found = [AskingProcess(*before) for _ in range(number)]
    try:
        for one in found:
            assert one.told() == {"ready": True}
        yield found
    finally:
        for one in found:
            one.kill()


_others: dict[str, str] = {}
_lost = threading.Event()


def _share(store: Path) -> None:
    """Settle with the other machines, when there are any."""
    if not _others:
        return
    from gateway.store.base.errors import StoreFailed
    from gateway.store.machines import paces
    from gateway.store.postgres.address import DatabaseAddress
    from gateway.store.postgres.database import PostgresStore

    opened = PostgresStore(DatabaseAddress(_others["database"], _others["schema"]), store)

    def settle(server: str, member: str, asked: Any) -> Any:
        try:
            if _lost.is_set():
                return None
            with opened.apart() as session:
                return paces.settle(session, server, member, asked)
        except StoreFailed:
            return None

    machine_shares.with_machines(store, settle)


def _answer(told: dict[str, Any]) -> None:
    """Do what a line tells, and answer it."""
    if "database" in told:
        _others.update(told)
        print(json.dumps({"shares": True}), flush=True)
    elif "pause" in told:
        _share(Path(told["store"]))
        server_gates.pause(Path(told["store"]), Source("bron", told["pause"], "me", "s" * 40))
        print(json.dumps({"paused": True}), flush=True)
    elif "leave" in told:
        machine_shares.leave()
        print(json.dumps({"left": True}), flush=True)
    elif "lose" in told:
        _lost.set()
    else:
        asking = threading.Thread(target=lambda: print(json.dumps(_ask(told)), flush=True), daemon=True)
        asking.start()


def _ask(told: dict[str, Any]) -> dict[str, Any]:
    _share(Path(told["store"]))
    source = Source("bron", told["url"], "me", "s" * 40, **told["limits"])
    client = ZakenClient(source, retries=FAST, pace=Path(told["store"]))
    took: list[float] = []
    causes: list[str] = []
    reasons: list[str] = []

    def waiting(why: Waiting | None) -> None:
        if why is not None:
            reasons.append(why.reason)
            if told["tells"]:
                print(json.dumps({"waits": why.reason}), flush=True)

    end = time.monotonic() + told["seconds"]

    def asks() -> None:
        with contextlib.nullcontext() if told["live"] else background(waiting=waiting):
            ask()

    def ask() -> None:
        while True:
            began = time.monotonic()
            try:
                client.get("rol", UNKNOWN, deadline=end + 10)
            except errors.LegacyError as error:
                causes.append(error.cause)
            else:
                took.append(time.monotonic() - began)
            if time.monotonic() >= end:
                break
            if told["live"]:
                time.sleep(0.02)

    threads = [threading.Thread(target=asks) for _ in range(told["threads"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    client.close()
    return {"took": took, "errors": causes, "reasons": reasons}


def main() -> None:
    """Ask what the lines on standard input tell, and answer each with a line."""
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        _answer(json.loads(line))


if __name__ == "__main__":
    main()
