"""Recomputes the documents that a batch touched, inside its transaction: parties and actors, then contacts.

The result depends only on the legacy objects that are held now, never on the order in which they came (M6, M42).
"""

from __future__ import annotations

import sqlite3
from uuid import UUID

import orjson

from gateway.store import legacy as rows
from gateway.store.kinds import TRANSLATED
from gateway.store.writing import put_documents, remove_documents
from mappings.documents import Document
from mappings.findings import Finding
from mappings.identity import Uuids, key_sets
from mappings.klantcontacten import Deelnemer, translate_klantcontact
from mappings.merge import merge
from mappings.rollen import Claim
from mappings.settings import Settings


class Merging:
    """What a batch touched, and its recomputation.

    Fill `identities` (rows of keys), `parties` (rows of documents that lost a claim), `contacts` (rows of
    klantcontact documents that changed) and `zaken` (uuids); `finish` does the work and empties them.
    """

    def __init__(
        self, connection: sqlite3.Connection, source: int, source_name: str, uuids: Uuids, settings: Settings
    ) -> None:
        self.connection = connection
        self.source = source
        self.source_name = source_name
        self.uuids = uuids
        self.settings = settings
        self.identities: set[int] = set()
        self.parties: set[int] = set()
        self.contacts: set[int] = set()
        self.zaken: set[bytes] = set()

    def finish(self) -> None:
        """Bring the documents in line with the claims, zaken and klantcontacten that are held now."""
        gone = self._parties() if self.identities or self.parties else set()
        gone |= self._contacts() if self.zaken or self.contacts else set()
        remove_documents(self.connection, gone)
        rows.delete_unused_identities(self.connection, self.identities)
        for touched in (self.identities, self.parties, self.contacts, self.zaken):
            touched.clear()

    def _parties(self) -> set[int]:
        held = rows.connected_claims(self.connection, self.identities)
        claims = [Claim.from_body(UUID(bytes=row.uuid), orjson.loads(row.body)) for row in held]
        owners = self.parties | {row.document for row in held if row.document is not None}
        before = rows.owned_documents(self.connection, owners)
        row_of_rol = {row.uuid: row.raw for row in held}
        documents: list[tuple[Document, bytes | None]] = []
        findings: list[tuple[int, Finding]] = []
        parties: list[tuple[bytes, tuple[int, ...]]] = []
        for keys in key_sets([claim.keys for claim in claims]):
            merged = merge([claims[member] for member in keys.members], keys, self.uuids, self.settings)
            party = merged.documents[0].uuid.bytes
            parties.append((party, keys.members))
            documents += [(document, party) for document in merged.documents]
            findings += [(row_of_rol[rol.bytes], finding) for rol, finding in merged.findings]
        ids = put_documents(self.connection, documents)
        moved = [
            (ids[party], held[member])
            for party, members in parties
            for member in members
            if held[member].document != ids[party]
        ]
        rows.set_claim_documents(self.connection, [(document, row.id) for document, row in moved])
        self.zaken |= {row.zaak for _, row in moved if row.zaak is not None}
        rows.put_findings(self.connection, 2, set(row_of_rol.values()), findings)
        self._provenance(
            [document for document, party in documents if document.uuid.bytes != party], ids, row_of_rol
        )
        return {row for uuid, row in before.items() if uuid not in ids}

    def _contacts(self) -> set[int]:
        """The klantcontacten of the zaken that were touched (M28-M31, M33)."""
        documents: list[tuple[Document, bytes | None]] = []
        findings: list[tuple[int, Finding]] = []
        row_of_raw: dict[bytes, int] = {}
        contact_rows = []
        touched: set[bytes] = set()
        zaken = rows.raw_rows(self.connection, self.source, "zaak", list(self.zaken))
        source_findings: list[Finding] = []
        for uuid in sorted(self.zaken):
            contacts = rows.raw_of_zaak(self.connection, self.source, uuid, "klantcontact")
            touched |= {contact.uuid for contact in contacts}
            zaak = zaken.get(uuid)
            contacts = [contact for contact in contacts if contact.state == TRANSLATED]
            if zaak is None or zaak.state != TRANSLATED or not contacts:
                continue
            deelnemers = []
            for rol, document, facts in rows.deelnemers(self.connection, self.source, uuid):
                deelnemers.append(Deelnemer(UUID(bytes=rol), UUID(bytes=document), orjson.loads(facts)))
            for rol_row in rows.raw_of_zaak(self.connection, self.source, uuid, "rol"):
                row_of_raw[rol_row.uuid] = rol_row.id
            zaak_facts = orjson.loads(zaak.facts or "{}")
            for contact in contacts:
                row_of_raw[contact.uuid] = contact.id
                contact_rows.append(contact.id)
                made = translate_klantcontact(
                    orjson.loads(contact.facts or "{}"),
                    zaak_facts,
                    deelnemers,
                    self.source_name,
                    self.uuids,
                    self.settings,
                )
                documents += [(document, contact.uuid) for document in made.documents]
                findings += [(contact.id, finding) for finding in made.findings]
                source_findings += made.source_findings
        owners = self.contacts | rows.document_ids(self.connection, "klantcontact", touched)
        before = rows.owned_documents(self.connection, owners)
        ids = put_documents(self.connection, documents)
        rows.put_findings(self.connection, 3, contact_rows, findings)
        rows.put_source_findings(self.connection, self.source, set(source_findings))
        self._provenance([document for document, _ in documents], ids, row_of_raw)
        return {row for uuid, row in before.items() if uuid not in ids}

    def _provenance(self, documents: list[Document], ids: dict[bytes, int], raws: dict[bytes, int]) -> None:
        rows.put_provenance(
            self.connection,
            {
                ids[document.uuid.bytes]: {raws[source.bytes] for source in document.sources}
                for document in documents
            },
        )
