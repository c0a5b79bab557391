"""What tests of ingest share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from builders.probe.invariants import broken
from builders.register import Register


@pytest.fixture
def register(tmp_path: Path) -> Iterator[Register]:
    """A store into which objects are put, of which all that must hold holds in the end."""
    made = Register(tmp_path / "store.sqlite")
    yield made
    assert broken(made.store) == {}
    made.store.close()
