"""What an answer of a source holds: objects, in whichever form, and what a list says of its own length."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gateway.legacy import errors
from gateway.legacy.client import lenient_parser
from gateway.legacy.client.addresses import SourceAddresses, uuid_of
from gateway.legacy.client.transport import SourceAnswer
from mappings.incoming.unreadable import Unreadable, unreadable
from mappings.standards import LISTS
from mappings.standards.declaration import Pages


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list.

    `count` is what the source says there is in all (None when it does not), a hint only; `exact`: it says it counted.
    `size` is how many objects a full page holds. `ends` tells that three signs agree that this is the last page:
    it is not full, no next page is named, and the exact count is reached. One of them alone is not to be trusted.
    `asked` is when it was asked for (microseconds UTC). `ready` is for who takes it: what was made of the first of its
    objects before its turn came.
    """

    number: int
    objects: list[dict[str, Any]]
    count: int | None
    size: int
    ends: bool = False
    asked: int = 0
    exact: bool = False
    ready: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ListCount:
    """How many objects the source says a list has; `exact` is False where it admits to guessing."""

    number: int | None
    exact: bool


def count_in(answer: SourceAnswer) -> ListCount:
    """What a list's answer says of its length."""
    body = answer.body if isinstance(answer.body, dict) else {}
    count = body.get("count")
    return ListCount(count if isinstance(count, int) else None, body.get("countExact") is not False)


def object_in(answer: SourceAnswer, source: str, template: str) -> dict[str, Any]:
    """The object that was asked for by its uuid. Raises BadAnswer when it is none."""
    if not isinstance(answer.body, dict) or "url" not in answer.body:
        raise errors.BadAnswer(source, template, text="het antwoord is geen object")
    found: dict[str, Any] = plain(answer.body)
    return lenient_parser.marked(found) if answer.lenient else found


def objects_in(answer: SourceAnswer, kind: str, source: str, template: str) -> list[dict[str, Any]]:
    """The objects of a list's answer with a sound structure: `results`, a bare array where that is the rule, or the
    HAL form. Raises BadAnswer for any other."""
    body = answer.body
    objects: Any = None
    if isinstance(body, dict):
        objects = body.get("results")
        embedded = body.get("_embedded")
        if objects is None and isinstance(embedded, dict):
            objects = embedded.get(LISTS[kind].path)
            objects = [plain(each) for each in objects] if isinstance(objects, list) else objects
    elif LISTS[kind].pages is Pages.NONE:
        objects = body
    if not isinstance(objects, list) or not all(isinstance(each, dict) for each in objects):
        raise errors.BadAnswer(source, template, text="het antwoord is geen lijst van objecten")
    return [lenient_parser.marked(each) for each in objects] if answer.lenient else objects


def plain(found: Any) -> Any:
    """An object in the form of HAL as the plain form has it; any other as it is.

    HAL adds `_links`, and puts under `_embedded` what `expand` asked for. All of that is another object's.
    """
    if not isinstance(found, dict) or not ("_links" in found or "_embedded" in found):
        return found
    made = {name: value for name, value in found.items() if name not in ("_links", "_embedded")}
    embedded = found.get("_embedded")
    if isinstance(embedded, dict):
        made["_expand"] = {
            name: [plain(each) for each in value] if isinstance(value, list) else plain(value)
            for name, value in embedded.items()
        }
    return made


def unreadable_object(
    addresses: SourceAddresses,
    kind: str,
    uuid: str,
    text: str | bytes,
    fault: Unreadable = Unreadable.STRUCTURE,
) -> dict[str, Any]:
    """An object that can't be read, with the zaak that its text names: that decides on who may know of it (M34)."""
    known = {"url": addresses.of_object(kind, uuid), "uuid": uuid.lower()}
    zaak = uuid_of(lenient_parser.zaak_in(text if isinstance(text, str) else text.decode("utf-8", "replace")))
    if zaak:
        known["zaak"] = addresses.of_object("zaak", zaak)
    return unreadable(known, fault)
