"""How much of a store on PostgreSQL a selection of documents reads."""

from __future__ import annotations

from typing import Any

import psycopg
from builders.stores import DATABASE
from psycopg import sql

from gateway.store.base.session import Session
from gateway.store.indexes import spans
from gateway.store.postgres.wire.statements import put

# As it plans for the values that are asked, and as it plans once for whatever is asked with a prepared statement.
PLANS = ("force_custom_plan", "force_generic_plan")
READ = (
    "Actual Rows",
    "Rows Removed by Filter",
    "Rows Removed by Join Filter",
    "Rows Removed by Index Recheck",
)


def rows_read(session: Session, selection: str, values: tuple[Any, ...], plan: str) -> int:
    """How many rows a selection goes through in all its steps, with statistics that are up to date."""
    (schema,) = session.one("SELECT current_schema()")
    with psycopg.connect(DATABASE, autocommit=True) as connection:
        connection.execute("SELECT set_config('search_path', %s, false)", (schema,))
        connection.execute("SELECT set_config('plan_cache_mode', %s, false)", (plan,))
        connection.execute("ANALYZE document, link, field_value, profile, profiled, span")
        text = put(f"SELECT d.id {selection}").text
        connection.execute(sql.SQL("PREPARE asked AS ") + sql.SQL(text))  # type: ignore[arg-type]
        literals = sql.SQL(", ").join(map(sql.Literal, values))
        row = connection.execute(
            sql.SQL("EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE asked ({})").format(literals)
        ).fetchone()
    assert row
    return _read(row[0][0]["Plan"])


# Where a page of a list (kind ?1) is found that ?2 newer documents precede, as a selection.
PLACE_OF_A_PAGE = f"FROM (SELECT skip AS id FROM ({spans.FROM_NEWEST}) found) d"  # noqa: S608 - our own text


def put_spans(session: Session, kind: int, number: int, found: int) -> None:
    """So many spans of a kind more, as of documents that are not there. In a write transaction."""
    rows = [(kind, moment, moment, moment.to_bytes(16, "big"), found) for moment in range(number)]
    session.many("INSERT INTO span (kind, moment, created, uuid, found) VALUES (?, ?, ?, ?, ?)", rows)


def _read(step: dict[str, Any]) -> int:
    own = sum(step.get(name, 0) for name in READ) * step["Actual Loops"]
    return int(own) + sum(map(_read, step.get("Plans", ())))
