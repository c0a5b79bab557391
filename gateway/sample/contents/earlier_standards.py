"""What the sample Klanten API and Contactmomenten API 1.0 have: collections, filters, and which finds what.

Source: the contracts klanten-1.0 and contactmomenten-1.0. Both are small beside the Zaken API: one version, pages of a
hundred without pageSize, `klantcontactmomenten` a bare array.
"""

from collections.abc import Mapping
from typing import Any

VERSION = "1.0.0"
PATHS = {
    "klant": "/klanten/api/v1/klanten",
    "contactmoment": "/contactmomenten/api/v1/contactmomenten",
    "klantcontactmoment": "/contactmomenten/api/v1/klantcontactmomenten",
    "objectcontactmoment": "/contactmomenten/api/v1/objectcontactmomenten",
}
KINDS = frozenset(PATHS)
KLANTEN_COLLECTIONS = {"klanten": "klant"}
CONTACTMOMENTEN_COLLECTIONS = {
    path.rpartition("/")[2]: kind for kind, path in PATHS.items() if kind != "klant"
}
UNPAGED = frozenset({"klantcontactmoment"})

# Filters on a field of the same name.
PLAIN_FIELDS = {
    "klant": (
        *("bronorganisatie", "klantnummer", "bedrijfsnaam", "functie", "achternaam"),
        *("telefoonnummer", "emailadres", "subject", "subjectType"),
    ),
    "contactmoment": (
        *("vorigContactmoment", "volgendContactmoment", "bronorganisatie", "registratiedatum"),
        *("kanaal", "voorkeurskanaal", "voorkeurstaal", "initiatiefnemer", "medewerker"),
    ),
    "klantcontactmoment": ("contactmoment", "klant", "rol"),
    "objectcontactmoment": ("object", "contactmoment", "objectType"),
}
# Filters on a field of an object within the object, by the filter's name.
_ADRES = {
    "adres__straatnaam": "straatnaam",
    "adres__postcode": "postcode",
    "adres__woonplaatsNaam": "woonplaatsnaam",
    "adres__landcode": "landcode",
}
_SUBJECT = {
    "natuurlijk_persoon": {
        "subjectNatuurlijkPersoon__inpBsn": "inpBsn",
        "subjectNatuurlijkPersoon__anpIdentificatie": "anpIdentificatie",
        "subjectNatuurlijkPersoon__inpA_nummer": "inpANummer",
    },
    "niet_natuurlijk_persoon": {
        "subjectNietNatuurlijkPersoon__innNnpId": "innNnpId",
        "subjectNietNatuurlijkPersoon__annIdentificatie": "annIdentificatie",
    },
    "vestiging": {"subjectVestigingVestigingsNummer": "vestigingsNummer"},
}
_MOMENTS = frozenset(f"registratiedatum__{comparison}" for comparison in ("gt", "gte", "lt", "lte"))

FILTERS = {kind: frozenset(names) for kind, names in PLAIN_FIELDS.items()}
FILTERS["klant"] |= frozenset({*_ADRES, *(name for names in _SUBJECT.values() for name in names)})
FILTERS["contactmoment"] |= _MOMENTS
URL_FILTERS = frozenset(
    {
        "klant",
        "contactmoment",
        "object",
        "subject",
        "medewerker",
        "vorigContactmoment",
        "volgendContactmoment",
    }
)
CHOICES = {
    "subjectType": tuple(_SUBJECT),
    "initiatiefnemer": ("gemeente", "klant"),
    "objectType": ("zaak",),
    "rol": ("belanghebbende", "gesprekspartner"),
}


def parameters(kind: str) -> frozenset[str]:
    """The query parameters of a list."""
    names = FILTERS[kind] | (frozenset() if kind in UNPAGED else {"page"})
    return names | {"ordering"} if kind == "contactmoment" else names


def methods(kind: str, *, detail: bool) -> tuple[str, ...]:
    """What may be done with a list, or with a single object."""
    if not detail:
        return ("GET", "POST", "OPTIONS")
    whole = ("PUT", "PATCH") if kind in ("klant", "contactmoment") else ()
    return ("GET", *whole, "DELETE", "OPTIONS")


def index_keys(kind: str, obj: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    """All (filter name, value) pairs that find this object. Never raises: broken objects have fewer keys."""
    keys = {(name, obj[name]) for name in PLAIN_FIELDS[kind] if isinstance(obj.get(name), str)}
    if kind == "klant":
        for group, names in (
            ("adres", _ADRES),
            ("subjectIdentificatie", _SUBJECT.get(str(obj.get("subjectType")), {})),
        ):
            inner = obj.get(group)
            if isinstance(inner, dict):
                keys |= {(name, inner.get(field)) for name, field in names.items()}
    return frozenset((name, value) for name, value in keys if isinstance(value, str) and value)
