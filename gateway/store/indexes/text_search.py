"""Searches for a part of a text: an index of every three signs in a row.

All of it that is SQLite's own (FTS5) stands here. A text is indexed as `folded` gives it, so a search in the index
finds what looking into each text finds. The index holds no text, only where which signs stand; it must be told the old
text to forget it, and keeps even that in its older parts until they are merged, which `purge` does.

Writing a few texts into it costs as much as writing many. So triggers note the documents whose texts are not in it yet
(schema/text_indexes.py), a search looks into those, and they are indexed when there are many (`settle`).
"""

from __future__ import annotations

from gateway.base.logs import get_logger
from gateway.store.base.kinds import KIND
from gateway.store.base.session import Session

# Shorter parts are not in the index.
SHORTEST = 3
# Signs that the index does not distinguish; a search for one does without the index.
_UNSURE = frozenset("\ufffd\ufffe\uffff\U0010ffff")
# The index stops at a NUL, which no search can hold either.
_FOR_NUL = "\U0010ffff"
# Pages of the index that are merged in one transaction: some tens of milliseconds.
MERGED_AT_ONCE = 500
LARGE = 50_000
# So many documents wait to be indexed together: looking into them all takes some milliseconds.
TOGETHER = 1000
# The fields that are searched by a part: kind, and place in the body.
FIELDS: tuple[tuple[str, str], ...] = (
    ("actor", "naam"),
    ("digitaleadres", "adres"),
    ("digitaleadres", "omschrijving"),
    ("klantcontact", "inhoud"),
    ("klantcontact", "onderwerp"),
    ("klantcontact", "reactie"),
)
INDEXES: dict[tuple[str, str], str] = {pair: "text_{}_{}".format(*pair) for pair in FIELDS}

log = get_logger(__name__)


def folded(text: object) -> str | None:
    """A text without regard to case, as it is compared and indexed."""
    return None if text is None else str(text).upper().replace("\0", _FOR_NUL)


def contains(text: object, part: str) -> bool:
    """Does a part occur in a text, without regard to case?"""
    return text is not None and part.upper() in str(text).upper()


def is_indexed(kind: str, field: str, part: object) -> bool:
    """Can the index find the texts with this part?"""
    if (kind, field) not in INDEXES or not isinstance(part, str):
        return False
    sought = folded(part) or ""
    return len(sought) >= SHORTEST and _UNSURE.isdisjoint(sought)


def search(kind: str, field: str, parameter: int) -> str:
    """A query for the documents (`id`) whose text has the part that is the parameter of this number."""
    name = INDEXES[kind, field]
    sought = f"'\"' || replace(folded(?{parameter}), '\"', '\"\"') || '\"'"
    return (
        f"SELECT rowid AS id FROM {name} WHERE {name} MATCH {sought} UNION ALL"
        f" SELECT n.document FROM text_due n CROSS JOIN document w"
        f" WHERE w.id = n.document AND w.kind = {KIND[kind]} AND contains_text(w.body ->> '$.{field}', ?{parameter})"
    )


def make_again(connection: Session) -> None:
    """Make what the indexes hold anew from the documents that are there. Inside a transaction."""
    for name in INDEXES.values():
        connection.run(f"INSERT INTO {name} ({name}) VALUES ('delete-all')")
    connection.run("DELETE FROM text_due")
    _fill(connection)


def make_some(connection: Session, place: list[int]) -> list[int] | None:
    """The same as a piece of work that is all of it (see `schema/upgrade.py`)."""
    make_again(connection)
    return None


def settle(connection: Session) -> None:
    """Index the texts that wait for it, when there are many. At the end of a transaction that wrote.

    PostgreSQL has indexes on the texts themselves: there none waits.
    """
    if not connection.dialect.is_a_file:
        return
    (waiting,) = connection.one("SELECT count(*) FROM text_due")
    if waiting < TOGETHER:
        return
    for (kind, field), name in INDEXES.items():
        connection.run(
            f"INSERT INTO {name} (rowid, text) SELECT w.id, folded(w.body ->> '$.{field}')"
            " FROM text_due n CROSS JOIN document w"
            f" WHERE w.id = n.document AND w.kind = {KIND[kind]} AND w.body ->> '$.{field}' <> '' ORDER BY n.document"
        )
    connection.run("DELETE FROM text_due")


def _fill(connection: Session) -> None:
    for (kind, field), name in INDEXES.items():
        question = "SELECT count(*) FROM document WHERE kind = ?"
        (found,) = connection.one(question, (KIND[kind],))
        if found > LARGE:
            log.info("an index of texts is made: some minutes for a million", index=name, documents=found)
        text = f"body ->> '$.{field}'"
        # The plus keeps them in the order of rows, as the index wants them.
        connection.run(
            f"INSERT INTO {name} (rowid, text) SELECT id, folded({text}) FROM document"
            f" WHERE +kind = ? AND {text} <> '' ORDER BY id",
            (KIND[kind],),
        )


def with_erased(connection: Session) -> list[tuple[str, int]]:
    """The indexes that still hold what was erased, with a number that is higher when more was erased since."""
    return connection.all("SELECT name, times FROM text_erased ORDER BY name")


def merge(connection: Session, name: str, times: int, *, first: bool) -> bool:
    """A piece of the work of removing what was erased from an index, as `with_erased` names it. Out: is there more?

    Call it in transactions of its own, the first time with `first`, until there is no more.
    """
    before = connection.one("SELECT total_changes()")[0]
    pages = -MERGED_AT_ONCE if first else MERGED_AT_ONCE
    connection.run(f"INSERT INTO {name} ({name}, rank) VALUES ('merge', ?)", (pages,))
    if connection.one("SELECT total_changes()")[0] - before > 1:
        return True
    connection.run("DELETE FROM text_erased WHERE name = ? AND times = ?", (name, times))
    return False
