"""The parameters that find rollen by whom they are about, as rollen and zaken both have them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mappings.standards.declaration import Number

PERSON: Final = "betrokkeneIdentificatie__natuurlijkPersoon__"
COMPANY: Final = "betrokkeneIdentificatie__nietNatuurlijkPersoon__"
BRANCH: Final = "betrokkeneIdentificatie__vestiging__"
EMPLOYEE: Final = "betrokkeneIdentificatie__medewerker__identificatie"
UNIT: Final = "betrokkeneIdentificatie__organisatorischeEenheid__identificatie"
UNIT_OF_1_0: Final = f"{BRANCH}identificatie"  # so named in 1.0
KVK: Final = (f"{COMPANY}kvkNummer", f"{BRANCH}kvkNummer")


def finds_all_kvk(version: Number, can: Callable[[str], bool]) -> bool:
    """Can rollen be asked by KVK number in each field that holds one? Before 1.3 only innNnpId does."""
    return version < (1, 3) or all(can(parameter) for parameter in KVK)


def spellings_of_bsn(number: str) -> list[str]:
    """A BSN with its leading zero and without: sources have both."""
    return [number, number[1:]] if number.startswith("0") else [number]
