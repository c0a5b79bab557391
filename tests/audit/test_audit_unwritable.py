"""An audit log that can't be written: nothing about a person is answered, and it is told of and counted."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from builders.asker import API, write_client
from builders.client_bodies import PERSOON
from builders.configs import read_config, write_config

from gateway.audit.log import close_logs, directory_of
from gateway.installation import Installation, open_installation
from gateway.telemetry import running as telemetry
from gateway.telemetry.counts import page
from gateway.telemetry.slots import directory_of as counted_in


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    path = write_config(tmp_path / "unwritable", {})
    text = '[audit]\nenabled = true\nactivity = "https://register.example.nl/a"\n[metrics]\nenabled = true\n'
    path.write_text(path.read_text() + text)
    return open_installation(read_config(path))


def ask(client: Any, method: str, path: str, body: Any = None) -> Any:
    return client[0].open(f"{API}/{path}", method=method, json=body, headers=client[1])


def test_without_a_place_for_its_record_nothing_of_a_person_is_answered(installation: Installation) -> None:
    telemetry.begin(installation.config, serves=True)
    try:
        client = write_client(installation, installation.hydrator())
        made = ask(client, "POST", "partijen", PERSOON)
        assert made.status_code == 201
        path = f"partijen/{made.get_json()['uuid']}"
        folder = directory_of(installation.config)
        close_logs()  # as after midnight: the next record is in a new file
        shutil.rmtree(folder)
        for method, where, body in (
            ("GET", path, None),
            ("GET", "partijen", None),
            ("PATCH", path, {"interneNotitie": "nieuw"}),
        ):
            refused = ask(client, method, where, body)
            assert refused.status_code == 503, method
            assert "auditlog" in refused.get_json()["detail"] and "Retry-After" in refused.headers
            assert made.get_json()["uuid"] not in refused.get_data(as_text=True)
        assert ask(client, "GET", "internetaken").status_code == 200  # of nobody
        text, _ = page(counted_in(installation.config.store.path), "text/plain")
        assert b"klantbrug_audit_failures_total 3.0" in text
        folder.mkdir(mode=0o700)
        shown = ask(client, "GET", path)
        assert shown.status_code == 200
        assert shown.get_json()["interneNotitie"] == "nieuw", (
            "a change that could not be noted is done all the same"
        )
    finally:
        telemetry.end()
        close_logs()
