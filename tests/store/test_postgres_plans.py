"""What a batch asks reads no more of a full store, also while PostgreSQL does not know yet what came."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from builders.legacy_objects import klantcontact, persoon, zaak
from builders.register import SOURCE, Register
from builders.stores import ON_POSTGRES

from gateway.store.operation.sources import source_id

pytestmark = pytest.mark.skipif(not ON_POSTGRES, reason="KLANTBRUG_TEST_DATABASE names no database")

SEEN, PAGE, MANY, FAR = 100, 20, 15_000, 1_000_000
# Small tables may be read whole.
MOST = MANY // 10


def all_of(numbers: Iterable[int]) -> list[dict[str, Any]]:
    """Zaken, each with who gives a machtiging, who takes it, and a klantcontact."""
    return [raw for number in numbers for raw in (zaak(number), *_of(number))]


def _of(number: int) -> list[dict[str, Any]]:
    return [
        persoon(
            2 * number,
            anr=f"{9_000_000_000 + number}",
            zaak=number,
            indicatieMachtiging="machtiginggever",
        ),
        persoon(
            2 * number + 1, anr=f"{9_100_000_000 + number}", zaak=number, indicatieMachtiging="gemachtigde"
        ),
        klantcontact(number, zaak=number),
    ]


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Register]:
    """A store that has two sources; the database looked when there was one."""
    from builders.probe.plans import look_at, pad

    made = Register(tmp_path / "store")
    session = made.store.connection()
    made.take(*all_of(range(SEEN)), source="eerste")
    with made.store.write() as connection:
        pad(connection, source_id(connection, "eerste"), FAR, MANY)
    look_at(session, *session.dialect.tables(session))
    made.take(*all_of(range(SEEN)))
    with made.store.write() as connection:
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
    filled.take(*all_of(range(SEEN, SEEN + PAGE)))
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
