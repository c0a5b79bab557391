"""Fetches exactly what one answer needs from one source, and hands it to ingest.

What was asked and answered whole is remembered with its time, so that it is asked once in `max_age`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from gateway.base import clock
from gateway.base.clock import now
from gateway.fetch.contents import Contents
from gateway.fetch.coverage import CUTOVER, SETTLED_PHASES, Coverage, CoverageJudge
from gateway.fetch.keys import Keys
from gateway.fetch.party import Parties
from gateway.fetch.requested_zaken import RequestedZaken
from gateway.fetch.visit import Freshness, Visit
from gateway.ingest.ingest import Ingest, Result
from gateway.legacy.client.source_client import ZakenClient
from gateway.legacy.errors import DeadlinePassed, Forbidden, LegacyError, NotFound
from gateway.legacy.pacing.waiting_threads import take_waiting_place
from gateway.store.base.store import Store
from gateway.store.legacy import claims, identities
from gateway.store.legacy import objects as rows
from gateway.store.operation import leases
from gateway.store.operation.sources import fetched_at, note_fetched, source_id, source_read, source_state
from mappings.identity.sealed import sealed_text

MICROSECONDS = 1_000_000
# How often an object is asked for at most when others see it at the same time.
TRIES = 3
# So long a turn to ask lasts at most: that of a process that can't be seen any more holds nobody up for longer.
MOST_TURN_SECONDS = 60.0


class CutOver(LegacyError):
    """The source is in phase cutover: nothing asks it any more."""

    cause = "cutover"
    text = "wordt niet meer bevraagd sinds de overgang"


class Fetcher:
    """The way from a need to the calls on one source."""

    def __init__(
        self, client: ZakenClient, store: Store, ingest: Ingest, max_age: int, sync_schedule: str = ""
    ) -> None:
        """`max_age` in seconds; `sync_schedule`: the cron fields by which the job sync runs, blank for its own."""
        self._client = client
        self.store = store
        self.ingest = ingest
        self.max_age = max_age
        self.name = client.source_name
        with store.write() as connection:
            self.source = source_id(connection, self.name)
        self.covered = CoverageJudge(sync_schedule)
        self.asked = RequestedZaken(store, self.source)
        self.keys = Keys(self)
        self.contents = Contents(self)
        self.parties = Parties(self)

    @property
    def client(self) -> ZakenClient:
        """The one way to the source. Raises CutOver when it must not be asked any more."""
        if self.state()[0] == CUTOVER:
            raise CutOver(self.name, "klantbrug phase: cutover")
        return self._client

    # Freshness

    def state(self) -> tuple[str, int]:
        """The source's phase, and when its last complete backfill began (0: never)."""
        with self.store.read() as connection:
            return source_state(connection, self.source)

    def coverage(self) -> tuple[str, Coverage, int]:
        """The source's phase, how far lists of everything can be answered from the store, and what is in quarantine of
        it (see `gateway.store.legacy.untranslated_keys`)."""
        with self.store.read() as connection:
            phase, read, synced, unread = source_read(connection, self.source)
        return phase, self.covered.coverage(phase, read, synced, now()), unread

    def has_api(self, api: str) -> bool:
        """Has the source that API of the earlier standards ("klanten", ...)?"""
        return self._client.has_api(api)

    @property
    def max_age_microseconds(self) -> int:
        """`max_age` as the store counts."""
        return self.max_age * MICROSECONDS

    def freshness_of(self, what: str, value: str) -> Freshness:
        """What the store has of a need: `what` and `value` are those of `gateway.hydrate.needs.Need`."""
        with self.store.read() as connection:
            phase, covered = source_state(connection, self.source)
            if what == "partij":
                read, age = self.parties.read_at(connection, value, covered)
            else:
                read = age = max(covered, fetched_at(connection, self.source, self.name_of(what, value)))
        if not read:
            return Freshness.NEVER
        return Freshness.FRESH if phase in SETTLED_PHASES or self._young(covered, age) else Freshness.STALE

    def fresh(self, name: str) -> bool:
        """Is what `name` stands for held, and young enough?"""
        with self.store.read() as connection:
            phase, covered = source_state(connection, self.source)
            fetched = fetched_at(connection, self.source, name)
        return phase in SETTLED_PHASES or self._young(covered, fetched)

    def _young(self, *moments: int) -> bool:
        """Is one of these moments at most `max_age` ago?"""
        moment = now()
        # A time that is still to come was noted before the clock was set back: nothing is known by it.
        last = max(each for each in (*moments, 0) if each <= moment)
        return last >= moment - self.max_age_microseconds

    def name_of(self, what: str, value: str) -> str:
        """The name under which it is remembered that a need was fetched, but for the parts of a party."""
        return (
            f"{what} {value}"
            if what in ("zaak", "klantcontact")
            else claims.asked_by_key(self.sealed(self._own(value)))
        )

    def names_of(self, what: str, value: str) -> set[str]:
        """The same with those of all that was read for it: the other keys of a party or actor, the parts of a party."""
        if what not in ("partij", "identiteit"):
            return {self.name_of(what, value)}
        with self.store.read() as connection:
            return self.parties.names(connection, self._own(value), parts=what == "partij")

    def _own(self, key: str) -> str:
        """A key of an actor is that of one source; the star stands for any."""
        return key.replace("|*|", f"|{self.name}|")

    def sealed(self, key: str) -> str:
        """A key as it is remembered that it was asked for."""
        return sealed_text(self.ingest.uuids, key)

    def count_asked(self, what: str, value: str) -> None:
        """Remember which zaken a question is about, so that the sweep reads those sooner (phase synced)."""
        with self.store.read() as connection:
            if what == "partij":
                zaken = identities.zaken_of_party(connection, self.source, value)
            elif what == "klantcontact":
                found = rows.zaak_of_contact(connection, UUID(value).bytes)
                zaken = [found[1]] if found and found[0] == self.name else []
            else:
                zaken = [UUID(value).bytes] if what == "zaak" else []
        for zaak in zaken:
            self.asked.note(UUID(bytes=zaak))

    def fetch_once(
        self, visit: Visit, name: str, fetch: Callable[[], None], of_zaken_api: bool = False
    ) -> None:
        """Run `fetch` unless `name` is fresh; one at a time over all threads and processes.

        `of_zaken_api`: it can do nothing without that API. Raises LegacyErrors, of which CircuitOpen costs no turn.
        """
        if self.fresh(name):
            return
        if of_zaken_api:
            self.client.refuse_when_broken()
        take_waiting_place(self.name, "wacht op dezelfde vraag van een ander")
        seconds = min(MOST_TURN_SECONDS, max(1.0, visit.give_up - clock.monotonic()) + 5)
        lease = f"{self.name} {name}"
        try:
            with leases.held(self.store, lease, seconds, visit.give_up, lambda: self.fresh(name)) as ours:
                if ours and not self.fresh(name):
                    began = now()
                    visit.asked = True
                    fetch()
                    with self.store.write(synced=False) as connection:
                        note_fetched(connection, self.source, name, began)
        except TimeoutError:
            raise DeadlinePassed(self.name, "wacht op dezelfde vraag van een ander") from None

    # Needs

    def read(self, visit: Visit, what: str, value: str) -> None:
        """Read what is needed: `what` and `value` are those of `gateway.hydrate.needs.Need`. Raises LegacyErrors."""
        match what:
            case "partij":
                self.party(visit, value)
            case "identiteit":
                self.keys.identity(visit, self._own(value))
            case "zaak":
                self.zaak(visit, UUID(value))
            case "klantcontact":
                self.klantcontact(visit, UUID(value))
            case _:
                raise ValueError(what)

    def party(self, visit: Visit, key: str) -> None:
        """All of a party: its rollen under every key, their zaken, and the contacts in those and with its klanten."""
        self.keys.identity(visit, key)
        self.parties.walk(visit, key)

    def zaak(self, visit: Visit, uuid: UUID) -> None:
        """A zaak with its rollen and klantcontacten, and who the betrokkenen of those are."""
        self.asked.note(uuid)
        self.fetch_once(visit, f"zaak {uuid}", lambda: self.contents.zaak(visit, uuid), of_zaken_api=True)

    def reread_zaak(self, visit: Visit, uuid: UUID) -> None:
        """A zaak with all of it as it is now, however fresh what is held: for jobs."""
        self.contents.zaak(visit, uuid, thorough=True)
        self.contents.requeue_done("zaak", uuid)

    def klantcontact(self, visit: Visit, uuid: UUID) -> None:
        """A klantcontact, with its zaak."""
        self.fetch_once(visit, f"klantcontact {uuid}", lambda: self.contents.klantcontact(visit, uuid))
        with self.store.read() as connection:
            found = rows.zaak_of_contact(connection, uuid.bytes)
        if found and found[0] == self.name:
            self.zaak(visit, UUID(bytes=found[1]))

    # Calls

    def take(self, visit: Visit, kind: str, objects: list[dict[str, Any]], asked: int) -> Result:
        """Take objects of one kind that were asked for then, and fetch what they wait for."""
        result = self.ingest.take(self.name, kind, objects, asked=asked)
        self.fetch_dependents(visit, result)
        return result

    def fetch(self, visit: Visit, kind: str, uuid: UUID) -> bool:
        """One object by uuid: taken, removed when it is gone, marked when it is refused. Out: was it there?"""
        visit.asked = True
        for _ in range(TRIES):
            asked = now()
            found = ask(self.client, kind, uuid, deadline=visit.give_up)
            result = self.apply_answer(kind, uuid, found, asked)
            if not result.doubtful:
                break
        result.doubtful.clear()  # others saw it each time after we asked: what they took stays
        self.fetch_dependents(visit, result)
        return isinstance(found, dict)

    def apply_answer(
        self, kind: str, uuid: UUID, found: dict[str, Any] | NotFound | Forbidden, asked: int
    ) -> Result:
        """Take what the source said of one object (see `ask`), when it was asked."""
        if isinstance(found, NotFound):
            return self.ingest.remove(self.name, kind, [uuid])
        if isinstance(found, Forbidden):
            return self.ingest.refused(self.name, kind, uuid, asked)
        return self.ingest.take(self.name, kind, [found], asked=asked)

    def fetch_dependents(self, visit: Visit, result: Result) -> None:
        """Fetch what is doubtful, the zaken that objects wait for, and contactmomenten that became readable (M34).

        A zaak that did is read by who asked for it, or because it waits in the inbox.
        """
        for kind, uuid in sorted(result.doubtful):
            self.fetch(visit, kind, uuid)
        for uuid in sorted(result.unknown_zaken):
            self.fetch(visit, "zaak", uuid)
        for uuid in sorted(result.refetch_moments):
            self.contents.reread_moment(visit, uuid)

    def recheck_unlisted(self, visit: Visit, kind: str, uuids: Iterable[bytes]) -> None:
        """What is held but did not come with a whole answer is asked for itself: absence alone never deletes."""
        for uuid in uuids:
            self.fetch(visit, kind, UUID(bytes=uuid))


def ask(
    client: ZakenClient, kind: str, uuid: UUID, *, deadline: float | None
) -> dict[str, Any] | NotFound | Forbidden:
    """What the source says of one object: the object, that it is gone, or that we may not see it.

    Touches no store, so any thread may ask. Raises the other LegacyErrors.
    """
    try:
        return client.get(kind, str(uuid), deadline=deadline)
    except NotFound as error:
        return error
    except Forbidden as error:
        if error.code != "permission_denied":
            raise
        return error
