"""How much of a store on PostgreSQL a question reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from builders.stores import DATABASE
from psycopg import sql

from gateway.store.base.session import Session
from gateway.store.indexes import spans
from gateway.store.postgres.wire.statements import put
from gateway.store.postgres.wire.values import bound

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
    look_at(session, "document", "link", "field_value", "profile", "profiled", "span")
    return rows_read_by(session, f"SELECT d.id {selection}", values, plan)


def look_at(session: Session, *tables: str) -> None:
    """Have the database see what is in these tables now."""
    session.run(f"ANALYZE {', '.join(tables)}")


def rows_read_by(session: Session, question: str, values: Sequence[Any], plan: str) -> int:
    """The same of a question, with the statistics that there are."""
    (schema,) = session.one("SELECT current_schema()")
    with psycopg.connect(DATABASE, autocommit=True) as connection:
        connection.execute("SELECT set_config('search_path', %s, false)", (schema,))
        connection.execute("SELECT set_config('plan_cache_mode', %s, false)", (plan,))
        statement = put(question)
        values = statement.values(values)
        types = [_regtype(connection, bound(value)[1]) for value in values]
        typed = sql.SQL(f"({', '.join(types)})" if types else "")  # type: ignore[arg-type]
        asked = sql.SQL(statement.text)  # type: ignore[arg-type]
        connection.execute(sql.SQL("PREPARE asked") + typed + sql.SQL(" AS ") + asked)
        literals = sql.SQL(", ").join(map(sql.Literal, values))
        given = sql.SQL("({})").format(literals) if values else sql.SQL("")
        row = connection.execute(sql.SQL("EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE asked") + given).fetchone()
    assert row
    return _read(row[0][0]["Plan"])


def _regtype(connection: psycopg.Connection[Any], oid: int) -> str:
    """The name of a type; 0 is the one that the database sees itself."""
    row = connection.execute("SELECT coalesce(nullif(%s, 0)::regtype::text, 'unknown')", (oid,)).fetchone()
    assert row
    return str(row[0])


# Where a page of a list (kind ?1) is found that ?2 newer documents precede, as a selection.
PLACE_OF_A_PAGE = f"FROM (SELECT skip AS id FROM ({spans.FROM_NEWEST}) found) d"  # noqa: S608 - our own text


def put_spans(session: Session, kind: int, number: int, found: int) -> None:
    """So many spans of a kind more, as of documents that are not there. In a write transaction."""
    rows = [(kind, moment, moment, moment.to_bytes(16, "big"), found) for moment in range(number)]
    session.many("INSERT INTO span (kind, moment, created, uuid, found) VALUES (?, ?, ?, ?, ?)", rows)


def _read(step: dict[str, Any]) -> int:
    own = sum(step.get(name, 0) for name in READ) * step["Actual Loops"]
    return int(own) + sum(map(_read, step.get("Plans", ())))


def pad(session: Session, source: int, first: int, rows: int) -> None:
    """So many objects more of a source, each with what it says and a document: no sound ones, but there. In a write.

    Their rows have numbers from `first` on.
    """
    numbers = range(first, first + rows)
    of = {n: n.to_bytes(16, "big") for n in numbers}
    session.many(
        "INSERT INTO document (id, kind, uuid, owner, origin, created, moment, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(n, 1, of[n], n, 0, n, n, "{}") for n in numbers],
    )
    session.many("INSERT INTO link (source, relation, target) VALUES (?, ?, ?)", [(n, 3, n) for n in numbers])
    session.many("INSERT INTO identity (id, key) VALUES (?, ?)", [(n, f"pad:{n}") for n in numbers])
    session.many(
        "INSERT INTO statement (id, digest, document, body) VALUES (?, ?, ?, ?)",
        [(n, of[n], n, "{}") for n in numbers],
    )
    session.many("INSERT INTO claim_key (identity, statement) VALUES (?, ?)", [(n, n) for n in numbers])
    session.many(
        "INSERT INTO raw (id, source, kind, uuid, zaak, state, first_seen, last_seen)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(n, source, 1 + n % 3, of[n], (n // 3).to_bytes(16, "big"), 1, n, n) for n in numbers],
    )
    session.many(
        "INSERT INTO claim (raw, facet, statement, moment, rol) VALUES (?, ?, ?, ?, ?)",
        [(n, "zelf", n, n, of[n]) for n in numbers],
    )
    session.many(
        "INSERT INTO tie (raw, source, contact, klant, zaak, vorig) VALUES (?, ?, ?, ?, ?, ?)",
        [(n, source, of[n], of[n], of[n], of[n]) for n in numbers],
    )
    session.many(
        "INSERT INTO representation (source, zaak, uuid) VALUES (?, ?, ?)",
        [(source, of[n], of[n]) for n in numbers],
    )
    session.many(
        "INSERT INTO representation_end (source, zaak, until) VALUES (?, ?, ?)",
        [(source, of[n], "2099-01-01") for n in numbers],
    )
    session.many(
        "INSERT INTO made_of_statement (document, statement) VALUES (?, ?)", [(n, n) for n in numbers]
    )
