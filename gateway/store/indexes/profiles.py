"""Profiles: what a document has in common with many others, so that those are found and counted without reading them.

All traits of a document (traits.py) are its profile. There are few profiles, and documents hang on them by an index:
the documents with a trait are those of the profiles that have it.

Who writes documents notes which of them are due for another profile (base/changes.py); `settle` gives it to them at
the end of each transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
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
_ANOTHER = " ON CONFLICT (document) DO UPDATE SET profile = excluded.profile"


def make_some(connection: Session, place: list[int]) -> list[int] | None:
    """Give some of the documents their profiles anew. Inside a transaction.

    In: the place of the last that was seen to, [] to begin. Out: the same, None when there are no more.
    """
    if not place:
        connection.run("DELETE FROM profiled")
        connection.run("DELETE FROM profile")
    first, row = place or FIRST
    after = note_all(connection, (first, row), FILLED_AT_ONCE)
    settle(connection)
    return None if after is None else list(after)


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
            connection.changes.due.update((row, 1) for (row,) in rows)
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
    noted = connection.changes.due
    if not noted:
        return
    due: dict[str, dict[int, _Due]] = defaultdict(dict)
    _collect(connection, due, noted)
    noted.clear()
    for kind in TRAITS:
        while wanting := due.pop(kind, None):
            changed = _settle(connection, kind, wanting)
            lookers = LOOKED_AT[kind]
            # What looks at a new document is due by the link between them, unless its turn was together with this one.
            if all(hop.relation.split(".")[0] != kind or hop.back for hop in lookers):
                changed = [row for row in changed if wanting[row].profile is not None]
            if changed and lookers:
                _looking(connection, lookers, changed, due)


def _collect(connection: Session, due: dict[str, dict[int, _Due]], noted: Mapping[int, int]) -> None:
    for row, kind, origin, body, profile in connection.all(
        "SELECT d.id, d.kind, d.origin, d.body, p.profile"
        f" FROM document d LEFT JOIN profiled p ON p.document = d.id WHERE d.id IN {_IDS}",
        (list(noted),),
    ):
        due[KINDS[kind - 1]][row] = _Due(origin, body, profile, noted[row])


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
            looking = connection.all(
                f"SELECT DISTINCT {there} FROM link WHERE {here} IN {_IDS} AND relation IN ({relations})",
                (changed,),
            )
            if looking:
                _collect(connection, due, dict.fromkeys((row for (row,) in looking), 1))


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
    connection.changes.due.update(dict.fromkeys(due, 1))


def stray(connection: Session, most: int) -> list[int]:
    """Some of the documents (rows) that have a profile and are not there: they were lost, for who removes one sees to
    that."""
    rows = connection.all(
        "SELECT document FROM profiled p WHERE NOT EXISTS (SELECT 1 FROM document WHERE id = p.document) LIMIT ?",
        (most,),
    )
    return [row for (row,) in rows]


def forget(connection: Session, rows: Iterable[int]) -> None:
    """These documents (rows) have no profile any more."""
    connection.many("DELETE FROM profiled WHERE document = ?", [(row,) for row in rows])


def forget_unused(connection: Session) -> int:
    """Forget the profiles that no document has; out: how many. Inside a transaction."""
    return connection.run(
        "DELETE FROM profile WHERE NOT EXISTS (SELECT 1 FROM profiled WHERE profile = profile.id)"
    )
