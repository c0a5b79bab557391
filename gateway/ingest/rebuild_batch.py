"""One transaction of a rebuild: translates held objects again, and makes what comes from them as the mapping is now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import orjson

from gateway.base.row_set import RowSet
from gateway.ingest.batch import Batch
from gateway.ingest.dependents import kept_tie
from gateway.ingest.incoming import Incoming, body_of
from gateway.ingest.ties import TIES
from gateway.store.base.kinds import QUARANTINED, TRANSLATED
from gateway.store.edits.vanished import remove_gone
from gateway.store.inspect import comparing, rebuilding
from gateway.store.legacy import objects as rows
from gateway.store.legacy import quarantine, ties, untranslated_keys
from gateway.store.legacy.claims import said_by
from mappings.model.findings import Finding, Untranslatable
from mappings.model.ties import Tie


class RebuildBatch(Batch):
    """A batch of objects that are held, and looked at again."""

    def retranslate(
        self, looked_at: Sequence[tuple[rebuilding.HeldContent, Incoming]], merged: RowSet
    ) -> None:
        """Translate held objects again; one that is gone or was taken anew meanwhile is right already.

        `merged` are the statements (rows) that this rebuild made parties and actors of before.
        """
        ids = [each.id for each, _ in looked_at]
        held = rows.raws(self.connection, ids)
        quarantine.release(self.connection, [row.id for row in held.values() if row.state != QUARANTINED])
        if spoken := untranslated_keys.has_keys(self.connection, ids):
            untranslated_keys.forget_keys(self.connection, spoken)
        self.invisible.touched = True
        self.recomputation.sealing.open(rebuilding.statements_of(self.connection, ids))
        said = rebuilding.said(self.connection, ids)
        tied = ties.ties_by(self.connection, ids)
        zaken = self._zaken({item.zaak for _, item in looked_at if item.zaak})
        for kind in {item.kind for _, item in looked_at}:
            self.dependents.look_up(kind, [item.uuid for _, item in looked_at if item.kind == kind])
        changed: dict[str, list[tuple[Incoming, rows.RawRow | None]]] = defaultdict(list)
        for each, item in looked_at:
            row = held.get(each.id)
            if row is None or row.uuid != item.uuid or row.digest != each.digest:
                continue
            if self._says_the_same(item, row, said.get(each.id, set()), tied.get(each.id), zaken):
                self.result.unchanged += 1
            else:
                changed[item.kind].append((item, row))
                self.result.changed += 1
        for kind, found in changed.items():
            self._put(kind, found, zaken)
        statements = [row for row in rebuilding.statements_of(self.connection, ids) if row not in merged]
        self.touched.add_identities(comparing.identities_of(self.connection, statements))
        self.touched.add_zaken(rebuilding.zaken_to_do(self.connection, ids))
        self.claims.touch_moments([item.uuid for _, item in looked_at if item.kind == "contactmoment"])
        ties_among = [each.id for each, item in looked_at if item.kind in TIES]
        self.claims.tied |= ties.moments_of_raws(self.connection, ties_among) if ties_among else set()
        self._finish()

    def _says_the_same(
        self,
        item: Incoming,
        row: rows.RawRow,
        said: set[rebuilding.Said],
        tied: Tie | None,
        zaken: dict[bytes, int],
    ) -> bool:
        """Is an object held as it is translated now? Its findings are noted again either way."""
        translated = self.translator.translate(self.source_name, item)
        state = self.dependents.state_of(item, translated, zaken)
        facts: str | None = None
        says: set[rebuilding.Said] = set()
        findings: list[Finding] = []
        if isinstance(translated, Untranslatable):
            if state == QUARANTINED and row.state == QUARANTINED:
                quarantine.put(self.connection, row.id, translated.reason, self.now)
        elif state == TRANSLATED:
            facts = orjson.dumps(translated.facts).decode()
            for claim in translated.claims:
                body, keys = body_of(claim), rebuilding.one_text(claim.keys)
                digest = said_by(claim.facet, body)
                says.add((claim.facet, claim.moment, item.uuid, digest, body, keys))
            findings = translated.findings
        self.invisible.note_keys(item, row.id, state, zaken.get(item.zaak) if item.zaak else None)
        self.claims.findings[row.id] = findings
        if said != says:
            rebuilding.distrust(self.connection, row.id, said, says)
        wanted = (item.zaak, state, item.digest, facts, says, kept_tie(item, state, translated))
        return (row.zaak, row.state, row.digest, row.facts, said, tied) == wanted

    def leftovers(self, found: rebuilding.Leftovers) -> None:
        """Put right what no held object led to: what these statements make, and what nothing makes any more."""
        self.touched.add_identities(comparing.identities_of(self.connection, found.statements))
        self.touched.add_zaken(found.zaken)
        if found.orphans:  # looked for again: a client's question may just have made something of them
            remove_gone(self.connection, rebuilding.orphans(self.connection))
        self._finish()
