"""Worlds in which clients' writes go back to a source, made once a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from builders.sample_data import small
from builders.writeback_world import WriteBackWorld, WritingBack, earlier_data, with_addresses

from gateway.sample.server import SampleServer, Traps


@pytest.fixture(scope="module")
def zaken_template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WriteBackWorld]:
    """A source with only a Zaken API."""
    with SampleServer(small(60)) as server:
        yield WriteBackWorld(tmp_path_factory.mktemp("zaken"), server, ["klantcontacten"])


@pytest.fixture
def zaken(zaken_template: WriteBackWorld) -> Iterator[WritingBack]:
    """An installation on a source with only a Zaken API, that is told of contacts."""
    yield zaken_template.fresh()
    zaken_template.server.traps = Traps()


@pytest.fixture(scope="module")
def earlier_template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WriteBackWorld]:
    """A source with a Klanten API and a Contactmomenten API as well."""
    with SampleServer(earlier_data()) as server:
        kinds = ["contactmomenten", "contactgegevens", "klanten"]
        yield WriteBackWorld(tmp_path_factory.mktemp("earlier"), server, kinds)


@pytest.fixture
def earlier(earlier_template: WriteBackWorld) -> Iterator[WritingBack]:
    """An installation on a source with the earlier standards too, that is told of contacts, details and klanten."""
    yield earlier_template.fresh()
    earlier_template.server.traps = Traps()


@pytest.fixture(scope="module")
def rollen_template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WriteBackWorld]:
    """A source with only a Zaken API, with a person whose address stands on rollen."""
    with SampleServer(with_addresses(small(60))) as server:
        yield WriteBackWorld(tmp_path_factory.mktemp("rollen"), server, ["rollen"])


@pytest.fixture
def with_rollen(rollen_template: WriteBackWorld) -> Iterator[WritingBack]:
    """An installation on that source, that is told of addresses on rollen."""
    yield rollen_template.fresh()
    rollen_template.server.traps = Traps()
