"""Where a store on PostgreSQL is, and how it is connected to. The password is never told."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from gateway.store.base.errors import StoreAway, StoreError, StoreFailed
from gateway.store.postgres.wire.errors import told
from gateway.store.postgres.wire.values import adapt

CONNECT_SECONDS = 5
# A database that went away without a word (a cable, a machine) is noticed within this.
KEEPALIVES = {"keepalives": 1, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3}
TCP_TIMEOUT_MS = 15_000
# Who reads may stand still for long, as a dump into a pipe does that nobody empties; in the end he lets VACUUM go on.
IDLE_SECONDS = 3600
# What we count on, whatever the server, the database or the role say. Not by `options`: poolers leave those out.
# What is written lasts; who wants more of a replica has it. Questions are short and many: to start workers for one
# takes longer than to answer it, and takes the processors of the others. Who fetches rows in parts fetches all of them:
# a plan that has the first ones soon may take minutes for the rest.
SETTINGS = (
    "SELECT set_config('search_path', %s, false),"
    " set_config('idle_in_transaction_session_timeout', %s, false),"
    " set_config('default_transaction_isolation', 'read committed', false),"
    " set_config('statement_timeout', '0', false), set_config('lock_timeout', '0', false),"
    " set_config('standard_conforming_strings', 'on', false), set_config('jit', 'off', false),"
    " set_config('max_parallel_workers_per_gather', '0', false), set_config('cursor_tuple_fraction', '1', false),"
    " set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'remote_apply'"
    " THEN 'remote_apply' ELSE 'on' END, false), pg_try_advisory_lock_shared(%s)"
)
WRONG = (
    "[store] url: is geen adres van een database: er staat een teken in dat als %.. geschreven moet worden, of een "
    "instelling na ? die libpq niet kent"
)
REFUSED = (
    "de database liet ons niet binnen; kijk of zij draait, of het adres, de gebruiker en het wachtwoord kloppen, en of "
    "pg_hba.conf deze machine toelaat"
)


def lock_of(schema: str) -> int:
    """The advisory lock of who writes to the store in a schema."""
    digest = hashlib.blake2b(f"klantbrug {schema}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def open_lock_of(schema: str) -> int:
    """The one that all who have it open share, under whatever name they are known."""
    return lock_of(f"{schema} open")


@dataclass(frozen=True)
class DatabaseAddress:
    """`url` is postgresql://user@host:port/database; `schema` is where the tables stand."""

    url: str = field(repr=False)
    schema: str = "klantbrug"
    password: str = field(default="", repr=False)
    sslmode: str = ""
    ca_bundle: Path | None = None

    def __str__(self) -> str:
        """As it may be told: host and database."""
        try:
            known = self._parts()
        except StoreError:
            return f"(geen geldig adres) {self.schema}"
        return f"{known.get('host', 'localhost')}:{known.get('port', 5432)}/{known.get('dbname', '')} {self.schema}"

    @property
    def known_as(self) -> str:
        """How the connections of a store are called in the database."""
        return f"klantbrug {self.schema}"[:63]

    def _parts(self) -> dict[str, Any]:
        try:
            return conninfo_to_dict(self.url)
        except psycopg.ProgrammingError:  # it says the whole url
            raise StoreError(WRONG) from None

    def connect(self, idle_seconds: float = IDLE_SECONDS) -> psycopg.Connection[Any]:
        """A new connection, on which a transaction in which nothing happens for so long is broken off.

        Raises psycopg.Error; StoreError when it is no address.
        """
        given = self._parts() | KEEPALIVES | {"tcp_user_timeout": TCP_TIMEOUT_MS}
        given.setdefault("connect_timeout", CONNECT_SECONDS)
        given.setdefault("application_name", self.known_as)
        if self.password:
            given["password"] = self.password
        if self.sslmode or "sslmode" not in given:
            given["sslmode"] = self.sslmode or ("prefer" if _is_near(given) else "verify-full")
        if self.ca_bundle:
            given["sslrootcert"] = str(self.ca_bundle)
        elif given["sslmode"] == "verify-full":
            given.setdefault("sslrootcert", "system")
        given["client_encoding"] = "UTF8"
        connection = psycopg.Connection.connect(autocommit=True, **given)
        try:
            values = (f'"{self.schema}"', str(int(idle_seconds * 1000)), open_lock_of(self.schema))
            connection.execute(SETTINGS, values)
        except BaseException:
            connection.close()
            raise
        adapt(connection)
        return connection

    def told(self, error: psycopg.Error) -> StoreFailed:
        """The error of ours that one of connecting is."""
        failed = told(error)
        if isinstance(failed, StoreAway) and not error.sqlstate:
            return StoreAway(failed.name, says=REFUSED)
        return failed if isinstance(failed, StoreFailed) else StoreAway("TIMEOUT")


def _is_near(given: Mapping[str, Any]) -> bool:
    """Is the database on this machine, as libpq finds it? Then nobody can listen in."""
    if "service" in given or "PGSERVICE" in os.environ:
        return False  # a file says where it is
    places = (
        given.get("hostaddr"),
        given.get("host"),
        os.environ.get("PGHOSTADDR"),
        os.environ.get("PGHOST"),
    )
    return all(_is_here(host) for host in next(filter(None, places), "").split(","))


def _is_here(host: str) -> bool:
    if not host or host.startswith(("/", "@")) or host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
