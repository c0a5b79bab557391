"""How the values of what sources send are judged and brought to one form by marshmallow (M3, M34).

Every version and supplier comes out alike: each text is a string ("" when missing or null), each moment a
number of microseconds, each group complete, so that the mappings never ask whether a field is there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

from marshmallow import EXCLUDE, Schema, ValidationError, fields, missing

from mappings.model.findings import Untranslatable
from mappings.values.uuids import uuid_at_end

_MISSING: Final = "ontbreekt"
_NOT_TEXT: Final = "is geen tekst"
_NOT_A_GROUP: Final = "is geen object"
_NOT_A_MOMENT: Final = "is geen datum of tijdstip"
_NOT_A_UUID: Final = "bevat geen uuid"

_MOMENT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?P<time>[T ][0-9:.,]+(?:Z|[+-][0-9:]+)?)?", re.ASCII)
_AMSTERDAM: Final = ZoneInfo("Europe/Amsterdam")
# .NET's empty date, in whatever form and zone: a source that has none writes it.
_EMPTY_DATE: Final = "0001-01-01"
# What an empty moment is: older than whatever is dated (M18).
UNDATED: Final = 0
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
# Nobody registered anything before this or after that; years 1 and 9999 overflow when shifted to UTC.
_FIRST_YEAR, _LAST_YEAR = 1900, 9000
_LARGEST_NUMBER: Final = 10**17

# Lone surrogates go too: JSON can smuggle them in as escapes, and no store or client can encode them.
_UNWANTED: Final = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
_LINE_BREAK: Final = re.compile(r"\r\n|[\n\x0b\x0c\r\x85\u2028\u2029]")


def loaded(schema: LenientSchema, raw: Mapping[str, Any]) -> dict[str, Any]:
    """Give an object as its schema has it. Raises Untranslatable naming the fields that are missing or wrong."""
    if raw.__class__ is not dict and not isinstance(raw, Mapping):
        raise Untranslatable(f"het geheel {_NOT_A_GROUP}")
    try:
        return schema.read(raw)
    except ValidationError:
        problems = _all_problems(schema, raw)
    # Outside the except block, because marshmallow's error holds the object: it must not travel along.
    raise Untranslatable("; ".join(problems))


def _all_problems(schema: Schema, raw: Mapping[str, Any]) -> list[str]:
    """What marshmallow says of an object that `read` refused at its first fault."""
    try:
        schema.load(raw)
    except ValidationError as error:
        return sorted(_problems("", error.messages))
    raise AssertionError("marshmallow takes what its own fields refused")


def _problems(path: str, messages: Any) -> Iterator[str]:
    """Give "field message" for each message; the names are those declared here, never keys of the object."""
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            yield from _problems(f"{path}.{name}".lstrip("."), inner)
    else:
        for message in messages:
            yield f"{path} {message}"


class GivenText(fields.Field[str]):
    """Text on one line: "" when missing or null, without outer blanks and control characters."""

    multiline = False

    def deserialize(
        self, value: Any, attr: str | None = None, data: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> str:
        if value is None or value is missing:
            return ""
        if not isinstance(value, str):
            raise ValidationError(_NOT_TEXT)
        if value.isprintable():
            return value.strip()
        line_end = "\n" if self.multiline else " "
        text = _LINE_BREAK.sub(line_end, _UNWANTED.sub("", value))
        return (text if self.multiline else text.replace("\t", " ")).strip()


class GivenLines(GivenText):
    """Text of several lines: line ends become newlines, and tabs stay."""

    multiline = True


class GivenNumber(GivenText):
    """A number that is text in the standard; some suppliers send it as a JSON integer."""

    def deserialize(
        self, value: Any, attr: str | None = None, data: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> str:
        # Python counts True as an integer, and refuses to write out very large ones.
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _LARGEST_NUMBER:
            return str(value)
        return super().deserialize(value, attr, data)


class GivenChoice(GivenText):
    """One of the words that the standard allows; blank is none of them."""

    def __init__(self, choices: tuple[str, ...]) -> None:
        super().__init__()
        self._choices = frozenset(choices)

    def deserialize(
        self, value: Any, attr: str | None = None, data: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> str:
        text = super().deserialize(value, attr, data)
        if not text:
            raise ValidationError(_MISSING)
        if text not in self._choices:
            raise ValidationError("is geen bekende waarde")
        return text


class GivenTexts(GivenText):
    """A list of texts, blank ones left out; the result is a list, [] when missing or null."""

    def deserialize(  # type: ignore[override]  # a list here, text above
        self, value: Any, attr: str | None = None, data: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> list[str]:
        if value is None or value is missing:
            return []
        if not isinstance(value, list):
            raise ValidationError("is geen lijst")
        return [text for text in map(super().deserialize, value) if text]


class GivenUuid(fields.Field[str]):
    """A uuid in its lower-case form; read from the object's url when the object does not give it apart."""

    def deserialize(
        self, value: Any, attr: str | None = None, data: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> str:
        given = value if value and value is not missing else (data or {}).get("url")
        return _last_uuid(given)


class GivenUuidOfUrl(fields.Field[str]):
    """The uuid at the end of a url that must be there."""

    def deserialize(
        self, value: Any, attr: str | None = None, data: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> str:
        return _last_uuid(value)


class GivenUuidIfAny(GivenText):
    """The uuid at the end of a url, "" when there is no url or no uuid in it."""

    def deserialize(
        self, value: Any, attr: str | None = None, data: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> str:
        return uuid_at_end(super().deserialize(value))


class GivenMoment(fields.Field[int]):
    """A moment as whole microseconds since the epoch in UTC.

    Without a time it is midnight UTC; a time without an offset is Dutch time. The empty date is UNDATED.
    """

    def deserialize(
        self, value: Any, attr: str | None = None, data: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> int:
        if not value or value is missing:
            raise ValidationError(_MISSING)
        form = _MOMENT.fullmatch(value.strip()) if isinstance(value, str) else None
        if form is None:
            raise ValidationError(_NOT_A_MOMENT)
        if form[0].startswith(_EMPTY_DATE):
            return UNDATED
        try:
            moment = datetime.fromisoformat(form[0])
        except ValueError:
            raise ValidationError(_NOT_A_MOMENT) from None
        if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
            raise ValidationError(_NOT_A_MOMENT)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=_AMSTERDAM if form["time"] else UTC)
        return (moment - _EPOCH) // _MICROSECOND


class GivenDate(GivenText):
    """A date as text; the empty date is blank."""

    def deserialize(
        self, value: Any, attr: str | None = None, data: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> str:
        text = super().deserialize(value, attr, data)
        return "" if is_empty_date(text) else text


def is_empty_date(value: Any) -> bool:
    """Say whether a value from the legacy is .NET's empty date, which says nothing."""
    return isinstance(value, str) and value.strip().startswith(_EMPTY_DATE)


class GivenGroup(fields.Field[dict[str, Any]]):
    """An object within the object; missing or null it is None, or all blank when `always`."""

    def __init__(self, schema: LenientSchema, *, always: bool = False) -> None:
        super().__init__()
        self._inner = schema
        self._always = always

    def deserialize(  # type: ignore[override]  # None is a value here
        self, value: Any, attr: str | None = None, data: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> dict[str, Any] | None:
        if value is None or value is missing:
            if not self._always:
                return None
            value = {}
        if not isinstance(value, dict):
            raise ValidationError(_NOT_A_GROUP)
        try:
            return self._inner.read(value)
        except ValidationError:
            return cast(dict[str, Any], self._inner.load(value))  # raises all that is wrong with it


class AsGiven(fields.Field[dict[str, Any]]):
    """An object that is passed on unread; None when missing or null."""

    def deserialize(  # type: ignore[override]  # None is a value here
        self, value: Any, attr: str | None = None, data: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> dict[str, Any] | None:
        if value is None or value is missing:
            return None
        if not isinstance(value, dict):
            raise ValidationError(_NOT_A_GROUP)
        return value


_AS_IT_IS: Final = frozenset({GivenText, GivenLines, GivenNumber})


def _last_uuid(value: Any) -> str:
    if not value or value is missing:
        raise ValidationError(_MISSING)
    if not isinstance(value, str):
        raise ValidationError(_NOT_TEXT)
    found = uuid_at_end(value.strip())
    if not found:
        raise ValidationError(_NOT_A_UUID)
    return found


class LenientSchema(Schema):
    """What is in other fields than the declared ones does not matter."""

    class Meta:
        unknown = EXCLUDE

    @cached_property
    def _readers(self) -> list[tuple[str, str, bool, Callable[..., Any]]]:
        return [
            (name, field.data_key or name, field.__class__ in _AS_IT_IS, field.deserialize)
            for name, field in self.load_fields.items()
        ]

    def read(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """What `load` gives, by the same fields, in a third of the time.

        It can do without the rest of marshmallow because no schema here has hooks, validators or required fields:
        `deserialize` of the fields above says it all, and clean text, which is most of it, needs not even that.
        Raises ValidationError at the first field that is wrong.
        """
        return {
            name: value
            if (value := raw.get(key, missing)).__class__ is str
            and as_it_is
            and (not value or (value.isprintable() and value[0] != " " != value[-1]))
            else deserialize(value, key, raw)
            for name, key, as_it_is, deserialize in self._readers
        }
