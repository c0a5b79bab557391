"""What an operator is told of a store that is open and in trouble, whatever the database."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.store.base import errors
from gateway.store.base.errors import StoreDamaged, StoreFailed, StoreUnwritable
from gateway.store.file.troubles import FileTroubles
from gateway.store.postgres.wire.errors import PostgresTroubles

FULL = StoreUnwritable("FULL", says="de schijf is vol")


@pytest.fixture(params=["file", "postgresql"])
def troubles(request: pytest.FixtureRequest, tmp_path: Path) -> FileTroubles | PostgresTroubles:
    return FileTroubles(tmp_path / "store.db") if request.param == "file" else PostgresTroubles()


def test_a_write_that_failed_is_told_for_a_minute(
    troubles: FileTroubles | PostgresTroubles, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = 1000.0
    monkeypatch.setattr(errors.time, "monotonic", lambda: moment)
    troubles.notice(StoreFailed("OTHER"))
    assert troubles.told(only_reads=False) == []
    troubles.notice(FULL)
    assert troubles.told(only_reads=False) == [FULL.unwritable]
    moment += errors.TOLD_SECONDS
    assert troubles.told(only_reads=False) == []


def test_damage_is_told_from_then_on(troubles: FileTroubles | PostgresTroubles) -> None:
    troubles.notice(StoreDamaged("CORRUPT"))
    assert "CORRUPT" in " ".join(troubles.told(only_reads=False))


def test_a_store_that_can_only_be_read_says_so(tmp_path: Path) -> None:
    assert "replica" in " ".join(PostgresTroubles().told(only_reads=True))
    of_a_file = FileTroubles(tmp_path / "store.db")
    of_a_file.unwritable = (-errors.TOLD_SECONDS, FULL.unwritable)  # long ago: there was no room to open it
    assert of_a_file.told(only_reads=True) == [FULL.unwritable]
