"""What a job leaves to clients that write (gateway.store.postgres.rests.py)."""

from __future__ import annotations

import pytest

from gateway.store.postgres import rests
from gateway.store.postgres.rests import Rests


class Clock:
    """A clock that goes on only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(rests, "time", made)
    return made


def test_a_job_rests_longer_than_its_batch_took_while_clients_write(clock: Clock) -> None:
    job = Rests()
    job.see()
    job.wrote(0.05)
    job.rest()
    job.rest()  # it did
    assert clock.slept == [0.1]
    job.wrote(3.0)
    job.rest()
    assert clock.slept == [0.1, rests.MOST_SECONDS]


def test_a_job_does_not_rest_when_nobody_writes_now(clock: Clock) -> None:
    job = Rests()
    job.wrote(0.05)
    job.rest()
    job.see()
    clock.now += rests.NOW_SECONDS
    job.wrote(0.05)
    job.rest()
    assert clock.slept == []
    assert job.lately()
    clock.now += rests.LATELY_SECONDS
    assert not job.lately()
