"""What held when the served command was attacked, so that it goes on holding: real workers, one store file."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from builders.asker import API
from builders.commands import klantbrug
from builders.configs import read_config
from builders.served_process import a_port
from builders.stores import store_keys
from builders.until import until_it_works

from gateway.http.auth import create_token
from gateway.installation import open_store
from gateway.klantinteracties.model.resources import RESOURCES

pytestmark = pytest.mark.slow

HOST = "127.0.0.1"
SIXTEEN, CONNECTIONS, KILLS, WRITERS = 16, 1500, 20, 4
PERSOON = {
    "soortPartij": "persoon",
    "indicatieActief": True,
    "digitaleAdressen": [],
    "voorkeursDigitaalAdres": None,
    "rekeningnummers": [],
    "voorkeursRekeningnummer": None,
}
CONTACT = {"kanaal": "telefoon", "onderwerp": "Een vraag", "taal": "nld", "vertrouwelijk": False}
NASTY = [
    "", " ", "'", '"', "\\", "%", "_", "%%%", "--", ";", "' OR '1'='1", "\x7f", "\u202e", "\ufeff", "é", "ß", "İ", "😀",
    "null", "None", "NaN", "-1", "1e999", "99999999999999999999", "0x10", "true", "[]", "{}", "*", "?", "a" * 900,
    "../../etc", "<script>", "0000-00-00", "9999-12-31T23:59:60Z", "2026-02-30", "00000000-0000-0000-0000-000000000000",
    "http://[", "AND NOT", "NEAR(", "^", "inhoud:x", "\t\r\n",
]  # fmt: skip


@dataclass
class Register:
    """A served register without sources."""

    port: int
    token: str
    config: Path

    def send(self, method: str, path: str, body: Any = None, seconds: float = 30) -> tuple[int, Any]:
        """Status and body of an answer."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=seconds)
        try:
            headers = {"Authorization": f"Token {self.token}", "Content-Type": "application/json"}
            connection.request(method, f"{API}{path}", None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            read = answer.read()
            return answer.status, json.loads(read) if read else None
        finally:
            connection.close()

    def ready(self, seconds: float = 30) -> None:
        """Wait until it answers."""

        def ask() -> None:
            assert self.send("GET", "/actoren?pageSize=1", seconds=2)[0] == 200

        until_it_works(ask, (OSError, http.client.HTTPException, AssertionError), seconds)


def configured(folder: Path) -> Register:
    port = a_port()
    path = folder / "config.toml"
    secret = "a secret of the tests, longer than thirty-two characters"
    path.write_text(
        f'[gateway]\nbind = "{HOST}:{port}"\nworkers = 2\nregister = true\n[store]\nuuid_secret = "{secret}"\n'
        + store_keys(folder / "klantbrug.db")
    )
    return Register(port, create_token(open_store(read_config(path)), "tests", "write"), path)


@pytest.fixture(scope="module")
def register(tmp_path_factory: pytest.TempPathFactory, run_log: Path) -> Iterator[Register]:
    made = configured(tmp_path_factory.mktemp("held"))
    with klantbrug(run_log, "--config", made.config, "serve", "--no-jobs"):
        made.ready()
        yield made


def test_of_sixteen_equal_numbers_at_once_one_is_made(register: Register) -> None:
    owners = [register.send("POST", "/partijen", PERSOON)[1]["uuid"] for _ in range(SIXTEEN)]
    together = threading.Barrier(SIXTEEN)

    def make(owner: str) -> int:
        number = {
            "codeObjecttype": "natuurlijk_persoon",
            "codeSoortObjectId": "bsn",
            "objectId": "999990019",
            "codeRegister": "brp",
        }
        body = {"identificeerdePartij": {"uuid": owner}, "partijIdentificator": number}
        together.wait()
        return register.send("POST", "/partij-identificatoren", body)[0]

    with ThreadPoolExecutor(SIXTEEN) as pool:
        assert Counter(pool.map(make, owners)) == {201: 1, 400: SIXTEEN - 1}


def test_no_value_of_a_filter_ends_in_an_error_of_ours(register: Register) -> None:
    """Each filter of each resource with each nasty value."""
    connection = http.client.HTTPConnection(HOST, register.port, timeout=30)
    count: Counter[int] = Counter()
    for resource in RESOURCES:
        for item in resource.filters:
            for value in NASTY:
                path = f"{API}/{resource.path}?{item.name}={quote(value)}"
                connection.request("GET", path, headers={"Authorization": f"Token {register.token}"})
                answer = connection.getresponse()
                answer.read()
                count[answer.status] += 1
                assert answer.status in (200, 400), (resource.path, item.name, NASTY.index(value))
    assert count[200] > 1000
    assert count[400] > 1000


@pytest.mark.soak
def test_fifteen_hundred_connections_are_all_answered(register: Register) -> None:
    def ask(_: int) -> int:
        return register.send("GET", "/partijen?pageSize=10")[0]

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        assert Counter(pool.map(ask, range(CONNECTIONS))) == {200: CONNECTIONS}


@pytest.mark.soak
def test_what_was_acknowledged_is_there_after_kills(tmp_path: Path, run_log: Path) -> None:
    """The server and its workers killed -9 at random moments while four clients write."""
    register = configured(tmp_path)
    chance = random.Random(12)
    told: list[str] = []
    for _ in range(KILLS):
        stop = threading.Event()

        def write(stop: threading.Event = stop) -> None:
            while not stop.is_set():
                try:
                    status, made = register.send("POST", "/klantcontacten", CONTACT, seconds=5)
                except (OSError, http.client.HTTPException, ValueError):
                    continue  # the kill: not acknowledged
                if status == 201:
                    told.append(made["uuid"])

        with klantbrug(run_log, "--config", register.config, "serve", "--no-jobs") as process:
            register.ready()
            writers = [threading.Thread(target=write) for _ in range(WRITERS)]
            for writer in writers:
                writer.start()
            time.sleep(chance.uniform(0.3, 2))
            os.killpg(process.pid, signal.SIGKILL)
            stop.set()
            for writer in writers:
                writer.join()
    assert len(told) > 100 * KILLS / 4
    with klantbrug(run_log, "--config", register.config, "serve", "--no-jobs"):
        register.ready()
        missing = [uuid for uuid in told if register.send("GET", f"/klantcontacten/{uuid}")[0] != 200]
    assert not missing
