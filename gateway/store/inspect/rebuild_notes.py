"""What became of documents in a rebuild: the same, changed, new or gone.

Of each document that a rebuild touches, a digest of how it was is kept until the end, whatever happens to it in
between: so a rebuild that was killed and gone on with counts the same as one that was not. Writes go inside
`Store.write()`.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

import orjson

from gateway.store.base.bound_lists import IN_IDS, id_list, in_parts
from gateway.store.base.changes import Named
from gateway.store.base.kinds import KINDS, LEGACY_ORIGIN
from gateway.store.base.session import Session

SAME, CHANGED, NEW, GONE = "same", "changed", "new", "gone"
NOTES_AT_ONCE = 5000

# A document as it was, or is: its kind (a number), and a digest of what of it is served.
Served = tuple[int, bytes]


class Notes:
    """Notes under a run how documents were before they are touched: a Watcher."""

    def __init__(self, run: int) -> None:
        self._run = run

    def come(self, session: Session, documents: Sequence[Named], /) -> None:
        """See Watcher."""
        self._note(session, [(uuid, kind, None) for kind, uuid in documents])

    def change(self, session: Session, rows: Collection[int], /) -> None:
        """See Watcher."""
        uuids = session.all(
            "SELECT uuid FROM document d WHERE NOT EXISTS"
            " (SELECT 1 FROM rebuild_note n WHERE n.run = ? AND n.uuid = d.uuid)"
            f" AND d.id {IN_IDS} AND d.origin = ?",
            (self._run, id_list(rows), LEGACY_ORIGIN),
        )
        held = served(session, [uuid for (uuid,) in uuids])
        self._note(session, [(uuid, kind, digest) for uuid, (kind, digest) in held.items()])

    go = change

    def lead(self, _session: Session, _rows: Collection[int], /) -> None:
        """See Watcher: what a document was made of is not served."""

    def _note(self, session: Session, notes: Iterable[tuple[bytes, int, bytes | None]]) -> None:
        session.many(
            "INSERT INTO rebuild_note (run, uuid, kind, before) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (run, uuid) DO NOTHING",
            [(self._run, *note) for note in notes],
        )


@contextlib.contextmanager
def noting(connection: Session, run: int) -> Iterator[None]:
    """In the block it is noted how documents were before this connection touches them, under this run."""
    connection.changes.watcher = Notes(run)
    try:
        yield
    finally:
        connection.changes.watcher = None


def served(connection: Session, uuids: Sequence[bytes]) -> dict[bytes, Served]:
    """What is served of those of these documents that come from the legacy: body, references, place in lists."""
    found: dict[bytes, Served] = {}
    for marks, some in in_parts(uuids):
        rows = connection.all(
            "SELECT id, uuid, kind, moment, created, body FROM document"
            f" WHERE uuid IN ({marks}) AND origin = {LEGACY_ORIGIN}",
            some,
        )
        references: dict[int, list[str]] = defaultdict(list)
        for source, relation, target in connection.all(
            "SELECT l.source, l.relation, t.uuid FROM link l JOIN document t ON t.id = l.target"
            f" WHERE l.source {IN_IDS}",
            (id_list(row[0] for row in rows),),
        ):
            references[source].append(f"{relation}{target.hex().upper()}")
        for row, uuid, kind, moment, created, body in rows:
            links = orjson.dumps(sorted(references[row])).decode()
            text = f"{moment} {created}{body}{links}"
            found[uuid] = kind, hashlib.blake2b(text.encode(), digest_size=16).digest()
    return found


def tally(connection: Session, run: int) -> dict[str, dict[str, int]]:
    """What became of the documents since the run began, by kind in their order: same, changed, new, gone.

    A document that is the same again, or that came and went, was not changed.
    """
    total = connection.all(
        "SELECT kind, count(*) FROM document WHERE origin = ? GROUP BY kind", (LEGACY_ORIGIN,)
    )
    found = {KINDS[kind - 1]: {SAME: count, CHANGED: 0, NEW: 0, GONE: 0} for kind, count in total}
    for (kind, what), count in _became(connection, run).items():
        of_kind = found.setdefault(KINDS[kind - 1], {SAME: 0, CHANGED: 0, NEW: 0, GONE: 0})
        if what != SAME:
            of_kind[what] += count
        if what in (CHANGED, NEW):
            of_kind[SAME] -= count
    return {kind: found[kind] for kind in KINDS if kind in found}


def _became(connection: Session, run: int) -> Counter[tuple[int, str]]:
    """How many documents of each kind (its number) became what, of those that were noted."""
    became: Counter[tuple[int, str]] = Counter()
    after = b""
    while notes := connection.all(
        "SELECT uuid, kind, before FROM rebuild_note WHERE run = ? AND uuid > ? ORDER BY uuid LIMIT ?",
        (run, after, NOTES_AT_ONCE),
    ):
        now = served(connection, [uuid for uuid, _, _ in notes])
        for uuid, kind, before in notes:
            _, digest = now.get(uuid, (kind, None))
            if digest is None and before is None:
                continue
            if digest is None:
                became[kind, GONE] += 1
            elif before is None:
                became[kind, NEW] += 1
            else:
                became[kind, SAME if digest == before else CHANGED] += 1
        after = notes[-1][0]
    return became


def forget_notes(connection: Session) -> int:
    """Forget some of what was noted, under any run; out: how much (0: there is nothing left)."""
    return connection.run(
        "DELETE FROM rebuild_note WHERE (run, uuid) IN (SELECT run, uuid FROM rebuild_note LIMIT ?)",
        (NOTES_AT_ONCE,),
    )
