"""Uuids and addresses in requests and answers that go through us, from ours to theirs and back (E8). Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from gateway.klantinteracties.model.resources import BASE_PATH
from mappings.values.uuids import USUAL

UUID_IN_TEXT = re.compile(rf"(?<![0-9a-fA-F-]){USUAL}(?![0-9a-fA-F-])")
ONLY_A_UUID = re.compile(rf"{USUAL}|[0-9a-fA-F]{{32}}")
# Keys of an answer whose value is an address; any other text is a client's.
ADDRESSES = ("url", "next", "previous")
Rename = Callable[[str], str]


def uuids_of(text: str) -> list[str]:
    """The uuids in a text."""
    return [text] if ONLY_A_UUID.fullmatch(text) else UUID_IN_TEXT.findall(text)


def named_in_body(body: Any) -> Iterator[str]:
    """The uuids that a body refers to, and those in its addresses."""
    if isinstance(body, Mapping):
        for key, value in body.items():
            if isinstance(value, str) and (key == "uuid" or key in ADDRESSES):
                yield from uuids_of(value)
            else:
                yield from named_in_body(value)
    elif isinstance(body, list):
        for each in body:
            yield from named_in_body(each)


def named_in_query(query: str) -> Iterator[str]:
    """The uuids that a query string asks for."""
    for name, value in parse_qsl(query, keep_blank_values=True):
        if by_reference(name):
            yield from uuids_of(value)


def by_reference(name: str) -> bool:
    """Does a parameter name an object, by uuid or by address?"""
    return name.rpartition("__")[2].lower() in ("uuid", "url")


def query_with(query: str, rename: Rename) -> str:
    """A query string with other uuids in what names objects; the rest stays as it was written."""
    pairs = parse_qsl(query, keep_blank_values=True)
    if not any(by_reference(name) for name, _ in pairs):
        return query
    return urlencode(
        [(name, text_with(value, rename) if by_reference(name) else value) for name, value in pairs]
    )


def text_with(text: str, rename: Rename) -> str:
    """A text with other uuids in it."""
    if ONLY_A_UUID.fullmatch(text):
        return rename(text)
    return UUID_IN_TEXT.sub(lambda found: rename(found[0]), text)


def body_with(body: Any, rename: Rename) -> Any:
    """A body with other uuids in what refers to objects."""
    if isinstance(body, Mapping):
        return {
            key: text_with(value, rename)
            if key == "uuid" and isinstance(value, str)
            else body_with(value, rename)
            for key, value in body.items()
        }
    return [body_with(each, rename) for each in body] if isinstance(body, list) else body


class FromRegister:
    """From what the register answers to what clients of ours know."""

    def __init__(self, target: str, base: str, rename: Rename) -> None:
        """In: the address of the register's API, our own base URL, and our uuid for one of theirs."""
        self._target, self._here = target, f"{base}{BASE_PATH}"
        self._origin = target.removesuffix(BASE_PATH)
        self._base, self._rename = base, rename

    def body(self, body: Any) -> Any:
        """The body of an answer."""
        if isinstance(body, Mapping):
            return {key: self._value(key, value) for key, value in body.items()}
        return [self.body(each) for each in body] if isinstance(body, list) else body

    def _value(self, key: str, value: Any) -> Any:
        if not isinstance(value, str):
            return self.body(value)
        if key == "uuid":
            return text_with(value, self._rename)
        if key in ADDRESSES:
            return self.address(value)
        if key == "type" and value.startswith(f"{self._origin}/ref/"):
            return self._base + value.removeprefix(self._origin)
        return value

    def address(self, address: str) -> str:
        """An address of the register as one of ours; another one stays."""
        if not address.startswith(self._target):
            return address
        return self._here + text_with(address.removeprefix(self._target), self._rename)

    def root(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The root of the API: an address by each name."""
        return {key: self.address(value) if isinstance(value, str) else value for key, value in body.items()}


def canonical(text: str) -> bytes:
    """The sixteen bytes of a uuid, however it is written."""
    return UUID(text).bytes
