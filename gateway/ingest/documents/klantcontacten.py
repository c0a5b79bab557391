"""Recomputes the klantcontacten that zaken of the Zaken API give, inside the transaction of a batch (M28-M33).

Each is made of what its zaak and the rollen of it say now, so arrival never matters (M42).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

import orjson

from gateway.store.base.kinds import TRANSLATED
from gateway.store.base.session import Session
from gateway.store.documents.numbering import number
from gateway.store.documents.writing import put_documents
from gateway.store.edits.adopted import derived_uuids
from gateway.store.edits.overlay import kept_away, overlay
from gateway.store.legacy import claims as statements
from gateway.store.legacy import objects as rows
from gateway.store.legacy import provenance, ties
from gateway.store.legacy.claims import Zaak
from gateway.store.legacy.findings import put_findings, put_source_findings
from gateway.store.legacy.hidden_statements import others_of_hidden
from gateway.store.legacy.objects import RawRow
from gateway.store.operation.sources import source_name
from mappings.identity.identity import Uuids
from mappings.model.documents import Document
from mappings.model.findings import Finding
from mappings.model.settings import Settings
from mappings.rules.klantcontacten import Deelnemer, actor_weggehouden, translate_klantcontact

STAGE = 3
ZAKEN_AT_ONCE = 500


class RemadeContacts(NamedTuple):
    """What came of making klantcontacten again, as rows of documents.

    `documents` were made, `gone` are no more, `alone` were made with a klantcontact that a client deleted.
    """

    documents: set[int]
    gone: set[int]
    alone: set[int]


def make_contacts(
    connection: Session,
    zaken: Iterable[Zaak],
    contacts: Iterable[int],
    uuids: Uuids,
    settings: Settings,
) -> RemadeContacts:
    """Make the klantcontacten of these zaken again. In: also the rows of klantcontacten that may be no more."""
    owners, made, alone = set(contacts), set[int](), set[int]()
    by_source: dict[int, list[bytes]] = defaultdict(list)
    for source, zaak in sorted(zaken):
        by_source[source].append(zaak)
    for source, of_source in by_source.items():
        making = _MakingContacts(connection, source, uuids, settings)
        for start in range(0, len(of_source), ZAKEN_AT_ONCE):
            part = of_source[start : start + ZAKEN_AT_ONCE]
            held = rows.raws_of_zaken(connection, source, part, "klantcontact")
            if held:
                alone |= set(provenance.left_alone_by(connection, [row.id for row in held]).values())
                owners |= provenance.document_ids(connection, "klantcontact", [row.uuid for row in held])
                made |= making.put([row for row in held if row.state == TRANSLATED])
    owned = set(provenance.owned_documents(connection, owners).values()) if owners else set()
    return RemadeContacts(made, owned - made, alone)


def finished(
    connection: Session,
    documents: list[tuple[Document, bytes | None]],
    uuids: Uuids,
    settings: Settings,
) -> list[tuple[Document, bytes | None]]:
    """Documents as they are written: with what clients made of them (M19), and with a number when all have one."""
    documents = overlay(connection, documents)
    if settings.nummers == "uitdelen":
        number(connection, documents, uuids)
    return documents


class _MakingContacts:
    """Makes the klantcontacten of one source."""

    def __init__(self, connection: Session, source: int, uuids: Uuids, settings: Settings) -> None:
        self.connection = connection
        self.source = source
        self.uuids = uuids
        self.settings = settings

    def put(self, contacts: Sequence[RawRow]) -> set[int]:
        """Write the documents of readable klantcontacten. Out: their rows."""
        uuids = sorted({contact.zaak for contact in contacts if contact.zaak is not None})
        zaken = rows.raw_rows(self.connection, self.source, "zaak", uuids)
        deelnemers, raws = self._deelnemers(uuids)
        onderwerpen: dict[bytes, dict[str, frozenset[UUID]]] = defaultdict(dict)
        for of, about, row, tie in ties.subjects_of(self.connection, [each.uuid for each in contacts]):
            said_by = onderwerpen[of].get(str(UUID(bytes=about)), frozenset())
            onderwerpen[of][str(UUID(bytes=about))] = said_by | {UUID(bytes=tie)}
            raws[tie] = row
        name = source_name(self.connection, self.source)
        documents: list[tuple[Document, bytes | None]] = []
        findings: list[tuple[int, Finding]] = []
        source_findings: set[Finding] = set()
        for contact in contacts:
            zaak = zaken.get(contact.zaak or b"")
            if zaak is None or zaak.state != TRANSLATED:
                continue
            raws[contact.uuid] = contact.id
            made = translate_klantcontact(
                orjson.loads(contact.facts or "{}"),
                orjson.loads(zaak.facts or "{}"),
                deelnemers[zaak.uuid],
                name,
                self.uuids,
                self.settings,
                onderwerpen[contact.uuid],
            )
            documents += [(document, contact.uuid) for document in made.documents]
            findings += [(contact.id, finding) for finding in made.findings]
            source_findings.update(made.source_findings)
        made_of_legacy, documents = documents, finished(self.connection, documents, self.uuids, self.settings)
        row_of = {contact.uuid: contact.id for contact in contacts}
        for uuid in kept_away(self.connection, made_of_legacy, documents):
            findings.append((row_of[uuid.bytes], actor_weggehouden()))
        ids = put_documents(self.connection, documents)
        put_findings(self.connection, STAGE, [contact.id for contact in contacts], findings)
        put_source_findings(self.connection, self.source, source_findings)
        provenance.put_raw_provenance(
            self.connection,
            {
                ids[document.uuid.bytes]: {raws[rol.bytes] for rol in document.sources}
                for document, _ in documents
            },
        )
        return set(ids.values())

    def _deelnemers(self, zaken: Sequence[bytes]) -> tuple[dict[bytes, list[Deelnemer]], dict[bytes, int]]:
        """Who took part in each of these zaken, and the rows of those rollen by their uuid."""
        held = statements.deelnemers(self.connection, self.source, zaken)
        documents = {row.document for row in held if row.document is not None}
        others = statements.other_uuids(self.connection, documents)
        deleted = {row.uuid for row in held if row.document is None and row.uuid is not None}
        derived = derived_uuids(self.connection, {row.uuid for row in held if row.uuid is not None})
        of_deleted = others_of_hidden(self.connection, deleted)
        deelnemers: dict[bytes, list[Deelnemer]] = defaultdict(list)
        for row in held:
            deelnemers[row.zaak].append(
                Deelnemer(
                    UUID(bytes=row.rol),
                    UUID(bytes=row.uuid) if row.uuid else None,
                    orjson.loads(row.facts),
                    frozenset(
                        UUID(bytes=other)
                        for other in (
                            of_deleted.get(row.uuid or b"", ())
                            if row.document is None
                            else others.get(row.document, ())
                        )
                    ),
                    UUID(bytes=derived[row.uuid]) if row.uuid in derived else None,
                )
            )
        return deelnemers, {row.rol: row.raw for row in held}
