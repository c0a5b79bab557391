"""Why a field holds what it holds: the legacy fields that it came from, and the rule that brought it there.

`origins` says which legacy field may give which field of a document. What gave it in one object is tried, not
guessed: the legacy field is altered, the object is translated again, and whatever changes came from that field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from mappings.explain.origins import CONTACTPERSOON, SETTLED, TABLE, WHEN_FILLED
from mappings.identity.identity import Uuids
from mappings.model.claims import Claim
from mappings.model.documents import Document
from mappings.model.findings import Untranslatable
from mappings.model.settings import Settings
from mappings.rules.contactmomenten import (
    Gesprekspartner,
    Omgeving,
    Onderwerpzaak,
    translate_contactmoment,
)
from mappings.rules.klantcontacten import Deelnemer, translate_klantcontact, zaak_onderwerp
from mappings.rules.merge import merge, sets_of
from mappings.translate import translate
from mappings.values import nummers
from mappings.values.digitaleadressen import telefoonnummer
from mappings.values.landen import land_van_code, landcode
from mappings.values.uuids import uuid_in

# A legacy object by its kind: what one document is translated from.
Objects = Mapping[str, Mapping[str, Any]]
# The fields of one document, each by its path; its kind, and what distinguishes it from others of that kind.
Fields = dict[str, Any]
Slot = tuple[str, str]
Slots = dict[Slot, Fields]

NOBODY: Final = UUID(int=0)


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


def settled(kind: str, field: str, value: Any) -> tuple[str, str] | None:
    """The rule and the words for a field that no legacy field gave; the nearest group that the table names."""
    if (kind, field) in WHEN_FILLED and not says(value):
        return None
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
    elif name in ("telefoonnummer", "telefoonnummerAlternatief") and telefoonnummer(text):
        name = "telefoon"
    elif (name == "lndLandcode" and not land_van_code(text)) or (
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
    """What distinguishes a document from the others that the same legacy objects make."""
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


def of_claim(claim: Claim, uuids: Uuids, settings: Settings, soort: str = "") -> Slots:
    """What one claim makes by itself, as if no other rol spoke of its party or actor.

    `soort` is the soortPartij of its party, for a klant that does not say what it is itself.
    """
    claim = claim.read_as(soort)
    (keys,) = sets_of([claim])
    found = slots(merge([claim], keys, uuids, settings).documents)
    if claim.nummer:
        found["partij", ""]["nummer"] = claim.nummer
    return found


def party_maker(
    facet: str, source: str, uuids: Uuids, settings: Settings, soort: str = ""
) -> Callable[[Objects], Slots]:
    """The translation of one rol, klant or contactmoment to the party or actor that this facet of it names.

    `soort` is the soortPartij of that party.
    """

    def make(objects: Objects) -> Slots:
        ((kind, raw),) = objects.items()
        claims = translate(kind, raw, source, settings).claims
        claim = next((claim for claim in claims if claim.facet == facet), None)
        return of_claim(claim, uuids, settings, soort) if claim else {}

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
        if klant or "klantcontactmoment" in facts or facts["contactmoment"]["klant"]:
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


def subject_maker(source: str, uuids: Uuids, settings: Settings) -> Callable[[Objects], Slots]:
    """The translation of what says that a klantcontact, wherever that came from, is about a zaak (M32)."""

    def make(objects: Objects) -> Slots:
        kind = "objectcontactmoment" if "objectcontactmoment" in objects else "zaakcontactmoment"
        tie = translate(kind, objects[kind], source, settings).facts
        over = str(uuid_in(tie.get("object", tie.get("zaak"))) or "")
        return slots([zaak_onderwerp(NOBODY, over, 0, uuids, settings, frozenset())])

    return make
