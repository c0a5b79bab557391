"""Orders: a stop holds from the moment it is pressed, and one object that fails does not keep the rest."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from builders.probe.tamper import Tamper
from builders.sample_data import small

from gateway.installation import Installation
from gateway.operator.rooms import ordering
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer
from gateway.store.operation import backfills, orders
from jobs.backfill.backfill import Backfill, BackfillStopped
from jobs.registry import BY_NAME, run_job

pytestmark = pytest.mark.slow


@pytest.fixture
def data() -> Dataset:
    return small(12)


def test_a_stop_between_the_order_and_its_run_stops_the_run(
    server: SampleServer, install: Callable[..., Installation]
) -> None:
    installation = install(bron=server)
    store, (source,), fetcher = installation.store, installation.config.sources, installation.fetchers["bron"]

    def stopped() -> bool:
        with store.read() as connection:
            return backfills.stop_wished(connection, fetcher.source)

    ordering.read_in(store, source, "anna")
    with store.write() as connection:
        order = orders.next_of(connection, source.name)
        assert order is not None
        orders.begin(connection, order.id)
    assert ordering.stop_reading(store, source, "bert")
    assert stopped()
    with pytest.raises(BackfillStopped):
        Backfill(fetcher).run()
    with store.write() as connection:
        orders.end(connection, order.id, "")
    ordering.read_in(store, source, "anna")
    assert not stopped()
    assert ordering.stop_reading(store, source, "bert")
    assert not stopped()  # it was only waiting


def test_an_object_in_quarantine_that_gets_no_answer_does_not_keep_the_next(
    filled: Installation, server: SampleServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.installation.RETRY_SECONDS", 1.0)
    tamper = Tamper(filled.store)
    for rol in [each["uuid"] for each in server.dataset.objects("rol")][:2]:
        tamper.quarantine(rol, "onleesbaar")
        tamper.empty(rol)
    server.traps.down = True
    ordering.look_again(filled.store, filled.config.sources[0], "anna")
    assert run_job(filled, BY_NAME["orders"]) == {"done": 1, "failed": 0}
    with filled.store.read() as connection:
        (order,) = orders.listing(connection)
    assert order.outcome == "2 objecten opnieuw gevraagd, waarvan 2 zonder antwoord"
