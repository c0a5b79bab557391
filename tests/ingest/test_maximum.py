"""The most that may be shown (M34) is lowered while another process still goes by the old setting."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders.asker import Asker
from builders.configs import read_config, write_config
from builders.following import backfilled
from builders.probe.tamper import Tamper
from builders.sample_data import an_open_zaak, small
from builders.store_digest import dump_digest

from gateway.ingest.ingest import OtherMaximum
from gateway.installation import Installation, open_installation
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer
from jobs.backfill.backfill import Backfill

pytestmark = pytest.mark.slow


@pytest.fixture
def data() -> Dataset:
    return small(20)


def opened(folder: Path, server: SampleServer, maximum: str) -> Installation:
    """An installation on the store of this folder."""
    path = write_config(folder, {"bron": server})
    path.write_text(path.read_text().replace('"zaakvertrouwelijk"', f'"{maximum}"'))
    return open_installation(read_config(path))


@pytest.mark.rule("M34")
def test_a_backfill_with_the_old_maximum_writes_nothing_more(tmp_path: Path, server: SampleServer) -> None:
    """What it would write is too confidential by now, and nothing would take it away again."""
    old = opened(tmp_path / "here", server, "zaakvertrouwelijk")
    reading = Backfill(
        old.fetchers["bron"], show=lambda progress: opened(tmp_path / "here", server, "openbaar")
    )
    with pytest.raises(OtherMaximum, match="Start het opnieuw"):
        reading.run()
    new = backfilled(opened(tmp_path / "here", server, "openbaar"))
    assert dump_digest(new.store) == dump_digest(
        backfilled(opened(tmp_path / "fresh", server, "openbaar")).store
    )


@pytest.mark.rule("M34")
def test_a_gateway_with_the_old_maximum_answers_with_what_it_has(
    tmp_path: Path, server: SampleServer
) -> None:
    old = backfilled(opened(tmp_path / "here", server, "zaakvertrouwelijk"))
    zaak = an_open_zaak(server.dataset)
    Tamper(old.store).set_covered()
    opened(tmp_path / "here", server, "openbaar")
    about = {"onderwerpobject__onderwerpobjectidentificatorObjectId": zaak["uuid"]}
    reply = Asker(old).get("klantcontacten", **about)
    assert (reply.status_code, reply.headers["Klantbrug-Freshness"]) == (200, "stale")
    with pytest.raises(OtherMaximum):
        old.ingest.take("bron", "zaak", [zaak], asked=0)
