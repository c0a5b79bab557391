"""The kinds of objects that sources have, each declared once: a module a kind.

A kind is added by a module here, with its schema in `mappings.incoming` and its rules in `mappings.rules`; in
tests/jobs/test_made_up_kind.py stands one whole. Tables by kind elsewhere are made from these when they are imported.
"""

from __future__ import annotations

from mappings.standards.catalogi import ROLTYPE, ZAAKTYPE
from mappings.standards.contactmoment import CONTACTMOMENT
from mappings.standards.declaration import ZAKEN, LegacyKind, LegacyList
from mappings.standards.klant import KLANT
from mappings.standards.klantcontact import KLANTCONTACT
from mappings.standards.klantcontactmoment import KLANTCONTACTMOMENT
from mappings.standards.objectcontactmoment import OBJECTCONTACTMOMENT
from mappings.standards.rol import ROL
from mappings.standards.zaak import ZAAK
from mappings.standards.zaakcontactmoment import ZAAKCONTACTMOMENT

# What connects a zaak to a contactmoment of any API. It has no pages and no order, so it is read in ways of its own.
CONNECTION = ZAAKCONTACTMOMENT.name

# The kinds that are held, by their number.
KINDS: dict[str, LegacyKind] = {}
# What can be asked of a source: their lists, and those of the Catalogi API.
LISTS: dict[str, LegacyList] = {each.name: each for each in (ZAAKTYPE, ROLTYPE)}


def declare(kind: LegacyKind) -> None:
    """Add a kind, before anything else of ours is imported. Raises ValueError when its name or number is taken."""
    if kind.name in LISTS or kind.number != len(KINDS) + 1:
        raise ValueError(f"{kind.name} is declared already, or {kind.number} is not the next number")
    KINDS[kind.name] = LISTS[kind.name] = kind


# A new one comes at the end.
DECLARED = (
    *(ZAAK, ROL, KLANTCONTACT, ZAAKCONTACTMOMENT),
    *(KLANT, CONTACTMOMENT, KLANTCONTACTMOMENT, OBJECTCONTACTMOMENT),
)
for each in DECLARED:
    declare(each)


def in_order() -> list[LegacyKind]:
    """The kinds, in the order in which they are read."""
    return sorted(KINDS.values(), key=lambda kind: kind.order)


def walked() -> list[LegacyKind]:
    """The kinds whose lists are walked, in order: those that have pages."""
    return [kind for kind in in_order() if kind.paged]


def of_every_source() -> list[str]:
    """The kinds that every source has, whose lists are walked: those of the Zaken API."""
    return [kind.name for kind in walked() if kind.api == ZAKEN]


def asked_by(kind: str) -> list[LegacyKind]:
    """The kinds that can be asked for what hangs on an object of a kind, those whose lists can be walked first."""
    return sorted(
        (each for each in KINDS.values() if kind in each.asked_by),
        key=lambda each: (not each.paged, each.order),
    )
