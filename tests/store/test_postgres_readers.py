"""Readers on PostgreSQL: how long they may take together, and how long they may stand still."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from builders.database_proxy import DatabaseProxy
from builders.databases import another
from builders.stores import ON_POSTGRES

from gateway.store.base.errors import StoreAway, TooLong

pytestmark = pytest.mark.skipif(not ON_POSTGRES, reason="KLANTBRUG_TEST_DATABASE names no database")


def test_all_questions_of_one_read_share_its_time(one: Any) -> None:
    one.question_seconds = 1
    began = time.monotonic()
    with pytest.raises(TooLong), one.read() as session:
        for _ in range(6):
            session.one("SELECT pg_sleep(0.3)")
    assert time.monotonic() - began < 1.6
    with one.read() as session:
        assert session.one("SELECT 1") == (1,)


def test_time_between_questions_counts(one: Any) -> None:
    one.question_seconds = 0.1
    with pytest.raises(TooLong), one.read() as session:
        time.sleep(0.2)
        session.one("SELECT 1")
    one.question_seconds = float("inf")
    with one.read() as session:
        assert session.one("SELECT current_setting('statement_timeout')") == ("0",)


def test_a_database_that_stands_still_holds_nobody(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gateway.store.postgres import database

    monkeypatch.setattr(database, "SILENT_SECONDS", 0.2)
    with DatabaseProxy() as proxy:
        far = another(path, proxy.url)
        far.question_seconds = 0.2
        began = time.monotonic()
        with pytest.raises(TooLong), far.read() as session:
            session.one("SELECT 1")
            proxy.still = True
            session.one("SELECT 2")
        proxy.still = False
        assert far.connection().one("SELECT 1") == (1,)
        proxy.still = True
        with pytest.raises(TooLong):
            far.connection().one("SELECT 1")
        proxy.still = False
        assert far.connection().one("SELECT 1") == (1,)
        proxy.still = True
        with pytest.raises(StoreAway), far.write():
            raise AssertionError
        assert time.monotonic() - began < 8
        proxy.still = False
        with far.write() as session:
            assert session.one("SELECT 1") == (1,)
        far.close()


@pytest.mark.slow
def test_a_reader_whose_rows_nobody_takes_may_go_on(one: Any) -> None:
    """As a dump into a pipe that stands still for longer than a writer may."""
    with one.read() as session:
        numbers = session.each("SELECT n FROM generate_series(1, ?) AS s (n)", (2500,))
        assert next(numbers) == (1,)
        time.sleep(3.6)
        assert sum(1 for _ in numbers) == 2499
