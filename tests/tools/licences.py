"""The licences of what production installs: `make lock` writes docs/licences.md, a test compares it.

What a package says of itself: its licence expression, else its licence in words, else its classifiers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from builders.paths import ROOT
from packaging.markers import default_environment
from packaging.requirements import Requirement

LOCK, DOCUMENT = ROOT / "requirements.lock", ROOT / "docs" / "licences.md"
ABOUT = """# Licences

Klantbrug is under the [EUPL-1.2](../LICENSE). These are the packages that production installs beside it, as
`requirements.lock` names them, with the licence that each says it has. `make lock` writes this list.

pycountry is under the LGPL-2.1-only. It is used as it is, as a package of its own that anybody may replace by another
version; nothing of it is copied into Klantbrug. Whoever passes on an installation passes on its licence text with it,
which stands in the package. Its data gives names and codes of countries (`mappings/values/landen.py`).

The stylesheet of the operator's pages (`gateway/pages/static/pages.css`) holds parts of the components of the NL Design
System as the municipality of Utrecht makes them, and of the tokens of its theme Voorbeeld: copyright Frameless B.V.,
Gemeente Utrecht and NL Design System, under the EUPL-1.2 as well. `assets/package-lock.json` names each. The theme of
Utrecht itself is not open, and nothing of it is used.

Swagger UI, which shows the documents of the API, is part of Klantbrug as built files under the Apache-2.0, with its
licence and notice beside it: `gateway/http/viewer`.

| Package | Version | Licence |
|---|---|---|
"""
# What packages write for the same licence.
SPELLED = {
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "ISC License (ISCL)": "ISC",
    "LGPL-2.1": "LGPL-2.1-only",
    "MIT License": "MIT",
    "Apache Software License, BSD License": "Apache-2.0 OR BSD-3-Clause",
}
# Who says nothing of use: as its licence file reads.
READ = {"click-default-group": "BSD-3-Clause"}
CLASSIFIER = "License :: OSI Approved :: "
LONGEST = 60


def locked(lock: Path) -> Iterator[Requirement]:
    """What a lock file names."""
    for line in lock.read_text(encoding="utf-8").splitlines():
        if re.match(r"[a-z0-9]", line, re.IGNORECASE):
            yield Requirement(line.removesuffix("\\").strip())


def licence(name: str) -> str:
    """The licence that an installed package says it has. Raises PackageNotFoundError."""
    if name in READ:
        return READ[name]
    told = metadata(name)
    classifiers = sorted(
        each.removeprefix(CLASSIFIER)
        for each in told.get_all("Classifier", [])
        if each.startswith(CLASSIFIER)
    )
    said = told.get("License-Expression") or ""
    if not said:
        words = told.get("License") or ""
        said = words if words and len(words) < LONGEST and "\n" not in words else ", ".join(classifiers)
    return SPELLED.get(said, said)


def listed() -> Iterator[str]:
    """A line for each package that this kind of machine installs."""
    here = {name: str(value) for name, value in default_environment().items()}
    for each in locked(LOCK):
        if each.marker is None or each.marker.evaluate(here):
            version = str(each.specifier).removeprefix("==")
            yield f"| {each.name} | {version} | {licence(each.name)} |"


def document() -> str:
    """The whole document."""
    return ABOUT + "\n".join(listed()) + "\n"


if __name__ == "__main__":
    try:
        DOCUMENT.write_text(document(), encoding="utf-8")
    except PackageNotFoundError as missing:
        raise SystemExit(f"{missing.name} is not installed here: make .venv/installed") from None
