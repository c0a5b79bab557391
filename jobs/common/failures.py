"""Whose trouble is it when a question gets no answer: the source's, or that of the one object that was asked for?

Trouble of a source passes: its questions wait. An object that a source can't give may never pass, and must not hold up
the others. The error doesn't tell (a source that is down also says 500), so something else is asked.
"""

from __future__ import annotations

from uuid import UUID

from gateway.fetch.fetcher import CutOver, Fetcher, ask
from gateway.legacy.errors import (
    CircuitOpen,
    DeadlinePassed,
    LegacyError,
    Stopped,
    TooManyRequests,
    Unreachable,
    WaitTooLong,
)
from gateway.store.base.errors import OF_THE_STORE, StoreError
from gateway.store.operation import following, leases

# Says nothing of an object: it was not looked at.
NOT_ASKED = (CircuitOpen, CutOver, DeadlinePassed, WaitTooLong, TooManyRequests)
# So many are tried, for the first may be broken too.
OTHERS = 2
# The cause of trouble that nobody thought of.
UNEXPECTED = "unexpected"


def answers_for_others(fetcher: Fetcher, kind: str, uuid: UUID) -> bool:
    """Does the source answer now for another object of this kind, that it gave lately?

    When nothing else of the kind is held: does it answer for a list?
    """
    with fetcher.store.read() as connection:
        others = following.given_lately(connection, fetcher.source, kind, uuid.bytes, OTHERS)
    for other in others:
        try:
            ask(fetcher.client, kind, UUID(bytes=other), deadline=None)
        except (Unreachable, *NOT_ASKED):
            return False
        except LegacyError:
            continue
        return True
    return not others and answers_lists(fetcher)


def answers_lists(fetcher: Fetcher) -> bool:
    """Does the source answer now for a list that every source has?"""
    for kind in ("zaak", "rol"):
        try:
            fetcher.client.first(kind)
        except LegacyError:
            continue
        return True
    return False


def is_of_the_job(error: Exception) -> bool:
    """Is it no trouble of one object or source: the job must stop, or the store does not work?"""
    return isinstance(error, (leases.Lost, Stopped, StoreError, *OF_THE_STORE))
