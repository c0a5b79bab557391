"""Purge: forget old runs and events, notifications given up long ago, and what was asked of a source too long ago.

Empty the objects that nobody may see for too long (M2). And remove what was erased from where it still stands: the
older parts of the indexes of texts, and then the write-ahead log.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway.audit.files import remove_old
from gateway.audit.log import directory_of
from gateway.store.base.session import Session
from gateway.store.indexes import profiles, text_search
from gateway.store.inspect import purge as rows
from gateway.store.legacy import quarantine, untranslated_keys
from gateway.store.operation import leases
from jobs.common.work import Work

SECOND = 1_000_000
DAY = 86400 * SECOND
RUNS_KEPT = 90 * DAY
# An operator must have had the time to see what was wrong and have them tried again.
GIVEN_UP_KEPT = RUNS_KEPT
# What was asked longer ago than this many times `[live] max_age` is asked again anyway.
AGES_KEPT = 10
# But a source that is down for a night must not make us forget that we knew.
FETCHED_KEPT_AT_LEAST = DAY
# Of a process that was killed while it asked: nobody waits for it after this.
TURNS_KEPT = 3600 * SECOND
PIECE = 1000
EMPTIED_AT_ONCE = 100


def purge(work: Work) -> dict[str, int]:
    """Forget what is too old. Out: how much of what, and whether the log was emptied. Raises leases.Lost."""
    moment = work.clock()
    ages = AGES_KEPT * work.installation.config.live.max_age * SECOND
    forgotten = {
        "fetched": _in_pieces(work, rows.forget_fetched, moment - max(ages, FETCHED_KEPT_AT_LEAST)),
        "turns": _in_pieces(work, rows.forget_turns, moment - TURNS_KEPT),
        "runs": _in_pieces(work, rows.forget_runs, moment - RUNS_KEPT),
        "events": _in_pieces(
            work, rows.forget_events, moment - work.installation.config.audit.events_days * DAY
        ),
        "notifications": _in_pieces(work, rows.forget_given_up, moment - GIVEN_UP_KEPT),
    }
    forgotten["emptied"] = _empty(work, moment)
    _read_keys(work)
    with work.write() as connection:  # of what was deleted under a version that did not
        forgotten["sealed"] = work.installation.ingest.seal(connection)
    with work.write() as connection:
        forgotten["profiles"] = profiles.forget_unused(connection)
    forgotten["texts"] = _merge_texts(work)
    config = work.installation.config
    forgotten["audit_files"] = remove_old(directory_of(config), config.audit.keep_days, moment)
    return forgotten | {"log_emptied": int(work.installation.store.empty_log())}


def _empty(work: Work, moment: int) -> int:
    """Empty what nobody was shown for `[mapping] wachttijd_dagen` (M2). Out: how many objects."""
    before = moment - work.installation.config.mapping.wachttijd_dagen * DAY
    with work.installation.store.read() as connection:
        found = untranslated_keys.to_empty(connection, before)
    total = 0
    for start in range(0, len(found), EMPTIED_AT_ONCE):
        if work.stopping.is_set():
            break
        with work.write() as connection:
            total += work.installation.ingest.empty(
                connection, found[start : start + EMPTIED_AT_ONCE], before
            )
    return total


def _read_keys(work: Work) -> None:
    """See again whom what is in quarantine is about: an older version did not, a newer one may find more (M3)."""
    ingest, store = work.installation.ingest, work.installation.store
    with store.read() as connection:
        found = quarantine.unknown(connection)
    with store.guarded(lambda connection: leases.keep(connection, work.grip)):
        for source, kind, uuid in found:
            if work.stopping.is_set():
                return
            ingest.retry(source, kind, [uuid])


def _merge_texts(work: Work) -> int:
    """Remove erased texts from their indexes, piece by piece; out: from how many indexes."""
    with work.installation.store.read() as connection:
        indexes = text_search.with_erased(connection)
    done = 0
    for name, times in indexes:
        first = more = True
        while more and not work.stopping.is_set():
            with work.write() as connection:
                more = text_search.merge(connection, name, times, first=first)
            first = False
        done += not more
    return done


def _in_pieces(work: Work, forget: Callable[[Session, int, int], Any], before: int) -> int:
    """Forget piece by piece, so that no writer waits long."""
    total = 0
    while not work.stopping.is_set():
        with work.write() as connection:
            done = int(forget(connection, before, PIECE))
        total += done
        if done < PIECE:
            break
    return total
