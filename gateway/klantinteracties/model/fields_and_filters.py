"""Fields and filters that several resources have."""

from __future__ import annotations

from gateway.klantinteracties.model.declarations import At, BodyValue, Filter
from gateway.store.base.conditions import Compare

SOORTEN_PARTIJ = ("contactpersoon", "organisatie", "persoon")
CODES = ("codeObjecttype", "codeRegister", "codeSoortObjectId", "objectId")
COMPARISONS = (
    ("__gt", Compare.AFTER),
    ("__gte", Compare.FROM),
    ("__lt", Compare.BEFORE),
    ("__lte", Compare.UNTIL),
)


def values(*names: str) -> tuple[BodyValue, ...]:
    """Fields that stand in the stored body as they are shown."""
    return tuple(BodyValue(name) for name in names)


def identificator(at: At) -> tuple[Filter, ...]:
    """The four codes of a partij-identificator, named as seen from another resource."""
    return tuple(at.text(code, f"partijIdentificator.{code}") for code in CODES)


def object_identificator(at: At, group: str) -> tuple[Filter, ...]:
    """The four codes of a group of the document's own, named as `groupCodeObjecttype`."""
    return tuple(at.text(f"{group}{code[0].upper()}{code[1:]}", f"{group}.{code}") for code in CODES)


def identificatoren_of(partij: At, prefix: str) -> At:
    """The identificatoren of the partijen here."""
    about = f"een partij-identificator van {partij.about}"
    return partij.back("partij-identificator.identificeerdePartij", prefix, about)
