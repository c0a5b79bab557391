"""Row ids of tables of which ids are kept elsewhere: none is ever given twice, also not when the highest row went.

A rebuild, a verify or an export that is gone on with a day later knows by them how far it was.
"""

from __future__ import annotations

from gateway.store.base.session import Session

_HIGHEST = "(SELECT coalesce(max(id), 0) FROM {0})"
_TAKE = (
    f"UPDATE row_id SET last = CASE WHEN last < {_HIGHEST} THEN {_HIGHEST} ELSE last END + ? WHERE name = ?"
    " RETURNING last"
)


def next_ids(connection: Session, table: str, number: int) -> range:
    """So many ids for new rows of a table; in the transaction that inserts them."""
    if not number:
        return range(0)
    # Somebody with the file may have put a row there that has an id of his own.
    (last,) = connection.one(_TAKE.format(table), (number, table))
    return range(last - number + 1, last + 1)
