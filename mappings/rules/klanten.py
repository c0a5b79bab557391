"""A Klant of the Klanten API 1.0 becomes claims on a party, by the rules of a rol (M41)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import UUID

from mappings.identity import identity
from mappings.incoming.given_fields import UNDATED
from mappings.model.claims import Claim
from mappings.model.findings import Finding, Severity
from mappings.model.settings import Settings
from mappings.rules.rollen import RolTranslation, translate_rol
from mappings.values.adressen import LEEG, adressen
from mappings.values.landen import land_van_code

NEDERLAND: Final = ("", "NL", "6030")
# What partij.nummer holds.
_NUMMER: Final = re.compile(r"[0-9]{1,10}")
_PERSOON_NAMEN: Final = ("voornamen", "voorvoegselGeslachtsnaam", "geslachtsnaam")
_EIGEN_NAMEN: Final = ("voornaam", "voorvoegselAchternaam", "achternaam")
# Where a field of a rol came from in a klant, for the findings of the rules of a rol.
_CONTACT_FIELDS: Final[dict[str, str]] = {
    "contactpersoonRol.emailadres": "emailadres",
    "contactpersoonRol.telefoonnummer": "telefoonnummer",
    "contactpersoonRol.functie": "functie",
}
_CONTACT_NAAM: Final = "contactpersoonRol.naam"
# Where a klant's own names go in the identificatie of a rol.
_EIGEN_VELD: Final[Mapping[str, str]] = {
    **{
        f"betrokkeneIdentificatie.{name}": own for name, own in zip(_PERSOON_NAMEN, _EIGEN_NAMEN, strict=True)
    },
    "betrokkeneIdentificatie.statutaireNaam": "bedrijfsnaam",
    "betrokkeneIdentificatie.handelsnaam": "bedrijfsnaam",
}
_ADRES_FIELDS: Final[Mapping[str, str]] = {
    "straatnaam": "gorOpenbareRuimteNaam",
    "huisnummer": "aoaHuisnummer",
    "huisletter": "aoaHuisletter",
    "huisnummertoevoeging": "aoaHuisnummertoevoeging",
    "postcode": "aoaPostcode",
    "woonplaatsnaam": "wplWoonplaatsNaam",
}
_ZONDER_PLAATS: Final = ("bronorganisatie", "websiteUrl")
_ZONDER_PLAATS_SUBJECT: Final = ("geboortedatum", "geslachtsaanduiding", "innRechtsvorm")


@dataclass(slots=True)
class KlantTranslation:
    """What a Klant becomes: claims, the `facts` that its contactmomenten and number need, and findings.

    `zonder_plaats` names the fields that hold something and have no place in Klantinteracties (M36).
    """

    claims: list[Claim]
    facts: dict[str, Any]
    findings: list[Finding] = field(default_factory=list)
    zonder_plaats: list[str] = field(default_factory=list)


def translate_klant(klant: Mapping[str, Any], source: str, settings: Settings) -> KlantTranslation:
    """Translate a loaded Klant (`earlier.load_klant`) of a source (M41, and through it M5-M17, M21-M24).

    The klant's own name, address, e-mail and telephone are what it gave itself: they come before those of
    subjectIdentificatie, and `[mapping] adressen` holds for subjectIdentificatie only. A klant without a subjectType
    is what rollen say that its party is, else an organisation when it has a bedrijfsnaam, else a person. M10 does not
    hold: every klant makes a party.
    """
    guessed = "niet_natuurlijk_persoon" if klant["bedrijfsnaam"] else "natuurlijk_persoon"
    translation, found = _read(klant, klant["subjectType"] or guessed, source, settings)
    own = translation.claims[0]
    if not klant["subjectType"]:
        found = _either(klant, own, guessed, found, source, settings)
    urls = [
        url
        for name in ("subject", "url")
        for url in identity.spellings(klant[name], settings.klanten_adressen)
    ]
    own.keys = sorted({*own.keys, *(f"url:{url}" for url in urls)}, key=identity.place)
    _eigen_adres(klant["adres"], own, found)
    own.nummer = _nummer(klant["klantnummer"], found)
    for claim in translation.claims:
        claim.own_fields = [name for name in ("bedrijfsnaam", *_EIGEN_NAMEN) if klant[name]]
    facts = {
        "uuid": str(klant["uuid"]),
        "contactnaam": translation.deelname["contactnaam"],
        "organisatienaam": translation.deelname["organisatienaam"],
    }
    return KlantTranslation(translation.claims, facts, found, _zonder_plaats(klant))


def _read(
    klant: Mapping[str, Any], soort: str, source: str, settings: Settings
) -> tuple[RolTranslation, list[Finding]]:
    """What a klant says as one of this betrokkeneType, and the findings by the names of its own fields."""
    found: list[Finding] = []
    identificatie, origin = _named(klant, soort, found)
    # A klant has no date. What a dated rol says of the same party is taken as newer (M18).
    rol = as_rol(klant["uuid"], soort, UNDATED, klant["url"], identificatie)
    rol["contactpersoonRol"] |= {name: klant[name] for name in ("emailadres", "telefoonnummer", "functie")}
    filled = [name for name in _EIGEN_NAMEN if klant[name]]
    if soort != "natuurlijk_persoon":
        rol["contactpersoonRol"]["naam"] = " ".join(klant[name] for name in filled)
    translation = translate_rol(rol, source, replace(settings, partij_rollen=()))
    for finding in translation.findings:
        if finding.field == _CONTACT_NAAM:
            found += [replace(finding, field=name) for name in filled]
        else:
            found.append(renamed(finding, origin | _CONTACT_FIELDS, "subjectIdentificatie"))
    return translation, found


def _either(
    klant: Mapping[str, Any],
    own: Claim,
    guessed: str,
    found: list[Finding],
    source: str,
    settings: Settings,
) -> list[Finding]:
    """Let a claim say what the klant says as a person and as an organisation: its party decides which holds.

    In: the claim and findings of what it seems to be. Out: the findings that hold either way; the others go along.
    """
    (other,) = {"natuurlijk_persoon", "niet_natuurlijk_persoon"} - {guessed}
    translation, others = _read(klant, other, source, settings)
    always = [finding for finding in found if finding in others]
    own.readings = {
        claim.soort: [
            claim.naam,
            claim.digitaal,
            claim.contactpersoon,
            [[each.rule, each.field, str(each.severity), each.action] for each in said if each not in always],
        ]
        for claim, said in ((own, found), (translation.claims[0], others))
    }
    own.soort, own.naam, own.digitaal, own.contactpersoon = "", None, [], None
    return always


def fields_of_klant(own_fields: Sequence[str], path: str) -> list[str]:
    """Where in a klant stood what the rules of a rol know by `path`; it named itself in `own_fields`."""
    if path == _CONTACT_NAAM:
        return [name for name in _EIGEN_NAMEN if name in own_fields]
    own = _EIGEN_VELD.get(path, "")
    if own in own_fields:
        return [own]
    return [_CONTACT_FIELDS.get(path) or path.replace("betrokkeneIdentificatie", "subjectIdentificatie", 1)]


def as_rol(
    uuid: str, soort: str, moment: int, url: str, identificatie: Mapping[str, Any] | None
) -> dict[str, Any]:
    """A loaded rol that says what another legacy object says of somebody, for the rules of a rol (M5-M27)."""
    return {
        "uuid": uuid,
        "betrokkene": url,
        "betrokkeneType": soort,
        "afwijkendeNaamBetrokkene": "",
        "omschrijving": "",
        "omschrijvingGeneriek": "",
        "roltoelichting": "",
        "registratiedatum": moment,
        "indicatieMachtiging": "",
        "contactpersoonRol": dict.fromkeys(("emailadres", "functie", "telefoonnummer", "naam"), ""),
        "beginGeldigheid": "",
        "eindeGeldigheid": "",
        "statussen": [],
        "authenticatieContext": None,
        "betrokkeneIdentificatie": identificatie,
    }


def renamed(finding: Finding, names: Mapping[str, str], identificatie: str) -> Finding:
    """A finding on a rol of `as_rol`, with the field's name in the object that it was made from."""
    if finding.field in names:
        return replace(finding, field=names[finding.field])
    return replace(finding, field=finding.field.replace("betrokkeneIdentificatie", identificatie, 1))


def verdeel_nummers(
    wensen: Mapping[UUID, Iterable[tuple[UUID, str]]], bezet: Iterable[str]
) -> dict[UUID, tuple[UUID, str]]:
    """Which klant gives its party a number, and which number (M41).

    In: for each party the klanten that have a number, each with that; and the numbers that clients gave to others:
    numbers are unique. A klant has no date, so whatever came first, the party of the lowest uuid chooses first, and of
    its klanten the lowest uuid counts whose number is still free.
    """
    used, gegeven = set(bezet), dict[UUID, tuple[UUID, str]]()
    for partij, klanten in sorted(wensen.items()):
        for klant, nummer in sorted(klanten):
            if nummer not in used:
                gegeven[partij] = (klant, nummer)
                used.add(nummer)
                break
    return gegeven


def nummer_bezet() -> Finding:
    """The finding on a klant whose number its party does not get."""
    return Finding(
        "M41",
        "klantnummer",
        Severity.DROPPED,
        "het nummer is van een andere partij of de partij heeft er al een",
    )


def _named(
    klant: Mapping[str, Any], soort: str, found: list[Finding]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The identificatie with the klant's own name in it, and from which fields that name came."""
    identificatie = dict(klant["subjectIdentificatie"] or {})
    if identificatie and not klant["subjectType"]:
        identificatie = {}
        found.append(
            Finding(
                "M41",
                "subjectIdentificatie",
                Severity.DROPPED,
                "zonder subjectType niet te lezen: overgeslagen",
            )
        )
    if soort == "natuurlijk_persoon":
        if klant["bedrijfsnaam"]:
            found.append(
                Finding(
                    "M41",
                    "bedrijfsnaam",
                    Severity.DROPPED,
                    "een persoon heeft geen plaats voor een bedrijfsnaam",
                )
            )
        own = dict(zip(_PERSOON_NAMEN, (klant[name] for name in _EIGEN_NAMEN), strict=True))
        if not any(own.values()):
            return identificatie, {}
        _differing(identificatie, own | {"voorletters": own["voornamen"]}, found)
        origin = {path: name for path, name in _EIGEN_VELD.items() if name in _EIGEN_NAMEN}
        return identificatie | own | {"voorletters": ""}, origin
    naam = klant["bedrijfsnaam"]
    if not naam:
        return identificatie, {}
    field_name, value = ("statutaireNaam", naam) if soort != "vestiging" else ("handelsnaam", [naam])
    for given in _as_list(identificatie.get(field_name)):
        _differing({field_name: given}, {field_name: naam}, found)
    return identificatie | {field_name: value}, {f"betrokkeneIdentificatie.{field_name}": "bedrijfsnaam"}


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value or ""]


def _differing(identificatie: Mapping[str, Any], own: Mapping[str, str], found: list[Finding]) -> None:
    """Tell which names of subjectIdentificatie gave way to other names of the klant itself."""
    for name, value in own.items():
        given = identificatie.get(name, "")
        if given and " ".join(given.split()).casefold() != " ".join(value.split()).casefold():
            found.append(
                Finding(
                    "M41",
                    f"subjectIdentificatie.{name}",
                    Severity.DROPPED,
                    "de klant noemt zelf een andere naam",
                )
            )


def _eigen_adres(adres: Mapping[str, Any], claim: Claim, found: list[Finding]) -> None:
    """The klant's own address: bezoekadres, or correspondentieadres beside another one (M14, M41)."""
    own_found: list[Finding] = []
    verblijf = {name: adres[own] for own, name in _ADRES_FIELDS.items()}
    made = adressen(verblijf, None, "", own_found)
    names = {f"betrokkeneIdentificatie.verblijfsadres.{name}": own for own, name in _ADRES_FIELDS.items()}
    code = adres["landcode"]
    if made is None:
        if code not in NEDERLAND:
            found.append(
                Finding("M41", "adres.landcode", Severity.DROPPED, "een land zonder adres: niet overgenomen")
            )
        return
    found += [
        renamed(each, {name: f"adres.{own}" for name, own in names.items()}, "adres") for each in own_found
    ]
    own = made["bezoekadres"]
    if code not in NEDERLAND:
        own["land"] = _land(code, found)
    if claim.adres is None:
        claim.adres = {"bezoekadres": own, "correspondentieadres": dict(LEEG)}
        return
    if all(claim.adres["bezoekadres"][name] == value for name, value in own.items() if value):
        return
    if claim.adres["correspondentieadres"] == LEEG:
        claim.adres = {**claim.adres, "correspondentieadres": own}
        return
    found.append(
        Finding("M41", "adres", Severity.DROPPED, "de partij heeft al een bezoek- en correspondentieadres")
    )


def _land(code: str, found: list[Finding]) -> str:
    """The ISO code of a code of the Landentabel or of ISO 3166-1 itself (M15)."""
    known = land_van_code(code)
    if not known:
        found.append(
            Finding("M15", "adres.landcode", Severity.DROPPED, "Landcode is niet bekend; niet overgenomen.")
        )
    return known or ""


def _nummer(klantnummer: str, found: list[Finding]) -> str:
    """The klantnummer when it can be a partij.nummer, else "" with a finding."""
    if not klantnummer or _NUMMER.fullmatch(klantnummer):
        return klantnummer
    found.append(
        Finding(
            "M41",
            "klantnummer",
            Severity.DROPPED,
            "geen getal van hoogstens 10 cijfers: geen nummer van een partij",
        )
    )
    return ""


def _zonder_plaats(klant: Mapping[str, Any]) -> list[str]:
    subject = (klant["subjectType"] and klant["subjectIdentificatie"]) or {}
    return [
        *(name for name in _ZONDER_PLAATS if klant[name]),
        *(f"subjectIdentificatie.{name}" for name in _ZONDER_PLAATS_SUBJECT if subject.get(name)),
    ]
