"""What a legacy object ties together: plain data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tie:
    """What one legacy object ties a contactmoment to, each by its uuid."""

    contact: bytes
    klant: bytes | None = None
    zaak: bytes | None = None
    vorig: bytes | None = None
