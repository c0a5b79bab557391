"""What a Zaken API sends, judged and brought to one form (M3, M34; see `given_fields`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from marshmallow import fields

from mappings.incoming.given_fields import (
    AsGiven,
    GivenChoice,
    GivenDate,
    GivenGroup,
    GivenLines,
    GivenMoment,
    GivenText,
    GivenUuid,
    GivenUuidOfUrl,
    LenientSchema,
    loaded,
)
from mappings.incoming.identificaties import (
    EenheidIdentificatie,
    MedewerkerIdentificatie,
    NatuurlijkPersoon,
    NietNatuurlijkPersoon,
    Vestiging,
)
from mappings.model.findings import Untranslatable
from mappings.model.settings import VERTROUWELIJKHEIDAANDUIDINGEN


def load_zaak(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Give uuid, identificatie, zaaktype, vertrouwelijkheidaanduiding and registratiedatum of a zaak.

    Raises Untranslatable naming the fields that are missing or wrong. A blank or unknown
    vertrouwelijkheidaanduiding is wrong: what cannot be judged is never served (M34).
    """
    return loaded(_ZAAK, raw)


def load_rol(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Give a rol with every field that the mappings use, whatever version it came from.

    `contactpersoonRol` is always complete; `betrokkeneIdentificatie` is None or has every field of its
    betrokkeneType; `registratiedatum` is in microseconds since the epoch, UTC. Raises Untranslatable naming
    the fields that are missing or wrong, or when the betrokkeneType is unknown.
    """
    soort = raw.get("betrokkeneType") if isinstance(raw, Mapping) else None
    schema = _ROLLEN.get(soort) if isinstance(soort, str) else None
    if schema is None:
        raise Untranslatable("betrokkeneType ontbreekt of is niet bekend")
    return loaded(schema, raw)


def load_klantcontact(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Give a klantcontact with `datumtijd` in microseconds since the epoch, UTC.

    Raises Untranslatable naming the fields that are missing or wrong.
    """
    return loaded(_KLANTCONTACT, raw)


class _Zaak(LenientSchema):
    uuid = GivenUuid()
    identificatie = GivenText()
    zaaktype = GivenText()
    vertrouwelijkheidaanduiding = GivenChoice(VERTROUWELIJKHEIDAANDUIDINGEN)
    registratiedatum = GivenMoment()


class _InZaak(LenientSchema):
    """What belongs to a zaak: `zaak` stays as given, for its uuid see `zaak_uuid`."""

    uuid = GivenUuid()
    zaak = GivenText()
    zaak_uuid = GivenUuidOfUrl(data_key="zaak", load_only=True)


class _Klantcontact(_InZaak):
    identificatie = GivenText()
    datumtijd = GivenMoment()
    kanaal = GivenText()
    onderwerp = GivenText()
    toelichting = GivenLines()


class _ContactpersoonRol(LenientSchema):
    emailadres = GivenText()
    functie = GivenText()
    telefoonnummer = GivenText()
    naam = GivenText()


class _Rol(_InZaak):
    betrokkene = GivenText()
    betrokkeneType = GivenText()
    afwijkendeNaamBetrokkene = GivenText()
    omschrijvingGeneriek = GivenText()
    roltoelichting = GivenLines()
    registratiedatum = GivenMoment()
    indicatieMachtiging = GivenText()
    contactpersoonRol = GivenGroup(_ContactpersoonRol(), always=True)
    beginGeldigheid = GivenDate()
    eindeGeldigheid = GivenDate()
    authenticatieContext = AsGiven()


def _rol_schema(identificatie: type[LenientSchema]) -> LenientSchema:
    """Give the schema of a rol whose betrokkeneIdentificatie is of one betrokkeneType."""
    own: dict[str, fields.Field[Any]] = {"betrokkeneIdentificatie": GivenGroup(identificatie())}
    return cast(LenientSchema, _Rol.from_dict(own, name="_RolOfOneType")())


_ZAAK: Final = _Zaak()
_KLANTCONTACT: Final = _Klantcontact()
_ROLLEN: Final[Mapping[str, LenientSchema]] = {
    "natuurlijk_persoon": _rol_schema(NatuurlijkPersoon),
    "niet_natuurlijk_persoon": _rol_schema(NietNatuurlijkPersoon),
    "vestiging": _rol_schema(Vestiging),
    "organisatorische_eenheid": _rol_schema(EenheidIdentificatie),
    "medewerker": _rol_schema(MedewerkerIdentificatie),
}
