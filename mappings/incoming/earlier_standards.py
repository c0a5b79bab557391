"""What a Klanten API and a Contactmomenten API 1.0 send, judged and brought to one form by marshmallow (M3).

As in `zaken`: each text is a string ("" when missing or null), each moment a number of microseconds. The objects of
these standards name each other by URL only; what the mappings need of a URL is its uuid, beside the URL itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from marshmallow import fields

from mappings.incoming.esuite import read_naast
from mappings.incoming.zaken import (
    _UUID,
    _AsGiven,
    _Choice,
    _Group,
    _Lenient,
    _Lines,
    _loaded,
    _Medewerker,
    _Moment,
    _NatuurlijkPersoon,
    _NietNatuurlijkPersoon,
    _Number,
    _Text,
    _Texts,
    _Uuid,
    _UuidOfUrl,
    _Vestiging,
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
        return _loaded(schema, raw)
    return _loaded(schema, {**raw, "subjectIdentificatie": _renamed(raw.get("subjectIdentificatie"))})


def load_contactmoment(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Give a contactmoment with `registratiedatum` in microseconds since the epoch, UTC.

    `klant_uuid` and `vorig_uuid` are "" where there is no such URL or it ends in no uuid; `naast` is what stood beside
    the standard (`esuite.Naast`). Raises Untranslatable naming the fields of the standard that are missing or
    wrong.
    """
    if not isinstance(raw, Mapping):
        return _loaded(_CONTACTMOMENT, raw)
    medewerker = raw.get("medewerker")
    if not (isinstance(medewerker, str) and "://" in medewerker):
        raw = {**raw, "medewerker": ""}  # an identificatie or an object, beside the standard
    return _loaded(_CONTACTMOMENT, raw) | {"naast": read_naast({**raw, "medewerker": medewerker})}


def load_klantcontactmoment(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Give the uuids of a klantcontactmoment, its contactmoment and its klant, and the klant's rol.

    Raises Untranslatable naming the fields that are missing or wrong.
    """
    return _loaded(_KLANTCONTACTMOMENT, raw)


def load_objectcontactmoment(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Give the uuids of an objectcontactmoment, its contactmoment and its object, and the objectType.

    Raises Untranslatable naming the fields that are missing or wrong.
    """
    return _loaded(_OBJECTCONTACTMOMENT, raw)


def load_zaakcontactmoment(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Give the uuids of a zaakcontactmoment of the Zaken API and its zaak, and the contactmoment's URL.

    Raises Untranslatable naming the fields that are missing or wrong.
    """
    return _loaded(_ZAAKCONTACTMOMENT, raw)


def _renamed(group: Any) -> Any:
    """The object with the field names of the Zaken API, at every depth; anything else as it is."""
    if not isinstance(group, dict):
        return group
    return {_RENAMED.get(name, name): _renamed(value) for name, value in group.items()}


class _UuidIfAny(_Text):
    """The uuid at the end of a url, "" when there is no url or no uuid in it."""

    def deserialize(
        self, value: Any, attr: str | None = None, data: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> str:
        last = super().deserialize(value).rstrip("/").rpartition("/")[2].lower()
        return last if _UUID.fullmatch(last) else ""


class _KlantAdres(_Lenient):
    straatnaam = _Text()
    huisnummer = _Number()
    huisletter = _Text()
    huisnummertoevoeging = _Text()
    postcode = _Text()
    woonplaatsnaam = _Text()
    landcode = _Text()


class _Klant(_Lenient):
    uuid = _Uuid()
    url = _Text()
    bronorganisatie = _Number()
    klantnummer = _Number()
    bedrijfsnaam = _Text()
    functie = _Text()
    websiteUrl = _Text()
    voornaam = _Text()
    voorvoegselAchternaam = _Text()
    achternaam = _Text()
    telefoonnummer = _Text()
    emailadres = _Text()
    adres = _Group(_KlantAdres(), always=True)
    subject = _Text()
    subjectType = _Text()


class _Contactmoment(_Lenient):
    uuid = _Uuid()
    registratiedatum = _Moment()
    bronorganisatie = _Number()
    kanaal = _Text()
    voorkeurskanaal = _Text()
    voorkeurstaal = _Text()
    tekst = _Lines()
    onderwerpLinks = _Texts()
    initiatiefnemer = _Text()
    medewerker = _Text()
    medewerkerIdentificatie = _Group(_Medewerker())
    klant = _Text()
    klant_uuid = _UuidIfAny(data_key="klant", load_only=True)
    vorigContactmoment = _Text()
    vorig_uuid = _UuidIfAny(data_key="vorigContactmoment", load_only=True)


class _Klantcontactmoment(_Lenient):
    uuid = _Uuid()
    contactmoment = _UuidOfUrl()
    klant = _UuidOfUrl()
    rol = _Choice(ROLLEN)


class _Objectcontactmoment(_Lenient):
    uuid = _Uuid()
    contactmoment = _UuidOfUrl()
    object = _Text()
    object_uuid = _UuidIfAny(data_key="object", load_only=True)
    objectType = _Text()


class _Zaakcontactmoment(_Lenient):
    uuid = _Uuid()
    zaak = _UuidOfUrl()
    contactmoment = _Text()


def _klant_schema(subject: fields.Field[Any]) -> _Lenient:
    """Give the schema of a klant whose subjectIdentificatie is of one subjectType."""
    own: dict[str, fields.Field[Any]] = {"subjectIdentificatie": subject}
    return cast(_Lenient, _Klant.from_dict(own, name="_KlantOfOneType")())


_KLANTEN: Final[Mapping[str, _Lenient]] = {
    "natuurlijk_persoon": _klant_schema(_Group(_NatuurlijkPersoon())),
    "niet_natuurlijk_persoon": _klant_schema(_Group(_NietNatuurlijkPersoon())),
    "vestiging": _klant_schema(_Group(_Vestiging())),
    "": _klant_schema(_AsGiven()),
}
_CONTACTMOMENT: Final = _Contactmoment()
_KLANTCONTACTMOMENT: Final = _Klantcontactmoment()
_OBJECTCONTACTMOMENT: Final = _Objectcontactmoment()
_ZAAKCONTACTMOMENT: Final = _Zaakcontactmoment()
