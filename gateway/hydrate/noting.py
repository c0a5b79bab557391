"""What was asked of a source for a client's question: in the audit log, as a part of that question."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.audit.log import AuditLog
from gateway.base.correlation import Operation
from gateway.base.subjects import Subjects
from gateway.fetch.fetcher import Fetcher
from gateway.http import problems
from gateway.hydrate.needs import Need
from gateway.store.inspect import persons
from mappings.identity.identity import sealed

# Needs that name somebody, by an identity key.
BY_KEY = ("partij", "identiteit")
NOT_ASKED = "held"
NAME = "hydrate"
NOT_NOTED = "Wat bij een bron is opgehaald kon niet in het auditlog; daarom is er geen antwoord."


class AskedSources:
    """Notes the questions to sources: whom they were about, and whose data came of it."""

    def __init__(self, audit: AuditLog) -> None:
        self._audit = audit

    def __call__(self, operation: Operation, fetcher: Fetcher, needs: Sequence[Need]) -> None:
        """After sources were asked. Raises a 503 Problem: it is not noted."""
        if operation.status == NOT_ASKED:
            return
        keys = [need.value for need in needs if need.what in BY_KEY]
        about = {sealed(fetcher.ingest.uuids, key) for key in keys}
        if operation.subjects is not None:
            with fetcher.store.read() as connection:
                about |= persons.uuids_of_rows(connection, operation.subjects.some)
        activity = self._audit.activity(operation.who, NAME)
        try:
            if about:
                self._audit.note(operation, NAME, activity, operation.status, about)
            else:
                self._audit.note_batch(operation, NAME, activity, {"needs": len(needs)})
        except OSError:
            raise problems.unavailable(NOT_NOTED, retry_after=30) from None

    @staticmethod
    def begin(operation: Operation) -> None:
        """Count from here on whose data comes of it."""
        operation.subjects = Subjects()
