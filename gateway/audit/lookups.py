"""What operators look up, and what jobs did: noted as what clients ask is."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from gateway.audit.log import AuditLog
from gateway.base import correlation
from gateway.base.correlation import JOB, Operation
from gateway.base.subjects import Subjects
from gateway.store.base.errors import StoreError
from gateway.store.base.store import Store
from gateway.store.inspect import persons
from mappings.values.uuids import uuid_bytes_of


class NotNoted(StoreError):
    """The audit log can't be written, so nothing may be shown; the text says what to do."""


def note_lookup(audit: AuditLog | None, store: Store, name: str, who: str, uuids: Iterable[str]) -> None:
    """Note that somebody is about to see these documents, if an audit log is kept.

    In: what the operation is called, and the name of who asked. Raises NotNoted.
    """
    if audit is None:
        return
    with store.read() as connection:
        found = persons.of_documents(
            connection, [held for text in uuids if (held := uuid_bytes_of(text)) is not None]
        )
    note_persons(audit, name, who, found)


def note_persons(audit: AuditLog | None, name: str, who: str, found: Collection[bytes]) -> None:
    """Note that somebody is about to see what is held of these persons (their uuids), if an audit log is kept.

    Raises NotNoted.
    """
    operation = correlation.current()
    if audit is None or not found or operation is None:
        return
    operation.who = operation.who or who
    try:
        audit.note(operation, name, audit.activity(operation.who, name), "shown", found)
    except OSError:
        raise NotNoted(
            "Wat u opzoekt kon niet in het auditlog; daarom wordt het niet getoond. Zie het log van de dienst."
        ) from None


def documents_in(explained: Mapping[str, Any]) -> list[str]:
    """The uuids of what an explanation shows: what it is about, and what came of a legacy object."""
    found: list[str] = []
    for item in explained["found"]:
        found += [item["uuid"], *(each["uuid"] for each in item.get("documents", ()))]
    return found


def note_job(audit: AuditLog | None, operation: Operation, counters: dict[str, int]) -> None:
    """Note a run of a job that did something. In: how much of what. A log that can't be written is told of only."""
    if audit is None or not any(counters.values()):
        return
    name = f"job {operation.name}"
    with contextlib.suppress(OSError):  # which the audit log told
        audit.note_batch(operation, name, audit.activity("", name), counters)


def note_command(audit: AuditLog | None, operation: Operation) -> None:
    """Note a run of a command that reads sources or writes what is held of persons: one record, with how many."""
    if audit is None or (operation.subjects is not None and not operation.subjects.count):
        return
    name = str(operation.name)
    with contextlib.suppress(OSError):  # which the audit log told
        audit.note_batch(operation, name, audit.activity("", name), {})


def note_all(audit: AuditLog | None, store: Store, name: str, who: str) -> None:
    """Note that somebody is about to get a copy of all that is held: one record, with how many persons it is of.

    Raises NotNoted.
    """
    if audit is None:
        return
    with store.read() as connection:
        many = persons.count_all(connection)
    with correlation.part(JOB, name) as operation:
        operation.who = operation.who or who
        operation.subjects = Subjects()
        operation.subjects.lost(many)
        try:
            audit.note_batch(operation, name, audit.activity(who, name), {})
        except OSError:
            raise NotNoted(
                "Dit kon niet in het auditlog; daarom wordt het niet gedaan. Zie het log van de dienst."
            ) from None
