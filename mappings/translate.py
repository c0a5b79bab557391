"""One legacy object of any kind, read and translated as far as it can be without its zaak."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final
from uuid import UUID

from mappings.incoming import earlier_standards, unplaced_fields, zaken
from mappings.incoming.given_fields import UNDATED
from mappings.incoming.unreadable import reason_in
from mappings.model.claims import Claim
from mappings.model.findings import Finding, Severity, Untranslatable
from mappings.model.settings import Settings
from mappings.rules.contactmomenten import geen_zaak, read_contactmoment, zaak_of
from mappings.rules.klantcontacten import klantcontact_facts, zaak_facts
from mappings.rules.klanten import translate_klant
from mappings.rules.rollen import translate_rol

_USUAL: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# Raised when the same legacy objects give other documents: an installation is then asked to rebuild. A test tells when.
VERSION = 8


@dataclass(slots=True)
class Translated:
    """What a legacy object says: `facts` that other objects need of it, claims (of a rol), findings."""

    facts: dict[str, Any]
    claims: list[Claim] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def translate(kind: str, raw: Mapping[str, Any], source: str, settings: Settings) -> Translated:
    """Read and translate an object of `source` (M1); ties of the earlier standards are only read.

    Raises Untranslatable when it can't be read at all (M3).
    """
    reason = reason_in(raw)
    if reason is not None:
        raise Untranslatable(reason)
    if kind == "zaak":
        return Translated(zaak_facts(zaken.load_zaak(dict(raw))))
    if kind == "klantcontact":
        return Translated(klantcontact_facts(zaken.load_klantcontact(dict(raw))))
    if kind == "rol":
        rol = zaken.load_rol(dict(raw))
        translation = translate_rol(rol, source, settings)
        if rol["registratiedatum"] == UNDATED:
            action = "zonder datum: elke rol met een datum gaat voor"
            translation.findings.append(Finding("M18", "registratiedatum", Severity.INFO, action))
        facts = translation.deelname
        if facts and (mask := unplaced_fields.van_rol(raw)):
            facts["zonder_plaats"] = mask
        return Translated(facts, translation.claims, translation.findings)
    if kind == "klant":
        klant = translate_klant(earlier_standards.load_klant(dict(raw)), source, settings)
        mask = unplaced_fields.masker(klant.zonder_plaats) | unplaced_fields.van_klant(raw)
        return Translated(_with_places(klant.facts, mask), klant.claims, klant.findings)
    if kind == "contactmoment":
        moment = read_contactmoment(earlier_standards.load_contactmoment(dict(raw)), source, settings)
        mask = unplaced_fields.masker(moment.zonder_plaats) | unplaced_fields.van_contactmoment(raw)
        return Translated(_with_places(moment.facts, mask), moment.claims, moment.findings)
    if kind in _TIES:
        tie = _TIES[kind](dict(raw))
        return Translated(
            tie, [], [geen_zaak()] if kind == "objectcontactmoment" and not zaak_of(tie) else []
        )
    raise ValueError(f"no translation for a legacy object of kind {kind}")


_TIES = {
    "klantcontactmoment": earlier_standards.load_klantcontactmoment,
    "objectcontactmoment": earlier_standards.load_objectcontactmoment,
    "zaakcontactmoment": earlier_standards.load_zaakcontactmoment,
}


def _with_places(facts: dict[str, Any], mask: int) -> dict[str, Any]:
    """The facts with the fields that have no place (M36)."""
    return facts | {"zonder_plaats": mask} if mask else facts


def fingerprint(settings: Settings) -> str:
    """What tells this mapping from another: its version and the choices that documents depend on.

    Not the maximum of M34: what it leaves out is not held, and never needs translating again; nor how long is kept what
    makes no document (M2). And of the codes of a zaak only those that are served: by the others is only searched (M29).
    """
    choices = asdict(settings)
    del choices["max_vertrouwelijkheidaanduiding"]
    del choices["wachttijd_dagen"]
    choices["zaak_codes"] = choices["zaak_codes"][0]
    told = json.dumps([VERSION, choices], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def uuid_in(value: object) -> UUID | None:
    """The uuid of a uuid text or at the end of a URL, None when there is none."""
    if not isinstance(value, str):
        return None
    try:
        return UUID(value.strip().rstrip("/").rsplit("/", 1)[-1])
    except ValueError:
        return None


def uuid_bytes_in(value: object) -> bytes | None:
    """The 16 bytes of `uuid_in`; at once when it is written as uuids usually are."""
    if isinstance(value, str) and _USUAL.fullmatch(last := value[-36:]) and value[-37:-36] in ("", "/"):
        return bytes.fromhex(last.replace("-", ""))
    uuid = uuid_in(value)
    return uuid.bytes if uuid else None
