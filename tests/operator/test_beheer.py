"""The page Overzicht, the status as JSON, and the health endpoints."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from builders.browser import operator_browser
from builders.probe.made_up import with_rollen
from builders.probe.tamper import Tamper
from builders.served_store import Client

from gateway.store.base.errors import StoreUnwritable
from gateway.store.base.store import Store
from gateway.store.inspect.status import status
from gateway.store.operation.sources import set_meta


@pytest.fixture
def busy(store: Store) -> Store:
    return with_rollen(store)


def test_every_object_seen_is_accounted_for(busy: Store) -> None:
    found = status(busy)
    rol = found["sources"]["zaken<b>"]["kinds"]["rol"]
    assert rol == {"seen": 11, "translated": 5, "quarantined": 2, "left_out": {"M34": 3, "M10": 1}}
    for source in found["sources"].values():
        for kind in source["kinds"].values():
            assert kind["seen"] == kind["translated"] + kind["quarantined"] + sum(kind["left_out"].values())
    assert found["sources"]["zaken<b>"]["coverage"] == "partial"
    assert found["sources"]["leeg"]["coverage"] == "complete"
    assert found["findings"] == {"M9": 1, "M12": 2, "M30": 1}
    assert list(found["findings"]) == ["M9", "M12", "M30"]


def test_runs_tell_when_and_how_far(busy: Store) -> None:
    run = status(busy)["runs"][0]
    assert run["job"] == "backfill"
    assert (run["started"], run["finished"]) == ("2023-11-14T22:13:20Z", None)
    assert run["counters"] == {"rol": 12}


def test_the_page_shows_counts_and_nothing_else(busy: Store, serve: Callable[..., Client]) -> None:
    got = operator_browser(busy, serve().base).get("/")
    page = got.raw.decode()
    assert got.status == 200
    assert got.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "zaken&lt;b&gt;" in page
    assert "M34: 3" in page
    assert "backfill" in page
    assert "ik zeg niets" not in page
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", page)
    assert not re.search(r"""(src|href)="(?!http://127\.0\.0\.1|#|data:,)|url\(|<script>""", page)
    assert "default-src 'none'" in got.headers["Content-Security-Policy"]


def test_the_page_of_an_empty_register(store: Store, serve: Callable[..., Client]) -> None:
    page = operator_browser(store, serve().base).get("/").raw.decode()
    assert "zelfstandig klantregister" in page
    assert "Er is nog geen run." in page


def test_the_status_as_json_needs_the_scope_monitor(busy: Store, serve: Callable[..., Client]) -> None:
    reader, operator = serve(), serve(scope="monitor")
    assert reader.send("GET", "/beheer/api/v1/status").status == 401
    assert reader.get("/beheer/api/v1/status").status == 403
    got = operator.get("/beheer/api/v1/status")
    assert got.status == 200
    assert got.json["sources"]["zaken<b>"]["kinds"]["rol"]["seen"] == 11
    assert got.json["runs"][0]["message"] == "ik zeg niets"


def test_live_and_ready(serve: Callable[..., Client]) -> None:
    client = serve()
    assert client.send("GET", "/health/live").status == 200
    assert client.send("GET", "/health/ready").json == {"status": "ready"}


def test_a_store_with_an_older_schema_is_not_ready(store: Store, serve: Callable[..., Client]) -> None:
    client = serve()
    Tamper(store).unapply("0002_filters")
    got = client.send("GET", "/health/ready")
    assert (got.status, got.json["status"], got.headers["Retry-After"]) == (503, 503, "5")
    assert client.send("GET", "/health/live").status == 200


def test_a_store_that_does_not_answer_is_not_ready(store: Store, serve: Callable[..., Client]) -> None:
    client = serve()
    Tamper(store).rename_documents()
    assert client.send("GET", "/health/ready").status == 503
    assert client.send("GET", "/health/live").status == 200


def test_a_store_that_can_not_be_written_is_ready_and_told_everywhere(
    store: Store, serve: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.beheer.status.STATUS_SECONDS", 0)
    client = serve(scope="monitor")
    browser = operator_browser(store, client.base)
    assert client.get("/beheer/api/v1/status").status == 200  # and the use of the token is noted
    large = "x" * 1_000_000
    with Tamper(store).full() as said:
        with pytest.raises(StoreUnwritable):
            set_meta(store, "large", large)
        ready = client.send("GET", "/health/ready")
        assert (ready.status, ready.json["status"]) == (200, "ready")
        assert ready.json["problems"][0].startswith(said)
        assert said in browser.get("/").raw.decode()
        assert client.get("/beheer/api/v1/status").json["store"]["problems"][0].startswith(said)
    set_meta(store, "large", large)
    assert client.send("GET", "/health/ready").json == {"status": "ready"}
