"""A bare source: pages of a Zaken API, rendered to disk once, served as they are. For bench/backfill.py.

`python -m bench.pages FOLDER --rollen N [--rate R]` renders what is not there yet, prints its port and serves until it
is stopped. With a rate each of two connections gets half of so many objects a second, whatever it asks.
"""

from __future__ import annotations

import argparse
import re
import socket
import sys
import threading
import time
from pathlib import Path

import orjson

from bench.legacy import Copies, slice_lines

COLLECTIONS = {"zaak": "zaken", "rol": "rollen", "klantcontact": "klantcontacten"}
PAGE = 500
CONNECTIONS = 2
ASKED = re.compile(rb"GET /zaken/api/v1/([a-z]+)(/[^? ]+)?(?:\?([^ ]*))? ")
NUMBER = re.compile(rb"(?:^|&)page=(\d+)")
HEAD = "HTTP/1.1 {}\r\nContent-Type: application/json\r\nAPI-version: 1.5.1\r\nContent-Length: {}\r\n\r\n"
EMPTY = b'{"count":0,"next":null,"previous":null,"results":[]}'
GONE = orjson.dumps({"code": "not_found", "status": 404, "title": "Niet gevonden."})


def render(folder: Path, rollen: int) -> None:
    """Write pages of at least so many rollen, with the zaken and klantcontacten around them."""
    if (folder / "done").exists():
        return
    number = -(-rollen // len(slice_lines()["rol"]))
    copies = Copies(number)
    number_of = dict.fromkeys(COLLECTIONS, 0)
    held: dict[str, list[bytes]] = {kind: [] for kind in COLLECTIONS}
    for copy in range(number):
        for kind in COLLECTIONS:
            held[kind] += [orjson.dumps(item) for item in copies.objects(kind, copy)]
            while len(held[kind]) >= PAGE:
                number_of[kind] += 1
                _write(folder, kind, number_of[kind], held[kind][:PAGE])
                del held[kind][:PAGE]
        copies.forget()
    for kind, rest in held.items():
        if rest:
            _write(folder, kind, number_of[kind] + 1, rest)
    (folder / "done").touch()


def _write(folder: Path, kind: str, number: int, objects: list[bytes]) -> None:
    head = b'{"count":null,"next":null,"previous":null,"results":['
    (folder / f"{COLLECTIONS[kind]}-{number}.json").write_bytes(head + b",".join(objects) + b"]}")


def answer(folder: Path, request: bytes) -> tuple[str, bytes]:
    """Status and body for a request."""
    found = ASKED.match(request)
    if found is None or found[2]:
        return "404 Not Found", GONE
    query = found[3] or b""
    if b"kvkNummer" in query or b"pageSize=1&" in query + b"&":
        return "200 OK", EMPTY  # what is asked to find out about the source, not to read it
    number = NUMBER.search(query)
    page = folder / f"{found[1].decode()}-{number[1].decode() if number else '1'}.json"
    return ("200 OK", page.read_bytes()) if page.exists() else ("404 Not Found", GONE)


def serve(folder: Path, rate: float, listener: socket.socket) -> None:
    """Answer on every connection, a thread each."""

    def talk(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection:
            pending = b""
            while part := connection.recv(65536):
                pending += part
                if b"\r\n\r\n" not in pending:
                    continue
                began = time.monotonic()
                status, body = answer(folder, pending)
                pending = b""
                if rate:
                    objects = min(PAGE, body.count(b'"roltoelichting"') or PAGE) if len(body) > 200 else 1
                    time.sleep(max(0.0, began + objects * CONNECTIONS / rate - time.monotonic()))
                connection.sendall(HEAD.format(status, len(body)).encode() + body)

    while True:
        connection, _ = listener.accept()
        threading.Thread(target=talk, args=(connection,), daemon=True).start()


def main() -> int:
    """Render and serve."""
    parser = argparse.ArgumentParser(prog="python -m bench.pages", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rollen", type=int, required=True)
    parser.add_argument("--rate", type=float, default=0)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    render(given.folder, given.rollen)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1])
        sys.stdout.flush()
        serve(given.folder, given.rate, listener)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
