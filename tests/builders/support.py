"""Helpers of the tests: configurations, a client of the served API, digests of stores, the command as a process."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

from flask.testing import FlaskClient

from gateway.app import create_app
from gateway.base.clock import now
from gateway.config.load import load_config
from gateway.config.model import Config
from gateway.http.auth import create_token
from gateway.installation import Installation
from gateway.klantinteracties.model.freshness import Hydrator
from gateway.sample.contents.dataset import COLLECTION_KINDS, Dataset, default_paths, load
from gateway.sample.server import DEFAULT_APPLICATION, SampleServer
from gateway.store.file.database import Store
from gateway.store.inspect.dump import dump_lines
from gateway.store.legacy import quarantine, untranslated_keys

API = "/klantinteracties/api/v1"
# Seconds from one call of a job to the next, with the taking of what came.
A_CALL = 0.05
UUID_SECRET = "a secret of the tests, longer than thirty-two characters"
LIVE = (
    "\n[live]\nmax_age = {max_age}\ndeadline = {deadline}\n"
    "partial = '{partial}'\npartial_lists = '{partial_lists}'\n"
)


@functools.cache
def _loaded(*paths: Path) -> Dataset:
    return load(paths)


def sample_data() -> Dataset:
    """The slice and the ugly set together, to change at will."""
    return _loaded(*default_paths()).copy()


def sample_slice() -> Dataset:
    """The slice, to change at will."""
    return _loaded(default_paths()[0]).copy()


def some_zaken(data: Dataset, every: int) -> Dataset:
    """A consistent part of a dataset: each `every`th zaak with all that hangs on it."""
    kept = {zaak.uuid for zaak in data.snapshot("zaak")[::every]}
    return data.copy(lambda kind, record: kind not in COLLECTION_KINDS or record.zaak_uuid in kept)


def write_config(folder: Path, sources: dict[str, SampleServer], **live: Any) -> Path:
    """A config.toml for these sources with its store beside it."""
    settings = {"max_age": 300, "deadline": 20, "partial": "refuse", "partial_lists": "refuse"} | live
    text = f'[store]\npath = "klantbrug.db"\nuuid_secret = "{UUID_SECRET}"\n' + LIVE.format(**settings)
    text += '[mapping]\nmax_vertrouwelijkheidaanduiding = "zaakvertrouwelijk"\n'
    for name, server in sources.items():
        text += (
            f'[[source]]\nname = "{name}"\nzaken_url = "{server.zaken_url}"\n'
            f'client_id = "{DEFAULT_APPLICATION.client_id}"\nsecret = "{DEFAULT_APPLICATION.secret}"\n'
            "connect_timeout = 2\nread_timeout = 10\n"
        )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def read_config(path: Path) -> Config:
    """A configuration without the environment of whoever runs the tests."""
    return load_config(path, {})


class Asker:
    """A client of the served API, in this process."""

    def __init__(self, installation: Installation) -> None:
        self.hydrator: Any = installation.hydrator()
        self.store = installation.store
        app = create_app(installation.config, store=installation.store, hydrator=self.hydrator)
        self.client: FlaskClient = app.test_client()
        self.token = create_token(installation.store, f"asker-{uuid4()}", "read")

    def get(self, path: str, **query: str) -> Any:
        """The answer to GET path?query."""
        headers = {"Authorization": f"Token {self.token}"}
        return self.client.get(f"{API}/{path}", query_string=query, headers=headers)

    def page(self) -> str:
        """The status page, as an operator sees it."""
        token = create_token(self.store, f"watcher-{uuid4()}", "monitor")
        answer = self.client.get("/", headers={"Authorization": f"Token {token}"})
        assert answer.status_code == 200
        return answer.get_data(as_text=True)


def write_client(installation: Installation, hydrator: Hydrator) -> tuple[FlaskClient, dict[str, str]]:
    """A client of the served API that may write, with the headers of its requests."""
    app = create_app(installation.config, store=installation.store, hydrator=hydrator)
    token = create_token(installation.store, f"writer-{uuid4()}", "write")
    return app.test_client(), {"Authorization": f"Token {token}"}


def let_be(installation: Installation) -> Installation:
    """The same installation, with all that is in quarantine dismissed: its data holds some, on purpose."""
    with installation.store.write() as connection:
        quarantine.dismiss(connection, [held.row for held in quarantine.listing(connection)], now())
        untranslated_keys.settle(connection)
    return installation


def dump_digest(store: Store) -> str:
    """SHA-256 of the canonical dump: equal for stores that hold the same."""
    digest = hashlib.sha256()
    for line in dump_lines(store):
        digest.update(line + b"\n")
    return digest.hexdigest()


@contextlib.contextmanager
def klantbrug(run_log: Path, *arguments: str | Path, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """The command in a process of its own, its log kept; stopped at the end of the block."""
    environ = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with (run_log / "processes.log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway", *map(str, arguments)],
            stdout=options.pop("stdout", subprocess.PIPE),
            stderr=options.pop("stderr", log),
            text=True,
            env=environ,
            start_new_session=True,
            **options,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=15)
            if process.poll() is None:
                process.kill()
            process.wait()


def killed_after(server: SampleServer, calls: float, run_log: Path, *arguments: str | Path) -> bool:
    """Run the command and kill -9 it after so many of its calls, and a part of one more. Out: did it not end before?"""
    server.reset_calls()
    with klantbrug(run_log, *arguments) as process:
        while server.calls_count < math.floor(min(calls, sys.maxsize)) and process.poll() is None:
            time.sleep(0.002)
        try:
            assert process.wait(timeout=math.modf(calls)[0] * A_CALL) == 0
        except subprocess.TimeoutExpired:
            process.kill()
            return True
    return False
