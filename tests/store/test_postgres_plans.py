"""What a batch asks reads no more of a full store, also while PostgreSQL does not know yet what came."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from builders.many_objects import ALL_KINDS, of_zaken
from builders.register import SOURCE, Register
from builders.stores import ON_POSTGRES

from gateway.store.operation.sources import source_id

pytestmark = pytest.mark.skipif(not ON_POSTGRES, reason="KLANTBRUG_TEST_DATABASE names no database")

SEEN, PAGE, MANY, FAR = 100, 20, 15_000, 1_000_000
# Small tables may be read whole.
MOST = MANY // 5


def take(register: Register, source: str, numbers: Iterable[int]) -> None:
    """Take zaken with all that hangs on them, a kind at a time."""
    objects = of_zaken(numbers)
    for kind in ALL_KINDS:
        register.ingest.take(source, kind, objects[kind], asked=0)


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Register]:
    """A store that has two sources; the database looked when there was one."""
    from builders.probe.plans import look_at, pad

    made = Register(tmp_path / "store")
    session = made.store.connection()
    take(made, "eerste", range(SEEN))
    with made.store.write(synced=False) as connection:
        pad(connection, source_id(connection, "eerste"), FAR, MANY)
    look_at(session, *session.dialect.tables(session))
    take(made, SOURCE, range(SEEN))
    with made.store.write(synced=False) as connection:
        pad(connection, source_id(connection, SOURCE), 2 * FAR, MANY)
    yield made
    made.store.close()


def test_no_question_of_a_batch_reads_all_that_is_held(
    filled: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    from builders.probe.plans import PLANS, rows_read_by

    from gateway.store.postgres.session import PostgresSession

    asked: dict[str, Any] = {}
    for name in ("all", "one", "each"):
        real = getattr(PostgresSession, name)

        def ask(session: Any, sql: str, values: Any = (), real: Any = real) -> Any:
            if sql.lstrip().startswith(("SELECT", "WITH")) and "pg_" not in sql:
                asked[sql] = values
            return real(session, sql, values)

        monkeypatch.setattr(PostgresSession, name, ask)
    take(filled, SOURCE, range(SEEN, SEEN + PAGE))
    monkeypatch.undo()
    assert len(asked) > 50
    session = filled.store.connection()
    much = {
        (plan, sql): read
        for plan in PLANS
        for sql, values in asked.items()
        if (read := rows_read_by(session, sql, values, plan)) > MOST
    }
    assert much == {}
