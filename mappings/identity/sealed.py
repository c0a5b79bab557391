"""What is kept, and may not stand readable, of a partij or actor that a client deleted (M19): keyed hashes of its keys.

They are enough to know that what a source still says is about the same one, and so that the deletion holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mappings.identity.identity import Uuids, prefix, sealed

# No key begins so.
_SEAL: Final = "dicht:"


def is_sealed(text: str) -> bool:
    """Is this a key that was sealed?"""
    return text.startswith(_SEAL)


def sealed_text(uuids: Uuids, key: str) -> str:
    """A key as it is kept where it may not stand readable; of one that is sealed itself."""
    return key if is_sealed(key) else f"{_SEAL}{prefix(key)}{sealed(uuids, key).hex()}"


def sealed_body(uuids: Uuids, body: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of what a claim says (`Claim.body`): which part it is, of whom, and the number of a klant, which
    others may want too (M41)."""
    kept = {
        "f": body["f"],
        "s": body["s"],
        "k": [sealed_text(uuids, key) for key in body["k"]],
        "n": None,
        "a": None,
        "i": [],
        "o": "",
        "x": [],
        "d": [],
    }
    return kept | ({"m": body["m"]} if body.get("m") else {})
