"""Debian's Chromium, driven by Playwright. Where either is missing, tests that need it are skipped."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from builders.paths import ROOT
from builders.served_store import settings

from gateway.login.links import new_link
from gateway.login.roles import ROLES
from gateway.store.base.store import Store

AXE = ROOT / "assets" / "node_modules" / "axe-core" / "axe.min.js"
# WCAG 2.2 AA with all before it, and what makes pages good to use.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = (390, 1400, 2560)
PROGRAM = shutil.which("chromium") or ""


def needs_chromium() -> Any:
    """Playwright, and a reason to skip when it or the browser is not here."""
    if not PROGRAM:
        pytest.skip("there is no chromium on this machine (apt-get install chromium)")
    return pytest.importorskip("playwright.sync_api", reason="there is no playwright: make .venv/installed")


def axe() -> str:
    """The program axe-core; fetched with npm as the lock names it, when that can be."""
    if not AXE.exists() and shutil.which("npm"):
        subprocess.run(
            ["npm", "ci", "--prefix", str(ROOT / "assets"), "--no-audit", "--no-fund"],
            check=False,
            capture_output=True,
            timeout=300,
        )
    if not AXE.exists():
        pytest.skip("there is no axe-core: npm ci --prefix assets")
    return AXE.read_text(encoding="utf-8")


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser without windows."""
    with needs_chromium().sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=["--no-sandbox"])
        yield browser
        browser.close()


def violations(page: Any) -> list[str]:
    """What axe-core finds wrong on a page of a browser that lets it in (`bypass_csp`)."""
    page.evaluate(axe())
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
    return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found["violations"]]


class Person:
    """Somebody at a screen, logged in by a link; remembers every address that the browser asked and every title."""

    def __init__(
        self,
        browser: Any,
        base: str,
        store: Store,
        roles: tuple[str, ...] = ROLES,
        *,
        width: int = 1400,
        **more: Any,
    ) -> None:
        # The policy of the pages stands in the way of axe, which is no part of them; HTTP tests judge the policy.
        self.context = browser.new_context(viewport={"width": width, "height": 900}, bypass_csp=True, **more)
        self.page = self.context.new_page()
        self.addresses: list[str] = []
        self.titles: list[str] = []
        self.said: list[str] = []
        self.page.on("request", lambda request: self.addresses.append(request.url))
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.base = base
        self.page.goto(
            base + urlsplit(new_link(store, settings(store.path).gateway, "beheerder", roles, "test")).path
        )

    def go(self, path: str) -> str:
        """Open a page; the text in it."""
        self.page.goto(self.base + path)
        self.titles.append(self.page.title())
        return self.text()

    def text(self) -> str:
        return " ".join(self.page.inner_text("main").split())

    def press(self, name: str) -> None:
        """Press the first button, or follow the first link, of this name."""
        control = self.page.locator(f'main button:text-is("{name}"), main a:text-is("{name}")').first
        with self.page.expect_navigation():
            control.click()
        self.titles.append(self.page.title())

    def violations(self) -> list[str]:
        """What axe-core finds wrong on the page."""
        return violations(self.page)

    def too_wide(self) -> bool:
        """Must one scroll sideways?"""
        root = "document.documentElement"
        return bool(self.page.evaluate(f"{root}.scrollWidth > {root}.clientWidth"))

    def tables_too_wide(self) -> list[str]:
        """The tables in which one must scroll sideways, by what they are called."""
        found: list[str] = self.page.evaluate(
            "[...document.querySelectorAll('.kb-table')]"
            ".filter(e => e.checkVisibility() && e.scrollWidth > e.clientWidth)"
            ".map(e => e.getAttribute('aria-label') || e.innerText.slice(0, 40))"
        )
        return found

    def torn(self) -> list[str]:
        """Sentences whose parts each got a place of their own, because what they stand in is a grid or flex."""
        found: list[str] = self.page.evaluate(
            "[...document.querySelectorAll('main *')].filter(e => e.checkVisibility()"
            " && /flex|grid/.test(getComputedStyle(e).display)"
            " && e.querySelector(':scope > :is(code, strong, em, a, span)')"
            " && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())).map(e => e.className || e.tagName)"
        )
        return found

    def picture(self, name: str, folder: Path) -> bytes:
        """A picture of the page; kept in the folder that KLANTBRUG_SCREENSHOTS names, or in that of the test."""
        where = Path(os.environ.get("KLANTBRUG_SCREENSHOTS") or folder)
        made: bytes = self.page.screenshot(path=where / f"{name}.png", full_page=True)
        return made
