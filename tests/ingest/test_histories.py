"""Any client writes, any legacy changes, in any order: incremental is rebuild is what the client saw (M19, M42)."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from builders.histories import LEGACY, WRITES, History, Step
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = [pytest.mark.rule("M19"), pytest.mark.rule("M42")]
NUMBERS = st.integers(0, 11)
STEPS = st.lists(
    st.tuples(st.sampled_from([*WRITES, *LEGACY]), NUMBERS, NUMBERS, NUMBERS), min_size=2, max_size=30
)
CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large]


def happens(steps: Sequence[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        history = History(Path(folder))
        try:
            history.run(steps)
        finally:
            history.close()


@pytest.mark.slow
@settings(max_examples=8, deadline=None, suppress_health_check=CHECKS)
@given(STEPS)
def test_a_few_histories(steps: list[Step]) -> None:
    happens(steps)


@pytest.mark.soak
@settings(max_examples=500, deadline=None, suppress_health_check=CHECKS)
@given(STEPS)
def test_500_histories(steps: list[Step]) -> None:
    happens(steps)
