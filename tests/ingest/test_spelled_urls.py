"""A klant that rollen name by URLs of several spellings is one partij, also in a store of before (M6), over HTTP."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from builders.asker import Asker
from builders.configs import UUID_SECRET, read_config
from builders.earlier_objects import KLANTEN, earlier_url, klant
from builders.legacy_objects import BSN, ZAKEN, klantcontact, medewerker, persoon, zaak
from builders.probe.invariants import broken
from builders.store_digest import dump_digest
from builders.stores import store_keys

from gateway.ingest.ingest import Ingest
from gateway.installation import make_ingest, open_installation
from jobs.rebuild.rebuild import Rebuild
from mappings.model.settings import Settings

URL = earlier_url("klant", 1)
SPELLED = [
    URL,
    URL.replace("https:", "http:"),
    f"{URL}/",
    URL.replace("klanten.example", "Klanten.EXAMPLE"),
    URL.replace("klanten.example", "klanten.example:443"),
]
CONFIG = """
[store]
{keys}uuid_secret = "{secret}"
"""
SOURCE = """
[mapping]
max_vertrouwelijkheidaanduiding = "zaakvertrouwelijk"
[[source]]
name = "bron"
zaken_url = "{zaken}/"
klanten_url = "{klanten}/"
client_id = "klantbrug"
secret = "a secret of the tests"
"""


@pytest.fixture
def asker(tmp_path: Path) -> Asker:
    """Asks a register without a source that answers."""
    keys = store_keys(tmp_path / "klantbrug.db")
    (tmp_path / "alone.toml").write_text(CONFIG.format(keys=keys, secret=UUID_SECRET), encoding="utf-8")
    made = Asker(open_installation(read_config(tmp_path / "alone.toml")))
    made.installation = open_installation(read_config(tmp_path / "alone.toml"))  # type: ignore[attr-defined]
    return made


@pytest.fixture
def ingest(asker: Any, tmp_path: Path) -> Ingest:
    """Puts objects into it by the rules of a configuration with a Klanten API."""
    text = CONFIG + SOURCE
    (tmp_path / "config.toml").write_text(
        text.format(
            keys=store_keys(tmp_path / "klantbrug.db"), secret=UUID_SECRET, zaken=ZAKEN, klanten=KLANTEN
        ),
        encoding="utf-8",
    )
    return make_ingest(read_config(tmp_path / "config.toml"), asker.installation.store)


def rollen() -> list[dict[str, Any]]:
    return [
        persoon(number, naam="Voorbeeld", url=url, zaak=number, generiek="initiator")
        for number, url in enumerate(SPELLED, start=1)
    ]


def objects() -> list[tuple[str, dict[str, Any]]]:
    numbers = range(1, len(SPELLED) + 1)
    return [
        *(("zaak", zaak(number)) for number in numbers),
        *(("rol", rol) for rol in rollen()),
        *(("klantcontact", klantcontact(number, zaak=number)) for number in numbers),
        ("klant", klant(1, {"inpBsn": BSN[0]}, achternaam="Voorbeeld")),
    ]


def take(ingest: Ingest, found: list[tuple[str, dict[str, Any]]]) -> None:
    for kind, raw in found:
        ingest.take("bron", kind, [raw], asked=0)


@pytest.mark.rule("M6")
def test_all_contacts_of_a_klant_are_found_however_its_url_is_spelled(asker: Any, ingest: Ingest) -> None:
    found = objects()
    random.Random(1).shuffle(found)
    take(ingest, found)
    answer = asker.get("partijen", partijIdentificator__objectId=BSN[0]).get_json()
    assert [len(partij["betrokkenen"]) for partij in answer["results"]] == [len(SPELLED)]
    assert asker.get("partijen").get_json()["count"] == 1
    assert broken(asker.installation.store) == {}


@pytest.mark.rule("M6")
def test_a_url_of_another_system_stays_as_it_is_written(asker: Any, ingest: Ingest) -> None:
    take(ingest, [("zaak", zaak())])
    elsewhere = "https://personen.example/1"
    take(
        ingest, [("rol", persoon(n, url=url)) for n, url in enumerate((elsewhere, f"{elsewhere}/"), start=1)]
    )
    assert asker.get("partijen").get_json()["count"] == 2


@pytest.mark.rule("M6")
def test_a_medewerker_that_is_named_by_its_url_is_one_actor(asker: Any, ingest: Ingest) -> None:
    take(ingest, [("zaak", zaak())])
    take(ingest, [("rol", medewerker(n, "", url=url)) for n, url in enumerate(SPELLED, start=1)])
    assert asker.get("actoren").get_json()["count"] == 1


@pytest.mark.rule("M6")
def test_a_rebuild_brings_together_what_a_store_held_apart(
    asker: Any, ingest: Ingest, tmp_path: Path
) -> None:
    store = asker.installation.store
    take(Ingest(store, Settings("zaakvertrouwelijk"), UUID_SECRET), objects())
    before = [partij["uuid"] for partij in asker.get("partijen").get_json()["results"]]
    assert len(before) == len(SPELLED)
    Rebuild(store, ingest).run()
    (partij,) = asker.get("partijen").get_json()["results"]
    assert len(partij["betrokkenen"]) == len(SPELLED)
    for uuid in before:
        assert asker.get(f"partijen/{uuid}").get_json()["uuid"] == partij["uuid"]
    rebuilt = dump_digest(store)
    take(ingest, objects())
    assert dump_digest(store) == rebuilt
    assert broken(store) == {}
    (tmp_path / "fresh").mkdir()
    text = CONFIG.format(keys=store_keys(tmp_path / "fresh" / "klantbrug.db"), secret=UUID_SECRET)
    (tmp_path / "fresh" / "alone.toml").write_text(text, encoding="utf-8")
    fresh = open_installation(read_config(tmp_path / "fresh" / "alone.toml")).store
    take(make_ingest(read_config(tmp_path / "config.toml"), fresh), objects())
    assert dump_digest(fresh) == rebuilt
