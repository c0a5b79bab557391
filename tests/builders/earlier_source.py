"""A source with all three APIs for tests: a backfilled store is made once, and copied for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from builders.configs import write_config
from builders.probe.probe import Probe
from builders.quarantine import let_be
from builders.sample_data import sample_data, some_zaken
from builders.stores import copy_folder

from gateway.config.load import load_config
from gateway.installation import Installation, open_installation
from gateway.sample.contents.dataset import PATHS, Dataset
from gateway.sample.contents.earlier_objects import add_earlier
from gateway.sample.server import SampleServer
from jobs.backfill.backfill import Backfill

KINDS = ("klant", "contactmoment", "klantcontactmoment", "objectcontactmoment", "zaakcontactmoment")


def last(url: str) -> str:
    """The uuid that ends a URL."""
    return url.rpartition("/")[2]


class EarlierSource:
    """A sample server with an older contact system, and backfilled installations on it.

    One zaak with a contactmoment is too confidential to be shown.
    """

    def __init__(self, server: SampleServer, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self.before = {kind: server.dataset.objects(kind) for kind in PATHS}
        self.count = 0
        installation = self.open("template")
        assert Backfill(installation.fetchers["bron"]).run()
        Probe(installation.store).checkpoint()
        installation.store.close()

    def open(self, name: str) -> Installation:
        """An installation with an empty store."""
        path = write_config(self.folder / name, {"bron": self.server})
        earlier = (
            f'klanten_url = "{self.server.klanten_url}"\n'
            f'contactmomenten_url = "{self.server.contactmomenten_url}"\n'
        )
        path.write_text(path.read_text() + earlier)
        return open_installation(load_config(path, {}))

    def filled(self) -> Installation:
        """An installation that is backfilled, of its own."""
        self.count += 1
        own = self.folder / f"copy-{self.count}"
        copy_folder(self.folder / "template", own)
        return let_be(open_installation(load_config(own / "config.toml", {})))

    def restore(self) -> None:
        """Make the objects at the source what they were."""
        data = self.server.dataset
        for kind, objects in self.before.items():
            wanted = {last(raw["url"]): raw for raw in objects}
            held = {last(raw["url"]): raw for raw in data.objects(kind)}
            for uuid in held.keys() - wanted.keys():
                data.remove(kind, uuid)
            for uuid, raw in wanted.items():
                if uuid not in held:
                    data.add(kind, raw)
                elif held[uuid] != raw:
                    data.replace(kind, uuid, raw)

    def shown(self, installation: Installation, kind: str, number: int = 0) -> dict[str, Any]:
        """An object of the source that went into a document."""
        probe = Probe(installation.store)
        found = [raw for raw in self.server.dataset.objects(kind) if probe.made_of(last(raw["url"]))]
        return found[number]


def earlier_data() -> Dataset:
    """Each so many'th zaak, with klanten and contactmomenten; one of those with a contactmoment is secret."""
    data = add_earlier(some_zaken(sample_data(), 12))
    zaak = data.get("zaak", last(data.objects("objectcontactmoment")[-1]["object"]))
    data.replace("zaak", zaak["uuid"], zaak | {"vertrouwelijkheidaanduiding": "geheim"})
    return data


def fixtures() -> tuple[Any, Any, Any]:
    """The fixtures `whole`, `source` and `filled` for a module of tests: one source and its template for all of it,
    the source as it was before for each test, and a backfilled installation of its own."""

    @pytest.fixture(scope="module")
    def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EarlierSource]:
        with SampleServer(earlier_data()) as server:
            yield EarlierSource(server, tmp_path_factory.mktemp("earlier"))

    @pytest.fixture
    def source(whole: EarlierSource) -> Iterator[EarlierSource]:
        yield whole
        whole.restore()

    @pytest.fixture
    def filled(source: EarlierSource) -> Iterator[Installation]:
        installation = source.filled()
        yield installation
        installation.store.close()

    return whole, source, filled
