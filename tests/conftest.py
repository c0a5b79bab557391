"""What tests share: sample sources over real HTTP, installations on real files, and one log of the whole run."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from builders.configs import read_config, write_config
from builders.editor import Editor
from builders.following import backfilled
from builders.notificaties_server import NotificatiesServer
from builders.privacy import judge
from builders.recordings import RecordedRegister
from builders.sample_data import sample_data, sample_slice
from builders.served_store import Client, settings
from werkzeug.serving import make_server

from gateway.app import create_app
from gateway.http.auth import create_token
from gateway.installation import Installation, open_installation
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer
from gateway.store.file.database import Store


@pytest.fixture(scope="session")
def run_log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder in which every log line of this run lands: ours, the libraries', and those of processes.

    At the end of the run nothing personal may stand in it.
    """
    folder = tmp_path_factory.mktemp("run-log")
    yield folder
    judge(folder)


class _Keep(logging.StreamHandler):
    def format(self, record: logging.LogRecord) -> str:
        text = f"{record.name} {record.getMessage()}"
        return text + (f"\n{logging.Formatter().formatException(record.exc_info)}" if record.exc_info else "")


@pytest.fixture(autouse=True)
def keep_log(run_log: Path) -> Iterator[None]:
    """Keep what this test logs, at the most talkative level."""
    root = logging.getLogger()
    level = root.level
    with (run_log / "pytest.log").open("a", encoding="utf-8") as file:
        handler = _Keep(file)
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        yield
        root.removeHandler(handler)
        root.setLevel(level)


@pytest.fixture
def slice_data() -> Dataset:
    """The slice, to change at will."""
    return sample_slice()


@pytest.fixture
def all_data() -> Dataset:
    """The slice and the ugly set together."""
    return sample_data()


@pytest.fixture
def data(slice_data: Dataset) -> Dataset:
    """What `server` has. A module that needs another world has its own."""
    return slice_data


@pytest.fixture
def source_options() -> dict[str, Any]:
    """What sort of source `server` is: the keywords of SampleServer."""
    return {}


@pytest.fixture
def server(data: Dataset, source_options: dict[str, Any]) -> Iterator[SampleServer]:
    """A source that has `data`."""
    with SampleServer(data, **source_options) as running:
        yield running
        running.traps.stall_rate = running.traps.slow = 0  # so that nothing waits for it at the end


@pytest.fixture
def filled(server: SampleServer, install: Callable[..., Installation]) -> Installation:
    """An installation that read all of `server`."""
    return backfilled(install(bron=server))


@pytest.fixture
def notificaties() -> Iterator[NotificatiesServer]:
    """A Notificaties API."""
    with NotificatiesServer() as running:
        yield running


@pytest.fixture
def install(tmp_path: Path) -> Callable[..., Installation]:
    """Make an installation on an empty store: `install(bron=server, max_age=5)`."""
    count = iter(range(1000))

    def make(config: Path | None = None, **arguments: Any) -> Installation:
        keys = ("max_age", "deadline", "partial", "partial_lists")
        live = {key: arguments.pop(key) for key in keys if key in arguments}
        path = config or write_config(tmp_path / f"installation-{next(count)}", arguments, **live)
        return open_installation(read_config(path))

    return make


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
def register(store: Store) -> RecordedRegister:
    """The store with what the recorded lists show."""
    made = RecordedRegister(store)
    made.fill()
    return made


@pytest.fixture
def client(register: RecordedRegister, serve: Callable[..., Client]) -> Client:
    """A client of a server that has what the recorded server had."""
    return serve()


@pytest.fixture
def editor(serve: Callable[..., Client]) -> Editor:
    """A client that writes, of an empty register."""
    return Editor(serve(scope="write"))
