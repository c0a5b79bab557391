"""Recomputes the klantcontacten that contactmomenten of an earlier standard give, inside the transaction of a batch.

Each is made of all that it is tied to now (M32, M40), so arrival never matters (M42).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

import orjson

from gateway.ingest.documents.klantcontacten import finished
from gateway.store.base.kinds import RAW_KIND, TRANSLATED
from gateway.store.base.session import Session
from gateway.store.documents.writing import put_documents
from gateway.store.edits import written_back
from gateway.store.edits.adopted import derived_uuids
from gateway.store.edits.overlay import kept_away
from gateway.store.legacy import objects as rows
from gateway.store.legacy import ties
from gateway.store.legacy.claims import other_uuids
from gateway.store.legacy.findings import put_findings
from gateway.store.legacy.hidden_statements import others_of_hidden
from gateway.store.legacy.provenance import left_alone_by, owned_documents, put_raw_provenance
from gateway.store.legacy.ties import Moment, TieRow
from gateway.store.operation.sources import source_name
from mappings.identity.identity import Uuids
from mappings.model.documents import Document
from mappings.model.findings import Finding
from mappings.model.settings import Settings
from mappings.rules.contactmomenten import (
    Gesprekspartner,
    Omgeving,
    Onderwerpzaak,
    actor_weggehouden,
    translate_contactmoment,
)
from mappings.rules.klantcontacten import zaak_onderwerp

STAGE = 3
AT_ONCE = 300


def make_moments(
    connection: Session,
    touched: Iterable[Moment],
    subjects: Iterable[int],
    uuids: Uuids,
    settings: Settings,
) -> set[int]:
    """Make the klantcontacten of these contactmomenten again.

    In: the contactmomenten, and the rows of onderwerpobjecten that may be no more. Out: rows of documents that are.
    """
    by_source: dict[int, list[bytes]] = defaultdict(list)
    for source, contact in sorted(touched):
        by_source[source].append(contact)
    before, made = set(subjects), set()
    for source, contacts in by_source.items():
        for start in range(0, len(contacts), AT_ONCE):
            part = contacts[start : start + AT_ONCE]
            # A klantcontact refers to the one before it, and can't be made without.
            part += sorted(ties.lost_before(connection, source, part) - {*part})
            owners = ties.legacy_contacts(connection, part)
            before |= set(owned_documents(connection, owners).values())
            making = _MakingMoments(connection, source, part, uuids, settings)
            before |= making.alone
            made |= making.put()
    return before - made


class _MakingMoments:
    """The contactmomenten of one source: what they are tied to, read at once."""

    def __init__(
        self,
        connection: Session,
        source: int,
        contacts: Sequence[bytes],
        uuids: Uuids,
        settings: Settings,
    ) -> None:
        self.connection = connection
        self.source = source
        self.contacts = contacts
        self.uuids = uuids
        self.settings = settings
        held = rows.raw_rows(connection, source, "contactmoment", contacts)
        self.moments = {uuid: row for uuid, row in held.items() if row.state == TRANSLATED}
        self.ties: dict[bytes, list[TieRow]] = defaultdict(list)
        for tie in ties.ties_of(connection, source, contacts):
            self.ties[tie.contact].append(tie)
        found = [tie for group in self.ties.values() for tie in group]
        self.klanten = ties.partijen_of(connection, source, sorted({t.klant for t in found if t.klant}))
        self.actors = ties.actors_of(connection, source, contacts)
        self.others = other_uuids(
            connection, {row for named in self.actors.values() for _, row in named.values() if row}
        )
        self.others_of_hidden = others_of_hidden(
            connection,
            {actor for named in self.actors.values() for actor, row in named.values() if row is None},
        )
        self.derived = derived_uuids(
            connection, {actor for named in self.actors.values() for actor, _ in named.values()}
        )
        zaken = rows.raw_rows(connection, source, "zaak", sorted({tie.zaak for tie in found if tie.zaak}))
        self.zaken = {uuid: row for uuid, row in zaken.items() if row.state == TRANSLATED}
        vorige = sorted({tie.vorig for tie in found if tie.vorig})
        earlier = rows.raw_rows(connection, source, "contactmoment", vorige)
        self.vorige = {uuid for uuid, row in earlier.items() if row.state == TRANSLATED}
        # Of those that write-back made (W3) the klantcontact is the client's.
        self.made_of = written_back.documents(connection, source, set(vorige) - self.vorige)
        self.vorige |= self.made_of.keys()
        # Where the documents came from, by the uuids of legacy objects.
        self.raws = {tie.uuid: tie.raw for tie in found} | {
            uuid: row[0] for uuid, row in self.klanten.items()
        }
        self.raws |= {uuid: row.id for uuid, row in self.moments.items()}
        # What a client gave to another klantcontact before it deleted one of these.
        self.alone = set(left_alone_by(connection, [row.id for row in held.values()]).values())

    def put(self) -> set[int]:
        """Write the documents. Out: their rows."""
        name = source_name(self.connection, self.source)
        local = ties.local_contacts(self.connection, self.contacts)
        documents: list[tuple[Document, bytes | None]] = []
        findings: list[tuple[int, Finding]] = []
        for contact in self.contacts:
            row = self.moments.get(contact)
            if row is not None:
                facts = orjson.loads(row.facts or "{}")
                translated = translate_contactmoment(
                    facts, self._omgeving(contact), name, self.uuids, self.settings
                )
                documents += [(document, contact) for document in translated.documents]
                findings += [(row.id, finding) for finding in translated.findings]
            elif contact in local:
                documents += [(document, None) for document in self._subjects(contact, local[contact])]
        for document, _ in documents:
            if "wasKlantcontact" in document.links:
                was = document.links["wasKlantcontact"][0]
                document.links["wasKlantcontact"] = [self.made_of.get(was.bytes, was)]
        made, documents = documents, finished(self.connection, documents, self.uuids, self.settings)
        for uuid in kept_away(self.connection, made, documents):
            findings.append((self.moments[uuid.bytes].id, actor_weggehouden()))
        ids = put_documents(self.connection, documents)
        put_findings(self.connection, STAGE, [row.id for row in self.moments.values()], findings)
        put_raw_provenance(
            self.connection,
            {
                ids[document.uuid.bytes]: {self.raws[uuid.bytes] for uuid in document.sources}
                for document, _ in documents
            },
        )
        return set(ids.values())

    def _omgeving(self, contact: bytes) -> Omgeving:
        group = self.ties[contact]
        named = self.actors.get(contact, {})
        actor = named.get("zelf")
        others: set[bytes] = set()
        if actor:
            others = (
                self.others.get(actor[1], set()) if actor[1] else self.others_of_hidden.get(actor[0], set())
            )
        return Omgeving(
            self._partners(group),
            self._zaken(group),
            UUID(bytes=actor[0]) if actor else None,
            frozenset(UUID(bytes=other) for other in others),
            UUID(bytes=self.derived[actor[0]]) if actor and actor[0] in self.derived else None,
            {facet: UUID(bytes=uuid) for facet, (uuid, row) in named.items() if facet != "zelf" and row},
            any(tie.vorig in self.vorige for tie in group),
        )

    def _partners(self, group: list[TieRow]) -> list[Gesprekspartner]:
        """One for each klant; what the contactmoment itself names counts where nothing else tells the rol."""
        own = RAW_KIND["contactmoment"]
        by_klant: dict[bytes, list[TieRow]] = defaultdict(list)
        for tie in group:
            if tie.klant is not None:
                by_klant[tie.klant].append(tie)
        partners = []
        for klant, found in sorted(by_klant.items()):
            rollen = {orjson.loads(tie.facts)["rol"] for tie in found if tie.kind != own}
            row, facts, partij, _ = self.klanten.get(klant, (None, "{}", None, None))
            partners.append(
                Gesprekspartner(
                    UUID(bytes=klant),
                    UUID(bytes=partij) if partij else None,
                    orjson.loads(facts),
                    "belanghebbende" in rollen or not rollen,
                    frozenset(UUID(bytes=tie.uuid) for tie in found),
                    verwijderd=row is not None and partij is None,
                )
            )
        return partners

    def _zaken(self, group: list[TieRow]) -> list[Onderwerpzaak]:
        by_zaak: dict[bytes, set[UUID]] = defaultdict(set)
        for tie in group:
            if tie.zaak in self.zaken:
                by_zaak[tie.zaak].add(UUID(bytes=tie.uuid))
        return [
            Onderwerpzaak(
                UUID(bytes=zaak),
                orjson.loads(self.zaken[zaak].facts or "{}")["vertrouwelijkheidaanduiding"],
                frozenset(sources),
            )
            for zaak, sources in sorted(by_zaak.items())
        ]

    def _subjects(self, contact: bytes, moment: int) -> list[Document]:
        """What zaken say of a klantcontact that a client made here (M32)."""
        return [
            zaak_onderwerp(
                UUID(bytes=contact), str(zaak.uuid), moment, self.uuids, self.settings, zaak.sources
            )
            for zaak in self._zaken(self.ties[contact])
        ]
