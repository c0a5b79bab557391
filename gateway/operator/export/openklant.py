"""The models of Open Klant 2.18, as its own loaddata takes them (E9): a table of fields each. Pure.

Source: the dump of a real one, in tests/data/openklant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Json = Mapping[str, Any]
APP = "klantinteracties"
NAAM = {
    "contactnaam_voorletters": "voorletters",
    "contactnaam_voornaam": "voornaam",
    "contactnaam_voorvoegsel_achternaam": "voorvoegselAchternaam",
    "contactnaam_achternaam": "achternaam",
}
ADRES = {
    "nummeraanduiding_id": "nummeraanduidingId",
    "straatnaam": "straatnaam",
    "huisnummer": "huisnummer",
    "huisnummertoevoeging": "huisnummertoevoeging",
    "postcode": "postcode",
    "stad": "stad",
    "adresregel1": "adresregel1",
    "adresregel2": "adresregel2",
    "adresregel3": "adresregel3",
    "land": "land",
}
CODES = {
    "object_id": "objectId",
    "code_objecttype": "codeObjecttype",
    "code_register": "codeRegister",
    "code_soort_object_id": "codeSoortObjectId",
}


class Model(NamedTuple):
    """How documents of a kind are rows of a model.

    `values` are its fields by the place in the document (with dots); `links` those that hold the pk of something, by
    the reference of the document.
    """

    name: str
    kind: str
    values: dict[str, str]
    links: dict[str, str]


def _group(prefix: str, place: str, names: Mapping[str, str]) -> dict[str, str]:
    return {f"{prefix}{field}": f"{place}.{name}" for field, name in names.items()}


def _adressen() -> dict[str, str]:
    return _group("bezoekadres_", "bezoekadres", ADRES) | _group(
        "correspondentieadres_", "correspondentieadres", ADRES
    )


ACTOR = Model(
    "actor",
    "actor",
    {
        "uuid": "uuid",
        "naam": "naam",
        "soort_actor": "soortActor",
        "indicatie_actief": "indicatieActief",
        **_group("actoridentificator_", "actoridentificator", CODES),
    },
    {},
)
PARTIJ = Model(
    "partij",
    "partij",
    {
        **_adressen(),
        "uuid": "uuid",
        "nummer": "nummer",
        "interne_notitie": "interneNotitie",
        "soort_partij": "soortPartij",
        "indicatie_geheimhouding": "indicatieGeheimhouding",
        "voorkeurstaal": "voorkeurstaal",
        "indicatie_actief": "indicatieActief",
    },
    {
        "voorkeurs_digitaal_adres": "voorkeursDigitaalAdres",
        "voorkeurs_rekeningnummer": "voorkeursRekeningnummer",
    },
)
PARTIJ_IDENTIFICATOR = Model(
    "partijidentificator",
    "partij-identificator",
    {
        "uuid": "uuid",
        "andere_partij_identificator": "anderePartijIdentificator",
        **{f"partij_identificator_{field}": f"partijIdentificator.{name}" for field, name in CODES.items()},
    },
    {"sub_identificator_van": "subIdentificatorVan", "partij": "identificeerdePartij"},
)
# In the order in which they load with foreign keys on.
MODELS: tuple[Model, ...] = (
    ACTOR,
    PARTIJ,
    PARTIJ_IDENTIFICATOR,
    Model(
        "rekeningnummer",
        "rekeningnummer",
        {"uuid": "uuid", "iban": "iban", "bic": "bic"},
        {"partij": "partij"},
    ),
    Model("categorie", "categorie", {"uuid": "uuid", "naam": "naam"}, {}),
    Model(
        "categorierelatie",
        "categorie-relatie",
        {"uuid": "uuid", "begin_datum": "beginDatum", "eind_datum": "eindDatum"},
        {"partij": "partij", "categorie": "categorie"},
    ),
    Model(
        "vertegenwoordigden",
        "vertegenwoordiging",
        {"uuid": "uuid"},
        {
            "vertegenwoordigende_partij": "vertegenwoordigendePartij",
            "vertegenwoordigde_partij": "vertegenwoordigdePartij",
        },
    ),
    Model(
        "klantcontact",
        "klantcontact",
        {
            "uuid": "uuid",
            "nummer": "nummer",
            "referentienummer": "referentienummer",
            "kanaal": "kanaal",
            "onderwerp": "onderwerp",
            "inhoud": "inhoud",
            "reactie": "reactie",
            "indicatie_contact_gelukt": "indicatieContactGelukt",
            "hoofd_onderwerp_type": "hoofdOnderwerpType",
            "verdere_actie_ondernomen": "verdereActieOndernomen",
            "taal": "taal",
            "vertrouwelijk": "vertrouwelijk",
            "plaatsgevonden_op": "plaatsgevondenOp",
            "metadata": "metadata",
        },
        {},
    ),
    Model(
        "betrokkene",
        "betrokkene",
        {
            **_adressen(),
            **{field: f"contactnaam.{name}" for field, name in NAAM.items()},
            "uuid": "uuid",
            "rol": "rol",
            "organisatienaam": "organisatienaam",
            "initiator": "initiator",
        },
        {"partij": "wasPartij", "klantcontact": "hadKlantcontact"},
    ),
    Model(
        "digitaaladres",
        "digitaleadres",
        {
            "uuid": "uuid",
            "soort_digitaal_adres": "soortDigitaalAdres",
            "is_standaard_adres": "isStandaardAdres",
            "adres": "adres",
            "omschrijving": "omschrijving",
            "referentie": "referentie",
            "verificatie_datum": "verificatieDatum",
        },
        {"partij": "verstrektDoorPartij", "betrokkene": "verstrektDoorBetrokkene"},
    ),
    Model(
        "onderwerpobject",
        "onderwerpobject",
        {"uuid": "uuid", **_group("onderwerpobjectidentificator_", "onderwerpobjectidentificator", CODES)},
        {"klantcontact": "klantcontact", "was_klantcontact": "wasKlantcontact"},
    ),
    Model(
        "actorklantcontact",
        "actorklantcontact",
        {"uuid": "uuid"},
        {"actor": "actor", "klantcontact": "klantcontact"},
    ),
    Model(
        "bijlage",
        "bijlage",
        {"uuid": "uuid", **_group("bijlageidentificator_", "bijlageidentificator", CODES)},
        {"klantcontact": "klantcontact"},
    ),
    Model(
        "internetaak",
        "internetaak",
        {
            "uuid": "uuid",
            "nummer": "nummer",
            "referentienummer": "referentienummer",
            "gevraagde_handeling": "gevraagdeHandeling",
            "toelichting": "toelichting",
            "status": "status",
            "toegewezen_op": "toegewezenOp",
            "afgehandeld_op": "afgehandeldOp",
        },
        {"klantcontact": "aanleidinggevendKlantcontact"},
    ),
)
# Which actor an internetaak is given to, in the order of their pks.
THROUGH = "internetakenactorenthoughmodel"
# What is blank there where a text has no value; of these null says something.
MAY_BE_NULL = frozenset(
    {
        "nummer",
        "referentienummer",
        "indicatie_geheimhouding",
        "indicatie_contact_gelukt",
        "begin_datum",
        "eind_datum",
        "verificatie_datum",
        "afgehandeld_op",
        "toegewezen_op",
        "bezoekadres_huisnummer",
        "correspondentieadres_huisnummer",
    }
)
# The rows beside those of an actor or partij, by its soort: model, the group, and its fields.
SORTS: dict[str, tuple[str, dict[str, str]]] = {
    "medewerker": (
        "medewerker",
        {"functie": "functie", "emailadres": "emailadres", "telefoonnummer": "telefoonnummer"},
    ),
    "organisatorische_eenheid": (
        "organisatorischeeenheid",
        {
            "omschrijving": "omschrijving",
            "emailadres": "emailadres",
            "faxnummer": "faxnummer",
            "telefoonnummer": "telefoonnummer",
        },
    ),
    "geautomatiseerde_actor": (
        "geautomatiseerdeactor",
        {"functie": "functie", "omschrijving": "omschrijving"},
    ),
    "organisatie": ("organisatie", {"naam": "naam"}),
    "persoon": ("persoon", {field: f"contactnaam.{name}" for field, name in NAAM.items()}),
    "contactpersoon": (
        "contactpersoon",
        {**{field: f"contactnaam.{name}" for field, name in NAAM.items()}, "uuid": "uuid"},
    ),
}
SORT_OF = {"actor": ("soortActor", "actorIdentificatie"), "partij": ("soortPartij", "partijIdentificatie")}


def values(names: Mapping[str, str], document: Json) -> dict[str, Any]:
    """The fields of a row, by where they stand in a document."""
    return {field: _value(field, place, document) for field, place in names.items()}


def _value(field: str, place: str, document: Json) -> Any:
    name, _, inner = place.partition(".")
    found = document.get(name)
    if inner:
        found = found.get(inner) if found else None
    if found is None and field not in MAY_BE_NULL:
        return {} if field == "metadata" else ""
    return found


def beside(kind: str, document: Json) -> Iterator[tuple[str, dict[str, Any]]]:
    """The row beside that of an actor or partij: its model and fields, without the pks."""
    if kind in SORT_OF:
        soort, group = SORT_OF[kind]
        if document.get(group) is not None:
            model, names = SORTS[document[soort]]
            yield model, values(names, document[group])
