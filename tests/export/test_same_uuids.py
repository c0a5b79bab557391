"""A register that was filled with files under our own uuids."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders.editor import codes, ref
from builders.old_home import OldHome
from builders.other_register import FORBIDDEN, OtherRegister, running
from builders.slow_source import a_bsn
from builders.stores import copy_store

from gateway.operator.export import fixture, following
from gateway.store.export import pairs

pytestmark = pytest.mark.slow


@pytest.mark.rule("E9")
def test_pairing_that_was_ended_halfway_is_done_again_before_anything_is_sent(
    home: OldHome, tmp_path: Path
) -> None:
    actor = home.client.make("actoren", {"naam": "Robot", "soortActor": "geautomatiseerde_actor"})
    home.client.make("partijen", {"soortPartij": "persoon", "indicatieActief": True})
    folder = tmp_path / "register"
    folder.mkdir()
    copy_store(home.store.path, folder / "register.db")
    with running(folder) as register:
        asked = register.traps.asked
        register.traps.trap = lambda method, path, number: (
            FORBIDDEN if path == "partijen" and asked.count(("GET", path)) > 1 else None
        )
        assert "403" in home.export(register.settings()).stopped
        home.client.send("PATCH", f"actoren/{actor['uuid']}", {"naam": "Automaat"})
        register.traps.trap = lambda method, path, number: None
        assert home.export(register.settings()).stopped == ""
        assert register.traps.count("POST") == 0
        assert [one["naam"] for one in register.all("actoren")] == ["Automaat"]
        report = home.verify(register.settings())
        assert report["clean"] and not any(report["others"].values()), report["details"]


@pytest.mark.rule("E9")
def test_what_changed_after_the_files_were_made_is_sent(home: OldHome, tmp_path: Path) -> None:
    """Nothing noted it: there was no export yet."""
    home.fill(3)
    partij = home.client.send("GET", "partijen")["results"][0]
    folder = tmp_path / "register"
    folder.mkdir()
    copy_store(home.store.path, folder / "register.db")
    home.client.send("PATCH", f"partijen/{partij['uuid']}", {"interneNotitie": "sindsdien"})
    home.client.make("categorieen", {"naam": "Sindsdien"})
    with running(folder) as register:
        assert home.export(register.settings()).stopped == ""
        assert register.traps.count("POST") == 1
        assert register.traps.count("PATCH") == 1
        assert "sindsdien" in [one["interneNotitie"] for one in register.all("partijen")]
        assert home.verify(register.settings())["clean"]


@contextlib.contextmanager
def loaded(home: OldHome, tmp_path: Path) -> Iterator[OtherRegister]:
    """A register that has what the files held, under our uuids."""
    fixture.write(home.store, tmp_path / "files", 1, lambda what, done, total: None)
    folder = tmp_path / "register"
    folder.mkdir()
    copy_store(home.store.path, folder / "register.db")
    with running(folder) as register:
        yield register


@pytest.mark.rule("E9")
@pytest.mark.parametrize("rehearsed", [False, True])
def test_what_went_after_the_files_were_made_goes_there_too(
    home: OldHome, tmp_path: Path, rehearsed: bool
) -> None:
    """Also when what is known of a register was forgotten in between; what is not ours stays."""
    home.fill(6)
    number = {"identificeerdePartij": None, "partijIdentificator": codes("bsn", a_bsn(77))}
    first = home.client.make("partijen", {"soortPartij": "persoon", "indicatieActief": True})
    moves = home.client.make("partij-identificatoren", {**number, "identificeerdePartij": ref(first)})
    with loaded(home, tmp_path) as register:
        theirs = register.send("POST", "categorieen", {"naam": "Van het register"})
        if rehearsed:
            with home.store.write() as connection:
                pairs.begin(connection, "http://127.0.0.1:9/proef", 0)
            following.forget(home.store, "tester")
        for path in ("klantcontacten", "digitaleadressen", "partijen"):
            gone = home.client.send("GET", path)["results"][-1]
            home.client.send("DELETE", f"{path}/{gone['uuid']}")
        # A number that moved: the register takes it once.
        home.client.send("DELETE", f"partij-identificatoren/{moves['uuid']}")
        home.client.send("DELETE", f"partijen/{first['uuid']}")
        other = home.client.make("partijen", {"soortPartij": "persoon", "indicatieActief": True})
        home.client.make("partij-identificatoren", {**number, "identificeerdePartij": ref(other)})
        outcome = home.export(register.settings())
        assert (outcome.stopped, outcome.counts.get("parked", 0), outcome.waiting) == ("", 0, 0)
        assert outcome.counts["deleted"] >= 5
        report = home.verify(register.settings())
        assert report["clean"] and report["others"] == {"categorie": 1}, report["details"]
        assert register.send("GET", f"categorieen/{theirs['uuid']}")
        assert home.posts_of_a_run(register.settings()) == 0


@pytest.mark.rule("E7")
@pytest.mark.rule("E9")
def test_what_users_changed_after_the_files_were_loaded_is_theirs(home: OldHome, tmp_path: Path) -> None:
    made = [
        home.client.make("partijen", {"soortPartij": "persoon", "indicatieActief": True}) for _ in range(3)
    ]
    with loaded(home, tmp_path) as register:
        here, both, only_there = (f"partijen/{one['uuid']}" for one in made)
        for path in (both, only_there):
            register.send("PATCH", path, {"interneNotitie": "van daar"})
        for path in (here, both):
            home.client.send("PATCH", path, {"interneNotitie": "van hier"})
        home.client.send("PATCH", only_there, {"voorkeurstaal": "fry"})
        home.export(register.settings())
        notes = [register.send("GET", path)["interneNotitie"] for path in (here, both, only_there)]
        assert notes == ["van hier", "van hier", "van daar"]
        assert register.send("GET", only_there)["voorkeurstaal"] == "fry"
        with home.store.read() as connection:
            assert pairs.overwritten_fields(connection) == [("partij", "interneNotitie", 1)]
        assert home.verify(register.settings())["changed_there"] == {"partij interneNotitie": 1}
