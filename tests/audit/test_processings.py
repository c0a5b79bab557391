"""Each route and each command is judged: a processing of persons' data, or none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from builders.asker import Asker
from builders.commands import command
from builders.configs import read_config, write_config
from builders.person_world import BSN, PersonWorld, person_data
from builders.sample_data import sample_slice, some_zaken
from builders.sample_person import a_person

from gateway.app import create_app
from gateway.audit.files import blocks
from gateway.audit.log import directory_of
from gateway.audit.processings import BEHEER, COMMANDS, ROUTES, Noted
from gateway.cli.main import cli
from gateway.installation import Installation, open_installation
from gateway.klantinteracties.model.resources import BASE_PATH
from gateway.login import paths
from gateway.sample.server import SampleServer
from gateway.store.base.store import Store
from gateway.store.inspect import persons

EVERYTHING = (
    '[metrics]\nenabled = true\n[notifications]\nurl = "http://127.0.0.1:9/api/v1"\nclient_id = "klantbrug"\n'
    'secret = "a secret of the tests, long enough for it"\n'
    'callback_token = "a-token-of-the-tests-that-is-long-enough"\n'
)


def routes(folder: Path, store: Store) -> set[str]:
    path = write_config(folder, {})
    path.write_text(path.read_text() + EVERYTHING)
    app = create_app(read_config(path), store=store)
    return {rule.rule for rule in app.url_map.iter_rules()}


def commands(command: click.Command, name: tuple[str, ...] = ()) -> Iterator[str]:
    if isinstance(command, click.Group):
        for word, each in command.commands.items():
            yield from commands(each, (*name, word))
    else:
        yield " ".join(name)


def test_each_route_is_declared(tmp_path: Path, store: Store) -> None:
    found = routes(tmp_path, store)
    assert sorted(found - ROUTES.keys()) == [], "say of a new route whether it is a processing"
    # What is there only with a provider to log in with.
    assert set(ROUTES.keys() - found) == {paths.THERE, paths.BACK}


def test_each_command_is_declared_and_no_other() -> None:
    assert sorted(commands(cli)) == sorted(COMMANDS)


def test_each_resource_of_the_served_api_notes_its_answers() -> None:
    served = {path for path in ROUTES if path.startswith(f"{BASE_PATH}/") and ROUTES[path] is Noted.ANSWER}
    assert len(served) == 29


@pytest.mark.slow
def test_what_shows_or_takes_persons_is_noted_by_its_name(tmp_path: Path) -> None:
    with SampleServer(person_data()) as server:
        world = PersonWorld(server, tmp_path / "noted")
        before = len(noted(world))
        who = world.partij["uuid"]
        for words in (
            ("explain", who),
            ("audit", "show", "--partij", who),
            ("person", "export", "--partij", who, "--stdout"),
            ("dump",),
            ("export", "csv", str(tmp_path / "csv")),
            ("jobs", "run", "sync"),
        ):
            assert command(world.installation, *words).exit_code == 0, words
        answer = world.client.post(f"{BEHEER}/oud", json={"urls": [klant_url(world)]}, headers=world.headers)
        assert answer.get_json()["results"][0]["found"], (answer.status_code, answer.get_json()["results"][0])
        found = noted(world)[before:]
    by_name = {each["name"]: each["attributes"] for each in found}
    for name in ("explain", "audit show", "person export", f"POST {BEHEER}/oud"):
        assert by_name[name]["dpl.core.data_subject_id"], name
    for name in ("dump", "export csv"):
        assert by_name[name]["klantbrug.subjects"] > 5, name


@pytest.mark.slow
def test_questions_to_a_source_and_commands_that_read_it_are_noted(tmp_path: Path) -> None:
    data = some_zaken(sample_slice(), 5)
    with SampleServer(data) as server:
        path = write_config(tmp_path / "live", {"bron": server})
        path.write_text(
            path.read_text() + '[audit]\nenabled = true\nactivity = "https://register.example.nl/a"\n'
        )
        installation = open_installation(read_config(path))
        asker = Asker(installation)
        query = {
            "partijIdentificator__codeSoortObjectId": "bsn",
            "partijIdentificator__objectId": a_person(data),
        }
        (partij,) = asker.get("partijen", **query).get_json()["results"]
        lines = of_files(installation)
        asked = [each for each in lines if each["name"] == "hydrate"]
        (answer,) = [each for each in lines if each["name"].startswith("GET ")]
        subject = answer["attributes"]["dpl.core.data_subject_id"]
        assert subject in {each["attributes"].get("dpl.core.data_subject_id") for each in asked}
        assert {each["trace_id"] for each in asked} == {answer["trace_id"]}
        assert {each["parent_operation_id"] for each in asked} == {answer["operation_id"]}
        with installation.store.read() as connection:
            held = persons.count_all(connection)
        assert command(path, "backfill", "run").exit_code == 0
        (read,) = [each for each in of_files(installation) if each["name"].endswith("backfill run")]
        with installation.store.read() as connection:
            many = persons.count_all(connection)
    assert partij and held < 50
    assert many - held <= read["attributes"]["klantbrug.subjects"] <= many


def of_files(installation: Installation) -> list[dict[str, Any]]:
    found = b"".join(blocks(directory_of(installation.config)))
    return [json.loads(line) for line in found.splitlines()]


def noted(world: PersonWorld) -> list[dict[str, Any]]:
    return of_files(world.installation)


def klant_url(world: PersonWorld) -> str:
    """The URL of the klant of this person at its source."""
    return next(
        f"{world.server.klanten_url}klanten/{each['url'].rpartition('/')[2]}"
        for each in world.server.dataset.objects("klant")
        if (each["subjectIdentificatie"] or {}).get("inpBsn") == BSN
    )
