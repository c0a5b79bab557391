"""Which version a source speaks, and so which query parameters it has; an unknown one is a 400.

The parameters are declared by kind (`mappings.standards`), taken from the published contracts 1.0.2, 1.5.1 and 1.7.0
(Klanten and Contactmomenten: 1.0) and the version table of the legacy behaviour.
"""

import re
from dataclasses import dataclass
from typing import Any

from mappings.standards import LISTS
from mappings.standards.betrokkenen import COMPANY, finds_all_kvk
from mappings.standards.declaration import Number, Pages

PAGE_SIZE = 500  # the largest that Open Zaak gives; more is clipped silently
DEFAULT_PAGE_SIZE = 100
# In which a page that can't be parsed is asked again: each fits a whole number of times in the one before it.
SMALLER_SIZES = (100, 20, 4, 1)

# The versions that we know; a newer one below AFTER is asked as the newest known.
OLDEST, NEWEST, AFTER = (1, 0), (1, 7), (2, 0)

# What the client asks to find out about the additions: nobody's number, so mostly an empty list.
PROBE = {f"{COMPANY}kvkNummer": "00000000", "pageSize": "1"}


def answers_probe(objects: list[dict[str, Any]]) -> bool:
    """Whether these rollen answer PROBE; a server that ignores unknown parameters gives others."""
    identificaties = [each.get("betrokkeneIdentificatie") for each in objects]
    return len(objects) <= 1 and all(
        isinstance(each, dict) and each.get("kvkNummer") == "00000000" for each in identificaties
    )


@dataclass(frozen=True, slots=True)
class ApiVersion:
    """What a source speaks: the version of the standard, and which additions of Open Zaak it knows."""

    number: Number
    text: str
    open_zaak: bool
    page_size: bool

    @property
    def finds_kvk(self) -> bool:
        """Whether rollen can be asked by KVK number in each field that holds one; before 1.3 only innNnpId does."""
        return finds_all_kvk(self.number, lambda parameter: self.has("rol", parameter))

    @property
    def newer(self) -> bool:
        """Whether it is newer than any that we know."""
        return self.number[:2] > NEWEST

    def has(self, kind: str, parameter: str) -> bool:
        """Whether the list of that kind takes that query parameter. Raises KeyError for an unknown kind."""
        declared = LISTS[kind]
        if parameter == "pageSize":
            return self.page_size and declared.pages is Pages.SIZED
        if any(start <= self.number < until for start, until in declared.filters.get(parameter, ())):
            return True
        return self.open_zaak and parameter in declared.additions


EARLIER_VERSION = ApiVersion((1, 0, 0), "1.0.0", open_zaak=False, page_size=False)


def trouble(text: str) -> str:
    """Why a version that a source (or the config) names is none to go by, for an operator; blank when it is one."""
    number = parse(text)
    todo = "vul api_version in de config in"
    if not text.strip():
        return f"de bron noemt geen versie; {todo}"
    if number is None:
        return f"de bron noemt een versie die niet te lezen is; {todo}"
    if not OLDEST <= number < AFTER:
        known = f"{'.'.join(map(str, OLDEST))} tot en met {'.'.join(map(str, NEWEST))}"
        return f"versie {number[0]}.{number[1]} is niet bekend, wel {known}; klopt dat niet, {todo}"
    return ""


def parse(text: str) -> Number | None:
    """The numbers of a version such as `1.5.1` or `v1.5`; None when it is not one."""
    match = re.match(r"\s*[vV]?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?", text)
    return tuple(int(part) for part in match.groups(default="0")) if match else None
