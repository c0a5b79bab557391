"""What each room shows and does, over HTTP and without JavaScript."""

from __future__ import annotations

import csv
import io
import re
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from builders.browser import Browser
from builders.configs import read_config, write_config
from builders.following import backfilled
from builders.pages_world import ROOMS, Pages, first_said, jobs_of, pages_of, text_of, title_of
from builders.sample_data import sample_data
from builders.until import until

from gateway.installation import make_ingest, open_installation
from gateway.operator.person import about
from gateway.operator.rooms import found, ordering
from gateway.operator.rooms.looking_up import look_up
from gateway.operator.rooms.overview import whole_overview
from gateway.pages.formats import on_pages
from gateway.sample.server import SampleServer
from gateway.store.inspect.examples import examples
from gateway.store.inspect.findings import Selection
from gateway.store.inspect.status import status
from gateway.store.operation import events, orders
from gateway.store.operation.sources import source_id

pytestmark = pytest.mark.slow

BSN_UNREAD = "999990019"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    """The pages of an installation that read the slice and the ugly set; each test leaves it as it was."""
    with SampleServer(sample_data()) as server:
        path = write_config(tmp_path_factory.mktemp("pages"), {"bron": server})
        installation = backfilled(open_installation(read_config(path)))
        with pages_of(installation) as shown:
            yield shown


def told(pages: Pages) -> list[tuple[str | None, str, str, str]]:
    """What stands in the log of events, newest first."""
    with pages.installation.store.read() as connection:
        return [(each.source, each.what, each.who, each.why) for each in events.events(connection)]


@pytest.mark.slow
def test_every_room_opens_for_who_may_look_and_for_nobody_else(pages: Pages) -> None:
    stranger = Browser(pages.base)
    for path in ROOMS:
        if path != "/":
            got = stranger.get(path)
            assert (got.status, "/inloggen" in got.headers["Location"]) == (303, True), path
        if path == "/beheer/zoeken":
            assert pages.browser("kijken").get(path).status == 403
            continue
        got = pages.got(path, "kijken")
        assert first_said(got.raw)
        policy = got.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        page = got.raw.decode()
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*src=)", page), path
        assert not UUID.search(title_of(got.raw))
        for address in re.findall(r'(?:src|href|action)="([^"]*)"', page):
            assert address.startswith((pages.base, "#", "data:,", "/", "http://127.0.0.1")), address
    assert first_said(stranger.get("/").raw) == "Klantbrug draait"
    assert "Bron bron" not in text_of(stranger.get("/").raw)


def test_an_onlooker_sees_no_buttons_and_may_press_none(pages: Pages) -> None:
    for path in ROOMS:
        if path != "/beheer/zoeken":
            page = pages.got(path, "kijken").raw.decode()
            assert set(re.findall(r'method="post" action="([^"]*)"', page)) <= {
                f"{pages.base}/uitloggen",
                f"{pages.base}/beheer/quarantaine/opnieuw",  # without anything to choose or press
            }
    for action in (
        "/beheer/bron/bron/pauze",
        "/beheer/tokens",
        "/beheer/fasen/bron/synced",
        "/beheer/jobs/sync/uit",
    ):
        assert pages.do("/beheer/fasen", action, "kijken").status == 403
    assert not [each for each in told(pages) if each[1] == "gepauzeerd"]


def test_a_form_without_its_token_changes_nothing(pages: Pages) -> None:
    got = pages.browser().post("/beheer/bron/bron/pauze", {"csrf_token": "x"})
    assert got.status == 403
    assert not status_of(pages)["way"]["asking"]["paused"]


def status_of(pages: Pages) -> dict[str, Any]:
    installation = pages.installation
    shown: dict[str, Any] = whole_overview(installation.store, installation.config)["sources"]["bron"]
    return shown


def test_pause_and_resume_with_who_and_why(pages: Pages) -> None:
    said = pages.did(
        "/beheer/backfill", "/beheer/bron/bron/pauze", waarom="de bron is traag", terug="backfill"
    )
    assert "De jobs op deze bron wachten." in said
    assert "gepauzeerd, sinds vandaag" in said
    assert told(pages)[0] == ("bron", "gepauzeerd", "beheerder", "de bron is traag")
    assert "Gepauzeerd" in pages.did("/", "/beheer/bron/bron/pauze")
    pages.did("/", "/beheer/bron/bron/hervat")
    assert told(pages)[0][1] == "hervat"
    assert not status_of(pages)["way"]["asking"]["paused"]


def test_the_pace_is_set_and_put_back(pages: Pages) -> None:
    said = pages.did("/beheer/backfill", "/beheer/backfill/bron/tempo", tempo="250", verbindingen="3")
    assert "250 objecten/s, 3 verbindingen (tijdelijk)" in said
    assert told(pages)[0][1] == "tempo: 250 objecten/s, 3 verbindingen"
    for wrong in ({"tempo": "veel"}, {"verbindingen": "0"}, {}):
        got = pages.do("/beheer/backfill", "/beheer/backfill/bron/tempo", **wrong)
        assert got.status == 409
        assert first_said(got.raw) == "Dit is niet gelukt"
    pages.did("/beheer/backfill", "/beheer/backfill/bron/tempo", terugzetten="1")
    assert status_of(pages)["way"]["asking"]["overrides"] == {}


def test_a_backfill_and_a_proof_are_started_from_a_page(pages: Pages) -> None:
    pages.did("/beheer/bewijs", "/beheer/bron/bron/alles", terug="bewijs")
    got = pages.do("/beheer/bewijs", "/beheer/bron/bron/alles")
    assert got.status == 409
    assert "al gevraagd" in text_of(got.raw)
    with jobs_of(pages.installation, "orders"):
        until(lambda: "Rapport 1" in pages.see("/beheer/bewijs"))
        until(lambda: not status_of(pages)["way"]["orders"])
        pages.did("/beheer/backfill", "/beheer/bron/bron/inlezen", terug="backfill", waarom="nog eens")
        until(lambda: not status_of(pages)["way"]["orders"], 120)
    shown = pages.see("/beheer/bewijs/1")
    assert "niet te lezen (quarantaine)" in shown  # the ugly set has what can't be read
    assert "Wat is vergeleken" in shown
    assert ("bron", "inlezen gevraagd", "beheerder", "nog eens") in told(pages)
    file = pages.got("/beheer/bewijs/1/bestand")
    assert "attachment" in file.headers["Content-Disposition"]
    assert b"Verificatierapport 1" in file.raw
    assert pages.browser().get("/beheer/bewijs/9").status == 404


def test_an_order_is_shown_in_its_own_room_only(pages: Pages) -> None:
    store, source = pages.installation.store, pages.installation.config.sources[0]
    ordering.look_again(store, source, "anna")
    try:
        proofs, backfill = pages.see("/beheer/bewijs"), pages.see("/beheer/backfill")
        assert "Bewijs stoppen" not in proofs
        assert "Steekproef" in proofs
        assert "bezig Quarantaine opnieuw" not in proofs
        assert "Opnieuw inlezen" in backfill
        assert "Stoppen" not in backfill
    finally:
        with store.write() as connection:
            orders.take_back(connection, ordering.LOOK_AGAIN, source_id(connection, source.name))


def test_findings_are_told_by_rule_and_all_of_them_are_in_the_csv(pages: Pages) -> None:
    store = pages.installation.store
    rules = found.rules(store, Selection())
    shown = pages.see("/beheer/bevindingen")
    for rule in rules:
        assert f"{rule['rule']}: {rule['about']}" in shown
        assert on_pages(rule["advice"]) in shown
    raw = pages.got("/beheer/bevindingen/csv").raw.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(raw), delimiter=";"))
    counted: dict[str, int] = {}
    for row in rows:
        counted[row["regel"]] = counted.get(row["regel"], 0) + 1
    of_objects = {
        rule["rule"]: sum(group.count for group in rule["groups"] if not group.action or group.rule == "M19")
        for rule in rules
    }
    assert len(rows) > 1000  # a spreadsheet of all, not of the first so many
    for rule, count in of_objects.items():
        assert counted[rule] >= count, rule
    assert sum(1 for row in rows if row["zaaknummer"]) > len(rows) / 2
    one = next(row for row in rows if row["soort"] == "rol" and row["zaaknummer"])
    assert one["adres"].endswith(f"/rollen/{one['uuid']}")
    only = list(
        csv.DictReader(
            io.StringIO(pages.got("/beheer/bevindingen/csv?regel=m12").raw.decode("utf-8-sig")), delimiter=";"
        )
    )
    assert {row["regel"] for row in only} == {"M12"}


@pytest.mark.parametrize("shown", [7, 0], ids=["by seven", "all on one page"])
def test_the_objects_of_a_finding_are_leafed_through_to_the_last(
    pages: Pages, monkeypatch: pytest.MonkeyPatch, shown: int
) -> None:
    group = max(
        (
            group
            for rule in found.rules(pages.installation.store, Selection())
            for group in rule["groups"]
            if not group.action
        ),
        key=lambda group: group.count if group.count < 60 else 0,
    )
    monkeypatch.setattr("gateway.pages.rooms.findings.SHOWN", shown or group.count)
    of = {"regel": group.rule, "ernst": group.severity, "bron": group.source, "veld": group.field}
    where = f"/beheer/bevindingen/lijst?{urlencode(of)}"
    met: list[str] = []
    while where:
        page = pages.got(where).raw.decode()
        here = re.findall(r'class="kb-uuid">(?:<a [^>]*>)?([0-9a-f-]{36})', page)
        assert here
        met += here
        onward = re.search(r'href="([^"]*&amp;na=[^"]*)"', page)
        where = onward[1].replace("&amp;", "&") if onward else ""
    assert len(set(met)) == group.count


def test_quarantine_is_filtered_tried_again_and_dismissed(pages: Pages) -> None:
    store = pages.installation.store
    open_now = status(store)["quarantine"]["open"]
    page = pages.got("/beheer/quarantaine").raw.decode()
    rows = re.findall(r'name="rij" value="(\d+)"', page)
    assert len(rows) == open_now > 2
    said = pages.did("/beheer/quarantaine", "/beheer/quarantaine/opnieuw", rij=rows[0], waarom="hersteld")
    assert "Opnieuw geprobeerd: 0 nu in orde, 1 nog steeds niet te lezen." in said
    assert (None, "quarantaine: 1 opnieuw geprobeerd", "beheerder", "hersteld") in told(pages)
    assert pages.do("/beheer/quarantaine", "/beheer/quarantaine/rust").status == 409
    said = pages.did("/beheer/quarantaine", "/beheer/quarantaine/rust", rij=rows[0], waarom="hoort zo")
    assert "Laten rusten" in said
    assert status(store)["quarantine"] == {"open": open_now - 1, "dismissed": 1}
    assert told(pages)[0] == (None, "quarantaine: 1 laten rusten", "beheerder", "hoort zo")
    everything = pages.got("/beheer/quarantaine/csv?rust=1").raw.decode("utf-8-sig")
    assert len(list(csv.DictReader(io.StringIO(everything), delimiter=";"))) == open_now
    none = pages.see("/beheer/quarantaine?soort=zaak&bron=elders")
    assert "Niets dat u moet bekijken." in none


def test_a_person_is_looked_up_and_nothing_of_it_is_in_an_address_or_title(pages: Pages) -> None:
    known = examples(pages.installation.store, "bron")
    for text in (
        known["bsn"],
        known["partij"],
        f"https://x.example/partijen/{known['partij']}",
        known["kvk_nummer"],
    ):
        got = pages.do("/beheer/zoeken", "/beheer/zoeken", zoek=text)
        shown = text_of(got.raw)
        assert got.status == 200
        assert "Waar het vandaan komt" in shown
        assert title_of(got.raw) == "Zoeken | Klantbrug"
        assert text not in " ".join(re.findall(r'(?:href|action|src)="([^"]*)"', got.raw.decode()))
    assert "Niets gevonden." in text_of(pages.do("/beheer/zoeken", "/beheer/zoeken", zoek="bestaat niet").raw)
    assert pages.do("/beheer/fasen", "/beheer/zoeken", "bedienen", zoek=known["bsn"]).status == 403
    assert pages.browser().get("/beheer/zoeken?zoek=1").status == 200  # a query string is not looked at


def test_a_number_that_stands_only_in_what_nobody_is_shown_leads_to_that(pages: Pages) -> None:
    """A citizen who asks what is held of them must not hear that it is nothing, because it could not be read."""
    store, unread = pages.installation.store, "6e3c5a6e-6a53-4c43-9d70-6f1f6a6b7c10"
    zaak = next(each for each in sample_data().objects("zaak"))
    rol = {
        "uuid": unread,
        "url": f"{pages.installation.config.sources[0].zaken_url}rollen/{unread}",
        "zaak": zaak["url"],
        "betrokkeneType": "natuurlijk_persoon",
        "registratiedatum": "gisteren",
        "betrokkeneIdentificatie": {"inpBsn": BSN_UNREAD},
    }
    ingest = make_ingest(pages.installation.config, store)
    assert "Niets gevonden." in text_of(pages.do("/beheer/zoeken", "/beheer/zoeken", zoek=BSN_UNREAD).raw)
    ingest.take("bron", "rol", [rol], asked=0)
    assert unread in pages.got("/beheer/quarantaine").raw.decode()
    try:
        shown = text_of(pages.do("/beheer/zoeken", "/beheer/zoeken", zoek=BSN_UNREAD).raw)
        assert f"Rol {unread}" in shown
        assert "Niets gevonden." not in shown
        assert told(pages)[0][1] == f"gezocht op bsn: {unread}"
        (hit,) = look_up(store, ingest, BSN_UNREAD)
        wanted = about.by_number(ingest.uuids, about.BSN, BSN_UNREAD)
        assert hit.persons == about.in_the_log(store, wanted)  # as `audit show` looks for it
    finally:
        ingest.remove("bron", "rol", [uuid.UUID(unread)])


def test_a_zaak_is_found_by_its_number(pages: Pages) -> None:
    zaak = next(
        each for each in sample_data().objects("zaak") if each["vertrouwelijkheidaanduiding"] == "openbaar"
    )
    shown = text_of(pages.do("/beheer/zoeken", "/beheer/zoeken", zoek=zaak["identificatie"]).raw)
    assert f"Zaak {zaak['uuid']}" in shown


def test_a_phase_is_switched_with_reason_and_confirmation(pages: Pages) -> None:
    shown = pages.see("/beheer/fasen")
    assert "Wat de fase synced vraagt" in shown
    assert "ontbreekt" in shown
    where = "/beheer/fasen/bron/synced"
    for fields, said in (
        ({"zeker": "1"}, "Schrijf waarom"),
        ({"waarom": "proef"}, "Vink aan"),
        ({"waarom": "proef", "zeker": "1"}, "kan niet naar synced"),
    ):
        got = pages.do(where, where, **fields)
        assert got.status == 409
        assert said in text_of(got.raw)
        assert "--force" not in text_of(got.raw)
    assert status(pages.installation.store)["sources"]["bron"]["phase"] == "live"
    said = pages.did(where, where, waarom="proef", zeker="1", zonder_bewijs="1")
    assert "De fase is gewijzigd." in said
    assert told(pages)[0] == ("bron", "fase live -> synced zonder bewijs (--force)", "beheerder", "proef")
    back = "/beheer/fasen/bron/live"
    pages.did(back, back, waarom="terug", zeker="1")
    assert status(pages.installation.store)["sources"]["bron"]["phase"] == "live"
    assert pages.browser().get("/beheer/fasen/bron/nergens").status == 404
    assert pages.browser().get("/beheer/fasen/elders/live").status == 404


def test_a_token_is_made_shown_once_replaced_and_ended(pages: Pages) -> None:
    made = pages.do(
        "/beheer/tokens", "/beheer/tokens", naam="kcc", scope="read", resource="partijen", tot="2099-12-31"
    )
    assert made.status == 200
    secret = re.search(r"kb_[\w-]{43}", made.raw.decode())
    assert secret
    assert made.headers["Cache-Control"] == "no-store"
    asked = pages.browser().get(
        "/klantinteracties/api/v1/partijen", Authorization=f"Token {secret[0]}", Accept="application/json"
    )
    assert asked.status in (200, 503)
    again = pages.got("/beheer/tokens").raw.decode()
    assert secret[0] not in again
    assert "read:partijen" in again
    assert told(pages)[0][1] == "token kcc gemaakt (read:partijen)"
    for wrong, said in (
        ({"naam": "kcc", "scope": "read"}, "er is al een token"),
        ({"naam": "x"}, "een scope nodig"),
        ({"naam": "x", "scope": "read", "tot": "2001-01-01"}, "voorbij"),
    ):
        got = pages.do("/beheer/tokens", "/beheer/tokens", **wrong)
        assert got.status == 409
        assert said in text_of(got.raw).lower()
    other = pages.do("/beheer/tokens", "/beheer/tokens/vervangen", naam="kcc", uren="24")
    new = re.search(r"kb_[\w-]{43}", other.raw.decode())
    assert new
    assert new[0] != secret[0]
    assert "vervangen, werkt nog even" in text_of(other.raw)
    pages.did("/beheer/tokens", "/beheer/tokens/intrekken", naam="kcc")
    assert told(pages)[0][1] == "token kcc ingetrokken"
    assert pages.do("/beheer/tokens", "/beheer/tokens/intrekken", naam="kcc").status == 409


def test_jobs_are_told_and_switched(pages: Pages) -> None:
    shown = pages.see("/beheer/jobs")
    for name in ("sync", "sweep", "verify", "orders", "purge"):
        assert name in shown
    assert "er is geen [jobs.backfill]" in shown
    said = pages.did("/beheer/jobs", "/beheer/jobs/sync/uit", waarom="onderhoud")
    assert "uitgezet door een beheerder" in said
    assert "elke dag om 03:30" in shown
    assert told(pages)[0] == (None, "job sync uit", "beheerder", "onderhoud")
    assert "uitgezet door een beheerder" not in pages.did("/beheer/jobs", "/beheer/jobs/sync/aan")
    assert pages.do("/beheer/jobs", "/beheer/jobs/niets/aan").status == 404


def test_settings_show_every_key_and_no_secret(pages: Pages) -> None:
    config = pages.installation.config
    page = pages.got("/beheer/instellingen").raw.decode()
    shown = text_of(page.encode())
    for name in ("[gateway]", "[store]", "[mapping]", "[live]", "[[source]] bron", "max_age", "zaken_url"):
        assert name in shown
    assert config.sources[0].zaken_url in shown
    for secret in (config.sources[0].secret, config.store.uuid_secret):
        assert secret
        assert secret not in page
    assert "ingesteld (wordt niet getoond)" in shown
