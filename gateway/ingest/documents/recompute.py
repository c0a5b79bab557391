"""Recomputes the documents that a batch touched, in its transaction: parties and actors, then contacts, then who
represents whom.

The result depends only on the legacy objects that are held now, never on the order in which they came (M6, M42).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from uuid import UUID

import orjson

from gateway.ingest.documents.contactmomenten import make_moments
from gateway.ingest.documents.klantcontacten import finished, make_contacts
from gateway.ingest.documents.vertegenwoordigingen import represent
from gateway.ingest.outcome import Touched
from gateway.ingest.sealed_claims import Sealing
from gateway.store.base.kinds import KINDS
from gateway.store.base.session import Session
from gateway.store.documents.numbering import held_by_others
from gateway.store.documents.writing import put_documents
from gateway.store.edits import references, sent_addresses, standard_addresses
from gateway.store.edits.adopting import adopt, keys_of_own
from gateway.store.edits.editing import forget_values
from gateway.store.edits.joined_partijen import follow
from gateway.store.edits.vanished import remove_gone
from gateway.store.legacy import claims as statements
from gateway.store.legacy import hidden_statements, provenance, ties, vertegenwoordigingen
from gateway.store.legacy.claims import StatementRow
from gateway.store.legacy.erased import kinds_and_uuids, note_documents
from gateway.store.legacy.findings import drop_source_finding, put_statement_findings
from gateway.store.legacy.identities import zaken_of_contacts
from gateway.store.legacy.sealed_claims import nobodys
from mappings.identity.identity import Uuids
from mappings.identity.sealed import sealed_text
from mappings.model.documents import Document
from mappings.model.findings import Finding
from mappings.model.settings import Settings
from mappings.rules.klantcontacten import KLANTCONTACTER
from mappings.rules.klanten import nummer_bezet, verdeel_nummers
from mappings.rules.merge import merge, sets_of
from mappings.rules.merged import Merged
from mappings.rules.rollen import ACTOR_TYPES, Claim


class Recomputation:
    """The recomputation of what a batch touched: fill `touched`, then `finish` does the work and empties it.

    It adds to `merged` the statements (rows) that it made parties and actors of. `erasing` says that it is because of
    what the source destroyed (M35); `day` is the one on which a rol has ended or not (M26).
    """

    def __init__(self, connection: Session, uuids: Uuids, settings: Settings, day: date) -> None:
        self.connection = connection
        self.uuids = uuids
        self.settings = settings
        self.day = day
        self.erasing = False
        self.touched = Touched()
        self.merged: set[int] = set()
        # The uuids of the partijen and actoren, with what belongs to them, that were just made.
        self.named: set[bytes] = set()
        self.clients_name = False
        # What is said of whom a client deleted; and the keys (rows) that were merged.
        self.sealing = Sealing(connection, uuids, settings)
        self._keys: set[int] = set()
        # Partijen (rows) of which an address may have come, changed or gone.
        self._addressed: set[int] = set()

    def finish(self) -> None:
        """Bring the documents in line with the claims, zaken and klantcontacten that are held now."""
        done: set[int] = set()
        again, returned = self._finish()
        while fresh := (again | returned) - done:
            done |= fresh
            # What a client named has another uuid now, came back or went.
            origins = references.origins(self.connection, again & fresh)
            self.touched.add_identities(origins.identities)
            self.touched.add_zaken(origins.zaken)
            self.touched.add_moments(origins.moments)
            for row in returned & fresh:  # something else that the legacy knows may be the same
                self.touched.add_identities(self.keys_of_own(row))
            again, returned = self._finish()
        self.sealing.seal(self._keys)
        self._keys.clear()

    def _finish(self) -> tuple[set[int], set[int]]:
        """Out: documents (rows) that do not refer to what a client named in them, and that are a client's again."""
        work = self.touched
        self.clients_name = references.clients_name(self.connection)
        self._keys |= work.identities
        alone = provenance.left_alone(self.connection, work.statements) if work.statements else {}
        deleted = hidden_statements.hidden_of(self.connection, work.statements) if self.erasing else {}
        statements.delete_unused_statements(self.connection, work.statements)
        gone = self._parties(alone) if work.identities or work.parties else set()
        # A zaakcontactmoment may be about a klantcontact of the Zaken API: that is made with its own zaak (M32).
        work.add_zaken(zaken_of_contacts(self.connection, {contact for _, contact in work.moments}))
        touched = set[bytes]()
        if self.clients_name:
            touched |= self.named | {contact for _, contact in work.moments}
        self.named.clear()
        if work.zaken or work.contacts:
            made = make_contacts(self.connection, work.zaken, work.contacts, self.uuids, self.settings)
            if self.clients_name:
                touched |= references.known_as(self.connection, made.documents).keys()
            gone |= made.gone
            work.orphaned(made.alone)
            work.subjects -= made.documents
            work.alone -= made.documents
        if work.moments or work.subjects or work.alone:
            lost = work.subjects | work.alone
            gone |= make_moments(self.connection, work.moments, lost, self.uuids, self.settings)
        gone |= represent(self.connection, work.zaken, self.uuids, self.day) if work.zaken else set()
        leaving = kinds_and_uuids(self.connection, gone) if self.erasing and gone else []
        if self.clients_name:
            touched |= references.known_as(self.connection, gone).keys()
        adressen = standard_addresses.adressen_of(self.connection, gone)
        keep = self.settings.verdwenen_partij == "inactief"
        again, returned = remove_gone(self.connection, gone, keep=keep)
        standard_addresses.nobodys(self.connection, adressen)
        standard_addresses.settle(self.connection, self._addressed, prefer=self.settings.voorkeursadres)
        if deleted:  # of whom a client deleted and the source destroyed, what clients wrote goes too (M35)
            forget_values(self.connection, nobodys(self.connection, {who for who, _ in deleted.values()}))
        note_documents(self.connection, [(KINDS[kind - 1], uuid) for kind, uuid in leaving])
        if work.statements:
            statements.delete_unused_identities(self.connection, work.identities, self.uuids)
        if gone:
            for source in {source for source, _ in work.zaken}:
                generiek = (*self.settings.klantcontact_betrokkenen, KLANTCONTACTER)
                drop_source_finding(self.connection, source, "M30", generiek, ACTOR_TYPES)
        work.clear()
        self._addressed.clear()
        if touched:
            again |= references.astray(self.connection, touched)
        return again, returned

    def _parties(self, alone: dict[bytes, int]) -> set[int]:
        """The parties and actors of the keys that were touched (M5-M18). Out: documents that are no more.

        In: what else was made of what they said, without a partij that it belongs to (uuid to row).
        """
        held = self._held(self.touched.identities)
        claims = [_claim(row) for row in held]
        numbers: set[str] = set()
        # Who gets a number depends on all who want it, and on what else those may have (M41).
        while not numbers.issuperset(more := {claim.nummer for claim in claims if claim.nummer}):
            numbers = more
            wanted = ties.identities_of_numbers(self.connection, numbers)
            held = self._held(self.touched.identities | wanted)
            claims = [_claim(row) for row in held]
        owners = self.touched.parties | {row.document for row in held if row.document is not None}
        ids_of_held = [row.id for row in held]
        before = alone | provenance.left_alone(self.connection, ids_of_held)
        before |= provenance.owned_documents(self.connection, owners)
        self._addressed |= {
            *before.values(),
            *standard_addresses.partijen_of(self.connection, before.values()),
        }
        hidden_before = hidden_statements.hidden_of(self.connection, ids_of_held)
        hidden: dict[int, hidden_statements.Hidden] = {}
        known_as = statements.other_uuids(self.connection, owners)
        documents: list[tuple[Document, bytes | None]] = []
        findings: list[tuple[int, Finding]] = []
        parties: list[tuple[Document, tuple[int, ...]]] = []
        made_of: dict[bytes, set[int]] = {}
        made = [
            (keys, merge([claims[member] for member in keys.members], keys, self.uuids, self.settings))
            for keys in sets_of(claims)
        ]
        if numbers:
            self._numbers([(merged, [claims[member] for member in keys.members]) for keys, merged in made])
        adopt(self.connection, [merged.documents for _, merged in made])
        sent = sent_addresses.rename(self.connection, self.uuids, [merged.documents for _, merged in made])
        for _, merged in made if sent else ():
            merged.adressen = {sent.get(uuid, uuid): newness for uuid, newness in merged.adressen.items()}
        follow(self.connection, [document for _, merged in made for document in merged.documents])
        for keys, merged in made:
            said_by: dict[UUID, set[int]] = defaultdict(set)
            for member in keys.members:
                said_by[claims[member].rol].add(held[member].id)
            party = merged.documents[0]
            parties.append((party, keys.members))
            documents += [(document, party.uuid.bytes) for document in merged.documents]
            findings += [(row, finding) for rol, finding in merged.findings for row in said_by[rol]]
            for document in merged.documents[1:]:
                made_of[document.uuid.bytes] = {row for rol in document.sources for row in said_by[rol]}
        given: dict[UUID, standard_addresses.Given] = {
            document.uuid: (
                document.body["soortDigitaalAdres"],
                document.links["verstrektDoorPartij"][0],
                merged.adressen.get(document.uuid),
            )
            for _, merged in made
            for document in merged.documents
            if document.kind == "digitaleadres"
        }
        kept = finished(self.connection, documents, self.uuids, self.settings)
        ids = put_documents(self.connection, standard_addresses.as_held(self.connection, kept))
        if self.clients_name:
            for document, _ in documents:
                self.named |= {document.uuid.bytes, *(other.bytes for other in document.other_uuids)}
        standard_addresses.put_candidates(self.connection, ids, given)
        written = {ids[uuid.bytes] for uuid in given if uuid.bytes in ids}
        self._addressed |= {
            ids[document.uuid.bytes]
            for document, _ in documents
            if document.kind == "partij" and document.uuid.bytes in ids
        }
        self._addressed |= standard_addresses.partijen_of(self.connection, written)
        again, pairs_again = set[int](), set[int]()
        moved: list[tuple[int | None, int]] = []
        for party, members in parties:
            row = ids.get(party.uuid.bytes)  # None: a client deleted it
            others = {other.bytes for other in party.other_uuids}
            renamed = row is not None and known_as.get(row, others) != others
            for member in members:
                away = False
                if row is None:
                    who = (party.uuid.bytes, hidden_statements.others_as_text(party.other_uuids))
                    hidden[held[member].id] = who
                    away = hidden_before.get(held[member].id) != who
                if held[member].document != row:
                    moved.append((row, held[member].id))
                if held[member].document != row or away or (renamed and party.kind == "actor"):
                    again.add(held[member].id)
                elif renamed:
                    pairs_again.add(held[member].id)
        self.merged.update(row.id for row in held)
        statements.set_documents(self.connection, moved)
        hidden_statements.put_hidden(self.connection, hidden_before, hidden)
        if again:
            self.touched.add_zaken(statements.zaken_of(self.connection, again))
            self.touched.add_moments(ties.moments_of_statements(self.connection, again))
        if pairs_again:
            self.touched.add_zaken(vertegenwoordigingen.zaken_of(self.connection, pairs_again))
        put_statement_findings(self.connection, ids_of_held, findings)
        provenance.put_statement_provenance(
            self.connection, {ids[uuid]: origins for uuid, origins in made_of.items() if uuid in ids}
        )
        return {row for uuid, row in before.items() if uuid not in ids}

    def _held(self, identities: set[int]) -> list[StatementRow]:
        """All statements that hang together with these keys, opened; without those that can't be."""
        held = statements.connected_statements(self.connection, identities)
        if not self.sealing.any_sealed([row.id for row in held]):
            return held
        closed = self.sealing.open([row.id for row in held])
        held = statements.connected_statements(self.connection, identities)
        return [row for row in held if row.id not in closed]

    def keys_of_own(self, row: int) -> set[int]:
        """The keys (rows) under which the legacy may know what a client wrote (a document's row), also when a client
        deleted that."""
        return keys_of_own(self.connection, row, lambda key: sealed_text(self.uuids, key))

    def _numbers(self, parties: Sequence[tuple[Merged, list[Claim]]]) -> None:
        """Give parties the number of a klant of theirs that is free (M41)."""
        wishes = {
            merged.documents[0].uuid: [(claim.rol, claim.nummer) for claim in claims if claim.nummer]
            for merged, claims in parties
        }
        wanted = {nummer for all_ in wishes.values() for _, nummer in all_}
        taken = ties.numbers_of_clients(self.connection, wanted)
        if self.settings.nummers == "uitdelen":
            own = {uuid for merged, _ in parties for uuid in _uuids(merged.documents[0])}
            taken |= held_by_others(self.connection, "partij", wanted, own)
        given = verdeel_nummers(wishes, taken)
        for merged, _ in parties:
            party = merged.documents[0]
            chosen = given.get(party.uuid)
            if chosen is not None:
                party.body["nummer"] = chosen[1]
            merged.findings += [
                (klant, nummer_bezet())
                for klant, nummer in wishes[party.uuid]
                if chosen is None or nummer != chosen[1]
            ]


def _uuids(document: Document) -> tuple[UUID, ...]:
    return document.uuid, *document.other_uuids


def _claim(row: StatementRow) -> Claim:
    return Claim.from_body(orjson.loads(row.body), UUID(bytes=row.rol), row.moment, row.oldest)
