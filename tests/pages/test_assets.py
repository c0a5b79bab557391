"""The stylesheet that is committed is the one that the lock makes; nothing of the pages comes from elsewhere."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from builders.paths import ROOT

ASSETS, PAGES = ROOT / "assets", ROOT / "gateway" / "pages"
STYLE = PAGES / "static" / "pages.css"
# Licences under which what is in the stylesheet may be passed on with ours.
GOOD = {"EUPL-1.2"}


def test_the_stylesheet_is_what_the_lock_makes(tmp_path: Path) -> None:
    if not shutil.which("npm") or not shutil.which("node"):
        pytest.skip("there is no npm on this machine: make assets can't be done here")
    if not (ASSETS / "node_modules" / ".package-lock.json").exists():
        done = subprocess.run(
            ["npm", "ci", "--prefix", str(ASSETS), "--no-audit", "--no-fund"],
            capture_output=True,
            timeout=300,
        )
        if done.returncode:
            pytest.skip("npm reaches no registry from here")
    subprocess.run(["node", str(ASSETS / "build.mjs"), str(tmp_path)], check=True, timeout=60)
    assert (tmp_path / "pages.css").read_text() == STYLE.read_text(), "make assets"


def test_the_lock_names_no_host_and_every_package_exactly() -> None:
    lock = json.loads((ASSETS / "package-lock.json").read_text())
    named = json.loads((ASSETS / "package.json").read_text())
    wanted = named["dependencies"] | named["devDependencies"]
    for name, version in wanted.items():
        held = lock["packages"][f"node_modules/{name}"]
        assert held["version"] == version
        assert held["integrity"].startswith("sha512-")
    assert not re.search(
        r"https?://", re.sub(r'"(?:url|funding)"[^\n]*', "", json.dumps(lock["packages"][""]))
    )
    assert not any("resolved" in each for each in lock["packages"].values())
    for name in named["dependencies"]:
        assert lock["packages"][f"node_modules/{name}"].get("license") in {*GOOD, None}, name


def test_nothing_is_asked_of_other_hosts() -> None:
    files = [*PAGES.rglob("*.html"), *(PAGES / "static").iterdir()]
    assert len(files) > 15
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"https?://(?!127\.0\.0\.1)|@import|url\((?!data:)", text), file.name
        if file.suffix == ".html":
            assert not re.search(r"<style|\sstyle=|\son[a-z]+=\"", text), file.name


def test_the_stylesheet_says_what_is_in_it_and_is_small() -> None:
    text = STYLE.read_text()
    assert "EUPL-1.2" in text[:600]
    assert len(text) < 80_000
    used = set(re.findall(r"utrecht-[\w-]+", "".join(file.read_text() for file in PAGES.rglob("*.html"))))
    assert {"utrecht-button", "utrecht-alert", "utrecht-textbox"} <= used
    for name in ("utrecht-button", "utrecht-alert", "utrecht-textbox", "utrecht-select", "utrecht-skip-link"):
        assert f".{name}" in text
