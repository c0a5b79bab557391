"""Texts that must fit: cut at a word, with a finding that says so."""

from __future__ import annotations

import unicodedata
from typing import Final

from mappings.model.findings import Finding, Severity

_ZERO_WIDTH_JOINER: Final = "\u200d"
_SKIN_TONES: Final = range(0x1F3FB, 0x1F400)
# What a finding says of it: `limit` is how long it may be, `length` how long it was, and `kept` how long it is.
SHORTENED: Final = "ingekort tot {limit} tekens"
NAME_SHORTENED: Final = (
    "Naam van {length} tekens past niet (hoogstens {limit}); bij een woord afgekapt op {kept} tekens."
)


def fitted(
    text: str, limit: int, rule: str, field: str, found: list[Finding], action: str = SHORTENED
) -> str:
    """The text as `cut_at_word` gives it; when that is not all of it, a finding by this rule tells so."""
    cut = cut_at_word(text, limit)
    if cut != text:
        told = action.format(limit=limit, length=len(text), kept=len(cut))
        found.append(Finding(rule, field, Severity.ADJUSTED, told))
    return cut


def cut_at_word(text: str, limit: int) -> str:
    """Give the longest beginning of `text` that is at most `limit` code points and ends at a word.

    A first word that is too long by itself is cut inside, but never between a character and the combining
    characters that belong to it; so the result can be "" when one such character alone exceeds the limit.
    """
    if len(text) <= limit:
        return text
    for position in range(limit, 0, -1):
        if text[position].isspace():
            words = text[:position].rstrip()
            if words:
                return words
            break
    return cut_at_character(text, limit).rstrip()


def cut_at_character(text: str, limit: int) -> str:
    """Give the longest beginning of `text` that is at most `limit` code points and leaves no character in parts."""
    position = min(limit, len(text))
    while 0 < position < len(text) and _belongs_to_previous(text, position):
        position -= 1
    return text[:position]


def _belongs_to_previous(text: str, position: int) -> bool:
    """Say whether the character at `position` is drawn as one with the character before it."""
    character = text[position]
    return (
        unicodedata.category(character).startswith("M")
        or character == _ZERO_WIDTH_JOINER
        or text[position - 1] == _ZERO_WIDTH_JOINER
        or ord(character) in _SKIN_TONES
    )
