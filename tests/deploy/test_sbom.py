"""`make sbom` lists what the lock installs, each with its licence."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from builders.paths import ROOT
from packaging.utils import canonicalize_name
from tools.licences import LOCK, locked


@pytest.mark.slow
def test_it_lists_what_the_lock_installs() -> None:
    subprocess.run(["make", "sbom"], cwd=ROOT, check=True, capture_output=True)
    found = json.loads((ROOT / "dist" / "klantbrug.cdx.json").read_text(encoding="utf-8"))
    assert (found["bomFormat"], found["specVersion"]) == ("CycloneDX", "1.6")
    assert found["metadata"]["component"]["name"] == "klantbrug"
    here = {
        canonicalize_name(each.name): str(each.specifier).removeprefix("==")
        for each in locked(LOCK)
        if each.marker is None or each.marker.evaluate()
    }
    listed = {canonicalize_name(each["name"]): each["version"] for each in found["components"]}
    assert listed == here, sys.version
    untold = [each["name"] for each in found["components"] if not each.get("licenses")]
    assert untold == ["protobuf", "sqlite-fts4"]  # cyclonedx-py finds none; docs/licences.md tells it
    assert len(found["dependencies"]) == len(here) + 1
