"""The measurement measures what it says: every question of bench/read.py is answered, and the figures add up."""

from __future__ import annotations

import re
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from builders.configs import read_config
from builders.probe.probe import Probe

from bench import (
    filters,
    filters_store,
    ingest,
    legacy,
    load,
    read,
    rebuild,
    register,
    translate,
    viewers,
    watched,
)
from gateway.app import create_app
from gateway.installation import open_installation
from gateway.klantinteracties.model.declarations import Form
from gateway.klantinteracties.model.resources import RESOURCES
from gateway.store.base.conditions import Compare
from gateway.store.file.database import FileStore
from mappings.values.nummers import bsn

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, register.Register]:
    path = tmp_path_factory.mktemp("bench") / "register.sqlite"
    return path, register.fill(path, 0.004)


@pytest.mark.parametrize("question", read.QUESTIONS, ids=lambda question: question.name)
def test_every_question_has_an_answer(
    filled: tuple[Path, register.Register], question: read.Question
) -> None:
    path, found = filled
    config = path.with_name("config.toml")
    config.write_text(f'[store]\npath = "{path}"\n')
    installation = open_installation(read_config(config))
    client = create_app(installation.config, store=installation.store).test_client()
    paths = question.paths(found)
    assert paths
    for asked in paths[:5]:
        got = client.get(read.API + asked, headers={"Authorization": f"Token {found.token}"})
        assert got.status_code == 200
        assert got.json["count"] > 0 if "count" in got.json else got.json["uuid"]
    installation.store.close()


def test_viewers_and_readers_are_answered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "viewers.sqlite"
    ingest.fill(path, 1, lambda _: None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["bench.viewers", "--store", str(path), "--seconds", "1"])
        assert viewers.main() == 0
    told = capsys.readouterr().out
    for name in ("alone", "beside 4 viewers", "the page"):
        answers = re.search(rf"{name} +(\d+) answers", told)
        assert answers
        assert int(answers[1]) > 0


def test_what_watching_costs_is_measured_beside_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watched, "SCALE", 0.004)
        patch.setattr("sys.argv", ["bench.watched", "--rounds", "1", "--seconds", "0.3"])
        assert watched.main() == 0
    told = capfd.readouterr().out
    for name in watched.VARIANTS:
        found = re.search(rf"^{name} +(\d+) +(\d\.\d+) +(\d+) +(\d\.\d+)$", told, re.MULTILINE)
        assert found, told
        assert int(found[1]) > 0 and int(found[3]) > 0
    assert re.search(r"^nothing .* 1\.000 .* 1\.000$", told, re.MULTILINE)


def test_the_register_is_the_same_each_time(filled: tuple[Path, register.Register], tmp_path: Path) -> None:
    _, first = filled
    again = register.fill(tmp_path / "again.sqlite", 0.004)
    assert (again.partijen, again.bsns, again.zaken) == (first.partijen, first.bsns, first.zaken)
    assert again.token != first.token


def test_its_bsns_are_numbers_that_a_register_takes_and_all_different() -> None:
    numbers = [register.eleven_proof(number) for number in range(3000)]
    assert len(set(numbers)) == len(numbers)
    assert all(bsn(number) == number for number in numbers)


def test_a_copy_of_the_slice_says_as_much_of_other_people() -> None:
    copies = legacy.Copies()
    first, second = (translate.claims_of(copies.objects("rol", copy)) for copy in (0, 1))
    assert len(first) == len(second) > 3000
    assert not {claim.rol for claim in first} & {claim.rol for claim in second}
    numbers = [
        {key for claim in claims for key in claim.keys if key.startswith(("brp:bsn:", "hr:"))}
        for claims in (first, second)
    ]
    assert not numbers[0] & numbers[1]
    assert len(numbers[0]) == len(numbers[1]) > 500


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> int:
    """A slice of some zaken; out: how many rollen it has."""
    lines = legacy.slice_lines()
    zaken = {orjson.loads(line)["url"] for line in lines["zaak"][:60]}
    part = {
        kind: [line for line in lines[kind] if orjson.loads(line)["zaak"] in zaken]
        for kind in ("rol", "klantcontact")
    }
    part["zaak"] = lines["zaak"][:60]
    for module in (legacy, ingest):
        monkeypatch.setattr(module, "slice_lines", lambda: part)
    return len(part["rol"])


def test_ingest_is_measured_in_parts_over_copies(few: int, tmp_path: Path) -> None:
    told: list[str] = []
    path = tmp_path / "ingest.sqlite"
    filled = ingest.fill(path, 3 * few + 1, told.append)
    assert (filled.rollen, len(filled.parts)) == (4 * few, 4)
    assert len([line for line in told if " rol " in line]) == 4
    assert filled.average > filled.together > 0
    lines = ingest.sizes(path, filled.rollen)
    assert any("document" in line for line in lines[1:])
    store = FileStore(path)
    assert Probe(store).count("raw", kind="rol") == 4 * few
    store.close()


def test_rebuild_is_measured_with_and_without_a_change(
    few: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "rebuild.sqlite"
    ingest.fill(path, 1, lambda line: None)
    rebuild.measure(path)
    told = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in told[:3]] == list(rebuild.ROUNDS)
    assert ["'changed'" in line for line in told[:3]] == [False, True, True]


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def answering(listener: socket.socket, pieces: list[bytes], delay: float = 0) -> None:
    """Answer each request on one connection with these pieces, one packet each."""

    def run() -> None:
        connection, _ = listener.accept()
        with connection:
            while connection.recv(65536):
                time.sleep(delay)
                for piece in pieces:
                    connection.sendall(piece)

    threading.Thread(target=run, daemon=True).start()


def test_an_answer_in_pieces_counts_once_and_whole(listener: socket.socket) -> None:
    answering(listener, [b"HTTP/1.1 200 OK\r\ncontent-le", b"ngth: 11\r\n\r\nhel", b"lo ", b"world"])
    found = load.drive(listener.getsockname(), [load.request("/", "x")], 0.2, connections=1)
    assert len(found.latencies) > 1
    assert found.size == 11


@pytest.mark.parametrize("head", [b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_anything_but_a_whole_good_answer_stops_the_measurement(listener: socket.socket, head: bytes) -> None:
    answering(listener, [head])
    with pytest.raises(load.BenchError):
        load.drive(listener.getsockname(), [load.request("/", "x")], 0.2, connections=1)


@pytest.mark.parametrize(("rate", "latest"), [(20, False), (400, True)])
def test_with_a_rate_an_answer_counts_from_when_it_should_have_been_asked(
    listener: socket.socket, rate: int, latest: bool
) -> None:
    """One connection, answers after 10 ms: 20 a second go well, of 400 each waits longer than the one before."""
    answering(listener, [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"], delay=0.01)
    found = load.drive(listener.getsockname(), [load.request("/", "x")], 0.5, rate=rate, connections=1)
    assert (found.latencies[-1] > 0.2) == latest
    if not latest:
        assert len(found.latencies) == 10


def test_percentiles_are_in_milliseconds() -> None:
    found = load.Measured(1, 1, [0.001 * number for number in range(1, 101)])
    assert found.percentile(0.5) == pytest.approx(51)
    assert found.percentile(0.99) == pytest.approx(100)


def test_every_filter_is_asked_with_values_that_are_there(tmp_path: Path) -> None:
    """The measurement of filters finds values in its store for each of them, but the two that nothing there has."""
    path = tmp_path / "filters.sqlite"
    filters_store.fill(path, 1500, lambda _: None)
    connection = sqlite3.connect(path)
    asked = {
        f"{resource.path} {item.name}": dict(filters.values(connection, item))
        for resource in RESOURCES
        for item in resource.filters
    }
    connection.close()
    assert len(asked) > 130
    without = {name for name, values in asked.items() if len(values) < 2}
    assert without == {"internetaken klantcontact__referentienummer", "internetaken referentienummer"}


def test_every_flag_has_both_values_there(tmp_path: Path) -> None:
    """A flag is asked with true and false: where all have the same, one of the two proves nothing."""
    path = tmp_path / "filters.sqlite"
    filters_store.fill(path, 1500, lambda _: None)
    connection = sqlite3.connect(path)
    found = {
        f"{resource.path} {item.name}": set(filters.sample(connection, item.where))
        for resource in RESOURCES
        for item in resource.filters
        if item.form is Form.FLAG and item.where.compare is Compare.IS
    }
    connection.close()
    assert len(found) > 5
    assert {name: values for name, values in found.items() if len(values) < 2} == {}
