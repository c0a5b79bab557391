"""Cron expressions as cron reads them, for a scheduler that reads two things otherwise.

APScheduler counts the days of the week from Monday, cron from Sunday (0 and 7); and of a day of the month and a
day of the week that are both given, cron wants either, APScheduler both.
"""

from __future__ import annotations

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger

from gateway.base.clock import DUTCH_TIME, utc_now

# By the numbers that cron gives them.
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
SUNDAY_AGAIN = 7


def cron_trigger(expression: str) -> BaseTrigger:
    """The trigger for five cron fields (minute, hour, day, month, day of the week), in Dutch time.

    Raises ValueError when it is no cron expression, or one that never comes.
    """
    fields = expression.lower().split()
    if len(fields) != 5:
        raise ValueError("not five fields")
    minute, hour, day, month, weekday = fields
    days = days_of_week(weekday)

    def trigger(day: str, days: str) -> CronTrigger:
        return CronTrigger(
            minute=minute, hour=hour, day=day, month=month, day_of_week=days, timezone=DUTCH_TIME
        )

    found: BaseTrigger = trigger(day, days)
    # As cron does it: a field that begins with a star restricts the other, else either is enough.
    if not day.startswith("*") and not weekday.startswith("*"):
        found = OrTrigger([trigger(day, "*"), trigger("*", days)])
    if found.get_next_fire_time(None, utc_now()) is None:
        raise ValueError("never comes")
    return found


def days_of_week(field: str) -> str:
    """The days of a cron field by name, as APScheduler understands them. Raises ValueError."""
    if field == "*":
        return field
    found: set[int] = set()
    for part in field.split(","):
        days, slash, step = part.partition("/")
        if slash and not (step.isascii() and step.isdigit() and int(step)):
            raise ValueError("no step")
        first, last = _range(days)
        if slash and first == last and days != "*":
            last = len(DAYS) - 1  # 2/2: from Tuesday on, every second day
        found.update(number % SUNDAY_AGAIN for number in range(first, last + 1, int(step or 1)))
    return ",".join(DAYS[number] for number in sorted(found))


def _range(days: str) -> tuple[int, int]:
    if days == "*":
        return 0, len(DAYS) - 1
    first, dash, last = days.partition("-")
    if not dash:
        return _number(first), _number(first)
    start, end = _number(first), _number(last)
    if last == DAYS[0]:
        end = SUNDAY_AGAIN if start else 0  # fri-sun ends the week
    if end < start:
        raise ValueError("range ends before it begins")
    return start, end


def _number(day: str) -> int:
    if day in DAYS:
        return DAYS.index(day)
    if day.isascii() and day.isdigit() and int(day) <= SUNDAY_AGAIN:
        return int(day)
    raise ValueError("no day of the week")
