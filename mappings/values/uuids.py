"""The one place that reads a uuid from what others wrote."""

from __future__ import annotations

import re
from typing import Final
from uuid import UUID

# As uuids are usually written.
USUAL: Final = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_USUAL: Final = re.compile(USUAL)


def is_usual(text: str) -> bool:
    """Is it a uuid as they are usually written, with its four hyphens?"""
    return _USUAL.fullmatch(text) is not None


def uuid_at_end(url: str) -> str:
    """The uuid that a URL or path ends in (or that the text is), in lower case; "" without one in its usual form."""
    last = url.rstrip("/").rpartition("/")[2]
    return last.lower() if is_usual(last) else ""


def uuid_of(text: str) -> UUID | None:
    """The uuid that a text is, in any spelling; None when it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def uuid_bytes_of(text: str) -> bytes | None:
    """The 16 bytes of `uuid_of`, in a quarter of the time where it is written as usual."""
    digits = text.replace("-", "")
    if len(digits) == 32 and digits.isalnum():
        try:
            return bytes.fromhex(digits)
        except ValueError:
            return None
    uuid = uuid_of(text)
    return uuid.bytes if uuid else None


def uuid_bytes_in_path(text: str) -> bytes | None:
    """The 16 bytes of a uuid with its four hyphens or with none; None for what a path of the API may not have."""
    digits = text.replace("-", "")
    if len(digits) != 32 or not digits.isalnum():
        return None
    if len(text) != 32 and not (len(text) == 36 and text[8] == text[13] == text[18] == text[23] == "-"):
        return None
    try:
        return bytes.fromhex(digits)
    except ValueError:
        return None


def uuid_in(value: object) -> UUID | None:
    """The uuid of a uuid text or at the end of a URL, None when there is none."""
    return uuid_of(value.strip().rstrip("/").rsplit("/", 1)[-1]) if isinstance(value, str) else None


def uuid_bytes_in(value: object) -> bytes | None:
    """The 16 bytes of `uuid_in`; at once when it is written as uuids usually are."""
    if isinstance(value, str) and _USUAL.fullmatch(last := value[-36:]) and value[-37:-36] in ("", "/"):
        return bytes.fromhex(last.replace("-", ""))
    uuid = uuid_in(value)
    return uuid.bytes if uuid else None
