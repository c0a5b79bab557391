"""What became of one legacy object: plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mappings.model.claims import Claim
from mappings.model.findings import Finding


@dataclass(slots=True)
class Translated:
    """What a legacy object says: `facts` that other objects need of it, claims (of a rol), findings."""

    facts: dict[str, Any]
    claims: list[Claim] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
