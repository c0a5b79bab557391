"""What tests of the store on PostgreSQL share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from builders.databases import another


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The name of the store."""
    return tmp_path / "store"


@pytest.fixture
def one(path: Path) -> Iterator[Any]:
    """A store in a database."""
    made = another(path)
    yield made
    made.close()
