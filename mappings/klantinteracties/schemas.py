"""The fields of every resource, in the order in which they are judged and shown: one schema a kind.

Source: the contract of API version 0.9.0; where the recorded answers say otherwise, those. Fields marked dump_only
are shown and never taken from a client; required ones among them are in every answer.

A number in brackets is that of a recorded exchange: `tests/data/klantinteracties/<number>-*.json`.
"""

from __future__ import annotations

from typing import Any, Final

from marshmallow import ValidationError, validates_schema

from mappings.klantinteracties import faults
from mappings.klantinteracties.faults import Fault
from mappings.klantinteracties.fields import (
    Address,
    Choice,
    Date,
    FlagField,
    Identity,
    Input,
    Json,
    Moment,
    Nummer,
    TextField,
)
from mappings.klantinteracties.groups import (
    Adres,
    CategorieReference,
    CategorieRelatieSummary,
    Contactnaam,
    Contactpersoon,
    GeautomatiseerdeActor,
    Medewerker,
    Named,
    ObjectIdentificator,
    Organisatie,
    OrganisatorischeEenheid,
    PartijIdentificatorGroep,
    Persoon,
    shown_name,
)
from mappings.klantinteracties.nested_fields import Group, Many, Reference, TextsField, Variants
from mappings.klantinteracties.text_forms import TELEPHONE, camel_case, matching

NUMMER: Final = "Nummer waarmee mensen dit object onderling aanduiden."
# What a partij prefers, and the list that it must be in.
PREFERRED_OF: Final = {
    "voorkeursDigitaalAdres": "digitaleAdressen",
    "voorkeursRekeningnummer": "rekeningnummers",
}
REFERENTIENUMMER: Final = "Kenmerk waarmee mensen dit object onderling aanduiden."


def _empty_flag() -> bool:
    return False


def _clock() -> None:
    """The server's clock gives it."""


def _shown(item: Any, about: str = "") -> Many:
    """A list that other resources make."""
    return Many(item, dump_only=True, required=True, about=about)


class ResourceSchema(Input):
    """What all resources have."""

    uuid = Identity(required=True, dump_only=True, about="Unieke identificatie.")
    url = Address(1000, required=True, dump_only=True, least=1, about="Adres van dit object in deze API.")


class Actor(ResourceSchema):
    """actoren."""

    naam = TextField(200, required=True)
    soortActor = Choice("medewerker", "geautomatiseerde_actor", "organisatorische_eenheid", required=True)
    indicatieActief = FlagField(empty=lambda: True, about="Kan deze actor nog worden gekozen?")
    actoridentificator = Group(
        ObjectIdentificator, allow_none=True, about="Waar de actor buiten dit register bekend is."
    )
    actorIdentificatie = Variants(
        "soortActor",
        {
            "medewerker": Medewerker,
            "geautomatiseerde_actor": GeautomatiseerdeActor,
            "organisatorische_eenheid": OrganisatorischeEenheid,
        },
        about="Gegevens die alleen deze soort actor heeft.",
    )


class DigitaalAdres(ResourceSchema):
    """digitaleadressen."""

    verstrektDoorBetrokkene = Reference(
        "betrokkene",
        allow_none=True,
        about="Betrokkene die dit adres gaf voor het vervolg op een klantcontact.",
    )
    verstrektDoorPartij = Reference("partij", allow_none=True, about="Partij die dit adres heeft.")
    adres = TextField(
        80,
        required=True,
        about="Wordt gecontroleerd naar `soortDigitaalAdres`: een e-mailadres, of een telefoonnummer van de vorm "
        f"`{TELEPHONE}` dat niet met 0800 of 0900 begint.",
    )
    soortDigitaalAdres = Choice("email", "telefoonnummer", "overig", required=True)
    isStandaardAdres = FlagField(
        empty=_empty_flag,
        about="Is dit van zijn soort het standaardadres van de partij? Er is er één per soort: wie het wordt, neemt "
        "het over van het andere.",
    )
    omschrijving = TextField(40)
    referentie = TextField(
        50,
        matching(r"^[-a-zA-Z0-9_]+$", faults.NO_SLUG),
        pattern=r"^[-a-zA-Z0-9_]+$",
        about="Kenmerk voor gebruik door applicaties.",
    )
    verificatieDatum = Date(allow_none=True, about="Dag waarop is vastgesteld dat het adres klopt.")


class Rekeningnummer(ResourceSchema):
    """rekeningnummers."""

    partij = Reference("partij", allow_none=True)
    iban = TextField(
        34,
        matching(
            r"^[A-Za-z]{2}[0-9]{2}[A-Za-z0-9]{1,30}$",
            lambda text: Fault("invalid", f"Ongeldige IBAN: {text}"),
        ),
        required=True,
        pattern=r"^[A-Za-z]{2}[0-9]{2}[A-Za-z0-9]{1,30}$",
    )
    bic = TextField(11, matching(r"^[\S]+$", faults.NO_VALUE), least=8, pattern=r"^[\S]+$")


class ActorKlantcontact(ResourceSchema):
    """actorklantcontacten."""

    actor = Reference("actor", required=True)
    klantcontact = Reference("klantcontact", required=True)


class Klantcontact(ResourceSchema):
    """klantcontacten."""

    gingOverOnderwerpobjecten = _shown(Reference("onderwerpobject"), "Waarover het klantcontact ging.")
    hadBetrokkenActoren = _shown(Group(Actor), "Actoren die bij het klantcontact betrokken waren.")
    omvatteBijlagen = _shown(Reference("bijlage"))
    hadBetrokkenen = _shown(Reference("betrokkene"), "Personen en organisaties met wie contact was.")
    leiddeTotInterneTaken = _shown(Reference("internetaak"))
    nummer = Nummer(about=NUMMER, deprecated=True)
    referentienummer = TextField(10, allow_none=True, about=REFERENTIENUMMER)
    kanaal = TextField(50, required=True, about="Weg waarlangs het contact liep, zoals telefoon of balie.")
    onderwerp = TextField(200, required=True)
    inhoud = TextField(1000)
    reactie = TextField(4000, about="Wat op het contact is geantwoord.")
    indicatieContactGelukt = FlagField(allow_none=True)
    hoofdOnderwerpType = Address(200, about="Type van het onderwerp, zoals een zaaktype.")
    verdereActieOndernomen = FlagField(
        empty=_empty_flag, about="Doet de applicatie zelf iets als de klant niet is bereikt?"
    )
    taal = TextField(3, required=True, about="Taal volgens ISO 639-2/B, zoals `nld`.")
    vertrouwelijk = FlagField(required=True)
    plaatsgevondenOp = Moment(empty=_clock, about="Zonder waarde: nu.")
    metadata = TextsField(TextField(255), about="Vrije gegevens: tekst onder eigen sleutels.")


class Betrokkene(ResourceSchema, Named):
    """betrokkenen."""

    wasPartij = Reference(
        "partij", allow_none=True, about="Partij die deze betrokkene was, als dat bekend is."
    )
    hadKlantcontact = Reference("klantcontact", required=True)
    digitaleAdressen = _shown(Reference("digitaleadres"))
    bezoekadres = Group(Adres, allow_none=True)
    correspondentieadres = Group(Adres, allow_none=True)
    contactnaam = Group(Contactnaam, allow_none=True)
    volledigeNaam = shown_name()
    rol = Choice("vertegenwoordiger", "klant", required=True)
    organisatienaam = TextField(200)
    initiator = FlagField(required=True, about="Begon deze betrokkene het contact?")


class Onderwerpobject(ResourceSchema):
    """onderwerpobjecten."""

    klantcontact = Reference("klantcontact", allow_none=True)
    wasKlantcontact = Reference(
        "klantcontact", allow_none=True, about="Klantcontact dat zelf het onderwerp was."
    )
    onderwerpobjectidentificator = Group(
        ObjectIdentificator, allow_none=True, about="Object buiten dit register, zoals een zaak."
    )


class Bijlage(ResourceSchema):
    """bijlagen."""

    wasBijlageVanKlantcontact = Reference("klantcontact", allow_none=True)
    bijlageidentificator = Group(ObjectIdentificator, allow_none=True, about="Document buiten dit register.")


class InterneTaak(ResourceSchema):
    """internetaken."""

    nummer = Nummer(about=NUMMER, deprecated=True)
    referentienummer = TextField(10, allow_none=True, about=REFERENTIENUMMER)
    gevraagdeHandeling = TextField(200, required=True)
    aanleidinggevendKlantcontact = Reference("klantcontact", required=True)
    toegewezenAanActor = Reference(
        "actor",
        shown_empty=True,
        allow_none=True,
        deprecated=True,
        about="De eerste van `toegewezenAanActoren`; geef een van beide.",
    )
    toegewezenAanActoren = Many(Reference("actor"))
    toelichting = TextField(1000)
    status = Choice("te_verwerken", "verwerkt", required=True)
    toegewezenOp = Moment(required=True, dump_only=True, empty=_clock)
    afgehandeldOp = Moment(
        allow_none=True,
        about="Alleen bij status verwerkt; zonder waarde het moment waarop de status dat werd.",
    )


class Categorie(ResourceSchema):
    """categorieen."""

    naam = TextField(80)


class CategorieRelatie(ResourceSchema):
    """categorie-relaties."""

    partij = Reference("partij", allow_none=True)
    categorie = Reference("categorie", CategorieReference, allow_none=True)
    beginDatum = Date(allow_none=True, about="Zonder waarde: vandaag.")
    eindDatum = Date(allow_none=True)


class PartijIdentificator(ResourceSchema):
    """partij-identificatoren. The uuid is only looked at inside a partij: there it says which one to change."""

    uuid = Identity(about="Unieke identificatie.")
    identificeerdePartij = Reference("partij", allow_none=True)
    anderePartijIdentificator = TextField(200, deprecated=True, about="Nummers zonder eigen plaats.")
    partijIdentificator = Group(PartijIdentificatorGroep, required=True)
    subIdentificatorVan = Reference(
        "partij-identificator", allow_none=True, about="Het kvk_nummer waaronder een vestigingsnummer hangt."
    )


class Partij(ResourceSchema):
    """partijen."""

    nummer = Nummer(about=NUMMER, deprecated=True)
    interneNotitie = TextField(1000)
    betrokkenen = _shown(Reference("betrokkene"))
    categorieRelaties = _shown(Reference("categorie-relatie", CategorieRelatieSummary))
    digitaleAdressen = Many(Reference("digitaleadres"), allow_none=True)
    voorkeursDigitaalAdres = Reference(
        "digitaleadres", allow_none=True, about="Een van de digitale adressen van de partij."
    )
    vertegenwoordigden = _shown(Reference("partij"), "Partijen waarvoor deze partij optreedt.")
    rekeningnummers = Many(Reference("rekeningnummer"), allow_none=True)
    voorkeursRekeningnummer = Reference("rekeningnummer", allow_none=True)
    partijIdentificatoren = Many(
        Group(PartijIdentificator, whole=False),
        allow_none=True,
        about="Met `uuid` wordt die identificator gewijzigd, zonder komt er een bij; wat ontbreekt verdwijnt.",
    )
    soortPartij = Choice("persoon", "organisatie", "contactpersoon", required=True)
    indicatieGeheimhouding = FlagField(allow_none=True)
    voorkeurstaal = TextField(3, about="Taal volgens ISO 639-2/B, zoals `nld`.")
    indicatieActief = FlagField(required=True)
    bezoekadres = Group(Adres, allow_none=True)
    correspondentieadres = Group(Adres, allow_none=True)
    partijIdentificatie = Variants(
        "soortPartij",
        {"contactpersoon": Contactpersoon, "persoon": Persoon, "organisatie": Organisatie},
        null_when_new=True,
        about="Gegevens die alleen deze soort partij heeft.",
    )

    @validates_schema(pass_original=True)
    def _preferences(self, data: Json, original_data: Any, **_: Any) -> None:
        """Nothing of a list that is null can be preferred; of an empty one it is said with the others [140]."""
        null = {camel_case(name) for name, value in original_data.items() if value is None}
        wrong = {
            name: [faults.nothing_to_prefer(name, own)]
            for name, own in PREFERRED_OF.items()
            if data.get(name) and own in null
        }
        if wrong:
            raise ValidationError(wrong)


class Vertegenwoordiging(ResourceSchema):
    """vertegenwoordigingen."""

    vertegenwoordigendePartij = Reference("partij", required=True, about="Wie optreedt.")
    vertegenwoordigdePartij = Reference("partij", required=True, about="Voor wie wordt opgetreden.")


# maak-klantcontact: the klantcontact is the one that is made, so nobody refers to it


class BetrokkeneInside(Betrokkene):
    """The betrokkene of maak-klantcontact."""

    hadKlantcontact = Reference("klantcontact", dump_only=True, required=True)


class OnderwerpobjectInside(Onderwerpobject):
    """The onderwerpobject of maak-klantcontact."""

    klantcontact = Reference("klantcontact", dump_only=True, required=True, allow_none=True)


class MaakKlantcontact(Input):
    """maak-klantcontact."""

    klantcontact = Group(Klantcontact, whole=False, required=True)
    betrokkene = Group(BetrokkeneInside, whole=False, shown_null=True)
    onderwerpobject = Group(OnderwerpobjectInside, whole=False, shown_null=True)


SCHEMAS: Final[dict[str, type[Input]]] = {
    "actor": Actor,
    "digitaleadres": DigitaalAdres,
    "rekeningnummer": Rekeningnummer,
    "actorklantcontact": ActorKlantcontact,
    "klantcontact": Klantcontact,
    "betrokkene": Betrokkene,
    "onderwerpobject": Onderwerpobject,
    "bijlage": Bijlage,
    "internetaak": InterneTaak,
    "categorie": Categorie,
    "categorie-relatie": CategorieRelatie,
    "partij": Partij,
    "partij-identificator": PartijIdentificator,
    "vertegenwoordiging": Vertegenwoordiging,
    "maak-klantcontact": MaakKlantcontact,
}
