"""All SQL of the read side: one document, a page of a list, and the links around documents.

Call inside `Store.read()`, so that several questions see one state. Rows are plain tuples: on the hot path a
class for each row costs as much as reading it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from gateway.store.base.conditions import Compare, Condition, Subject, Value, Where
from gateway.store.base.kinds import KIND, LOCAL_ORIGIN, ORDERED, RELATIONS
from gateway.store.base.searched_fields import kept_value
from gateway.store.base.session import Session
from gateway.store.documents.selecting import BY_INDEX, NO_INDEX, search, selection, start_of, trials
from gateway.store.indexes import profile_questions, spans

# A stored document: row id, uuid (16 bytes), body (JSON text).
Row = tuple[int, bytes, str]
# One side of a link: the row id it was followed from, relation, then the row id, uuid, body (None unless asked for)
# and creation (or place in an order) of the document at its other side, and which of the three sides this is. A page of
# a list has hundreds: as NamedTuples they make composing it 2 to 8 % slower, so these places name what they hold.
Linked = tuple[int, int, int, bytes, str | None, int, int]
START: Final = 0
LINK: Final = 1
OTHER: Final = 2
UUID: Final = 3
BODY: Final = 4
ORDER: Final = 5
SIDE: Final = 6
NEAR, FAR, FURTHER = range(3)

STATEMENTS_KEPT = 1024
FEW = 8
NEWEST_FIRST = "ORDER BY d.moment DESC, d.created DESC, d.uuid DESC"
OLDEST_FIRST = "ORDER BY d.moment, d.created, d.uuid"
# So many found documents are sorted; more are walked to in the order of the list, as far as that is not more work.
SORTED = 20_000
# Of what one value names, such as all that an actor did, so many are looked at before they are counted.
OF_ONE = 5000


class DocumentPage(NamedTuple):
    """One page of a list: how many documents there are in all, the page's number, and its rows."""

    total: int
    number: int
    rows: list[Row]


def find(connection: Session, kind: str, uuid: bytes) -> Row | None:
    """The document of this kind with this uuid, or the one that this uuid resolves to (M6)."""
    own = "SELECT id, uuid, body FROM document WHERE uuid = ? AND +kind = ?"
    row: Row | None = connection.one(own, (uuid, KIND[kind]))
    if row is None:
        other = (
            "SELECT d.id, d.uuid, d.body FROM alias a JOIN document d ON d.id = a.document"
            " WHERE a.uuid = ? AND d.kind = ?"
        )
        row = connection.one(other, (uuid, KIND[kind]))
    return row


def resolved(connection: Session, uuid: bytes) -> bytes | None:
    """The uuid of the document that another uuid of it leads to (M6); None when it leads to none."""
    row = connection.one(
        "SELECT d.uuid FROM alias a JOIN document d ON d.id = a.document WHERE a.uuid = ?", (uuid,)
    )
    return row[0] if row else None


def page(
    connection: Session,
    kind: str,
    conditions: Sequence[Condition],
    number: int | None,
    size: int,
) -> DocumentPage | None:
    """One page of the documents of a kind that meet every condition, newest first (M42).

    In: the page's number from 1, or None for the last one; the size of a page. Out: None when there is no
    such page. The first page of an empty list exists.
    """
    if number is not None and number < 1:
        return None
    if not conditions:
        return _page_of_all(connection, KIND[kind], number, size)
    asked = _asked(connection, kind, conditions)
    if asked is None:
        return DocumentPage(0, 1, []) if number in (None, 1) else None
    if number == 1:
        return _first_page(connection, asked, size)
    count = _count(connection, asked)
    place = _place(count, number, size)
    if place is None:
        return None
    number, start, length, after = place
    if after < start:  # nearer to the end: walk from there
        rows = _rows(connection, asked, OLDEST_FIRST, length, after)[::-1]
    else:
        rows = _rows(connection, asked, NEWEST_FIRST, length, start)
    return DocumentPage(count, number, rows)


class DocumentQuery(NamedTuple):
    """A question: the kind listed, its conditions, and where the search starts."""

    kind: str
    wheres: tuple[Where, ...]
    values: list[Value]
    start: int | None
    rank: int


def _asked(connection: Session, kind: str, conditions: Sequence[Condition]) -> DocumentQuery | None:
    """The question that these conditions make; None when nothing can meet them."""
    rank, start = start_of(conditions)
    if rank > BY_INDEX:
        # What many documents share is asked by their profiles, all at once.
        gathered = profile_questions.gather(connection, kind, conditions)
        if gathered is None:
            return None
        conditions = gathered
        rank, start = start_of(conditions)
    wheres = tuple(condition.where for condition in conditions)
    values = [_compared(condition) for condition in conditions]
    if rank == BY_INDEX and start is not None and isinstance(sought := values[start], str):
        values[start] = kept_value(sought)
    return DocumentQuery(kind, wheres, values, start, rank)


def _compared(condition: Condition) -> Value:
    """The value of a condition as it is compared: a flag in a body is true or false, and no number everywhere."""
    where, value = condition
    flag = isinstance(value, int) and where.subject is Subject.FIELD and where.compare is Compare.IS
    return bool(value) if flag else value


def _first_page(connection: Session, asked: DocumentQuery, size: int) -> DocumentPage:
    # One row more than asked shows whether counting is needed at all.
    most = size + 1
    if asked.rank == NO_INDEX:
        rows = _rows(connection, asked, NEWEST_FIRST, most, 0)
        return DocumentPage(len(rows) if len(rows) < most else _count(connection, asked), 1, rows[:size])
    alone = len(asked.wheres) == 1
    if asked.rank <= BY_INDEX:
        rows = connection.all(_of_one(*asked[:2], asked.start, alone), (*asked.values, most))
        if len(rows) < most:
            return DocumentPage(len(rows), 1, rows)
        count = _count(connection, asked)
        if alone and count > OF_ONE:
            rows = _newest(connection, asked, count, most)
        return DocumentPage(count, 1, rows[:size])
    found = _found(connection, asked)
    if not found:
        return DocumentPage(0, 1, [])
    rows = _newest(connection, asked, found, most)
    if len(rows) < most:
        return DocumentPage(len(rows), 1, rows)
    return DocumentPage(found if alone else _count(connection, asked), 1, rows[:size])


def _newest(connection: Session, asked: DocumentQuery, found: int, most: int) -> list[Row]:
    """The newest documents of a question whose start finds so many."""
    if found <= SORTED:
        return _rows(connection, asked, NEWEST_FIRST, most, 0)
    # Looking at one in the order of the list costs about as much as finding and sorting one.
    bound, _ = spans.from_newest(connection, KIND[asked.kind], found)
    values = (*asked.values, *(bound or spans.BEFORE_ALL), most)
    rows = connection.all(_walk(asked.kind, asked.wheres), values)
    if len(rows) == most:
        return rows
    return _rows(connection, asked, NEWEST_FIRST, most, 0)


@lru_cache(maxsize=STATEMENTS_KEPT)
def _walk(kind: str, wheres: tuple[Where, ...]) -> str:
    """The statement for the newest rows, not older than a bound; its last parameters are that, and how many."""
    bound = ", ".join(f"?{len(wheres) + n}" for n in (1, 2, 3))
    return (
        f"SELECT d.id, d.uuid, d.body FROM document d WHERE {trials(kind, wheres)}"
        f" AND (d.moment, d.created, d.uuid) >= ({bound}) {NEWEST_FIRST} LIMIT ?{len(wheres) + 4}"
    )


@lru_cache(maxsize=STATEMENTS_KEPT)
def _of_one(kind: str, wheres: tuple[Where, ...], start: int, alone: bool) -> str:
    """The statement for the newest rows of what one value names, of the first OF_ONE when it is asked alone.

    Its last parameter is how many.
    """
    chosen = selection(kind, wheres, start)
    if alone and _names_many(wheres[start]):
        sought = search(wheres[start], start + 1)
        chosen = chosen.replace(f"({sought})", f"({sought} LIMIT {OF_ONE})", 1)
    return f"SELECT d.id, d.uuid, d.body {chosen} {NEWEST_FIRST} LIMIT ?{len(wheres) + 1}"


def wrote_any(connection: Session, kind: str, conditions: Sequence[Condition]) -> bool:
    """Did a client write, or change, one of the documents of a kind that meet these conditions?"""
    asked = _asked(connection, kind, conditions)
    if asked is None:
        return False
    written = (
        f"(d.origin = {LOCAL_ORIGIN} OR EXISTS (SELECT 1 FROM local WHERE uuid = d.uuid)"
        " OR EXISTS (SELECT 1 FROM adopted WHERE own = d.uuid))"
    )
    statement = f"SELECT EXISTS (SELECT 1 {selection(kind, asked.wheres, asked.start)} AND {written})"
    return bool(connection.one(statement, asked.values)[0])


def _place(count: int, number: int | None, size: int) -> tuple[int, int, int, int] | None:
    """Where a page stands: its number, and how many documents come before it, are on it, and come after."""
    last = max(1, -(-count // size))
    if number is None:
        number = last
    elif number > last:
        return None
    start = (number - 1) * size
    length = min(size, count - start)
    return number, start, length, count - start - length


# A page of all documents of a kind (?1), each row with how many there are: the first, the last, and the one (of ?3
# documents) that ?2 newer ones precede.
_OF_ALL = f"SELECT d.id, d.uuid, d.body, {spans.COUNT} FROM document d WHERE d.kind = ?1"
FIRST_OF_ALL = f"{_OF_ALL} {NEWEST_FIRST} LIMIT ?2"
LAST_OF_ALL = (
    f"WITH counted AS MATERIALIZED (SELECT {spans.COUNT} AS total)"
    " SELECT d.id, d.uuid, d.body, (SELECT total FROM counted) FROM document d WHERE d.kind = ?1"
    f" {OLDEST_FIRST} LIMIT ((SELECT total FROM counted) + ?2 - 1) % ?2 + 1"
)
DEEP_OF_ALL = (
    f"WITH place AS MATERIALIZED ({spans.FROM_NEWEST}) {_OF_ALL}"
    " AND (d.moment, d.created, d.uuid) < (SELECT moment, created, uuid FROM place)"
    f" {NEWEST_FIRST} LIMIT ?3 OFFSET coalesce((SELECT skip FROM place), 0)"
)


def _page_of_all(connection: Session, kind: int, number: int | None, size: int) -> DocumentPage | None:
    """One page of all documents of a kind: counted and found by its spans, not by walking."""
    if number is None or number == 1:
        spans.settle(connection)
        found = connection.all(LAST_OF_ALL if number is None else FIRST_OF_ALL, (kind, size))
        count = found[0][3] if found else 0
        rows = [row[:3] for row in found]
        return DocumentPage(count, number or max(1, -(-count // size)), rows if number else rows[::-1])
    if not connection.dialect.is_a_file:  # there each trip costs more than the walk over all spans
        spans.settle(connection)
        found = connection.all(DEEP_OF_ALL, (kind, (number - 1) * size, size))
        return DocumentPage(found[0][3], number, [row[:3] for row in found]) if found else None
    count = spans.count(connection, kind)
    place = _place(count, number, size)
    if place is None:
        return None
    number, start, length, after = place
    bound: spans.Bound | None
    if from_end := after < start:
        bound, skip = spans.from_oldest(connection, kind, after)
        order, test = OLDEST_FIRST, ">="
    else:
        bound, skip = spans.from_newest(connection, kind, start)
        order, test = NEWEST_FIRST, "<"
    within = f"AND (d.moment, d.created, d.uuid) {test} (?, ?, ?)" if bound else ""
    rows = connection.all(
        f"SELECT d.id, d.uuid, d.body FROM document d WHERE d.kind = ? {within} {order} LIMIT ? OFFSET ?",
        (kind, *(bound or ()), length, skip),
    )
    return DocumentPage(count, number, rows[::-1] if from_end else rows)


class Surroundings:
    """What to ask around documents of one kind, in one statement."""

    def __init__(self, statement: str) -> None:
        # For a few documents the numbers are parameters: unpacking them from a list costs more than they do.
        self.few = [
            statement.format(asked=f"IN ({', '.join(f'?{n}' for n in range(1, count + 1))})")
            for count in range(FEW + 1)
        ]
        self.many = statement.format(asked="IN (SELECT value FROM json_each(?1))")


def surroundings(
    *,
    refers: bool,
    whole_targets: Collection[int] = (),
    sources: Collection[int] = (),
    whole_sources: Collection[int] = (),
    further_from: Collection[int] = (),
    further_whole: Collection[int] = (),
) -> Surroundings | None:
    """Prepare what `around` asks; None for nothing. Relations are given by number.

    In: whether to ask what the documents refer to (near), what refers to them by the relations in `sources` (far),
    and what that refers to, when it refers to them by the relations in `further_from`. Bodies come along for what
    is linked by the relations in `whole_targets`, `whole_sources` and `further_whole`. Raises ValueError when a
    document could refer to several by those in `further_from`.
    """
    parts = []
    if refers:
        # In the place of the age the place in an order, where a document refers to several in one.
        age = "coalesce(l.place, d.created)"
        parts.append(_links(NEAR, "source", "target", "", "l.source {asked}", whole_targets, age))
    if sources:
        which = f"l.target {{asked}} AND {_among('l.relation', sources)}"
        parts.append(_links(FAR, "target", "source", "", which, whole_sources))
    if further_from:
        _must_refer_once(further_from)
        which = f"h.target {{asked}} AND {_among('h.relation', further_from)} AND l.source = h.source"
        parts.append(_links(FURTHER, "source", "target", "link h CROSS JOIN ", which, further_whole))
    if not parts:
        return None
    return Surroundings(" UNION ALL ".join(parts))


def around(connection: Session, asked: Surroundings, ids: list[int]) -> list[Linked]:
    """The links around these documents, in no order."""
    if len(ids) <= FEW:
        return connection.all(asked.few[len(ids)], ids)
    return connection.all(asked.many, (ids,))


def _links(
    side: int, near: str, far: str, by: str, which: str, whole: Collection[int], age: str = "d.created"
) -> str:
    """A query that follows links from documents at the `near` column to those at the `far` one; `by` comes first."""
    body = f"CASE WHEN {_either('l.relation', whole)} THEN d.body END" if whole else "NULL"
    return (
        f"SELECT l.{near}, l.relation, d.id, d.uuid, {body}, {age}, {side}"
        f" FROM {by}link l CROSS JOIN document d WHERE d.id = l.{far} AND {which}"
    )


def _among(column: str, relations: Collection[int]) -> str:
    """One walk over a stretch of relations: cheaper than a search for each, and little lies in between."""
    first, last = min(relations), max(relations)
    if last - first + 1 == len(relations):
        return f"{column} BETWEEN {first} AND {last}"
    return f"{column} BETWEEN {first} AND {last} AND ({_either(column, relations)})"


def _either(column: str, relations: Collection[int]) -> str:
    """Not IN: of a list of more than two SQLite makes a table, for each question."""
    return " OR ".join(f"+{column} = {relation}" for relation in sorted(relations))


def _must_refer_once(relations: Collection[int]) -> None:
    """What refers to some documents is followed from each of them: who referred to two would be followed twice."""
    names = {RELATIONS[number - 1] for number in relations}
    if len({name.partition(".")[0] for name in names}) < len(names) or names & ORDERED:
        raise ValueError("by these relations a document can refer to several")


def _rows(connection: Session, asked: DocumentQuery, order: str, limit: int, offset: int) -> list[Row]:
    statement = _listing(asked.kind, asked.wheres, asked.start, order)
    return connection.all(statement, (*asked.values, limit, offset))


@lru_cache(maxsize=STATEMENTS_KEPT)
def _listing(kind: str, wheres: tuple[Where, ...], start: int | None, order: str) -> str:
    """The statement for rows of a list; its last two parameters are how many, and how many to skip."""
    limit, offset = len(wheres) + 1, len(wheres) + 2
    chosen = selection(kind, wheres, start)
    return f"SELECT d.id, d.uuid, d.body {chosen} {order} LIMIT ?{limit} OFFSET ?{offset}"


def _count(connection: Session, asked: DocumentQuery) -> int:
    if len(asked.wheres) == 1 and asked.start is not None and _names_many(asked.wheres[0]):
        return _found(connection, asked)
    count: int = connection.one(_counting(*asked[:2], asked.start), asked.values)[0]
    return count


@lru_cache(maxsize=STATEMENTS_KEPT)
def _counting(kind: str, wheres: tuple[Where, ...], start: int | None) -> str:
    return f"SELECT count(*) {selection(kind, wheres, start)}"


def _names_many(where: Where) -> bool:
    """Can many documents meet this, and are they all of the kind listed?"""
    return bool(where.path) or where.subject is not Subject.DOCUMENT


def _found(connection: Session, asked: DocumentQuery) -> int:
    """How many documents the start of a question finds."""
    start = asked.start or 0
    statement = f"SELECT count(*) FROM ({search(asked.wheres[start], 1)}) found"
    count: int = connection.one(statement, (asked.values[start],))[0]
    return count
