"""The kinds of values that clients send: how each is cleaned, and what makes it wrong.

The spellings that are understood are those of a real Klantinteracties API (klantinteracties-behaviour.md: text is
trimmed and numbers become text, moments become UTC, a date alone is midnight).

A number in brackets is that of a recorded exchange: `tests/data/klantinteracties/<number>-*.json`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

from marshmallow import EXCLUDE, Schema, ValidationError, fields, pre_load

from mappings.klantinteracties import faults
from mappings.klantinteracties.faults import Fault, refused
from mappings.klantinteracties.text_forms import Rule, camel_case, is_address, matching
from mappings.values.uuids import uuid_of

Json = dict[str, Any]
_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")
_WHOLE_NUMBER: Final = re.compile(r"[+-]?[0-9]+(\.0*)?", re.ASCII)
_MOST_DIGITS: Final = 1000
_LONGEST_JUDGED: Final = 2000
_TRUE: Final = {"true", "1"}
_FALSE: Final = {"false", "0"}


class Input(Schema):
    """What every schema does: other spellings of names are understood, unknown fields are ignored [116, 185]."""

    class Meta:
        unknown = EXCLUDE

    @pre_load
    def _spell(self, data: Any, **_: Any) -> Any:
        if not isinstance(data, Mapping):
            raise refused(faults.NULL if data is None else faults.no_group(data))
        return {camel_case(key): value for key, value in data.items()}

    def empty(self) -> Json:
        """What the fields have that a client leaves out; those without such a value are not in it."""
        given = ((name, field.empty) for name, field in self.fields.items() if isinstance(field, Value))
        return {name: value() for name, value in given if value is not None}


class Value(fields.Field[Any]):
    """A field of the API.

    `empty` gives what it has when a client leaves it out, None when it has nothing then. `about` is its
    description in the OpenAPI document; `shown_null` says there that an answer may have null where a body may not.
    """

    def __init__(
        self,
        *,
        about: str = "",
        empty: Callable[[], Any] | None = None,
        deprecated: bool = False,
        shown_null: bool = False,
        **rest: Any,
    ) -> None:
        metadata: Json = {"description": about} if about else {}
        if shown_null:
            metadata["nullable"] = True
        if deprecated:
            metadata["deprecated"] = True
        super().__init__(metadata=metadata, **rest)
        self.empty = empty if empty is not None or not self.allow_none else no_value

    def make_error(self, key: str, **_: Any) -> ValidationError:
        """The recorded wording of what marshmallow itself judges."""
        return refused(faults.REQUIRED if key == "required" else faults.NULL)


def no_value() -> None:
    return None


class TextField(Value):
    """A text, trimmed; numbers become text. Optional ones may be blank and are "" when left out.

    `blank` says so of a required one. `pattern` and `format` describe it in the OpenAPI document; `rules` judge it.
    """

    def __init__(
        self,
        most: int | None = None,
        *rules: Rule,
        least: int = 0,
        pattern: str = "",
        format: str = "",
        **rest: Any,
    ) -> None:
        self.most, self.least, self.rules = most, least, rules
        self.pattern, self.format = pattern, format
        rest.setdefault("empty", None if rest.get("required") or rest.get("allow_none") else str)
        blank = rest.pop("blank", not rest.get("required"))
        super().__init__(**rest)
        self.may_be_blank = blank

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise refused(faults.NO_TEXT)
        try:
            text = str(value).strip()
        except ValueError:  # an integer of thousands of digits
            raise refused(faults.NO_TEXT) from None
        if not text:
            if not self.may_be_blank:
                raise refused(faults.BLANK)
            return text
        found = list(self._faults(text))
        if found:
            raise refused(*found)
        return text

    def _faults(self, text: str) -> Iterator[Fault]:
        # What is far too long isn't looked at further: nobody should make a pattern work hard.
        for rule in self.rules if len(text) <= _LONGEST_JUDGED else ():
            fault = rule(text)
            if fault is not None:
                yield fault
        if self.most is not None and len(text) > self.most:
            yield faults.too_long(self.most)
        if len(text) < self.least:
            yield faults.too_short(self.least)
        if "\x00" in text:
            yield faults.NULL_CHARACTERS
        half = _SURROGATE.search(text)
        if half:
            yield faults.surrogate(half[0])


class Nummer(TextField):
    """A whole number as text, or null; not generated. Blank is null, because it must be unique [126, 127]."""

    def __init__(self, **rest: Any) -> None:
        rule = matching(r"^-?[0-9]+$", faults.NO_WHOLE_NUMBER)
        super().__init__(10, rule, allow_none=True, pattern=r"^-?[0-9]+$", **rest)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **rest: Any) -> str | None:  # type: ignore[override]
        return super()._deserialize(value, attr, data, **rest) or None


class Choice(Value):
    """One of the values of an enumeration, spelled exactly so [123]."""

    def __init__(self, *choices: str, **rest: Any) -> None:
        super().__init__(**rest)
        self.choices = choices

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:
        if value not in self.choices:
            raise refused(faults.no_choice(value))
        return str(value)


class FlagField(Value):
    """True or false, also spelled "true", "false", 1 and 0; no other word [097, 124]. Blank is null, if that may be."""

    def deserialize(
        self, value: Any, attr: str | None = None, data: Mapping[str, Any] | None = None, **rest: Any
    ) -> Any:
        """The flag."""
        return super().deserialize(None if value == "" and self.allow_none else value, attr, data, **rest)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> bool:
        if isinstance(value, bool | int | str):
            reason = (
                value.strip().lower()
                if isinstance(value, str)
                else str(int(value))
                if value in (0, 1)
                else ""
            )
            if reason in _TRUE or reason in _FALSE:
                return reason in _TRUE
        raise refused(faults.NO_FLAG)


class NumberField(Value):
    """A whole number between two limits, as a number or as text [141]."""

    def __init__(self, least: int, most: int, **rest: Any) -> None:
        super().__init__(**rest)
        self.least, self.most = least, most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise refused(faults.NO_NUMBER)
        if isinstance(value, str):
            text = value.strip()
            if len(text) > _MOST_DIGITS:
                raise refused(faults.TOO_MANY_DIGITS)
            if not _WHOLE_NUMBER.fullmatch(text):
                raise refused(faults.NO_NUMBER)
            value = text.partition(".")[0]
        number = int(value)
        if number > self.most:
            raise refused(faults.too_large(self.most))
        if number < self.least:
            raise refused(faults.too_small(self.least))
        return number


class Moment(Value):
    """A time, as text in UTC; a date alone is its midnight, no zone is UTC, a space may stand for T [128]."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:
        try:
            found = datetime.fromisoformat(value.strip())
            found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        except (AttributeError, ValueError, OverflowError):
            raise refused(faults.NO_MOMENT) from None
        return found.isoformat().replace("+00:00", "Z")


class Date(Value):
    """A day, as text YYYY-MM-DD."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:
        try:
            return date.fromisoformat(value.strip()).isoformat()
        except (AttributeError, ValueError):
            raise refused(faults.NO_DATE) from None


class Address(TextField):
    """The address of something on the web."""

    def __init__(self, most: int, **rest: Any) -> None:
        super().__init__(most, is_address, format="uri", **rest)


class Identity(Value):
    """A uuid, in any of its spellings; out: a UUID [120]."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> UUID:
        found = uuid_of(value.strip()) if isinstance(value, str) else None
        if found is None:
            raise refused(faults.NO_UUID)
        return found
