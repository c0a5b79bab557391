"""A backfill goes on only as what it was begun as: of the same addresses, with the same maximum, nothing forgotten."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from builders.configs import write_config
from builders.sample_data import some_zaken
from builders.store_digest import dump_digest

from gateway.fetch.fetcher import Fetcher
from gateway.ingest.ingest import OtherMaximum
from gateway.installation import Installation
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer
from gateway.store.inspect.status import status
from jobs.backfill.backfill import Backfill, Progress
from mappings.standards import CONNECTION

pytestmark = pytest.mark.slow

Install = Callable[..., Installation]
HIGH, LOW = "zaakvertrouwelijk", "openbaar"


@pytest.fixture
def data(slice_data: Dataset) -> Dataset:
    return some_zaken(slice_data, 12)


def with_maximum(config: Path, before: str, after: str) -> Path:
    config.write_text(config.read_text().replace(f'= "{before}"', f'= "{after}"'))
    return config


def fetcher_of(installation: Installation) -> Fetcher:
    return installation.fetchers["bron"]


def interrupted(installation: Installation) -> None:
    """A backfill that is stopped in its last stage: its looks agree."""

    def stop(progress: Progress) -> None:
        if progress.kind == CONNECTION:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Backfill(fetcher_of(installation), stop).run()


def coverage(installation: Installation) -> str:
    return str(status(installation.store)["sources"]["bron"]["coverage"])


def assert_as_fresh(installation: Installation, server: SampleServer, install: Install, folder: Path) -> None:
    """Its store holds what a backfill into an empty one brings."""
    fresh = install(write_config(folder / "fresh", {"bron": server}))
    assert Backfill(fetcher_of(fresh)).run()
    assert (left_out(installation), coverage(installation)) == (left_out(fresh), "complete")
    assert dump_digest(installation.store) == dump_digest(fresh.store)


def left_out(installation: Installation) -> int:
    kinds = status(installation.store)["sources"]["bron"]["kinds"]
    return int(kinds["zaak"]["left_out"].get("M34", 0))


def test_a_maximum_raised_while_it_was_interrupted_leaves_nothing_out(
    server: SampleServer, install: Install, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = with_maximum(write_config(tmp_path / "here", {"bron": server}), HIGH, LOW)
    installation = install(config)
    interrupted(installation)
    installation.store.close()
    installation = install(with_maximum(config, LOW, HIGH))
    assert Backfill(fetcher_of(installation)).run()
    assert "backfill begins again" in caplog.text
    assert_as_fresh(installation, server, install, tmp_path)


def test_a_maximum_that_was_lowered_and_raised_again_meanwhile(
    server: SampleServer, install: Install, tmp_path: Path
) -> None:
    """Its own terms are the same as before, but what was let go in between is not held."""
    config = write_config(tmp_path / "here", {"bron": server})
    installation = install(config)
    interrupted(installation)
    for before, after in ((HIGH, LOW), (LOW, HIGH)):
        installation.store.close()
        installation = install(with_maximum(config, before, after))
    assert Backfill(fetcher_of(installation)).run()
    assert_as_fresh(installation, server, install, tmp_path)


def test_a_maximum_raised_elsewhere_while_it_runs_ends_it(
    server: SampleServer, install: Install, tmp_path: Path
) -> None:
    config = with_maximum(write_config(tmp_path / "here", {"bron": server}), HIGH, LOW)
    running = install(config)
    raised: list[Installation] = []

    def raise_it(progress: Progress) -> None:
        if progress.kind == "rol" and not raised:
            raised.append(install(with_maximum(config, LOW, HIGH)))

    with pytest.raises(OtherMaximum):
        Backfill(fetcher_of(running), raise_it).run()
    assert coverage(running) == "partial"
    assert "max_vertrouwelijkheidaanduiding" in status(running.store)["runs"][0]["message"]
    assert Backfill(fetcher_of(raised[0])).run()
    assert_as_fresh(raised[0], server, install, tmp_path)


def test_another_address_begins_again(
    server: SampleServer, slice_data: Dataset, install: Install, tmp_path: Path
) -> None:
    config = write_config(tmp_path / "here", {"bron": server})
    installation = install(config)
    interrupted(installation)
    installation.store.close()
    with SampleServer(some_zaken(slice_data, 10)) as other:
        config.write_text(config.read_text().replace(server.zaken_url, other.zaken_url))
        installation = install(config)
        assert Backfill(fetcher_of(installation)).run()
        number = len(other.dataset.snapshot("zaak"))
    assert status(installation.store)["sources"]["bron"]["kinds"]["zaak"]["seen"] == number


def test_on_the_same_terms_it_goes_on(server: SampleServer, install: Install, tmp_path: Path) -> None:
    config = write_config(tmp_path / "here", {"bron": server})
    installation = install(config)
    interrupted(installation)
    installation.store.close()
    installation = install(config)
    server.reset_calls()
    assert Backfill(fetcher_of(installation)).run()
    assert not [call.path for call in server.calls if "/zaken?" in call.path]
