"""Changes to a store that no function of its own makes: damage, other hours, rows that were never written."""
# ruff: noqa: S608  (names of tables and columns only)

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import orjson
from builders.probe.probe import Probe, stored

from gateway.store.base.kinds import KIND, RAW_KIND, RELATION
from gateway.store.base.session import Session
from gateway.store.base.store import Store

TABLE = re.compile(r"(?:DELETE FROM|UPDATE|INSERT INTO) (\w+)")

FULL_DATABASE = (
    [
        "CREATE FUNCTION disk_is_full() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN RAISE EXCEPTION USING ERRCODE = ''disk_full''; END'",
        "CREATE TRIGGER disk_is_full BEFORE INSERT OR UPDATE ON meta EXECUTE FUNCTION disk_is_full()",
    ],
    ["DROP TRIGGER disk_is_full ON meta", "DROP FUNCTION disk_is_full"],
)


class Tamper:
    """Changes rows. Each change must find something to change."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def _write(self, statement: str, *values: Any) -> None:
        with self.store.write() as session:
            assert session.run(statement, values) > 0

    def _force(self, statement: str, *values: Any) -> None:
        """As only somebody with the database can: nothing guards references, nor looks after what was written."""
        session = self.store.connection()
        before, after = self._unguarded(session, statement)
        for each in before:
            session.run(each)
        assert session.run(statement, values) > 0
        for each in after:
            session.run(each)

    @staticmethod
    def _unguarded(session: Session, statement: str) -> tuple[list[str], list[str]]:
        """What lets references go for a statement, and what guards those of later ones."""
        if session.dialect.is_a_file:
            return (
                ["PRAGMA foreign_keys = OFF", "PRAGMA recursive_triggers = OFF"],
                ["PRAGMA foreign_keys = ON"],
            )
        (table,) = TABLE.match(statement).groups()  # type: ignore[union-attr]
        guards = session.all(
            "SELECT a.relname, f.conname, pg_get_constraintdef(f.oid) FROM pg_constraint f"
            " JOIN pg_class a ON a.oid = f.conrelid JOIN pg_class b ON b.oid = f.confrelid WHERE f.contype = 'f'"
            " AND f.connamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())"
            " AND (a.relname = ?1 OR b.relname = ?1)",
            (table,),
        )
        return (
            [f"ALTER TABLE {of} DROP CONSTRAINT {name}" for of, name, _ in guards],
            [
                f"ALTER TABLE {of} ADD CONSTRAINT {name} {guard.removesuffix(' NOT VALID')} NOT VALID"
                for of, name, guard in guards
            ],
        )

    def _changed(self, table: str, column: str, where: str, value: Any, **changes: Any) -> None:
        """Keys of a text in JSON have other values."""
        ((held,),) = self.store.connection().all(f"SELECT {column} FROM {table} WHERE {where} = ?", (value,))
        text = orjson.dumps({**orjson.loads(held), **changes}).decode()
        self._force(f"UPDATE {table} SET {column} = ? WHERE {where} = ?", text, value)

    # Legacy objects

    def lose_raw(self, uuid: str | UUID) -> None:
        """A legacy object is lost, with what it ties."""
        row = Probe(self.store).raw(uuid, "id")
        self._force("DELETE FROM raw WHERE id = ?", row)
        self.store.connection().run("DELETE FROM tie WHERE raw = ?", (row,))

    def lose_raws(self, kind: str) -> None:
        """All legacy objects of a kind are lost."""
        self._force("DELETE FROM raw WHERE kind = ?", RAW_KIND[kind])

    def break_body(self, uuid: str | UUID) -> None:
        """What is kept of a legacy object can't be unpacked."""
        self._force("UPDATE raw SET body = ? WHERE uuid = ?", b"\0", stored(uuid))

    def change_facts(self, uuid: str | UUID) -> None:
        """What others need of a legacy object says something else."""
        self._changed("raw", "facts", "uuid", stored(uuid), x=1)

    def change_state(self, uuid: str | UUID) -> None:
        """A legacy object waits for its zaak, although it was translated."""
        self._force("UPDATE raw SET state = 2 WHERE uuid = ?", stored(uuid))

    def forget_digest(self, uuid: str | UUID) -> None:
        """A legacy object counts as changed when it comes again."""
        self._write("UPDATE raw SET digest = NULL WHERE uuid = ?", stored(uuid))

    def hide(self, uuid: str | UUID) -> None:
        """A legacy object is marked as no longer shown by its source."""
        self._write("UPDATE raw SET visible = 0 WHERE uuid = ?", stored(uuid))

    def seen_before(self, uuid: str | UUID, microseconds: int) -> None:
        """A legacy object was seen so much longer ago."""
        self._write("UPDATE raw SET last_seen = last_seen - ? WHERE uuid = ?", microseconds, stored(uuid))

    def lose_claims(self, uuid: str | UUID) -> None:
        """What a legacy object says of parties and actors is lost."""
        self._force("DELETE FROM claim WHERE raw = (SELECT id FROM raw WHERE uuid = ?)", stored(uuid))

    def lose_ties(self, uuid: str | UUID) -> None:
        """What a legacy object ties is lost."""
        self._force("DELETE FROM tie WHERE raw = (SELECT id FROM raw WHERE uuid = ?)", stored(uuid))

    def lose_zaken(self, contact: str | UUID) -> None:
        """What ties a contactmoment to zaken is lost."""
        self._force("DELETE FROM tie WHERE contact = ? AND zaak IS NOT NULL", stored(contact))

    def respell_statement(self, uuid: str | UUID) -> None:
        """The statement that a legacy object makes is spelled otherwise."""
        self._force(
            "UPDATE statement SET body = replace(body, '\"n\":', '\"n\" :') WHERE id = ?",
            self._statement(uuid),
        )

    def lose_keys(self, uuid: str | UUID) -> None:
        """The keys of the statement that a legacy object makes are lost."""
        self._force("DELETE FROM claim_key WHERE statement = ?", self._statement(uuid))

    def quarantine(self, uuid: str | UUID, reason: str) -> None:
        """An earlier version could not read what is held of a legacy object."""
        row = Probe(self.store).raw(uuid, "id")
        with self.store.write() as connection:
            connection.execute("UPDATE raw SET state = 5, facts = NULL WHERE id = ?", (row,))
            connection.execute("DELETE FROM claim WHERE raw = ?", (row,))
            connection.execute("INSERT INTO quarantine (raw, reason, since) VALUES (?, ?, 1)", (row, reason))

    def empty(self, uuid: str | UUID) -> None:
        """What is held of a legacy object was cleared away."""
        self._write("UPDATE raw SET body = NULL WHERE id = ?", Probe(self.store).raw(uuid, "id"))

    def forget_unread_keys(self) -> None:
        """Nobody looked yet for keys in what is in quarantine, as a migration leaves it."""
        self._write("DELETE FROM unread_key")
        self._write("UPDATE quarantine SET keyless = 1")
        self._write("UPDATE source SET unread = 2")

    def _statement(self, uuid: str | UUID) -> int:
        probe = Probe(self.store)
        found: int = probe.values("claim", "statement", raw=probe.raw(uuid, "id"))[0]
        return found

    # Documents

    def change_party(self, rol: str | UUID) -> None:
        """The partij of a rol says something else."""
        self._changed("document", "body", "id", self._party(rol), indicatieActief=False)

    def lose_party(self, rol: str | UUID) -> None:
        """The partij of a rol is lost."""
        self._force("DELETE FROM document WHERE id = ?", self._party(rol))

    def lose_documents(self, kind: str, every: int = 1) -> None:
        """Each so manieth document of a kind is lost."""
        self._force("DELETE FROM document WHERE kind = ? AND id % ? = 0", KIND[kind], every)

    def lose_first_document(self, kind: str) -> None:
        """The document of a kind that came first is lost."""
        self._force(
            "DELETE FROM document WHERE id = (SELECT min(id) FROM document WHERE kind = ?)", KIND[kind]
        )

    def lose_documents_from(self, kind: str, *raws: str) -> None:
        """The documents of a kind that came from these kinds of legacy objects are lost."""
        self._force(
            "DELETE FROM document WHERE kind = ? AND id IN (SELECT document FROM provenance p"
            f" JOIN raw r ON r.id = p.raw WHERE r.kind IN ({', '.join('?' * len(raws))}))",
            KIND[kind],
            *(RAW_KIND[each] for each in raws),
        )

    def lose_links(self, relation: str) -> None:
        """All references of a relation are lost."""
        self._force("DELETE FROM link WHERE relation = ?", RELATION[relation])

    def lose_origin(self, kind: str) -> None:
        """It is lost from which objects the first document of a kind was made."""
        self._force(
            "DELETE FROM made_of_raw WHERE document = (SELECT min(id) FROM document WHERE kind = ?)",
            KIND[kind],
        )

    def invent_document(self, kind: str) -> None:
        """There is a document of a kind that came from nothing."""
        self._force(
            "INSERT INTO document (id, kind, uuid, origin, created, moment, body)"
            " SELECT (SELECT max(id) + 1 FROM document), kind, ?, origin, created, moment, body FROM document"
            " WHERE kind = ? LIMIT 1",
            uuid4().bytes,
            KIND[kind],
        )

    def add_uuid(self, uuid: str | UUID, document: str | UUID) -> None:
        """A document is found by another uuid too."""
        self._write(
            "INSERT INTO alias (uuid, document) SELECT ?, id FROM document WHERE uuid = ?",
            stored(uuid),
            stored(document),
        )

    def lose_hidden(self) -> None:
        """It is lost which statements clients hid."""
        self._write("DELETE FROM hidden")

    def _party(self, rol: str | UUID) -> int:
        found: int = Probe(self.store).values("statement", "document", id=self._statement(rol))[0]
        return found

    # Sources

    def hurry_export(self) -> None:
        """As if the time had passed that changes wait before they are sent to the register again."""
        self._write("UPDATE export_due SET next_try = 0")

    def set_phase(self, phase: str) -> None:
        """All sources are in a phase, whatever is needed for that."""
        self._write("UPDATE source SET phase = ?", phase)

    def set_covered(self, moment: float = 1) -> None:
        """All sources count as read whole since then."""
        self._write("UPDATE source SET covered = ?", moment)

    def forget_fetched(self) -> None:
        """Nothing counts as asked for."""
        with self.store.write() as connection:
            connection.execute("DELETE FROM fetched")

    def fetched_before(self, key: str, microseconds: int) -> None:
        """A key was asked for so much longer ago."""
        self._write("UPDATE fetched SET at = at - ? WHERE key = ?", microseconds, key)

    # Jobs, messages, tokens

    def take_over(self, lease: str, expires: int | None = None) -> None:
        """Another process took a lease over."""
        self._write(
            "UPDATE lease SET holder = '1-1', fence = fence + 1, expires = coalesce(?, expires) WHERE name = ?",
            expires,
            lease,
        )

    def expire(self, lease: str) -> None:
        """A lease is over."""
        self._write("UPDATE lease SET expires = 0 WHERE name = ?", lease)

    def add_lease(self, name: str, expires: int, holder: str = "1-1") -> None:
        """Another process has a lease."""
        self._write(
            "INSERT INTO lease (name, holder, expires, fence) VALUES (?, ?, ?, 1)", name, holder, expires
        )

    def started(self, moment: int) -> None:
        """All runs began then."""
        self._write("UPDATE run SET started = ?", moment)

    def started_later(self, job: str, microseconds: int) -> None:
        """The runs of a job began so much later."""
        self._write("UPDATE run SET started = started + ? WHERE job = ?", microseconds, job)

    def ended_at_once(self) -> None:
        """All runs ended when they began."""
        self._write("UPDATE run SET finished = started")

    def proved_before(self, microseconds: int) -> None:
        """All reports of verify are so much older."""
        self._write("UPDATE verification SET ended = ended - ?", microseconds)

    def message_later(self, column: str, microseconds: int, *subjects: str) -> None:
        """A moment of the messages (about these) is so much later."""
        for subject in subjects or (None,):
            self._write(
                f"UPDATE outbox SET {column} = {column} + ? WHERE coalesce(?, subject) = subject",
                microseconds,
                subject,
            )

    def tokens_used_before(self, microseconds: int) -> None:
        """All tokens were used so much longer ago."""
        self._write("UPDATE token SET last_used = last_used - ?", microseconds)

    # The file

    def unapply(self, migration: str) -> None:
        """The migrations with such a name are still to be done."""
        table = "_sqlite_migrations" if self.store.connection().dialect.is_a_file else "migration"
        self._write(f"DELETE FROM {table} WHERE name LIKE ?", migration)

    def rename_documents(self) -> None:
        """The table of documents is somewhere else; not in `write()`, which looks after what was written."""
        self.store.connection().run("ALTER TABLE document RENAME TO elsewhere")

    @contextlib.contextmanager
    def full(self) -> Iterator[str]:
        """In the block there is no room for what is kept of the store itself. Out: how that is told.

        In a file there is none for anything more, which is to SQLite as a full disk. PostgreSQL says of a write that
        its disk is full.
        """
        session = self.store.connection()
        if session.dialect.is_a_file:
            begin = [f"PRAGMA max_page_count = {session.one('PRAGMA page_count')[0]}"]
            end, told = ["PRAGMA max_page_count = 1000000"], "de schijf is vol; maak ruimte (SQLITE_FULL)."
        else:
            begin, end = FULL_DATABASE
            told = "de schijf van de database is vol; maak ruimte (PG_53100)."
        for statement in begin:
            session.run(statement)
        try:
            yield f"De opslag kan niet worden beschreven: {told}"
        finally:
            for statement in end:
                session.run(statement)
