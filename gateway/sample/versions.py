"""What each version of the standard has: query parameters, fields, expansions and resources.

Source: legacy-behaviour.md, "Versions of the standard", and the contracts 1.0.2, 1.5.1 and 1.7.0. That table treats
1.3 to 1.5 as one and 1.6 with 1.7, so what the contracts of 1.5.1 and 1.7.0 have goes for all of them unless the table
says otherwise; 1.1 is as 1.0, for nothing tells of a difference.
"""

from dataclasses import dataclass
from typing import Any

from gateway.sample.contents import earlier_standards

PAGING = frozenset({"page"})
_ROL_FILTERS_1_0 = frozenset(
    {
        "zaak",
        "betrokkene",
        "betrokkeneType",
        "omschrijving",
        "omschrijvingGeneriek",
        "roltype",
        "betrokkeneIdentificatie__natuurlijkPersoon__inpBsn",
        "betrokkeneIdentificatie__natuurlijkPersoon__anpIdentificatie",
        "betrokkeneIdentificatie__natuurlijkPersoon__inpA_nummer",
        "betrokkeneIdentificatie__nietNatuurlijkPersoon__innNnpId",
        "betrokkeneIdentificatie__nietNatuurlijkPersoon__annIdentificatie",
        "betrokkeneIdentificatie__vestiging__vestigingsNummer",
        "betrokkeneIdentificatie__medewerker__identificatie",
    }
)
_OLD_UNIT_FILTER = frozenset({"betrokkeneIdentificatie__vestiging__identificatie"})
_UNIT_FILTER = frozenset({"betrokkeneIdentificatie__organisatorischeEenheid__identificatie"})
_ROL_FILTERS_OPEN_ZAAK = frozenset(
    {
        "betrokkeneIdentificatie__nietNatuurlijkPersoon__kvkNummer",
        "betrokkeneIdentificatie__nietNatuurlijkPersoon__vestigingsNummer",
        "betrokkeneIdentificatie__vestiging__kvkNummer",
        "machtiging",
        "machtiging__loa",
    }
)
_ZAAK_FILTERS_1_0 = frozenset(
    {
        "identificatie",
        "bronorganisatie",
        "zaaktype",
        "archiefnominatie",
        "archiefnominatie__in",
        "archiefactiedatum",
        "archiefactiedatum__lt",
        "archiefactiedatum__gt",
        "archiefstatus",
        "archiefstatus__in",
        "startdatum",
        "startdatum__gt",
        "startdatum__gte",
        "startdatum__lt",
        "startdatum__lte",
        "maximaleVertrouwelijkheidaanduiding",
        "rol__betrokkeneType",
        "rol__betrokkene",
        "rol__omschrijvingGeneriek",
        "rol__betrokkeneIdentificatie__natuurlijkPersoon__inpBsn",
        "rol__betrokkeneIdentificatie__medewerker__identificatie",
        "ordering",
    }
)
_ZAAK_FILTERS_1_3 = frozenset(
    {
        "bronorganisatie__in",
        "archiefactiedatum__isnull",
        "registratiedatum",
        "registratiedatum__gt",
        "registratiedatum__lt",
        "einddatum",
        "einddatum__isnull",
        "einddatum__gt",
        "einddatum__lt",
        "einddatumGepland",
        "einddatumGepland__gt",
        "einddatumGepland__lt",
        "uiterlijkeEinddatumAfdoening",
        "uiterlijkeEinddatumAfdoening__gt",
        "uiterlijkeEinddatumAfdoening__lt",
        "rol__betrokkeneIdentificatie__natuurlijkPersoon__anpIdentificatie",
        "rol__betrokkeneIdentificatie__natuurlijkPersoon__inpA_nummer",
        "rol__betrokkeneIdentificatie__nietNatuurlijkPersoon__innNnpId",
        "rol__betrokkeneIdentificatie__nietNatuurlijkPersoon__annIdentificatie",
        "rol__betrokkeneIdentificatie__vestiging__vestigingsNummer",
        "rol__betrokkeneIdentificatie__organisatorischeEenheid__identificatie",
    }
)
_ROL_FIELDS_1_3 = ("afwijkendeNaamBetrokkene", "contactpersoonRol", "statussen")
_ROL_FIELDS_OPEN_ZAAK = ("beginGeldigheid", "eindeGeldigheid", "authenticatieContext")
_ORGANISATIE_FIELDS_OPEN_ZAAK = ("kvkNummer", "vestigingsNummer", "verblijfsadres")
_ZAAK_FIELDS_1_3 = (
    "rollen",
    "zaakinformatieobjecten",
    "zaakobjecten",
    "opdrachtgevendeOrganisatie",
    "processobjectaard",
    "startdatumBewaartermijn",
    "processobject",
)
_ZAAK_FIELDS_OPEN_ZAAK = (
    "_expand",
    "laatstGemuteerd",
    "laatstGeopend",
    "communicatiekanaalNaam",
    "gerelateerdeZaken",
)
_CATALOGI_FILTERS = {
    "zaaktype": frozenset({"identificatie", "catalogus"}),
    "roltype": frozenset({"zaaktype", "omschrijvingGeneriek"}),
}
COLLECTIONS = {
    "zaken": "zaak",
    "rollen": "rol",
    "klantcontacten": "klantcontact",
    "zaakcontactmomenten": "zaakcontactmoment",
}
CATALOGI_COLLECTIONS = {"zaaktypen": "zaaktype", "roltypen": "roltype"}


@dataclass(frozen=True)
class Rules:
    """One version of the Zaken API, with or without what Open Zaak 1.30 adds to it.

    `hal` has lists and objects in the form of HAL, as some servers of 1.2 have them. `says` is what the server calls
    its version instead of the truth; empty is nothing at all.
    """

    text: str
    open_zaak: bool
    hal: bool = False
    says: str | None = None

    @classmethod
    def of(cls, version: str, open_zaak: bool, *, hal: bool = False, says: str | None = None) -> "Rules":
        """Rules for a version such as "1.5.1"; ValueError for one that the standard never had."""
        numbers = version.split(".")
        if not all(number.isdigit() for number in numbers) or not (1, 0) <= _minor(version) <= (1, 7):
            raise ValueError(f"there is no Zaken API {version}; give 1.0 to 1.7")
        return cls(version, open_zaak, hal, says)

    @property
    def header(self) -> str:
        """The API-version header; empty for none."""
        return self.text if self.says is None else self.says

    @property
    def minor(self) -> tuple[int, int]:
        """The version as numbers, for instance (1, 5)."""
        return _minor(self.text)

    @property
    def key(self) -> str:
        """What texts rendered under these rules are kept under."""
        return f"{self.text}+" if self.open_zaak else self.text

    def has(self, kind: str) -> bool:
        """Whether this version has the resource at all."""
        return kind != "zaakcontactmoment" or self.minor >= (1, 2)

    @property
    def etags(self) -> bool:
        """Whether single zaken and rollen carry an ETag, and may be asked for by HEAD."""
        return self.open_zaak or self.minor >= (1, 3)

    def methods(self, kind: str, *, detail: bool) -> tuple[str, ...]:
        """What may be done with a list, or with a single object, of what this server does at all."""
        names = ["GET"]
        if kind in earlier_standards.KINDS:
            return earlier_standards.methods(kind, detail=detail)
        if detail:
            names += ["PUT"] if kind == "rol" and self.open_zaak else []
            names += ["DELETE"] if kind in ("zaak", "rol", "zaakcontactmoment") else []
        elif kind in ("zaak", "rol", "klantcontact", "zaakcontactmoment"):
            names += ["POST"]
        if self.open_zaak or (detail and self.etags and kind in ("zaak", "rol")):
            names += ["HEAD"]
        return (*names, "OPTIONS")

    def filters(self, kind: str) -> frozenset[str]:
        """The filters on a list."""
        if kind == "rol":
            unit = _UNIT_FILTER if self.minor >= (1, 2) else _OLD_UNIT_FILTER
            return _ROL_FILTERS_1_0 | unit | (_ROL_FILTERS_OPEN_ZAAK if self.open_zaak else frozenset())
        if kind == "zaak":
            return _ZAAK_FILTERS_1_0 | (_ZAAK_FILTERS_1_3 if self.minor >= (1, 3) else frozenset())
        if kind == "klantcontact":
            return frozenset({"zaak"})
        if kind == "zaakcontactmoment":
            return frozenset({"zaak", "contactmoment"})
        return _CATALOGI_FILTERS[kind]

    def expansions(self, kind: str) -> frozenset[str]:
        """What `expand` may name; empty when there is no `expand`. Only what the sample data can fill."""
        if kind == "zaak" and (self.open_zaak or self.minor == (1, 2) or self.minor >= (1, 5)):
            return frozenset({"zaaktype", "rollen", "rollen.roltype"})
        if kind == "rol" and self.minor >= (1, 7):
            return frozenset({"zaak", "zaak.zaaktype", "roltype"})
        return frozenset()

    def parameters(self, kind: str, *, detail: bool = False) -> frozenset[str]:
        """All query parameters of a list, or of a single object."""
        names = frozenset({"expand"}) if self.expansions(kind) else frozenset()
        if detail:
            return names
        if kind in earlier_standards.KINDS:
            return earlier_standards.parameters(kind)
        names |= self.filters(kind)
        if kind != "zaakcontactmoment":
            names |= PAGING | (frozenset({"pageSize"}) if self.open_zaak else frozenset())
        return names

    def trim(self, kind: str, obj: dict[str, Any]) -> dict[str, Any]:
        """The object without the fields that this version does not have; changes and returns it."""
        gone: tuple[str, ...] = ()
        if kind == "zaak":
            gone += () if self.minor >= (1, 3) else _ZAAK_FIELDS_1_3
            gone += () if self.open_zaak else _ZAAK_FIELDS_OPEN_ZAAK
        elif kind == "rol":
            gone += () if self.minor >= (1, 3) else _ROL_FIELDS_1_3
            gone += () if self.open_zaak else _ROL_FIELDS_OPEN_ZAAK
            self._trim_identification(obj)
        for name in gone:
            obj.pop(name, None)
        return obj

    def _trim_identification(self, rol: dict[str, Any]) -> None:
        identificatie = rol.get("betrokkeneIdentificatie")
        if not isinstance(identificatie, dict):
            return
        if rol.get("betrokkeneType") == "niet_natuurlijk_persoon" and not self.open_zaak:
            for name in _ORGANISATIE_FIELDS_OPEN_ZAAK:
                identificatie.pop(name, None)
        if rol.get("betrokkeneType") == "vestiging" and self.minor < (1, 3):
            identificatie.pop("kvkNummer", None)


def known_parameter(name: str) -> bool:
    """Whether any version has a query parameter of this name on any list."""
    return name in _EVERY_PARAMETER


def _minor(version: str) -> tuple[int, int]:
    major, minor, *_ = (*version.split("."), "0")
    return int(major), int(minor)


_EVERY_PARAMETER = (
    _ROL_FILTERS_1_0
    | _OLD_UNIT_FILTER
    | _UNIT_FILTER
    | _ROL_FILTERS_OPEN_ZAAK
    | _ZAAK_FILTERS_1_0
    | _ZAAK_FILTERS_1_3
    | {"page", "pageSize", "expand", "contactmoment", "catalogus"}
    | frozenset(name for names in earlier_standards.FILTERS.values() for name in names)
)
