"""On which terms a backfill reads: a run that was stopped goes on only when they are what it was begun on.

Its cursor tells what was read and taken. When other addresses are asked by now, or more of what they show is to be
kept, that proves nothing any more.
"""

from __future__ import annotations

from gateway.base.logs import get_logger
from gateway.config.load import EARLIER_APIS
from gateway.fetch.fetcher import Fetcher
from gateway.store.base.session import Session
from gateway.store.operation import runs
from gateway.store.operation.sources import coverage_forgotten

# The form of the cursor: a run that was stopped by an older version begins again.
FORM = "4"

log = get_logger("klantbrug.backfill")


def terms_of(connection: Session, fetcher: Fetcher) -> list[str]:
    """The terms now. Raises CutOver.

    The maximum by itself does not tell that it was lowered and raised again in between, nor that another process has
    a higher one. Both make the store forget that the source was covered, so the moment of that is a term too.
    """
    client = fetcher.client
    return [
        FORM,
        fetcher.ingest.settings.max_vertrouwelijkheidaanduiding,
        str(coverage_forgotten(connection, fetcher.source)),
        *(client.base_of(api) for api in ("zaken", *sorted(EARLIER_APIS))),
        "geen" if client.zaakcontactmomenten == "geen" else "",
    ]


def opened(connection: Session, fetcher: Fetcher) -> runs.Run:
    """The unfinished run of the source, at its beginning when it was begun on other terms; else a new one.

    Raises CutOver.
    """
    run, terms = runs.open_run(connection, "backfill", fetcher.source), terms_of(connection, fetcher)
    if run.resumed and run.cursor.get("terms") != terms:
        if run.cursor:
            log.warning(
                "backfill begins again: addresses or max_vertrouwelijkheidaanduiding changed since it was stopped",
                source=fetcher.name,
            )
        runs.start_over(connection, run)
    run.cursor["terms"] = terms
    return run
