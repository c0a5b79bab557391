"""The pictures of docs/handleiding.md, of a sample source: `make screenshots`. Needs Chromium.

Everybody in them is made up. They are made anew when a page changes enough to mislead who reads the guide.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from builders.chromium import Person, chromium
from builders.configs import read_config, write_config
from builders.following import PLAIN, backfilled
from builders.pages_world import jobs_of, pages_of
from builders.paths import ROOT
from builders.sample_data import small
from builders.unreadable_person import bad_rol
from builders.until import until

from gateway.http.auth import create_token
from gateway.installation import Installation, open_installation
from gateway.sample.server import SampleServer
from gateway.store.inspect.examples import examples

FOLDER = ROOT / "docs" / "handleiding"
WIDTH, HEIGHT = 1200, 760
SOURCE = "zaaksysteem"
NAMES = (
    "inloggen",
    "overzicht",
    "loopt",
    "backfill",
    "gepauzeerd",
    "bewijs",
    "bevindingen",
    "quarantaine",
    "zoeken",
    "fasen",
    "jobs",
    "tokens",
)


class Photographer:
    """Takes the pictures of one installation."""

    def __init__(self, browser: Any, base: str, installation: Installation, folder: Path) -> None:
        self._person = Person(
            browser, base, installation.store, width=WIDTH, locale="nl-NL", timezone_id="Europe/Amsterdam"
        )
        self._person.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
        self._folder = folder

    def take(self, name: str, path: str = "") -> None:
        """A picture of what the screen shows, at a path or where it is."""
        if path:
            self._person.go(path)
        self._person.page.screenshot(path=self._folder / f"{name}.png")

    def login(self, base: str, browser: Any) -> None:
        """The page where one logs in, as somebody sees it who is not."""
        page = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}).new_page()
        page.goto(f"{base}/inloggen")
        page.screenshot(path=self._folder / "inloggen.png")

    def walk(self, installation: Installation, server: SampleServer) -> None:
        """All rooms, in the order in which the guide has them."""
        person = self._person
        self.take("overzicht", "/")
        for name in ("bevindingen", "quarantaine", "jobs"):
            self.take(name, f"/beheer/{name}")
        create_token(installation.store, "kcc", "read write")
        self.take("tokens", "/beheer/tokens")
        person.go("/beheer/zoeken")
        person.page.fill("#zoek", examples(installation.store, SOURCE)["bsn"])
        person.press("Zoeken")
        self.take("zoeken")
        server.traps.slow = 1.0
        person.go("/beheer/backfill")
        person.press("Opnieuw inlezen")
        until(lambda: "Inlezen loopt" in person.text())
        until(lambda: re.search(r"[1-9]\d? % gelezen", person.go("/")))
        self.take("loopt")
        self.take("backfill", "/beheer/backfill")
        person.press("Pauzeren")
        until(lambda: "Gepauzeerd" in person.go("/"))
        self.take("gepauzeerd")
        person.press("Hervatten")
        server.traps.slow = 0
        until(lambda: "Inlezen loopt" not in person.go("/"), 240)
        person.go("/beheer/bewijs")
        person.press("Steekproef")
        until(lambda: "Rapport 1" in person.text(), 240)
        self.take("bewijs", "/beheer/bewijs/1")
        self.take("fasen", "/beheer/fasen")


def main(folder: Path = FOLDER) -> int:
    """Make them all in a folder."""
    folder.mkdir(exist_ok=True)
    data = small(40)
    bad_rol(data)  # so that there is something to do
    with (
        tempfile.TemporaryDirectory(prefix="klantbrug-") as home,
        chromium() as browser,
        SampleServer(data, **PLAIN) as server,
    ):
        installation = backfilled(open_installation(read_config(write_config(Path(home), {SOURCE: server}))))
        with pages_of(installation) as pages, jobs_of(installation, "orders"):
            photographer = Photographer(browser, pages.base, installation, folder)
            photographer.login(pages.base, browser)
            photographer.walk(installation, server)
    return 0


if __name__ == "__main__":
    sys.exit(main())
