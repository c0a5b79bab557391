"""The migrations of the store, the order in which they are made, and how they run SQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from sqlite_utils import Database, Migrations

# Not that in which the modules that declare them are imported: names of modules change. A new one comes at the end.
ORDER = (
    "0001_first",
    "0002_filters",
    "0004_spans",
    "0006_quarantine",
    "0005_representation",
    "0009_adopted_erased",
    "0020_ties",
    "0021_faster",
    "0022_counted_together",
    "0023_fewer_pages",
    "0038_standard_candidates",
    "0050_filled_fields",
    "0051_profiles",
    "0003_outbox",
    "0007_verify",
    "0008_sync",
    "0010_backfill",
    "0011_rebuild",
    "0024_unanswered",
    "0034_order_of_references",
    "0036_hidden",
    "0037_kept",
    "0044_numbers",
    "0049_keys_first",
    "0061_tallies",
    "0052_texts",
    "0048_tokens_end",
    "0060_scopes_combine",
    "0062_passes",
    "0051_unread_keys",
    "0052_sealed",
    "0063_export",
    "0070_writeback",
    "0071_operators",
    "0072_writeback_totals",
    "0073_export_marks",
    "0074_orders",
    "0075_without_triggers",
    "0076_row_ids",
    "0077_field_values",
    "0078_machines",
    "0079_erased_here",
    "0080_rooms",
    "0081_pace",
    "0082_one_index",
    # The next: 0083.
)


class Ordered(Migrations):
    """Migrations that are made in the order of ORDER."""

    def pending(self, db: Database) -> list[Any]:
        """What a store still needs, in order. Raises ValueError for a migration that does not stand in ORDER."""
        return sorted(super().pending(db), key=lambda each: ORDER.index(each.name))

    def function_of(self, name: str) -> Callable[[Database], None]:
        """What makes the migration of this name. Raises KeyError."""
        return {each.name: each.fn for each in self._migrations}[name]


migrations = Ordered("klantbrug")


def script(db: Database, text: str) -> None:
    """Run the statements of `text`, also triggers, one by one: executescript would commit the transaction."""
    statement = ""
    for part in "\n".join(line.split("--", 1)[0] for line in text.splitlines()).split(";"):
        statement += f"{part};"
        if sqlite3.complete_statement(statement):  # not the end of one in a trigger
            if statement.strip(" \n;"):
                db.execute(statement)
            statement = ""
