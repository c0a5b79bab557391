"""Inserts and deletes the claims and findings of legacy objects, in the transaction of a batch.

What objects said before they change is deleted first (`withdraw`). What that touches is noted, to be made again, and so
is what the new claims touch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from gateway.ingest.incoming import body_of
from gateway.ingest.invisible_objects import InvisibleObjects
from gateway.ingest.outcome import Result, Touched
from gateway.ingest.sealed_claims import Sealing
from gateway.ingest.ties import TIES
from gateway.store.base.session import Session
from gateway.store.legacy import objects as rows
from gateway.store.legacy import quarantine, ties
from gateway.store.legacy.claims import NewClaim, insert_claims, part_of, take_claims
from gateway.store.legacy.findings import delete_findings, put_findings
from gateway.store.legacy.provenance import document_ids, left_alone_by
from mappings.model.findings import Finding
from mappings.model.translated import Translated
from mappings.standards import KINDS

# What says something of a partij or actor.
SAYING = frozenset(kind.name for kind in KINDS.values() if kind.says)
TRANSLATION_STAGE = 1


class ClaimWriter:
    """The claims and findings of the objects of one source, for one batch.

    `touched` is what has to be made again, `tied` the contactmomenten whose ties or zaken changed.
    """

    def __init__(
        self,
        connection: Session,
        source: int,
        touched: Touched,
        sealing: Sealing,
        invisible: InvisibleObjects,
        result: Result,
    ) -> None:
        self.connection = connection
        self.source = source
        self.touched = touched
        self.sealing = sealing
        self.invisible = invisible
        self.result = result
        self.tied: set[ties.Moment] = set()
        # Of what was added or changed: klanten, zaken, and contactmomenten that others may come after (uuids), and what
        # ties (rows). Contactmomenten that hang on these are looked up together.
        self.of_zaken: set[bytes] = set()
        self._of_klanten: set[bytes] = set()
        self._before: set[bytes] = set()
        self._tying: list[int] = []
        self.findings: dict[int, list[Finding]] = {}
        self.pending: list[NewClaim] = []
        # By object (row) and facet, the partij or actor that what it said was part of.
        self.was_part_of: dict[tuple[int, str], int] = {}
        # Rollen (rows), with their zaak, that say something else of a partij or actor, but the same to their zaak.
        self.settled: dict[int, bytes] = {}
        # Objects (rows) that now say what others said before.
        self.joined: set[int] = set()

    def add(self, kind: str, row: int, uuid: bytes, zaak: bytes | None, translated: Translated) -> None:
        """Add what a readable object of a readable zaak says: claims and findings; its contacts are made again."""
        if kind in SAYING:
            self.pending += [
                NewClaim(
                    row,
                    uuid,
                    claim.facet,
                    claim.moment,
                    body_of(claim),
                    claim.keys,
                    self.was_part_of.get((row, claim.facet)),
                )
                for claim in translated.claims
            ]
        if translated.findings or row in self.settled:
            self.findings[row] = translated.findings
        if kind == "klant":
            self._of_klanten.add(uuid)
        elif kind in TIES:
            self._tying.append(row)
        elif kind == "contactmoment":
            self.touch_moments([uuid])
        elif zaak is not None and row not in self.settled:
            self.touched.add_zaken([(self.source, zaak)])

    def withdraw(
        self, kind: str, found: Sequence[rows.RawRow], settled: Mapping[int, bytes] = MappingProxyType({})
    ) -> None:
        """Take back what objects said, before they change, wait or go; `settled` are those that only change."""
        if not found:
            return
        self.write()
        ids = [row.id for row in found]
        for row in ids:
            self.settled.pop(row, None)
        self.settled |= settled
        if kind == "klant":
            numbers = ties.numbers_of_raws(self.connection, ids)
            self.touched.add_identities(ties.identities_of_numbers(self.connection, numbers))
            klanten = [row.uuid for row in found]
            self.touched.add_moments(ties.moments_of(self.connection, self.source, "klant", klanten))
        elif kind in TIES:
            self.tied |= ties.moments_of_raws(self.connection, ids)
            self.touched.subjects_changed(ties.subjects_made_of(self.connection, ids))
        elif kind == "contactmoment":
            self.touch_moments([row.uuid for row in found])
        if kind in SAYING:
            taken = take_claims(self.connection, ids)
            self.touched.claims_deleted(taken)
            self.was_part_of |= taken.documents
        elif kind == "klantcontact":
            self.touched.contacts_changed(
                document_ids(self.connection, "klantcontact", [row.uuid for row in found])
            )
        if kind in ("klantcontact", "contactmoment"):
            self.touched.orphaned(left_alone_by(self.connection, ids).values())
        moved = [row for row in found if row.id not in self.settled]
        self.touched.add_zaken((self.source, row.zaak) for row in moved if row.zaak is not None)
        for row in ids:
            self.findings.pop(row, None)
        delete_findings(self.connection, [row.id for row in moved])
        quarantine.release(self.connection, ids)
        self.invisible.forget_keys(found)

    def delete(self, kind: str, found: Sequence[rows.RawRow]) -> None:
        """Delete objects, with what they said."""
        self.withdraw(kind, found)
        rows.delete_raw(self.connection, [row.id for row in found])
        rows.delete_empty_zaken(
            self.connection, {(self.source, row.zaak) for row in found if row.zaak is not None}
        )
        self.result.changed += len(found)

    def write(self) -> None:
        """Insert the claims that were added, and look up what hangs on what was, all at once."""
        self._look_up()
        if self.pending:
            self.sealing.open_keys(key for claim in self.pending for key in claim.keys)
        added = insert_claims(self.connection, self.pending)
        self.touched.add_identities(added.identities)
        self.joined |= added.joined
        self.pending.clear()

    def _look_up(self) -> None:
        connection, source = self.connection, self.source
        self.touched.add_moments(ties.moments_of(connection, source, "klant", self._of_klanten))
        self.touched.add_moments(ties.moments_of(connection, source, "vorig", self._before))
        self.tied |= ties.moments_of(connection, source, "zaak", self.of_zaken)
        if self._tying:
            self.tied |= ties.moments_of_raws(connection, self._tying)
        for each in (self._of_klanten, self._before, self.of_zaken, self._tying):
            each.clear()

    def finish(self) -> None:
        """Write the findings of all that was added, and begin anew."""
        self._unsettle()
        self.invisible.finish()
        found = [(row, finding) for row, findings in self.findings.items() for finding in findings]
        put_findings(self.connection, TRANSLATION_STAGE, self.findings, found)
        self.findings.clear()
        self.was_part_of.clear()
        self.settled.clear()
        self.joined.clear()

    def _unsettle(self) -> None:
        """Have the contacts made again of the zaken whose rollen turn out to be about another partij or actor.

        When the statement that a rol now makes was made before, by others, merging sees nothing move: it was part of
        that party already.
        """
        if joined := self.settled.keys() & self.joined:
            was = {key: document for key, document in self.was_part_of.items() if key[0] in joined}
            now_part_of = part_of(self.connection, joined)
            moved = {
                key[0]
                for key in was.keys() | now_part_of.keys()
                # One that a client deleted may be another one, too.
                if was.get(key) is None or was[key] != now_part_of.get(key)
            }
            self.touched.add_zaken((self.source, self.settled[raw]) for raw in moved)

    def touch_moments(self, contacts: Sequence[bytes]) -> None:
        """Have the klantcontacten of these contactmomenten made again, and of those that came after them."""
        self.touched.add_moments((self.source, contact) for contact in contacts)
        self._before.update(contacts)
