"""Findings on a source as a whole: those that hold for it once, and fields without a place, counted (M30, M36).

Counts are made from what is held, so they are right whatever changed or went.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from mappings.incoming import unplaced_fields

_BITS = ", ".join(
    "({}, '{}', '{}', '{}')".format(
        bit, veld, *unplaced_fields.INGEVULD.get(veld, ("M36", unplaced_fields.ACTION))
    )
    for veld, bit in unplaced_fields.BIT.items()
)
# The columns of SourceFinding; SQL of its own so that the dump can use it too. CROSS JOIN keeps the few counted
# numbers outside, and the index is all that is read of the objects.
SOURCE_FINDINGS = (
    "SELECT s.name AS source, f.rule AS rule, f.field AS field, f.severity AS severity, f.action AS action,"
    " NULL AS found FROM source_finding f JOIN source s ON s.id = f.source"
    " UNION ALL"
    f" SELECT s.name, v.rule, v.veld, '{unplaced_fields.SEVERITY}', v.action, sum(m.found)"
    " FROM (SELECT source, facts ->> '$.zonder_plaats' AS mask, count(*) AS found"
    " FROM raw INDEXED BY raw_zonder_plaats WHERE facts ->> '$.zonder_plaats' IS NOT NULL"
    " GROUP BY source, facts ->> '$.zonder_plaats') m"
    f" CROSS JOIN (SELECT column1 AS bit, column2 AS veld, column3 AS rule, column4 AS action"
    f" FROM (VALUES {_BITS})) v ON m.mask & v.bit"
    " JOIN source s ON s.id = m.source GROUP BY s.name, v.veld"
)


class SourceFinding(NamedTuple):
    """A finding on a source; `found` is how many objects fill the field, None for what is not counted."""

    source: str
    rule: str
    field: str
    severity: str
    action: str
    found: int | None


def source_findings(connection: sqlite3.Connection) -> list[SourceFinding]:
    """All findings on sources, in the order of source, rule and field. Call inside `Store.read()`."""
    rows = connection.execute(f"SELECT * FROM ({SOURCE_FINDINGS}) ORDER BY source, rule, field")
    return [SourceFinding(*row) for row in rows]
