"""The rules for writing that look at other objects, by example."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from builders.editor import (
    BSN,
    EMAIL,
    KLANTCONTACT,
    KVK,
    NOBODY,
    ORGANISATIE,
    OTHER_BSN,
    PERSOON,
    RSIN,
    VESTIGING,
    Editor,
    identificator,
    ref,
)
from builders.served_store import Client

pytestmark = pytest.mark.slow

ALL = ("__all__", "invalid")


# References


@pytest.mark.slow
@pytest.mark.parametrize(("path", "body", "name"), [
    ("betrokkenen", {"rol": "klant", "initiator": True}, "hadKlantcontact"),
    ("digitaleadressen", EMAIL, "verstrektDoorPartij"),
    ("digitaleadressen", EMAIL, "verstrektDoorBetrokkene"),
    ("rekeningnummers", {"iban": "NL91ABNA0417164300"}, "partij"),
    ("bijlagen", {}, "wasBijlageVanKlantcontact"),
    ("onderwerpobjecten", {}, "wasKlantcontact"),
    ("categorie-relaties", {}, "categorie"),
    ("partij-identificatoren", identificator("bsn", BSN), "identificeerdePartij"),
    ("partijen", PERSOON, "voorkeursDigitaalAdres"),
    ("partijen", PERSOON, "voorkeursRekeningnummer"),
])  # fmt: skip
def test_a_reference_to_nothing_is_refused(
    editor: Editor, path: str, body: dict[str, Any], name: str
) -> None:
    with editor.nothing_written():
        refused = editor.refused("POST", f"/{path}", {**body, name: {"uuid": NOBODY}})
    assert refused == [(f"{name}.uuid", "invalid")]


def test_all_that_is_wrong_with_fields_is_told_at_once_in_their_order(editor: Editor) -> None:
    """Wrong in itself, a reference to nothing, and taken by another one: one answer names them all."""
    editor.make("partijen", {**PERSOON, "nummer": "0000000007"})
    adres = editor.make("digitaleadressen", EMAIL)
    body = {**PERSOON, "nummer": "0000000007", "voorkeurstaal": "nederlands", "indicatieActief": "ja"}
    with editor.nothing_written():
        refused = editor.refused(
            "POST", "/partijen", {**body, "digitaleAdressen": [ref(adres), {"uuid": NOBODY}]}
        )
    assert refused == [
        ("nummer", "unique"),
        ("digitaleAdressen.1.uuid", "invalid"),
        ("voorkeurstaal", "max_length"),
        ("indicatieActief", "invalid"),
    ]


def test_parts_of_maak_klantcontact_are_judged_together(editor: Editor) -> None:
    """A fault in one part hides no reference to nothing in another."""
    body = {
        "klantcontact": {**KLANTCONTACT, "kanaal": ""},
        "betrokkene": {"rol": "klant", "initiator": True, "wasPartij": {"uuid": NOBODY}},
    }
    refused = editor.refused("POST", "/maak-klantcontact", body)
    assert [name for name, _ in refused] == ["klantcontact.kanaal", "betrokkene.wasPartij.uuid"]


def test_a_reference_in_a_list_is_named_by_its_place(editor: Editor) -> None:
    adres = editor.make("digitaleadressen", EMAIL)
    body = {**PERSOON, "digitaleAdressen": [ref(adres), {"uuid": NOBODY}]}
    assert editor.refused("POST", "/partijen", body) == [("digitaleAdressen.1.uuid", "invalid")]
    taak = {"gevraagdeHandeling": "x", "status": "te_verwerken", "toegewezenAanActoren": [{"uuid": NOBODY}]}
    contact = editor.make("klantcontacten", KLANTCONTACT)
    body = {**taak, "aanleidinggevendKlantcontact": ref(contact)}
    assert editor.refused("POST", "/internetaken", body) == [("toegewezenAanActoren.0.uuid", "invalid")]


def test_every_field_that_the_store_refuses_is_named_at_once(editor: Editor) -> None:
    editor.make("klantcontacten", {**KLANTCONTACT, "nummer": "7"})
    editor.make("partijen", {**PERSOON, "nummer": "7"})
    body = {
        **PERSOON,
        "nummer": "7",
        "digitaleAdressen": [{"uuid": NOBODY}],
        "partijIdentificatoren": [
            identificator("vestigingsnummer", VESTIGING, subIdentificatorVan={"uuid": NOBODY})
        ],
    }
    assert editor.refused("POST", "/partijen", body) == [
        ("nummer", "unique"),
        ("digitaleAdressen.0.uuid", "invalid"),
        ("partijIdentificatoren.0.subIdentificatorVan.uuid", "invalid"),
    ]


def test_something_of_another_kind_is_nothing(editor: Editor) -> None:
    partij = editor.make("partijen", PERSOON)
    body = {"rol": "klant", "initiator": True, "hadKlantcontact": ref(partij)}
    assert editor.refused("POST", "/betrokkenen", body) == [("hadKlantcontact.uuid", "invalid")]


# Numbers


def test_a_nummer_is_free_for_its_own_object_and_for_other_kinds(editor: Editor) -> None:
    one = editor.make("klantcontacten", {**KLANTCONTACT, "nummer": "12"})
    other = editor.make("klantcontacten", KLANTCONTACT)
    editor.make("klantcontacten", KLANTCONTACT)  # null is not a nummer, so it may occur often
    editor.put("klantcontacten", one, {**KLANTCONTACT, "nummer": "12"})
    editor.make("partijen", {**PERSOON, "nummer": "12"})
    refused = editor.refused("PATCH", f"/klantcontacten/{other['uuid']}", {"nummer": "12"})
    assert refused == [("nummer", "unique")]
    editor.delete("klantcontacten", one)
    assert editor.patch("klantcontacten", other, {"nummer": "12"})["nummer"] == "12"


def test_a_nummer_of_an_internetaak_is_refused_in_words(editor: Editor) -> None:
    contact, actor = editor.make("klantcontacten", KLANTCONTACT), a_medewerker(editor)
    body = taak(contact, toegewezenAanActor=ref(actor), nummer="5")
    editor.make("internetaken", body)
    got = editor.send("POST", "/internetaken", body)
    assert got.json["invalidParams"][0]["reason"] == "Er bestaat al een interne taak met eenzelfde nummer."


# Identificatoren


def test_a_bsn_is_one_partij_in_the_whole_register(editor: Editor) -> None:
    one = editor.make("partijen", {**PERSOON, "partijIdentificatoren": [identificator("bsn", BSN)]})
    other = editor.make("partijen", PERSOON)
    own = one["partijIdentificatoren"][0]
    body = identificator("bsn", BSN, identificeerdePartij=ref(other))
    with editor.nothing_written():
        assert editor.refused("POST", "/partij-identificatoren", body) == [ALL]
        assert editor.refused("POST", "/partij-identificatoren", identificator("bsn", BSN)) == [ALL]
        assert editor.refused(
            "PATCH", f"/partijen/{other['uuid']}", {"partijIdentificatoren": [identificator("bsn", BSN)]}
        ) == [ALL]
    editor.put("partij-identificatoren", own, identificator("bsn", BSN))  # its own number stays its own
    editor.delete("partij-identificatoren", own)
    assert editor.make("partij-identificatoren", body)["identificeerdePartij"]["uuid"] == other["uuid"]


def test_a_partij_has_one_identificator_of_each_soort(editor: Editor) -> None:
    partij = editor.make("partijen", PERSOON)
    editor.make("partij-identificatoren", identificator("bsn", BSN, identificeerdePartij=ref(partij)))
    second = identificator("bsn", OTHER_BSN, identificeerdePartij=ref(partij))
    assert editor.refused("POST", "/partij-identificatoren", second) == [ALL]
    loose = editor.make("partij-identificatoren", identificator("bsn", OTHER_BSN))
    path = f"/partij-identificatoren/{loose['uuid']}"
    assert editor.refused("PATCH", path, {"identificeerdePartij": ref(partij)}) == [ALL]
    rsin = identificator("rsin", RSIN, identificeerdePartij=ref(partij))
    assert editor.make("partij-identificatoren", rsin)["uuid"]


def test_the_same_vestigingsnummer_under_two_kvk_numbers_is_two(editor: Editor) -> None:
    parents = [
        editor.make("partij-identificatoren", identificator("kvk_nummer", number))
        for number in (KVK, "87654321")
    ]
    for parent in parents:
        body = identificator("vestigingsnummer", VESTIGING, subIdentificatorVan=ref(parent))
        editor.make("partij-identificatoren", body)
        assert editor.refused("POST", "/partij-identificatoren", body) == [ALL]


def test_a_vestigingsnummer_hangs_under_a_kvk_nummer_only(editor: Editor) -> None:
    rsin = editor.make("partij-identificatoren", identificator("rsin", RSIN))
    kvk = editor.make("partij-identificatoren", identificator("kvk_nummer", KVK))
    wrong = identificator("vestigingsnummer", VESTIGING, subIdentificatorVan=ref(rsin))
    refused = [("subIdentificatorVan", "invalid")]
    assert editor.refused("POST", "/partij-identificatoren", wrong) == refused
    vestiging = editor.make(
        "partij-identificatoren", identificator("vestigingsnummer", VESTIGING, subIdentificatorVan=ref(kvk))
    )
    path = f"/partij-identificatoren/{vestiging['uuid']}"
    for parent in (None, ref(rsin), ref(vestiging)):
        assert editor.refused("PATCH", path, {"subIdentificatorVan": parent}) == refused


def test_what_others_hang_under_keeps_its_soort_and_stays(editor: Editor) -> None:
    kvk = editor.make("partij-identificatoren", identificator("kvk_nummer", KVK))
    vestiging = editor.make(
        "partij-identificatoren", identificator("vestigingsnummer", VESTIGING, subIdentificatorVan=ref(kvk))
    )
    path = f"/partij-identificatoren/{kvk['uuid']}"
    with editor.nothing_written():
        assert editor.refused("PATCH", path, identificator("rsin", RSIN)) == [
            ("partijIdentificatorCodeSoortObjectId", "invalid")
        ]
        assert editor.refused("DELETE", path, None) == [("nonFieldErrors", "invalid")]
    corrected = identificator("kvk_nummer", "87654321")
    assert (
        editor.patch("partij-identificatoren", kvk, corrected)["partijIdentificator"]["objectId"]
        == "87654321"
    )
    editor.delete("partij-identificatoren", vestiging)
    editor.patch("partij-identificatoren", kvk, identificator("rsin", RSIN))
    editor.delete("partij-identificatoren", kvk)


def test_a_partij_may_take_its_own_kvk_nummer_and_vestiging_along(editor: Editor) -> None:
    """But not a kvk_nummer that another partij's vestiging hangs under."""
    hoofd, filiaal = (editor.make("partijen", ORGANISATIE) for _ in range(2))
    kvk = editor.make(
        "partij-identificatoren", identificator("kvk_nummer", KVK, identificeerdePartij=ref(hoofd))
    )
    under = {"subIdentificatorVan": ref(kvk)}
    eigen = identificator("vestigingsnummer", VESTIGING, identificeerdePartij=ref(hoofd), **under)
    ander = identificator("vestigingsnummer", "000037178602", identificeerdePartij=ref(filiaal), **under)
    editor.make("partij-identificatoren", eigen)
    editor.make("partij-identificatoren", ander)
    with editor.nothing_written():
        assert editor.refused("DELETE", f"/partijen/{hoofd['uuid']}", None) == [("nonFieldErrors", "invalid")]
    editor.delete("partijen", filiaal)
    editor.delete("partijen", hoofd)
    assert editor.count("/partij-identificatoren") == 0


def test_two_clients_at_once_cannot_make_one_bsn_twice(serve: Callable[..., Client]) -> None:
    clients = [Editor(serve(scope="write")) for _ in range(4)]
    body = {**PERSOON, "partijIdentificatoren": [identificator("bsn", BSN)]}
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda one=one: statuses.append(one.send("POST", "/partijen", body).status))
        for one in clients
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201, 400, 400, 400]
    assert clients[0].count("/partijen") == clients[0].count("/partij-identificatoren") == 1


# The lists of a partij


def test_a_put_of_identificatoren_changes_by_uuid_adds_without_and_removes_the_rest(editor: Editor) -> None:
    """The example in the contract's description of PUT partijen: three before, one of them kept."""
    numbers = [identificator("rsin", RSIN), identificator("kvk_nummer", KVK)]
    partij = editor.make("partijen", {**ORGANISATIE, "partijIdentificatoren": numbers})
    rsin, kvk = partij["partijIdentificatoren"]
    changed = identificator("rsin", "123456782", uuid=rsin["uuid"])
    added = identificator("bsn", BSN)
    after = editor.put("partijen", partij, {**ORGANISATIE, "partijIdentificatoren": [changed, added]})
    shown = {one["partijIdentificator"]["objectId"]: one for one in after["partijIdentificatoren"]}
    assert shown.keys() == {"123456782", BSN}
    assert shown["123456782"]["uuid"] == rsin["uuid"]
    assert editor.gone("partij-identificatoren", kvk)


def test_the_same_identificator_without_uuid_is_made_anew(editor: Editor) -> None:
    body = {**PERSOON, "partijIdentificatoren": [identificator("bsn", BSN)]}
    partij = editor.make("partijen", body)
    after = editor.put("partijen", partij, body)
    assert len(after["partijIdentificatoren"]) == 1
    assert after["partijIdentificatoren"][0]["uuid"] != partij["partijIdentificatoren"][0]["uuid"]


def test_a_new_partij_takes_an_existing_identificator_by_its_uuid(editor: Editor) -> None:
    kvk = editor.make("partij-identificatoren", identificator("kvk_nummer", KVK))
    given = identificator("kvk_nummer", KVK, uuid=kvk["uuid"])
    partij = editor.make("partijen", {**ORGANISATIE, "partijIdentificatoren": [given]})
    assert [one["uuid"] for one in partij["partijIdentificatoren"]] == [kvk["uuid"]]
    assert editor.again("partij-identificatoren", kvk)["identificeerdePartij"]["uuid"] == partij["uuid"]
    unknown = identificator("kvk_nummer", "87654321", uuid=NOBODY)
    refused = editor.refused("POST", "/partijen", {**ORGANISATIE, "partijIdentificatoren": [unknown]})
    assert refused == [("partijIdentificatoren.0.uuid", "invalid")]


def test_what_a_list_leaves_out_cannot_be_a_parent_in_it(editor: Editor) -> None:
    body = {**ORGANISATIE, "partijIdentificatoren": [identificator("kvk_nummer", KVK)]}
    partij = editor.make("partijen", body)
    kvk = partij["partijIdentificatoren"][0]
    orphan = identificator("vestigingsnummer", VESTIGING, subIdentificatorVan=ref(kvk))
    path = f"/partijen/{partij['uuid']}"
    with editor.nothing_written():
        assert editor.refused("PATCH", path, {"partijIdentificatoren": [orphan]}) == [
            ("partijIdentificatoren.0.subIdentificatorVan.uuid", "invalid")
        ]
    both = [identificator("kvk_nummer", KVK, uuid=kvk["uuid"]), orphan]
    shown = editor.patch("partijen", partij, {"partijIdentificatoren": both})["partijIdentificatoren"]
    assert len(shown) == 2
    kept = [{**orphan, "uuid": shown[1]["uuid"]}]
    with editor.nothing_written():
        assert editor.refused("PATCH", path, {"partijIdentificatoren": kept}) == [
            ("nonFieldErrors", "invalid")
        ]
    assert len(editor.again("partijen", partij)["partijIdentificatoren"]) == 2


def test_a_list_of_addresses_takes_over_and_lets_go(editor: Editor) -> None:
    adressen = [editor.make("digitaleadressen", EMAIL) for _ in range(3)]
    one = editor.make("partijen", {**PERSOON, "digitaleAdressen": [ref(adressen[0]), ref(adressen[1])]})
    other = editor.make("partijen", {**PERSOON, "digitaleAdressen": [ref(adressen[1]), ref(adressen[2])]})
    assert [ref(adres) for adres in editor.again("partijen", one)["digitaleAdressen"]] == [ref(adressen[0])]
    editor.patch("partijen", other, {"interneNotitie": "de lijst blijft"})
    assert len(editor.again("partijen", other)["digitaleAdressen"]) == 2
    editor.patch("partijen", other, {"digitaleAdressen": [ref(adressen[2])]})
    assert editor.again("digitaleadressen", adressen[1])["verstrektDoorPartij"] is None
    for empty in ([], None):
        assert editor.patch("partijen", other, {"digitaleAdressen": empty})["digitaleAdressen"] == []
    assert editor.count("/digitaleadressen") == 3


def test_what_a_partij_prefers_is_its_own(editor: Editor) -> None:
    adressen = [editor.make("digitaleadressen", EMAIL) for _ in range(2)]
    rekening = editor.make("rekeningnummers", {"iban": "NL91ABNA0417164300"})
    partij = editor.make(
        "partijen",
        {
            **PERSOON,
            "digitaleAdressen": [ref(adressen[0])],
            "voorkeursDigitaalAdres": ref(adressen[0]),
            "rekeningnummers": [ref(rekening)],
            "voorkeursRekeningnummer": ref(rekening),
        },
    )
    path = f"/partijen/{partij['uuid']}"
    for body in (
        {"voorkeursDigitaalAdres": ref(adressen[1])},
        {"digitaleAdressen": [], "voorkeursDigitaalAdres": ref(adressen[0])},
    ):
        assert editor.refused("PATCH", path, body) == [("voorkeursDigitaalAdres", "invalid")]
    body = {"rekeningnummers": [], "voorkeursRekeningnummer": ref(rekening)}
    assert editor.refused("PATCH", path, body) == [("voorkeursRekeningnummer", "invalid")]
    both = {"digitaleAdressen": [ref(adressen[1])], "voorkeursDigitaalAdres": ref(adressen[1])}
    assert editor.patch("partijen", partij, both)["voorkeursDigitaalAdres"]["uuid"] == adressen[1]["uuid"]


@pytest.mark.parametrize("how", ["unlisted", "given to another", "moved by itself", "deleted"])
def test_a_preferred_address_that_goes_is_preferred_no_longer(editor: Editor, how: str) -> None:
    adres = editor.make("digitaleadressen", EMAIL)
    one = editor.make(
        "partijen", {**PERSOON, "digitaleAdressen": [ref(adres)], "voorkeursDigitaalAdres": ref(adres)}
    )
    other = editor.make("partijen", PERSOON)
    if how == "unlisted":
        editor.patch("partijen", one, {"digitaleAdressen": []})
    elif how == "given to another":
        editor.patch("partijen", other, {"digitaleAdressen": [ref(adres)]})
    elif how == "moved by itself":
        editor.patch("digitaleadressen", adres, {"verstrektDoorPartij": ref(other)})
    else:
        editor.delete("digitaleadressen", adres)
    assert editor.again("partijen", one)["voorkeursDigitaalAdres"] is None


# Standaardadres


def test_the_standaardadres_takes_the_flag_from_the_other_of_its_soort(editor: Editor) -> None:
    one, other = (editor.make("partijen", PERSOON) for _ in range(2))

    def add(partij: dict[str, Any], **fields: Any) -> Any:
        body = {**EMAIL, "verstrektDoorPartij": ref(partij), "isStandaardAdres": True, **fields}
        return editor.make("digitaleadressen", body)

    first, elsewhere = add(one), add(other)
    phone = add(one, adres="0612345678", soortDigitaalAdres="telefoonnummer")
    second = add(one)
    standard = {
        adres["uuid"]: adres["isStandaardAdres"] for adres in editor.get("/digitaleadressen")["results"]
    }
    assert standard == {
        first["uuid"]: False,
        elsewhere["uuid"]: True,
        phone["uuid"]: True,
        second["uuid"]: True,
    }
    editor.patch("digitaleadressen", first, {"isStandaardAdres": True})
    assert editor.again("digitaleadressen", second)["isStandaardAdres"] is False
    editor.patch("partijen", one, {"digitaleAdressen": [ref(first), ref(elsewhere)]})
    assert editor.again("digitaleadressen", elsewhere)["isStandaardAdres"] is True
    assert editor.again("digitaleadressen", first)["isStandaardAdres"] is False
    assert editor.again("digitaleadressen", phone)["isStandaardAdres"] is False  # nobody's now


def test_a_standaardadres_cannot_be_nobodys(editor: Editor) -> None:
    partij = editor.make("partijen", PERSOON)
    adres = editor.make(
        "digitaleadressen", {**EMAIL, "verstrektDoorPartij": ref(partij), "isStandaardAdres": True}
    )
    path = f"/digitaleadressen/{adres['uuid']}"
    refused = editor.refused("PATCH", path, {"verstrektDoorPartij": None})
    assert refused == [("isStandaardAdres", "invalid")]


# Contactpersonen


def contactpersoon(organisatie: dict[str, Any] | None, achternaam: str = "Bakker") -> dict[str, Any]:
    werkt_voor = ref(organisatie) if organisatie else None
    wie = {"werkteVoorPartij": werkt_voor, "contactnaam": {"voornaam": "Petra", "achternaam": achternaam}}
    return {"soortPartij": "contactpersoon", "indicatieActief": True, "partijIdentificatie": wie}


def test_a_contactpersoon_works_for_an_organisatie(editor: Editor) -> None:
    persoon = editor.make("partijen", PERSOON)
    refused = editor.refused("POST", "/partijen", contactpersoon(persoon))
    assert refused == [("partijIdentificatie.werkteVoorPartij.uuid", "invalid")]
    alone = editor.make("partijen", contactpersoon(None))
    assert alone["partijIdentificatie"]["werkteVoorPartij"] is None


def test_the_uuid_of_a_contactpersoon_stays_whatever_is_written(editor: Editor) -> None:
    """A known fault of the recorded server, where it changed with every write."""
    organisatie = editor.make("partijen", ORGANISATIE)
    partij = editor.make("partijen", contactpersoon(organisatie))
    uuid = partij["partijIdentificatie"]["uuid"]
    after = editor.put("partijen", partij, contactpersoon(organisatie, "Visser"))
    assert after["partijIdentificatie"]["uuid"] == uuid
    assert after["partijIdentificatie"]["volledigeNaam"] == "Petra Visser"
    part = {"soortPartij": "contactpersoon", "partijIdentificatie": {"contactnaam": {"achternaam": "Smit"}}}
    after = editor.patch("partijen", partij, part)
    assert after["partijIdentificatie"]["uuid"] == uuid
    assert after["partijIdentificatie"]["werkteVoorPartij"]["uuid"] == organisatie["uuid"]
    after = editor.patch("partijen", partij, {"soortPartij": "persoon"})
    assert after["partijIdentificatie"] is None


def test_without_its_organisatie_a_contactpersoon_is_nobodys(editor: Editor) -> None:
    organisatie = editor.make("partijen", ORGANISATIE)
    partij = editor.make("partijen", contactpersoon(organisatie))
    editor.delete("partijen", organisatie)
    assert editor.again("partijen", partij)["partijIdentificatie"] is None


def test_a_soort_that_changes_empties_what_belonged_to_it(editor: Editor) -> None:
    actor = editor.make(
        "actoren",
        {
            "naam": "Gem",
            "soortActor": "geautomatiseerde_actor",
            "actorIdentificatie": {"functie": "chatbot"},
        },
    )
    assert editor.patch("actoren", actor, {"naam": "Gem 2"})["actorIdentificatie"]["functie"] == "chatbot"
    robot = {"soortActor": "geautomatiseerde_actor", "actorIdentificatie": {"functie": "robot"}}
    after = editor.patch("actoren", actor, robot)
    assert after["actorIdentificatie"] == {"functie": "robot", "omschrijving": ""}
    assert editor.patch("actoren", actor, {"soortActor": "medewerker"})["actorIdentificatie"] is None


# Vertegenwoordigingen


def test_a_pair_is_represented_once_and_nobody_by_himself(editor: Editor) -> None:
    een, twee, drie = (editor.make("partijen", PERSOON) for _ in range(3))

    def pair(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
        return {"vertegenwoordigendePartij": ref(one), "vertegenwoordigdePartij": ref(other)}

    held = editor.make("vertegenwoordigingen", pair(een, twee))
    turned = editor.make("vertegenwoordigingen", pair(twee, een))
    twice = [("nonFieldErrors", "unique")]
    assert editor.refused("POST", "/vertegenwoordigingen", pair(een, twee)) == twice
    editor.put("vertegenwoordigingen", held, pair(een, twee))
    path = f"/vertegenwoordigingen/{turned['uuid']}"
    assert editor.refused("PUT", path, pair(een, twee)) == twice
    itself = [("vertegenwoordigdePartij", "invalid")]
    assert editor.refused("PATCH", path, {"vertegenwoordigdePartij": ref(twee)}) == itself
    assert editor.patch("vertegenwoordigingen", turned, {"vertegenwoordigdePartij": ref(drie)})
    assert [ref(one) for one in editor.again("partijen", twee)["vertegenwoordigden"]] == [ref(drie)]


# Sets of fields that are unique together

SET = [("nonFieldErrors", "unique")]


def test_an_actor_is_named_once_at_a_klantcontact(editor: Editor) -> None:
    een, twee = (a_medewerker(editor, naam) for naam in ("Een", "Twee"))
    contact, other = (editor.make("klantcontacten", KLANTCONTACT) for _ in range(2))

    def pair(actor: dict[str, Any], about: dict[str, Any]) -> dict[str, Any]:
        return {"actor": ref(actor), "klantcontact": ref(about)}

    held = editor.make("actorklantcontacten", pair(een, contact))
    second = editor.make("actorklantcontacten", pair(twee, contact))
    third = editor.make("actorklantcontacten", pair(een, other))
    with editor.nothing_written():
        got = editor.send("POST", "/actorklantcontacten", pair(een, contact))
        assert (got.status, got.json["invalidParams"]) == (400, [{
            "name": "nonFieldErrors", "code": "unique",
            "reason": "De velden actor, klantcontact moeten een unieke set zijn.",
        }])  # fmt: skip
        path = "/actorklantcontacten"
        assert editor.refused("PUT", f"{path}/{second['uuid']}", pair(een, contact)) == SET
        assert editor.refused("PATCH", f"{path}/{second['uuid']}", {"actor": ref(een)}) == SET
        assert editor.refused("PATCH", f"{path}/{third['uuid']}", {"klantcontact": ref(contact)}) == SET
        editor.put("actorklantcontacten", held, pair(een, contact))
    editor.delete("actorklantcontacten", held)
    editor.patch("actorklantcontacten", second, {"actor": ref(een)})


def test_a_referentie_is_of_one_address_of_a_soort_of_a_partij(editor: Editor) -> None:
    een, twee = (editor.make("partijen", PERSOON) for _ in range(2))
    body = {**EMAIL, "referentie": "portaal", "verstrektDoorPartij": ref(een)}
    held = editor.make("digitaleadressen", body)
    phone = {**body, "adres": "0612345678", "soortDigitaalAdres": "telefoonnummer"}
    others = [
        editor.make("digitaleadressen", {**body, **rest})
        for rest in (
            {"referentie": "anders"},
            {"verstrektDoorPartij": ref(twee)},
            phone,
            {"verstrektDoorPartij": None},
        )
    ]
    for _ in range(2):  # without a referentie there may be several
        editor.make("digitaleadressen", {**body, "referentie": ""})
        editor.make("digitaleadressen", {**body, "verstrektDoorPartij": None})
    changes = (
        {"referentie": "portaal"},
        {"verstrektDoorPartij": ref(een)},
        {"soortDigitaalAdres": "email", "adres": "x@example.nl"},
        {"verstrektDoorPartij": ref(een)},
    )
    with editor.nothing_written():
        got = editor.send("POST", "/digitaleadressen", body)
        assert (got.status, got.json["invalidParams"]) == (400, [{
            "name": "nonFieldErrors", "code": "unique",
            "reason": "De velden ['verstrekt_door_partij', 'referentie', 'soort_digitaal_adres'] moeten een unieke "
            "set zijn.",
        }])  # fmt: skip
        for one, change in zip(others, changes, strict=True):
            path = f"/digitaleadressen/{one['uuid']}"
            assert editor.refused("PATCH", path, change) == SET
            assert editor.refused("PUT", path, {**body, "adres": "x@example.nl"}) == SET
        editor.put("digitaleadressen", held, body)
        both = {"digitaleAdressen": [ref(held), ref(others[3])]}
        assert editor.refused("PATCH", f"/partijen/{een['uuid']}", both) == SET
        assert editor.refused("POST", "/partijen", {**PERSOON, **both}) == SET
    editor.patch("partijen", een, {"digitaleAdressen": [ref(others[3])]})  # the other one is let go


# Internetaken


def a_medewerker(editor: Editor, naam: str = "Klaas") -> Any:
    return editor.make("actoren", {"naam": naam, "soortActor": "medewerker"})


def taak(contact: dict[str, Any], **rest: Any) -> dict[str, Any]:
    return {
        "gevraagdeHandeling": "Terugbellen",
        "status": "te_verwerken",
        "aanleidinggevendKlantcontact": ref(contact),
        **rest,
    }


def test_the_server_says_when_a_taak_was_handled(editor: Editor) -> None:
    contact, actor = editor.make("klantcontacten", KLANTCONTACT), a_medewerker(editor)
    made = editor.make("internetaken", taak(contact, toegewezenAanActor=ref(actor)))
    assert made["afgehandeldOp"] is None
    handled = editor.patch("internetaken", made, {"status": "verwerkt"})
    assert handled["afgehandeldOp"] >= made["toegewezenOp"]
    again = editor.patch("internetaken", made, {"toelichting": "x", "status": "verwerkt"})
    assert again["afgehandeldOp"] == handled["afgehandeldOp"]
    assert again["toegewezenOp"] == made["toegewezenOp"]
    said = editor.patch("internetaken", made, {"afgehandeldOp": "2025-01-02"})
    assert said["afgehandeldOp"] == "2025-01-02T00:00:00Z"
    assert editor.patch("internetaken", made, {"status": "te_verwerken"})["afgehandeldOp"] is None


def test_actoren_keep_the_order_in_which_they_were_given(editor: Editor) -> None:
    """The first is the one that applications show as handler. Written anew, changed, deleted, expanded."""
    contact = editor.make("klantcontacten", KLANTCONTACT)
    a, b, c = (a_medewerker(editor, naam) for naam in "abc")

    def order(shown: dict[str, Any]) -> str:
        assert shown["toegewezenAanActor"] == shown["toegewezenAanActoren"][0]
        names = {one["uuid"]: one["naam"] for one in (a, b, c)}
        return "".join(names[one["uuid"]] for one in shown["toegewezenAanActoren"])

    made = editor.make("internetaken", taak(contact, toegewezenAanActoren=[ref(c), ref(a), ref(b), ref(c)]))
    assert order(made) == "cab"
    assert order(editor.again("internetaken", made)) == "cab"
    assert order(editor.patch("internetaken", made, {"toelichting": "x"})) == "cab"
    assert order(editor.patch("internetaken", made, {"toegewezenAanActor": ref(c)})) == "cab"
    for several in ("bca", "ab", "bac", "acb"):
        given = [ref({"a": a, "b": b, "c": c}[naam]) for naam in several]
        assert order(editor.patch("internetaken", made, {"toegewezenAanActoren": given})) == several
        assert order(editor.get("/internetaken")["results"][0]) == several
        shown = editor.get(f"/klantcontacten/{contact['uuid']}?expand=leiddeTotInterneTaken")["_expand"]
        assert order(shown["leiddeTotInterneTaken"][0]) == several
    editor.delete("actoren", a)
    assert order(editor.again("internetaken", made)) == "cb"


def test_a_taak_carries_its_actoren_in_both_ways(editor: Editor) -> None:
    contact = editor.make("klantcontacten", KLANTCONTACT)
    een, twee = a_medewerker(editor, "Een"), a_medewerker(editor, "Twee")
    made = editor.make("internetaken", taak(contact, toegewezenAanActoren=[ref(twee), ref(een)]))
    assert [one["uuid"] for one in made["toegewezenAanActoren"]] == [twee["uuid"], een["uuid"]]
    assert made["toegewezenAanActor"]["uuid"] == twee["uuid"]
    after = editor.patch("internetaken", made, {"toegewezenAanActor": ref(een)})
    assert [one["uuid"] for one in after["toegewezenAanActoren"]] == [een["uuid"]]
    editor.patch("internetaken", made, {"toegewezenAanActor": ref(twee)})
    editor.delete("actoren", twee)
    after = editor.again("internetaken", made)
    assert (after["toegewezenAanActor"], after["toegewezenAanActoren"]) == ({"uuid": None}, [])
