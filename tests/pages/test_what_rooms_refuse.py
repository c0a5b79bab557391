"""What rooms do with what does not fit or is not allowed: a page that says so, and a line in the log of events."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from builders.configs import read_config, write_config
from builders.following import backfilled
from builders.pages_world import Pages, pages_of, text_of
from builders.sample_data import sample_slice, some_zaken

from gateway.base import correlation
from gateway.http.auth import create_token
from gateway.installation import open_installation
from gateway.login.views import Login
from gateway.operator.rooms import found
from gateway.pages.desk import Desk
from gateway.sample.server import SampleServer
from gateway.store.base.errors import StoreBusy, StoreDamaged, StoreUnwritable, TooLong
from gateway.store.inspect.examples import examples
from gateway.store.inspect.findings import Selection
from gateway.store.operation import events, tokens

pytestmark = pytest.mark.slow

NO_NUMBERS = ("²", "٣", "-1", "1e3", "", str(2**63), "9" * 5000)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    """The pages of an installation that read a few zaken."""
    with SampleServer(some_zaken(sample_slice(), 10)) as server:
        path = write_config(tmp_path_factory.mktemp("refuse"), {"bron": server})
        with pages_of(backfilled(open_installation(read_config(path)))) as shown:
            yield shown


@pytest.mark.parametrize("wrong", NO_NUMBERS, ids=range(len(NO_NUMBERS)))
def test_what_is_no_number_in_an_address_or_form_is_no_fault(pages: Pages, wrong: str) -> None:
    sent = quote(wrong)
    group = next(iter(found.groups(pages.installation.store, Selection())))
    rule = f"regel={group.rule}&ernst={group.severity}&bron={group.source}&veld={quote(group.field)}"
    for path, status in (
        (f"/beheer/quarantaine?pagina={sent}", 200),
        (f"/beheer/quarantaine?goed={sent}&over=1&gevraagd=1", 200),
        (f"/beheer/bevindingen/lijst?{rule}&na={sent}.1.1", 200),
        (f"/beheer/bevindingen/lijst?{rule}&na=0.{sent}.1", 200),
        (f"/beheer/bewijs/vergelijken?van={sent}&naar=1", 303),
        (f"/beheer/bewijs/{sent or 'x'}", 404),
    ):
        assert pages.browser().get(path).status == status, path[:80]
    rows = pages.do("/beheer/quarantaine", "/beheer/quarantaine/opnieuw", rij=wrong)
    assert rows.status == 409
    if wrong:  # blank is none
        hours = pages.do("/beheer/tokens", "/beheer/tokens/vervangen", naam="x", uren=wrong)
        assert (hours.status, b"aantal uren" in hours.raw) == (409, True)


def test_the_greatest_numbers_lead_to_an_empty_page(pages: Pages) -> None:
    most = 2**63 - 1
    for path in (
        f"/beheer/quarantaine?na={most}.{most}",
        f"/beheer/quarantaine?goed={most}&over=0&gevraagd=0",
    ):
        pages.got(path)
    for group in found.groups(pages.installation.store, Selection()):
        rule = f"regel={group.rule}&ernst={group.severity}&bron={group.source}&veld={quote(group.field)}"
        for place in (f"0.{most}.{most}", f"1.{most}.{most}", f"9.{most}.{most}", f"{most}.0.0"):
            pages.got(f"/beheer/bevindingen/lijst?{rule}&na={place}")
    pages.got(f"/beheer/bewijs/{most}", status=404)


def test_who_may_not_see_persons_gets_no_token_that_reads_them(pages: Pages) -> None:
    store, where = pages.installation.store, "/beheer/tokens"
    create_token(store, "lezer", "read:partijen monitor", None, ("partijen",))
    create_token(store, "meter", "monitor")
    before = tokens.listing(store)
    assert 'value="write"' not in pages.got(where, "bedienen").raw.decode()
    assert 'value="write"' in pages.got(where).raw.decode()
    for action, fields in (
        (where, {"naam": "a", "scope": "read"}),
        (where, {"naam": "b", "scope": "write", "resource": "partijen"}),
        (f"{where}/vervangen", {"naam": " lezer "}),
    ):
        got = pages.do(where, action, "bedienen", **fields)
        assert (got.status, "personen inzien" in text_of(got.raw)) == (403, True), fields
    assert tokens.listing(store) == before
    for action, fields in (
        (where, {"naam": "c", "scope": "operate"}),
        (f"{where}/vervangen", {"naam": "meter"}),
    ):
        assert pages.do(where, action, "bedienen", **fields).status == 200
    assert pages.do(where, f"{where}/vervangen", naam="lezer").status == 200
    assert pages.do(where, f"{where}/intrekken", "bedienen", naam="lezer").status == 303


def test_looking_somebody_up_leaves_a_trace_without_what_was_asked(pages: Pages) -> None:
    store = pages.installation.store
    known = examples(store, "bron")
    absent = "28be5044-9d85-4354-b06f-4c3964f01290"
    for text in (known["bsn"], known["partij"], absent, "bestaat niet"):
        assert pages.do("/beheer/zoeken", "/beheer/zoeken", "personen inzien", zoek=text).status == 200
    with store.read() as connection:
        noted = [each.what for each in events.events(connection)][:4][::-1]
    assert re.fullmatch(r"gezocht op bsn: [0-9a-f-]{36}(, [0-9a-f-]{36})*", noted[0])
    assert noted[1:] == [f"gezocht op uuid: {known['partij']}", *["gezocht, niets gevonden"] * 2]
    assert known["bsn"] not in " ".join(noted)


def test_the_line_of_a_request_names_the_operator(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    operation = correlation.Operation(correlation.REQUEST, "", "", "", 0.0)
    monkeypatch.setattr(
        correlation, "current", lambda: operation
    )  # these pages are served without the server's own log
    pages.got("/beheer/jobs")
    assert operation.who == "operator beheerder"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (StoreBusy("busy"), "bezet"),
        (StoreUnwritable("full"), "niet worden beschreven"),
        (StoreDamaged("damaged"), "beschadigd"),
        (TooLong(), ""),
    ],
    ids=lambda each: type(each).__name__,
)
def test_a_store_in_trouble_is_told_to_people_on_a_page(
    pages: Pages, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    browser = pages.browser()
    for place in (Desk, "overview"), (Login, "look_up"):
        with monkeypatch.context() as broken:
            broken.setattr(*place, fail)
            for path in ("/", "/beheer/bewijs"):
                got = browser.get(path)
                assert (got.status, got.headers["Content-Type"]) == (503, "text/html; charset=utf-8")
                assert int(got.headers["Retry-After"]) > 0
                assert said in text_of(got.raw)
    assert browser.get("/").status == 200
