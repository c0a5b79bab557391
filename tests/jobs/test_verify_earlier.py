"""Verify of klanten and contactmomenten: clean after a backfill; each damage is found, repaired, and then gone."""

from __future__ import annotations

import random
from typing import Any
from uuid import uuid4

import pytest
from builders.earlier_source import KINDS, EarlierSource, fixtures, last
from builders.probe.probe import Probe
from builders.probe.tamper import Tamper
from builders.store_digest import dump_digest
from builders.verifying import interrupted, outcome, repaired, totals, verify

from gateway.config.load import load_config
from gateway.installation import Installation, open_installation
from gateway.operator.verify_report import page, text
from gateway.store.base.kinds import LEFT_OUT

pytestmark = pytest.mark.slow

TIES = KINDS[2:]

whole, source, filled = fixtures()


def test_a_backfilled_store_is_clean_and_stays_as_it_is(source: EarlierSource, filled: Installation) -> None:
    before = dump_digest(filled.store)
    report = verify(filled)
    assert report["clean"], report["named"]
    assert {kind: report["kinds"][kind]["compared"] for kind in KINDS} == {
        kind: len(source.server.dataset.objects(kind)) for kind in KINDS
    }
    assert report["kinds"]["contactmoment"]["left_out"] > 0
    assert report["kinds"]["objectcontactmoment"]["left_out"] > 0
    assert totals(report) == {}
    assert dump_digest(filled.store) == before
    assert "Contactmomenten: " in text(report)
    assert "zonder zaaktype" in page(report)


def test_interrupted_all_the_way_it_says_the_same(
    source: EarlierSource, filled: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, kind in enumerate(KINDS):
        source.server.dataset.remove(kind, last(source.shown(filled, kind, number)["url"]))
    Tamper(filled.store).lose_documents("onderwerpobject", every=5)
    undisturbed = outcome(verify(filled))
    monkeypatch.setattr("jobs.verify.whole.SAVE_SECONDS", 0.0)
    report, stops, _ = interrupted(filled, random.Random(2))
    assert stops > 3
    assert outcome(report) == undisturbed


def test_what_is_gone_at_the_source_is_extra(source: EarlierSource, filled: Installation) -> None:
    gone = {kind: last(source.shown(filled, kind, number)["url"]) for number, kind in enumerate(KINDS)}
    for kind, uuid in gone.items():
        source.server.dataset.remove(kind, uuid)
    report = verify(filled)
    assert totals(report) == {(kind, "extra"): 1 for kind in KINDS}
    assert {each["kind"]: each["uuid"] for each in report["named"]["extra"]} == gone
    repaired(filled)
    for uuid in gone.values():
        assert not Probe(filled.store).has_raw(uuid)


def test_what_was_added_at_the_source_is_missing(source: EarlierSource, filled: Installation) -> None:
    """A contactmoment with what ties it; a klant that nothing names."""
    data = source.server.dataset
    added: dict[str, dict[str, Any]] = {}
    for kind in KINDS:
        model, uuid = source.shown(filled, kind), str(uuid4())
        fields = {name: value for name, value in model.items() if name != "uuid"}
        fields["url"] = model["url"].replace(last(model["url"]), uuid)
        if kind in TIES:
            fields["contactmoment"] = added["contactmoment"]["url"]
        added[kind] = data.add(kind, fields | ({"uuid": uuid} if kind == "zaakcontactmoment" else {}))
    report = verify(filled)
    assert totals(report) == {(kind, "missing"): 1 for kind in KINDS}
    repaired(filled)
    assert Probe(filled.store).has_document(last(added["contactmoment"]["url"]))


def test_what_says_something_else_is_different(source: EarlierSource, filled: Installation) -> None:
    changes = {
        "klant": {"telefoonnummer": "0201234567"},
        "contactmoment": {"tekst": "iets anders"},
        "klantcontactmoment": {"rol": "gesprekspartner"},
    }
    data = source.server.dataset
    for kind, change in changes.items():
        raw = source.shown(filled, kind)
        if kind == "klantcontactmoment":
            raw = next(each for each in data.objects(kind) if each["rol"] == "belanghebbende")
        data.replace(kind, last(raw["url"]), raw | change)
    report = verify(filled)
    assert totals(report) == {(kind, "different"): 1 for kind in changes}
    repaired(filled)
    assert Probe(filled.store).documents_saying('"iets anders"') == 1


@pytest.mark.parametrize("what", ["lost", "body", "facts", "state", "tie", "claim"])
def test_damage_in_the_store_is_found_and_repaired(
    source: EarlierSource, filled: Installation, what: str
) -> None:
    before = dump_digest(filled.store)
    kinds = {"tie": KINDS[1:], "claim": ("klant", "contactmoment")}.get(what, KINDS)
    tamper = Tamper(filled.store)
    change = {
        "body": tamper.break_body,
        "facts": tamper.change_facts,
        "state": tamper.change_state,
        "tie": tamper.lose_ties,
        "claim": tamper.lose_claims,
        "lost": tamper.lose_raw,
    }[what]
    for number, kind in enumerate(kinds):
        uuid = last(source.shown(filled, kind, number)["url"])
        speaking = Probe(filled.store).speaking(kind)
        if what == "claim" and uuid not in speaking:
            uuid = speaking[0]
        change(uuid)
    wrong = set(totals(verify(filled)))
    assert wrong >= {(kind, "missing" if what == "lost" else "different") for kind in kinds}
    repaired(filled)
    assert dump_digest(filled.store) == before


@pytest.mark.parametrize(
    "kinds", [["klantcontact", "partij"], ["betrokkene", "onderwerpobject", "actorklantcontact"]]
)
def test_lost_documents_are_found_and_made_again(filled: Installation, kinds: list[str]) -> None:
    before = dump_digest(filled.store)
    for kind in kinds:
        Tamper(filled.store).lose_documents_from(kind, "contactmoment", "klant")
    assert {(kind, "missing") for kind in kinds} <= set(totals(verify(filled)))
    repaired(filled)
    assert dump_digest(filled.store) == before


@pytest.mark.rule("M34")
def test_a_lost_tie_to_a_secret_zaak_shows_nothing_after_repair(filled: Installation) -> None:
    """By what is left in the store the contactmoment might be shown: its ties are repaired first."""
    before = dump_digest(filled.store)
    contact = Probe(filled.store).contacts_tied_by("objectcontactmoment", LEFT_OUT)[0]
    Tamper(filled.store).lose_zaken(contact)
    assert totals(verify(filled))["objectcontactmoment", "different"] >= 1
    repaired(filled)
    assert not Probe(filled.store).has_document(contact)
    assert dump_digest(filled.store) == before


def test_a_sample_follows_zaken_to_their_contactmomenten_and_klanten(
    source: EarlierSource, filled: Installation
) -> None:
    data = source.server.dataset
    assert verify(filled, sample=400)["clean"]
    zaken = {each["contactmoment"] for each in data.objects("objectcontactmoment")}
    tie = next(
        each
        for each in data.objects("klantcontactmoment")
        if each["contactmoment"] in zaken and Probe(filled.store).has_document(last(each["contactmoment"]))
    )
    uuid = last(tie["contactmoment"])
    data.replace("contactmoment", uuid, data.get("contactmoment", uuid) | {"tekst": "iets anders"})
    data.remove("klant", last(tie["klant"]))
    report = verify(filled, sample=400)
    assert totals(report) == {("contactmoment", "different"): 1, ("klant", "extra"): 1}
    assert report["documents"]["klantcontact"]["compared"] > 0
    assert verify(filled, sample=400, repair=True)["clean"]
    assert verify(filled)["clean"]


def test_what_is_held_of_an_api_that_is_no_longer_configured_is_left_alone(filled: Installation) -> None:
    path = filled.config.path
    assert path
    kept = [line for line in path.read_text().splitlines() if not line.startswith(("klanten_", "contactm"))]
    path.write_text("\n".join(kept))
    without = open_installation(load_config(path, {}))
    report = verify(without)
    assert set(report["kinds"]) == {"zaak", "rol", "klantcontact", "zaakcontactmoment"}
    # A zaakcontactmoment is of the Zaken API, and points nowhere now (M32): that is a difference, and can be mended.
    assert {kind for kind, _ in totals(report)} == {"zaakcontactmoment"}
    assert verify(without, repair=True)["clean"]
