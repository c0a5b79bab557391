"""The gate that each call on a source goes through: may it go now, must it wait, or is it refused at once?

Shared by all processes of a store. Live calls (a client waits) go before background ones (see `background`), which
moreover keep to the window, to an operator's pause, and to what the source bears. It merely decides and waits; what is
asked, and tried again, is the transport's affair.
"""

from __future__ import annotations

import itertools
import threading
from datetime import timedelta
from pathlib import Path

from gateway.base import clock
from gateway.base.logs import get_logger
from gateway.base.process_identity import this_process
from gateway.base.time_windows import Window
from gateway.config.defaults import MOST_CONNECTIONS
from gateway.config.model import Source
from gateway.legacy import errors
from gateway.legacy.background import Background, Waiting, current
from gateway.legacy.pacing import circuit_breaker, concurrency, turns
from gateway.legacy.pacing.ended_calls import EndedCall, learn
from gateway.legacy.pacing.machine_shares import HOLDS_SECONDS, MachineShare, settles
from gateway.legacy.pacing.shared_state import Call, Overrides, Pace, PaceFile, State
from gateway.legacy.pacing.turns import BACKGROUND, LIVE, Limits

# How often a waiting call looks whether a place came free elsewhere, and whether an operator changed something.
POLL_SECONDS, WISH_SECONDS = 0.005, 0.25
RECLAIM_SECONDS = 0.2
# So many seconds of rest more than before are worth telling an operator.
LONG_REST = 30.0

WINDOW = "buiten het venster"
PAUSED = "gepauzeerd"
# In the file a reason stands by its place here.
REASONS = ("", WINDOW, PAUSED, turns.REST, turns.BROKEN, *turns.SHORT)
# What may take long, so that a job with little patience does not wait for it.
LONG = (WINDOW, PAUSED, turns.REST, turns.BROKEN)
# What an operator chose; the others are the source's trouble.
CHOSEN = (WINDOW, PAUSED)

log = get_logger("klantbrug.legacy")
_numbers = itertools.count(1)


class Gate:
    """The gate of one server of a source. Safe for threads and forks."""

    def __init__(
        self,
        source: Source,
        path: Path | None,
        store: Path | None = None,
        name: str = "",
    ) -> None:
        """`path`: of the file shared with other processes; None shares with nobody. It is beside `store`. `name`: of
        the server, for other machines."""
        self._source = source
        self._file = PaceFile(path, store)
        self._window = Window(source.window)
        self._freed = threading.Condition()
        self._looked = 0.0
        settle = settles(store)
        self._share = None
        if settle is not None:
            self._share = MachineShare(self._file, name, settle, self._most, source.call_timeout)

    def share(self) -> None:
        """See that the pace is shared with the other processes of the store. Raises NotShared."""
        self._file.share()

    def settle(self, *, changed: bool = False) -> None:
        """Settle with the other machines, when there are any and something `changed`, or it was not done just now."""
        if self._share is not None:
            self._share.settle(0.0 if changed else WISH_SECONDS)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    # Calls

    def enter(self, template: str, deadline: float | None) -> Call:
        """Wait until the call may go and take its place, that the caller gives back with `leave`.

        `deadline` is a clock.monotonic. A live call raises CircuitOpen or TooManyRequests where waiting is of no use.
        A background call waits for that too; it raises WaitTooLong when its patience ends, Stopped when it must stop.
        Both raise DeadlinePassed.
        """
        ours = this_process()
        call = Call(pid=ours.pid, born=ours.born, namespace=ours.namespace, number=next(_numbers))
        job = current()
        if job is None:
            self._enter_live(call, template, deadline)
        else:
            self._enter_background(call, job, template, deadline)
        return call

    def leave(self, call: Call, asked: EndedCall | None) -> None:
        """Give the place back and let everybody learn from the call; None when it was broken off by ourselves."""
        with self._file.locked() as state:
            now = clock.monotonic()
            before = turns.rest(state.pace, now)
            turns.remove(state.pace, call)
            if asked is None:
                circuit_breaker.ended(state.pace, call, now)
            else:
                learn(state.pace, call, asked, self._limits(state, now), now)
            rest = turns.rest(state.pace, now)
        if rest > before + LONG_REST:
            log.warning(
                "a source asks for rest",
                source=self._source.name,
                seconds=round(rest),
                asked=round(getattr(asked and asked.error, "asked_rest", None) or rest),
            )
        with self._freed:
            self._freed.notify_all()

    def charge(self, objects: int) -> None:
        """Count objects that a background call read; later background calls wait for them."""
        if current() is not None:
            with self._file.locked() as state:
                now = clock.monotonic()
                turns.charge(state.pace, objects, self._limits(state, now).objects_per_second, now)

    def broken(self) -> bool:
        """Is the circuit breaker open?"""
        with self._file.locked() as state:
            return bool(state.pace.open_until)

    def refuse_when_broken(self, template: str) -> None:
        """Raise CircuitOpen when a live call would, which goes before any work that leads up to one."""
        with self._file.locked() as state:
            if circuit_breaker.wait(state.pace, clock.monotonic()):
                raise errors.CircuitOpen(self._source.name, template)

    def waits(self, *, window: bool = True) -> Waiting | None:
        """What a background call would wait for now, of what may take long; None when it can go."""
        opens = self._opens() if window else None
        with self._file.locked() as state:
            found = self._long(state, opens)
        return self._waiting(*found) if found else None

    # Overrides

    def pause(self, paused: bool) -> None:
        """Hold all background calls of every process, or let them go again; kept over restarts."""
        with self._file.locked() as state:
            state.overrides.paused = paused
            state.pace.wishes_changed += 1

    def override(
        self,
        *,
        connections: int | None = None,
        requests_per_second: float | None = None,
        objects_per_second: float | None = None,
    ) -> None:
        """Put other limits over those of the configuration, of what is given; kept until `clear_overrides`."""
        with self._file.locked() as state:
            state.pace.wishes_changed += 1
            if connections is not None:
                state.overrides.connections = connections
                state.pace.allowed = 0.0
            if requests_per_second is not None:
                state.overrides.requests_per_second = requests_per_second
                state.pace.next_request = 0.0
            if objects_per_second is not None:
                state.overrides.objects_per_second = objects_per_second
                state.pace.next_object = 0.0

    def clear_overrides(self) -> None:
        """Let the limits of the configuration hold again; a pause stays."""
        self.override(connections=-1, requests_per_second=-1, objects_per_second=-1)

    def describe(self) -> dict[str, object]:
        """How the source is asked now, ready for JSON; see `server_gates.describe`."""
        opens = self._opens()
        with self._file.locked() as state:
            pace, now, limits = state.pace, clock.monotonic(), self._chosen(state.overrides)
            self._reclaim(pace, now)
            found = self._long(state, opens)
            if found is None and 0 <= now - pace.reason_at <= 2 * WISH_SECONDS:
                found = REASONS[pace.reason], pace.reason_until - now if pace.reason_until else None
            waiting = self._waiting(*found) if found else None
            usual = concurrency.p50(pace)
            overrides = {
                name: getattr(state.overrides, name) for name, _ in Overrides._fields_ if name != "paused"
            }
            return {
                "breaker": circuit_breaker.state_of(pace, now),
                "paused": bool(state.overrides.paused),
                "connections": limits.connections,
                "allowed": concurrency.allowed(pace, limits.connections),
                "in_flight": turns.count(pace, LIVE) + turns.count(pace, BACKGROUND),
                "requests_per_second": limits.requests_per_second,
                "objects_per_second": limits.objects_per_second,
                "p50_ms": None if usual is None else round(usual * 1000),
                "slow": bool(pace.slow),
                "waiting": waiting.reason if waiting else None,
                "until": waiting.until.isoformat(timespec="seconds") if waiting and waiting.until else None,
                "overrides": {name: value for name, value in overrides.items() if value >= 0},
            }

    # Live

    def _enter_live(self, call: Call, template: str, deadline: float | None) -> None:
        name = self._source.name
        turn: float | None = None
        waits = False
        try:
            while True:
                with self._file.locked() as state:
                    pace, now = state.pace, clock.monotonic()
                    limits = self._limits(state, now)
                    closed = circuit_breaker.wait(pace, now)
                    if closed:
                        raise errors.CircuitOpen(name, template)
                    rest = turns.live_rest(pace, now)
                    if rest and deadline is not None and now + rest >= deadline:
                        raise errors.TooManyRequests(name, template, text="de bron heeft om rust gevraagd")
                    if turn is None and limits.connections:
                        turn = turns.due(pace.next_request, limits.requests_per_second, now)
                        if deadline is not None and turn > deadline:
                            raise errors.DeadlinePassed(name, template)
                        turns.take(pace, turn, limits)
                    due = max(now + rest, turn or now)
                    call.at = now
                    if due <= now and turns.live_may_go(pace, limits.connections, self._reserve):
                        turns.remove(pace, call)
                        waits = False
                        turns.add(pace, call, LIVE)
                        self._asks(pace, now)
                        circuit_breaker.start(pace, call, now)
                        return
                    if not waits:
                        waits = turns.add(pace, call, turns.LIVE_WAITING)
                    self._asks(pace, now, wants=due <= now)
                    self._reclaim(pace, now)
                left = None if deadline is None else deadline - now
                if left is not None and left <= 0:
                    raise errors.DeadlinePassed(name, template)
                seconds = min(due - now, WISH_SECONDS) if due > now else POLL_SECONDS
                self._sleep(seconds if left is None else min(seconds, left))
        finally:
            if waits:
                with self._file.locked() as state:
                    turns.remove(state.pace, call)

    # Background

    def _enter_background(self, call: Call, job: Background, template: str, deadline: float | None) -> None:
        name = self._source.name
        began = clock.monotonic()
        told = ""
        ahead = False  # has it a place before other background calls?
        if job.stop is not None and job.stop.is_set():
            raise errors.Stopped(name)
        try:
            while True:
                opens = self._opens() if job.window else None
                with self._file.locked() as state:
                    now = clock.monotonic()
                    found = self._background_hold(state, call, opens, now, first=job.first)
                    if found is None:
                        ahead = False
                        return
                    if job.first and not ahead and found[0] in turns.SHORT:
                        call.at = now
                        ahead = turns.add(state.pace, call, turns.FIRST_WAITING)
                reason, seconds = found
                if reason != told:
                    told = reason
                    if job.waiting:
                        job.waiting(self._waiting(reason, seconds))
                if job.stop is not None and job.stop.is_set():
                    raise errors.Stopped(name)
                if deadline is not None and now >= deadline:
                    raise errors.DeadlinePassed(name, template)
                if job.patience is not None and reason in LONG:
                    waited = now - began
                    if max(waited, waited + (seconds or 0.0)) > job.patience:
                        raise errors.WaitTooLong(name, template, self._waiting(reason, seconds))
                self._sleep(_look_again(reason, seconds, deadline, now), job.stop)
        finally:
            if ahead:
                with self._file.locked() as state:
                    turns.remove(state.pace, call)
            if told and job.waiting:
                job.waiting(None)

    def _background_hold(
        self, state: State, call: Call, opens: float | None, now: float, *, first: bool
    ) -> tuple[str, float | None] | None:
        """Why the call can't go now, and for how many seconds (None: nobody knows); None when it took its place."""
        pace, limits = state.pace, self._limits(state, now)
        found = self._long(state, opens) or turns.background_hold(pace, limits, now, first=first)
        if found is not None:
            self._reclaim(pace, now)
            reason, seconds = found
            if reason in turns.SHORT:
                self._asks(pace, now, background=True, wants=reason in (turns.FULL, turns.LIVE_FIRST))
            pace.reason, pace.reason_at = REASONS.index(reason), now
            pace.reason_until = now + seconds if seconds else 0.0
            return found
        turns.take(pace, turns.due(pace.next_request, limits.requests_per_second, now), limits)
        call.at = now
        turns.remove(pace, call)
        turns.add(pace, call, BACKGROUND)
        self._asks(pace, now, background=True)
        circuit_breaker.start(pace, call, now)
        return None

    def _long(self, state: State, opens: float | None) -> tuple[str, float | None] | None:
        if state.overrides.paused:
            return PAUSED, None
        if opens is not None:
            return WINDOW, opens
        return turns.long_hold(state.pace, clock.monotonic())

    def _opens(self) -> float | None:
        """Seconds until the window opens, None when it is open."""
        wall = clock.utc_now()
        opens = self._window.opens(wall)
        return None if opens is None else (opens - wall).total_seconds()

    # What both need

    @property
    def _reserve(self) -> float:
        """What live calls may use beyond the connections, while background calls hold those; not more for each of
        several machines."""
        return turns.RESERVE if self._share is None else 0

    def _asks(self, pace: Pace, now: float, *, background: bool = False, wants: bool = False) -> None:
        if self._share is not None:
            self._share.asks(pace, now, background=background, wants=wants)

    def _most(self, state: State) -> int:
        return self._chosen(state.overrides).connections

    def _limits(self, state: State, now: float) -> Limits:
        """What holds for this machine: all that was chosen, or what it settled of that with the others."""
        limits, pace = self._chosen(state.overrides), state.pace
        if self._share is None:
            return limits
        part = pace.share_fraction if 0 < pace.share_until - now <= HOLDS_SECONDS else 0.0
        return Limits(
            min(limits.connections, pace.share_places) if part else 0,
            limits.requests_per_second * part,
            limits.objects_per_second * part,
        )

    def _chosen(self, overrides: Overrides) -> Limits:
        def chosen(name: str, own: float) -> float:
            override = getattr(overrides, name)
            return own if override < 0 else override

        source = self._source
        return Limits(
            max(1, min(MOST_CONNECTIONS, int(chosen("connections", source.max_connections)))),
            chosen("requests_per_second", source.requests_per_second),
            chosen("objects_per_second", source.objects_per_second),
        )

    def _reclaim(self, pace: Pace, now: float) -> None:
        """Take back, now and then, what processes hold that are no more."""
        if not 0 <= now - self._looked < RECLAIM_SECONDS:
            self._looked = now
            turns.reclaim(pace, now)
            circuit_breaker.reclaim(pace, now)

    def _sleep(self, seconds: float, stop: threading.Event | None = None) -> None:
        if seconds <= POLL_SECONDS:
            with self._freed:
                self._freed.wait(seconds)  # for another thread, not for the time
        elif stop is not None:
            clock.wait(stop.wait, seconds)
        else:
            clock.sleep(seconds)

    def _waiting(self, reason: str, seconds: float | None) -> Waiting:
        return Waiting(reason, None if seconds is None else clock.utc_now() + timedelta(seconds=seconds))


def _look_again(reason: str, seconds: float | None, deadline: float | None, now: float) -> float:
    """In how many seconds a waiting background call looks again."""
    if reason in turns.PLACES:
        return POLL_SECONDS
    wait = WISH_SECONDS if seconds is None else min(seconds, WISH_SECONDS)
    return wait if deadline is None else min(wait, max(0.0, deadline - now))
