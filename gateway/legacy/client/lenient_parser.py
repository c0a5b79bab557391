"""JSON that is not quite JSON, read as far as it goes: one bad byte must cost one object, not a page (M3).

What stands for something else than itself is never passed off as good: `marked` says which objects hold such values,
and writes those values as the source has them (`\\xff`, `\\ud83d`), so that nothing is lost either.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from mappings.incoming.unreadable import MARK, Unreadable, unreadable
from mappings.values.uuids import USUAL

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_NEXT = re.compile(r",\s*(?=\{)")
# While it is being read, what is no text stands as a surrogate: bad bytes where Python puts them (U+DC80 and up),
# control characters, numbers that are none, and names that an object has twice below that.
_CONTROLS, _TWICE, _NO_NUMBER, _BYTES = 0xDC00, 0xDC7E, 0xDC7F, 0xDC80
_CLOSING = {"{": "}", "[": "]"}


@dataclass(frozen=True, slots=True)
class ParsedBody:
    """What was read: `body`, or only the `text` where the structure is broken."""

    body: Any = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Broken:
    """An object in a list that can't be read: its uuid where that can be found, and its text."""

    uuid: str | None
    text: str


def read(content: bytes | bytearray) -> ParsedBody | None:
    """Read a body that a strict reader refuses; None when it is no JSON at all or ends too early.

    A value that is not what it should be holds surrogates; see `marked`.
    """
    text = content.decode("utf-8", errors="surrogateescape").strip()
    if not text or _CLOSING.get(text[0]) != text[-1]:
        return None
    try:
        return ParsedBody(_loads(text))
    except json.JSONDecodeError as error:
        if error.pos >= len(text):
            return None  # cut off just behind a bracket
    except (ValueError, RecursionError):
        pass
    return ParsedBody(text=text)


def has_doubles(content: bytes | bytearray, body: Any) -> bool:
    """May an object in this body have a name twice, of which a strict reader keeps the last without a word?

    A name that was dropped took its quotes along. Much faster than reading name by name.
    """
    try:
        written = orjson.dumps(body)
    except orjson.JSONEncodeError:
        return False  # nested too deep to be kept, which ingest sees
    return content.count(b'"') > written.count(b'"')


def split(text: str, path: str) -> Iterator[dict[str, Any] | Broken]:
    """The objects of a list with a broken structure: those that can be read, and what is left between them.

    `path` is that of the list: an object is known by a `url` on it.
    """
    start = 0
    if not text.startswith("["):
        found = re.search(rf'"(?:results|{path})"\s*:\s*(?=\[)', text)
        start = found.end() if found else 0
    address = re.compile(rf'"url"\s*:\s*"[^"]*/{path}/({USUAL})/?"')
    place = start + 1
    while True:
        while place < len(text) and text[place] in ", \t\r\n":
            place += 1
        if place >= len(text) or text[place] == "]":
            return
        whole = _object_at(text, place)
        if whole is not None:
            yield whole[0]
            place = whole[1]
            continue
        end = _next_object(text, place, address)
        piece = text[place:end]
        uuids = list(dict.fromkeys(uuid.lower() for uuid in address.findall(piece)))
        if uuids:
            yield from (Broken(uuid, piece) for uuid in uuids)
        else:
            yield Broken(None, piece)
        place = end


def nameless(text: str) -> dict[str, Any]:
    """An object of which not even the uuid can be read: known by what it says, so that it is the same the next time."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
    return {"digest": digest, **unreadable({}, Unreadable.STRUCTURE)}


def zaak_in(text: str) -> str:
    """The address of the zaak that the text of an object names; blank when there is none."""
    found = re.search(r'"zaak"\s*:\s*"([^"]*)"', text)
    return found[1] if found else ""


def marked(found: Any) -> Any:
    """An object with a mark (`mappings.incoming.unreadable`) when it holds what could not be read as it stands.

    What is expanded within it are objects of their own. Anything but an object comes back as it is.
    """
    try:
        return _marked(found)
    except RecursionError:
        return unreadable(found, Unreadable.DEPTH)


def _marked(found: Any) -> Any:
    if not isinstance(found, dict):
        return found
    faults: dict[str, str] = {}
    others = {name: value for name, value in found.items() if name != "_expand"}
    made = _repaired(others, "", faults)
    expanded = found.get("_expand")
    if isinstance(expanded, dict):
        made["_expand"] = {
            _text(name, "", faults): [_marked(each) for each in value]
            if isinstance(value, list)
            else _marked(value)
            for name, value in expanded.items()
        }
    if faults:
        made[MARK] = faults
    return made


def _loads(text: str) -> Any:
    return _DECODER.decode(_STRING.sub(_without_controls, text))


def _object_at(text: str, place: int) -> tuple[dict[str, Any], int] | None:
    """The object that begins there, and where it ends; None when there is none to be read."""
    try:
        found, end = _DECODER.raw_decode(text, place)
        if isinstance(found, dict):
            return _loads(text[place:end]), end
    except (ValueError, RecursionError):
        pass
    return None


def _next_object(text: str, place: int, address: re.Pattern[str]) -> int:
    """Where the next object of the list begins after a broken one; the end when there is none."""
    for found in _NEXT.finditer(text, place + 1):
        whole = _object_at(text, found.end())
        if whole is not None and address.fullmatch(f'"url":"{whole[0].get("url")}"'):
            return found.end()
    return len(text)


def _without_controls(string: re.Match[str]) -> str:
    return _CONTROL.sub(lambda found: chr(_CONTROLS + ord(found[0])), string[0])


def _integer(text: str) -> int | float | str:
    """A number as the strict reader has it: a float where it is too large for 64 bits."""
    number = int(text) if len(text) <= 20 else None
    if number is not None and -(2**63) <= number < 2**64:
        return number
    return _float(text)


def _float(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)


def _no_number(text: str) -> str:
    return chr(_NO_NUMBER) + text


def _named(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; of a name that it has twice with different values the earlier ones are kept beside the last."""
    made: dict[str, Any] = {}
    for name, value in pairs:
        if name in made and made[name] != value:
            made[name + chr(_TWICE)] = made[name]
        made[name] = value
    return made


_DECODER = json.JSONDecoder(
    strict=False,
    parse_constant=_no_number,
    parse_int=_integer,
    parse_float=_float,
    object_pairs_hook=_named,
)


def _repaired(value: Any, path: str, faults: dict[str, str]) -> Any:
    """A value without surrogates; what held them is added to `faults`."""
    if isinstance(value, str):
        return _text(value, path, faults)
    if isinstance(value, list):
        return [_repaired(each, path, faults) for each in value]
    if isinstance(value, dict):
        made = {}
        for key, each in value.items():
            name = _text(key, path, faults)
            made[name] = _repaired(each, f"{path}.{name}" if path else name, faults)
        return made
    return value


def _text(text: str, path: str, faults: dict[str, str]) -> str:
    found = _SURROGATE.search(text)
    if found is None:
        return text
    faults.setdefault(path, _fault(ord(found[0])).value)
    return _SURROGATE.sub(_written, text)


def _fault(code: int) -> Unreadable:
    if code >= _BYTES and code <= _BYTES + 0x7F:
        return Unreadable.BYTE
    if code == _NO_NUMBER:
        return Unreadable.NUMBER
    if code == _TWICE:
        return Unreadable.TWICE
    return Unreadable.CONTROL if _CONTROLS <= code < _CONTROLS + 0x20 else Unreadable.SURROGATE


def _written(found: re.Match[str]) -> str:
    """What stood there, as text."""
    code = ord(found[0])
    fault = _fault(code)
    if fault is Unreadable.NUMBER:
        return ""
    if fault is Unreadable.TWICE:
        return " (eerder)"
    if fault is Unreadable.SURROGATE:
        return f"\\u{code:04x}"
    return f"\\x{code - _CONTROLS:02x}"
