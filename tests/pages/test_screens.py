"""The pages in a real browser, as an operator and as an onlooker: every room, with and without script."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from builders.chromium import WIDTHS, Person, chromium, needs_chromium, violations
from builders.configs import read_config, write_config
from builders.following import PLAIN, backfilled
from builders.pages_world import NIGHT, ROOMS, State, first_said, jobs_of, pages_of, text_of
from builders.sample_data import small
from builders.unreadable_person import bad_rol
from builders.until import until

from gateway.installation import Installation, open_installation
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer
from gateway.store.inspect.examples import examples
from gateway.store.inspect.status import status

pytestmark = pytest.mark.slow

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    needs_chromium()
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Installation, SampleServer, str]]:
    """An installation that read its source, with a process for its orders; its address."""
    needs_chromium()
    data = small(12)
    bad_rol(data)  # so that a proof is red
    with SampleServer(data, **PLAIN) as server:
        path = write_config(tmp_path_factory.mktemp("screens"), {"bron": server})
        installation = backfilled(open_installation(read_config(path)))
        with pages_of(installation) as pages, jobs_of(installation, "orders"):
            yield installation, server, pages.base


def rooms_of(installation: Installation) -> list[str]:
    config = installation.config
    without = {"/beheer/terugschrijven"} if not any(each.write_back for each in config.sources) else set()
    return [
        room
        for room in ROOMS
        if room not in without | ({"/beheer/export"} if not config.target.url else set())
    ]


@pytest.mark.parametrize("width", WIDTHS)
def test_every_room_is_good_to_use_at_each_width(
    browser: Any, world: tuple[Installation, SampleServer, str], tmp_path: Path, width: int
) -> None:
    installation, _, base = world
    person = Person(browser, base, installation.store, width=width)
    for room in {*rooms_of(installation), "/beheer/export"}:  # that one also with nothing to tell
        person.go(room)
        name = room.rpartition("/")[2] or "overzicht"
        assert person.picture(f"{name}-{width}", tmp_path)
        assert person.violations() == [], room
        assert not person.too_wide(), room
        assert person.tables_too_wide() == [], room
        assert person.torn() == [], room
    assert person.said == []


def test_in_the_dark_colours_still_differ_enough(
    browser: Any, world: tuple[Installation, SampleServer, str], tmp_path: Path
) -> None:
    installation, _, base = world
    person = Person(browser, base, installation.store, color_scheme="dark")
    for room in rooms_of(installation):
        person.go(room)
        person.picture(f"{room.rpartition('/')[2] or 'overzicht'}-donker", tmp_path)
        assert person.violations() == [], room


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/inloggen", "/uitgelogd"])
def test_who_is_not_logged_in_finds_pages_that_are_good_to_use(
    browser: Any, world: tuple[Installation, SampleServer, str], path: str, scheme: str
) -> None:
    page = browser.new_context(
        bypass_csp=True, color_scheme=scheme, viewport={"width": 390, "height": 800}
    ).new_page()
    page.goto(world[2] + path)
    assert violations(page) == []
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_without_script_every_room_shows_the_same(
    browser: Any, world: tuple[Installation, SampleServer, str]
) -> None:
    installation, _, base = world
    without = Person(browser, base, installation.store, java_script_enabled=False)
    for room in rooms_of(installation):
        shown = without.go(room)
        assert shown, room
        assert without.page.locator("h1").count() == 1
    without.go("/beheer/backfill")
    without.press("Pauzeren")
    assert "De jobs op deze bron wachten." in without.text()
    without.press("Hervatten")
    assert "De jobs op deze bron gaan verder." in without.text()


def test_a_keyboard_reaches_the_content_first_and_every_room(
    browser: Any, world: tuple[Installation, SampleServer, str]
) -> None:
    installation, _, base = world
    person = Person(browser, base, installation.store)
    person.go("/")
    person.page.keyboard.press("Tab")
    assert person.page.evaluate("document.activeElement.textContent") == "Naar de inhoud"
    assert person.page.locator(":focus").is_visible()
    person.page.keyboard.press("Enter")
    assert person.page.evaluate("document.activeElement.id") == "inhoud"
    reached = set()
    person.go("/")
    for _ in range(40):
        person.page.keyboard.press("Tab")
        reached.add(
            person.page.evaluate("document.activeElement.getAttribute('href') || ''").removeprefix(base)
        )
    assert set(rooms_of(installation)) <= reached


def test_an_operator_walks_through_the_rooms(
    browser: Any, world: tuple[Installation, SampleServer, str]
) -> None:
    """A backfill paused and resumed, a proof that is red, a person, a token, a phase; and no trace of the person."""
    installation, server, base = world
    known = examples(installation.store, "bron")
    person = Person(browser, base, installation.store)
    # Backfill
    server.traps.slow = 2.0
    person.go("/beheer/backfill")
    person.press("Opnieuw inlezen")
    assert "Het inlezen is gevraagd." in person.text()
    until(lambda: "Inlezen loopt" in person.text())  # the page sees to that itself
    person.press("Pauzeren")
    until(lambda: "Gepauzeerd" in person.text())
    person.press("Hervatten")
    until(lambda: "Inlezen loopt" in person.text())
    server.traps.slow = 0
    until(lambda: "Inlezen loopt" not in person.text(), 240)
    # Bewijs: one object can't be read, so it is red
    person.go("/beheer/bewijs")
    person.press("Steekproef")
    until(lambda: "Rapport 1" in person.text(), 240)
    person.press("Rapport 1")
    assert person.page.inner_text("h1") == "NIET schoon"
    assert "kb-bad" in (person.page.locator(".kb-standing").get_attribute("class") or "")
    until(lambda: person.go("/").startswith("Bewijs mislukt"))  # it ends after its report is there
    # Zoeken
    person.go("/beheer/zoeken")
    person.page.fill("#zoek", known["bsn"])
    person.press("Zoeken")
    assert known["bsn"] in person.text()
    assert "Waar het vandaan komt" in person.text()
    # Tokens
    person.go("/beheer/tokens")
    person.page.fill("#naam", "website")
    person.press("Token maken")
    first = person.page.inner_text(".kb-secret")
    person.go("/beheer/tokens")
    person.page.select_option("#welk", "website")
    person.press("Vervangen")
    assert person.page.inner_text(".kb-secret") not in ("", first)
    # Fasen
    person.go("/beheer/fasen")
    person.press("Naar synced")
    person.page.fill("#waarom", "proef")
    person.page.check("#zonder_bewijs")
    person.page.check("#zeker")
    person.press("Fase wijzigen")
    assert "De fase is gewijzigd." in person.text()
    assert status(installation.store)["sources"]["bron"]["phase"] == "synced"
    person.press("Terug naar live")
    person.page.fill("#waarom", "terug")
    person.page.check("#zeker")
    person.press("Fase wijzigen")
    # Nothing of the person, and no secret, anywhere that is kept.
    kept = " ".join([*person.addresses, *person.titles])
    for text in (known["bsn"], known["partij"], first):
        assert text not in kept
    assert not UUID.search(" ".join(person.titles))
    assert all(address.startswith((base, "data:")) for address in person.addresses)
    assert person.said == []


def test_an_onlooker_walks_through_the_rooms_and_finds_no_button(
    browser: Any, world: tuple[Installation, SampleServer, str]
) -> None:
    installation, _, base = world
    onlooker = Person(browser, base, installation.store, ("kijken",))
    for room in rooms_of(installation):
        if room == "/beheer/zoeken":
            onlooker.page.goto(base + room)
            assert "personen inzien" in onlooker.page.inner_text("h1")
            continue
        onlooker.go(room)
        labels = onlooker.page.locator("main button").all_inner_texts()
        assert set(labels) <= {"Filteren", "Vergelijken"}, room


@pytest.fixture
def data() -> Dataset:
    """Enough for a backfill of some calls."""
    return small(12)


@pytest.fixture
def source_options() -> dict[str, Any]:
    """Pages of a hundred, so that there are several."""
    return PLAIN


@pytest.mark.parametrize(("name", "state", "word", "level"), NIGHT, ids=[each[0] for each in NIGHT])
def test_the_screens_of_the_night_differ_at_a_glance(
    browser: Any,
    server: SampleServer,
    install: Callable[..., Installation],
    tmp_path: Path,
    name: str,
    state: State,
    word: str,
    level: str,
) -> None:
    installation = install(bron=server)
    with state(installation, server), pages_of(installation) as pages:
        person = Person(browser, pages.base, installation.store)
        assert person.go("/").startswith(word)
        assert person.page.title() == f"{word} | Klantbrug"
        person.picture(f"nacht-{name.replace(' ', '-')}", tmp_path)
        assert person.violations() == []
        box = person.page.locator(".kb-standing").bounding_box()
        assert box["y"] < 200  # it is seen without scrolling
        narrow = Person(browser, pages.base, installation.store, width=390)
        narrow.go("/")
        narrow.picture(f"nacht-{name.replace(' ', '-')}-390", tmp_path)
        assert first_said(narrow.page.content().encode()) == word
        assert text_of(narrow.page.content().encode())
