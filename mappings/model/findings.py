"""What a translation could not carry over: a finding for the operator (M2), or a refusal (M3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much of the legacy value still stands in the translated document."""

    INFO = "info"
    ADJUSTED = "adjusted"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One value that did not fit, and what was done with it (M2).

    `field` is the path in the legacy object. `action` is a plain Dutch sentence for an operator; it may hold
    lengths and codes of public tables, never the personal value itself.
    """

    rule: str
    field: str
    severity: Severity
    action: str


class Untranslatable(Exception):
    """A legacy object that goes to quarantine (M3).

    `reason` names the fields that are wrong and how, never what they hold, so it may be stored and shown.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
