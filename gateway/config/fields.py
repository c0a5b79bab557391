"""The field types of config.toml, and how a wrong value is told to an operator."""

import difflib
import tomllib
from collections.abc import Mapping
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields

from mappings.model.config_key import printable


class _Strict(fields.Field[Any]):
    """A field that takes exactly one TOML type; marshmallow's own fields also convert ("5", 5.0, "yes")."""

    types: tuple[type, ...] = (str,)
    wanted = "geen tekst"  # completes "... is"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        wrong = not isinstance(value, self.types) or (isinstance(value, bool) and bool not in self.types)
        if wrong:
            # A secret of the wrong type (a number, say) is still a secret.
            what = "de waarde" if self.metadata.get("secret") else printable(value)
            raise ValidationError(f"{what} is {self.wanted}")
        return super()._deserialize(value, attr, data, **kwargs)


class Text(_Strict, fields.String):
    """A TOML string."""


class File(Text):
    """The path of a file or directory."""


class Whole(_Strict, fields.Integer):
    """A whole number."""

    types = (int,)
    wanted = "geen geheel getal"


class Number(_Strict, fields.Float):
    """A number, whole or not; TOML's nan and inf are none."""

    types = (int, float)
    wanted = "geen getal"
    default_error_messages = {"special": "is geen getal", "too_large": "is te groot"}  # noqa: RUF012  as its base has it


class Flag(_Strict, fields.Boolean):
    """true or false."""

    types = (bool,)
    wanted = "niet true of false"


class Table(_Strict, fields.Raw):
    """A TOML table, judged by its own validator."""

    types = (dict,)
    wanted = "geen tabel"


class Several(_Strict, fields.List[Any]):
    """A list of strings or of tables."""

    types = (list,)
    wanted = "geen lijst"


class Section(Schema):
    """Base of the sections: an unknown key is an error, because a typing error must not pass unseen."""

    class Meta:
        unknown = RAISE


def nearest(word: str, known: list[str]) -> str:
    """The fix for an unknown name: the known one that looks most like it, else all of them."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if near:
        return f"bedoeld is misschien {near[0]}"
    return f"bekend zijn: {', '.join(known)}" if known else "haal deze weg"


def check(schema: Section, raw: Any, where: str) -> tuple[dict[str, Any], list[str]]:
    """Validate one section.

    In: its raw table and its dotted name. Out: the values that are right, with defaults, as its dataclass takes
    them, and an error line (key: problem; fix) for each value that is not. It raises nothing.
    """
    if not isinstance(raw, dict):
        return {}, [f"{where}: {printable(raw)} is geen tabel; schrijf [{where}] met daaronder de sleutels"]
    try:
        values = schema.load(raw)
    except ValidationError as exc:
        errors = exc.messages_dict
    else:
        made = {key: schema.fields[key].metadata["make"](values[key]) for key in raw}
        return values | made, []
    lines = []
    for key, found in errors.items():
        field = schema.fields.get(key)
        if field is None:
            lines.append(f"{where}.{key}: deze sleutel is onbekend; {nearest(key, list(schema.fields))}")
            continue
        lines.append(f"{where}.{key}: {_problem(field, key, raw, found)}; {field.metadata['fix']}")
    return {}, lines


# A message that begins with a verb needs its value in front; the others name it themselves.
_VERBS = ("is ", "mag ", "moet ", "bevat ")


def _problem(field: fields.Field[Any], key: str, raw: Mapping[str, Any], found: Any) -> str:
    if key not in raw:
        return "ontbreekt"
    value = raw[key]
    if isinstance(found, dict):  # of a list: index to messages
        index, found = next(iter(found.items()))
        value = value[index]
    text = " en ".join(str(message) for message in found)
    if not text.startswith(_VERBS):
        return text
    return f"{'de waarde' if field.metadata.get('secret') else printable(value)} {text}"


def from_text(field: fields.Field[Any], text: str) -> Any:
    """The value that an environment variable holds, in the type that its key wants.

    Strings are taken as they stand; other types are read as TOML (`5`, `true`, `["a"]`, `{a = "b"}`).
    What cannot be read stays a string, so that validation names the key and the problem.
    """
    if isinstance(field, fields.String):
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        if isinstance(field, fields.List):
            return [part.strip() for part in text.split(",") if part.strip()]
        return text
