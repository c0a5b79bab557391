"""What a contactmoment, and what ties it to others, says by itself (M27, M32, M40).

A contactmoment is one of the Contactmomenten API 1.0; what becomes of it together with all that it hangs together with
is in `contactmomenten`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import UUID

from mappings.identity.identity import actor_keys
from mappings.incoming.esuite import ACTOREN, Naast
from mappings.incoming.given_fields import UNDATED
from mappings.model.findings import Finding, Severity
from mappings.model.settings import Settings
from mappings.rules.esuite import identificatie_of, is_contactverzoek
from mappings.rules.klanten import as_rol, renamed
from mappings.rules.rollen import Claim, translate_rol

_ZONDER_PLAATS: Final = ("bronorganisatie", "voorkeurskanaal", "onderwerpLinks")


@dataclass(slots=True)
class Momentvertaling:
    """What a contactmoment says by itself: the claim on its medewerker (if any), `facts`, findings.

    `zonder_plaats` names the fields that hold something and have no place in Klantinteracties (M36), and the
    initiatiefnemer when it is blank (M30): they are counted for the source.
    """

    claims: list[Claim]
    facts: dict[str, Any]
    findings: list[Finding] = field(default_factory=list)
    zonder_plaats: list[str] = field(default_factory=list)


def read_contactmoment(moment: Mapping[str, Any], source: str, settings: Settings) -> Momentvertaling:
    """What a loaded contactmoment (`earlier.load_contactmoment`) says by itself (M27, M40).

    The facts are JSON-ready, for `translate_contactmoment`. A medewerker is one actor with the medewerker of the same
    identificatie in rollen of the same source.
    """
    naast: Naast = moment["naast"]
    found = list(naast.found)
    claims: list[Claim] = []
    identificatie, veld = moment["medewerkerIdentificatie"], "medewerkerIdentificatie"
    if not any((identificatie or {}).values()) and "medewerker" in naast.actoren:
        identificatie, veld = identificatie_of(naast.actoren["medewerker"], "medewerker"), "medewerker"
    if moment["medewerker"] or any((identificatie or {}).values()):
        claims += _actor(
            moment, "medewerker", moment["medewerker"], identificatie, veld, source, settings, found
        )
    for name, soort in ACTOREN.items():
        if name in naast.actoren:
            own = identificatie_of(naast.actoren[name], soort)
            for claim in _actor(moment, soort, "", own, name, source, settings, found):
                claim.facet = name
                claim.keys = behandelaar_keys(name, soort, own["identificatie"], source, claim.rol)
                claims.append(claim)
    if moment["registratiedatum"] == UNDATED:
        action = "zonder datum: plaatsgevondenOp is 1 januari 1970, ouder dan elk contact met een datum"
        found.append(Finding("M40", "registratiedatum", Severity.ADJUSTED, action))
    for name, uuid in (("klant", "klant_uuid"), ("vorigContactmoment", "vorig_uuid")):
        if moment[name] and not moment[uuid]:
            found.append(
                Finding("M40", name, Severity.DROPPED, "het adres eindigt niet op een uuid: overgeslagen")
            )
    names = ("uuid", "kanaal", "tekst", "initiatiefnemer", "voorkeurstaal")
    facts = {name: moment[name] for name in names} | {
        "moment": moment["registratiedatum"],
        "klant": moment["klant_uuid"],
        "vorig": moment["vorig_uuid"],
        **naast.teksten,
    }
    if naast.contactgegevens:
        facts["contactgegevens"] = naast.contactgegevens
    uncounted = [] if moment["initiatiefnemer"] else ["initiatiefnemer"]
    if not is_contactverzoek(facts, settings):
        uncounted += [name for name in ("type", "status", "toelichting") if name in naast.teksten]
        found += [
            Finding(
                "M40", name, Severity.INFO, "geen contactverzoek: de actor is er, maar heeft hier geen taak"
            )
            for name in ACTOREN
            if name in naast.actoren
        ]
    return Momentvertaling(
        claims, facts, found, [name for name in _ZONDER_PLAATS if moment[name]] + uncounted
    )


def _actor(
    moment: Mapping[str, Any],
    soort: str,
    url: str,
    identificatie: Mapping[str, Any] | None,
    veld: str,
    source: str,
    settings: Settings,
    found: list[Finding],
) -> list[Claim]:
    """The claim on an actor that a contactmoment names in a field, by the rules of a rol (M27)."""
    rol = as_rol(moment["uuid"], soort, moment["registratiedatum"], url, identificatie)
    made = translate_rol(rol, source, replace(settings, partij_rollen=()))
    found += [renamed(each, {}, veld) for each in made.findings]
    return made.claims


def behandelaar_keys(name: str, soort: str, identificatie: str, source: str, rol: UUID) -> list[str]:
    """The keys of an actor that a contactmoment names in the field `name` (M27, M40).

    A groep is an actor of its own beside an afdeling with the same identificatie. Without an identificatie it is one
    of its contactmoment and field.
    """
    keys = actor_keys("groep" if name == "groep" else soort, identificatie, (), source, rol)
    return keys if identificatie else [f"{key}|{name}" for key in keys]


def zaak_of(tie: Mapping[str, Any]) -> str:
    """The uuid of the zaak that a loaded objectcontactmoment is about; "" when it is about something else."""
    return str(tie["object_uuid"]) if tie["objectType"] == "zaak" else ""


def geen_zaak() -> Finding:
    """The finding on an objectcontactmoment about something else than a zaak (M40)."""
    return Finding("M40", "object", Severity.DROPPED, "geen zaak met een uuid: geen onderwerpobject gemaakt")


def onbekend_contactmoment() -> Finding:
    """The finding on a zaakcontactmoment whose contactmoment is in a system that is not configured (M32)."""
    return Finding(
        "M32",
        "contactmoment",
        Severity.DROPPED,
        "het contactmoment staat in een systeem dat geen bron is: overgeslagen",
    )
