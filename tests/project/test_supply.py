"""What is installed: every package with an upper bound, its hashes and its licence, and no pip in production."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from tools.licences import DOCUMENT, LOCK, ROOT, document, locked

DEV_LOCK = ROOT / "requirements-dev.lock"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
NEEDED = [Requirement(text) for text in PROJECT["project"]["dependencies"]]
FOR_DEVELOPERS = [Requirement(text) for text in PROJECT["project"]["optional-dependencies"]["dev"]]
PYTHONS = ("3.11", "3.12", "3.13")
# What is never too new.
UNBOUNDED = {"tzdata"}


def versions(lock: Path, python: str = "") -> dict[str, Version]:
    """What a lock file installs: by name the version, on Linux with that Python."""
    here = {"python_version": python, "python_full_version": f"{python}.0"} if python else {}
    return {
        canonicalize_name(each.name): Version(str(each.specifier).removeprefix("=="))
        for each in locked(lock)
        if each.marker is None or each.marker.evaluate(here)
    }


@pytest.mark.parametrize("each", [*NEEDED, *FOR_DEVELOPERS], ids=lambda each: each.name)
def test_each_dependency_has_bounds(each: Requirement) -> None:
    operators = {one.operator for one in each.specifier}
    assert ">=" in operators
    assert ("<" in operators) == (each.name not in UNBOUNDED)


@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_files_are_of_this_project_for_each_python(python: str) -> None:
    """Else: make lock."""
    production, development = versions(LOCK, python), versions(DEV_LOCK, python)
    for wanted, found in ((NEEDED, production), (FOR_DEVELOPERS, development)):
        for each in wanted:
            assert each.specifier.contains(found[canonicalize_name(each.name)]), each.name
    assert production.items() <= development.items()


@pytest.mark.parametrize("lock", [LOCK, DEV_LOCK], ids=lambda path: path.name)
def test_each_package_is_known_by_its_hashes_alone(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[a-z0-9])", text.strip())
    assert len(entries) == len(list(locked(lock)))
    for entry in entries:
        assert re.match(
            r"[a-z0-9.-]+==[\w.!+]+( ; [^\n]+)? \\\n( +--hash=sha256:[0-9a-f]{64}( \\)?\n?)+", entry
        )
    for word in ("://", "index-url", "find-links", "file:", "/home/", "/opt/", " @ "):
        assert word not in text


def test_pip_is_not_installed_in_production() -> None:
    assert not {"pip", "setuptools", "wheel"} & versions(LOCK).keys()


@pytest.mark.slow
def test_nothing_of_ours_needs_pip() -> None:
    """The commands work where nobody can import it."""
    program = (
        "import sys; sys.modules['pip'] = None; sys.argv = ['klantbrug', '--help']\n"
        "import gateway.server.serve, gateway.app, gateway.installation, jobs.scheduler\n"
        "from gateway.cli.main import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "serve" in done.stdout


def test_the_licences_are_those_that_the_packages_say() -> None:
    """Else: make lock."""
    told = DOCUMENT.read_text(encoding="utf-8")
    installed = versions(DEV_LOCK)
    found = re.findall(r"^\| ([a-z][\w.-]+) \| ([\w.]+) \| (.*) \|$", told, re.MULTILINE)
    rows = {name: (version, licence) for name, version, licence in found}
    assert {name: Version(version) for name, (version, _) in rows.items()} == {
        name: version for name, version in versions(LOCK).items() if name in installed
    }
    assert all(licence.strip() for _, licence in rows.values())
    assert rows["pycountry"][1] == "LGPL-2.1-only"
    assert told == document()
