"""A store on PostgreSQL that a newer version upgraded while this one runs: it writes no more, and says so."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from builders.stores import ON_POSTGRES

from gateway.store.base.errors import StoreUnwritable
from gateway.store.inspect import status

pytestmark = pytest.mark.skipif(not ON_POSTGRES, reason="KLANTBRUG_TEST_DATABASE names no database")

LATER = "INSERT INTO migration (name) VALUES ('9999_later')"


def test_it_reads_and_does_not_write(one: Any) -> None:
    assert status.unready(one) == ""
    with one.write() as session:
        session.run("INSERT INTO meta VALUES ('before', '1')")
    with one.write() as session:
        session.run(LATER)
    for _ in range(2):
        with pytest.raises(StoreUnwritable), one.write() as session:
            session.run("INSERT INTO meta VALUES ('after', '1')")
    with one.giving_way(), pytest.raises(StoreUnwritable), one.write():
        pass
    with one.read() as session:
        assert session.all("SELECT name FROM meta WHERE name IN ('before', 'after')") == [("before",)]
    assert status.unready(one) == status.NEW_SCHEMA
    assert ["nieuwere versie" in said for said in one.trouble()] == [True]


def test_who_waited_while_it_was_upgraded_does_not_write(one: Any) -> None:
    holds, refused = threading.Event(), []

    def write() -> None:
        holds.wait()
        try:
            with one.write() as session:
                session.run("INSERT INTO meta VALUES ('after', '1')")
        except StoreUnwritable as error:
            refused.append(error)

    thread = threading.Thread(target=write)
    thread.start()
    with one.write() as session:
        session.run(LATER)
        holds.set()
        thread.join(0.5)
        assert thread.is_alive()
    thread.join()
    assert len(refused) == 1
