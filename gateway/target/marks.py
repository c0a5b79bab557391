"""Which fields changed here, and which at the register, since they last were the same. Pure.

A mark is a short digest of the name and the value of a field. Of each document at the register the marks are kept of
what was sent, and of what the register showed instead where it made something else of it. So a field that its users
changed meanwhile is seen, and is not overwritten by a change of another one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

import orjson

from gateway.store.export.pairs import Pair
from gateway.target.contents import SHOWN_ONLY, is_blank, moment_of, same, set_by_register

LENGTH = 8
Json = Mapping[str, Any]


def mark(name: str, value: Any) -> bytes:
    """The mark of one field; values that mean the same have the same."""
    said = orjson.dumps([name, _plain(value)], option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(said, digest_size=LENGTH).digest()


def marks_of(values: Json) -> bytes:
    """The marks of all these fields, one after another."""
    return b"".join(mark(name, value) for name, value in values.items())


def marks_shown(sent: Json, shown: Json, names: Iterable[str] | None = None) -> bytes:
    """The marks of what the register shows where that is not what was sent; `names`: only of these fields."""
    chosen = sent if names is None else names
    return b"".join(
        _mark_there(name, sent[name], shown) for name in chosen if not same(sent[name], shown.get(name))
    )


def _mark_there(name: str, sent: Any, shown: Json) -> bytes:
    return mark(name, _like(shown.get(name), sent))


@dataclass(slots=True)
class MergedFields:
    """The fields to send, those that changed on both sides, and those that changed at the register only."""

    send: list[str] = field(default_factory=list)
    both: list[str] = field(default_factory=list)
    there: list[str] = field(default_factory=list)


def merge(marks: bytes | None, marks_there: bytes | None, wanted: Json, shown: Json) -> MergedFields:
    """What a change here asks for at the register, which shows this now.

    Without marks all that differs counts as changed here: nobody knows better.
    """
    found, sent, instead = MergedFields(), _split(marks), _split(marks_there)
    for name, value in wanted.items():
        if same(value, shown.get(name)):
            continue
        here = not sent or mark(name, value) not in sent
        there = _mark_there(name, value, shown)
        # What the register shows may be what we sent earlier, in files that were made twice.
        if here or (there in sent and there not in instead):
            found.send.append(name)
        if sent and there not in sent | instead and not set_by_register(name, value, shown.get(name)):
            (found.both if here else found.there).append(name)
    return found


def changed_there(pair: Pair, wanted: Json, shown: Json) -> list[str]:
    """The fields that only users of the register changed since."""
    if not pair.marks:
        return []
    return merge(pair.marks + (pair.preferred or b""), pair.marks_there, wanted, shown).there


def _split(marks: bytes | None) -> set[bytes]:
    text = marks or b""
    return {text[place : place + LENGTH] for place in range(0, len(text), LENGTH)}


def _plain(value: Any) -> Any:
    """One form for all values that mean the same, as `same` judges."""
    if isinstance(value, str):
        if len(value) > 4 and value[4] == "-" and (moment := moment_of(value)):
            return moment.astimezone(UTC).isoformat()
        return value or None
    if isinstance(value, dict):
        if "uuid" in value:
            return str(value["uuid"]).lower()
        said = {
            name: plain
            for name, each in value.items()
            if name not in SHOWN_ONLY and (plain := _plain(each)) is not None
        }
        return said or None
    if isinstance(value, list):
        return [_plain(each) for each in value] or None
    return value


def _like(shown: Any, sent: Any) -> Any:
    """Of what the register shows that which was sent as well: it may show more in a group."""
    if isinstance(shown, dict) and isinstance(sent, dict) and "uuid" not in sent and not is_blank(sent):
        return {name: _like(shown.get(name), value) for name, value in sent.items()}
    if isinstance(shown, list) and isinstance(sent, list) and len(shown) == len(sent):
        return [_like(*pair) for pair in zip(shown, sent, strict=True)]
    return shown
