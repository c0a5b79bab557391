"""Values, as PostgreSQL takes and gives them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from struct import Struct
from typing import Any

import psycopg
from psycopg import pq
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.types.numeric import NumericBinaryLoader

from gateway.store.postgres.wire.statements import NoNumbers

_OIDS = {"bigint": 20, "bytea": 17, "text": 25, "double precision": 701}
_LISTS = {"bigint": 1016, "bytea": 1001, "text": 1009, "double precision": 1022}
_HEAD, _LENGTH, _BIGINT, _DOUBLE = (Struct(form) for form in (">iiiii", ">i", ">q", ">d"))
_OF_BIGINT, _OF_DOUBLE = Struct(">iq"), Struct(">id")
_NONE = _LENGTH.pack(-1)
_BINARY, _AS_TEXT = pq.Format.BINARY, pq.Format.TEXT
# A value as it is sent, its type (0: the database knows), and its format.
Bound = tuple[bytes | None, int, pq.Format]


class _Number(Loader):
    """A sum is a number of any length there."""

    format = pq.Format.BINARY
    _read = NumericBinaryLoader(1700)

    def load(self, data: Buffer) -> int | float:
        value: Decimal = self._read.load(data)
        return int(value) if value == int(value) else float(value)


class _Truth(Loader):
    """A test gives 1 or 0."""

    format = pq.Format.BINARY

    def load(self, data: Buffer) -> int:
        return bytes(data)[0]


def adapt(connection: psycopg.Connection[Any]) -> None:
    """Let a connection give values as sessions promise."""
    connection.adapters.register_loader("numeric", _Number)
    connection.adapters.register_loader("bool", _Truth)


def bound(value: Any) -> Bound:
    """A value as it is sent: a number has always the same type, and so a statement one form."""
    if value is None:
        return None, 0, _BINARY
    if isinstance(value, bool):  # of whatever type stands there: a flag in JSON, or a test
        return b"true" if value else b"false", 0, _AS_TEXT
    if isinstance(value, int):
        return _BIGINT.pack(value), 20, _BINARY
    if isinstance(value, str):
        return _text(value), 25, _BINARY
    if isinstance(value, float):
        return _DOUBLE.pack(value), 701, _BINARY
    if isinstance(value, list):
        if not value:
            return b"{}", _LISTS["bigint"] if isinstance(value, NoNumbers) else 0, _AS_TEXT
        kind = _kind(next((one for one in value if one is not None), 0))
        return packed(kind, value), _LISTS[kind], _BINARY
    return bytes(value), 17, _BINARY


def packed(kind: str, values: Sequence[Any]) -> bytes:
    """Values (None among them) as a list of one type, as it is sent."""
    parts = [_HEAD.pack(1, int(None in values), _OIDS[kind], len(values), 1)]
    for value in values:
        if value is None:
            parts.append(_NONE)
        elif kind == "bigint":
            parts.append(_OF_BIGINT.pack(8, value))
        elif kind == "double precision":
            parts.append(_OF_DOUBLE.pack(8, value))
        else:
            data = _text(value) if kind == "text" else bytes(value)
            parts += (_LENGTH.pack(len(data)), data)
    return b"".join(parts)


def _text(value: str) -> bytes:
    """PostgreSQL knows no NUL in a text (`functions.sql` has it alike), and whoever asks may have sent one."""
    return (value.replace("\0", "\ufffd") if "\0" in value else value).encode()


def _kind(value: Any) -> str:
    """The type of the values of a list."""
    if isinstance(value, int):
        return "bigint"
    if isinstance(value, float):
        return "double precision"
    return "text" if isinstance(value, str) else "bytea"
