"""Every room with something in it: Terugschrijven, Export, Logboek, and what an operator may save of one person."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from builders.chromium import WIDTHS, Person, chromium, needs_chromium
from builders.full_rooms import SOURCE, FullRooms, full_rooms
from builders.pages_world import NIGHT, ROOMS, Pages, pages_of, text_of

from gateway.audit.finding import records_of
from gateway.audit.log import directory_of, key_of
from gateway.operator.rooms import found
from gateway.pages.signs import sign
from gateway.store.inspect.examples import examples
from gateway.store.inspect.findings import Selection
from gateway.store.operation import events

pytestmark = pytest.mark.slow

# Beside the rooms themselves.
INSIDE = (
    "/beheer/bewijs/2",
    "/beheer/bewijs/vergelijken?van=1&naar=2",
    f"/beheer/fasen/{SOURCE}/synced",
    "/beheer/bewijs/99",
)
# Cells of a table that becomes blocks on a small screen, and of which nobody is told there what they are.
UNTOLD = (
    "[...document.querySelectorAll('.kb-table:not(.kb-table--small) tbody td:not([colspan]):not([data-label])')]"
    ".filter(e => e.innerText.trim() && !e.querySelector('button')).map(e => e.innerText)"
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FullRooms]:
    with full_rooms(tmp_path_factory.mktemp("full")) as made:
        yield made


@pytest.fixture(scope="module")
def pages(world: FullRooms) -> Iterator[Pages]:
    with pages_of(world.installation) as shown:
        yield shown


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    needs_chromium()
    with chromium() as opened:
        yield opened


def told(pages: Pages) -> list[tuple[str, str]]:
    """What operators did and why, newest first."""
    with pages.installation.store.read() as connection:
        return [(each.what, each.why) for each in events.events(connection)]


@pytest.mark.parametrize("width", WIDTHS)
def test_a_room_with_something_in_it_is_good_to_use_at_each_width(
    browser: Any, pages: Pages, tmp_path: Any, width: int
) -> None:
    person = Person(browser, pages.base, pages.installation.store, width=width)

    def judge(name: str) -> None:
        person.picture(f"vol-{name.strip('/').replace('/', '-') or 'overzicht'}-{width}", tmp_path)
        assert person.violations() == [], name
        assert not person.too_wide(), name
        assert person.tables_too_wide() == [], name
        assert person.page.evaluate(UNTOLD) == [], name
        assert person.torn() == [], name

    for path in (*ROOMS, *INSIDE):
        person.go(path)
        judge(path.partition("?")[0])
    person.go("/beheer/zoeken")
    person.page.fill("#zoek", examples(pages.installation.store, SOURCE)["bsn"])
    person.press("Zoeken")
    judge("persoon")


def test_export_tells_how_far_it_is_and_what_the_register_refuses(pages: Pages) -> None:
    shown = pages.see("/beheer/export")
    assert re.search(r"klantcontact 47 44 0 3 0", shown), "sent and refused, as the register did"
    assert "De waarde is het register te lang" in shown
    assert "Wat nu: Het bewijs is schoon, maar het register weigert nog iets" in shown
    assert "Naar exported" in shown
    assert "Naar exported" not in pages.see("/beheer/export", "kijken")


def test_a_change_that_the_source_refused_is_sent_again_or_let_go_with_a_reason(pages: Pages) -> None:
    page = pages.got("/beheer/terugschrijven").raw
    assert "Geen rechten bij de bron (permission_denied)" in text_of(page)
    (number,) = re.findall(rb"terugschrijven/(\d+)/vervallen", page)
    where = f"/beheer/terugschrijven/{number.decode()}"
    assert "opnieuw naar de bron" in pages.did("/beheer/terugschrijven", f"{where}/sturen")
    refused = pages.do("/beheer/terugschrijven", "/beheer/terugschrijven/999/vervallen")
    assert refused.status == 409
    assert "vervallen" in pages.did(
        "/beheer/terugschrijven", f"{where}/vervallen", waarom="bron heeft gelijk"
    )
    assert told(pages)[0] == (f"terugschrijven {number.decode()} vervallen", "bron heeft gelijk")


def test_all_of_one_person_is_saved_by_who_may_see_persons_and_that_is_noted(pages: Pages) -> None:
    installation, where = pages.installation, "/beheer/zoeken"
    known = examples(installation.store, SOURCE)
    page = pages.do(where, where, "personen inzien", zoek=known["bsn"]).raw
    (uuid,) = re.findall(rb'zoeken/inzage">.*?name="uuid" value="([^"]*)"', page)
    got = pages.do(where, f"{where}/inzage", "personen inzien", uuid=uuid.decode())
    assert got.status == 200
    held = json.loads(got.raw)
    assert known["bsn"] in got.raw.decode()
    assert held["documenten"] and held["bronobjecten"]
    named = re.fullmatch(r'attachment; filename="inzage-\d{8}T\d+\.json"', got.headers["Content-Disposition"])
    assert named and got.headers["Cache-Control"] == "no-store"
    assert told(pages)[0][0] == f"alles van een persoon opgeslagen: {uuid.decode()}"
    assert known["bsn"] not in str(told(pages))
    config = installation.config
    records = records_of(
        directory_of(config), key_of(config), {bytes.fromhex(uuid.decode().replace("-", ""))}
    )
    assert [each["name"] for each in records.records].count("person export") == 1


def test_nobody_else_saves_what_is_held_of_a_person(pages: Pages) -> None:
    where = "/beheer/zoeken/inzage"

    def saved() -> list[str]:
        return [what for what, _ in told(pages) if what.startswith("alles van een persoon")]

    before = saved()
    uuid = examples(pages.installation.store, SOURCE)["partij"]
    assert pages.do("/beheer/jobs", where, "bedienen", uuid=uuid).status == 403
    assert pages.browser().post(where, {"csrf_token": "x", "uuid": uuid}).status == 403
    assert pages.browser().get(where).status == 405
    for wrong in ("", "999999990", "28be5044-9d85-4354-b06f-4c3964f01290"):
        got = pages.do("/beheer/zoeken", where, uuid=wrong)
        assert (got.status, "niets bewaard" in text_of(got.raw)) == (409, True), wrong
    assert saved() == before


def test_the_log_is_leafed_through_to_its_begin(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.pages.rooms.logbook.SHOWN", 2)
    with pages.installation.store.write() as connection:
        for number in range(3):
            events.note(connection, None, f"proef {number}", "anna", "om te bladeren")
    for logins in (False, True):
        with pages.installation.store.read() as connection:
            all_of_it = [each.what for each in events.events(connection, 10_000, logins=logins)]
        met: list[str] = []
        where = "/beheer/logboek" + ("?inloggen=1" if logins else "")
        while where:
            page = pages.got(where).raw.decode()
            met += re.findall(r'data-label="Wat">([^<]*)<', page)
            onward = re.search(r'href="([^"]*[?&]voor=[^"]*)"', page.replace("&amp;", "&"))
            where = onward[1].removeprefix(pages.base) if onward else ""
        assert [each.lower() for each in met] == [each.lower() for each in all_of_it]


def test_very_many_findings_are_counted_by_rule_and_a_rule_by_field(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = pages.installation.store
    whole = {rule["rule"]: rule for rule in found.rules(store, Selection())}
    rows = sorted(map(tuple, found.all_rows(store, pages.installation.config.sources, Selection())))
    monkeypatch.setattr("gateway.operator.rooms.found.MOST_COUNTED", 10)
    parts = {rule["rule"]: rule for rule in found.rules(store, Selection())}
    assert list(parts) == list(whole)
    assert all(rule["groups"] is None for rule in parts.values())
    for rule, each in whole.items():
        (alone,) = found.rules(store, Selection(rule=rule))
        assert alone == each
        assert parts[rule]["count"] >= each["count"]  # a finding on a party counts for each rol that says it
    assert sorted(map(tuple, found.all_rows(store, pages.installation.config.sources, Selection()))) == rows
    shown = pages.see("/beheer/bevindingen")
    named = next(rule for rule, each in whole.items() if not each["groups"][0].action)
    assert "Er zijn er zeer veel" in shown and f"Velden van {named}" in shown
    assert f"Bekijk regel {named}" in pages.see(f"/beheer/bevindingen?regel={named}&bron=&ernst=")


def test_the_screens_of_the_night_have_each_a_drawing_of_their_own() -> None:
    drawn = {sign({"word": word, "level": level}) for _, _, word, level in NIGHT}
    assert len(drawn) == len(NIGHT)
