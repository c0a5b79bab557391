"""Runs last: nothing personal stands in any log line of the whole run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support import Asker

from gateway.sample.data import default_paths, load
from gateway.sample.server import DEFAULT_APPLICATION, SampleServer

NUMBER = re.compile(r"(?<![0-9a-f-])[0-9]{8,9}(?![0-9a-f-])")


def personal_values() -> tuple[set[str], set[str]]:
    """The numbers, and the e-mail addresses, of everyone in the sample data."""
    numbers, addresses = set(), set()
    for rol in load(default_paths()).objects("rol"):
        identificatie = rol.get("betrokkeneIdentificatie")
        if isinstance(identificatie, dict):
            for name in ("inpBsn", "innNnpId", "inpA_nummer"):
                if isinstance(identificatie.get(name), str) and len(identificatie[name]) >= 8:
                    numbers.add(identificatie[name])
        contact = rol.get("contactpersoonRol")
        if isinstance(contact, dict) and isinstance(contact.get("emailadres"), str) and contact["emailadres"]:
            addresses.add(contact["emailadres"])
    return numbers, addresses


def test_questions_by_bsn_are_logged_without_it(run_log: Path, install, caplog) -> None:  # type: ignore[no-untyped-def]
    """Make log lines of every sort: calls by BSN, a source that fails, and errors with tracebacks."""
    with SampleServer(load(default_paths()[0])) as server, caplog.at_level("DEBUG"):
        asker = Asker(install(bron=server, max_age=0, deadline=2))
        rol = next(
            rol
            for rol in server.dataset.objects("rol")
            if (rol["betrokkeneIdentificatie"] or {}).get("inpBsn")
        )
        bsn = rol["betrokkeneIdentificatie"]["inpBsn"]
        query = {"partijIdentificator__codeSoortObjectId": "bsn", "partijIdentificator__objectId": bsn}
        asker.get("partijen", **query)
        server.traps.down = True
        asker.get("partijen", **query)
        asker.get("partijen", onbekend=bsn)
        asker.get(f"partijen/{bsn}")
    assert bsn not in caplog.text


def test_no_personal_value_stands_in_any_log_line(run_log: Path) -> None:
    files = list(run_log.iterdir())
    text = "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in files)
    if "inpBsn" not in text:
        pytest.skip("this run logged no call by BSN: run the whole suite")
    numbers, addresses = personal_values()
    found = set(NUMBER.findall(text)) & numbers
    assert not found, f"{len(found)} personal numbers in the log"
    assert not [address for address in addresses if address in text], "e-mail addresses in the log"
    assert DEFAULT_APPLICATION.secret not in text
    assert "eyJ" not in text, "a JWT in the log"
    assert not re.search(r"Token kb_", text)
