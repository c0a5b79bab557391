"""Recomputes the vertegenwoordigingen that zaken give, inside the transaction of a batch (M25, M26).

One document a pair, made of the rollen of every zaak that gives it; gone with the last of those.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from uuid import UUID

import orjson

from gateway.store.base.session import Session
from gateway.store.documents.writing import put_documents
from gateway.store.edits.adopting import adopt_pair, clients_have_pairs
from gateway.store.edits.overlay import overlay
from gateway.store.legacy import vertegenwoordigingen as store
from gateway.store.legacy.claims import Zaak
from gateway.store.legacy.findings import put_findings
from gateway.store.legacy.provenance import document_ids, put_raw_provenance
from gateway.store.legacy.vertegenwoordigingen import RepresentationRow
from mappings.identity.identity import Uuids
from mappings.model.documents import Document
from mappings.model.findings import Finding
from mappings.rules.vertegenwoordigingen import (
    InZaak,
    Machtiging,
    Pair,
    in_zaak,
    pair_uuids,
    vertegenwoordiging,
)

# A zaak and a vertegenwoordiging that it gives, as uuids.
Given = tuple[bytes, bytes]
STAGE = 4
ZAKEN_AT_ONCE = 500


def represent(connection: Session, zaken: Iterable[Zaak], uuids: Uuids, day: date) -> set[int]:
    """Make the vertegenwoordigingen of these zaken again. Out: rows of documents that are no more."""
    work = _Representing(connection, uuids, day)
    work.look_at(set(zaken))
    # A pair is one document over all zaken: the others that give it are read as well. What else those give is left
    # alone, for the zaken that give that are not all read.
    while others := work.other_givers():
        work.look_at(others, all_they_give=False)
    return work.put()


class _Representing:
    """`made` has, for each pair that was met, its rollen: (row, uuid, moment); `known_as` the uuids of its
    vertegenwoordiging, first its own: a client's when one made it (M19). `affected` are the pairs (uuids) to be
    written, for which every zaak that gives them is among `looked_at`."""

    def __init__(self, connection: Session, uuids: Uuids, day: date) -> None:
        self.connection = connection
        self.uuids = uuids
        self.day = day
        self.clients_have_pairs = clients_have_pairs(connection)
        self.affected: set[bytes] = set()
        self.looked_at: set[Zaak] = set()
        self.asked: set[bytes] = set()
        self.known_as: dict[Pair, list[UUID]] = {}
        self.made: dict[Pair, set[tuple[int, UUID, int]]] = defaultdict(set)

    def look_at(self, zaken: set[Zaak], all_they_give: bool = True) -> None:
        """Read what zaken give, and note it with what they gave before; affected is all of it, or what differs."""
        self.looked_at |= zaken
        by_source: dict[int, list[bytes]] = defaultdict(list)
        for source, zaak in sorted(zaken):
            by_source[source].append(zaak)
        for source, of_source in by_source.items():
            for start in range(0, len(of_source), ZAKEN_AT_ONCE):
                before, after = self._look_at(source, of_source[start : start + ZAKEN_AT_ONCE])
                self.affected |= {uuid for _, uuid in (before | after if all_they_give else before ^ after)}

    def other_givers(self) -> set[Zaak]:
        """The zaken that give what is affected and were not looked at yet."""
        givers = store.givers(self.connection, sorted(self.affected - self.asked))
        self.asked |= self.affected
        return {zaak for zaken in givers.values() for zaak in zaken} - self.looked_at

    def _look_at(self, source: int, zaken: list[bytes]) -> tuple[set[Given], set[Given]]:
        """Out: what they gave before, and what they give now."""
        taking_part = store.taking_part(self.connection, source, zaken)
        before = store.given(self.connection, source, zaken)
        after: set[Given] = set()
        findings: list[tuple[int, Finding]] = []
        ends: dict[bytes, str] = {}
        by_zaak = {zaak: in_zaak(map(_machtiging, part), self.day) for zaak, part in taking_part.items()}
        self._name({pair for said in by_zaak.values() for pair in said.pairs})
        for zaak, part in taking_part.items():
            said = by_zaak[zaak]
            if said.until:
                ends[zaak] = said.until.isoformat()
            after |= {(zaak, self.known_as[pair][0].bytes) for pair in said.pairs}
            findings += self._keep(part, said)
        store.put_given(self.connection, source, before, after)
        store.put_ends(self.connection, source, zaken, ends)
        if taking_part:
            looked_at = [row.raw for part in taking_part.values() for row in part]
            put_findings(self.connection, STAGE, looked_at, findings)
        return before, after

    def _name(self, pairs: set[Pair]) -> None:
        """Note in `known_as` what the vertegenwoordigingen of these pairs are known by."""
        fresh = sorted(pairs - self.known_as.keys())
        others = store.other_uuids(self.connection, {uuid.bytes for pair in fresh for uuid in pair})
        for pair in fresh:
            represented, representative = (
                [UUID(bytes=other) for other in sorted(others.get(uuid.bytes, ()))] for uuid in pair
            )
            derived = pair_uuids(self.uuids, pair, (represented, representative))
            own = adopt_pair(self.connection, derived, pair) if self.clients_have_pairs else None
            own = own or derived[0]
            self.known_as[pair] = [own, *(uuid for uuid in derived if uuid != own)]

    def _keep(self, part: list[RepresentationRow], said: InZaak) -> list[tuple[int, Finding]]:
        rollen = {UUID(bytes=row.rol): row for row in part}
        for pair, uuids in said.pairs.items():
            self.made[pair] |= {
                (rollen[uuid].raw, uuid, orjson.loads(rollen[uuid].facts)["moment"]) for uuid in uuids
            }
        return [(rollen[rol].raw, finding) for rol, finding in said.findings]

    def put(self) -> set[int]:
        """Write the documents of the pairs that were met. Out: rows of those that nothing gives any more."""
        if not self.affected:
            return set()
        documents: list[tuple[Document, bytes | None]] = []
        made_of: dict[bytes, set[int]] = {}
        for pair, rollen in sorted(self.made.items()):
            known_as = self.known_as[pair]
            if known_as[0].bytes not in self.affected:
                continue
            created = min(moment for _, _, moment in rollen)
            documents.append(
                (vertegenwoordiging(pair, created, {rol for _, rol, _ in rollen}, known_as), None)
            )
            made_of[known_as[0].bytes] = {raw for raw, _, _ in rollen}
        ids = put_documents(self.connection, overlay(self.connection, documents))
        put_raw_provenance(
            self.connection, {ids[uuid]: raws for uuid, raws in made_of.items() if uuid in ids}
        )
        return document_ids(self.connection, "vertegenwoordiging", self.affected - ids.keys())


def _machtiging(row: RepresentationRow) -> Machtiging:
    facts = orjson.loads(row.facts)
    return Machtiging(
        UUID(bytes=row.rol),
        facts["moment"],
        facts["machtiging"],
        UUID(bytes=row.partij) if row.partij else None,
        UUID(bytes=row.representee) if row.representee else None,
    )
