"""Writers on PostgreSQL: what becomes of the turn of one that stands still, what the next one sees, and what is told of
a write whose end was not heard."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from builders.database_proxy import DatabaseProxy
from builders.databases import another
from builders.served_store import Client, answering, settings
from builders.stores import DATABASE, ON_POSTGRES
from builders.until import until

from gateway.app import create_app
from gateway.http.auth import create_token
from gateway.store.base.errors import StoreAway, StoreUnsure, UniqueViolated

pytestmark = pytest.mark.skipif(not ON_POSTGRES, reason="KLANTBRUG_TEST_DATABASE names no database")
PUT = "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2"
GET = "SELECT value FROM meta WHERE name = ?"
NUMBERS = "SELECT n FROM generate_series(1, ?) AS s (n)"


@pytest.mark.slow
@pytest.mark.parametrize(
    "last",
    [
        lambda session: session.many(PUT, [("word", "x")]),
        lambda session: session.many(PUT, [(str(number), "x") for number in range(50)]),
        lambda session: next(session.each(NUMBERS, (3000,))),
        lambda session: list(session.each(NUMBERS, (3000,))),
        lambda session: session.one(NUMBERS, (1,)),
    ],
    ids=["one of many", "many", "first of each", "each", "one"],
)
def test_who_stands_still_loses_his_turn_whatever_he_did_last(
    path: Path, last: Callable[[Any], object]
) -> None:
    one, two = another(path), another(path, busy_seconds=8)
    try:
        with pytest.raises(StoreAway), one.write() as session:
            last(session)
            began = time.monotonic()
            with two.write() as writing:
                writing.run(PUT, ("who", "two"))
            assert 2 < time.monotonic() - began < 7
            session.run(PUT, ("who", "one"))
        assert two.connection().one(GET, ("who",)) == ("two",)
    finally:
        one.close()
        two.close()


def test_many_takes_no_rows_too(path: Path) -> None:
    store = another(path)
    with store.write() as session:
        for of in (0, 1, 5):
            session.many(PUT, [(f"{of} {number}", "x") for number in range(of)])
        assert session.one("SELECT count(*) FROM meta WHERE value = 'x'") == (6,)
    store.close()


@pytest.mark.parametrize("then", ["asks", "writes", "ends"])
def test_what_fails_in_many_is_raised_by_what_comes_next_and_nothing_is_written(
    path: Path, then: str
) -> None:
    store = another(path)
    after = {
        "asks": lambda session: session.all("SELECT name FROM meta"),
        "writes": lambda session: session.many("DELETE FROM meta WHERE name = ?", [("none",)]),
        "ends": lambda session: None,
    }
    for times in range(3):  # statements are prepared from the second time on, also those that failed
        with pytest.raises(UniqueViolated), store.write() as session:
            session.many("INSERT INTO meta (name, value) VALUES (?, ?)", [("first", "x"), ("first", "x")])
            after[then](session)
        with store.write() as session:
            session.many("INSERT INTO meta (name, value) VALUES (?, ?)", [(f"later {times}", "x")])
    with store.write() as session:  # it was to be prepared behind what failed
        session.many("DELETE FROM meta WHERE name = ?", [("none",)])
    assert store.connection().all("SELECT name FROM meta WHERE value = 'x' ORDER BY name") == [
        ("later 0",), ("later 1",), ("later 2",)
    ]  # fmt: skip
    store.close()


def test_a_writer_that_stands_still_behind_what_it_sent_loses_its_turn(path: Path) -> None:
    """What was sent and not heard of yet does not keep the database from counting."""
    one, two = another(path), another(path)
    try:
        began = time.monotonic()
        with pytest.raises(StoreAway), one.write() as session:
            session.many("INSERT INTO meta (name, value) VALUES (?, ?)", [("still", "x")])
            with two.write(wait=10) as writing:
                writing.run(PUT, ("who", "two"))
            assert time.monotonic() - began < 7
            session.all("SELECT name FROM meta")
        assert two.connection().one(GET, ("still",)) is None
    finally:
        one.close()
        two.close()


@pytest.mark.parametrize("level", ["serializable", "repeatable read"])
def test_who_had_to_wait_sees_what_the_other_wrote(path: Path, level: str) -> None:
    """Also where the role or the database begin every transaction with a view of its own."""
    wanted = f"-c%20default_transaction_isolation%3D{level.replace(' ', '%5C%20')}"
    one = another(path)
    two = another(path, f"{DATABASE}?options={wanted}")
    seen: list[object] = []

    def write() -> None:
        with two.write() as session:
            seen.append(session.one(GET, ("word",)))

    waiting = threading.Thread(target=write)
    try:
        with one.write() as session:
            waiting.start()
            until(
                lambda: session.one(
                    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
                )[0]
            )
            session.run(PUT, ("word", "x"))
        waiting.join()
        with two.write() as session:
            assert session.one("SELECT current_setting('transaction_isolation')") == ("read committed",)
    finally:
        one.close()
        two.close()
    assert seen == [("x",)]


@pytest.fixture
def proxy() -> Iterator[DatabaseProxy]:
    with DatabaseProxy() as running:
        yield running


@pytest.fixture
def far(path: Path, proxy: DatabaseProxy) -> Iterator[Any]:
    """A store by that way."""
    made = another(path, proxy.url)
    yield made
    made.close()


def test_a_write_whose_answer_was_lost_is_done(far: Any, proxy: DatabaseProxy) -> None:
    proxy.cut = "after"
    with far.write() as session:
        session.run(PUT, ("word", "x"))
    assert proxy.cuts == 1
    assert far.connection().one(GET, ("word",)) == ("x",)


def test_a_write_that_never_came_to_its_end_may_be_done_again(far: Any, proxy: DatabaseProxy) -> None:
    proxy.cut = "before"
    with pytest.raises(StoreAway), far.write() as session:
        session.run(PUT, ("word", "x"))
    assert proxy.cuts == 1
    assert far.connection().one(GET, ("word",)) is None
    with far.write() as session:
        session.run(PUT, ("word", "y"))


@pytest.mark.parametrize("job", [True, False])
def test_a_write_of_which_nobody_can_tell_is_told_so(
    far: Any, proxy: DatabaseProxy, monkeypatch: pytest.MonkeyPatch, job: bool
) -> None:
    """A job is told that the database is away: it does the same again."""
    from gateway.store.postgres import committing

    monkeypatch.setattr(committing, "ASK_SECONDS", 0.5)

    def write() -> None:
        proxy.cut = "down"
        with far.write() as session:
            session.run(PUT, ("word", "x"))

    if job:
        with far.giving_way(), pytest.raises(StoreAway):
            write()
    else:
        with pytest.raises(StoreUnsure):
            write()


def test_a_client_whose_write_may_be_done_is_not_told_to_do_it_again(
    far: Any, path: Path, proxy: DatabaseProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gateway.store.postgres import committing

    monkeypatch.setattr(committing, "ASK_SECONDS", 0.5)
    token = create_token(far, "writer", "read write")
    with answering(create_app(settings(path), store=far)) as address:
        client = Client(address, token)
        head = {"Authorization": f"Token {token}", "Content-Type": "application/json"}
        assert client.send("POST", "/categorieen", head, b'{"naam": "een"}').status == 201
        proxy.cut = "after"
        assert client.send("POST", "/categorieen", head, b'{"naam": "twee"}').status == 201
        assert proxy.cuts == 1
        proxy.cut = "down"
        lost = client.send("POST", "/categorieen", head, b'{"naam": "drie"}')
        proxy.down = False
        assert client.get("/categorieen").json["count"] == 3
    assert lost.status == 503
    assert "Retry-After" not in lost.headers
    assert "niet bekend" in lost.json["detail"]


# Work that is done while the database is waited for

SLOWLY = "SELECT pg_sleep(0.2)::text"


def counted() -> tuple[list[int], Iterator[int]]:
    """Pieces of work without end, and those that were done."""
    done: list[int] = []

    def pieces() -> Iterator[int]:
        while True:
            time.sleep(0.001)
            done.append(len(done))
            yield done[-1]

    return done, pieces()


def test_pieces_of_work_are_done_while_a_question_is_waited_for(path: Path) -> None:
    store = another(path)
    done, pieces = counted()
    with store.write() as session:
        session.meanwhile(pieces)
        session.many(PUT, [(str(number), "x") for number in range(50)])
        assert session.one(SLOWLY) == ("",)
        assert 20 < len(done) < 220
        assert session.one("SELECT count(*) FROM meta WHERE value = 'x'") == (50,)
    of_this = len(done)
    with store.write() as session:  # and for nobody else's
        assert session.one(SLOWLY) == ("",)
    store.connection().one(SLOWLY)
    assert len(done) == of_this
    with pytest.raises(KeyError), store.write() as session:  # also when it failed
        session.meanwhile(pieces)
        raise KeyError
    of_this = len(done)
    with store.write() as session:
        assert session.one(SLOWLY) == ("",)
    assert len(done) == of_this
    store.close()


def test_a_question_goes_on_when_there_are_no_more_pieces(path: Path) -> None:
    store = another(path)
    done: list[int] = []
    with store.write() as session:
        session.meanwhile(map(done.append, range(3)))
        for _ in range(2):
            assert session.one(SLOWLY) == ("",)
    assert done == [0, 1, 2]
    store.close()


@pytest.mark.parametrize("behind", [False, True])
def test_a_piece_that_fails_ends_the_write_and_nothing_else(path: Path, behind: bool) -> None:
    store = another(path)

    def fails() -> Iterator[int]:
        yield 1
        raise LookupError

    with pytest.raises(LookupError), store.write() as session:
        session.meanwhile(fails())
        if behind:
            session.many(PUT, [("lost", "x")])
        else:
            session.run(PUT, ("lost", "x"))
        session.one(SLOWLY)
    with store.write(wait=1) as session:
        assert session.one("SELECT count(*) FROM meta WHERE value = 'x'") == (0,)
        session.run(PUT, ("later", "x"))
    assert store.connection().one(GET, ("later",)) == ("x",)
    store.close()
