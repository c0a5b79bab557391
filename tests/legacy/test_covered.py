"""When a source is covered: read whole, and its last sync under three intervals of the job's schedule old."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from builders.asker import Asker
from builders.configs import read_config, write_config
from builders.following import DAY, Clock, backfilled, run
from builders.sample_data import small

from gateway.fetch.coverage import INTERVALS, SYNC_SECONDS, Coverage, CoverageJudge
from gateway.installation import Installation, open_installation
from gateway.sample.server import SampleServer
from gateway.store.operation import events
from jobs.backfill.backfill import Backfill
from jobs.follow.sync import sync
from jobs.registry import BY_NAME, trigger_of

SECOND = 1_000_000
Install = Callable[..., Installation]


def moment(text: str) -> int:
    """A moment in Dutch time, as the store counts."""
    return int(datetime.fromisoformat(text).timestamp() * SECOND)


@pytest.mark.parametrize(
    ("schedule", "synced", "late"),
    [
        ("", "2026-11-25T10:00:00+01:00", "2026-11-25T10:15:00+01:00"),
        ("*/10 * * * *", "2026-11-25T10:00:01+01:00", "2026-11-25T10:30:00+01:00"),
        ("0 * * * *", "2026-11-25T10:00:01+01:00", "2026-11-25T13:00:00+01:00"),
        # Every half hour of a working day: after the last of Friday come those of Monday.
        ("*/30 8-17 * * mon-fri", "2026-11-27T17:30:01+01:00", "2026-11-30T09:00:00+01:00"),
        ("0 2 * * *", "2026-11-25T02:00:01+01:00", "2026-11-28T02:00:00+01:00"),
    ],
)
def test_a_sync_is_late_at_the_third_time_that_its_schedule_names(
    schedule: str, synced: str, late: str
) -> None:
    covered, began, over = CoverageJudge(schedule), moment(synced), moment(late)
    assert covered.late_from(began) == over
    for phase in ("live", "synced"):
        assert covered.coverage(phase, 1, began, over - 1) is Coverage.COVERED
        assert covered.coverage(phase, 1, began, over) is Coverage.BEHIND
        assert covered.coverage(phase, 0, began, over - 1) is Coverage.UNREAD
    assert covered.coverage("cutover", 0, 0, over) is Coverage.COVERED


def test_until_the_first_sync_the_backfill_counts_and_a_clock_that_was_ahead_does_not() -> None:
    covered, began = CoverageJudge(), moment("2026-11-25T10:00:00+01:00")
    after = began + (INTERVALS * SYNC_SECONDS - 1) * SECOND
    assert covered.coverage("live", began, 0, after) is Coverage.COVERED
    assert covered.coverage("live", began, 0, after + 2 * SECOND) is Coverage.BEHIND
    assert covered.coverage("live", began, after + DAY * SECOND, after + 2 * SECOND) is Coverage.BEHIND


def test_the_job_sync_runs_by_the_interval_that_coverage_is_judged_by(tmp_path: Path) -> None:
    """Of two places one would be forgotten."""
    with SampleServer(small(100)) as server:
        config = read_config(write_config(tmp_path / "a", {"bron": server}))
        assert trigger_of(BY_NAME["sync"], config).interval.total_seconds() == SYNC_SECONDS
        text = (tmp_path / "a" / "config.toml").read_text() + '[jobs.sync]\nschedule = "0 * * * *"\n'
        (tmp_path / "a" / "config.toml").write_text(text)
        config = read_config(tmp_path / "a" / "config.toml")
        fetcher = open_installation(config).fetchers["bron"]
        synced = moment("2026-11-25T10:00:01+01:00")
        due = at = datetime.fromtimestamp(synced / SECOND, UTC)
        for _ in range(INTERVALS):
            due = trigger_of(BY_NAME["sync"], config).get_next_fire_time(None, at)
            at = datetime.fromtimestamp(due.timestamp() + 1, UTC)
        assert fetcher.covered.late_from(synced) == int(due.timestamp() * SECOND)


@pytest.mark.slow
def test_lists_are_fresh_again_after_a_sync(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    with SampleServer(small(50)) as server:
        clock, installation = Clock(monkeypatch), backfilled(install(bron=server))
        asker = Asker(installation)
        clock.days = 0.5
        assert asker.get("klantcontacten").headers["Klantbrug-Freshness"] == "stale"
        assert run(installation, sync)["synced"] == 1
        assert asker.get("klantcontacten").headers["Klantbrug-Freshness"] == "fresh"


def test_of_two_sources_one_that_is_not_read_is_asked_and_the_other_not(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SampleServer(small(20)) as read, SampleServer(small(21)) as unread:
        clock, installation = Clock(monkeypatch), install(een=read, twee=unread)
        assert Backfill(installation.fetchers["een"]).run()
        asker = Asker(installation)
        assert asker.get("partijen").status_code == 503
        with installation.store.write() as connection:
            events.set_phase(connection, installation.fetchers["een"].source, "synced")
        clock.days = 600 / DAY
        zaak = unread.dataset.snapshot("zaak")[0].uuid
        for server in (read, unread):
            server.reset_calls()
        answer = asker.get("klantcontacten", onderwerpobject__onderwerpobjectidentificatorObjectId=zaak)
        assert answer.headers["Klantbrug-Freshness"] == "live"
        assert unread.calls
        assert not read.calls


def test_what_was_never_read_in_phase_synced_is_partial_and_not_asked(install: Install) -> None:
    """An operator forced the phase: there is nothing, and it is not told as if that were so."""
    with SampleServer(small(20)) as server:
        installation = install(bron=server)
        with installation.store.write() as connection:
            events.set_phase(connection, installation.fetchers["bron"].source, "synced")
        zaak = server.dataset.snapshot("zaak")[0].uuid
        answer = Asker(installation).get(
            "klantcontacten", onderwerpobject__onderwerpobjectidentificatorObjectId=zaak
        )
        assert answer.headers["Klantbrug-Coverage"].startswith("partial; reason=")
        assert answer.headers["Klantbrug-Freshness"] == "stale"
        assert server.calls_count == 0
