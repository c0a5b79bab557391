"""Files for loaddata of Open Klant: everything under its own uuid."""

from __future__ import annotations

import csv
import json
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from builders.old_home import OldHome, filled
from builders.probe.openklant_tables import ANSWERS, DUMP, MODELS, Tables, without_addresses

from gateway.installation import Installation
from gateway.operator.export import csv_files, directory, fixture
from gateway.store.base.kinds import KINDS
from gateway.store.export import documents


def quiet(what: str, done: int, total: int) -> None:
    """Nobody is told of progress."""


def to_the_millisecond(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: to_the_millisecond(each) for name, each in value.items()}
    if isinstance(value, list):
        return [to_the_millisecond(each) for each in value]
    if isinstance(value, str) and len(value) == 27 and value.endswith("Z"):
        return f"{value[:23]}Z"
    return value


def test_the_tables_answer_as_the_real_one_did() -> None:
    tables = Tables(ordered=False)  # a dump stands in no order
    tables.load(DUMP)
    assert tables.dangling() == 0
    assert tables.answers() == to_the_millisecond(without_addresses(ANSWERS))


def own_answers(home: OldHome) -> dict[str, Any]:
    paths = home.client.send("GET", "").keys() - {"maak-klantcontact"}
    found: dict[str, Any] = {path: [] for path in paths}
    for path in paths:
        number = 1
        while True:
            page = home.client.send("GET", f"{path}?page={number}&pageSize=500")
            found[path] += without_addresses(page["results"])
            if not page["next"]:
                break
            number += 1
    return found


@pytest.mark.rule("E9")
def test_what_is_loaded_answers_what_was_here(
    tmp_path: Path, install: Callable[..., Installation], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With foreign keys on, in many small files, from a store with the ugly set in it and all that clients make."""
    monkeypatch.setattr(fixture, "IN_A_FILE", 7)
    home = filled(tmp_path / "home", install, 40, 12)
    counts = fixture.write(home.store, tmp_path / "files", 1, quiet)
    tables = Tables()
    assert tables.load_files(tmp_path / "files") > 40
    answers, ours = tables.answers(), own_answers(home)
    assert set(answers) == set(ours)
    for path, wanted in ours.items():
        assert answers[path] == wanted, path
    with home.store.read() as connection:
        assert counts["partij"] == documents.count(connection, "partij")
        assert sum(map(len, ours.values())) == sum(documents.count(connection, kind) for kind in KINDS)


@pytest.mark.rule("E9")
@pytest.mark.rule("E11")
def test_two_times_the_same_bytes_for_the_owner_only(home: OldHome, tmp_path: Path) -> None:
    home.fill(8)
    eenheid = {"omschrijving": "afdeling", "emailadres": "kcc@example.nl"}
    soort = {"naam": "KCC", "soortActor": "organisatorische_eenheid", "actorIdentificatie": eenheid}
    home.client.make("actoren", soort)
    for name in ("one", "two"):
        fixture.write(home.store, tmp_path / name, 100, quiet)
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "two").iterdir())
    for name in names:
        one, two = (tmp_path / folder / name for folder in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()
        assert stat.S_IMODE(one.stat().st_mode) == 0o600
        assert re.fullmatch(r"\d{3}-[a-z-]+-0000\d\.json|LEESMIJ\.txt", name), "nobody's number in a name"
    first = [json.loads(path.read_bytes()) for path in sorted((tmp_path / "one").glob("*.json"))]
    objects = [one for file in first for one in file]
    assert min(one["pk"] for one in objects) == 100
    assert {one["model"].split(".")[1] for one in objects} == set(MODELS)


@pytest.mark.rule("E11")
def test_only_an_empty_directory_on_this_machine_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "a").touch()
    with pytest.raises(directory.NoSuchPlace, match="niet leeg"):
        directory.prepare(full)
    monkeypatch.setattr(directory, "file_system_of", lambda path: "nfs4")
    with pytest.raises(directory.NoSuchPlace, match="netwerkschijf"):
        directory.prepare(tmp_path / "new")
    monkeypatch.undo()
    directory.prepare(tmp_path / "new")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    directory.create(tmp_path / "new" / "a").close()
    with pytest.raises(FileExistsError):
        directory.create(tmp_path / "new" / "a")


@pytest.mark.rule("E10")
def test_a_csv_per_resource_with_a_dictionary(home: OldHome, tmp_path: Path) -> None:
    home.fill(8)
    home.client.make("categorieen", {"naam": 'Met "aanhaling", komma en\nregel'})
    counts = csv_files.write(home.store, tmp_path / "csv", quiet)
    ours = own_answers(home)
    assert counts == {path: len(found) for path, found in ours.items()}

    def read(name: str) -> list[dict[str, str]]:
        raw = (tmp_path / "csv" / name).read_bytes()
        assert raw.count(b"\r\n") >= 1 and not raw.startswith(b"\xef\xbb\xbf")
        return list(csv.DictReader(raw.decode().splitlines(keepends=True), strict=True))

    partijen = {row["uuid"]: row for row in read("partijen.csv")}
    for shown in ours["partijen"]:
        row = partijen[shown["uuid"]]
        assert row["bezoekadres_straatnaam"] == shown["bezoekadres"]["straatnaam"]
        prefers = shown["voorkeursDigitaalAdres"]
        assert row["voorkeursDigitaalAdres_uuid"] == (prefers["uuid"] if prefers else "")
        assert (
            row["indicatieGeheimhouding"]
            == {True: "true", False: "false", None: ""}[shown["indicatieGeheimhouding"]]
        )
    names = {row["naam"] for row in read("categorieen.csv")}
    assert names == {shown["naam"] for shown in ours["categorieen"]}
    taken = {row["uuid"]: row for row in read("internetaken.csv")}
    for shown in ours["internetaken"]:
        wanted = " ".join(actor["uuid"] for actor in shown["toegewezenAanActoren"])
        assert taken[shown["uuid"]]["toegewezenAanActoren_uuid"] == wanted
    described = {(row["bestand"], row["kolom"]) for row in read(csv_files.DICTIONARY)}
    for path in ours:
        header = (tmp_path / "csv" / f"{path}.csv").read_text(encoding="utf-8").splitlines()[0]
        assert described >= {(f"{path}.csv", name) for name in header.split(",")}
