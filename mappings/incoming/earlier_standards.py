"""What a Klanten API and a Contactmomenten API 1.0 send, judged and brought to one form by marshmallow (M3).

As in `zaken`: each text is a string ("" when missing or null), each moment a number of microseconds. The objects of
these standards name each other by URL only; what the mappings need of a URL is its uuid, beside the URL itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from marshmallow import fields

from mappings.incoming.esuite import read_naast
from mappings.incoming.given_fields import (
    AsGiven,
    GivenChoice,
    GivenGroup,
    GivenLines,
    GivenMoment,
    GivenNumber,
    GivenText,
    GivenTexts,
    GivenUuid,
    GivenUuidIfAny,
    GivenUuidOfUrl,
    LenientSchema,
    loaded,
)
from mappings.incoming.identificaties import (
    MedewerkerIdentificatie,
    NatuurlijkPersoon,
    NietNatuurlijkPersoon,
    Vestiging,
)
from mappings.model.findings import Untranslatable

# The Klanten API writes without an underscore what the Zaken API writes with one.
_RENAMED: Final[Mapping[str, str]] = {
    "inpANummer": "inpA_nummer",
    "subAdresBuitenland1": "subAdresBuitenland_1",
    "subAdresBuitenland2": "subAdresBuitenland_2",
    "subAdresBuitenland3": "subAdresBuitenland_3",
}
ROLLEN: Final = ("belanghebbende", "gesprekspartner")


def load_klant(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Give a klant with every field that the mappings use.

    `subjectType` is "" when nothing says it; then `subjectIdentificatie` is as it was given. Raises Untranslatable
    naming the fields that are missing or wrong, or when the subjectType is unknown.
    """
    soort = (raw.get("subjectType") or "") if isinstance(raw, Mapping) else ""
    schema = _KLANTEN.get(soort) if isinstance(soort, str) else None
    if schema is None:
        raise Untranslatable("subjectType is niet bekend")
    if not isinstance(raw, Mapping):
        return loaded(schema, raw)
    return loaded(schema, {**raw, "subjectIdentificatie": _renamed(raw.get("subjectIdentificatie"))})


def load_contactmoment(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Give a contactmoment with `registratiedatum` in microseconds since the epoch, UTC.

    `klant_uuid` and `vorig_uuid` are "" where there is no such URL or it ends in no uuid; `naast` is what stood beside
    the standard (`esuite.Naast`). Raises Untranslatable naming the fields of the standard that are missing or
    wrong.
    """
    if not isinstance(raw, Mapping):
        return loaded(_CONTACTMOMENT, raw)
    medewerker = raw.get("medewerker")
    if not (isinstance(medewerker, str) and "://" in medewerker):
        raw = {**raw, "medewerker": ""}  # an identificatie or an object, beside the standard
    return loaded(_CONTACTMOMENT, raw) | {"naast": read_naast({**raw, "medewerker": medewerker})}


def load_klantcontactmoment(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Give the uuids of a klantcontactmoment, its contactmoment and its klant, and the klant's rol.

    Raises Untranslatable naming the fields that are missing or wrong.
    """
    return loaded(_KLANTCONTACTMOMENT, raw)


def load_objectcontactmoment(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Give the uuids of an objectcontactmoment, its contactmoment and its object, and the objectType.

    Raises Untranslatable naming the fields that are missing or wrong.
    """
    return loaded(_OBJECTCONTACTMOMENT, raw)


def load_zaakcontactmoment(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Give the uuids of a zaakcontactmoment of the Zaken API and its zaak, and the contactmoment's URL.

    Raises Untranslatable naming the fields that are missing or wrong.
    """
    return loaded(_ZAAKCONTACTMOMENT, raw)


def _renamed(group: Any) -> Any:
    """The object with the field names of the Zaken API, at every depth; anything else as it is."""
    if not isinstance(group, dict):
        return group
    return {_RENAMED.get(name, name): _renamed(value) for name, value in group.items()}


class _KlantAdres(LenientSchema):
    straatnaam = GivenText()
    huisnummer = GivenNumber()
    huisletter = GivenText()
    huisnummertoevoeging = GivenText()
    postcode = GivenText()
    woonplaatsnaam = GivenText()
    landcode = GivenText()


class _Klant(LenientSchema):
    uuid = GivenUuid()
    url = GivenText()
    bronorganisatie = GivenNumber()
    klantnummer = GivenNumber()
    bedrijfsnaam = GivenText()
    functie = GivenText()
    websiteUrl = GivenText()
    voornaam = GivenText()
    voorvoegselAchternaam = GivenText()
    achternaam = GivenText()
    telefoonnummer = GivenText()
    emailadres = GivenText()
    adres = GivenGroup(_KlantAdres(), always=True)
    subject = GivenText()
    subjectType = GivenText()


class _Contactmoment(LenientSchema):
    uuid = GivenUuid()
    registratiedatum = GivenMoment()
    bronorganisatie = GivenNumber()
    kanaal = GivenText()
    voorkeurskanaal = GivenText()
    voorkeurstaal = GivenText()
    tekst = GivenLines()
    onderwerpLinks = GivenTexts()
    initiatiefnemer = GivenText()
    medewerker = GivenText()
    medewerkerIdentificatie = GivenGroup(MedewerkerIdentificatie())
    klant = GivenText()
    klant_uuid = GivenUuidIfAny(data_key="klant", load_only=True)
    vorigContactmoment = GivenText()
    vorig_uuid = GivenUuidIfAny(data_key="vorigContactmoment", load_only=True)


class _Klantcontactmoment(LenientSchema):
    uuid = GivenUuid()
    contactmoment = GivenUuidOfUrl()
    klant = GivenUuidOfUrl()
    rol = GivenChoice(ROLLEN)


class _Objectcontactmoment(LenientSchema):
    uuid = GivenUuid()
    contactmoment = GivenUuidOfUrl()
    object = GivenText()
    object_uuid = GivenUuidIfAny(data_key="object", load_only=True)
    objectType = GivenText()


class _Zaakcontactmoment(LenientSchema):
    uuid = GivenUuid()
    zaak = GivenUuidOfUrl()
    contactmoment = GivenText()


def _klant_schema(subject: fields.Field[Any]) -> LenientSchema:
    """Give the schema of a klant whose subjectIdentificatie is of one subjectType."""
    own: dict[str, fields.Field[Any]] = {"subjectIdentificatie": subject}
    return cast(LenientSchema, _Klant.from_dict(own, name="_KlantOfOneType")())


_KLANTEN: Final[Mapping[str, LenientSchema]] = {
    "natuurlijk_persoon": _klant_schema(GivenGroup(NatuurlijkPersoon())),
    "niet_natuurlijk_persoon": _klant_schema(GivenGroup(NietNatuurlijkPersoon())),
    "vestiging": _klant_schema(GivenGroup(Vestiging())),
    "": _klant_schema(AsGiven()),
}
_CONTACTMOMENT: Final = _Contactmoment()
_KLANTCONTACTMOMENT: Final = _Klantcontactmoment()
_OBJECTCONTACTMOMENT: Final = _Objectcontactmoment()
_ZAAKCONTACTMOMENT: Final = _Zaakcontactmoment()
