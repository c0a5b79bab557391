"""What a refusal says of completeness and freshness: one value, and nothing where it means nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from builders.editor import identificator, ref
from builders.sample_data import sample_slice, some_zaken
from builders.talker import SAID, Talker, talking

from gateway.installation import Installation
from gateway.sample.server import SampleServer

NOBODY = "00000000-0000-4000-8000-000000000000"
DERIVED = "00000000-0000-8000-8000-000000000000"
BSN = "296648875"
KLANTCONTACT = {"kanaal": "balie", "onderwerp": "Paspoort", "taal": "nld", "vertrouwelijk": False}
PERSOON = {"soortPartij": "persoon", "indicatieActief": True}
Install = Callable[..., Installation]


# Status, method, path, body, headers. Nothing was asked of store or source, or nothing that the answer is about.
MEANS_NOTHING: list[tuple[int, str, str, Any, dict[str, str]]] = [
    (401, "GET", "partijen", None, {"Authorization": ""}),
    (401, "GET", "partijen", None, {"Authorization": "Token kb_wrong"}),
    (401, "GET", f"partijen/{NOBODY}", None, {"Authorization": "Bearer x"}),
    (401, "POST", "partijen", PERSOON, {"Authorization": ""}),
    (401, "OPTIONS", "partijen", None, {"Authorization": ""}),
    (404, "GET", "bestaatniet", None, {}),
    (404, "GET", "partijen/", None, {}),
    (404, "GET", "partijen/geen-uuid", None, {}),
    (404, "PATCH", "partijen/geen-uuid", {}, {}),
    (404, "GET", "/klantinteracties/api/v2/partijen", None, {}),
    (405, "PUT", "partijen", PERSOON, {}),
    (405, "POST", f"partijen/{NOBODY}", PERSOON, {}),
    (405, "GET", "maak-klantcontact", None, {}),
    (406, "GET", "partijen", None, {"Accept": "text/csv"}),
    (406, "GET", f"partijen/{NOBODY}", None, {"Accept": "text/csv"}),
    (413, "POST", "partijen", b"[" + b" " * (1024 * 1024 + 1) + b"]", {}),
    (415, "POST", "partijen", b"<partij/>", {"Content-Type": "application/xml"}),
    (400, "POST", "partijen", b"{", {}),
    (400, "POST", "partijen", b"[]", {}),
    (400, "POST", "partijen", {}, {}),
    (400, "POST", "maak-klantcontact", {"klantcontact": {}}, {}),
    (400, "GET", "partijen?onbekend=1", None, {}),
    (400, "GET", "partijen?soortPartij=onbekend", None, {}),
    (400, "GET", f"partijen/{NOBODY}?onbekend=1", None, {}),
    (400, "GET", "partijen?expand=onbekend", None, {}),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "method", "path", "body", "headers"), MEANS_NOTHING, ids=lambda part: str(part)[:40]
)
def test_where_it_means_nothing_it_is_not_said(
    talker: Talker, status: int, method: str, path: str, body: Any, headers: dict[str, str]
) -> None:
    said = talker.ask(method, path, body, headers)
    assert said.status == status
    assert [said.all(name) for name in SAID] == [[], []]


def test_a_body_that_is_refused_by_itself_says_nothing_of_the_document(talker: Talker) -> None:
    made = talker.make("partijen", PERSOON)
    for method in ("PUT", "PATCH"):
        for status, body, headers in (
            (415, b"x", {"Content-Type": "text/plain"}),
            (400, b"{", {}),
            (400, {"soortPartij": "onbekend"}, {}),
        ):
            said = talker.ask(method, f"partijen/{made['uuid']}", body, headers)
            assert said.status == status
            assert [said.all(name) for name in SAID] == [[], []]


def test_a_token_that_may_not_write_is_told_nothing(small: SampleServer, install: Install) -> None:
    with talking(install(bron=small), scope="read") as reader:
        for method, path in (("POST", "partijen"), ("DELETE", f"partijen/{NOBODY}")):
            said = reader.ask(method, path, PERSOON)
            assert said.status == 403
            assert [said.all(name) for name in SAID] == [[], []]


def test_what_was_judged_by_store_and_source_says_it_once(talker: Talker) -> None:
    """Not there, no such page, taken, referred to, not to be asked: `coverage` fails on a second value."""
    partij = talker.make("partijen", PERSOON)
    kvk = talker.make(
        "partij-identificatoren",
        {
            "partijIdentificator": {
                "codeRegister": "hr",
                "codeObjecttype": "niet_natuurlijk_persoon",
                "codeSoortObjectId": "kvk_nummer",
                "objectId": "12345678",
            }
        },
    )
    vestiging = {
        "codeRegister": "hr",
        "codeObjecttype": "vestiging",
        "codeSoortObjectId": "vestigingsnummer",
        "objectId": "000037178601",
    }
    talker.make("partij-identificatoren", {"partijIdentificator": vestiging, "subIdentificatorVan": ref(kvk)})
    talker.make("partij-identificatoren", {**identificator("bsn", BSN), "identificeerdePartij": ref(partij)})
    double = identificator("bsn", BSN)
    betrokkene = {
        "hadKlantcontact": ref(talker.make("klantcontacten", KLANTCONTACT)),
        "wasPartij": {"uuid": DERIVED},
        "rol": "klant",
        "initiator": True,
    }
    for status, coverage, method, path, body in (
        (404, "complete", "GET", f"partijen/{NOBODY}", None),
        (404, "complete", "PATCH", f"partijen/{NOBODY}", {}),
        (404, "complete", "GET", "internetaken?page=9", None),
        (400, "complete", "POST", "partij-identificatoren", double),
        (400, "complete", "PATCH", f"partij-identificatoren/{kvk['uuid']}", double),
        (400, "complete", "DELETE", f"partij-identificatoren/{kvk['uuid']}", None),
        (503, "partial", "GET", "partijen", None),
        (503, "partial", "GET", f"partijen/{DERIVED}", None),
        (503, "partial", "PATCH", f"partijen/{DERIVED}", {}),
        (503, "partial", "POST", "betrokkenen", betrokkene),
        (503, "partial", "POST", "betrokkenen", {**betrokkene, "rol": "klant", "initiator": False}),
    ):
        said = talker.ask(method, path, body)
        assert (said.status, said.coverage) == (status, coverage), (method, path)
        assert said.freshness


@pytest.mark.slow
def test_a_source_that_is_away_says_it_once(small: SampleServer, install: Install) -> None:
    with talking(install(bron=small, deadline=2)) as talker:
        made = talker.make("partijen", PERSOON)
        small.traps.down = True
        bsn = {"partijIdentificator__codeSoortObjectId": "bsn", "partijIdentificator__objectId": BSN}
        refused = [
            talker.get("partijen", **bsn),
            talker.get(f"klantcontacten/{NOBODY}"),
            talker.ask("POST", "partij-identificatoren", identificator("bsn", BSN)),
            talker.ask(
                "PATCH", f"partijen/{made['uuid']}", {"partijIdentificatoren": [identificator("bsn", BSN)]}
            ),
            talker.ask("POST", "bijlagen", {"wasBijlageVanKlantcontact": {"uuid": NOBODY}}),
        ]
        for said in refused:
            assert said.status in (502, 504)
            assert (said.coverage, said.freshness) == ("partial", "stale")


@pytest.mark.slow
def test_a_source_that_is_late_says_it_once(small: SampleServer, install: Install) -> None:
    with talking(install(bron=small, deadline=1)) as talker:
        small.traps.slow = 30
        said = talker.ask("POST", "partij-identificatoren", identificator("bsn", BSN))
        assert (said.status, said.coverage, said.freshness) == (504, "partial", "stale")
        small.traps.slow = 0


@pytest.fixture
def small() -> Any:
    """A source with little in it."""
    with SampleServer(some_zaken(sample_slice(), 40)) as server:
        yield server


@pytest.fixture
def talker(small: SampleServer, install: Install) -> Any:
    """A client that writes, before the backfill."""
    with talking(install(bron=small)) as made:
        yield made
