"""Profiles: what a document has in common with many others, so that those are found and counted without reading them.

A trait is a value of which few others are used (a kanaal, a code, a flag), of the document itself or of what it is
linked with, named by the path from the document. All traits of a document are its profile. There are few profiles, and
documents hang on them by an index: the documents with a trait are those of the profiles that have it.

Triggers (schema/filters.py) note which documents are due for another profile; `settle` gives it to them at the end of
each transaction. The number of a profile is made from its traits, so it means the same in every process, also after a
rollback.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import orjson

from gateway.store.base.conditions import Compare, Condition, Hop, Subject, Where
from gateway.store.base.kinds import KIND, KINDS, LEGACY_ORIGIN, RELATION

_CODES = ("codeObjecttype", "codeRegister", "codeSoortObjectId")
_OF_PARTIJ = tuple(f"partijIdentificator.{code}" for code in _CODES)
_IDENTIFICATOR = "<partij-identificator.identificeerdePartij"
_ONDERWERP = tuple(f"onderwerpobjectidentificator.{code}" for code in _CODES)


def _named(path: str, fields: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{path}:{field}" for field in fields)


# The traits of each kind, as `name_of` names them: the path of hops, a colon, the field. Without a field: whether there
# is a document at the end of the path. With ?: whether the field is filled. With ~: what only counts of documents from
# the legacy. Each kind stands after those that it looks at.
TRAITS: dict[str, tuple[str, ...]] = {
    "categorie": _named("", ("naam",)),
    "onderwerpobject": (*_named("", _ONDERWERP), *_named("", (f"~{field}" for field in _ONDERWERP))),
    "bijlage": _named("", (f"bijlageidentificator.{code}" for code in _CODES)),
    "actor": (
        *_named("", (f"actoridentificator.{code}" for code in _CODES)),
        *_named("", ("indicatieActief", "soortActor")),
    ),
    "internetaak": _named("", ("status",)),
    "categorie-relatie": _named(">categorie-relatie.categorie", ("naam",)),
    "partij-identificator": (
        *_named("", _OF_PARTIJ),
        *_named(">partij-identificator.subIdentificatorVan", _OF_PARTIJ),
    ),
    "partij": (
        *_named("", ("soortPartij", "indicatieActief", "indicatieGeheimhouding")),
        *_named("", ("bezoekadres.land", "correspondentieadres.land")),
        *_named(_IDENTIFICATOR, _OF_PARTIJ),
        *_named(f"{_IDENTIFICATOR}>partij-identificator.subIdentificatorVan", _OF_PARTIJ),
        *_named("<categorie-relatie.partij>categorie-relatie.categorie", ("naam",)),
    ),
    "betrokkene": (
        *_named("", ("rol", "contactnaam.voorvoegselAchternaam")),
        *_named(">betrokkene.wasPartij", ("",)),
        *_named(f">betrokkene.wasPartij{_IDENTIFICATOR}", _OF_PARTIJ),
    ),
    "digitaleadres": (
        *_named("", ("isStandaardAdres", "soortDigitaalAdres", "?verificatieDatum")),
        *_named(">digitaleadres.verstrektDoorBetrokkene", ("rol",)),
        *_named(">digitaleadres.verstrektDoorPartij", ("soortPartij",)),
        *_named(f">digitaleadres.verstrektDoorPartij{_IDENTIFICATOR}", _OF_PARTIJ),
    ),
    "klantcontact": (
        *_named("", ("indicatieContactGelukt", "kanaal", "vertrouwelijk")),
        *_named("<internetaak.aanleidinggevendKlantcontact", ("",)),
        *_named("<betrokkene.hadKlantcontact>betrokkene.wasPartij", ("",)),
        *_named(f"<betrokkene.hadKlantcontact>betrokkene.wasPartij{_IDENTIFICATOR}", _OF_PARTIJ),
        *(
            name
            for relation in ("klantcontact", "wasKlantcontact")
            for sign in ("", "~")
            for name in _named(f"<onderwerpobject.{relation}", (f"{sign}{field}" for field in _ONDERWERP))
        ),
    ),
}
# At the end of which relation there is a document of which kind.
_TO: dict[str, str] = {
    "categorie-relatie.categorie": "categorie",
    "categorie-relatie.partij": "partij",
    "partij-identificator.subIdentificatorVan": "partij-identificator",
    "partij-identificator.identificeerdePartij": "partij",
    "betrokkene.wasPartij": "partij",
    "betrokkene.hadKlantcontact": "klantcontact",
    "digitaleadres.verstrektDoorBetrokkene": "betrokkene",
    "digitaleadres.verstrektDoorPartij": "partij",
    "internetaak.aanleidinggevendKlantcontact": "klantcontact",
    "onderwerpobject.klantcontact": "klantcontact",
    "onderwerpobject.wasKlantcontact": "klantcontact",
}
FILLED_AT_ONCE = 5000
# Where going through all documents begins: the place of a kind in TRAITS, and a row.
FIRST = (0, 0)
KEPT = 20_000


# What a document has in the places of its own traits.
Values = tuple[Any, ...]


class _Kind(NamedTuple):
    """How the profile of one kind is made: own traits, and the hops to what it looks at with the names taken there."""

    own: tuple[tuple[str, str], ...]  # the name, and the sign before the field
    places: tuple[tuple[str, str], ...]  # where they stand: a key of the body, and one inside that or ""
    by_origin: bool
    # By hop: what the names begin with here, by the name there; a document there counts itself by the name "".
    near: dict[Hop, dict[str, str]]


def _hop(text: str) -> tuple[Hop, str]:
    """The first hop of a name, and the rest of the name."""
    end = min(place for place in (text.find(sign, 1) for sign in "<>:") if place > 0)
    return Hop(text[1:end], back=text[0] == "<"), text[end:]


def _plan() -> dict[str, _Kind]:
    kinds = {}
    for kind, names in TRAITS.items():
        own, places, near = [], [], defaultdict[Hop, dict[str, str]](dict)
        for name in names:
            if name.startswith(":"):
                sign = name[1] if name[1] in "?~" else ""
                key, _, inner = name[1 + len(sign) :].partition(".")
                own.append((name, sign))
                places.append((key, inner))
            else:
                hop, rest = _hop(name)
                near[hop]["" if rest == ":" else rest] = name
        by_origin = any(sign == "~" for _, sign in own)
        kinds[kind] = _Kind(tuple(own), tuple(places), by_origin, dict(near))
    return kinds


PLAN = _plan()
# Who looks at a kind: by the kind, the relation and whether the one who looks is its target.
_LOOKED_AT: dict[str, list[Hop]] = defaultdict(list)
for _kind in PLAN.values():
    for _one in _kind.near:
        _LOOKED_AT[_one.relation.split(".")[0] if _one.back else _TO[_one.relation]].append(_one)
_IDS = "(SELECT value FROM json_each(?1))"
# What is known of profiles, by their number; and by what made them.
_traits: dict[int, frozenset[str]] = {}
_made: dict[tuple[str, Values, frozenset[tuple[int, int]], int | None], tuple[int, str]] = {}
_DUE = "INSERT INTO profile_due VALUES (?, 1) ON CONFLICT (document) DO UPDATE SET links = 1"
_HOPS = {RELATION[hop.relation]: hop for kind in PLAN.values() for hop in kind.near}


def make_again(connection: sqlite3.Connection) -> None:
    """Give all documents their profiles anew. Inside a transaction."""
    connection.execute("DELETE FROM profiled")
    connection.execute("DELETE FROM profile")
    last: tuple[int, int] | None = FIRST
    while last is not None:
        last = note_all(connection, last, FILLED_AT_ONCE)
        settle(connection)


def note_all(connection: sqlite3.Connection, after: tuple[int, int], most: int) -> tuple[int, int] | None:
    """Requeue the documents after a place, at most so many: they get new profiles.

    In: FIRST, or what the call before gave. Out: the place of the last one, None when there are no more. Those that
    others look at come first, so that these find their profiles.
    """
    place, last = after
    for kind in tuple(TRAITS)[place:]:
        # The plus keeps it in the order of rows: by the index of kinds all of them would be sorted for each piece.
        rows = connection.execute(
            "SELECT id FROM document WHERE +kind = ? AND id > ? ORDER BY id LIMIT ?", (KIND[kind], last, most)
        ).fetchall()
        if rows:
            connection.executemany(_DUE, rows)
            return place, rows[-1][0]
        place, last = place + 1, 0
    return None


class _Due(NamedTuple):
    """A document that is due: its origin, its body, the profile that it has, and did its links change?"""

    origin: int
    body: str
    profile: int | None
    links: int


def settle(connection: sqlite3.Connection) -> None:
    """Give the documents that are due their profiles. At the end of a transaction that wrote."""
    due: dict[str, dict[int, _Due]] = defaultdict(dict)
    _collect(connection, due, "SELECT document, links FROM profile_due", ())
    if not due:
        # Of documents that went there may be a line.
        connection.execute("DELETE FROM profile_due")
        return
    for kind in TRAITS:
        while wanting := due.pop(kind, None):
            changed = _settle(connection, kind, wanting)
            lookers = _LOOKED_AT[kind]
            # What looks at a new document is due by the link between them, unless its turn was together with this one.
            if all(hop.relation.split(".")[0] != kind or hop.back for hop in lookers):
                changed = [row for row in changed if wanting[row].profile is not None]
            if changed and lookers:
                _looking(connection, lookers, changed, due)
    connection.execute("DELETE FROM profile_due")


def _collect(
    connection: sqlite3.Connection, due: dict[str, dict[int, _Due]], which: str, values: tuple[Any, ...]
) -> None:
    for row, kind, *about in connection.execute(
        f"SELECT d.id, d.kind, d.origin, d.body, p.profile, n.links FROM ({which}) n"
        " CROSS JOIN document d ON d.id = n.document LEFT JOIN profiled p ON p.document = d.id",
        values,
    ).fetchall():
        due[KINDS[kind - 1]][row] = _Due(*about)


def _looking(
    connection: sqlite3.Connection,
    lookers: Sequence[Hop],
    changed: list[int],
    due: dict[str, dict[int, _Due]],
) -> None:
    """Note those that look at documents whose profile changed."""
    ids = orjson.dumps(changed).decode()
    for back in (False, True):
        relations = ", ".join(str(RELATION[hop.relation]) for hop in lookers if hop.back is back)
        here, there = ("source", "target") if back else ("target", "source")
        if relations:
            which = (
                f"SELECT DISTINCT {there} AS document, 1 AS links FROM link"
                f" WHERE {here} IN {_IDS} AND relation IN ({relations})"
            )
            _collect(connection, due, which, (ids,))


def _settle(connection: sqlite3.Connection, kind: str, wanting: dict[int, _Due]) -> list[int]:
    """Give documents of one kind their profiles; out: those that got another one than they had."""
    plan = PLAN[kind]
    near: dict[int, set[tuple[int, int]]] = defaultdict(set)
    anew = [row for row, one in wanting.items() if one.links or one.profile is None]
    ids = orjson.dumps(anew).decode()
    for back in (False, True):
        relations = ", ".join(str(RELATION[hop.relation]) for hop in plan.near if hop.back is back)
        if relations and anew:
            here, there = ("target", "source") if back else ("source", "target")
            for row, relation, profile in connection.execute(
                f"SELECT l.{here}, l.relation, p.profile FROM link l"
                f" CROSS JOIN profiled p ON p.document = l.{there}"
                f" WHERE l.{here} IN {_IDS} AND l.relation IN ({relations})",
                (ids,),
            ):
                near[row].add((relation, profile))
    given = {}
    for row, one in wanting.items():
        own = _own(plan, orjson.loads(one.body), one.origin)
        if one.links or one.profile is None:
            made = _made_of(connection, kind, own, frozenset(near.get(row, ())))
        else:
            made = _made_of(connection, kind, own, frozenset(), before=one.profile)
        if made[0] != one.profile:
            given[row] = made
    _give(connection, kind, given, "INSERT OR REPLACE")
    return list(given)


def _made_of(
    connection: sqlite3.Connection,
    kind: str,
    own: Values,
    around: frozenset[tuple[int, int]],
    before: int | None = None,
) -> tuple[int, str]:
    """The profile of a document: its number, and how it is written.

    In: its own traits, and the profiles that it looks at, each with the relation; or the profile before, of which the
    traits of others stay.
    """
    made = _made.get((kind, own, around, before))
    if made is None:
        traits = _own_traits(PLAN[kind], own)
        if before is not None:
            traits |= {trait for trait in _traits_of(connection, before) if not trait.startswith(":")}
        for relation, profile in around:
            traits |= _taken(connection, PLAN[kind].near[_HOPS[relation]], profile)
        made = _profile(kind, traits)
        if len(_made) >= KEPT:
            _made.clear()
        _made[kind, own, around, before] = made
    return made


def _give(connection: sqlite3.Connection, kind: str, given: dict[int, tuple[int, str]], how: str) -> None:
    """Write the profiles of documents of a kind; `how` is INSERT for those that have none."""
    connection.executemany(
        "INSERT OR IGNORE INTO profile (id, kind, traits) VALUES (?, ?, ?)",
        [(number, KIND[kind], traits) for number, traits in set(given.values())],
    )
    connection.executemany(
        f"{how} INTO profiled (document, profile) VALUES (?, ?)",
        [(row, number) for row, (number, _) in given.items()],
    )


@contextlib.contextmanager
def together(connection: sqlite3.Connection) -> Iterator[None]:
    """Documents and links that are inserted in the block are not noted: the caller passes them to `arrived`."""
    connection.execute("UPDATE profile_state SET one_by_one = 0")
    try:
        yield
    finally:
        connection.execute("UPDATE profile_state SET one_by_one = 1")


Link = tuple[int, int, int]


def arrived(
    connection: sqlite3.Connection,
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
        hop = _HOPS.get(relation)
        if hop is not None:
            looks, seen = (target, source) if hop.back else (source, target)
            if looks in new:
                near[looks].append((relation, seen))
                if seen not in new:
                    others.add(seen)
            else:
                due.add(looks)
    for source, relation, target in gone:
        hop = _HOPS.get(relation)
        if hop is not None:
            due.add(target if hop.back else source)
    known: dict[int, int] = {}
    if others:
        rows = "SELECT document, profile FROM profiled WHERE document IN (SELECT value FROM json_each(?1))"
        known = dict(connection.execute(rows, (orjson.dumps(list(others)).decode(),)).fetchall())
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
            own = _own(plan, new[row][1], origin)
            made = given[row] = _made_of(connection, kind, own, around)
            known[row] = made[0]
        if given:
            _give(connection, kind, given, "INSERT")
    connection.executemany(_DUE, [(row,) for row in due])


def _own(plan: _Kind, body: dict[str, Any], origin: int) -> Values:
    """The values of a document's own traits, in the order of the plan, and its origin where that matters."""
    found = [body.get(key) if not inner else (body.get(key) or {}).get(inner) for key, inner in plan.places]
    return (*found, origin if plan.by_origin else 0)


def _own_traits(plan: _Kind, values: Values) -> set[str]:
    """The traits that these values are."""
    *found, origin = values
    traits = set()
    for (name, sign), value in zip(plan.own, found, strict=True):
        if value is not None and value != "" and not (sign == "~" and origin != LEGACY_ORIGIN):
            traits.add(_trait(name, 1 if sign == "?" else value))
    return traits


def _trait(name: str, value: object) -> str:
    return f"{name}={int(value) if isinstance(value, bool) else value}"


def _taken(connection: sqlite3.Connection, names: dict[str, str], profile: int) -> set[str]:
    """What one that looks takes of the profile of a document there."""
    found = {_trait(names[""], 1)} if "" in names else set()
    for trait in _traits_of(connection, profile):
        name, _, value = trait.partition("=")
        if name in names:
            found.add(f"{names[name]}={value}")
    return found


def _profile(kind: str, traits: set[str]) -> tuple[int, str]:
    """The number of the profile with these traits, and how it is written."""
    text = orjson.dumps(sorted(traits)).decode()
    digest = hashlib.blake2b(f"{KIND[kind]} {text}".encode(), digest_size=8).digest()
    number = int.from_bytes(digest, "big") >> 1
    _remember(number, frozenset(traits))
    return number, text


def _remember(number: int, traits: frozenset[str]) -> None:
    if len(_traits) >= KEPT:
        _traits.clear()
    _traits[number] = traits


def _traits_of(connection: sqlite3.Connection, profile: int) -> frozenset[str]:
    known = _traits.get(profile)
    if known is None:
        (text,) = connection.execute("SELECT traits FROM profile WHERE id = ?", (profile,)).fetchone()
        known = frozenset(orjson.loads(text))
        _remember(profile, known)
    return known


def name_of(kind: str, where: Where) -> str | None:
    """The name of the trait that a condition on documents of a kind looks at; None when it is none."""
    path = "".join(f"{'<' if hop.back else '>'}{hop.relation}" for hop in where.path)
    if where.compare is Compare.PRESENT:
        name = f"{path}:" if where.subject is Subject.DOCUMENT else f"{path}:?{where.field}"
    elif where.subject is Subject.FIELD and where.compare in (
        Compare.IS,
        Compare.AMONG,
        Compare.IS_OR_DERIVED,
    ):
        name = f"{path}:{where.field}"
    else:
        return None
    return name if name in TRAITS.get(kind, ()) else None


def gather(
    connection: sqlite3.Connection, kind: str, conditions: Sequence[Condition]
) -> tuple[Condition, ...] | None:
    """The conditions with one on the profile in the place of all those that are about traits.

    None when no profile has them all: then no document meets the conditions.
    """
    others: list[Condition] = []
    asked: list[tuple[bool, frozenset[str]]] = []
    for condition in conditions:
        name = name_of(kind, condition.where)
        if name is None:
            others.append(condition)
        else:
            asked.append(_sought(name, condition))
    if not asked:
        return tuple(others)
    rows = connection.execute("SELECT id FROM profile WHERE kind = ?", (KIND[kind],)).fetchall()
    found = []
    for (profile,) in rows:
        traits = _traits_of(connection, profile)
        if all(traits.isdisjoint(any_of) is not wanted for wanted, any_of in asked):
            found.append(profile)
    if not found:
        return None
    which = Condition(Where(kind, (), Subject.PROFILE, compare=Compare.AMONG), orjson.dumps(found).decode())
    return (which, *others)


def _sought(name: str, condition: Condition) -> tuple[bool, frozenset[str]]:
    """Whether one of these traits must be there, or none of them."""
    compare, value = condition.where.compare, condition.value
    if compare is Compare.PRESENT:
        return bool(value), frozenset((_trait(name, 1),))
    if compare is Compare.IS:
        return True, frozenset((_trait(name, value),))
    values = orjson.loads(str(value))  # a list of JSON
    if compare is Compare.AMONG:
        return True, frozenset(_trait(name, one) for one in values)
    path, _, field = name.rpartition(":")
    return True, frozenset((_trait(name, values[0]), _trait(f"{path}:~{field}", values[1])))


def forget_unused(connection: sqlite3.Connection) -> int:
    """Forget the profiles that no document has; out: how many. Inside a transaction."""
    return connection.execute(
        "DELETE FROM profile WHERE NOT EXISTS (SELECT 1 FROM profiled WHERE profile = profile.id)"
    ).rowcount
