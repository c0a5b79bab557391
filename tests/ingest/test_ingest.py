"""Legacy objects into a real store: each accounted for, in any order, with the same outcome (M3, M6, M33-M35, M42)."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from builders.legacy_objects import (
    BSN,
    KVK,
    NO_BSN,
    RSIN,
    SECRET,
    SETTINGS,
    UUIDS,
    VESTIGING,
    klantcontact,
    medewerker,
    organisatie,
    persoon,
    rol,
    rol_uuid,
    uuid_of,
    vestiging,
    zaak,
)
from builders.probe.invariants import broken
from builders.probe.probe import Probe
from builders.register import KINDS, SOURCE, Objects, Register, a_third, kind_of, read_slice, read_ugly
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.ingest.ingest import Ingest, Result
from gateway.store.base import kinds
from gateway.store.inspect.dump import dump_lines
from gateway.store.inspect.status import status
from gateway.store.legacy import identities, ties, visibility
from gateway.store.legacy import objects as rows
from mappings.identity.identity import key_uuid
from mappings.model.findings import Untranslatable
from mappings.translate import translate
from mappings.values.uuids import uuid_in

pytestmark = pytest.mark.slow

URL = "https://personen.example/1"


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Callable[..., Register]]:
    """Makes another store that took these objects once, zaken first."""
    made: list[Register] = []

    def make(*raws: dict[str, Any]) -> Register:
        made.append(Register(tmp_path / f"fresh-{len(made)}.sqlite"))
        made[-1].take(*raws)
        return made[-1]

    yield make
    for each in made:
        assert broken(each.store) == {}
        each.store.close()


# All of it


@pytest.mark.parametrize("read", [read_slice, read_ugly])
def test_every_object_is_accounted_for_and_a_second_run_changes_nothing(register: Register, read):
    objects = read()
    seen = {kind: len({raw.get("uuid") for each, raw in objects if each == kind}) for kind in KINDS}
    result = register.take_all(objects)
    assert result.changed == sum(seen.values())
    told = status(register.store)["sources"][SOURCE]["kinds"]
    for kind in KINDS:
        assert told[kind]["seen"] == seen[kind]
        parts = told[kind]["translated"] + told[kind]["quarantined"] + sum(told[kind]["left_out"].values())
        assert parts == seen[kind]
    digest = register.digest()
    again = register.take_all(objects)
    assert (again.changed, again.unchanged, again.quarantined) == (0, sum(seen.values()), 0)
    assert again.new == set()
    assert register.digest() == digest


def test_the_slice_is_translated_whole_but_for_the_zaken_above_the_maximum(register: Register):
    objects = read_slice()
    register.take_all(objects)
    left_out = {
        raw["url"]
        for kind, raw in objects
        if kind == "zaak" and raw["vertrouwelijkheidaanduiding"] not in kinds_up_to_maximum()
    }
    expected = Counter(
        "left out" if raw["url" if kind == "zaak" else "zaak"] in left_out else "translated"
        for kind, raw in objects
    )
    found = Counter(register.states().values())
    assert found == {kinds.TRANSLATED: expected["translated"], kinds.LEFT_OUT: expected["left out"]}
    rollen = [raw for kind, raw in objects if kind == "rol" and raw["zaak"] not in left_out]
    persons = {raw["betrokkeneIdentificatie"].get("inpBsn") for raw in rollen if of_a_person(raw)}
    named = [(raw.get("authenticatieContext") or {}).get("representee") or {} for raw in rollen]
    persons |= {each["identifier"] for each in named if each.get("identifierType") == "bsn"}
    persons -= {"", None}
    identificatoren = register.of("document", "partij-identificator")
    bsns = [
        line for line in identificatoren if line["body"]["partijIdentificator"]["codeSoortObjectId"] == "bsn"
    ]
    assert len(bsns) == len(persons)


def kinds_up_to_maximum() -> tuple[str, ...]:
    return ("openbaar", "beperkt_openbaar", "intern", "zaakvertrouwelijk")


def of_a_person(raw: dict[str, Any]) -> bool:
    return raw["betrokkeneType"] == "natuurlijk_persoon" and bool(raw["betrokkeneIdentificatie"])


@pytest.mark.rule("M3")
def test_what_cannot_be_read_is_in_quarantine_with_its_reason(register: Register):
    objects = read_ugly()
    register.take_all(objects)
    expected = {}
    for kind, raw in objects:
        try:
            translate(kind, raw, SOURCE, SETTINGS)
        except Untranslatable as error:
            expected[str(uuid_in(raw["uuid"]) or uuid_in(raw["url"]))] = error.reason
    assert len(expected) > 8
    assert {line["uuid"]: line["reason"] for line in register.of("quarantine")} == expected


@pytest.mark.rule("M3")
def test_a_repaired_object_leaves_quarantine_and_the_others_never_waited(register: Register, fresh):
    bad = persoon(2, BSN[1]) | {"registratiedatum": "gisteren"}
    result = register.take(zaak(), persoon(1, BSN[0]), bad)
    assert (result.quarantined, len(register.of("document", "partij"))) == (1, 1)
    register.take(persoon(2, BSN[1]))
    assert register.digest() == fresh(zaak(), persoon(1, BSN[0]), persoon(2, BSN[1])).digest()


@pytest.mark.rule("M3")
def test_an_object_that_breaks_takes_back_what_it_said(register: Register):
    register.take(zaak(), persoon(1, BSN[0]), klantcontact(1))
    register.take(persoon(1, BSN[0]) | {"registratiedatum": "gisteren"})
    assert Probe(register.store).documents() == {"klantcontact": 1, "onderwerpobject": 1}
    assert len(register.of("quarantine")) == 1


def test_what_the_source_expanded_does_not_make_an_object_another_object(register: Register):
    register.take(zaak(), persoon(1, BSN[0]))
    digest = register.digest()
    result = register.take(
        zaak() | {"_expand": {"rollen": [persoon(1, BSN[0])]}}, persoon(1, BSN[0]) | {"_expand": {}}
    )
    assert (result.changed, register.digest()) == (0, digest)


def test_an_object_without_a_uuid_is_kept_in_quarantine_once(register: Register):
    raw = persoon(1, BSN[0])
    del raw["uuid"], raw["url"]
    register.take(zaak(), persoon(2, BSN[1]))
    for _ in range(2):
        register.ingest.take(SOURCE, "rol", [raw], asked=0)
    assert Counter(register.states().values())[kinds.QUARANTINED] == 1


@pytest.mark.rule("M2")
def test_findings_are_kept_by_rol_and_go_when_the_rol_is_repaired(register: Register, fresh):
    register.take(zaak(), persoon(1, NO_BSN))
    found = {(line["rule"], line["stage"], line["uuid"]) for line in register.findings()}
    assert found == {("M8", 1, uuid_of("rol", 1)), ("M17", 2, uuid_of("rol", 1))}
    register.take(persoon(1, BSN[0]))
    assert register.digest() == fresh(zaak(), persoon(1, BSN[0])).digest()
    assert register.findings() == []


# Zaken that may not be seen


@pytest.mark.rule("M34")
def test_a_secret_zaak_leaves_nothing_but_uuids_in_the_file(register: Register, tmp_path: Path):
    raws = [
        zaak(1, "geheim", identificatie="ZAAK-GEHEIM"),
        persoon(1, BSN[0], naam="Geheimenaam", contact={"emailadres": "geheim@x.example"}),
        klantcontact(1, onderwerp="Geheime vraag"),
    ]
    register.take(*raws)
    assert {(line["kind"], line["state"], line["digest"]) for line in register.lines()} == {
        (kind, kinds.LEFT_OUT, None) for kind in KINDS
    }
    assert set(Probe(register.store).rows("raw", "body", "facts")) == {(None, None)}
    assert_nowhere(
        register, tmp_path, b"geheim@x", b"Geheimenaam", b"ZAAK-GEHEIM", BSN[0].encode(), b"Geheime"
    )
    told = status(register.store)["sources"][SOURCE]["kinds"]
    assert [told[kind]["left_out"] for kind in KINDS] == [{"M34": 1}] * 3


def assert_nowhere(register: Register, folder: Path, *texts: bytes) -> None:
    """None of the texts is in the file of the store or beside it."""
    Probe(register.store).checkpoint()
    content = b"".join(path.read_bytes() for path in folder.glob("store.sqlite*"))
    assert [number for number, text in enumerate(texts) if text in content] == []


@pytest.mark.rule("M33")
def test_a_zaak_that_becomes_secret_takes_everything_with_it(register: Register, fresh, tmp_path: Path):
    content = [
        persoon(1, BSN[0], naam="Geheimenaam", generiek="initiator"),
        medewerker(2, "mw-geheim", generiek="klantcontacter"),
        klantcontact(1, onderwerp="Geheime vraag"),
        persoon(3, NO_BSN) | {"registratiedatum": "gisteren"},
    ]
    other = [zaak(2), persoon(4, BSN[1], zaak=2)]
    register.take(zaak(), *content, *other)
    register.take(zaak(1, "geheim"))
    assert register.digest() == fresh(zaak(1, "geheim"), *content, *other).digest()
    assert Probe(register.store).documents() == {"partij": 1, "partij-identificator": 1}
    assert_nowhere(register, tmp_path, b"Geheimenaam", b"mw-geheim", b"Geheime vraag", BSN[0].encode())


@pytest.mark.rule("M33")
def test_a_zaak_that_is_open_again_asks_for_its_rollen_again(register: Register, fresh):
    content = [persoon(1, BSN[0], generiek="initiator"), klantcontact(1)]
    register.take(zaak(1, "geheim"), *content)
    result = register.take(zaak(1, "openbaar"))
    assert result.refetch_zaken == {UUID(uuid_of("zaak", 1))}
    assert Probe(register.store).documents() == {}
    register.take(*content)
    assert register.digest() == fresh(zaak(), *content).digest()


@pytest.mark.rule("M33")
def test_a_secret_zaak_whose_rollen_were_never_seen_asks_for_them_too(register: Register):
    register.take(zaak(1, "geheim"))
    assert register.take(zaak(1)).refetch_zaken == {UUID(uuid_of("zaak", 1))}


@pytest.mark.rule("M33")
def test_contacts_follow_the_aanduiding_of_their_zaak(register: Register):
    register.ingest = Ingest(register.store, type(SETTINGS)("zeer_geheim"), SECRET)
    for aanduiding, secret in (("intern", False), ("geheim", True), ("openbaar", False)):
        register.take(zaak(1, aanduiding), klantcontact(1))
        (line,) = register.of("document", "klantcontact")
        assert line["body"]["vertrouwelijk"] is secret


@pytest.mark.rule("M34")
def test_a_rol_waits_for_its_zaak_and_is_translated_when_it_comes(register: Register, fresh):
    content = [persoon(1, BSN[0], generiek="initiator"), klantcontact(1)]
    result = register.take(*content)
    assert result.unknown_zaken == {UUID(uuid_of("zaak", 1))}
    assert Probe(register.store).documents() == {}
    assert set(register.states().values()) == {kinds.WAITING}
    assert register.take(*content).unknown_zaken == result.unknown_zaken
    assert register.take(zaak()).refetch_zaken == set()
    assert register.digest() == fresh(zaak(), *content).digest()
    assert register.take(*content).changed == 0


@pytest.mark.rule("M34")
def test_what_waits_for_a_secret_zaak_is_forgotten_when_that_comes(register: Register, fresh, tmp_path: Path):
    content = [persoon(1, BSN[0], naam="Geheimenaam"), klantcontact(1)]
    register.take(*content)
    register.take(zaak(1, "geheim"))
    assert register.digest() == fresh(zaak(1, "geheim"), *content).digest()
    assert_nowhere(register, tmp_path, b"Geheimenaam")


@pytest.mark.rule("M34")
@pytest.mark.parametrize("how", ["refused", "gone"])
def test_what_belongs_to_a_zaak_that_is_refused_or_gone_makes_nothing(register: Register, how: str):
    register.take(persoon(1, BSN[0]), klantcontact(1))
    uuid = UUID(uuid_of("zaak", 1))
    for _ in range(2):
        if how == "refused":
            register.ingest.refused(SOURCE, "zaak", uuid, asked=0)
        else:
            register.ingest.remove(SOURCE, "zaak", [uuid])
        assert Probe(register.store).documents() == {}
        states = register.states()
        assert states.pop(str(uuid)) == (kinds.UNREADABLE if how == "refused" else kinds.GONE)
        assert set(states.values()) == {kinds.UNREADABLE}
        assert [(line["kind"], line["rule"]) for line in register.findings()] == [("zaak", "M34")]
        assert broken(register.store) == {}
    assert register.take(persoon(1, BSN[0]), persoon(2, BSN[1])).unknown_zaken == set()


@pytest.mark.rule("M34")
@pytest.mark.parametrize("how", ["refused", "gone"])
def test_such_a_zaak_may_be_seen_after_all(register: Register, fresh, how: str):
    register.take(persoon(1, BSN[0]), klantcontact(1))
    uuid = UUID(uuid_of("zaak", 1))
    if how == "refused":
        register.ingest.refused(SOURCE, "zaak", uuid, asked=0)
    else:
        register.ingest.remove(SOURCE, "zaak", [uuid])
    result = register.take(zaak())
    assert result.refetch_zaken == {uuid}
    assert register.digest() == fresh(zaak(), persoon(1, BSN[0]), klantcontact(1)).digest()


@pytest.mark.rule("M34")
def test_the_last_refusal_counts(register: Register):
    uuid = UUID(uuid_of("zaak", 1))
    register.take(persoon(1, BSN[0]))
    register.ingest.refused(SOURCE, "zaak", uuid, asked=0)
    refused = register.digest()
    register.ingest.remove(SOURCE, "zaak", [uuid])
    gone = register.digest()
    assert gone != refused
    register.ingest.refused(SOURCE, "zaak", uuid, asked=0)
    assert register.digest() == refused


def test_asking_for_a_zaak_that_never_was_leaves_no_trace(register: Register, fresh):
    register.ingest.remove(SOURCE, "zaak", [UUID(int=1)])
    register.ingest.refused(SOURCE, "zaak", UUID(int=2), asked=0)
    register.ingest.refused(SOURCE, "rol", UUID(int=3), asked=0)
    register.ingest.remove(SOURCE, "rol", [UUID(int=4)])
    assert register.lines() == []


def test_a_zaak_that_was_gone_is_forgotten_with_the_last_that_waited_for_it(register: Register):
    register.take(persoon(1, BSN[0]), klantcontact(1))
    register.ingest.remove(SOURCE, "zaak", [UUID(uuid_of("zaak", 1))])
    register.remove(persoon(1), klantcontact(1))
    assert register.lines() == []


def test_what_is_refused_later_is_kept_and_marked(register: Register):
    register.take(zaak(), persoon(1, BSN[0]))
    register.ingest.refused(SOURCE, "rol", rol_uuid(1), asked=0)
    register.ingest.refused(SOURCE, "zaak", UUID(uuid_of("zaak", 1)), asked=0)
    assert len(register.of("document", "partij")) == 1
    assert [line["visible"] for line in register.of("raw")] == [False, False]
    register.take(zaak(), persoon(1, BSN[0]))
    assert [line["visible"] for line in register.of("raw")] == [True, True]


@pytest.mark.rule("M34")
def test_a_zaak_that_cannot_be_read_keeps_its_rollen_waiting(register: Register, fresh):
    content = [persoon(1, BSN[0], generiek="initiator"), klantcontact(1)]
    register.take(zaak(), *content)
    register.take(zaak(1, "onbekend"))
    assert Probe(register.store).documents() == {}
    assert register.digest() == fresh(zaak(1, "onbekend"), *content).digest()
    result = register.take(zaak())
    assert result.refetch_zaken == {UUID(uuid_of("zaak", 1))}
    assert register.digest() == fresh(zaak(), *content).digest()


# What goes


@pytest.mark.rule("M35")
def test_without_one_rol_the_party_is_as_the_rest_says(register: Register, fresh):
    old = persoon(1, BSN[0], naam="Oud", on=1)
    new = persoon(2, BSN[0], naam="Nieuw", on=2, contact={"emailadres": "n@x.example"})
    register.take(zaak(), old, new)
    assert register.names() == ["Nieuw"]
    register.remove(new)
    assert register.names() == ["Oud"]
    assert register.digest() == fresh(zaak(), old).digest()


@pytest.mark.rule("M35")
def test_without_any_rol_nothing_is_left(register: Register, tmp_path: Path):
    raws = [
        persoon(
            1, BSN[0], naam="Verdwenenaam", generiek="initiator", contact={"emailadres": "weg@x.example"}
        ),
        vestiging(2, VESTIGING[0], KVK[0]),
        medewerker(3, "mw-weg", generiek="klantcontacter"),
    ]
    register.take(zaak(), *raws, klantcontact(1))
    register.remove(*raws)
    assert Probe(register.store).documents() == {"klantcontact": 1, "onderwerpobject": 1}
    assert register.of("key") == register.of("document", "partij") == []
    register.remove(klantcontact(1), zaak())
    assert register.lines() == []
    assert_nowhere(register, tmp_path, b"Verdwenenaam", b"weg@x", b"mw-weg", BSN[0].encode(), KVK[0].encode())


@pytest.mark.rule("M35")
def test_a_zaak_that_is_gone_takes_its_rollen_and_contacts_along(register: Register, fresh):
    kept = [zaak(2), persoon(2, BSN[0], naam="Blijft", zaak=2)]
    register.take(zaak(), persoon(1, BSN[0], naam="Gaat", on=9), klantcontact(1), *kept)
    register.remove(zaak())
    assert register.digest() == fresh(*kept).digest()


@pytest.mark.rule("M35")
def test_a_rol_that_moved_to_another_zaak_and_person_leaves_the_first(register: Register, fresh):
    raws = [zaak(1), zaak(2), klantcontact(1, zaak=1), klantcontact(2, zaak=2)]
    register.take(*raws, persoon(1, BSN[0], generiek="initiator"))
    moved = persoon(1, BSN[1], generiek="initiator", zaak=2)
    register.take(moved)
    assert register.digest() == fresh(*raws, moved).digest()


@pytest.mark.rule("M30")
def test_the_finding_on_a_source_goes_with_its_last_betrokkene(register: Register, fresh):
    initiator = persoon(1, BSN[0], generiek="initiator")
    register.take(zaak(), initiator, klantcontact(1))
    assert [line["rule"] for line in register.findings()] == ["M30"]
    register.remove(initiator)
    assert register.digest() == fresh(zaak(), klantcontact(1)).digest()


# Who is who, over time


@pytest.mark.rule("M6")
def test_every_uuid_that_a_client_may_hold_leads_to_the_survivor(register: Register):
    url_only = rol(1, None, url=URL, contact={"emailadres": "a@x.example"})
    register.take(zaak(), url_only)
    (before,) = register.of("document", "digitaleadres")
    register.take(persoon(2, BSN[0], url=URL))
    party = key_uuid(UUIDS, f"brp:bsn:{BSN[0]}")
    assert register.resolve(key_uuid(UUIDS, f"url:{URL}")) == register.resolve(UUID(before["uuid"])) == party
    register.remove(persoon(2))
    assert register.resolve(party) is None
    assert register.resolve(UUID(before["uuid"])) == key_uuid(UUIDS, f"url:{URL}")


@pytest.mark.rule("M6")
def test_contacts_follow_a_party_that_gets_another_uuid(register: Register, fresh):
    raws = [zaak(1), rol(1, None, url=URL, generiek="initiator"), klantcontact(1), zaak(2)]
    joining = persoon(2, BSN[0], url=URL, zaak=2)
    register.take(*raws)
    register.take(joining)
    (link,) = register.of("link", "betrokkene.wasPartij")
    assert link["target"] == str(key_uuid(UUIDS, f"brp:bsn:{BSN[0]}"))
    assert register.digest() == fresh(*raws, joining).digest()
    register.remove(joining)
    assert register.digest() == fresh(*raws).digest()


@pytest.mark.rule("M6")
def test_a_link_to_an_actor_resolves_under_every_key_that_the_actor_has(register: Register, fresh):
    raws = [zaak(1), medewerker(1, "mw-1", generiek="klantcontacter"), klantcontact(1), zaak(2)]
    joining = medewerker(2, "mw-1", url=URL, zaak=2)
    register.take(*raws, joining)
    other = key_uuid(UUIDS, f"actor-url:medewerker|bron|{URL}")
    alias = UUIDS.derive("actorklantcontact", uuid_of("klantcontact", 1), str(other))
    assert register.resolve(alias) == UUID(uuid_of("klantcontact", 1))
    register.remove(joining)
    assert register.resolve(alias) is None
    assert register.digest() == fresh(*raws).digest()
    register.take(joining)
    assert register.resolve(alias) == UUID(uuid_of("klantcontact", 1))


@pytest.mark.rule("M6")
def test_one_typing_error_never_merges_two_citizens(register: Register, fresh):
    raws = [zaak(), persoon(1, BSN[0], anr="9000000011"), persoon(2, BSN[1], anr="9000000022")]
    register.take(*raws)
    before = register.digest()
    error = persoon(3, BSN[0], anr="9000000022")
    register.take(error)
    assert len(register.of("document", "partij")) == 2
    assert [line["rule"] for line in register.findings()] == ["M6"] * 3
    register.remove(error)
    assert register.digest() == before


@pytest.mark.rule("M6")
def test_people_and_contacts_of_two_sources_come_together_and_apart(register: Register):
    first = [zaak(1), rol(1, None, url=URL, generiek="initiator"), klantcontact(1)]
    second = [zaak(2), persoon(2, BSN[0], url=URL, zaak=2, generiek="initiator"), klantcontact(2, zaak=2)]
    register.take(*first, source="een")
    alone = register.digest()
    register.take(*second, source="twee")
    party = str(key_uuid(UUIDS, f"brp:bsn:{BSN[0]}"))
    assert {line["target"] for line in register.of("link", "betrokkene.wasPartij")} == {party}
    assert len(register.of("link", "betrokkene.wasPartij")) == 2
    assert broken(register.store) == {}
    for raw in second:
        register.remove(raw, source="twee")
    assert register.digest() == alone


@pytest.mark.rule("M6")
def test_one_rol_in_two_sources_is_one_party_from_both(register: Register):
    for source in ("twee", "een"):
        register.take(zaak(), persoon(1, BSN[0]), source=source)
    assert len(register.of("document", "partij")) == 1
    assert {line["source"] for line in register.of("provenance")} == {"een", "twee"}
    register.remove(zaak(), source="een")
    assert {line["source"] for line in register.of("provenance")} == {"twee"}


def test_a_medewerker_with_many_rollen_is_kept_as_one_statement(register: Register):
    rollen = [medewerker(number, on=1 + number % 28) for number in range(1, 301)]
    register.take(zaak(), *rollen)
    assert Probe(register.store).count("statement") == 1
    assert Probe(register.store).count("claim") == 300
    (line,) = register.of("document", "actor")
    oldest = translate("rol", medewerker(1, on=1), SOURCE, SETTINGS).claims[0].moment
    assert line["created"] == oldest
    register.remove(*[raw for raw in rollen if raw["registratiedatum"].startswith("2024-01-01")])
    (line,) = register.of("document", "actor")
    assert line["created"] == oldest + 86_400_000_000


# In any order


def disturbed(register: Register, objects: Objects, dice: random.Random) -> None:
    """Take all objects in a random order and random batches, with objects and zaken going and coming back."""
    pending = list(objects)
    dice.shuffle(pending)
    by_zaak: dict[str, Objects] = defaultdict(list)
    for kind, raw in objects:
        by_zaak[str(uuid_in(raw["url"] if kind == "zaak" else raw.get("zaak")))].append((kind, raw))
    taken: Objects = []
    while pending:
        size = dice.choice([1, 7, 60, 250])
        batch, pending = pending[:size], pending[size:]
        dice.shuffle(batch)
        for kind in dice.sample(KINDS, len(KINDS)):
            register.ingest.take(SOURCE, kind, [raw for each, raw in batch if each == kind], asked=0)
        taken += batch
        for kind, raw in dice.sample(taken, min(len(taken), dice.choice([0, 0, 3]))):
            uuid = uuid_in(raw["uuid"])
            register.ingest.remove(SOURCE, kind, [uuid] if uuid else [])
            # A zaak that goes takes along what belongs to it.
            pending += by_zaak[str(uuid)] if kind == "zaak" else [(kind, raw)]


def settled(objects: Iterable[tuple[str, dict[str, Any]]], seed: int, path: Path) -> str:
    register = Register(path)
    objects = list(objects)
    disturbed(register, objects, random.Random(seed))
    assert broken(register.store) == {}
    digest = register.digest()
    register.store.close()
    return digest


@pytest.mark.rule("M42")
def test_the_order_of_arrival_and_what_went_and_came_back_never_matter(tmp_path: Path):
    objects = a_third(read_slice()) + read_ugly()
    plain = Register(tmp_path / "plain.sqlite")
    plain.take_all(objects)
    assert broken(plain.store) == {}
    expected = plain.digest()
    plain.store.close()
    for seed in range(4):
        assert settled(objects, seed, tmp_path / f"{seed}.sqlite") == expected


@pytest.mark.soak
@pytest.mark.rule("M42")
def test_twenty_orders_of_the_whole_slice_give_one_dump(tmp_path: Path):
    objects = read_slice() + read_ugly()
    plain = Register(tmp_path / "plain.sqlite")
    plain.take_all(objects)
    expected = plain.digest()
    plain.store.close()
    for seed in range(20):
        assert settled(objects, 100 + seed, tmp_path / f"{seed}.sqlite") == expected


def test_when_everything_is_removed_nothing_is_left(tmp_path: Path):
    objects = a_third(read_slice())
    register = Register(tmp_path / "store.sqlite")
    register.take_all(objects)
    random.Random(7).shuffle(objects)
    for kind in ("rol", "klantcontact", "zaak"):
        register.ingest.remove(SOURCE, kind, [UUID(raw["uuid"]) for each, raw in objects if each == kind])
    assert register.lines() == []
    register.store.close()


URLS = st.sampled_from(["", "", "https://x.example/1", "https://x.example/2"])
GENERIEK = st.sampled_from(["initiator", "klantcontacter", "adviseur"])
CONTACTS = st.sampled_from(
    [
        None,
        {"emailadres": "a@x.example"},
        {"emailadres": "A@x.example", "naam": "B"},
        {"naam": "b", "functie": "c", "telefoonnummer": "0201234567"},
    ]
)
CONTEXTS = [
    {"source": "digid", "representee": {"identifierType": soort, "identifier": number}}
    for soort, number in (
        ("bsn", BSN[0]),
        ("rsin", RSIN[0]),
        ("kvkNummer", KVK[0]),
        ("vestiging", VESTIGING[0]),
    )
]
ROL_PARTS = st.one_of(
    st.tuples(
        st.just("persoon"),
        st.sampled_from(["", NO_BSN, BSN[0], BSN[1]]),
        st.sampled_from(["", "9000000011", "9000000022"]),
        st.sampled_from(["", "Een", "Twee"]),
    ),
    st.tuples(
        st.just("organisatie"),
        st.sampled_from(["", RSIN[0], RSIN[1]]),
        st.sampled_from(["", KVK[0], KVK[1]]),
        st.sampled_from(["", "", VESTIGING[0]]),
    ),
    st.tuples(
        st.just("vestiging"),
        st.sampled_from(["", VESTIGING[0], VESTIGING[1]]),
        st.sampled_from(["", KVK[0], KVK[1]]),
        st.just(""),
    ),
    st.tuples(
        st.just("medewerker"),
        st.sampled_from(["", "a", "0", "-"]),
        st.sampled_from(["Een", "Twee"]),
        st.just(""),
    ),
)
RESTS = st.fixed_dictionaries(
    {
        "url": URLS,
        "zaak": st.integers(1, 2),
        "on": st.integers(1, 3),
        "generiek": GENERIEK,
        "contact": CONTACTS,
        "indicatieMachtiging": st.sampled_from(["", "gemachtigde", "machtiginggever"]),
        "authenticatieContext": st.sampled_from([None, None, *CONTEXTS]),
        "eindeGeldigheid": st.sampled_from([None, None, "2024-01-31"]),
    }
)


def made(number: int, parts: tuple[str, str, str, str], rest: dict[str, Any]) -> dict[str, Any]:
    what, first, second, third = parts
    if what == "persoon":
        return persoon(number, first, anr=second, naam=third, **rest)
    if what == "organisatie":
        return organisatie(number, rsin=first, kvk=second, vestiging=third, **rest)
    if what == "vestiging":
        return vestiging(number, first, second, **rest)
    return medewerker(number, first, second, **rest)


@pytest.mark.rule("M6")
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(ROL_PARTS, RESTS), min_size=1, max_size=7), st.data())
def test_rollen_that_share_keys_in_any_way_come_and_go_and_the_rest_is_as_if_they_never_were(
    tmp_path_factory: pytest.TempPathFactory, parts, data: st.DataObject
):
    folder = tmp_path_factory.mktemp("history")
    raws = [zaak(1), zaak(2), klantcontact(1), klantcontact(2, zaak=2)]
    raws += [made(number, *each) for number, each in enumerate(parts, start=1)]
    lived = Register(folder / "lived.sqlite")
    held: list[dict[str, Any]] = []
    for raw in data.draw(st.permutations(raws)):
        lived.take(raw)
        held.append(raw)
        if data.draw(st.integers(0, 3)) == 0:
            gone = data.draw(st.sampled_from(held))
            lived.remove(gone)
            held.remove(gone)
            if kind_of(gone) == "zaak":
                held = [each for each in held if each.get("zaak") != gone["url"]]
    assert broken(lived.store) == {}
    fresh = Register(folder / "fresh.sqlite")
    fresh.take(*held)
    assert list(dump_lines(lived.store)) == list(dump_lines(fresh.store))
    lived.store.close()
    fresh.store.close()


# In a store of any size


def steps(register: Register, action: Callable[[], object]) -> int:
    """How much work the database does for an action, in hundreds of its steps: the same on every machine."""
    done = [0]

    def count() -> None:
        done[0] += 1

    connection = register.store.connection()
    connection.set_progress_handler(count, 100)
    try:
        action()
    finally:
        connection.set_progress_handler(None, 0)
    return done[0]


def work_in_a_store(path: Path, objects: Objects) -> dict[str, int]:
    """The steps of each sort of question and change, in a store with these objects and a few of our own."""
    key, uuid = f"brp:bsn:{BSN[0]}", UUID(uuid_of("zaak", 1)).bytes
    new = [persoon(3, BSN[0], naam="Nieuw", on=9), medewerker(4, naam="Nieuw", on=9), klantcontact(2)]
    register = Register(path)
    register.take_all(objects)
    register.take(zaak(), persoon(1, BSN[0], generiek="initiator"), medewerker(2), klantcontact(1))
    with register.store.read() as connection:
        questions: dict[str, Callable[[], object]] = {
            "connected keys": lambda: identities.connected_keys(connection, key),
            "zaken of a party": lambda: identities.zaken_of_party(connection, 1, key),
            "keys of a zaak": lambda: identities.keys_of_zaak(connection, 1, uuid),
            "unseen of a key": lambda: identities.unseen_of_key(connection, 1, "rol", key, 1),
            "unseen of a zaak": lambda: visibility.unseen_of_zaak(connection, 1, uuid, "rol", 1),
            "waiting": lambda: rows.waiting_zaken(connection, 1, 10),
            "numbers of clients": lambda: ties.numbers_of_clients(connection, ["0000000001"]),
            "keys of a number": lambda: ties.identities_of_numbers(connection, ["0000000001"]),
        }
        work = {what: steps(register, ask) for what, ask in questions.items()}
    work["take"] = steps(register, lambda: register.take(*new))
    work["take again"] = steps(register, lambda: register.take(*new))
    work["remove"] = steps(register, lambda: register.remove(*new))
    register.store.close()
    return work


@pytest.mark.of_the_file
def test_the_work_for_one_object_or_question_does_not_grow_with_the_store(tmp_path: Path):
    objects = read_slice()
    some = {raw["url"] for kind, raw in [each for each in objects if each[0] == "zaak"][:40]}
    few = [(kind, raw) for kind, raw in objects if raw["url" if kind == "zaak" else "zaak"] in some]
    small = work_in_a_store(tmp_path / "small.sqlite", few)
    large = work_in_a_store(tmp_path / "large.sqlite", objects)
    assert {what: (small[what], large[what]) for what in small if large[what] > 2 * small[what] + 10} == {}


# All or nothing


class Killed(Exception):
    """Stands for a process that dies."""


@pytest.mark.parametrize("kind", KINDS)
def test_of_a_batch_that_is_broken_off_nothing_remains(register: Register, kind: str):
    raws = [zaak(2), persoon(9, BSN[0], zaak=2, generiek="initiator"), klantcontact(9, zaak=2)]
    register.take(*raws)
    before = register.digest()
    changed = {
        "zaak": [zaak(1), zaak(2, "geheim")],
        "rol": [persoon(1, BSN[0], zaak=2), persoon(9, BSN[1], zaak=2), medewerker(3, zaak=2)],
        "klantcontact": [klantcontact(1, zaak=2), klantcontact(9, zaak=2, onderwerp="Anders")],
    }[kind]

    def die(connection: sqlite3.Connection, result: Result) -> None:
        assert result.changed == len(changed)
        raise Killed

    with pytest.raises(Killed):
        register.ingest.take(SOURCE, kind, changed, die, asked=0)
    assert register.digest() == before
    assert register.ingest.take(SOURCE, kind, changed, asked=0).changed == len(changed)
    assert register.digest() != before


def test_the_cursor_of_a_job_goes_with_the_last_batch(register: Register):
    calls = []
    register.take(zaak())
    rollen = [persoon(number) for number in range(1, 451)]
    register.ingest.take(
        SOURCE, "rol", rollen, lambda connection, result: calls.append(result.changed), asked=0
    )
    assert calls == [450]
    register.ingest.take(SOURCE, "rol", [], lambda connection, result: calls.append(result.changed), asked=0)
    assert calls == [450, 0]


def test_an_object_that_comes_twice_in_one_page_is_taken_once(register: Register):
    result = register.ingest.take(SOURCE, "zaak", [zaak(), zaak()], asked=0)
    assert (result.changed, len(register.of("raw"))) == (1, 1)
