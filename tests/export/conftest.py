"""A register to leave to, and a home that is left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from builders.old_home import OldHome
from builders.other_register import OtherRegister, running


@pytest.fixture
def register(tmp_path: Path) -> Iterator[OtherRegister]:
    """An empty register that runs."""
    with running(tmp_path / "register") as made:
        yield made


@pytest.fixture
def home(tmp_path: Path) -> Iterator[OldHome]:
    """An installation without sources that is to leave."""
    made = OldHome(tmp_path / "home")
    yield made
    made.store.close()
