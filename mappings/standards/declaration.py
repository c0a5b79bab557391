"""What is declared of a kind of object that a source has: how its list is asked, and what its objects mean here.

Pure data and functions: who asks, keeps, follows and proves objects of a kind takes from here what differs by kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from mappings.model.settings import Settings
from mappings.model.ties import Tie
from mappings.model.translated import Translated

Number = tuple[int, ...]
Spans = tuple[tuple[Number, Number], ...]  # first version that has it, first that does not any more
ALWAYS: Number = (1, 0)
NEVER: Number = (1000,)

# The APIs of a source, by the name of their config keys.
ZAKEN, CATALOGI, KLANTEN, CONTACTMOMENTEN = "zaken", "catalogi", "klanten", "contactmomenten"


def since(start: Number, *parameters: str, until: Number = NEVER) -> dict[str, Spans]:
    """Parameters that versions from `start` on have, up to (not including) `until`."""
    return dict.fromkeys(parameters, ((start, until),))


def with_suffixes(name: str, *suffixes: str) -> list[str]:
    """A parameter and its variants: name, name__lt, ..."""
    return [name, *(f"{name}__{suffix}" for suffix in suffixes)]


class Pages(Enum):
    """How a list comes."""

    SIZED = "in pages, of a size that can be asked for where the version knows sizes"
    FIXED = "in pages"
    NONE = "as a bare array"  # 80,000 rows ended in a closed connection, so a filter is a must


class Decides(Enum):
    """Which zaken decide on whether an object may be shown (M34)."""

    ITSELF = "it is a zaak"
    ITS_ZAAK = "the zaak that it belongs to"
    ITS_ZAAK_IF_ANY = "the zaak that it is about, when it is about one"
    ITS_TIES = "all the zaken that it is tied to"
    NOTHING = "none"


class FoundBy(Enum):
    """By what a search leads to an object that is not translated (M3)."""

    ITS_UUID = "its uuid: other objects, which name it, tell whom it is about"
    ITS_ZAAK = "the zaak that it names"
    ITS_CONTACT = "the contactmoment that it names"
    ITS_KEYS = "the keys that occur in it"


@dataclass(frozen=True, slots=True)
class Newest:
    """How what is new is read from the front of a list, which has the newest first.

    `since`: the filter on the day, without which it can't be asked so at all. `ordering`: what makes the newest come
    first, where the version has an order.
    """

    since: str = ""
    ordering: str = ""


class Asking(Protocol):
    """The source that is to be asked for a key."""

    @property
    def source(self) -> str:
        """Its name."""

    def can(self, parameter: str) -> bool:
        """Has the list that parameter, in the version that the source speaks?"""

    def version(self) -> Number:
        """The version that it speaks."""


# The parameters (with their value) that find a key, and whether they find all of it.
Questions = tuple[list[tuple[str, str]], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacyList:
    """A list of an API: under which path, how it pages, and what it can be asked.

    `filters` by the versions that have them, `additions` are those of Open Zaak. `own_urls` are the filters that hold
    the URL of an object of the source itself, with the kind of that.
    """

    name: str
    path: str
    api: str
    filters: Mapping[str, Spans]
    additions: frozenset[str] = frozenset()
    pages: Pages = Pages.FIXED
    own_urls: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacyKind(LegacyList):
    """A kind of object that is held, translated, followed and verified.

    Identity: `number` is what rows of the store carry, never to be changed; `title` is what operators read.
    """

    number: int
    title: str

    # From the source: read in this order, for what comes later refers to what comes before. A list can be walked in
    # parts by the date `dated`, read from its front by `newest` (None: only the sweep finds what is new), and asked for
    # what hangs on an object of another kind (`asked_by`: that kind, and the filter) or for an identity key (`by_key`).
    order: int
    dated: str = ""
    newest: Newest | None = None
    asked_by: Mapping[str, str] = field(default_factory=dict)
    by_key: Callable[[str, Asking], Questions] | None = None

    # Its translation: a schema that gives what the rules read, and the rules. `point` adds what depends on the
    # addresses of the source. `says`: it says something of a partij or actor. `becomes_documents`: else it only counts.
    schema: Callable[[Mapping[str, Any]], dict[str, Any]]
    translate: Callable[[dict[str, Any], Mapping[str, Any], str, Settings], Translated]
    point: Callable[[Translated, Mapping[str, str]], None] | None = None
    says: bool = False
    becomes_documents: bool = True

    # What it hangs on: the field that names its zaak, and what it ties a contactmoment to.
    decides: Decides
    zaak_in: Callable[[Mapping[str, Any]], object] = lambda raw: raw.get("zaak")
    tie: Callable[[bytes, dict[str, Any]], Tie | None] | None = None

    # How it is found again: its uuid or its URL is an identity key by itself (`rol:...`, `url:...`), and the kind of
    # document that URLs of it became, which applications kept.
    found_by: FoundBy
    uuid_key: str = ""
    url_is_key: bool = False
    became: str = ""

    @property
    def ties(self) -> bool:
        """Does it do no more than tie a contactmoment to something?"""
        return self.tie is not None and self.decides is not Decides.ITS_TIES

    @property
    def paged(self) -> bool:
        """Has its list pages, so that all of it can be walked?"""
        return self.pages is not Pages.NONE
