"""What operators look at costs by what is wrong, not by how much a source has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.store.base.kinds import QUARANTINED, RAW_KIND
from gateway.store.base.session import Session
from gateway.store.file.database import FileStore
from gateway.store.inspect import comparing, findings, searching
from gateway.store.legacy import quarantine, untranslated_keys
from gateway.store.operation.sources import source_id

pytestmark = pytest.mark.of_the_file  # it counts the steps of SQLite

MANY, FEW = 20_000, 5
STEPS = 100
ASKED = quarantine.QuarantineAsked("bron", "rol")
QUESTIONS: dict[str, Callable[[Session, int], Any]] = {
    "what counts": untranslated_keys.open_of,
    "what is shown": lambda connection, source: untranslated_keys.shown(connection, source, ["rol"]),
    "what to note": untranslated_keys.settle,
    "the list": lambda connection, _: quarantine.part(connection, ASKED, quarantine.BEGIN, 100),
    "the reasons": lambda connection, _: quarantine.by_reason(connection, ASKED),
    "what is not kept": lambda connection, _: quarantine.emptied(connection, "bron"),
    "what is shown no more": comparing.invisible,
    "a zaaknummer": lambda connection, _: searching.zaken_by_number(connection, "ZAAK-7"),
    "objects of a finding": lambda connection, _: findings.piece(
        connection, findings.FindingGroup("M36", "info", "bron", "zelden", FEW), findings.START, 100
    ),
    "count of a finding": lambda connection, _: findings.group_of(
        connection, "M36", "info", "bron", "zelden"
    ),
}


def steps(connection: Session, ask: Callable[[], Any]) -> int:
    """How many hundreds of steps SQLite takes over a question."""
    count = 0

    def one() -> int:
        nonlocal count
        count += 1
        return 0

    connection.set_progress_handler(one, STEPS)  # type: ignore[attr-defined]
    try:
        ask()
    finally:
        connection.set_progress_handler(None, 0)  # type: ignore[attr-defined]
    return count


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> FileStore:
    store = FileStore(tmp_path_factory.mktemp("large") / "store.sqlite")
    with store.write() as connection:
        source = source_id(connection, "bron")
        connection.run(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
            " INSERT INTO raw (id, source, kind, uuid, zaak, state, visible, first_seen, last_seen, facts, body)"
            " SELECT i, ?, ?, randomblob(16), randomblob(16), 1, 1, i, i,"
            " CASE WHEN i % 10 = 0 THEN json_object('identificatie', 'ZAAK-' || i) END, randomblob(300) FROM n",
            (MANY, source, RAW_KIND["rol"]),
        )
        connection.run(
            "INSERT INTO raw_finding SELECT id, 1, 'M36', CASE WHEN id <= ? THEN 'zelden' ELSE 'vaak' END, 'x', 'info'"
            " FROM raw",
            (FEW,),
        )
        connection.run(
            "UPDATE raw SET state = ?, visible = 0 WHERE id <= ?",
            (QUARANTINED, FEW),
        )
        connection.run(
            "INSERT INTO quarantine (raw, reason, since) SELECT id, 'r', id FROM raw WHERE id <= ?", (FEW,)
        )
    return store


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_of_a_room_does_not_go_through_all(large: FileStore, name: str) -> None:
    ask = QUESTIONS[name]
    with large.write() as connection:
        source = source_id(connection, "bron")
        assert steps(connection, lambda: ask(connection, source)) < 20


def test_it_would_be_noticed(large: FileStore) -> None:
    with large.read() as connection:
        assert steps(connection, lambda: connection.all("SELECT count(*) FROM raw WHERE waits > 3")) > 200
