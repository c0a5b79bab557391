"""Which filter finds which object: the keys that an object is kept under.

Source: the query parameters of the Zaken API contracts 1.0.2, 1.5.1 and 1.7.0, and legacy-behaviour.md,
"Versions of the standard".
"""

from collections.abc import Mapping
from typing import Any

from gateway.sample.contents import earlier_standards

IDENTIFICATIONS = {
    "natuurlijk_persoon": ("natuurlijkPersoon", ("inpBsn", "anpIdentificatie", "inpA_nummer")),
    "niet_natuurlijk_persoon": (
        "nietNatuurlijkPersoon",
        ("innNnpId", "annIdentificatie", "kvkNummer", "vestigingsNummer"),
    ),
    "vestiging": ("vestiging", ("vestigingsNummer", "kvkNummer")),
    "medewerker": ("medewerker", ("identificatie",)),
    "organisatorische_eenheid": ("organisatorischeEenheid", ("identificatie",)),
}
# Filters that hold the address of an object of the same server are indexed on its uuid.
LOCAL_URLS = {"zaak": "zaken", "zaaktype": "zaaktypen", "roltype": "roltypen", "catalogus": "catalogussen"}
PLAIN_FIELDS = {
    "zaak": ("identificatie", "bronorganisatie"),
    "rol": ("betrokkene", "betrokkeneType", "omschrijving", "omschrijvingGeneriek"),
    "klantcontact": ("identificatie",),  # no filter: it must be the only one
    "zaakcontactmoment": ("contactmoment",),
    "zaaktype": ("identificatie",),
    "roltype": ("omschrijvingGeneriek",),
}


def index_keys(kind: str, obj: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    """All (filter name, value) pairs that find this object. Never raises: broken objects have fewer keys."""
    if kind in earlier_standards.KINDS:
        return earlier_standards.index_keys(kind, obj)
    keys = {(name, _text(obj.get(name))) for name in PLAIN_FIELDS[kind]}
    for name in LOCAL_URLS:
        if isinstance(obj.get(name), str):
            keys.add((name, obj[name].rpartition("/")[2]))
    if kind == "rol":
        keys |= _identification_keys(obj)
        keys.add(("machtiging", _text(obj.get("indicatieMachtiging")) or "eigen"))
        context = obj.get("authenticatieContext")
        if isinstance(context, dict):
            keys.add(("machtiging__loa", _text(context.get("levelOfAssurance"))))
    return frozenset(key for key in keys if key[1])


def _identification_keys(rol: Mapping[str, Any]) -> set[tuple[str, str]]:
    identificatie, betrokkene_type = rol.get("betrokkeneIdentificatie"), rol.get("betrokkeneType")
    if not isinstance(identificatie, dict) or betrokkene_type not in IDENTIFICATIONS:
        return set()
    group, names = IDENTIFICATIONS[betrokkene_type]
    return {
        (f"betrokkeneIdentificatie__{group}__{name}", _text(identificatie.get(name)))
        for name in names
        if name in identificatie
    }


def _text(value: object) -> str:
    return str(value) if isinstance(value, str | int) else ""
