"""Cron expressions mean what cron means by them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.base.clock import DUTCH_TIME
from gateway.base.cron import cron_trigger, days_of_week

SUNDAY = datetime(2026, 2, 1, tzinfo=DUTCH_TIME)  # a month whose days of the month tell the days of the week
NAMES = ("zondag", "maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag")


def times(expression: str, after: datetime, count: int) -> list[datetime]:
    """The first times of an expression from a moment on."""
    trigger, found = cron_trigger(expression), []
    while len(found) < count:
        moment = trigger.get_next_fire_time(found[-1] if found else None, after)
        assert moment
        found.append(moment)
        after = moment + timedelta(seconds=1)
    return found


@pytest.mark.parametrize("number", range(8), ids=lambda number: f"{number} is {NAMES[number]}")
def test_a_day_number_means_what_cron_means(number: int) -> None:
    """0 and 7 are Sunday; APScheduler's own 0 is Monday."""
    first, second = times(f"0 2 * * {number}", SUNDAY, 2)
    assert first == SUNDAY + timedelta(days=number % 7, hours=2)
    assert second - first == timedelta(days=7)


@pytest.mark.parametrize(
    ("field", "days"),
    [
        ("*", "*"),
        ("1-5", "mon,tue,wed,thu,fri"),
        ("0-2", "sun,mon,tue"),
        ("5-7", "sun,fri,sat"),
        ("fri-sun", "sun,fri,sat"),
        ("sun-tue", "sun,mon,tue"),
        ("*/2", "sun,tue,thu,sat"),
        ("1-5/2", "mon,wed,fri"),
        ("2/2", "tue,thu,sat"),
        ("0,7", "sun"),
        ("MON,3", "mon,wed"),
    ],
)
def test_ranges_steps_and_names_of_days(field: str, days: str) -> None:
    assert days_of_week(field.lower()) == days


@pytest.mark.parametrize("field", ["8", "-1", "5-1", "mon-", "x", "1/0", "1/x", "", "1,,2", "²"])
def test_what_is_no_day_of_the_week_is_refused(field: str) -> None:
    with pytest.raises(ValueError, match=r"day|range|step"):
        days_of_week(field)


@pytest.mark.parametrize(
    "expression", ["", "0 2 * *", "0 2 * * * *", "60 2 * * *", "0 2 31 2 *", "a b c d e"]
)
def test_what_is_no_cron_expression_or_never_comes_is_refused(expression: str) -> None:
    with pytest.raises(ValueError):
        cron_trigger(expression)


def test_of_a_day_of_the_month_and_of_the_week_either_is_enough() -> None:
    found = times("0 0 13 * 5", SUNDAY, 5)
    assert [moment.day for moment in found] == [6, 13, 20, 27, 6]
    found = times("0 0 3 * 5", SUNDAY, 3)
    assert [moment.day for moment in found] == [3, 6, 13]


def test_times_are_dutch_in_summer_and_winter() -> None:
    (winter,) = times("0 2 15 1 *", datetime(2026, 1, 1, tzinfo=UTC), 1)
    (summer,) = times("0 2 15 7 *", datetime(2026, 7, 1, tzinfo=UTC), 1)
    assert (winter.astimezone(UTC).hour, summer.astimezone(UTC).hour) == (1, 0)
