"""A question that takes longer than `[gateway] question_seconds` is ended, and told so."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from uuid import UUID

import pytest
from builders.served_store import Client

from gateway.store.base.errors import TooLong
from gateway.store.base.store import Store
from gateway.store.documents.writing import put_documents
from mappings.model.documents import Document

Serve = Callable[..., Client]
# Counts to so many millions: it takes longer than any limit here, and needs nothing in the store.
ENDLESS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000000) SELECT count(*) FROM n"
NAME = "Vertrouwelijk"


def filled(store: Store) -> None:
    """Klantcontacten whose text takes a while to look through, for a search of two letters."""
    body = {"inhoud": NAME + "x" * 20_000}
    documents = [(Document("klantcontact", UUID(int=n, version=4), body, n, n), None) for n in range(2000)]
    with store.write() as connection:
        put_documents(connection, documents)


@pytest.mark.slow
def test_a_question_that_takes_too_long_is_a_503_that_says_what_to_do(
    serve: Serve, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    filled(store)
    client = serve(question_seconds=0.02)
    with caplog.at_level(logging.WARNING, "gateway"):
        got = client.get("/klantcontacten?inhoud=qq&page=1")
    assert (got.status, got.json["code"]) == (503, "question_too_long")
    assert "Vraag minder" in got.json["detail"]
    assert got.headers["API-version"] == "0.9.0"
    assert "Retry-After" not in got.headers  # the same question again would take as long
    told = [record.getMessage() for record in caplog.records if "ended" in record.getMessage()]
    assert len(told) == 1
    assert (
        "'seconds': 0.02, 'path': '/klantinteracties/api/v1/klantcontacten', 'filters': 'inhoud page'"
        in told[0]
    )


@pytest.mark.slow
def test_the_next_question_of_the_same_thread_has_its_own_time(serve: Serve, store: Store) -> None:
    filled(store)
    client = serve(question_seconds=0.02)
    assert client.get("/klantcontacten?inhoud=qq").status == 503
    assert client.get("/actoren?naam=qq").status == 200


def test_questions_of_operators_end_too(serve: Serve, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: object) -> dict[str, object]:
        with store.read() as connection:
            return {"found": connection.execute(ENDLESS).fetchone()[0]}

    monkeypatch.setattr("gateway.beheer.status.whole_overview", slow)
    got = serve(scope="operate", question_seconds=0.05).get("/beheer/api/v1/status")
    assert (got.status, got.json["code"]) == (503, "question_too_long")


@pytest.mark.slow
def test_the_store_is_left_as_it_was(store: Store) -> None:
    store.question_seconds = 0.05
    began = time.monotonic()
    with pytest.raises(TooLong), store.read() as connection:
        connection.execute(ENDLESS).fetchone()
    assert time.monotonic() - began < 2
    assert not store.connection().in_transaction
    filled(store)
    with store.read() as connection:
        assert connection.execute("SELECT count(*) FROM document").fetchone() == (2000,)


def test_what_writes_is_not_ended(store: Store) -> None:
    store.question_seconds = 0.001
    with store.write() as connection:
        sum_of_few = ENDLESS.replace("50000000", "300000")
        assert connection.execute(sum_of_few).fetchone() == (300_000,)
