"""What names nobody by itself: a vestigingsnummer under two KVK numbers, none, and fillers (M5, M6, M17), over HTTP."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders.configs import UUID_SECRET
from builders.editor import codes
from builders.legacy_objects import (
    KVK,
    RSIN,
    VESTIGING,
    klantcontact,
    medewerker,
    organisatie,
    persoon,
    rol,
    rol_uuid,
    vestiging,
    zaak,
)
from builders.probe.invariants import broken
from builders.probe.probe import Probe
from builders.store_digest import dump_digest
from builders.writer import Writer, without_source
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.ingest.ingest import Ingest
from gateway.installation import Installation
from jobs.rebuild.rebuild import Rebuild
from mappings.identity.identity import Uuids, key_uuid

UUIDS = Uuids(UUID_SECRET)
NUMBER = VESTIGING[0]


class Client(Writer):
    """A client that may write, and the ingest of the register that it asks."""

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation)
        self.ingest = Ingest(installation.store, installation.config.mapping, UUID_SECRET)
        self.ingest.take("bron", "zaak", [zaak(1), zaak(2)], asked=0)

    def take(self, *rollen: dict[str, Any]) -> None:
        self.ingest.take("bron", "rol", list(rollen), asked=0)

    def make(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        created = self.send("POST", path, body)
        assert created.status_code == 201, created.text
        return dict(created.get_json())

    def found(self, **query: str) -> list[dict[str, Any]]:
        page = self.get("partijen", **query).get_json()
        assert page["count"] == len(page["results"])
        return list(page["results"])

    def by_number(self, number: str, kvk: str = "") -> list[dict[str, Any]]:
        """The partijen that a search by this number finds, as KISS asks it."""
        query = {"partijIdentificator__objectId": number}
        if kvk:
            query |= {
                "partijIdentificator__codeSoortObjectId": "vestigingsnummer",
                "subIdentificatorVan__objectId": kvk,
                "subIdentificatorVan__codeSoortObjectId": "kvk_nummer",
            }
        return self.found(**query)

    def served(self, path: str) -> dict[str, Any]:
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return {name: value for name, value in answer.get_json().items() if name != "_expand"}


@pytest.fixture
def client(tmp_path: Path) -> Client:
    return new_client(tmp_path)


def new_client(tmp_path: Path) -> Client:
    return Client(without_source(tmp_path))


def names(partijen: list[dict[str, Any]]) -> list[str]:
    return sorted(partij["partijIdentificatie"]["naam"] for partij in partijen)


# One vestigingsnummer under two KVK numbers


BAKKER = vestiging(
    1, NUMBER, KVK[0], "Bakker", on=1, contact={"emailadres": "bakker@voorbeeld.nl"}, generiek="initiator"
)
SLAGER = vestiging(
    2,
    NUMBER,
    KVK[1],
    "Slager",
    on=2,
    zaak=2,
    contact={"emailadres": "slager@voorbeeld.nl"},
    generiek="initiator",
)


@pytest.mark.rule("M6")
def test_one_vestigingsnummer_under_two_kvk_numbers_is_two_partijen(client: Client) -> None:
    client.take(BAKKER, SLAGER)
    client.ingest.take("bron", "klantcontact", [klantcontact(1), klantcontact(2, zaak=2)], asked=0)
    assert names(client.by_number(NUMBER)) == ["Bakker", "Slager"]
    for kvk, naam in ((KVK[0], "Bakker"), (KVK[1], "Slager")):
        (partij,) = client.by_number(NUMBER, kvk)
        assert partij["partijIdentificatie"]["naam"] == naam
        (adres,) = partij["digitaleAdressen"]
        assert client.served(f"digitaleadressen/{adres['uuid']}")["adres"] == f"{naam.lower()}@voorbeeld.nl"
        assert len(partij["betrokkenen"]) == 1
    assert broken(client.installation.store) == {}


@pytest.mark.rule("M6")
def test_pairs_come_apart_and_together_as_rollen_come_and_go(client: Client) -> None:
    """What clients hold and wrote stays with the firm that it was of."""
    client.take(BAKKER)
    (before,) = client.by_number(NUMBER)
    note = client.send("PATCH", f"partijen/{before['uuid']}", {"interneNotitie": "om de hoek"})
    assert note.status_code == 200
    alone = dump_digest(client.installation.store)
    (adres,) = before["digitaleAdressen"]
    client.take(SLAGER)
    (bakker,), (slager,) = client.by_number(NUMBER, KVK[0]), client.by_number(NUMBER, KVK[1])
    assert before["uuid"] not in (bakker["uuid"], slager["uuid"])
    assert client.served(f"partijen/{before['uuid']}")["uuid"] == bakker["uuid"]
    assert (bakker["interneNotitie"], slager["interneNotitie"]) == ("om de hoek", "")
    assert client.served(f"digitaleadressen/{adres['uuid']}")["adres"] == "bakker@voorbeeld.nl"
    client.ingest.remove("bron", "rol", [rol_uuid(2)])
    assert dump_digest(client.installation.store) == alone
    assert client.served(f"partijen/{bakker['uuid']}")["uuid"] == before["uuid"]
    assert client.get(f"partijen/{slager['uuid']}").status_code == 404
    client.take(SLAGER)
    client.ingest.remove("bron", "rol", [rol_uuid(1)])
    (left,) = client.by_number(NUMBER)
    assert left["partijIdentificatie"]["naam"] == "Slager"
    assert client.served(f"partijen/{slager['uuid']}")["uuid"] == left["uuid"] == before["uuid"]


@pytest.mark.rule("M6")
def test_a_rol_without_kvk_number_goes_with_the_pair_of_the_newest(client: Client) -> None:
    client.take(BAKKER, SLAGER, vestiging(3, NUMBER, "", "Winkel", on=3))
    assert names(client.by_number(NUMBER)) == ["Bakker", "Winkel"]
    client.take(BAKKER | {"registratiedatum": "2024-01-20T12:00:00Z"})
    assert names(client.by_number(NUMBER)) == ["Bakker", "Slager"]
    assert broken(client.installation.store) == {}


# A vestiging without a vestigingsnummer


@pytest.mark.rule("M5")
@pytest.mark.parametrize("number", ["", "0", "90000001"])
def test_a_vestiging_without_a_number_is_found_by_its_kvk_number(client: Client, number: str) -> None:
    contact = {"emailadres": "info@voorbeeld.nl"}
    client.take(
        vestiging(1, number, KVK[0], "Bakkerij", generiek="initiator", contact=contact),
        vestiging(2, number, KVK[0], "Bakkerij", on=2, zaak=2, generiek="initiator"),
    )
    client.ingest.take("bron", "klantcontact", [klantcontact(1), klantcontact(2, zaak=2)], asked=0)
    (partij,) = client.by_number(KVK[0])
    assert partij["partijIdentificatie"]["naam"] == "Bakkerij"
    assert (len(partij["betrokkenen"]), len(partij["digitaleAdressen"])) == (2, 1)
    assert [partij["uuid"] for partij in client.found()] == [partij["uuid"]]
    assert partij["uuid"] == str(key_uuid(UUIDS, f"hr:kvk:{KVK[0]}"))
    client.take(organisatie(3, "Bakkerij B.V.", rsin=RSIN[0], kvk=KVK[0], on=3))
    assert names(client.found()) == ["Bakkerij B.V."]
    assert len(client.found()[0]["betrokkenen"]) == 2
    assert client.served(f"partijen/{partij['uuid']}")["uuid"] == client.found()[0]["uuid"]
    assert broken(client.installation.store) == {}


# Fillers


@pytest.mark.slow
@pytest.mark.rule("M5")
@pytest.mark.parametrize("filler", ["0", "onbekend", "ONBEKEND ", "-", "nvt", "N.v.t."])
def test_a_filler_makes_nobody_one_with_another(client: Client, filler: str) -> None:
    people = [
        rol(number, {"anpIdentificatie": filler, "geslachtsnaam": f"Een {number}"}) for number in (1, 2)
    ]
    firms = [organisatie(number, f"Firma {number}", ann=filler) for number in (3, 4)]
    staff = [medewerker(number, filler, f"Balie {number}") for number in (5, 6)]
    units = [
        rol(number, {"identificatie": filler, "naam": f"Afdeling {number}"}, "organisatorische_eenheid")
        for number in (7, 8)
    ]
    client.take(*people, *firms, *staff, *units)
    assert len(client.found()) == 4
    actoren = client.get("actoren").get_json()["results"]
    assert sorted(actor["naam"] for actor in actoren) == ["Afdeling 7", "Afdeling 8", "Balie 5", "Balie 6"]
    assert {actor["actoridentificator"]["objectId"] for actor in actoren} == {""}
    assert Probe(client.installation.store).count("finding", rule="M5", severity="dropped") == 8


@pytest.mark.rule("M5")
def test_which_fillers_there_are_is_a_setting(client: Client) -> None:
    changed = replace(client.ingest.settings, loze_identificaties=("x",))
    client.ingest = Ingest(client.installation.store, changed, UUID_SECRET)
    client.take(medewerker(1, "onbekend"), medewerker(2, "onbekend"), medewerker(3, "X"), medewerker(4, "x"))
    assert client.get("actoren").get_json()["count"] == 3


# A vestiging without KVK number


def firm(client: Client, kvk: str) -> dict[str, str]:
    """The reference to the identificator of an organisation with this KVK number, which a client made."""
    body = {
        "soortPartij": "organisatie",
        "indicatieActief": True,
        "partijIdentificatie": {"naam": f"Firma {kvk}"},
        "partijIdentificatoren": [{"partijIdentificator": codes("kvk_nummer", kvk)}],
    }
    (own,) = client.make("partijen", body)["partijIdentificatoren"]
    return {"uuid": own["uuid"]}


def branch(client: Client, parent: dict[str, str], naam: str = "Van de client") -> dict[str, Any]:
    """The partij of a vestiging as KISS makes it when it does not find one by both numbers."""
    identificator = {
        "partijIdentificator": codes("vestigingsnummer", NUMBER),
        "subIdentificatorVan": parent,
    }
    return client.make(
        "partijen",
        {
            "soortPartij": "organisatie",
            "indicatieActief": True,
            "partijIdentificatie": {"naam": naam},
            "partijIdentificatoren": [identificator],
        },
    )


WITHOUT = vestiging(1, NUMBER, "", "Filiaal", generiek="initiator", contact={"emailadres": "a@voorbeeld.nl"})


@pytest.mark.slow
@pytest.mark.rule("M17")
@pytest.mark.rule("M19")
def test_what_a_client_writes_under_a_kvk_number_is_one_with_what_the_legacy_has(client: Client) -> None:
    client.take(WITHOUT)
    client.ingest.take("bron", "klantcontact", [klantcontact(1)], asked=0)
    (before,) = client.by_number(NUMBER)
    assert client.by_number(NUMBER, KVK[0]) == []
    made = branch(client, firm(client, KVK[0]))
    assert (len(made["betrokkenen"]), len(made["digitaleAdressen"])) == (1, 1)
    for found in (client.by_number(NUMBER), client.by_number(NUMBER, KVK[0])):
        assert [partij["uuid"] for partij in found] == [made["uuid"]]
    assert client.served(f"partijen/{before['uuid']}")["uuid"] == made["uuid"]
    assert client.served(f"partijen/{made['uuid']}")["partijIdentificatie"]["naam"] == "Van de client"
    joined = dump_digest(client.installation.store)
    client.take(WITHOUT | {"roltoelichting": "anders"})
    client.take(WITHOUT)
    Rebuild(client.installation.store, client.ingest).run()
    assert dump_digest(client.installation.store) == joined
    client.take(WITHOUT | vestiging(1, NUMBER, KVK[0], "Filiaal", generiek="initiator"))
    assert [partij["uuid"] for partij in client.by_number(NUMBER)] == [made["uuid"]]


@pytest.mark.slow
@pytest.mark.rule("M17")
def test_a_parent_given_later_joins_too(client: Client) -> None:
    """The identificator is written by itself, or put under its KVK number, as ZAC does."""
    client.take(WITHOUT)
    parent = firm(client, KVK[0])
    partij = client.make(
        "partijen",
        {"soortPartij": "organisatie", "indicatieActief": True, "partijIdentificatie": {"naam": "Eigen"}},
    )
    client.make(
        "partij-identificatoren",
        {
            "identificeerdePartij": {"uuid": partij["uuid"]},
            "partijIdentificator": codes("vestigingsnummer", NUMBER),
            "subIdentificatorVan": parent,
        },
    )
    (found,) = client.by_number(NUMBER, KVK[0])
    assert (found["uuid"], len(found["digitaleAdressen"])) == (partij["uuid"], 1)


@pytest.mark.slow
@pytest.mark.rule("M6")
def test_a_pair_of_a_client_is_not_the_pair_of_another_firm(client: Client) -> None:
    """Also when the legacy comes with its KVK number only after they were joined."""
    client.take(WITHOUT)
    made = branch(client, firm(client, KVK[1]))
    own = client.served(f"partijen/{made['uuid']}")
    client.take(vestiging(1, NUMBER, KVK[0], "Filiaal"))
    (legacy,) = client.by_number(NUMBER, KVK[0])
    (of_client,) = client.by_number(NUMBER, KVK[1])
    assert (of_client["uuid"], of_client["betrokkenen"], of_client["digitaleAdressen"]) == (
        own["uuid"],
        [],
        [],
    )
    assert (legacy["uuid"], names([legacy])) == (str(key_uuid(UUIDS, f"hr:vestiging:{NUMBER}")), ["Filiaal"])
    apart = dump_digest(client.installation.store)
    Rebuild(client.installation.store, client.ingest).run()
    assert dump_digest(client.installation.store) == apart
    client.take(WITHOUT)
    assert [partij["uuid"] for partij in client.by_number(NUMBER)] == [own["uuid"]]
    client.ingest.remove("bron", "rol", [rol_uuid(1)])
    assert names(client.by_number(NUMBER)) == ["Van de client"]


@pytest.mark.slow
@pytest.mark.rule("M6")
def test_a_third_pair_that_a_client_writes_stays_its_own(client: Client) -> None:
    client.take(BAKKER, SLAGER)
    branch(client, firm(client, KVK[2]))
    assert names(client.by_number(NUMBER)) == ["Bakker", "Slager", "Van de client"]
    client.take(BAKKER | {"roltoelichting": "anders"}, SLAGER | {"roltoelichting": "anders"})
    assert names(client.by_number(NUMBER)) == ["Bakker", "Slager", "Van de client"]


@pytest.mark.slow
@pytest.mark.rule("M17")
def test_what_was_served_without_a_parent_is_accepted_as_it_was(client: Client) -> None:
    client.take(WITHOUT)
    (partij,) = client.by_number(NUMBER)
    partij.pop("_expand", None)
    (identificator,) = partij["partijIdentificatoren"]
    identificator = client.served(f"partij-identificatoren/{identificator['uuid']}")
    for path, shown in (
        (f"partijen/{partij['uuid']}", partij),
        (f"partij-identificatoren/{identificator['uuid']}", identificator),
    ):
        for method in ("PUT", "PATCH"):
            answer = client.send(method, path, shown)
            assert answer.status_code == 200, answer.text
            assert client.served(path) == shown
    assert Probe(client.installation.store).written() == {}
    other = identificator | {"partijIdentificator": codes("vestigingsnummer", VESTIGING[1])}
    for method, path in (
        ("PUT", f"partij-identificatoren/{identificator['uuid']}"),
        ("POST", "partij-identificatoren"),
    ):
        refused = client.send(method, path, other)
        assert refused.status_code == 400
        assert "subIdentificatorVan" in refused.text


@pytest.mark.slow
@pytest.mark.rule("M17")
@pytest.mark.parametrize("order", [1, -1])
def test_a_vestiging_takes_its_kvk_number_from_any_other_rol(client: Client, order: int) -> None:
    acts_for = {"representee": {"identifierType": "vestiging", "identifier": NUMBER}}
    rollen = [WITHOUT, vestiging(2, NUMBER, KVK[0], on=2), persoon(3, authenticatieContext=acts_for)]
    client.take(*rollen[::order])
    assert len(client.by_number(NUMBER, KVK[0])) == len(client.by_number(NUMBER)) == 1


@pytest.mark.slow
@pytest.mark.rule("M19")
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(1, 4), st.sampled_from(["", KVK[0], KVK[1], "client"])), max_size=9))
def test_whatever_clients_and_the_legacy_say_of_a_vestiging_a_rebuild_says_the_same(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, str]]
) -> None:
    """Rollen come and go under either KVK number or none, and clients write pairs of their own meanwhile."""
    client = new_client(tmp_path_factory.mktemp("history"))
    parents = [firm(client, kvk) for kvk in KVK[:3]]
    there: dict[int, str] = {}
    made: dict[str, str] = {}
    for number, kvk in steps:
        if kvk == "client":
            own = {"partijIdentificator": codes("vestigingsnummer", NUMBER)}
            own |= {"subIdentificatorVan": parents[number % 3]}
            body = {"soortPartij": "organisatie", "indicatieActief": True, "partijIdentificatoren": [own]}
            body["partijIdentificatie"] = {"naam": f"Client {number}"}
            answer = client.send("POST", "partijen", body)
            assert answer.status_code in (201, 400)  # 400: there is one with these two numbers
            if answer.status_code == 201:
                made[answer.get_json()["uuid"]] = f"Client {number}"
        elif there.get(number) == kvk:
            client.ingest.remove("bron", "rol", [rol_uuid(number)])
            del there[number]
        else:
            client.take(vestiging(number, NUMBER, kvk, f"Rol {number}", on=number))
            there[number] = kvk
        for uuid, naam in made.items():
            assert client.served(f"partijen/{uuid}")["partijIdentificatie"]["naam"] == naam
        before = dump_digest(client.installation.store)
        Rebuild(client.installation.store, client.ingest).run()
        assert dump_digest(client.installation.store) == before
        for kvk_ in KVK[:3]:
            assert len(client.by_number(NUMBER, kvk_)) <= 1
    client.installation.store.close()
