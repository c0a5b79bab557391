"""A real store in a real file, and a real server on loopback over it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from editor import Editor
from recordings import Register
from served import Client, settings
from werkzeug.serving import make_server

from gateway.app import create_app
from gateway.http.auth import create_token
from gateway.store.file.database import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "store.sqlite")
    yield made
    made.close()


@pytest.fixture
def serve(store: Store) -> Iterator[Callable[..., Client]]:
    """Starts a server over the store; the keywords are those of create_app, and of `settings`."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # its access log would hold query strings
    running = []

    def start(public_url: str = "", scope: str = "read", **options: Any) -> Client:
        names = (
            "cors_origins",
            "also_known_as",
            "trusted_proxies",
            "notify_url",
            "token_requests_per_second",
            "question_seconds",
        )
        chosen = {name: options.pop(name) for name in names if name in options}
        app = create_app(settings(store.path, public_url, **chosen), store=store, **options)
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        running.append((server, thread))
        token = create_token(store, f"test {len(running)}", scope)
        return Client(f"http://127.0.0.1:{server.server_port}", token)

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def register(store: Store) -> Register:
    """The store with what the recorded lists show."""
    made = Register(store)
    made.fill()
    return made


@pytest.fixture
def client(register: Register, serve: Callable[..., Client]) -> Client:
    """A client of a server that has what the recorded server had."""
    return serve()


@pytest.fixture
def editor(serve: Callable[..., Client]) -> Editor:
    """A client that writes, of an empty register."""
    return Editor(serve(scope="write"))
