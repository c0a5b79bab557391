"""`klantbrug export` and `klantbrug phase exported`, as an operator walks them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from builders.commands import command
from builders.old_home import OldHome
from builders.other_register import DECLINED, OtherRegister, running
from click.testing import CliRunner, Result

from gateway.base.clock import now
from gateway.cli.main import cli
from gateway.store.export import documents, pairs
from jobs.export.parcels import parcel_of

pytestmark = pytest.mark.slow


@pytest.fixture
def config(home: OldHome, register: OtherRegister) -> Path:
    """The configuration of the home, with the register to leave for; the token in a file, as it should be."""
    token = home.folder / "register.token"
    token.write_text(register.token)
    path = home.folder / "config.toml"
    text = path.read_text() + (
        f'[target]\nurl = "{register.settings().url}/"\ntoken_file = "{token}"\nread_timeout = 1\n'
    )
    path.write_text(text)
    return path


def as_json(result: Result, code: int = 0) -> Any:
    told(result, code)
    return json.loads(result.stdout)


def told(result: Result, code: int = 0) -> Any:
    assert result.exit_code == code, result.output
    return result.output


@pytest.mark.slow
@pytest.mark.rule("E1")
@pytest.mark.rule("E5")
@pytest.mark.rule("E6")
@pytest.mark.rule("E8")
def test_the_whole_way(home: OldHome, register: OtherRegister, config: Path, tmp_path: Path) -> None:
    home.fill(5)
    assert "nog niets verstuurd" in told(command(config, "export", "status"))
    rehearsal = as_json(command(config, "export", "run", "--dry-run", "--json"))
    assert rehearsal["kinds"]["partij"] == {"documents": 5, "theirs": 0, "to_send": 5}
    assert rehearsal["refused"] == []
    assert "Proefrun" in told(command(config, "export", "run", "--dry-run"))
    assert register.traps.count("POST") == 0, "a rehearsal sends nothing"
    assert "Stuur eerst alles" in told(command(config, "export", "follow"), 1)

    refused = iter([True])
    register.traps.trap = lambda method, path, number: (
        DECLINED if (method, path) == ("POST", "klantcontacten") and next(refused, False) else None
    )
    assert "1 geweigerd" in told(command(config, "export", "run"), 1)
    status = told(command(config, "export", "status"))
    assert "interneNotitie max_length" in status and "kort haar in" in status
    found = as_json(command(config, "export", "status", "--json"))
    assert found["parked"][0]["count"] == 1 and found["kinds"]["betrokkene"]["left"] > 0
    told(command(config, "export", "run", "--parked"))

    page = tmp_path / "bewijs.html"
    report = told(command(config, "export", "verify", "--full", "--html", str(page)))
    assert "Schoon: het register zegt hetzelfde als Klantbrug." in report
    assert "<h1>Rapport" in page.read_text() and "Apart gehouden" in page.read_text()
    assert "Voorbeeld" not in page.read_text() + report, "nobody's name"
    sample = as_json(command(config, "export", "verify", "--sample", "5", "--seed", "3", "--json"))
    assert (sample["mode"], sample["seed"], sample["clean"]) == ("sample", 3, True)

    assert "Wijzigingen gaan voortaan" in told(command(config, "export", "follow"))
    assert "worden gevolgd" in told(command(config, "export", "status"))
    home.client.make("categorieen", {"naam": "Later"})
    told(command(config, "jobs", "run", "export"))
    assert "nog te versturen: 0" in told(command(config, "export", "status"))

    rows = command(config, "export", "mapping", "--csv").stdout.splitlines()
    assert rows[0] == "resource,uuid_klantbrug,uuid_register,hoe" and len(rows) > 40
    line = json.loads(command(config, "export", "mapping").stdout.splitlines()[0])
    assert set(line) == {"resource", "uuid_klantbrug", "uuid_register", "hoe"}

    assert "wijzigingen worden gevolgd, 0 nog te versturen, 0 geweigerd" in told(command(config, "status"))
    assert "alleen nog gelezen" in told(command(config, "phase", "exported"))
    assert "fase exported" in told(command(config, "status"))
    assert "fase exported" in told(command(config, "phase"))
    listed = told(command(config, "jobs", "list"))
    assert "de fase is exported" in listed
    back = told(command(config, "phase", "exported", "--back"))
    assert "antwoordt weer zelf" in back and "partij: 5 hier, 5 daar" in back
    assert "Vergeten" in told(command(config, "export", "forget", "--yes"))
    assert "nog niets verstuurd" in told(command(config, "export", "status"))


@pytest.mark.slow
@pytest.mark.rule("E6")
def test_a_proof_that_is_not_clean_says_which_and_where(
    home: OldHome, register: OtherRegister, config: Path, tmp_path: Path
) -> None:
    home.fill(5)
    told(command(config, "export", "run"))
    partij, other = [one for one in register.all("partijen") if one["soortPartij"] == "persoon"][:2]
    register.send("PATCH", f"partijen/{partij['uuid']}", {"interneNotitie": "daar gewijzigd"})
    register.send("DELETE", f"partijen/{other['uuid']}")
    register.send("POST", "categorieen", {"naam": "Van niemand"})
    page = tmp_path / "bewijs.html"
    report = as_json(command(config, "export", "verify", "--full", "--json", "--html", str(page)), 1)
    assert report["kinds"]["partij"]["different"] == 1 and report["kinds"]["partij"]["missing"] == 1
    assert report["kinds"]["categorie"]["extra"] == 1
    (different,) = (
        one for one in report["details"] if one["what"] == "different" and one["kind"] == "partij"
    )
    assert (different["theirs"], different["fields"]) == (partij["uuid"], ["interneNotitie"])
    assert "daar gewijzigd" not in page.read_text() and "interneNotitie" in page.read_text()
    assert "NIET schoon" in told(command(config, "export", "verify", "--full"), 1)


def test_what_can_not_be_is_told_in_words(home: OldHome, register: OtherRegister, config: Path) -> None:
    text = config.read_text()
    told(command(config, "export", "run"))
    config.write_text(text.replace(register.base, "http://127.0.0.1:9"))
    assert "in een ander register" in told(command(config, "export", "run"), 1)
    config.write_text(text.partition("[target]")[0])
    assert "[target] url is leeg" in told(command(config, "export", "run"), 2)
    config.write_text(text.replace("token_file", "# token_file"))
    assert "target.token: ontbreekt" in told(command(config, "export", "run"), 2)


@pytest.mark.rule("E9")
@pytest.mark.rule("E10")
def test_files_are_made_by_command(home: OldHome, config: Path, tmp_path: Path) -> None:
    home.fill(2)
    where = tmp_path / "bestanden"
    assert "LEESMIJ.txt" in told(command(config, "export", "fixture", str(where), "--for", "openklant-2.18"))
    assert "niet leeg" in told(command(config, "export", "csv", str(where)), 2)
    assert "datawoordenboek" in told(command(config, "export", "csv", str(tmp_path / "csv")))


@pytest.mark.rule("E8")
@pytest.mark.parametrize(
    "asked",
    [
        ("backfill", "run"),
        ("sync",),
        ("verify",),
        ("rebuild",),
        ("quarantine", "retry", "--all"),
        ("jobs", "run", "sweep"),
        ("jobs", "run", "sync"),
    ],
    ids=" ".join,
)
def test_no_command_asks_a_source_once_a_register_took_over(
    home: OldHome, config: Path, asked: tuple[str, ...]
) -> None:
    config.write_text(
        config.read_text().replace("register = true", "register = false")
        + '[[source]]\nname = "bron"\nzaken_url = "http://127.0.0.1:9/zaken/api/v1/"\nclient_id = "k"\n'
        f'secret = "{"s" * 40}"\n[mapping]\nmax_vertrouwelijkheidaanduiding = "openbaar"\n'
    )
    told(command(config, "phase", "exported", "--force", "--reason", "proef"))
    refused = told(command(config, *asked), 2)
    assert "In fase exported wordt geen bron meer gevraagd" in refused
    assert "klantbrug phase exported --back" in refused
    told(command(config, "phase", "exported", "--back"))
    if asked == ("rebuild",):  # the others wait long for a source that is away
        assert "In fase exported" not in command(config, *asked).output


@pytest.mark.slow
@pytest.mark.rule("E2")
def test_a_register_that_moved_keeps_what_was_sent(
    home: OldHome, register: OtherRegister, config: Path
) -> None:
    home.fill(2)
    told(command(config, "export", "run"))
    before = register.settings().url
    after = before.replace("127.0.0.1", "localhost")
    way = ("export", "moved", "--from", before, "--to", f"{after}/")
    assert f"Zet eerst [target] url op {after}" in told(command(config, *way), 2)
    config.write_text(config.read_text().replace(before, after))
    assert "in een ander register" in told(command(config, "export", "run"), 1)
    assert "niet naar http://elders" in told(
        command(config, "export", "moved", "--from", "http://elders", "--to", after, "--yes"), 1
    )
    told(CliRunner().invoke(cli, ["--config", str(config), *way], input="n\n"), 1)
    assert "in een ander register" in told(command(config, "export", "run"), 1), "it was not confirmed"
    assert "Genoteerd" in told(CliRunner().invoke(cli, ["--config", str(config), *way], input="y\n"))
    posts = register.traps.count("POST")
    told(command(config, "export", "run"))
    assert register.traps.count("POST") == posts
    assert f"register verhuisd: {before} -> {after}" in told(command(config, "phase", "--log"))


@pytest.mark.rule("E2")
def test_a_register_that_has_nothing_of_what_was_sent_did_not_move(
    home: OldHome, register: OtherRegister, config: Path, tmp_path: Path
) -> None:
    home.fill(1)
    told(command(config, "export", "run"))
    with running(tmp_path / "another") as another:
        before, after = register.settings().url, another.settings().url
        (home.folder / "register.token").write_text(another.token)
        config.write_text(config.read_text().replace(before, after))
        way = ("export", "moved", "--from", before, "--to", after, "--yes")
        assert "Dit is een ander register" in told(command(config, *way), 1)
        assert "in een ander register" in told(command(config, "export", "run"), 1)


@pytest.mark.slow
@pytest.mark.rule("E8")
def test_what_a_killed_run_was_sending_is_looked_for_when_all_leave_with_force(
    home: OldHome, register: OtherRegister, config: Path
) -> None:
    """One arrived, the other was never sent; nothing is sent any more."""
    one, other = (
        home.client.make(
            "partijen", {"soortPartij": "persoon", "indicatieActief": True, "interneNotitie": note}
        )
        for note in ("een", "ander")
    )
    told(command(config, "export", "status"))
    with home.store.write() as connection:
        pairs.begin(connection, register.settings().url, 0)
        found = documents.unsent(connection, "partij", documents.BEFORE_ALL, 5)
        parcels = [parcel_of(leaving) for leaving in found]
        pairs.intend(connection, [each.intent() for each in parcels], pairs.next_turn(connection), now())
    (arrived,) = (each for each in parcels if each.own == UUID(one["uuid"]).bytes)
    there = register.send("POST", "partijen", arrived.sent)
    register.traps.asked.clear()
    result = told(command(config, "phase", "exported", "--force", "--reason", "proef"))
    assert "1 kwam aan, 1 niet" in result
    assert register.traps.count("POST") == 0
    with home.store.read() as connection:
        known = pairs.of_own(connection, [UUID(each["uuid"]).bytes for each in (one, other)])
    assert {own: pair.theirs for own, pair in known.items()} == {
        UUID(one["uuid"]).bytes: UUID(there["uuid"]).bytes
    }
