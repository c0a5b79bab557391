"""Rollen of the Zaken API: who is involved in a zaak."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mappings.incoming import unplaced_fields
from mappings.incoming.given_fields import UNDATED
from mappings.incoming.zaken import load_rol
from mappings.model.findings import Finding, Severity
from mappings.model.settings import Settings
from mappings.model.translated import Translated
from mappings.rules.rollen import translate_rol
from mappings.standards.betrokkenen import (
    BRANCH,
    COMPANY,
    EMPLOYEE,
    KVK,
    PERSON,
    UNIT,
    UNIT_OF_1_0,
    finds_all_kvk,
    spellings_of_bsn,
)
from mappings.standards.declaration import (
    ALWAYS,
    ZAKEN,
    Asking,
    Decides,
    FoundBy,
    LegacyKind,
    Newest,
    Pages,
    Questions,
    since,
)


def _translate(rol: dict[str, Any], raw: Mapping[str, Any], source: str, settings: Settings) -> Translated:
    translation = translate_rol(rol, source, settings)
    if rol["registratiedatum"] == UNDATED:
        action = "zonder datum: elke rol met een datum gaat voor"
        translation.findings.append(Finding("M18", "registratiedatum", Severity.INFO, action))
    facts = translation.deelname
    if facts and (mask := unplaced_fields.van_rol(raw)):
        facts["zonder_plaats"] = mask
    return Translated(facts, translation.claims, translation.findings)


def _by_key(key: str, asking: Asking) -> Questions:
    """The filters that find the rollen of an identity key in this version of the API."""
    start, value = key.split(":", 1)
    number = value.partition(":")[2]
    match start, value.partition(":")[0]:
        case "brp", "bsn":
            return [(f"{PERSON}inpBsn", spelling) for spelling in spellings_of_bsn(number)], True
        case "brp", "anr":
            return [(f"{PERSON}inpA_nummer", number)], True
        case (("anp" | "ann"), source):
            name = f"{PERSON}anpIdentificatie" if start == "anp" else f"{COMPANY}annIdentificatie"
            return ([(name, number)], True) if source == asking.source else ([], True)
        case "hr", "rsin":
            return [(f"{COMPANY}innNnpId", number)], True
        case "hr", "kvk":
            names = [f"{COMPANY}innNnpId", *filter(asking.can, KVK)]
            return [(name, number) for name in names], finds_all_kvk(asking.version(), asking.can)
        case "hr", "vestiging":
            names = [f"{BRANCH}vestigingsNummer", f"{COMPANY}vestigingsNummer"]
            return [(name, number) for name in names if asking.can(name)], True
        case "url", _:
            return [("betrokkene", value)], True
        case (("actor" | "actor-url"), _):
            soort, source, value = value.split("|", 2)
            if source not in (asking.source, "*") or soort == "groep":
                return [], True  # a groep occurs in contactmomenten only
            if start == "actor-url":
                return [("betrokkene", value)], True
            if soort == "medewerker":
                return [(EMPLOYEE, value)], True
            return [(name, value) for name in (UNIT, UNIT_OF_1_0) if asking.can(name)], True
    return [], True  # rol:... names one rol, which is held or it would have no key


ROL: Final = LegacyKind(
    name="rol",
    number=2,
    title="Rollen",
    path="rollen",
    api=ZAKEN,
    pages=Pages.SIZED,
    filters={
        **since(
            ALWAYS,
            *(
                "page",
                "zaak",
                "betrokkene",
                "betrokkeneType",
                "roltype",
                "omschrijving",
                "omschrijvingGeneriek",
            ),
            *(f"{PERSON}{field}" for field in ("inpBsn", "anpIdentificatie", "inpA_nummer")),
            *(f"{COMPANY}{field}" for field in ("innNnpId", "annIdentificatie")),
            f"{BRANCH}vestigingsNummer",
            EMPLOYEE,
        ),
        **since(ALWAYS, UNIT_OF_1_0, until=(1, 2)),
        **since((1, 2), UNIT),
        **since((1, 7), "expand"),
    },
    additions=frozenset({*KVK, f"{COMPANY}vestigingsNummer", "machtiging", "machtiging__loa"}),
    own_urls={"zaak": "zaak", "roltype": "roltype"},
    order=2,
    newest=Newest(),
    asked_by={"zaak": "zaak"},
    by_key=_by_key,
    schema=load_rol,
    translate=_translate,
    says=True,
    decides=Decides.ITS_ZAAK,
    found_by=FoundBy.ITS_KEYS,
    uuid_key="rol",
)
