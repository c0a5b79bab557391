"""Clients write, old screens change the same, answers get lost, rights go: in the end all is where it belongs, once."""

from __future__ import annotations

import pytest
from builders.writeback_histories import STEPS, Step, WriteBackHistory
from builders.writeback_world import WriteBackWorld
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = [pytest.mark.rule(name) for name in ("W1", "W2", "W3", "W9", "W12", "W14")]
CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
HISTORIES = st.lists(st.tuples(st.sampled_from([*STEPS]), st.integers(0, 11)), min_size=3, max_size=16)


@settings(max_examples=4, deadline=None, suppress_health_check=CHECKS)
@given(HISTORIES)
def test_a_few_histories_of_write_back(earlier_template: WriteBackWorld, steps: list[Step]) -> None:
    WriteBackHistory(earlier_template.fresh()).run(steps)


@pytest.mark.soak
@settings(max_examples=150, deadline=None, suppress_health_check=CHECKS)
@given(HISTORIES)
def test_150_histories_of_write_back(earlier_template: WriteBackWorld, steps: list[Step]) -> None:
    WriteBackHistory(earlier_template.fresh()).run(steps)
