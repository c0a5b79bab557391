"""Which address is the standard one of a partij and which it prefers (M11, M21), on what clients' edits leave."""

from __future__ import annotations

import random
from typing import Any

import pytest
from builders.legacy_objects import KVK, organisatie, persoon, rol_uuid, zaak
from builders.store_digest import dump_digest
from builders.writer import BSN_OF_CLIENT, BSNS, Writer, taking
from builders.writer import register as register

from gateway.ingest.ingest import Ingest
from jobs.rebuild.rebuild import Rebuild

pytestmark = [pytest.mark.rule("M21"), pytest.mark.slow]

EMAIL, PHONE = "email", "telefoonnummer"


def rol(number: int, contact: dict[str, str], bsn: str = BSN_OF_CLIENT, **rest: Any) -> dict[str, Any]:
    """A rol of a person with this contactpersoonRol, registered on the so many'th day."""
    return persoon(number, bsn, on=number, contact=contact, **rest)


def adressen(register: Writer) -> dict[str, dict[str, Any]]:
    found = register.get("digitaleadressen", pageSize="500").get_json()["results"]
    return {each["adres"]: each for each in found}


def standard(register: Writer) -> set[str]:
    return {adres for adres, each in adressen(register).items() if each["isStandaardAdres"]}


def partijen(register: Writer) -> dict[str, dict[str, Any]]:
    """By BSN, or by soortPartij without one."""
    found = register.get("partijen", pageSize="500").get_json()["results"]
    named = {}
    for each in found:
        numbers = [one["partijIdentificator"]["objectId"] for one in each["partijIdentificatoren"]]
        named[numbers[0] if numbers else each["soortPartij"]] = each
    return named


def preferred(register: Writer, name: str = BSN_OF_CLIENT) -> str | None:
    """The address that a partij prefers."""
    found = partijen(register)[name]["voorkeursDigitaalAdres"]
    by_uuid = {each["uuid"]: adres for adres, each in adressen(register).items()}
    return by_uuid[found["uuid"]] if found else None


def patch(register: Writer, adres: str, body: dict[str, Any]) -> dict[str, Any]:
    uuid = adressen(register)[adres]["uuid"]
    answer = register.send("PATCH", f"digitaleadressen/{uuid}", body)
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


def delete(register: Writer, adres: str) -> None:
    uuid = adressen(register)[adres]["uuid"]
    assert register.send("DELETE", f"digitaleadressen/{uuid}").status_code == 204


def post(
    register: Writer, adres: str, bsn: str = BSN_OF_CLIENT, *, soort: str = EMAIL, is_it: bool = True
) -> None:
    body = {
        "verstrektDoorPartij": {"uuid": partijen(register)[bsn]["uuid"]},
        "adres": adres,
        "soortDigitaalAdres": soort,
        "isStandaardAdres": is_it,
        "omschrijving": "",
    }
    answer = register.send("POST", "digitaleadressen", body)
    assert answer.status_code == 201, answer.text


def prefer(register: Writer, adres: str | None) -> None:
    chosen = {"uuid": adressen(register)[adres]["uuid"]} if adres else None
    path = f"partijen/{partijen(register)[BSN_OF_CLIENT]['uuid']}"
    assert register.send("PATCH", path, {"voorkeursDigitaalAdres": chosen}).status_code == 200


@pytest.fixture
def ingest(register: Writer) -> Ingest:
    made = taking(register)
    made.take("bron", "zaak", [zaak()], asked=0)
    return made


def same_after_rebuild(register: Writer, ingest: Ingest) -> None:
    """What clients see, and all that is held, is the same after a rebuild."""
    before = dump_digest(register.installation.store)
    Rebuild(register.installation.store, ingest).run()
    assert dump_digest(register.installation.store) == before


# D16: whose address is it?


@pytest.mark.rule("M23")
@pytest.mark.parametrize(
    "naam", ["buurvrouw, A. Voorbeeld", "Bea Ander", "A. Voorbeeld-Ander", "Mevrouw Bea Voorbeeld"]
)
def test_an_address_that_goes_with_another_name_is_never_standard_or_preferred(
    register: Writer, ingest: Ingest, naam: str
) -> None:
    """Though it is the newest; clients see whose it is in the omschrijving."""
    own = {"voornamen": "Anna", "voorletters": "A.", "geslachtsnaam": "Voorbeeld", "inpBsn": BSN_OF_CLIENT}
    theirs = {"naam": naam, "emailadres": "buur@voorbeeld.nl", "telefoonnummer": "0612345678"}
    rollen = [
        rol(1, {"emailadres": "anna@voorbeeld.nl"}) | {"betrokkeneIdentificatie": own},
        rol(2, theirs) | {"betrokkeneIdentificatie": own},
    ]
    ingest.take("bron", "rol", rollen, asked=0)
    assert standard(register) == {"anna@voorbeeld.nl"}
    assert preferred(register) == "anna@voorbeeld.nl"
    assert adressen(register)["buur@voorbeeld.nl"]["omschrijving"] == naam
    ingest.remove("bron", "rol", [rol_uuid(1)])
    assert (standard(register), preferred(register)) == (set(), None)
    same_after_rebuild(register, ingest)


@pytest.mark.rule("M23")
@pytest.mark.parametrize(
    "naam",
    ["", "Anna Voorbeeld", "A. van der Voorbeeld", "mevrouw A.B. Voorbeeld", "VOORBEELD, Anna", "Voorbeeld"],
)
def test_a_partijs_own_name_in_another_spelling_is_not_another(
    register: Writer, ingest: Ingest, naam: str
) -> None:
    own = {
        "voornamen": "Anna Bea",
        "voorletters": "A.B.",
        "voorvoegselGeslachtsnaam": "van der",
        "geslachtsnaam": "Voorbeeld",
        "inpBsn": BSN_OF_CLIENT,
    }
    given = {"naam": naam, "emailadres": "anna@voorbeeld.nl"}
    ingest.take("bron", "rol", [rol(1, given) | {"betrokkeneIdentificatie": own}], asked=0)
    assert standard(register) == {"anna@voorbeeld.nl"}
    assert preferred(register) == "anna@voorbeeld.nl"


@pytest.mark.rule("M23")
def test_the_name_of_a_partij_may_stand_in_another_of_its_rollen(register: Writer, ingest: Ingest) -> None:
    nameless = rol(2, {"naam": "A. Voorbeeld", "emailadres": "anna@voorbeeld.nl"}, naam="")
    ingest.take("bron", "rol", [nameless], asked=0)
    assert standard(register) == set()  # nobody says that it is the partij itself
    named = rol(1, {})
    named["betrokkeneIdentificatie"]["voornamen"] = "Anna"
    ingest.take("bron", "rol", [named], asked=0)
    assert standard(register) == {"anna@voorbeeld.nl"}
    same_after_rebuild(register, ingest)


@pytest.mark.rule("M23")
def test_an_address_that_one_rol_gives_with_another_name_is_anothers(
    register: Writer, ingest: Ingest
) -> None:
    """Whatever others say: its omschrijving names that other as well."""
    both = [
        rol(1, {"naam": "De buurvrouw", "emailadres": "b@voorbeeld.nl"}),
        rol(2, {"emailadres": "b@voorbeeld.nl"}),
    ]
    ingest.take("bron", "rol", both, asked=0)
    assert (standard(register), preferred(register)) == (set(), None)
    ingest.remove("bron", "rol", [rol_uuid(1)])
    assert (standard(register), preferred(register)) == ({"b@voorbeeld.nl"}, "b@voorbeeld.nl")


@pytest.mark.rule("M22")
def test_a_contactpersoon_prefers_its_address_and_its_organisation_does_not(
    register: Writer, ingest: Ingest
) -> None:
    contact = {"naam": "Jan de Wit", "emailadres": "jan@voorbeeld.nl"}
    ingest.take("bron", "rol", [organisatie(1, kvk=KVK[0], contact=contact)], asked=0)
    seen = {
        soort: (partij["voorkeursDigitaalAdres"] is not None) for soort, partij in partijen(register).items()
    }
    assert seen == {KVK[0]: False, "contactpersoon": True}
    own = {"emailadres": "info@voorbeeld.nl", "telefoonnummer": "0201234567"}
    ingest.take("bron", "rol", [organisatie(2, kvk=KVK[0], contact=own)], asked=0)
    assert preferred(register, KVK[0]) == "info@voorbeeld.nl"
    same_after_rebuild(register, ingest)


# M11: what a derived partij prefers


@pytest.mark.rule("M11")
def test_a_derived_partij_prefers_its_standard_email_else_its_telephone(
    register: Writer, ingest: Ingest
) -> None:
    ingest.take("bron", "rol", [rol(1, {"telefoonnummer": "0201234567"})], asked=0)
    assert preferred(register) == "0201234567"
    ingest.take("bron", "rol", [rol(2, {"emailadres": "oud@voorbeeld.nl"})], asked=0)
    assert preferred(register) == "oud@voorbeeld.nl"
    ingest.take("bron", "rol", [rol(3, {"emailadres": "nieuw@voorbeeld.nl"})], asked=0)
    assert preferred(register) == "nieuw@voorbeeld.nl"
    post(register, "client@voorbeeld.nl")
    assert preferred(register) == "client@voorbeeld.nl"
    same_after_rebuild(register, ingest)
    delete(register, "client@voorbeeld.nl")
    assert preferred(register) == "nieuw@voorbeeld.nl"
    ingest.remove("bron", "rol", [rol_uuid(2), rol_uuid(3)])
    assert preferred(register) == "0201234567"
    same_after_rebuild(register, ingest)


@pytest.mark.rule("M11")
def test_no_partij_prefers_an_address_of_soort_overig(register: Writer, ingest: Ingest) -> None:
    ingest.take("bron", "rol", [rol(1, {"telefoonnummer": "0800-1234"})], asked=0)
    assert (standard(register), preferred(register)) == ({"0800-1234"}, None)


@pytest.mark.rule("M11")
def test_what_a_partij_prefers_can_be_left_to_clients(register: Writer) -> None:
    ingest = taking(register, voorkeursadres=False)
    ingest.take("bron", "zaak", [zaak()], asked=0)
    ingest.take("bron", "rol", [rol(1, {"emailadres": "a@voorbeeld.nl"})], asked=0)
    assert (standard(register), preferred(register)) == ({"a@voorbeeld.nl"}, None)
    prefer(register, "a@voorbeeld.nl")
    ingest.take("bron", "rol", [rol(2, {"emailadres": "b@voorbeeld.nl"})], asked=0)
    assert preferred(register) == "a@voorbeeld.nl"


@pytest.mark.rule("M19")
def test_what_a_client_lets_a_partij_prefer_wins(register: Writer, ingest: Ingest) -> None:
    rollen = [
        rol(day, {"emailadres": f"{day}@voorbeeld.nl", "telefoonnummer": f"020123456{day}"}) for day in (1, 2)
    ]
    ingest.take("bron", "rol", rollen, asked=0)
    prefer(register, "1@voorbeeld.nl")
    ingest.take(
        "bron",
        "rol",
        [rollen[0] | {"roltoelichting": "anders"}, rol(3, {"emailadres": "3@voorbeeld.nl"})],
        asked=0,
    )
    assert preferred(register) == "1@voorbeeld.nl"
    same_after_rebuild(register, ingest)
    delete(register, "1@voorbeeld.nl")  # with what it chose the choice is gone
    assert preferred(register) == "3@voorbeeld.nl"
    same_after_rebuild(register, ingest)
    prefer(register, None)
    assert preferred(register) is None
    ingest.take("bron", "rol", [rol(4, {"emailadres": "4@voorbeeld.nl"})], asked=0)
    assert preferred(register) is None
    same_after_rebuild(register, ingest)


@pytest.mark.rule("M19")
def test_when_a_client_deletes_what_a_partij_prefers_it_prefers_the_next(
    register: Writer, ingest: Ingest
) -> None:
    ingest.take("bron", "rol", [rol(day, {"emailadres": f"{day}@voorbeeld.nl"}) for day in (1, 2)], asked=0)
    assert preferred(register) == "2@voorbeeld.nl"
    delete(register, "2@voorbeeld.nl")
    assert preferred(register) == "1@voorbeeld.nl"
    ingest.take("bron", "rol", [rol(2, {"emailadres": "2@voorbeeld.nl"}, roltoelichting="anders")], asked=0)
    assert preferred(register) == "1@voorbeeld.nl"
    same_after_rebuild(register, ingest)
    delete(register, "1@voorbeeld.nl")
    assert preferred(register) is None
    same_after_rebuild(register, ingest)


# G37: one standard address per partij and soort, never without a partij


def test_when_a_clients_standard_address_is_deleted_the_newest_is_standard_at_once(
    register: Writer, ingest: Ingest
) -> None:
    ingest.take(
        "bron",
        "rol",
        [rol(1, {"emailadres": "a@voorbeeld.nl"}), rol(2, {"emailadres": "b@voorbeeld.nl"})],
        asked=0,
    )
    post(register, "client@voorbeeld.nl")
    assert standard(register) == {"client@voorbeeld.nl"}
    delete(register, "client@voorbeeld.nl")
    assert standard(register) == {"b@voorbeeld.nl"}
    delete(register, "b@voorbeeld.nl")
    assert standard(register) == {"a@voorbeeld.nl"}
    same_after_rebuild(register, ingest)


@pytest.mark.parametrize("how", ["PATCH of the address", "PATCH of the partij"])
def test_a_standard_address_that_goes_to_another_partij_is_its_standard_one(
    register: Writer, ingest: Ingest, how: str
) -> None:
    ingest.take(
        "bron",
        "rol",
        [
            rol(1, {"emailadres": "oud@voorbeeld.nl"}),
            rol(2, {"emailadres": "a@voorbeeld.nl"}),
            rol(3, {"emailadres": "b@voorbeeld.nl"}, BSNS[1]),
        ],
        asked=0,
    )
    other = partijen(register)[BSNS[1]]
    if how == "PATCH of the address":
        patch(register, "a@voorbeeld.nl", {"verstrektDoorPartij": {"uuid": other["uuid"]}})
    else:
        uuids = [adressen(register)[adres]["uuid"] for adres in ("a@voorbeeld.nl", "b@voorbeeld.nl")]
        body = {"digitaleAdressen": [{"uuid": uuid} for uuid in uuids]}
        assert register.send("PATCH", f"partijen/{other['uuid']}", body).status_code == 200
    assert standard(register) == {"oud@voorbeeld.nl", "a@voorbeeld.nl"}
    assert (preferred(register), preferred(register, BSNS[1])) == ("oud@voorbeeld.nl", "a@voorbeeld.nl")
    same_after_rebuild(register, ingest)
    ingest.take("bron", "rol", [rol(4, {"emailadres": "nieuw@voorbeeld.nl"}, BSNS[1])], asked=0)
    assert standard(register) == {"oud@voorbeeld.nl", "a@voorbeeld.nl"}
    ingest.remove("bron", "rol", [rol_uuid(2)])  # it is gone from its new partij, that has its own again
    assert standard(register) == {"oud@voorbeeld.nl", "nieuw@voorbeeld.nl"}
    same_after_rebuild(register, ingest)


def test_a_telephone_that_becomes_an_email_address_is_the_standard_one(
    register: Writer, ingest: Ingest
) -> None:
    ingest.take(
        "bron",
        "rol",
        [
            rol(1, {"emailadres": "a@voorbeeld.nl", "telefoonnummer": "0201234567"}),
            rol(2, {"telefoonnummer": "0612345678"}),
        ],
        asked=0,
    )
    patch(register, "0612345678", {"soortDigitaalAdres": EMAIL, "adres": "client@voorbeeld.nl"})
    assert standard(register) == {"client@voorbeeld.nl", "0201234567"}
    same_after_rebuild(register, ingest)
    ingest.take("bron", "rol", [rol(3, {"emailadres": "c@voorbeeld.nl"})], asked=0)
    assert standard(register) == {"client@voorbeeld.nl", "0201234567"}
    same_after_rebuild(register, ingest)


def test_an_address_without_a_partij_is_never_standard(register: Writer, ingest: Ingest) -> None:
    ingest.take(
        "bron",
        "rol",
        [rol(1, {"emailadres": "a@voorbeeld.nl"}), rol(2, {"emailadres": "b@voorbeeld.nl"})],
        asked=0,
    )
    patch(register, "a@voorbeeld.nl", {"verstrektDoorPartij": None})
    ingest.remove("bron", "rol", [rol_uuid(2)])
    assert standard(register) == set()
    same_after_rebuild(register, ingest)


def test_who_is_no_longer_standard_leaves_it_to_the_newest_of_the_others(
    register: Writer, ingest: Ingest
) -> None:
    ingest.take(
        "bron",
        "rol",
        [rol(1, {"emailadres": "a@voorbeeld.nl"}), rol(2, {"emailadres": "b@voorbeeld.nl"})],
        asked=0,
    )
    patch(register, "b@voorbeeld.nl", {"isStandaardAdres": False})
    assert standard(register) == {"a@voorbeeld.nl"}
    ingest.take("bron", "rol", [rol(3, {"emailadres": "B@voorbeeld.nl"})], asked=0)
    assert standard(register) == {"a@voorbeeld.nl"}
    same_after_rebuild(register, ingest)


@pytest.mark.rule("M6")
def test_of_two_partijen_that_are_joined_each_has_its_clients_standard_back(
    register: Writer, ingest: Ingest
) -> None:
    url = "https://personen.example/9"
    ingest.take("bron", "rol", [rol(1, {}), rol(2, {}, "", url=url)], asked=0)
    found = register.get("partijen").get_json()["results"]
    for number, partij in enumerate(found):
        body = {
            "verstrektDoorPartij": {"uuid": partij["uuid"]},
            "adres": f"client{number}@voorbeeld.nl",
            "soortDigitaalAdres": EMAIL,
            "isStandaardAdres": True,
            "omschrijving": "",
        }
        assert register.send("POST", "digitaleadressen", body).status_code == 201
    before = dump_digest(register.installation.store)
    joining = rol(3, {}, url=url)
    ingest.take("bron", "rol", [joining], asked=0)
    assert standard(register) == {"client1@voorbeeld.nl"}  # what was chosen last
    same_after_rebuild(register, ingest)
    ingest.remove("bron", "rol", [rol_uuid(3)])
    assert dump_digest(register.installation.store) == before
    ingest.take("bron", "rol", [joining], asked=0)
    patch(register, "client0@voorbeeld.nl", {"isStandaardAdres": True})
    assert standard(register) == {"client0@voorbeeld.nl"}
    same_after_rebuild(register, ingest)


@pytest.mark.rule("M19")
@pytest.mark.parametrize("seed", (0, 1, 2, 19, 21))
def test_after_any_writes_and_changes_there_is_one_standard_address(
    register: Writer, ingest: Ingest, seed: int
) -> None:
    """Of each partij and soort, of a partij only, the same after a rebuild; what a partij prefers is its own."""
    chance = random.Random(seed)
    everybody = (BSN_OF_CLIENT, BSNS[1], "")
    contacts = [
        {"emailadres": f"{number}@voorbeeld.nl", "telefoonnummer": f"061234567{number % 10}"}
        for number in range(8)
    ]

    def legacy() -> None:
        number = chance.randrange(1, 13)
        if chance.random() < 0.3:
            ingest.remove("bron", "rol", [rol_uuid(number)])
        else:
            contact = chance.choice(contacts) | {"naam": chance.choice(("", "", "De buurvrouw"))}
            bsn = chance.choice(everybody)
            url = chance.choice(("", "", "https://personen.example/9"))  # joins two partijen for a while
            ingest.take("bron", "rol", [rol(number, contact, bsn, url=url)], asked=0)

    def client() -> None:
        held, people = list(adressen(register).values()), list(partijen(register).values())
        if not held:
            return
        adres, partij = chance.choice(held), chance.choice(people)
        path, whom = f"digitaleadressen/{adres['uuid']}", f"partijen/{partij['uuid']}"
        written = [
            ("DELETE", path, None),
            ("PATCH", path, {"isStandaardAdres": chance.choice((True, False))}),
            ("PATCH", path, {"verstrektDoorPartij": {"uuid": partij["uuid"]}}),
            ("PATCH", path, {"verstrektDoorPartij": None, "isStandaardAdres": False}),
            ("PATCH", path, {"soortDigitaalAdres": EMAIL, "adres": f"c{chance.random()}@voorbeeld.nl"}),
            ("PATCH", whom, {"voorkeursDigitaalAdres": chance.choice((None, {"uuid": adres["uuid"]}))}),
            ("PATCH", whom, {"digitaleAdressen": [{"uuid": adres["uuid"]}]}),
        ]
        if chance.random() < 0.3:
            post(
                register,
                f"c{chance.random()}@voorbeeld.nl",
                chance.choice(list(partijen(register))),
                is_it=True,
            )
        else:
            register.send(*chance.choice(written))

    for _ in range(40):
        chance.choice((legacy, client))()
        held = list(adressen(register).values())
        seen = [
            (each["verstrektDoorPartij"]["uuid"], each["soortDigitaalAdres"])
            for each in held
            if each["isStandaardAdres"]
        ]
        assert len(seen) == len(set(seen))
        for partij in partijen(register).values():
            if chosen := partij["voorkeursDigitaalAdres"]:
                assert chosen["uuid"] in [each["uuid"] for each in partij["digitaleAdressen"]]
    same_after_rebuild(register, ingest)
