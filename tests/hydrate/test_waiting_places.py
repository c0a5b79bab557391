"""Who finds no place to wait for a source is told at once: what is held, though old, or to come back later."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from builders.following import DAY, Clock, backfilled
from builders.live_calls import ZAAK, LiveClient
from builders.sample_data import small
from builders.slow_source import a_bsn, hang, timed, zaken
from builders.until import until

from gateway.installation import Installation
from gateway.legacy.background import background
from gateway.legacy.errors import NoPlace
from gateway.legacy.pacing.waiting_threads import Places, most_waiting, take_waiting_place
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer

pytestmark = pytest.mark.slow

Install = Callable[..., Installation]
# For a refusal, on a machine that does much else; who waits for the source does so for half of the deadline or longer.
AT_ONCE, DEADLINE = 2.0, 5


@pytest.fixture
def data() -> Dataset:
    return small(30)


class Full:
    """A client of an installation whose one place is taken by a question that waits for a hanging source."""

    def __init__(self, installation: Installation, server: SampleServer, zaak: str) -> None:
        self.client, self.server = LiveClient(installation), server
        self.client.hydrator.places = Places(1)
        hang(server)
        self.waiting = threading.Thread(target=self._wait, args=(installation, zaak))
        self.waiting.start()
        until(lambda: not self.client.hydrator.places._free)

    def _wait(self, installation: Installation, zaak: str) -> None:
        self.client.get("klantcontacten", **{ZAAK: zaak})
        installation.store.close()

    def end(self) -> None:
        """The source answers again, so the question is over: its place is free."""
        self.server.traps.stall_rate = 0
        self.server.stop()  # what hangs is cut off, and asked again
        self.server.start()
        self.waiting.join()
        assert self.client.hydrator.places._free == 1


def refused(answer: Any) -> bool:
    """Is it a refusal that says when to come back?"""
    assert answer.headers["Klantbrug-Coverage"].startswith("partial; reason=er wachten al genoeg vragen")
    assert answer.get_json()["code"] == "service_unavailable"
    return answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize(("threads", "most"), [(1, 0), (2, 1), (3, 1), (4, 2), (9, 4)])
def test_at_most_half_of_the_threads_wait_and_never_the_last(threads: int, most: int) -> None:
    assert most_waiting(threads) == most


def test_a_question_has_one_place_until_it_is_done_with_the_sources() -> None:
    places = Places(1)
    with places.question():
        for _ in range(3):
            take_waiting_place("bron", "GET /zaken")
        with places.question():
            take_waiting_place("bron", "GET /rollen")
        assert places._free == 0
    assert places._free == 1
    with pytest.raises(ValueError), places.question():
        take_waiting_place("bron", "GET /zaken")
        raise ValueError
    assert places._free == 1


def test_jobs_need_no_place() -> None:
    with Places(0).question():
        with background():
            take_waiting_place("bron", "GET /zaken")
        with pytest.raises(NoPlace):
            take_waiting_place("bron", "GET /zaken")


def test_a_call_that_nothing_was_waited_for_before_needs_a_place_too(
    server: SampleServer, install: Install
) -> None:
    client, zaak = install(bron=server).fetchers["bron"].client, zaken(server.dataset)[0]
    client.version()
    server.reset_calls()
    with Places(0).question(), pytest.raises(NoPlace):
        client.get("zaak", zaak)
    assert server.calls_count == 0
    with Places(1).question():
        assert client.get("zaak", zaak)["uuid"] == zaak


def test_without_a_place_what_was_never_read_is_refused_and_read_meanwhile(
    server: SampleServer, install: Install
) -> None:
    installation = install(bron=server, deadline=DEADLINE)
    installation.fetchers["bron"].client.version()
    first, second = zaken(server.dataset)[:2]
    full = Full(installation, server, first)
    took, answer = timed(lambda: full.client.get("klantcontacten", **{ZAAK: second}))
    assert took < AT_ONCE and refused(answer)
    took, answer = timed(lambda: full.client.get("partijen"))
    assert took < AT_ONCE and answer.status_code == 503  # before the backfill: no source is asked for it
    assert full.client.get("internetaken").status_code == 200
    full.end()
    assert full.client.hydrator.drain()
    server.reset_calls()
    answer = full.client.get("klantcontacten", **{ZAAK: second})
    assert answer.status_code == 200 and answer.headers["Klantbrug-Freshness"] == "fresh"
    assert not server.calls_count, "it was read after the refusal"


def test_who_asks_what_another_is_fetching_does_not_wait_without_a_place(
    server: SampleServer, install: Install
) -> None:
    installation = install(bron=server, deadline=DEADLINE)
    installation.fetchers["bron"].client.version()
    zaak = zaken(server.dataset)[0]
    full = Full(installation, server, zaak)
    took, answer = timed(lambda: full.client.get("klantcontacten", **{ZAAK: zaak}))
    assert took < AT_ONCE and refused(answer)
    full.end()


def test_without_a_place_what_is_held_is_answered_as_stale(
    server: SampleServer, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, installation = Clock(monkeypatch), backfilled(install(bron=server, deadline=DEADLINE))
    clock.days = 600 / DAY
    first, second = zaken(server.dataset)[:2]
    full = Full(installation, server, first)
    took, answer = timed(lambda: full.client.get("klantcontacten", **{ZAAK: second}))
    assert took < AT_ONCE and answer.status_code == 200
    assert answer.headers["Klantbrug-Coverage"] == "complete"
    assert answer.headers["Klantbrug-Freshness"] == "stale"
    full.end()


def test_a_write_that_must_ask_a_source_first_waits_in_a_place_too(
    server: SampleServer, install: Install
) -> None:
    installation = install(bron=server, deadline=DEADLINE)
    installation.fetchers["bron"].client.version()
    full = Full(installation, server, zaken(server.dataset)[0])
    code = {"codeObjecttype": "natuurlijk_persoon", "codeRegister": "brp", "codeSoortObjectId": "bsn"}
    body = {
        "identificeerdePartij": None,
        "anderePartijIdentificator": "",
        "partijIdentificator": code | {"objectId": a_bsn(1)},
    }
    took, answer = timed(lambda: full.client.send("POST", "partij-identificatoren", body))
    assert took < AT_ONCE and refused(answer)
    full.end()


def test_who_waits_for_the_version_of_a_source_waits_in_a_place_too(
    server: SampleServer, install: Install
) -> None:
    """Nobody knows it yet: one asks, and whoever needs it waits for that."""
    installation = install(bron=server, deadline=DEADLINE)
    first, second = zaken(server.dataset)[:2]
    full = Full(installation, server, first)
    took, answer = timed(lambda: full.client.get("klantcontacten", **{ZAAK: second}))
    assert took < AT_ONCE and refused(answer)
    full.end()


@pytest.mark.of_the_file
@pytest.mark.slow
def test_while_the_breaker_is_open_a_refusal_writes_nothing(server: SampleServer, install: Install) -> None:
    """Each took a turn in the store and gave it back: two transactions, thousands of times."""
    client = LiveClient(install(bron=server, deadline=2))
    fetcher = client.hydrator.fetchers["bron"]
    fetcher.client.version()
    server.traps.down = True
    first, *others = zaken(server.dataset)
    gate = fetcher.client._gates.all()[0]
    until = time.monotonic() + 60
    while not gate.broken():
        assert time.monotonic() < until
        client.get("klantcontacten", **{ZAAK: first})
    client.hydrator.refresher.stop(10)
    changes = fetcher.store.connection().total_changes
    for zaak in others[:5]:
        answer = client.get("klantcontacten", **{ZAAK: zaak})
        assert answer.status_code == 502
    assert fetcher.store.connection().total_changes == changes
