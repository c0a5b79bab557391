"""What is sent of a document, and whether what the register shows means the same. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from gateway.klantinteracties.model import declarations as declared
from gateway.klantinteracties.model.resources import BY_KIND
from gateway.store.export.documents import Leaving, LeavingLink

Json = dict[str, Any]
# Left out when there is nothing in them: a client may not write null there.
NEVER_NULL = ("partijIdentificatie", "actorIdentificatie")
# Shown by the register, never taken.
SHOWN_ONLY = frozenset({"volledigeNaam", "toegewezenOp"})
# What a register may fill in by itself where we have nothing (E6).
SETS_ITSELF = frozenset({"nummer", "referentienummer", "afgehandeldOp", "beginDatum"})
# What it always sets itself.
ALWAYS_ITSELF = frozenset({"toegewezenOp"})


class ReferenceMissing(Exception):
    """It refers to what is not at the register (yet): `own` is our uuid of that."""

    def __init__(self, own: bytes) -> None:
        super().__init__("a reference")
        self.own = own


def digest_of(leaving: Leaving) -> bytes:
    """A digest of all that a document says."""
    digest = hashlib.blake2b(leaving.body.encode(), digest_size=16)
    for name in sorted(leaving.links):
        digest.update(name.encode() + b"".join(linked.own for linked in leaving.links[name]))
    return digest.digest()


def prefers(leaving: Leaving) -> bool:
    """Does it prefer anything?"""
    return any(leaving.links.get(name) for name in _preferences(leaving.kind))


def _preferences(kind: str) -> list[str]:
    return [
        item.name
        for item in BY_KIND[kind].fields
        if isinstance(item, declared.DocumentReference) and item.among
    ]


def named(uuid: bytes) -> Json:
    """A reference."""
    return {"uuid": str(UUID(bytes=uuid))}


def content(leaving: Leaving) -> Json:
    """What is sent to make the document: its values, and its references as the register calls them.

    What a partij prefers comes later: it must be among its addresses. Raises ReferenceMissing.
    """
    body, made = orjson.loads(leaving.body), Json()
    for item in BY_KIND[leaving.kind].fields:
        match item:
            case declared.BodyValue(name=name):
                if name not in SHOWN_ONLY:
                    made[name] = body[name]
            case declared.DocumentReference() if not item.among:
                made[item.name] = _one(leaving.links.get(_field(item.relation)))
            case declared.References(first=False):
                linked = leaving.links.get(_field(item.relation), [])
                made[item.name] = [named(_there(one)) for one in linked]
            case declared.Inside(name=name, reference=inner):
                group = _sent(body[name])
                if group is not None and body[item.switch] == item.on:
                    group[inner.name] = _one(leaving.links.get(_field(inner.relation)))
                    group.pop("uuid", None)
                made[name] = group
    return {name: value for name, value in made.items() if value is not None or name not in NEVER_NULL}


def preferences(leaving: Leaving) -> Json:
    """What is sent of what a partij prefers. Raises ReferenceMissing."""
    return {name: _one(leaving.links.get(name)) for name in _preferences(leaving.kind)}


def expected(leaving: Leaving) -> Json:
    """All that the register should show of a document, but for references to what is not there."""
    body, links = orjson.loads(leaving.body), {}
    for name, linked in leaving.links.items():
        links[name] = [one for one in linked if one.theirs is not None]
    there = leaving._replace(links=links)
    own = {name: body[name] for name in ALWAYS_ITSELF if name in body}
    found = content(there) | preferences(there) | own
    lost = {name for name, linked in leaving.links.items() if len(linked) > len(links[name])}
    return {name: value for name, value in found.items() if _relation(leaving.kind, name) not in lost}


def at_home(leaving: Leaving) -> Leaving:
    """A document as it leaves for a register that has everything under our uuids."""
    links = {
        name: [one._replace(theirs=one.theirs or one.own) for one in linked]
        for name, linked in leaving.links.items()
    }
    return leaving._replace(links=links)


def _relation(kind: str, name: str) -> str:
    """The field of the relation by which a field refers to something, else its own name."""
    for item in BY_KIND[kind].fields:
        if item.name == name and isinstance(item, declared.DocumentReference | declared.References):
            return _field(item.relation)
    return name


def _field(relation: str) -> str:
    return relation.split(".", 1)[1]


def _one(linked: list[LeavingLink] | None) -> Json | None:
    return named(_there(linked[0])) if linked else None


def _there(linked: LeavingLink) -> bytes:
    if linked.theirs is None:
        raise ReferenceMissing(linked.own)
    return linked.theirs


def _sent(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: each for name, each in value.items() if name not in SHOWN_ONLY}
    return value


def differing(sent: Mapping[str, Any], shown: Mapping[str, Any]) -> list[str]:
    """The names of the fields in which what the register shows means something else than what was sent."""
    return [name for name, value in sent.items() if not same(value, shown.get(name))]


def set_by_register(field: str, sent: Any, shown: Any) -> bool:
    """Is this difference one that a register makes itself (E6): it filled in what we have not, or it has given the
    number that we have to another?"""
    if field in ALWAYS_ITSELF or (field == "nummer" and is_blank(shown)):
        return True
    return field in SETS_ITSELF and is_blank(sent) and not is_blank(shown)


def same(sent: Any, shown: Any) -> bool:
    """Does what the register shows in a field mean what was sent?"""
    if sent == shown:
        return True
    if isinstance(sent, dict):
        if "uuid" in sent:
            return isinstance(shown, dict) and str(shown.get("uuid", "")).lower() == sent["uuid"]
        if not isinstance(shown, dict):
            return is_blank(sent) and is_blank(shown)
        return all(same(value, shown.get(name)) for name, value in sent.items())
    if isinstance(sent, list) and isinstance(shown, list):
        return len(sent) == len(shown) and all(map(same, sent, shown))
    if isinstance(sent, bool) or isinstance(shown, bool):
        return False  # null and false are not the same
    if is_blank(sent) and is_blank(shown):
        return True
    return (
        isinstance(sent, str) and isinstance(shown, str) and moment_of(sent) == moment_of(shown) is not None
    )


def is_blank(value: Any) -> bool:
    """Is there nothing in it?"""
    if isinstance(value, dict):
        return all(is_blank(each) for each in value.values())
    return value is None or value == "" or value == []


def moment_of(text: str) -> datetime | None:
    """The moment that a text says; None when it says none."""
    if len(text) < 16 or text[4:5] != "-":
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
