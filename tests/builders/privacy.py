"""Nothing personal may stand in any log line of a whole run of the tests: the judge of that."""

from __future__ import annotations

import re
from pathlib import Path

from builders.sample_data import sample_data

from gateway.sample.server import DEFAULT_APPLICATION

NUMBER = re.compile(r"(?<![0-9a-f-])[0-9]{8,9}(?![0-9a-f-])")


def personal_values() -> tuple[set[str], set[str]]:
    """The numbers, and the e-mail addresses, of everyone in the sample data."""
    numbers, addresses = set(), set()
    for rol in sample_data().objects("rol"):
        identificatie = rol.get("betrokkeneIdentificatie")
        if isinstance(identificatie, dict):
            for name in ("inpBsn", "innNnpId", "inpA_nummer"):
                if isinstance(identificatie.get(name), str) and len(identificatie[name]) >= 8:
                    numbers.add(identificatie[name])
        contact = rol.get("contactpersoonRol")
        if isinstance(contact, dict) and isinstance(contact.get("emailadres"), str) and contact["emailadres"]:
            addresses.add(contact["emailadres"])
    return numbers, addresses


def judge(folder: Path) -> None:
    """Read every log line of a run. Raises AssertionError, without the value, when one holds something personal."""
    text = "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in folder.iterdir())
    numbers, addresses = personal_values()
    found = set(NUMBER.findall(text)) & numbers
    assert not found, f"{len(found)} personal numbers in the log"
    held = {address for address in addresses if "@" in address and address in text}
    assert not held, f"{len(held)} e-mail addresses in the log"
    assert DEFAULT_APPLICATION.secret not in text, "the secret of a source in the log"
    assert "eyJ" not in text, "a JWT in the log"
    assert not re.search(r"Token kb_", text), "a token in the log"
