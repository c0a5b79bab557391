"""A proof that failed: what hides it, and how large the next one is."""

from __future__ import annotations

from typing import Any

import pytest
from builders.probe.tamper import Tamper
from builders.sample_data import small
from builders.verifying import a_rol

from gateway.installation import Installation
from gateway.operator.rooms import ordering
from gateway.operator.rooms.overview import whole_overview
from gateway.operator.watch.standing import Watch
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer
from gateway.store.operation import verify_reports
from jobs.registry import BY_NAME, run_job
from jobs.verify.verify import Verify

pytestmark = pytest.mark.slow


@pytest.fixture
def data() -> Dataset:
    return small(12)


@pytest.fixture
def broken(filled: Installation, server: SampleServer) -> Installation:
    """A store that lacks an object of the source."""
    Tamper(filled.store).lose_raw(a_rol(server)["uuid"])
    return filled


def way(installation: Installation) -> dict[str, Any]:
    found: dict[str, Any] = whole_overview(installation.store, installation.config)["sources"]["bron"]["way"]
    return found


def clean_for_a_monitor(installation: Installation) -> bool:
    found: bool = Watch(installation.store, installation.config).look()["sources"]["bron"]["proof"]["clean"]
    return found


def test_a_smaller_clean_proof_does_not_hide_one_that_failed(broken: Installation) -> None:
    fetcher = broken.fetchers["bron"]
    assert not Verify(fetcher).run()["clean"]
    assert any(Verify(fetcher, sample=1, seed=seed).run()["clean"] for seed in range(50))
    found = way(broken)
    assert (found["proof"]["id"], found["proof"]["clean"]) == (1, False)
    assert not clean_for_a_monitor(broken)
    assert Verify(fetcher, repair=True).run()["clean"]
    assert way(broken)["proof"]["clean"]
    assert clean_for_a_monitor(broken)


@pytest.mark.parametrize("repair", [True, False])
def test_after_a_failed_sample_the_next_undoes_it(broken: Installation, repair: bool) -> None:
    failed = Verify(broken.fetchers["bron"], sample=600, seed=77).run()
    assert not failed["clean"]
    ordering.prove(broken.store, broken.config.sources[0], "anna", whole=False, repair=repair)
    assert run_job(broken, BY_NAME["orders"]) == {"done": 1, "failed": 0}
    with broken.store.read() as connection:
        made = verify_reports.get_report(connection, failed["id"] + 1)
    assert made is not None
    assert (made["sample"], made["seed"] == 77, made["clean"]) == (600, repair, repair)
