"""Counts of the status are kept by whoever writes, and are those that counting gives, whatever happened."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path
from uuid import UUID

import pytest
from builders.legacy_objects import BSN, klantcontact, organisatie, persoon, uuid_of, zaak
from builders.register import SOURCE, Register
from builders.stores import make_store

from gateway.store.base.kinds import LEFT_OUT, QUARANTINED, TRANSLATED, UNREADABLE, WAITING
from gateway.store.indexes import tallies
from gateway.store.inspect.status import status
from gateway.store.schema.migrations import migrations

NO_EMAIL = {"emailadres": "geen adres", "functie": "", "naam": "", "telefoonnummer": ""}
OF_STATEMENTS = {"M17"}  # a number that is none, of somebody who is known by a URL
NO_BSN = "123456789"
WRONG = {"registratiedatum": "gisteren"}


def kept(connection: sqlite3.Connection) -> tuple[set[tuple[int, ...]], dict[str, int]]:
    return set(tallies.raws(connection)), tallies.findings(connection)


def counted(connection: sqlite3.Connection) -> tuple[set[tuple[int, ...]], dict[str, int]]:
    """Counted here by other questions than those of the module itself."""
    raws = connection.execute("SELECT source, kind, state FROM raw").fetchall()
    found: dict[str, int] = {}
    told = connection.execute("SELECT rule FROM raw_finding").fetchall()
    for statement, rule in connection.execute("SELECT statement, rule FROM statement_finding").fetchall():
        makers = connection.execute("SELECT id FROM claim WHERE statement = ?", (statement,)).fetchall()
        told += [(rule,)] * len(makers)
    for (rule,) in told:
        found[rule] = found.get(rule, 0) + 1
    return {(*place, raws.count(place)) for place in set(raws)}, found


@pytest.mark.slow
def test_random_histories_of_a_source(tmp_path: Path) -> None:
    """Zaken that become secret, unreadable or vanish; rollen that change, break, move, mend, go and come back."""
    states, rules = zip(*(happens(tmp_path / f"{seed}", seed) for seed in range(6)), strict=True)
    assert {TRANSLATED, WAITING, LEFT_OUT, QUARANTINED, UNREADABLE} <= set().union(*states)
    assert set().union(*rules) >= OF_STATEMENTS | {"M30", "M34"}


def happens(folder: Path, seed: int) -> tuple[set[int], set[str]]:
    """One history, judged after each step. Out: the states and rules that were seen."""
    chance = random.Random(seed)
    folder.mkdir()
    register = Register(folder / "store.db")
    store, ingest = register.store, register.ingest
    states: set[int] = set()
    rules: set[str] = set()
    for _ in range(80):
        number, on, case = chance.randrange(1, 6), chance.randrange(1, 4), chance.randrange(10)
        if case < 2:
            register.take(zaak(on, "zeer_geheim" if chance.random() < 0.4 else "openbaar"))
        elif case == 2:
            register.take(klantcontact(number, on))
        elif case == 3:
            kind = chance.choice(("zaak", "rol", "klantcontact"))
            ingest.remove(SOURCE, kind, [UUID(uuid_of(kind, on if kind == "zaak" else number))])
        elif case == 4:
            ingest.refused(SOURCE, "zaak", UUID(uuid_of("zaak", on)), 0)
        elif case == 5:
            register.take(organisatie(number, chance.choice(("Bakkerij", "Slagerij")), zaak=on))
        else:
            said = {"naam": chance.choice(("Jansen", "De Boer")), "on": chance.randrange(1, 9), "zaak": on}
            url = chance.choice(("", "https://personen.example/1"))
            contact = chance.choice((None, NO_EMAIL))
            found = persoon(number, chance.choice((BSN[0], BSN[1], NO_BSN)), url=url, contact=contact, **said)
            register.take(found | (WRONG if chance.random() < 0.2 else {}))
        with store.read() as connection:
            assert kept(connection) == counted(connection)
            assert not tallies.miscounted(connection)
            states |= {state for _, _, state, _ in tallies.raws(connection)}
            rules |= set(tallies.findings(connection))
    store.close()
    return states, rules


@pytest.mark.of_the_file
def test_a_store_of_before_is_counted_once(tmp_path: Path) -> None:
    register = Register(tmp_path / "store.db")
    register.take(
        zaak(1),
        persoon(1, BSN[0]),
        persoon(2, BSN[0], naam="Anders"),
        persoon(3, BSN[1]) | WRONG,
        persoon(4, BSN[1], contact=NO_EMAIL),
    )
    before = status(register.store)
    with register.store.write() as connection:
        for name in ("raw_tally", "finding_tally"):
            connection.execute(f"DROP TABLE {name}")
        connection.execute("DROP INDEX run_started")
        connection.execute("DELETE FROM _sqlite_migrations WHERE name LIKE '%_tallies'")
        migrations.apply(register.store.operator())
    assert status(register.store) == before
    assert before["findings"]
    register.store.close()


@pytest.mark.of_the_file
def test_no_question_of_the_status_reads_a_whole_table(tmp_path: Path) -> None:
    store = make_store(tmp_path / "store.db")
    asked: list[str] = []
    connection = store.connection()
    connection.set_trace_callback(asked.append)
    status(store)
    connection.set_trace_callback(None)
    large = {"raw", "document", "claim", "statement", "statement_finding", "raw_finding", "run", "link"}
    for question in asked:
        if question.startswith("SELECT"):
            for *_, step in connection.execute(f"EXPLAIN QUERY PLAN {question}"):
                words = step.split()
                assert words[0] != "SCAN" or words[1] not in large or "run_started" in step, step
    assert len(asked) > 8
