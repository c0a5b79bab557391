"""Sweep: what a source can't give holds up nothing else, and nothing is passed over while the source is down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from builders.asker import Asker
from builders.earlier_source import EarlierSource, fixtures
from builders.following import (
    BREAKS,
    NO_ADDRESS,
    PLAIN,
    Broken,
    Clock,
    backfilled,
    given_long_ago,
    hurry,
    run,
    state,
)
from builders.probe.probe import Probe
from builders.probe.tamper import Tamper
from builders.sample_data import small

import jobs.follow.sweep
from gateway.base.clock import now
from gateway.cli.terminal.status_text import status_text
from gateway.installation import Installation
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer
from gateway.store.inspect.status import status
from gateway.store.operation import following, requested_zaken
from jobs.follow.followed_source import Followed
from jobs.follow.sweep import anything_due, sweep

pytestmark = pytest.mark.slow

whole, source, filled = fixtures()
Install = Callable[..., Installation]


@pytest.fixture
def data() -> Dataset:
    return small(20)


@pytest.fixture
def source_options() -> dict[str, Any]:
    """Pages of 100, so that there are several."""
    return PLAIN


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls are tried again at once."""
    monkeypatch.setattr("gateway.legacy.client.transport.Transport._wait_before", lambda self, attempt: 0.001)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def rollen_of(installation: Installation) -> list[str]:
    """The uuids of the held rollen, in the order in which the sweep asks for them."""
    return Probe(installation.store).raw_uuids("rol")


@pytest.mark.parametrize("status_line", [BREAKS, NO_ADDRESS])
@pytest.mark.parametrize("number", [3, 8])
def test_objects_that_the_source_can_not_give_do_not_hold_up_those_behind_them(
    server: SampleServer, install: Install, monkeypatch: pytest.MonkeyPatch, status_line: str, number: int
) -> None:
    installation = backfilled(install(bron=server))
    rollen = rollen_of(installation)
    bad, gone = rollen[5 : 5 + number], rollen[40]
    for uuid in (*bad, gone):
        server.dataset.remove("rol", uuid)
    given_long_ago(monkeypatch, installation, bad)
    Broken(server, bad, status_line)
    hurry(installation)
    counts = run(installation, sweep)
    assert (counts["rounds"], counts["failed"]) == (1, number)
    held = rollen_of(installation)
    assert gone not in held
    assert set(bad) <= set(held), "only the source itself says that an object is gone"
    assert state(installation).failed == number
    told = status(installation.store)
    assert f"bleven {number} vragen zonder antwoord" in " ".join(status_text(told).split())
    page = Asker(installation).page()
    assert f"bleven {number} vragen zonder" in page
    hurry(installation)
    server.app.wsgi_app = server.app.wsgi_app.inner  # type: ignore[attr-defined]
    assert run(installation, sweep)["failed"] == 0
    assert not set(bad) & set(rollen_of(installation)), "asked again in the next round"
    assert state(installation).failed == 0


def test_a_source_that_is_down_is_not_swept_over(
    server: SampleServer, install: Install, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says 500 to everything; the round stands still for as long as it takes, and says so."""
    monkeypatch.setattr("gateway.legacy.pacing.circuit_breaker.FIRST_SECONDS", 0.0)
    monkeypatch.setattr(jobs.follow.sweep, "RUN_SECONDS", 0.0)
    monkeypatch.setattr(jobs.follow.sweep, "TRIES", 2)
    installation = backfilled(install(bron=server))
    gone = rollen_of(installation)[5:25]
    for uuid in gone:
        server.dataset.remove("rol", uuid)
    hurry(installation)
    while (state(installation).place or {"stage": 0})["stage"] < 5:
        run(installation, sweep)
    place = state(installation).place
    down = Broken(server, ["/"])
    for hour in range(6):
        clock.days = hour / 24
        assert run(installation, sweep)["failed"] == 1
    kept = state(installation).place
    assert place and kept
    assert [kept[what] for what in ("began", "stage", "row", "failed", "tries")] == [
        place[what] for what in ("began", "stage", "row", "failed", "tries")
    ]
    assert down.calls
    text = " ".join(status_text(status(installation.store)).split())
    assert "bron: het nalopen staat stil sinds" in text
    assert kept["still"] < now() - 4.9 * 3600 * 1_000_000
    assert "Het nalopen staat stil" in Asker(installation).page()
    down.parts = []
    counts = {"rounds": 0}
    while not counts["rounds"]:
        counts = run(installation, sweep)
        assert counts["failed"] == 0
    assert not set(gone) & set(rollen_of(installation))
    assert "staat stil" not in status_text(status(installation.store))


def test_a_page_that_never_comes_is_passed_over_after_many_runs(
    server: SampleServer, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was held of it is asked for by uuid instead."""
    monkeypatch.setattr(jobs.follow.sweep, "TRIES", 3)
    installation = backfilled(install(bron=server))
    first_page = server.dataset.objects("rol")[:100]
    gone = first_page[7]["uuid"]
    server.dataset.remove("rol", gone)
    broken = Broken(server, [])
    broken.parts = ["/rollen?page=1"]
    hurry(installation)
    for _ in range(3):
        counts = run(installation, sweep)
        assert (counts["rounds"], counts["failed"]) == (0, 1)
    place = state(installation).place
    assert place and (place["stage"], place["page"], place["tries"]) == (1, 1, 3)
    counts = run(installation, sweep)
    assert (counts["rounds"], counts["failed"]) == (1, 1)
    assert counts["by_uuid"] >= 99
    assert broken.calls > 0
    assert gone not in rollen_of(installation)


def test_a_list_that_never_comes_is_left_after_some_pages(
    server: SampleServer, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that breaks on every deep page also breaks behind the last one: the walk must end."""
    monkeypatch.setattr(jobs.follow.sweep, "TRIES", 1)
    installation = backfilled(install(bron=server))
    Broken(server, ["/klantcontacten?page="])
    hurry(installation)
    assert run(installation, sweep)["rounds"] == 0
    counts = run(installation, sweep)
    assert (counts["rounds"], counts["failed"]) == (1, jobs.follow.sweep.LOST_PAGES)


def test_a_kind_that_can_not_be_asked_by_uuid_is_given_up_after_many_runs(
    server: SampleServer, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As behind a router that sends those addresses nowhere: the lists go on being read."""
    monkeypatch.setattr(jobs.follow.sweep, "TRIES", 3)
    installation = backfilled(install(bron=server))
    gone = rollen_of(installation)[5:10]
    for uuid in gone:
        server.dataset.remove("rol", uuid)
    Broken(server, ["/rollen/"], NO_ADDRESS)
    hurry(installation)
    for _ in range(3):
        assert run(installation, sweep)["rounds"] == 0
    counts = run(installation, sweep)
    assert (counts["rounds"], counts["failed"]) == (1, len(gone))
    assert set(gone) <= set(rollen_of(installation))


def test_ties_that_can_not_be_asked_do_not_hold_up_the_round(
    source: EarlierSource, filled: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.legacy.client.transport.Transport._wait_before", lambda self, attempt: 0.001)
    with filled.store.read() as connection:
        moments = following.held_after(connection, filled.fetchers["bron"].source, "contactmoment", 0, 20)
    bad = [str(UUID(bytes=uuid)) for _, uuid in moments[2:6]]
    Broken(source.server, [f"%2F{uuid}" for uuid in bad])  # in a filter
    hurry(filled)
    counts = run(filled, sweep)
    assert counts["rounds"] == 1
    assert counts["failed"] == len(bad)


def test_zaken_that_are_asked_often_and_fail_do_not_hold_up_the_round(
    server: SampleServer, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.legacy.pacing.circuit_breaker.FIRST_SECONDS", 0.1)
    installation = backfilled(install(bron=server))
    Tamper(installation.store).set_phase("synced")
    zaken = [zaak["uuid"] for zaak in server.dataset.objects("zaak")[:4]]
    with installation.store.write() as connection:
        source = installation.fetchers["bron"].source
        requested_zaken.add(connection, source, {UUID(zaak).bytes: 5 for zaak in zaken}, now())
    Broken(server, [f"/zaken/{zaak}" for zaak in zaken])
    hurry(installation)
    counts = run(installation, sweep)
    assert (counts["rounds"], counts["often"]) == (1, 0)
    assert not anything_due(installation) or run(installation, sweep)["failed"] == 1


def test_an_unexpected_failure_in_one_source_leaves_the_others_their_turn(
    server: SampleServer, install: Install, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with SampleServer(small(60)) as other:
        installation = backfilled(install(bron=server, tweede=other))
        fetchers = installation.fetchers
        first, second = fetchers
        take = Followed.take

        def breaks(self: Followed, *given: Any, **more: Any) -> Any:
            if self.source == fetchers[first].source:
                raise ValueError("999990019")
            return take(self, *given, **more)

        monkeypatch.setattr(Followed, "take", breaks)
        counts = run(installation, sweep)
        assert counts["failed"] == 1
        with installation.store.read() as connection:
            places = {name: following.following(connection, fetchers[name].source).place for name in fetchers}
        broken, well = places[first], places[second]
        assert broken and (broken["page"], broken["cause"]) == (1, "unexpected")
        assert well and well["page"] + well["stage"] > 1
        assert "ValueError at" in caplog.text and "999990019" not in caplog.text


def test_a_hurried_round_is_ended_before_the_next_wish_is_met(
    server: SampleServer, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wishes that come faster than rounds must not keep every round from its end."""
    monkeypatch.setattr(jobs.follow.sweep, "RUN_SECONDS", 0.0)
    installation = backfilled(install(bron=server))
    gone = rollen_of(installation)[10]
    server.dataset.remove("rol", gone)
    rounds = wishes = 0
    while rounds < 2:
        hurry(installation)
        wishes += 1
        rounds += run(installation, sweep)["rounds"]
        assert wishes < 100
    assert gone not in rollen_of(installation)
    assert state(installation).hurry, "the last wish came after the round began: another follows"
    assert anything_due(installation)
    while state(installation).hurry:
        run(installation, sweep)


def test_a_wish_of_a_clock_that_was_ahead_is_met_once(
    server: SampleServer, install: Install, clock: Clock
) -> None:
    installation = backfilled(install(bron=server))
    clock.days = 400.0
    hurry(installation)
    clock.days = 0.0
    assert run(installation, sweep)["rounds"] == 1
    assert state(installation).hurry == 0
    assert not anything_due(installation)


def test_a_question_a_day_makes_no_zaak_asked_for_often(
    server: SampleServer, install: Install, clock: Clock
) -> None:
    """It is counted what was asked within a day, however long that goes on."""
    installation = backfilled(install(bron=server))
    source, zaak = installation.fetchers["bron"].source, UUID(int=1).bytes

    def asked_at(day: float, times: int = 1) -> list[bytes]:
        clock.days = day
        with installation.store.write() as connection:
            requested_zaken.add(connection, source, {zaak: times}, now())
            requested_zaken.forget(connection, source, now() - jobs.follow.sweep.OFTEN_SINCE)
            return requested_zaken.often(connection, source, jobs.follow.sweep.OFTEN, now(), 1)

    assert not any(asked_at(0.9 * number) for number in range(8))
    assert asked_at(7.0, times=3) == [zaak]
    assert asked_at(7.1) == [zaak]
