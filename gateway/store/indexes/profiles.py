"""Profiles: what a document has in common with many others, so that those are found and counted without reading them.

All traits of a document (traits.py) are its profile. There are few profiles, and documents hang on them by an index:
the documents with a trait are those of the profiles that have it.

Triggers (schema/filters.py) note which documents are due for another profile; `settle` gives it to them at the end of
each transaction.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import orjson

from gateway.store.base.conditions import Hop
from gateway.store.base.kinds import KIND, KINDS, RELATION
from gateway.store.base.session import Session
from gateway.store.indexes.profile_making import made_of
from gateway.store.indexes.traits import HOPS, LOOKED_AT, PLAN, TRAITS, own_values

FILLED_AT_ONCE = 5000
# Where going through all documents begins: the place of a kind in TRAITS, and a row.
FIRST = (0, 0)
_IDS = "(SELECT value FROM json_each(?1))"
_DUE = "INSERT INTO profile_due VALUES (?, 1) ON CONFLICT (document) DO UPDATE SET links = 1"

_ANOTHER = " ON CONFLICT (document) DO UPDATE SET profile = excluded.profile"


def make_again(connection: Session) -> None:
    """Give all documents their profiles anew. Inside a transaction."""
    connection.run("DELETE FROM profiled")
    connection.run("DELETE FROM profile")
    last: tuple[int, int] | None = FIRST
    while last is not None:
        last = note_all(connection, last, FILLED_AT_ONCE)
        settle(connection)


def note_all(connection: Session, after: tuple[int, int], most: int) -> tuple[int, int] | None:
    """Requeue the documents after a place, at most so many: they get new profiles.

    In: FIRST, or what the call before gave. Out: the place of the last one, None when there are no more. Those that
    others look at come first, so that these find their profiles.
    """
    place, last = after
    for kind in tuple(TRAITS)[place:]:
        # The plus keeps it in the order of rows: by the index of kinds all of them would be sorted for each piece.
        rows = connection.all(
            "SELECT id FROM document WHERE +kind = ? AND id > ? ORDER BY id LIMIT ?", (KIND[kind], last, most)
        )
        if rows:
            connection.many(_DUE, rows)
            return place, rows[-1][0]
        place, last = place + 1, 0
    return None


class _Due(NamedTuple):
    """A document that is due: its origin, its body, the profile that it has, and did its links change?"""

    origin: int
    body: str
    profile: int | None
    links: int


def settle(connection: Session) -> None:
    """Give the documents that are due their profiles. At the end of a transaction that wrote."""
    due: dict[str, dict[int, _Due]] = defaultdict(dict)
    _collect(connection, due, "SELECT document, links FROM profile_due", ())
    if not due:
        # Of documents that went there may be a line.
        connection.run("DELETE FROM profile_due")
        return
    for kind in TRAITS:
        while wanting := due.pop(kind, None):
            changed = _settle(connection, kind, wanting)
            lookers = LOOKED_AT[kind]
            # What looks at a new document is due by the link between them, unless its turn was together with this one.
            if all(hop.relation.split(".")[0] != kind or hop.back for hop in lookers):
                changed = [row for row in changed if wanting[row].profile is not None]
            if changed and lookers:
                _looking(connection, lookers, changed, due)
    connection.run("DELETE FROM profile_due")


def _collect(
    connection: Session, due: dict[str, dict[int, _Due]], which: str, values: tuple[Any, ...]
) -> None:
    for row, kind, *about in connection.all(
        f"SELECT d.id, d.kind, d.origin, d.body, p.profile, n.links FROM ({which}) n"
        " CROSS JOIN document d LEFT JOIN profiled p ON p.document = d.id WHERE d.id = n.document",
        values,
    ):
        due[KINDS[kind - 1]][row] = _Due(*about)


def _looking(
    connection: Session,
    lookers: Sequence[Hop],
    changed: list[int],
    due: dict[str, dict[int, _Due]],
) -> None:
    """Note those that look at documents whose profile changed."""
    for back in (False, True):
        relations = ", ".join(str(RELATION[hop.relation]) for hop in lookers if hop.back is back)
        here, there = ("source", "target") if back else ("target", "source")
        if relations:
            which = (
                f"SELECT DISTINCT {there} AS document, 1 AS links FROM link"
                f" WHERE {here} IN {_IDS} AND relation IN ({relations})"
            )
            _collect(connection, due, which, (changed,))


def _settle(connection: Session, kind: str, wanting: dict[int, _Due]) -> list[int]:
    """Give documents of one kind their profiles; out: those that got another one than they had."""
    plan = PLAN[kind]
    near: dict[int, set[tuple[int, int]]] = defaultdict(set)
    anew = [row for row, one in wanting.items() if one.links or one.profile is None]
    for back in (False, True):
        relations = ", ".join(str(RELATION[hop.relation]) for hop in plan.near if hop.back is back)
        if relations and anew:
            here, there = ("target", "source") if back else ("source", "target")
            for row, relation, profile in connection.each(
                f"SELECT l.{here}, l.relation, p.profile FROM link l"
                f" CROSS JOIN profiled p WHERE p.document = l.{there}"
                f" AND l.{here} IN {_IDS} AND l.relation IN ({relations})",
                (anew,),
            ):
                near[row].add((relation, profile))
    given = {}
    for row, one in wanting.items():
        own = own_values(plan, orjson.loads(one.body), one.origin)
        if one.links or one.profile is None:
            made = made_of(connection, kind, own, frozenset(near.get(row, ())))
        else:
            made = made_of(connection, kind, own, frozenset(), before=one.profile)
        if made[0] != one.profile:
            given[row] = made
    _give(connection, kind, given, _ANOTHER)
    return list(given)


def _give(connection: Session, kind: str, given: dict[int, tuple[int, str]], again: str = "") -> None:
    """Write the profiles of documents of a kind; `again` is _ANOTHER when some have one."""
    connection.many(
        "INSERT INTO profile (id, kind, traits) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING",
        [(number, KIND[kind], traits) for number, traits in set(given.values())],
    )
    connection.many(
        f"INSERT INTO profiled (document, profile) VALUES (?, ?){again}",
        [(row, number) for row, (number, _) in given.items()],
    )


@contextlib.contextmanager
def together(connection: Session) -> Iterator[None]:
    """Documents and links that are inserted in the block are not noted: the caller passes them to `arrived`."""
    connection.run("UPDATE profile_state SET one_by_one = 0")
    try:
        yield
    finally:
        connection.run("UPDATE profile_state SET one_by_one = 1")


Link = tuple[int, int, int]


def arrived(
    connection: Session,
    new: dict[int, tuple[str, dict[str, Any]]],
    origin: int,
    come: Iterable[Link],
    gone: Iterable[Link],
) -> None:
    """Give documents that came together their profiles, and note the others that look at them.

    In: their kinds and bodies by row, their origin, and the links (source, relation, target) that came and went.
    """
    near: dict[int, list[tuple[int, int]]] = defaultdict(list)
    due: set[int] = set()
    others: set[int] = set()
    for source, relation, target in come:
        hop = HOPS.get(relation)
        if hop is not None:
            looks, seen = (target, source) if hop.back else (source, target)
            if looks in new:
                near[looks].append((relation, seen))
                if seen not in new:
                    others.add(seen)
            else:
                due.add(looks)
    for source, relation, target in gone:
        hop = HOPS.get(relation)
        if hop is not None:
            due.add(target if hop.back else source)
    known: dict[int, int] = {}
    if others:
        rows = "SELECT document, profile FROM profiled WHERE document IN (SELECT value FROM json_each(?1))"
        known = dict(connection.all(rows, (list(others),)))
    of_kind: dict[str, list[int]] = defaultdict(list)
    for row, (kind, _) in new.items():
        of_kind[kind].append(row)
    for kind, plan in PLAN.items():
        given = {}
        for row in of_kind.get(kind, ()):
            try:
                around = frozenset([(relation, known[seen]) for relation, seen in near.get(row, ())])
            except KeyError:
                due.add(row)  # it looks at one that has none yet
                continue
            own = own_values(plan, new[row][1], origin)
            made = given[row] = made_of(connection, kind, own, around)
            known[row] = made[0]
        if given:
            _give(connection, kind, given)
    connection.many(_DUE, [(row,) for row in due])


def forget_unused(connection: Session) -> int:
    """Forget the profiles that no document has; out: how many. Inside a transaction."""
    return connection.run(
        "DELETE FROM profile WHERE NOT EXISTS (SELECT 1 FROM profiled WHERE profile = profile.id)"
    )
