"""Which identification numbers are real ones (M5, M8): only those may say who a party is.

Each function takes the number as text and gives its one canonical spelling, or None when it is not valid.
"""

from __future__ import annotations

import re
from operator import mul
from typing import Final

_EIGHT_DIGITS: Final = re.compile(r"[0-9]{8}")
_NINE_DIGITS: Final = re.compile(r"[0-9]{9}")
_TEN_DIGITS: Final = re.compile(r"[0-9]{10}")
_TWELVE_DIGITS: Final = re.compile(r"[0-9]{12}")

_ELEVEN_TEST_WEIGHTS: Final = (9, 8, 7, 6, 5, 4, 3, 2, -1)


def bsn(text: str) -> str | None:
    """Give the nine digits of a valid BSN, or None.

    Some suppliers store the BSN as a number and so lose its leading zero: eight digits mean the same person
    as with the zero in front (M5).
    """
    return _passing_eleven_test("0" + text if _EIGHT_DIGITS.fullmatch(text) else text)


def rsin(text: str) -> str | None:
    """Give the nine digits of a valid RSIN, or None; eight digits are a KVK number, never an RSIN (M5)."""
    return _passing_eleven_test(text)


def kvk_nummer(text: str) -> str | None:
    """Give the eight digits of a KVK number, or None (M5, M8); a KVK number has no check digit."""
    return _not_only_zeros(_EIGHT_DIGITS, text)


def vestigingsnummer(text: str) -> str | None:
    """Give the twelve digits of a vestigingsnummer, or None (M5, M8); it has no check digit."""
    return _not_only_zeros(_TWELVE_DIGITS, text)


def a_nummer(text: str) -> str | None:
    """Give the ten digits of an A-nummer, or None (M5).

    A leading zero is let through although the standard's pattern excludes it: the number still distinguishes two
    people apart, and refusing it would split one person over two parties.
    """
    return _not_only_zeros(_TEN_DIGITS, text)


def _passing_eleven_test(text: str) -> str | None:
    digits = _not_only_zeros(_NINE_DIGITS, text)
    if digits is None:
        return None
    total = sum(map(mul, _ELEVEN_TEST_WEIGHTS, map(int, digits)))
    return digits if total % 11 == 0 else None


def _not_only_zeros(form: re.Pattern[str], text: str) -> str | None:
    return text if form.fullmatch(text) and text.strip("0") else None
