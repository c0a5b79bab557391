"""One key of config.toml, declared once.

A section is a frozen dataclass, each of whose fields is declared by a function of here (or by `field` with `about`):
its name, type and default, what it is, what to write instead of a wrong value, and its limits. Of these are made the
Schema that judges what an operator wrote, the check of config.example.toml, and docs/configuration.md. It stands with
the mappings, because their settings are a section too.
"""

import re
from collections.abc import Callable
from dataclasses import MISSING, field
from typing import Any, NamedTuple, TypeVar

from marshmallow import validate

Limit = Callable[[Any], Any]  # raises a ValidationError that completes "<value> ..."
T = TypeVar("T")

KEY = "key"  # where the metadata of a dataclass field holds it
SECRET = "schrijf het geheim als tekst"  # noqa: S105  what to write
_SHOWN = 60  # a longer value says nothing more in an error line


class Key(NamedTuple):
    """What is known of a key beside its name, type and default."""

    doc: str  # what it is, in a sentence; the comment in config.example.toml begins with it
    fix: str  # what to write instead of a wrong value, in which {key} is its name, {} that with the default
    limits: tuple[Limit, ...] = ()
    each: tuple[Limit, ...] = ()  # of a list: those of each value in it
    make: Callable[[Any], Any] | None = None  # from the value that was right to that of the dataclass
    default: Any = MISSING  # where the dataclass has none, or not as a plain value
    secret: bool = False  # is never shown, and may stand in a file, named by <key>_file


def about(doc: str, fix: str, *limits: Limit, **more: Any) -> dict[str, Key]:
    """The metadata of a dataclass field that is a key; `more` as in Key."""
    return {KEY: Key(doc, fix, limits, **more)}


def key(default: T, doc: str, fix: str, *limits: Limit, **more: Any) -> T:
    """A dataclass field that is a key with a default."""
    return field(default=default, metadata=about(doc, fix, *limits, **more))


def whole(default: int, doc: str, what: str = "", least: int = 1, most: int | None = None) -> int:
    """A key for a whole number, `what` in words, from the least to the most."""
    fix = f"schrijf {what and f'{what}, '}bijvoorbeeld {{}}"
    return key(default, doc, fix, at_least(least) if most is None else between(least, most))


def flag(default: bool, doc: str, rule: str = "") -> bool:
    """A key for true or false."""
    return key(default, doc, f"schrijf {{key}} = true of {{key}} = false{rule and f' ({rule})'}")


def choice(doc: str, *choices: str, fix: str = "") -> str:
    """A key for one of these, by default the first."""
    quoted = [f'"{each}"' for each in choices]
    return key(choices[0], doc, fix or f"schrijf {', '.join(quoted[:-1])} of {quoted[-1]}", one_of(*choices))


def secret_key(doc: str, fix: str = SECRET) -> str:
    """A key for a secret, blank by default."""
    return field(default="", repr=False, metadata=about(doc, fix, secret=True))


NOT_EMPTY = validate.Length(min=1, error="is leeg")


def one_of(*choices: str) -> Limit:
    """The value is one of these."""
    return validate.OneOf(choices, error=f"moet een van deze zijn: {', '.join(c or 'leeg' for c in choices)}")


def at_least(lowest: float) -> Limit:
    """The number is not less than this."""
    return validate.Range(min=lowest, error=f"is kleiner dan {lowest:g}")


def between(lowest: float, highest: float) -> Limit:
    """The number is one of these, the ends as well."""
    return validate.Range(lowest, highest, error=f"is niet {lowest} tot en met {highest}")


def matches(pattern: str, problem: str) -> Limit:
    """The whole text looks like this."""
    return validate.Regexp(re.compile(rf"(?:{pattern})\Z"), error=problem)


def printable(value: Any) -> str:
    """A value as an error line may show it: short, and never a URL that could hold a password."""
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    if "@" in text:
        return "de waarde"
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
