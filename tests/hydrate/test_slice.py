"""The recorded slice of a real Zaken API, as clients of the served API find it (M5, M18, M34)."""

from __future__ import annotations

import gzip
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from builders.legacy_objects import SECRET, SETTINGS
from builders.paths import DATA
from builders.served_store import settings
from builders.stores import make_store
from flask.testing import FlaskClient

from gateway.app import create_app
from gateway.http.auth import create_token
from gateway.ingest.ingest import Ingest
from mappings.values import nummers

pytestmark = pytest.mark.slow

SLICE = DATA / "slice.jsonl.gz"
API = "/klantinteracties/api/v1"
KINDS = ("zaak", "rol", "klantcontact")
SHOWN = ("openbaar", "beperkt_openbaar", "intern", "zaakvertrouwelijk")
PEOPLE = 50


@pytest.fixture(scope="module")
def objects() -> dict[str, list[dict[str, Any]]]:
    """The slice, by kind."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    with gzip.open(SLICE, "rb") as file:
        for kind, raw in map(orjson.loads, file):
            found[kind].append(raw)
    return found


@pytest.fixture(scope="module")
def client(
    objects: dict[str, list[dict[str, Any]]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FlaskClient]:
    """A client of a server that took the slice."""
    store = make_store(tmp_path_factory.mktemp("slice") / "store.sqlite")
    ingest = Ingest(store, SETTINGS, SECRET)
    for kind in KINDS:
        ingest.take("bron", kind, objects[kind], asked=0)
    asker = create_app(settings(store.path), store=store).test_client()
    asker.environ_base["HTTP_AUTHORIZATION"] = f"Token {create_token(store, 'slice', 'read')}"
    yield asker
    store.close()


@pytest.fixture(scope="module")
def people(objects: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """The rollen of every person with a valid BSN in the zaken that may be shown, newest first."""
    shown = {zaak["url"] for zaak in objects["zaak"] if zaak["vertrouwelijkheidaanduiding"] in SHOWN}
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for rol in objects["rol"]:
        if rol["zaak"] in shown and rol["betrokkeneType"] == "natuurlijk_persoon":
            bsn = nummers.bsn((rol["betrokkeneIdentificatie"] or {}).get("inpBsn") or "")
            if bsn:
                found[bsn].append(rol)
    for rollen in found.values():
        rollen.sort(key=lambda rol: (rol["registratiedatum"], rol["uuid"]), reverse=True)
    return found


def by_bsn(client: FlaskClient, bsn: str) -> Any:
    query = {"partijIdentificator__codeSoortObjectId": "bsn", "partijIdentificator__objectId": bsn}
    return client.get(f"{API}/partijen", query_string=query).get_json()


def name_in(rol: dict[str, Any]) -> tuple[str, ...]:
    """The name that a rol gives, where nothing had to be cut; blank parts are blank."""
    who = rol["betrokkeneIdentificatie"]
    parts = ("voorletters", "voornamen", "voorvoegselGeslachtsnaam", "geslachtsnaam")
    return tuple(" ".join((who.get(part) or "").split()) for part in parts)


def fits(name: tuple[str, ...]) -> bool:
    letters, names, before, after = name
    return len(letters) <= 10 and len(before) <= 10 and len(names) <= 200 and len(after) <= 200


@pytest.mark.rule("M5")
def test_every_valid_bsn_is_exactly_one_partij_found_by_it(
    client: FlaskClient, people: dict[str, Any]
) -> None:
    assert len(people) > 500
    assert {bsn: found["count"] for bsn in people if (found := by_bsn(client, bsn))["count"] != 1} == {}


@pytest.mark.rule("M18")
def test_of_people_with_several_spellings_the_newest_is_served(
    client: FlaskClient, people: dict[str, list[dict[str, Any]]]
) -> None:
    checked = 0
    for bsn, rollen in people.items():
        names = [name for rol in rollen if any(name := name_in(rol))]
        if len(set(names)) < 2 or not fits(names[0]):
            continue
        (partij,) = by_bsn(client, bsn)["results"]
        served = partij["partijIdentificatie"]["contactnaam"]
        assert (
            served["voorletters"],
            served["voornaam"],
            served["voorvoegselAchternaam"],
            served["achternaam"],
        ) == names[0]
        checked += 1
    assert checked >= PEOPLE


@pytest.mark.rule("M34")
def test_whoever_stands_only_in_zaken_above_the_maximum_is_not_there(
    client: FlaskClient, people: dict[str, Any], objects: dict[str, list[dict[str, Any]]]
) -> None:
    everybody = {
        nummers.bsn((rol["betrokkeneIdentificatie"] or {}).get("inpBsn") or "")
        for rol in objects["rol"]
        if rol["betrokkeneType"] == "natuurlijk_persoon"
    } - {None}
    # Who logged in for somebody else named that person too (M26).
    named = {
        context["representee"]["identifier"]
        for rol in objects["rol"]
        if (context := rol.get("authenticatieContext")) and context.get("representee")
    }
    hidden = sorted(everybody - people.keys() - named)
    assert hidden
    assert all(by_bsn(client, bsn)["count"] == 0 for bsn in hidden)
