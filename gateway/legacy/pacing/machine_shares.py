"""What this machine may ask of a source, where several machines have one store: settled with the others while it asks.

A thread of each process settles it, twice a second while something is asked, so that no call waits for the store. What
was settled holds for ten seconds. Without a word of the others after that nothing is asked: they may have taken our
part. A part that we give up counts as ours until we tell, at the next time, that no call uses it.
"""

from __future__ import annotations

import os
import secrets
import threading
import weakref
from collections.abc import Callable
from pathlib import Path

from gateway.base import clock
from gateway.base.logs import get_logger
from gateway.base.pace_share import AskedShare, PaceShare, Wishes
from gateway.legacy.pacing import circuit_breaker, turns
from gateway.legacy.pacing.shared_state import Overrides, Pace, PaceFile, State
from gateway.legacy.pacing.turns import BACKGROUND, LIVE, LIVE_WAITING

# Settles with the other machines; None when the store is not there. In: the server, who we are, what we ask.
Settle = Callable[[str, str, AskedShare], PaceShare | None]

SETTLE_SECONDS, SOONEST_SECONDS = 0.5, 0.05
HOLDS_SECONDS = 10.0
# Who asked nothing for so long needs nothing.
ACTIVE_SECONDS = 5.0
# So long after a call wanted more than there was it is still told to the others.
WANTING_SECONDS = 1.0
# Jobs go through everything; what clients ask is little.
WEIGHT_OF_JOBS, WEIGHT_OF_CLIENTS = 4, 1
BREAKER_DIFFERS = 0.5

log = get_logger("klantbrug.legacy")
_with_others: dict[Path, Settle] = {}


def with_machines(store: Path, settle: Settle) -> None:
    """From now on the sources of a store, by its path, are asked together with other machines."""
    _with_others[store.absolute()] = settle


def leave() -> None:
    """At the end of a process: give back what no call of this machine uses; else others wait until it is over."""
    _ROUNDS.leave()


def settles(store: Path | None) -> Settle | None:
    """How the machines of a store settle; None when there is only this one."""
    return _with_others.get(store.absolute()) if store else None


class MachineShare:
    """The part of one machine in one server of a source. Safe for threads, processes and forks, as the file is."""

    def __init__(
        self, file: PaceFile, server: str, settle: Settle, most: Callable[[State], int], lasts: float
    ) -> None:
        """In: the file of this machine; the name of the server; how many connections all may have; how long a call may
        last."""
        self._file, self._server, self._settle, self._most = file, server, settle, most
        self._lasts = HOLDS_SECONDS + lasts

    def asks(self, pace: Pace, now: float, *, background: bool, wants: bool) -> None:
        """A call is to go, or waits for want of a place."""
        pace.asked_at = now
        if background:
            pace.background_at = now
        if wants:
            pace.wanting_at = now
        if wants or now >= pace.share_until:
            _ROUNDS.soon(self)

    def settle(self, oldest: float = 0.0) -> bool:
        """Settle now, when that was not done for so many seconds. Out: is anything asked?"""
        with self._file.locked() as state:
            now = clock.monotonic()
            pace = state.pace
            if 0 <= now - pace.settled_at < oldest:
                return True
            pace.settled_at = now
            pace.member = pace.member or secrets.randbits(63)
            turns.reclaim(pace, now)
            asked = self._asked(state, now)
            member, breaker, changed = f"{pace.member:x}", pace.open_until, pace.wishes_changed
        found = self._settle(self._server, member, asked)
        if found is not None:
            with self._file.locked() as state:
                self._take(state, found, asked, breaker, changed, now)
        return bool(asked.wants or asked.held)

    def leave(self) -> None:
        """Give back our part when no call uses it. Another process of this machine that asks has it settled anew."""
        with self._file.locked() as state:
            pace, now = state.pace, clock.monotonic()
            turns.reclaim(pace, now)
            if any(turns.count(pace, each) for each in (LIVE, LIVE_WAITING, BACKGROUND)):
                return
            pace.asked_at = now - ACTIVE_SECONDS
            pace.share_until = 0.0
        self.settle()

    def _asked(self, state: State, now: float) -> AskedShare:
        pace, most = state.pace, self._most(state)
        live, waiting = turns.count(pace, LIVE), turns.count(pace, LIVE_WAITING)
        used = live + turns.count(pace, BACKGROUND)
        valid = now < pace.share_until
        active = now - pace.asked_at < ACTIVE_SECONDS or used
        wants = min(most, max(1, used + waiting)) if active else 0
        background = now - pace.background_at < ACTIVE_SECONDS
        if active and background and now - pace.wanting_at < WANTING_SECONDS:
            wants = most
        return AskedShare(
            most=most,
            lasts=self._lasts,
            wants=wants,
            held=max(used, pace.share_places if valid else 0),
            live=bool(live + waiting),
            weight=(WEIGHT_OF_JOBS if background else WEIGHT_OF_CLIENTS) if active else 0,
            fraction=pace.share_fraction if valid else 0.0,
            rest=turns.rest(pace, now),
            live_rest=turns.live_rest(pace, now),
            breaker=None if pace.open_until == pace.breaker_seen else _left(pace.open_until, now),
            failed_trials=pace.failed_trials,
            wishes=_wishes(state.overrides) if pace.wishes_changed else None,
        )

    def _take(
        self, state: State, found: PaceShare, asked: AskedShare, breaker: float, changed: int, began: float
    ) -> None:
        pace, now = state.pace, clock.monotonic()
        if not asked.fraction:
            # What it may not have used yet is not saved up.
            pace.next_request, pace.next_object = max(pace.next_request, now), max(pace.next_object, now)
        pace.share_places, pace.share_fraction = found.places, found.fraction
        pace.share_until = began + HOLDS_SECONDS if asked.wants else 0.0
        pace.rest_until = max(pace.rest_until, now + found.rest if found.rest else 0.0)
        pace.live_rest_until = max(pace.live_rest_until, now + found.live_rest if found.live_rest else 0.0)
        if asked.breaker is not None:
            pace.breaker_seen = breaker
        elif pace.open_until == pace.breaker_seen:
            if not found.breaker:
                circuit_breaker.closed_elsewhere(pace)
            elif abs(now + found.breaker - pace.open_until) > BREAKER_DIFFERS:
                pace.open_until, pace.failed_trials = now + found.breaker, found.failed_trials
            pace.breaker_seen = pace.open_until
        if pace.wishes_changed == changed:
            pace.wishes_changed = 0
            if _wishes(state.overrides) != found.wishes:
                _follow(state.overrides, found.wishes)
                pace.allowed = pace.next_request = pace.next_object = 0.0


def _left(until: float, now: float) -> float:
    """Seconds until then, a moment when it is past; 0 for none."""
    return max(0.000_001, until - now) if until else 0.0


def _wishes(overrides: Overrides) -> Wishes:
    return Wishes(
        bool(overrides.paused),
        overrides.connections,
        overrides.requests_per_second,
        overrides.objects_per_second,
    )


def _follow(overrides: Overrides, wishes: Wishes) -> None:
    overrides.paused = int(wishes.paused)
    overrides.connections = wishes.connections
    overrides.requests_per_second = wishes.requests_per_second
    overrides.objects_per_second = wishes.objects_per_second


class _Rounds:
    """The thread of this process that settles what is asked."""

    def __init__(self) -> None:
        self._pid = 0
        self._lock = threading.Lock()
        self._wish = threading.Event()
        self._shares: weakref.WeakSet[MachineShare] = weakref.WeakSet()

    def soon(self, share: MachineShare) -> None:
        """See that it is settled soon, and for as long as it asks."""
        if self._pid != os.getpid():
            self._begin()
        self._shares.add(share)
        self._wish.set()

    def _begin(self) -> None:
        with self._lock:
            if self._pid == os.getpid():
                return
            self._wish, self._shares = threading.Event(), weakref.WeakSet()
            threading.Thread(target=self._run, args=(self._wish,), name="shares", daemon=True).start()
            self._pid = os.getpid()

    def leave(self) -> None:
        """Of all that this process asked."""
        if self._pid == os.getpid():
            for share in list(self._shares):
                share.leave()

    def forked(self) -> None:
        """A lock of the child's own: a thread that it does not have may hold that of the parent."""
        self._lock = threading.Lock()

    def _run(self, wish: threading.Event) -> None:
        active = False
        while True:
            wish.wait(SETTLE_SECONDS if active else None)
            wish.clear()
            active = False
            for share in list(self._shares):
                if share.settle(SOONEST_SECONDS):
                    active = True
                else:
                    self._shares.discard(share)
            clock.sleep(SOONEST_SECONDS)


_ROUNDS = _Rounds()
os.register_at_fork(after_in_child=_ROUNDS.forked)
