"""What an operator is told of what does not go back, or not as it was written: the findings of W4-W10."""

from __future__ import annotations

from typing import Final

from mappings.model.findings import Finding, Severity

STAYS: Final = "blijft in Klantbrug"
NOT_BACK: Final = "niet terug te schrijven"
CHANGED: Final = "gewijzigd bij de bron"

# What never goes back (W8), by the kind of document; partij is for its names and addresses.
NEVER: Final = (
    *("partij", "partij-identificator", "vertegenwoordiging", "categorie", "categorie-relatie"),
    *("rekeningnummer", "bijlage", "internetaak"),
)


def stays(kind: str) -> Finding:
    """A client wrote what the old screens will not show (W8)."""
    return Finding("W8", kind, Severity.INFO, STAYS)


def not_back(rule: str, field: str, why: str = "") -> Finding:
    """A client changed what the source can't be told (W4, W5, W7)."""
    return Finding(rule, field, Severity.DROPPED, f"{NOT_BACK}: {why}" if why else NOT_BACK)


def changed(rule: str, field: str) -> Finding:
    """The source's value is another than the client saw (W9), or than was sent."""
    return Finding(rule, field, Severity.DROPPED, CHANGED)


def refused(kind: str, cause: str) -> Finding:
    """The source refused what was sent (W10): its code, never a value."""
    return Finding("W10", kind, Severity.DROPPED, f"door de bron geweigerd: {cause}")


def cut(rule: str, field: str, limit: int, found: list[Finding]) -> None:
    """A text that was too long for the source (W4)."""
    found.append(
        Finding(rule, field, Severity.ADJUSTED, f"ingekort tot {limit} tekens bij het terugschrijven")
    )
