"""All of a party from one source, part by part: its zaken with their contacts, its klanten, their contactmomenten.

A party can have more parts than one question has time for. So what was never read goes first, and what was read stays
read. The next question, or the work after the answer, goes on where this one stopped. One reading of all parts is a
walk. It counts as of its end, though its parts were read at moments within it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from gateway.base import clock
from gateway.base.clock import now
from gateway.legacy.errors import DeadlinePassed, TooLarge
from gateway.legacy.pacing.waiting_threads import take_waiting_place
from gateway.store.base.session import Session
from gateway.store.legacy import claims, identities, ties
from gateway.store.operation import leases
from gateway.store.operation.sources import fetched_at, fetched_times, note_fetched, set_fetched

if TYPE_CHECKING:
    from gateway.fetch.fetcher import Fetcher
    from gateway.fetch.visit import Visit

TOO_LARGE = "een antwoord van de bron was te groot om te lezen"
# So long the turn to walk lasts without a sign.
TURN_SECONDS = 60.0
# So long the work after an answer waits for its turn.
PATIENCE = 10.0


class PartyPart(NamedTuple):
    """A part of a party: the name under which it is remembered as read, and how it is read."""

    name: str
    read: Callable[[Visit], None]


class Parties:
    """The parties of one source, for a Fetcher."""

    def __init__(self, fetcher: Fetcher) -> None:
        self.fetcher = fetcher
        self.store = fetcher.store
        self.source = fetcher.source

    def read_at(self, connection: Session, key: str, covered: int) -> tuple[int, int]:
        """When the party of a key was read (microseconds UTC).

        In: when everything of the source was read (0: never). Out: two moments. The first is when the oldest of its
        keys and parts was read, 0 when one never was. The second, of its keys and the last walk, is its age.
        """
        sealed = {each: self.fetcher.sealed(each) for each in _keys(connection, key)}
        asked = [claims.asked_by_key(each) for each in sealed.values()]
        parts = [part.name for part in self._parts(connection, key)]
        walked = [claims.walked_by_key(sealed[key])] if parts else []
        times = self._times(connection, [*asked, *parts, *walked], covered)
        return min(times[name] for name in asked + parts), min(times[name] for name in asked + walked)

    def names(self, connection: Session, key: str, *, parts: bool) -> set[str]:
        """The names under which it is remembered that the keys of a party were asked, and its `parts` read."""
        found = {claims.asked_by_key(self.fetcher.sealed(each)) for each in _keys(connection, key)}
        return found | {part.name for part in self._parts(connection, key)} if parts else found

    def walk(self, visit: Visit, key: str) -> None:
        """Read what was never read, and then, when the last walk is too old, what is older.

        One walk at a time over all threads and processes; others wait for its end. Raises LegacyErrors, of which
        DeadlinePassed leaves what the next one goes on from.
        """
        if not self._to_do(key):
            return
        take_waiting_place(self.fetcher.name, "wacht op dezelfde vraag van een ander")
        walked = claims.walked_by_key(self.fetcher.sealed(key))
        lease = f"{self.fetcher.name} {walked}"
        # The work after an answer outlasts a question that took its turn; another such work it leaves to that.
        give_up = visit.give_up if visit.waits else clock.monotonic() + PATIENCE

        def enough() -> bool:
            return self.fetcher.fresh(walked)

        try:
            with leases.held(self.store, lease, TURN_SECONDS, give_up, enough) as ours:
                if ours:
                    self._walk(visit, key, lease)
        except TimeoutError:
            raise DeadlinePassed(self.fetcher.name, "wacht op dezelfde vraag van een ander") from None

    def _to_do(self, key: str) -> bool:
        """Is there a part that was never read, or is the last walk too old?"""
        covered = self.fetcher.state()[1]
        with self.store.read() as connection:
            parts = [part.name for part in self._parts(connection, key)]
            times = self._times(connection, parts, covered)
        return bool(parts) and (
            not min(times.values()) or not self.fetcher.fresh(claims.walked_by_key(self.fetcher.sealed(key)))
        )

    def _walk(self, visit: Visit, key: str, lease: str) -> None:
        began = self._begin(key)
        with self.store.read() as connection:
            asked = fetched_at(connection, self.source, claims.asked_by_key(self.fetcher.sealed(key)))
        # The rollen that came with the zaken of the key are as old as that, which counts for the age of the party too.
        visit.began = min(visit.began, asked or visit.began)
        done: set[str] = set()
        renewed = clock.monotonic()
        while parts := self._left(key, began, done):
            for part in parts:
                done.add(part.name)
                try:
                    part.read(visit)
                except TooLarge:
                    visit.partial(TOO_LARGE)  # it stays so: the other parts must not wait for it
                if clock.monotonic() - renewed > TURN_SECONDS / 4:
                    renewed = clock.monotonic()
                    with self.store.write(synced=False) as connection:
                        leases.renew(connection, lease, TURN_SECONDS)
        if began:
            self._end(key, began)

    def _begin(self, key: str) -> int:
        """When the walk began that is under way, or that begins now; 0 when the last one is young enough.

        A walk is under way for as long as there is never more than `max_age` between two parts that it reads.
        """
        if self.fetcher.fresh(claims.walked_by_key(self.fetcher.sealed(key))):
            return 0
        moment = now()
        begun, walked = (
            claims.walk_begun_by_key(self.fetcher.sealed(key)),
            claims.walked_by_key(self.fetcher.sealed(key)),
        )
        with self.store.read() as connection:
            names = [part.name for part in self._parts(connection, key)]
            times = self._times(connection, [begun, walked, *names])
        began, ended = times.pop(begun), times.pop(walked)
        last = max(began, *times.values()) if times else began
        if began > ended and last >= moment - self.fetcher.max_age_microseconds:
            return began
        with self.store.write(synced=False) as connection:
            set_fetched(connection, self.source, begun, moment)
        return moment

    def _left(self, key: str, began: int, done: set[str]) -> list[PartyPart]:
        """The parts to read: what was never read, newest zaak first; else what was read before the walk, oldest first.

        What of that is young when it is its turn stays as it is.
        """
        covered = self.fetcher.state()[1]
        with self.store.read() as connection:
            parts = [part for part in self._parts(connection, key) if part.name not in done]
            times = self._times(connection, [part.name for part in parts], covered)
        never = [part for part in parts if not times[part.name]]
        old = [part for part in parts if times[part.name] < began]
        return never or sorted(old, key=lambda part: times[part.name])

    def _end(self, key: str, began: int) -> None:
        """A walk counts as of its end, but for what it found young enough to leave as it was."""
        covered = self.fetcher.state()[1]
        with self.store.write(synced=False) as connection:
            times = self._times(connection, [part.name for part in self._parts(connection, key)], covered)
            moment = min([now(), *(at for at in times.values() if at < began)])
            for each in _keys(connection, key):
                note_fetched(connection, self.source, claims.walked_by_key(self.fetcher.sealed(each)), moment)

    def _times(self, connection: Session, names: Sequence[str], covered: int = 0) -> dict[str, int]:
        """When each of these was read; a moment that is still to come was noted by a clock that was ahead: 0."""
        moment = now()
        found = fetched_times(connection, self.source, names)
        covered = covered if covered <= moment else 0
        return {name: max(covered, at if (at := found.get(name, 0)) <= moment else 0) for name in names}

    def _parts(self, connection: Session, key: str) -> list[PartyPart]:
        fetcher = self.fetcher
        zaken = identities.zaken_of_party(connection, self.source, key)
        found = [_part("zaak", zaak, fetcher.zaak) for zaak in zaken]
        if fetcher.contents.has_moments:
            statements = claims.connected(connection, identities.identity_rows(connection, [key]))
            klanten = ties.klanten_of_keys(connection, self.source, statements)
            moments = ties.moments_of(connection, self.source, "klant", klanten) if klanten else set()
            found += [_part("klant", klant, fetcher.contents.klant) for klant in klanten]
            found += [_part("contactmoment", uuid, fetcher.contents.moment) for _, uuid in sorted(moments)]
        return found


def _keys(connection: Session, key: str) -> set[str]:
    """A key and those that hang together with it."""
    return {key, *(other for other, _ in identities.connected_keys(connection, key))}


def _part(kind: str, uuid: bytes, read: Callable[[Visit, UUID], None]) -> PartyPart:
    found = UUID(bytes=uuid)
    return PartyPart(f"{kind} {found}", lambda visit: read(visit, found))
