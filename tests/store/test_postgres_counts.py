"""How many statements a question of a client sends to PostgreSQL, and in how many trips."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from builders.asker import API
from builders.recordings import RecordedRegister
from builders.served_store import settings
from builders.stores import ON_POSTGRES

from gateway.app import create_app
from gateway.http.auth import create_token
from gateway.store.base.kinds import KIND
from gateway.store.base.store import Store
from gateway.store.indexes import spans

pytestmark = pytest.mark.skipif(not ON_POSTGRES, reason="KLANTBRUG_TEST_DATABASE names no database")
QUESTIONS = (
    ("partijen/{partij}", 2),
    ("klantcontacten/{contact}", 2),
    ("partijen?partijIdentificator__objectId={number}", 2),
    ("partijen", 2),
    ("klantcontacten?pageSize=500", 2),
    ("klantcontacten?pageSize=1&page=2", 2),
    ("klantcontacten?pageSize=1&page=last", 2),
    ("partijen/{partij}?expand=betrokkenen", 3),
    ("partijen/{partij}?expand=betrokkenen,betrokkenen.hadKlantcontact", 4),
    ("partijen/{partij}?expand=betrokkenen,betrokkenen.hadKlantcontact,digitaleAdressen", 4),
)

# Of a POST, begin and end among them.
MOST_TRIPS = 17
CONTACT = {
    "kanaal": "telefoon",
    "onderwerp": "Een vraag",
    "taal": "nld",
    "vertrouwelijk": False,
    "plaatsgevondenOp": "2026-11-01T12:00:00Z",
}


def test_a_question_takes_two_statements_and_one_for_each_level(
    store: Store, register: RecordedRegister, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gateway.store.postgres.session import PostgresSession

    client = create_app(settings(store.path), store=store).test_client()
    headers = {"Authorization": f"Token {create_token(store, 'counts', 'read')}"}

    def get(path: str) -> Any:
        answer = client.get(f"{API}/{path}", headers=headers)
        assert answer.status_code == 200, path
        return answer.get_json()

    numbers = get("partij-identificatoren")["results"]
    known = {
        "partij": get("partijen")["results"][0]["uuid"],
        "contact": get("klantcontacten")["results"][0]["uuid"],
        "number": numbers[0]["partijIdentificator"]["objectId"],
    }
    sent: list[str] = []

    def counted(name: str) -> None:
        real = getattr(PostgresSession, name)

        def ask(session: PostgresSession, text: str, *values: Any) -> Any:
            sent.append(text)
            return real(session, text, *values)

        monkeypatch.setattr(PostgresSession, name, ask)

    for name in ("all", "one", "each", "run", "insert", "many"):
        counted(name)
    for question, most in QUESTIONS:
        path = question.format_map(known)
        get(path)
        sent.clear()
        get(path)
        # Once a second somebody looks whether a register took over.
        asked = [text for text in sent if " FROM meta " not in text]
        assert 1 <= len(asked) <= most, (question, asked)


def test_a_deep_page_looks_at_as_many_spans_as_it_is_deep(store: Store) -> None:
    """Not at all of them: it would cost more the longer the list is."""
    from builders.probe.plans import PLACE_OF_A_PAGE, PLANS, put_spans, rows_read

    kind, of_each = KIND["klantcontact"], spans.CUT_TO
    with store.write() as connection:
        put_spans(connection, kind, 400, of_each)
    skip = 5 * of_each
    for plan in PLANS:
        assert rows_read(store.connection(), PLACE_OF_A_PAGE, (kind, skip), plan) < 200, plan
    older_than, more = spans.from_newest(store.connection(), kind, skip + 7)
    assert store.connection().all(spans.FROM_NEWEST, (kind, skip + 7)) == [(*(older_than or ()), more)]


@pytest.mark.parametrize(("fails", "end"), [(False, "COMMIT"), (True, "ROLLBACK")])
def test_what_begins_and_ends_a_reading_costs_no_trip(
    one: Any, tmp_path: Path, fails: bool, end: str
) -> None:
    """BEGIN goes with the first statement, also within a time; for the end nobody waits."""
    one.question_seconds = 60

    def ask() -> None:
        with one.read() as session:
            session.all("SELECT name FROM meta WHERE name = ?", ("x",))
            session.all("SELECT value FROM meta WHERE name = ?", ("x",))
            if fails:
                raise KeyError

    def asked() -> None:
        try:
            ask()
        except KeyError:
            assert fails

    for _ in range(3):
        asked()  # from here on all are prepared
    first = ["S:Bind", "S:Execute", "S:Bind", "S:Execute", "S:Sync", "R:ReadyForQuery"]
    second = ["S:Bind", "S:Execute", "S:Sync", "R:ReadyForQuery"]
    ended = "S:Query"
    # The word that an earlier end went well comes with the next beginning.
    assert traced(one, asked, tmp_path) == ["R:ReadyForQuery", *first, *second, ended], end


def test_a_write_waits_for_its_turn_and_for_its_end_only(one: Any, tmp_path: Path) -> None:
    """BEGIN and the lock are one trip; what gives nothing is not waited for, and COMMIT goes behind it."""

    def write() -> None:
        with one.write() as session:
            session.many("DELETE FROM meta WHERE name = ?", [("x",), ("y",), ("z",)])
            session.many("DELETE FROM meta WHERE name = ?", [("x",)])

    for _ in range(3):
        write()
    asked, script = ["S:Bind", "S:Execute"], ["S:Query", "R:ReadyForQuery"]
    sent = [*asked * 3, "S:Sync", *asked, "S:Sync", "S:Parse", *asked, "S:Sync"]
    assert traced(one, write, tmp_path)[1:] == [*script, *sent, *["R:ReadyForQuery"] * 3]


def test_a_clients_write_takes_few_trips(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from gateway.store.postgres.wire.connections import Wire

    client = create_app(settings(store.path), store=store).test_client()
    headers = {"Authorization": f"Token {create_token(store, 'counts', 'write')}"}
    trips = [0]

    def counted(name: str) -> None:
        real = getattr(Wire, name)

        def waited(wire: Wire, *how: Any, **more: Any) -> Any:
            trips[0] += 1
            return real(wire, *how, **more)

        monkeypatch.setattr(Wire, name, waited)

    counted("_last")
    counted("_catch_up")
    for _ in range(3):
        trips[0] = 0
        answer = client.post(f"{API}/klantcontacten", json=CONTACT, headers=headers)
        assert answer.status_code == 201
    assert trips[0] <= MOST_TRIPS


def traced(store: Any, ask: Callable[[], None], folder: Path) -> list[str]:
    """What is sent (S) to the database and what tells (R) that it is ready for more, in order, while `ask` runs."""
    with store.read() as session:
        session.one("SELECT 1")
        pgconn = session.connection.pgconn
    file = folder / "trace"
    with file.open("w") as trace:
        pgconn.trace(trace.fileno())
        ask()
        pgconn.untrace()
    kinds = []
    for line in file.read_text(errors="replace").splitlines():
        _, side, _, message = line.split("\t")[:4]
        kind = message.split()[0]
        if side == "F" and kind != "Describe":
            kinds.append(f"S:{kind}")
        elif kind == "ReadyForQuery":
            kinds.append(f"R:{kind}")
    return kinds
