"""The moments at which jobs are to run, which all processes reckon the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.base.clock import DUTCH_TIME
from gateway.base.cron import cron_trigger
from jobs.slots import NEAR_SECONDS, SECOND, Slots


def micro(moment: datetime) -> int:
    return int(moment.timestamp()) * SECOND


@pytest.mark.parametrize(
    ("cron", "now", "last"),
    [
        ("30 3 * * *", datetime(2026, 2, 3, 3, 29, 50), datetime(2026, 2, 2, 3, 30)),
        ("30 3 * * *", datetime(2026, 2, 3, 3, 30), datetime(2026, 2, 3, 3, 30)),
        ("30 3 * * *", datetime(2026, 2, 3, 23, 0), datetime(2026, 2, 3, 3, 30)),
        ("* * * * *", datetime(2026, 2, 3, 3, 30, 40), datetime(2026, 2, 3, 3, 30)),
        ("0 5 * * 6", datetime(2026, 2, 6, 12, 0), datetime(2026, 1, 31, 5, 0)),
        ("0 5 29 2 *", datetime(2026, 2, 6, 12, 0), datetime(2024, 2, 29, 5, 0)),
    ],
)
def test_the_last_moment_of_a_schedule(cron: str, now: datetime, last: datetime) -> None:
    now, last = now.replace(tzinfo=DUTCH_TIME), last.replace(tzinfo=DUTCH_TIME)
    assert Slots(cron_trigger(cron)).last(micro(now)) == micro(last)


def test_who_wakes_for_a_moment_a_little_early_reckons_it_as_come() -> None:
    due = datetime(2026, 2, 3, 3, 30, tzinfo=DUTCH_TIME)
    slots = Slots(cron_trigger("30 3 * * *"))
    early = micro(due) - int((NEAR_SECONDS - 0.5) * SECOND)
    assert slots.last(early) == micro(due)


def test_in_the_night_that_summer_time_ends_an_hour_comes_twice() -> None:
    slots = Slots(cron_trigger("*/30 * * * *"))
    first = datetime(2026, 10, 25, 0, 40, tzinfo=UTC)
    found = {slots.last(micro(first + timedelta(minutes=30 * number))) for number in range(4)}
    assert len(found) == 4


def test_the_moments_of_what_runs_every_so_many_seconds_are_the_same_for_all() -> None:
    slots = Slots(cron_trigger("* * * * *"), 60)
    assert slots.last(120 * SECOND) == 120 * SECOND
    assert slots.last(118 * SECOND) == 120 * SECOND  # near
    assert slots.last(110 * SECOND) == 60 * SECOND


@pytest.mark.parametrize("cron", ["*/30 * * * *", "30 2 * * *", "* * * * *"])
def test_in_the_nights_in_which_the_clock_is_set_no_moment_goes_back(cron: str) -> None:
    slots = Slots(cron_trigger(cron))
    for night in (datetime(2026, 10, 24, 23, 10, tzinfo=UTC), datetime(2026, 3, 28, 23, 10, tzinfo=UTC)):
        moments = [micro(night + timedelta(minutes=7 * number)) for number in range(40)]
        found = [slots.last(moment) for moment in moments]
        assert found == sorted(found)
        assert all(due <= moment + NEAR_SECONDS * SECOND for due, moment in zip(found, moments, strict=True))
