"""What tests share: sample sources over real HTTP, installations on real files, and one log of the whole run."""

from __future__ import annotations

import contextlib
import functools
import itertools
import logging
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from builders import storeless, time_left
from builders.configs import read_config, write_config
from builders.editor import Editor
from builders.following import backfilled
from builders.notificaties_server import NotificatiesServer
from builders.open_transactions import asked_meanwhile, watch_open_transactions
from builders.privacy import judge
from builders.quick_setup import copied_stores, late_routes
from builders.recordings import RecordedRegister
from builders.sample_data import sample_data, sample_slice
from builders.served_store import Client, answering, settings
from builders.stores import ON_POSTGRES, given, keep, make_store, release

from gateway.app import create_app
from gateway.http.auth import create_token
from gateway.installation import Installation, open_installation
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer
from gateway.store.base.store import Store


def pytest_addoption(parser: pytest.Parser) -> None:
    storeless.options(parser)
    time_left.options(parser)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(storeless.Storeless(config))
    config.pluginmanager.register(time_left.TimeLeft(config))
    if (
        signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    ):  # in the background; what tests start would ignore it too
        signal.signal(signal.SIGINT, signal.default_int_handler)


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


@pytest.fixture(scope="module", autouse=True)
def stores_of_one_module() -> Iterator[None]:
    """Give back the stores of the fixtures of a module, when all else of it is over."""
    yield
    release()


@pytest.fixture(autouse=True)
def stores_of_one_test(stores_of_one_module: None) -> Iterator[None]:
    """Give back the stores that a test made, when all else of it is over."""
    before = given()
    yield
    release(before=before)


@pytest.fixture(autouse=True)
def nobody_is_asked_in_a_transaction() -> Iterator[None]:
    """While a transaction is open no other server is asked anything: see builders.open_transactions."""
    yield
    asked = [*asked_meanwhile]
    asked_meanwhile.clear()
    assert not asked, f"asked while a transaction was open: {asked}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is of the file alone is not run where the stores are in a database, and examples give their stores back."""
    if not ON_POSTGRES:
        return
    for item in items:
        if item.get_closest_marker("of_the_file"):
            item.add_marker(pytest.mark.skip(reason="of the store in a file"))
    functions = {getattr(item, "function", None) for item in items}
    for tried in [function.hypothesis for function in functions if hasattr(function, "hypothesis")]:
        tried.inner_test = _with_own_stores(tried.inner_test)


def _with_own_stores(example: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(example)
    def run(*arguments: Any, **named: Any) -> None:
        before = given()
        try:
            example(*arguments, **named)
        finally:
            release(before=before)

    return run


@pytest.fixture(scope="session", autouse=True)
def quick_setup(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Each new store of a test is a copy, and applications compile less."""
    with pytest.MonkeyPatch.context() as patch:
        late_routes(patch)
        watch_open_transactions(patch)
        copied_stores(patch, tmp_path_factory.mktemp("new-store"))
        yield


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
    made = make_store(tmp_path / "store.sqlite")
    yield made
    made.close()


@pytest.fixture
def serve(store: Store) -> Iterator[Callable[..., Client]]:
    """Starts a server over the store; the keywords are those of create_app, and of `settings`."""
    with contextlib.ExitStack() as running:
        names = (
            "cors_origins",
            "also_known_as",
            "trusted_proxies",
            "notify_url",
            "token_requests_per_second",
            "question_seconds",
            "login",
        )

        def start(public_url: str = "", scope: str = "read", **options: Any) -> Client:
            chosen = {name: options.pop(name) for name in names if name in options}
            app = create_app(settings(store.path, public_url, **chosen), store=store, **options)
            return Client(
                running.enter_context(answering(app)), create_token(store, f"test {next(count)}", scope)
            )

        count = itertools.count(1)
        yield start


@pytest.fixture(scope="session")
def recorded_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store with what the recorded lists show, for all tests that only read: none writes there."""
    made = make_store(keep(tmp_path_factory.mktemp("recorded")) / "store.sqlite")
    RecordedRegister(made).fill()
    yield made
    made.close()


@pytest.fixture(scope="session")
def reader(recorded_store: Store) -> Iterator[Client]:
    """A client of a server of that store, which it reads."""
    with answering(create_app(settings(recorded_store.path), store=recorded_store)) as address:
        yield Client(address, create_token(recorded_store, "reader", "read"))


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
