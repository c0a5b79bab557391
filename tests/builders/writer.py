"""A client that writes over what legacy objects, put in by hand, say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from builders.asker import API, Asker
from builders.configs import UUID_SECRET, read_config
from builders.legacy_objects import BSN as BSNS
from builders.stores import store_keys

from gateway.http.auth import create_token
from gateway.ingest.ingest import Ingest
from gateway.installation import Installation, open_installation
from jobs.backfill.backfill import Backfill
from mappings.model.settings import Settings

BSN_OF_CLIENT = BSNS[0]


class Writer(Asker):
    """A client that may write."""

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation)
        self.token = create_token(installation.store, f"writer-{uuid4()}", "write")
        self.installation = installation

    def send(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Token {self.token}"}
        return self.client.open(f"{API}/{path}", method=method, json=body, headers=headers)

    def sync(self) -> None:
        """Read the whole source again, with every rol changed a little, so that nothing is skipped as the same."""
        assert Backfill(self.installation.fetchers["bron"]).run()


def without_source(folder: Path) -> Installation:
    """A register without a source that answers, into which legacy objects are put by hand."""
    config = folder / "config.toml"
    keys = store_keys(folder / "klantbrug.db")
    config.write_text(f'[store]\n{keys}uuid_secret = "{UUID_SECRET}"\n', encoding="utf-8")
    return open_installation(read_config(config))


@pytest.fixture
def register(tmp_path: Path) -> Writer:
    return Writer(without_source(tmp_path))


def taking(register: Writer, **changes: Any) -> Ingest:
    settings = replace(Settings("zaakvertrouwelijk"), **changes)
    return Ingest(register.installation.store, settings, UUID_SECRET)
