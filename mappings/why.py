"""Why a field holds what it holds: the legacy fields that it came from, and the rule that brought it there.

The table says which legacy field may give which field of a document. What gave it in one object is tried, not
guessed: the legacy field is altered, the object is translated again, and whatever changes came from that field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from mappings import nummers
from mappings.contactmomenten import Gesprekspartner, Omgeving, Onderwerpzaak, translate_contactmoment
from mappings.digitaleadressen import telefoonnummer
from mappings.documents import Document
from mappings.findings import Untranslatable
from mappings.identity import Uuids, key_sets
from mappings.klantcontacten import Deelnemer, translate_klantcontact
from mappings.landen import LANDENTABEL, landcode
from mappings.merge import merge
from mappings.rollen import Claim
from mappings.settings import Settings
from mappings.translate import translate, uuid_in

# A legacy object by its kind: what one document is translated from.
Objects = Mapping[str, Mapping[str, Any]]
# The fields of one document, each by its path; the kind of the document, and what tells it from others of its kind.
Fields = dict[str, Any]
Slot = tuple[str, str]
Slots = dict[Slot, Fields]

CONTACTPERSOON: Final = "contactpersoon"
NOBODY: Final = UUID(int=0)

_ID: Final = "rol.betrokkeneIdentificatie."
_SUBJECT: Final = "klant.subjectIdentificatie."
_ADRES: Final = _ID + "verblijfsadres."
_BUITENLAND: Final = _ID + "subVerblijfBuitenland."
_CONTACT: Final = "rol.contactpersoonRol."
_AFWIJKEND: Final = "rol.afwijkendeNaamBetrokkene"
_REGELS: Final = ("adresregel1", "adresregel2", "adresregel3")
_FREE_LINES: Final = (
    *(("M14", _ADRES + name) for name in ("inpLocatiebeschrijving", "aoaPostcode", "aoaHuisnummer")),
    *(("M14", _ADRES + name) for name in ("aoaHuisletter", "aoaHuisnummertoevoeging")),
    ("M16", _ID + "bezoekadres"),
)
_ABROAD: Final = tuple(
    ("M15", _BUITENLAND + name)
    for name in ("subAdresBuitenland_1", "subAdresBuitenland_2", "subAdresBuitenland_3", "lndLandnaam")
)
_COUNTRY: Final = (("M15", _BUITENLAND + "lndLandnaam"), ("M15", _BUITENLAND + "lndLandcode"))
_NUMBERS: Final = ("inpBsn", "innNnpId", "kvkNummer", "vestigingsNummer")
_ORGANISATION: Final = (
    ("M13", _ID + "statutaireNaam"),
    ("M13", _ID + "handelsnaam"),
    ("M12", _AFWIJKEND),
)


def _name(rule: str, path: str) -> dict[str, tuple[tuple[str, str], ...]]:
    """The parts of a contactnaam at `path`, and the whole name."""
    first = (rule, _ID + "voornamen")
    last = ((rule, _ID + "geslachtsnaam"), (rule, _ID + "voorvoegselGeslachtsnaam"), (rule, _AFWIJKEND))
    return {
        f"{path}contactnaam.voorletters": ((rule, _ID + "voorletters"),),
        f"{path}contactnaam.voornaam": (first,),
        f"{path}contactnaam.voorvoegselAchternaam": ((rule, _ID + "voorvoegselGeslachtsnaam"),),
        f"{path}contactnaam.achternaam": last,
        f"{path}volledigeNaam": (first, *last),
    }


Rows = Mapping[str, Mapping[str, tuple[tuple[str, str], ...]]]
_OF_ROLLEN: Final[Rows] = {
    "partij": {
        **_name("M12", "partijIdentificatie."),
        "partijIdentificatie.naam": _ORGANISATION,
        "bezoekadres.nummeraanduidingId": (("M14", _ADRES + "aoaIdentificatie"),),
        "bezoekadres.straatnaam": (("M14", _ADRES + "gorOpenbareRuimteNaam"),),
        "bezoekadres.huisnummer": (("M14", _ADRES + "aoaHuisnummer"),),
        "bezoekadres.huisnummertoevoeging": (
            ("M14", _ADRES + "aoaHuisletter"),
            ("M14", _ADRES + "aoaHuisnummertoevoeging"),
        ),
        "bezoekadres.postcode": (("M14", _ADRES + "aoaPostcode"),),
        "bezoekadres.stad": (("M14", _ADRES + "wplWoonplaatsNaam"),),
        "bezoekadres.land": _COUNTRY,
        **{f"bezoekadres.{regel}": (*_FREE_LINES, *_ABROAD) for regel in _REGELS},
        "correspondentieadres.land": _COUNTRY,
        **{f"correspondentieadres.{regel}": _ABROAD for regel in _REGELS},
    },
    CONTACTPERSOON: {
        "partijIdentificatie.contactnaam.achternaam": (("M22", _CONTACT + "naam"),),
        "partijIdentificatie.volledigeNaam": (("M22", _CONTACT + "naam"),),
        "interneNotitie": (("M24", _CONTACT + "functie"),),
    },
    "partij-identificator": {
        "partijIdentificator.objectId": (
            *(("M17", _ID + name) for name in _NUMBERS),
            ("M26", "rol.authenticatieContext.representee.identifier"),
        ),
        "anderePartijIdentificator": tuple(
            ("M17", _ID + name) for name in ("inpA_nummer", "anpIdentificatie", "annIdentificatie", *_NUMBERS)
        ),
    },
    "digitaleadres": {
        "adres": (("M21", _CONTACT + "emailadres"), ("M21", _CONTACT + "telefoonnummer")),
        "omschrijving": (("M23", _CONTACT + "naam"), ("M24", _CONTACT + "functie")),
    },
    "actor": {
        "naam": (
            *(("M27", _ID + name) for name in ("voorletters", "voorvoegselAchternaam", "achternaam")),
            ("M27", _ID + "naam"),
            ("M27", _ID + "identificatie"),
            ("M12", _AFWIJKEND),
        ),
        "actoridentificator.objectId": (("M27", _ID + "identificatie"),),
        **{
            f"actorIdentificatie.{name}": (("M27", _CONTACT + name),)
            for name in ("functie", "emailadres", "telefoonnummer")
        },
    },
    "klantcontact": {
        "kanaal": (("M28", "klantcontact.kanaal"),),
        "onderwerp": (("M28", "klantcontact.onderwerp"),),
        "inhoud": (("M28", "klantcontact.toelichting"),),
        "plaatsgevondenOp": (("M28", "klantcontact.datumtijd"),),
        "hoofdOnderwerpType": (("M28", "zaak.zaaktype"),),
        "vertrouwelijk": (("M28", "zaak.vertrouwelijkheidaanduiding"),),
        "metadata.identificatie": (("M28", "klantcontact.identificatie"),),
        "metadata.zaak": (("M28", "zaak.identificatie"),),
    },
    "onderwerpobject": {"onderwerpobjectidentificator.objectId": (("M29", "klantcontact.zaak"),)},
    "betrokkene": {
        **_name("M30", ""),
        "contactnaam.achternaam": (*_name("M30", "")["contactnaam.achternaam"], ("M30", _CONTACT + "naam")),
        "volledigeNaam": (*_name("M30", "")["volledigeNaam"], ("M30", _CONTACT + "naam")),
        "organisatienaam": tuple(("M30", path) for _, path in _ORGANISATION),
        "rol": (("M30", "rol.indicatieMachtiging"),),
    },
}
# What a klant gives beside its subjectIdentificatie, which follows the rules of a rol.
_NAAM_VAN_KLANT: Final = tuple(
    ("M41", f"klant.{name}") for name in ("voornaam", "voorvoegselAchternaam", "achternaam")
)
_BEDRIJFSNAAM: Final = (("M41", "klant.bedrijfsnaam"),)
_KLANT_REGELS: Final = tuple(
    ("M41", f"klant.adres.{name}")
    for name in ("postcode", "huisnummer", "huisletter", "huisnummertoevoeging")
)
_KLANT_ADRES: Final = {
    "straatnaam": (("M41", "klant.adres.straatnaam"),),
    "huisnummer": (("M41", "klant.adres.huisnummer"),),
    "huisnummertoevoeging": _KLANT_REGELS[2:],
    "postcode": _KLANT_REGELS[:1],
    "stad": (("M41", "klant.adres.woonplaatsnaam"),),
    "land": (("M41", "klant.adres.landcode"),),
    **dict.fromkeys(_REGELS, _KLANT_REGELS),
}
_MEDEWERKER: Final = "contactmoment.medewerkerIdentificatie."
_CONTACTNAAM_VAN_KLANT: Final = {
    "contactnaam.voornaam": _NAAM_VAN_KLANT[:1],
    "contactnaam.voorvoegselAchternaam": _NAAM_VAN_KLANT[1:2],
    "contactnaam.achternaam": _NAAM_VAN_KLANT,
    "volledigeNaam": _NAAM_VAN_KLANT,
}
_EARLIER: Final[Rows] = {
    "partij": {
        "nummer": (("M41", "klant.klantnummer"),),
        "partijIdentificatie.naam": _BEDRIJFSNAAM,
        **{f"partijIdentificatie.{field}": pairs for field, pairs in _CONTACTNAAM_VAN_KLANT.items()},
        "partijIdentificatie.contactnaam.achternaam": _NAAM_VAN_KLANT[1:],
        **{
            f"{adres}.{field}": pairs
            for adres in ("bezoekadres", "correspondentieadres")
            for field, pairs in _KLANT_ADRES.items()
        },
    },
    CONTACTPERSOON: {
        "partijIdentificatie.contactnaam.achternaam": _NAAM_VAN_KLANT,
        "partijIdentificatie.volledigeNaam": _NAAM_VAN_KLANT,
        "interneNotitie": (("M41", "klant.functie"),),
    },
    "digitaleadres": {
        "adres": (("M41", "klant.emailadres"), ("M41", "klant.telefoonnummer")),
        "omschrijving": (*_NAAM_VAN_KLANT, ("M41", "klant.functie")),
    },
    "actor": {
        "naam": tuple(
            ("M40", _MEDEWERKER + name)
            for name in ("voorletters", "voorvoegselAchternaam", "achternaam", "identificatie")
        ),
        "actoridentificator.objectId": (("M40", _MEDEWERKER + "identificatie"),),
    },
    "klantcontact": {
        "kanaal": (("M40", "contactmoment.kanaal"),),
        "onderwerp": (("M40", "contactmoment.tekst"),),
        "inhoud": (("M40", "contactmoment.tekst"),),
        "taal": (("M40", "contactmoment.voorkeurstaal"),),
        "plaatsgevondenOp": (("M40", "contactmoment.registratiedatum"),),
    },
    "onderwerpobject": {
        "onderwerpobjectidentificator.objectId": (
            ("M40", "objectcontactmoment.object"),
            ("M32", "zaakcontactmoment.zaak"),
        )
    },
    "betrokkene": {
        **_CONTACTNAAM_VAN_KLANT,
        "organisatienaam": _BEDRIJFSNAAM,
        "rol": (("M40", "klantcontactmoment.rol"),),
        "initiator": (("M40", "contactmoment.initiatiefnemer"),),
    },
}


def _with_earlier(kind: str) -> Mapping[str, tuple[tuple[str, str], ...]]:
    """The rows of a kind of document: of rollen, of klanten by the same rules, and of klanten and contactmomenten."""
    rows = dict(_OF_ROLLEN[kind])
    for field, pairs in rows.items() if kind != "actor" else ():
        of_klant = [(rule, path.replace(_ID, _SUBJECT, 1)) for rule, path in pairs if path.startswith(_ID)]
        rows[field] = (*pairs, *of_klant)
    for field, pairs in _EARLIER.get(kind, {}).items():
        rows[field] = (*rows.get(field, ()), *pairs)
    return rows


# Kind of document, field: each legacy field that may give it, with the rule.
TABLE: Final[Rows] = {kind: _with_earlier(kind) for kind in _OF_ROLLEN}
# Fields that no single legacy field gives: the rule, and in words where the value comes from.
SETTLED: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {
    "partij": {
        "soortPartij": ("M11", "het betrokkeneType van de nieuwste rol"),
        "voorkeurstaal": ("M11", "de instelling [mapping] voorkeurstaal"),
        "indicatieActief": ("M11", "altijd waar zolang de bron de partij geeft"),
        "indicatieGeheimhouding": ("M11", "de bron zegt er niets over"),
        "nummer": ("M41", "geen klant geeft een nummer dat vrij is"),
        "interneNotitie": ("M11", "de bron zegt er niets over"),
        "bezoekadres.land": ("M14", "een verblijfsadres ligt in Nederland"),
    },
    CONTACTPERSOON: {
        "soortPartij": ("M22", "een contactpersoonRol met een naam, op een rol van een organisatie"),
        "partijIdentificatie.uuid": ("M9", "afgeleid van de sleutel van de contactpersoon"),
        "voorkeurstaal": ("M11", "de instelling [mapping] voorkeurstaal"),
        "indicatieActief": ("M11", "altijd waar zolang de bron de partij geeft"),
    },
    "partij-identificator": {
        "partijIdentificator": ("M17", "de codes die bij dit soort nummer horen"),
    },
    "digitaleadres": {
        "soortDigitaalAdres": ("M21", "de vorm van het adres"),
        "isStandaardAdres": ("M21", "het nieuwste adres van elke soort is het standaardadres"),
        "referentie": ("M21", "de bron zegt er niets over"),
        "verificatieDatum": ("M21", "de bron zegt er niets over"),
    },
    "actor": {
        "soortActor": ("M27", "het betrokkeneType van de nieuwste rol"),
        "indicatieActief": ("M27", "altijd waar zolang de bron de actor geeft"),
        "actoridentificator": ("M27", "de instellingen [mapping] actor_..."),
        "actorIdentificatie": ("M27", "van een medewerker alleen met functie en geldig telefoonnummer"),
        "naam": ("M27", "de rol geeft geen naam"),
    },
    "klantcontact": {
        "kanaal": ("M28", "het kanaal was leeg"),
        "onderwerp": ("M28", "het onderwerp was leeg"),
        "taal": ("M28", "de instelling [mapping] taal"),
        "vertrouwelijk": ("M28", "de meest vertrouwelijke zaak van het contact"),
        "metadata.bron": ("M28", "de naam van de bron"),
        "": ("M28", "de bron zegt er niets over"),
    },
    "onderwerpobject": {
        "onderwerpobjectidentificator": ("M29", "de instellingen [mapping] zaak_..."),
    },
    "betrokkene": {
        "initiator": ("M30", "de instelling [mapping] kanalen, anders waar: de bron zegt het niet"),
        "rol": ("M30", "klant, of vertegenwoordiger als de rol gemachtigde is"),
        "bezoekadres": ("M30", "een betrokkene uit de bron heeft geen eigen adres"),
        "correspondentieadres": ("M30", "een betrokkene uit de bron heeft geen eigen adres"),
    },
}


@dataclass(frozen=True, slots=True)
class Given:
    """A legacy field (`rol.betrokkeneIdentificatie.geslachtsnaam`) that gave a field of a document, by a rule."""

    field: str
    rule: str


def given(slot: Slot, objects: Objects, make: Callable[[Objects], Slots]) -> dict[str, list[Given]]:
    """Which legacy fields gave each field of one document.

    In: which of the documents that `make` gives it is, the legacy objects, and the translation. Out: by field of the
    document; blank fields are not there.
    """
    base = make(objects).get(slot, {})
    found: dict[str, list[Given]] = {}
    rows = TABLE.get(slot[0], {})
    for legacy in dict.fromkeys(path for pairs in rows.values() for _, path in pairs):
        changed = changes(objects, legacy, slot, base, make)
        for field, pairs in rows.items():
            if field in changed:
                found.setdefault(field, []).extend(
                    Given(path, rule) for rule, path in pairs if path == legacy
                )
    return found


def settled(kind: str, field: str) -> tuple[str, str] | None:
    """The rule and the words for a field that no legacy field gave; the nearest group that the table names."""
    named = SETTLED.get(kind, {})
    path = field
    while path and path not in named:
        path = path.rpartition(".")[0]
    return named.get(path)


def changes(
    objects: Objects, legacy: str, slot: Slot, base: Fields, make: Callable[[Objects], Slots]
) -> set[str]:
    """The fields of a document (its `base`) that change with a legacy field, when it is filled."""
    changed: set[str] = set()
    for other in altered(objects, legacy):
        try:
            fields = make(other).get(slot)
        except Untranslatable:
            continue
        if fields is not None:
            changed |= {field for field, value in base.items() if says(value) and fields.get(field) != value}
    if not changed and says(value := legacy_value(objects, legacy)):
        # The number that a document is about: with another one it is another document.
        changed = {field for field, held in base.items() if held == value}
    return changed


def altered(objects: Objects, legacy: str) -> Iterator[Objects]:
    """The objects with one filled legacy field emptied, and with another value of the same form in it."""
    value = legacy_value(objects, legacy)
    if not says(value):
        return
    kind, *path = legacy.split(".")
    for other in ([] if isinstance(value, list) else "", *others(path[-1], value)):
        copy = {**objects, kind: deepcopy(dict(objects[kind]))}
        group: Any = copy[kind]
        for name in path[:-1]:
            group = group[name]
        group[path[-1]] = other
        yield copy


def says(value: Any) -> bool:
    """Does a value say anything? No is an answer too."""
    return value not in (None, "", [])


def legacy_value(objects: Objects, legacy: str) -> Any:
    """What stands in a legacy field, None when it or what it is part of is not there."""
    kind, *path = legacy.split(".")
    value: Any = objects.get(kind)
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


_OTHERS: Final[Mapping[str, tuple[str, str]]] = {
    "registratiedatum": ("2001-01-01T12:00:00Z", "2002-02-02T12:00:00Z"),
    "initiatiefnemer": ("klant", "gemeente"),
    "rol": ("belanghebbende", "gesprekspartner"),
    "landcode": ("DE", "FR"),
    "postcode": ("1111 AA", "2222 BB"),
    "aoaPostcode": ("1111 AA", "2222 BB"),
    "aoaHuisnummer": ("7", "8"),
    "lndLandnaam": ("Duitsland", "Marokko"),
    "lndLandcode": ("6029", "5022"),
    "indicatieMachtiging": ("gemachtigde", "machtiginggever"),
    "vertrouwelijkheidaanduiding": ("openbaar", "vertrouwelijk"),
    "datumtijd": ("2001-01-01T12:00:00Z", "2002-02-02T12:00:00Z"),
    "zaak": (
        "https://zaken.example/zaken/00000000-0000-4000-8000-000000000001",
        "https://zaken.example/zaken/00000000-0000-4000-8000-000000000002",
    ),
    "bsn": ("111222333", "123456782"),
    "telefoon": ("0201234567", "0301234567"),
}


def others(name: str, value: Any) -> list[Any]:
    """Other values of the same form for the legacy field `name`."""
    if isinstance(value, list):
        return [[others(name, item)[0] if item else item for item in value]]
    text = str(value).strip() or "-"
    if (name == "inpBsn" and nummers.bsn(text)) or (
        name in ("innNnpId", "identifier") and nummers.rsin(text)
    ):
        name = "bsn"
    elif name == "telefoonnummer" and telefoonnummer(text):
        name = "telefoon"
    elif (name == "lndLandcode" and text not in LANDENTABEL) or (
        name == "lndLandnaam" and not landcode(text, "")
    ):
        name = "unknown"
    elif name == "object":
        name = "zaak"
    if name in _OTHERS:
        return [other for other in _OTHERS[name] if other != text]
    if text.isdigit():
        return [str((int(text[0]) + 1) % 10) + text[1:]]
    return [("Y" if text[0] in "Xx" else "X") + text[1:]]


def flat(body: Mapping[str, Any], path: str = "") -> Fields:
    """The values of a document by their path."""
    found: Fields = {}
    for name, value in body.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{path}{name}.")
        else:
            found[path + name] = value
    return found


def slot_of(kind: str, body: Mapping[str, Any]) -> Slot:
    """What tells a document from the others that the same legacy objects make."""
    if kind == "partij" and body["soortPartij"] == CONTACTPERSOON:
        return CONTACTPERSOON, ""
    if kind == "partij-identificator":
        return kind, body["partijIdentificator"]["codeSoortObjectId"]
    if kind == "digitaleadres":
        return kind, body["soortDigitaalAdres"]
    return kind, ""


def slots(documents: Sequence[Document]) -> Slots:
    """Documents as fields; of several in one slot the first."""
    found: Slots = {}
    for document in documents:
        found.setdefault(slot_of(document.kind, document.body), flat(document.body))
    return found


def of_claim(claim: Claim, uuids: Uuids, settings: Settings) -> Slots:
    """What one claim makes by itself, as if no other rol spoke of its party or actor."""
    (keys,) = key_sets([claim.keys], [claim.soort])
    found = slots(merge([claim], keys, uuids, settings).documents)
    if claim.nummer:
        found["partij", ""]["nummer"] = claim.nummer
    return found


def party_maker(facet: str, source: str, uuids: Uuids, settings: Settings) -> Callable[[Objects], Slots]:
    """The translation of one rol, klant or contactmoment to the party or actor that this facet of it names."""

    def make(objects: Objects) -> Slots:
        ((kind, raw),) = objects.items()
        claims = translate(kind, raw, source, settings).claims
        claim = next((claim for claim in claims if claim.facet == facet), None)
        return of_claim(claim, uuids, settings) if claim else {}

    return make


def contact_maker(source: str, uuids: Uuids, settings: Settings) -> Callable[[Objects], Slots]:
    """The translation of a klantcontact with its zaak, and with one rol of that zaak when there is one."""

    def make(objects: Objects) -> Slots:
        facts = {kind: translate(kind, raw, source, settings).facts for kind, raw in objects.items()}
        deelnemers = []
        if facts.get("rol"):
            deelnemers.append(Deelnemer(UUID(objects["rol"]["uuid"]), NOBODY, facts["rol"]))
        made = translate_klantcontact(
            facts["klantcontact"], facts["zaak"], deelnemers, source, uuids, settings
        )
        return slots(made.documents)

    return make


def moment_maker(source: str, uuids: Uuids, settings: Settings) -> Callable[[Objects], Slots]:
    """The translation of a contactmoment, with one tie to a klant and one to a zaak as far as they are there (M40)."""

    def make(objects: Objects) -> Slots:
        facts = {kind: translate(kind, raw, source, settings).facts for kind, raw in objects.items()}
        klant = facts.get("klant", {})
        partners = []
        if klant or "klantcontactmoment" in facts:
            rol = facts.get("klantcontactmoment", {"rol": "belanghebbende"})["rol"]
            partners.append(Gesprekspartner(NOBODY, NOBODY, klant, rol == "belanghebbende"))
        about = facts.get("objectcontactmoment", facts.get("zaakcontactmoment", {}))
        zaken = []
        if "zaak" in facts and (named := uuid_in(about.get("object", about.get("zaak")))):
            zaken.append(Onderwerpzaak(named, facts["zaak"]["vertrouwelijkheidaanduiding"]))
        omgeving = Omgeving(partners, zaken, vorig_bekend=True)
        return slots(
            translate_contactmoment(facts["contactmoment"], omgeving, source, uuids, settings).documents
        )

    return make
