"""From what a client gave to what a document would become: references found, fields merged. Writes nothing.

A number in brackets is that of a recorded exchange: `tests/data/klantinteracties/<number>-*.json`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from gateway.http.problems import InvalidParam
from gateway.klantinteracties.model import declarations as declared
from gateway.klantinteracties.model.resources import BY_KIND
from gateway.store.base.session import Session
from gateway.store.documents import lookup, reading
from gateway.store.edits import editing
from gateway.store.edits.editing import EditableDocument
from mappings.klantinteracties import defaults, empty_group

Json = dict[str, Any]

# As the recorded server names them in its errors [119, 127, 142]; those that were not recorded follow its pattern.
OBJECT_NAMES = {
    "actor": "Actor",
    "betrokkene": "Betrokkene",
    "categorie": "Categorie",
    "digitaleadres": "DigitaalAdres",
    "klantcontact": "Klantcontact",
    "partij": "Partij",
    "partij-identificator": "PartijIdentificator",
    "rekeningnummer": "Rekeningnummer",
}
UNIQUE_NAMES = {"internetaak": "interne taak", "klantcontact": "klantcontact", "partij": "partij"}


@dataclass(slots=True)
class Draft:
    """A document as a client wants it.

    `given` is the loaded body; `held` the document that it changes, None for a new one; `prefix` stands before the
    names of errors on its fields, `rule_prefix` before those on the whole; `partial` for a PATCH. Filled in on the
    way: `links`, what it will refer to (rows, by field of the relation); `lists`, the documents that a given list
    names (rows, by field); `merged`, its fields as they would become.
    """

    resource: declared.Resource
    given: Json
    held: EditableDocument | None = None
    prefix: str = ""
    rule_prefix: str = ""
    partial: bool = False
    links: dict[str, list[int]] = field(default_factory=dict)
    lists: dict[str, list[int]] = field(default_factory=dict)
    merged: Json = field(default_factory=dict)

    @property
    def creating(self) -> bool:
        """Is it a new document?"""
        return self.held is None


def link_field(relation: str) -> str:
    """The field of a relation, as links have it: without the kind."""
    return relation.split(".", 1)[1]


def references(resource: declared.Resource, given: Json) -> Iterator[tuple[str, UUID]]:
    """The documents that a loaded body names: kind and uuid."""
    for item in resource.fields:
        value = given.get(item.name)
        if not value:
            continue
        match item:
            case declared.DocumentReference() | declared.References(first=True):
                yield item.to, value["uuid"]
            case declared.References() | declared.Listing(writes=declared.Writes.TAKES_OVER):
                yield from ((item.to, one["uuid"]) for one in value)
            case declared.Inside(reference=inner):
                if value.get(inner.name):
                    yield inner.to, value[inner.name]["uuid"]
            case declared.Listing(writes=declared.Writes.MAKES):
                for one in value:
                    if "uuid" in one:
                        yield item.to, one["uuid"]
                    yield from references(BY_KIND[item.to], one)


def resolve(connection: Session, draft: Draft) -> list[InvalidParam]:
    """Find what the draft refers to; fills `links` and `lists`.

    Out: what is wrong with its fields that only the store knows, in their order: references to nothing [119, 142],
    and values that another document has [127].
    """
    wrong: list[InvalidParam] = []
    draft.links = {name: list(rows) for name, rows in draft.held.links.items()} if draft.held else {}
    for item in draft.resource.fields:
        if item.name not in draft.given:
            continue
        value, path = draft.given[item.name], f"{draft.prefix}{item.name}"
        match item:
            case declared.DocumentReference():
                _link(connection, draft, item, [(path, value)] if value else [], wrong)
            case declared.References(first=True):
                if value:
                    before = draft.links.get(link_field(item.relation), [])
                    _link(connection, draft, item, [(path, value)], wrong)
                    if before[:1] == draft.links[link_field(item.relation)]:
                        draft.links[link_field(item.relation)] = (
                            before  # it is the first already: the others stay
                        )
            case declared.References():
                several = [(f"{path}.{number}", one) for number, one in enumerate(value)]
                _link(connection, draft, item, several, wrong)
            case declared.Inside(reference=inner):
                if value is None or draft.given.get(item.switch, item.on) != item.on:
                    draft.links[link_field(inner.relation)] = []
                elif inner.name in value:
                    one = value[inner.name]
                    _link(connection, draft, inner, [(f"{path}.{inner.name}", one)] if one else [], wrong)
            case declared.Listing(writes=declared.Writes.TAKES_OVER):
                found = [
                    _find(connection, item.to, one["uuid"], f"{path}.{number}", wrong)
                    for number, one in enumerate(value)
                ]
                draft.lists[item.name] = [row for row in found if row is not None]
            case declared.Listing(writes=declared.Writes.MAKES):
                draft.lists[item.name] = []
                for number in range(len(value)):
                    inner_draft = nested(connection, draft, item, number, wrong)
                    if inner_draft.held:
                        draft.lists[item.name].append(inner_draft.held.id)
                    wrong += resolve(connection, inner_draft)
            case declared.BodyValue(name=name) if name in draft.resource.unique and value is not None:
                others = lookup.with_value(connection, draft.resource.kind, name, value)
                if others - ({draft.held.id} if draft.held else set()):
                    who = UNIQUE_NAMES[draft.resource.kind]
                    reason = f"Er bestaat al een {who} met eenzelfde {name}."
                    wrong.append(InvalidParam(path, "unique", reason))
    return wrong


def nested(
    connection: Session,
    draft: Draft,
    item: declared.Listing,
    number: int,
    wrong: list[InvalidParam],
) -> Draft:
    """The draft of one document in a list that makes documents; `wrong` gets the error of an unknown uuid.

    Which document it belongs to is for the outer one to say. Errors on the whole are named flat [139].
    """
    resource = BY_KIND[item.to]
    path = f"{draft.prefix}{item.name}.{number}"
    given: Json = dict(draft.given[item.name][number])
    uuid = given.pop("uuid", None)
    for own in resource.fields:
        if isinstance(own, declared.DocumentReference) and own.relation == item.relation:
            given.pop(own.name, None)
    row = _find(connection, item.to, uuid, path, wrong) if uuid else None
    held = editing.get(connection, row) if row is not None else None
    return Draft(resource, given, held, prefix=f"{path}.")


def merge(connection: Session, draft: Draft) -> None:
    """Fill `merged`, after `resolve`: what is held or what a new document has, and what was given over it."""
    held, fields = draft.held, draft.resource.fields
    base = held.body if held else defaults(draft.resource.kind)
    draft.merged = {**base, **draft.given}
    for item in fields:
        if isinstance(item, declared.Inside) or (isinstance(item, declared.BodyValue) and item.switch):
            draft.merged[item.name] = _group(draft, item, base)
    uuids = editing.uuids(connection, [row for rows in draft.links.values() for row in rows])
    for item in fields:
        match item:
            case declared.DocumentReference() | declared.References():
                found = [{"uuid": uuids[row]} for row in draft.links.get(link_field(item.relation), [])]
                many = isinstance(item, declared.References) and not item.first
                draft.merged[item.name] = found if many else next(iter(found), None)
            case declared.Inside():
                _merge_inside(draft, item)


def _group(draft: Draft, item: declared.BodyValue | declared.Inside, base: Json) -> Json | None:
    """A group that only fits one soort: what was given of it over what it had, as long as the soort stays."""
    soort, given = draft.merged[item.switch], draft.given.get(item.name)
    before: Json | None = base[item.name] if soort == base.get(item.switch) else None
    if given is None or (not given and draft.held):
        return before
    group: Json = (before or empty_group(draft.resource.kind, item.name, soort)) | given
    return group


def _merge_inside(draft: Draft, item: declared.Inside) -> None:
    """A group with a reference inside: that is a link, and the group has a uuid of its own, which stays."""
    name = link_field(item.reference.relation)
    group = draft.merged.get(item.name)
    if not group or draft.merged[item.switch] != item.on:
        draft.links[name] = []
        return
    before = (draft.held.body.get(item.name) or {}) if draft.held else {}
    others = {key: value for key, value in group.items() if key not in ("uuid", item.reference.name)}
    draft.merged[item.name] = {"uuid": before.get("uuid") or str(uuid4()), **others}


def body(draft: Draft) -> Json:
    """The body to store, after `merge`: the values, in the order of the fields."""
    stored = (declared.BodyValue, declared.Inside)
    return {item.name: draft.merged[item.name] for item in draft.resource.fields if isinstance(item, stored)}


def _link(
    connection: Session,
    draft: Draft,
    item: declared.DocumentReference | declared.References,
    given: list[tuple[str, Json]],
    wrong: list[InvalidParam],
) -> None:
    """Note what a field refers to; `wrong` gets an error for each that isn't there or isn't of the right soort."""
    rows = []
    for path, one in given:
        row = _find(connection, item.to, one["uuid"], path, wrong)
        if row is None:
            continue
        only = item.only if isinstance(item, declared.DocumentReference) else None
        if only and not lookup.having(connection, [row], *only):
            reason = f"{OBJECT_NAMES[item.to]} object moet het soort '{only[1]}' hebben."
            wrong.append(InvalidParam(f"{path}.uuid", "invalid", reason))
            continue
        rows.append(row)
    draft.links[link_field(item.relation)] = list(dict.fromkeys(rows))


def _find(connection: Session, kind: str, uuid: UUID, path: str, wrong: list[InvalidParam]) -> int | None:
    found = reading.find(connection, kind, uuid.bytes)
    if found is None:
        wrong.append(InvalidParam(f"{path}.uuid", "invalid", f"{OBJECT_NAMES[kind]} object bestaat niet."))
        return None
    return found[0]
