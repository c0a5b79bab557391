"""Writes of clients, one implementation for all resources: judge, store, answer, in one transaction each.

First the fields are judged, without the store; then, outside any transaction, the sources are asked for what the
rules look at; then all the rest in one transaction, so that a request is done whole or not at all.

A number in brackets is that of a recorded exchange: `tests/data/klantinteracties/<number>-*.json`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID, uuid4

import orjson

from gateway.http import problems
from gateway.http.problems import InvalidParam
from gateway.klantinteracties.model import declarations as declared
from gateway.klantinteracties.model.declarations import Resource
from gateway.klantinteracties.model.freshness import LOCAL, Hydrator, Outcome, worst
from gateway.klantinteracties.model.resources import BY_KIND, MAAK_KLANTCONTACT
from gateway.klantinteracties.read.compose import Json, addresses, compose, plan
from gateway.klantinteracties.read.etags import Environ, conditional, must_hold, tag_of
from gateway.klantinteracties.write import drafts, rules
from gateway.klantinteracties.write.cascade import cascade_of
from gateway.klantinteracties.write.drafts import Draft, link_field
from gateway.klantinteracties.write.notices import Notices
from gateway.notificaties.message import KANALEN
from gateway.store.base.session import Session
from gateway.store.base.store import Store
from gateway.store.documents import lookup as questions
from gateway.store.documents import reading
from gateway.store.documents.numbering import NUMBERED, give
from gateway.store.edits import deleting, editing, standard_addresses
from gateway.store.edits.editing import EditableDocument
from mappings.identity.identity import Uuids
from mappings.klantinteracties import NEEDS_KVK_NUMMER, Invalid, check, load, schema_of

# The parts of maak-klantcontact: the kind of each, and the field that refers to the klantcontact.
PARTS = {"betrokkene": "hadKlantcontact", "onderwerpobject": "klantcontact"}


# Makes one of what a client wrote (kind and row) and what the legacy says of the same (M19), in that transaction.
Join = Callable[[Session, str, int], None]
# Seals what is kept of a partij or actor that was deleted; out: how much.
Seal = Callable[[Session], int]


class WriteBackNotes(Protocol):
    """Notes in the transaction of a write what the sources are to be told of it (`gateway.writeback.noting`)."""

    def saved(self, connection: Session, kind: str, row: int, before: EditableDocument | None) -> None:
        """A document (row) of a kind was made or changed; `before` is how it was, None for a new one."""

    def deleting(self, connection: Session, rows: Collection[int]) -> None:
        """These documents (rows) are about to be deleted: all of them, also what goes along with another."""


# Raises Problem when a document (as GET gives it) is not the version that a write is about. Asked in the transaction of
# the write, because between an earlier look and that somebody else may have changed it.
Judge = Callable[[Json], None]


def any_version(document: Json) -> None:
    """The judge of writes that are about whatever is there."""


def judge_of(environ: Environ) -> Judge:
    """The judge of what a request writes, by its `If-Match` and `If-None-Match`."""
    if not conditional(environ):
        return any_version
    return lambda document: must_hold(environ, tag_of(orjson.dumps(document)))


@dataclass(frozen=True, slots=True)
class WriteAnswer:
    """What a write answers, and what that answer may say of itself."""

    answer: Json
    outcome: Outcome


class Writer:
    """Creates, changes and deletes documents. Every method raises Problem, and has then changed nothing."""

    def __init__(
        self,
        store: Store,
        hydrator: Hydrator,
        join: Join,
        seal: Seal,
        *,
        notify: bool = False,
        public_url: str = "",
        numbers: Uuids | None = None,
        prefer: bool = True,
        back: WriteBackNotes | None = None,
    ) -> None:
        """`numbers` derives those of documents for which a client gives none; None: they have none.

        `prefer` is `[mapping] voorkeursadres`; `back` None: no source is told.
        """
        self._store = store
        self._join = join
        self._seal = seal
        self._hydrator = hydrator
        self._notices = Notices(public_url, on=notify)
        self._numbers = numbers
        self._prefer = prefer
        self._back = back

    def create(self, resource: Resource, data: Any, base: str) -> WriteAnswer:
        """A new document from a parsed body; `base` is the base URL of the answer.

        An actor that a client made already gets what the body says, and is answered itself.
        """
        given = self._load(resource.kind, data)
        outcome = self._hydrate([(resource, given)])
        with self._judging(outcome) as connection:
            draft = Draft(resource, given, rules.existing_actor(connection, resource.kind, given))
            _refuse(drafts.resolve(connection, draft))
            row = self._save(connection, draft)
            self._join(connection, resource.kind, row)
            answer = _answer(connection, resource, row, base)
            self._notices.tell(connection, resource.kind, "create", answer)
            return WriteAnswer(answer, outcome)

    def change(
        self,
        resource: Resource,
        uuid: bytes,
        data: Any,
        base: str,
        *,
        partial: bool,
        judge: Judge = any_version,
    ) -> WriteAnswer:
        """A document made what a parsed body says; what isn't given stays, `partial` also what is required."""
        with self._store.read() as connection:
            row = _row(connection, resource, uuid)
            held = editing.get(connection, row)
        given = self._load(resource.kind, data, partial=partial, held=held)
        outcome = self._hydrate([(resource, given)])
        with self._judging(outcome) as connection:
            row = _judged(connection, resource, uuid, base, judge)
            draft = Draft(resource, given, editing.get(connection, row), partial=partial)
            _refuse(drafts.resolve(connection, draft))
            row = self._save(connection, draft)
            self._join(connection, resource.kind, row)
            answer = _answer(connection, resource, row, base)
            self._notices.tell(connection, resource.kind, "partial_update" if partial else "update", answer)
            return WriteAnswer(answer, outcome)

    def delete(self, resource: Resource, uuid: bytes, base: str, *, judge: Judge = any_version) -> None:
        """A document gone, with what goes along."""
        with self._store.write() as connection:
            row = _judged(connection, resource, uuid, base, judge)
            self._tell_destroyed(connection, resource, row, base)
            self._delete(connection, [row])

    def delete_with_contacts(
        self, resource: Resource, uuid: bytes, base: str, *, judge: Judge = any_version
    ) -> Json:
        """An onderwerpobject gone with its klantcontacten and the addresses that were given at them.

        Kept are klantcontacten that another onderwerpobject refers to, which the answer names, and addresses that
        are a partij's as well. Source: `cascade` of the contract.
        """
        with self._store.write() as connection:
            row = _judged(connection, resource, uuid, base, judge)
            held = editing.get(connection, row)
            found = cascade_of(connection, held)
            for contact in found.contacts:
                self._tell_destroyed(connection, BY_KIND["klantcontact"], contact, base)
            named = editing.uuids(connection, found.kept)
            self._delete(connection, [row, *found.contacts, *found.addresses], under=held.uuid)
        address = addresses(base)["klantcontact"]
        return {"behouden": [f"{address}{named[contact]}" for contact in found.kept]}

    def maak_klantcontact(self, data: Any, base: str) -> WriteAnswer:
        """A klantcontact with at most one betrokkene and one onderwerpobject, at once [029, 030, 148]."""
        made = _drafts(MAAK_KLANTCONTACT, self._load(MAAK_KLANTCONTACT, data))
        outcome = self._hydrate([(draft.resource, draft.given) for draft in made.values()])
        with self._judging(outcome) as connection:
            _refuse([param for draft in made.values() for param in drafts.resolve(connection, draft)])
            rows = {"klantcontact": self._save(connection, made["klantcontact"])}
            for kind in made.keys() & PARTS.keys():
                made[kind].links[PARTS[kind]] = [rows["klantcontact"]]
            for kind in PARTS:
                if kind in made:
                    rows[kind] = self._save(connection, made[kind])
            answer = {
                kind: _answer(connection, BY_KIND[kind], rows[kind], base) if kind in rows else None
                for kind in ("klantcontact", *PARTS)
            }
            self._notices.tell(connection, "klantcontact", "create", answer["klantcontact"] or {})
        return WriteAnswer(answer, outcome)

    @contextlib.contextmanager
    def _judging(self, outcome: Outcome) -> Iterator[Session]:
        """A transaction for a write; what refuses it says how complete and fresh that is by which it was judged."""
        try:
            with self._store.write() as connection:
                yield connection
        except problems.Problem as problem:
            problem.said = outcome.headers()
            raise

    def _load(
        self, kind: str, data: Any, *, partial: bool = False, held: EditableDocument | None = None
    ) -> Json:
        """The fields of a body, judged by themselves. Raises a 400 Problem that names all that is wrong with fields."""
        try:
            return load(kind, data, partial=partial, stored=held.body if held else None)
        except Invalid as error:
            wrong = [InvalidParam(*param) for param in error.params]
            made = _drafts(kind, error.sound, held)
        # What is right in itself may still refer to nothing; a source that fails takes no error away.
        with contextlib.suppress(problems.Problem):
            self._hydrate([(draft.resource, draft.given) for draft in made.values()])
            with self._store.read() as connection:
                wrong += [param for draft in made.values() for param in drafts.resolve(connection, draft)]
        places = {name: place for place, name in enumerate(schema_of(kind).fields)}
        wrong.sort(key=lambda param: places.get(param.name.split(".", 1)[0], -1))
        raise problems.invalid(*wrong)

    def _tell_destroyed(self, connection: Session, resource: Resource, row: int, base: str) -> None:
        if self._notices.on and resource.kind in KANALEN:
            self._notices.tell(connection, resource.kind, "destroy", _answer(connection, resource, row, base))

    def _hydrate(self, bodies: Iterable[tuple[Resource, Json]]) -> Outcome:
        """Ask the sources for what is about to be judged: numbers that are set, and what isn't known by its uuid."""
        outcomes = [LOCAL]
        for resource, given in bodies:
            outcomes.append(self._hydrator.before_write(resource.kind, given))
            for kind, uuid in drafts.references(resource, given):
                with self._store.read() as connection:
                    known = reading.find(connection, kind, uuid.bytes) is not None
                if not known:
                    outcomes.append(self._asked(kind, uuid))
        return worst(outcomes)

    def _asked(self, kind: str, uuid: UUID) -> Outcome:
        """Ask the sources for what a body refers to. Raises Problem when they fail."""
        outcome = self._hydrator.before_detail(kind, uuid.bytes)
        if outcome.otherwise:
            with self._store.read() as connection:
                if reading.find(connection, kind, uuid.bytes) is None:
                    raise outcome.otherwise
        return outcome

    def _save(self, connection: Session, draft: Draft) -> int:
        """Judge a resolved draft as a whole and store it, with its lists. Out: its row."""
        drafts.merge(connection, draft)
        kind, held = draft.resource.kind, draft.held
        wrong = check(kind, draft.merged, draft.given, creating=draft.creating, whole=not draft.partial)
        if wrong == [NEEDS_KVK_NUMMER] and rules.stays_without_parent(draft):
            wrong = []
        _refuse(_placed(draft, wrong or rules.judge(connection, draft)))
        rules.complete(draft)
        uuid = held.uuid if held else uuid4()
        if self._numbers and kind in NUMBERED and draft.merged["nummer"] is None:
            draft.merged["nummer"] = give(connection, kind, [uuid], self._numbers)[uuid]
        body = drafts.body(draft)
        moment = editing.microseconds(body["plaatsgevondenOp"]) if kind == "klantcontact" else None
        if held is None:
            row = editing.create(connection, kind, uuid, body, draft.links, moment)
        else:
            row = held.id
            editing.update(connection, held, body, draft.links, moment)
        if held is not None and standard_addresses.STANDARD in draft.given:
            standard_addresses.forget_waiting(connection, held.uuid)
        rules.follow(connection, held, row, prefer=self._prefer)
        for item in draft.resource.fields:
            if not isinstance(item, declared.Listing) or item.name not in draft.given:
                continue
            if item.writes is declared.Writes.TAKES_OVER:
                self._take_over(connection, item, row, draft.lists[item.name])
            elif item.writes is declared.Writes.MAKES:
                self._make(connection, draft, item, row)
        if self._back:
            self._back.saved(connection, kind, row, held)
        return row

    def _make(self, connection: Session, draft: Draft, item: declared.Listing, owner: int) -> None:
        """Make the documents of a list what was given: first remove what isn't in it, then change and add."""
        kept = set(draft.lists[item.name])
        before = questions.referring(connection, item.relation, owner)
        removed = [row for row in before if row not in kept]
        if any(questions.referring(connection, rules.PARENT, row) for row in removed):
            # Also when what hangs under it is left out as well: a list is no way to delete all of them at once.
            raise _protected(rules.PARENT)
        self._delete(connection, removed)
        for number in range(len(draft.given[item.name])):
            wrong: list[InvalidParam] = []
            inner = drafts.nested(connection, draft, item, number, wrong)
            # Again, for what was removed just now may be referred to.
            _refuse([*wrong, *drafts.resolve(connection, inner)])
            inner.links[link_field(item.relation)] = [owner]
            self._save(connection, inner)

    def _take_over(
        self, connection: Session, item: declared.Listing, owner: int, wanted: Iterable[int]
    ) -> None:
        """Make these documents, and no others, belong to their owner by the relation of a list."""
        rows, before = list(dict.fromkeys(wanted)), questions.referring(connection, item.relation, owner)
        changes: list[tuple[int, list[int]]] = [(row, []) for row in before if row not in rows]
        changes += [(row, [owner]) for row in rows if row not in before]
        for row, targets in changes:
            held = editing.get(connection, row)
            body = dict(held.body)
            if "isStandaardAdres" in body and not targets:
                body["isStandaardAdres"] = False  # a standaardadres is somebody's
            links = {**held.links, link_field(item.relation): targets}
            editing.update(connection, held, body, links)
            rules.follow(connection, held, row, prefer=self._prefer)
            if self._back:
                self._back.saved(connection, held.kind, row, held)
            _refuse(rules.joined(connection, held, owner) if targets else [])

    def _delete(self, connection: Session, rows: list[int], under: UUID | None = None) -> None:
        """Documents gone with what goes along; who loses a standaardadres by that has another one."""
        partijen = standard_addresses.partijen_of(connection, rows)
        try:
            if self._back:
                self._back.deleting(connection, deleting.going(connection, rows))
            deleting.delete(connection, rows, under)
        except deleting.Protected as error:
            raise _protected(error.relation) from None
        standard_addresses.settle(connection, partijen, prefer=self._prefer)
        self._seal(connection)


def _drafts(kind: str, given: Json, held: EditableDocument | None = None) -> dict[str, Draft]:
    """The drafts in a loaded body, by kind: one, or those of the parts of maak-klantcontact."""
    if kind != MAAK_KLANTCONTACT:
        return {kind: Draft(BY_KIND[kind], given, held)}
    return {
        part: Draft(BY_KIND[part], given[part], prefix=f"{part}.", rule_prefix=f"{part}.")
        for part in ("klantcontact", *PARTS)
        if given.get(part) is not None
    }


def _placed(draft: Draft, wrong: Iterable[tuple[str, str, str]]) -> Iterator[InvalidParam]:
    """What is wrong with a draft as a whole, by its place in the body; what is no field stays flat [139]."""
    fields = {item.name for item in draft.resource.fields}
    for name, code, reason in wrong:
        prefix = draft.prefix if name in fields else draft.rule_prefix
        yield InvalidParam(f"{prefix}{name}", code, reason)


def _refuse(wrong: Iterable[tuple[str, str, str]]) -> None:
    """Raise a 400 Problem when anything is wrong."""
    params = [InvalidParam(*param) for param in wrong]
    if params:
        raise problems.invalid(*params)


def _row(connection: Session, resource: Resource, uuid: bytes) -> int:
    found = reading.find(connection, resource.kind, uuid)
    if found is None:
        raise problems.not_found()
    return found[0]


def _judged(connection: Session, resource: Resource, uuid: bytes, base: str, judge: Judge) -> int:
    """The row of a document that is about to be written, when it is the version that the write is about."""
    row = _row(connection, resource, uuid)
    if judge is not any_version:
        judge(_answer(connection, resource, row, base))
    return row


def _answer(connection: Session, resource: Resource, row: int, base: str) -> Json:
    """The document as GET gives it, with nothing expanded."""
    return compose(connection, plan(resource.kind, ()), [editing.row(connection, row)], base, [])[0]


def _protected(relation: str) -> problems.Problem:
    """Why something that others refer to by this relation stays: as recorded [194], with the names of that server's
    own classes."""
    names = {rules.PARENT: "PartijIdentificator.sub_identificator_van"}
    field = names[relation]
    reason = (
        f"Cannot delete some instances of model '{field.split('.')[0]}' because they are referenced "
        f"through protected foreign keys: '{field}'."
    )
    return problems.invalid(InvalidParam("nonFieldErrors", "invalid", reason))
