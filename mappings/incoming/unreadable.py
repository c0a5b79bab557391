"""Objects of which the text could not be read as it stands: marked by who read them, never translated (M3).

The mark is part of the object, so it is kept with it: what is translated again later is refused again.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

# Under this name an object holds what was wrong: `{path of a field: Fault}`; blank is the object as a whole.
MARK: Final = "_onleesbaar"
MOST_NAMED = 5


class Unreadable(StrEnum):
    """Why a value is not what stood there."""

    SURROGATE = "half teken"
    BYTE = "byte die geen UTF-8 is"
    CONTROL = "stuurteken"
    NUMBER = "getal dat geen getal is"
    STRUCTURE = "geen geldige JSON"
    DEPTH = "te diep genest"
    TWICE = "dubbele naam"
    SIZE = "groter dan max_answer"


_FAULTS: Final = frozenset(Unreadable)


def unreadable(known: Mapping[str, Any], fault: Unreadable) -> dict[str, Any]:
    """An object that can't be read as a whole: all that is kept is what it is and of which zaak."""
    names = ("url", "uuid", "zaak")
    found = {name: known[name] for name in names if isinstance(known.get(name), str)}
    return {**found, MARK: {"": fault.value}}


def reason_in(raw: Mapping[str, Any]) -> str | None:
    """Why an object could not be read, for an operator; None when it is not marked.

    The mark came by way of a source, which may hold anything: only names of fields and faults are repeated.
    """
    if MARK not in raw:
        return None
    mark = raw[MARK]
    faults = mark.items() if isinstance(mark, dict) else ()
    faulty = [_told(path, fault) for path, fault in faults if fault in _FAULTS]
    more = ", en meer" if len(faulty) > MOST_NAMED else ""
    return "niet te lezen: " + (", ".join(faulty[:MOST_NAMED]) + more or "onbekend")


def _told(path: str, fault: str) -> str:
    names = [name if name.isidentifier() and len(name) <= 40 else "?" for name in path.split(".")]
    return f"{'.'.join(names)} ({fault})" if path else fault
