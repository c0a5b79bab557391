"""Vertegenwoordigingen and contactpersonen in a store: they follow the rollen, the day and the client (M22-M26)."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from builders.asker import Asker
from builders.legacy_objects import (
    BSN,
    KVK,
    RSIN,
    SETTINGS,
    UUIDS,
    organisatie,
    persoon,
    rol_uuid,
    zaak,
)
from builders.probe.invariants import broken
from builders.probe.probe import Probe
from builders.probe.tamper import Tamper
from builders.register import SOURCE, Register
from builders.store_digest import dump_digest
from builders.writer import Writer, without_source

from gateway.installation import Installation
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer
from gateway.store.inspect.dump import dump_lines
from gateway.store.legacy.findings import source_findings
from jobs.rebuild.rebuild import Rebuild
from jobs.registry import BY_NAME, run_job
from mappings.identity.identity import key_uuid
from mappings.rules.vertegenwoordigingen import pair_uuid

Install = Callable[..., Installation]


def party(number: int) -> UUID:
    return key_uuid(UUIDS, f"brp:bsn:{BSN[number]}")


def giver(number: int, person: int, **rest: Any) -> dict[str, Any]:
    return persoon(number, BSN[person], indicatieMachtiging="machtiginggever", **rest)


def taker(number: int, person: int, **rest: Any) -> dict[str, Any]:
    return persoon(number, BSN[person], indicatieMachtiging="gemachtigde", **rest)


def pairs(register: Register) -> dict[str, tuple[str, str]]:
    """By uuid: who is represented, by whom."""
    ends: dict[str, dict[str, str]] = {}
    for line in register.of("link"):
        kind, _, name = line["kind"].partition(".")
        if kind == "vertegenwoordiging":
            ends.setdefault(line["source"], {})[name] = line["target"]
    return {
        uuid: (both["vertegenwoordigdePartij"], both["vertegenwoordigendePartij"])
        for uuid, both in ends.items()
    }


def made_of(register: Register) -> set[UUID]:
    return {UUID(line["raw"]) for line in register.of("provenance", "vertegenwoordiging")}


@pytest.mark.rule("M25")
@pytest.mark.rule("M42")
def test_one_document_a_pair_over_all_zaken_made_of_the_rollen_of_each(register: Register):
    register.take(zaak(1), zaak(2), giver(1, 0, on=5), taker(2, 1, on=6))
    register.take(giver(3, 0, zaak=2, on=3), taker(4, 1, zaak=2, on=7))
    uuid = str(pair_uuid(UUIDS, (party(0), party(1))))
    assert pairs(register) == {uuid: (str(party(0)), str(party(1)))}
    (document,) = register.of("document", "vertegenwoordiging")
    (oldest,) = [line for line in register.of("document", "partij") if line["uuid"] == str(party(0))]
    assert document["created"] == oldest["created"], "the moment of rol 3, the oldest (M42)"
    assert made_of(register) == {rol_uuid(number) for number in (1, 2, 3, 4)}

    register.remove(taker(4, 1))
    assert made_of(register) == {rol_uuid(1), rol_uuid(2)}
    assert register.of("document", "vertegenwoordiging")[0]["created"] > document["created"]
    register.remove(zaak(1))
    assert pairs(register) == {}
    assert register.of("document", "partij"), "the parties of the other zaak stay"


@pytest.mark.rule("M26")
def test_a_representee_that_no_rol_names_is_a_party_with_its_number_and_goes_with_the_rol(register: Register):
    context = {"representee": {"identifierType": "kvkNummer", "identifier": KVK[0]}}
    rol = organisatie(1, rsin=RSIN[0], authenticatieContext=context)
    register.take(zaak(), rol)
    represented, own = key_uuid(UUIDS, f"hr:kvk:{KVK[0]}"), key_uuid(UUIDS, f"hr:rsin:{RSIN[0]}")
    assert list(pairs(register).values()) == [(str(represented), str(own))]
    assert register.names() == ["", "Voorbeeld B.V."]
    # A rol of its own gives the name; the same KVK number on the other party makes both sides one.
    register.take(organisatie(2, "Moeder B.V.", kvk=KVK[0]))
    assert register.names() == ["Moeder B.V.", "Voorbeeld B.V."]
    register.take(organisatie(3, "Samen B.V.", rsin=RSIN[0], kvk=KVK[0], on=9))
    assert pairs(register) == {}
    assert register.resolve(represented) == own
    register.remove(organisatie(3))
    assert list(pairs(register).values()) == [(str(represented), str(own))]
    register.remove(organisatie(2), rol)
    assert register.lines() and not register.of("document")


@pytest.mark.rule("M6")
def test_a_vertegenwoordiging_follows_the_uuid_of_its_parties(register: Register):
    register.take(
        zaak(), persoon(1, "", anr="9000000011", indicatieMachtiging="machtiginggever"), taker(2, 1)
    )
    by_anr = key_uuid(UUIDS, "brp:anr:9000000011")
    assert list(pairs(register).values()) == [(str(by_anr), str(party(1)))]
    before = register.digest()
    joining = persoon(3, BSN[0], anr="9000000011", zaak=1)
    register.take(joining)
    assert list(pairs(register).values()) == [(str(party(0)), str(party(1)))]
    register.remove(joining)
    assert register.digest() == before


@pytest.mark.rule("M34")
def test_a_zaak_that_is_left_out_gives_none(register: Register):
    register.take(zaak(), giver(1, 0), taker(2, 1))
    assert pairs(register)
    register.take(zaak(aanduiding="zeer_geheim"))
    assert not register.of("document")
    register.take(zaak(), giver(1, 0), taker(2, 1))
    assert pairs(register)


@pytest.mark.rule("M25")
def test_the_finding_of_an_ambiguous_zaak_is_on_its_rollen_and_goes_when_it_is_clear(register: Register):
    rollen = [giver(1, 0), giver(2, 1), taker(3, 2), taker(4, 3)]
    register.take(zaak(), *rollen)
    assert pairs(register) == {}
    found = register.findings()
    assert {line["uuid"] for line in found} == {str(rol_uuid(number)) for number in (1, 2, 3, 4)}
    assert all(line["rule"] == "M25" and "dubbelzinnig" in line["action"] for line in found)
    register.remove(rollen[0])
    assert len(pairs(register)) == 2
    assert register.findings() == []


@pytest.mark.slow
@pytest.mark.rule("M26")
def test_the_job_ends_takes_back_what_ended_and_looks_at_no_other_zaak(
    register: Register, install: Install, slice_data: Dataset
):
    with SampleServer(slice_data) as server:
        installation = install(bron=server)
    ingest, day = installation.ingest, [date(2024, 6, 1)]
    ingest.today = lambda: day[0]
    for number in (1, 2):
        ingest.take("bron", "zaak", [zaak(number)], asked=0)
    ended = taker(2, 1, eindeGeldigheid="2024-06-01")
    ingest.take("bron", "rol", [giver(1, 0), ended, giver(3, 2, zaak=2), taker(4, 3, zaak=2)], asked=0)

    def count() -> int:
        return Probe(installation.store).count("document", kind="vertegenwoordiging")

    assert count() == 2
    assert run_job(installation, BY_NAME["ends"]) == {"zaken": 0}
    day[0] = date(2024, 6, 2)
    assert count() == 2
    assert run_job(installation, BY_NAME["ends"]) == {"zaken": 1}
    assert count() == 1
    assert run_job(installation, BY_NAME["ends"]) == {"zaken": 0}
    assert broken(installation.store) == {}
    # As if it had all been taken on that day.
    register.ingest.today = lambda: day[0]
    register.take(zaak(1), zaak(2), giver(1, 0), ended, giver(3, 2, zaak=2), taker(4, 3, zaak=2))
    assert dump_digest(installation.store) == register.digest()


@pytest.mark.slow
@pytest.mark.rule("M22")
@pytest.mark.rule("M25")
@pytest.mark.rule("M36")
def test_the_order_of_arrival_does_not_matter_for_who_acts_for_whom(tmp_path: Path):
    contact = {"naam": "Jan", "emailadres": "jan@x.example", "functie": "baas"}
    context = {"source": "digid", "representee": {"identifierType": "bsn", "identifier": BSN[4]}}
    objects = [zaak(1), zaak(2), giver(1, 0), taker(2, 1, on=2), giver(3, 0, zaak=2), taker(4, 1, zaak=2)]
    objects += [
        organisatie(5, rsin=RSIN[0], contact=contact, indicatieMachtiging="gemachtigde", zaak=2),
        organisatie(6, rsin=RSIN[0], kvk=KVK[0], contact=contact, on=3, roltoelichting="iets"),
        organisatie(7, kvk=KVK[0], contact={**contact, "emailadres": ""}),
        persoon(8, BSN[0], anr="9000000011", authenticatieContext=context, zaak=2),
    ]
    digests = set()
    for seed in range(6):
        register = Register(tmp_path / f"{seed}.sqlite")
        for raw in random.Random(seed).sample(objects, len(objects)):
            register.take(raw)
        if seed % 2:
            register.remove(objects[3])
            register.take(objects[3])
        assert broken(register.store) == {}
        digests.add(register.digest())
        register.take(*objects)
        assert register.digest() in digests, "taking it all again changes nothing"
        register.store.close()
    assert len(digests) == 1


@pytest.mark.slow
@pytest.mark.rule("M36")
def test_fields_without_a_place_are_counted_by_source_as_they_are_held(register: Register):
    def found() -> dict[tuple[str, str], int | None]:
        with register.store.read() as connection:
            rows = source_findings(connection)
        assert all(row.severity == "info" for row in rows)
        return {(row.source, row.field): row.found for row in rows if row.rule == "M36"}

    context = {"source": "digid", "levelOfAssurance": "laag", "mandate": {"services": []}}
    one = persoon(1, BSN[0], roltoelichting="iets", authenticatieContext=context)
    one["betrokkeneIdentificatie"]["geboortedatum"] = "1970"
    register.take(zaak(), one, persoon(2, BSN[0], roltoelichting="meer", extra="x"))
    register.take(zaak(9), persoon(3, BSN[1], zaak=9, roltoelichting=" "), source="ander")
    assert found() == {
        (SOURCE, "omschrijvingGeneriek"): 2,
        (SOURCE, "roltoelichting"): 2,
        (SOURCE, "overige velden"): 1,
        (SOURCE, "authenticatieContext.source"): 1,
        (SOURCE, "authenticatieContext.levelOfAssurance"): 1,
        (SOURCE, "authenticatieContext.mandate"): 1,
        (SOURCE, "betrokkeneIdentificatie.geboortedatum"): 1,
        ("ander", "omschrijvingGeneriek"): 1,
    }
    register.take(persoon(1, BSN[0], roltoelichting=""))
    register.remove(persoon(2))
    assert found() == {(SOURCE, "omschrijvingGeneriek"): 1, ("ander", "omschrijvingGeneriek"): 1}
    register.take(zaak(aanduiding="geheim"))
    assert found() == {("ander", "omschrijvingGeneriek"): 1}
    assert not [line for line in register.of("finding") if line["source"] == SOURCE]


# Through the served API


@pytest.fixture
def writer(install: Install, slice_data: Dataset) -> Writer:
    with SampleServer(slice_data) as server:
        installation = install(bron=server)
    ingest = installation.ingest
    ingest.take("bron", "zaak", [zaak()], asked=0)
    contact = {"naam": "Jan de Wit", "emailadres": "jan@x.example", "functie": "baas", "telefoonnummer": ""}
    taking = organisatie(2, rsin=RSIN[0], contact=contact, indicatieMachtiging="gemachtigde")
    ingest.take("bron", "rol", [giver(1, 0), taking], asked=0)
    Tamper(installation.store).set_covered(9e15)
    Tamper(installation.store).set_phase("cutover")
    return Writer(installation)


def again(writer: Writer, **changes: Any) -> None:
    """Take the giver's rol once more, with something changed, so that its zaak is made again."""
    writer.installation.ingest.take("bron", "rol", [giver(1, 0, **changes)], asked=0)


@pytest.mark.slow
@pytest.mark.rule("M22")
@pytest.mark.rule("M25")
def test_clients_see_them_as_open_klant_shows_them(writer: Writer):
    (found,) = writer.get("vertegenwoordigingen").get_json()["results"]
    (jan,) = writer.get("partijen", soortPartij="contactpersoon").get_json()["results"]
    (organisation,) = writer.get("partijen", soortPartij="organisatie").get_json()["results"]
    assert found["vertegenwoordigendePartij"]["uuid"] == organisation["uuid"]
    assert list(jan["partijIdentificatie"]) == ["uuid", "werkteVoorPartij", "contactnaam", "volledigeNaam"]
    assert jan["partijIdentificatie"]["werkteVoorPartij"]["uuid"] == organisation["uuid"]
    assert len(jan["digitaleAdressen"]) == len(organisation["digitaleAdressen"]) == 1
    (represented,) = writer.get("partijen", vertegenwoordigdePartij__uuid=organisation["uuid"]).get_json()[
        "results"
    ]
    assert represented["uuid"] == found["vertegenwoordigdePartij"]["uuid"]


@pytest.mark.slow
@pytest.mark.rule("M19")
def test_a_client_may_delete_or_change_a_vertegenwoordiging_and_it_stays_so(writer: Writer):
    (found,) = writer.get("vertegenwoordigingen").get_json()["results"]
    path = f"vertegenwoordigingen/{found['uuid']}"
    assert writer.send("DELETE", path).status_code == 204
    again(writer, roltoelichting="iets")
    assert writer.get("vertegenwoordigingen").get_json()["results"] == []
    assert writer.installation.ingest.restore(UUID(found["uuid"])) == 1
    assert writer.get("vertegenwoordigingen").get_json()["results"] == [found]

    (jan,) = writer.get("partijen", soortPartij="contactpersoon").get_json()["results"]
    changed = {"vertegenwoordigendePartij": {"uuid": jan["uuid"]}}
    assert writer.send("PATCH", path, changed).status_code == 200
    again(writer, roltoelichting="iets anders")
    (kept,) = writer.get("vertegenwoordigingen").get_json()["results"]
    assert kept["vertegenwoordigendePartij"]["uuid"] == jan["uuid"]


@pytest.mark.slow
@pytest.mark.rule("M19")
def test_a_party_that_a_client_deleted_comes_back_with_its_vertegenwoordigingen(writer: Writer):
    before = dump_digest(writer.installation.store)
    assert writer.send("DELETE", f"partijen/{party(0)}").status_code == 204
    again(writer, roltoelichting="iets")
    assert writer.get("vertegenwoordigingen").get_json()["results"] == []
    again(writer)
    writer.installation.ingest.restore(party(0))
    assert dump_digest(writer.installation.store) == before


# The same pair, made by a client and given by the legacy


@pytest.fixture
def client(tmp_path: Path) -> Writer:
    made = Writer(without_source(tmp_path))
    made.installation.ingest.settings = SETTINGS
    made.installation.ingest.take("bron", "zaak", [zaak(1), zaak(2)], asked=0)
    return made


def take(client: Writer, *rollen: dict[str, Any]) -> None:
    for rol in rollen:
        client.installation.ingest.take("bron", "rol", [rol], asked=0)


def pair_of_client(client: Writer, represented: UUID, representative: UUID) -> str:
    body = {
        "vertegenwoordigdePartij": {"uuid": str(represented)},
        "vertegenwoordigendePartij": {"uuid": str(representative)},
    }
    made = client.send("POST", "vertegenwoordigingen", body)
    assert made.status_code == 201, made.text
    return str(made.get_json()["uuid"])


def served_pairs(client: Writer) -> list[str]:
    return [each["uuid"] for each in client.get("vertegenwoordigingen").get_json()["results"]]


def without_uuid(client: Writer, uuid: str) -> list[str]:
    """The dump, whatever uuid a client's vertegenwoordiging got."""
    return sorted(line.decode().replace(uuid, "-") for line in dump_lines(client.installation.store))


@pytest.mark.slow
@pytest.mark.rule("M19")
def test_a_pair_that_a_client_made_and_the_legacy_gives_is_one_in_any_order(client: Writer, tmp_path: Path):
    take(client, persoon(1, BSN[0]), persoon(2, BSN[1], zaak=2))
    own = pair_of_client(client, party(0), party(1))
    before = without_uuid(client, own)
    machtiging = [giver(3, 0), taker(4, 1)]
    dumps = []
    for order in (machtiging, machtiging[::-1]):
        take(client, *order)
        assert served_pairs(client) == [own]
        derived = pair_uuid(UUIDS, (party(0), party(1)))
        assert client.get(f"vertegenwoordigingen/{derived}").get_json()["uuid"] == own
        twice = client.send(
            "POST", "vertegenwoordigingen", client.get(f"vertegenwoordigingen/{own}").get_json()
        )
        assert twice.status_code == 400
        dumps.append(without_uuid(client, own))
        client.installation.ingest.remove("bron", "rol", [rol_uuid(3), rol_uuid(4)])
        # The client has its own back, and may do with it what it likes.
        assert (served_pairs(client), without_uuid(client, own)) == ([own], before)
    assert dumps[0] == dumps[1]
    Rebuild(client.installation.store, client.installation.ingest).run()
    assert (served_pairs(client), without_uuid(client, own)) == ([own], before)
    assert client.send("DELETE", f"vertegenwoordigingen/{own}").status_code == 204


@pytest.mark.slow
@pytest.mark.rule("M19")
def test_a_pair_that_a_client_made_and_deleted_stays_away_until_it_is_restored(client: Writer):
    take(client, persoon(1, BSN[0]), persoon(2, BSN[1], zaak=2))
    own = pair_of_client(client, party(0), party(1))
    take(client, giver(3, 0), taker(4, 1))
    before = dump_digest(client.installation.store)
    assert client.send("DELETE", f"vertegenwoordigingen/{own}").status_code == 204
    take(client, giver(5, 0, zaak=2), taker(6, 1, zaak=2))
    Rebuild(client.installation.store, client.installation.ingest).run()
    assert served_pairs(client) == []
    client.installation.ingest.remove("bron", "rol", [rol_uuid(5), rol_uuid(6)])
    assert client.installation.ingest.restore(UUID(own)) == 1
    assert (served_pairs(client), dump_digest(client.installation.store)) == ([own], before)


@pytest.mark.slow
@pytest.mark.rule("M6")
def test_a_vertegenwoordiging_is_known_by_what_it_was_under_another_key(register: Register, tmp_path: Path):
    """Whatever came first: the pair, or what joins the keys."""
    url = "https://personen.example/9"
    rollen = [
        persoon(1, url=url, indicatieMachtiging="machtiginggever"),
        taker(2, 1),
        persoon(3, BSN[0], url=url, zaak=2),
    ]
    register.take(zaak(1), zaak(2), *rollen[:2])
    ((old, _),) = pairs(register).items()
    register.take(rollen[2])
    ((uuid, (represented, _)),) = pairs(register).items()
    assert (old != uuid, represented) == (True, str(party(0)))
    assert {
        line["alias"] for line in register.of("key") if line.get("document") == uuid and "alias" in line
    } == {old}
    for order in ((2, 0, 1), (1, 2, 0)):
        other = Register(tmp_path / f"{order}.sqlite")
        other.take(zaak(1), zaak(2))
        for number in order:
            other.take(rollen[number])
        assert other.digest() == register.digest()
        other.store.close()


@pytest.mark.slow
@pytest.mark.rule("M6")
@pytest.mark.rule("M19")
def test_a_join_of_keys_makes_one_pair_of_the_clients_and_the_legacys(client: Writer):
    url = "https://personen.example/9"
    take(client, persoon(1, url=url, zaak=2), giver(2, 0), taker(3, 1))
    (derived,) = served_pairs(client)
    own = pair_of_client(client, key_uuid(UUIDS, f"url:{url}"), party(1))
    take(client, persoon(4, BSN[0], url=url, zaak=2))
    assert served_pairs(client) == [own]
    assert client.get(f"vertegenwoordigingen/{derived}").get_json()["uuid"] == own


@pytest.mark.slow
def test_who_represents_somebody_can_not_be_asked_of_a_source(install: Install, slice_data: Dataset):
    with SampleServer(slice_data) as server:
        for partial in ("refuse", "answer"):
            installation = install(bron=server, partial=partial)
            asker = Asker(installation)
            known = [each["betrokkeneIdentificatie"] or {} for each in slice_data.objects("rol")]
            bsn = next(each["inpBsn"] for each in known if each.get("inpBsn"))
            (found,) = asker.get("partijen", partijIdentificator__objectId=bsn).get_json()["results"]
            answer = asker.get("vertegenwoordigingen", vertegenwoordigdePartij__uuid=found["uuid"])
            assert answer.status_code == (503 if partial == "refuse" else 200)
            assert "vertegenwoordigde" in answer.headers["Klantbrug-Coverage"]
            for path, name in (
                ("vertegenwoordigingen", "vertegenwoordigendePartij__uuid"),
                ("partijen", "vertegenwoordigdePartij__uuid"),  # those that it represents
            ):
                own = asker.get(path, **{name: found["uuid"]})
                assert (own.status_code, own.headers["Klantbrug-Coverage"]) == (200, "complete")


@pytest.mark.slow
def test_a_change_that_its_zaak_does_not_see_leaves_what_was_found_there(register: Register):
    rollen = [giver(1, 0), giver(2, 1), taker(3, 2), taker(4, 3)]
    register.take(zaak(), *rollen)
    before = register.findings()
    changed = giver(1, 0)
    changed["betrokkeneIdentificatie"]["verblijfsadres"] = {"aoaPostcode": "1011PZ", "aoaHuisnummer": 1}
    register.take(changed)
    (moved,) = [line for line in register.of("document", "partij") if line["uuid"] == str(party(0))]
    assert moved["body"]["bezoekadres"]["postcode"] == "1011 PZ"
    assert register.findings() == before
    assert len(before) == 4
