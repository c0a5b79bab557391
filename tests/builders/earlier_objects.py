"""Objects of the Klanten API and the Contactmomenten API 1.0 for examples, as those APIs give them."""

from __future__ import annotations

from typing import Any

from builders.legacy_objects import ZAKEN, day, uuid_of

KLANTEN = "https://klanten.example/klanten/api/v1"
CONTACTMOMENTEN = "https://contacten.example/contactmomenten/api/v1"
PATHS = {
    "klant": f"{KLANTEN}/klanten",
    "contactmoment": f"{CONTACTMOMENTEN}/contactmomenten",
    "klantcontactmoment": f"{CONTACTMOMENTEN}/klantcontactmomenten",
    "objectcontactmoment": f"{CONTACTMOMENTEN}/objectcontactmomenten",
    "zaakcontactmoment": f"{ZAKEN}/zaakcontactmomenten",
}


def earlier_uuid(kind: str, number: int) -> str:
    """The uuid of the example object of that kind and number."""
    place = list(PATHS).index(kind)
    return f"d{place}000000-0000-4000-8000-{number:012d}"


def earlier_url(kind: str, number: int) -> str:
    """The address of that object: all that its own standard names it by."""
    return f"{PATHS[kind]}/{earlier_uuid(kind, number)}"


def klant(
    number: int = 1,
    identificatie: dict[str, Any] | None = None,
    soort: str | None = "natuurlijk_persoon",
    **fields: Any,
) -> dict[str, Any]:
    """A klant of which nothing is known but what its subjectIdentificatie and the fields say."""
    blank = (
        "bedrijfsnaam",
        "functie",
        "voornaam",
        "voorvoegselAchternaam",
        "achternaam",
        "telefoonnummer",
        "emailadres",
        "subject",
    )
    return {
        "url": earlier_url("klant", number),
        "bronorganisatie": "002220647",
        "klantnummer": "",
        "websiteUrl": "",
        "adres": None,
        "subjectType": soort,
        "subjectIdentificatie": identificatie,
        **dict.fromkeys(blank, ""),
    } | fields


def contactmoment(number: int = 1, on: int = 3, **fields: Any) -> dict[str, Any]:
    """A contactmoment of the so many'th day of January 2024."""
    return {
        "url": earlier_url("contactmoment", number),
        "vorigContactmoment": None,
        "volgendContactmoment": None,
        "bronorganisatie": "",
        "klant": "",
        "registratiedatum": day(on),
        "kanaal": "telefoon",
        "voorkeurskanaal": "",
        "voorkeurstaal": "",
        "tekst": "Wanneer wordt de straat geveegd?",
        "onderwerpLinks": [],
        "initiatiefnemer": "klant",
        "medewerker": "",
        "medewerkerIdentificatie": None,
    } | fields


def klantcontactmoment(number: int, contact: int, klant: int, rol: str = "belanghebbende") -> dict[str, Any]:
    """The tie between a contactmoment and a klant."""
    return {
        "url": earlier_url("klantcontactmoment", number),
        "contactmoment": earlier_url("contactmoment", contact),
        "klant": earlier_url("klant", klant),
        "rol": rol,
    }


def objectcontactmoment(number: int, contact: int, zaak: int) -> dict[str, Any]:
    """The tie between a contactmoment and a zaak."""
    return {
        "url": earlier_url("objectcontactmoment", number),
        "contactmoment": earlier_url("contactmoment", contact),
        "object": f"{ZAKEN}/zaken/{uuid_of('zaak', zaak)}",
        "objectType": "zaak",
    }
