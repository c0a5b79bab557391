"""The pairs of our uuids and those of the register that we leave to (E2), and what became of each document.

A document is noted as SENDING, on the disk, before it is sent; so after a kill it is known what may have arrived.
Functions that change something go inside `Store.write()`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from gateway.store.base.bound_lists import in_parts
from gateway.store.base.kinds import KIND, KINDS
from gateway.store.base.sampling import at_places
from gateway.store.base.session import Session

# On its way; answered; found after no answer came; there already before us (E4); refused (E5).
SENDING, SENT, FOUND, TAKEN, PARKED = range(1, 6)
STATES = {SENDING: "sending", SENT: "sent", FOUND: "found", TAKEN: "taken", PARKED: "parked"}
# Facts of the store: whether changes go by themselves, the phase of the installation, since when clients wrote there,
# whether documents that have our own uuids there are being paired.
FOLLOW, PHASE, EXPORTED, WROTE = "export follow", "phase", "exported", "exported wrote"
PAIRING = "export pairing"


class Pair(NamedTuple):
    """What is known of one document at the register; moments in microseconds UTC."""

    own: bytes
    kind: str
    theirs: bytes | None
    state: int
    turn: int
    moment: int
    digest: bytes | None
    preferred: bytes | None
    sent: str | None
    cause: str
    kept: str
    marks: bytes | None = None
    marks_there: bytes | None = None
    overwritten: str = ""


_COLUMNS = ", ".join(Pair._fields)


class ExportState(NamedTuple):
    """Are changes noted, the number of the last lot, and the address of the register."""

    noting: bool
    turn: int
    target: str


class Intent(NamedTuple):
    """A document that is about to be sent: its uuid, kind, what is sent as JSON text, and the digest of that."""

    own: bytes
    kind: str
    sent: str
    digest: bytes


class Arrival(NamedTuple):
    """A document that is at the register: as in Pair."""

    own: bytes
    kind: str
    theirs: bytes
    state: int
    digest: bytes | None
    kept: str = ""
    marks: bytes | None = None
    marks_there: bytes | None = None
    overwritten: str = ""


def state(connection: Session) -> ExportState:
    """How the export stands."""
    noting, turn, target = connection.one("SELECT noting, turn, target FROM export_state")
    return ExportState(bool(noting), turn, target)


def begin(connection: Session, target: str, others: int) -> None:
    """From now on changes of documents are noted, for this register, which had so many objects before us."""
    connection.run(
        "UPDATE export_state SET target = ?, others = ? WHERE target <> ?",
        (target, others, target),
    )
    connection.run("UPDATE export_state SET noting = 1")


def others_are(connection: Session, others: int) -> None:
    """So many objects of the register are not ours."""
    connection.run("UPDATE export_state SET others = ?", (others,))


def forget(connection: Session) -> None:
    """Forget all that is known of the register: nothing of it is asked or changed."""
    for table in ("export_pair", "export_due", "export_report"):
        connection.run(f"DELETE FROM {table}")
    connection.run("UPDATE export_state SET noting = 0, turn = 0, target = '', others = 0")


def next_turn(connection: Session, more: int = 1) -> int:
    """The number of a new lot."""
    row = connection.one("UPDATE export_state SET turn = turn + ? RETURNING turn", (more,))
    return int(row[0])


def intend(connection: Session, intents: Iterable[Intent], turn: int, moment: int) -> None:
    """Note that these are about to be sent, in a transaction that is on the disk before they are."""
    connection.many(
        "INSERT INTO export_pair (own, kind, state, turn, moment, digest, sent) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (own) DO UPDATE SET state = excluded.state, turn = excluded.turn, moment = excluded.moment,"
        " digest = excluded.digest, sent = excluded.sent, cause = ''",
        [(one.own, KIND[one.kind], SENDING, turn, moment, one.digest, one.sent) for one in intents],
    )


def arrived(connection: Session, arrivals: Iterable[Arrival], moment: int) -> None:
    """Note that these are at the register, under those uuids. Raises StoreFailed for one named twice."""
    connection.many(
        "INSERT INTO export_pair"
        " (own, kind, theirs, state, turn, moment, digest, kept, marks, marks_there, overwritten)"
        " VALUES (?, ?, ?, ?, (SELECT turn FROM export_state), ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (own) DO UPDATE SET theirs = excluded.theirs, state = excluded.state, digest = excluded.digest,"
        " kept = excluded.kept, marks = excluded.marks, marks_there = excluded.marks_there,"
        " overwritten = excluded.overwritten, sent = NULL, cause = ''",
        [
            (
                a.own,
                KIND[a.kind],
                a.theirs,
                a.state,
                moment,
                a.digest,
                a.kept,
                a.marks,
                a.marks_there,
                a.overwritten,
            )
            for a in arrivals
        ],
    )


def to_send(connection: Session, changed: Iterable[tuple[bytes, str]]) -> None:
    """These documents (uuid and kind) are not at the register as they are here."""
    connection.many(
        "INSERT INTO export_due (uuid, kind) VALUES (?, ?) ON CONFLICT (uuid) DO NOTHING",
        [(own, KIND[kind]) for own, kind in changed],
    )


def park(connection: Session, own: bytes, kind: str, cause: str, digest: bytes | None, moment: int) -> None:
    """The register refuses it: it is not sent again until it changes, or somebody asks for it (E5)."""
    connection.run(
        "INSERT INTO export_pair (own, kind, state, turn, moment, digest, cause)"
        " VALUES (?, ?, ?, (SELECT turn FROM export_state), ?, ?, ?)"
        " ON CONFLICT (own) DO UPDATE SET state = excluded.state, moment = excluded.moment, digest = excluded.digest,"
        " cause = excluded.cause, sent = NULL",
        (own, KIND[kind], PARKED, moment, digest, cause),
    )


def changed(connection: Session, own: bytes, digest: bytes, marks: bytes, marks_there: bytes) -> None:
    """What was sent has this digest and these marks now, and what the register shows instead those."""
    connection.run(
        "UPDATE export_pair SET digest = ?, marks = ?, marks_there = ?, cause = '' WHERE own = ?",
        (digest, marks, marks_there, own),
    )


def overwrote(connection: Session, own: bytes, fields: Iterable[str]) -> None:
    """These fields were changed on both sides, and the register got our value."""
    connection.run(
        "UPDATE export_pair SET overwritten = ? WHERE own = ?", (", ".join(dict.fromkeys(fields)), own)
    )


def complain(connection: Session, own: bytes, cause: str) -> None:
    """The register refuses a change of what it has."""
    connection.run("UPDATE export_pair SET cause = ? WHERE own = ?", (cause, own))


def preferred(connection: Session, own: bytes, digest: bytes) -> None:
    """What this partij prefers was sent."""
    connection.run("UPDATE export_pair SET preferred = ? WHERE own = ?", (digest, own))


def keep(connection: Session, own: bytes, fields: Iterable[str]) -> None:
    """In these fields the register keeps its own value."""
    connection.run("UPDATE export_pair SET kept = ? WHERE own = ?", (", ".join(dict.fromkeys(fields)), own))


def remove(connection: Session, owns: Iterable[bytes]) -> None:
    """These are at the register no more, or never came there."""
    connection.many("DELETE FROM export_pair WHERE own = ?", [(own,) for own in owns])


def retry_parked(connection: Session) -> int:
    """Let everything that is parked be sent again; out: how many."""
    connection.run("UPDATE export_pair SET cause = '' WHERE state <> ? AND cause <> ''", (PARKED,))
    return connection.run("DELETE FROM export_pair WHERE state = ?", (PARKED,))


def of_own(connection: Session, owns: Iterable[bytes]) -> dict[bytes, Pair]:
    """What is known of these documents, by uuid."""
    return _by("own", connection, owns)


def of_theirs(connection: Session, theirs: Iterable[bytes]) -> dict[bytes, Pair]:
    """Which of these uuids of the register belong to documents of ours, by that uuid."""
    return _by("theirs", connection, theirs)


def _by(column: str, connection: Session, uuids: Iterable[bytes]) -> dict[bytes, Pair]:
    found: dict[bytes, Pair] = {}
    place = _COLUMNS.split(", ").index(column)
    for marks, part in in_parts(uuids):
        for row in connection.all(f"SELECT {_COLUMNS} FROM export_pair WHERE {column} IN ({marks})", part):
            found[row[place]] = _pair(row)
    return found


def _pair(row: Sequence[Any]) -> Pair:
    return Pair(row[0], KINDS[row[1] - 1], *row[2:])


def in_state(connection: Session, wanted: int, kind: str | None = None) -> list[Pair]:
    """The documents in a state, of a kind or of all, in the order in which they went."""
    of_kind = "" if kind is None else f"AND kind = {KIND[kind]}"
    rows = connection.all(
        f"SELECT {_COLUMNS} FROM export_pair WHERE state = ? {of_kind} ORDER BY turn, own", (wanted,)
    )
    return [_pair(row) for row in rows]


def told(connection: Session, most: int) -> list[Pair]:
    """Up to so many documents of which there is something to tell: parked, refused a change, values kept or lost."""
    rows = connection.all(
        f"SELECT {_COLUMNS} FROM export_pair WHERE cause <> '' OR kept <> '' OR overwritten <> ''"
        " ORDER BY kind, own LIMIT ?",
        (most,),
    )
    return [_pair(row) for row in rows]


def counts(connection: Session) -> dict[str, dict[str, int]]:
    """Per kind how many documents are in which state."""
    found: dict[str, dict[str, int]] = {}
    rows = connection.all("SELECT kind, state, count(*) FROM export_pair GROUP BY kind, state")
    for kind, number, count in rows:
        found.setdefault(KINDS[kind - 1], {})[STATES[number]] = count
    return found


def summary(connection: Session) -> dict[str, Any] | None:
    """For the status: which register, does it follow or did it take over, what waits, what is parked; None before."""
    known = state(connection)
    if not known.target:
        return None
    facts = dict(connection.all("SELECT name, value FROM meta WHERE name IN (?, ?)", (FOLLOW, PHASE)))
    numbers = ", ".join(map(str, KIND.values()))  # so that the index is used
    parked = connection.one(
        f"SELECT count(*) FROM export_pair WHERE kind IN ({numbers}) AND state = ?", (PARKED,)
    )
    return {
        "register": known.target,
        "following": known.noting and facts.get(FOLLOW) == "on",
        "exported": facts.get(PHASE) == EXPORTED,
        "waiting": connection.one("SELECT count(*) FROM export_due")[0],
        "parked": parked[0],
    }


def causes(connection: Session) -> list[tuple[str, bool, str, int]]:
    """Why documents are parked or a change was refused: kind, is it parked, cause, how many."""
    rows = connection.all(
        "SELECT kind, state = ?1, cause, count(*) FROM export_pair WHERE cause <> ''"
        " GROUP BY kind, state = ?1, cause ORDER BY kind, cause",
        (PARKED,),
    )
    return [(KINDS[kind - 1], bool(parked), cause, count) for kind, parked, cause, count in rows]


def kept_fields(connection: Session) -> list[tuple[str, str, int]]:
    """In which fields the register keeps its own values: kind, fields, how many documents."""
    return _fields("kept", connection)


def overwritten_fields(connection: Session) -> list[tuple[str, str, int]]:
    """In which fields a value of the register gave way to ours: kind, fields, how many documents."""
    return _fields("overwritten", connection)


def _fields(column: str, connection: Session) -> list[tuple[str, str, int]]:
    rows = connection.all(
        f"SELECT kind, {column}, count(*) FROM export_pair WHERE {column} <> ''"
        f" GROUP BY kind, {column} ORDER BY kind, {column}"
    )
    return [(KINDS[kind - 1], fields, count) for kind, fields, count in rows]


def moved(connection: Session, target: str) -> None:
    """The register has another address now; what is known of it stays."""
    connection.run("UPDATE export_state SET target = ?", (target,))


def each(connection: Session, most: int = 1000) -> Iterator[Pair]:
    """Every document that is at the register, by kind and uuid; a few in memory at a time."""
    for kind in KINDS:
        after = b""
        while True:
            rows = connection.all(
                f"SELECT {_COLUMNS} FROM export_pair WHERE kind = ? AND own > ? AND theirs IS NOT NULL"
                " ORDER BY own LIMIT ?",
                (KIND[kind], after, most),
            )
            yield from map(_pair, rows)
            if len(rows) < most:
                break
            after = rows[-1][0]


def count_there(connection: Session) -> int:
    """How many documents are at the register."""
    found: int = connection.one("SELECT count(*) FROM export_pair WHERE theirs IS NOT NULL")[0]
    return found


def there_at(connection: Session, places: Iterable[int]) -> list[bytes]:
    """The documents at the register that have these places (from 0, rising) among them, in the order of uuids."""
    rows = connection.each("SELECT own FROM export_pair WHERE theirs IS NOT NULL ORDER BY own")
    return [own for (own,) in at_places(rows, places)]


def alone_there(connection: Session) -> bool:
    """Was the register empty when the export began, so that what is not ours does not belong there?"""
    return not connection.one("SELECT others FROM export_state")[0]


def mark_seen(connection: Session, owns: Iterable[bytes], number: int) -> None:
    """A verify saw these at the register."""
    connection.many("UPDATE export_pair SET seen = ? WHERE own = ?", [(number, own) for own in owns])


def not_seen(connection: Session, kind: str, number: int, after: bytes, most: int) -> list[Pair]:
    """Up to `most` documents of a kind that should be at the register and that a verify did not see, by uuid."""
    rows = connection.all(
        f"SELECT {_COLUMNS} FROM export_pair WHERE kind = ? AND theirs IS NOT NULL AND seen <> ? AND own > ?"
        " ORDER BY own LIMIT ?",
        (KIND[kind], number, after, most),
    )
    return [_pair(row) for row in rows]


def put_report(connection: Session, report: Mapping[str, Any]) -> int:
    """Keep the report of a verify; out: its number."""
    row = connection.one(
        "INSERT INTO export_report (began, ended, mode, clean, report) VALUES (?, ?, ?, ?, ?) RETURNING id",
        (
            report["began"],
            report["ended"],
            report["mode"],
            int(report["clean"]),
            orjson.dumps(dict(report)).decode(),
        ),
    )
    return int(row[0])


def last_report(connection: Session, *, whole: bool = False) -> dict[str, Any] | None:
    """The last report, `whole` of one that read everything; None when there is none."""
    row = connection.one(
        "SELECT id, report FROM export_report WHERE mode = 'full' OR ? ORDER BY id DESC LIMIT 1",
        (not whole,),
    )
    return orjson.loads(row[1]) | {"id": row[0]} if row else None
