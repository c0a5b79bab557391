"""One legacy object of any kind, read and translated as far as it can be without its zaak."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from mappings import zaken
from mappings.findings import Finding
from mappings.klantcontacten import klantcontact_facts, zaak_facts
from mappings.rollen import Claim, translate_rol
from mappings.settings import Settings


@dataclass(slots=True)
class Translated:
    """What a legacy object says: `facts` that other objects need of it, claims (of a rol), findings."""

    facts: dict[str, Any]
    claims: list[Claim] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def translate(kind: str, raw: Mapping[str, Any], source: str, settings: Settings) -> Translated:
    """Read and translate a zaak, rol or klantcontact of `source` (M1).

    Raises Untranslatable when it can't be read at all (M3).
    """
    if kind == "zaak":
        return Translated(zaak_facts(zaken.load_zaak(dict(raw))))
    if kind == "klantcontact":
        return Translated(klantcontact_facts(zaken.load_klantcontact(dict(raw))))
    if kind == "rol":
        translation = translate_rol(zaken.load_rol(dict(raw)), source, settings)
        return Translated(translation.deelname, translation.claims, translation.findings)
    raise ValueError(f"no translation for a legacy object of kind {kind}")


def uuid_in(value: object) -> UUID | None:
    """The uuid of a uuid text or at the end of a URL, None when there is none."""
    if not isinstance(value, str):
        return None
    try:
        return UUID(value.strip().rstrip("/").rsplit("/", 1)[-1])
    except ValueError:
        return None
