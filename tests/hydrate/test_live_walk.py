"""All of a party with more zaken than one question has time for: complete after a bounded number of questions."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from builders.asker import Asker
from builders.configs import UUID_SECRET, write_config
from builders.earlier_source import earlier_data
from builders.following import DAY, Clock
from builders.probe.probe import Probe
from builders.probe.tamper import Tamper
from builders.sample_data import new_contact, new_rol, new_zaak, small

from gateway.installation import Installation
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer
from gateway.store.legacy.claims import asked_by_key
from mappings.identity.identity import Uuids
from mappings.identity.sealed import sealed_text

pytestmark = pytest.mark.slow

BSN = "999990019"
MANY = 40
Install = Callable[..., Installation]


def person_with(data: Dataset, zaken: int) -> None:
    """Give somebody so many zaken, each with a klantcontact."""
    for _ in range(zaken):
        zaak = new_zaak(data)["uuid"]
        rol = new_rol(data, zaak=zaak)
        rol |= {
            "betrokkene": "",
            "betrokkeneType": "natuurlijk_persoon",
            "omschrijvingGeneriek": "initiator",
            "betrokkeneIdentificatie": {"inpBsn": BSN, "geslachtsnaam": "Veelvrager"},
        }
        data.replace("rol", rol["uuid"], rol)
        new_contact(data, zaak)


@pytest.fixture
def data() -> Dataset:
    """Somebody has many zaken."""
    made = small(100)
    person_with(made, MANY)
    return made


@pytest.fixture(autouse=True)
def slow(server: SampleServer) -> None:
    server.traps.slow = 0.02


def ask(asker: Asker, bsn: str = BSN) -> Any:
    """The klantcontacten of that person, as Open Inwoner asks."""
    return asker.get(
        "klantcontacten",
        hadBetrokkene__wasPartij__partijIdentificator__codeSoortObjectId="bsn",
        hadBetrokkene__wasPartij__partijIdentificator__objectId=bsn,
        pageSize="100",
    )


def asks_until_complete(asker: Asker, pause: float, most: int) -> tuple[int, Any]:
    """How many questions it takes, with a pause after each; and the last answer."""
    for number in range(1, most + 1):
        began = time.monotonic()
        answer = ask(asker)
        assert time.monotonic() - began < 10, "an answer comes in time"
        if answer.headers["Klantbrug-Coverage"] == "complete":
            return number, answer
        assert answer.headers["Klantbrug-Freshness"] == "stale"
        time.sleep(pause)
    return most + 1, answer


def test_many_zaken_are_complete_after_a_few_questions(server: SampleServer, install: Install) -> None:
    """The walk read again what had become too old before what was never read, and so never came to an end."""
    asker = Asker(install(bron=server, max_age=1, deadline=1))
    asks, answer = asks_until_complete(asker, pause=1.2, most=MANY)
    assert 2 <= asks <= MANY, "each reads what was never read"
    assert answer.get_json()["count"] == MANY


def test_the_walk_goes_on_after_the_answer(server: SampleServer, install: Install) -> None:
    """Asked once, and again when there was time to read all of it: complete, and the source is asked no more."""
    installation = install(bron=server, max_age=60, deadline=1)
    asker = Asker(installation)
    assert ask(asker).headers["Klantbrug-Coverage"].startswith("partial")
    assert asker.hydrator.drain()
    server.reset_calls()
    answer = ask(asker)
    assert answer.headers["Klantbrug-Coverage"] == "complete"
    assert answer.headers["Klantbrug-Freshness"] == "fresh"
    assert answer.get_json()["count"] == MANY
    assert server.calls_count == 0


def test_progress_is_kept_between_questions_and_processes(server: SampleServer, install: Install) -> None:
    """Another process over the same store goes on where the first was stopped."""
    first = install(bron=server, max_age=60, deadline=1)
    asker = Asker(first)
    ask(asker)
    asker.hydrator.refresher.stop(10)
    kept = sum(key.startswith("zaak ") for key in Probe(first.store).values("fetched", "key"))
    assert 0 < kept < MANY
    server.reset_calls()
    second = Asker(install(first.config.path))
    ask(second)
    assert second.hydrator.drain()
    zaken = [call for call in server.calls if call.path.startswith("/zaken/api/v1/klantcontacten?")]
    # A zaak that a deadline or a stop cut in half is read again: that of the first, and that of the second's answer.
    assert MANY - kept <= len(zaken) <= MANY - kept + 3
    assert ask(second).headers["Klantbrug-Coverage"] == "complete"


def test_a_complete_walk_that_became_too_old_is_answered_and_read_again(
    server: SampleServer, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    asker = Asker(install(bron=server, max_age=60, deadline=1))
    ask(asker)
    assert asker.hydrator.drain()
    clock.days = 61 / DAY
    began = time.monotonic()
    answer = ask(asker)
    assert time.monotonic() - began < 10
    assert answer.headers["Klantbrug-Coverage"] == "complete"
    assert answer.headers["Klantbrug-Freshness"] == "stale"
    assert answer.get_json()["count"] == MANY
    assert asker.hydrator.drain()
    assert ask(asker).headers["Klantbrug-Freshness"] == "fresh"


def test_a_new_zaak_is_seen_though_the_walk_is_young(server: SampleServer, install: Install) -> None:
    installation = install(bron=server, max_age=60, deadline=20)
    asker = Asker(installation)
    assert ask(asker).get_json()["count"] == MANY
    person_with(server.dataset, 1)
    asked = asked_by_key(sealed_text(Uuids(UUID_SECRET), f"brp:bsn:{BSN}"))
    Tamper(installation.store).fetched_before(asked, 100_000_000)
    answer = ask(asker)
    assert answer.get_json()["count"] == MANY + 1
    assert answer.headers["Klantbrug-Coverage"] == "complete"


def test_nothing_of_a_walk_outlives_the_rollen_of_a_person(server: SampleServer, install: Install) -> None:
    """That a BSN was asked for must not be left when its rollen are gone (M35)."""
    installation = install(bron=server, max_age=0, deadline=20)
    asker = Asker(installation)
    assert ask(asker).get_json()["count"] == MANY
    for rol in server.dataset.objects("rol"):
        identificatie = rol["betrokkeneIdentificatie"]
        if isinstance(identificatie, dict) and identificatie.get("inpBsn") == BSN:
            server.dataset.remove("rol", rol["uuid"])
    ask(asker)
    kept = sum(BSN in key for key in Probe(installation.store).values("fetched", "key"))
    assert kept <= 1, "at most the question that was just asked"


def test_many_contactmomenten_of_a_klant_are_complete_too(install: Install, tmp_path: Path) -> None:
    """A contact system knows no zaken: there the contactmomenten of a klant are the parts."""
    data = earlier_data()
    klant = next(
        each
        for each in data.objects("klant")
        if (each["subjectIdentificatie"] or {}).get("inpBsn") and not each["subject"]
    )
    moment, tie = data.objects("contactmoment")[0], data.objects("klantcontactmoment")[0]
    for _ in range(MANY // 2):
        made = data.add(
            "contactmoment", moment | {"url": f"{parent(moment)}{uuid4()}", "vorigContactmoment": None}
        )
        also = {"contactmoment": made["url"], "klant": klant["url"], "rol": "belanghebbende"}
        data.add("klantcontactmoment", tie | {"url": f"{parent(tie)}{uuid4()}"} | also)
    with SampleServer(data) as server:
        server.traps.slow = 0.02
        path = write_config(tmp_path / "here", {"bron": server}, max_age=60, deadline=1)
        apis = f'klanten_url = "{server.klanten_url}"\ncontactmomenten_url = "{server.contactmomenten_url}"\n'
        path.write_text(path.read_text() + apis)
        asker = Asker(install(path))
        bsn = klant["subjectIdentificatie"]["inpBsn"].zfill(9)
        assert ask(asker, bsn).headers["Klantbrug-Coverage"].startswith("partial")
        assert asker.hydrator.drain()
        server.reset_calls()
        answer = ask(asker, bsn)
        assert answer.headers["Klantbrug-Coverage"] == "complete"
        assert answer.get_json()["count"] >= MANY // 2
        assert server.calls_count == 0


def parent(raw: dict[str, Any]) -> str:
    """The address of the list that an object is in, with a slash at its end."""
    return str(raw["url"].rpartition("/")[0]) + "/"
