"""What a list may be asked for: conditions on documents as pure data, which documents/reading.py makes SQL of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, TypeAlias


class Subject(Enum):
    """What of the document at the end of a path is looked at."""

    DOCUMENT = "document"  # the document itself, by uuid (its own or one that resolves to it)
    FIELD = "field"  # a value in its body
    MOMENT = "moment"  # the moment that its list is ordered by
    PROFILE = "profile"  # its profile is one of those in a list, see indexes/profiles.py

    # There is one of each. Enum's own is written in Python, and each question to a list asks for some.
    __hash__ = object.__hash__


class Compare(Enum):
    """How the subject is compared with the value asked."""

    IS = "="
    # The value is a list of two texts: the field is the first, or, of a document from the legacy, the second.
    IS_OR_DERIVED = "is, or derived"
    CONTAINS = "contains"  # without regard to case
    AFTER = ">"
    FROM = ">="
    BEFORE = "<"
    UNTIL = "<="
    PRESENT = "present"  # the value says whether there must be one
    AMONG = "among"  # equal to one of the texts in a list
    NEVER = "never"  # the question was understood and nothing can match it

    __hash__ = object.__hash__  # as of Subject


class Hop(NamedTuple):
    """One link followed: from its holder to its target, or back from the target to the holders."""

    relation: str
    back: bool = False


@dataclass(frozen=True, slots=True)
class Where:
    """The shape of a condition: some document at the end of `path`, of this `kind`, meets it.

    An empty path is the listed document itself; `field` is a path in the body, with dots.
    """

    kind: str
    path: tuple[Hop, ...] = ()
    subject: Subject = Subject.FIELD
    field: str = ""
    compare: Compare = Compare.IS


Value: TypeAlias = str | int | bytes | list[str] | list[int]


class Condition(NamedTuple):
    """A shape with the value asked: text, a whole number (a flag is 0 or 1), the 16 bytes of a uuid, or a list."""

    where: Where
    value: Value
