"""What clients that mean harm do to all others: `python -m bench.attack [--seconds 25] [--only idle]`.

Serves a register with the production command, attacks it in several ways, and asks its health and a list meanwhile,
each time on a connection of its own. Ends with 1 when one of them failed, or when the slowest in a hundred took more
than a tenth of a second and twice as long as without an attack.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import resource
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.load import BenchError
from bench.register import fill
from bench.running import PRODUCTION, Running, running

API = "/klantinteracties/api/v1"
HEALTH, LIST = "/health/live", f"{API}/partijen?pageSize=1"
HEAVY = f"{API}/partijen?pageSize=500&expand=digitaleAdressen,betrokkenen,betrokkenen.hadKlantcontact"
BUDGET = 0.1  # seconds of the slowest in a hundred
QUIET_SECONDS = 3.0
PAUSE = 0.02
SCALE = 0.1


class Asked:
    """How long answers took, and how many failed."""

    def __init__(self) -> None:
        self.took: dict[str, list[float]] = {HEALTH: [], LIST: []}
        self.failed = 0

    def ask(self, server: Running, path: str, token: str) -> None:
        """Ask once, on a connection of its own."""
        began = time.monotonic()
        connection = http.client.HTTPConnection(*server.address, timeout=60)
        try:
            connection.request("GET", path, headers={"Authorization": f"Token {token}"})
            answer = connection.getresponse()
            answer.read()
            self.failed += answer.status != 200
        except (OSError, http.client.HTTPException):
            self.failed += 1
        finally:
            connection.close()
        self.took[path].append(time.monotonic() - began)

    def p99(self, path: str) -> float:
        """The time within which 99 of a hundred answers came."""
        ranked = sorted(self.took[path])
        return ranked[int(0.99 * len(ranked))]


@contextlib.contextmanager
def asking(server: Running, token: str) -> Iterator[Asked]:
    """Ask both, over and over, during the block."""
    asked, ending = Asked(), threading.Event()

    def go(path: str) -> None:
        while not ending.is_set():
            asked.ask(server, path, token)
            time.sleep(PAUSE)

    threads = [threading.Thread(target=go, args=(path,)) for path in (HEALTH, LIST)]
    for thread in threads:
        thread.start()
    try:
        yield asked
    finally:
        ending.set()
        for thread in threads:
            thread.join()


class Attacks:
    """The attacks; each takes so many seconds. Its connections are closed at the end."""

    def __init__(self, server: Running, token: str, seconds: float) -> None:
        self._server, self._token, self._seconds = server, token, seconds

    def all(self) -> dict[str, Callable[[], None]]:
        """Their names, and what does them."""
        return {
            "bodies that never come": lambda: self._hold(200, self._head("POST", "Content-Length: 100")),
            "heads that never end": lambda: self._hold(500, b"GET / HTTP/1.1\r\nX-Slow: "),
            "idle connections": lambda: self._hold(3000, b""),
            "answers that nobody reads": lambda: self._hold(50, self._head("GET", path=HEAVY), 4096),
            "wrong tokens": self._guess,
        }

    def _head(self, method: str, *headers: str, path: str = f"{API}/partijen") -> bytes:
        lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Authorization: Token {self._token}", *headers]
        return ("\r\n".join([*lines, "", ""])).encode()

    def _hold(self, count: int, what: bytes, receive: int = 0) -> None:
        with contextlib.ExitStack() as stack:
            for _ in range(count):
                held = stack.enter_context(socket.socket())
                if receive:
                    held.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
                held.settimeout(30)
                with contextlib.suppress(OSError):  # it may have been ended already
                    held.connect(self._server.address)
                    held.sendall(what)
            time.sleep(self._seconds)

    def _guess(self) -> None:
        until = time.monotonic() + self._seconds

        def go() -> None:
            while time.monotonic() < until:
                Asked().ask(self._server, LIST, "kb_wrong")
                time.sleep(PAUSE)

        threads = [threading.Thread(target=go) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def main() -> int:
    """Read the arguments, attack, report."""
    parser = argparse.ArgumentParser(prog="python -m bench.attack", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=25, help="of one attack")
    parser.add_argument("--only", default="", help="attacks with this in their name")
    given = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    missed = []
    with tempfile.TemporaryDirectory(prefix="attack-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        register = fill(folder / "register.sqlite", SCALE)
        # Those who attack have a token of their own: of one token requests wait for each other.
        own = fill_token(folder / "register.sqlite")
        server = stack.enter_context(running(folder, folder / "register.sqlite", PRODUCTION, 2, 4))
        attacks: dict[str, Callable[[], None]] = {"nothing": lambda: time.sleep(QUIET_SECONDS)}
        attacks |= {
            about: attack
            for about, attack in Attacks(server, own, given.seconds).all().items()
            if given.only in about
        }
        normal: list[float] = []
        print(f"{'attack':28} {'health p99':>11} {'list p99':>9} {'max ms':>7} {'failed':>7} {'MB':>6}")
        for about, attack in attacks.items():
            with asking(server, register.token) as asked:
                attack()
                memory = server.memory()
            slowest = max(max(took) for took in asked.took.values())
            found = [asked.p99(path) for path in (HEALTH, LIST)]
            print(
                f"{about:28} {found[0] * 1000:11.1f} {found[1] * 1000:9.1f} {slowest * 1000:7.0f}"
                f" {asked.failed:7} {memory / 1e6:6.0f}"
            )
            normal = normal or found
            over = [now > max(BUDGET, 2 * then) for now, then in zip(found, normal, strict=True)]
            if asked.failed or any(over):
                missed.append(about)
    print("\nwithin budget" if not missed else f"\nnot within budget: {', '.join(missed)}")
    return 1 if missed else 0


def fill_token(path: Path) -> str:
    """A token of another client of that store."""
    from gateway.auth import create_token
    from gateway.store.database import Store

    store = Store(path)
    try:
        return create_token(store, "attacker", "write")
    finally:
        store.close()


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except BenchError as error:
        raise SystemExit(f"no measurement: {error}") from None
