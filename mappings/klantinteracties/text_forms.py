"""How texts are spelled: names as the API has them, and the forms that a text may be asked to have.

A number in brackets is that of a recorded exchange: `tests/data/klantinteracties/<number>-*.json`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import pycountry
from marshmallow import ValidationError, validate

from mappings.klantinteracties import faults
from mappings.klantinteracties.faults import Fault
from mappings.values.digitaleadressen import geldig_emailadres

# What is wrong with a text; called for texts that are not empty.
Rule = Callable[[str], Fault | None]

# Numbers that belong to services, not to people, may not be called back (contract, field `adres`).
TELEPHONE: Final = r"^(0[1-9][0-9]{8}|\+[0-9]{9,15}|00[0-9]{7,13})$"
_TELEPHONE: Final = re.compile(TELEPHONE)
_SERVICE_NUMBERS: Final = ("0800", "0900")
# Digits only, and too few of them; not the beginning of a number of a service [132].
_SHORT_TELEPHONE: Final = re.compile(r"(?!0[89]00|140)([1-9][0-9]{0,8}|0[0-9]{0,8}|\+[0-9]{0,8})")
_UNDERSCORE: Final = re.compile(r"_+([A-Za-z0-9])")
_CAPITALS_IN_FRONT: Final = re.compile(r"^[A-Z]+(?![a-z])|^[A-Z]")
_IS_URL: Final = validate.URL(schemes={"http", "https", "ftp", "ftps"})


def camel_case(key: str) -> str:
    """A key as the API spells it: `some_key` and `SomeKey` are `someKey` [185, 189]; doing it twice changes nothing."""
    joined = _UNDERSCORE.sub(lambda found: found[1].upper(), key)
    return _CAPITALS_IN_FRONT.sub(lambda found: found[0].lower(), joined)


def metadata_key(key: str) -> str:
    """A free key as it comes back: `some_key` is `someKey`, `_a` is `A`, and `Betreft` stays as it is [189]."""
    return _UNDERSCORE.sub(lambda found: found[1].upper(), key)


def matching(pattern: str, fault: Fault | Callable[[str], Fault]) -> Rule:
    """A rule that a text has this form."""
    form = re.compile(pattern.removeprefix("^").removesuffix("$"))

    def judge(text: str) -> Fault | None:
        if form.fullmatch(text):
            return None
        return fault if isinstance(fault, Fault) else fault(text)

    return judge


def is_email(text: str) -> Fault | None:
    """A rule: an e-mail address, by the rules that M21 applies too."""
    return None if geldig_emailadres(text) else faults.NO_EMAIL


def is_telephone(text: str) -> Fault | None:
    """A rule: a telephone number without separators, not of a service."""
    if _TELEPHONE.fullmatch(text) and not text.startswith(_SERVICE_NUMBERS):
        return None
    return faults.SHORT_TELEPHONE if _SHORT_TELEPHONE.fullmatch(text) else faults.NO_TELEPHONE


def is_country(text: str) -> Fault | None:
    """A rule: a code of two letters of ISO 3166, in capitals: a filter finds it only as it is written."""
    found = pycountry.countries.get(alpha_2=text) if len(text) == 2 else None
    return None if found and found.alpha_2 == text else faults.NO_COUNTRY


def is_address(text: str) -> Fault | None:
    """A rule: an absolute address on the web."""
    try:
        _IS_URL(text)
    except ValidationError:
        return faults.NO_ADDRESS
    return None
