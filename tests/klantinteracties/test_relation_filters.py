"""Every filter that follows a relation, on a small hand-made register: in which direction does it look?"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from builders.editor import (
    BSN,
    KLANTCONTACT,
    KVK,
    NOBODY,
    ORGANISATIE,
    PERSOON,
    VESTIGING,
    Editor,
    codes,
    ref,
)

from gateway.klantinteracties.model.resources import RESOURCES

pytestmark = pytest.mark.slow

ZAKEN = (
    {"objectId": "z1", "codeObjecttype": "zaak", "codeRegister": "r1", "codeSoortObjectId": "s1"},
    {"objectId": "z2", "codeObjecttype": "taak", "codeRegister": "r2", "codeSoortObjectId": "s2"},
)


@pytest.fixture
def made(editor: Editor) -> dict[str, Any]:
    """By name. What ends in 1 hangs on klantcontact1 or partij1, what ends in 2 on the other one.

    partij1 acts for partij2, and partij2 for partij3, which is a vestiging of it.
    """
    make = editor.make
    found: dict[str, Any] = {}
    found["partij1"] = make("partijen", {
        **PERSOON, "nummer": "11", "partijIdentificatoren": [{"partijIdentificator": codes("bsn", BSN)}],
    })  # fmt: skip
    found["partij2"] = make("partijen", {
        **ORGANISATIE, "nummer": "12", "partijIdentificatoren": [{"partijIdentificator": codes("kvk_nummer", KVK)}],
    })  # fmt: skip
    kvk = found["partij2"]["partijIdentificatoren"][0]
    found["partij3"] = make("partijen", {
        **ORGANISATIE, "soortPartij": "contactpersoon", "partijIdentificatie": {},
        "partijIdentificatoren": [
            {"partijIdentificator": codes("vestigingsnummer", VESTIGING), "subIdentificatorVan": ref(kvk)},
        ],
    })  # fmt: skip
    for one, other in ((1, 2), (2, 3)):
        pair = {
            "vertegenwoordigendePartij": ref(found[f"partij{one}"]),
            "vertegenwoordigdePartij": ref(found[f"partij{other}"]),
        }
        found[f"vertegenwoordiging{one}"] = make("vertegenwoordigingen", pair)
    for n in (1, 2):
        partij = ref(found[f"partij{n}"])
        contact = make("klantcontacten", {**KLANTCONTACT, "nummer": f"2{n}", "referentienummer": f"r{n}"})
        found[f"klantcontact{n}"] = contact
        rol = ("klant", "vertegenwoordiger")[n - 1]
        body = {"hadKlantcontact": ref(contact), "wasPartij": partij, "rol": rol, "initiator": True}
        found[f"betrokkene{n}"] = make("betrokkenen", body)
        email = {"adres": f"b{n}@example.nl", "soortDigitaalAdres": "email", "verstrektDoorPartij": None}
        by = {"verstrektDoorBetrokkene": ref(found[f"betrokkene{n}"])}
        found[f"adres{n}"] = make("digitaleadressen", {**email, **by})
        of_partij = {"adres": f"p{n}@example.nl", "verstrektDoorPartij": partij}
        found[f"partijadres{n}"] = make("digitaleadressen", {**email, **of_partij})
        found[f"actor{n}"] = make("actoren", {"naam": f"actor {n}", "soortActor": "medewerker"})
        body = {"actor": ref(found[f"actor{n}"]), "klantcontact": ref(contact)}
        found[f"actorklantcontact{n}"] = make("actorklantcontacten", body)
        found[f"bijlage{n}"] = make("bijlagen", {"wasBijlageVanKlantcontact": ref(contact)})
        taak = {
            "gevraagdeHandeling": "g",
            "status": "te_verwerken",
            "toegewezenAanActor": ref(found[f"actor{n}"]),
        }
        found[f"internetaak{n}"] = make(
            "internetaken", {**taak, "aanleidinggevendKlantcontact": ref(contact)}
        )
        found[f"categorie{n}"] = make("categorieen", {"naam": f"c{n}"})
        body = {"partij": partij, "categorie": ref(found[f"categorie{n}"])}
        found[f"relatie{n}"] = make("categorie-relaties", body)
    # What was about the one was said at the other.
    for n, other in ((1, 2), (2, 1)):
        found[f"onderwerp{n}"] = make("onderwerpobjecten", {
            "klantcontact": ref(found[f"klantcontact{n}"]), "wasKlantcontact": ref(found[f"klantcontact{other}"]),
            "onderwerpobjectidentificator": ZAKEN[n - 1],
        })  # fmt: skip
    make("klantcontacten", {**KLANTCONTACT, "onderwerp": "Van niemand"})
    return found


# List, the parameter before __uuid and __url, what it names, and what is found with it.
BY_REFERENCE = [
    ("digitaleadressen", "verstrektDoorBetrokkene", "betrokkene1", ["adres1"]),
    ("digitaleadressen", "verstrektDoorPartij", "partij1", ["partijadres1"]),
    ("actorklantcontacten", "actor", "actor2", ["actorklantcontact2"]),
    ("actorklantcontacten", "klantcontact", "klantcontact2", ["actorklantcontact2"]),
    ("klantcontacten", "hadBetrokkene", "betrokkene2", ["klantcontact2"]),
    ("klantcontacten", "hadBetrokkene__wasPartij", "partij2", ["klantcontact2"]),
    ("klantcontacten", "onderwerpobject", "onderwerp1", ["klantcontact1"]),
    ("klantcontacten", "wasOnderwerpobject", "onderwerp1", ["klantcontact2"]),
    ("betrokkenen", "hadKlantcontact", "klantcontact1", ["betrokkene1"]),
    ("betrokkenen", "verstrektedigitaalAdres", "adres2", ["betrokkene2"]),
    ("betrokkenen", "wasPartij", "partij2", ["betrokkene2"]),
    ("onderwerpobjecten", "klantcontact", "klantcontact1", ["onderwerp1"]),
    ("onderwerpobjecten", "wasKlantcontact", "klantcontact1", ["onderwerp2"]),
    ("bijlagen", "klantcontact", "klantcontact2", ["bijlage2"]),
    ("internetaken", "aanleidinggevendKlantcontact", "klantcontact1", ["internetaak1"]),
    ("internetaken", "klantcontact", "klantcontact2", ["internetaak2"]),
    ("internetaken", "toegewezenAanActor", "actor1", ["internetaak1"]),
    ("categorie-relaties", "categorie", "categorie2", ["relatie2"]),
    ("categorie-relaties", "partij", "partij1", ["relatie1"]),
    ("partijen", "vertegenwoordigdePartij", "partij1", ["partij2"]),
    ("partijen", "vertegenwoordigdePartij", "partij2", ["partij3"]),
    ("partijen", "vertegenwoordigdePartij", "partij3", []),
    ("vertegenwoordigingen", "vertegenwoordigendePartij", "partij2", ["vertegenwoordiging2"]),
    ("vertegenwoordigingen", "vertegenwoordigdePartij", "partij2", ["vertegenwoordiging1"]),
]
BY_VALUE = [
    ("digitaleadressen", {"verstrektDoorBetrokkene__rol": "vertegenwoordiger"}, ["adres2"]),
    ("digitaleadressen", {"verstrektDoorPartij__soortPartij": "persoon"}, ["partijadres1"]),
    ("klantcontacten", {"hadBetrokkene__digitaaladres__adres__icontains": "B1@"}, ["klantcontact1"]),
    ("klantcontacten", {"hadBetrokkene__wasPartij": "true"}, ["klantcontact2", "klantcontact1"]),
    ("klantcontacten", {"leiddeTotInterneTaken": "true"}, ["klantcontact2", "klantcontact1"]),
    ("betrokkenen", {"hadKlantcontact__nummer": "21"}, ["betrokkene1"]),
    ("betrokkenen", {"hadKlantcontact__referentienummer": "r2"}, ["betrokkene2"]),
    ("betrokkenen", {"verstrektedigitaalAdres__adres": "b2@example.nl"}, ["betrokkene2"]),
    ("betrokkenen", {"wasPartij__nummer": "11"}, ["betrokkene1"]),
    ("internetaken", {"actoren__naam": "actor 2"}, ["internetaak2"]),
    ("internetaken", {"klantcontact__nummer": "22"}, ["internetaak2"]),
    ("internetaken", {"klantcontact__referentienummer": "r1"}, ["internetaak1"]),
    ("categorie-relaties", {"categorie__naam": "c2"}, ["relatie2"]),
    ("categorie-relaties", {"partij__nummer": "11"}, ["relatie1"]),
    ("partijen", {"categorierelatie__categorie__naam": "c2"}, ["partij2"]),
    *(
        (path, {f"{prefix}{name}": value}, [found])
        for path, prefix, found in (
            ("digitaleadressen", "verstrektDoorPartij__partijIdentificator__", "partijadres1"),
            ("klantcontacten", "hadBetrokkene__wasPartij__partijIdentificator__", "klantcontact1"),
            ("betrokkenen", "wasPartij__partijIdentificator__", "betrokkene1"),
            ("partijen", "partijIdentificator__", "partij1"),
        )
        for name, value in codes("bsn", BSN).items()
    ),
    *(
        ("partijen", {f"subIdentificatorVan__{name}": value}, ["partij3"])
        for name, value in codes("kvk_nummer", KVK).items()
    ),
    *(
        ("klantcontacten", {f"{prefix}onderwerpobjectidentificator{name[0].upper()}{name[1:]}": value}, [found])
        for prefix, found in (("onderwerpobject__", "klantcontact2"), ("wasOnderwerpobject__", "klantcontact1"))
        for name, value in ZAKEN[1].items()
    ),
]  # fmt: skip


def test_a_filter_through_a_relation_looks_in_the_right_direction(
    editor: Editor, made: dict[str, Any]
) -> None:
    names = {one["uuid"]: name for name, one in made.items()}
    wrong, asked = [], set()

    def ask(path: str, query: dict[str, str], expected: list[str]) -> None:
        asked.update((path, name) for name in query)
        results = editor.get(f"/{path}?{urlencode(query)}")["results"]
        found = [names.get(one["uuid"], "another") for one in results]
        if found != expected:
            wrong.append(f"{path}?{next(iter(query))}: {found}, not {expected}")

    known = {(resource.path, item.name) for resource in RESOURCES for item in resource.filters}
    for path, parameter, about, expected in BY_REFERENCE:
        one = made[about]
        ask(path, {f"{parameter}__uuid": one["uuid"]}, expected)
        ask(path, {f"{parameter}__uuid": NOBODY}, [])
        if (path, f"{parameter}__url") in known:
            ask(path, {f"{parameter}__url": one["url"]}, expected)
    for path, query, expected in BY_VALUE:
        ask(path, query, expected)
    assert wrong == []
    through = {(one.path, item.name) for one in RESOURCES for item in one.filters if item.where.path}
    assert through - asked == set()
