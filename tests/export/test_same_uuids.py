"""A register that was filled with files under our own uuids."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders.old_home import OldHome
from builders.other_register import FORBIDDEN, running


@pytest.mark.rule("E9")
def test_pairing_that_was_ended_halfway_is_done_again_before_anything_is_sent(
    home: OldHome, tmp_path: Path
) -> None:
    actor = home.client.make("actoren", {"naam": "Robot", "soortActor": "geautomatiseerde_actor"})
    home.client.make("partijen", {"soortPartij": "persoon", "indicatieActief": True})
    folder = tmp_path / "register"
    folder.mkdir()
    home.store.copy_to(folder / "register.db")
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
    home.store.copy_to(folder / "register.db")
    home.client.send("PATCH", f"partijen/{partij['uuid']}", {"interneNotitie": "sindsdien"})
    home.client.make("categorieen", {"naam": "Sindsdien"})
    with running(folder) as register:
        assert home.export(register.settings()).stopped == ""
        assert register.traps.count("POST") == 1
        assert register.traps.count("PATCH") == 1
        assert "sindsdien" in [one["interneNotitie"] for one in register.all("partijen")]
        assert home.verify(register.settings())["clean"]
