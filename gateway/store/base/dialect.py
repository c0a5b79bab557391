"""What differs between databases.

Most of it no statement shows: the text that stands in the code is what SQLite runs as it is, which costs it nothing,
and a driver for another database puts these forms otherwise, once for each statement:

- `?`, and `?1` where a value stands more than once; a `?` after it counts on;
- a list as one value: `IN (SELECT value FROM json_each(?))` (`bound_lists.IN_IDS`), and `json_each(?) n` in a FROM, of
  which `n.value` is used, with `CAST(? AS text)` where it is of texts: an empty list doesn't say;
- `body ->> '$.a.b'`, for a text in it, and with `= 1` for a flag;
- `this_moment()`: microseconds UTC by the one clock of all processes of the store, which is the machine's where the
  store is a file, and else the database's;
- hints for SQLite's planner, which another leaves out: `INDEXED BY` (few, on what is not searched by clients), and
  `CROSS JOIN` with an ON (in that order). `+r.kind`, of a number, says to both that it is not to be found by its index.

All else is SQL that PostgreSQL knows too; `tests/store/test_common_sql.py` refuses what is not. What a database is
asked about itself goes through its Dialect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gateway.store.base.session import Session


class Dialect(Protocol):
    """The questions about the database itself that each answers in its own way."""

    @property
    def is_a_file(self) -> bool:
        """Is it a file, that nobody watches over but we?"""

    def tables(self, session: Session, /) -> set[str]:
        """The names of the tables that there are."""

    def migrated(self, session: Session, /) -> set[str]:
        """The names of the migrations that it has; none of a database without tables."""
