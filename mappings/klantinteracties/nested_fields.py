"""Values that hold others: groups, references, lists, texts under free keys, and groups in more than one form.

A number in brackets is that of a recorded exchange: `tests/data/klantinteracties/<number>-*.json`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from marshmallow import ValidationError, missing

from mappings.klantinteracties import faults
from mappings.klantinteracties.faults import refused
from mappings.klantinteracties.fields import Address, Identity, Input, Json, TextField, Value, no_value
from mappings.klantinteracties.text_forms import metadata_key


class Group(Value):
    """An object inside the object, always complete: what a client leaves out of it is empty.

    Where null is allowed it is the empty group [016], or with `keep_null` null. A PATCH replaces a group as a
    whole, so what is required in it is required there too.
    """

    def __init__(
        self, schema: type[Input], *, keep_null: bool = False, whole: bool = True, **rest: Any
    ) -> None:
        self.schema_class = schema
        self.whole = whole  # else only what was given is in it
        self.inner = schema()
        if rest.get("allow_none") and not keep_null:
            rest.setdefault("empty", self.inner.empty)
        super().__init__(**rest)
        self.keep_null = keep_null

    def deserialize(
        self, value: Any, attr: str | None = None, data: Mapping[str, Any] | None = None, **rest: Any
    ) -> Any:
        """The group, complete."""
        found = super().deserialize(value, attr, data, **rest)
        return self.inner.empty() if found is None and not self.keep_null else found

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> Json:
        found = loaded(self.inner, value)
        return self.inner.empty() | found if self.whole else found


class ReferenceTo(Input):
    """A reference as clients know it. A given `url` is ignored."""

    uuid = Identity(required=True, about="Unieke identificatie van het object waarnaar wordt verwezen.")
    url = Address(1000, required=True, dump_only=True, least=1, about="Adres van dat object.")


class Reference(Group):
    """A reference: {"uuid": UUID} or None. `to` is the kind of what it refers to [119-122].

    With `shown_empty` an answer has {"uuid": null} for none, which may come back.
    """

    def __init__(
        self, to: str, schema: type[Input] = ReferenceTo, *, shown_empty: bool = False, **rest: Any
    ) -> None:
        super().__init__(schema, keep_null=True, **rest)
        self.to, self.shown_empty = to, shown_empty
        self.empty = None  # references are not values: a document has none until it gets one

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> Json | None:  # type: ignore[override]
        if self.shown_empty and isinstance(value, Mapping) and value.get("uuid", "") is None:
            return None
        return {"uuid": loaded(self.inner, value)["uuid"]}


class Many(Value):
    """A list of what `item` is; null, where it is allowed, is the empty list [005]."""

    def __init__(self, item: Value, **rest: Any) -> None:
        super().__init__(**rest)
        self.item = item
        self.empty = None

    def deserialize(
        self, value: Any, attr: str | None = None, data: Mapping[str, Any] | None = None, **rest: Any
    ) -> Any:
        """The list."""
        found = super().deserialize(value, attr, data, **rest)
        return [] if found is None else found

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> list[Any]:
        if not isinstance(value, list):
            raise ValidationError({"_schema": [faults.no_list(value)]})
        return _each(self.item, enumerate(value))


class TextsField(Value):
    """An object of texts under free keys; the keys come back in camelCase [129, 189]."""

    def __init__(self, item: TextField, **rest: Any) -> None:
        super().__init__(empty=dict, **rest)
        self.item = item

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> dict[str, str]:
        if not isinstance(value, Mapping):
            raise refused(faults.no_map(value))
        spelled = {metadata_key(key): text for key, text in value.items()}
        keys = [fault for key in spelled for fault in TextField()._faults(key)]
        if keys:
            raise refused(*keys)
        return dict(zip(spelled, _each(self.item, spelled.items()), strict=True))


class Variants(Value):
    """A group of which the form depends on another field of the object, `switch`. Out: what was given of it.

    In a PATCH nothing of it is required. Null is refused, but for a new object when `null_when_new` says so.
    """

    def __init__(
        self, switch: str, schemas: Mapping[str, type[Input]], *, null_when_new: bool = False, **rest: Any
    ) -> None:
        super().__init__(empty=no_value, **rest)
        self.switch, self.schemas, self.null_when_new = switch, schemas, null_when_new
        self._inner = {name: schema() for name, schema in schemas.items()}

    def empty_of(self, switch: str) -> Json:
        """The group of this form, with nothing filled in."""
        return self._inner[switch].empty()

    def required_of(self, switch: str) -> list[str]:
        """What a group of this form can't be without."""
        inner = self._inner[switch].fields
        return [name for name, field in inner.items() if field.required and not field.dump_only]

    def _deserialize(self, value: Any, attr: str | None, data: Any, *, partial: Any = None, **_: Any) -> Any:
        schema = self._inner.get(str((data or {}).get(self.switch)))
        # Without a form nothing can be said of it; the switch itself is then missing or wrong.
        return missing if schema is None else loaded(schema, value, partial=bool(partial))


def loaded(schema: Input, value: Any, *, partial: bool = False) -> Json:
    """What was given of a group; `partial` requires nothing.

    Raises ValidationError, without the value that marshmallow's own would carry.
    """
    try:
        return cast(Json, schema.load(value, partial=partial))
    except ValidationError as error:
        messages = error.messages
    raise ValidationError(messages)


def _each(item: Value, values: Any) -> list[Any]:
    found, wrong = [], {}
    for name, value in values:
        try:
            found.append(item.deserialize(value))
        except ValidationError as error:
            wrong[name] = error.messages
    if wrong:
        raise ValidationError(wrong)
    return found
