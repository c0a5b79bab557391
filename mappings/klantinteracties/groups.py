"""The groups of fields inside resources, and what references and lists of links show.

A number in brackets is that of a recorded exchange: `tests/data/klantinteracties/<number>-*.json`.
"""

from __future__ import annotations

from typing import Any

from marshmallow import post_load

from mappings.klantinteracties.faults import Fault
from mappings.klantinteracties.fields import Choice, Date, Identity, Input, Json, NumberField, TextField
from mappings.klantinteracties.nested_fields import Group, Reference, ReferenceTo
from mappings.klantinteracties.text_forms import TELEPHONE, is_country, is_email, is_telephone, matching
from mappings.values.namen import volledige_naam


class Adres(Input):
    """A postal address."""

    nummeraanduidingId = TextField(
        16,
        matching(r"^[0-9]{16}$", lambda text: Fault("invalid", f"Ongeldige nummeraanduiding BAG-ID: {text}")),
        pattern=r"^[0-9]{16}$",
        about="Nummeraanduiding in de Basisregistratie Adressen en Gebouwen.",
    )
    straatnaam = TextField(255)
    huisnummer = NumberField(1, 99999, allow_none=True)
    huisnummertoevoeging = TextField(20, about="Huisletter en toevoeging.")
    postcode = TextField(
        7,
        matching(
            r"^[1-9][0-9]{3} [A-Z]{2}$",
            lambda text: Fault(
                "invalid", f"Postcode moet aan het volgende formaat voldoen: `1234 AB` (met spatie): {text}"
            ),
        ),
        pattern=r"^[1-9][0-9]{3} [A-Z]{2}$",
        about="Postcode als `1234 AB`, met spatie.",
    )
    stad = TextField(255)
    adresregel1 = TextField(80, about="Vrije regel, voor wat geen adres in de BAG is.")
    adresregel2 = TextField(80)
    adresregel3 = TextField(80)
    land = TextField(2, is_country, least=2, about="Landcode volgens ISO 3166-1, twee letters.")


class Contactnaam(Input):
    """The name of a person."""

    voorletters = TextField(10)
    voornaam = TextField(200)
    voorvoegselAchternaam = TextField(10)
    achternaam = TextField(200)


class ObjectIdentificator(Input):
    """Where something outside this register is known."""

    objectId = TextField(200, about="Waarde die het object aanduidt.")
    codeObjecttype = TextField(200, about="Soort object.")
    codeRegister = TextField(200, about="Register waarin het object staat.")
    codeSoortObjectId = TextField(200, about="Wat voor aanduiding `objectId` is.")


class PartijIdentificatorGroep(Input):
    """A number of a partij in a base register."""

    codeObjecttype = Choice("natuurlijk_persoon", "niet_natuurlijk_persoon", "vestiging", required=True)
    codeSoortObjectId = Choice("bsn", "vestigingsnummer", "kvk_nummer", "rsin", required=True)
    objectId = TextField(
        200,
        required=True,
        blank=True,  # no number either, but that is said with the number [135]
        about="Het nummer: bsn en rsin 9 cijfers met elfproef, kvk_nummer 8, vestigingsnummer 12.",
    )
    codeRegister = Choice("brp", "hr", required=True)


class Named(Input):
    """A group or resource with a contactnaam, from which volledigeNaam follows."""

    @post_load
    def _name(self, data: Json, **_: Any) -> Json:
        if "contactnaam" in data:
            data["volledigeNaam"] = volledige_naam(data["contactnaam"])
        return data


def shown_name() -> TextField:
    """The field volledigeNaam."""
    return TextField(
        required=True, dump_only=True, empty=str, about="Voornaam, voorvoegsel en achternaam achter elkaar."
    )


class Contactpersoon(Named):
    """partijIdentificatie of a contactpersoon."""

    uuid = Identity(dump_only=True, about="Unieke identificatie van de contactpersoon.")
    werkteVoorPartij = Reference("partij", allow_none=True, about="Organisatie waarvoor deze persoon werkte.")
    contactnaam = Group(Contactnaam, allow_none=True)
    volledigeNaam = shown_name()


class Persoon(Named):
    """partijIdentificatie of a persoon."""

    contactnaam = Group(Contactnaam, allow_none=True)
    volledigeNaam = shown_name()


class Organisatie(Input):
    """partijIdentificatie of an organisatie."""

    naam = TextField(200)


def _telefoonnummer(**rest: Any) -> TextField:
    return TextField(20, is_telephone, pattern=TELEPHONE, **rest)


def _emailadres() -> TextField:
    return TextField(254, is_email, format="email")


class Medewerker(Input):
    """actorIdentificatie of a medewerker."""

    functie = TextField(40, required=True)
    emailadres = _emailadres()
    telefoonnummer = _telefoonnummer(required=True)


class GeautomatiseerdeActor(Input):
    """actorIdentificatie of a geautomatiseerde_actor."""

    functie = TextField(40, required=True)
    omschrijving = TextField(200)


class OrganisatorischeEenheid(Input):
    """actorIdentificatie of an organisatorische_eenheid."""

    omschrijving = TextField(200)
    emailadres = _emailadres()
    faxnummer = TextField(20)
    telefoonnummer = _telefoonnummer()


# What lists of links show


class CategorieReference(ReferenceTo):
    """A reference to a categorie, shown with its name."""

    naam = TextField(dump_only=True, required=True)


class CategorieRelatieSummary(ReferenceTo):
    """A categorie-relatie as its partij shows it."""

    categorieNaam = TextField(dump_only=True, required=True, allow_none=True)
    beginDatum = Date(allow_none=True)
    eindDatum = Date(allow_none=True)
