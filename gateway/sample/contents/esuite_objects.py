"""A few contactmomenten with the fields beside the standard that e-Suite sends (M40). Spellings and types are ours."""

import uuid as uuids
from typing import Any

from gateway.sample.contents.dataset import CANONICAL_BASE, Dataset
from gateway.sample.contents.earlier_standards import PATHS

_NAMESPACE = uuids.UUID("2f0b7a3c-5a51-4b0e-9d0c-8f8a7c1e6b42")
_JANSEN = {
    "identificatie": "jansen01",
    "achternaam": "Jansen",
    "voorletters": "P.",
    "voorvoegselAchternaam": "",
}
_CONTACTMOMENTEN: tuple[dict[str, Any], ...] = (
    # Asked at the desk, and answered there.
    {
        "onderwerp": "Openingstijden van de milieustraat",
        "tekst": "Wanneer is de milieustraat open?",
        "antwoord": "Op werkdagen van negen tot vijf.",
        "medewerker": _JANSEN,
        "type": "Vraag",
        "status": "Afgehandeld",
    },
    # To be called back: nobody that the Klanten API knows, but with a number.
    {
        "onderwerp": "Terugbellen over een kapvergunning",
        "tekst": "Wil weten of een boom gekapt mag worden.",
        "medewerker": _JANSEN,
        "type": "Contactverzoek",
        "status": "Nieuw",
        "toelichting": "Na vier uur bereikbaar.",
        "behandelaar": {"identificatie": "bakker02", "naam": "Bakker"},
        "afdeling": {"identificatie": "vergunningen", "naam": "Vergunningen"},
        "groep": {"identificatie": "vergunningen", "naam": "Team bomen"},
        "contactgegevens": {
            "emailadres": "terugbellen@voorbeeld.example",
            "telefoonnummer": "0612345678",
            "telefoonnummerAlternatief": "030 - 123 45 67",
        },
    },
    # Done, by a department that is named by its identificatie alone.
    {
        "onderwerp": "Verhuizing doorgeven",
        "tekst": "Kwam langs om een verhuizing door te geven.",
        "type": "Contactverzoek",
        "status": "Afgehandeld",
        "afdeling": "burgerzaken",
        "contactgegevens": {"emailadres": "", "telefoonnummer": "", "telefoonnummerAlternatief": None},
    },
    # Of other types than expected, and a field that nobody knows.
    {
        "onderwerp": "Melding openbare ruimte",
        "tekst": "Een lantaarnpaal brandt niet.",
        "antwoord": 42,
        "behandelaar": ["jansen01"],
        "contactgegevens": "0612345678",
        "wachttijd": 90,
    },
)


def add_esuite(dataset: Dataset) -> Dataset:
    """Add these contactmomenten, without klant and zaak, to a dataset; returns it."""
    for number, fields in enumerate(_CONTACTMOMENTEN):
        uuid = uuids.uuid5(_NAMESPACE, f"contactmoment {number}")
        contact: dict[str, Any] = {
            "url": f"{CANONICAL_BASE}{PATHS['contactmoment']}/{uuid}",
            "vorigContactmoment": None,
            "volgendContactmoment": None,
            "bronorganisatie": "002220647",
            "klant": "",
            "registratiedatum": f"2025-03-{number + 1:02d}T09:00:00Z",
            "kanaal": "telefoon",
            "voorkeurskanaal": "",
            "voorkeurstaal": "nld",
            "onderwerpLinks": [],
            "initiatiefnemer": "klant",
            "medewerker": "",
            "medewerkerIdentificatie": None,
        }
        dataset.add("contactmoment", contact | fields)
    return dataset
