"""The viewer of API documents: its files are those of its makers, and a browser shows a document with them alone."""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from builders.browser import Browser
from builders.served_store import Client
from tools import viewer

from gateway.http.api_viewer import FILES, KINDS, PATH, SERVED

Serve = Callable[..., Client]
PAGES = ("/klantinteracties/api/v1/schema/", "/beheer/api/v1/schema/")


def test_its_files_are_those_that_were_fetched() -> None:
    assert viewer.DIGESTS.read_text(encoding="utf-8") == viewer.digests()
    assert viewer.VERSION in (FILES / "README.md").read_text(encoding="utf-8")


def test_its_files_are_served_and_no_others(serve: Serve) -> None:
    browser = Browser(serve().base)
    for name in SERVED:
        got = browser.get(PATH + name)
        assert (got.status, got.raw) == (200, (FILES / name).read_bytes())
        assert got.headers["Content-Type"] == KINDS[Path(name).suffix]
        packed = browser.get(PATH + name, **{"Accept-Encoding": "gzip"})
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed.raw) == got.raw
    for name in ("LICENSE", "digests.txt", "..%2fproblems.py", "%2e%2e/problems.py", ""):
        assert browser.get(PATH + name).status == 404


@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_from_us_alone(serve: Serve, path: str) -> None:
    got = Browser(serve(public_url="https://klant.example.nl/brug").base).get(path)
    assert set(re.findall(r"""(?:src|href)="(/[^"]*/)[^/"]*\"""", got.raw.decode())) == {f"/brug{PATH}"}
    policy = got.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "http" not in policy


CHROMIUM = shutil.which("chromium")


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="a browser is not part of what the project installs")
@pytest.mark.parametrize("path", PAGES)
def test_a_browser_shows_the_operations(serve: Serve, tmp_path: Path, path: str) -> None:
    base = serve().base
    done = subprocess.run(
        [
            str(CHROMIUM),
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={tmp_path}",
            "--virtual-time-budget=20000",
            "--enable-logging=stderr",
            "--dump-dom",
            base + path,
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout.count('class="opblock ') > 10
    assert "Content Security Policy" not in done.stderr
