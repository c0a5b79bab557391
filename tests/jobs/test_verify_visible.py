"""What the source no longer shows is told as that: never as repaired, and nothing to hold a phase by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from builders.commands import command
from builders.probe.probe import Probe
from builders.probe.tamper import Tamper
from builders.sample_data import sample_data, some_zaken
from builders.store_digest import dump_digest
from builders.verifying import LIMITED, verify

from gateway.installation import Installation
from gateway.sample.access import Application
from gateway.sample.server import SampleServer
from jobs.backfill.backfill import Backfill
from jobs.common.progress import Step

pytestmark = pytest.mark.slow

Install = Callable[..., Installation]


class Rights:
    """A source whose application may be given other rights while it runs."""

    def __init__(self, server: SampleServer) -> None:
        self.server = server

    def see(self, most: str) -> None:
        """From now on zaken above `most` are refused."""
        known = self.server.app.extensions["sample"].applications
        known[LIMITED.client_id] = Application(LIMITED.client_id, LIMITED.secret, most)

    def lose(self) -> None:
        """Most zaken are refused."""
        self.see("openbaar")

    def get_back(self) -> None:
        """What was shown before is shown again."""
        self.see("zaakvertrouwelijk")


@pytest.fixture
def rights() -> Iterator[Rights]:
    with SampleServer(some_zaken(sample_data(), 60), applications=[LIMITED]) as server:
        yield Rights(server)


@pytest.fixture
def filled(rights: Rights, install: Install) -> Installation:
    installation = install(bron=rights.server)
    assert Backfill(installation.fetchers["bron"]).run()
    return installation


def lost(installation: Installation) -> int:
    """How many held objects are marked as no longer shown."""
    return Probe(installation.store).count("raw", visible=0)


def told_of(report: dict[str, Any]) -> int:
    return sum(report["rights"]["invisible"].values())


def phase(installation: Installation, *arguments: str) -> tuple[int, str]:
    told = command(installation, "phase", *arguments)
    return told.exit_code, told.output


def test_lost_rights_that_a_backfill_met_are_told_and_a_phase_asks_for_force(
    rights: Rights, filled: Installation
) -> None:
    rights.lose()
    assert Backfill(filled.fetchers["bron"]).run()
    told = command(filled, "verify", "--full")
    assert told.exit_code == 0
    zaken = Probe(filled.store).count("raw", visible=0, kind="zaak")
    assert f"Schoon, voor zover zichtbaar: {zaken} zaken, " in told.output
    assert " in de opslag toont de bron niet meer." in told.output
    assert "gelijk aan de bron" not in told.output
    sample = command(filled, "verify", "--sample", "10").output
    assert f"Schoon voor zover de steekproef reikt en zichtbaar is: {zaken} zaken, " in sample
    status, output = phase(filled, "synced")
    assert status == 1
    assert f"{zaken} zaken, " in output
    assert "--force" in output
    assert phase(filled, "synced", "--force", "--reason", "zo is het goed")[0] == 0
    assert phase(filled, "cutover")[0] == 1
    assert "toont de bron niet meer" in phase(filled, "cutover")[1]


def test_lost_rights_that_verify_meets_first_are_differences_that_it_can_not_repair(
    rights: Rights, filled: Installation
) -> None:
    rights.lose()
    for repair in (False, True):
        report = verify(filled, repair=repair)
        assert not report["clean"]
        assert report["found"] == report["lost"] > 20
        assert report["repaired"] == 0
        assert {each["repaired"] for each in report["named"]["invisible"]} == {False}
    told = command(filled, "verify", "--report", "2").output
    assert f"NIET schoon: {report['found']} verschillen; {report['lost']} daarvan toont de bron" in told
    assert "hersteld" not in told
    assert lost(filled) == report["lost"]
    again = verify(filled)
    assert again["clean"]
    assert (again["found"], told_of(again)) == (0, report["lost"])


def test_what_else_is_wrong_is_repaired_and_counted_apart(rights: Rights, filled: Installation) -> None:
    rights.lose()
    shown = next(
        zaak
        for zaak in rights.server.dataset.objects("zaak")
        if zaak["vertrouwelijkheidaanduiding"] == "openbaar"
    )
    rights.server.dataset.replace("zaak", shown["uuid"], shown | {"identificatie": "ZAAK-ANDERS"})
    report = verify(filled, repair=True)
    assert not report["clean"]
    assert (report["repaired"], report["found"]) == (1, report["lost"] + 1)
    told = command(filled, "verify", "--report", "1").output
    assert f"{report['found']} verschillen gevonden, 1 hersteld, {report['lost']} toont de bron" in told


# Rights that come back


@pytest.mark.parametrize("sample", [None, 300])
def test_what_is_shown_again_is_not_told_of_any_more(
    rights: Rights, filled: Installation, sample: int | None
) -> None:
    """Verify takes the mark away of what it was shown, so that its report and the phases say the same."""
    before = dump_digest(filled.store)
    rights.lose()
    assert Backfill(filled.fetchers["bron"]).run()
    assert lost(filled) > 0
    rights.get_back()
    report = verify(filled, sample=sample)
    assert report["clean"]
    assert told_of(report) == lost(filled) == 0
    assert dump_digest(filled.store) == before
    assert phase(filled, "synced")[0] == 0


def test_of_what_is_shown_again_in_part_the_rest_is_told(rights: Rights, filled: Installation) -> None:
    rights.lose()
    assert Backfill(filled.fetchers["bron"]).run()
    all_lost = lost(filled)
    rights.see("intern")
    report = verify(filled)
    assert report["clean"]
    refused = sum(row["invisible"] for row in report["kinds"].values())
    assert told_of(report) == lost(filled) == refused
    assert 0 < refused < all_lost


def test_what_no_list_shows_but_its_uuid_does_is_shown(rights: Rights, filled: Installation) -> None:
    rol = rights.server.dataset.objects("rol")[-1]
    Tamper(filled.store).hide(rol["uuid"])
    assert lost(filled) == 1

    hidden = False

    def hide(step: Step) -> None:
        """Gone while the list of rollen is read, and back before what is held is asked for."""
        nonlocal hidden
        if step.what.startswith("zaak, lezing") and not hidden:
            rights.server.dataset.remove("rol", rol["uuid"])
            hidden = True
        elif step.what.startswith("klantcontact, lezing") and hidden:
            rights.server.dataset.add("rol", rol)
            hidden = False

    report = verify(filled, show=hide)
    assert report["clean"], report["named"]
    assert told_of(report) == lost(filled) == 0


def test_more_than_can_be_looked_at_again_are_told_of_as_lost_too(
    rights: Rights, filled: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.verify.ledger.SUSPECTS", 10)
    rights.lose()
    report = verify(filled)
    assert report["not_looked_at_again"] > 0
    assert report["lost"] == report["found"] == sum(row["invisible"] for row in report["kinds"].values())
    assert "met --repair" not in command(filled, "verify", "--report", "1").output


def test_one_of_a_kind_is_told_of_as_one(rights: Rights, filled: Installation) -> None:
    assert verify(filled)["clean"]
    Tamper(filled.store).hide(Probe(filled.store).raw_uuids("rol")[-1])
    assert ": 1 rol in de opslag toont de bron niet meer, " in phase(filled, "synced")[1]
