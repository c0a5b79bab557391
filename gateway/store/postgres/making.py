"""Makes the tables of a store on PostgreSQL, and brings them to those of this program.

The first tables are those that SQLite had after all its migrations. Later ones are made by the same migrations as there
(`schema/migrations.py`, see `tables.py`), so that both know which they have.
"""

from __future__ import annotations

from importlib.resources import files

from gateway.store.base.errors import StoreError, StoreFailed, StoreUnwritable
from gateway.store.base.kinds import KIND
from gateway.store.base.session import Session
from gateway.store.indexes import text_search
from gateway.store.postgres import tables
from gateway.store.postgres.session import PostgresSession
from gateway.store.schema import upgrade
from gateway.store.schema.migrations import ORDER

# Those that the first tables hold.
FIRST = ORDER[: ORDER.index("0077_field_values") + 1]
# Of every three signs in a row of a text, see `indexes/text_search.py`.
BY_PARTS = (
    "CREATE INDEX IF NOT EXISTS {name} ON document"
    " USING gin (folded(json_text(body, '{{{field}}}')) {where}.gin_trgm_ops) WHERE kind = {kind}"
)
# That knows the letters of all languages; without it only those of the database's own locale have capitals.
LETTERS = '"und-x-icu"'
OURS = {"meta", "document"}
_MAY_FIND = (
    "SELECT NOT pg_is_in_recovery() AND coalesce("
    "(SELECT has_schema_privilege(extnamespace, 'USAGE') FROM pg_extension WHERE extname = 'pg_trgm'),"
    " has_database_privilege(current_database(), 'CREATE')"
    " AND EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'))"
)


EXTENSION = "CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public"
# What is said of a name that is there already: IF NOT EXISTS does not see what another is making.
MADE_MEANWHILE = "23505"


def is_due(session: Session) -> bool:
    """Has this program tables that the store has not? Raises StoreError for one that is not ours."""
    (encoding,) = session.one("SELECT current_setting('server_encoding')")
    if encoding != "UTF8":
        raise StoreError(
            f"[store] url: de database heeft tekenset {encoding}; maak er een met ENCODING 'UTF8'."
        )
    there = session.dialect.tables(session)
    if not there:
        return True
    if not there >= OURS | {"migration"}:
        raise StoreError(
            "[store] schema: in dit schema staan tabellen van een ander programma; noem een ander."
        )
    made = session.dialect.migrated(session)
    if later := sorted(made - set(ORDER)):
        raise StoreError(
            f"[store] url: de opslag is van een nieuwere versie van Klantbrug ({later[-1]}): werk Klantbrug bij."
        )
    return not made >= set(ORDER) or (not finds_parts(session) and may_find_parts(session))


def make_schema(session: PostgresSession, schema: str) -> None:
    """Make the schema when it is not there: who may not make one, may be given one. Inside a transaction."""
    if session.one("SELECT to_regnamespace(?) IS NULL", (f'"{schema}"',))[0]:
        session.script(f'CREATE SCHEMA "{schema}"')


def make(session: PostgresSession) -> None:
    """Make what is not there yet, also the indexes of texts when it lets us now. Inside a transaction."""
    if fresh := not session.dialect.tables(session):
        _first(session)
    made = session.dialect.migrated(session)
    for name in ORDER:
        if name not in made:
            tables.apply(session, name)
            session.run("INSERT INTO migration (name) VALUES (?)", (name,))
    if not finds_parts(session):
        _texts(session)
    if not fresh:
        upgrade.note_to_fill(session, [name for name in ORDER if name not in made])


def _first(session: PostgresSession) -> None:
    """The first tables."""
    known = session.one("SELECT count(*) FROM pg_collation WHERE collname = ?", (LETTERS.strip('"'),))[0]
    session.script(_text("functions").replace("{collation}", LETTERS if known else '"default"'))
    for name in ("tables", "indexes"):
        session.script(_text(name))
    session.many("INSERT INTO migration (name) VALUES (?)", [(name,) for name in FIRST])


def may_find_parts(session: Session) -> bool:
    """May we use the extension for parts of texts, or make it?"""
    return bool(session.one(_MAY_FIND)[0])


def finds_parts(session: Session) -> bool:
    """Are all indexes of texts there?"""
    names = list(text_search.INDEXES.values())
    found = "count(to_regclass(quote_ident(current_schema()) || '.' || name))"
    sql = f"SELECT {found} FROM unnest(CAST(? AS text[])) AS n (name)"
    return bool(session.one(sql, (names,))[0] == len(names))


def _texts(session: PostgresSession) -> None:
    """Make the indexes of texts, where the database has or lets us have the extension for it. Without them a search for
    a part of a text looks into each."""
    if not may_find_parts(session):
        return
    session.script("SAVEPOINT texts")
    try:
        _extension(session)
        (where,) = session.one(
            "SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'pg_trgm'"
        )
        for (kind, field), name in text_search.INDEXES.items():
            session.script(BY_PARTS.format(name=name, field=field, where=where, kind=KIND[kind]))
    except StoreUnwritable:  # it may not be made, or its schema not be used
        session.script("ROLLBACK TO texts")


def _extension(session: PostgresSession) -> None:
    """Have the extension, which all schemas of the database share. Raises StoreUnwritable."""
    session.script("SAVEPOINT extension")
    try:
        session.script(EXTENSION)
    except StoreFailed as error:
        if error.store_code != MADE_MEANWHILE:
            raise
        session.script("ROLLBACK TO extension")  # the store of another schema just made it
        session.script(EXTENSION)


def _text(name: str) -> str:
    return files("gateway.store.postgres").joinpath(f"{name}.sql").read_text(encoding="utf-8")
