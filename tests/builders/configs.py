"""Configurations, with their store beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from builders.stores import store_keys

from gateway.config.load import load_config
from gateway.config.model import Config
from gateway.sample.server import DEFAULT_APPLICATION, SampleServer

UUID_SECRET = "a secret of the tests, longer than thirty-two characters"


LIVE = (
    "\n[live]\nmax_age = {max_age}\ndeadline = {deadline}\n"
    "partial = '{partial}'\npartial_lists = '{partial_lists}'\n"
)


def write_config(folder: Path, sources: dict[str, SampleServer], **live: Any) -> Path:
    """A config.toml for these sources with its store beside it."""
    settings = {"max_age": 300, "deadline": 20, "partial": "refuse", "partial_lists": "refuse"} | live
    text = f'[store]\n{store_keys(folder / "klantbrug.db")}uuid_secret = "{UUID_SECRET}"\n' + LIVE.format(
        **settings
    )
    text += '[mapping]\nmax_vertrouwelijkheidaanduiding = "zaakvertrouwelijk"\n'
    for name, server in sources.items():
        text += (
            f'[[source]]\nname = "{name}"\nzaken_url = "{server.zaken_url}"\n'
            f'client_id = "{DEFAULT_APPLICATION.client_id}"\nsecret = "{DEFAULT_APPLICATION.secret}"\n'
            "connect_timeout = 2\nread_timeout = 10\n"
        )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def read_config(path: Path) -> Config:
    """A configuration without the environment of whoever runs the tests."""
    return load_config(path, {})
