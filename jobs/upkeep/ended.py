"""Ends: take back the vertegenwoordigingen of rollen that ended, because the day is part of the translation (M26)."""

from __future__ import annotations

from gateway.store.legacy import vertegenwoordigingen
from jobs.common.work import Work

PIECE = 50


def recompute_ended(work: Work) -> dict[str, int]:
    """Make again what zaken with a rol that ended since say of representation. Out: how many zaken that were.

    A zaak that was made again knows its next end, so none is looked at twice. Raises leases.Lost.
    """
    ingest = work.installation.ingest
    total = 0
    while not work.stopping.is_set():
        with work.write() as connection:
            zaken = vertegenwoordigingen.ended(connection, ingest.today().isoformat(), PIECE)
            merging = ingest.recomputation(connection)
            merging.touched.add_zaken(zaken)
            merging.finish()
        total += len(zaken)
        if len(zaken) < PIECE:
            break
    return {"zaken": total}
