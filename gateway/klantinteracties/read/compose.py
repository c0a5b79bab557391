"""Answers from stored documents: bodies completed with their addresses, links and what is embedded.

For a page of documents of one kind the store is asked one question (what they refer to, what refers to them, and one
step further), and one more for each relation that is expanded; never one per document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from operator import itemgetter
from typing import Any

import orjson

from gateway.klantinteracties.model import declarations as declared
from gateway.klantinteracties.model.expand import Tree
from gateway.klantinteracties.model.freshness import ShownDocument
from gateway.klantinteracties.model.resources import BASE_PATH, BY_KIND, RESOURCES
from gateway.store.base.kinds import RELATION
from gateway.store.base.session import Session
from gateway.store.documents import reading
from gateway.store.documents.reading import (
    BODY,
    LINK,
    ORDER,
    OTHER,
    SIDE,
    START,
    UUID,
    Linked,
    Row,
    Surroundings,
)

Json = dict[str, Any]
ByRelation = Mapping[int, Sequence[Linked]]
Grouped = Mapping[int, ByRelation]
NOTHING: ByRelation = {}
NOBODY: Json = {"uuid": None}  # as the real server shows it
HAD_CONTACT, WAS_PARTIJ = RELATION["betrokkene.hadKlantcontact"], RELATION["betrokkene.wasPartij"]
OLDEST_FIRST = itemgetter(ORDER, UUID)  # of links: by creation, then by uuid


@dataclass(slots=True)
class Neighbours:
    """What is known around the documents of one kind: addresses by kind, and the links one step further."""

    addresses: Mapping[str, str]
    further: Grouped


# Is told, in the transaction of an answer, what was read: the kind, what is expanded, the documents, and who take part
# in them (None: that is not known). Out: the documents, to be written as JSON.
Saw = Callable[[Session, str, Tree, list[Json], set[bytes] | None], list[Any]]
# From the body, what it refers to and what refers to it, to the value of one field.
Build = Callable[[Neighbours, Json, ByRelation, ByRelation], Any]


@dataclass(slots=True)
class Plan:
    """How documents of one kind are composed: what to ask of the store, and how each field is built."""

    kind: str
    builders: list[tuple[str, Build | None]] = field(default_factory=list)  # None: as it stands in the body
    refers: bool = False
    whole_targets: set[int] = field(default_factory=set)
    sources: set[int] = field(default_factory=set)
    whole_sources: set[int] = field(default_factory=set)
    further_from: set[int] = field(default_factory=set)
    further_whole: set[int] = field(default_factory=set)
    expansions: list[Expansion] = field(default_factory=list)
    persons: bool = False  # who its betrokkenen are is found as well
    surroundings: Surroundings | None = None


@dataclass(frozen=True, slots=True)
class Expansion:
    """One relation to expand: where its documents are found, whether it is a list, how they are composed."""

    name: str
    relation: int
    back: bool
    many: bool
    plan: Plan


@lru_cache(maxsize=64)
def addresses(base: str) -> dict[str, str]:
    """The address of the resource of each kind, with a slash at the end."""
    return {resource.kind: f"{base}{BASE_PATH}/{resource.path}/" for resource in RESOURCES}


@lru_cache(maxsize=1024)
def plan(kind: str, expand: Tree, *, persons: bool = False) -> Plan:
    """How to compose documents of a kind with these relations expanded.

    In: whether it must be found who the betrokkenen of klantcontacten are, of which these name none.
    """
    made = Plan(kind)
    by_name = {item.name: item for item in BY_KIND[kind].fields}
    for item in by_name.values():
        made.builders.append((item.name, _builder(made, item)))
    for name, inner in expand:
        item = by_name[name]
        if isinstance(item, declared.BodyValue | declared.Inside):
            raise TypeError(f"{kind}.{name} refers to nothing")
        relation = RELATION[item.relation]
        back = isinstance(item, declared.Listing | declared.Summary)
        (made.whole_sources if back else made.whole_targets).add(relation)
        made.expansions.append(Expansion(name, relation, back, back, plan(item.to, inner)))
    if persons and kind == "klantcontact" and not expand:
        made.persons = True
        made.further_from.add(HAD_CONTACT)
    made.surroundings = reading.surroundings(
        refers=made.refers,
        whole_targets=made.whole_targets,
        sources=made.sources,
        whole_sources=made.whole_sources,
        further_from=made.further_from,
        further_whole=made.further_whole,
    )
    return made


def compose(
    connection: Session,
    how: Plan,
    rows: Sequence[Row],
    base: str,
    shown: list[ShownDocument],
    about: set[bytes] | None = None,
    *,
    always_expand: bool = False,
) -> list[Json]:
    """The answers for these rows, in their order.

    In: the base URL, a list that gets every document that stands in full in the answers, and a set that gets who the
    betrokkenen of klantcontacten are (uuids of partijen, else their own) when the plan has `persons`. `always_expand`
    gives an empty `_expand` when nothing is expanded.
    """
    if not rows:
        return []
    ids = [number for number, _, _ in rows]
    kind = how.kind
    shown.extend([ShownDocument(kind, number, uuid) for number, uuid, _ in rows])
    near, far, further = _group(reading.around(connection, how.surroundings, ids) if how.surroundings else ())
    if about is not None:
        betrokkenen = [link for links in far.values() for link in links.get(HAD_CONTACT, ())]
        for link in betrokkenen:
            partij = further.get(link[OTHER], NOTHING).get(WAS_PARTIJ)
            about.add(partij[0][UUID] if partij else link[UUID])
    around = Neighbours(addresses(base), further)
    answers = [
        _answer(how, around, uuid, body, near.get(number, NOTHING), far.get(number, NOTHING))
        for number, uuid, body in rows
    ]
    if how.expansions or always_expand:
        for answer in answers:
            answer["_expand"] = {}
    for expansion in how.expansions:
        _expand(connection, expansion, ids, answers, far if expansion.back else near, base, shown)
    return answers


def compose_seen(
    connection: Session,
    saw: Saw | None,
    kind: str,
    expand: Tree,
    rows: Sequence[Row],
    base: str,
    shown: list[ShownDocument],
    *,
    always_expand: bool = False,
) -> list[Any]:
    """The same for documents of a kind with these relations expanded, of which `saw` is told where there is one."""
    how = plan(kind, expand, persons=saw is not None)
    about: set[bytes] | None = set() if how.persons else None
    found = compose(connection, how, rows, base, shown, about, always_expand=always_expand)
    return found if saw is None else saw(connection, kind, expand, found, about)


def _expand(
    connection: Session,
    expansion: Expansion,
    ids: Sequence[int],
    answers: Sequence[Json],
    links: Grouped,
    base: str,
    shown: list[ShownDocument],
) -> None:
    relation = expansion.relation
    related: dict[int, Row] = {}
    for number in ids:
        for link in links.get(number, NOTHING).get(relation, ()):
            related.setdefault(link[OTHER], (link[OTHER], link[UUID], link[BODY] or ""))
    composed = compose(connection, expansion.plan, list(related.values()), base, shown)
    by_id = dict(zip(related, composed, strict=True))
    for number, answer in zip(ids, answers, strict=True):
        found = [by_id[link[OTHER]] for link in links.get(number, NOTHING).get(relation, ())]
        answer["_expand"][expansion.name] = found if expansion.many else next(iter(found), None)


def _answer(
    how: Plan, around: Neighbours, uuid: bytes, body: str | None, near: ByRelation, far: ByRelation
) -> Json:
    answer = _named(around.addresses[how.kind], uuid)
    stored = orjson.loads(body or "{}")
    for name, build in how.builders:
        answer[name] = stored[name] if build is None else build(around, stored, near, far)
    return answer


def _group(links: Iterable[Linked]) -> tuple[Grouped, Grouped, Grouped]:
    """Links by side, row id and relation; several of one relation by creation, oldest first."""
    sides: tuple[dict[int, dict[int, list[Linked]]], ...] = ({}, {}, {})
    several: list[list[Linked]] = []
    for link in links:
        side = sides[link[SIDE]]
        relations = side.get(link[START])
        if relations is None:
            side[link[START]] = {link[LINK]: [link]}
            continue
        found = relations.get(link[LINK])
        if found is None:
            relations[link[LINK]] = [link]
        else:
            if len(found) == 1:
                several.append(found)
            found.append(link)
    for found in several:
        found.sort(key=OLDEST_FIRST)
    return sides[reading.NEAR], sides[reading.FAR], sides[reading.FURTHER]


def _text(uuid: bytes) -> str:
    return f"{uuid[:4].hex()}-{uuid[4:10].hex('-', 2)}-{uuid[10:].hex()}"


def _named(address: str, uuid: bytes) -> Json:
    text = _text(uuid)
    return {"uuid": text, "url": address + text}


def _builder(made: Plan, item: declared.Field) -> Build | None:
    """How one field is built; notes in the plan what that needs of the store."""
    match item:
        case declared.BodyValue():
            return None
        case declared.DocumentReference():
            return _reference(made, item)
        case declared.References():
            return _references(made, item)
        case declared.Inside():
            return _inside(made, item)
        case declared.Listing(whole=False):
            return _listing(made, item)
        case declared.Listing():
            return _whole_listing(made, item)
        case declared.Summary():
            return _summary(made, item)
        case declared.Through():
            return _through(made, item)


def _reference(made: Plan, item: declared.DocumentReference) -> Build:
    relation, to, extra = RELATION[item.relation], item.to, item.extra
    made.refers = True
    if extra:
        made.whole_targets.add(relation)

    def build(around: Neighbours, body: Json, near: ByRelation, far: ByRelation) -> Json | None:
        links = near.get(relation)
        if links is None:
            return None
        found = _named(around.addresses[to], links[0][UUID])
        if extra:
            other = orjson.loads(links[0][BODY] or "{}")
            for name in extra:
                found[name] = other[name]
        return found

    return build


def _references(made: Plan, item: declared.References) -> Build:
    relation, to, first = RELATION[item.relation], item.to, item.first
    made.refers = True

    def build(around: Neighbours, body: Json, near: ByRelation, far: ByRelation) -> list[Json] | Json | None:
        found = [_named(around.addresses[to], link[UUID]) for link in near.get(relation, ())]
        return next(iter(found), NOBODY) if first else found

    return build


def _inside(made: Plan, item: declared.Inside) -> Build:
    name, inner, switch, on = item.name, item.reference.name, item.switch, item.on
    reference = _reference(made, item.reference)

    def build(around: Neighbours, body: Json, near: ByRelation, far: ByRelation) -> Json | None:
        value: Json | None = body[name]
        if value is None or body[switch] != on:
            return value
        own, *others = value.items()  # the reference stands after the group's own uuid
        return dict([own, (inner, reference(around, body, near, far)), *others])

    return build


def _listing(made: Plan, item: declared.Listing) -> Build:
    relation, to = RELATION[item.relation], item.to
    made.sources.add(relation)

    def build(around: Neighbours, body: Json, near: ByRelation, far: ByRelation) -> list[Json]:
        links = far.get(relation)
        if links is None:
            return []
        address = around.addresses[to]
        return [{"uuid": (text := _text(link[UUID])), "url": address + text} for link in links]

    return build


def _whole_listing(made: Plan, item: declared.Listing) -> Build:
    relation = RELATION[item.relation]
    inner = plan(item.to, ())
    made.sources.add(relation)
    made.whole_sources.add(relation)
    made.further_from.add(relation)
    made.further_whole.update(inner.whole_targets)

    def build(around: Neighbours, body: Json, near: ByRelation, far: ByRelation) -> list[Json]:
        further = around.further
        return [
            _answer(inner, around, link[UUID], link[BODY], further.get(link[OTHER], NOTHING), NOTHING)
            for link in far.get(relation, ())
        ]

    return build


def _summary(made: Plan, item: declared.Summary) -> Build:
    relation, about, to, own = RELATION[item.relation], RELATION[item.about], item.to, item.own
    about_field, shown_as = item.about_field, item.shown_as
    made.sources.add(relation)
    made.whole_sources.add(relation)
    made.further_from.add(relation)
    made.further_whole.add(about)

    def build(around: Neighbours, body: Json, near: ByRelation, far: ByRelation) -> list[Json]:
        found = []
        for link in far.get(relation, ()):
            line = _named(around.addresses[to], link[UUID])
            others = around.further.get(link[OTHER], NOTHING).get(about)
            line[shown_as] = orjson.loads(others[0][BODY] or "{}")[about_field] if others else None
            stored = orjson.loads(link[BODY] or "{}")
            for name in own:
                line[name] = stored[name]
            found.append(line)
        return found

    return build


def _through(made: Plan, item: declared.Through) -> Build:
    relation, other, to = RELATION[item.relation], RELATION[item.other], item.to
    made.sources.add(relation)
    made.further_from.add(relation)
    inner = plan(to, ()) if item.whole else None
    if inner is not None:
        made.further_whole.add(other)

    def build(around: Neighbours, body: Json, near: ByRelation, far: ByRelation) -> list[Json]:
        found = []
        for link in far.get(relation, ()):
            for further in around.further.get(link[OTHER], NOTHING).get(other, ()):
                if inner is None:
                    found.append(_named(around.addresses[to], further[UUID]))
                else:
                    found.append(_answer(inner, around, further[UUID], further[BODY], NOTHING, NOTHING))
        return found

    return build
