"""The schemas of PostgreSQL in which this process has the stores of its tests.

A schema takes a second to make and a millisecond to empty, so each process keeps those that it made, and uses them
again. All that is done here, any role can that may make a schema.
"""
# ruff: noqa: S608  (names of schemas and tables of ours)

from __future__ import annotations

import atexit
import hashlib
import os
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from builders.library_like import close_all
from builders.stores import DATABASE, NOTES, schema_of

from gateway.store.postgres.address import DatabaseAddress
from gateway.store.postgres.database import PostgresStore

# What a new store holds, by the tables of it.
SEEDS = {"migration", "span", "span_state", "export_state", "row_id"}
SEED_AGAIN = """
UPDATE span_state SET bounds = floor((random() - 0.5) * 18014398509481984)::bigint;
UPDATE row_id SET last = 0;
UPDATE export_state SET noting = 0, turn = 0, target = '', others = 0;
DELETE FROM span WHERE uuid <> '';
UPDATE span SET found = 0;
"""
# What the database thinks of tables that are empty, and how much changed in them: it would plan for none in the next
# test, or we would ask it to look before there is something.
UNKNOWN_AGAIN = """
WITH unknown AS (UPDATE pg_class SET relpages = 0, reltuples = -1 WHERE relkind = 'r' AND reltuples >= 0
    AND relnamespace = to_regnamespace(%(schema)s) RETURNING oid)
SELECT pg_stat_reset_single_table_counters(relid) FROM pg_stat_user_tables
WHERE schemaname = %(schema)s AND n_mod_since_analyze > 0
"""
# What there is in a schema: only one that a test left with all of it, and nothing more, is used again.
SHAPE = """
SELECT md5(string_agg(told, ' ' ORDER BY told)) FROM (
    SELECT c.relname || a.attname || a.atttypid AS told FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = to_regnamespace(%(schema)s) AND a.attnum > 0
    UNION ALL SELECT f.conname FROM pg_constraint f WHERE f.connamespace = to_regnamespace(%(schema)s)
    UNION ALL SELECT p.proname FROM pg_proc p WHERE p.pronamespace = to_regnamespace(%(schema)s)
    UNION ALL SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE c.relnamespace = to_regnamespace(%(schema)s) AND NOT t.tgisinternal) AS all_of_it
"""
# Rows that were deleted make a table slow to ask: from so many bytes on they are cleared away.
BLOATED = 1 << 20
# What the machines that ask now have of a source. Who made the copied store holds it for minutes, and it is no machine
# of the copy: that would wait for it.
OF_NOW = {"pace_share"}
COUNTS_AT_ONCE = 150_000  # the first version that can be told to
_PREFIX = "klantbrug_test"
_ENDED_MS = 5000


class Schemas:
    """Those of this process."""

    def __init__(self) -> None:
        self.connection = psycopg.connect(DATABASE, autocommit=True)
        self.process = os.getpid()
        self.given: dict[Path, str] = {}
        self.kept: list[Path] = []
        self.free: list[str] = []
        self.made = 0
        # Who may do so lets no trigger look after references while rows are deleted or copied: that is quicker.
        (may,) = self._all("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")[0]
        self.unguarded = ["SET LOCAL session_replication_role = replica"] if may else []
        self.as_made: dict[str, Any] = {}
        self.shape = ""
        self.migrations = 0
        self.tables: list[str] = []  # those that others refer to last
        self._remove_left_behind()
        atexit.register(self.remove)

    def _all(self, sql: str, values: Any = None) -> list[Any]:
        return self.connection.execute(sql, values).fetchall()  # type: ignore[call-overload, no-any-return]

    def _script(self, schema: str, *statements: str) -> None:
        """In one transaction and one trip to the database."""
        text = "; ".join((f'SET LOCAL search_path = "{schema}"', *statements))
        try:
            self.connection.execute(f"BEGIN; {text}; COMMIT")  # type: ignore[call-overload]
        except psycopg.Error:
            self.connection.execute("ROLLBACK")
            raise

    def of(self, path: Path) -> str:
        """The schema of the store of that name, empty when nobody asked for it yet."""
        path = path.absolute()
        if path not in self.given:
            note = _note(path)
            if note.exists():  # of the process that started this one
                return note.read_text(encoding="utf-8")
            self.given[path] = self.free.pop() if self.free else self._another()
            note.write_text(self.given[path], encoding="utf-8")
        return self.given[path]

    def _another(self) -> str:
        self.made += 1
        name = f"{_PREFIX}_{os.getpid()}_{self.made}"
        PostgresStore(DatabaseAddress(DATABASE, name), Path(name)).close()
        if not self.shape:
            self._learn(name)
        # A look of the database itself while a schema is empty would have it plan for none in the next test too.
        own = [f"ALTER TABLE {table} SET (autovacuum_enabled = off)" for table in self.tables]
        self._script(name, *own)
        self.as_made[name] = self._looks(name)
        return name

    def _learn(self, name: str) -> None:
        """What a schema is like: its shape, and its tables in an order in which all their rows can be deleted."""
        self.shape = self._shape(name)
        self.migrations = self._count(name, "migration")
        left = {
            table for (table,) in self._all("SELECT tablename FROM pg_tables WHERE schemaname = %s", (name,))
        }
        filled = {table for table in left if self._count(name, table)}
        assert filled == SEEDS, f"builders/schemas.py must know what a new store holds: {filled ^ SEEDS}"
        references = self._all(
            "SELECT a.relname, b.relname FROM pg_constraint f JOIN pg_class a ON a.oid = f.conrelid"
            " JOIN pg_class b ON b.oid = f.confrelid WHERE f.contype = 'f' AND a.relnamespace = to_regnamespace(%s)",
            (name,),
        )
        while left:
            free = sorted(
                table for table in left if not any(to == table != by and by in left for by, to in references)
            )
            assert free, f"tables that refer to each other: {left}"
            self.tables += free
            left -= {*free}

    def _shape(self, name: str) -> str:
        return str(self._all(SHAPE, {"schema": name})[0][0])

    def _count(self, name: str, table: str) -> int:
        return int(self._all(f'SELECT count(*) FROM "{name}".{table}')[0][0])

    def _looks(self, name: str) -> Any:
        """What is quickly seen of a schema, and stays the same when no table of it was changed."""
        return self._all(
            "SELECT count(*), md5(string_agg(xmin::text, ' ' ORDER BY oid)) FROM pg_class"
            " WHERE relnamespace = to_regnamespace(%s)",
            (name,),
        )

    def _is_sound(self, name: str) -> bool:
        if self._count(name, "migration") != self.migrations:
            return False
        if (looks := self._looks(name)) != self.as_made[name]:
            if self._shape(name) != self.shape:
                return False
            self.as_made[name] = looks
        return True

    def release(self, before: frozenset[Path]) -> None:
        """Empty those of all stores but the kept ones and those that were there before."""
        for path in self.given.keys() - before:
            if any(path.is_relative_to(folder) for folder in self.kept):
                continue
            name = self.given.pop(path)
            _note(path).unlink(missing_ok=True)
            self._end_sessions(name)
            if self._is_sound(name):
                self._empty(name)
                self.free.append(name)
            else:
                self._drop(name)

    def _end_sessions(self, name: str, *, over: bool = True) -> None:
        close_all(name, over=over)
        self._all(
            "SELECT pg_terminate_backend(pid, %s) FROM pg_stat_activity WHERE application_name = %s",
            (_ENDED_MS, f"klantbrug {name}"),
        )

    def _empty(self, name: str) -> None:
        used = dict(
            self._all(
                "SELECT relname, pg_relation_size(oid) FROM pg_class WHERE relnamespace = to_regnamespace(%s)"
                " AND relkind = 'r' AND pg_relation_size(oid) > 0",
                (name,),
            )
        )
        deletes = [f"DELETE FROM {table}" for table in self.tables if table in used and table not in SEEDS]
        if self.unguarded and self.connection.info.server_version >= COUNTS_AT_ONCE:
            deletes.append("SELECT pg_stat_force_next_flush()")
        self._script(name, *self.unguarded, *deletes, SEED_AGAIN.strip().rstrip(";"), self._numbers(name))
        if bloated := [table for table, size in used.items() if size > BLOATED]:
            tables = ", ".join(f'"{name}".{table}' for table in bloated)
            self.connection.execute(f"VACUUM {tables}")  # type: ignore[call-overload]
        if self.unguarded:
            self._all(UNKNOWN_AGAIN, {"schema": name})
            self.as_made[name] = self._looks(name)

    @staticmethod
    def _numbers(name: str, of: str = "") -> str:
        """The statement by which the ids of rows begin anew, or go on where those of another schema are."""
        if not of:
            return (
                "SELECT setval(oid::regclass, 1, false) FROM pg_class"
                f" WHERE relkind = 'S' AND relnamespace = to_regnamespace('{name}')"
            )
        return (
            f"SELECT setval(format('%I.%I', '{name}', sequencename)::regclass, last_value) FROM pg_sequences"
            f" WHERE schemaname = '{of}' AND last_value IS NOT NULL"
        )

    def run(self, path: Path, *statements: str) -> None:
        """Run statements on a store, beside all that looks after what is written there."""
        self._script(schema_of(path), *statements)

    def copy(self, source: Path, target: Path) -> str:
        """Make a store with what another has; out: its schema."""
        held, name = schema_of(source), self.of(target)
        self._end_sessions(name, over=False)
        deletes = [f"DELETE FROM {table}" for table in self.tables]
        copied = [table for table in reversed(self.tables) if table not in OF_NOW]
        fills = [f'INSERT INTO {table} SELECT * FROM "{held}".{table}' for table in copied]
        try:
            self._script(name, *self.unguarded, *deletes, *fills, self._numbers(name, held))
        except psycopg.errors.ForeignKeyViolation:  # it was damaged by a test
            drop, guard = self._guards(name)
            self._script(name, *drop, *deletes, *fills, self._numbers(name, held), *guard)
        return name

    def _guards(self, name: str) -> tuple[list[str], list[str]]:
        """What lets all references go, and what guards those of later statements."""
        guards = self._all(
            "SELECT a.relname, f.conname, pg_get_constraintdef(f.oid) FROM pg_constraint f"
            " JOIN pg_class a ON a.oid = f.conrelid WHERE f.contype = 'f' AND a.relnamespace = to_regnamespace(%s)",
            (name,),
        )
        drop = [f"ALTER TABLE {table} DROP CONSTRAINT {of}" for table, of, _ in guards]
        # As they are told, they name their own schema where that isn't looked into.
        told = [
            (table, of, how.replace(f"{name}.", "").removesuffix(" NOT VALID")) for table, of, how in guards
        ]
        return drop, [f"ALTER TABLE {table} ADD CONSTRAINT {of} {how} NOT VALID" for table, of, how in told]

    def copy_folder(self, source: Path, target: Path) -> dict[str, str]:
        """Copy all stores with a name in a folder; out: the schemas of the copies, by those of the copied."""
        source, target = source.absolute(), target.absolute()
        held = [path for path in self.given if path.is_relative_to(source)]
        return {self.given[path]: self.copy(path, target / path.relative_to(source)) for path in held}

    def _remove_left_behind(self) -> None:
        for (name,) in self._all("SELECT nspname FROM pg_namespace WHERE nspname LIKE %s", (f"{_PREFIX}_%",)):
            if not Path(f"/proc/{name.split('_')[2]}").exists():
                self._drop(name)

    def _drop(self, name: str) -> None:
        self._end_sessions(name)
        self.connection.execute(f'DROP SCHEMA IF EXISTS "{name}" CASCADE')  # type: ignore[call-overload]

    def remove(self) -> None:
        """Remove all of them."""
        if os.getpid() != self.process:  # a child that was forked
            return
        for path, name in self.given.items():
            _note(path).unlink(missing_ok=True)
            self._drop(name)
        for name in self.free:
            self._drop(name)


def _note(path: Path) -> Path:
    """Where the schema of a store is noted, for processes that a test starts."""
    return Path(os.environ[NOTES]) / hashlib.sha256(str(path).encode()).hexdigest()


@cache
def schemas() -> Schemas:
    """Those of this process."""
    return Schemas()
